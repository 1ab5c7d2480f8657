/// The name of a security: 1 to 32 characters of `A–Z a–z 0–9 . _ - / ^ = :`, case-sensitive.
///
/// The 32 bytes are held in place, padded with zeros, so that copying and comparing tables of positions touches no heap.
public struct Symbol: Hashable, Comparable, Sendable, CustomStringConvertible {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// The most characters a symbol has.
    public static let maximumCount = 32

    /// `nil` if `bytes` is not a symbol.
    public init?(utf8 bytes: UnsafeRawBufferPointer) {
        guard (1...Self.maximumCount).contains(bytes.count), bytes.allSatisfy(Self.isAllowed) else { return nil }
        withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
        words = (UInt64(bigEndian: words.0), UInt64(bigEndian: words.1), UInt64(bigEndian: words.2), UInt64(bigEndian: words.3))
    }

    /// `nil` if `bytes` is not a symbol.
    public init?(utf8 bytes: some Sequence<UInt8>) {
        guard let symbol = Array(bytes).withUnsafeBytes({ Symbol(utf8: $0) }) else { return nil }
        self = symbol
    }

    /// - Throws: ``Refusal/invalidSymbol(_:)``
    public init(_ text: String) throws(Refusal) {
        guard let symbol = Symbol(utf8: text.utf8) else { throw .invalidSymbol(text) }
        self = symbol
    }

    public var description: String {
        String(unsafeUninitializedCapacity: Self.maximumCount) { write(to: $0) }
    }

    /// Writes the characters into `buffer`, which has room for ``maximumCount`` bytes, and returns how many there are.
    public func write(to buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var count = 0
        for word in [words.0, words.1, words.2, words.3] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                let byte = UInt8(truncatingIfNeeded: word >> shift)
                if byte == 0 { return count }
                buffer[count] = byte
                count += 1
            }
        }
        return count
    }

    public static func == (left: Symbol, right: Symbol) -> Bool { left.words == right.words }

    /// The order of the bytes; big-endian words compare as the text does.
    public static func < (left: Symbol, right: Symbol) -> Bool { left.words < right.words }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "^"), UInt8(ascii: "="),
            UInt8(ascii: ":"):
            return true
        default: return false
        }
    }
}
