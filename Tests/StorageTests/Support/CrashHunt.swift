import Testing

@testable import Storage

/// Runs a workload on a simulated machine, cuts the power at every call that changes the disk, and checks what is left.
///
/// `PAPERTRADE_CRASH_STATES` is how many disks are looked at for each moment; a fuller run takes more.
final class CrashHunt {
    private var generator: SeededGenerator
    private let name: String
    private let statesForEachMoment: Int
    private var seen: Set<[Int]> = []
    private(set) var states = 0
    private(set) var secondCuts = 0
    private(set) var moments = 0
    private var failures: [String] = []

    init(_ name: String = #function) {
        self.name = name
        generator = SeededGenerator(for: name)
        statesForEachMoment = setting("PAPERTRADE_CRASH_STATES") ?? 6
    }

    func random(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }

    /// - Parameters:
    ///   - sharing: how many such runs share the number of states for each moment.
    ///   - secondCutEvery: the power is cut again during the recovery of every so many-th state; 0 is never.
    func run(
        on machine: SimulatedMachine = SimulatedMachine(), sharing: Int = 1, secondCutEvery: Int = 25,
        _ workload: (SimulatedMachine) throws -> Void
    ) rethrows {
        let snapshots = try machine.snapshots { try workload(machine) }
        let statesForEachMoment = max(1, statesForEachMoment / sharing)
        var expectation = Expectation(allowed: [], acknowledgedSeq: 0)
        var operation = -1
        for snapshot in snapshots {
            if snapshot.operation != operation {
                operation = snapshot.operation
                expectation.allowed = CommitEnd.all(in: snapshot.disk, withUnborn: false)
            } else {
                expectation.allowed.formUnion(CommitEnd.all(in: snapshot.disk, withUnborn: true))
            }
            expectation.acknowledgedSeq = snapshot.acknowledgedSeq
            moments += 1
            // kill -9: the page cache stays.
            check(snapshot.disk, expectation, "killed before \(snapshot.call), operation \(operation)", secondCutEvery)
            for order in SimulatedDisk.NameOrder.allCases {
                let limit = order == .kept ? statesForEachMoment : statesForEachMoment / 3
                for disk in snapshot.disk.afterPowerCut(limit: limit, names: order, using: &generator) {
                    check(disk, expectation, "power cut before \(snapshot.call), operation \(operation)", secondCutEvery)
                }
            }
        }
    }

    private func check(_ disk: SimulatedDisk, _ expectation: Expectation, _ context: String, _ secondCutEvery: Int) {
        let key = [
            disk.fingerprint(of: simulatedPath), Int(expectation.acknowledgedSeq), expectation.allowed.count,
            disk.isSettled ? 1 : 0,
        ]
        guard seen.insert(key).inserted else { return }
        states += 1
        do throws(CrashCheck.Failure) {
            try CrashCheck(expectation: expectation).check(disk)
        } catch {
            failures.append("\(context): \(error)")
            return
        }
        if secondCutEvery > 0, states % secondCutEvery == 0 { cutAgain(disk, expectation, context) }
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
                expectation = Expectation(allowed: [opened], acknowledgedSeq: opened.seq)
            }
            for disk in snapshot.disk.afterPowerCut(limit: 2, using: &generator) {
                secondCuts += 1
                do throws(CrashCheck.Failure) {
                    try CrashCheck(expectation: expectation).check(disk)
                } catch {
                    failures.append("\(context); then power cut before \(snapshot.call) of the recovery: \(error)")
                }
            }
        }
    }

    /// Fails the test if anything was found, and prints the figures.
    func report(_ location: SourceLocation = #_sourceLocation) {
        print("\(name): \(moments) moments, \(states) states, \(secondCuts) second cuts, \(failures.count) bad")
        for failure in failures.prefix(8) { Issue.record("\(failure)", sourceLocation: location) }
        #expect(states > 0, sourceLocation: location)
    }
}

extension SimulatedDisk {
    /// Whether all that processes see is on the platter.
    var isSettled: Bool { inodes.values.allSatisfy { $0.file.isCertain && $0.names.pendingCount == 0 } }
}
