import Ledger
import PaperTrade
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct `portfolio.json` {
    private func state(positions: Int, entries: Int, using generator: inout SeededGenerator) throws -> AccountState {
        var records = RandomRecords(generator: generator)
        var state = AccountState()
        state.accountID = "account-1"
        state.generation = 3
        state.seq = 70_000
        state.createdAt = records.timestamp()
        state.updatedAt = records.timestamp()
        state.cash = records.amount()
        state.netDeposits = records.amount()
        state.realizedPnL = records.amount()
        for index in 0..<positions {
            let symbol = try Symbol("S\(index)")
            // More shares than nothing: a cost basis is a price.
            let shares = Shares(clamping: Int64.random(in: 1_000_000...9_000_000_000, using: &records.generator))
            state.setPosition(
                Position(symbol: symbol, shares: shares, cost: records.amount(), firstPurchaseDate: records.timestamp()))
        }
        while state.queue.count < entries {
            guard case .queued(let opportunity) = records.record(ofType: 15, seq: 1).event else { continue }
            state.queue.append(
                QueueEntry(seq: UInt64(state.queue.count + 9), queuedAt: records.timestamp(), opportunity: opportunity))
        }
        for _ in 0..<entries { state.setSignal(records.knownSignal()) }
        if entries > 0 { state.cycles = records.cycleLog() }
        generator = records.generator
        return state
    }

    private let reference = JournalReference(
        position: JournalPosition(offset: 9312, lineCount: 42, seq: 70_000, crc: 0x00AB_CDEF, acceptsAnyLink: false),
        generation: 3,
        durableSeq: 69_999, durableOffset: 9000, rulesOffset: 400)

    @Test func `is not written longer than it can be read`() throws {
        var generator = SeededGenerator(for: "too long")
        var state = try state(positions: 1, entries: 1, using: &generator)
        let reason = try Text(String(repeating: "\u{1}", count: 256), field: "reason")
        let long = try Opportunity(symbol: Symbol("LONG"), signal: .buy, score: Rate(clamping: 1), price: nil, reason: reason)
        let entry = QueueEntry(seq: 9, queuedAt: state.updatedAt, opportunity: long)
        var writer = PortfolioWriter()
        state.queue = Array(repeating: entry, count: 30_000)
        try writer.update(state)
        state.queue += state.queue
        do throws(StorageError) {
            try writer.update(state)
            Issue.record("it can be \(Portfolio.maximumByteCount) bytes")
        } catch { #expect(error.kind == .noSpace, "\(error)") }
        state.queue = [entry]
        try writer.update(state)
    }

    @Test func `brings back every state that was written`() throws {
        var generator = SeededGenerator(for: "portfolio round trip")
        for (positions, entries) in [(0, 0), (1, 0), (0, 1), (1, 1), (20, 7), (500, 50)] {
            let state = try state(positions: positions, entries: entries, using: &generator)
            var writer = PortfolioWriter()
            let text = try writer.write(state, reference)
            let portfolio = try Portfolio(text)
            #expect(portfolio.state == state)
            #expect(portfolio.reference == reference)
            #expect(Portfolio.hasRightChecksum(text))
        }
    }

    @Test func `is byte for byte what jansson would write, also where it is written by hand`() throws {
        var generator = SeededGenerator(for: "portfolio layout")
        for _ in 0..<20 {
            let state = try state(positions: 5, entries: 2, using: &generator)
            var writer = PortfolioWriter()
            let bytes = try writer.write(state, reference)
            let text = String(decoding: bytes, as: UTF8.self)
            guard case .object(let members) = try bytes.withUnsafeBytes({ try JSONValue(parsing: $0) }),
                let first = members.firstIndex(where: { $0.name == "positions" }),
                case .object(let positions) = members[first].value,
                let journal = members.first(where: { $0.name == "journal" })
            else {
                Issue.record("\(text)")
                return
            }
            func dump(_ value: JSONValue, _ layout: JSONValue.Layout) throws -> String {
                var bytes: [UInt8] = []
                try value.write(layout, to: &bytes)
                return String(decoding: bytes, as: UTF8.self)
            }
            #expect(text.hasPrefix(try dump(.object(Array(members[..<first])), .indented).dropLast(2)))
            #expect(positions.count == 5)
            for position in positions { #expect(text.contains("\n    \"\(position.name)\": \(try dump(position.value, .line))")) }
            #expect(text.contains(",\n  \"journal\": \(try dump(journal.value, .line)),\n"))
        }
    }

    @Test func `written again after changes is what a new writer makes of it`() throws {
        var generator = SeededGenerator(for: "portfolio writer")
        var state = try state(positions: 12, entries: 5, using: &generator)
        var writer = PortfolioWriter()
        for _ in 0..<60 {
            let symbol = try Symbol("S\(Int.random(in: 0..<16, using: &generator))")
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: state.removePosition(symbol)
            case 1, 2:
                var records = RandomRecords(generator: generator)
                state.setSignal(records.knownSignal())
                state.cycles = records.cycleLog()
                generator = records.generator
            case 3 where !state.queue.isEmpty: state.queue.remove(at: Int.random(in: 0..<state.queue.count, using: &generator))
            default:
                let shares = Shares(clamping: Int64.random(in: 1_000_000...2_000_000, using: &generator))
                state.setPosition(
                    Position(symbol: symbol, shares: shares, cost: Money(clamping: 5), firstPurchaseDate: state.createdAt))
            }
            var fresh = PortfolioWriter()
            #expect(try writer.write(state, reference) == fresh.write(state, reference))
        }
    }

    @Test func `is noticed when a single bit is changed, or its end is missing`() throws {
        var generator = SeededGenerator(for: "portfolio damage")
        var writer = PortfolioWriter()
        let text = try writer.write(try state(positions: 3, entries: 2, using: &generator), reference)
        for index in text.indices {
            var damaged = text
            damaged[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            #expect(!Portfolio.hasRightChecksum(damaged), "byte \(index)")
            #expect(!Portfolio.hasRightChecksum(Array(text[..<index])), "\(index) bytes")
        }
        #expect(throws: PortfolioProblem.empty) { try Portfolio([]) }
        #expect(throws: PortfolioProblem.empty) { try Portfolio([0, 0, 0]) }
        #expect(throws: PortfolioProblem.edited) { try Portfolio(Array("{}".utf8)) }
    }

    @Test func `that says something impossible is not believed, though its checksum is right`() throws {
        var generator = SeededGenerator(for: "portfolio members")
        var state = try state(positions: 1, entries: 1, using: &generator)
        var log = CycleLog()
        log.monitoring = CycleLog.Last(time: state.createdAt, outcome: .done, failures: 1, lastDone: state.createdAt)
        log.recentTrades = [CycleLog.Trades(time: state.createdAt, count: 2)]
        state.cycles = log
        var writer = PortfolioWriter()
        let right = try writer.write(state, reference)
        let root = try right.withUnsafeBytes { try JSONValue(parsing: $0) }
        // Derived from others, or absent as well as present.
        let free: Set<String> = ["cost_basis", "price", "reason", "confidence", "sector", "previous_failure", "last_done"]
        func sealed(_ value: JSONValue) throws -> [UInt8] {
            var text = Array("s".utf8)
            try value.write(.indented, to: &text)
            return sealedPortfolio(text)
        }
        #expect(try Portfolio(sealed(root)).state == state)
        var count = 0
        for (path, wrong) in withWrongPart(root) {
            guard let name = path.last, !free.contains(name) || (path.first, name) == ("signals", "price") else { continue }
            let text = try sealed(wrong)
            #expect(throws: PortfolioProblem.edited, "\(path)") { try Portfolio(text) }
            count += 1
        }
        #expect(count > 40)
    }

    /// The value again and again, each time with another part of it, at any depth, replaced by `true`.
    private func withWrongPart(_ value: JSONValue) -> [(path: [String], value: JSONValue)] {
        var wrong: [([String], JSONValue)] = [([], .bool(true))]
        switch value {
        case .object(let members):
            for (index, member) in members.enumerated() {
                wrong += withWrongPart(member.value).map { path, part in
                    var changed = members
                    changed[index] = JSONMember(member.name, part)
                    return ([member.name] + path, .object(changed))
                }
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                wrong += withWrongPart(element).map { path, part in
                    var changed = elements
                    changed[index] = part
                    return (["\(index)"] + path, .array(changed))
                }
            }
        default: break
        }
        return wrong
    }

    @Test func `of a newer format stops the account and says so`() throws {
        let machine = try SimulatedMachine.withAccount()
        var text = try #require(machine.disk.files(in: simulatedPath)[AccountFile.portfolio])
        text = AccountSamples.replacing("papertrade/1", "papertrade/2", in: text)
        let end = text.count - ",\n  \"checksum\": \"crc32c:00000000\"\n}\n".utf8.count
        let checksum = text[..<end].withUnsafeBytes { CRC32C.checksum($0) }
        text = Array(text[..<end]) + Array(",\n  \"checksum\": \"crc32c:\(hexadecimal(checksum))\"\n}\n".utf8)
        machine.withState { $0.disk.plant(text, as: AccountFile.portfolio, in: simulatedPath) }
        do throws(StorageError) {
            _ = try DirectoryStore.open(simulatedPath, machine.process())
            Issue.record("it opens")
        } catch {
            #expect(error.kind == .newerFormat)
            #expect(error.description.contains("papertrade/2"))
        }
    }

    /// How an editor saves, and when what it has saved is found.
    enum Edit: CaseIterable {
        case renamed, inPlaceBeforeATrade, inPlaceBeforeClosing, inPlaceOfWhatWasSwappedOut
    }

    @Test(arguments: Edit.allCases)
    func `saved by an editor between two trades is kept aside, reported, and not believed`(_ kind: Edit) throws {
        let machine = try SimulatedMachine.withAccount()
        let log = Locked<[String]>([])
        var options = Options()
        options.system = machine.process()
        options.log = { _, message in log.withLock { $0.append(message) } }
        let account = try Account(simulatedPath, options: options)
        try account.deposit(Money(clamping: 5_000_000))
        try account.deposit(Money(clamping: 1))
        let name = kind == .inPlaceOfWhatWasSwappedOut ? AccountFile.portfolioTemporary : AccountFile.portfolio
        let own = try #require(machine.disk.files(in: simulatedPath)[name])
        // As long as before: nothing but its bytes gives it away.
        let edit = AccountSamples.replacing("10005.0", "99999.0", in: own)
        #expect(edit != own && edit.count == own.count)
        if kind == .renamed {
            machine.withState { $0.disk.plant(edit, as: name, in: simulatedPath) }
        } else {
            machine.overwrite(name, with: edit)
        }
        if kind == .inPlaceBeforeATrade { machine.tick(100_000_000) }
        if kind != .inPlaceBeforeClosing {
            #expect(try account.deposit(Money(clamping: 1)).cashAfter == Money(clamping: 10_005_000_002))
            #expect(log.withLock { $0.count } == 1)
        }
        account.close()
        let files = machine.disk.files(in: simulatedPath)
        #expect(files.filter { $0.key.hasPrefix("portfolio.json.edited-") }.map(\.value) == [edit])
        #expect(files[AccountFile.portfolioTemporary] == nil)
        let messages = log.withLock { $0 }
        #expect(messages.count == 1 && messages.allSatisfy { $0.contains("was kept as portfolio.json.edited-") }, "\(messages)")
        #expect(try verifyAccount(path: simulatedPath, system: machine.process()).isPortfolioCurrent)
    }

    /// Who comes after a trade that has swapped out an edit without reading it.
    enum Successor: CaseIterable {
        case sameHandle, sameHandleClosing, otherHandle, otherHandleClosing, newHandle
    }

    @Test(arguments: Successor.allCases, [true, false])
    func `saved in place at the very moment of a trade is kept aside by whoever comes next`(_ next: Successor, isJSON: Bool)
        throws
    {
        let machine = try SimulatedMachine.withAccount()
        let other = try machine.account()
        let process = machine.process()
        let account = try machine.account(process)
        try account.deposit(Money(clamping: 5_000_000))
        let own = try #require(machine.disk.files(in: simulatedPath)[AccountFile.portfolio])
        let edit = isJSON ? AccountSamples.replacing("10005.0", "99999.0", in: own) : own.dropLast() + [UInt8(ascii: "?")]
        machine.overwrite(AccountFile.portfolio, with: edit)
        func kept() -> [[UInt8]] {
            machine.disk.files(in: simulatedPath).filter { $0.key.hasPrefix("portfolio.json.edited-") }.map(\.value)
        }
        try account.deposit(Money(clamping: 1))
        #expect(kept().isEmpty, "it was read: the test shows nothing")
        switch next {
        case .sameHandle: try account.deposit(Money(clamping: 1))
        case .sameHandleClosing: account.close()
        case .otherHandle: try other.deposit(Money(clamping: 1))
        case .otherHandleClosing: other.close()
        case .newHandle:
            process.kill()
            try machine.account().close()
        }
        account.close()
        #expect(kept() == [edit])
        #expect(try verifyAccount(path: simulatedPath, system: machine.process()).isPortfolioCurrent)
    }

    @Test func `is never made unreadable by a text that JSON readers refuse`() throws {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        for character in (0...0x20).map({ UnicodeScalar(UInt8($0)) }) + ["\u{7F}", "\u{FEFF}", "\u{FFFF}", "\u{10FFFF}"] {
            // Either refused, or kept in a file that can be read.
            guard let reason = try? Text("a\(character)b", field: "reason") else { continue }
            let symbol = try Symbol("S\(character.value)")
            try account.enqueue(try Opportunity(symbol: symbol, signal: .buy, score: .zero, price: nil, reason: reason))
        }
        account.close()
        try machine.account().close()
        #expect(machine.disk.files(in: simulatedPath).keys.filter { $0.contains("edited") }.isEmpty)
        #expect(try verifyAccount(path: simulatedPath, system: machine.process()).isPortfolioCurrent)
    }

    /// The largest numbers that a file can say, with the right checksum: an error or the journal's answer, and never a trap.
    @Test func `and a journal with absurd numbers end no process`() throws {
        let own = try #require(try SimulatedMachine.withAccount().disk.files(in: simulatedPath)[AccountFile.portfolio])
        var texts: [[UInt8]] = []
        for name in ["seq", "generation", "lines", "offset", "durable_seq", "durable_offset", "rules_offset"] {
            for value in ["0", "4294967295", "9007199254740991", "9223372036854775807", "18446744073709551615"] {
                texts.append(try replacingNumber(name, by: value, in: own))
            }
        }
        for text in texts {
            let machine = try SimulatedMachine.withAccount()
            machine.withState { $0.disk.plant(text, as: AccountFile.portfolio, in: simulatedPath) }
            useEverything(machine)
        }
        for (seq, generation) in [(UInt64.max, 1), (largestSeq, 1), (1, UInt32.max), (1, largestGeneration)] as [(UInt64, UInt32)]
        {
            let machine = try SimulatedMachine.withAccount()
            machine.withState { state in
                state.disk.plant(journal(from: seq, generation), as: AccountFile.journal, in: simulatedPath)
                state.disk.plant(nil, as: AccountFile.portfolio, in: simulatedPath)
            }
            useEverything(machine)
        }
    }

    private func replacingNumber(_ name: String, by value: String, in text: [UInt8]) throws -> [UInt8] {
        let text = String(decoding: text, as: UTF8.self)
        let start = try #require(text.firstRange(of: "\"\(name)\": ")).upperBound
        let end = try #require(text[start...].firstIndex { !$0.isNumber })
        return sealedPortfolio(Array(("s" + text[..<start] + value + text[end...]).utf8))
    }

    /// Two events that begin an account, with right checksums, and half a line.
    private func journal(from seq: UInt64, _ generation: UInt32) -> [UInt8] {
        let start = Start(
            kind: .open, accountID: "simulated", generation: generation, createdAt: Timestamp(clamping: 0), cash: .zero,
            netDeposits: .zero, realizedPnL: .zero)
        let events: [Event] = [.started(start), .acceptedRules(Rules())]
        var writer = LineWriter()
        var crc: UInt32 = 0
        for (index, event) in events.enumerated() {
            let time = Timestamp(clamping: 0)
            let id = try? RequestID("same")
            let record = Record(
                seq: seq &+ UInt64(index), at: time, time: time, event: event, requestID: id, note: nil, cash: .zero)
            crc = writer.appendLine(record, durableSeq: 0, more: index == 0, previousCRC: crc, at: Int64(writer.count))
        }
        return writer.bytes + Array("{\"seq\":".utf8) + [UInt8](repeating: fill, count: 2048)
    }

    private func useEverything(_ machine: SimulatedMachine) {
        _ = try? Account.verify(simulatedPath, system: machine.process())
        for _ in 0..<2 {
            if let account = try? machine.account() {
                try? account.history { _ in true }
                _ = try? account.findRequest("same")
                _ = try? account.deposit(Money(clamping: 1), RequestOptions(id: "same"))
                _ = try? account.deposit(Money(clamping: 1))
                _ = try? account.reset()
                account.close()
            }
            var options = Options()
            options.system = machine.process()
            _ = try? Account.recover(simulatedPath, options: options)
        }
    }

    @Test func `that got another name keeps nobody from trading`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("account")
        let (first, second) = (try Account(path), try Account(path))
        try first.deposit(Money(clamping: 1))
        try second.deposit(Money(clamping: 1))
        #expect(link(path + "/portfolio.json", directory.path("snapshot")) == 0)
        let snapshot = directory.read("snapshot")
        for account in [first, second, first, second] { try account.deposit(Money(clamping: 1)) }
        first.close()
        second.close()
        try Account(path).close()
        #expect(directory.read("snapshot") == snapshot)
    }

    @Test func `is closed once, also if that fails: its descriptor may be another thread's by then`() throws {
        let machine = try SimulatedMachine.withAccount()
        let process = machine.process()
        let account = try machine.account(process)
        process.inject(.fail(.inputOutput), at: 0) { $0.operation == .close && $0.subject == AccountFile.portfolioTemporary }
        let calls = process.recording { _ = try? account.deposit(Money(clamping: 1)) }
        #expect(calls.count { $0.operation == .close && $0.subject == AccountFile.portfolioTemporary } == 1)
        // A descriptor that is closed already has no name.
        #expect(!calls.contains { $0.operation == .close && $0.subject == "?" })
        #expect(try account.deposit(Money(clamping: 1)).seq == 3)
    }
}
