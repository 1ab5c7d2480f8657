import Ledger

@testable import Storage

/// The end of a commit: its last event, and the checksum of its line, which is chained through all lines before it. So it names
/// a whole history.
struct CommitEnd: Hashable, CustomStringConvertible {
    let seq: UInt64
    let crc: UInt32

    var description: String { "event \(seq) (\(hexadecimal(crc)))" }

    /// What was looked at before, by a hash of its bytes: most snapshots have the same files.
    private static let journals = Locked<[Int: Journal]>([:])
    private static let accounts = Locked<[Int: Set<CommitEnd>]>([:])

    /// The ends of all commits in the account's journals.
    ///
    /// - Parameter withUnborn: also those of a next generation that has not taken the journal's place.
    static func all(in disk: SimulatedDisk, withUnborn: Bool) -> Set<CommitEnd> {
        var current: Journal?
        var others: [Journal] = []
        for (name, bytes) in disk.files(in: simulatedPath) where name.hasPrefix("journal") {
            let journal = remembering(journals, Journal.hash(bytes)) { Journal(bytes) }
            if name == AccountFile.journal { current = journal } else { others.append(journal) }
        }
        if !withUnborn { others.removeAll { $0.generation >= current?.generation ?? 0 } }
        guard let current else { return others.reduce(into: []) { $0.formUnion($1.ends) } }
        if others.isEmpty { return current.ends }
        return remembering(accounts, others.reduce(current.hash) { $0 ^ $1.hash }) {
            others.reduce(into: current.ends) { $0.formUnion($1.ends) }
        }
    }

    private static func remembering<Value>(_ known: Locked<[Int: Value]>, _ hash: Int, _ read: () -> Value) -> Value {
        if let value = known.withLock({ $0[hash] }) { return value }
        let value = read()
        known.withLock { $0[hash] = value }
        return value
    }
}

/// What stands in the bytes of a journal.
private struct Journal {
    let hash: Int
    /// 0 if its first line is damaged.
    private(set) var generation: UInt32 = 0
    private(set) var ends: Set<CommitEnd> = []

    static func hash(_ bytes: [UInt8]) -> Int {
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    init(_ journal: [UInt8]) {
        hash = Self.hash(journal)
        // Most of a journal is the fill behind its lines.
        let end = (journal.lastIndex { $0 != fill } ?? -1) + 1
        for line in journal[..<end].split(separator: fill) {
            line.withUnsafeBytes { bytes in
                guard hasRightChecksum(bytes) else { return }
                var reader = LineReader(bytes)
                guard let line = try? reader.readLine() else { return }
                if case .started(let start) = line.record.event { generation = start.generation }
                if !line.more { ends.insert(CommitEnd(seq: line.record.seq, crc: line.crc)) }
            }
        }
    }
}

extension CommitEnd {
    /// The ends of the commits up to the one that has this event.
    static func all(in disk: SimulatedDisk, upTo seq: UInt64) -> Set<CommitEnd> {
        let ends = all(in: disk, withUnborn: false)
        guard let last = ends.map(\.seq).filter({ $0 >= seq }).min() else { return [] }
        return ends.filter { $0.seq <= last }
    }
}

/// What an account may be after a crash.
struct Expectation {
    /// One of these histories, or none at all if nothing was acknowledged.
    var allowed: Set<CommitEnd>
    /// Each of these commits is in one of its journals.
    var acknowledged: Set<CommitEnd>

    init(allowed: Set<CommitEnd>, acknowledged: Set<CommitEnd>) {
        self.allowed = allowed
        self.acknowledged = acknowledged
    }

    /// What stands on the disk now, of which everything up to an event was acknowledged.
    init(_ disk: SimulatedDisk, acknowledgedSeq: UInt64) {
        allowed = CommitEnd.all(in: disk, withUnborn: false)
        acknowledged = CommitEnd.all(in: disk, upTo: acknowledgedSeq)
    }

    /// What is wrong with how an account came back, `nil` if nothing is.
    func problem(with outcome: RecoveryOutcome) -> String? {
        switch outcome {
        case .broken(let problem): return problem
        case .noAccount:
            return acknowledged.isEmpty ? nil : "there is no account, but \(acknowledged) were acknowledged"
        case .opened(let end, let ends):
            guard allowed.contains(end) else {
                let last = allowed.sorted { $0.seq < $1.seq }.suffix(6)
                return
                    "it opens at \(end), which nobody committed, or whose committer was told that it did not happen; allowed are \(last)"
            }
            let lost = acknowledged.subtracting(ends)
            return lost.isEmpty ? nil : "it opens at \(end), without \(lost), which were acknowledged"
        }
    }
}

/// How an account comes back.
enum RecoveryOutcome: Equatable {
    /// At the end of a commit, with all that are in its journals.
    case opened(CommitEnd, Set<CommitEnd>)
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
        let outcome = RecoveryOutcome.opened(end, CommitEnd.all(in: machine.disk, withUnborn: false))
        if sound.contains(recovered) { return outcome }
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
        return outcome
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
