import Ledger

/// What proving an account from its journals found.
public struct VerifyReport: Equatable, Sendable {
    /// Events read, over all generations.
    public var events: UInt64 = 0
    public var firstSeq: UInt64 = 0
    public var lastSeq: UInt64 = 0
    /// The last event known to be on the disk.
    public var durableSeq: UInt64 = 0
    /// Journals read, sealed ones included.
    public var generations: UInt32 = 0
    /// What is wrong, in the order it was found; empty if the account is proved.
    public var problems: [StorageError] = []
    /// Whether portfolio.json is what the journal says. If not, the next open mends it: it is a view.
    public var isPortfolioCurrent = false
    /// Whether the journal ends in an unacknowledged write, which the next open removes.
    public var hasUnfinishedTail = false
    /// The account as the journal gives it.
    public var state = AccountState()
}

/// Proves the account in `path`: every checksum and link, every event computed again from the one before it, the invariant after
/// each, and portfolio.json against the result. Takes no lock and changes nothing.
///
/// - Throws: ``StorageError`` if the account cannot be read at all. What is wrong with it is in the report.
public func verifyAccount(path: String, system: any System) throws(StorageError) -> VerifyReport {
    let directory = try AccountDirectory(path: path, system: system, creating: false, isReadOnly: true, allowsNetwork: true)
    // portfolio.json first: whatever it says has to be in the journal that is read afterwards.
    let portfolio = try directory.contents(AccountFile.portfolio, limit: Portfolio.maximumByteCount)
    let current = try directory.openJournalWithoutLock()
    var verifier = Verifier(directory: directory)
    let start = JournalLine(firstOf: try directory.read(current, AccountFile.journal, at: 0, count: maximumLineCount))
    var (generation, accountID) = (UInt32.max, "")
    if case .started(let start)? = start?.record.event { (generation, accountID) = (start.generation, start.accountID) }
    for generation in try directory.generations(before: generation, of: accountID) {
        guard let journal = try directory.openJournal(generation, of: accountID), journal.file.identity != current.identity else {
            continue
        }
        try verifier.verify(journal.file, journal.name, isCurrent: false)
    }
    try verifier.verify(current, AccountFile.journal, isCurrent: true)
    try verifier.compare(portfolio)
    return verifier.report
}

extension AccountDirectory {
    /// The sealed journals that cannot be proved.
    func damagedSealedJournals() throws(StorageError) -> [String] {
        var damaged: [String] = []
        for sealed in try sealedJournals() {
            guard let file = try open(sealed.name, .readOnly) else { continue }
            // Each by itself: the journal after a damaged one may be good.
            var verifier = Verifier(directory: self)
            try verifier.verify(file, sealed.name, isCurrent: false)
            if !verifier.report.problems.isEmpty { damaged.append(sealed.name) }
        }
        return damaged
    }
}

private struct Verifier {
    let directory: AccountDirectory
    var report = VerifyReport()
    private var previous: (position: JournalPosition, accountID: String, generation: UInt32)?
    private var durableSeq: UInt64 = 0

    init(directory: AccountDirectory) { self.directory = directory }

    mutating func verify(_ file: OpenFile, _ name: String, isCurrent: Bool) throws(StorageError) {
        report.generations += 1
        var state = AccountState()
        var problem: StorageError?
        let path = escaped(directory.path(of: name))
        var last = JournalPosition()
        func prove(_ group: ArraySlice<PlacedLine>) {
            if problem != nil { return }
            for placed in group {
                let record = placed.line.record
                do throws(Inconsistency) {
                    if placed.number == 1 { try checkStart(placed.line) }
                    try state.prove(record)
                    if placed.number == group.last?.number, !state.invariantHolds {
                        throw Inconsistency("cash + total cost differs from net deposits + realized P&L")
                    }
                    guard placed.line.durableSeq < record.seq else { throw Inconsistency("it calls a later event durable") }
                } catch {
                    problem = StorageError(
                        .corrupt, "\(path), line \(placed.number), byte \(placed.offset): \(error)", seq: record.seq,
                        offset: placed.offset)
                    return
                }
                if report.events == 0 { report.firstSeq = record.seq }
                report.events += 1
                durableSeq = max(durableSeq, placed.line.durableSeq)
                last = JournalPosition(
                    offset: placed.end, lineCount: placed.number, seq: record.seq, crc: placed.line.crc, acceptsAnyLink: false)
            }
        }
        var damage: StorageError?
        var suspect: Int64?
        while true {
            var scanner = JournalScanner(file, name, in: directory, from: last)
            guard case .fault(let fault) = try scanner.scan(prove) else { break }
            guard let bad = try problemOf(fault, after: last.seq, file, name, isCurrent: isCurrent) else {
                report.hasUnfinishedTail = true
                break
            }
            // No lock is held: what is being written can be seen half. It is damage if it stays.
            if !isCurrent || suspect == fault.offset {
                damage = bad
                break
            }
            suspect = fault.offset
            directory.system.sleep(nanoseconds: Self.pause)
        }
        report.problems += [problem, damage].compactMap { $0 }
        if last.seq == 0 && problem == nil && report.problems.isEmpty {
            report.problems.append(StorageError(.missingData, "\(path) is empty"))
        }
        previous = (last, state.accountID, state.generation)
        report.state = state
        if last.seq > 0 { report.lastSeq = last.seq }
        report.durableSeq = durableSeq
    }

