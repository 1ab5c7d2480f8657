import PaperTrade
import Testing

@Suite("Threads, batches and locks")
struct ConcurrencyTests {
    let directory = TemporaryDirectory()

    @Test("many tasks use one account at the same time, and it adds up exactly")
    func tasks() async throws {
        let account = try Account(directory.path(of: "account"))
        await withTaskGroup { group in
            for index in 0..<40 {
                group.addTask { _ = status { () throws(PaperTradeError) in try account.buy("S\(index)", 1, at: 0.25) } }
            }
        }
        #expect(try account.positions().count == 40)
        #expect(try account.summary().cash == Money(9990.0))
        #expect(try Account.verify(account.path).problems.isEmpty)
    }

    @Test("a batch is one commit: its thread sees it at once, others when it is committed")
    func batch() throws {
        let account = try Account(directory.path(of: "account"))
        let other = try Account(directory.path(of: "account"))
        let before = try account.summary().seq
        try account.batch { () throws(PaperTradeError) in
            let bought = try account.buy("AAPL", 10, at: 100)
            #expect(bought.receipt.isProvisional)
            #expect(status { () throws(PaperTradeError) in try account.buy("AAPL", 1000, at: 100) } == .insufficientFunds)
            try account.sell("AAPL", 5, at: 120)
            let (here, there) = (try account.summary().seq, try other.summary().seq)
            #expect(here == before + 2)
            #expect(there == before)
        }
        #expect(try other.summary().seq == before + 2)
        #expect(try other.summary().realizedPnL == Money(100.0))
        var more: [Bool] = []
        try account.history(from: before + 1) { event in
            more.append(event.more)
            return true
        }
        #expect(more == [true, false])
    }

    @Test("a batch whose body throws has not happened")
    func rollback() throws {
        let account = try Account(directory.path(of: "account"))
        let before = try account.summary()
        #expect(
            status { () throws(PaperTradeError) in
                try account.batch { () throws(PaperTradeError) in
                    try account.deposit(Money(micros: 5)!)
                    try account.buy("AAPL", 1000, at: 100)
                }
            } == .insufficientFunds)
        #expect(try account.summary() == before)
        try account.deposit(Money(1.0))
    }

    @Test("what a batch does not allow is misuse, and does not end it")
    func misuse() throws {
        let account = try Account(directory.path(of: "account"))
        #expect(status { () throws(PaperTradeError) in try account.commitBatch() } == .misuse)
        #expect(status { () throws(PaperTradeError) in try account.rollbackBatch() } == .misuse)
        #expect(status { () throws(PaperTradeError) in try account.unlock() } == .misuse)
        try account.beginBatch()
        #expect(status { () throws(PaperTradeError) in try account.beginBatch() } == .misuse)
        #expect(status { () throws(PaperTradeError) in try account.reset() } == .misuse)
        #expect(status { () throws(PaperTradeError) in try account.reload() } == .misuse)
        #expect(status { () throws(PaperTradeError) in try account.backUp(to: "/nowhere") } == .misuse)
        #expect(status { () throws(PaperTradeError) in try account.executeQueue { _, _ in nil } } == .misuse)
        try account.deposit(Money(1.0))
        try account.commitBatch()
        // The analyst is not to keep others waiting.
        try account.locked { () throws(PaperTradeError) in
            #expect(status { () throws(PaperTradeError) in try account.executeQueue { _, _ in nil } } == .misuse)
        }
        #expect(try account.summary().cash == Money(10_001.0))
    }

    @Test("within a batch a request id is good for one change, too")
    func requestIDsInBatch() throws {
        let account = try Account(directory.path(of: "account"))
        try account.batch { () throws(PaperTradeError) in
            let first = try account.deposit(Money(micros: 7)!, RequestOptions(id: "a"))
            let second = try account.deposit(Money(micros: 7)!, RequestOptions(id: "a"))
            #expect(second.isRepeated && second.seq == first.seq)
            #expect(
                status { () throws(PaperTradeError) in try account.deposit(Money(micros: 8)!, RequestOptions(id: "a")) }
                    == .requestConflict)
        }
        #expect(try account.summary().netDeposits.description == "10000.000007")
    }

    @Test("the account's lock keeps other handles out, is counted, and is released when the closure throws")
    func accountLock() throws {
        let account = try Account(directory.path(of: "account"))
        var options = Options()
        options.lockTimeoutMilliseconds = 50
        let other = try Account(directory.path(of: "account"), options: options)
        try account.lock()
        try account.lock()
        try account.unlock()
        #expect(onAnotherThread { status { () throws(PaperTradeError) in try other.deposit(Money(micros: 1)!) } } == .busy)
        #expect(onAnotherThread { status { () throws(PaperTradeError) in try account.summary() } } == .ok)
        #expect(status { () throws(PaperTradeError) in try other.deposit(Money(micros: 1)!) } == .wouldDeadlock)
        try account.deposit(Money(1.0))
        try account.unlock()
        #expect(
            status { () throws(PaperTradeError) in
                try account.locked { () throws(PaperTradeError) in try account.buy("A", 9999, at: 9999) }
            } == .insufficientFunds)
        try other.deposit(Money(1.0))
    }

    @Test("closing takes from other threads what they hold, and rolls their batch back")
    func closeWhileHeld() throws {
        let account = try Account(directory.path(of: "account"))
        let began = onAnotherThread {
            status { () throws(PaperTradeError) in
                try account.beginBatch()
                try account.deposit(Money(micros: 1)!)
            }
        }
        #expect(began == .ok)
        account.close()
        #expect(status { () throws(PaperTradeError) in try account.commitBatch() } == .closed)
        #expect(try Account(directory.path(of: "account")).summary().cash == Money(10_000.0))
    }

    @Test("a lock file excludes threads and handles, names its holder, and is free again after the closure throws")
    func lockFile() throws {
        let path = directory.path(of: "my.lock")
        #expect(try !Lock.isHeld(path))
        let first = try Lock(path)
        let second = try Lock(path)
        try first.withLock(timeoutMilliseconds: 0) { () throws in
            #expect(try Lock.isHeld(path))
            #expect(status { () throws(PaperTradeError) in try first.acquire(timeoutMilliseconds: 0) } == .wouldDeadlock)
            #expect(status { () throws(PaperTradeError) in try second.acquire(timeoutMilliseconds: 0) } == .wouldDeadlock)
            #expect(
                onAnotherThread { status { () throws(PaperTradeError) in try second.acquire(timeoutMilliseconds: 5) } } == .busy)
        }
        #expect(try !Lock.isHeld(path))
        try second.acquire(timeoutMilliseconds: 0, attempts: 3, delayMilliseconds: 1)
        #expect(second.release())
        #expect(!second.release())
        #expect(
            status { () throws(PaperTradeError) in try first.acquire(timeoutMilliseconds: 0, attempts: 0, delayMilliseconds: 1) }
                == .invalidArgument)
    }

    @Test("a lock of the caller's own on the account's lock file would deadlock, and says so")
    func foreignLock() throws {
        let account = try Account(directory.path(of: "account"))
        let lock = try Lock(account.path + "/.lock")
        try lock.acquire(timeoutMilliseconds: 0)
        #expect(status { () throws(PaperTradeError) in try account.deposit(Money(micros: 1)!) } == .wouldDeadlock)
        lock.release()
        try account.deposit(Money(1.0))
    }
}
