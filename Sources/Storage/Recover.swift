import Ledger

/// What rescuing a damaged account came to.
public struct RecoverReport: Equatable, Sendable {
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
    let directory = try AccountDirectory(
        path: path, system: system, creating: false, isReadOnly: false, allowsNetwork: options.allowsNetwork)
    guard try directory.hasParts() else { throw StorageError(.noAccount, "there is no account at \(escaped(directory.path))") }
    let lock = FileLock(
        AccountFile.lock, in: directory.descriptor, path: directory.path(of: AccountFile.lock), purpose: .account, system: system)
    try lock.acquire(deadline)
    defer { lock.release() }
    let recovery = Recovery(directory)
    // Under the lock that the rescue needs: another process may have rescued it a moment ago, and traded since. And an account that opens
    // can be damaged all the same: open reads only the end of the journal.
    var isSound = try recovery.opens(deadline)
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

    /// Opens the account as any process does, which mends what a crash left; whether it could be opened.
    func opens(_ deadline: Deadline) throws(StorageError) -> Bool {
        do throws(StorageError) {
            guard let store = try DirectoryStore.openLocked(directory, .full, deadline) else { return false }
            defer { store.unlockJournal() }
            try store.load(isLocked: true)
            try store.publishUnlessReadOnly()
            return true
        } catch {
            switch error.kind {
            case .corrupt, .missingData, .wrongAccount: return false
            default: throw error
            }
        }
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
        var good = GoodPart()
        if let journal { good = try readGoodPart(journal) }
        var (state, crc) = (good.state, good.crc)
        report.lostEvents = good.unused
        var restsOn = "\(AccountFile.journal) up to event \(state.seq)"
        if let portfolio = try readPortfolio(), portfolio.state.invariantHolds, state.seq == 0 || portfolio.state.seq > state.seq,
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
        // The numbers of lost events are not used again: the new generation starts behind all that can be seen.
        let highest = max(good.highestSeq, state.seq)
        if report.isFromPortfolio { report.lostEvents = highest - state.seq }
        let records = try newGeneration(state, restsOn: restsOn, lastSeq: highest)
        try keepNextJournal(after: state)
        let next = try DirectoryStore.writeNextJournal(records, previousCRC: crc, in: directory)
        let store = DirectoryStore(directory: directory, durability: .full, journal: next)
        try store.lockNextJournal(next)
        defer { store.unlockJournal() }
        // Each step leaves either the damaged journal or the new one in place.
        do throws(StorageError) {
            report.keptAs = try putInPlace(store, replacing: journal != nil, generation: state.generation)
        } catch {
            guard try directory.status(AccountFile.journal)?.identity == next.identity else { throw error }
            throw StorageError(
                .uncertain, "the recovery was begun, but not finished (\(error)): recover the account again", errno: error.errno)
        }
        report.seq = records[0].seq
        report.generation = state.generation + 1
        return report
    }

    /// Puts the new journal in the damaged one's place, and portfolio.json aside. Returns how the old journal is called now.
    private func putInPlace(_ store: DirectoryStore, replacing: Bool, generation: UInt32) throws(StorageError) -> String {
        var keptAs = ""
        if replacing {
            keptAs = try keepJournal(generation: generation)
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
        try store.load(isLocked: true)
        // The account is recovered. If portfolio.json cannot be published now, the next open does it.
        try? store.publish()
        return keptAs
    }

    /// The longest part of a journal that is good, and what there is after it.
    private struct GoodPart {
        var state = AccountState()
        /// Of its last line.
        var crc: UInt32 = 0
        /// Lines after it, damaged ones included.
        var unused: UInt64 = 0
        /// The last event that is there, good or not.
        var highestSeq: UInt64 = 0
        var isWhole = true
    }

    private func readGoodPart(_ journal: OpenFile) throws(StorageError) -> GoodPart {
        var good = GoodPart()
        var scanner = JournalScanner(journal, AccountFile.journal, in: directory, from: JournalPosition())
        let end = try scanner.scan { (group) in
            good.highestSeq = max(good.highestSeq, group.last?.line.record.seq ?? 0)
            // A commit is whole or not at all.
            guard good.isWhole, let next = Self.proved(group, after: good.state) else {
                good.isWhole = false
                good.unused += UInt64(group.count)
                return
            }
            good.state = next
            good.crc = group.last?.line.crc ?? good.crc
        }
        guard case .fault(let fault) = end else { return good }
        // Also the good lines of the commit that the fault is in.
        let tail = try TornWriteTest(journal, AccountFile.journal, in: directory).tail(from: scanner.position.offset)
        good.isWhole = false
        good.unused += UInt64(tail.wholeLines)
        good.highestSeq = max(good.highestSeq, tail.highestSeq)
        if tail.end > fault.offset {
            good.unused += 1
            good.highestSeq = max(good.highestSeq, fault.seq)
        }
        return good
    }

    private static func proved(_ group: ArraySlice<PlacedLine>, after state: AccountState) -> AccountState? {
        var next = state
        do throws(Inconsistency) {
            for placed in group {
                // As verify sees it: no line can know that a later one is on the disk.
                guard placed.line.durableSeq < placed.line.record.seq else { return nil }
                try next.prove(placed.line.record)
            }
        } catch {
            return nil
        }
        return next.invariantHolds ? next : nil
    }

    private func readPortfolio() throws(StorageError) -> Portfolio? {
        guard let text = try directory.contents(AccountFile.portfolio, limit: Portfolio.maximumByteCount) else { return nil }
        return try Portfolio.usable(text)
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
            let note = Text(cutting: "known before the recovery")
            for (cycle, time) in state.cycles.remembered { try draft.append(.ranCycle(cycle), time: time, id: nil, note: note) }
        } catch {
            throw StorageError(error)
        }
        return draft.records
    }

    /// After an interrupted reset the journal of the generation before has the name that the next one is about to get.
    private func keepNextJournal(after state: AccountState) throws(StorageError) {
        guard try directory.status(AccountFile.nextJournal) != nil else { return }
        let generation = try directory.movingJournal(of: state.accountID)?.generation
        // A reset that did not come to its exchange.
        if let generation, generation > state.generation { return }
        let name = try directory.nameForOldJournal(generation: generation ?? state.generation &- 1, isWhole: generation != nil)
        try attempt("rename", directory.path(of: AccountFile.nextJournal)) { () throws(Errno) in
            try system.rename(AccountFile.nextJournal, to: name, in: directory.descriptor)
        }
        // Before another file gets the old name.
        try directory.syncDirectory()
    }

    private func keepJournal(generation: UInt32) throws(StorageError) -> String {
        let kept = try directory.nameForOldJournal(generation: generation, isWhole: false)
        try attempt("exchange", directory.path(of: AccountFile.journal)) { () throws(Errno) in
            try system.exchange(AccountFile.nextJournal, with: AccountFile.journal, in: directory.descriptor)
            try system.sync(directory.descriptor)
            try system.rename(AccountFile.nextJournal, to: kept, in: directory.descriptor)
        }
        return kept
    }
}
