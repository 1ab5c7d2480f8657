import Storage

/// A disk with what the kernel has cached of it: inodes, names, and what of both is on the platter.
///
/// A value: a copy is a snapshot.
struct SimulatedDisk {
    struct Inode {
        var kind = FileStatus.Kind.regular
        var permissions: UInt32 = 0o600
        var user: UInt32 = SimulatedDisk.user
        var group: UInt32 = SimulatedDisk.user
        var modified: Int64 = 0
        var file = SimulatedFile()
        var names = SimulatedNames()
        /// How many syncs of it have failed. An open file is told of each once.
        var failedSyncs = 0
    }

    /// Whom everything belongs to.
    static let user: UInt32 = 1000

    static let root: UInt64 = 1

    var inodes: [UInt64: Inode] = [root: Inode(kind: .directory, permissions: 0o755)]
    private var lastInode = root

    init() {}

    /// A disk with one directory and these files in it, everything synced.
    init(directory: String, files: [String: [UInt8]]) {
        let inode = makeInode(.directory)
        inodes[inode]?.permissions = 0o700
        inodes[Self.root]?.names.change([(directory, inode)])
        inodes[Self.root]?.names.sync()
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
            let file = makeInode(.regular)
            inodes[file]?.file = SimulatedFile(synced: bytes)
            inodes[inode]?.names.change([(name, file)])
        }
        inodes[inode]?.names.sync()
    }

    mutating func makeInode(_ kind: FileStatus.Kind) -> UInt64 {
        lastInode += 1
        inodes[lastInode] = Inode(kind: kind, modified: Int64(lastInode))
        return lastInode
    }

    /// The directory with an absolute path of one part.
    func directory(_ path: String) -> UInt64? {
        let name = String(path.drop { $0 == "/" })
        return name.isEmpty ? Self.root : inodes[Self.root]?.names.cached[name]
    }

    /// The files of a directory as processes see them.
    func files(in path: String) -> [String: [UInt8]] {
        guard let directory = directory(path), let names = inodes[directory]?.names.cached else { return [:] }
        return names.compactMapValues { inodes[$0]?.file.cached }
    }

    func hasFile(_ name: String, in path: String) -> Bool {
        directory(path).flatMap { inodes[$0]?.names.cached[name] } != nil
    }

    /// Replaces, adds or (`nil`) removes a file behind everybody's back, synced.
    mutating func plant(_ bytes: [UInt8]?, as name: String, in path: String) {
        guard let directory = directory(path) else { return }
        var inode: UInt64?
        if let bytes {
            let new = makeInode(.regular)
            inodes[new]?.file = SimulatedFile(synced: bytes)
            inode = new
        }
        inodes[directory]?.names.change([(name, inode)])
        inodes[directory]?.names.sync()
    }

    /// Everything that is cached is on the platter: a disk after a clean shutdown.
    func settled() -> SimulatedDisk {
        var disk = self
        for inode in disk.inodes.keys {
            disk.inodes[inode]?.names.sync()
            if let bytes = disk.inodes[inode]?.file.cached { disk.inodes[inode]?.file = SimulatedFile(synced: bytes) }
        }
        return disk
    }

    /// A number that two disks share only if their files are the same, but for the lock file, which says when it was last held.
    func fingerprint(of path: String) -> UInt64 {
        files(in: path).reduce(0) { $1.key == ".lock" ? $0 : $0 &+ Self.mark(name: $1.key, hash: FileContents.hash($1.value)) }
    }

    /// What a file contributes to the fingerprint.
    static func mark(name: String, hash: UInt64) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(name)
        hasher.combine(hash)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// Whether all that processes see is on the platter.
    var isSettled: Bool { inodes.values.allSatisfy { $0.file.isCertain && $0.names.pendingCount == 0 } }
}

/// The names in a directory, and those that are on the platter. Each change is one of several names at once, or none of it.
struct SimulatedNames {
    typealias Change = [(name: String, inode: UInt64?)]

    private(set) var cached: [String: UInt64] = [:]
    private var platter: [String: UInt64] = [:]
    private var pending: [Change] = []

    mutating func change(_ change: Change) {
        pending.append(change)
        Self.apply(change, to: &cached)
    }

    mutating func sync() {
        platter = cached
        pending.removeAll()
    }

    private static func apply(_ change: Change, to names: inout [String: UInt64]) {
        for (name, inode) in change { names[name] = inode }
    }

    var pendingCount: Int { pending.count }

    /// The names that a power cut may leave, each set once: any of the pending changes may be lost, or, if there are too many for
    /// that, the last ones, each one, and some by chance. The first one lost all, the second one none.
    func afterCut(using generator: inout some RandomNumberGenerator) -> [[String: UInt64]] {
        let count = pending.count
        var found: [[String: UInt64]] = []
        var seen: Set<[String: UInt64]> = []
        func add(_ happens: (Int) -> Bool) {
            var names = platter
            for (index, change) in pending.enumerated() where happens(index) { Self.apply(change, to: &names) }
            names[".lock"] = nil
            if seen.insert(names).inserted { found.append(names) }
        }
        add { _ in false }
        add { _ in true }
        if count <= 10 {
            for subset in 0..<1 << count { add { subset >> $0 & 1 == 1 } }
        } else {
            for length in 0..<count {
                add { $0 < length }
                add { $0 != length }
            }
            for _ in 0..<200 {
                let subset = UInt64.random(in: 0...UInt64.max, using: &generator)
                add { subset >> UInt64($0 % 64) & 1 == 1 }
            }
        }
        return found
    }
}
