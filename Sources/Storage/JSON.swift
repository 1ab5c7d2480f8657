/// JSON through jansson. This is the one file that touches jansson's reference counts: values are converted at once, both ways.

import CJansson
import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A JSON value. Objects keep the order of their members.
indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case real(Double)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// The member of an object, `nil` if it has none of that name or is none.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }
}

struct JSONMember: Equatable, Sendable {
    let name: String
    let value: JSONValue

    init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
    }
}

/// Where and why text is not JSON.
struct JSONError: Error, Equatable, Sendable {
    let message: String
    /// From 1; 0 if there is no place.
    let line: Int
    let offset: Int64
    /// There was no memory to read it: nothing is known about the text.
    var isOutOfMemory = false
}

/// Limits that text must keep before jansson sees it: it recurses once a level.
private let maximumDepth = 32

extension JSONValue {
    /// Reads one JSON text: an object or array, UTF-8 without a byte order mark, no member twice.
    init(parsing text: UnsafeRawBufferPointer) throws(JSONError) {
        if let offset = offsetOfExcessiveDepth(text) {
            throw JSONError(
                message: "nested more than \(maximumDepth) deep", line: lineNumber(of: offset, in: text), offset: Int64(offset))
        }
        var error = json_error_t()
        func load() -> UnsafeMutablePointer<json_t>? {
            inCLocale {
                json_loadb(text.baseAddress?.assumingMemoryBound(to: CChar.self), text.count, Int(JSON_REJECT_DUPLICATES), &error)
            }
        }
        // Of some allocations that fail jansson says that the text is wrong, so only what cannot be read twice counts as wrong.
        guard let root = load() ?? load() else {
            guard error.text.0 != 0, let probe = json_array() else {
                throw JSONError(message: "no memory to read JSON", line: 0, offset: 0, isOutOfMemory: true)
            }
            json_decref(probe)
            let message = withUnsafePointer(to: &error.text) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) { String(cString: $0) }
            }
            throw JSONError(message: message, line: max(Int(error.line), 0), offset: Int64(error.position))
        }
        defer { json_decref(root) }
        self.init(root)
    }

    private init(_ value: UnsafeMutablePointer<json_t>) {
        switch value.pointee.type {
        case JSON_OBJECT:
            var members: [JSONMember] = []
            members.reserveCapacity(json_object_size(value))
            var iterator = json_object_iter(value)
            while let current = iterator {
                if let key = json_object_iter_key(current), let member = json_object_iter_value(current) {
                    members.append(JSONMember(String(cString: key), JSONValue(member)))
                }
                iterator = json_object_iter_next(value, current)
            }
            self = .object(members)
        case JSON_ARRAY:
            self = .array((0..<json_array_size(value)).compactMap { json_array_get(value, $0).map { JSONValue($0) } })
        case JSON_STRING:
            let bytes = UnsafeRawBufferPointer(start: json_string_value(value), count: json_string_length(value))
            self = .string(String(decoding: bytes, as: UTF8.self))
        case JSON_INTEGER: self = .integer(Int64(json_integer_value(value)))
        case JSON_REAL: self = .real(json_real_value(value))
        case JSON_TRUE: self = .bool(true)
        case JSON_FALSE: self = .bool(false)
        default: self = .null
        }
    }

    /// The layout of written JSON.
    enum Layout {
        /// On one line, with a space after each comma and colon.
        case line
        /// One member a line, indented by two spaces.
        case indented
    }

    /// The JSON text, appended to `buffer`. Reals have the 15 digits that bring every amount back exactly.
    ///
    /// - Throws: ``StorageError`` if there is no memory.
    func write(_ layout: Layout, to buffer: inout [UInt8]) throws(StorageError) {
        guard let value = makeJansson() else { throw StorageError(.noMemory, "no memory to write JSON") }
        defer { json_decref(value) }
        // JSON_REAL_PRECISION(15) and JSON_INDENT(2), macros that Swift does not see.
        let flags = (15 & 0x1F) << 11 | (layout == .indented ? 2 : 0) | Int(JSON_ENCODE_ANY)
        let wanted = inCLocale { json_dumpb(value, nil, 0, flags) }
        guard wanted > 0 else { throw StorageError(.noMemory, "no memory to write JSON") }
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: wanted))
        let written = buffer.withUnsafeMutableBytes { bytes in
            inCLocale {
                json_dumpb(value, bytes.baseAddress?.assumingMemoryBound(to: CChar.self).advanced(by: start), wanted, flags)
            }
        }
        guard written == wanted else {
            buffer.removeLast(wanted)
            throw StorageError(.noMemory, "no memory to write JSON")
        }
    }

    private func makeJansson() -> UnsafeMutablePointer<json_t>? {
        switch self {
        case .null: return json_null()
        case .bool(let value): return value ? json_true() : json_false()
        case .integer(let value): return json_integer(json_int_t(value))
        case .real(let value): return json_real(value)
        case .string(var text):
            return text.withUTF8 { utf8 in
                utf8.withMemoryRebound(to: CChar.self) { json_stringn($0.baseAddress ?? emptyText, $0.count) }
            }
        case .array(let elements):
            guard let array = json_array() else { return nil }
            for element in elements where json_array_append_new(array, element.makeJansson()) != 0 {
                json_decref(array)
                return nil
            }
            return array
        case .object(let members):
            guard let object = json_object() else { return nil }
            for member in members where json_object_set_new(object, member.name, member.value.makeJansson()) != 0 {
                json_decref(object)
                return nil
            }
            return object
        }
    }
}

nonisolated(unsafe) private let emptyText = UnsafePointer<CChar>(strdup(""))

/// Runs `body` with the C locale on this thread. jansson prints and reads numbers with the locale's decimal point and mends
/// them afterwards, which fails when another thread calls setlocale in between.
private func inCLocale<Result>(_ body: () -> Result) -> Result {
    guard let cLocale else { return body() }
    let previous = uselocale(cLocale)
    defer { _ = uselocale(previous) }
    return body()
}

/// The C locale, made once and kept; it has no state.
nonisolated(unsafe) private let cLocale = newlocale((1 << LC_CTYPE) | (1 << LC_NUMERIC), "C", nil)

/// The offset of the bracket that nests too deep, `nil` if none does. Text in strings does not count.
private func offsetOfExcessiveDepth(_ text: UnsafeRawBufferPointer) -> Int? {
    var depth = 0
    var inString = false
    var isEscaped = false
    for (offset, byte) in text.enumerated() {
        if inString {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                inString = false
            }
        } else if byte == UInt8(ascii: "\"") {
            inString = true
        } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
            depth += 1
            if depth > maximumDepth { return offset }
        } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
            depth -= 1
        }
    }
    return nil
}

/// The number, from 1, of the line that `offset` is on.
func lineNumber(of offset: Int, in text: UnsafeRawBufferPointer) -> Int {
    1 + text[..<min(offset, text.count)].count { $0 == UInt8(ascii: "\n") }
}
