import Ledger

/// The figures of an event that many kinds of events have, for tables and flat structs. `nil`: the event has none.
public struct EventFigures: Sendable {
    public var side: Side?
    public var symbol: Symbol?
    public var shares: Shares?
    public var price: Price?
    public var notional: Money?
    public var commission: Money?
    /// The money that moved into or out of the account.
    public var total: Money?
    public var realizedPnL: Money?
    public var positionShares: Shares?
    public var positionCost: Money?

    public init(_ event: Event) {
        switch event {
        case .started(let start): total = start.cash
        case .tookOverPosition(let position):
            symbol = position.symbol
            shares = position.shares
            positionShares = position.shares
            positionCost = position.cost
        case .tookOverOpportunity(let entry): take(entry.opportunity)
        case .tookOverTrade(let trade):
            side = trade.isBuy ? .buy : .sell
            symbol = trade.symbol
            shares = trade.shares
            price = trade.price
            total = trade.total
        case .deposited(let amount), .withdrew(let amount): total = amount
        case .bought(let trade):
            side = .buy
            take(trade)
        case .sold(let trade):
            side = .sell
            take(trade)
        case .split(let split):
            symbol = split.symbol
            price = split.cashInLieuPrice
            total = split.cashInLieu
            realizedPnL = split.realizedPnL
            positionShares = split.positionShares
            positionCost = split.positionCost
        case .receivedDividend(let dividend):
            symbol = dividend.symbol
            shares = dividend.shares
            price = dividend.perShare
            total = dividend.amount
            realizedPnL = dividend.amount
        case .wroteOff(let writeOff):
            symbol = writeOff.symbol
            shares = writeOff.shares
            realizedPnL = writeOff.cost.negated
            positionShares = .zero
            positionCost = .zero
        case .queued(let opportunity): take(opportunity)
        case .removedFromQueue(let removal): symbol = removal.symbol
        case .signalChanged(let change):
            symbol = change.symbol
            price = change.price
        case .tookOverSignal(let known):
            symbol = known.symbol
            price = known.price
        case .declined(let decline):
            symbol = decline.symbol
            price = decline.price
        case .acceptedRules, .dequeuedAll, .clearedQueue, .ranCycle: break
        }
    }

    private mutating func take(_ trade: Trade) {
        symbol = trade.symbol
        shares = trade.shares
        price = trade.price
        notional = trade.notional
        commission = trade.commission
        total = trade.total
        realizedPnL = trade.realizedPnL
        positionShares = trade.positionShares
        positionCost = trade.positionCost
    }

    private mutating func take(_ opportunity: Opportunity) {
        symbol = opportunity.symbol
        price = opportunity.price
    }
}
