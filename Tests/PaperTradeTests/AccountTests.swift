import Glibc
import PaperTrade
import Testing

@Suite("The account")
struct AccountTests {
    let directory = TemporaryDirectory()

    @Test("what one handle does, another sees at once")
    func handlesAgree() throws {
        let first = try Account(directory.path(of: "account"))
        let second = try Account(directory.path(of: "account"))
        try first.buy("AAPL", 40, at: 150)
        #expect(try second.summary().cash == Money(4000.0))
        #expect(try second.position(Symbol("AAPL")).costBasis == Price(150.0))
        #expect(status { () throws(PaperTradeError) in try second.buy("MSFT", 40, at: 150) } == .insufficientFunds)
        #expect(try first.summary().seq == second.summary().seq)
    }

    @Test("a request id makes a change safe to repeat, also after opening anew")
    func repetition() throws {
        let request = RequestOptions(id: "monday")
        let first = try Account(directory.path(of: "account"))
        let fill = try first.buy("AAPL", 1, at: 100, request)
        #expect(!fill.isRepeated && !fill.isProvisional && fill.at >= fill.time)
        first.close()
        let second = try Account(directory.path(of: "account"))
        let again = try second.buy("AAPL", 1, at: 100, request)
        #expect(again.isRepeated && again.time == fill.time && again.at == fill.at)
        #expect(again.seq == fill.seq)
        #expect(try second.position(Symbol("AAPL")).shares == Shares(1.0))
        #expect(status { () throws(PaperTradeError) in try second.buy("AAPL", 2, at: 100, request) } == .requestConflict)
        #expect(try second.findRequest("monday").record == fill.receipt.record)
        #expect(status { () throws(PaperTradeError) in try second.findRequest("tuesday") } == .notFound)
    }

    @Test("a request id is remembered across a reset")
    func repetitionAcrossReset() throws {
        let account = try Account(directory.path(of: "account"))
        let fill = try account.buy("AAPL", 1, at: 100, RequestOptions(id: "monday"))
        try account.reset(initialCash: Money(500.0), RequestOptions(id: "start over"))
        #expect(try account.summary().cash == Money(500.0))
        #expect(try account.buy("AAPL", 1, at: 100, RequestOptions(id: "monday")).seq == fill.seq)
        #expect(try account.reset(initialCash: Money(500.0), RequestOptions(id: "start over")).isRepeated)
        #expect(try account.positions().isEmpty)
        #expect(try Account.verify(directory.path(of: "account")).problems.isEmpty)
        #expect(try Account.verify(directory.path(of: "account")).generations == 2)
    }

    @Test("what is queued by a time ahead of the clock, or long ago, is counted as it is listed")
    func queuedCount() throws {
        let account = try Account(directory.path(of: "account"))
        let day: Int64 = 86_400_000_000
        let now = try account.currentTime()
        let opportunity = try opportunity("NVDA")
        try account.enqueue(opportunity, RequestOptions(time: Timestamp(clamping: now.microseconds - 2 * day)))
        #expect(try account.queue().isEmpty)
        #expect(try account.summary().queuedCount == 0)
        try account.enqueue(opportunity)
        try account.deposit(Money(1.0), RequestOptions(time: Timestamp(clamping: now.microseconds + 2 * day)))
        #expect(try account.queue().count == 1)
        #expect(try account.summary().queuedCount == 1)
    }

    @Test("each event of a batch is recorded when it is made")
    func recordedInABatch() throws {
        let account = try Account(directory.path(of: "account"))
        var fills: [Fill] = []
        try account.batch { () throws(PaperTradeError) in
            for _ in 0..<3 {
                usleep(2000)
                fills.append(try account.buy("AAPL", 1, at: 1))
            }
        }
        #expect(fills.allSatisfy { $0.isProvisional && $0.at >= $0.time })
        #expect(zip(fills, fills.dropFirst()).allSatisfy { $1.at.microseconds - $0.at.microseconds >= 2000 })
    }

