import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads one line of the journal: exactly what ``LineWriter`` writes, member by member in its order.
///
/// Nothing here trusts the bytes: every read is checked against the end of the line, and whatever is not as expected throws.
struct LineReader {
    private let line: UnsafeRawBufferPointer
    private var position = 0

    /// The member that was expected and not found.
    struct Unexpected: Error, Equatable {
        let expected: String
        let position: Int
    }

    init(_ line: UnsafeRawBufferPointer) { self.line = line }

    var isAtEnd: Bool { position == line.count }

    /// Whether `text` comes next; skips it if so.
    mutating func skip(_ text: StaticString) -> Bool {
        guard isNext(text, at: position) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    private func isNext(_ text: StaticString, at position: Int) -> Bool {
        guard let start = line.baseAddress, line.count - position >= text.utf8CodeUnitCount else { return false }
        return memcmp(start + position, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// Whether `byte` comes next; skips it if so.
    private mutating func skip(_ byte: UInt8) -> Bool {
        guard position < line.count, line[position] == byte else { return false }
        position += 1
        return true
    }

    /// What stands up to the next quotation mark; skips both.
    private mutating func upToQuotationMark() -> UnsafeRawBufferPointer? {
        guard let end = line[position...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        defer { position = end + 1 }
        return UnsafeRawBufferPointer(rebasing: line[position..<end])
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
        let start = position
        guard let text = upToQuotationMark(), let symbol = Symbol(utf8: text) else {
            position = start
            throw unexpected("a symbol")
        }
        return symbol
    }

    mutating func timestamp(_ key: StaticString) throws(Unexpected) -> Timestamp {
        try name(key)
        try expect("\"")
        let end = position + Timestamp.textCount
        guard end < line.count, let value = Timestamp(fixed: UnsafeRawBufferPointer(rebasing: line[position..<end])) else {
            throw unexpected("a time")
        }
        position = end
        try expect("\"")
        return value
    }

    mutating func checksum(_ key: StaticString) throws(Unexpected) -> UInt32 {
        try name(key)
        let start = position
        guard skip(UInt8(ascii: "\"")), let text = upToQuotationMark(), let value = checksumValue(text) else {
            position = start
            throw unexpected("a checksum")
        }
        return value
    }

    /// Skips the comma, except before the first member, and the name.
    private mutating func name(_ key: StaticString) throws(Unexpected) {
        if position > 1, !skip(UInt8(ascii: ",")) { throw unexpected(",") }
        guard isName(key, at: position) else { throw unexpected("\(key)") }
        position += key.utf8CodeUnitCount + 3
    }

    /// Whether the next member is called `key`; does not skip it.
    func isNext(_ key: StaticString) -> Bool {
        position < line.count && line[position] == UInt8(ascii: ",") && isName(key, at: position + 1)
    }

    /// Whether the name `key` and its colon stand there.
    private func isName(_ key: StaticString, at position: Int) -> Bool {
        let end = position + key.utf8CodeUnitCount + 1
        guard line.count - end >= 2, line[position] == UInt8(ascii: "\""), isNext(key, at: position + 1) else { return false }
        return line[end] == UInt8(ascii: "\"") && line[end + 1] == UInt8(ascii: ":")
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

    /// The value of the digits that come next; at most 18.
    private mutating func digits(atMost count: Int) -> Int64 {
        var value: Int64 = 0
        let end = min(position + count, line.count)
        while position < end, case let digit = line[position] &- UInt8(ascii: "0"), digit < 10 {
            value = value &* 10 &+ Int64(digit)
            position += 1
        }
        return value
    }

    /// A decimal, spelt as ``writeDecimal(_:style:to:)`` does: the shortest with at least one place and at most six, or below a
    /// ten-thousandth one with the exponent -5 or -6.
    mutating func amount<Value: Amount>() throws(Unexpected) -> Value {
        let isNegative = skip(UInt8(ascii: "-"))
        let start = position
        // More digits than an amount has are not read, and so end up as something unexpected.
        let whole = digits(atMost: 9)
        guard position > start, position - start == 1 || line[start] != UInt8(ascii: "0") else { throw unexpected("an amount") }
        var micros = whole * microsPerUnit
        var places = 0
        if skip(UInt8(ascii: ".")) {
            let point = position
            var fraction = digits(atMost: 6)
            places = position - point
            guard places == 1 || places > 1 && fraction % 10 != 0 else { throw unexpected("the shortest decimal") }
            for _ in places..<6 { fraction *= 10 }
            micros += fraction
        }
        let isAsWritten: Bool
        if !skip(UInt8(ascii: "e")) {
            isAsWritten = places > 0 && (micros >= 100 || micros == 0 && !isNegative)
        } else if skip("-5") {
            isAsWritten = 1...9 ~= whole && (places == 0 || places == 1 && micros % microsPerUnit != 0)
            micros /= 100_000
        } else {
            isAsWritten = skip("-6") && 1...9 ~= whole && places == 0
            micros /= 1_000_000
        }
        guard isAsWritten else { throw unexpected("the shortest decimal") }
        guard let value = Value(micros: isNegative ? -micros : micros) else { throw unexpected("an amount") }
        return value
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
            let bytes = UnsafeRawBufferPointer(rebasing: line[start..<position])
            let text = bytes.withMemoryRebound(to: UInt8.self) { String(validating: $0, as: UTF8.self) }
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
