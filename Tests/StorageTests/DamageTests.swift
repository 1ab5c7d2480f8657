import Ledger
import PaperTrade
import Testing

@testable import Storage

/// A journal that something other than a crash has changed. `PAPERTRADE_ALL_DAMAGE=1` tries every bit, length, sector and block of one with
/// 200 events.
@Suite struct `A damaged journal` {
    private let isWhole = setting("PAPERTRADE_ALL_DAMAGE") != nil
    /// How many damages were not found, or not as they should be.
    private let missed = Locked(0)

    /// All of `numbers`, or `count` of them by chance.
    private func sample(_ numbers: Range<Int>, _ count: Int, using generator: inout SeededGenerator) -> [Int] {
        isWhole || numbers.count <= count ? Array(numbers) : (0..<count).map { _ in Int.random(in: numbers, using: &generator) }
    }

    private func sample() throws -> DamageSample { try DamageSample(rounds: isWhole ? 18 : 5) }

    /// For whoever adds up what was tried.
    private func report(_ what: String, tried: Int, of account: DamageSample) {
        let missed = missed.withLock { $0 }
        if isWhole { print("RESULT damage-\(what): tried=\(tried) missed=\(missed) events=\(account.lastSeq)") }
    }

    private func isData(_ kind: StorageError.Kind) -> Bool {
        switch kind {
        case .corrupt, .missingData, .newerFormat, .wrongAccount: true
        default: false
        }
    }

    /// Verify finds it. Open finds it, or has all the events: it reads only what is new. Neither ever has fewer.
    ///
    /// - Parameter mayBeTorn: whether it looks like a write that a power cut tore, which only portfolio.json can tell it is not.
    private func expectFound(
        _ sample: DamageSample, _ journal: [UInt8], _ what: String, at place: Range<Int>? = nil, mayBeTorn: Bool = false,
        _ location: SourceLocation = #_sourceLocation
    ) {
        expectNone(problems(sample, journal, at: place, mayBeTorn: mayBeTorn), what, location)
    }

    /// Records the problems with one damage, and counts it.
    private func expectNone(_ problems: [String], _ what: String, _ location: SourceLocation = #_sourceLocation) {
        for problem in problems { Issue.record("\(what): \(problem)", sourceLocation: location) }
        if !problems.isEmpty { missed.withLock { $0 += 1 } }
    }

    private func problems(_ sample: DamageSample, _ journal: [UInt8], at place: Range<Int>?, mayBeTorn: Bool) -> [String] {
        guard case .found(let kind, let offset) = sample.verify(sample.with(journal: journal)), isData(kind) else {
            return ["verify finds nothing"]
        }
        var problems: [String] = []
        if let place, !place.contains(Int(offset)), !(mayBeTorn && kind == .missingData) {
            problems.append("verify finds it at byte \(offset), not in \(place)")
        }
        switch sample.open(sample.with(journal: journal)) {
        case .found(let kind, _) where isData(kind): break
        case .whole: break
        case let verdict: problems.append("open: \(verdict)")
        }
        switch sample.open(sample.with(journal: journal, portfolio: false)) {
        case .found(let kind, _) where isData(kind): break
        case .dropped where mayBeTorn: break
        case let verdict: problems.append("open without portfolio.json: \(verdict)")
        }
        return problems
    }

    @Test func `any flipped bit is found, at its line`() throws {
        var generator = SeededGenerator(for: "flipped bits")
        let account = try sample()
        // The last line is the one that nothing after it vouches for.
        let lastLine = try #require(account.starts.last) * 8..<account.journal.count * 8
        let bits = Set(
            sample(0..<account.journal.count * 8, 150, using: &generator) + sample(lastLine, 60, using: &generator)
                + (account.journal.count * 8 - 24..<account.journal.count * 8))
        for bit in bits {
            var journal = account.journal
            journal[bit / 8] ^= 1 << UInt8(bit % 8)
            let start = account.lineStart(of: bit / 8)
            expectFound(account, account.journal(journal), "bit \(bit % 8) of byte \(bit / 8)", at: start..<start + 1)
        }
        report("bits", tried: bits.count, of: account)
    }

    @Test func `a flipped bit behind the last line loses nothing`() throws {
        var generator = SeededGenerator(for: "flipped fill")
        let account = try DamageSample()
        let whole = account.journal(account.journal)
        for bit in sample(account.journal.count * 8..<whole.count * 8, 40, using: &generator) {
            var journal = whole
            journal[bit / 8] ^= 1 << UInt8(bit % 8)
            for verdict in [account.verify(account.with(journal: journal)), account.open(account.with(journal: journal))] {
                switch verdict {
                case .whole: break
                case .found(.corrupt, let offset): #expect(Int(offset) >= account.journal.count)
                default: Issue.record("bit \(bit): \(verdict)")
                }
            }
        }
    }

    @Test func `a journal cut anywhere is found out`() throws {
        var generator = SeededGenerator(for: "truncation")
        let account = try sample()
        let lengths = Set(sample(0..<account.journal.count - 1, 80, using: &generator) + account.starts)
        for length in lengths {
            let disk = account.with(journal: Array(account.journal[..<length]))
            let problems = [account.verify(disk), account.open(disk)].compactMap { verdict -> String? in
                if case .found(let kind, _) = verdict, isData(kind) { return nil }
                return "\(verdict)"
            }
            expectNone(problems, "cut to \(length) bytes")
        }
        report("lengths", tried: lengths.count, of: account)
    }