    @Test("expected_seq refuses a change if the account has moved on, but not because of a new config")
    func expectedSeq() throws {
        let account = try Account(directory.path(of: "account"))
        let seq = try account.summary().seq
        directory.write("{\"commission\": {\"minimum\": 1.0}}", to: "account/config.json")
        try account.buy("AAPL", 1, at: 100, RequestOptions(expectedSeq: seq))
        #expect(try account.summary().cash == Money(9899.0))
        #expect(
            status { () throws(PaperTradeError) in try account.deposit(Money(micros: 1)!, RequestOptions(expectedSeq: seq)) }
                == .seqMismatch)
        // What is wrong whatever the account holds is not worth another attempt.
        #expect(
            status { () throws(PaperTradeError) in try account.buy("AAPL", 0, at: 100, RequestOptions(expectedSeq: seq)) }
                == .invalidShares)
    }

    @Test("a closed account refuses every call")
    func closed() throws {
        let account = try Account(directory.path(of: "account"))
        account.close()
        account.close()
        #expect(status { () throws(PaperTradeError) in try account.summary() } == .closed)
        #expect(status { () throws(PaperTradeError) in try account.buy("AAPL", 1, at: 1) } == .closed)
        #expect(status { () throws(PaperTradeError) in try account.beginBatch() } == .closed)
    }

    @Test("a read-only account reads what others do, and changes nothing")
    func readOnly() throws {
        let writer = try Account(directory.path(of: "account"))
        var options = Options()
        options.isReadOnly = true
        let reader = try Account(directory.path(of: "account"), options: options)
        try writer.deposit(Money(1.0))
        #expect(try reader.summary().cash == Money(10_001.0))
        try writer.reset()
        #expect(try reader.summary().cash == Money(10_000.0))
        #expect(status { () throws(PaperTradeError) in try reader.deposit(Money(micros: 1)!) } == .readOnly)
    }

    @Test("an account is made only if the options allow it")
    func existing() throws {
        var options = Options()
        options.createsIfMissing = false
        #expect(status { () throws(PaperTradeError) in try Account(directory.path(of: "none"), options: options) } == .noAccount)
        #expect(status { () throws(PaperTradeError) in try Account(directory.path, options: options) } == .noAccount)
    }

    @Test("the same account id and initial cash as asked for")
    func newAccount() throws {
        var options = Options()
        options.accountID = "test-1"
        options.initialCash = try Money("123.456789")
        let account = try Account(directory.path(of: "account"), options: options)
        #expect(try account.summary().accountID == "test-1")
        #expect(try account.summary().cash.description == "123.456789")
        options.accountID = "not an id"
        #expect(
            status { () throws(PaperTradeError) in try Account(directory.path(of: "other"), options: options) }
                == .invalidArgument)
    }

    @Test("history hands over every event once, in order, through sealed journals")
    func history() throws {
        let account = try Account(directory.path(of: "account"))
        for _ in 0..<600 { try account.deposit(Money(1.0)) }
        try account.reset()
        try account.deposit(Money(2.0))
        var seqs: [UInt64] = []
        try account.history { event in
            seqs.append(event.record.seq)
            return true
        }
        #expect(seqs == Array(1...UInt64(605)))
        var last: [String] = []
        try account.history(from: 605) { event in
            last.append(event.record.event.typeName)
            return true
        }
        #expect(last == ["deposit"])
    }

    @Test("a valuation counts positions without a quote at cost")
    func valuation() throws {
        let account = try Account(directory.path(of: "account"))
        try account.buy("AAPL", 10, at: 100)
        try account.buy("MSFT", 10, at: 200)
        let value = try account.value(at: [Symbol("AAPL"): Price(110.0)])
        #expect(value.unpricedCount == 1)
        #expect(value.marketValue == (try Money(3100.0)))
        #expect(value.unrealizedPnL == (try Money(100.0)))
        #expect(value.totalPnL == (try Money(100.0)))
        #expect(value.returnPercent == (try Rate(1.0)))
    }
}

@Suite("Damage")
struct DamageTests {
    let directory = TemporaryDirectory()

    /// An account with a sealed journal, closed, in which one byte of `name` is changed.
    private func damage(_ name: String) throws -> String {
        let account = try Account(directory.path(of: "account"))
        try account.deposit(Money(1.0))
        try account.reset()
        try account.deposit(Money(2.0))
        account.close()
        let text = directory.read("account/" + name)
        directory.write(text.replacing("\"type\":\"deposit\"", with: "\"type\":\"Deposit\""), to: "account/" + name)
        return account.path
    }

    @Test("recover rebuilds an account that opens, but cannot be proved")
    func damagedJournal() throws {
        let path = try damage("journal.jsonl")
        #expect(try Account.verify(path).problems.count == 1)
        let report = try Account.recover(path)
        #expect(report.isFromPortfolio && report.keptSeq == 6 && report.generation == 3)
        #expect(try Account.verify(path).problems.isEmpty)
        #expect(try Account(path).summary().cash == Money(10_002.0))
    }

    @Test("recover sets a damaged sealed journal aside, and leaves the account as it is")
    func damagedSealedJournal() throws {
        let path = try damage("journal-1.jsonl")
        let before = directory.read("account/journal.jsonl")
        #expect(try !Account.verify(path).problems.isEmpty)
        let report = try Account.recover(path)
        #expect(report.seq == 0 && report.keptAs.hasPrefix("journal-1-damaged.jsonl-"))
        #expect(try Account.verify(path).problems.isEmpty)
        #expect(directory.read("account/journal.jsonl") == before)
    }
}
