import Ledger
import Testing

@testable import Scheduling

@Suite struct `The clocks of New York` {
    /// The last second before and the first second after each change, and the offset in hours.
    private let table = """
        1987-04-05T06:59:59Z  -5
        1987-04-05T07:00:00Z  -4
        1987-10-25T05:59:59Z  -4
        1987-10-25T06:00:00Z  -5
        2006-04-02T07:00:00Z  -4
        2006-10-29T06:00:00Z  -5
        2007-03-11T06:59:59Z  -5
        2007-03-11T07:00:00Z  -4
        2007-11-04T05:59:59Z  -4
        2007-11-04T06:00:00Z  -5
        2037-03-08T07:00:00Z  -4
        2037-11-01T06:00:00Z  -5
        2038-03-14T06:59:59Z  -5
        2038-03-14T07:00:00Z  -4
        2099-11-01T05:59:59Z  -4
        2099-11-01T06:00:00Z  -5
        9999-12-31T23:59:59Z  -5
        """

    @Test func `change as the law says, without a time zone file`() { check(.newYork) }

    @Test func `change as the law says, by the system's time zone file`() throws { check(try file()) }

    private func check(_ rules: TimeZoneRules) {
        for row in rows(table) {
            #expect(rules.offset(at: time(row[0])) == Int64(row[1]).map { $0 * 3600 }, "\(row[0])")
        }
    }

    private func file() throws -> TimeZoneRules {
        let bytes = try #require(timeZoneFile("America/New_York"), "needs the package tzdata")
        return try #require(TimeZoneRules(file: bytes))
    }

    @Test func `are the same with the file and without it, each hour from 1976 to 2050`() throws {
        let file = try file()
        for second in stride(from: time("1976-01-01").microseconds, to: time("2050-01-01").microseconds, by: 3_600_000_000) {
            let moment = Timestamp(clamping: second)
            if file.offset(at: moment) != TimeZoneRules.newYork.offset(at: moment) {
                Issue.record("they differ at \(moment)")
                return
            }
        }
    }

    @Test func `show a time of day at one moment, and a date until midnight`() {
        let rules = TimeZoneRules.newYork
        #expect(rules.time(on: date("2014-06-09"), secondOfDay: 34_200) == time("2014-06-09T13:30"))
        #expect(rules.time(on: date("2014-12-09"), secondOfDay: 34_200) == time("2014-12-09T14:30"))
        // On the days of change, before and after it.
        #expect(rules.time(on: date("2014-03-09"), secondOfDay: 3600) == time("2014-03-09T06:00"))
        #expect(rules.time(on: date("2014-03-09"), secondOfDay: 4 * 3600) == time("2014-03-09T08:00"))
        #expect(rules.time(on: date("2014-11-02"), secondOfDay: 3 * 3600) == time("2014-11-02T08:00"))
        #expect(rules.time(on: date("2014-03-09"), secondOfDay: 34_200) == time("2014-03-09T13:30"))
        #expect(rules.time(on: date("2014-11-02"), secondOfDay: 0) == time("2014-11-02T04:00"))
        #expect(rules.time(on: date("2014-11-02"), secondOfDay: 34_200) == time("2014-11-02T14:30"))
        #expect(rules.date(at: time("2014-06-10T03:59:59.999999Z")) == date("2014-06-09"))
        #expect(rules.date(at: time("2014-06-10T04:00:00Z")) == date("2014-06-10"))
        #expect(rules.date(at: Timestamp(clamping: 0)) == .first)
        #expect(rules.date(at: Timestamp(clamping: .max)) == .last)
    }
}

@Suite struct `A time zone written as POSIX has it` {
    @Test func `tells the offset at any moment`() throws {
        let table = """
            UTC0                             2014-06-09T00:00:00Z  0
            EST5                             2014-06-09T00:00:00Z  -18000
            <+0530>-5:30                     2014-06-09T00:00:00Z  19800
            LMT+0:01:15                      2014-06-09T00:00:00Z  -75
            EST5EDT,M3.2.0,M11.1.0           2014-03-09T06:59:59Z  -18000
            EST5EDT,M3.2.0,M11.1.0           2014-03-09T07:00:00Z  -14400
            CET-1CEST,M3.5.0,M10.5.0/3       2014-10-26T00:59:59Z  7200
            CET-1CEST,M3.5.0,M10.5.0/3       2014-10-26T01:00:00Z  3600
            AEST-10AEDT,M10.1.0,M4.1.0/3     2014-01-01T00:00:00Z  39600
            AEST-10AEDT,M10.1.0,M4.1.0/3     2014-07-01T00:00:00Z  36000
            AEST-10AEDT,M10.1.0,M4.1.0/3     2014-12-31T23:59:59Z  39600
            IST-1GMT0,M10.5.0,M3.5.0/1       2014-01-01T00:00:00Z  0
            IST-1GMT0,M10.5.0,M3.5.0/1       2014-07-01T00:00:00Z  3600
            <-02>2<-01>,M3.5.0/-1,M10.5.0/0  2024-03-31T00:59:59Z  -7200
            <-02>2<-01>,M3.5.0/-1,M10.5.0/0  2024-03-31T01:00:00Z  -3600
            <+1030>-10:30<+11>-11,M10.1.0,M4.1.0  2014-12-01T00:00:00Z  39600
            AAA3BBB,J60/0,J300/0             2012-03-01T02:59:59Z  -10800
            AAA3BBB,J60/0,J300/0             2012-03-01T03:00:00Z  -7200
            AAA3BBB,59/0,299/0               2012-02-29T03:00:00Z  -7200
            AAA3BBB,59/0,299/0               2013-03-01T03:00:00Z  -7200
            EET-2EEST,M3.4.4/50,M10.4.4/50   2014-03-28T23:59:59Z  7200
            EET-2EEST,M3.4.4/50,M10.4.4/50   2014-03-29T00:00:00Z  10800
            AAA-3BBB,0/-1,J300/0             2013-12-31T19:59:59Z  10800
            AAA-3BBB,0/-1,J300/0             2013-12-31T20:00:00Z  14400
            XXX3EDT4,0/0,J365/23             2014-01-01T02:59:59Z  -14400
            XXX3EDT4,0/0,J365/23             2014-01-01T03:00:00Z  -14400
            XXX3EDT4,0/0,J365/23             2014-07-01T00:00:00Z  -14400
            """
        for row in rows(table) {
            let zone = try #require(SeasonalTime(row[0]), "\(row[0])")
            let moment = time(row[1]).microseconds / 1_000_000
            #expect(zone.offset(atSecond: moment) == Int64(row[2]), "\(row[0]) at \(row[1])")
        }
    }

    @Test(arguments: [
        "", "5", "ES5", "EST", "EST5EDT", "EST5EDT,", "EST5EDT,M3.2.0", "EST5EDT,M3.2.0,", "EST5EDT,M3.2.0,M11.1.0,",
        "EST5EDT,M3.2.0,M11.1.0 ",
        "EST25", "EST5:60", "EST5:", "EST-", "EST99999999999999999999", "EST5EDT,M0.2.0,M11.1.0", "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.0.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,M3.2,M11.1.0", "EST5EDT,J0,J300",
        "EST5EDT,J366,J300", "EST5EDT,366,300", "EST5EDT,M3.2.0/168,M11.1.0", "EST5EDT,M3.2.0/,M11.1.0", "<EST5", "<+05>",
        "EST5E,M3.2.0,M11.1.0",
        "EST5EDT,M3.2.0;M11.1.0",
    ])
    func `is refused unless it is whole`(text: String) { #expect(SeasonalTime(text) == nil) }
}
