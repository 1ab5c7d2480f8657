import Ledger

/// What a new account is made of.
public struct NewAccount: Sendable {
    public var accountID: String?
    public var rules: Rules
    /// `nil`: what the rules say.
    public var initialCash: Money?
    /// For the first events; `nil`: now.
    public var time: Timestamp?
    /// What the account takes over from another system; then `initialCash` does not count.
    public var imported: ImportedAccount?

    public init(accountID: String?, rules: Rules, initialCash: Money?, time: Timestamp?, imported: ImportedAccount? = nil) {
        self.accountID = accountID
        self.rules = rules
        self.initialCash = initialCash
        self.time = time
        self.imported = imported
    }
}

/// How an account is opened.
public struct StoreOptions: Sendable {
    public var isReadOnly = false
    public var createsIfMissing = true
    public var allowsNetwork = false
    public var durability = Durability.full

    public init() {}
}

extension DirectoryStore {
    /// Opens the account in `path`, and makes it if there is none and the options allow it.
    ///
    /// - Parameter newAccount: called, under the lock, if an account has to be made.
    public static func open(
        path: String, system: any System, options: StoreOptions, deadline: Deadline,
        newAccount: (AccountFiles) throws(StorageError) -> NewAccount
    ) throws(StorageError) -> DirectoryStore {
        let creates = options.createsIfMissing && !options.isReadOnly
        let directory = try AccountDirectory(
            path: path, system: system, creating: creates, isReadOnly: options.isReadOnly, allowsNetwork: options.allowsNetwork)
        if options.isReadOnly {
            let journal = try directory.openJournalWithoutLock()
            let store = DirectoryStore(directory: directory, durability: options.durability, journal: journal)
            try store.load(isLocked: false)
            return store
        }
        if !creates { _ = try directory.openJournalWithoutLock() }
        let lock = FileLock(
            AccountFile.lock, in: directory.descriptor, path: directory.path(of: AccountFile.lock), purpose: .account,
            system: system)
        try lock.acquire(deadline)
        defer { lock.release() }
        if let store = try openLocked(directory, options.durability, deadline) {
            defer { store.unlockJournal() }
            try store.load(isLocked: true)
            try store.publishUnlessReadOnly()
            return store
        }
        guard creates, try !directory.hasParts() else { throw try directory.noJournal() }
        try directory.syncName()
        let new = try newAccount(AccountFiles(directory))
        let store = try create(new, in: directory, options.durability)
        defer { store.unlockJournal() }
        do throws(StorageError) {
            try store.load(isLocked: true)
        } catch {
            throw unfinishedAccount(error)
        }
        // The account is made; if it cannot be published now, the next open does it.
        do throws(StorageError) { try store.publish() } catch { store.notice(isWarning: true, error.description) }
        return store
    }

    /// Publishes on open: an account whose portfolio.json may not be written can still be looked at.
    func publishUnlessReadOnly() throws(StorageError) {
        do throws(StorageError) {
            try publish()
        } catch {
            guard error.kind == .readOnly else { throw error }
            notice(isWarning: true, error.description)
        }
    }

    /// Opens and locks the journal that has the name, not yet read; `nil` if there is none.
    static func openLocked(
        _ directory: AccountDirectory, _ durability: Durability, _ deadline: Deadline
    ) throws(StorageError) -> DirectoryStore? {
        while let journal = try directory.open(AccountFile.journal, .readWrite) {
            let store = DirectoryStore(directory: directory, durability: durability, journal: journal)
            try store.lockJournal(deadline)
            // Whoever was waited for may have put another one in its place.
            if try directory.status(AccountFile.journal)?.identity == journal.identity { return store }
            store.unlockJournal()
        }
        return nil
    }

