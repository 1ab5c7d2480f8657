/// What Storage needs of the operating system: one function per system call, each the call and nothing else, but for repeating
/// it after EINTR, and remembering ids.
///
/// Tests put themselves between Storage and the machine here: they record calls, make the n-th one fail, cut a write short, or
/// run everything on a simulated disk. ``SystemCalls`` is the machine itself.
public protocol System: Sendable {
    // Files, relative to an open directory
    /// Like openat(2) with O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK added, and O_NOATIME for writing where that is allowed. A forked child does not
    /// inherit what was opened for writing, whose locks would outlive its parent with it.
    func open(_ name: String, in directory: FileDescriptor, _ mode: OpenMode) throws(Errno) -> FileDescriptor
    /// The same with ``OpenMode/createNew``, and an inode that does not share a block of the disk with those of `others`. A hint: where that cannot
    /// be had, wherever it comes to be. Some file systems write that block at each fdatasync if it has been changed
    func create(
        _ name: String, in directory: FileDescriptor, apartFrom others: [FileStatus.Identity]
    ) throws(Errno) -> FileDescriptor
    /// open(2) with O_RDONLY | O_CLOEXEC | O_NONBLOCK, for files of the system: follows symbolic links.
    func open(path: String) throws(Errno) -> FileDescriptor
    /// openat(2) of a directory, or open(2) if `directory` is `nil`. The last component may be a symbolic link only if `directory` is `nil`.
    func openDirectory(_ name: String, in directory: FileDescriptor?) throws(Errno) -> FileDescriptor
    func close(_ file: FileDescriptor) throws(Errno)
    /// fstat(2), without the time, as the next ones: statx(2). Since Linux 6.13 the first write after somebody has asked for the time is given a time of
    /// its own, and then a fdatasync may have to write more than the data
    func status(_ file: FileDescriptor) throws(Errno) -> FileStatus
    /// fstatat(2) with AT_SYMLINK_NOFOLLOW
    func status(_ name: String, in directory: FileDescriptor) throws(Errno) -> FileStatus
    /// stat(2): follows symbolic links
    func status(path: String) throws(Errno) -> FileStatus
    /// fstatat(2) with AT_SYMLINK_NOFOLLOW, with the time
    func statusWithTime(_ name: String, in directory: FileDescriptor) throws(Errno) -> FileStatus
    /// pread(2); fewer bytes than asked, also 0, at the end of the file
    func read(_ file: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(Errno) -> Int
    /// pwrite(2); can write fewer bytes than given. Not beyond ``fileSizeLimit()``, where the kernel would not only refuse, but also send
    /// SIGXFSZ, which ends the host
    func write(_ bytes: UnsafeRawBufferPointer, to file: FileDescriptor, at offset: Int64) throws(Errno) -> Int
    /// ftruncate(2)
    func truncate(_ file: FileDescriptor, to size: Int64) throws(Errno)
    /// fdatasync(2); on macOS fcntl(F_FULLFSYNC), because fsync does not reach the platter there
    func syncData(_ file: FileDescriptor) throws(Errno)
    /// fsync(2); on macOS fcntl(F_FULLFSYNC)
    func sync(_ file: FileDescriptor) throws(Errno)
    /// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: starts the disk early. A hint; nothing where there is no such call.
    func startWriting(_ file: FileDescriptor, from offset: Int64, count: Int64)
    /// fchmod(2)
    func setMode(_ file: FileDescriptor, _ mode: UInt32) throws(Errno)
    /// fchown(2)
    func setOwner(_ file: FileDescriptor, user: UInt32, group: UInt32) throws(Errno)

    // Names
    /// renameat(2)
    func rename(_ name: String, to newName: String, in directory: FileDescriptor) throws(Errno)
    /// renameat2(2) with RENAME_EXCHANGE
    func exchange(_ name: String, with other: String, in directory: FileDescriptor) throws(Errno)
    /// unlinkat(2)
    func unlink(_ name: String, in directory: FileDescriptor) throws(Errno)
    /// mkdir(2)
    func makeDirectory(path: String, mode: UInt32) throws(Errno)
    /// readdir(3) over the whole directory, without "." and ".."
    func names(in directory: FileDescriptor) throws(Errno) -> [String]
    /// getcwd(3)
    func currentDirectory() throws(Errno) -> String

    // Locks
    /// flock(2) with LOCK_EX | LOCK_NB or LOCK_SH | LOCK_NB; `false` if someone else holds it
    func tryLock(_ file: FileDescriptor, exclusive: Bool) throws(Errno) -> Bool
    /// flock(2) with LOCK_UN
    func unlock(_ file: FileDescriptor) throws(Errno)
    /// fcntl(2) with F_SETLEASE and F_WRLCK: from now until the file is closed here, whoever opens it waits; EAGAIN if it is open anywhere else.
    /// EOPNOTSUPP in a system that has no leases
    func lease(_ file: FileDescriptor) throws(Errno)
    /// Gives the lease back. Closing is not enough: a child that was forked meanwhile has the open file, too, and the lease is that file's.
    func unlease(_ file: FileDescriptor)

    // Waiting for one another; in a system that cannot, there are no waiting places, and everybody polls
    /// mmap(2) of the file's beginning
    func makeWaitingPlace(_ file: FileDescriptor) -> WaitingPlace?
    /// munmap(2)
    func discard(_ place: WaitingPlace)
    /// futex(2), FUTEX_WAIT_BITSET: sleeps while the file's first four bytes are `word`, until ``wake(at:atMost:bits:)`` with one of the bits, a
    /// signal, or the time is over, a second at most. Whether it slept at all.
    func wait(at place: WaitingPlace, while word: UInt32, nanoseconds: Int64, bits: UInt32) -> Bool
    /// futex(2), FUTEX_WAKE_BITSET: of those who wait with one of the bits, in whatever process, it wakes so many; who has waited longest comes first.
    func wake(at place: WaitingPlace, atMost count: Int32, bits: UInt32)
    /// fcntl(2), F_OFD_SETLK: locks a byte until the file is closed. `false` if another open file has it, or the system has no such locks
    func lockByte(_ file: FileDescriptor, at offset: Int64) -> Bool
    /// fcntl(2), F_OFD_SETLK with F_UNLCK
    func unlockByte(_ file: FileDescriptor, at offset: Int64)
    /// fcntl(2), F_OFD_GETLK: whether another open file has locked the byte
    func isByteLocked(_ file: FileDescriptor, at offset: Int64) -> Bool
    /// A memory fence: what was written before it is seen by everybody before what is read after it is read
    func fence()

    // Facts about the process and the machine
    /// Whether fstatfs(2) says that the file system is on this machine.
    func isLocal(_ file: FileDescriptor) throws(Errno) -> Bool
    /// getrlimit(2), RLIMIT_FSIZE, soft limit
    func fileSizeLimit() -> Int64
    /// getpid(2)
    func processID() -> Int32
    /// A random number that stays the same in one process, and in children forked from it.
    func processToken() -> UInt64
    /// gettid(2), or what identifies the thread on this system
    func threadID() -> UInt64
    /// geteuid(2)
    func effectiveUserID() -> UInt32
    /// CLOCK_REALTIME, microseconds since 1970
    func realTime() -> Int64
    /// CLOCK_MONOTONIC, nanoseconds
    func monotonicTime() -> Int64
    /// sched_yield(2): lets others run who are ready to
    func yield()
    /// nanosleep(2); returns early when a signal interrupts it
    func sleep(nanoseconds: Int64)
    /// getentropy(3)
    func random(_ count: Int) throws(Errno) -> [UInt8]
}

/// An open file; owned by whoever opened it.
public struct FileDescriptor: Hashable, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }
}

