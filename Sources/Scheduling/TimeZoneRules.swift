import Ledger

/// How far the clocks of one place are from UTC, at any moment.
public struct TimeZoneRules: Hashable, Sendable {
    /// From a moment on, in seconds since 1970 UTC, local time is UTC plus `offset` seconds.
    struct Change: Hashable, Sendable {
        let second: Int64
        let offset: Int64
    }

    /// In force before the first change.
    private let firstOffset: Int64
    /// In order of time.
    private let changes: [Change]
    /// In force after the last change; `nil`: its offset stays for ever.
    private let later: SeasonalTime?

    init(firstOffset: Int64, changes: [Change], later: SeasonalTime?) {
        self.firstOffset = firstOffset
        self.changes = changes
        self.later = later
    }

    /// Seconds to add to UTC for local time, less than 26 hours either way.
    public func offset(at time: Timestamp) -> Int64 { offset(atSecond: time.microseconds / 1_000_000) }

    private func offset(atSecond second: Int64) -> Int64 {
        guard let last = changes.last else { return later?.offset(atSecond: second) ?? firstOffset }
        guard second < last.second else { return later?.offset(atSecond: second) ?? last.offset }
        // The number of changes that have happened by then.
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].second <= second { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? firstOffset : changes[low - 1].offset
    }

    /// The local date at a moment; the first or the last day that there is, where the local date is beyond it.
    public func date(at time: Timestamp) -> CalendarDate {
        CalendarDate(clamping: (time.microseconds / 1_000_000 + offset(at: time)) / 86_400)
    }

    /// The moment when the clocks show `secondOfDay` seconds after midnight on `date`; the nearest in range if it is out of range.
    ///
    /// Where a change makes a time occur twice or never, the moment is within an hour of it or so; no market opens then.
    func time(on date: CalendarDate, secondOfDay: Int64) -> Timestamp {
        let local = date.dayNumber * 86_400 + secondOfDay
        let guess = local - offset(atSecond: local)
        return Timestamp(clamping: (local - offset(atSecond: guess)) * 1_000_000)
    }
}

extension TimeZoneRules {
    /// New York by the laws of the United States, for where there is no time zone file: the Energy Policy Act of 2005, in force since
    /// 2007, and what preceded it. From 1967 on, but for the energy crisis of 1974 and 1975.
    public static let newYork: TimeZoneRules = {
        let inForce = "EST5EDT,M3.2.0,M11.1.0"
        // The law in force takes over after a year of its own: right after the last change of 2006 it would still have summer.
        let laws: [(years: ClosedRange<Int64>, time: String)] = [
            (1967...1986, "EST5EDT,M4.5.0,M10.5.0"), (1987...2006, "EST5EDT,M4.1.0,M10.5.0"), (2007...2007, inForce),
        ]
        let changes = laws.flatMap { years, time in years.flatMap { SeasonalTime(time)?.changes(in: $0) ?? [] } }
        return TimeZoneRules(firstOffset: -18_000, changes: changes, later: SeasonalTime(inForce))
    }()
}