    /// Makes the journal of a new account, and locks it.
    private static func create(
        _ new: NewAccount, in directory: AccountDirectory, _ durability: Durability
    ) throws(StorageError) -> DirectoryStore {
        let system = directory.system
        let now = Timestamp(clamping: system.realTime())
        let accountID: String
        if let given = new.accountID { accountID = given } else { accountID = try randomAccountID(directory) }
        let time = new.time ?? now
        let cash = new.initialCash ?? new.rules.initialCash
        var start = Start(
            kind: .open, accountID: accountID, generation: 1, createdAt: time, cash: cash, netDeposits: cash, realizedPnL: .zero)
        if let imported = new.imported { start = Import.start(imported, accountID: accountID) }
        var draft = Draft(on: AccountState(), at: now)
        do throws(Refusal) {
            try draft.append(.started(start), time: time, id: nil, note: nil)
            try draft.append(.acceptedRules(new.rules), time: time, id: nil, note: nil)
            if let imported = new.imported {
                for (event, time) in Import.events(imported, after: draft.state.seq, time: time) {
                    try draft.append(event, time: time, id: nil, note: nil)
                }
            }
        } catch {
            throw StorageError(error)
        }
        let journal = try writeNextJournal(draft.records, previousCRC: 0, in: directory)
        let store = DirectoryStore(directory: directory, durability: durability, journal: journal)
        try store.lockNextJournal(journal)
        try attempt("rename", directory.path(of: AccountFile.nextJournal)) { () throws(Errno) in
            try system.rename(AccountFile.nextJournal, to: AccountFile.journal, in: directory.descriptor)
        }
        do throws(StorageError) {
            try directory.syncDirectory()
        } catch {
            throw unfinishedAccount(error)
        }
        return store
    }

    private static func unfinishedAccount(_ reason: StorageError) -> StorageError {
        StorageError(
            .uncertain, "the account was made, but may not be on the disk (\(reason)): open it again", errno: reason.errno)
    }