extension System {
    public func create(
        _ name: String, in directory: FileDescriptor, apartFrom others: [FileStatus.Identity]
    ) throws(Errno) -> FileDescriptor {
        try open(name, in: directory, .createNew)
    }

    public func lease(_ file: FileDescriptor) throws(Errno) { throw .unsupported }

    public func unlease(_ file: FileDescriptor) {}
    public func makeWaitingPlace(_ file: FileDescriptor) -> WaitingPlace? { nil }
    public func discard(_ place: WaitingPlace) {}
    public func wait(at place: WaitingPlace, while word: UInt32, nanoseconds: Int64, bits: UInt32) -> Bool { false }
    public func wake(at place: WaitingPlace, atMost count: Int32, bits: UInt32) {}
    public func lockByte(_ file: FileDescriptor, at offset: Int64) -> Bool { false }
    public func unlockByte(_ file: FileDescriptor, at offset: Int64) {}
    public func isByteLocked(_ file: FileDescriptor, at offset: Int64) -> Bool { true }
    public func fence() {}
    public func yield() {}
}

/// The beginning of an open file, as a place where processes wait for one another.
public struct WaitingPlace: @unchecked Sendable {
    let address: UnsafeRawPointer
}

/// How a file is opened.
public enum OpenMode: Equatable, Sendable {
    case readOnly
    case readWrite
    /// Reads and writes, making the file with mode 0600 if it is missing.
    case readWriteCreating
    /// Makes the file with mode 0600; EEXIST if it is there.
    case createNew
}

/// What fstat(2) tells.
public struct FileStatus: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case regular, directory, symbolicLink, fifo, other
    }

    /// Which file it is: no two files of a machine have the same at one time.
    public struct Identity: Hashable, Sendable {
        public let device: UInt64
        public let inode: UInt64

        public init(device: UInt64, inode: UInt64) {
            self.device = device
            self.inode = inode
        }

        /// Whether ext4, as it is made everywhere, keeps both inodes in one block: 16 of 256 bytes, numbered from 1.
        func sharesBlock(with other: Identity) -> Bool {
            device == other.device && (inode &- 1) / 16 == (other.inode &- 1) / 16
        }
    }

    public let identity: Identity
    public let kind: Kind
    /// The permission bits, 0 to 0o7777.
    public let permissions: UInt32
    public let linkCount: UInt64
    public let user: UInt32
    public let group: UInt32
    public let size: Int64
    /// Nanoseconds since 1970; 0 where it was not asked for.
    public let modified: Int64

    public init(
        identity: Identity, kind: Kind, permissions: UInt32, linkCount: UInt64, user: UInt32, group: UInt32, size: Int64,
        modified: Int64
    ) {
        self.identity = identity
        self.kind = kind
        self.permissions = permissions
        self.linkCount = linkCount
        self.user = user
        self.group = group
        self.size = size
        self.modified = modified
    }

    /// Whether anybody, root included, is meant to write: a mode without write bits says no.
    public var hasWriteBits: Bool { permissions & 0o222 != 0 }
}

/// The system's error number.
public struct Errno: Error, Hashable, Sendable {
    public let code: Int32

    public init(code: Int32) { self.code = code }
}
