import Ledger
import PaperTrade
import Testing

@testable import Storage

/// One operation of an account, made again and again with another fault each time.
///
/// After each: the caller was told the truth. Acknowledged: it is there, whatever comes. Told no: nothing has happened, in memory, in the
/// files, and after a power cut. Told `uncertain`: a power cut can leave one or the other. And the next healthy open agrees.
struct FaultRun: CustomTestStringConvertible, Sendable {
    let name: String
    /// What the account is before.
    let start: @Sendable () throws -> SimulatedDisk
    /// Whether `operate` opens the account itself.
    var opens = false
    /// Whether the account may come out as one that nobody would have called by its last event: a recovery of damage.
    var rescues = false
    /// What others do once the account is open.
    var meanwhile: @Sendable (SimulatedMachine) throws -> Void = { _ in }
    /// Returns the last event that it was told of; 0 if it changes nothing.
    let operate: @Sendable (SimulatedMachine, SimulatedSystem, Account?) throws -> UInt64

    var testDescription: String { name }

    struct Tally {
        var sites = 0
        var runs = 0
        var acknowledged = 0
        var refused = 0
        var uncertain = 0
        var killed = 0
        var failures: [String] = []
        /// Those that something went wrong with.
        var operations: Set<SystemCall.Operation> = []
    }

    /// What the caller got to know.
    fileprivate enum Answer {
        case done(UInt64)
        case refused(PaperTradeError)
        case uncertain(PaperTradeError)
        /// The process did not live to see it.
        case none
    }

    /// A machine on which the operation is about to begin.
    private func ready(from start: SimulatedDisk) throws -> (SimulatedMachine, SimulatedSystem, Account?) {
        let machine = SimulatedMachine(start)
        let process = machine.process()
        let account = opens ? nil : try machine.account(process)
        try meanwhile(machine)
        return (machine, process, account)
    }

    /// The calls that the operation makes when nothing fails.
    private func calls(from start: SimulatedDisk) throws -> [SystemCall] {
        let (machine, process, account) = try ready(from: start)
        return try process.recording { () throws in _ = try operate(machine, process, account) }
    }

    /// Makes every fault of `faults` happen at every call, once and from there on.
    ///
    /// - Parameter forEver: whether it goes on happening; `nil`: both.
    func run(
        _ faults: (SystemCall, inout SeededGenerator) -> [(SimulatedSystem.Fault, forEver: Bool)],
        using generator: inout SeededGenerator
    ) throws -> Tally {
        var tally = Tally()
        let oracle = RecoveryOracle()
        let start = try start()
        for (number, call) in try calls(from: start).enumerated() {
            tally.sites += 1
            for (fault, forEver) in faults(call, &generator) {
                tally.runs += 1
                tally.operations.insert(call.operation)
                let context = "\(name), \(fault)\(forEver ? " for ever" : "") at call \(number) (\(call))"
                do {
                    let problem = try problem(
                        fault, at: call, number, forEver: forEver, from: start, &tally, oracle, using: &generator)
                    if let problem { tally.failures.append("\(context): \(problem)") }
                } catch {
                    tally.failures.append("\(context): \(error)")
                }
            }
        }
        return tally
    }

    private func problem(
        _ fault: SimulatedSystem.Fault, at call: SystemCall, _ number: Int, forEver: Bool, from start: SimulatedDisk,
        _ tally: inout Tally, _ oracle: RecoveryOracle, using generator: inout SeededGenerator
    ) throws -> String? {
        let (machine, process, account) = try ready(from: start)
        // From another machine: the handle would read what others did, and spare the operation the calls that are to fail.
        let before = opens ? nil : try SimulatedMachine(machine.disk).account().summary()
        let endsBefore = CommitEnd.all(in: machine.disk, withUnborn: false)
        process.inject(fault, at: number, forEver: forEver)
        var answer = Answer.none
        var calls: [SystemCall] = []
        let moments = try machine.snapshots {
            calls = try process.recording { () throws in answer = try self.answer(machine, process, account) }
        }
        process.onCall(nil)
        guard calls.count > number, calls[number] == call else { return "the fault did not happen" }
        tally.count(answer)
        if let problem = try problemWithAnswer(answer, fault, machine.disk, endsBefore, account, before) { return problem }
        var ends = endsBefore
        for moment in moments { ends.formUnion(CommitEnd.all(in: moment.disk, withUnborn: true)) }
        let expectation = expectation(after: answer, machine.disk, ends: ends, endsBefore: endsBefore)
        if let problem = problemAfterwards(answer, machine.disk, expectation, calls, oracle, using: &generator) { return problem }
        // What was refused can be done now, by the same handle, unless that must not trust its file any more.
        if case .refused = answer {
            do { _ = try operate(machine, process, account) } catch let error as PaperTradeError {
                if error.status != .failedHandle { return "it cannot be repeated: \(error.status): \(error)" }
            }
        }
        return nil
    }

    private func answer(_ machine: SimulatedMachine, _ process: SimulatedSystem, _ account: Account?) throws -> Answer {
        do {
            let seq = try operate(machine, process, account)
            return process.isDead ? .none : .done(seq)
        } catch let error as PaperTradeError where !process.isDead {
            return error.status == .uncertain || error.status == .failedHandle ? .uncertain(error) : .refused(error)
        } catch {
            // A check of the operation's own, unless nobody is there any more to make it.
            guard process.isDead else { throw error }
            return .none
        }
    }

