import Testing

@testable import Storage

/// The simulation itself: crashes are told apart, and counted, by the disks that they leave.
@Suite struct `Disks that a power cut can leave` {
    private struct Disk: Equatable {
        let hasDirectory: Bool
        let files: [String: [UInt8]]
    }

    @Test func `have the same key exactly if they are the same, and none is that without a directory but itself`() throws {
        let machine = SimulatedMachine()
        var generator = SeededGenerator(for: "keys of disks")
        var disks: [UInt64: Disk] = [:]
        for snapshot in try machine.snapshots(of: { try machine.account().close() }) {
            _ = PowerCut(snapshot.disk, limit: 24, using: &generator).forEachState(limit: 100, using: &generator) { state in
                let disk = Disk(
                    hasDirectory: state.disk.directory(simulatedPath) != nil, files: state.disk.files(in: simulatedPath))
                if let known = disks.updateValue(disk, forKey: state.key) { #expect(known == disk, "\(state.key)") }
            }
        }
        #expect(disks.values.contains { !$0.hasDirectory } && disks.values.contains { $0.hasDirectory && $0.files.isEmpty })
    }
}
