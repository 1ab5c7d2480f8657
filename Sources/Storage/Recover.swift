import Ledger

/// What rescuing a damaged account came to.
public struct RecoverReport: Hashable, Sendable {
    /// The account was rebuilt from the events up to here.
    public var keptSeq: UInt64 = 0
    /// Lines that could not be used: the damaged one, and whole ones after it.
    public var lostEvents: UInt64 = 0
    /// The first event of the new generation; 0 if nothing was wrong.
    public var seq: UInt64 = 0
    public var generation: UInt32 = 0
    public var isFromPortfolio = false
    /// The name under which the damaged journal was kept.
    public var keptAs = ""
}

/// Rescues the account in `path`, if it cannot be opened: takes the longest good part of the journal, or portfolio.json where that is
/// newer and whole, and starts a new generation that says what it rests on. Every old file is kept under another name.
public func recoverAccount(
    path: String, system: any System, options: StoreOptions, deadline: Deadline
) throws(StorageError) -> RecoverReport {
    var options = options
    options.createsIfMissing = false
    var isSound = true
    do throws(StorageError) {
        _ = try DirectoryStore.open(path: path, system: system, options: options, deadline: deadline) {
            (_) throws(StorageError) in
            throw StorageError(.noAccount, "there is no account at \(escaped(path))")
        }
    } catch {
        switch error.kind {
        case .corrupt, .missingData, .wrongAccount: isSound = false
        default: throw error
        }
    }
    let directory = try AccountDirectory(
        path: path, system: system, creating: false, isReadOnly: false, allowsNetwork: options.allowsNetwork)
    let lock = FileLock(
        AccountFile.lock, in: directory.descriptor, path: directory.path(of: AccountFile.lock), purpose: .account, system: system)
    try lock.acquire(deadline)
    defer { lock.release() }
    let recovery = Recovery(directory)
    // An account that opens can be damaged all the same: open reads only the end of the journal.
    if isSound { isSound = try recovery.isSound() }
    var report = isSound ? RecoverReport() : try recovery.run()
    let keptAs = try recovery.setAsideDamagedSealedJournals()
    if report.keptAs.isEmpty { report.keptAs = keptAs }
    return report
}

private struct Recovery {
    private let directory: AccountDirectory
    private let system: any System

    init(_ directory: AccountDirectory) {
        self.directory = directory
        system = directory.system
    }

    /// Whether the whole journal is good.
    func isSound() throws(StorageError) -> Bool {
        guard let journal = try directory.open(AccountFile.journal, .readOnly) else { return false }
        return try readGoodPart(journal).isWhole
    }

    /// Renames journals of earlier generations that are damaged, so that the account can be proved again: it does not rest on them.
    /// Returns the first new name, "" if none was damaged.
    func setAsideDamagedSealedJournals() throws(StorageError) -> String {
        var keptAs = ""
        for name in try directory.damagedSealedJournals() {
            let kept = try directory.freeName("\(name.dropLast(".jsonl".count))-damaged.jsonl")
            try attempt("rename", directory.path(of: name)) { () throws(Errno) in
                try system.rename(name, to: kept, in: directory.descriptor)
            }
            if keptAs.isEmpty { keptAs = kept }
        }
        if !keptAs.isEmpty { try directory.syncDirectory() }
        return keptAs
    }

    func run() throws(StorageError) -> RecoverReport {
        var report = RecoverReport()
        let journal = try directory.open(AccountFile.journal, .readWrite)
        var state = AccountState()
        var crc: UInt32 = 0
        if let journal { (state, crc, report.lostEvents, _) = try readGoodPart(journal) }
        var restsOn = "\(AccountFile.journal) up to event \(state.seq)"
        if let portfolio = try readPortfolio(), state.seq == 0 || portfolio.state.seq > state.seq,
            state.seq == 0 || portfolio.state.accountID == state.accountID
        {
            let rules = state.rules
            state = portfolio.state
            state.rules = rules
            crc = portfolio.reference.position.crc
            report.isFromPortfolio = true
            restsOn = "\(AccountFile.portfolio) at event \(state.seq)"
        }
        guard state.seq > 0 else {
            throw StorageError(
                .missingData,
                "neither \(AccountFile.journal) nor \(AccountFile.portfolio) in \(escaped(directory.path)) has a whole beginning: "
                    + "restore a backup")
        }
        report.keptSeq = state.seq
        let highest = try highestSeq(state, journal)
        if report.isFromPortfolio { report.lostEvents = highest - state.seq }
        let records = try newGeneration(state, restsOn: restsOn, lastSeq: highest)
        try DirectoryStore.writeNextJournal(records, previousCRC: crc, in: directory)
        // Each step leaves either the damaged journal or the new one in place.
        if journal != nil {
            report.keptAs = try keepJournal(generation: state.generation)
        } else {
            try attempt("rename", directory.path(of: AccountFile.nextJournal)) { () throws(Errno) in
                try system.rename(AccountFile.nextJournal, to: AccountFile.journal, in: directory.descriptor)
            }
        }
        try directory.syncDirectory()
        if try directory.status(AccountFile.portfolio) != nil {
            let kept = try directory.freeName("\(AccountFile.portfolio).recovered")
            try attempt("rename", directory.path(of: AccountFile.portfolio)) { () throws(Errno) in
                try system.rename(AccountFile.portfolio, to: kept, in: directory.descriptor)
            }
        }
        report.seq = records[0].seq
        report.generation = state.generation + 1
        guard let file = try directory.open(AccountFile.journal, .readWrite) else {
            throw StorageError(.replaced, "\(escaped(directory.path(of: AccountFile.journal))) is gone")
        }
        let store = DirectoryStore(directory: directory, durability: .full, journal: file)
        try store.load(isLocked: true)
        // The account is recovered. If portfolio.json cannot be published now, the next open does it.
        try? store.publish()
        return report
    }

