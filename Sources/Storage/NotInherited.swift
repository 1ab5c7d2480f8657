#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The open files that a forked child must not share: what O_CLOFORK would be, if there were such a flag.
///
/// A lock by flock(2) belongs to the open file. A child that shares it keeps the lock that its parent held when it died, for as long as
/// the child lives, without knowing. So in every child these descriptors are made to lead to the root directory. They are not closed:
/// a number that is free would be given to a file of the child's own, which a handle of the parent's could then close.
enum NotInherited {
    /// To be called as soon as the file is open. Between the two a child can be forked that shares it; the lock here is not held while the file
    /// is opened, because on a file system that hangs no thread of the host could fork then.
    static func add(_ file: FileDescriptor) {
        _ = isRegistered
        pthread_mutex_lock(mutex)
        if count == capacity { grow() }
        files[count] = file.rawValue
        count += 1
        pthread_mutex_unlock(mutex)
    }

    /// To be called before the file is closed.
    static func remove(_ file: FileDescriptor) {
        pthread_mutex_lock(mutex)
        // From the end: most files are closed soon after they were opened.
        var index = count - 1
        while index >= 0, files[index] != file.rawValue { index -= 1 }
        if index >= 0 {
            count -= 1
            files[index] = files[count]
        }
        pthread_mutex_unlock(mutex)
    }

    // Plain memory: between fork and exec nothing may be allocated.
    nonisolated(unsafe) private static var files = UnsafeMutablePointer<Int32>.allocate(capacity: 64)
    nonisolated(unsafe) private static var capacity = 64
    nonisolated(unsafe) private static var count = 0

    nonisolated(unsafe) private static let mutex: UnsafeMutablePointer<pthread_mutex_t> = {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        return mutex
    }()

    /// Held while the process forks, so that the child finds the list whole.
    private static let isRegistered: Bool = {
        let result = pthread_atfork(
            { pthread_mutex_lock(NotInherited.mutex) }, { pthread_mutex_unlock(NotInherited.mutex) },
            {
                NotInherited.replaceAll()
                pthread_mutex_unlock(NotInherited.mutex)
            })
        return result == 0
    }()

    private static func grow() {
        let larger = UnsafeMutablePointer<Int32>.allocate(capacity: 2 * capacity)
        larger.update(from: files, count: count)
        files.deallocate()
        files = larger
        capacity *= 2
    }

    private static func replaceAll() {
        guard count > 0 else { return }
        let root = systemOpen("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        for index in 0..<count {
            guard root >= 0, dup2(root, files[index]) >= 0 else {
                close(files[index])
                continue
            }
            _ = fcntl(files[index], F_SETFD, FD_CLOEXEC)
        }
        if root >= 0 { close(root) }
        count = 0
    }
}

private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, flags) }
