import PaperTrade

/// How numbers and texts look in sentences and tables: for people, but never losing a digit.
extension Amount {
    /// `6,000.00`, `0.123456`: thousands separated, at least two decimals.
    var money: String { grouped(minimumDecimals: 2) }

    /// `40`, `1,234.5`: thousands separated, no superfluous decimals.
    var count: String { grouped(minimumDecimals: 0) }

    private func grouped(minimumDecimals: Int) -> String {
        let parts = description.split(separator: ".", maxSplits: 1)
        var whole = parts.first ?? "0"
        let sign = whole.hasPrefix("-") ? "-" : ""
        if !sign.isEmpty { whole = whole.dropFirst() }
        var decimals = parts.count > 1 && parts[1] != "0" ? String(parts[1]) : ""
        decimals += String(repeating: "0", count: max(minimumDecimals - decimals.count, 0))
        return sign + grouping(whole) + (decimals.isEmpty ? "" : "." + decimals)
    }
}

/// `1,234,567`
func grouping(_ digits: some StringProtocol) -> String {
    var result = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { result.append(",") }
        result.append(digit)
    }
    return result
}

/// `1 position`, `2 positions`, `3 entries`
func counted(_ count: some BinaryInteger, _ singular: String, _ plural: String? = nil) -> String {
    "\(grouping("\(count)")) \(count == 1 ? singular : plural ?? singular + "s")"
}

extension Timestamp {
    /// `2026-11-23 14:30:00`, in UTC, without the microseconds that the journal has.
    var forPeople: String {
        var text = description.prefix(19)
        if let index = text.firstIndex(of: "T") { text.replaceSubrange(index...index, with: " ") }
        return String(text)
    }
}

/// `text` on one line and harmless to a terminal: control characters, and the marks that reorder or hide text, are escaped, and so
/// are backslashes, so that one can tell.
func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\\": result += "\\\\"
        default:
            if scalar.isHarmful {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }
    return result
}

extension Unicode.Scalar {
    var isHarmful: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

/// Without the spaces around it.
func trimmed(_ text: String) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
    var text = Substring(text).drop(while: isSpace)
    while let last = text.last, isSpace(last) { text.removeLast() }
    return String(text)
}
