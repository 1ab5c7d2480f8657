import Ledger

/// The schedule of the New York Stock Exchange: Rule 7.2 for the holidays, the exchange's yearly notices for early closes, and
/// "NYSE Special Closings since 1885" for what no rule foretells.
enum NewYorkStockExchange {
    // Seconds after midnight, New York.
    static let open: Int64 = (9 * 60 + 30) * 60
    static let close: Int64 = 16 * 3600
    static let earlyClose: Int64 = 13 * 3600

    /// Closed all day.
    private static let holidays: [AnnualEvent] = [
        // Not moved back from a Saturday, because the books of the year are closed on the Friday.
        AnnualEvent("New Year's Day", .date(month: 1, day: 1), movedFrom: .sunday),
        AnnualEvent("Martin Luther King Jr. Day", .weekday(.monday, week: 3, month: 1), from: 1998),
        AnnualEvent("Washington's Birthday", .weekday(.monday, week: 3, month: 2)),
        AnnualEvent("Good Friday", .shifted(.easter, days: -2)),
        AnnualEvent("Memorial Day", .weekday(.monday, week: 5, month: 5)),
        AnnualEvent("Juneteenth", .date(month: 6, day: 19), movedFrom: .saturday, .sunday, from: 2022),
        AnnualEvent("Independence Day", .date(month: 7, day: 4), movedFrom: .saturday, .sunday),
        AnnualEvent("Labor Day", .weekday(.monday, week: 1, month: 9)),
        AnnualEvent("Thanksgiving Day", thanksgiving),
        AnnualEvent("Christmas Day", .date(month: 12, day: 25), movedFrom: .saturday, .sunday),
    ]

    /// Closed from 13:00 on. A holiday that falls on one of these days comes first.
    private static let earlyCloses: [AnnualEvent] = [
        AnnualEvent("day before Independence Day", .date(month: 7, day: 3), on: .monday, .tuesday, .thursday, from: 1995),
        // Between a holiday on Thursday and the weekend, until 2012 the Friday was the short day, since then the Wednesday is.
        AnnualEvent("day after Independence Day", .date(month: 7, day: 5), on: .friday, from: 1995, through: 2012),
        AnnualEvent("day before Independence Day", .date(month: 7, day: 3), on: .wednesday, from: 2013),
        AnnualEvent("day after Thanksgiving", .shifted(thanksgiving, days: 1), from: 1993),
        AnnualEvent("Christmas Eve", .date(month: 12, day: 24), on: .monday, .tuesday, .wednesday, .thursday, from: 1993),
    ]

    private static let thanksgiving = AnnualDay.weekday(.thursday, week: 4, month: 11)

    private static let specialClosures = table([
        ("1994-04-27", "funeral of President Nixon"),
        ("2001-09-11", "attacks of September 11"), ("2001-09-12", "attacks of September 11"),
        ("2001-09-13", "attacks of September 11"), ("2001-09-14", "attacks of September 11"),
        ("2004-06-11", "mourning for President Reagan"),
        ("2007-01-02", "mourning for President Ford"),
        ("2012-10-29", "Hurricane Sandy"), ("2012-10-30", "Hurricane Sandy"),
        ("2018-12-05", "mourning for President George H. W. Bush"),
        ("2025-01-09", "mourning for President Carter"),
    ])

    private static let specialEarlyCloses = table([
        ("1997-12-26", "day after Christmas"), ("1999-12-31", "New Year's Eve"), ("2003-12-26", "day after Christmas"),
    ])

    private static func table(_ rows: [(date: String, reason: String)]) -> [CalendarDate: String] {
        Dictionary(rows.compactMap { row in CalendarDate(row.date).map { ($0, row.reason) } }) { first, _ in first }
    }

    /// Why it is closed all day; `nil` if it is not.
    static func closure(on date: CalendarDate) -> String? {
        if date.weekday.isWeekend { return "weekend" }
        if let holiday = holidays.first(where: { $0.isObserved(on: date) }) {
            return holiday.falls(on: date) ? holiday.name : "\(holiday.name), observed"
        }
        return specialClosures[date]
    }

    /// Why it closes early on a day on which it is open; `nil` if it does not.
    static func earlyClose(on date: CalendarDate) -> String? {
        earlyCloses.first { $0.isObserved(on: date) }?.name ?? specialEarlyCloses[date]
    }
}
