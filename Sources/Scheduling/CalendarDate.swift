import Ledger

/// A day of the Gregorian calendar, from 1970-01-01 to 9999-12-31.
public struct CalendarDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Days since 1970-01-01.
    public let dayNumber: Int64

    public static let first = CalendarDate(clamping: .min)
    public static let last = CalendarDate(clamping: .max)

    private static let latestDayNumber = Timestamp.latest / 86_400_000_000

    /// The day that is `dayNumber` days after 1970-01-01, or the nearest one in range.
    public init(clamping dayNumber: Int64) {
        self.dayNumber = min(max(dayNumber, 0), Self.latestDayNumber)
    }

    /// `nil` if there is no such day from 1970 to 9999.
    public init?(year: Int64, month: Int64, day: Int64) {
        guard (1970...9999).contains(year), (1...12).contains(month), day >= 1, day <= daysInMonth(month, of: year) else {
            return nil
        }
        dayNumber = days(fromCivilYear: year, month: month, day: day)
    }

    /// Reads `2014-06-09`, and nothing else.
    public init?(_ text: String) {
        guard text.utf8.count == 10, let midnight = Timestamp(text) else { return nil }
        self.init(utcDateOf: midnight)
    }

    /// The day in UTC.
    public init(utcDateOf time: Timestamp) {
        dayNumber = time.microseconds / 86_400_000_000
    }

    public var year: Int64 { civilDate(fromDays: dayNumber).year }
    /// 1 to 12.
    public var month: Int64 { civilDate(fromDays: dayNumber).month }
    /// 1 to 31.
    public var day: Int64 { civilDate(fromDays: dayNumber).day }
    public var weekday: Weekday { Weekday(dayNumber: dayNumber) }

    /// The day so many days later, earlier if `days` is negative; the first or the last day if that is out of range.
    public func adding(days: Int64) -> CalendarDate {
        let (sum, isTooLarge) = dayNumber.addingReportingOverflow(days)
        return CalendarDate(clamping: isTooLarge ? .max : sum)
    }

    public static func < (left: CalendarDate, right: CalendarDate) -> Bool { left.dayNumber < right.dayNumber }

    /// `2014-06-09`
    public var description: String {
        String(Timestamp(clamping: dayNumber * 86_400_000_000).description.prefix(10))
    }
}

/// A day of the week.
public enum Weekday: Int64, CaseIterable, Sendable {
    case sunday, monday, tuesday, wednesday, thursday, friday, saturday

    /// The weekday of the day `dayNumber` days after 1970-01-01, which was a Thursday.
    init(dayNumber: Int64) {
        let index = ((dayNumber + 4) % 7 + 7) % 7
        self = Self.allCases[Int(index)]
    }

    public var isWeekend: Bool { self == .saturday || self == .sunday }
}