    @Test(arguments: [512, 4096])
    func `a sector or block of zeros, of newlines, of noise or from elsewhere is found`(_ size: Int) throws {
        var generator = SeededGenerator(for: "sectors of \(size) bytes")
        let account = try sample()
        let count = account.journal.count / size
        let sectors = Set(sample(0..<count, 12, using: &generator) + [count - 1])
        for sector in sectors {
            let range = sector * size..<(sector + 1) * size
            let other = (sector + 1 + Int.random(in: 0..<count - 1, using: &generator)) % count
            let contents: [(String, [UInt8])] = [
                ("zeros", [UInt8](repeating: 0, count: size)), ("newlines", [UInt8](repeating: fill, count: size)),
                ("noise", (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }),
                ("sector \(other)", Array(account.journal[other * size..<(other + 1) * size])),
            ]
            for (name, content) in contents {
                var journal = account.journal
                journal.replaceSubrange(range, with: content)
                let start = account.lineStart(of: range.lowerBound)
                expectFound(
                    account, account.journal(journal), "sector \(sector) of \(size) is \(name)", at: start..<range.upperBound,
                    mayBeTorn: name == "newlines" && sector == count - 1)
            }
        }
        report("sectors-\(size)", tried: sectors.count * 4, of: account)
    }

    @Test func `lines removed, repeated, swapped or put in are found`() throws {
        var generator = SeededGenerator(for: "lines")
        let account = try DamageSample()
        let lines = account.journal.split(separator: fill).map { Array($0) }
        func text(_ lines: [[UInt8]]) -> [UInt8] { account.journal(lines.flatMap { $0 + [fill] }) }
        for index in sample(1..<lines.count - 1, 12, using: &generator) {
            var removed = lines
            removed.remove(at: index)
            expectFound(account, text(removed), "line \(index) removed")
            var repeated = lines
            repeated.insert(lines[index], at: index)
            expectFound(account, text(repeated), "line \(index) repeated")
            var swapped = lines
            swapped.swapAt(index, index + 1)
            expectFound(account, text(swapped), "line \(index) swapped")
            var strange = lines
            strange.insert(Array("{}".utf8), at: index)
            expectFound(account, text(strange), "a strange line before line \(index)")
        }
    }

    @Test func `a line of another history with the same number and the same figures is found`() throws {
        let journals = try ["a", "b"].map { note -> [UInt8] in
            let machine = try SimulatedMachine.withAccount()
            let account = try machine.account()
            for text in ["same", note, "same"] { try account.deposit(Money(clamping: 1_000_000), RequestOptions(note: text)) }
            return try #require(machine.disk.files(in: simulatedPath)[AccountFile.journal])
        }
        let lines = journals.map { $0.split(separator: fill).map { Array($0) } }
        #expect(lines[0].map(\.count) == lines[1].map(\.count) && lines[0][3] != lines[1][3])
        for index in 3...4 {
            var mixed = lines[0]
            mixed[index] = lines[1][index]
            let bytes = mixed.flatMap { $0 + [fill] } + [UInt8](repeating: fill, count: 1024)
            let machine = SimulatedMachine(SimulatedDisk(directory: "account", files: [AccountFile.journal: bytes]))
            let report = try verifyAccount(path: simulatedPath, system: machine.process())
            #expect(report.problems.first?.kind == .corrupt)
            #expect(throws: StorageError.self) { try DirectoryStore.open(simulatedPath, machine.process()) }
        }
    }

    @Test func `what editors and converters do to a journal is found`() throws {
        let account = try DamageSample()
        let lines = account.journal.split(separator: fill).map { Array($0) }
        let spaced = account.journal.flatMap { $0 == UInt8(ascii: ",") ? Array(", ".utf8) : [$0] }
        let pretty = lines.flatMap { line in
            line.flatMap { $0 == UInt8(ascii: ",") ? Array(",\n  ".utf8) : [$0] } + [fill]
        }
        let conversions: [(String, [UInt8])] = [
            ("CRLF", account.journal.flatMap { $0 == fill ? [0x0D, 0x0A] : [$0] }),
            ("a byte order mark", [0xEF, 0xBB, 0xBF] + account.journal),
            ("spaces after commas", spaced),
            ("one member a line", pretty),
            ("UTF-16", account.journal.flatMap { [$0, 0] }),
            ("no last newline", Array(account.journal.dropLast())),
            ("a NUL at the end", account.journal + [0]),
            ("a list around it", Array("[".utf8) + account.journal + Array("]".utf8)),
        ]
        for (name, journal) in conversions {
            let disk = account.with(journal: journal)
            for verdict in [account.verify(disk), account.open(disk)] {
                switch verdict {
                case .found(let kind, _) where isData(kind): break
                case .whole where name == "a NUL at the end": break
                default: Issue.record("\(name): \(verdict)")
                }
            }
        }
        // What an editor does to the end of a file loses nothing.
        #expect(account.verify(account.with(journal: account.journal)) == .whole)
        #expect(account.open(account.with(journal: account.journal)) == .whole)
    }

    @Test func `a journal of noise never traps`() throws {
        var generator = SeededGenerator(for: "noise")
        let account = try DamageSample()
        for _ in 0..<(isWhole ? 20_000 : 60) {
            var journal = account.journal
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let start = Int.random(in: 0..<journal.count, using: &generator)
                let end = min(journal.count, start + Int.random(in: 0...40, using: &generator))
                journal.replaceSubrange(
                    start..<end,
                    with: (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                        UInt8.random(in: 0...255, using: &generator)
                    })
            }
            let disk = account.with(journal: journal, portfolio: Bool.random(using: &generator))
            for verdict in [account.verify(disk), account.open(disk)] {
                #expect(verdict != .changed)
            }
        }
    }
}
