import Ledger
import Testing

@testable import Scheduling

/// The week of Thanksgiving 2026, in UTC: New York opens at 14:30 and closes at 21:00; on Thursday, the 26th, it stays closed, and on
/// Friday it closes at 18:00.
@Suite struct `The schedule of the cycles` {
    private func schedule(_ text: String) throws -> CycleSchedule {
        let rules = try rules(text)
        let calendar = rules.choice(.marketCalendar) == "always" ? MarketCalendar.always : .nyse(.newYork)
        return CycleSchedule(calendar: calendar, rules: rules)
    }

    /// `-` for no cycle so far, `done@time`, `skipped@time`, `failed@time`, or `failed@time,time` with that of the failure before;
    /// `+time` with that of the last one that was done before it.
    private func log(_ kind: CycleKind, _ text: String) throws -> CycleLog {
        var log = CycleLog()
        guard text != "-" else { return log }
        let parts = text.split { "@+".contains($0) }.map(String.init)
        let times = parts[1].split(separator: ",").map { time(String($0)) }
        let outcome = try #require(Cycle.Outcome(rawValue: parts[0]), "\(text)")
        let doneBefore = parts.count > 2 ? time(parts[2]) : nil
        log[kind] = CycleLog.Last(
            time: times[0], outcome: outcome, failures: outcome == .failed ? times.count : 0,
            previousFailure: times.count > 1 ? times[1] : nil, lastDone: outcome == .done ? times[0] : doneBefore)
        return log
    }

    private func expectDue(_ kind: CycleKind, _ table: String) throws {
        for row in rows(table) where !row[0].hasPrefix("#") {
            let now = time(row[0])
            let due = try schedule(row[2]).nextDue(kind, from: now, log(kind, row[1]))?.time
            let expected = row[3] == "now" ? now : row[3] == "never" ? nil : time(row[3])
            #expect(due == expected, "\(row)")
        }
    }

    @Test func `has monitoring due at the opening and every so many minutes until just before the close`() throws {
        try expectDue(
            .monitoring,
            """
            # time                      last                          rules                              due
            2026-11-23T14:29:59.999999  -                             -                                  2026-11-23T14:30
            2026-11-23T14:30            -                             -                                  now
            2026-11-23T14:47            -                             -                                  now
            2026-11-23T14:30            done@2026-11-23T14:30         -                                  2026-11-23T15:00
            2026-11-23T14:59:59.999999  done@2026-11-23T14:30         -                                  2026-11-23T15:00
            2026-11-23T15:00            done@2026-11-23T14:30         -                                  now
            2026-11-23T15:10            done@2026-11-23T14:59:59.999999  -                               now
            2026-11-23T15:10            done@2026-11-23T15:07         -                                  2026-11-23T15:30
            # The last one before the close, and the openings after it: next day, after a holiday, after an early close, after a weekend.
            2026-11-23T20:59:59         done@2026-11-23T20:30         -                                  2026-11-24T14:30
            2026-11-23T20:59:59         done@2026-11-23T20:00         -                                  now
            2026-11-23T21:00            done@2026-11-23T20:00         -                                  2026-11-24T14:30
            2026-11-25T21:00            -                             -                                  2026-11-27T14:30
            2026-11-26T16:00            -                             -                                  2026-11-27T14:30
            2026-11-27T17:59:59         done@2026-11-27T17:30         -                                  2026-11-30T14:30
            2026-11-27T18:00            -                             -                                  2026-11-30T14:30
            2026-11-28T15:00            -                             -                                  2026-11-30T14:30
            # Daylight saving begins on Sunday, March 8.
            2026-03-06T21:00            -                             -                                  2026-03-09T13:30
            # Other intervals, also longer than the session.
            2026-11-23T14:30            done@2026-11-23T14:30         monitoring.interval_minutes=1      2026-11-23T14:31
            2026-11-23T14:30            done@2026-11-23T14:30         monitoring.interval_minutes=7      2026-11-23T14:37
            2026-11-23T14:30            done@2026-11-23T14:30         monitoring.interval_minutes=389    2026-11-23T20:59
            2026-11-23T14:30            done@2026-11-23T14:30         monitoring.interval_minutes=390    2026-11-24T14:30
            2026-11-23T20:59            done@2026-11-23T14:30         monitoring.interval_minutes=1440   2026-11-24T14:30
            2026-11-24T14:30            done@2026-11-23T14:30         monitoring.interval_minutes=1440   now
            # After a night's suspension one cycle is due, not all that were missed; by a clock that went back none is until it is there again.
            2026-11-24T16:10            done@2026-11-23T15:00         -                                  now
            2026-11-24T16:10            done@2026-11-24T16:10         -                                  2026-11-24T16:30
            2026-11-23T15:10            done@2026-11-23T16:05         -                                  2026-11-23T15:30
            2026-11-23T16:00            done@2026-11-23T16:05         -                                  2026-11-23T16:30
            # Unless it went back by more than an hour: then the other clock was wrong.
            2026-11-23T15:10            done@2026-11-23T16:10         -                                  2026-11-23T15:30
            2026-11-23T15:10            done@2026-11-23T16:10:00.000001  -                               now
            2026-11-23T15:10            failed@2030-06-03T16:00       -                                  now
            # A market that never closes.
            2026-11-28T00:00            -                             market.calendar=always             now
            2026-11-28T00:10            done@2026-11-28T00:00         market.calendar=always             2026-11-28T00:30
            2026-11-28T23:45            done@2026-11-28T23:30         market.calendar=always             2026-11-29T00:00
            2026-11-28T23:45            done@2026-11-28T00:00         market.calendar=always monitoring.interval_minutes=1440  2026-11-29T00:00
            2026-11-28T23:45            done@2026-11-28T21:40         market.calendar=always monitoring.interval_minutes=1300  2026-11-29T00:00
            # The end of time.
            9999-12-31T15:00            done@9999-12-31T15:00         -                                  9999-12-31T15:30
            9999-12-31T22:00            -                             -                                  never
            """)
    }

