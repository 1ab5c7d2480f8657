import Ledger

@testable import Storage

/// What a power cut at one moment can leave of a ``SimulatedDisk``: any of the names that were not synced, and for each file any of the
/// contents that it may have.
///
/// Sectors of 512 bytes and of 4 KiB: what a disk with the larger ones can leave is among what one with the smaller ones can.
struct PowerCut {
    /// One disk that it can leave.
    struct State {
        fileprivate let files: [(name: String, contents: FileContents)]?
        /// Another number for every other disk.
        let key: UInt64

        /// Another key than that of the empty directory, whose files add nothing to 0.
        fileprivate static let noDirectory = State(files: nil, key: 1)

        var disk: SimulatedDisk {
            guard let files else { return SimulatedDisk() }
            let bytes = files.map { ($0.name, $0.contents.bytes) }
            return SimulatedDisk(directory: "account", files: Dictionary(uniqueKeysWithValues: bytes))
        }
    }

    /// One set of names, and what each file may be.
    fileprivate struct Names {
        var files: [(name: String, contents: [FileContents], marks: [UInt64])]
        var isComplete = true

        /// The temporary file is removed whatever is in it, unless it is somebody's edit. So it is enough to see each of its contents once
        /// beside all the others.
        var isSide: [Bool] { files.map { $0.name == "portfolio.json.tmp" } }
    }

    /// `nil` stands for a disk without the directory.
    private var names: [Names?] = []

    /// - Parameter limit: how many contents of a file are looked at, if not all of them.
    init(_ disk: SimulatedDisk, limit: Int, using generator: inout some RandomNumberGenerator) {
        var contents: [UInt64: (contents: [FileContents], isComplete: Bool)] = [:]
        let above = disk.inodes[SimulatedDisk.root]?.names.afterCut(using: &generator) ?? []
        for directory in Set(above.map { $0["account"] }) {
            guard let directory else {
                names.append(nil)
                continue
            }
            for found in disk.inodes[directory]?.names.afterCut(using: &generator) ?? [] {
                var named = Names(files: [])
                for (name, inode) in found.sorted(by: { $0.key < $1.key }) {
                    let all =
                        contents[inode]
                        ?? disk.inodes[inode]?.file.contentsAfterCut(
                            garbage: Garbage.sectors(for: name, on: disk), limit: limit, using: &generator) ?? ([], true)
                    contents[inode] = all
                    named.isComplete = named.isComplete && all.isComplete
                    let marks = all.contents.map { SimulatedDisk.mark(name: name, hash: $0.hash) }
                    named.files.append((name, all.contents, marks))
                }
                names.append(named)
            }
        }
    }

    /// Calls `body` with every disk; if there are more than `limit`, with as many: every content of every file beside the extremes of the
    /// others, and the rest by chance.
    ///
    /// - Returns: whether that was all.
    func forEachState(limit: Int, using generator: inout some RandomNumberGenerator, _ body: (State) -> Void) -> Bool {
        var isComplete = true
        let share = max(2, limit / max(1, names.count))
        var left = limit
        for named in names.count > limit ? names.shuffled(using: &generator) : names {
            guard left > 0 else { return false }
            guard let named else {
                body(.noDirectory)
                left -= 1
                continue
            }
            let (count, isWhole) = named.forEachState(limit: min(share, left), using: &generator, body)
            left -= count
            isComplete = isComplete && isWhole
        }
        return isComplete
    }
}

