import Ledger
import Testing

@testable import Scheduling

private let nyse = MarketCalendar.nyse(.newYork)

@Suite struct `The calendar of the New York Stock Exchange` {
    @Test func `knows why a day has no session`() {
        let table = """
            1993-01-01  New Year's Day
            1994-04-27  funeral of President Nixon
            1998-01-19  Martin Luther King Jr. Day
            2000-02-21  Washington's Birthday
            2000-04-21  Good Friday
            2001-09-11  attacks of September 11
            2001-09-14  attacks of September 11
            2001-09-15  weekend
            2004-06-11  mourning for President Reagan
            2004-12-24  Christmas Day, observed
            2006-01-02  New Year's Day, observed
            2007-01-02  mourning for President Ford
            2010-07-05  Independence Day, observed
            2011-12-26  Christmas Day, observed
            2012-05-28  Memorial Day
            2012-10-29  Hurricane Sandy
            2012-10-30  Hurricane Sandy
            2014-07-04  Independence Day
            2014-09-01  Labor Day
            2014-11-27  Thanksgiving Day
            2014-12-25  Christmas Day
            2015-07-03  Independence Day, observed
            2018-12-05  mourning for President George H. W. Bush
            2022-06-20  Juneteenth, observed
            2023-06-19  Juneteenth
            2025-01-09  mourning for President Carter
            2027-06-18  Juneteenth, observed
            2027-12-24  Christmas Day, observed
            2028-01-01  weekend
            """
        for row in rows(table) {
            #expect(nyse.closure(on: date(row[0])) == row[1], "\(row[0])")
            #expect(nyse.session(on: date(row[0])) == nil, "\(row[0])")
        }
    }

    @Test(arguments: [
        ("1997-01-20", "Martin Luther King Jr. Day was not observed before 1998"),
        ("2001-09-10", "the day before the attacks"), ("2001-09-17", "the first day after them"),
        ("2004-12-31", "New Year's Day on a Saturday is not moved back"), ("2010-12-31", "nor here"), ("2021-12-31", "nor here"),
        ("2012-10-31", "the first day after the hurricane"), ("2021-06-18", "Juneteenth was not observed before 2022"),
        ("2014-10-13", "Columbus Day is a trading day"), ("2014-11-11", "Veterans Day is a trading day"),
        ("2014-04-21", "Easter Monday is a trading day"),
    ])
    func `has a whole session on days that one could take for holidays`(day: String, reason: String) throws {
        let session = try #require(nyse.session(on: date(day)), "\(reason)")
        #expect(!session.isEarlyClose)
    }

    @Test func `closes at one in the afternoon on some days before or after holidays`() throws {
        let table = """
            1996-07-05  17:00  day after Independence Day
            1997-12-26  18:00  day after Christmas
            1999-12-31  18:00  New Year's Eve
            2000-07-03  17:00  day before Independence Day
            2002-07-05  17:00  day after Independence Day
            2002-12-24  18:00  Christmas Eve
            2003-12-26  18:00  day after Christmas
            2012-07-03  17:00  day before Independence Day
            2012-11-23  18:00  day after Thanksgiving
            2013-07-03  17:00  day before Independence Day
            2014-07-03  17:00  day before Independence Day
            2019-07-03  17:00  day before Independence Day
            2025-12-24  18:00  Christmas Eve
            2029-11-23  18:00  day after Thanksgiving
            """
        for row in rows(table) {
            let session = try #require(nyse.session(on: date(row[0])), "\(row[0])")
            #expect(session.closesAt == time("\(row[0])T\(row[1])"), "\(row[0])")
            #expect(session.earlyCloseReason == row[2], "\(row[0])")
        }
        for day in ["2002-07-03", "2008-12-26", "2009-07-02", "2013-07-05", "2014-12-26", "2014-12-31", "2026-07-02"] {
            #expect(nyse.session(on: date(day))?.isEarlyClose == false, "\(day)")
        }
    }

    /// As everybody counts them who annualizes returns.
    @Test func `has as many trading days a year as there were`() {
        let counts = [
            252, 248, 252, 252, 252, 252, 251, 251, 253, 252, 252, 252, 250, 252, 252, 252, 252, 251, 251, 252, 253, 252, 251,
            250, 252,
            250,
        ]
        for (index, count) in counts.enumerated() {
            let year = 2000 + index
            let days = Array(nyse.sessions(from: date("\(year)-01-01"), through: date("\(year)-12-31")))
            #expect(days.count == count, "\(year)")
        }
    }

