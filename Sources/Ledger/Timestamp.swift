/// A moment: whole microseconds since 1970-01-01 00:00:00 UTC, from 1970 to the end of 9999.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let microseconds: Int64

    /// The last microsecond of the year 9999.
    public static let latest: Int64 = 253_402_300_799_999_999

    /// `nil` outside 1970 to 9999.
    public init?(microseconds: Int64) {
        guard microseconds >= 0, microseconds <= Self.latest else { return nil }
        self.microseconds = microseconds
    }

    /// The moment of a date and time of day in UTC; `nil` if there is no such moment.
    public init?(year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64, microsecond: Int64) {
        guard (1970...9999).contains(year), (1...12).contains(month), day >= 1, day <= daysInMonth(month, of: year),
            (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second), (0..<1_000_000).contains(microsecond)
        else { return nil }
        let days = days(fromCivilYear: year, month: month, day: day)
        self.init(microseconds: ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + microsecond)
    }

    /// The moment nearest to `microseconds` that is in range.
    public init(clamping microseconds: Int64) {
        self.microseconds = min(max(microseconds, 0), Self.latest)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// Microseconds from `earlier` to this moment; negative if it is later.
    public func microseconds(since earlier: Timestamp) -> Int64 { microseconds - earlier.microseconds }

    /// How far clocks that are used side by side may be apart: an hour.
    public static let clockTolerance: Int64 = 3_600_000_000

    /// Whether this moment lies further ahead of `time` than clocks may be apart: whoever wrote it down had a wrong clock, or made
    /// the moment up, and following it would stop everybody until then.
    public func isFarAhead(of time: Timestamp) -> Bool { microseconds(since: time) > Self.clockTolerance }

    /// `2026-11-23T14:30:00.000000Z`: ISO 8601 in UTC, always 27 characters.
    public var description: String {
        String(unsafeUninitializedCapacity: Self.textCount) { write(to: $0) }
    }

    /// The number of bytes of ``description``, and of its beginning that is the same for the whole second.
    public static let textCount = 27
    public static let secondTextCount = 20

    /// Seconds since 1970, whole ones.
    public var seconds: Int64 { microseconds / 1_000_000 }

    /// Writes ``description`` into `buffer`, which has room for ``textCount`` bytes, and returns that count.
    public func write(to buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let (year, month, day) = civilDate(fromDays: seconds / 86_400)
        let second = seconds % 86_400
        put(year, digits: 4, then: "-", to: buffer, at: 0)
        put(month, digits: 2, then: "-", to: buffer, at: 5)
        put(day, digits: 2, then: "T", to: buffer, at: 8)
        put(second / 3600, digits: 2, then: ":", to: buffer, at: 11)
        put(second / 60 % 60, digits: 2, then: ":", to: buffer, at: 14)
        put(second % 60, digits: 2, then: ".", to: buffer, at: 17)
        writeFraction(to: buffer)
        return Self.textCount
    }

    /// Writes what of ``description`` follows the first ``secondTextCount`` bytes, behind them.
    public func writeFraction(to buffer: UnsafeMutableBufferPointer<UInt8>) {
        put(microseconds % 1_000_000, digits: 6, then: "Z", to: buffer, at: Self.secondTextCount)
    }

    private func put(
        _ value: Int64, digits: Int, then separator: Unicode.Scalar, to buffer: UnsafeMutableBufferPointer<UInt8>, at place: Int
    ) {
        var rest = value
        for index in stride(from: place + digits - 1, through: place, by: -1) {
            buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        buffer[place + digits] = UInt8(ascii: separator)
    }

    /// Reads what ``description`` writes, and nothing else.
    public init?(fixed text: UnsafeRawBufferPointer) {
        guard text.count == Self.textCount else { return nil }
        func number(_ offset: Int, _ count: Int) -> Int64? {
            var value: Int64 = 0
            for index in offset..<offset + count {
                let digit = text[index] &- UInt8(ascii: "0")
                guard digit < 10 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return value
        }
        func has(_ separator: Unicode.Scalar, _ offset: Int) -> Bool { text[offset] == UInt8(ascii: separator) }
        guard has("-", 4), has("-", 7), has("T", 10), has(":", 13), has(":", 16), has(".", 19), has("Z", 26),
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), let microsecond = number(20, 6),
            let time = Timestamp(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second, microsecond: microsecond)
        else { return nil }
        self = time
    }

    /// Reads ISO 8601: `2026-11-23`, `2026-11-23T14:30`, seconds, up to nine decimals of a second (beyond six they are cut), and a zone
    /// of `Z` or `±hh:mm`. A time without a zone is taken as UTC. `+00:00Z`, which the Python system's files contain, is UTC too.
    public init?(_ text: String) {
        var utf8 = text.utf8[...]
        func number(digits: Int) -> Int64? {
            var value: Int64 = 0
            guard utf8.count >= digits else { return nil }
            for _ in 0..<digits {
                guard let byte = utf8.first, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                utf8.removeFirst()
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return value
        }
        func skip(_ scalar: Unicode.Scalar) -> Bool {
            guard utf8.first == UInt8(ascii: scalar) else { return false }
            utf8.removeFirst()
            return true
        }
        guard let year = number(digits: 4), skip("-"), let month = number(digits: 2), skip("-"), let day = number(digits: 2),
            (1...12).contains(month), day >= 1, day <= daysInMonth(month, of: year)
        else { return nil }
        var seconds = days(fromCivilYear: year, month: month, day: day) * 86_400
        var fraction: Int64 = 0
        if skip("T") || skip(" ") {
            guard let hour = number(digits: 2), hour < 24, skip(":"), let minute = number(digits: 2), minute < 60 else {
                return nil
            }
            seconds += hour * 3600 + minute * 60
            if skip(":") {
                guard let second = number(digits: 2), second < 60 else { return nil }
                seconds += second
                if skip(".") {
                    var digits = 0
                    while let digit = number(digits: 1) {
                        if digits < 6 { fraction = fraction * 10 + digit }
                        digits += 1
                    }
                    guard digits >= 1, digits <= 9 else { return nil }
                    for _ in min(digits, 6)..<6 { fraction *= 10 }
                }
            }
            if let sign = utf8.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                utf8.removeFirst()
                guard let hours = number(digits: 2), hours < 24 else { return nil }
                _ = skip(":")
                guard let minutes = number(digits: 2), minutes < 60 else { return nil }
                let offset = hours * 3600 + minutes * 60
                seconds -= sign == UInt8(ascii: "+") ? offset : -offset
                if offset == 0 { _ = skip("Z") }
            } else {
                _ = skip("Z")
            }
        }
        guard utf8.isEmpty else { return nil }
        self.init(microseconds: seconds * 1_000_000 + fraction)
    }
}

/// The date `days` days after 1970-01-01 in the proleptic Gregorian calendar, for dates from 1970 on.
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
package func civilDate(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

/// Days from 1970-01-01 to a date of the years 0 to 9999; the inverse of ``civilDate(fromDays:)``.
package func days(fromCivilYear year: Int64, month: Int64, day: Int64) -> Int64 {
    let yearFromMarch = month <= 2 ? year - 1 : year
    let era = (yearFromMarch >= 0 ? yearFromMarch : yearFromMarch - 399) / 400
    let yearOfEra = yearFromMarch - era * 400
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

/// The number of days of a month, 1 to 12.
package func daysInMonth(_ month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: return 30
    default: return 31
    }
}
