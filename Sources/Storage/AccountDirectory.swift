import Ledger

/// The names in an account's directory. `journal*` and `portfolio*` are parts of the account; the rest is not.
public enum AccountFile {
    public static let journal = "journal.jsonl"
    /// A journal being made: of a new account, or of the next generation.
    static let nextJournal = "journal.jsonl.next"
    public static let portfolio = "portfolio.json"
    /// The successor of portfolio.json before it is published, and its predecessor afterwards: the next commit writes over that.
    static let portfolioTemporary = "portfolio.json.tmp"
    public static let config = "config.json"
    public static let lock = ".lock"
    /// See ``RequestBoard``.
    static let requests = ".requests"

    /// What the journal of a finished generation is called.
    static func sealedJournal(_ generation: UInt32) -> String { "journal-\(generation).jsonl" }

    static func isPart(_ name: String) -> Bool { name.hasPrefix("journal") || name.hasPrefix("portfolio") }
}

/// An open file, closed when the last one who uses it lets go.
final class OpenFile: Sendable {
    let descriptor: FileDescriptor
    let identity: FileStatus.Identity
    private let system: any System

    init(_ descriptor: FileDescriptor, _ identity: FileStatus.Identity, _ system: any System) {
        self.descriptor = descriptor
        self.identity = identity
        self.system = system
    }

    deinit { try? system.close(descriptor) }
}

/// An account's directory, opened once: everything in it is reached relative to it, never through a link, and only if it is a
/// regular file of ours.
final class AccountDirectory: Sendable {
    let system: any System
    /// Absolute.
    let path: String
    let descriptor: FileDescriptor
    let identity: FileStatus.Identity
    let isReadOnly: Bool
    /// Whether no other machine sees it.
    let isLocal: Bool
    /// Whether it was made by opening it.
    private let isNew: Bool

    /// Opens the directory, making it (mode 0700) if `creating`.
    init(path: String, system: any System, creating: Bool, isReadOnly: Bool, allowsNetwork: Bool) throws(StorageError) {
        guard !path.isEmpty else { throw StorageError(.noAccount, "the path of the account is empty") }
        let path = try Self.absolute(path, system)
        let (descriptor, isNew) = try Self.open(path, system, creating: creating)
        do throws(StorageError) {
            let status = try attempt("open", path) { () throws(Errno) in try system.status(descriptor) }
            if !isReadOnly {
                guard status.user == system.effectiveUserID() else {
                    throw StorageError(
                        .unsafeFile, "\(escaped(path)) belongs to another user: use a directory of your own, or open it read-only"
                    )
                }
                guard status.permissions & 0o002 == 0 else {
                    throw StorageError(.unsafeFile, "\(escaped(path)) can be written by everybody: run chmod o-w on it")
                }
            }
            isLocal = try attempt("examine", path) { () throws(Errno) in try system.isLocal(descriptor) }
            guard isLocal || allowsNetwork else {
                throw StorageError(
                    .networkFileSystem,
                    "\(escaped(path)) is on a network file system, where locks and flushes cannot be trusted: use a local disk, or allow it"
                )
            }
            identity = status.identity
        } catch {
            try? system.close(descriptor)
            throw error
        }
        self.system = system
        self.path = path
        self.descriptor = descriptor
        self.isReadOnly = isReadOnly
        self.isNew = isNew
    }

    deinit { try? system.close(descriptor) }

    private static func absolute(_ path: String, _ system: any System) throws(StorageError) -> String {
        var path = path
        while path.utf8.count > 1, path.hasSuffix("/") || path.hasSuffix("/.") { path.removeLast() }
        if path.hasPrefix("/") { return path }
        let current = try attempt("find", ".") { () throws(Errno) in try system.currentDirectory() }
        return path == "." ? current : current + "/" + path
    }

    private static func open(
        _ path: String, _ system: any System, creating: Bool
    ) throws(StorageError) -> (descriptor: FileDescriptor, isNew: Bool) {
        do throws(Errno) {
            return (try system.openDirectory(path, in: nil), false)
        } catch {
            switch error.kind {
            case _ where error == .noEntry && creating: return (try make(path, system), true)
            case _ where error == .noEntry:
                throw StorageError(.noAccount, "there is no account at \(escaped(path))", errno: error.code)
            case _ where error == .notDirectory:
                throw StorageError(.noAccount, "\(escaped(path)) is not a directory: an account is one", errno: error.code)
            default: throw StorageError(error, "open", path)
            }
        }
    }

    private static func make(_ path: String, _ system: any System) throws(StorageError) -> FileDescriptor {
        do throws(Errno) {
            try system.makeDirectory(path: path, mode: 0o700)
        } catch {
            // Somebody else made it in the meantime: good.
            if error != .exists { throw StorageError(error, "make the directory", path) }
        }
        return try attempt("open", path) { () throws(Errno) in try system.openDirectory(path, in: nil) }
    }

    /// Syncs the directory above, which has this one's name: it may be new, whoever made it, and a new account is lost with it.
    func syncName() throws(StorageError) {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        let abovePath = slash == path.startIndex ? "/" : String(path[..<slash])
        let above: FileDescriptor
        do throws(Errno) {
            above = try system.openDirectory(abovePath, in: nil)
        } catch {
            // The name of a directory that was given to us is the giver's to sync, where only he may.
            if error.kind == .permission && !isNew { return }
            throw StorageError(error, "open", abovePath)
        }
        defer { try? system.close(above) }
        try attempt("sync", abovePath) { () throws(Errno) in try system.sync(above) }
    }

    func path(of name: String) -> String { path + "/" + name }