    @Test func `opens at half past nine by the clocks of New York`() {
        let table = """
            2000-03-31  2000-03-31T14:30:00Z  2000-03-31T21:00:00Z
            2000-04-03  2000-04-03T13:30:00Z  2000-04-03T20:00:00Z
            2000-10-27  2000-10-27T13:30:00Z  2000-10-27T20:00:00Z
            2000-10-30  2000-10-30T14:30:00Z  2000-10-30T21:00:00Z
            2007-03-09  2007-03-09T14:30:00Z  2007-03-09T21:00:00Z
            2007-03-12  2007-03-12T13:30:00Z  2007-03-12T20:00:00Z
            2007-11-02  2007-11-02T13:30:00Z  2007-11-02T20:00:00Z
            2007-11-05  2007-11-05T14:30:00Z  2007-11-05T21:00:00Z
            2030-03-08  2030-03-08T14:30:00Z  2030-03-08T21:00:00Z
            2030-03-11  2030-03-11T13:30:00Z  2030-03-11T20:00:00Z
            """
        for row in rows(table) {
            let session = nyse.session(on: date(row[0]))
            #expect(session?.opensAt == time(row[1]), "\(row[0])")
            #expect(session?.closesAt == time(row[2]), "\(row[0])")
        }
    }
}

@Suite struct `What a calendar says of a moment` {
    @Test func `is open from the opening until just before the close, and names what comes next`() {
        // moment, reason if closed, next open, next close
        let table = """
            2014-06-09T13:29:59.999999Z  before the opening   2014-06-09T13:30  2014-06-09T20:00
            2014-06-09T13:30:00Z         open                 2014-06-10T13:30  2014-06-09T20:00
            2014-06-09T19:59:59.999999Z  open                 2014-06-10T13:30  2014-06-09T20:00
            2014-06-09T20:00:00Z         after the close      2014-06-10T13:30  2014-06-10T20:00
            2014-06-10T03:59:59Z         after the close      2014-06-10T13:30  2014-06-10T20:00
            2014-06-10T04:00:00Z         before the opening   2014-06-10T13:30  2014-06-10T20:00
            2014-07-03T17:00:00Z         after the early close (day before Independence Day)  2014-07-07T13:30  2014-07-07T20:00
            2014-07-04T15:00:00Z         Independence Day     2014-07-07T13:30  2014-07-07T20:00
            2014-07-06T15:00:00Z         weekend              2014-07-07T13:30  2014-07-07T20:00
            2001-09-10T20:00:00Z         after the close      2001-09-17T13:30  2001-09-17T20:00
            2012-10-29T15:00:00Z         Hurricane Sandy      2012-10-31T13:30  2012-10-31T20:00
            2014-10-31T20:00:00Z         after the close      2014-11-03T14:30  2014-11-03T21:00
            2014-12-24T17:59:59Z         open                 2014-12-26T14:30  2014-12-24T18:00
            """
        for row in rows(table) {
            let moment = time(row[0])
            #expect(nyse.closure(at: moment) ?? "open" == row[1], "\(row[0])")
            #expect(nyse.isOpen(at: moment) == (row[1] == "open"), "\(row[0])")
            #expect(nyse.nextOpen(after: moment) == time(row[2]), "\(row[0])")
            #expect(nyse.nextClose(after: moment) == time(row[3]), "\(row[0])")
        }
    }

    @Test(arguments: [
        ("2014-06-09T19:59:59.999999Z", "2014-06-06"), ("2014-06-09T20:00:00Z", "2014-06-09"),
        ("2014-07-03T17:00:00Z", "2014-07-03"),
        ("2014-07-07T13:30:00Z", "2014-07-03"), ("2001-09-17T19:59:00Z", "2001-09-10"), ("1970-01-02T21:00:00Z", "1970-01-02"),
    ])
    func `knows the last session that is over`(moment: String, day: String) {
        #expect(nyse.lastSession(closedAtOrBefore: time(moment))?.date == date(day))
    }

    /// All openings and closes are at half hours, so looking at each of them finds the next one without the calendar's help.
    @Test func `names the first opening and the first close that looking at every half hour finds`() {
        var random = SeededGenerator()
        for _ in 0..<100 {
            let moment = random.time(from: time("1993-01-01"), to: time("2031-01-01"))
            let halfHour: Int64 = 1_800_000_000
            var candidate = Timestamp(clamping: (moment.microseconds / halfHour + 1) * halfHour)
            var open: Timestamp?
            var close: Timestamp?
            // The longest closure since 1993 was of six days, and the next close is at most a day behind the opening.
            for _ in 0..<8 * 48 where open == nil || close == nil {
                let isOpen = nyse.isOpen(at: candidate)
                let wasOpen = nyse.isOpen(at: candidate.adding(microseconds: -1))
                if isOpen && !wasOpen && open == nil { open = candidate }
                if !isOpen && wasOpen && close == nil { close = candidate }
                candidate = candidate.adding(microseconds: halfHour)
            }
            #expect(nyse.nextOpen(after: moment) == open, "after \(moment)")
            #expect(nyse.nextClose(after: moment) == close, "after \(moment)")
        }
    }

