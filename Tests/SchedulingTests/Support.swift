import Ledger
import Scheduling

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The rows of a text table: a line each, its columns separated by two spaces or more.
func rows(_ table: String) -> [[String]] {
    table.split(separator: "\n").map { line in
        line.split(separator: "  ").map { column in String(column.drop { $0 == " " }) }.filter { !$0.isEmpty }
    }.filter { !$0.isEmpty }
}

/// A moment or a day that a test has written down.
func time(_ text: String) -> Timestamp {
    guard let time = Timestamp(text) else { preconditionFailure("\(text) is no time") }
    return time
}

func date(_ text: String) -> CalendarDate {
    guard let date = CalendarDate(text) else { preconditionFailure("\(text) is no date") }
    return date
}

extension Timestamp {
    func adding(microseconds count: Int64) -> Timestamp { Timestamp(clamping: microseconds + count) }
}

/// Random numbers that can be drawn again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// `PAPERTRADE_SEED` if it is given, else a new seed; printed with `what`, so that a failure can be repeated.
    init(for what: String = #function) {
        var system = SystemRandomNumberGenerator()
        let given = getenv("PAPERTRADE_SEED").flatMap { UInt64(String(cString: $0)) }
        state = given ?? system.next() % 1_000_000_000
        print("PAPERTRADE_SEED=\(state) repeats: \(what)")
    }

    /// splitmix64: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func time(from first: Timestamp, to last: Timestamp) -> Timestamp {
        Timestamp(clamping: .random(in: first.microseconds...last.microseconds, using: &self))
    }
}

/// A compiled time zone file of this machine, such as `America/New_York`; the tests need Debian's tzdata or the like.
func timeZoneFile(_ name: String) -> [UInt8]? {
    guard let file = fopen("/usr/share/zoneinfo/" + name, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = getc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
    return bytes
}
