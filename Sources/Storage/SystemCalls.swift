/// The system calls themselves. Nothing else in the library calls the operating system, reads a clock or draws random numbers.

import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The machine.
public struct SystemCalls: System {
    public init() {}

    public func open(_ name: String, in directory: FileDescriptor, _ mode: OpenMode) throws(Errno) -> FileDescriptor {
        let access =
            switch mode {
            case .readOnly: O_RDONLY
            case .readWrite: O_RDWR | pt_no_access_time
            case .readWriteCreating: O_RDWR | O_CREAT | pt_no_access_time
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            }
        let flags = access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let opened = name.withCString { name in
            let opened = repeating { openat(directory.rawValue, name, flags, 0o600) }
            guard opened == -1, errno == EPERM, flags & pt_no_access_time != 0 else { return opened }
            // Somebody else's file: reading it costs a little more.
            return repeating { openat(directory.rawValue, name, flags & ~pt_no_access_time, 0o600) }
        }
        let file = try aboveStandardStreams(opened)
        if mode != .readOnly { NotInherited.add(file) }
        // Not while it is made: where it is not allowed the file would be there all the same, and could not be made a second time.
        if mode == .createNew { _ = pt_leave_access_time(file.rawValue) }
        return file
    }

    public func create(
        _ name: String, in directory: FileDescriptor, apartFrom others: [FileStatus.Identity]
    ) throws(Errno) -> FileDescriptor {
        // Those that are not wanted stay open, and so keep their inodes, until one is found that is.
        var unwanted: [FileDescriptor] = []
        defer { for file in unwanted { try? close(file) } }
        while unwanted.count < 64, let file = try? open(name, in: directory, .createNew) {
            guard !others.isEmpty, let identity = try? status(file).identity, others.contains(where: identity.sharesBlock),
                (try? unlink(name, in: directory)) != nil
            else { return file }
            unwanted.append(file)
        }
        while let file = unwanted.popLast() { try? close(file) }
        return try open(name, in: directory, .createNew)
    }

