import Ledger

@testable import Storage

/// The end of a commit: its last event, and the checksum of its line, which is chained through all lines before it. So it names
/// a whole history.
struct CommitEnd: Hashable, CustomStringConvertible {
    let seq: UInt64
    let crc: UInt32

    var description: String { "event \(seq) (\(hexadecimal(crc)))" }

    /// Journals that were looked at before, by a hash of their bytes: most snapshots have the same one.
    private static let known = Locked<[Int: Set<CommitEnd>]>([:])

    /// The ends of all commits that stand in these bytes of a journal.
    static func all(in journal: [UInt8]) -> Set<CommitEnd> {
        var hasher = Hasher()
        journal.withUnsafeBytes { hasher.combine(bytes: $0) }
        let hash = hasher.finalize()
        if let ends = known.withLock({ $0[hash] }) { return ends }
        let ends = read(journal)
        known.withLock { $0[hash] = ends }
        return ends
    }

    private static func read(_ journal: [UInt8]) -> Set<CommitEnd> {
        var ends: Set<CommitEnd> = []
        // Most of a journal is the fill behind its lines.
        let end = (journal.lastIndex { $0 != fill } ?? -1) + 1
        for line in journal[..<end].split(separator: fill) {
            line.withUnsafeBytes { bytes in
                guard hasRightChecksum(bytes) else { return }
                var reader = LineReader(bytes)
                guard let line = try? reader.readLine(), !line.more else { return }
                ends.insert(CommitEnd(seq: line.record.seq, crc: line.crc))
            }
        }
        return ends
    }

    /// The ends of all commits in the account's journals.
    ///
    /// - Parameter withUnborn: also those of a next generation that has not taken the journal's place.
    static func all(in disk: SimulatedDisk, withUnborn: Bool) -> Set<CommitEnd> {
        let files = disk.files(in: simulatedPath)
        let current = files[AccountFile.journal].map { all(in: $0) } ?? []
        var ends = current
        for (name, bytes) in files where name.hasPrefix("journal") && name != AccountFile.journal {
            let others = all(in: bytes)
            let isUnborn = (others.map(\.seq).max() ?? 0) > (current.map(\.seq).max() ?? 0)
            if withUnborn || !isUnborn { ends.formUnion(others) }
        }
        return ends
    }
}

/// What an account may be after a crash.
struct Expectation {
    /// One of these histories, or none at all if `acknowledgedSeq` is 0.
    var allowed: Set<CommitEnd>
    /// At least so much of it.
    var acknowledgedSeq: UInt64

    /// What is wrong with how an account came back, `nil` if nothing is.
    func problem(with outcome: RecoveryOutcome) -> String? {
        switch outcome {
        case .broken(let problem): return problem
        case .noAccount: return acknowledgedSeq == 0 ? nil : "there is no account, but event \(acknowledgedSeq) was acknowledged"
        case .opened(let end):
            guard allowed.contains(end) else {
                let last = allowed.sorted { $0.seq < $1.seq }.suffix(6)
                return
                    "it opens at \(end), which nobody committed, or whose committer was told that it did not happen; allowed are \(last)"
            }
            guard end.seq >= acknowledgedSeq else { return "it opens at \(end), but event \(acknowledgedSeq) was acknowledged" }
            return nil
        }
    }
}

/// How an account comes back.
enum RecoveryOutcome: Equatable {
    case opened(CommitEnd)
    case noAccount
    /// It does not open, or is not in order afterwards.
    case broken(String)
}

/// Opens accounts that a crash left and looks whether they are in order.
///
/// It remembers what it has seen: most crashes leave the same files as another one.
final class RecoveryOracle {
    private var outcomes: [UInt64: RecoveryOutcome] = [:]
    /// Recovered disks that were found in order, and to go on.
    private var sound: Set<UInt64> = []

    /// How many different disks were recovered.
    var count: Int { outcomes.count }

    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    func knows(_ state: PowerCut.State) -> Bool { outcomes[state.key] != nil }

    func outcome(of state: PowerCut.State) -> RecoveryOutcome {
        if let known = outcomes[state.key] { return known }
        let outcome = recover(state.disk)
        outcomes[state.key] = outcome
        return outcome
    }

    /// Looks at the account without changing it, opens it, opens it again, and changes it.
    func recover(_ disk: SimulatedDisk) -> RecoveryOutcome {
        do throws(Problem) {
            return try recovered(SimulatedMachine(disk))
        } catch {
            return .broken(error.description)
        }
    }

