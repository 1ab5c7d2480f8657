import Ledger

/// A day that comes once a year, by a rule: a holiday, or the day on which the clocks change.
enum AnnualDay: Hashable, Sendable {
    case date(month: Int64, day: Int64)
    /// The first to fourth such weekday of a month; the fifth means the last, as in the names of time zones.
    case weekday(Weekday, week: Int64, month: Int64)
    /// Easter Sunday of the western churches.
    case easter
    indirect case shifted(AnnualDay, days: Int64)

    /// Days from 1970-01-01 to this day of `year`, 1 to 10,000.
    func dayNumber(in year: Int64) -> Int64 {
        switch self {
        case .date(let month, let day): days(fromCivilYear: year, month: month, day: day)
        case .weekday(let weekday, let week, let month): Self.dayNumber(of: weekday, week, month, year)
        case .easter: Self.easter(year)
        case .shifted(let day, let days): day.dayNumber(in: year) + days
        }
    }

    private static func dayNumber(of weekday: Weekday, _ week: Int64, _ month: Int64, _ year: Int64) -> Int64 {
        let first = days(fromCivilYear: year, month: month, day: 1)
        let wait = (weekday.rawValue - Weekday(dayNumber: first).rawValue + 7) % 7
        let day = 1 + wait + 7 * (week - 1)
        return first - 1 + (day > daysInMonth(month, of: year) ? day - 7 : day)
    }

    /// The "anonymous Gregorian" algorithm: Jean Meeus, "Astronomical Algorithms", chapter 8.
    private static func easter(_ year: Int64) -> Int64 {
        let goldenNumber = year % 19
        let (century, yearOfCentury) = year.quotientAndRemainder(dividingBy: 100)
        let moonCorrection = (century - (century + 8) / 25 + 1) / 3
        let epact = (19 * goldenNumber + century - century / 4 - moonCorrection + 15) % 30
        let toSunday = (32 + 2 * (century % 4) + 2 * (yearOfCentury / 4) - epact - yearOfCentury % 4) % 7
        let exception = (goldenNumber + 11 * epact + 22 * toSunday) / 451
        let fromMarch = epact + toSunday - 7 * exception + 114
        return days(fromCivilYear: year, month: fromMarch / 31, day: fromMarch % 31 + 1)
    }
}
