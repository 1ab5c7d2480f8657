import Ledger
import PaperTrade
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One operation of an account, made again and again with another fault each time.
///
/// After each: the caller was told the truth. Acknowledged: it is there, whatever comes. Told no: nothing has happened, in memory, in the
/// files, and after a power cut. Told `uncertain`: one or the other. And the next healthy open agrees.
struct FaultRun {
    let name: String
    /// What the account is before.
    let start: SimulatedDisk
    /// Whether `operate` opens the account itself.
    var opens = false
    /// How many power cuts follow each fault.
    var cuts = 1
    /// Returns the last event that it was told of; 0 if it changes nothing.
    let operate: @Sendable (SimulatedMachine, SimulatedSystem, Account?) throws -> UInt64

    struct Tally {
        var runs = 0
        var acknowledged = 0
        var refused = 0
        var uncertain = 0
        var failures: [String] = []
    }

    /// The calls that the operation makes when nothing fails.
    func calls() throws -> [SystemCall] {
        let machine = SimulatedMachine(start)
        let process = machine.process()
        let account = opens ? nil : try machine.account(process)
        var failure: (any Error)?
        let calls = process.recording {
            do { _ = try operate(machine, process, account) } catch { failure = error }
        }
        if let failure { throw failure }
        return calls
    }

    /// Faults that a call can meet.
    static func faults(of call: SystemCall) -> [SimulatedSystem.Fault] {
        let codes: [Int32] =
            switch call.operation {
            case .write, .truncate: [ENOSPC, EIO, EDQUOT, EFBIG]
            case .open: [EMFILE, EACCES, ENOSPC, EIO]
            case .syncData, .sync: [EIO, ENOSPC]
            case .exchange: [EIO, EINVAL, EACCES, ENOSPC]
            case .rename, .unlink, .makeDirectory: [EIO, EACCES, ENOSPC, EROFS]
            case .startWriting, .close: []
            default: [EIO, EACCES]
            }
        var faults = codes.map { SimulatedSystem.Fault.fail(Errno(code: $0)) }
        switch call.operation {
        case .exchange, .rename, .unlink, .syncData, .sync, .truncate: faults.append(.failButDo(.inputOutput))
        case .write: faults += [.failButDo(.inputOutput), .short(0), .short(1), .short(200)]
        case .close: faults = [.fail(.inputOutput)]
        default: break
        }
        return faults
    }

    func run(
        _ fault: SimulatedSystem.Fault, at number: Int, forEver: Bool, _ tally: inout Tally,
        using generator: inout SeededGenerator
    ) {
        tally.runs += 1
        do {
            if let problem = try problem(fault, at: number, forEver: forEver, &tally, using: &generator) {
                tally.failures.append("\(name), \(fault)\(forEver ? " for ever" : "") at call \(number): \(problem)")
            }
        } catch {
            tally.failures.append("\(name), \(fault)\(forEver ? " for ever" : "") at call \(number): \(error)")
        }
    }

    private func problem(
        _ fault: SimulatedSystem.Fault, at number: Int, forEver: Bool, _ tally: inout Tally,
        using generator: inout SeededGenerator
    ) throws -> String? {
        let machine = SimulatedMachine(start)
        let process = machine.process()
        let account = opens ? nil : try machine.account(process)
        let before = try account?.summary()
        let endsBefore = CommitEnd.all(in: machine.disk, withUnborn: false)
        let lastBefore = endsBefore.map(\.seq).max() ?? 0
        process.inject(fault, at: number, forEver: forEver)
        var told: Result<UInt64, PaperTradeError> = .success(0)
        do { told = .success(try operate(machine, process, account)) } catch let error as PaperTradeError {
            told = .failure(error)
        }
        process.onCall(nil)
        let after = machine.disk
        var expectation = Expectation(allowed: CommitEnd.all(in: after, withUnborn: true), acknowledgedSeq: 2)
        switch told {
        case .success(let seq):
            tally.acknowledged += 1
            expectation.acknowledgedSeq = max(seq, lastBefore)
        case .failure(let error) where error.status == .uncertain || error.status == .failedHandle:
            tally.uncertain += 1
            expectation.acknowledgedSeq = lastBefore
            expectation.allowed.formUnion(endsBefore)
        case .failure(let error):
            tally.refused += 1
            // An account that could not be made to the end is there or is not.
            if lastBefore > 0 { expectation.allowed = endsBefore }
            expectation.acknowledgedSeq = lastBefore
            if lastBefore > 0, let text = after.files(in: simulatedPath)[AccountFile.portfolio], let view = try? Portfolio(text),
                view.state.seq > lastBefore
            {
                return "told \(error.status), but portfolio.json shows event \(view.state.seq)"
            }
            guard !error.message.isEmpty, !error.message.contains("\n") else { return "the message is \(error.message)" }
            if let account, let before {
                let now = try account.summary()
                guard now.seq == before.seq, now.cash == before.cash, now.generation == before.generation else {
                    return "told \(error.status) (\(error)), but the account went from event \(before.seq) to \(now.seq)"
                }
            }
        }
        for disk in [after] + after.afterPowerCut(limit: cuts, using: &generator) {
            do throws(CrashCheck.Failure) {
                try CrashCheck(expectation: expectation).check(disk)
            } catch {
                return "told \(told); then \(error)"
            }
        }
        // What was refused can be done now, by the same handle, unless that must not trust its file any more.
        if case .failure(let error) = told, error.status != .uncertain, error.status != .failedHandle {
            do { _ = try operate(machine, process, account) } catch let error as PaperTradeError {
                if error.status != .failedHandle { return "it cannot be repeated: \(error.status): \(error)" }
            }
        }
        return nil
    }
}
