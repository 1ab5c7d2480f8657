extension SimulatedFile {
    /// What the file may be after a power cut, each content once, the first one with nothing that was not synced and the second one with
    /// everything.
    ///
    /// - Parameters:
    ///   - garbage: what may stand in sectors that belong to the file but were never written to the platter, by their number.
    ///   - limit: if there are more, so many of them: the extremes, every piece alone and every piece missing, and the rest by chance.
    func contentsAfterCut(
        garbage: [(Int) -> [UInt8]], limit: Int, using generator: inout some RandomNumberGenerator
    ) -> (contents: [FileContents], isComplete: Bool) {
        var found: [FileContents] = []
        var seen: Set<UInt64> = []
        func add(_ size: Int, _ choice: [Int], _ garbage: (Int) -> [UInt8]) {
            let contents = FileContents(bytes(size, choice, garbage))
            if seen.insert(contents.hash).inserted { found.append(contents) }
        }
        let sectors = versions.keys.sorted()
        let counts = sectors.map { (versions[$0]?.count ?? 0) + 1 }
        let nothing = [Int](repeating: 0, count: counts.count)
        let everything = counts.map { $0 - 1 }
        let newest = sizes[sizes.count - 1]
        add(sizes[0], nothing, garbage[0])
        add(newest, everything, garbage[0])
        if isCertain { return (found, true) }

        let kinds = newest > platter.count ? garbage : [garbage[0]]
        let possible = Set(sizes).sorted()
        if let total = Self.product(counts), total <= limit / kinds.count / possible.count {
            var choice = nothing
            for _ in 0..<total {
                for size in possible { for kind in kinds { add(size, choice, kind) } }
                Self.advance(&choice, counts)
            }
            return (found, true)
        }
        for choice in notableChoices(sectors, counts).shuffled(using: &generator).prefix(limit * 2 / 3) {
            for kind in kinds { add(newest, choice, kind) }
        }
        for kind in kinds { add(newest, nothing, kind) }
        for _ in 0..<limit * 2 where found.count < limit {
            let choice = randomChoice(sectors, counts, using: &generator)
            add(possible.randomElement(using: &generator) ?? newest, choice, kinds.randomElement(using: &generator) ?? kinds[0])
        }
        return (found, false)
    }

    /// Every combination of the sectors with text, with all of the fill there and with none of it; and of the fill every page alone and
    /// every page missing, as many from the start and as many to the end, with all of the text there and with none of it.
    private func notableChoices(_ sectors: [Int], _ counts: [Int]) -> [[Int]] {
        let nothing = [Int](repeating: 0, count: counts.count)
        let everything = counts.map { $0 - 1 }
        let texts = sectors.indices.filter { holdsText(sectors[$0]) }
        let fills = sectors.indices.filter { !holdsText(sectors[$0]) }
        var choices: [[Int]] = []
        let textCounts = texts.map { counts[$0] }
        if let total = Self.product(textCounts), total <= 4096 {
            var textChoice = [Int](repeating: 0, count: texts.count)
            for _ in 0..<total {
                for base in fills.isEmpty ? [nothing] : [nothing, everything] {
                    var choice = base
                    for (index, answer) in zip(texts, textChoice) { choice[index] = answer }
                    choices.append(choice)
                }
                Self.advance(&textChoice, textCounts)
            }
        } else {
            for index in texts {
                for answer in 0..<counts[index] {
                    choices += [replacing([index], in: nothing, by: answer), replacing([index], in: everything, by: answer)]
                }
            }
        }
        let pages = Dictionary(grouping: fills) { sectors[$0] / Self.sectorsInPage }.sorted { $0.key < $1.key }.map(\.value)
        for base in [nothing, everything] {
            for (number, page) in pages.enumerated() {
                for set in [page, Array(pages[..<number].joined()), Array(pages[number...].joined())] {
                    var choice = base
                    for index in set { choice[index] = base == nothing ? everything[index] : 0 }
                    choices.append(choice)
                }
            }
        }
        return choices
    }

    private func replacing(_ indices: [Int], in choice: [Int], by answer: Int) -> [Int] {
        var choice = choice
        for index in indices { choice[index] = answer }
        return choice
    }

    /// Of three cuts one lets the disk write whole pages of 4 KiB, one treats all sectors alike, as a disk does that was idle for long or
    /// busy, and one draws each sector.
    private func randomChoice(_ sectors: [Int], _ counts: [Int], using generator: inout some RandomNumberGenerator) -> [Int] {
        let kind = Int.random(in: 0..<3, using: &generator)
        if kind == 0 {
            var lastWrites: [Int: Int] = [:]
            for sector in sectors { lastWrites[sector / Self.sectorsInPage] = Int.random(in: 0...writeCount, using: &generator) }
            return sectors.map { sector in
                let last = lastWrites[sector / Self.sectorsInPage] ?? 0
                return versions[sector]?.prefix { $0.write <= last }.count ?? 0
            }
        }
        let isLazy = Bool.random(using: &generator)
        return counts.map { count in
            let isAlike = kind == 1 && Int.random(in: 0..<8, using: &generator) > 0
            return isAlike ? (isLazy ? 0 : count - 1) : Int.random(in: 0..<count, using: &generator)
        }
    }

    private static let sectorsInPage = 8

    /// Whether a sector was written with more than newlines.
    private func holdsText(_ sector: Int) -> Bool {
        versions[sector]?.contains { $0.bytes.contains { $0 != UInt8(ascii: "\n") } } == true
    }

    private func bytes(_ size: Int, _ choice: [Int], _ garbage: (Int) -> [UInt8]) -> [UInt8] {
        var bytes = Array(platter.prefix(size))
        var sector = bytes.count / Self.sectorSize
        while bytes.count < size {
            let filler = garbage(sector)
            bytes.append(contentsOf: filler[(bytes.count - sector * Self.sectorSize)...].prefix(size - bytes.count))
            sector += 1
        }
        for (sector, answer) in zip(versions.keys.sorted(), choice) where answer > 0 {
            let start = sector * Self.sectorSize
            guard let content = versions[sector]?[answer - 1].bytes, start < size else { continue }
            let count = min(content.count, size - start)
            bytes.replaceSubrange(start..<start + count, with: content[..<count])
        }
        return bytes
    }

    private static func product(_ counts: [Int]) -> Int? {
        var product = 1
        for count in counts {
            let (next, overflow) = product.multipliedReportingOverflow(by: count)
            if overflow { return nil }
            product = next
        }
        return product
    }

    /// The next combination, like a mileage counter.
    static func advance(_ choice: inout [Int], _ counts: [Int]) {
        for index in choice.indices {
            choice[index] += 1
            if choice[index] < counts[index] { return }
            choice[index] = 0
        }
    }
}
