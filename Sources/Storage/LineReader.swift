import Ledger

/// Reads one line of the journal: exactly what ``LineWriter`` writes, member by member in its order.
///
/// Nothing here trusts the bytes: every read is checked against the end of the line, and whatever is not as expected throws.
struct LineReader {
    private let line: UnsafeRawBufferPointer
    private var position = 0

    /// The member that was expected and not found.
    struct Unexpected: Error, Hashable {
        let expected: String
        let position: Int
    }

    init(_ line: UnsafeRawBufferPointer) { self.line = line }

    var isAtEnd: Bool { position == line.count }

    /// Whether `text` comes next; skips it if so.
    mutating func skip(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard line.count - position >= count else { return false }
        for index in 0..<count where line[position + index] != text.utf8Start[index] { return false }
        position += count
        return true
    }

    mutating func expect(_ text: StaticString) throws(Unexpected) {
        guard skip(text) else { throw unexpected("\(text)") }
    }

    func unexpected(_ what: String) -> Unexpected { Unexpected(expected: what, position: position) }

    mutating func integer(_ key: StaticString) throws(Unexpected) -> UInt64 {
        try name(key)
        return try integer()
    }

    mutating func amount<Value: Amount>(_ key: StaticString) throws(Unexpected) -> Value {
        try name(key)
        return try amount()
    }

    mutating func string(_ key: StaticString) throws(Unexpected) -> String {
        try name(key)
        return try string()
    }

    mutating func symbol() throws(Unexpected) -> Symbol {
        try expect(",\"symbol\":\"")
        guard let end = line[position...].firstIndex(of: UInt8(ascii: "\"")), let symbol = Symbol(utf8: line[position..<end])
        else {
            throw unexpected("a symbol")
        }
        position = end + 1
        return symbol
    }

    mutating func timestamp(_ key: StaticString) throws(Unexpected) -> Timestamp {
        try name(key)
        try expect("\"")
        guard line.count - position > Timestamp.textCount, let value = fixedTimestamp() else { throw unexpected("a time") }
        try expect("\"")
        return value
    }

    /// Skips the comma, except before the first member, and the name.
    private mutating func name(_ key: StaticString) throws(Unexpected) {
        if position > 1, !skip(",") { throw unexpected(",") }
        guard skip("\""), skip(key), skip("\":") else { throw unexpected("\(key)") }
    }

    /// Whether the next member is called `key`; does not skip it.
    func isNext(_ key: StaticString) -> Bool {
        var copy = self
        return copy.skip(",\"") && copy.skip(key) && copy.skip("\":")
    }

    private mutating func integer() throws(Unexpected) -> UInt64 {
        var value: UInt64 = 0
        let start = position
        while position < line.count, case let digit = line[position] &- UInt8(ascii: "0"), digit < 10 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { throw unexpected("a smaller number") }
            value = sum
            position += 1
        }
        guard position > start, position - start == 1 || line[start] != UInt8(ascii: "0") else {
            throw unexpected("a whole number")
        }
        return value
    }

    /// A decimal, spelt as ``writeDecimal(_:style:to:)`` does: the shortest with at least one place and at most six, or below a
    /// ten-thousandth one with the exponent -5 or -6.
    mutating func amount<Value: Amount>() throws(Unexpected) -> Value {
        let isNegative = skip("-")
        let whole = try integer()
        guard whole < 1_000_000_000 else { throw unexpected("an amount") }
        var micros = Int64(whole) * microsPerUnit
        var places = 0
        if skip(".") {
            var fraction: Int64 = 0
            while position < line.count, case let digit = line[position] &- UInt8(ascii: "0"), digit < 10 {
                guard places < 6 else { throw unexpected("at most six decimals") }
                fraction = fraction * 10 + Int64(digit)
                places += 1
                position += 1
            }
            guard places == 1 || places > 1 && fraction % 10 != 0 else { throw unexpected("the shortest decimal") }
            for _ in places..<6 { fraction *= 10 }
            micros += fraction
        }
        let isAsWritten: Bool
        if skip("e-5") {
            isAsWritten = 1...9 ~= whole && (places == 0 || places == 1 && micros % microsPerUnit != 0)
            micros /= 100_000
        } else if skip("e-6") {
            isAsWritten = 1...9 ~= whole && places == 0
            micros /= 1_000_000
        } else {
            isAsWritten = places > 0 && (micros >= 100 || micros == 0 && !isNegative)
        }
        guard isAsWritten else { throw unexpected("the shortest decimal") }
        guard let value = Value(micros: isNegative ? -micros : micros) else { throw unexpected("an amount") }
        return value
    }

    private mutating func fixedTimestamp() -> Timestamp? {
        func number(_ offset: Int, _ count: Int) -> Int64? {
            var value: Int64 = 0
            for index in offset..<offset + count {
                let digit = line[position + index] &- UInt8(ascii: "0")
                guard digit < 10 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return value
        }
        guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), let microsecond = number(20, 6),
            let time = Timestamp(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second, microsecond: microsecond)
        else { return nil }
        for (offset, scalar) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "."), (26, "Z")]
            as [(Int, Unicode.Scalar)]
        where line[position + offset] != UInt8(ascii: scalar) { return nil }
        position += Timestamp.textCount
        return time
    }

    /// A JSON string in the escapes that ``LineWriter`` uses.
    mutating func string() throws(Unexpected) -> String {
        try expect("\"")
        let start = position
        while position < line.count, case let byte = line[position], byte >= 0x20, byte != UInt8(ascii: "\""),
            byte != UInt8(ascii: "\\")
        {
            position += 1
        }
        guard position < line.count else { throw unexpected("the end of a string") }
        if line[position] == UInt8(ascii: "\"") {
            let text = String(validating: line[start..<position], as: UTF8.self)
            position += 1
            guard let text else { throw unexpected("UTF-8") }
            return text
        }
        var bytes = Array(line[start..<position])
        while position < line.count {
            let byte = line[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard let text = String(validating: bytes, as: UTF8.self) else { throw unexpected("UTF-8") }
                return text
            }
            guard byte >= 0x20 else { throw unexpected("a control character escaped") }
            bytes.append(byte == UInt8(ascii: "\\") ? try escape() : byte)
        }
        throw unexpected("the end of a string")
    }

    private mutating func escape() throws(Unexpected) -> UInt8 {
        guard position < line.count else { throw unexpected("an escape") }
        position += 1
        switch line[position - 1] {
        case UInt8(ascii: "\""): return UInt8(ascii: "\"")
        case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"):
            guard line.count - position >= 4, skip("00"), let high = hexadecimalDigit(), let low = hexadecimalDigit(), high < 2,
                case let byte = high << 4 | low, ![0x08, 0x09, 0x0A, 0x0C, 0x0D].contains(byte)
            else {
                throw unexpected("a control character that has no shorter escape")
            }
            return byte
        default: throw unexpected("an escape")
        }
    }

    private mutating func hexadecimalDigit() -> UInt8? {
        let byte = line[position]
        position += 1
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
        default: return nil
        }
    }
}

/// The value of eight lower-case hexadecimal digits, `nil` if `bytes` is anything else.
func checksumValue(_ bytes: some Collection<UInt8>) -> UInt32? {
    guard bytes.count == 8 else { return nil }
    var value: UInt32 = 0
    for byte in bytes {
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
        default: return nil
        }
        value = value << 4 | UInt32(digit)
    }
    return value
}
