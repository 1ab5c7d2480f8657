import Ledger

/// Who holds, or last held, a lock: what stands in the lock file. For messages, and to notice that a process waits for itself.
struct LockHolder: Equatable {
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

    /// The first bytes while the lock is held.
    private static let heldMark = Array("pid ".utf8)

    /// What replaces the first bytes when the lock is released.
    static let releasedMark = Array("was".utf8)

    /// The first four bytes while the lock is held and when it has been released, as the processor reads them: what waiters wait on.
    static let heldWord = heldMark.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
    static let releasedWord = (releasedMark + heldMark.suffix(1)).withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }

    /// Whether a file of this size, which is not empty, and with this beginning is a lock file, and not somebody else's data.
    static func isLockFile(_ beginning: ArraySlice<UInt8>, size: Int64) -> Bool {
        // The file is never synced: after a power cut it can have its size and no contents.
        if size <= byteCount && beginning.count == size && beginning.allSatisfy({ $0 == 0 }) { return true }
        // On a full disk it can be any part of the line, with the other mark over it. Byte by byte: whoever releases the lock just now may
        // have written his mark in part. The process id follows.
        let marks = zip(heldMark, releasedMark + [0])
        guard size <= byteCount, zip(beginning, marks).allSatisfy({ $0 == $1.0 || $0 == $1.1 }) else { return false }
        let next = beginning.dropFirst(heldMark.count).first ?? 0
        return next == 0 || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next)
    }

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
/// The file stays open from the first acquisition on, and is never unlinked. Not safe to use from several threads at once.
final class FileLock {
    private let system: any System
    private let directory: FileDescriptor
    private let name: String
    private let path: String
    private let purpose: LockHolder.Purpose
    private var file: OpenLock?
    private(set) var isHeld = false
    /// When somebody else had it when it was asked for, by the monotonic clock.
    private var lastHeldByOthers: Int64?
    /// The most bytes that a file may have, as it was when the lock was taken.
    private var fileSizeLimit: Int64 = 0

    private struct OpenLock {
        let descriptor: FileDescriptor
        let identity: FileStatus.Identity
        let place: WaitingPlace?
        /// Who opened it. A child that was forked since has no such file.
        let processID: Int32
    }

    init(_ name: String, in directory: FileDescriptor, path: String, purpose: LockHolder.Purpose, system: any System) {
        self.name = name
        self.directory = directory
        self.path = path
        self.purpose = purpose
        self.system = system
    }

    deinit {
        release()
        close()
    }

    enum Acquisition {
        case locked
        /// Whoever had the lock has done what was left for him.
        case delegated(RequestBoard.Claim)
    }

    /// Whether others have had the lock within the last second, when this one asked for it: then some may be waiting for it now.
    var wasRecentlyContended: Bool {
        lastHeldByOthers.map { system.monotonicTime() - $0 < 1_000_000_000 } ?? false
    }

    /// Takes the lock.
    ///
    /// - Parameter leaving: asked if it has to be waited for: a board on which a request has been left.
    @discardableResult
    func acquire(
        _ deadline: Deadline, leaving: (() -> RequestBoard?)? = nil
    ) throws(StorageError) -> Acquisition {
        while true {
            let isNew = self.file == nil
            let file = try open()
            if case .delegated(let claim) = try poll(file, until: deadline, leaving) { return .delegated(claim) }
            let isNamed: Bool
            do throws(StorageError) {
                isNamed = try isStillNamed(file.identity)
                // Who held it may have written to it since it was opened.
                if isNew { try checkIsLockFile(file.descriptor) }
            } catch {
                close()
                throw error
            }
            if isNamed {
                isHeld = true
                fileSizeLimit = system.fileSizeLimit()
                writeHolder(to: file)
                return .locked
            }
            // The file was deleted or replaced: what we hold excludes nobody. Take the one that has the name now.
            close()
            if deadline.remaining(system) == 0 { throw busy(nil) }
        }
    }

    /// Releases the lock; nothing if it is not held, or in a forked child, where it is not.
    ///
    /// - Parameter bits: of those one of whom is woken.
    func release(waking bits: UInt32 = .max) {
        guard isHeld, let file else { return }
        isHeld = false
        guard file.processID == system.processID() else { return }
        try? system.writeFully(LockHolder.releasedMark, to: file.descriptor, at: 0, limit: fileSizeLimit)
        do throws(Errno) {
            try system.unlock(file.descriptor)
        } catch {
            return close()
        }
        if let place = file.place { system.wake(at: place, atMost: 1, bits: bits) }
    }

