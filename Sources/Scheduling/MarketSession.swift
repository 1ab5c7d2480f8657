import Ledger

/// One day's trading.
public struct MarketSession: Hashable, Sendable {
    /// The day where the market is.
    public let date: CalendarDate
    /// The first moment of trading.
    public let opensAt: Timestamp
    /// The first moment after trading.
    public let closesAt: Timestamp
    /// Why it closes earlier than usual, such as `Christmas Eve`; `nil` if it does not.
    public let earlyCloseReason: String?

    public var isEarlyClose: Bool { earlyCloseReason != nil }

    /// Whether there is trading at `time`: from the opening on, until just before the close.
    public func contains(_ time: Timestamp) -> Bool { opensAt <= time && time < closesAt }
}
