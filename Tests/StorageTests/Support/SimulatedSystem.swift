@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A process on a ``SimulatedMachine``: Storage's system calls, with faults.
///
/// ``onCall`` sees every call before it is made and decides what goes wrong with it. It may also do something else first: make
/// another process act, take notes.
final class SimulatedSystem: System, @unchecked Sendable {
    // Unchecked: `machine` guards itself, the rest is in `script`.
    let machine: SimulatedMachine
    private let id: Int32
    private let script = Locked(Script())

    private struct Script {
        var callCount = 0
        var isDead = false
        var isInHook = false
        var recorded: [SystemCall]?
        var onCall: (@Sendable (SystemCall) -> Fault?)?
        var thread: UInt64?
        var clockShift: Int64 = 0
        var onWait: (@Sendable () -> Void)?
        var onYield: (@Sendable () -> Void)?
    }

    init(_ machine: SimulatedMachine, processID: Int32, onWait: (@Sendable () -> Void)? = nil) {
        self.machine = machine
        id = processID
        script.withLock { $0.onWait = onWait }
    }

    // MARK: Faults

    /// What goes wrong with a call.
    enum Fault: Equatable {
        /// It does nothing and fails. A sync that fails leaves what was dirty clean.
        case fail(Errno)
        /// It does what it should, and reports that it failed.
        case failButDo(Errno)
        /// A write writes only so many bytes, a read reads only so many, at least one; any other call is as always.
        case short(Int)
        /// The process is killed before it.
        case kill
        /// The process is killed after a write has written so many bytes.
        case killAfter(Int)
    }

    /// What every call of a dead process fails with. It never gets to see it, of course.
    static let killed = Errno(code: 9999)

    func onCall(_ handler: (@Sendable (SystemCall) -> Fault?)?) { script.withLock { $0.onCall = handler } }

    /// Injects `fault` into the n-th call from now on, counted from 0, or into that one and all later ones.
    func inject(
        _ fault: Fault, at number: Int, forEver: Bool = false,
        where isMeant: @escaping @Sendable (SystemCall) -> Bool = { _ in true }
    ) {
        let count = Locked(0)
        onCall { call in
            guard isMeant(call) else { return nil }
            let index = count.withLock { count in
                defer { count += 1 }
                return count
            }
            return index == number || (forEver && index > number) ? fault : nil
        }
    }