    /// Another place to wait at for the same lock.
    func makeWaitingPlace() -> WaitingPlace? { file.flatMap { system.makeWaitingPlace($0.descriptor) } }

    private func open() throws(StorageError) -> OpenLock {
        if let file { return file }
        let descriptor: FileDescriptor
        do throws(Errno) {
            descriptor = try system.open(name, in: directory, .readWriteCreating)
        } catch {
            throw error == .noEntry
                ? StorageError(.replaced, "cannot make \(escaped(path)): its directory is gone", errno: error.code)
                : StorageError(error, "open", path)
        }
        do throws(StorageError) {
            let identity = try checkIsLockFile(descriptor)
            let opened = OpenLock(
                descriptor: descriptor, identity: identity, place: system.makeWaitingPlace(descriptor),
                processID: system.processID())
            file = opened
            return opened
        } catch {
            try? system.close(descriptor)
            throw error
        }
    }

    /// Before the first byte is written over what somebody else keeps there. Who owns the file does not matter.
    @discardableResult
    private func checkIsLockFile(_ descriptor: FileDescriptor) throws(StorageError) -> FileStatus.Identity {
        let status = try attempt("examine", path) { () throws(Errno) in try system.status(descriptor) }
        guard status.kind == .regular else {
            throw StorageError(.unsafeFile, "\(escaped(path)) is not a regular file: remove it")
        }
        // None is right, too: it was just deleted, which is looked at when it is locked.
        guard status.linkCount <= 1 else {
            throw StorageError(
                .unsafeFile,
                "\(escaped(path)) has another name, a hard link: lock a file that has none, or remove the other name")
        }
        if status.size == 0 { return status.identity }
        var bytes = [UInt8](repeating: 0, count: LockHolder.byteCount)
        let result = bytes.withUnsafeMutableBytes { system.readFully(descriptor, into: $0, at: 0) }
        let count = try attempt("read", path) { () throws(Errno) in try result.get() }
        guard LockHolder.isLockFile(bytes[..<count], size: status.size) else {
            throw StorageError(
                .unsafeFile, "\(escaped(path)) is no lock file, it holds other data: lock another file, or move this one away")
        }
        return status.identity
    }

    private func close() {
        guard let file else { return }
        self.file = nil
        guard file.processID == system.processID() else { return }
        if let place = file.place { system.discard(place) }
        try? system.close(file.descriptor)
    }

    /// How many attempts pass between two looks at who holds the lock.
    private static let attemptsBetweenLooks = 16

    /// The longest sleep, nanoseconds: whoever is killed while holding the lock wakes nobody.
    private static let longestSleep: Int64 = 10_000_000

    private func poll(
        _ file: OpenLock, until deadline: Deadline, _ leaving: (() -> RequestBoard?)?
    ) throws(StorageError) -> Acquisition {
        if try tryLock(file) { return .locked }
        lastHeldByOthers = system.monotonicTime()
        if let leaving, let place = file.place, deadline.remaining(system) > 0, let board = leaving() {
            return try wait(file, at: place, until: deadline, board)
        }
        return try wait(file, until: deadline)
    }

    /// Waits for the lock.
    private func wait(_ file: OpenLock, until deadline: Deadline) throws(StorageError) -> Acquisition {
        var random = UInt64(truncatingIfNeeded: system.monotonicTime()) ^ UInt64(UInt32(bitPattern: system.processID())) << 32
        var count = 0
        // Whether the last attempt came after a sleep.
        var hasSlept = true
        while true {
            if let interruption = deadline.interruption?() { throw interruption }
            // Not at every attempt: with many waiters that would take more of the processor than their work.
            if count % Self.attemptsBetweenLooks == 0 { try checkCanEnd(file) }
            count += 1
            let remaining = deadline.remaining(system)
            if remaining == 0 { throw busy(holder(in: file)) }
            let sleep = min(remaining, Self.longestSleep)
            if let place = file.place,
                system.wait(at: place, while: LockHolder.heldWord, nanoseconds: sleep, bits: RequestBoard.lockOnly)
            {
                hasSlept = true
            } else if hasSlept {
                // Released since the last attempt.
                hasSlept = false
            } else {
                // No place to wait at, or a holder who does not give his name: poll. Everybody at the same constant, jittered interval:
                // with a growing back-off the one who waits longest asks least often and starves.
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                system.sleep(nanoseconds: min(remaining, Int64(100_000 + (random >> 33) % 200_000)))
            }
            if try tryLock(file) { return .locked }
        }
    }

