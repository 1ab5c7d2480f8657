import Ledger
import Testing

@testable import Scheduling

@Suite struct `A time zone file` {
    /// Offsets as Python's zoneinfo has them.
    @Test func `tells the offset at any moment, also beyond its last change`() throws {
        let table = """
            UTC                  2014-06-09T00:00:00Z  0
            Asia/Kolkata         2014-06-09T00:00:00Z  19800
            Europe/London        1970-06-09T00:00:00Z  3600
            Europe/London        2014-12-09T00:00:00Z  0
            Europe/London        2090-06-09T00:00:00Z  3600
            Europe/Dublin        2014-06-09T00:00:00Z  3600
            Europe/Dublin        2090-12-09T00:00:00Z  0
            Australia/Lord_Howe  2014-06-09T00:00:00Z  37800
            Australia/Lord_Howe  2090-12-09T00:00:00Z  39600
            America/Sao_Paulo    2014-12-09T00:00:00Z  -7200
            America/Sao_Paulo    2090-12-09T00:00:00Z  -10800
            Pacific/Apia         2011-12-30T09:59:59Z  -36000
            Pacific/Apia         2011-12-30T10:00:00Z  50400
            """
        for row in rows(table) {
            let bytes = try #require(timeZoneFile(row[0]), "needs the package tzdata")
            let rules = try #require(TimeZoneRules(file: bytes), "\(row[0])")
            #expect(rules.offset(at: time(row[1])) == Int64(row[2]), "\(row[0]) at \(row[1])")
        }
    }

    @Test func `of version 1 is read as far as it goes`() throws {
        let rules = try #require(TimeZoneRules(file: Sample(version: 0).bytes))
        #expect(rules.offset(at: time("1970-01-01T00:16:39Z")) == -18_000)
        #expect(rules.offset(at: time("1970-01-01T00:16:40Z")) == -14_400)
        #expect(rules.offset(at: time("1970-01-01T00:33:20Z")) == -18_000)
        #expect(rules.offset(at: time("2014-06-09")) == -18_000)
    }

    @Test(arguments: ["", "EST5EDT,M3.2.0,M11.1.0"])
    func `goes on after its last change as its last line says`(footer: String) throws {
        let rules = try #require(TimeZoneRules(file: Sample(footer: footer).bytes))
        #expect(rules.offset(at: time("1970-01-01T00:16:40Z")) == -14_400)
        #expect(rules.offset(at: time("2014-06-09")) == (footer.isEmpty ? -18_000 : -14_400))
    }

    @Test func `without changes has one offset`() throws {
        let rules = try #require(TimeZoneRules(file: Sample(times: [], indexes: []).bytes))
        #expect(rules.offset(at: time("2014-06-09")) == -18_000)
    }

    @Test func `is refused if it says what cannot be`() {
        let wrong: [(String, Sample)] = [
            ("a version that is to come", Sample(version: UInt8(ascii: "5"))),
            ("times out of order", Sample(times: [2000, 1000])),
            ("a time twice", Sample(times: [1000, 1000])), ("a type that is not there", Sample(indexes: [1, 2])),
            ("no types", Sample(times: [], indexes: [], offsets: [])),
            ("an offset of 26 hours", Sample(offsets: [-18_000, 93_600])),
            ("an offset of -25 hours", Sample(offsets: [-90_000, -14_400])), ("leap seconds", Sample(leapCount: 1)),
            ("a last line that is no time zone", Sample(footer: "EST5EDT")),
            ("text after its last line", Sample(footer: "EST5\n")),
        ]
        for (what, sample) in wrong { #expect(TimeZoneRules(file: sample.bytes) == nil, "\(what)") }
        #expect(TimeZoneRules(file: Sample(version: 0).bytes + [0]) == nil, "more than version 1 has")
        #expect(TimeZoneRules(file: Sample().bytes) != nil)
    }

    @Test func `cut short anywhere is refused`() throws {
        let whole = try #require(timeZoneFile("America/New_York"), "needs the package tzdata")
        for bytes in [whole, Sample().bytes, Sample(version: 0).bytes] {
            #expect(TimeZoneRules(file: bytes) != nil)
            for count in 0..<bytes.count where TimeZoneRules(file: Array(bytes.prefix(count))) != nil {
                Issue.record("\(count) of \(bytes.count) bytes are read")
            }
        }
    }

    @Test func `with any bytes damaged is refused, or tells offsets that a calendar can live with`() throws {
        var random = SeededGenerator()
        let samples = [
            try #require(timeZoneFile("America/New_York"), "needs the package tzdata"), Sample().bytes, Sample(version: 0).bytes,
        ]
        for round in 0..<3000 {
            var bytes = samples[round % samples.count]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.remove(at: index)
                default: bytes.insert([0, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0, at: index)
                }
            }
            guard let rules = TimeZoneRules(file: bytes) else { continue }
            for _ in 0..<3 { use(rules, at: random.time(from: Timestamp(clamping: 0), to: Timestamp(clamping: .max))) }
            use(rules, at: Timestamp(clamping: 0))
            use(rules, at: Timestamp(clamping: .max))
        }
    }

    /// Whatever a file says, a calendar answers.
    private func use(_ rules: TimeZoneRules, at moment: Timestamp) {
        #expect(abs(rules.offset(at: moment)) < 26 * 3600)
        let calendar = MarketCalendar.nyse(rules)
        #expect((calendar.closure(at: moment) == nil) == calendar.isOpen(at: moment))
        #expect(calendar.nextOpen(after: moment).map { $0 > moment } ?? true)
        #expect(calendar.nextClose(after: moment).map { $0 > moment } ?? true)
        #expect(calendar.lastSession(closedAtOrBefore: moment).map { $0.closesAt <= moment } ?? true)
    }
}

/// A small time zone file to build as one likes: by default five hours west, four between the seconds 1000 and 2000.
private struct Sample {
    var version = UInt8(ascii: "2")
    var times: [Int64] = [1000, 2000]
    var indexes: [UInt8] = [1, 0]
    var offsets: [Int64] = [-18_000, -14_400]
    var leapCount = 0
    var footer = "EST5"

    var bytes: [UInt8] {
        guard version != 0 else { return block(timeSize: 4) }
        return block(timeSize: 4) + block(timeSize: 8) + Array("\n\(footer)\n".utf8)
    }

    private func block(timeSize: Int) -> [UInt8] {
        var bytes = Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
        for count in [0, 0, leapCount, times.count, offsets.count, 4] { bytes += bigEndian(Int64(count), 4) }
        for time in times { bytes += bigEndian(time, timeSize) }
        bytes += indexes
        for offset in offsets { bytes += bigEndian(offset, 4) + [0, 0] }
        bytes += Array("EST\0".utf8)
        return bytes + [UInt8](repeating: 0, count: leapCount * (timeSize + 4))
    }

    private func bigEndian(_ value: Int64, _ size: Int) -> [UInt8] {
        (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
