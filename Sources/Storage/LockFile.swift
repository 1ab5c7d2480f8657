import Ledger

/// A lock on a file of the caller's choice: one acquisition of it.
///
/// Safe to use from several threads; the lock excludes them from each other, too.
public final class LockFile: Sendable {
    private let system: any System
    private let path: String
    private let name: String
    private let directory: FileDescriptor
    private let use = Locked(Use())

    private struct Use {
        var holding: Holding?
        var isClosed = false
    }

    private struct Holding {
        let lock: FileLock
        let threadID: UInt64
    }

    /// Names the file; it is made when the lock is first taken.
    public init(path: String, system: any System) throws(StorageError) {
        let split = try Self.split(path)
        directory = try attempt("open", split.directory) { () throws(Errno) in try system.openDirectory(split.directory, in: nil)
        }
        self.path = path
        self.name = split.name
        self.system = system
    }

    deinit {
        release()
        try? system.close(directory)
    }

    private static func split(_ path: String) throws(StorageError) -> (directory: String, name: String) {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
        guard !name.isEmpty, name != ".", name != ".." else {
            throw StorageError(.invalidArgument, "\"\(escaped(path))\" is not the path of a lock file")
        }
        guard let slash else { return (".", name) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
    }

    /// Takes the lock, exclusive between processes and between threads.
    public func acquire(_ deadline: Deadline) throws(StorageError) {
        let threadID = system.threadID()
        guard use.withLock({ $0.holding?.threadID }) != threadID else {
            throw StorageError(.wouldDeadlock, "this thread already holds \(escaped(path)) through this handle: release it first")
        }
        try checkIsOpen()
        let lock = FileLock(name, in: directory, path: path, purpose: .lock, system: system)
        try lock.acquire(deadline)
        let holding = Holding(lock: lock, threadID: threadID)
        try use.withLock { use throws(StorageError) in
            // Closed in the last moment: nobody is left who could release what this holds.
            if use.isClosed {
                lock.release()
                throw closed
            }
            use.holding = holding
        }
    }

    /// A deadline for ``acquire(_:)`` that ends also when the lock is closed.
    public func deadline(timeoutMilliseconds: Int64) -> Deadline {
        Deadline(timeoutMilliseconds: timeoutMilliseconds, system: system) { [self] in
            use.withLock { $0.isClosed } ? closed : nil
        }
    }

    /// - Throws: ``StorageError/Kind/closed``.
    public func checkIsOpen() throws(StorageError) {
        if use.withLock({ $0.isClosed }) { throw closed }
    }

    private var closed: StorageError {
        StorageError(.closed, "the lock on \(escaped(path)) has been closed: open it again")
    }

    /// Releases the lock; any thread may. `false` if this handle did not hold it.
    @discardableResult
    public func release() -> Bool {
        use.withLock { use in
            guard let holding = use.holding else { return false }
            holding.lock.release()
            use.holding = nil
            return true
        }
    }

    /// Releases the lock, and lets nobody take it through this handle any more: whoever waits in it is told that it is closed.
    public func close() {
        use.withLock { $0.isClosed = true }
        release()
    }

    /// Whether somebody holds the lock now. The holder does not notice.
    public static func isHeld(path: String, system: any System) throws(StorageError) -> Bool {
        let split = try split(path)
        let directory: FileDescriptor
        do throws(Errno) {
            directory = try system.openDirectory(split.directory, in: nil)
        } catch {
            if error == .noEntry { return false }
            throw StorageError(error, "open", split.directory)
        }
        defer { try? system.close(directory) }
        let file: FileDescriptor
        do throws(Errno) {
            file = try system.open(split.name, in: directory, .readOnly)
        } catch {
            if error == .noEntry { return false }
            throw StorageError(error, "open", path)
        }
        defer { try? system.close(file) }
        return try attempt("examine the lock on", path) { () throws(Errno) in
            // A shared lock, so that two who ask at once do not see each other.
            guard try system.tryLock(file, exclusive: false) else { return true }
            try system.unlock(file)
            return false
        }
    }
}