    public func open(path: String) throws(Errno) -> FileDescriptor {
        try aboveStandardStreams(repeating { openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) })
    }

    public func openDirectory(_ name: String, in directory: FileDescriptor?) throws(Errno) -> FileDescriptor {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (directory == nil ? 0 : O_NOFOLLOW)
        return try aboveStandardStreams(repeating { openat(directory?.rawValue ?? AT_FDCWD, name, flags) })
    }

    public func close(_ file: FileDescriptor) throws(Errno) {
        NotInherited.remove(file)
        // Not repeated after EINTR: the descriptor is gone then, and may be another thread's already.
        if systemClose(file.rawValue) != 0 && errno != EINTR { throw Errno(code: errno) }
    }

    public func status(_ file: FileDescriptor) throws(Errno) -> FileStatus {
        var status = stat()
        try check(repeating { pt_status(file.rawValue, nil, 0, &status) })
        return FileStatus(status)
    }

    public func status(_ name: String, in directory: FileDescriptor) throws(Errno) -> FileStatus {
        var status = stat()
        try check(name.withCString { name in repeating { pt_status(directory.rawValue, name, AT_SYMLINK_NOFOLLOW, &status) } })
        return FileStatus(status)
    }

    public func status(path: String) throws(Errno) -> FileStatus {
        var status = stat()
        try check(path.withCString { path in repeating { pt_status(AT_FDCWD, path, 0, &status) } })
        return FileStatus(status)
    }

    public func statusWithTime(_ name: String, in directory: FileDescriptor) throws(Errno) -> FileStatus {
        var status = stat()
        try check(name.withCString { name in repeating { fstatat(directory.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) } })
        return FileStatus(status)
    }

    public func read(_ file: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(Errno) -> Int {
        try count(repeating { pread(file.rawValue, buffer.baseAddress, buffer.count, off_t(offset)) })
    }

    public func write(_ bytes: UnsafeRawBufferPointer, to file: FileDescriptor, at offset: Int64) throws(Errno) -> Int {
        try count(repeating { pwrite(file.rawValue, bytes.baseAddress, bytes.count, off_t(offset)) })
    }

    public func truncate(_ file: FileDescriptor, to size: Int64) throws(Errno) {
        try check(repeating { ftruncate(file.rawValue, off_t(size)) })
    }

    public func syncData(_ file: FileDescriptor) throws(Errno) {
        #if canImport(Darwin)
            try check(repeating { fcntl(file.rawValue, F_FULLFSYNC) })
        #else
            try check(repeating { fdatasync(file.rawValue) })
        #endif
    }

    public func sync(_ file: FileDescriptor) throws(Errno) {
        #if canImport(Darwin)
            try check(repeating { fcntl(file.rawValue, F_FULLFSYNC) })
        #else
            try check(repeating { fsync(file.rawValue) })
        #endif
    }

    public func startWriting(_ file: FileDescriptor, from offset: Int64, count: Int64) {
        #if os(Linux)
            _ = sync_file_range(file.rawValue, offset, count, pt_sync_file_range_write)
        #endif
    }

    public func setMode(_ file: FileDescriptor, _ mode: UInt32) throws(Errno) {
        try check(repeating { fchmod(file.rawValue, mode_t(truncatingIfNeeded: mode)) })
    }

    public func setOwner(_ file: FileDescriptor, user: UInt32, group: UInt32) throws(Errno) {
        try check(repeating { fchown(file.rawValue, user, group) })
    }

    public func rename(_ name: String, to newName: String, in directory: FileDescriptor) throws(Errno) {
        try check(repeating { renameat(directory.rawValue, name, directory.rawValue, newName) })
    }

    public func exchange(_ name: String, with other: String, in directory: FileDescriptor) throws(Errno) {
        #if os(Linux)
            try check(
                name.withCString { name in
                    other.withCString { other in
                        repeating { renameat2(directory.rawValue, name, directory.rawValue, other, pt_rename_exchange) }
                    }
                })
        #else
            try check(repeating { renameatx_np(directory.rawValue, name, directory.rawValue, other, UInt32(RENAME_SWAP)) })
        #endif
    }

    public func unlink(_ name: String, in directory: FileDescriptor) throws(Errno) {
        try check(name.withCString { name in repeating { unlinkat(directory.rawValue, name, 0) } })
    }

    public func makeDirectory(path: String, mode: UInt32) throws(Errno) {
        try check(repeating { mkdir(path, mode_t(truncatingIfNeeded: mode)) })
    }

    public func names(in directory: FileDescriptor) throws(Errno) -> [String] {
        // A descriptor of its own, because closedir closes it and the position is the open file's.
        let copy = try openDirectory(".", in: directory)
        guard let stream = fdopendir(copy.rawValue) else {
            let code = errno
            try? close(copy)
            throw Errno(code: code)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw Errno(code: errno) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    public func currentDirectory() throws(Errno) -> String {
        guard let path = getcwd(nil, 0) else { throw Errno(code: errno) }
        defer { free(path) }
        return String(cString: path)
    }

    public func tryLock(_ file: FileDescriptor, exclusive: Bool) throws(Errno) -> Bool {
        do throws(Errno) {
            try check(repeating { flock(file.rawValue, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) })
            return true
        } catch {
            if error == .wouldBlock { return false }
            throw error
        }
    }

    public func unlock(_ file: FileDescriptor) throws(Errno) {
        try check(repeating { flock(file.rawValue, LOCK_UN) })
    }

    #if os(Linux)
        public func lease(_ file: FileDescriptor) throws(Errno) { try check(repeating { pt_lease(file.rawValue) }) }

        public func unlease(_ file: FileDescriptor) { _ = pt_unlease(file.rawValue) }

        public func makeWaitingPlace(_ file: FileDescriptor) -> WaitingPlace? {
            pt_map_first_page(file.rawValue).map { WaitingPlace(address: $0) }
        }

        public func discard(_ place: WaitingPlace) { pt_unmap_first_page(place.address) }

        public func wait(at place: WaitingPlace, while word: UInt32, nanoseconds: Int64, bits: UInt32) -> Bool {
            let end = monotonicTime() + min(nanoseconds, 1_000_000_000)
            return pt_futex_wait(place.address, word, end, bits) == 0 || errno == ETIMEDOUT || errno == EINTR
        }

        public func wake(at place: WaitingPlace, atMost count: Int32, bits: UInt32) { pt_futex_wake(place.address, count, bits) }

        public func lockByte(_ file: FileDescriptor, at offset: Int64) -> Bool { pt_lock_byte(file.rawValue, offset) == 0 }

        public func unlockByte(_ file: FileDescriptor, at offset: Int64) { _ = pt_unlock_byte(file.rawValue, offset) }

        public func isByteLocked(_ file: FileDescriptor, at offset: Int64) -> Bool {
            pt_byte_is_locked(file.rawValue, offset) == 1
        }

        public func fence() { pt_fence() }
    #endif

    public func isLocal(_ file: FileDescriptor) throws(Errno) -> Bool {
        #if os(Linux)
            let type = pt_file_system_type(file.rawValue)
            if type == -1 && errno != 0 { throw Errno(code: errno) }
            return !networkFileSystems.contains(UInt32(truncatingIfNeeded: type))
        #else
            let isLocal = pt_file_system_is_local(file.rawValue)
            if isLocal < 0 { throw Errno(code: errno) }
            return isLocal != 0
        #endif
    }

    public func fileSizeLimit() -> Int64 {
        var limit = rlimit()
        #if canImport(Glibc)
            let result = getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        #else
            let result = getrlimit(RLIMIT_FSIZE, &limit)
        #endif
        return result == 0 ? Int64(clamping: limit.rlim_cur) : .max
    }

    public func processID() -> Int32 {
        #if os(Linux)
            return pt_process_id(knownProcess)
        #else
            return getpid()
        #endif
    }

    public func processToken() -> UInt64 { token }

    public func threadID() -> UInt64 {
        #if os(Linux)
            return UInt64(pt_thread_id(processID()))
        #else
            var id: UInt64 = 0
            pthread_threadid_np(nil, &id)
            return id
        #endif
    }

    public func effectiveUserID() -> UInt32 { geteuid() }

    public func realTime() -> Int64 {
        let now = time(of: CLOCK_REALTIME)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }

    public func monotonicTime() -> Int64 {
        let now = time(of: CLOCK_MONOTONIC)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    public func yield() { sched_yield() }

    public func sleep(nanoseconds: Int64) {
        var span = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        nanosleep(&span, nil)
    }

    public func random(_ count: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = bytes.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) }
        if result != 0 { throw Errno(code: errno) }
        return bytes
    }
}

/// f_type of file systems whose locks and flushes depend on another machine: the magic numbers of Linux's <linux/magic.h>
/// and fs/*: nfs, smb, smb2, cifs, ncp, afs (two), coda, 9p, ceph, fuse, gfs2, ocfs2, lustre, vboxsf.
private let networkFileSystems: Set<UInt32> = [
    0x6969, 0x517B, 0xFE53_4D42, 0xFF53_4D42, 0x564C, 0x5346_414F, 0x6B41_4653, 0x7375_7245, 0x0102_1997, 0x00C3_6400,
    0x6573_5546, 0x0116_1970, 0x7461_636F, 0x0BD0_0BD0, 0x786F_4256,
]

extension Errno: CustomStringConvertible {
    public static let wouldBlock = Errno(code: EWOULDBLOCK)
    public static let exists = Errno(code: EEXIST)
    public static let noEntry = Errno(code: ENOENT)
    public static let inputOutput = Errno(code: EIO)
    public static let notDirectory = Errno(code: ENOTDIR)
    public static let tooLarge = Errno(code: EFBIG)
    public static let unsupported = Errno(code: EOPNOTSUPP)

    /// What it means for whoever called the library.
    var kind: StorageError.Kind {
        switch code {
        case ENOSPC, EDQUOT, EFBIG: .noSpace
        case EACCES, EPERM: .permission
        case EROFS: .readOnly
        case ELOOP, ENXIO, EISDIR: .unsafeFile
        case ENOMEM: .noMemory
        default: .io
        }
    }

    /// Whether the file system does not know the call.
    var meansUnsupported: Bool { code == EINVAL || code == ENOSYS || code == ENOTSUP || code == EOPNOTSUPP }

    /// The system's sentence, such as "No space left on device".
    public var description: String {
        var buffer = [CChar](repeating: 0, count: 256)
        return buffer.withUnsafeMutableBufferPointer { buffer -> String in
            guard let start = buffer.baseAddress, strerror_r(code, start, buffer.count) == 0 else { return "error \(code)" }
            return String(cString: start)
        }
    }
}

extension FileStatus {
    fileprivate init(_ status: stat) {
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFIFO: .fifo
            default: .other
            }
        #if canImport(Darwin)
            let modified = status.st_mtimespec
        #else
            let modified = status.st_mtim
        #endif
        self.init(
            identity: Identity(device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino)), kind: kind,
            permissions: UInt32(status.st_mode) & 0o7777, linkCount: UInt64(status.st_nlink), user: status.st_uid,
            group: status.st_gid, size: Int64(status.st_size),
            modified: Int64(modified.tv_sec) &* 1_000_000_000 &+ Int64(modified.tv_nsec))
    }
}

