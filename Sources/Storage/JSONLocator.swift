/// One step from a JSON value into what it holds.
enum JSONStep: Equatable, Sendable {
    case member(String)
    /// From 0.
    case element(Int)
}

/// Finds where something stands in JSON text, for messages: jansson keeps no places.
///
/// The text is taken to be valid. Any other bytes give no line or a wrong one, never more than that: every step checks the end
/// of the text, and nesting is counted, not recursed into.
enum JSONLocator {
    /// The line, from 1, of what `path` leads to: of a member the line of its name, of an element where it begins. `nil` if there
    /// is no such thing.
    static func line(of path: [JSONStep], in text: [UInt8]) -> Int? {
        text.withUnsafeBytes { bytes in
            var cursor = JSONCursor(text: bytes)
            cursor.skipSpace()
            var place = cursor.position
            for step in path {
                guard let found = cursor.enter(step) else { return nil }
                place = found
            }
            return lineNumber(of: place, in: bytes)
        }
    }

    /// The string that ends just before `offset`, as it is written, without its quotes.
    static func string(endingAt offset: Int64, in text: [UInt8]) -> String? {
        guard let end = Int(exactly: offset), end >= 2, end <= text.count, text[end - 1] == quote else { return nil }
        var start = end - 1
        while start > 0 {
            start -= 1
            guard text[start] == quote else { continue }
            let backslashes = text[..<start].reversed().prefix { $0 == backslash }.count
            if backslashes % 2 == 0 { return String(decoding: text[(start + 1)..<(end - 1)], as: UTF8.self) }
        }
        return nil
    }
}

private let quote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")

/// A position in JSON text that moves forward only.
private struct JSONCursor {
    let text: UnsafeRawBufferPointer
    private(set) var position = 0

    init(text: UnsafeRawBufferPointer) { self.text = text }

    private var next: UInt8? { position < text.count ? text[position] : nil }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
    }

    /// Moves from before an object or array to before the value of one of its members or elements, and returns where that one
    /// begins. `nil` if there is none.
    mutating func enter(_ step: JSONStep) -> Int? {
        switch step {
        case .member(let name): return enterMember(Array(name.utf8))
        case .element(let index): return enterElement(index)
        }
    }

    private mutating func enterMember(_ name: [UInt8]) -> Int? {
        guard skip("{") else { return nil }
        while true {
            skipSpace()
            let start = position
            guard let key = skipString(), skip(":") else { return nil }
            if decoded(key) == name {
                skipSpace()
                return start
            }
            guard skipValue(), skip(",") else { return nil }
        }
    }

    private mutating func enterElement(_ index: Int) -> Int? {
        guard index >= 0, skip("[") else { return nil }
        for _ in 0..<index {
            guard skipValue(), skip(",") else { return nil }
        }
        skipSpace()
        guard let next, next != UInt8(ascii: "]") else { return nil }
        return position
    }

    /// Skips white space and then `character`; `false` if something else comes.
    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Skips a string and returns what stands between its quotes.
    private mutating func skipString() -> Range<Int>? {
        guard next == quote else { return nil }
        position += 1
        let start = position
        while let byte = next {
            position += 1
            if byte == quote { return start..<(position - 1) }
            if byte == backslash, next != nil { position += 1 }
        }
        return nil
    }

    /// Skips one value with all it holds; `false` at the end of the text.
    private mutating func skipValue() -> Bool {
        var depth = 0
        repeat {
            skipSpace()
            guard let byte = next else { return false }
            switch byte {
            case quote:
                guard skipString() != nil else { return false }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                position += 1
            default: skipWord()
            }
        } while depth > 0
        return true
    }

    /// Skips a number or a literal: whatever comes before the next delimiter.
    private mutating func skipWord() {
        while let byte = next, byte > 0x20, !isDelimiter(byte) { position += 1 }
        // A control character is no part of JSON; go on behind it all the same.
        if let byte = next, byte < 0x20 { position += 1 }
    }

    private func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case quote, UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["),
            UInt8(ascii: "]"):
            true
        default: false
        }
    }

    /// The bytes that a string stands for.
    private func decoded(_ range: Range<Int>) -> [UInt8] {
        let raw = text[range]
        guard raw.contains(backslash) else { return Array(raw) }
        var bytes: [UInt8] = []
        var units: [UInt16] = []
        var index = range.lowerBound
        func flushUnits() {
            bytes.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
            units.removeAll()
        }
        while index < range.upperBound {
            let byte = text[index]
            index += 1
            guard byte == backslash, index < range.upperBound else {
                flushUnits()
                bytes.append(byte)
                continue
            }
            let escape = text[index]
            index += 1
            if escape == UInt8(ascii: "u"), range.upperBound - index >= 4,
                let unit = UInt16(String(decoding: text[index..<(index + 4)], as: UTF8.self), radix: 16)
            {
                units.append(unit)
                index += 4
                continue
            }
            flushUnits()
            switch escape {
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            default: bytes.append(escape)
            }
        }
        flushUnits()
        return bytes
    }
}
