/// What makes a change safe to repeat: the same id with the same content returns the first outcome.
///
/// 1 to 64 bytes of UTF-8 without control characters. Brokers call it the client order id.
public struct RequestID: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public static let maximumByteCount = 64

    /// - Throws: ``Refusal/invalidRequestID(_:)``
    public init(_ text: String) throws(Refusal) {
        let utf8 = text.utf8
        guard (1...Self.maximumByteCount).contains(utf8.count), !utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw .invalidRequestID(text)
        }
        description = text
    }

    public static func == (left: RequestID, right: RequestID) -> Bool {
        left.description.utf8.elementsEqual(right.description.utf8)
    }

    public func hash(into hasher: inout Hasher) { for byte in description.utf8 { hasher.combine(byte) } }
}

/// A note or a reason: up to 256 bytes of UTF-8 without NUL.
public struct Text: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public static let maximumByteCount = 256

    /// - Parameter field: what the text is, for the message.
    /// - Throws: ``Refusal/textTooLong(field:byteCount:)``; ``Refusal/textNotUTF8(field:)`` if it holds a NUL character.
    public init(_ text: String, field: String) throws(Refusal) {
        guard text.utf8.count <= Self.maximumByteCount else { throw .textTooLong(field: field, byteCount: text.utf8.count) }
        // JSON can hold a NUL, but most of its readers refuse it, our own among them.
        guard !text.utf8.contains(0) else { throw .textNotUTF8(field: field) }
        description = text
    }

    /// What fits of `text`, made fit to keep: for sentences of the library's own making, which may quote others.
    public init(cutting text: String) {
        let printable = escaped(text, limit: Self.maximumByteCount, isSentence: true)
        guard printable.utf8.count > Self.maximumByteCount else {
            description = printable
            return
        }
        var kept = ""
        var byteCount = 0
        for character in printable.unicodeScalars {
            byteCount += UTF8.width(character)
            guard byteCount <= Self.maximumByteCount - UTF8.width("…") else { break }
            kept.unicodeScalars.append(character)
        }
        description = kept + "…"
    }
}

/// How strongly an analyst wants a security, weakest first.
public enum Signal: Int, CaseIterable, Comparable, Sendable, CustomStringConvertible {
    case sell = 1
    case weakSell
    case hold
    case weakBuy
    case buy
    case strongBuy

    public var description: String {
        switch self {
        case .sell: "SELL"
        case .weakSell: "WEAK SELL"
        case .hold: "HOLD"
        case .weakBuy: "WEAK BUY"
        case .buy: "BUY"
        case .strongBuy: "STRONG BUY"
        }
    }

    /// `nil` unless `text` is one of the six names.
    public init?(_ text: some StringProtocol) {
        guard let signal = Self.allCases.first(where: { $0.description.utf8.elementsEqual(text.utf8) }) else { return nil }
        self = signal
    }

    public static func < (left: Signal, right: Signal) -> Bool { left.rawValue < right.rawValue }

    /// Whether an opportunity with this signal may be bought from the queue.
    public var isBuyable: Bool { self >= .buy }
}

/// How sure an analyst is.
public enum Confidence: Int, CaseIterable, Sendable {
    case low = 1
    case medium
    case high

    public var name: String {
        switch self {
        case .low: "LOW"
        case .medium: "MEDIUM"
        case .high: "HIGH"
        }
    }

    /// `nil` unless `name` is one of the three names.
    public init?(_ name: some StringProtocol) {
        guard let confidence = Self.allCases.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else { return nil }
        self = confidence
    }
}
