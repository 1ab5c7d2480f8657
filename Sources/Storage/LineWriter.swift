import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes flat JSON objects, byte for byte as jansson would dump them with JSON_REAL_PRECISION(15).
///
/// What every commit writes, the journal's lines and most of portfolio.json, is written by hand because a commit's time is spent here:
/// it takes a twentieth of what building and dumping a jansson value takes. That the bytes are jansson's is a test.
///
/// The bytes stand in memory of its own and not in an array, which would be asked at every byte whether it is shared.
struct LineWriter: ~Copyable {
    /// What stands between the parts of an object.
    enum Layout {
        /// Nothing: JSON_COMPACT.
        case compact
        /// A space after each comma and colon.
        case spaced
        /// A line for each member, indented by two spaces: JSON_INDENT(2).
        case indented
    }

    private var start: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// How many bytes were written.
    private(set) var count = 0
    private var layout: Layout
    private var isFirstMember = true
    /// The second of the last time that was written, and where: the times in a commit are mostly of one second.
    private var lastSecond: (seconds: Int64, place: Int)?

    init(_ layout: Layout = .compact, capacity: Int = 1024) {
        self.layout = layout
        self.capacity = capacity
        start = .allocate(capacity: capacity)
    }

    deinit { start.deallocate() }

    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }

    func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Forgets what was written, but keeps the memory.
    mutating func removeAll() {
        count = 0
        lastSecond = nil
    }

    /// Where the next bytes go; there is room for `more`.
    @inline(__always)
    private mutating func room(for more: Int) -> UnsafeMutablePointer<UInt8> {
        if capacity - count < more { grow(by: more) }
        return start + count
    }

    private mutating func grow(by more: Int) {
        capacity = 2 * (count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: start, count: count)
        start.deallocate()
        start = larger
    }

    private mutating func put(_ byte: UInt8) {
        room(for: 1).pointee = byte
        count += 1
    }

    mutating func appendRaw(_ text: StaticString) {
        memcpy(room(for: text.utf8CodeUnitCount), text.utf8Start, text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    mutating func appendRaw(_ bytes: [UInt8]) { bytes.withUnsafeBytes { appendRaw($0) } }

    mutating func appendRaw(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { appendRaw($0) } }

    private mutating func appendRaw(_ bytes: UnsafeRawBufferPointer) {
        guard let first = bytes.baseAddress else { return }
        memcpy(room(for: bytes.count), first, bytes.count)
        count += bytes.count
    }

    // MARK: Objects

    mutating func beginObject() {
        appendRaw(layout == .indented ? "{\n  " : "{")
        isFirstMember = true
    }

    /// Begins an object of another layout.
    mutating func beginObject(_ layout: Layout) {
        self.layout = layout
        beginObject()
    }

    mutating func endObject() { appendRaw(layout == .indented ? "\n}" : "}") }

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
        put(UInt8(ascii: "\""))
        appendTimestamp(value)
        put(UInt8(ascii: "\""))
    }

    mutating func member(_ key: StaticString, _ value: Symbol) {
        name(key)
        appendSymbol(value)
    }

    mutating func member(_ key: StaticString, checksum: UInt32) {
        name(key)
        put(UInt8(ascii: "\""))
        appendHexadecimal(checksum)
        put(UInt8(ascii: "\""))
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
        name(key)
        appendDecimal(value.micros)
    }

    mutating func member(named key: String, _ value: Bool) {
        name(key)
        appendRaw(value ? "true" : "false")
    }

    mutating func member(named key: String, _ value: String) {
        name(key)
        appendString(value)
    }

    /// Comma, name and colon.
    private mutating func name(_ key: StaticString) {
        separate()
        let keyCount = key.utf8CodeUnitCount
        let place = room(for: keyCount + 4)
        place[0] = UInt8(ascii: "\"")
        memcpy(place + 1, key.utf8Start, keyCount)
        place[keyCount + 1] = UInt8(ascii: "\"")
        place[keyCount + 2] = UInt8(ascii: ":")
        place[keyCount + 3] = UInt8(ascii: " ")
        count += layout == .compact ? keyCount + 3 : keyCount + 4
    }

    private mutating func name(_ key: String) {
        separate()
        appendString(key)
        appendRaw(layout == .compact ? ":" : ": ")
    }

    @inline(__always)
    private mutating func separate() {
        if !isFirstMember {
            switch layout {
            case .compact: put(UInt8(ascii: ","))
            case .spaced: appendRaw(", ")
            case .indented: appendRaw(",\n  ")
            }
        }
        isFirstMember = false
    }

    // MARK: Values

    /// In quotes.
    mutating func appendSymbol(_ symbol: Symbol) {
        put(UInt8(ascii: "\""))
        let buffer = UnsafeMutableBufferPointer(start: room(for: Symbol.maximumCount), count: Symbol.maximumCount)
        count += symbol.write(to: buffer)
        put(UInt8(ascii: "\""))
    }

    /// As lower-case hexadecimal digits: 8 of a checksum.
    mutating func appendHexadecimal(_ value: some FixedWidthInteger & UnsignedInteger) {
        let digits = value.bitWidth / 4
        let place = room(for: digits)
        for index in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: value >> (4 * (digits - 1 - index)) & 15)
            place[index] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
        }
        count += digits
    }

    /// Without quotes.
    mutating func appendTimestamp(_ time: Timestamp) {
        let buffer = UnsafeMutableBufferPointer(start: room(for: Timestamp.textCount), count: Timestamp.textCount)
        if let lastSecond, lastSecond.seconds == time.seconds {
            memcpy(start + count, start + lastSecond.place, Timestamp.secondTextCount)
            time.writeFraction(to: buffer)
        } else {
            lastSecond = (time.seconds, count)
            _ = time.write(to: buffer)
        }
        count += Timestamp.textCount
    }

    private mutating func appendDecimal(_ micros: Int64) {
        let buffer = UnsafeMutableBufferPointer(start: room(for: decimalTextCapacity), count: decimalTextCapacity)
        count += writeDecimal(micros, style: .jansson, to: buffer)
    }

    mutating func appendInteger(_ value: UInt64) {
        var digits = 1
        var limit: UInt64 = 10
        while digits < 20 && value >= limit {
            digits += 1
            limit = digits < 20 ? limit * 10 : .max
        }
        let place = room(for: digits)
        var rest = value
        for index in stride(from: digits - 1, through: 0, by: -1) {
            place[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }

    private mutating func appendString(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            put(UInt8(ascii: "\""))
            if bytes.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
                appendRaw(UnsafeRawBufferPointer(bytes))
            } else {
                for byte in bytes { appendEscaped(byte) }
            }
            put(UInt8(ascii: "\""))
        }
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            put(UInt8(ascii: "\\"))
            put(byte)
        case 0x08: appendRaw("\\b")
        case 0x0C: appendRaw("\\f")
        case 0x0A: appendRaw("\\n")
        case 0x0D: appendRaw("\\r")
        case 0x09: appendRaw("\\t")
        case 0..<0x20:
            appendRaw("\\u00")
            put(hexadecimalDigits[Int(byte >> 4)])
            put(hexadecimalDigits[Int(byte & 15)])
        default: put(byte)
        }
    }
}

private let hexadecimalDigits: [UInt8] = Array("0123456789ABCDEF".utf8)
