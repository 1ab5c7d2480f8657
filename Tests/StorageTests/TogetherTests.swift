import Ledger
import PaperTrade
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Two processes at once, the second one between any two system calls of the first.
@Suite struct `Two processes at once` {
    /// Lets one open the account, another one try the same before each of its calls, and both go on.
    private func openTogether(
        _ start: SimulatedDisk, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let recorder = SimulatedMachine(start).process()
        var opened: Account?
        let calls = recorder.recording { opened = try? recorder.machine.account(recorder) }
        opened?.close()
        for number in 0..<calls.count {
            let machine = SimulatedMachine(start)
            let first = machine.process()
            let other = Locked<Result<Account, any Error>?>(nil)
            let count = Locked(0)
            first.onCall { _ in
                let index = count.withLock { count in
                    defer { count += 1 }
                    return count
                }
                if index == number { other.withLock { $0 = Result { try machine.account() } } }
                return nil
            }
            let account = try machine.account(first)
            first.onCall(nil)
            let second: Account
            switch try #require(other.withLock { $0 }) {
            case .success(let opened): second = opened
            case .failure(let error):
                #expect((error as? PaperTradeError)?.status == .busy, "\(calls[number]): \(error)", sourceLocation: location)
                second = try machine.account()
            }
            let seqs = [try account.deposit(Money(clamping: 1)).seq, try second.deposit(Money(clamping: 2)).seq]
            #expect(seqs[1] == seqs[0] + 1, "\(calls[number])", sourceLocation: location)
            let report = try verifyAccount(path: simulatedPath, system: first)
            #expect(report.problems.isEmpty && report.lastSeq == seqs[1], "\(calls[number]): \(report)", sourceLocation: location)
        }
    }

    @Test func `make one account`() throws { try openTogether(SimulatedDisk()) }

    @Test func `mend one account`() throws {
        for run in FaultRun.all where run.name.hasPrefix("open") { try openTogether(run.start()) }
    }

    @Test func `of which one's flush fails: what the other one acknowledged meanwhile is there`() throws {
        var generator = SeededGenerator(for: "a flush fails while another process opens")
        for seesFailure in [false, true] {
            let machine = try SimulatedMachine.withAccount()
            let failing = machine.process()
            let account = try machine.account(failing)
            let isPublished = Locked(false)
            let acknowledged = Locked<UInt64>(0)
            failing.onCall { call in
                if call.operation == .exchange { isPublished.withLock { $0 = true } }
                guard call.operation == .syncData, isPublished.withLock({ $0 }) else { return nil }
                if seesFailure { machine.failSync(of: AccountFile.journal) }
                if let opened = try? machine.account(), let seq = try? opened.depositThreeTimes() {
                    acknowledged.withLock { $0 = seq }
                }
                return .fail(Errno(code: EIO))
            }
            #expect(throws: PaperTradeError.self) { try account.depositThreeTimes() }
            let seq = acknowledged.withLock { $0 }
            #expect(seq == 8)
            let expectation = Expectation(machine.disk, acknowledgedSeq: seq)
            for disk in machine.disk.afterPowerCut(limit: 60, using: &generator) {
                try CrashCheck(expectation: expectation).check(disk)
            }
        }
    }

    @Test func `of which one's clock is wrong by years go on in order, and do not date each other's events`() throws {
        let machine = try SimulatedMachine.withAccount()
        let clocks = [Int64(0), -400_000_000_000_000, 400_000_000_000_000].map { shift -> SimulatedSystem in
            let process = machine.process()
            process.shiftClock(microseconds: shift)
            return process
        }
        let accounts = try clocks.map { try machine.account($0) }
        var last: UInt64 = 2
        for round in 0..<3 {
            for (account, process) in zip(accounts, clocks) {
                let receipt = try account.deposit(Money(clamping: 1), RequestOptions(id: "\(process.processID())-\(round)"))
                #expect(receipt.seq == last + 1)
                last = receipt.seq
                let ahead = receipt.record.at.microseconds(since: Timestamp(clamping: process.realTime()))
                #expect(ahead <= 3_600_000_000 || process.processID() == clocks[1].processID(), "dated into the future")
            }
        }
        for account in accounts { account.close() }
        let report = try verifyAccount(path: simulatedPath, system: machine.process())
        #expect(report.problems.isEmpty && report.lastSeq == last)
        #expect(try machine.account().deposit(Money(clamping: 1)).seq == last + 1)
    }
}
