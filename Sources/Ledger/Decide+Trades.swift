/// What single changes to cash and positions come to, for arguments that ``Change/validate()`` accepts. Each function checks the
/// account's rules and returns the event; none changes the state. ``Draft`` applies the events.
extension AccountState {
    func buying(_ symbol: Symbol, _ shares: Shares, at price: Price, queuedSeq: UInt64? = nil) throws(Refusal) -> Trade {
        let cost = try purchase(of: shares, at: price)
        let held = position(symbol)
        guard let positionShares = (held?.shares ?? .zero).adding(shares) else {
            throw .outOfRange(what: "the position in \(symbol)")
        }
        guard let positionCost = (held?.cost ?? .zero).adding(cost.total) else {
            throw .outOfRange(what: "the cost of \(symbol)")
        }
        guard cost.total <= cash else { throw .insufficientFunds(needed: cost.total, available: cash) }
        return Trade(
            symbol: symbol, shares: shares, price: price, notional: cost.notional, commission: cost.commission, total: cost.total,
            realizedPnL: .zero, positionShares: positionShares, positionCost: positionCost, queuedSeq: queuedSeq)
    }

    /// What buying `shares` costs under the rules.
    func purchase(of shares: Shares, at price: Price) throws(Refusal) -> (notional: Money, commission: Money, total: Money) {
        guard let notional = shares.notional(at: price) else { throw .outOfRange(what: "\(shares) shares at \(price)") }
        guard notional.isPositive else { throw .totalIsZero(what: "\(shares) shares at \(price)") }
        guard let commission = rules.commission(shares: shares, notional: notional), let total = notional.adding(commission)
        else {
            throw .outOfRange(what: "\(shares) shares at \(price) with commission")
        }
        return (notional, commission, total)
    }

    /// What buying `shares` costs, commission included; `nil` if they cannot be bought at that price.
    public func total(of shares: Shares, at price: Price) -> Money? { try? purchase(of: shares, at: price).total }

    func selling(_ symbol: Symbol, _ asked: Shares?, at price: Price, exit: ExitReason? = nil) throws(Refusal) -> Event {
        guard let held = position(symbol) else { throw .noPosition(symbol) }
        let shares = asked ?? held.shares
        guard let positionShares = held.shares.subtracting(shares), !positionShares.isNegative else {
            throw .insufficientShares(symbol, asked: shares, held: held.shares)
        }
        guard let notional = shares.notional(at: price) else { throw .outOfRange(what: "\(shares) shares at \(price)") }
        guard notional.isPositive else { throw .totalIsZero(what: "\(shares) shares at \(price)") }
        // A sale never costs money, whatever the rules say, so that a position can always be closed.
        let fee = rules.commission(shares: shares, notional: notional) ?? notional
        let commission = min(fee, notional)
        guard let total = notional.subtracting(commission), let costSold = held.cost.proportion(shares, of: held.shares),
            let positionCost = held.cost.subtracting(costSold), let realized = total.subtracting(costSold),
            realizedPnL.adding(realized) != nil
        else { throw .outOfRange(what: "the realized P&L") }
        guard cash.adding(total) != nil else { throw .outOfRange(what: "the cash") }
        return .sold(
            Trade(
                symbol: symbol, shares: shares, price: price, notional: notional, commission: commission, total: total,
                realizedPnL: realized, positionShares: positionShares, positionCost: positionCost, sellsAll: asked == nil,
                exit: exit))
    }

    func depositing(_ amount: Money) throws(Refusal) -> Event {
        guard cash.adding(amount) != nil else { throw .outOfRange(what: "the cash") }
        guard netDeposits.adding(amount) != nil else { throw .outOfRange(what: "the net deposits") }
        return .deposited(amount)
    }

    func withdrawing(_ amount: Money) throws(Refusal) -> Event {
        guard netDeposits.subtracting(amount) != nil else { throw .outOfRange(what: "the net deposits") }
        guard amount <= cash else { throw .insufficientFunds(needed: amount, available: cash) }
        return .withdrew(amount)
    }