    @Test func `agrees with the list of sessions, at every one of their edges`() {
        let sessions = Array(nyse.sessions(from: date("2012-01-01"), through: date("2016-12-31")))
        for (previous, session) in zip(sessions, sessions.dropFirst()) {
            let isRight =
                nyse.session(containing: session.opensAt) == session
                && nyse.session(containing: session.closesAt.adding(microseconds: -1)) == session
                && nyse.session(containing: session.closesAt) == nil
                && nyse.nextOpen(after: previous.opensAt) == session.opensAt
                && nyse.nextOpen(after: session.opensAt.adding(microseconds: -1)) == session.opensAt
                && nyse.nextClose(after: previous.closesAt) == session.closesAt
                && nyse.nextClose(after: session.closesAt.adding(microseconds: -1)) == session.closesAt
                && nyse.lastSession(closedAtOrBefore: session.closesAt) == session
                && nyse.lastSession(closedAtOrBefore: session.closesAt.adding(microseconds: -1)) == previous
            if !isRight { Issue.record("around \(session)") }
        }
    }

    @Test func `lists no sessions between days in the wrong order, and one of a single day`() {
        #expect(Array(nyse.sessions(from: date("2014-06-10"), through: date("2014-06-02"))).isEmpty)
        #expect(Array(nyse.sessions(from: date("2014-06-09"), through: date("2014-06-09"))).map(\.date) == [date("2014-06-09")])
        #expect(Array(nyse.sessions(from: date("2014-06-07"), through: date("2014-06-08"))).isEmpty)
    }
}

@Suite struct `A market that never closes` {
    private let always = MarketCalendar.always

    @Test func `has a session each day in UTC`() {
        let session = always.session(on: date("2014-12-25"))
        #expect(session?.opensAt == time("2014-12-25"))
        #expect(session?.closesAt == time("2014-12-26"))
        #expect(session?.isEarlyClose == false)
        #expect(Array(always.sessions(from: date("2014-01-01"), through: date("2014-12-31"))).count == 365)
    }

    @Test(arguments: ["1970-01-01", "2014-12-25T12:00:00Z", "2014-12-25T23:59:59.999999Z", "9999-12-31T23:59:59.999998Z"])
    func `is open at any moment`(moment: String) {
        #expect(always.isOpen(at: time(moment)))
        #expect(always.closure(at: time(moment)) == nil)
    }

    @Test func `opens and closes at midnight`() {
        #expect(always.nextOpen(after: time("2014-12-25")) == time("2014-12-26"))
        #expect(always.nextClose(after: time("2014-12-25")) == time("2014-12-26"))
        #expect(always.nextOpen(after: time("2014-12-25T23:59:59.999999Z")) == time("2014-12-26"))
        #expect(always.lastSession(closedAtOrBefore: time("2014-12-25T23:59:59.999999Z"))?.date == date("2014-12-24"))
        #expect(always.lastSession(closedAtOrBefore: time("2014-12-25"))?.date == date("2014-12-24"))
    }
}

@Suite struct `At the ends of time a calendar` {
    @Test(arguments: [MarketCalendar.always, nyse])
    func `has no session beyond, and answers all the same`(calendar: MarketCalendar) {
        #expect(calendar.lastSession(closedAtOrBefore: Timestamp(clamping: 0)) == nil)
        #expect(calendar.nextOpen(after: Timestamp(clamping: .max)) == nil)
        #expect(calendar.nextClose(after: Timestamp(clamping: .max)) == nil)
        for moment in [Timestamp(clamping: 0), Timestamp(clamping: .max)] {
            #expect((calendar.closure(at: moment) == nil) == calendar.isOpen(at: moment))
        }
    }

    @Test func `opens for the last time on the last day of 9999`() {
        #expect(nyse.nextOpen(after: time("9999-12-31T14:29:59Z")) == time("9999-12-31T14:30"))
        #expect(nyse.nextOpen(after: time("9999-12-31T14:30:00Z")) == nil)
    }
}

@Suite struct `A day by a rule` {
    /// As python-dateutil computes it; 1981, 2049 and 2076 are exceptions to the cycle of the moon.
    @Test(arguments: [
        "1974-04-14", "1981-04-19", "2000-04-23", "2008-03-23", "2011-04-24", "2014-04-20", "2019-04-21", "2024-03-31",
        "2030-04-21",
        "2038-04-25", "2049-04-18", "2076-04-19", "2285-03-22",
    ])
    func `is Easter`(day: String) { #expect(AnnualDay.easter.dayNumber(in: date(day).year) == date(day).dayNumber) }

    @Test func `is a weekday of a month, the fifth being the last`() {
        for (week, day) in [(1, "2014-06-02"), (2, "2014-06-09"), (4, "2014-06-23"), (5, "2014-06-30")] as [(Int64, String)] {
            #expect(AnnualDay.weekday(.monday, week: week, month: 6).dayNumber(in: 2014) == date(day).dayNumber)
        }
        #expect(AnnualDay.weekday(.friday, week: 5, month: 2).dayNumber(in: 2014) == date("2014-02-28").dayNumber)
        #expect(AnnualDay.weekday(.saturday, week: 5, month: 2).dayNumber(in: 2020) == date("2020-02-29").dayNumber)
    }
}
