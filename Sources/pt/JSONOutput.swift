import PaperTrade

/// JSON to print. Numbers are kept as text, so that an amount is written exactly as it is.
indirect enum JSON {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    /// `null` if there is none.
    static func amount(_ amount: (some Amount)?) -> JSON { amount.map { .number($0.description) } ?? .null }

    static func integer(_ value: some BinaryInteger) -> JSON { .number("\(value)") }

    static func time(_ time: Timestamp) -> JSON { .string(time.description) }

    /// `null` if there is none.
    static func text(_ text: (some CustomStringConvertible)?) -> JSON { text.map { .string($0.description) } ?? .null }

    /// One line.
    var text: String {
        var result = ""
        append(to: &result)
        return result
    }

    private func append(to result: inout String) {
        switch self {
        case .null: result += "null"
        case .bool(let value): result += value ? "true" : "false"
        case .number(let digits): result += digits
        case .string(let text): Self.append(text, to: &result)
        case .array(let elements):
            result += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { result += ", " }
                element.append(to: &result)
            }
            result += "]"
        case .object(let members):
            result += "{"
            for (index, (name, value)) in members.enumerated() {
                if index > 0 { result += ", " }
                Self.append(name, to: &result)
                result += ": "
                value.append(to: &result)
            }
            result += "}"
        }
    }

    /// Escapes what JSON demands, and what a terminal could be harmed by.
    private static func append(_ text: String, to result: inout String) {
        result += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.isHarmful {
                    for unit in String(scalar).utf16 {
                        let digits = String(unit, radix: 16)
                        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                    }
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        result += "\""
    }
}
