import Ledger
import PaperTrade
import Testing

@testable import Storage

/// Rescuing a damaged account.
@Suite struct `Recovering` {
    /// An account whose journal has a wrong digit in the last line of a batch, and no portfolio.json.
    private func damaged(batchCount: Int = 10) throws -> SimulatedMachine {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        try account.deposit(Money(clamping: 5))
        try account.batch { () throws(PaperTradeError) in
            for _ in 0..<batchCount { try account.deposit(Money(clamping: 5)) }
        }
        account.close()
        var disk = machine.disk.settled()
        var journal = try #require(disk.files(in: simulatedPath)[AccountFile.journal])
        let line = try #require(journal.split(separator: fill).last)
        journal[line.startIndex + 60] ^= 1
        disk.plant(journal, as: AccountFile.journal, in: simulatedPath)
        disk.plant(nil, as: AccountFile.portfolio, in: simulatedPath)
        return SimulatedMachine(disk)
    }

    private func options(_ process: SimulatedSystem) -> Options {
        var options = Options()
        options.system = process
        options.lockTimeoutMilliseconds = 0
        return options
    }

    @Test func `counts every event that is lost, and uses none of their numbers again`() throws {
        let machine = try damaged(batchCount: 10)
        let report = try Account.recover(simulatedPath, options: options(machine.process()))
        // 1 and 2 are the beginning, 3 is the deposit, 4 to 13 the batch.
        #expect(report.keptSeq == 3)
        #expect(report.lostEvents == 10)
        #expect(report.seq == 14)
        #expect(try verifyAccount(path: simulatedPath, system: machine.process()).problems.isEmpty)
    }

    /// No line can know that a later one, or itself, is on the disk.
    @Test(arguments: [0, 1]) func `does not take a journal for good in which an event calls itself or a later one durable`(
        ahead: UInt64
    ) throws {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        for _ in 0..<3 { try account.deposit(Money(clamping: 5)) }
        account.close()
        var disk = machine.disk.settled()
        let journal = try #require(disk.files(in: simulatedPath)[AccountFile.journal])
        var writer = LineWriter()
        var crc: UInt32 = 0
        for text in journal.split(separator: fill) {
            let line = try Array(text).withUnsafeBytes { bytes in
                var reader = LineReader(bytes)
                return try reader.readLine()
            }
            let seq = line.record.seq
            crc = writer.appendLine(
                line.record, durableSeq: seq == 4 ? seq + ahead : line.durableSeq, more: line.more, previousCRC: crc,
                at: Int64(writer.count))
        }
        disk.plant(writer.bytes, as: AccountFile.journal, in: simulatedPath)
        disk.plant(nil, as: AccountFile.portfolio, in: simulatedPath)
        let damaged = SimulatedMachine(disk)
        let problems = try verifyAccount(path: simulatedPath, system: damaged.process()).problems
        #expect(problems.map(\.seq) == [4], "\(problems)")
        let report = try Account.recover(simulatedPath, options: options(damaged.process()))
        // Opening does not prove the lines, and publishes portfolio.json, which recovery rests on then: what was traded is all there.
        #expect(report.isFromPortfolio && report.keptSeq == 5 && report.lostEvents == 0 && report.seq == 6, "\(report)")
        #expect(try verifyAccount(path: simulatedPath, system: damaged.process()).problems.isEmpty)
    }

    @Test(arguments: [nil, "", "x"])
    func `keeps the journal that an interrupted reset had not renamed yet`(spoiling: String?) throws {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        try account.deposit(Money(clamping: 5))
        let old = try #require(machine.disk.files(in: simulatedPath)[AccountFile.journal])
        let snapshots = try machine.snapshots { try account.reset() }
        var count = 0
        for snapshot in snapshots where snapshot.disk.files(in: simulatedPath)[AccountFile.nextJournal] == old {
            count += 1
            var disk = snapshot.disk.settled()
            var new = try #require(disk.files(in: simulatedPath)[AccountFile.journal])
            new[60] ^= 1
            disk.plant(new, as: AccountFile.journal, in: simulatedPath)
            var kept = old
            if let spoiling {
                kept = Array(spoiling.utf8)
                disk.plant(kept, as: AccountFile.nextJournal, in: simulatedPath)
            }
            let machine = SimulatedMachine(disk)
            let steps = try machine.snapshots {
                let report = try Account.recover(simulatedPath, options: options(machine.process()))
                #expect(report.isFromPortfolio && report.generation == 2, "\(snapshot.call)")
            }
            let files = machine.disk.files(in: simulatedPath)
            let name = try #require(files.first { $0.value == kept }?.key, "\(snapshot.call): lost")
            #expect((name == AccountFile.sealedJournal(1)) == (spoiling == nil), "\(name)")
            #expect(try verifyAccount(path: simulatedPath, system: machine.process()).problems.isEmpty, "\(snapshot.call)")
            var generator = SeededGenerator(for: "recover after a reset")
            for step in steps {
                for disk in step.disk.afterPowerCut(limit: 100, using: &generator) {
                    let machine = SimulatedMachine(disk)
                    _ = try Account.recover(simulatedPath, options: options(machine.process()))
                    let isThere = machine.disk.files(in: simulatedPath).values.contains(kept)
                    #expect(isThere, "\(snapshot.call): lost in a power cut before \(step.call) of the recovery")
                }
            }
        }
        #expect(count > 0)
    }

    @discardableResult
    private func important(_ account: Account) throws -> Receipt {
        try account.deposit(Money(clamping: 77_000_000), RequestOptions(id: "important"))
    }

    @Test func `leaves an account alone that another process has rescued in the meantime, and traded on`() throws {
        for number in 0... {
            let machine = try damaged()
            let process = machine.process()
            let count = Locked(0)
            let acknowledged = Locked<UInt64>(0)
            process.onCall { _ in
                let isNow = count.withLock { count in
                    count += 1
                    return count == number + 1
                }
                guard isNow else { return nil }
                let other = machine.process()
                guard (try? Account.recover(simulatedPath, options: options(other))) != nil,
                    let seq = try? important(machine.account(other)).seq
                else { return nil }
                acknowledged.withLock { $0 = seq }
                return nil
            }
            // Another process may be in the way, or have exchanged the lock.
            _ = try? Account.recover(simulatedPath, options: options(process))
            process.onCall(nil)
            _ = try Account.recover(simulatedPath, options: options(process))
            let account = try machine.account()
            if acknowledged.withLock({ $0 }) > 0 {
                #expect(try account.findRequest("important").seq == acknowledged.withLock { $0 }, "before call \(number)")
            }
            #expect(try important(account).cashAfter == Money(clamping: 10_077_000_005))
            if count.withLock({ $0 }) <= number { break }
        }
    }
}
