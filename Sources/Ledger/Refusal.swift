/// Why a request is refused. The order is the precedence: of two reasons, the earlier one is given.
///
/// Each case carries what its sentence needs; ``description`` is that sentence.
public enum Refusal: Error, Hashable, Sendable {
    // The request itself is wrong.
    case invalidSymbol(String)
    case invalidShares(String)
    case invalidPrice(String)
    case invalidAmount(String)
    case tooPrecise(String)
    case invalidRatio(new: String, old: String)
    case invalidScore(String)
    case invalidSignal(String)
    case textTooLong(field: String, byteCount: Int)
    case textNotUTF8(field: String)
    case invalidRequestID(String)
    case invalidTime(Int64)
    case invalidAccountID(String)

    // The account does not allow it.
    case sequenceMismatch(expected: UInt64, actual: UInt64)
    case requestConflict(id: RequestID, seq: UInt64)
    case noPosition(Symbol)
    case insufficientShares(Symbol, asked: Shares, held: Shares)
    case needsPrice(Symbol)
    case totalIsZero(what: String)
    case outOfRange(what: String)
    case insufficientFunds(needed: Money, available: Money)
    case alreadyQueued(Symbol, seq: UInt64)
    case batchTooLarge(limit: Int)
}

extension Refusal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidSymbol(let text):
            "symbol \"\(escaped(text, limit: 60))\" is not 1 to 32 characters of A-Z a-z 0-9 . _ - / ^ = :"
        case .invalidShares(let value):
            "shares \(value) is not a number above 0 and at most 999999999.999999"
        case .invalidPrice(let value):
            "price \(value) is not a number above 0 and at most 999999999.999999"
        case .invalidAmount(let value):
            "amount \(value) is not a number in range: give a positive amount of at most 999999999.999999"
        case .tooPrecise(let value):
            "\(value) has more than six decimals that matter: round it to a millionth first"
        case .invalidRatio(let new, let old):
            "split \(new) for \(old) is not a ratio of two different numbers above 0"
        case .invalidScore(let value):
            "score \(value) is not a number from 0 to 100"
        case .invalidSignal(let value):
            "signal \(escaped(value, limit: 60)) is none of SELL, WEAK SELL, HOLD, WEAK BUY, BUY, STRONG BUY"
        case .textTooLong(let field, let byteCount):
            "\(field) has \(byteCount) bytes; at most \(Text.maximumByteCount) are kept: shorten it"
        case .textNotUTF8(let field):
            "\(field) is not valid UTF-8 without NUL characters"
        case .invalidRequestID(let text):
            "request id \"\(escaped(text, limit: 80))\" is not 1 to 64 bytes without control characters"
        case .invalidTime(let microseconds):
            "time \(microseconds) µs is not within the years 1970 to 9999"
        case .invalidAccountID(let text):
            "account id \"\(escaped(text, limit: 80))\" is not 1 to 64 characters of A-Z a-z 0-9 - _"
        case .sequenceMismatch(let expected, let actual):
            "expected the account at event \(expected), but it is at \(actual): read it again and decide anew"
        case .requestConflict(let id, let seq):
            "request id \"\(escaped(id.description, limit: 80))\" was used by event \(seq) for something else: choose a new one"
        case .noPosition(let symbol):
            "no position in \(symbol)"
        case .insufficientShares(let symbol, let asked, let held):
            "\(asked) shares of \(symbol) asked, \(held) held"
        case .needsPrice(let symbol):
            "the split leaves less than a millionth of a share of \(symbol): give a cash-in-lieu price"
        case .totalIsZero(let what):
            "\(what) rounds to zero: less than a millionth"
        case .outOfRange(let what):
            "\(what) would be beyond 999999999.999999"
        case .insufficientFunds(let needed, let available):
            "not enough cash: \(needed) needed, \(available) available"
        case .alreadyQueued(let symbol, let seq):
            "\(symbol) is in the queue already, since event \(seq)"
        case .batchTooLarge(let limit):
            "a batch holds at most \(limit) events: commit this one and begin another"
        }
    }
}

/// `text` on one line, for a message: control characters, backslashes and quotes escaped, cut after `limit` characters.
///
/// - Parameter isSentence: `text` is a message already, whose own quotes and escapes stay as they are.
public func escaped(_ text: String, limit: Int = 200, isSentence: Bool = false) -> String {
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
        if count == limit { return result + "…" }
        count += 1
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\\" where !isSentence: result += "\\\\"
        case "\"" where !isSentence: result += "\\\""
        default:
            // Control characters, and the marks that reorder or hide text on a terminal.
            let isHarmful =
                scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                || scalar.properties.generalCategory == .lineSeparator || scalar.properties.generalCategory == .paragraphSeparator
            if isHarmful {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }
    return result
}
