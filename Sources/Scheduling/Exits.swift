import Ledger

/// Whether a position is to be sold.
public enum ExitDecision: Hashable, Sendable {
    case hold
    case sell(ExitReason)
    /// It has its profit, but the signal is still a buy.
    case deferred
    /// The position is too young to be sold for that.
    case declined(RejectionReason)
}

extension Position {
    /// The first exit rule that applies, in their order: stop loss, signal, profit, age. Each applies at its threshold.
    ///
    /// The minimum holding time holds back what can wait, the signal and the profit; a loss is cut whatever the age.
    public func exit(on analysis: Analysis, at time: Timestamp, under rules: Rules) -> ExitDecision {
        let isYoung = !isHeld(days: rules[.limitsMinimumHoldingDays], at: time)
        if !isWorthMore(than: rules[.exitsStopLossPercent], at: analysis.price) { return .sell(.stopLoss) }
        let isDowngrade = analysis.signal.rawValue <= rules.count(.exitsSignal) + Signal.sell.rawValue
        let hasProfit = !isWorthLess(than: rules[.exitsTakeProfitPercent], at: analysis.price)
        let isDeferred = hasProfit && rules.isOn(.exitsDeferTakeProfit) && analysis.signal.isBuyable
        let canWait = isDowngrade || hasProfit && !isDeferred
        if canWait && !isYoung { return .sell(isDowngrade ? .downgrade : .takeProfit) }
        if isHeld(days: rules[.exitsMaximumAgeDays], at: time) { return .sell(.age) }
        if canWait { return .declined(.minimumHolding) }
        return isDeferred ? .deferred : .hold
    }

    /// Whether the position is worth more than its cost and `percent` of it. Exact: nothing is rounded.
    private func isWorthMore(than percent: Rate, at price: Price) -> Bool {
        let (worth, threshold) = worth(at: price, against: percent)
        return worth > threshold
    }

    private func isWorthLess(than percent: Rate, at price: Price) -> Bool {
        let (worth, threshold) = worth(at: price, against: percent)
        return worth < threshold
    }

    /// Both sides of `shares × price` and `cost × (100 + percent) ÷ 100`, in the same unit, 10⁻¹⁴. Amounts are below 10¹⁵ micros and
    /// percentages below 10¹² micros, so that neither side leaves Int128.
    private func worth(at price: Price, against percent: Rate) -> (worth: Int128, threshold: Int128) {
        (
            Int128(shares.micros) * Int128(price.micros) * 100,
            Int128(cost.micros) * (Int128(100 * microsPerUnit) + Int128(percent.micros))
        )
    }

    /// Whether so many days of 24 hours have passed since the first purchase; none have by a clock that is behind the buyer's.
    private func isHeld(days: Rate, at time: Timestamp) -> Bool {
        Int128(max(0, time.microseconds(since: firstPurchaseDate))) >= Int128(days.micros) * 86_400
    }
}
