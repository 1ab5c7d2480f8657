/// The contents of a file as the kernel has them, and what the platter may hold instead.
///
/// A write changes the page cache. Each 512-byte sector it touches may reach the platter at any later moment, or not at all
/// before the next sync; the same goes for a new size. So a sector that was written since the last sync has several contents that
/// a power cut can leave: the one that was synced, and each one it had since.
struct SimulatedFile {
    /// What processes see.
    private(set) var cached: [UInt8] = []
    /// What is on the platter for certain, but for the sectors in `versions`.
    private(set) var platter: [UInt8] = []
    /// What else a sector may hold on the platter, oldest first.
    private(set) var versions: [Int: [Version]] = [:]
    private(set) var writeCount = 0
    /// The sectors that a sync will write.
    private var dirty: Set<Int> = []
    /// The sizes that the file may have on the platter, the certain one first.
    private(set) var sizes = [0]

    static let sectorSize = 512

    struct Version {
        /// The number of the write that made it.
        let write: Int
        let bytes: [UInt8]
    }

    init() {}

    /// A file that is on the platter.
    init(synced bytes: [UInt8]) {
        cached = bytes
        platter = bytes
        sizes = [bytes.count]
    }

    var isCertain: Bool { versions.isEmpty && sizes.count == 1 }

    /// What a power cut would leave if everything that was ever synced is all there is.
    var certain: [UInt8] { Array(platter.prefix(sizes[0])) }

    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard !bytes.isEmpty else { return }
        let end = offset + bytes.count
        if end > cached.count {
            cached.append(contentsOf: repeatElement(0, count: end - cached.count))
            sizes.append(end)
        }
        cached.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[offset..<end]).copyMemory(from: bytes) }
        writeCount += 1
        for sector in offset / Self.sectorSize...(end - 1) / Self.sectorSize {
            versions[sector, default: []].append(Version(write: writeCount, bytes: cachedSector(sector)))
            dirty.insert(sector)
        }
    }

    mutating func truncate(to size: Int) {
        if size < cached.count { cached.removeLast(cached.count - size) }
        if size > cached.count { cached.append(contentsOf: repeatElement(0, count: size - cached.count)) }
        sizes.append(size)
    }

    /// fdatasync that succeeds: writes what is dirty. A sector whose write failed before is clean, and stays as it is.
    mutating func sync() {
        if platter.count < cached.count { platter.append(contentsOf: repeatElement(0, count: cached.count - platter.count)) }
        for sector in dirty {
            let bytes = cachedSector(sector)
            let start = sector * Self.sectorSize
            guard start < platter.count else { continue }
            platter.replaceSubrange(start..<min(start + bytes.count, platter.count), with: bytes)
            versions[sector] = nil
        }
        dirty.removeAll()
        sizes = [cached.count]
    }

    /// fdatasync that fails: what was dirty is clean from now on, whether or not it got to the platter.
    mutating func failSync() { dirty.removeAll() }

    private func cachedSector(_ sector: Int) -> [UInt8] {
        let start = sector * Self.sectorSize
        return start < cached.count ? Array(cached[start..<min(start + Self.sectorSize, cached.count)]) : []
    }
}

/// The bytes of a file, with a number that tells them from others.
struct FileContents {
    let bytes: [UInt8]
    let hash: UInt64

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        hash = Self.hash(bytes)
    }

    /// The fill at the end counts by its length only: hashing it would take most of the time.
    static func hash(_ bytes: [UInt8]) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(bytes.count)
        bytes.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[..<usedCount($0)])) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// How many bytes come before the newlines at the end.
    private static func usedCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        var count = bytes.count
        while count >= 8, bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self) == 0x0A0A_0A0A_0A0A_0A0A { count -= 8 }
        while count > 0, bytes[count - 1] == UInt8(ascii: "\n") { count -= 1 }
        return count
    }
}
