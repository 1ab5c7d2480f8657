/// What happens to a market on one day of every year, such as a holiday.
struct AnnualEvent: Sendable {
    let name: String
    private let day: AnnualDay
    private let weekdays: Set<Weekday>
    private let moved: Set<Weekday>
    private let years: ClosedRange<Int64>

    /// - Parameters:
    ///   - weekdays: It only happens if its day is one of these; none given: on any.
    ///   - moved: From these it moves to the nearest other day: from Saturday to Friday, from Sunday to Monday.
    ///   - firstYear: The first year in which it happens.
    ///   - lastYear: The last year in which it happens.
    init(
        _ name: String, _ day: AnnualDay, on weekdays: Weekday..., movedFrom moved: Weekday..., from firstYear: Int64 = 1970,
        through lastYear: Int64 = 9999
    ) {
        self.name = name
        self.day = day
        self.weekdays = Set(weekdays.isEmpty ? Weekday.allCases : weekdays)
        self.moved = Set(moved)
        years = firstYear...lastYear
    }

    /// Whether `date` is the day itself, moved or not.
    func falls(on date: CalendarDate) -> Bool { day.dayNumber(in: date.year) == date.dayNumber }

    /// Whether it happens on `date`: on the day itself, or on the one that it moved to.
    func isObserved(on date: CalendarDate) -> Bool {
        let year = date.year
        let dayNumber = day.dayNumber(in: year)
        let weekday = Weekday(dayNumber: dayNumber)
        guard years.contains(year), weekdays.contains(weekday) else { return false }
        let shift: Int64 = moved.contains(weekday) ? (weekday == .saturday ? -1 : 1) : 0
        return dayNumber + shift == date.dayNumber
    }
}