    @Test func `has trading due once a session, at the close or before it, and until the next opening`() throws {
        try expectDue(
            .trading,
            """
            # time                      last                          rules                              due
            2026-11-23T20:59:59.999999  -                             -                                  2026-11-23T21:00
            2026-11-23T21:00            -                             -                                  now
            2026-11-23T23:00            -                             -                                  now
            2026-11-23T21:00            done@2026-11-23T21:00         -                                  2026-11-24T21:00
            2026-11-23T21:00            done@2026-11-20T21:00         -                                  now
            # Whenever it was done in the session, by rules that have changed or because somebody insisted, it is done.
            2026-11-23T21:00            done@2026-11-23T20:59:59.999999  -                               2026-11-24T21:00
            2026-11-23T20:55            done@2026-11-23T20:50         -                                  2026-11-24T21:00
            2026-11-23T21:00            done@2026-11-23T14:30         -                                  2026-11-24T21:00
            2026-11-23T21:00            done@2026-11-23T14:29:59.999999  -                               now
            2026-11-23T22:00            done@2026-11-23T21:10         trading.minutes_before_close=10    2026-11-24T20:50
            # What is dated far ahead does not count, and what is dated a little ahead does.
            2026-11-23T21:00            done@2027-11-23T21:00         -                                  now
            2026-11-23T21:00            skipped@2026-11-23T22:00:00.000001  -                            now
            2026-11-23T21:00            done@2026-11-23T22:00         -                                  2026-11-24T21:00
            # A missed one can be made up for until the opening.
            2026-11-24T14:29:59.999999  done@2026-11-20T21:00         -                                  now
            2026-11-24T14:30            done@2026-11-20T21:00         -                                  2026-11-24T21:00
            2026-11-24T10:00            done@2026-11-23T21:00         -                                  2026-11-24T21:00
            2026-11-24T10:00            done@2026-11-24T09:00         -                                  2026-11-24T21:00
            # Before and on a holiday, an early close, a weekend.
            2026-11-25T21:00            done@2026-11-25T21:00         -                                  2026-11-27T18:00
            2026-11-26T21:00            done@2026-11-25T21:00         -                                  2026-11-27T18:00
            2026-11-26T21:00            done@2026-11-24T21:00         -                                  now
            2026-11-27T17:59:59.999999  done@2026-11-25T21:00         -                                  2026-11-27T18:00
            2026-11-27T18:00            done@2026-11-25T21:00         -                                  now
            2026-11-29T12:00            done@2026-11-25T21:00         -                                  now
            2026-11-29T12:00            done@2026-11-27T18:00         -                                  2026-11-30T21:00
            2026-03-06T21:00            done@2026-03-06T21:00         -                                  2026-03-09T20:00
            # Before the close, but not before the opening.
            2026-11-23T20:44:59.999999  -                             trading.minutes_before_close=15    2026-11-23T20:45
            2026-11-23T20:45            -                             trading.minutes_before_close=15    now
            2026-11-24T14:29            done@2026-11-20T20:45         trading.minutes_before_close=15    now
            2026-11-23T14:29            done@2026-11-20T14:30         trading.minutes_before_close=390   2026-11-23T14:30
            2026-11-23T14:30            done@2026-11-20T14:30         trading.minutes_before_close=390   now
            2026-11-27T14:29            done@2026-11-25T14:30         trading.minutes_before_close=390   2026-11-27T14:30
            # Skipped is skipped: a program that keeps time does not come back to it.
            2026-11-23T21:00            skipped@2026-11-23T21:00      -                                  2026-11-24T21:00
            # A market that never closes has a session a day.
            2026-11-28T00:00            -                             market.calendar=always             now
            2026-11-28T12:00            done@2026-11-28T00:00         market.calendar=always             2026-11-29T00:00
            2026-11-28T23:59:59.999999  done@2026-11-27T00:00         market.calendar=always             now
            2026-11-28T01:00            -                             market.calendar=always trading.minutes_before_close=390  2026-11-28T17:30
            # The ends of time.
            9999-12-31T21:00            -                             -                                  now
            9999-12-31T21:00            done@9999-12-31T21:00         -                                  never
            1970-01-01T00:00            -                             -                                  1970-01-02T21:00
            """)
    }

