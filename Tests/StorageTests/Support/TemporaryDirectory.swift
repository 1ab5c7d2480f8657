import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A fresh directory of the real file system, removed with all that is in it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/papertrade-test-XXXXXX".utf8CString)
        guard template.withUnsafeMutableBufferPointer({ buffer in buffer.baseAddress.flatMap { mkdtemp($0) } }) != nil else {
            throw Errno(code: errno)
        }
        path = template.withUnsafeBufferPointer { buffer in buffer.baseAddress.map { String(cString: $0) } ?? "" }
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        let system = SystemCalls()
        if let directory = try? system.openDirectory(path, in: nil) {
            for name in (try? system.names(in: directory)) ?? [] where unlink(path + "/" + name) != 0 {
                remove(path + "/" + name)
            }
            try? system.close(directory)
        }
        rmdir(path)
    }

    func path(_ name: String) -> String { path + "/" + name }

    /// The contents of a file, `nil` if there is none.
    func read(_ name: String) -> [UInt8]? {
        guard let file = fopen(path(name), "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        guard let file = fopen(path(name), "wb"), fwrite(bytes, 1, bytes.count, file) == bytes.count, fclose(file) == 0 else {
            throw Errno(code: errno)
        }
    }

    func status(_ name: String) throws -> FileStatus { try SystemCalls().status(path: path(name)) }
}
