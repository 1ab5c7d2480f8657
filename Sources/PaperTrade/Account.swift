@_exported import Ledger
@_exported import Scheduling
import Storage

/// A paper-trading account in a directory of plain JSON, which any number of processes may use at the same time.
///
/// Every change is made under a file lock after reading what others have done, takes effect whole or not at all, and is
/// acknowledged only when it is on the disk. Reads take no lock, but for ``findRequest(_:)``; each one first reads what others have committed.
///
/// ```swift
/// let account = try Account("my-account")
/// let fill = try account.buy("AAPL", 40, at: 150.00)
/// print("cash is now \(fill.cashAfter)")
/// ```
///
/// An account may be used from several threads and tasks. Calls block; they wait for the lock at most as long as the options say.
/// After ``close()``, and in a forked child, every call throws.
public final class Account: @unchecked Sendable {
    // Unchecked, because the compiler cannot see who guards what: `store` is used inside `view`, but for lock(_:) and unlock(), which
    // are called inside `gate`, and sync(through:), which guards itself. `batch` and `lockDepth` are used inside `gate`.
    let store: DirectoryStore
    let system: any System
    let options: Options
    let gate: Gate
    /// Held for moments only, never while waiting for the lock or the disk's flush; other processes may be let run meanwhile.
    let view = Locked(())
    let callbacks: Callbacks
    let config: Locked<ConfigWatch>
    /// The market calendars that were needed so far, by name.
    let calendars = Locked<[String: MarketCalendar]>([:])
    private let processID: Int32
    private let isClosed = Locked(false)

    var batch: Batch?
    /// How many times the store's lock is wanted by the thread inside the gate; it is held while this is above zero.
    var lockDepth = 0
    /// How many of those are the caller's own, by ``lock(timeoutMilliseconds:)``.
    var lockCount = 0

    /// The directory's absolute path.
    public let path: String

    /// Opens the account in the directory `path`; makes it if there is none and the options allow it. Recovers what a crash left.
    ///
    /// - Throws: ``PaperTradeError``: `noAccount`, `busy`, `corrupt`, `missingData`, `wrongAccount`, `newerFormat`, `invalidConfig` (a new
    ///   account needs a valid one), `unsafeFile`, `networkFileSystem`, `permission`, `readOnly`, `noSpace`, `io`; `uncertain` if a new account
    ///   was made, and may not be on the disk, or its `config.json` cannot be read.
    public convenience init(_ path: String, options: Options = Options()) throws(PaperTradeError) {
        try self.init(path, options: options, importing: nil)
    }

    /// - Parameter imported: what a new account takes over; there must be no account then.
    init(_ path: String, options: Options, importing imported: ImportedAccount?) throws(PaperTradeError) {
        let system = options.system
        if let id = options.accountID { try checked { () throws(Refusal) in try checkAccountID(id) } }
        try Self.check(options.initialCash)
        var storeOptions = StoreOptions()
        storeOptions.isReadOnly = options.isReadOnly
        storeOptions.createsIfMissing = options.createsIfMissing
        storeOptions.allowsNetwork = options.allowsNetwork
        storeOptions.durability = options.durability
        let time = try Self.readClock(options)
        var isNew = false
        store = try translated { () throws(StorageError) in
            try DirectoryStore.open(
                path: path, system: system, options: storeOptions,
                deadline: Deadline(timeoutMilliseconds: options.lockTimeoutMilliseconds, system: system)
            ) { (files) throws(StorageError) in
                isNew = true
                let rules = try ConfigWatch.read(files) ?? Rules()
                return NewAccount(
                    accountID: options.accountID, rules: rules, initialCash: options.initialCash, time: time, imported: imported)
            }
        }
        self.system = system
        self.options = options
        self.path = store.path
        gate = Gate(system: system)
        callbacks = Callbacks(system: system)
        config = Locked(ConfigWatch())
        processID = system.processID()
        if imported != nil && !isNew {
            throw PaperTradeError(.exists, "there is an account at \(escaped(store.path)) already: import into another directory")
        }
        do {
            try readConfig()
        } catch {
            guard isNew else { throw error }
            throw PaperTradeError(.uncertain, "the account was made, but cannot be used (\(error)): open it again")
        }
        logNotices()
    }

    deinit { close() }