extension PowerCut.Names {
    func forEachState(
        limit: Int, using generator: inout some RandomNumberGenerator, _ body: (PowerCut.State) -> Void
    ) -> (count: Int, isComplete: Bool) {
        var count = 0
        func visit(_ choice: [Int]) {
            count += 1
            body(state(choice))
        }
        let counts = files.map(\.contents.count)
        let extremes = counts.map { min(2, $0) }
        let mainCounts = zip(counts, isSide).map { $1 ? min(3, $0) : $0 }
        let sideCounts = zip(counts, isSide).map { $1 ? $0 : min(2, $0) }
        if product(mainCounts) + product(sideCounts) <= limit {
            forEach(mainCounts, visit)
            if isSide.contains(true) {
                forEach(sideCounts) { choice in if zip(choice, isSide).contains(where: { $1 && $0 > 2 }) { visit(choice) } }
            }
            return (count, isComplete)
        }
        if product(extremes) <= limit / 2 { forEach(extremes, visit) } else { visit(extremes.map { $0 - 1 }) }
        for file in counts.indices.shuffled(using: &generator) where counts[file] > 2 {
            for answer in 2..<counts[file] where count < limit * 2 / 3 {
                var choice = extremes.map { Int.random(in: 0..<$0, using: &generator) }
                choice[file] = answer
                visit(choice)
            }
        }
        while count < limit { visit(counts.map { Int.random(in: 0..<$0, using: &generator) }) }
        return (count, false)
    }

    private func state(_ choice: [Int]) -> PowerCut.State {
        var key: UInt64 = 0
        for (file, answer) in zip(files, choice) { key = key &+ file.marks[answer] }
        return PowerCut.State(files: zip(files, choice).map { ($0.name, $0.contents[$1]) }, key: key)
    }

    private func product(_ counts: [Int]) -> Int {
        counts.reduce(1) { $0.multipliedReportingOverflow(by: $1).overflow ? Int.max / 4 : min(Int.max / 4, $0 * $1) }
    }

    private func forEach(_ counts: [Int], _ body: ([Int]) -> Void) {
        var choice = [Int](repeating: 0, count: counts.count)
        for _ in 0..<product(counts) {
            body(choice)
            SimulatedFile.advance(&choice, counts)
        }
    }
}

extension SimulatedDisk {
    /// Disks that a power cut at this moment can leave: all of them, or `limit` if there are more.
    func afterPowerCut(limit: Int, using generator: inout some RandomNumberGenerator) -> [SimulatedDisk] {
        var disks: [SimulatedDisk] = []
        let cut = PowerCut(self, limit: max(limit, 16), using: &generator)
        _ = cut.forEachState(limit: limit, using: &generator) { disks.append($0.disk) }
        return disks
    }
}

/// What stands in sectors that belong to a file but were never written to the platter.
enum Garbage {
    /// Zeros, noise, and the worst that old data can be: of a journal a deleted copy of the account, of portfolio.json
    /// an earlier one.
    static func sectors(for name: String, on disk: SimulatedDisk) -> [(Int) -> [UInt8]] {
        let old = name.hasPrefix("portfolio") ? earlierPortfolio(on: disk) : deletedJournal
        return [
            { _ in [UInt8](repeating: 0, count: SimulatedFile.sectorSize) },
            { number in (0..<SimulatedFile.sectorSize).map { UInt8(truncatingIfNeeded: ($0 &+ number &* 7) &* 167 >> 3 | 1) } },
            { number in
                let sectors = max(1, old.count / SimulatedFile.sectorSize)
                let bytes = old.dropFirst(number % sectors * SimulatedFile.sectorSize).prefix(SimulatedFile.sectorSize)
                return bytes + [UInt8](repeating: UInt8(ascii: "\n"), count: SimulatedFile.sectorSize - bytes.count)
            },
        ]
    }

    private static func earlierPortfolio(on disk: SimulatedDisk) -> [UInt8] {
        let synced = disk.inodes.sorted { $0.key < $1.key }.map(\.value.file.certain)
        return synced.first { $0.starts(with: "{\n".utf8) } ?? []
    }

    /// Lines with the account's id, right checksums and links, and numbers such as its own may have.
    private static let deletedJournal: [UInt8] = {
        let machine = SimulatedMachine()
        guard let store = try? DirectoryStore.open(simulatedPath, machine.process(), creating: true) else { return [] }
        for _ in 0..<40 {
            if let seq = try? store.append(.deposit(Money(clamping: 2_000_000))) { try? store.sync(through: seq) }
        }
        let bytes = machine.disk.files(in: simulatedPath)[AccountFile.journal] ?? []
        return Array(bytes[..<((bytes.lastIndex { $0 != fill } ?? 0) + 2)])
    }()
}