private let token = UInt64.random(in: 0...UInt64.max)

#if os(Linux)
    /// Where the process's id is remembered. Not asked for each time: a trade in a batch would spend a sixth of its time on that.
    nonisolated(unsafe) private let knownProcess = pt_map_wiped_on_fork()
#endif

private func systemClose(_ file: Int32) -> Int32 { close(file) }

private func time(of clock: clockid_t) -> timespec {
    var now = timespec()
    clock_gettime(clock, &now)
    return now
}

/// The one place where a call that a signal interrupted is made again.
///
/// The calls of a commit are given names by `withCString`: a string that is passed to C as it is becomes an array first.
private func repeating<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

private func check(_ result: Int32) throws(Errno) {
    if result != 0 { throw Errno(code: errno) }
}

private func count(_ result: Int) throws(Errno) -> Int {
    if result < 0 { throw Errno(code: errno) }
    return result
}

/// A host may have closed its standard streams; a file of ours must not become one of them, to be printed into.
private func aboveStandardStreams(_ file: Int32) throws(Errno) -> FileDescriptor {
    if file < 0 { throw Errno(code: errno) }
    if file > 2 { return FileDescriptor(rawValue: file) }
    let moved = fcntl(file, F_DUPFD_CLOEXEC, 3)
    let code = errno
    _ = systemClose(file)
    if moved < 0 { throw Errno(code: code) }
    return FileDescriptor(rawValue: moved)
}
