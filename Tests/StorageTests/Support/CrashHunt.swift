import Ledger
import Testing

@testable import Storage

/// How thoroughly crashes are enumerated. `PAPERTRADE_EXHAUSTIVE=1` looks at all that a power cut can leave; without it a few disks of
/// each moment are drawn by `PAPERTRADE_SEED`.
struct Thoroughness {
    /// How many contents of one file, and how many disks for each moment.
    var contents = 24
    var disks = 6
    /// The power is cut again during the recovery of every so many-th disk, and leaves so many disks each time.
    var secondCutEvery = 25
    var disksOfSecondCut = 2
    /// A system call of the recovery of every so many-th disk fails.
    var faultEvery = 150

    static let isExhaustive = setting("PAPERTRADE_EXHAUSTIVE") == 1

    static let chosen =
        isExhaustive
        ? Thoroughness(contents: 600, disks: 60_000, secondCutEvery: 80, disksOfSecondCut: 60, faultEvery: 800) : Thoroughness()
}

/// Runs a workload on a simulated machine, cuts the power at every call that changes the disk, and checks what is left.
final class CrashHunt {
    /// What was looked at. A state is a moment with a disk that a crash at it can leave; many of them have the same disk.
    struct Tally {
        var moments = 0
        /// Moments at which every disk was looked at.
        var completeMoments = 0
        var states = 0
        var secondStates = 0
        var faults = 0
        var failures: [String] = []
    }

    private var generator: SeededGenerator
    private let name: String
    private let thoroughness: Thoroughness
    private let oracle = RecoveryOracle()
    private let secondOracle = RecoveryOracle()
    private(set) var tally = Tally()
    private var candidates = 0

    init(_ name: String = #function, _ thoroughness: Thoroughness = .chosen) {
        self.name = name
        self.thoroughness = thoroughness
        generator = SeededGenerator(for: name)
    }

    func random(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }

    /// - Parameter sharing: how many such runs share the number of disks for each moment.
    func run(
        on machine: SimulatedMachine = SimulatedMachine(), sharing: Int = 1, _ workload: (SimulatedMachine) throws -> Void
    ) rethrows {
        let snapshots = try machine.snapshots { try workload(machine) }
        var expectation = Expectation(allowed: [], acknowledged: [])
        var operation = -1
        for snapshot in snapshots {
            if snapshot.operation != operation {
                operation = snapshot.operation
                expectation.allowed = CommitEnd.all(in: snapshot.disk, withUnborn: false)
            } else {
                expectation.allowed.formUnion(CommitEnd.all(in: snapshot.disk, withUnborn: true))
            }
            expectation.acknowledged = snapshot.acknowledged
            tally.moments += 1
            kill(snapshot, expectation)
            cut(snapshot, expectation, limit: max(1, thoroughness.disks / sharing))
        }
    }

    /// kill -9: the page cache stays. Then the power is cut during the recovery.
    private func kill(_ snapshot: SimulatedMachine.Snapshot, _ expectation: Expectation) {
        let context = "killed before \(snapshot.call), operation \(snapshot.operation)"
        tally.states += 1
        if let problem = expectation.problem(with: RecoveryOracle().recover(snapshot.disk)) { fail(context, problem) }
        candidates += 1
        if thoroughness.disksOfSecondCut > 10 || candidates % thoroughness.secondCutEvery == 0 {
            cutAgain(snapshot.disk, expectation, context)
        }
    }

