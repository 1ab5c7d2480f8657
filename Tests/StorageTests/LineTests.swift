import CJansson
import Ledger
import Testing

@testable import Storage

@Suite struct `A line of the journal` {
    private static let count = setting("PAPERTRADE_LINES") ?? 60

    /// Lines of every type, with the records they were written from.
    private func lines(_ what: String) -> [(record: Record, bytes: [UInt8])] {
        var records = RandomRecords(generator: SeededGenerator(for: what))
        var lines: [(Record, [UInt8])] = []
        for round in 0..<Self.count {
            for type in 0..<RandomRecords.typeCount {
                var record = records.record(
                    ofType: type, seq: UInt64.random(in: 1...UInt64(Int64.max), using: &records.generator))
                if case .started(let start) = record.event {
                    // A start's cash stands where every line has it.
                    let started = Start(
                        kind: start.kind, accountID: start.accountID, generation: start.generation, createdAt: start.createdAt,
                        cash: record.cash, netDeposits: start.netDeposits, realizedPnL: start.realizedPnL, restsOn: start.restsOn)
                    record = Record(
                        seq: record.seq, at: record.at, time: record.time, event: .started(started), requestID: record.requestID,
                        note: record.note, cash: record.cash)
                }
                var writer = LineWriter()
                let offset = Int64.random(in: 0...5000, using: &records.generator)
                // Only trades are carried out for others.
                let ticket: String? =
                    switch record.event {
                    case .bought, .sold: round % 3 == 0 ? "5f-\(round)" : nil
                    default: nil
                    }
                _ = writer.appendLine(
                    record, ticket: ticket, durableSeq: UInt64(round), more: records.chance(2),
                    previousCRC: UInt32.random(in: 0...UInt32.max, using: &records.generator),
                    at: offset)
                #expect((offset + Int64(writer.bytes.count) - 1) % sectorSize != 0, "its newline stands first in a sector")
                lines.append((record, writer.bytes))
            }
        }
        return lines
    }

    private func parsed(_ bytes: [UInt8]) -> JournalLine? {
        bytes.withUnsafeBytes { bytes in
            guard hasRightChecksum(bytes) else { return nil }
            var reader = LineReader(bytes)
            return try? reader.readLine()
        }
    }

    @Test func `is byte for byte what jansson makes of it`() throws {
        for (record, bytes) in lines("lines through jansson") {
            var line = Array(bytes.dropLast())
            if line.last == UInt8(ascii: " ") { line.removeLast() }
            var error = json_error_t()
            let value = line.withUnsafeBytes {
                json_loadb($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, Int(JSON_REJECT_DUPLICATES), &error)
            }
            guard let value else {
                Issue.record("jansson does not read \(String(decoding: line, as: UTF8.self))")
                continue
            }
            defer { json_decref(value) }
            // JSON_COMPACT | JSON_REAL_PRECISION(15)
            guard let text = json_dumps(value, 0x20 | 15 << 11) else {
                Issue.record("no memory")
                continue
            }
            let dumped = String(cString: text)
            #expect(dumped == String(decoding: line, as: UTF8.self), "\(record.event.typeName)")
            free(text)
        }
    }

