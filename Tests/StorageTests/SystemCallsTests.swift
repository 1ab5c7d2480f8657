import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the machine itself does; everything else is tested on a simulated one.
@Suite struct `The system's calls` {
    let system = SystemCalls()
    let directory: TemporaryDirectory
    let descriptor: FileDescriptor

    init() throws {
        directory = try TemporaryDirectory()
        descriptor = try system.openDirectory(directory.path, in: nil)
    }

    @Test func `tell the same of a file however they are asked, and the time only if they are asked for it`() throws {
        defer { try? system.close(descriptor) }
        let start = system.realTime() * 1000
        try directory.write(Array("four".utf8), to: "file")
        let file = try system.open("file", in: descriptor, .readWrite)
        defer { try? system.close(file) }
        try system.setMode(file, 0o640)
        let status = try system.status(file)
        #expect(status.kind == .regular && status.permissions == 0o640 && status.size == 4 && status.linkCount == 1)
        #expect(status.user == system.effectiveUserID())
        #expect(status.modified == 0)
        #expect(try system.status("file", in: descriptor) == status)
        #expect(try system.status(path: directory.path("file")) == status)
        let timed = try system.statusWithTime("file", in: descriptor)
        #expect(timed.identity == status.identity && timed.size == 4 && timed.permissions == 0o640)
        // The kernel's clock for files may be a tick behind.
        #expect(timed.modified > start - 1_000_000_000 && timed.modified < start + 60_000_000_000)
        #expect(try system.status(descriptor).kind == .directory)
        #expect(throws: Errno.noEntry) { try system.status("none", in: descriptor) }
    }

    @Test func `keep a new file's inode apart from those of others, and leave nothing else behind`() throws {
        defer { try? system.close(descriptor) }
        var others = [try system.status(descriptor).identity]
        for number in 0..<4 {
            let openBefore = try openFiles()
            let file = try system.create("file\(number)", in: descriptor, apartFrom: others)
            defer { try? system.close(file) }
            let identity = try system.status(file).identity
            #expect(!others.contains(where: identity.sharesBlock))
            #expect(try system.status("file\(number)", in: descriptor).identity == identity)
            #expect(try openFiles() == openBefore + 1)
            others.append(identity)
        }
        #expect(try system.names(in: descriptor).sorted() == ["file0", "file1", "file2", "file3"])
        #expect(throws: Errno.exists) { _ = try system.create("file0", in: descriptor, apartFrom: others) }
    }

    private func openFiles() throws -> Int {
        // Other tests open files meanwhile, so only those of this directory are counted.
        let own = try system.openDirectory("/proc/self/fd", in: nil)
        defer { try? system.close(own) }
        let device = try system.status(descriptor).identity
        return try system.names(in: own).count { name in
            guard let status = try? system.status(path: "/proc/self/fd/\(name)") else { return false }
            return status.kind == .regular && status.identity.device == device.device && isOurs("/proc/self/fd/\(name)")
        }
    }

    /// Whether the name of an open file, or the one that it had, is in this directory.
    private func isOurs(_ link: String) -> Bool {
        var target = [UInt8](repeating: 0, count: 4096)
        let count = target.withUnsafeMutableBytes { bytes in bytes.baseAddress.map { readlink(link, $0, bytes.count) } ?? 0 }
        return count > 0 && String(decoding: target.prefix(count), as: UTF8.self).hasPrefix(directory.path + "/")
    }
}
