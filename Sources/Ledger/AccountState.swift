/// The last event that there can be: as large as a whole number of JSON that every reader keeps exactly.
public let largestSeq: UInt64 = (1 << 53) - 1

/// The last generation that there can be.
public let largestGeneration = UInt32.max - 1

/// What is held of one security.
public struct Position: Hashable, Sendable {
    public let symbol: Symbol
    public var shares: Shares
    /// The total paid for what is held, commissions included: exact, and the truth.
    public var cost: Money
    public var firstPurchaseDate: Timestamp

    public init(symbol: Symbol, shares: Shares, cost: Money, firstPurchaseDate: Timestamp) {
        self.symbol = symbol
        self.shares = shares
        self.cost = cost
        self.firstPurchaseDate = firstPurchaseDate
    }

    /// The average cost of a share, rounded half to even, for people; `nil` if it is out of range.
    public var costBasis: Price? { cost.averagePrice(for: shares) }
}

/// Something an analyst would like to buy.
public struct Opportunity: Hashable, Sendable {
    public let symbol: Symbol
    public let signal: Signal
    /// 0 to 100.
    public let score: Rate
    public let price: Price?
    public let reason: Text?

    /// - Throws: ``Refusal/invalidScore(_:)``, ``Refusal/invalidPrice(_:)``
    public init(symbol: Symbol, signal: Signal, score: Rate, price: Price?, reason: Text?) throws(Refusal) {
        if let price, !price.isPositive { throw .invalidPrice(price.description) }
        guard scoreRange.contains(score) else { throw .invalidScore(score.description) }
        self.symbol = symbol
        self.signal = signal
        self.score = score
        self.price = price
        self.reason = reason
    }
}

/// What a score can be.
public let scoreRange = Rate(clamping: 0)...Rate(clamping: 100 * microsPerUnit)

/// An opportunity in the queue.
public struct QueueEntry: Hashable, Sendable {
    /// The event that queued it: its identity.
    public let seq: UInt64
    public let queuedAt: Timestamp
    public let opportunity: Opportunity

    public init(seq: UInt64, queuedAt: Timestamp, opportunity: Opportunity) {
        self.seq = seq
        self.queuedAt = queuedAt
        self.opportunity = opportunity
    }

    /// Whether the entry is older than the rules allow. An entry from the future is not.
    public func isStale(at time: Timestamp, under rules: Rules) -> Bool {
        time.microseconds(since: queuedAt) > rules.queueStaleAfterMicroseconds
    }
}

/// An account at one moment: everything that decides what the next request does.
public struct AccountState: Hashable, Sendable {
    /// The account's id, 1 to 64 characters of `A–Z a–z 0–9 - _`.
    public var accountID = ""
    /// The journal's generation: 1, and one more after each reset or recovery.
    public var generation: UInt32 = 0
    /// The last event; 0 before the first.
    public var seq: UInt64 = 0
    public var createdAt = Timestamp(clamping: 0)
    /// When the last event was recorded.
    public var updatedAt = Timestamp(clamping: 0)
    public var cash = Money.zero
    public var netDeposits = Money.zero
    public var realizedPnL = Money.zero
    /// Ordered by symbol.
    public private(set) var positions: [Position] = []
    /// In the order of queueing; one entry a symbol.
    public var queue: [QueueEntry] = []
    /// What was last known of each security that a monitoring cycle analysed, ordered by symbol.
    public private(set) var signals: [KnownSignal] = []
    public var cycles = CycleLog()
    public var rules = Rules()

    public init() {}

    /// The position in `symbol`, if it is held.
    public func position(_ symbol: Symbol) -> Position? { positions.element(symbol) }

    /// Replaces the position with the same symbol, or adds it.
    public mutating func setPosition(_ position: Position) { positions.set(position) }

    public mutating func removePosition(_ symbol: Symbol) {
        if let index = positions.index(of: symbol) { positions.remove(at: index) }
    }

    public mutating func removeAllPositions() { positions.removeAll() }

    /// What is known of `symbol`.
    public func signal(of symbol: Symbol) -> KnownSignal? { signals.element(symbol) }

    /// Replaces what is known of the same symbol, or adds it.
    public mutating func setSignal(_ known: KnownSignal) { signals.set(known) }

    mutating func removeAllSignals() { signals.removeAll() }

    public func queueEntry(_ symbol: Symbol) -> QueueEntry? {
        queue.first { $0.opportunity.symbol == symbol }
    }

    /// The queue without the entries that are too old at `time`.
    public func freshQueue(at time: Timestamp) -> [QueueEntry] {
        queue.filter { !$0.isStale(at: time, under: rules) }
    }

    /// The cost of all positions; `nil` if it is out of the range of amounts.
    public var totalCost: Money? {
        Int64(exactly: exactTotalCost).flatMap(Money.init(micros:))
    }

    /// `cash + Σ cost = net deposits + realized P&L`: true after every event.
    public var invariantHolds: Bool {
        Int128(cash.micros) + exactTotalCost == Int128(netDeposits.micros) + Int128(realizedPnL.micros)
    }

    private var exactTotalCost: Int128 {
        positions.reduce(Int128(0)) { $0 + Int128($1.cost.micros) }
    }
}

/// What is kept ordered by symbol.
protocol SymbolOrdered {
    var symbol: Symbol { get }
}

extension Position: SymbolOrdered {}
extension KnownSignal: SymbolOrdered {}

extension Array where Element: SymbolOrdered {
    func element(_ symbol: Symbol) -> Element? { index(of: symbol).map { self[$0] } }

    /// Replaces the element with the same symbol, or inserts it where it belongs.
    mutating func set(_ element: Element) {
        let index = insertionIndex(of: element.symbol)
        if index < count && self[index].symbol == element.symbol {
            self[index] = element
        } else {
            insert(element, at: index)
        }
    }

    func index(of symbol: Symbol) -> Int? {
        let index = insertionIndex(of: symbol)
        return index < count && self[index].symbol == symbol ? index : nil
    }

    /// The index of `symbol`'s element, or where it would be: the first one not before it.
    private func insertionIndex(of symbol: Symbol) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].symbol < symbol { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
