import Ledger

/// A time zone that is the same every year: one offset, or standard and daylight saving time in turn.
///
/// Written as POSIX writes the environment variable TZ (IEEE 1003.1, Base Definitions, chapter 8.3), with times of change from -167 to 167
/// hours as RFC 8536 has them: `EST5EDT,M3.2.0,M11.1.0`.
struct SeasonalTime: Hashable, Sendable {
    /// When the clocks change: a day, and seconds after its midnight, by the clocks before the change.
    struct Switch: Hashable, Sendable {
        let day: AnnualDay
        let second: Int64
    }

    struct Daylight: Hashable, Sendable {
        let offset: Int64
        let start: Switch
        let end: Switch
    }

    /// Seconds to add to UTC.
    let standardOffset: Int64
    let daylight: Daylight?

    /// The two changes of a year, in order of time.
    func changes(in year: Int64) -> [TimeZoneRules.Change] {
        guard let daylight else { return [] }
        let start = daylight.start.day.dayNumber(in: year) * 86_400 + daylight.start.second - standardOffset
        let end = daylight.end.day.dayNumber(in: year) * 86_400 + daylight.end.second - daylight.offset
        let isOn = TimeZoneRules.Change(second: start, offset: daylight.offset)
        let isOff = TimeZoneRules.Change(second: end, offset: standardOffset)
        return start < end ? [isOn, isOff] : [isOff, isOn]
    }

    /// The offset at a moment from 1970 to 9999.
    func offset(atSecond second: Int64) -> Int64 {
        let year = civilDate(fromDays: second / 86_400).year
        // A year begins with what the last one ended with, and may end with a change that is written as the next one's.
        let changes = (year - 1...year + 1).flatMap(changes(in:))
        return changes.last { $0.second <= second }?.offset ?? standardOffset
    }
}

extension SeasonalTime {
    /// `nil` if `text` is not such a time zone. One with daylight saving time must say when it is.
    init?(_ text: String) {
        var rest = text.utf8[...]
        guard rest.skipZoneName(), let west = rest.takeTime(maximumHours: 24) else { return nil }
        standardOffset = -west
        guard !rest.isEmpty else {
            daylight = nil
            return
        }
        guard rest.skipZoneName() else { return nil }
        var offset = standardOffset + 3600
        if rest.first != UInt8(ascii: ",") {
            guard let west = rest.takeTime(maximumHours: 24) else { return nil }
            offset = -west
        }
        guard rest.skip(","), let start = rest.takeSwitch(), rest.skip(","), let end = rest.takeSwitch(), rest.isEmpty else {
            return nil
        }
        daylight = Daylight(offset: offset, start: start, end: end)
    }
}

/// The words that a POSIX time zone is made of; each is taken from the front, or is not there.
extension Substring.UTF8View {
    fileprivate mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard first == UInt8(ascii: scalar) else { return false }
        removeFirst()
        return true
    }

    fileprivate mutating func takeNumber(_ range: ClosedRange<Int64>) -> Int64? {
        var value: Int64?
        while let byte = first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            removeFirst()
            value = (value ?? 0) * 10 + Int64(byte - UInt8(ascii: "0"))
            guard let value, value <= range.upperBound else { return nil }
        }
        return value.flatMap { range.contains($0) ? $0 : nil }
    }

    /// At least three letters, or anything between < and >.
    fileprivate mutating func skipZoneName() -> Bool {
        if skip("<") {
            guard let end = firstIndex(of: UInt8(ascii: ">")) else { return false }
            self = self[index(after: end)...]
            return true
        }
        let name = prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
        self = self[name.endIndex...]
        return name.count >= 3
    }

    /// `5`, `-3:30`, `+02:00:00`, in seconds.
    fileprivate mutating func takeTime(maximumHours: Int64) -> Int64? {
        let isNegative = skip("-")
        if !isNegative { _ = skip("+") }
        guard let hours = takeNumber(0...maximumHours) else { return nil }
        var seconds = hours * 3600
        for unit in [60, 1] as [Int64] where skip(":") {
            guard let count = takeNumber(0...59) else { return nil }
            seconds += count * unit
        }
        return isNegative ? -seconds : seconds
    }

    /// `M3.2.0` (second Sunday of March), `J60` (March 1 in every year) or `59` (the sixtieth day), with `/` and a time, else 2:00.
    fileprivate mutating func takeSwitch() -> SeasonalTime.Switch? {
        let day: AnnualDay
        if skip("M") {
            guard let month = takeNumber(1...12), skip("."), let week = takeNumber(1...5), skip("."),
                let weekday = takeNumber(0...6).flatMap(Weekday.init(rawValue:))
            else { return nil }
            day = .weekday(weekday, week: week, month: month)
        } else if skip("J") {
            guard let number = takeNumber(1...365) else { return nil }
            // By the months of a year without February 29, such as 1970.
            let date = civilDate(fromDays: number - 1)
            day = .date(month: date.month, day: date.day)
        } else {
            guard let number = takeNumber(0...365) else { return nil }
            day = .shifted(.date(month: 1, day: 1), days: number)
        }
        guard skip("/") else { return SeasonalTime.Switch(day: day, second: 7200) }
        return takeTime(maximumHours: 167).map { SeasonalTime.Switch(day: day, second: $0) }
    }
}