    @Test func `has a failed cycle due again once, later, if it can still be run then`() throws {
        try expectDue(
            .trading,
            """
            # time                      last                          rules                              due
            2026-11-23T21:00            failed@2026-11-23T21:00       -                                  2026-11-23T21:05
            2026-11-23T21:04:59.999999  failed@2026-11-23T21:00       -                                  2026-11-23T21:05
            2026-11-23T21:05            failed@2026-11-23T21:00       -                                  now
            2026-11-23T23:00            failed@2026-11-23T21:00       -                                  now
            2026-11-23T21:06            failed@2026-11-23T21:05,2026-11-23T21:00  -                      2026-11-24T21:00
            2026-11-23T21:00            failed@2026-11-23T21:00       cycles.retry_minutes=90            2026-11-23T22:30
            # The next day's cycle is a cycle of its own, whether the last one's was tried again or not.
            2026-11-24T21:00            failed@2026-11-23T21:05,2026-11-23T21:00  -                      now
            2026-11-24T21:00            failed@2026-11-24T21:00,2026-11-23T21:05  -                      2026-11-24T21:05
            2026-11-24T21:00            failed@2026-11-24T21:00,2026-11-23T21:00  -                      2026-11-24T21:05
            2026-11-24T21:05            failed@2026-11-24T21:05,2026-11-24T21:00  -                      2026-11-25T21:00
            # What fails when the session's cycle has been done is not tried again.
            2026-11-23T21:31            failed@2026-11-23T21:30+2026-11-23T21:00  -                      2026-11-24T21:00
            2026-11-23T23:00            failed@2026-11-23T21:30+2026-11-23T21:00  -                      2026-11-24T21:00
            2026-11-24T21:01            failed@2026-11-24T21:00+2026-11-23T21:00  -                      2026-11-24T21:05
            # Not once the market has opened.
            2026-11-24T14:28            failed@2026-11-24T14:28       -                                  2026-11-24T21:00
            2026-11-24T14:24:59         failed@2026-11-24T14:24:59    -                                  2026-11-24T14:29:59
            """)
        try expectDue(
            .monitoring,
            """
            2026-11-23T14:31            failed@2026-11-23T14:30       -                                  2026-11-23T14:35
            2026-11-23T14:36            failed@2026-11-23T14:35,2026-11-23T14:30  -                      2026-11-23T15:00
            2026-11-23T15:01            failed@2026-11-23T15:00,2026-11-23T14:35  -                      2026-11-23T15:05
            2026-11-23T15:01            failed@2026-11-23T15:00,2026-11-23T14:30  -                      2026-11-23T15:05
            2026-11-23T14:31            failed@2026-11-23T14:30       cycles.retry_minutes=30            2026-11-23T15:00
            2026-11-23T14:31            failed@2026-11-23T14:30       cycles.retry_minutes=45            2026-11-23T15:00
            2026-11-23T20:58            failed@2026-11-23T20:57       -                                  2026-11-24T14:30
            2026-11-23T20:55            failed@2026-11-23T20:54:59    -                                  2026-11-23T20:59:59
            """)
    }

    @Test func `tells since when a cycle is due, so that the one that waited longest can come first`() throws {
        let table = """
            # kind       now                  last                        since
            monitoring   2026-11-23T15:31     done@2026-11-23T15:00       2026-11-23T15:30
            monitoring   2026-11-23T15:29     done@2026-11-23T15:00       2026-11-23T15:30
            monitoring   2026-11-24T16:10     -                           2026-11-24T16:00
            monitoring   2026-11-23T14:40     failed@2026-11-23T14:30     2026-11-23T14:35
            monitoring   2026-11-23T14:31     failed@2026-11-23T14:30     2026-11-23T14:35
            trading      2026-11-24T09:00     -                           2026-11-23T21:00
            trading      2026-11-24T09:00     failed@2026-11-23T21:30     2026-11-23T21:35
            """
        for row in rows(table) where !row[0].hasPrefix("#") {
            let kind = try #require(CycleKind(rawValue: row[0]))
            let due = try schedule("-").nextDue(kind, from: time(row[1]), log(kind, row[2]))
            #expect(due?.since == time(row[3]) && due?.time == max(time(row[1]), time(row[3])), "\(row)")
        }
    }