    /// Closes the account: rolls back an open batch, releases the lock, publishes what is known to be on the disk. A commit of another
    /// thread is finished first. Its other calls end when they next look at the account, those in a callback when that has returned:
    /// they throw `closed`, as all later ones do. Harmless if it is closed already.
    public func close() {
        // A child that was forked must not touch what belongs to its parent: whoever holds these locks will not release them here.
        guard system.processID() == processID else { return }
        guard
            !isClosed.withLock({ isClosed in
                defer { isClosed = true }
                return isClosed
            })
        else { return }
        gate.close()
        // `batch` stays: its thread may be reading it without the gate, and nobody else looks at it any more.
        let wasLocked = lockDepth > 0
        lockDepth = 0
        if !options.isReadOnly && store.failure == nil {
            let deadline = Deadline(timeoutMilliseconds: min(max(options.lockTimeoutMilliseconds, 0), 1000), system: system)
            view.withLock { _ in
                // Best effort: the next open publishes what this does not.
                guard wasLocked || (try? store.lock(deadline)) != nil else { return }
                if (try? store.catchUp(isLocked: true)) != nil { try? store.publish() }
            }
        }
        store.unlock()
        logNotices()
    }

    /// From now on until ``endCall()`` a call is under way that ``close()`` waits for. The C interface counts each of its calls: what they
    /// were given, a callback's context among it, is freed by callers who have seen the account closed.
    ///
    /// - Throws: `closed`.
    package func beginCall() throws(PaperTradeError) {
        try translated { () throws(StorageError) in try gate.beginCall() }
    }

    package func endCall() { gate.endCall(isForked: system.processID() != processID) }

    /// - Throws: `forked`; `misuse` from inside a callback of this account.
    public func checkCanClose() throws(PaperTradeError) { try checkUsable(isReading: false) }

    /// - Throws: `closed`, `forked`; `misuse` from inside a callback that does not allow the call.
    func checkUsable(isReading: Bool) throws(PaperTradeError) {
        guard system.processID() == processID else {
            throw PaperTradeError(.forked, "this account was opened by the parent process: open it again in the child")
        }
        guard !isClosed.withLock({ $0 }) else { throw PaperTradeError(Gate.closed) }
        try callbacks.check(isReading: isReading)
    }

    /// - Throws: `invalidAmount` for an initial cash below zero.
    static func check(_ initialCash: Money?) throws(PaperTradeError) {
        guard let initialCash, initialCash.isNegative else { return }
        throw PaperTradeError(.invalidAmount, "initial cash \(initialCash) is below 0: give 0 to 999999999.999999")
    }

    /// Now, by the account's clock.
    public func currentTime() throws(PaperTradeError) -> Timestamp {
        try checkUsable(isReading: true)
        return try now()
    }

    /// Now, by the account's clock.
    func now() throws(PaperTradeError) -> Timestamp {
        guard options.clock != nil else { return Timestamp(clamping: system.realTime()) }
        return try callbacks.run(allowingReads: false) { () throws(PaperTradeError) in try Self.readClock(options) }
            ?? Timestamp(clamping: system.realTime())
    }

    private static func readClock(_ options: Options) throws(PaperTradeError) -> Timestamp? {
        guard let clock = options.clock else { return nil }
        guard let time = clock() else {
            throw PaperTradeError(.invalidTime, "the account's clock gave a time outside the years 1970 to 9999")
        }
        return time
    }

    /// Hands what was noticed to the log. Called without locks.
    func logNotices() {
        let notices = view.withLock { _ in store.takeNotices() } + config.withLock { $0.takeNotices() }
        guard let log = options.log, !notices.isEmpty else { return }
        callbacks.run(allowingReads: false) {
            for notice in notices { log(notice.isWarning ? .warning : .info, notice.message) }
        }
    }

    func deadline(_ timeoutMilliseconds: Int64?) -> Deadline {
        Deadline(timeoutMilliseconds: timeoutMilliseconds ?? options.lockTimeoutMilliseconds, system: system) { [gate] in
            gate.isClosing ? Gate.closed : nil
        }
    }
}

/// Which threads are inside a callback of the account, and what they may call there.
final class Callbacks: Sendable {
    private let system: any System
    private let threads = Locked<[UInt64: Bool]>([:])

    init(system: any System) { self.system = system }

    func check(isReading: Bool) throws(PaperTradeError) {
        guard let allowsReads = threads.withLock({ $0.isEmpty ? nil : $0[system.threadID()] }) else { return }
        guard isReading && allowsReads else {
            throw PaperTradeError(.misuse, "this call is not allowed inside a callback of the same account")
        }
    }

    func run<Result, Failure: Error>(allowingReads: Bool, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let thread = system.threadID()
        let outer = threads.withLock { threads in
            defer { threads[thread] = allowingReads }
            return threads[thread]
        }
        defer { threads.withLock { $0[thread] = outer } }
        return try body()
    }
}

private func checkAccountID(_ id: String) throws(Refusal) {
    let isAllowed = id.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
    guard isAllowed, (1...64).contains(id.utf8.count) else { throw .invalidAccountID(id) }
}
