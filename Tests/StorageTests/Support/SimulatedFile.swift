/// The contents of a file as the kernel has them, and what the platter may hold instead.
///
/// A write changes the page cache. Each 512-byte sector it touches may reach the platter at any later moment, or not at all
/// before the next sync; the same goes for a new size. So a sector that was written since the last sync has several contents that
/// a power cut can leave: the one that was synced, and each one it had since.
struct SimulatedFile {
    /// What processes see.
    private(set) var cached: [UInt8] = []
    /// What is on the platter for certain, but for the sectors in `versions`.
    private var platter: [UInt8] = []
    /// What else a sector may hold on the platter, oldest first.
    private var versions: [Int: [[UInt8]]] = [:]
    /// The sectors that a sync will write.
    private var dirty: Set<Int> = []
    /// The sizes that the file may have on the platter, the certain one first.
    private var sizes = [0]

    static let sectorSize = 512

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
        for sector in offset / Self.sectorSize...(end - 1) / Self.sectorSize {
            versions[sector, default: []].append(cachedSector(sector))
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

    // MARK: Power cuts

    /// What stands in a sector that belongs to the file but was never written to the platter.
    enum Garbage: Int, CaseIterable {
        case zeros, noise, oldData

        func sector(_ number: Int) -> [UInt8] {
            switch self {
            case .zeros: [UInt8](repeating: 0, count: SimulatedFile.sectorSize)
            case .noise: (0..<SimulatedFile.sectorSize).map { UInt8(truncatingIfNeeded: ($0 &+ number &* 7) &* 167 >> 3 | 1) }
            case .oldData:
                Array(
                    String(repeating: "{\"seq\":3,\"at\":\"2026-01-05T09:30:00.000000Z\",\"type\":\"deposit\"}\n", count: 9).utf8
                        .prefix(512))
            }
        }
    }

    /// The sectors whose contents are open, in order.
    var openSectors: [Int] { versions.keys.sorted() }

    /// Whether a sector was written with more than newlines: what a power cut does to it matters most.
    func holdsText(_ sector: Int) -> Bool {
        versions[sector]?.contains { $0.contains { $0 != UInt8(ascii: "\n") } } == true
    }

    /// How many ways there are: of the size, then of each open sector.
    var choices: [Int] { [sizes.count] + openSectors.map { (versions[$0]?.count ?? 0) + 1 } }

    /// What the file is after a power cut: the size and the sectors chosen, each by a number below its count in `choices`.
    func afterCut(_ chosen: ArraySlice<Int>, garbage: Garbage) -> SimulatedFile {
        if isCertain { return SimulatedFile(synced: platter) }
        let size = chosen.first.map { sizes[$0] } ?? 0
        var bytes = Array(platter.prefix(size))
        // What the platter has not got.
        var sector = bytes.count / Self.sectorSize
        while bytes.count < size {
            let filler = garbage.sector(sector)
            bytes.append(contentsOf: filler[(bytes.count - sector * Self.sectorSize)...].prefix(size - bytes.count))
            sector += 1
        }
        for (sector, choice) in zip(openSectors, chosen.dropFirst()) where choice > 0 {
            let start = sector * Self.sectorSize
            guard let content = versions[sector]?[choice - 1], start < size else { continue }
            let count = min(content.count, size - start)
            bytes.replaceSubrange(start..<start + count, with: content[..<count])
        }
        return SimulatedFile(synced: bytes)
    }
}