    @Test func `says why a cycle has nothing to do`() throws {
        let table = """
            # kind       time                  last                        reason
            monitoring   2026-11-23T14:29      -                           the market is closed: before the opening
            monitoring   2026-11-23T14:30      -                           none
            monitoring   2026-11-23T20:59      done@2026-11-23T20:58       none
            monitoring   2026-11-23T21:00      -                           the market is closed: after the close
            monitoring   2026-11-26T16:00      -                           the market is closed: Thanksgiving Day
            monitoring   2026-11-27T18:00      -                           the market is closed: after the early close (day after Thanksgiving)
            monitoring   2026-11-28T16:00      -                           the market is closed: weekend
            trading      2026-11-23T20:59      -                           no trading cycle is due; the next one is due at 2026-11-23T21:00:00.000000Z
            trading      2026-11-23T21:00      -                           none
            trading      2026-11-23T20:59      done@2026-11-23T20:50       no trading cycle is due; the next one is due at 2026-11-24T21:00:00.000000Z
            trading      2026-11-23T21:00      done@2026-11-23T20:50       the session's trading cycle was done at 2026-11-23T20:50:00.000000Z
            trading      2026-11-23T21:00      done@2026-11-20T21:30       none
            trading      2026-11-23T22:00      done@2027-11-23T21:00       none
            trading      2026-11-23T22:00      done@2026-11-23T21:00       the session's trading cycle was done at 2026-11-23T21:00:00.000000Z
            trading      2026-11-23T22:00      skipped@2026-11-23T21:00    none
            trading      2026-11-23T22:00      failed@2026-11-23T21:00     none
            trading      2026-11-28T12:00      done@2026-11-27T18:00       the session's trading cycle was done at 2026-11-27T18:00:00.000000Z
            trading      9999-12-31T21:00      done@9999-12-31T21:00       the session's trading cycle was done at 9999-12-31T21:00:00.000000Z
            """
        for row in rows(table) where !row[0].hasPrefix("#") {
            let kind = try #require(CycleKind(rawValue: row[0]))
            let reason = try schedule("-").reasonToSkip(kind, at: time(row[1]), log(kind, row[2]))
            #expect(reason ?? "none" == row[3], "\(row)")
        }
    }

    @Test func `lists the moments of a session in order, monitoring before trading at the same moment`() throws {
        func moments(_ day: String, _ rules: String) throws -> [String] {
            let schedule = try schedule(rules)
            let session = try #require(schedule.calendar.session(on: date(day)))
            return schedule.moments(in: session).map { moment in
                "\(moment.time.description.dropFirst(11).prefix(5)) \(moment.kind.rawValue.prefix(1))"
            }
        }
        #expect(
            try moments("2026-11-27", "-")
                == ["14:30 m", "15:00 m", "15:30 m", "16:00 m", "16:30 m", "17:00 m", "17:30 m", "18:00 t"])
        #expect(
            try moments("2026-11-27", "monitoring.interval_minutes=90 trading.minutes_before_close=30")
                == ["14:30 m", "16:00 m", "17:30 m", "17:30 t"])
        #expect(
            try moments("2026-11-27", "monitoring.interval_minutes=90 trading.minutes_before_close=31")
                == ["14:30 m", "16:00 m", "17:29 t", "17:30 m"])
        #expect(
            try moments("2026-11-27", "monitoring.interval_minutes=1440 trading.minutes_before_close=390") == [
                "14:30 m", "14:30 t",
            ])
    }

    @Test func `is the same whether a program asks for the next moment again and again or for all at once`() throws {
        let schedule = try schedule("monitoring.interval_minutes=25 trading.minutes_before_close=10")
        let sessions = schedule.calendar.sessions(from: date("2026-11-20"), through: date("2026-12-01"))
        for kind in CycleKind.allCases {
            let expected = sessions.flatMap { schedule.moments(in: $0) }.filter { $0.kind == kind }.map(\.time)
            var (now, log, met) = (time("2026-11-20T12:00"), CycleLog(), [Timestamp]())
            log[kind] = CycleLog.Last(time: now, outcome: .done, failures: 0, lastDone: now)
            while let due = schedule.nextDue(kind, from: now, log)?.time, due < time("2026-12-02T00:00") {
                met.append(due)
                log[kind] = CycleLog.Last(time: due, outcome: .done, failures: 0, lastDone: due)
                now = due
            }
            #expect(met == expected)
        }
    }
}