    private func cut(_ snapshot: SimulatedMachine.Snapshot, _ expectation: Expectation, limit: Int) {
        let context = "power cut before \(snapshot.call), operation \(snapshot.operation)"
        var again: [SimulatedDisk] = []
        var faulty: [SimulatedDisk] = []
        let cut = PowerCut(snapshot.disk, limit: thoroughness.contents, using: &generator)
        let isComplete = cut.forEachState(limit: limit, using: &generator) { state in
            tally.states += 1
            let isNew = !oracle.knows(state)
            if let problem = expectation.problem(with: oracle.outcome(of: state)) { return fail(context, problem) }
            guard isNew else { return }
            candidates += 1
            if candidates % thoroughness.secondCutEvery == 0 { again.append(state.disk) }
            if candidates % thoroughness.faultEvery == 0 { faulty.append(state.disk) }
        }
        tally.completeMoments += isComplete ? 1 : 0
        for disk in again { cutAgain(disk, expectation, context) }
        for disk in faulty { failCalls(disk, expectation, context) }
    }

    /// Cuts the power at every call of the recovery. When open has returned, what it showed must last.
    private func cutAgain(_ disk: SimulatedDisk, _ expectation: Expectation, _ context: String) {
        let machine = SimulatedMachine(disk)
        var opened: CommitEnd?
        let snapshots = machine.snapshots {
            let store = try? DirectoryStore.open(simulatedPath, machine.process())
            opened = store.map { CommitEnd(seq: $0.state.seq, crc: $0.position.crc) }
        }
        for (index, snapshot) in snapshots.enumerated() {
            var expectation = expectation
            if let opened, index == snapshots.count - 1 {
                expectation = Expectation(snapshot.disk, acknowledgedSeq: opened.seq)
                expectation.allowed = [opened]
            }
            cutSecondTime(snapshot.disk, expectation, "\(context); then power cut before \(snapshot.call) of the recovery")
        }
    }

    private func cutSecondTime(_ disk: SimulatedDisk, _ expectation: Expectation, _ context: String) {
        let cut = PowerCut(disk, limit: max(16, thoroughness.disksOfSecondCut / 2), using: &generator)
        _ = cut.forEachState(limit: thoroughness.disksOfSecondCut, using: &generator) { state in
            tally.secondStates += 1
            if let problem = expectation.problem(with: secondOracle.outcome(of: state)) { fail(context, problem) }
        }
    }

    /// Makes every call of the recovery fail, and then cuts the power.
    private func failCalls(_ disk: SimulatedDisk, _ expectation: Expectation, _ context: String) {
        let recorder = SimulatedMachine(disk).process()
        let calls = recorder.recording { _ = try? DirectoryStore.open(simulatedPath, recorder) }
        for (number, call) in calls.enumerated() {
            guard let fault = call.faults.randomElement(using: &generator) else { continue }
            let machine = SimulatedMachine(disk)
            let process = machine.process()
            process.inject(fault, at: number, forEver: Bool.random(using: &generator))
            let store = try? DirectoryStore.open(simulatedPath, process)
            process.onCall(nil)
            var expectation = expectation
            if let store, !process.isDead {
                let end = CommitEnd(seq: store.state.seq, crc: store.position.crc)
                expectation = Expectation(machine.disk, acknowledgedSeq: end.seq)
                expectation.allowed = [end]
            }
            tally.faults += 1
            let context = "\(context); then \(call) of the recovery: \(fault)"
            if let problem = expectation.problem(with: RecoveryOracle().recover(machine.disk)) { fail(context, problem) }
            cutSecondTime(machine.disk, expectation, context)
        }
    }

    private func fail(_ context: String, _ problem: String) { tally.failures.append("\(context): \(problem)") }

    /// Fails the test if anything was found, and prints the figures, which the scorecard adds up.
    func report(_ location: SourceLocation = #_sourceLocation) {
        print(
            """
            \(name):
            RESULT crash-states: workloads=1 moments=\(tally.moments) complete=\(tally.completeMoments) states=\(tally.states) \
            distinct=\(oracle.count) bad=\(tally.failures.count)
            RESULT double-crash: states=\(tally.secondStates) distinct=\(secondOracle.count) faults=\(tally.faults) \
            bad=\(tally.failures.count)
            """)
        for failure in tally.failures.prefix(8) { Issue.record("\(failure)", sourceLocation: location) }
        #expect(tally.states > 0, sourceLocation: location)
    }
}