    private func recovered(_ machine: SimulatedMachine) throws(Problem) -> RecoveryOutcome {
        let process = machine.process()
        let isThere = machine.disk.hasFile(AccountFile.journal, in: simulatedPath)
        if isThere { try expectNoProblem(verify(process), "before it is opened") }
        guard let end = try open(process) else {
            let created = try run("create") { () throws(StorageError) in
                try DirectoryStore.open(simulatedPath, process, creating: true)
            }
            guard created.state.seq == 2 else { throw Problem(description: "the account made anew is at \(created.state.seq)") }
            return .noAccount
        }
        // What the same files come to is known; but not what a power cut can make of them if they are not on the platter.
        let recovered = machine.disk.fingerprint(of: simulatedPath)
        if sound.contains(recovered) { return .opened(end) }
        let report = try verify(process)
        try expectNoProblem(report, "after it was opened")
        guard report.isPortfolioCurrent, !report.hasUnfinishedTail, report.lastSeq == end.seq else {
            throw Problem(description: "after opening, verify finds \(report)")
        }
        guard try open(process) == end, machine.disk.fingerprint(of: simulatedPath) == recovered else {
            throw Problem(description: "opening it twice gives something else than opening it once")
        }
        try checkItGoesOn(process, after: end)
        sound.insert(recovered)
        return .opened(end)
    }

    private func checkItGoesOn(_ process: SimulatedSystem, after end: CommitEnd) throws(Problem) {
        let store = try run("open") { () throws(StorageError) in try DirectoryStore.open(simulatedPath, process) }
        let seq = try run("deposit") { () throws(StorageError) in
            let seq = try store.append(.deposit(Money(clamping: 1)))
            try store.sync(through: seq)
            return seq
        }
        guard seq == end.seq + 1 else { throw Problem(description: "after \(end) the next event is \(seq)") }
        try expectNoProblem(verify(process), "after it went on")
    }

    /// `nil` if there is no account.
    private func open(_ process: SimulatedSystem) throws(Problem) -> CommitEnd? {
        let store: DirectoryStore
        do throws(StorageError) {
            store = try DirectoryStore.open(simulatedPath, process)
        } catch {
            if error.kind == .noAccount { return nil }
            throw Problem(description: "it does not open: \(error.kind): \(error)")
        }
        guard store.state.invariantHolds else { throw Problem(description: "cash + cost differs from deposits + P&L") }
        return CommitEnd(seq: store.state.seq, crc: store.position.crc)
    }

    private func verify(_ process: SimulatedSystem) throws(Problem) -> VerifyReport {
        try run("verify") { () throws(StorageError) in try verifyAccount(path: simulatedPath, system: process) }
    }

    private func expectNoProblem(_ report: VerifyReport, _ when: String) throws(Problem) {
        if let problem = report.problems.first { throw Problem(description: "\(when), verify finds: \(problem)") }
    }

    private func run<Result>(_ what: String, _ body: () throws(StorageError) -> Result) throws(Problem) -> Result {
        do throws(StorageError) {
            return try body()
        } catch {
            throw Problem(description: "\(what): \(error.kind): \(error)")
        }
    }
}

/// One look at one disk.
struct CrashCheck {
    let expectation: Expectation

    func check(_ disk: SimulatedDisk) throws(RecoveryOracle.Problem) {
        if let problem = expectation.problem(with: RecoveryOracle().recover(disk)) {
            throw RecoveryOracle.Problem(description: problem)
        }
    }
}

extension DirectoryStore {
    static func open(
        _ path: String, _ system: any System, creating: Bool = false, isReadOnly: Bool = false, durability: Durability = .full,
        timeoutMilliseconds: Int64 = 0
    ) throws(StorageError) -> DirectoryStore {
        var options = StoreOptions()
        options.createsIfMissing = creating
        options.isReadOnly = isReadOnly
        options.durability = durability
        return try open(
            path: path, system: system, options: options,
            deadline: Deadline(timeoutMilliseconds: timeoutMilliseconds, system: system)
        ) { (_) throws(StorageError) in
            NewAccount(accountID: "simulated", rules: Rules(), initialCash: nil, time: nil)
        }
    }

    /// Everything of a commit but the sync; returns its last event.
    func append(_ changes: Change...) throws(StorageError) -> UInt64 { try append(changes) }

    func append(_ changes: [Change]) throws(StorageError) -> UInt64 {
        try lock(Deadline(timeoutMilliseconds: 0, system: system))
        defer { unlock() }
        try catchUp(isLocked: true)
        let now = Timestamp(clamping: system.realTime())
        var draft = Draft(on: state, at: now)
        for change in changes {
            do throws(Refusal) {
                _ = try draft.decide(Request(change, time: now))
            } catch {
                throw StorageError(error)
            }
        }
        try commit(draft)
        return state.seq
    }
}
