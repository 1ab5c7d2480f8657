import Ledger
import Storage

/// Changes to cash and positions. Each one takes the lock, reads what others have committed, decides, and commits: all of it or nothing.
///
/// All of them throw, besides what is listed, `tooPrecise`, `seqMismatch`, `requestConflict`, `outOfRange`, `invalidRequestID`,
/// `invalidText`, `busy`, `wouldDeadlock`, `forked`, `closed`, `misuse`, `readOnly`, `noSpace`, `io`, `permission`, `replaced`, `corrupt`,
/// `missingData`, `wrongAccount`, `newerFormat`, `uncertain` and `failedHandle`.
extension Account {
    /// Buys `shares` at `price`, both above zero. Cost: shares × price + commission.
    ///
    /// - Throws: `invalidSymbol`, `invalidShares`, `invalidPrice`, `insufficientFunds`, `totalIsZero`.
    @discardableResult
    public func buy(
        _ symbol: Symbol, _ shares: Shares, at price: Price, _ request: RequestOptions = RequestOptions()
    ) throws(PaperTradeError) -> Fill {
        try fill(change(.buy(symbol, shares, price), request).receipt)
    }

    /// Sells `shares` at `price`; `nil` sells the whole position. The cost of what is sold is its part of the position's cost
    /// (average cost), rounded half to even; the last sale takes what is left. The commission never exceeds the proceeds.
    ///
    /// - Throws: `invalidSymbol`, `invalidShares`, `invalidPrice`, `noPosition`, `insufficientShares`, `totalIsZero`.
    @discardableResult
    public func sell(
        _ symbol: Symbol, _ shares: Shares?, at price: Price, _ request: RequestOptions = RequestOptions()
    ) throws(PaperTradeError) -> Fill {
        try fill(change(.sell(symbol, shares, price), request).receipt)
    }

    /// ``buy(_:_:at:_:)-(Symbol,_,_,_)`` with plain numbers: `buy("AAPL", 40, at: 150.25)`.
    ///
    /// A `Double` stands for the nearest millionth. `tooPrecise` if that would change it by more than a ten-thousandth of itself.
    @discardableResult
    public func buy(
        _ symbol: String, _ shares: Double, at price: Double, _ request: RequestOptions = RequestOptions()
    ) throws(PaperTradeError) -> Fill {
        try buy(Symbol(checking: symbol), Shares(checking: shares), at: Price(checking: price), request)
    }

    /// ``sell(_:_:at:_:)-(Symbol,_,_,_)`` with plain numbers; `nil` shares sell the whole position.
    @discardableResult
    public func sell(
        _ symbol: String, _ shares: Double?, at price: Double, _ request: RequestOptions = RequestOptions()
    ) throws(PaperTradeError) -> Fill {
        let checkedShares: Shares?
        if let shares { checkedShares = try Shares(checking: shares) } else { checkedShares = nil }
        return try sell(Symbol(checking: symbol), checkedShares, at: Price(checking: price), request)
    }

    /// Adds cash.
    ///
    /// - Throws: `invalidAmount` unless `amount` is above zero.
    @discardableResult
    public func deposit(_ amount: Money, _ request: RequestOptions = RequestOptions()) throws(PaperTradeError) -> Receipt {
        try receipt(change(.deposit(amount), request).receipt)
    }

    /// Takes cash.
    ///
    /// - Throws: `invalidAmount` unless `amount` is above zero, `insufficientFunds`.
    @discardableResult
    public func withdraw(_ amount: Money, _ request: RequestOptions = RequestOptions()) throws(PaperTradeError) -> Receipt {
        try receipt(change(.withdraw(amount), request).receipt)
    }

    /// Turns every `oldShares` shares into `newShares`: 7 and 1 for 7:1, 1 and 10 for a reverse split. The position keeps what a
    /// millionth of a share can hold; the fraction below that is paid at `cashInLieuPrice`, a price after the split, or dropped without one.
    ///
    /// - Throws: `invalidRatio`, `invalidPrice`, `noPosition`, `needsPrice` if nothing but a fraction is left and there is no price.
    @discardableResult
    public func split(
        _ symbol: Symbol, newShares: Shares, oldShares: Shares, cashInLieuPrice: Price? = nil,
        _ request: RequestOptions = RequestOptions()
    ) throws(PaperTradeError) -> Receipt {
        try receipt(
            change(.split(symbol, new: newShares, old: oldShares, cashInLieuPrice: cashInLieuPrice), request).receipt)
    }

    /// Credits a cash dividend of `perShare` on the shares held; it counts as realized P&L.
    ///
    /// - Throws: `invalidPrice` unless `perShare` is above zero, `noPosition`, `totalIsZero`.
    @discardableResult
    public func dividend(
        _ symbol: Symbol, perShare: Price, _ request: RequestOptions = RequestOptions()
    ) throws(PaperTradeError) -> Receipt {
        try receipt(change(.dividend(symbol, perShare: perShare), request).receipt)
    }

    /// Removes a worthless position; its cost becomes a realized loss.
    ///
    /// - Throws: `noPosition`.
    @discardableResult
    public func writeOff(_ symbol: Symbol, _ request: RequestOptions = RequestOptions()) throws(PaperTradeError) -> Receipt {
        try receipt(change(.writeOff(symbol), request).receipt)
    }

    private func fill(_ receipt: Receipt?) throws(PaperTradeError) -> Fill {
        guard let fill = receipt.flatMap({ Fill($0) }) else {
            throw PaperTradeError(.misuse, "the request's event is not a trade")
        }
        return fill
    }

    func receipt(_ receipt: Receipt?) throws(PaperTradeError) -> Receipt {
        guard let receipt else { throw PaperTradeError(.misuse, "the request made no event") }
        return receipt
    }
}

extension Symbol {
    /// - Throws: `invalidSymbol`.
    public init(checking text: String) throws(PaperTradeError) {
        self = try checked { () throws(Refusal) in try Symbol(text) }
    }
}

extension Amount {
    /// The amount that a plain number stands for.
    ///
    /// - Throws: `tooPrecise`, and `invalidShares`, `invalidPrice` or `invalidAmount` for NaN and numbers out of range.
    public init(checking value: Double) throws(PaperTradeError) {
        do throws(AmountError) {
            self = try Self(value)
        } catch {
            throw PaperTradeError(Self.refusal(error, value.description))
        }
    }

    /// The amount that a decimal text stands for, exactly.
    public init(checking text: String) throws(PaperTradeError) {
        do throws(AmountError) {
            self = try Self(text)
        } catch {
            throw PaperTradeError(Self.refusal(error, escaped(text, limit: 40)))
        }
    }

    private static func refusal(_ error: AmountError, _ text: String) -> Refusal {
        if error == .tooPrecise { return .tooPrecise(text) }
        if Self.self == Shares.self { return .invalidShares(text) }
        if Self.self == Price.self { return .invalidPrice(text) }
        if Self.self == Rate.self { return .invalidScore(text) }
        return .invalidAmount(text)
    }
}
