import Ledger

/// Who holds, or last held, a lock: what stands in the lock file. For messages, and to notice that a process waits for itself.
struct LockHolder: Hashable {
    enum Purpose: String {
        case account, lock
    }

    let processID: Int32
    /// Tells processes with one id apart: in containers that share a directory, ids repeat.
    let processToken: UInt64
    let threadID: UInt64
    let purpose: Purpose
    let since: Timestamp

    /// One line of fixed length, so that a later holder overwrites all of it.
    static let byteCount = 112

    /// What replaces the first bytes when the lock is released.
    static let releasedMark = Array("was".utf8)

    var bytes: [UInt8] {
        // Not by string interpolation: every commit writes this.
        var line = LineWriter(capacity: Self.byteCount)
        line.appendRaw("pid ")
        line.appendInteger(UInt64(processID.magnitude))
        line.appendRaw(" since ")
        line.appendTimestamp(since)
        line.appendRaw(purpose == .account ? " account thread " : " lock thread ")
        line.appendInteger(threadID)
        line.appendRaw(" token ")
        line.appendHexadecimal(processToken)
        while line.count < Self.byteCount - 1 { line.appendRaw(" ") }
        line.appendRaw("\n")
        return line.bytes
    }
}

extension LockHolder {
    /// `nil` if `bytes` name nobody: the lock was released, or never held.
    init?(_ bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard words.count == 9, words[0] == "pid", let processID = Int32(words[1]), let since = Timestamp(String(words[3])),
            let purpose = Purpose(rawValue: String(words[4])), let threadID = UInt64(words[6]),
            let token = UInt64(words[8], radix: 16)
        else { return nil }
        self.init(processID: processID, processToken: token, threadID: threadID, purpose: purpose, since: since)
    }
}

/// A moment by which something must have happened.
public struct Deadline: Sendable {
    /// By the monotonic clock, nanoseconds; `nil`: never.
    let moment: Int64?
    /// Asked while waiting for a lock: what ends the wait before its time.
    let interruption: (@Sendable () -> StorageError?)?

    /// - Parameter timeoutMilliseconds: 0 is now, a negative number never.
    public init(timeoutMilliseconds: Int64, system: any System, interruption: (@Sendable () -> StorageError?)? = nil) {
        self.interruption = interruption
        guard timeoutMilliseconds >= 0 else {
            moment = nil
            return
        }
        let (span, overflow) = timeoutMilliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (moment, carry) = system.monotonicTime().addingReportingOverflow(span)
        self.moment = overflow || carry ? nil : moment
    }

    /// Nanoseconds left; 0 if it is past.
    public func remaining(_ system: any System) -> Int64 {
        guard let moment else { return .max }
        return max(0, moment - system.monotonicTime())
    }
}

/// flock(2) on a file: exclusive between processes, and between two of these in one process.
///
/// The file is opened for each acquisition, so that a child forked in between inherits nothing, and never unlinked. Not safe to
/// use from several threads at once.
final class FileLock {
    private let system: any System
    private let directory: FileDescriptor
    private let name: String
    private let path: String
    private let purpose: LockHolder.Purpose
    private var file: FileDescriptor?
    private var ownerProcessID: Int32 = 0

    init(_ name: String, in directory: FileDescriptor, path: String, purpose: LockHolder.Purpose, system: any System) {
        self.name = name
        self.directory = directory
        self.path = path
        self.purpose = purpose
        self.system = system
    }

    deinit { release() }

    var isHeld: Bool { file != nil }

    /// Takes the lock.
    ///
    /// Everybody polls at the same constant, jittered interval: with a growing back-off the one who waits longest asks least
    /// often and starves.
    func acquire(_ deadline: Deadline) throws(StorageError) {
        while true {
            let (file, identity) = try open()
            do throws(StorageError) {
                try poll(file, until: deadline)
                if try isStillNamed(identity) {
                    self.file = file
                    ownerProcessID = system.processID()
                    writeHolder(to: file)
                    return
                }
            } catch {
                try? system.close(file)
                throw error
            }
            // The file was deleted or replaced while we waited: what we hold excludes nobody. Take the one that has the name now.
            try? system.close(file)
            if deadline.remaining(system) == 0 { throw busy(nil) }
        }
    }

