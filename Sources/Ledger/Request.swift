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

extension Change {
    /// Checks what can be checked without the account, in the order of the refusals.
    public func validate() throws(Refusal) {
        switch self {
        case .buy(_, let shares, let price):
            guard shares.isPositive else { throw .invalidShares(shares.description) }
            guard price.isPositive else { throw .invalidPrice(price.description) }
        case .sell(_, let shares, let price):
            if let shares, !shares.isPositive { throw .invalidShares(shares.description) }
            guard price.isPositive else { throw .invalidPrice(price.description) }
        case .deposit(let amount), .withdraw(let amount):
            guard amount.isPositive else { throw .invalidAmount(amount.description) }
        case .split(_, let new, let old, let price):
            if let price, !price.isPositive { throw .invalidPrice(price.description) }
            guard new.isPositive, old.isPositive, new != old else {
                throw .invalidRatio(new: new.description, old: old.description)
            }
        case .dividend(_, let perShare):
            guard perShare.isPositive else { throw .invalidPrice(perShare.description) }
        case .writeOff, .enqueue, .dequeueAll, .clearQueue, .execute, .acceptRules: break
        }
    }
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
        signal: Signal, score: Rate, price: Price, size: Size?, time: Timestamp, confidence: Confidence? = nil,
        reason: Text? = nil,
        sector: Text? = nil
    ) throws(Refusal) {
        if case .shares(let shares) = size, !shares.isPositive { throw .invalidShares(shares.description) }
        guard price.isPositive else { throw .invalidPrice(price.description) }
        if case .amount(let amount) = size, !amount.isPositive { throw .invalidAmount(amount.description) }
        guard scoreRange.contains(score) else { throw .invalidScore(score.description) }
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