    /// Whether the path still leads to the directory that was opened.
    func checkIsInPlace() throws(StorageError) {
        let now = try? system.status(path: path)
        if now?.identity != identity {
            throw StorageError(.replaced, "\(escaped(path)) was moved, deleted or replaced: close the account and open it again")
        }
    }

    /// The status of a file, `nil` if there is none.
    ///
    /// - Parameter withTime: whether `modified` is wanted, too.
    func status(_ name: String, withTime: Bool = false) throws(StorageError) -> FileStatus? {
        do throws(Errno) {
            return withTime ? try system.statusWithTime(name, in: descriptor) : try system.status(name, in: descriptor)
        } catch {
            if error == .noEntry { return nil }
            throw StorageError(error, "examine", path(of: name))
        }
    }

    /// Opens a file that must be regular, with one name, and ours; `nil` if there is none.
    ///
    /// - Parameter others: files from which a new one is kept apart.
    func open(_ name: String, _ mode: OpenMode, apartFrom others: [FileStatus.Identity] = []) throws(StorageError) -> OpenFile? {
        let file: FileDescriptor
        do throws(Errno) {
            file = others.isEmpty ? try openUnleased(name, mode) : try system.create(name, in: descriptor, apartFrom: others)
        } catch {
            if error == .noEntry && mode != .createNew { return nil }
            throw StorageError(error, "open", path(of: name))
        }
        do throws(StorageError) {
            let status = try attempt("examine", path(of: name)) { () throws(Errno) in try system.status(file) }
            try checkIsSafe(status, name)
            return OpenFile(file, status.identity, system)
        } catch {
            try? system.close(file)
            throw error
        }
    }

    /// Somebody may hold a lease on the file: a file server that lets it go when asked, or the writer of the next portfolio.json, if this
    /// reader found the name just before the file lost it.
    private func openUnleased(_ name: String, _ mode: OpenMode) throws(Errno) -> FileDescriptor {
        for _ in 0..<50 {
            do throws(Errno) {
                return try system.open(name, in: descriptor, mode)
            } catch {
                guard error == .wouldBlock else { throw error }
                system.sleep(nanoseconds: 1_000_000)
            }
        }
        return try system.open(name, in: descriptor, mode)
    }

    private func checkIsSafe(_ status: FileStatus, _ name: String) throws(StorageError) {
        guard status.kind == .regular else {
            throw StorageError(.unsafeFile, "\(escaped(path(of: name))) is not a regular file: put one in its place")
        }
        guard isReadOnly || status.user == system.effectiveUserID() else {
            throw StorageError(.unsafeFile, "\(escaped(path(of: name))) belongs to another user")
        }
        guard status.linkCount <= 1 || isReadOnly else {
            throw StorageError(
                .unsafeFile, "\(escaped(path(of: name))) has \(status.linkCount) names (hard links): keep only this one")
        }
    }

    /// The whole of a file, `nil` if there is none.
    func contents(_ name: String, limit: Int) throws(StorageError) -> [UInt8]? {
        guard let file = try open(name, .readOnly) else { return nil }
        return try contents(of: file, name, limit: limit)
    }

    func contents(of file: OpenFile, _ name: String, limit: Int) throws(StorageError) -> [UInt8] {
        let size = try attempt("examine", path(of: name)) { () throws(Errno) in try system.status(file.descriptor).size }
        guard size <= limit else {
            throw StorageError(.corrupt, "\(escaped(path(of: name))) has \(size) bytes, more than the \(limit) it can have")
        }
        // One byte more than the size, so that a file that grows meanwhile is not cut.
        return try read(file, name, at: 0, count: Int(size) + 1)
    }

    /// Up to `count` bytes at `offset`; fewer only at the end of the file.
    func read(_ file: OpenFile, _ name: String, at offset: Int64, count: Int) throws(StorageError) -> [UInt8] {
        // An array without room is shared by all threads, and making one writes to it.
        if count == 0 { return [] }
        var result: Result<Int, Errno> = .success(0)
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            result = system.readFully(file.descriptor, into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            initializedCount = (try? result.get()) ?? 0
        }
        if case .failure(let error) = result { throw StorageError(error, "read", path(of: name), offset: offset) }
        return bytes
    }

    /// Writes all of `bytes`, or throws; then any part may have been written.
    func write(_ bytes: [UInt8], to file: OpenFile, at offset: Int64) throws(Errno) {
        try system.writeFully(bytes, to: file.descriptor, at: offset, limit: system.fileSizeLimit())
    }

    func syncDirectory() throws(StorageError) {
        try attempt("sync", path) { () throws(Errno) in try system.sync(descriptor) }
    }

    /// The name that a journal gets when a reset or a recovery has replaced it: that of a sealed one, unless it is damaged or another has it.
    func nameForOldJournal(generation: UInt32, isWhole: Bool) throws(StorageError) -> String {
        let name = AccountFile.sealedJournal(generation)
        if isWhole, try status(name) == nil { return name }
        return try freeName("journal-\(generation)-damaged.jsonl")
    }

    /// A name of the form `base-<time>` that is free.
    func freeName(_ base: String) throws(StorageError) -> String {
        let stem = "\(base)-\(Timestamp(clamping: system.realTime()))"
        var name = stem
        for number in 2...1000 {
            if try status(name) == nil { return name }
            name = "\(stem)-\(number)"
        }
        throw StorageError(.exists, "no free name like \(escaped(path(of: stem)))")
    }
}

/// Runs system calls; their error becomes a sentence about `operation` and `path`.
func attempt<Result>(
    _ operation: String, _ path: @autoclosure () -> String, _ body: () throws(Errno) -> Result
) throws(StorageError) -> Result {
    do throws(Errno) {
        return try body()
    } catch {
        throw StorageError(error, operation, path())
    }
}