    /// The first line must go on where the journal before it ended.
    private func checkStart(_ line: JournalLine) throws(Inconsistency) {
        guard case .started(let start) = line.record.event else { throw Inconsistency("it does not start a journal") }
        guard let previous else { return }
        guard start.accountID == previous.accountID else { throw Inconsistency("it is of account \(escaped(start.accountID))") }
        guard start.generation > previous.generation else {
            throw Inconsistency("it is of generation \(start.generation), after generation \(previous.generation)")
        }
        // A recovery rests on a journal that was set aside; and what is set aside leaves a gap.
        guard start.kind == .reset, start.generation == previous.generation &+ 1 else { return }
        guard line.previousCRC == previous.position.crc, line.record.seq == previous.position.seq &+ 1 else {
            throw Inconsistency("it does not follow the journal before it")
        }
    }

    /// How long a write that is seen half gets to become whole, nanoseconds.
    private static let pause: Int64 = 10_000_000

    /// What is wrong where reading stopped; `nil` if it is an unacknowledged write that a crash cut short, or one that is under way.
    private mutating func problemOf(
        _ fault: JournalFault, after lastSeq: UInt64, _ file: OpenFile, _ name: String, isCurrent: Bool
    ) throws(StorageError) -> StorageError? {
        let test = TornWriteTest(file, name, in: directory)
        let tail = try test.tail(from: fault.offset)
        durableSeq = max(durableSeq, tail.durableSeq)
        let isBeyondDurable = durableSeq <= lastSeq
        if isCurrent, isBeyondDurable, !fault.isNewerFormat, try test.isTorn(fault, tail) { return nil }
        return StorageError(
            fault.isNewerFormat ? .newerFormat : .corrupt,
            "\(escaped(directory.path(of: name))), line \(fault.lineNumber), byte \(fault.offset): \(fault.problem); "
                + (fault.isNewerFormat ? "use a newer version of the library" : "recover the account, or restore a backup"),
            offset: fault.offset)
    }

    mutating func compare(_ text: [UInt8]?) throws(StorageError) {
        guard report.problems.isEmpty, let text else { return }
        let path = escaped(directory.path(of: AccountFile.portfolio))
        guard let portfolio = try Portfolio.usable(text) else { return }
        let view = portfolio.state
        if view.accountID != report.state.accountID {
            report.problems.append(
                StorageError(.wrongAccount, "\(path) belongs to another account: put back the one that was here"))
            return
        }
        let durable = portfolio.reference.durableSeq
        if durable > report.lastSeq || view.generation > report.state.generation {
            report.problems.append(
                StorageError(
                    .missingData,
                    "\(path) knows acknowledged events up to \(durable), but the journal ends at "
                        + "\(report.lastSeq): restore the journal, or recover what is left",
                    seq: report.lastSeq))
            return
        }
        report.durableSeq = max(report.durableSeq, durable)
        guard view.seq == report.state.seq, view.generation == report.state.generation else { return }
        // It rests on another line: of a commit that never happened, which a power cut brought back from a file that was written over since.
        guard portfolio.reference.position.crc == previous?.position.crc else { return }
        var expected = view
        expected.rules = report.state.rules
        if expected == report.state {
            report.isPortfolioCurrent = true
        } else {
            report.problems.append(
                StorageError(.corrupt, "\(path) differs from what the journal gives at event \(view.seq)", seq: view.seq))
        }
    }
}
