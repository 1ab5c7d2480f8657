import Ledger
import Storage

/// A lock on a file, exclusive between processes and between threads. Released when the process dies, whatever it dies of.
///
/// The file is made if it is missing, holds the holder's pid and since when, and is never deleted. Not for an account's `.lock`:
/// use ``Account/locked(timeoutMilliseconds:_:)``.
public final class Lock: Sendable {
    private let file: LockFile
    private let system: any System
    private let processID: Int32

    /// - Throws: `io`, `permission`, `invalidArgument` if the path names no file, or its directory cannot be opened.
    public init(_ path: String, system: any System = SystemCalls()) throws(PaperTradeError) {
        file = try translated { () throws(StorageError) in try LockFile(path: path, system: system) }
        self.system = system
        processID = system.processID()
    }

    /// Takes the lock within so many milliseconds: 0 tries once, a negative number waits for ever.
    ///
    /// - Throws: `busy`, naming the holder's pid and since when; `wouldDeadlock` if this thread holds it already; `unsafeFile` if the file has
    ///   another name or holds anything that no lock has left there; `forked`; `closed`.
    public func acquire(timeoutMilliseconds: Int64) throws(PaperTradeError) {
        guard system.processID() == processID else {
            throw PaperTradeError(.forked, "this lock was opened by the parent process: open it again in the child")
        }
        try translated { () throws(StorageError) in
            try file.acquire(file.deadline(timeoutMilliseconds: timeoutMilliseconds))
        }
    }

    /// Tries several times, with a pause in between.
    ///
    /// - Parameters:
    ///   - attempts: 1 or more.
    ///   - delayMilliseconds: 0 or more.
    public func acquire(timeoutMilliseconds: Int64, attempts: Int32, delayMilliseconds: Int64) throws(PaperTradeError) {
        guard attempts >= 1, delayMilliseconds >= 0, delayMilliseconds <= .max / 1_000_000 else {
            throw PaperTradeError(
                .invalidArgument,
                "attempts \(attempts) and delay \(delayMilliseconds) ms: at least one attempt, and no negative delay")
        }
        for attempt in 1...attempts {
            do throws(PaperTradeError) {
                return try acquire(timeoutMilliseconds: timeoutMilliseconds)
            } catch {
                guard error.status == .busy, attempt < attempts else { throw error }
            }
            let end = Deadline(timeoutMilliseconds: delayMilliseconds, system: system)
            while end.remaining(system) > 0 {
                try translated { () throws(StorageError) in try file.checkIsOpen() }
                system.sleep(nanoseconds: min(end.remaining(system), Self.longestSleep))
            }
        }
    }

    /// Between two attempts, nanoseconds: how soon a thread learns that the lock was closed.
    private static let longestSleep: Int64 = 100_000_000

    /// Releases the lock; any thread may. `false` if this handle does not hold it.
    @discardableResult
    public func release() -> Bool { file.release() }

    /// Releases the lock and lets nobody take it through this object any more: whoever waits in it is thrown `closed`. For the C interface; in
    /// Swift dropping the object releases the lock.
    package func close() { file.close() }

    /// Runs `body` while holding the lock; releases it also when `body` throws.
    public func withLock<Result>(
        timeoutMilliseconds: Int64, _ body: () throws -> Result
    ) throws -> Result {
        try acquire(timeoutMilliseconds: timeoutMilliseconds)
        defer { release() }
        return try body()
    }

    /// Whether somebody holds the lock on `path` now. Does not disturb the holder; a file that does not exist is not held.
    public static func isHeld(_ path: String, system: any System = SystemCalls()) throws(PaperTradeError) -> Bool {
        try translated { () throws(StorageError) in try LockFile.isHeld(path: path, system: system) }
    }
}
