import Ledger
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct Timestamps {
    @Test func `known moments are written as everybody writes them`() throws {
        let table = """
            0                    1970-01-01T00:00:00.000000Z
            1                    1970-01-01T00:00:00.000001Z
            951827696000000      2000-02-29T12:34:56.000000Z
            951868800000000      2000-03-01T00:00:00.000000Z
            1000000000000000     2001-09-09T01:46:40.000000Z
            1709164800000000     2024-02-29T00:00:00.000000Z
            1795444200120934     2026-11-23T14:30:00.120934Z
            4107542399999999     2100-02-28T23:59:59.999999Z
            4107542400000000     2100-03-01T00:00:00.000000Z
            253402300799999999   9999-12-31T23:59:59.999999Z
            """
        for row in rows(table) {
            let microseconds = try #require(Int64(row[0]))
            #expect(Timestamp(microseconds: microseconds)?.description == row[1])
            #expect(Timestamp(row[1])?.microseconds == microseconds)
        }
    }

    @Test func `every moment survives the trip through text, and the C library writes the same date`() {
        var random = Random()
        for _ in 0..<10_000 {
            let timestamp = Timestamp(clamping: random.int(0...Timestamp.latest))
            let text = timestamp.description
            if text.utf8.count != Timestamp.textCount || Timestamp(text) != timestamp || !text.hasPrefix(systemText(timestamp)) {
                Issue.record("\(timestamp.microseconds) is written \(text), seed \(runSeed)")
            }
        }
    }

    @Test func `every first and last day of a month has its date`() {
        for year in Array(1970...2110) + [2399, 2400, 2401, 4000, 9999] {
            let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
            for (index, days) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
                let month = (index < 9 ? "0" : "") + "\(index + 1)"
                for day in ["01", "\(days)"] {
                    let date = "\(year)-\(month)-\(day)"
                    let timestamp = Timestamp(date)
                    if timestamp.map({ "\($0)" }) != date + "T00:00:00.000000Z" || timestamp.map(systemText) != date + "T00:00:00"
                    {
                        Issue.record("\(date) is read as \(timestamp?.description ?? "nothing")")
                    }
                }
                if Timestamp("\(year)-\(month)-\(days + 1)") != nil { Issue.record("\(year)-\(month) has \(days + 1) days") }
            }
        }
    }

    private func systemText(_ timestamp: Timestamp) -> String {
        var seconds = time_t(timestamp.microseconds / 1_000_000)
        var parts = tm()
        var buffer = [CChar](repeating: 0, count: 32)
        guard gmtime_r(&seconds, &parts) != nil else { return "?" }
        let count = strftime(&buffer, 32, "%Y-%m-%dT%H:%M:%S", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test func `ISO 8601 is read in all its usual forms`() {
        let table = """
            2026-11-23                         2026-11-23T00:00:00.000000Z
            2026-11-23T14:30                   2026-11-23T14:30:00.000000Z
            2026-11-23T14:30Z                  2026-11-23T14:30:00.000000Z
            2026-11-23T14:30:05                2026-11-23T14:30:05.000000Z
            2026-11-23T14:30:05Z               2026-11-23T14:30:05.000000Z
            2026-11-23T14:30:05.5              2026-11-23T14:30:05.500000Z
            2026-11-23T14:30:05.5Z             2026-11-23T14:30:05.500000Z
            2026-11-23T14:30:05.120934         2026-11-23T14:30:05.120934Z
            2026-11-23T14:30:05.1209349        2026-11-23T14:30:05.120934Z
            2026-11-23T14:30:05.123456789Z     2026-11-23T14:30:05.123456Z
            2026-11-23T14:30:05+01:00          2026-11-23T13:30:05.000000Z
            2026-11-23T14:30:05-05:00          2026-11-23T19:30:05.000000Z
            2026-11-23T14:30:05+0530           2026-11-23T09:00:05.000000Z
            2026-11-23T23:30:00-01:00          2026-11-24T00:30:00.000000Z
            2024-03-01T00:30:00+01:00          2024-02-29T23:30:00.000000Z
            2026-11-23T14:30:05+00:00          2026-11-23T14:30:05.000000Z
            2026-11-23T14:30:05+00:00Z         2026-11-23T14:30:05.000000Z
            2026-11-23T14:30:05-00:00Z         2026-11-23T14:30:05.000000Z
            1970-01-01T01:00:00+01:00          1970-01-01T00:00:00.000000Z
            9999-12-31T23:59:59.999999999Z     9999-12-31T23:59:59.999999Z
            """
        for row in rows(table) {
            #expect(Timestamp(row[0])?.description == row[1], "\(row[0])")
        }
        #expect(Timestamp("2026-11-23 14:30:05") == Timestamp("2026-11-23T14:30:05Z"))
    }

    @Test func `a fraction of a second may be followed by an offset, and by the slip of both`() {
        let table = """
            2026-11-23T14:30:05.120934+00:00    2026-11-23T14:30:05.120934Z
            2026-11-23T14:30:05.120934+00:00Z   2026-11-23T14:30:05.120934Z
            2026-11-23T14:30:05.120934-05:00    2026-11-23T19:30:05.120934Z
            2026-11-23T14:30:05.5+01:00         2026-11-23T13:30:05.500000Z
            2026-11-23T14:30:05.123456789+01:00 2026-11-23T13:30:05.123456Z
            """
        for row in rows(table) {
            #expect(Timestamp(row[0])?.description == row[1], "\(row[0])")
        }
    }

    @Test func `what is no moment is refused`() {
        let texts = """
            2026                         2026-11                      2026-11-2                    2026-1-23
            26-11-23                     20261123                     2026/11/23                   x026-11-23
            2026-00-10                   2026-13-10                   2026-11-00                   2026-11-31
            2026-02-29                   2100-02-29                   2024-02-30                   2026-11-23T
            2026-11-23Z                  2026-11-23T14                2026-11-23T14:                2026-11-23T14:3
            2026-11-23T24:00             2026-11-23T14:60             2026-11-23T14:30:60          2026-11-23T14:30:5
            2026-11-23T14:30:05.         2026-11-23T14:30:05.Z        2026-11-23T14:30:05ZZ        2026-11-23T14:30:05z
            2026-11-23t14:30:05Z         2026-11-23T14:30:05X         2026-11-23T14:30:05+01:00Z   2026-11-23T14:30:05+1:00
            2026-11-23T14:30:05+24:00    2026-11-23T14:30:05+01:60    2026-11-23T14:30:05+01       2026-11-23T14:30:05+
            2026-11-23T14:30:05.1234567891                            2026-11-23T14:30:05+00:00ZZ  2026-11-23T14:30:05+00:00X
            1969-12-31T23:59:59.999999Z  0000-01-01                   1970-01-01T00:00:00+00:01    9999-12-31T23:59:59-00:01
            10000-01-01                  -2026-11-23                  2026-11-23T-1:30             ２026-11-23
            """
        for text in rows(texts).flatMap({ $0 }) + [
            "", " ", " 2026-11-23", "2026-11-23 ", "2026-11-23\n", "2026-11-23T14:30:05 Z",
        ] {
            #expect(Timestamp(text) == nil, "\(text)")
        }
    }

    @Test func `nothing follows the fraction of a second but a zone`() {
        for text in ["2026-11-23T14:30:05.5X", "2026-11-23T14:30:05.5+", "2026-11-23T14:30:05.5 ", "2026-11-23T14:30:05.5."] {
            #expect(Timestamp(text) == nil, "\(text)")
        }
    }

    @Test func `the range is 1970 to the end of 9999`() {
        #expect(Timestamp(microseconds: 0) != nil)
        #expect(Timestamp(microseconds: -1) == nil)
        #expect(Timestamp(microseconds: Timestamp.latest) != nil)
        #expect(Timestamp(microseconds: Timestamp.latest + 1) == nil)
        #expect(Timestamp(clamping: .min).microseconds == 0)
        #expect(Timestamp(clamping: .max).microseconds == Timestamp.latest)
        #expect(Timestamp(clamping: 0).microseconds(since: Timestamp(clamping: .max)) == -Timestamp.latest)
        #expect(Timestamp(clamping: 1) < Timestamp(clamping: 2))
    }
}
