import Ledger
import Testing

@testable import Scheduling

@Suite struct `A calendar date` {
    @Test(arguments: [
        ("1970-01-01", 0, Weekday.thursday), ("2000-02-29", 11_016, .tuesday), ("2014-06-09", 16_230, .monday),
        ("2100-02-28", 47_540, .sunday), ("2100-03-01", 47_541, .monday), ("9999-12-31", 2_932_896, .friday),
    ])
    func `has a number, a weekday and a text`(text: String, dayNumber: Int64, weekday: Weekday) throws {
        let date = try #require(CalendarDate(text))
        #expect(date.dayNumber == dayNumber)
        #expect(date.weekday == weekday)
        #expect(date.description == text)
        #expect(CalendarDate(year: date.year, month: date.month, day: date.day) == date)
        #expect(CalendarDate(clamping: dayNumber) == date)
    }

    @Test(arguments: [
        "", "2014-06-9", "2014-6-09", "2014-02-29", "2014-13-01", "2014-00-01", "2014-06-00", "2014-06-31", "1969-12-31",
        "20140609",
        "2014-06-09 ", " 2014-06-09", "2014-06-09T00:00", "2014/06/09", "10000-01-01", "２０14-06-09",
    ])
    func `is read only from a day that exists, written in full`(text: String) { #expect(CalendarDate(text) == nil) }

    @Test func `exists for every day of 400 years, after which the calendar repeats, and for others until 9999, in order`() {
        let cycle: Int64 = 146_097
        var previous = CalendarDate.first.adding(days: -1)
        #expect(previous == .first)
        for number in Array(1...cycle) + stride(from: cycle + 1, through: CalendarDate.last.dayNumber, by: 97) {
            let date = CalendarDate(clamping: number)
            if CalendarDate(date.description) != date || date <= previous
                || previous.adding(days: number - previous.dayNumber) != date
            {
                Issue.record("day \(number) is \(date)")
            }
            previous = date
        }
        #expect(CalendarDate(clamping: .max) == CalendarDate("9999-12-31"))
        #expect(CalendarDate.last.adding(days: .max) == .last)
        #expect(CalendarDate.last.adding(days: .min) == .first)
    }

    @Test func `is taken from a moment in UTC`() throws {
        for (time, date) in [
            ("1970-01-01", "1970-01-01"), ("2014-06-09T23:59:59.999999Z", "2014-06-09"), ("2014-06-10T00:00:00Z", "2014-06-10"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31"),
        ] { #expect(CalendarDate(utcDateOf: try #require(Timestamp(time))).description == date) }
    }
}
