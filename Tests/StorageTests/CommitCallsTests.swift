import Ledger
import PaperTrade
import Testing

@testable import Storage

/// What a commit costs in system calls. Counts are the same on every machine; the benchmarks tell what they mean in time.
@Suite struct `The system calls of a commit` {
    private static let call = [
        // 1. The lock, and whether the account is still where it was.
        "tryLock .lock", "status .lock", "write .lock", "status \(simulatedPath)", "tryLock journal.jsonl",
        // 2. What others did: whether the journal is the same file and ends where it did; the configuration.
        "status journal.jsonl", "read journal.jsonl", "status config.json",
        // 4. The file for portfolio.json's successor: what it was one commit ago.
        "status portfolio.json", "open portfolio.json.tmp", "status portfolio.json.tmp", "lease portfolio.json.tmp",
        "read portfolio.json.tmp",
        // 5. The event, and 6. the view.
        "write journal.jsonl", "startWriting journal.jsonl", "write portfolio.json.tmp", "write portfolio.json.tmp",
        "close portfolio.json.tmp", "exchange portfolio.json.tmp with portfolio.json",
        // 7.
        "unlock journal.jsonl", "write .lock", "unlock .lock",
        // 8. And whether what was synced is still the journal.
        "syncData journal.jsonl", "status journal.jsonl",
    ]

    @Test(arguments: [1, 100])
    func `are these, in this order, whatever the number of positions`(count: Int) throws {
        let machine = try SimulatedMachine.withAccount()
        let process = machine.process()
        let account = try machine.account(process)
        try account.batch { () throws(PaperTradeError) in
            for number in 0..<count { try account.buy("S\(number)", 1, at: 1) }
        }
        // The first sale writes a text of another length.
        try account.sell("S0", 0.5, at: 1)
        let calls = try process.recording { try account.sell("S0", 0.25, at: 1) }
        #expect(calls.map(\.description) == Self.call)
    }

    @Test func `are four more when the last commit is older than a moment, to see whether somebody has edited portfolio.json`()
        throws
    {
        let machine = try SimulatedMachine.withAccount()
        let process = machine.process()
        let account = try machine.account(process)
        for _ in 0..<2 { try account.deposit(Money(clamping: 1)) }
        machine.tick(100_000_000)
        let calls = try process.recording { try account.deposit(Money(clamping: 1)) }.map(\.description)
        let place = try #require(Self.call.firstIndex(of: "unlock journal.jsonl"))
        let look = ["open", "status", "read", "close"].map { "\($0) portfolio.json.tmp" }
        #expect(calls == Self.call[..<place] + look + Self.call[place...])
    }

    @Test func `leave the disk alone before the sync where another process wants the lock`() throws {
        let machine = try SimulatedMachine.withAccount()
        let process = machine.process()
        var options = Options()
        options.system = process
        let account = try Account(simulatedPath, options: options)
        let other = try machine.account()
        for _ in 0..<2 { try account.deposit(Money(clamping: 1)) }
        try other.lock()
        let attempts = Locked(0)
        process.onCall { call in
            guard call.description == "tryLock .lock" else { return nil }
            let count = attempts.withLock { count in
                count += 1
                return count
            }
            if count == 3 { try? other.unlock() }
            return nil
        }
        let calls = try process.recording { try account.deposit(Money(clamping: 1)) }.map(\.description)
        let place = try #require(calls.lastIndex(of: "tryLock .lock"))
        #expect(attempts.withLock { $0 } == 3)
        #expect(calls[place...] == Self.call.filter { $0 != "startWriting journal.jsonl" }[...])
    }

    @Test func `are the same for a batch of any size, but for the journal's growth`() throws {
        let machine = try SimulatedMachine.withAccount()
        let process = machine.process()
        let account = try machine.account(process)
        // The first one opens the lock file.
        _ = try account.deposit(Money(clamping: 1))
        let calls = try process.recording {
            try account.batch { () throws(PaperTradeError) in
                for _ in 0..<1000 { try account.deposit(Money(clamping: 1)) }
            }
        }.map(\.description)
        let growth = ["write journal.jsonl", "syncData journal.jsonl"]
        let place = try #require(Self.call.firstIndex(of: "open portfolio.json.tmp"))
        #expect(calls == Self.call[..<place] + growth + Self.call[place...])
    }
}
