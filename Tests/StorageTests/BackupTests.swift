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

    /// What another process does in the destination before each call: both come out whole, or one is told that it came second.
    @Test(arguments: [true, false])
    func `leaves what somebody else makes in its directory alone`(isAnotherBackup: Bool) throws {
        let start = machine.disk
        var (firstCount, secondCount) = (0, 0)
        for number in 0... {
            let machine = SimulatedMachine(start)
            @Sendable func account(_ path: String, _ system: SimulatedSystem) throws(PaperTradeError) -> Account {
                var options = Options()
                (options.system, options.lockTimeoutMilliseconds) = (system, 0)
                return try Account(path, options: options)
            }
            let process = machine.process()
            let backedUp = try account(original, process)
            let other = try account("/other", machine.process())
            let (count, acknowledged) = (Locked(0), Locked<String?>(nil))
            process.onCall { _ in
                let isNow = count.withLock { count in
                    count += 1
                    return count == number + 1
                }
                guard isNow else { return nil }
                do throws(PaperTradeError) {
                    if isAnotherBackup {
                        try other.backUp(to: copy)
                        let id = try other.summary().accountID
                        acknowledged.withLock { $0 = id }
                    } else {
                        let made = try account(copy, machine.process())
                        try made.deposit(Money(clamping: 5))
                        let id = try made.summary().accountID
                        acknowledged.withLock { $0 = id }
                    }
                } catch {
                    #expect(error.status == .busy || error.status == .exists, "before call \(number): \(error)")
                }
                return nil
            }
            var expected = acknowledged.withLock { $0 }
            do throws(PaperTradeError) {
                try backedUp.backUp(to: copy)
                expected = try backedUp.summary().accountID
                firstCount += 1
            } catch {
                #expect(error.status == .exists, "before call \(number): \(error)")
                expected = acknowledged.withLock { $0 }
                secondCount += 1
            }
            process.onCall(nil)
            let report = try verify(copy, on: machine)
            #expect(report.problems.isEmpty && report.state.accountID == expected, "before call \(number)")
            if count.withLock({ $0 }) <= number { break }
        }
        #expect(firstCount > 10 && secondCount > 0)
    }

    @Test func `that fails removes its own files, and no others`() throws {
        let (start, path) = (machine.disk, copy)
        for number in 0... {
            let machine = SimulatedMachine(start)
            let process = machine.process()
            var options = Options()
            options.system = process
            let account = try Account(original, options: options)
            let (count, isPlanted) = (Locked(0), Locked(false))
            process.onCall { call in
                let now = count.withLock { count in
                    count += 1
                    return count - 1
                }
                if now == number {
                    let isThere = machine.withState { state in
                        state.disk.plant([1], as: "notes", in: path)
                        return state.disk.hasFile("notes", in: path)
                    }
                    isPlanted.withLock { $0 = isThere }
                }
                return now >= number && call.operation == .sync ? .fail(.inputOutput) : nil
            }
            let isDone = (try? account.backUp(to: copy)) != nil
            process.onCall(nil)
            var names = Set(machine.disk.files(in: copy).keys)
            #expect((names.remove("notes") != nil) == isPlanted.withLock { $0 }, "failing from call \(number) on")
            #expect(isDone || names.isEmpty, "failing from call \(number) on: \(names)")
            if count.withLock({ $0 }) <= number { break }
        }
    }

    @Test func `is whole or no account after a power cut at any call, and whole as soon as it is made`() throws {
        let snapshots = try machine.snapshots {
            try account.backUp(to: copy)
            machine.acknowledge(try verify(copy, on: machine).lastSeq)
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
                    #expect(snapshot.acknowledged.isEmpty, "\(error)")
                    noneCount += 1
                }
            }
        }
        #expect(wholeCount > 100 && noneCount > 100, "\(wholeCount) whole, \(noneCount) none")
    }

    @Test func `is whole or no account if its process is killed while it writes the journal`() throws {
        let start = machine.disk
        let whole = try verify(original, on: machine).lastSeq
        let journal = try #require(start.files(in: original)[AccountFile.journal])
        let lineEnds = journal.indices.dropFirst().filter { journal[$0] == fill && journal[$0 - 1] != fill }
        #expect(lineEnds.count == 7)
        for count in lineEnds.flatMap({ [$0 - 100, $0, $0 + 1] }) {
            let machine = SimulatedMachine(start)
            let process = machine.process()
            var options = Options()
            options.system = process
            let account = try Account(original, options: options)
            process.onCall { call in
                call.operation == .write && call.subject.hasPrefix(AccountFile.journal) ? .killAfter(count) : nil
            }
            #expect(throws: PaperTradeError.self) { try account.backUp(to: copy) }
            #expect(machine.disk.files(in: copy).contains { $0.key.hasPrefix(AccountFile.journal) && $0.value.count == count })
            let seq = (try? DirectoryStore.open(copy, machine.process()))?.state.seq
            #expect(seq == nil || seq == whole, "killed after \(count) bytes")
        }
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