    /// Shares after the split are `shares × new ÷ old`; what a millionth of a share cannot hold is paid at `cashInLieuPrice`, and
    /// its part of the cost leaves with it.
    func splitting(_ symbol: Symbol, new: Shares, old: Shares, cashInLieuPrice: Price?) throws(Refusal) -> Event {
        guard let held = position(symbol) else { throw .noPosition(symbol) }
        let (whole, fraction) = (Int128(held.shares.micros) * Int128(new.micros)).quotientAndRemainder(
            dividingBy: Int128(old.micros))
        guard let positionShares = Int64(exactly: whole).flatMap(Shares.init(micros:)) else {
            throw .outOfRange(what: "the position in \(symbol)")
        }
        guard positionShares.isPositive || cashInLieuPrice != nil else { throw .needsPrice(symbol) }
        var cashInLieu = Money.zero
        var costOfFraction = Money.zero
        if fraction > 0, let price = cashInLieuPrice {
            // fraction/old millionths of a share; below 10¹⁵ × 10¹⁵, so the products fit.
            let value = Money(rounding: fraction * Int128(price.micros), dividedBy: Int128(old.micros) * Int128(microsPerUnit))
            cashInLieu = value ?? .zero
            costOfFraction = positionShares.isPositive ? fractionalCost(of: held, fraction: fraction, new: new) : held.cost
        }
        guard let positionCost = held.cost.subtracting(costOfFraction), let realized = cashInLieu.subtracting(costOfFraction),
            realizedPnL.adding(realized) != nil
        else { throw .outOfRange(what: "the realized P&L") }
        guard cash.adding(cashInLieu) != nil else { throw .outOfRange(what: "the cash") }
        return .split(
            Split(
                symbol: symbol, newShares: new, oldShares: old, cashInLieuPrice: cashInLieuPrice, cashInLieu: cashInLieu,
                realizedPnL: realized, positionShares: positionShares, positionCost: positionCost))
    }

    /// The part of a position's cost that belongs to `fraction` ÷ (shares × new) of it, rounded half to even. At most the cost.
    ///
    /// A fraction is less than one old share, below 10¹⁵, so the product with the cost fits.
    private func fractionalCost(of held: Position, fraction: Int128, new: Shares) -> Money {
        Money(
            rounding: Int128(held.cost.micros) * fraction, dividedBy: Int128(held.shares.micros) * Int128(new.micros)) ?? .zero
    }

    func payingDividend(_ symbol: Symbol, perShare: Price) throws(Refusal) -> Event {
        guard let held = position(symbol) else { throw .noPosition(symbol) }
        guard let amount = held.shares.notional(at: perShare) else { throw .outOfRange(what: "the dividend") }
        guard amount.isPositive else { throw .totalIsZero(what: "\(perShare) on \(held.shares) shares") }
        guard cash.adding(amount) != nil else { throw .outOfRange(what: "the cash") }
        guard realizedPnL.adding(amount) != nil else { throw .outOfRange(what: "the realized P&L") }
        return .receivedDividend(Dividend(symbol: symbol, perShare: perShare, shares: held.shares, amount: amount))
    }

    func writingOff(_ symbol: Symbol) throws(Refusal) -> Event {
        guard let held = position(symbol) else { throw .noPosition(symbol) }
        guard realizedPnL.subtracting(held.cost) != nil else { throw .outOfRange(what: "the realized P&L") }
        return .wroteOff(WriteOff(symbol: symbol, shares: held.shares, cost: held.cost))
    }

    func queueing(_ opportunity: Opportunity) throws(Refusal) -> Event {
        if let entry = queueEntry(opportunity.symbol) { throw .alreadyQueued(opportunity.symbol, seq: entry.seq) }
        return .queued(opportunity)
    }
}