    private static func randomAccountID(_ directory: AccountDirectory) throws(StorageError) -> String {
        let bytes = try attempt("draw a random id for", directory.path) { () throws(Errno) in try directory.system.random(16) }
        return bytes.map { (byte: UInt8) -> String in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Writes and syncs the first lines of a new generation, one group, to `journal.jsonl.next`, and returns that.
    @discardableResult
    static func writeNextJournal(
        _ records: [Record], previousCRC: UInt32, in directory: AccountDirectory
    ) throws(StorageError) -> OpenFile {
        let system = directory.system
        let name = AccountFile.nextJournal
        let path = directory.path(of: name)
        var writer = LineWriter()
        var crc = previousCRC
        for (index, record) in records.enumerated() {
            crc = writer.appendLine(
                record, durableSeq: 0, more: index < records.count - 1, previousCRC: crc, at: Int64(writer.count))
        }
        var bytes = writer.bytes
        let size = (bytes.count + Int(sectorSize) + Int(blockSize) - 1) / Int(blockSize) * Int(blockSize)
        bytes.append(contentsOf: repeatElement(fill, count: size - bytes.count))
        try? system.unlink(name, in: directory.descriptor)
        // Each commit changes these, and syncs the journal.
        let others = [AccountFile.lock, AccountFile.portfolio, AccountFile.portfolioTemporary].compactMap { name in
            try? directory.status(name)?.identity
        }
        guard let file = try directory.open(name, .createNew, apartFrom: [directory.identity] + others) else {
            throw StorageError(.replaced, "\(escaped(path)) is gone")
        }
        do throws(StorageError) {
            try attempt("write", path) { () throws(Errno) in
                try directory.write(bytes, to: file, at: 0)
                try system.sync(file.descriptor)
            }
            return file
        } catch {
            try? system.unlink(name, in: directory.descriptor)
            throw error
        }
    }

    // MARK: Reset

    /// Seals the journal and starts the next generation with `records`, whose first one is its start. Under the lock; when it
    /// returns, all of it is on the disk.
    public func startGeneration(_ records: [Record]) throws(StorageError) {
        try checkAcceptsChanges()
        _ = try predecessor()
        // Others may have unlocked before their sync: their records must not depend on a file that nobody syncs any more.
        try syncJournal()
        let next = try Self.writeNextJournal(records, previousCRC: position.crc, in: directory)
        let sealed = AccountFile.sealedJournal(state.generation)
        guard try directory.status(sealed) == nil else {
            throw StorageError(.exists, "\(escaped(directory.path(of: sealed))) exists already: move it away")
        }
        let end = position.offset
        let old = journal
        let lockOnOld = lockedJournal
        try lockNextJournal(next)
        do throws(StorageError) {
            try exchangeJournals()
        } catch {
            lockedJournal = lockOnOld
            throw error
        }
        // Until all is done: somebody may have opened the old one, and wait.
        defer { if let lockOnOld { try? system.unlock(lockOnOld.file.descriptor) } }
        // From here on the new generation is the account.
        do throws(StorageError) {
            try directory.syncDirectory()
            try attempt("rename", directory.path(of: AccountFile.nextJournal)) { () throws(Errno) in
                try system.rename(AccountFile.nextJournal, to: sealed, in: directory.descriptor)
            }
            try attempt("trim", directory.path(of: sealed)) { () throws(Errno) in
                try system.truncate(old.descriptor, to: end)
                try system.sync(old.descriptor)
            }
            try directory.syncDirectory()
            journal = next
            syncedSize = 0
            published = nil
            try load(isLocked: true)
        } catch {
            throw unfinishedReset(error)
        }
        do throws(StorageError) {
            try publish()
        } catch {
            notice(isWarning: true, error.description)
        }
    }

    private func unfinishedReset(_ reason: StorageError) -> StorageError {
        let failure = StorageError(
            .uncertain, "the reset was begun, but not finished (\(reason)): open the account again", errno: reason.errno)
        progress.withLock { $0.failure = failure }
        return failure
    }

    private func exchangeJournals() throws(StorageError) {
        let path = directory.path(of: AccountFile.nextJournal)
        let next = try directory.status(AccountFile.nextJournal)
        do throws(Errno) {
            try system.exchange(AccountFile.nextJournal, with: AccountFile.journal, in: directory.descriptor)
        } catch {
            // It may have happened all the same: look.
            let current: FileStatus?
            do throws(StorageError) {
                current = try directory.status(AccountFile.journal)
            } catch {
                throw unfinishedReset(error)
            }
            if let next, current?.identity == next.identity { return }
            try? system.unlink(AccountFile.nextJournal, in: directory.descriptor)
            throw StorageError(error, "exchange", path)
        }
    }

    /// Finishes a reset or a recovery that a crash interrupted after the exchange, or removes what is left of one before it.
    ///
    /// What the file says of itself decides, not which names are free: sealed journals may have been moved away.
    func finishReset() throws(StorageError) {
        guard let status = try directory.status(AccountFile.nextJournal) else { return }
        let path = directory.path(of: AccountFile.nextJournal)
        guard status.identity != journal.identity else {
            throw StorageError(.replaced, "\(escaped(journalPath())) was replaced under the open account: open it again")
        }
        let generation = try directory.movingJournal(of: state.accountID)?.generation
        let kind = try readStart(journal).kind
        let isFirst = kind == .open || kind == .takeOver
        var isDraft = isFirst || (generation ?? 0) > state.generation
        let old = generation ?? state.generation &- 1
        // It may be too damaged to say what it is. Where the old journal has its name, or where there is nothing in it, it is a draft.
        if !isDraft, generation == nil {
            let isSealed = try directory.status(AccountFile.sealedJournal(old)) != nil
            if isSealed && kind == .reset { isDraft = true } else { isDraft = try directory.isBlank(AccountFile.nextJournal) }
        }
        if !isDraft {
            let name = try directory.nameForOldJournal(generation: old, isWhole: generation != nil && kind != .recover)
            try attempt("rename", path) { () throws(Errno) in
                try system.rename(AccountFile.nextJournal, to: name, in: directory.descriptor)
            }
            notice(
                isWarning: false,
                "\(escaped(path)): finished an interrupted \(kind == .recover ? "recovery" : "reset"), the old journal is \(name)"
            )
        } else {
            try attempt("remove", path) { () throws(Errno) in
                try system.unlink(AccountFile.nextJournal, in: directory.descriptor)
            }
        }
        try directory.syncDirectory()
    }
}

/// What stands beside the journal and is read by others than the store.
public struct AccountFiles: Sendable {
    private let directory: AccountDirectory

    init(_ directory: AccountDirectory) { self.directory = directory }

    /// The contents of config.json, `nil` if there is none.
    public func config() throws(StorageError) -> [UInt8]? {
        do throws(StorageError) {
            return try directory.contents(AccountFile.config, limit: ConfigFile.maximumByteCount)
        } catch {
            // Too large to be one.
            guard error.kind == .corrupt else { throw error }
            throw StorageError(.invalidConfig, error.description)
        }
    }

    /// The status of config.json, `nil` if there is none.
    public func configStatus() throws(StorageError) -> FileStatus? {
        try directory.status(AccountFile.config, withTime: true)
    }

    public var configPath: String { directory.path(of: AccountFile.config) }

    /// The contents of the `config.json` in a directory that need not be an account; `nil` if there is none.
    public static func config(in path: String, system: any System) throws(StorageError) -> [UInt8]? {
        let directory = try AccountDirectory(path: path, system: system, creating: false, isReadOnly: true, allowsNetwork: true)
        return try AccountFiles(directory).config()
    }
}

extension DirectoryStore {
    public var files: AccountFiles { AccountFiles(directory) }
}

extension AccountDirectory {
    /// Opens the journal of an account that has to be here, to read it.
    func openJournalWithoutLock() throws(StorageError) -> OpenFile {
        if let journal = try open(AccountFile.journal, .readOnly) { return journal }
        let reason = try noJournal()
        // Another process may have made the account in between. Its journal comes first: who sees the other files finds it now.
        guard reason.kind == .missingData, let journal = try open(AccountFile.journal, .readOnly) else { throw reason }
        return journal
    }

    /// What it means that there is no journal.
    func noJournal() throws(StorageError) -> StorageError {
        try hasParts()
            ? StorageError(
                .missingData,
                "\(escaped(path)) has files of an account but no \(AccountFile.journal): restore it, or recover what is left")
            : StorageError(.noAccount, "there is no account at \(escaped(path))")
    }

    /// Whether parts of an account are here, but for the journal that a half-done creation leaves.
    func hasParts() throws(StorageError) -> Bool {
        try names().contains { AccountFile.isPart($0) && $0 != AccountFile.nextJournal }
    }

    /// Whether nothing was written to a file, or nothing of it has reached the disk.
    func isBlank(_ name: String) throws(StorageError) -> Bool {
        guard let file = try open(name, .readOnly) else { return true }
        var offset: Int64 = 0
        while true {
            let bytes = try read(file, name, at: offset, count: 1 << 16)
            if bytes.isEmpty { return true }
            guard bytes.allSatisfy({ $0 == fill || $0 == 0 }) else { return false }
            offset += Int64(bytes.count)
        }
    }

    func names() throws(StorageError) -> [String] {
        try attempt("list", path) { () throws(Errno) in try system.names(in: descriptor) }
    }

    /// The journals of finished generations, oldest first.
    func sealedJournals() throws(StorageError) -> [(name: String, generation: UInt32)] {
        try names().compactMap { name in
            guard name.hasPrefix("journal-"), name.hasSuffix(".jsonl"),
                let generation = UInt32(name.dropFirst("journal-".count).dropLast(".jsonl".count)),
                name == AccountFile.sealedJournal(generation)
            else { return nil }
            return (name, generation)
        }.sorted { $0.generation < $1.generation }
    }
}