    /// The state after the longest good part, its last line's checksum, and how many whole lines there are after it.
    private func readGoodPart(
        _ journal: OpenFile
    ) throws(StorageError) -> (state: AccountState, crc: UInt32, unused: UInt64, isWhole: Bool) {
        var state = AccountState()
        var crc: UInt32 = 0
        var isStopped = false
        var unused: UInt64 = 0
        var scanner = JournalScanner(journal, AccountFile.journal, in: directory, from: JournalPosition())
        let end = try scanner.scan { (group) in
            var next = state
            for placed in group {
                if isStopped {
                    unused += 1
                    continue
                }
                do throws(Inconsistency) {
                    try next.prove(placed.line.record)
                } catch {
                    isStopped = true
                    unused += 1
                }
            }
            if !next.invariantHolds { isStopped = true }
            guard !isStopped else { return }
            state = next
            crc = group.last?.line.crc ?? crc
        }
        guard case .fault(let fault) = end else { return (state, crc, unused, !isStopped) }
        // The damaged line itself, and the whole ones after it.
        unused += 1 + UInt64(try TornWriteTest(journal, AccountFile.journal, in: directory).tail(of: fault).wholeLines)
        return (state, crc, unused, false)
    }

    private func readPortfolio() throws(StorageError) -> Portfolio? {
        guard let text = try directory.contents(AccountFile.portfolio, limit: Portfolio.maximumByteCount) else { return nil }
        return try Portfolio.usable(text)
    }

    /// The numbers of lost events are not used again: the new generation starts behind all that can be seen.
    private func highestSeq(_ state: AccountState, _ journal: OpenFile?) throws(StorageError) -> UInt64 {
        guard let journal else { return state.seq }
        var scanner = JournalScanner(journal, AccountFile.journal, in: directory, from: JournalPosition())
        var highest = state.seq
        let end = try scanner.scan { (group) in highest = max(highest, group.last?.line.record.seq ?? 0) }
        if case .fault(let fault) = end {
            highest = max(highest, try TornWriteTest(journal, AccountFile.journal, in: directory).tail(of: fault).highestSeq)
        }
        return highest
    }

    private func newGeneration(_ state: AccountState, restsOn: String, lastSeq: UInt64) throws(StorageError) -> [Record] {
        let now = Timestamp(clamping: system.realTime())
        var base = AccountState()
        base.seq = lastSeq
        var draft = Draft(on: base, at: max(now, state.updatedAt))
        let start = Start(
            kind: .recover, accountID: state.accountID, generation: state.generation + 1, createdAt: state.createdAt,
            cash: state.cash,
            netDeposits: state.netDeposits, realizedPnL: state.realizedPnL, restsOn: restsOn)
        do throws(Refusal) {
            try draft.append(.started(start), time: now, id: nil, note: nil)
            try draft.append(.acceptedRules(state.rules), time: now, id: nil, note: nil)
            for position in state.positions { try draft.append(.tookOverPosition(position), time: now, id: nil, note: nil) }
            for entry in state.queue { try draft.append(.tookOverOpportunity(entry), time: now, id: nil, note: nil) }
            for known in state.signals { try draft.append(.tookOverSignal(known), time: now, id: nil, note: nil) }
        } catch {
            throw StorageError(error)
        }
        return draft.records
    }

    private func keepJournal(generation: UInt32) throws(StorageError) -> String {
        let kept = try directory.freeName("journal-\(generation)-damaged.jsonl")
        try attempt("exchange", directory.path(of: AccountFile.journal)) { () throws(Errno) in
            try system.exchange(AccountFile.nextJournal, with: AccountFile.journal, in: directory.descriptor)
            try system.sync(directory.descriptor)
            try system.rename(AccountFile.nextJournal, to: kept, in: directory.descriptor)
        }
        return kept
    }
}
