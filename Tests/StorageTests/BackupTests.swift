import Ledger
import PaperTrade
import Testing

@testable import Storage

@Suite struct `A backup` {
    private let machine: SimulatedMachine
    private let account: Account
    private let original = "/original"
    /// Where power cuts are simulated.
    private let copy = simulatedPath

    /// An account of two generations, with a config.json.
    init() throws {
        machine = SimulatedMachine()
        try machine.process().makeDirectory(path: original, mode: 0o700)
        let config = Array(#"{"commission": {"minimum": 1}}"#.utf8)
        let path = original
        machine.withState { $0.disk.plant(config, as: AccountFile.config, in: path) }
        var options = Options()
        options.system = machine.process()
        account = try Account(original, options: options)
        try account.buy("AAPL", 3, at: 10)
        try account.reset()
        for symbol in ["MSFT", "NVDA", "AMZN", "META", "ORCL"] { try account.buy(symbol, 2, at: 20) }
    }

    private func verify(_ path: String, on machine: SimulatedMachine) throws(StorageError) -> VerifyReport {
        try verifyAccount(path: path, system: machine.process())
    }

    private func sealed(in path: String) -> [String: [UInt8]] {
        machine.disk.files(in: path).filter { $0.key.hasPrefix("journal-") }
    }

    @Test func `is proved, has every file, and goes on by itself`() throws {
        try account.backUp(to: copy)
        try account.buy("INTC", 1, at: 30)
        #expect(sealed(in: original).count == 1)
        #expect(sealed(in: copy) == sealed(in: original))
        #expect(machine.disk.files(in: copy)[AccountFile.config] == machine.disk.files(in: original)[AccountFile.config])
        let (before, after) = (try verify(copy, on: machine), try verify(original, on: machine))
        #expect(before.problems.isEmpty && before.isPortfolioCurrent && !before.hasUnfinishedTail)
        #expect(before.lastSeq == after.lastSeq - 1 && before.firstSeq == after.firstSeq)
        #expect(before.state.cash.micros == after.state.cash.micros + 31_000_000, "without what was bought afterwards")

        var options = Options()
        options.system = machine.process()
        let restored = try Account(copy, options: options)
        #expect(try restored.sell("MSFT", 2, at: 20).seq == before.lastSeq + 1)
        restored.close()
        #expect(try verify(copy, on: machine).problems.isEmpty)
        #expect(try verify(original, on: machine).state == after.state)
    }

    @Test func `is whole or no account after a power cut at any call, and whole as soon as it is made`() throws {
        let snapshots = try machine.snapshots {
            try account.backUp(to: copy)
            machine.acknowledge(1)
        }
        let whole = try verify(copy, on: machine).lastSeq
        var generator = SeededGenerator(for: "backup")
        var (wholeCount, noneCount) = (0, 0)
        for snapshot in snapshots {
            for disk in snapshot.disk.afterPowerCut(limit: 300, using: &generator) {
                let machine = SimulatedMachine(disk)
                do throws(StorageError) {
                    let store = try DirectoryStore.open(copy, machine.process())
                    #expect(store.state.seq == whole, "\(snapshot.call) was to come")
                    wholeCount += 1
                } catch {
                    #expect(snapshot.acknowledgedSeq == 0, "\(error)")
                    noneCount += 1
                }
            }
        }
        #expect(wholeCount > 100 && noneCount > 100, "\(wholeCount) whole, \(noneCount) none")
    }
}

/// On real files.
@Suite struct `The directory of a backup` {
    @Test func `is new or empty, and no other is touched`() throws {
        let directory = try TemporaryDirectory()
        let account = try Account(directory.path("account"))
        let empty = directory.path("empty")
        try SystemCalls().makeDirectory(path: empty, mode: 0o700)
        try account.backUp(to: empty)
        let journal = directory.read("empty/journal.jsonl")
        #expect(journal != nil)
        for taken in [empty, directory.path("account"), directory.path("account/portfolio.json")] {
            do throws(PaperTradeError) {
                try account.backUp(to: taken)
                Issue.record("a backup into \(taken)")
            } catch {
                #expect(error.status == .exists, "\(taken): \(error.message)")
            }
        }
        #expect(directory.read("empty/journal.jsonl") == journal)
    }
}