    /// Releases the lock; nothing if it is not held. In a forked child it only lets go of the file: LOCK_UN there would free the
    /// parent's lock.
    func release() {
        guard let file else { return }
        self.file = nil
        if ownerProcessID == system.processID() {
            try? system.writeFully(LockHolder.releasedMark, to: file, at: 0, limit: system.fileSizeLimit())
            try? system.unlock(file)
        }
        try? system.close(file)
    }

    private func open() throws(StorageError) -> (file: FileDescriptor, identity: FileStatus.Identity) {
        let file: FileDescriptor
        do throws(Errno) {
            file = try system.open(name, in: directory, .readWriteCreating)
        } catch {
            throw error == .noEntry
                ? StorageError(.replaced, "cannot make \(escaped(path)): its directory is gone", errno: error.code)
                : StorageError(error, "open", path)
        }
        do throws(StorageError) {
            let status = try attempt("examine", path) { () throws(Errno) in try system.status(file) }
            guard status.kind == .regular else {
                throw StorageError(.unsafeFile, "\(escaped(path)) is not a regular file: remove it")
            }
            return (file, status.identity)
        } catch {
            try? system.close(file)
            throw error
        }
    }

    /// How many polls pass between two looks at who holds the lock.
    private static let pollsBetweenLooks = 16

    private func poll(_ file: FileDescriptor, until deadline: Deadline) throws(StorageError) {
        if try tryLock(file) { return }
        var random = UInt64(truncatingIfNeeded: system.monotonicTime()) ^ UInt64(UInt32(bitPattern: system.processID())) << 32
        var count = 0
        while true {
            if let interruption = deadline.interruption?() { throw interruption }
            // Not at every poll: with many waiters that would take more of the processor than their work.
            if count % Self.pollsBetweenLooks == 0 { try checkCanEnd(holder(in: file)) }
            count += 1
            let remaining = deadline.remaining(system)
            if remaining == 0 { throw busy(holder(in: file)) }
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            system.sleep(nanoseconds: min(remaining, Int64(100_000 + (random >> 33) % 200_000)))
            if try tryLock(file) { return }
        }
    }

    /// - Throws: ``StorageError/Kind/wouldDeadlock`` if the holder waits for the one who asks.
    private func checkCanEnd(_ holder: LockHolder?) throws(StorageError) {
        guard let holder, holder.processID == system.processID(), holder.processToken == system.processToken() else { return }
        if purpose == .account && holder.purpose == .lock {
            throw StorageError(
                .wouldDeadlock,
                "this process holds a lock of its own on \(escaped(path)): use the account's lock, or release it first")
        }
        if holder.threadID == system.threadID() {
            throw StorageError(.wouldDeadlock, "this thread already holds \(escaped(path)) through another handle")
        }
    }

    private func tryLock(_ file: FileDescriptor) throws(StorageError) -> Bool {
        try attempt("lock", path) { () throws(Errno) in try system.tryLock(file, exclusive: true) }
    }

    private func isStillNamed(_ identity: FileStatus.Identity) throws(StorageError) -> Bool {
        do throws(Errno) {
            return try system.status(name, in: directory).identity == identity
        } catch {
            if error == .noEntry { return false }
            throw StorageError(error, "examine", path)
        }
    }

    private func busy(_ holder: LockHolder?) -> StorageError {
        guard let holder else {
            return StorageError(.busy, "\(escaped(path)) is locked by another process: try again, or wait longer")
        }
        let waited = holder.processID == system.processID() ? "this process" : "process \(holder.processID)"
        return StorageError(.busy, "\(escaped(path)) is held by \(waited) since \(holder.since): try again, or wait longer")
    }

    private func holder(in file: FileDescriptor) -> LockHolder? {
        var bytes = [UInt8](repeating: 0, count: LockHolder.byteCount)
        let count = bytes.withUnsafeMutableBytes { try? system.read(file, into: $0, at: 0) }
        return count == LockHolder.byteCount ? LockHolder(bytes) : nil
    }

    /// Best effort: the lock holds without it.
    private func writeHolder(to file: FileDescriptor) {
        let holder = LockHolder(
            processID: ownerProcessID, processToken: system.processToken(), threadID: system.threadID(), purpose: purpose,
            since: Timestamp(clamping: system.realTime()))
        try? system.writeFully(holder.bytes, to: file, at: 0, limit: system.fileSizeLimit())
    }
}