    @Test func `reads back as the record it was written from`() {
        for (record, bytes) in lines("lines read back") {
            let line = parsed(Array(bytes.dropLast()))
            #expect(line?.record == record, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test func `fits in the longest line even when every character is escaped`() throws {
        let text = try Text(String(repeating: "\u{1}", count: 256), field: "note")
        let symbol = try Symbol(String(repeating: "W", count: 32))
        let (score, price) = (Rate(clamping: 99_999_999), Price(clamping: amountLimit))
        let opportunity = try Opportunity(symbol: symbol, signal: .strongBuy, score: score, price: price, reason: text)
        let change = SignalChange(
            kind: .criticalDowngrade, urgency: .critical, symbol: symbol, signal: .strongBuy, score: score, price: price,
            previousSignal: .strongBuy, previousScore: score, confidence: .medium, sector: text, reason: text)
        var counts = Cycle.Counts()
        (counts.analysed, counts.unanalysed, counts.changes, counts.queued) = (.max, .max, .max, .max)
        (counts.bought, counts.sold, counts.rejected, counts.deferred) = (.max, .max, .max, .max)
        let cycle = Cycle(
            kind: .monitoring, outcome: .skipped, reason: text, counts: counts, value: Money(clamping: -amountLimit),
            problem: text)
        var rules = Rules()
        for key in RuleKey.allCases where key.kind == .number {
            let isSet = rules.set(key, to: Rate(clamping: key.range.upperBound.micros - 1))
            #expect(isSet)
        }
        let isSet = rules.setWatchlist(try (0..<124).map { try Symbol("\(1000 + $0)" + String(repeating: "W", count: 28)) })
        #expect(isSet)
        for event in [.queued(opportunity), .signalChanged(change), .ranCycle(cycle), .acceptedRules(rules)] as [Event] {
            let record = Record(
                seq: .max, at: Timestamp(clamping: .max), time: Timestamp(clamping: .max), event: event,
                requestID: try RequestID(String(repeating: "\"", count: 64)), note: text, cash: Money(clamping: -amountLimit))
            var writer = LineWriter()
            _ = writer.appendLine(record, durableSeq: .max, more: true, previousCRC: .max, at: 0)
            #expect(writer.bytes.count < maximumLineCount, "\(event.typeName)")
        }
    }

    @Test func `spelt in any other way than it is written is refused`() throws {
        let record = Record(
            seq: 7, at: Timestamp(clamping: 0), time: Timestamp(clamping: 0), event: .deposited(Money(clamping: 99_999_000)),
            requestID: nil, note: try Text("a\t\u{1}/", field: "note"), cash: Money(clamping: 12))
        let table: [(written: String, otherwise: [String])] = [
            ("\"seq\":7,", ["\"seq\":07,", "\"seq\":7.0,", "\"seq\":+7,"]),
            ("99.999,", ["99.9990,", "99.999000,", "+99.999,", "099.999,", "99.999e0,", "9999900e-5,", "99,", "9.9e-6,"]),
            ("1.2e-5,", ["1.20e-5,", "0.000012,", "12e-6,", "0.12e-4,", "1.2E-5,", "1.2e-05,", "0e-5,", "1.0e-5,", "-0.0,"]),
            ("a\\t\\u0001/", ["a\t\\u0001/", "a\\u0009\\u0001/", "a\\t\u{1}/", "a\\t\\u0001\\/"]),
            ("\"time\":\"1970", ["\"time\": \"1970", "\"time\":\"+1970"]),
        ]
        let line = text(of: record)
        #expect(isRead(line))
        for (written, otherwise) in table {
            let place = try #require(line.firstRange(of: written), "\(written) is not in \(line)")
            for spelling in otherwise {
                #expect(!isRead(line[..<place.lowerBound] + spelling + line[place.upperBound...]), "\(spelling) for \(written)")
            }
        }
        for amount in ["0.0", "-1.0", "1e-6", "-9e-6", "1e-5", "9.9e-5", "0.0001", "0.123456", "999999999.999999"] {
            #expect(isRead(line.replacing("99.999,", with: "\(amount),", maxReplacements: 1)), "\(amount)")
        }
    }

    @Test func `with a word or a number that is none of its member's is refused`() throws {
        let symbol = try Symbol("AAPL")
        var rules = Rules()
        let isSet = rules.setWatchlist([symbol, try Symbol("MSFT")])
        #expect(isSet)
        let events: [(Event, [(written: String, otherwise: [String])])] = [
            (
                .acceptedRules(rules),
                [
                    ("AAPL MSFT", ["AAPL AAPL", "AAPL M,T"]),
                    ("\"sizing.mode\":\"score\"", ["\"sizing.mode\":\"scores\"", "\"sizing.mode\":\"\"", "\"sizing.mode\":1.0"]),
                    ("\"commission.minimum\":", ["\"commission.maximal\":"]),
                ]
            ),
            (
                .signalChanged(
                    SignalChange(
                        kind: .upgrade, urgency: .low, symbol: symbol, signal: .buy, score: .zero,
                        price: Price(clamping: 1_000_000), previousSignal: .hold, previousScore: .zero, confidence: .high,
                        sector: nil, reason: nil)),
                [
                    ("\"HIGH\"", ["\"SURE\"", "\"high\"", "3"]), ("\"BUY\"", ["\"MAYBE\""]),
                    ("\"AAPL\"", ["\"A PL\"", "\"\""]),
                ]
            ),
            (
                .started(
                    Start(
                        kind: .reset, accountID: "account", generation: 77, createdAt: Timestamp(clamping: 0), cash: .zero,
                        netDeposits: .zero, realizedPnL: .zero)),
                [("\"generation\":77", ["\"generation\":4294967296", "\"generation\":-1"])]
            ),
        ]
        for (event, table) in events {
            let record = Record(
                seq: 7, at: Timestamp(clamping: 0), time: Timestamp(clamping: 0), event: event, requestID: nil, note: nil,
                cash: .zero)
            let line = text(of: record)
            #expect(isRead(line))
            for (written, otherwise) in table {
                #expect(line.contains(written), "\(line)")
                for word in otherwise { #expect(!isRead(line.replacing(written, with: word)), "\(word) for \(written)") }
            }
        }
    }

    private func text(of record: Record) -> String {
        var writer = LineWriter()
        _ = writer.appendLine(record, durableSeq: 0, more: false, previousCRC: 0, at: 0)
        return String(decoding: writer.bytes.dropLast(), as: UTF8.self)
    }

    /// Whether the line is read, whatever its checksum.
    private func isRead(_ text: some StringProtocol) -> Bool {
        Array(text.utf8).withUnsafeBytes { bytes in
            var reader = LineReader(bytes)
            return (try? reader.readLine()) != nil
        }
    }

    @Test func `changed in any way is refused or is another record, and never a trap`() {
        var generator = SeededGenerator(for: "mutated lines")
        let samples = lines("lines to mutate")
        for (_, bytes) in samples {
            var line = Array(bytes.dropLast())
            for _ in 0...Int.random(in: 0...2, using: &generator) where !line.isEmpty {
                let index = Int.random(in: 0..<line.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: line[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: line.remove(at: index)
                case 2: line.insert(contentsOf: line[index...].prefix(9), at: index)
                default: line.removeLast(line.count - index)
                }
            }
            // Without its checksum the reader has to hold out alone.
            line.withUnsafeBytes { bytes in
                var reader = LineReader(bytes)
                _ = try? reader.readLine()
            }
            if line != Array(bytes.dropLast()) { #expect(parsed(line) == nil) }
        }
    }

    @Test func `of noise is refused`() {
        var generator = SeededGenerator(for: "noise lines")
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes.withUnsafeBytes { bytes in
                var reader = LineReader(bytes)
                #expect(throws: LineReader.Unexpected.self) { try reader.readLine() }
            }
        }
    }

    @Test func `has the checksum of RFC 3720, section B.4`() {
        let table: [(bytes: [UInt8], crc: UInt32)] = [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ((0..<32).map { $0 }, 0x46DD_794E), ((0..<32).map { 31 - $0 }, 0x113F_DB5C), (Array("123456789".utf8), 0xE306_9283),
            ([], 0),
        ]
        for (bytes, crc) in table {
            #expect(bytes.withUnsafeBytes { CRC32C.checksum($0) } == crc)
            var byTables = CRC32C()
            bytes.withUnsafeBytes { byTables.addByTables($0) }
            #expect(byTables.value == crc)
            for split in bytes.indices {
                var register = CRC32C()
                bytes[..<split].withUnsafeBytes { register.add($0) }
                bytes[split...].withUnsafeBytes { register.add($0) }
                #expect(register.value == crc)
            }
        }
    }

    @Test func `has the same checksum by the instruction and by tables, however long the text is`() {
        var generator = SeededGenerator(for: "long texts")
        let lengths =
            [1535, 1536, 1537, 3071, 3072, 4608, 70_001] + (0..<50).map { _ in Int.random(in: 0..<8000, using: &generator) }
        for length in lengths {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes.withUnsafeBytes { bytes in
                var byTables = CRC32C()
                byTables.addByTables(bytes)
                #expect(CRC32C.checksum(bytes) == byTables.value, "\(length) bytes")
            }
        }
    }
}
