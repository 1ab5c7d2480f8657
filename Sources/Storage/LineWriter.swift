import Ledger

/// Writes flat JSON objects, byte for byte as jansson would dump them with JSON_REAL_PRECISION(15).
///
/// What every commit writes, the journal's lines and most of portfolio.json, is written by hand because a commit's time is spent here:
/// it takes a tenth of what building and dumping a jansson value takes. That the bytes are jansson's is a test.
struct LineWriter {
    /// What stands between the parts of an object.
    enum Layout {
        /// Nothing: JSON_COMPACT.
        case compact
        /// A space after each comma and colon.
        case spaced
        /// A line for each member, indented by two spaces: JSON_INDENT(2).
        case indented
    }

    private(set) var bytes: [UInt8] = []
    private var layout: Layout
    private var isFirstMember = true

    init(_ layout: Layout = .compact, capacity: Int = 1024) {
        self.layout = layout
        bytes.reserveCapacity(capacity)
    }

    mutating func beginObject() {
        bytes.append(UInt8(ascii: "{"))
        if layout == .indented { appendRaw("\n  ") }
        isFirstMember = true
    }

    /// Begins an object of another layout.
    mutating func beginObject(_ layout: Layout) {
        self.layout = layout
        beginObject()
    }

    mutating func endObject() { appendRaw(layout == .indented ? "\n}" : "}") }

    /// Forgets what was written, but keeps the memory.
    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    mutating func appendRaw(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func appendRaw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func appendRaw(_ text: some Collection<UInt8>) { bytes.append(contentsOf: text) }

    mutating func member(_ key: StaticString, _ value: some Amount) {
        name(key)
        appendDecimal(value.micros)
    }

    mutating func member(_ key: StaticString, _ value: UInt64) {
        name(key)
        appendInteger(value)
    }

    mutating func member(_ key: StaticString, _ value: String) {
        name(key)
        appendString(value)
    }

    mutating func member(_ key: StaticString, _ value: Timestamp) {
        name(key)
        append(capacity: Timestamp.textCount) { value.write(to: $0) }
    }

    mutating func member(_ key: StaticString, _ value: Symbol) {
        name(key)
        appendSymbol(value)
    }

    mutating func appendSymbol(_ symbol: Symbol) {
        append(capacity: Symbol.maximumCount) { symbol.write(to: $0) }
    }

    mutating func memberTrue(_ key: StaticString) {
        name(key)
        appendRaw("true")
    }

    mutating func memberNull(_ key: StaticString) {
        name(key)
        appendRaw("null")
    }

    /// A member whose name is known only at run time; it needs no escapes.
    mutating func member(named key: String, _ value: some Amount) {
        separate()
        appendString(key)
        bytes.append(UInt8(ascii: ":"))
        appendDecimal(value.micros)
    }

    mutating func member(named key: String, _ value: Bool) {
        separate()
        appendString(key)
        appendRaw(value ? ":true" : ":false")
    }

    mutating func member(named key: String, _ value: String) {
        separate()
        appendString(key)
        bytes.append(UInt8(ascii: ":"))
        appendString(value)
    }

    private mutating func name(_ key: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        appendRaw(key)
        appendRaw(layout == .compact ? "\":" : "\": ")
    }

    private mutating func separate() {
        if !isFirstMember {
            switch layout {
            case .compact: appendRaw(",")
            case .spaced: appendRaw(", ")
            case .indented: appendRaw(",\n  ")
            }
        }
        isFirstMember = false
    }

    private mutating func appendDecimal(_ micros: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: decimalTextCapacity) { buffer in
            let count = writeDecimal(micros, style: .jansson, to: buffer)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[..<count]))
        }
    }

    private mutating func appendInteger(_ value: UInt64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { buffer in
            var rest = value
            var position = buffer.count
            repeat {
                position -= 1
                buffer[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[position...]))
        }
    }

    /// Text that needs no escapes, in quotes.
    private mutating func append(capacity: Int, _ write: (UnsafeMutableBufferPointer<UInt8>) -> Int) {
        bytes.append(UInt8(ascii: "\""))
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { buffer in
            let count = write(buffer)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[..<count]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendString(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x08: appendRaw("\\b")
            case 0x0C: appendRaw("\\f")
            case 0x0A: appendRaw("\\n")
            case 0x0D: appendRaw("\\r")
            case 0x09: appendRaw("\\t")
            case 0..<0x20:
                appendRaw("\\u00")
                bytes.append(hexadecimalDigits[Int(byte >> 4)])
                bytes.append(hexadecimalDigits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

private let hexadecimalDigits: [UInt8] = Array("0123456789ABCDEF".utf8)
