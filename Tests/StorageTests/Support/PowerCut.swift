import Storage

/// What a power cut can leave of a ``SimulatedDisk``.
extension SimulatedDisk {
    /// Which changes of names a power cut may lose.
    enum NameOrder: CaseIterable {
        /// The last ones: a journaling file system keeps their order.
        case kept
        /// Any of them.
        case lost
    }

    /// The disks that a power cut at this moment can leave: all of them if there are no more than `limit`. Else that many: everything
    /// and nothing that was not synced, each open piece alone and each one missing, and the rest drawn by chance.
    func afterPowerCut(limit: Int, names order: NameOrder = .kept, using generator: inout some RandomNumberGenerator)
        -> [SimulatedDisk]
    {
        let cut = PowerCut(self, order)
        var results: [SimulatedDisk] = []
        if let total = cut.total, total <= limit {
            var choice = [Int](repeating: 0, count: cut.counts.count)
            for _ in 0..<total {
                results.append(cut.disk(choice))
                cut.advance(&choice)
            }
            return results
        }
        let nothing = [Int](repeating: 0, count: cut.counts.count)
        let everything = cut.counts.map { $0 - 1 }
        var singles: [[Int]] = []
        for index in cut.counts.indices.shuffled(using: &generator).sorted(by: { cut.matters[$0] && !cut.matters[$1] })
        where cut.counts[index] > 1 {
            var alone = nothing
            alone[index] = everything[index]
            var missing = everything
            missing[index] = 0
            (alone[0], missing[0]) = (cut.randomGarbage(using: &generator), cut.randomGarbage(using: &generator))
            singles += [missing, alone]
        }
        var choices = [nothing, everything] + singles.prefix(max(1, limit / 2))
        while choices.count < limit { choices.append(cut.randomChoice(using: &generator)) }
        return choices.prefix(limit).map { cut.disk($0) }
    }

    /// How many disks a power cut can leave, `nil` if the number is beyond counting.
    func powerCutCount(names order: NameOrder = .kept) -> Int? { PowerCut(self, order).total }
}

/// Every question that a power cut answers, with the number of its answers.
private struct PowerCut {
    private let disk: SimulatedDisk
    private let order: SimulatedDisk.NameOrder
    private var slots: [(inode: UInt64, range: Range<Int>)] = []
    private(set) var counts: [Int] = []
    /// The questions that are asked first if there is no time for all.
    private(set) var matters: [Bool] = []

    init(_ disk: SimulatedDisk, _ order: SimulatedDisk.NameOrder) {
        self.disk = disk
        self.order = order
        // The first question: what stands where nothing was ever written.
        let reachable = Self.reachable(disk)
        let hasGarbage = reachable.contains { disk.inodes[$0]?.file.isCertain == false }
        counts = [hasGarbage ? SimulatedFile.Garbage.allCases.count : 1]
        matters = [false]
        for number in reachable {
            guard let inode = disk.inodes[number] else { continue }
            let start = counts.count
            if inode.kind == .directory {
                let pending = inode.names.pendingCount
                counts += order == .kept ? [pending + 1] : [Int](repeating: 2, count: pending)
                matters += [Bool](repeating: true, count: counts.count - start)
            } else {
                counts += inode.file.choices
                matters += [true] + inode.file.openSectors.map { inode.file.holdsText($0) }
            }
            slots.append((number, start..<counts.count))
        }
    }

    private static func reachable(_ disk: SimulatedDisk) -> [UInt64] {
        var found: Set<UInt64> = [SimulatedDisk.root]
        var open = [SimulatedDisk.root]
        while let number = open.popLast() {
            for next in disk.inodes[number]?.names.reachable ?? [] where found.insert(next).inserted { open.append(next) }
        }
        return found.sorted()
    }

    var total: Int? {
        var product = 1
        for count in counts {
            let (next, overflow) = product.multipliedReportingOverflow(by: count)
            if overflow { return nil }
            product = next
        }
        return product
    }

    /// The next combination of answers, like a mileage counter.
    func advance(_ choice: inout [Int]) {
        for index in choice.indices {
            choice[index] += 1
            if choice[index] < counts[index] { return }
            choice[index] = 0
        }
    }

    /// Half of all cuts treat every piece alike, as a disk does that was idle for long or busy; the others draw each piece.
    func randomChoice(using generator: inout some RandomNumberGenerator) -> [Int] {
        let bias = Int.random(in: 0..<6, using: &generator)
        return counts.map { count in
            let isAlike = bias < 3 && Int.random(in: 0..<8, using: &generator) > 0
            if !isAlike { return Int.random(in: 0..<count, using: &generator) }
            return bias == 0 ? 0 : count - 1
        }
    }

    func randomGarbage(using generator: inout some RandomNumberGenerator) -> Int {
        Int.random(in: 0..<counts[0], using: &generator)
    }

    func disk(_ choice: [Int]) -> SimulatedDisk {
        var result = disk
        result.inodes = [:]
        let garbage = SimulatedFile.Garbage(rawValue: choice[0]) ?? .zeros
        for (number, range) in slots {
            guard var inode = disk.inodes[number] else { continue }
            let answers = choice[range]
            if inode.kind == .directory {
                inode.names = inode.names.afterCut { index in
                    order == .kept ? index < answers[answers.startIndex] : answers[answers.startIndex + index] == 1
                }
            } else {
                inode.file = inode.file.afterCut(answers, garbage: garbage)
                inode.failedSyncs = 0
            }
            result.inodes[number] = inode
        }
        return result
    }
}
