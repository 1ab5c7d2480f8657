import Ledger
import Storage

/// The side of a trade.
public enum Side: Int32, Sendable {
    case buy = 1
    case sell = 2
}

/// What a change came to.
public struct Receipt: Hashable, Sendable {
    /// The event as it was recorded.
    public let record: Record
    /// Whether this is the outcome of an earlier call with the same request id.
    public let isRepeated: Bool
    /// Whether it is part of a batch that has not been committed yet.
    public let isProvisional: Bool

    public var seq: UInt64 { record.seq }
    public var cashAfter: Money { record.cash }
}

/// A trade as it was recorded.
public struct Fill: Hashable, Sendable {
    public let receipt: Receipt
    public let side: Side
    public let trade: Trade

    public var seq: UInt64 { receipt.record.seq }
    /// When it happened, for the rules.
    public var time: Timestamp { receipt.record.time }
    /// When it was recorded.
    public var at: Timestamp { receipt.record.at }
    /// Whether the request id was known: the trade happened earlier.
    public var isRepeated: Bool { receipt.isRepeated }
    /// Whether it is part of a batch that has not been committed yet.
    public var isProvisional: Bool { receipt.isProvisional }
    public var symbol: Symbol { trade.symbol }
    public var shares: Shares { trade.shares }
    public var price: Price { trade.price }
    /// shares × price.
    public var notional: Money { trade.notional }
    public var commission: Money { trade.commission }
    /// Paid: notional + commission. Received: notional − commission.
    public var total: Money { trade.total }
    /// Of a sale: total − the cost of the shares sold.
    public var realizedPnL: Money { trade.realizedPnL }
    public var cashAfter: Money { receipt.record.cash }
    public var positionShares: Shares { trade.positionShares }
    public var positionCost: Money { trade.positionCost }

    /// `nil` if the receipt is not of a trade.
    public init?(_ receipt: Receipt) {
        switch receipt.record.event {
        case .bought(let trade):
            side = .buy
            self.trade = trade
        case .sold(let trade):
            side = .sell
            self.trade = trade
        default: return nil
        }
        self.receipt = receipt
    }
}

/// The account at one moment.
public struct Summary: Hashable, Sendable {
    public let accountID: String
    /// The last event.
    public let seq: UInt64
    /// The last event known to be on the disk.
    public let durableSeq: UInt64
    public let generation: UInt32
    public let positionCount: Int
    /// Without the entries that are too old.
    public let queuedCount: Int
    public let createdAt: Timestamp
    public let updatedAt: Timestamp
    public let cash: Money
    /// The cost of all positions; `nil` if it is beyond the range of amounts.
    public let totalCost: Money?
    public let netDeposits: Money
    public let realizedPnL: Money
}

/// An event of the account's history.
public struct HistoryEvent: Sendable {
    public let record: Record
    public let generation: UInt32
    /// Whether the next event belongs to the same commit.
    public let more: Bool
    /// The line of the journal.
    public let json: String
}

public typealias Analyst = (_ symbol: Symbol, _ time: Timestamp) throws -> Analysis?