    /// Whether the caller can make sense of the answer, and finds the account as the answer says.
    private func problemWithAnswer(
        _ answer: Answer, _ fault: SimulatedSystem.Fault, _ disk: SimulatedDisk, _ endsBefore: Set<CommitEnd>,
        _ account: Account?,
        _ before: Summary?
    ) throws -> String? {
        guard case .refused(let error) = answer else { return nil }
        guard !error.message.isEmpty, !error.message.contains("\n") else { return "the message is \(error.message)" }
        if case .fail(let code) = fault, error.errno != code.code, error.errno != 0 {
            return "the call failed with \(code), but the caller is told \(Errno(code: error.errno)) (\(error))"
        }
        let last = endsBefore.map(\.seq).max() ?? 0
        if last > 0, !rescues, let text = disk.files(in: simulatedPath)[AccountFile.portfolio], let view = try? Portfolio(text),
            view.state.seq > last
        {
            return "told \(error.status), but portfolio.json shows event \(view.state.seq)"
        }
        if let account, let before {
            let now = try account.summary()
            guard now.seq == before.seq, now.cash == before.cash, now.generation == before.generation else {
                return "told \(error.status) (\(error)), but the account went from event \(before.seq) to \(now.seq)"
            }
        }
        return nil
    }

    /// What may be there after the call: of the `ends` that were ever written those that the answer leaves open; and what must be there: all that
    /// was there before, if only in a journal that was set aside.
    private func expectation(
        after answer: Answer, _ disk: SimulatedDisk, ends: Set<CommitEnd>, endsBefore: Set<CommitEnd>
    ) -> Expectation {
        switch answer {
        case .done(let seq):
            let acknowledged = Expectation(disk, acknowledgedSeq: seq).acknowledged
            return Expectation(allowed: ends, acknowledged: endsBefore.union(acknowledged))
        // An account that could not be made to the end is there or is not.
        case .refused: return Expectation(allowed: endsBefore.isEmpty || rescues ? ends : endsBefore, acknowledged: endsBefore)
        case .uncertain, .none: return Expectation(allowed: ends, acknowledged: endsBefore)
        }
    }

    /// Whether what is left after the call, now and after a power cut, is what the answer says.
    private func problemAfterwards(
        _ answer: Answer, _ disk: SimulatedDisk, _ expectation: Expectation, _ calls: [SystemCall], _ oracle: RecoveryOracle,
        using generator: inout SeededGenerator
    ) -> String? {
        var isCertain = true
        var first: UInt64?
        func look(_ outcome: RecoveryOutcome, _ disk: @autoclosure () -> SimulatedDisk) -> String? {
            if case .opened(let end, _) = outcome {
                isCertain = isCertain && end.seq == first ?? end.seq
                first = end.seq
            }
            if rescues, !answer.isDone, case .broken = outcome {
                return canBeRescued(disk()) ? nil : "it can be neither opened nor rescued"
            }
            return expectation.problem(with: outcome)
        }
        var problem = look(RecoveryOracle().recover(disk), disk)
        let cut = PowerCut(disk, limit: 24, using: &generator)
        _ = cut.forEachState(limit: 24, using: &generator) { state in
            problem = problem ?? look(oracle.outcome(of: state), state.disk)
        }
        if let problem { return "told \(answer); then \(problem)" }
        // A call that reports failure may have done its work all the same: only the library that has not tried can be sure.
        if case .uncertain = answer, isCertain, !calls.contains(where: \.makesHistory) {
            return "told \(answer), but nothing has been written"
        }
        return nil
    }

    private func canBeRescued(_ disk: SimulatedDisk) -> Bool {
        let system = SimulatedMachine(disk).process()
        return
            (try? recoverAccount(
                path: simulatedPath, system: system, options: StoreOptions(),
                deadline: Deadline(timeoutMilliseconds: 0, system: system)))
            != nil
    }
}

extension FaultRun.Answer {
    fileprivate var isDone: Bool {
        if case .done = self { return true }
        return false
    }
}

extension SystemCall {
    /// Whether it may put events on the disk: a write to the journal, or what puts a new journal in its place.
    fileprivate var makesHistory: Bool {
        switch operation {
        case .write: subject == AccountFile.journal
        case .exchange: subject.contains(AccountFile.journal)
        case .rename: subject.hasSuffix(AccountFile.journal)
        default: false
        }
    }
}

extension FaultRun.Tally {
    fileprivate mutating func count(_ answer: FaultRun.Answer) {
        switch answer {
        case .done: acknowledged += 1
        case .refused: refused += 1
        case .uncertain: uncertain += 1
        case .none: killed += 1
        }
    }

    static func + (first: Self, second: Self) -> Self {
        Self(
            sites: first.sites + second.sites, runs: first.runs + second.runs,
            acknowledged: first.acknowledged + second.acknowledged,
            refused: first.refused + second.refused, uncertain: first.uncertain + second.uncertain,
            killed: first.killed + second.killed, failures: first.failures + second.failures,
            operations: first.operations.union(second.operations))
    }
}
