import Ledger
import PaperTrade
import Testing

@testable import Storage

/// Readers take no lock. Whatever others do between any two of their system calls, they see the account as it was at some moment.
@Suite struct `Without the lock` {
    private struct Scene {
        let name: String
        let happening: @Sendable (Account) throws -> Void
    }

    private let scenes = [
        Scene(name: "a trade") { _ = try $0.buy("AAPL", 1, at: 10) },
        Scene(name: "a trade, a reset and another trade") { account in
            try account.buy("AAPL", 1, at: 10)
            try account.reset()
            try account.buy("MSFT", 1, at: 20)
        },
        Scene(name: "closing") { $0.close() },
    ]

    /// Runs `read` again and again, with each scene between two other calls of it.
    private func interleave(
        _ read: (SimulatedMachine, SimulatedSystem, Account) throws -> String?, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        try account.reset()
        try account.buy("NVDA", 2, at: 30)
        account.close()
        let start = machine.disk
        for scene in scenes {
            for number in 0... {
                let machine = SimulatedMachine(start)
                let process = machine.process()
                let (reader, writer) = (try machine.account(process), try machine.account())
                let count = Locked(0)
                let problem = Locked<String?>(nil)
                process.onCall { _ in
                    let isNow = count.withLock { count in
                        count += 1
                        return count == number + 1
                    }
                    guard isNow else { return nil }
                    do { try scene.happening(writer) } catch { problem.withLock { $0 = "\(error)" } }
                    return nil
                }
                do {
                    if let found = try read(machine, process, reader) { problem.withLock { $0 = found } }
                } catch { problem.withLock { $0 = "\(error)" } }
                process.onCall(nil)
                if let problem = problem.withLock({ $0 }) {
                    Issue.record("\(scene.name) before call \(number): \(problem)", sourceLocation: location)
                }
                if count.withLock({ $0 }) <= number { break }
            }
        }
    }

    @Test func `a summary is of one moment, whatever happens meanwhile`() throws {
        try interleave { _, _, reader in
            let summary = try reader.summary()
            let total = summary.totalCost.flatMap { $0.adding(summary.cash) }
            return total == summary.netDeposits.adding(summary.realizedPnL) ? nil : "\(summary)"
        }
    }

    @Test func `a history is whole and in order, whatever happens meanwhile`() throws {
        try interleave { _, _, reader in
            let before = try reader.summary().seq
            var seqs: [UInt64] = []
            try reader.history { event in
                seqs.append(event.record.seq)
                return true
            }
            return seqs.count >= before && seqs == Array(1...UInt64(seqs.count)) ? nil : "\(seqs)"
        }
    }

    @Test func `an account opens read-only, whatever happens meanwhile`() throws {
        try interleave { machine, process, _ in
            var options = Options()
            options.isReadOnly = true
            options.system = process
            return try Account(simulatedPath, options: options).summary().seq >= 2 ? nil : "an empty account"
        }
    }

    @Test func `verify finds nothing wrong, whatever happens meanwhile`() throws {
        try interleave { _, process, _ in
            let report = try verifyAccount(path: simulatedPath, system: process)
            return report.problems.first?.description
                ?? (report.events == report.lastSeq ? nil : "\(report.events) of \(report.lastSeq) events")
        }
    }

    /// Before one of its calls, whichever that is: whoever looks finds the account, or nothing, and never parts of one.
    @Test func `an account that is made meanwhile is there or not, whoever looks for it`() throws {
        func opening(readOnly: Bool, creating: Bool) -> (SimulatedSystem) throws -> Void {
            { process in
                var options = Options()
                (options.isReadOnly, options.createsIfMissing, options.system) = (readOnly, creating, process)
                try Account(simulatedPath, options: options).close()
            }
        }
        let looks: [(name: String, body: (SimulatedSystem) throws -> Void)] = [
            ("opening it read-only", opening(readOnly: true, creating: false)),
            ("opening it", opening(readOnly: false, creating: false)),
            ("opening or making it", opening(readOnly: false, creating: true)),
            ("verifying it", { _ = try Account.verify(simulatedPath, system: $0) }),
            (
                "rescuing it",
                { process in
                    var options = Options()
                    options.system = process
                    _ = try Account.recover(simulatedPath, options: options)
                }
            ),
        ]
        for look in looks {
            var found = Set<Status>()
            for number in 0... {
                let machine = SimulatedMachine()
                let process = machine.process()
                try process.makeDirectory(path: simulatedPath, mode: 0o700)
                let count = Locked(0)
                process.onCall { _ in
                    let isNow = count.withLock { count in
                        count += 1
                        return count == number + 1
                    }
                    if isNow { try? machine.account().close() }
                    return nil
                }
                do {
                    try look.body(process)
                    found.insert(.ok)
                } catch let error as PaperTradeError {
                    found.insert(error.status)
                    #expect(error.status == .noAccount, "\(look.name), made before call \(number): \(error)")
                }
                process.onCall(nil)
                if count.withLock({ $0 }) <= number { break }
            }
            #expect(found.contains(.ok), "\(look.name)")
        }
    }

    @Test func `a file that somebody has a lease on is waited for, but not for ever`() throws {
        let machine = try SimulatedMachine.withAccount()
        for (count, opens) in [(1, true), (50, true), (51, false)] {
            let process = machine.process()
            let left = Locked(count)
            process.onCall { call in
                guard call.operation == .open, call.subject == AccountFile.portfolio else { return nil }
                return left.withLock { left in
                    left -= 1
                    return left >= 0 ? .fail(.wouldBlock) : nil
                }
            }
            let opened = try? DirectoryStore.open(simulatedPath, process, isReadOnly: true)
            #expect((opened != nil) == opens, "after \(count) attempts")
        }
    }

    /// The journal is first seen as it is while a batch is being written, up to some byte, and then, from one of the reader's calls on, as it is
    /// when the batch and what followed it are on the disk.
    @Test func `a write that is seen half is not damage, whatever has been built on it a moment later`() throws {
        let machine = try SimulatedMachine.withAccount()
        let writer = try machine.account()
        let start = try #require(machine.journalEnd)
        let before = machine.disk
        _ = try writer.depositThreeTimes()
        let end = try #require(machine.journalEnd)
        for _ in 0..<3 { try writer.deposit(Money(clamping: 1)) }
        let whole = try #require(machine.disk.files(in: simulatedPath)[AccountFile.journal])

        let readers: [(name: String, read: (SimulatedSystem) throws -> Void)] = [
            ("opening read-only", { process in _ = try DirectoryStore.open(simulatedPath, process, isReadOnly: true) }),
            (
                "verify",
                { process in
                    if let problem = try verifyAccount(path: simulatedPath, system: process).problems.first { throw problem }
                }
            ),
        ]
        var seen = 0
        for (name, read) in readers {
            for cut in stride(from: start + 1, to: end - 1, by: 97) {
                for number in 0... {
                    let machine = SimulatedMachine(before)
                    machine.overwrite(
                        AccountFile.journal, with: whole[..<cut] + [UInt8](repeating: fill, count: whole.count - cut))
                    let process = machine.process()
                    let count = Locked(0)
                    process.onCall { _ in
                        let isNow = count.withLock { count in
                            count += 1
                            return count == number + 1
                        }
                        if isNow { machine.overwrite(AccountFile.journal, with: whole) }
                        return nil
                    }
                    do {
                        try read(process)
                    } catch {
                        Issue.record("\(name), cut at \(cut), whole before call \(number): \(error)")
                    }
                    seen += 1
                    if count.withLock({ $0 }) <= number { break }
                }
            }
        }
        #expect(seen > 100)
    }
}
