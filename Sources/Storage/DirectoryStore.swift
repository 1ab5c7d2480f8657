import Ledger

/// An account in a directory: `journal.jsonl` is the truth, `portfolio.json` a view of it.
///
/// One commit, step by step. The steps are spread over this type's files:
///
///  1. ``lock(_:)``: flock on `.lock`. Whoever has to wait may find it done by others — *DirectoryStore+Board*
///  2. ``catchUp(isLocked:)``: read what others committed                        — *DirectoryStore+Reading*
///  3. the caller decides
///  4. write the parts of portfolio.json's successor, and open a file for it     — *DirectoryStore+Publishing*
///  5. append the events to the journal, one pwrite                              — *DirectoryStore+Committing*
///  6. publish: put them together in the file, exchange it with portfolio.json
///  7. ``unlock()``
///  8. ``sync(through:)``: fdatasync the journal; only then acknowledge
///
/// An error in 5 or 6 wipes the events again. The view is written after them, and not before, because the disk is mostly at work on them by then.
///
/// Unlocking before the sync lets the commits of several processes share one flush. It is sound because everything a commit
/// depends on stands earlier in the same file.
public final class DirectoryStore: Store {
    let directory: AccountDirectory
    let system: any System
    let durability: Durability
    let accountLock: FileLock
    /// The journal that is locked beside the lock file, and by which process.
    var lockedJournal: (file: OpenFile, processID: Int32)?

    /// Everything below is read and changed by one thread at a time, the caller's to arrange, but for `progress` and `syncGate`.
    public internal(set) var state = AccountState()
    /// The end of the last whole group that was read or written.
    var position = JournalPosition()
    /// The line that put the rules in force.
    var rulesOffset: Int64 = 0
    /// How much of the journal's file this handle knows to be on the disk, as blocks: it has synced them, or another has.
    var syncedSize: Int64 = 0
    /// The size of the journal's file, if it is known: while the lock is held nobody else extends it.
    var journalSize: Int64?
    /// Whether another process put this journal in place and nothing has been mended under the lock since: it may have died in its reset.
    var isUnmended = false
    /// portfolio.json as this handle last saw it published.
    var published: PublishedFile?
    /// What this handle last swapped out, which is `portfolio.json.tmp` unless others have committed since.
    var retired: FileStatus.Identity?
    /// Whether the system can tell that nobody sees a file.
    var hasLeases: Bool
    var portfolioWriter = PortfolioWriter()
    var requests = RequestIndex()
    /// Where requests are left for others; `nil` until it is first needed, or where there is none.
    var board: RequestBoard?
    var isWithoutBoard = false
    /// Of those who wait, who need the lock.
    var bitsToWake: UInt32 = .max
    /// From when on others are let run again before it is looked what they have left, by the monotonic clock.
    var nextYield: Int64 = 0
    /// Noticed since they were last taken; see ``takeNotices()``.
    var notices: [Notice] = []

    let progress = Locked(Progress())
    private let openJournal: Locked<OpenFile>
    /// The journal's file: replaced after a reset. Whoever is syncing keeps the one it started with.
    var journal: OpenFile {
        get { openJournal.withLock { $0 } }
        set {
            openJournal.withLock { $0 = newValue }
            journalSize = nil
        }
    }
    /// Held by the thread that is syncing the journal. A failed fdatasync is reported once for each open file, so two threads
    /// must not wait in it together: one of them would be told of a success that is none.
    let syncGate = Locked(())

    init(directory: AccountDirectory, durability: Durability, journal: OpenFile) {
        self.directory = directory
        self.system = directory.system
        self.durability = durability
        // Other machines' readers are not known to this one.
        hasLeases = directory.isLocal
        openJournal = Locked(journal)
        accountLock = FileLock(
            AccountFile.lock, in: directory.descriptor, path: directory.path(of: AccountFile.lock), purpose: .account,
            system: directory.system)
    }

    public var durableSeq: UInt64 { progress.withLock { $0.durableSeq } }
    public var failure: StorageError? { progress.withLock { $0.failure } }

    /// The directory's absolute path.
    public var path: String { directory.path }

    /// What was noticed since the last call.
    public func takeNotices() -> [Notice] {
        defer { notices.removeAll() }
        return notices
    }

    func notice(isWarning: Bool, _ message: String) {
        notices.append(Notice(isWarning: isWarning, message: message))
    }

    /// - Throws: ``StorageError/Kind/readOnly`` if it was opened so.
    public func checkIsWritable() throws(StorageError) {
        guard directory.isReadOnly else { return }
        throw StorageError(.readOnly, "\(escaped(path)) was opened read-only: open it for writing to change it")
    }

    public func lock(_ deadline: Deadline) throws(StorageError) {
        try checkIsWritable()
        try accountLock.acquire(deadline)
        try finishLocking(deadline)
    }

    /// The rest of it, once the lock file is held.
    func finishLocking(_ deadline: Deadline) throws(StorageError) {
        journalSize = nil
        do throws(StorageError) {
            try directory.checkIsInPlace()
            try lockJournal(deadline)
        } catch {
            accountLock.release()
            throw error
        }
    }

    public func unlock() {
        unlockJournal()
        accountLock.release(waking: bitsToWake)
        bitsToWake = .max
    }

    public var isLocked: Bool { accountLock.isHeld }

    /// What portfolio.json shall say of the journal.
    var reference: JournalReference {
        progress.withLock { progress in
            JournalReference(
                position: position, generation: state.generation, durableSeq: progress.durableSeq,
                durableOffset: progress.durableOffset, rulesOffset: rulesOffset)
        }
    }

    func journalPath() -> String { directory.path(of: AccountFile.journal) }
}
