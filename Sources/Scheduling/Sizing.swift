import Ledger

/// How much of a queued opportunity to buy, and whether the limits allow it.
///
/// By score: `sizing.base_percent` of the account's value, times 0.5 + ((score − 70) ÷ 30)^1.5, where (score − 70) ÷ 30 is kept
/// between 0 and 1, so that a score of 70 buys half of the base and one of 100 one and a half of it. Fixed: `sizing.fixed_amount`.
/// What a buy may cost is capped by `limits.max_trade_percent` and by what `limits.max_position_percent` leaves of the position.
struct Sizing {
    /// The account's value before the first buy of the cycle: later buys of the same cycle are measured by the same value.
    let value: Money
    let opinions: Opinions
    let time: Timestamp
    /// Trades that the cycle has made so far.
    var trades: Int

    /// How many shares to buy.
    ///
    /// - Throws: the first limit that forbids it, in the order of the checks.
    func shares(of symbol: Symbol, _ state: AccountState, _ analysis: Analysis) throws(Rejection) -> Shares {
        let rules = state.rules
        guard analysis.score >= rules[.tradingMinimumScore] else {
            throw Rejection(reason: .lowScore, message: "score \(analysis.score) is below \(rules[.tradingMinimumScore])")
        }
        let held = state.position(symbol)
        guard held != nil || state.positions.count < rules.count(.limitsMaximumPositions) else {
            throw Rejection(reason: .maximumPositions, message: "\(state.positions.count) positions are held already")
        }
        let recent = state.cycles.trades(inTheHourBefore: time) + trades
        guard recent < rules.count(.limitsTradesPerHour) else {
            throw Rejection(reason: .tradesPerHour, message: "\(recent) trades were made within an hour")
        }
        let shares = try affordable(symbol, state, analysis, held: held)
        try checkCash(shares, state, analysis)
        try checkSector(shares, of: symbol, state, analysis)
        return shares
    }

    private func affordable(
        _ symbol: Symbol, _ state: AccountState, _ analysis: Analysis, held: Position?
    ) throws(Rejection) -> Shares {
        let rules = state.rules
        let wanted = min(target(analysis.score, rules), percentage(rules[.limitsMaximumTradePercent]))
        let room = percentage(rules[.limitsMaximumPositionPercent]).subtracting(worth(held, at: analysis.price)) ?? .zero
        guard room.isPositive else {
            throw Rejection(reason: .positionLimit, message: "the position has reached its limit")
        }
        let amount = min(wanted, room)
        guard let shares = state.shares(for: amount, at: analysis.price, areWhole: rules.isOn(.sizingWholeShares)) else {
            throw Rejection(
                reason: room < wanted ? .positionLimit : .size,
                message: "\(amount) does not pay for one share at \(analysis.price)")
        }
        return shares
    }

    private func target(_ score: Rate, _ rules: Rules) -> Money {
        if rules.choice(.sizingMode) == "fixed" { return Money(clamping: rules[.sizingFixedAmount].micros) }
        let base = percentage(rules[.sizingBasePercent])
        // Half of the base at least, one and a half at most; the base is at most the account's value, so it is in range or clamped.
        let exact = Int128(base.micros) * Int128(Self.multiplier(score).micros) / Int128(microsPerUnit)
        return Money(clamping: Int64(clamping: exact))
    }

    /// 0.5 + ((score − 70) ÷ 30)^1.5, clamped to 0.5 … 1.5 and rounded down to a millionth.
    static func multiplier(_ score: Rate) -> Rate {
        let span = 30 * microsPerUnit
        let above = Int128(min(max(score.micros - 70 * microsPerUnit, 0), span))
        // x^1.5 = √(x³); the cube of 3 × 10⁷ times 10¹² is far from the end of Int128.
        let squared = above * above * above * Int128(microsPerUnit) * Int128(microsPerUnit)
        let power = squareRoot(squared / (Int128(span) * Int128(span) * Int128(span)))
        return Rate(clamping: microsPerUnit / 2 + power)
    }

    /// The square root of a number from 0 to 10¹², rounded down.
    private static func squareRoot(_ square: Int128) -> Int64 {
        var low: Int64 = 0
        var high = microsPerUnit
        while low < high {
            let middle = high - (high - low) / 2
            if Int128(middle) * Int128(middle) <= square { low = middle } else { high = middle - 1 }
        }
        return low
    }

    private func checkCash(_ shares: Shares, _ state: AccountState, _ analysis: Analysis) throws(Rejection) {
        let reserve = percentage(state.rules[.limitsCashReservePercent])
        // What it costs is what the draft will find, too: without a total the buy is refused there.
        guard let total = state.total(of: shares, at: analysis.price), let rest = state.cash.subtracting(total), !rest.isNegative,
            rest < reserve
        else { return }
        throw Rejection(reason: .cashReserve, message: "\(rest) would be left in cash, and \(reserve) is to stay")
    }

    private func checkSector(
        _ shares: Shares, of symbol: Symbol, _ state: AccountState, _ analysis: Analysis
    ) throws(Rejection) {
        guard let sector = analysis.sector ?? state.signal(of: symbol)?.sector else { return }
        let limit = percentage(state.rules[.limitsMaximumSectorPercent])
        var sum = state.total(of: shares, at: analysis.price)
        for position in state.positions where self.sector(of: position.symbol, state) == sector {
            sum = sum?.adding(worth(position, at: opinions.analysis(of: position.symbol)?.price))
        }
        guard let sum, sum <= limit else {
            throw Rejection(reason: .sectorLimit, message: "sector \(sector) would be beyond \(limit)")
        }
    }

    private func sector(of symbol: Symbol, _ state: AccountState) -> Text? {
        opinions.analysis(of: symbol)?.sector ?? state.signal(of: symbol)?.sector
    }

    /// What a position is worth; its cost if there is no price.
    private func worth(_ position: Position?, at price: Price?) -> Money {
        guard let position else { return .zero }
        return price.flatMap { position.shares.notional(at: $0) } ?? position.cost
    }

    private func percentage(_ rate: Rate) -> Money { value.percentage(rate) ?? .zero }
}
