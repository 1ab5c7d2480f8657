import PaperTrade

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What tells that a file has been written since: `nil` if it cannot be looked at.
struct FileStamp: Equatable {
    private let size: Int64
    private let seconds: Int64
    private let nanoseconds: Int64

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        size = Int64(status.st_size)
        #if canImport(Darwin)
            let modified = status.st_mtimespec
        #else
            let modified = status.st_mtim
        #endif
        seconds = Int64(modified.tv_sec)
        nanoseconds = Int64(modified.tv_nsec)
    }
}

/// The few files that the command line reads and writes itself: prices and a first config.json.
enum Files {
    /// The whole of a file.
    static func contents(of path: String, limit: Int) throws(PaperTradeError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("open", path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: piece[..<count])
            guard bytes.count <= limit else {
                throw PaperTradeError(.invalidArgument, "\(printable(path)) has more than the \(limit) bytes that are read")
            }
        }
    }

    /// Writes a file that must not exist yet; on the disk when it returns.
    static func create(_ path: String, _ bytes: [UInt8]) throws(PaperTradeError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("make", path) }
        defer { close(file) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw removing(path, failure("write", path)) }
            done += count
        }
        if fsync(file) != 0 { throw removing(path, failure("sync", path)) }
    }

    /// Finds out whether ``create(_:_:)`` will be able to make a file, before the work whose result is to go there.
    static func checkCreatable(_ path: String) throws(PaperTradeError) {
        guard !exists(path) else {
            throw PaperTradeError(.exists, "\(printable(path)) exists already, and is not replaced: give another name")
        }
        try create(path, [])
        unlink(path)
    }

    /// Makes a directory of the user's own, if it is missing.
    static func makeDirectory(_ path: String) throws(PaperTradeError) {
        if mkdir(path, 0o700) != 0 && errno != EEXIST { throw failure("make the directory", path) }
    }

    /// Whether anything has this name.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func removing(_ path: String, _ error: PaperTradeError) -> PaperTradeError {
        unlink(path)
        return error
    }

    private static func failure(_ operation: String, _ path: String) -> PaperTradeError {
        let code = errno
        let status: Status =
            switch code {
            case EEXIST: .exists
            case EACCES, EPERM: .permission
            case EROFS: .readOnly
            case ENOSPC, EDQUOT, EFBIG: .noSpace
            default: .io
            }
        return PaperTradeError(status, "cannot \(operation) \(printable(path)): \(errorText(code))", errno: code)
    }
}
