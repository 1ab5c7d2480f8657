/// What someone wants done to the account.
public enum Change: Hashable, Sendable {
    case buy(Symbol, Shares, Price)
    /// `nil` shares sell the whole position.
    case sell(Symbol, Shares?, Price)
    case deposit(Money)
    case withdraw(Money)
    case split(Symbol, new: Shares, old: Shares, cashInLieuPrice: Price?)
    case dividend(Symbol, perShare: Price)
    case writeOff(Symbol)
    case enqueue(Opportunity)
    case dequeueAll
    case clearQueue
    case execute([Judgement])
    case acceptRules(Rules)
}

/// A change with everything that can accompany it.
public struct Request: Hashable, Sendable {
    public let change: Change
    public let id: RequestID?
    /// Refuse unless this is the account's last event.
    public let expectedSeq: UInt64?
    /// When it happened, for the rules.
    public let time: Timestamp
    public let note: Text?

    public init(_ change: Change, time: Timestamp, id: RequestID? = nil, expectedSeq: UInt64? = nil, note: Text? = nil) {
        self.change = change
        self.time = time
        self.id = id
        self.expectedSeq = expectedSeq
        self.note = note
    }
}

/// What an analyst said about one entry of the queue.
public struct Judgement: Hashable, Sendable {
    /// The entry that the analyst saw. The judgement applies to no other.
    public let queuedSeq: UInt64
    public let symbol: Symbol
    /// `nil` if the analyst had no opinion, failed or answered nonsense.
    public let analysis: Analysis?
    /// Why there is no analysis, for the message.
    public let problem: String?

    public init(queuedSeq: UInt64, symbol: Symbol, analysis: Analysis?, problem: String? = nil) {
        self.queuedSeq = queuedSeq
        self.symbol = symbol
        self.analysis = analysis
        self.problem = problem
    }
}

/// An analyst's opinion of a security.
public struct Analysis: Hashable, Sendable {
    /// How much to buy.
    public enum Size: Hashable, Sendable {
        case shares(Shares)
        /// As many whole shares as this pays for, commission included.
        case amount(Money)
    }

    public let signal: Signal
    /// 0 to 100.
    public let score: Rate
    public let price: Price
    public let size: Size?
    /// When the opinion was formed.
    public let time: Timestamp
    public let confidence: Confidence?
    public let reason: Text?
    public let sector: Text?

    /// - Throws: ``Refusal/invalidScore(_:)``, ``Refusal/invalidPrice(_:)``, ``Refusal/invalidShares(_:)``, ``Refusal/invalidAmount(_:)``
    public init(
        signal: Signal, score: Rate, price: Price, size: Size?, time: Timestamp, confidence: Confidence? = nil, reason: Text? = nil,
        sector: Text? = nil
    ) throws(Refusal) {
        guard scoreRange.contains(score) else { throw .invalidScore(score.description) }
        guard price.isPositive else { throw .invalidPrice(price.description) }
        switch size {
        case .shares(let shares) where !shares.isPositive: throw .invalidShares(shares.description)
        case .amount(let amount) where !amount.isPositive: throw .invalidAmount(amount.description)
        default: break
        }
        self.signal = signal
        self.score = score
        self.price = price
        self.size = size
        self.time = time
        self.confidence = confidence
        self.reason = reason
        self.sector = sector
    }
}
