/// Amounts as decimal text: exact both ways.
extension Amount {
    /// The amount as people write it: at least one digit after the point, no superfluous zeros (`4000.0`, `-0.25`, `0.000001`).
    public var description: String {
        String(unsafeUninitializedCapacity: decimalTextCapacity) { writeDecimal(micros, style: .plain, to: $0) }
    }

    /// Reads a plain decimal such as `150`, `-0.25` or `1,234.5` without its commas: digits, at most one point, an optional sign.
    ///
    /// - Throws: ``AmountError/notANumber`` for anything else, ``AmountError/tooPrecise`` for a non-zero seventh decimal.
    public init(_ text: String) throws(AmountError) {
        guard isDecimal(text.utf8) else { throw .notANumber }
        var micros: Int64 = 0
        var decimals: Int? = nil
        var isNegative = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "+"): break
            case UInt8(ascii: "."): decimals = 0
            default:
                let digit = Int64(byte - UInt8(ascii: "0"))
                if let places = decimals {
                    if places >= 6 {
                        if digit != 0 { throw .tooPrecise }
                        continue
                    }
                    decimals = places + 1
                }
                guard micros <= amountLimit / 10 else { throw .outOfRange }
                micros = micros * 10 + digit
            }
        }
        for _ in (decimals ?? 0)..<6 {
            guard micros <= amountLimit / 10 else { throw .outOfRange }
            micros *= 10
        }
        guard let amount = Self(micros: isNegative ? -micros : micros) else { throw .outOfRange }
        self = amount
    }
}

/// Whether this is an optional sign, then digits with at most one point.
private func isDecimal(_ text: String.UTF8View) -> Bool {
    let unsigned = text.first == UInt8(ascii: "-") || text.first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
    let digits = unsigned.count { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let points = unsigned.count { $0 == UInt8(ascii: ".") }
    return digits > 0 && points <= 1 && digits + points == unsigned.count
}

/// How small amounts are written.
public enum DecimalStyle: Sendable {
    /// Never with an exponent.
    case plain
    /// As jansson prints a real: with an exponent below a ten-thousandth (`1e-6`, `2.5e-5`).
    case jansson
}

/// The longest decimal text of an amount has 17 bytes; this leaves room.
public let decimalTextCapacity = 24

/// Writes `micros` millionths as the shortest exact decimal with at least one digit after the point, and returns the number of bytes.
///
/// - Parameters:
///   - micros: within ±``amountLimit``.
///   - buffer: has room for ``decimalTextCapacity`` bytes.
public func writeDecimal(_ micros: Int64, style: DecimalStyle, to buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
    var text = DecimalWriter(buffer: buffer)
    if micros < 0 { text.put(UInt8(ascii: "-")) }
    let magnitude = micros.magnitude
    if style == .jansson && magnitude > 0 && magnitude < 100 {
        text.putSmall(magnitude)
        return text.count
    }
    text.putDigits(magnitude / 1_000_000)
    text.put(UInt8(ascii: "."))
    text.putFraction(magnitude % 1_000_000)
    return text.count
}

private struct DecimalWriter {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    mutating func put(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    /// Writes `value` with as many digits as it has.
    mutating func putDigits(_ value: UInt64) {
        var end = count + 1
        var limit: UInt64 = 10
        while value >= limit {
            end += 1
            limit *= 10
        }
        var rest = value
        var index = end
        while index > count {
            index -= 1
            buffer[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count = end
    }

    /// Writes millionths below a whole: one to six digits, without zeros at the end.
    mutating func putFraction(_ millionths: UInt64) {
        var rest = millionths
        repeat {
            rest *= 10
            put(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / 1_000_000))
            rest %= 1_000_000
        } while rest > 0
    }

    /// Writes 1 to 99 millionths with an exponent.
    mutating func putSmall(_ micros: UInt64) {
        if micros < 10 {
            putDigits(micros)
        } else {
            putDigits(micros / 10)
            if micros % 10 != 0 {
                put(UInt8(ascii: "."))
                putDigits(micros % 10)
            }
        }
        put(UInt8(ascii: "e"))
        put(UInt8(ascii: "-"))
        put(micros < 10 ? UInt8(ascii: "6") : UInt8(ascii: "5"))
    }
}