    /// The calls that `body` makes.
    func recording<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) -> [SystemCall] {
        script.withLock { $0.recorded = [] }
        defer { script.withLock { $0.recorded = nil } }
        try body()
        return script.withLock { $0.recorded ?? [] }
    }

    var isDead: Bool { script.withLock { $0.isDead } }

    /// kill -9: its files are closed, its locks free; what it wrote is in the page cache.
    func kill() {
        script.withLock { $0.isDead = true }
        machine.end(id)
    }

    /// Pretends that the calls come from another thread.
    func pretendThread(_ id: UInt64?) { script.withLock { $0.thread = id } }

    /// Sets the process's clock forward or back.
    func shiftClock(microseconds: Int64) { script.withLock { $0.clockShift = microseconds } }

    /// Counts and records a call, and says what goes wrong with it.
    private func enter(_ operation: SystemCall.Operation, _ subject: String) throws(Errno) -> Fault? {
        let (call, handler) = try script.withLock { script throws(Errno) in
            if script.isDead { throw Self.killed }
            defer { script.callCount += 1 }
            let call = SystemCall(number: script.callCount, operation: operation, subject: subject)
            script.recorded?.append(call)
            return (call, script.isInHook ? nil : script.onCall)
        }
        if let handler {
            // Calls that the handler itself makes through this process are not handled.
            script.withLock { $0.isInHook = true }
            let fault = handler(call)
            script.withLock { $0.isInHook = false }
            switch fault {
            case .kill:
                kill()
                throw Self.killed
            case .fail(let error) where operation != .syncData && operation != .sync: throw error
            default: break
            }
            if call.changesDisk { machine.takeSnapshot(call) }
            return fault
        }
        if call.changesDisk { machine.takeSnapshot(call) }
        return nil
    }

    private func leave(_ fault: Fault?) throws(Errno) {
        switch fault {
        case .failButDo(let error): throw error
        case .killAfter:
            kill()
            throw Self.killed
        default: return
        }
    }

    // MARK: Files

    func open(_ name: String, in directory: FileDescriptor, _ mode: OpenMode) throws(Errno) -> FileDescriptor {
        let fault = try enter(.open, name)
        let file = try machine.open(name, in: directory, mode, process: id)
        if case .failButDo = fault { machine.close(file) }
        try leave(fault)
        return file
    }

    /// The machine has no files but those of accounts.
    func open(path: String) throws(Errno) -> FileDescriptor {
        try leave(try enter(.open, path))
        throw .noEntry
    }

    func openDirectory(_ name: String, in directory: FileDescriptor?) throws(Errno) -> FileDescriptor {
        let fault = try enter(.openDirectory, name)
        let file = try machine.openDirectory(name, in: directory, process: id)
        try leave(fault)
        return file
    }

    func close(_ file: FileDescriptor) throws(Errno) {
        // A failing close closes all the same.
        do throws(Errno) {
            _ = try enter(.close, machine.name(of: file))
        } catch {
            machine.close(file)
            throw error
        }
        machine.close(file)
    }

    func status(_ file: FileDescriptor) throws(Errno) -> FileStatus {
        try leave(try enter(.status, machine.name(of: file)))
        return try machine.status(file).withoutTime
    }

    func status(_ name: String, in directory: FileDescriptor) throws(Errno) -> FileStatus {
        try leave(try enter(.status, name))
        return try machine.status(name, in: directory).withoutTime
    }

    func status(path: String) throws(Errno) -> FileStatus {
        try leave(try enter(.status, path))
        return try machine.status(path: path).withoutTime
    }

    func statusWithTime(_ name: String, in directory: FileDescriptor) throws(Errno) -> FileStatus {
        try leave(try enter(.status, name))
        return try machine.status(name, in: directory)
    }

    func read(_ file: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(Errno) -> Int {
        let fault = try enter(.read, machine.name(of: file))
        var part = buffer
        if case .short(let count) = fault { part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(max(count, 1))) }
        try leave(fault)
        return try machine.read(file, into: part, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: FileDescriptor, at offset: Int64) throws(Errno) -> Int {
        let fault = try enter(.write, machine.name(of: file))
        var part = bytes
        switch fault {
        case .short(let count), .killAfter(let count):
            part = UnsafeRawBufferPointer(rebasing: bytes.prefix(min(max(count, 0), bytes.count)))
        default: break
        }
        try machine.write(part, to: file, at: offset)
        try leave(fault)
        return part.count
    }

    func truncate(_ file: FileDescriptor, to size: Int64) throws(Errno) {
        let fault = try enter(.truncate, machine.name(of: file))
        try machine.truncate(file, to: size)
        try leave(fault)
    }

    func syncData(_ file: FileDescriptor) throws(Errno) { try sync(file, .syncData) }

    func sync(_ file: FileDescriptor) throws(Errno) { try sync(file, .sync) }

    private func sync(_ file: FileDescriptor, _ operation: SystemCall.Operation) throws(Errno) {
        let fault = try enter(operation, machine.name(of: file))
        if case .fail(let error) = fault {
            machine.failSync(file)
            throw error
        }
        try machine.sync(file)
        try leave(fault)
    }

    func startWriting(_ file: FileDescriptor, from offset: Int64, count: Int64) {
        _ = try? enter(.startWriting, machine.name(of: file))
    }

    func setMode(_ file: FileDescriptor, _ mode: UInt32) throws(Errno) {
        let fault = try enter(.setMode, machine.name(of: file))
        machine.change(file) { $0.permissions = mode }
        try leave(fault)
    }

    func setOwner(_ file: FileDescriptor, user: UInt32, group: UInt32) throws(Errno) {
        let fault = try enter(.setOwner, machine.name(of: file))
        machine.change(file) { inode in
            inode.user = user
            inode.group = group
        }
        try leave(fault)
    }

    // MARK: Names

    func rename(_ name: String, to newName: String, in directory: FileDescriptor) throws(Errno) {
        let fault = try enter(.rename, "\(name) to \(newName)")
        try machine.rename(name, to: newName, in: directory)
        try leave(fault)
    }

    func exchange(_ name: String, with other: String, in directory: FileDescriptor) throws(Errno) {
        let fault = try enter(.exchange, "\(name) with \(other)")
        try machine.exchange(name, with: other, in: directory)
        try leave(fault)
    }

    func unlink(_ name: String, in directory: FileDescriptor) throws(Errno) {
        let fault = try enter(.unlink, name)
        try machine.unlink(name, in: directory)
        try leave(fault)
    }

    func makeDirectory(path: String, mode: UInt32) throws(Errno) {
        let fault = try enter(.makeDirectory, path)
        try machine.makeDirectory(path: path, mode: mode)
        try leave(fault)
    }

    func names(in directory: FileDescriptor) throws(Errno) -> [String] {
        try leave(try enter(.names, machine.name(of: directory)))
        return try machine.names(in: directory)
    }

    func currentDirectory() throws(Errno) -> String {
        try leave(try enter(.currentDirectory, "."))
        return "/"
    }

    // MARK: Locks

    func tryLock(_ file: FileDescriptor, exclusive: Bool) throws(Errno) -> Bool {
        let fault = try enter(.tryLock, machine.name(of: file))
        let isTaken = try machine.tryLock(file, exclusive ? .exclusive : .shared)
        try leave(fault)
        return isTaken
    }

    func unlock(_ file: FileDescriptor) throws(Errno) {
        let fault = try enter(.unlock, machine.name(of: file))
        machine.unlock(file)
        try leave(fault)
    }

    func lease(_ file: FileDescriptor) throws(Errno) {
        let fault = try enter(.lease, machine.name(of: file))
        try machine.lease(file)
        try leave(fault)
    }

    func unlease(_ file: FileDescriptor) { machine.unlease(file) }

    // MARK: Waiting

    /// What happens the next times that the process sleeps until it is woken.
    func onWait(_ handler: @escaping @Sendable () -> Void) { script.withLock { $0.onWait = handler } }

    /// What happens while it lets others run.
    func onYield(_ handler: @escaping @Sendable () -> Void) { script.withLock { $0.onYield = handler } }

    func yield() {
        if !isDead { script.withLock { $0.onYield }?() }
    }

    func makeWaitingPlace(_ file: FileDescriptor) -> WaitingPlace? {
        guard script.withLock({ $0.onWait }) != nil else { return nil }
        return UnsafeRawPointer(bitPattern: 8).map { WaitingPlace(address: $0) }
    }

    func wait(at place: WaitingPlace, while word: UInt32, nanoseconds: Int64, bits: UInt32) -> Bool {
        machine.tick(nanoseconds)
        if !isDead { script.withLock { $0.onWait }?() }
        return true
    }

    func lockByte(_ file: FileDescriptor, at offset: Int64) -> Bool {
        guard !isDead, !machine.isByteLocked(file, at: offset) else { return false }
        machine.lockByte(file, at: offset)
        return true
    }

    func unlockByte(_ file: FileDescriptor, at offset: Int64) { machine.unlockByte(file, at: offset) }

    func isByteLocked(_ file: FileDescriptor, at offset: Int64) -> Bool { machine.isByteLocked(file, at: offset) }

    // MARK: Facts

    func isLocal(_ file: FileDescriptor) throws(Errno) -> Bool {
        try leave(try enter(.isLocal, machine.name(of: file)))
        return machine.isLocal
    }

    func random(_ count: Int) throws(Errno) -> [UInt8] {
        try leave(try enter(.random, "\(count)"))
        return (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ Int(id)) }
    }

    func fileSizeLimit() -> Int64 { machine.fileSizeLimit }
    func processID() -> Int32 { id }
    func processToken() -> UInt64 { UInt64(id) &* 0x9E37_79B9_7F4A_7C15 }
    func threadID() -> UInt64 { script.withLock { $0.thread } ?? UInt64(id) }
    func effectiveUserID() -> UInt32 { SimulatedDisk.user }
    func realTime() -> Int64 { 1_790_000_000_000_000 + machine.tick() / 1000 + script.withLock { $0.clockShift } }
    func monotonicTime() -> Int64 { machine.tick() }
    func sleep(nanoseconds: Int64) { machine.tick(nanoseconds) }
}

/// One system call, for tests to recognize.
struct SystemCall: Hashable, Sendable, CustomStringConvertible {
    enum Operation: String, CaseIterable, Sendable {
        case open, openDirectory, close, status, read, write, truncate, syncData, sync, startWriting, setMode, setOwner
        case rename, exchange, unlink, makeDirectory, names, currentDirectory, tryLock, unlock, lease, isLocal, random
    }

    /// How many calls of the process came before.
    let number: Int
    let operation: Operation
    /// The name of the file; for renames both.
    let subject: String

    var description: String { "\(operation.rawValue) \(subject)" }

    /// Whether the disk, or what is certain about it, is another one afterwards; the lock file's contents do not count.
    var changesDisk: Bool {
        if subject == ".lock" { return false }
        return switch operation {
        case .write, .truncate, .syncData, .sync, .rename, .exchange, .unlink, .makeDirectory: true
        case .open: subject.hasPrefix("journal.jsonl.next") || subject.hasPrefix("portfolio.json.tmp")
        default: false
        }
    }
}

extension FileStatus {
    fileprivate var withoutTime: FileStatus {
        FileStatus(
            identity: identity, kind: kind, permissions: permissions, linkCount: linkCount, user: user, group: group, size: size,
            modified: 0)
    }
}
