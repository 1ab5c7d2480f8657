/// Something that happened to the account. The journal keeps one line for each.
public enum Event: Hashable, Sendable {
    /// The first event of a journal: a new account, or an account that starts over.
    case started(Start)
    /// A position that a start took over from what it rests on.
    case tookOverPosition(Position)
    /// A queue entry that a start took over from what it rests on.
    case tookOverOpportunity(QueueEntry)
    /// A trade of the system that an import took over; for the record, it changes nothing.
    case tookOverTrade(PastTrade)
    /// These rules are in force from here on.
    case acceptedRules(Rules)
    case deposited(Money)
    case withdrew(Money)
    case bought(Trade)
    case sold(Trade)
    case split(Split)
    case receivedDividend(Dividend)
    case wroteOff(WriteOff)
    case queued(Opportunity)
    /// An entry left the queue without being bought.
    case removedFromQueue(QueueRemoval)
    /// Everything was taken out of the queue, to be dealt with elsewhere.
    case dequeuedAll(count: Int)
    /// The queue was emptied.
    case clearedQueue(count: Int)
    /// An analyst thinks otherwise of a security than was known.
    case signalChanged(SignalChange)
    /// A known signal that a start took over from what it rests on.
    case tookOverSignal(KnownSignal)
    /// A rule forbade a trade that a cycle would have made or prepared.
    case declined(Decline)
    /// A monitoring or trading cycle ran.
    case ranCycle(Cycle)
}

/// How a generation of the journal starts.
public struct Start: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case open, reset, recover
        case takeOver = "import"
    }

    public let kind: Kind
    public let accountID: String
    public let generation: UInt32
    public let createdAt: Timestamp
    public let cash: Money
    public let netDeposits: Money
    public let realizedPnL: Money
    /// For `recover` and `import`: what the figures were taken from.
    public let restsOn: String?

    public init(
        kind: Kind, accountID: String, generation: UInt32, createdAt: Timestamp, cash: Money, netDeposits: Money,
        realizedPnL: Money,
        restsOn: String? = nil
    ) {
        self.kind = kind
        self.accountID = accountID
        self.generation = generation
        self.createdAt = createdAt
        self.cash = cash
        self.netDeposits = netDeposits
        self.realizedPnL = realizedPnL
        self.restsOn = restsOn
    }
}

/// A buy or a sale.
public struct Trade: Hashable, Sendable {
    public let symbol: Symbol
    public let shares: Shares
    public let price: Price
    /// shares × price.
    public let notional: Money
    public let commission: Money
    /// Paid: notional + commission. Received: notional − commission.
    public let total: Money
    /// Of a sale: total − the cost of the shares sold. Zero for a buy.
    public let realizedPnL: Money
    /// What is held afterwards.
    public let positionShares: Shares
    public let positionCost: Money
    /// The queue entry that a buy executed.
    public let queuedSeq: UInt64?
    /// Whether the request was to sell the whole position.
    public let sellsAll: Bool
    /// Why a cycle sold the position.
    public let exit: ExitReason?

    public init(
        symbol: Symbol, shares: Shares, price: Price, notional: Money, commission: Money, total: Money, realizedPnL: Money,
        positionShares: Shares, positionCost: Money, queuedSeq: UInt64? = nil, sellsAll: Bool = false,
        exit: ExitReason? = nil
    ) {
        self.symbol = symbol
        self.shares = shares
        self.price = price
        self.notional = notional
        self.commission = commission
        self.total = total
        self.realizedPnL = realizedPnL
        self.positionShares = positionShares
        self.positionCost = positionCost
        self.queuedSeq = queuedSeq
        self.sellsAll = sellsAll
        self.exit = exit
    }
}

/// Every `oldShares` became `newShares`.
public struct Split: Hashable, Sendable {
    public let symbol: Symbol
    public let newShares: Shares
    public let oldShares: Shares
    public let cashInLieuPrice: Price?
    /// Paid for the fraction that a millionth of a share cannot hold.
    public let cashInLieu: Money
    public let realizedPnL: Money
    public let positionShares: Shares
    public let positionCost: Money

