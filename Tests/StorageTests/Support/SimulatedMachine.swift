import Storage

/// Where simulated accounts are.
let simulatedPath = "/account"

/// A computer in memory: one disk, any number of processes with their open files and locks, and a clock that moves a little
/// whenever somebody looks at it.
final class SimulatedMachine: @unchecked Sendable {
    // Unchecked, because all that changes is inside `state`.
    private let state: Locked<State>

    struct State: @unchecked Sendable {
        var disk: SimulatedDisk
        var open: [Int32: OpenFile] = [:]
        var lastDescriptor: Int32 = 2
        var lastProcess: Int32 = 100
        var nanoseconds: Int64 = 1_000_000_000
        var snapshots: [Snapshot] = []
        var takesSnapshots = false
        /// What the workload says it is doing; see ``SimulatedMachine/begin(_:)``.
        var operation = 0
        var acknowledged: Set<CommitEnd> = []
        /// Where a file may not grow: RLIMIT_FSIZE.
        var fileSizeLimit = Int64.max
        /// Files closed without giving back their lease: a child that was forked meanwhile would keep it.
        var leasesLeft = 0
        /// Whether the disk is the machine's own.
        var isLocal = true
    }

    struct OpenFile {
        let inode: UInt64
        let process: Int32
        let isWritable: Bool
        let name: String
        var knownFailedSyncs: Int
        var lock: LockKind?
        var isLeased = false
        var lockedBytes: Set<Int64> = []
    }

    enum LockKind { case shared, exclusive }

    /// The disk just before a call that changes it.
    struct Snapshot: @unchecked Sendable {
        let disk: SimulatedDisk
        let call: String
        let operation: Int
        let acknowledged: Set<CommitEnd>
    }

    init(_ disk: SimulatedDisk = SimulatedDisk()) { state = Locked(State(disk: disk)) }

    func withState<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        try state.withLock { state throws(Failure) in try body(&state) }
    }

    /// A new process.
    ///
    /// - Parameter onWait: what happens while it sleeps until it is woken; without, it polls, and leaves nothing for others to do.
    func process(onWait: (@Sendable () -> Void)? = nil) -> SimulatedSystem {
        let id = withState { state in
            state.lastProcess += 1
            return state.lastProcess
        }
        return SimulatedSystem(self, processID: id, onWait: onWait)
    }

    var disk: SimulatedDisk {
        get { withState { $0.disk } }
        set { withState { $0.disk = newValue } }
    }

    var fileSizeLimit: Int64 {
        get { withState { $0.fileSizeLimit } }
        set { withState { $0.fileSizeLimit = newValue } }
    }

    var isLocal: Bool {
        get { withState { $0.isLocal } }
        set { withState { $0.isLocal = newValue } }
    }

    /// Closes the files of a process, and with them its locks.
    func end(_ process: Int32) {
        withState { state in state.open = state.open.filter { $0.value.process != process } }
    }

    // MARK: Snapshots

    /// Runs `body` and returns the disk as it was before each call that changed it, and at the end.
    func snapshots(of body: () throws -> Void) rethrows -> [Snapshot] {
        withState { $0.takesSnapshots = true }
        defer { withState { $0.takesSnapshots = false } }
        try body()
        return withState { state in
            defer { state.snapshots = [] }
            return state.snapshots
                + [
                    Snapshot(
                        disk: state.disk, call: "the end", operation: state.operation, acknowledged: state.acknowledged)
                ]
        }
    }

    /// The workload begins its next operation.
    func begin() { withState { $0.operation += 1 } }

    /// The workload was told that the account's events up to here have happened: those that stand there now, and no others with their numbers.
    func acknowledge(_ seq: UInt64) {
        let ends = CommitEnd.all(in: disk, upTo: seq)
        precondition(!ends.isEmpty, "what was acknowledged is not there")
        withState { $0.acknowledged.formUnion(ends) }
    }
}