    /// How long the owner of a claimed request waits before he takes the lock to look into the journal himself, nanoseconds.
    private static let longestWaitForReport: Int64 = 1_000_000_000

    /// Waits for the lock, or until its holder has done what stands on the board.
    private func wait(
        _ file: OpenLock, at place: WaitingPlace, until deadline: Deadline, _ board: RequestBoard
    ) throws(StorageError) -> Acquisition {
        var count = 0
        var claimedSince: Int64?
        while true {
            var isClaimed = false
            // Nobody will have done what has just been left; if somebody has, that is seen after a sleep.
            switch count == 0 ? .waiting : board.fate {
            case .reported(let claim): return .delegated(claim)
            case .refused: return try wait(file, until: deadline)
            case .waiting, .unknown: board.renew()
            case .claimed(let claim):
                let now = system.monotonicTime()
                let since = claimedSince ?? now
                claimedSince = since
                // Woken, but not by a report: that was meant for one of those who need the lock.
                if count > 0 { system.wake(at: place, atMost: 1, bits: board.bitsOfUnclaimed) }
                isClaimed = now - since < Self.longestWaitForReport && !board.isAbandoned(claim)
            }
            // The first attempt has just been made.
            if count > 0, !isClaimed, try tryLock(file) { return .locked }
            if let interruption = deadline.interruption?() { throw interruption }
            // Most requests have been done when their owner wakes up.
            if count % Self.attemptsBetweenLooks == 1 { try checkCanEnd(file) }
            count += 1
            let remaining = deadline.remaining(system)
            if remaining == 0 { throw busy(holder(in: file)) }
            let sleep = min(remaining, Self.longestSleep)
            if system.wait(at: place, while: LockHolder.heldWord, nanoseconds: sleep, bits: board.bits) { continue }
            // The lock is free, or somebody has it who has not given his name yet. Whoever releases it wakes one of those who wait.
            if !isClaimed, try tryLock(file) { return .locked }
            if system.wait(at: place, while: LockHolder.releasedWord, nanoseconds: sleep, bits: board.bits) { continue }
            // Taken or released in between, or no word of ours: that must not become a busy loop.
            system.sleep(nanoseconds: min(remaining, 50_000))
        }
    }

    /// - Throws: ``StorageError/Kind/wouldDeadlock`` if the holder waits for the one who asks.
    private func checkCanEnd(_ file: OpenLock) throws(StorageError) {
        // Nearly always another process has it: no need to read all that stands there.
        guard holderBytes(in: file).starts(with: "pid \(file.processID) ".utf8) else { return }
        guard let holder = holder(in: file), holder.processToken == system.processToken() else { return }
        if purpose == .account && holder.purpose == .lock {
            throw StorageError(
                .wouldDeadlock,
                "this process holds a lock of its own on \(escaped(path)): use the account's lock, or release it first")
        }
        if holder.threadID == system.threadID() {
            throw StorageError(.wouldDeadlock, "this thread already holds \(escaped(path)) through another handle")
        }
    }

    private func tryLock(_ file: OpenLock) throws(StorageError) -> Bool {
        try attempt("lock", path) { () throws(Errno) in try system.tryLock(file.descriptor, exclusive: true) }
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

    private func holder(in file: OpenLock) -> LockHolder? { LockHolder(holderBytes(in: file)) }

    /// What stands in the lock file; nothing if it is too short, or cannot be read.
    private func holderBytes(in file: OpenLock) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: LockHolder.byteCount)
        let count = bytes.withUnsafeMutableBytes { try? system.read(file.descriptor, into: $0, at: 0) }
        return count == LockHolder.byteCount ? bytes : []
    }

    /// Best effort: the lock holds without it.
    private func writeHolder(to file: OpenLock) {
        let holder = LockHolder(
            processID: file.processID, processToken: system.processToken(), threadID: system.threadID(), purpose: purpose,
            since: Timestamp(clamping: system.realTime()))
        try? system.writeFully(holder.bytes, to: file.descriptor, at: 0, limit: fileSizeLimit)
    }
}