    public init(
        symbol: Symbol, newShares: Shares, oldShares: Shares, cashInLieuPrice: Price?, cashInLieu: Money, realizedPnL: Money,
        positionShares: Shares, positionCost: Money
    ) {
        self.symbol = symbol
        self.newShares = newShares
        self.oldShares = oldShares
        self.cashInLieuPrice = cashInLieuPrice
        self.cashInLieu = cashInLieu
        self.realizedPnL = realizedPnL
        self.positionShares = positionShares
        self.positionCost = positionCost
    }
}

/// A cash dividend.
public struct Dividend: Hashable, Sendable {
    public let symbol: Symbol
    public let perShare: Price
    public let shares: Shares
    public let amount: Money

    public init(symbol: Symbol, perShare: Price, shares: Shares, amount: Money) {
        self.symbol = symbol
        self.perShare = perShare
        self.shares = shares
        self.amount = amount
    }
}

/// A worthless position was removed; its cost became a realized loss.
public struct WriteOff: Hashable, Sendable {
    public let symbol: Symbol
    public let shares: Shares
    public let cost: Money

    public init(symbol: Symbol, shares: Shares, cost: Money) {
        self.symbol = symbol
        self.shares = shares
        self.cost = cost
    }
}

/// Why something was not bought, queued or sold: the rule that forbade it.
public enum RejectionReason: String, CaseIterable, Hashable, Sendable {
    /// Too long in the queue.
    case stale
    /// The analyst had no opinion. Where a caller executes the queue, also that it failed, or answered nonsense.
    case noAnalysis = "no_analysis"
    case scoreDrop = "score_drop"
    /// The signal is no longer a buy.
    case downgrade
    /// The size does not come to one share.
    case size
    case insufficientFunds = "insufficient_funds"
    /// Any other rule of the account.
    case rule
    /// Below the least score.
    case lowScore = "low_score"
    case maximumPositions = "max_positions"
    case tradesPerHour = "trades_per_hour"
    /// The position is as large as it may be.
    case positionLimit = "position_limit"
    case sectorLimit = "sector_limit"
    /// The cash is there, but is to stay.
    case cashReserve = "cash_reserve"
    /// Held too short a time to be sold.
    case minimumHolding = "min_holding"
    /// The same cycle has sold it.
    case justSold = "just_sold"
    case alreadyQueued = "already_queued"
}

/// An entry left the queue without being bought.
public struct QueueRemoval: Hashable, Sendable {
    public let symbol: Symbol
    public let queuedSeq: UInt64
    public let reason: RejectionReason
    /// The analyst's judgement that decided it, if there was one.
    public let score: Rate?
    public let signal: Signal?

    public init(symbol: Symbol, queuedSeq: UInt64, reason: RejectionReason, score: Rate? = nil, signal: Signal? = nil) {
        self.symbol = symbol
        self.queuedSeq = queuedSeq
        self.reason = reason
        self.score = score
        self.signal = signal
    }
}

/// A trade as another system recorded it.
public struct PastTrade: Hashable, Sendable {
    public let isBuy: Bool
    public let symbol: Symbol
    public let shares: Shares
    public let price: Price
    public let total: Money
    public let cashAfter: Money?

    public init(isBuy: Bool, symbol: Symbol, shares: Shares, price: Price, total: Money, cashAfter: Money?) {
        self.isBuy = isBuy
        self.symbol = symbol
        self.shares = shares
        self.price = price
        self.total = total
        self.cashAfter = cashAfter
    }
}

/// An event with its place in the account's history.
public struct Record: Hashable, Sendable {
    /// Its number: 1, 2, 3, … without gaps, across generations.
    public let seq: UInt64
    /// When it was recorded, by the system's clock. Does not order events: `seq` does.
    public let at: Timestamp
    /// When it happened, for the rules.
    public let time: Timestamp
    public let event: Event
    public let requestID: RequestID?
    public let note: Text?
    /// The account's cash after it.
    public let cash: Money

    public init(seq: UInt64, at: Timestamp, time: Timestamp, event: Event, requestID: RequestID?, note: Text?, cash: Money) {
        self.seq = seq
        self.at = at
        self.time = time
        self.event = event
        self.requestID = requestID
        self.note = note
        self.cash = cash
    }
}
