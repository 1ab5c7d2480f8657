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
    func fingerprint(of path: String) -> Int {
        var hasher = Hasher()
        for (name, bytes) in files(in: path).sorted(by: { $0.key < $1.key }) where name != ".lock" {
            hasher.combine(name)
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
        return hasher.finalize()
    }
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

    /// Every inode that some power cut could leave a name for.
    var reachable: Set<UInt64> {
        Set(platter.values).union(cached.values).union(pending.flatMap { $0.compactMap(\.inode) })
    }

    /// The names after a power cut that lets only some of the pending changes happen.
    func afterCut(_ happens: (Int) -> Bool) -> SimulatedNames {
        var names = SimulatedNames()
        names.platter = platter
        for (index, change) in pending.enumerated() where happens(index) { Self.apply(change, to: &names.platter) }
        names.cached = names.platter
        return names
    }
}
