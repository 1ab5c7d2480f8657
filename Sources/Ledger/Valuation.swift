/// The account at given prices. Figures beyond the range of amounts are `nil`.
public struct Valuation: Hashable, Sendable {
    public let seq: UInt64
    /// Positions without a quote; they are counted at cost.
    public let unpricedCount: Int
    public let cash: Money
    public let marketValue: Money?
    /// cash + market value.
    public let totalValue: Money?
    /// market value − total cost.
    public let unrealizedPnL: Money?
    public let realizedPnL: Money
    /// total value − net deposits.
    public let totalPnL: Money?
    /// 100 × total P&L ÷ net deposits; `nil` if those are not above zero.
    public let returnPercent: Rate?

    /// The value of `state` at the prices `quotes`, which are not below zero.
    public init(_ state: AccountState, quotes: [Symbol: Price]) {
        var market: Money? = .zero
        var unpriced = 0
        for position in state.positions {
            let value: Money?
            if let price = quotes[position.symbol] {
                value = position.shares.notional(at: price)
            } else {
                unpriced += 1
                value = position.cost
            }
            market = market.flatMap { sum in value.flatMap { sum.adding($0) } }
        }
        let total = market?.adding(state.cash)
        seq = state.seq
        unpricedCount = unpriced
        cash = state.cash
        marketValue = market
        totalValue = total
        unrealizedPnL = market.flatMap { value in state.totalCost.flatMap { value.subtracting($0) } }
        realizedPnL = state.realizedPnL
        totalPnL = total?.subtracting(state.netDeposits)
        returnPercent = state.netDeposits.isPositive ? totalPnL?.percent(of: state.netDeposits) : nil
    }
}
