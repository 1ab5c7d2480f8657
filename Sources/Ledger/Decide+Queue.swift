/// What came of one entry when the queue was executed.
public struct Execution: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        case bought(Trade)
        case rejected(RejectionReason)
        /// The entry was gone or replaced when the lock was taken: nothing was done.
        case changed
    }

    public let symbol: Symbol
    public let queuedSeq: UInt64
    /// The event that bought or removed the entry.
    public let seq: UInt64?
    public let outcome: Outcome
    public let queuedScore: Rate?
    public let score: Rate?
    /// One sentence.
    public let message: String
}

/// Why an entry is not bought, in one word and one sentence.
public struct Rejection: Error, Hashable, Sendable {
    public let reason: RejectionReason
    public let message: String

    public init(reason: RejectionReason, message: String) {
        self.reason = reason
        self.message = message
    }
}

/// Re-validation of queued buys: may this entry still be bought, given what the analyst says now?
extension QueueEntry {
    /// The analysis that the entry may be bought on.
    ///
    /// - Throws: the first rule that forbids buying, in the order of the checks.
    func revalidated(_ judgement: Judgement, at time: Timestamp, under rules: Rules) throws(Rejection) -> Analysis {
        let hours = rules[.queueStaleAfterHours]
        if isStale(at: time, under: rules) {
            throw Rejection(reason: .stale, message: "queued at \(queuedAt), more than \(hours) hours before")
        }
        guard let analysis = judgement.analysis else {
            throw Rejection(reason: .noAnalysis, message: judgement.problem ?? "the analyst has no opinion")
        }
        guard time.microseconds(since: analysis.time) <= rules.queueStaleAfterMicroseconds else {
            throw Rejection(reason: .noAnalysis, message: "the analysis of \(analysis.time) is more than \(hours) hours old")
        }
        let drop = opportunity.score.subtracting(analysis.score) ?? .zero
        guard drop <= rules[.queueMaximumScoreDrop] else {
            throw Rejection(reason: .scoreDrop, message: "score \(analysis.score), was \(opportunity.score) when queued")
        }
        guard analysis.signal.isBuyable else {
            throw Rejection(reason: .downgrade, message: "signal \(analysis.signal), was \(opportunity.signal) when queued")
        }
        return analysis
    }
}

extension Draft {
    /// Buys or removes every entry that was judged, in queue order, each against what the ones before it left.
    mutating func execute(_ judgements: [Judgement], time: Timestamp, id: RequestID?, note: Text?) throws(Refusal) -> [Execution]
    {
        var executions: [Execution] = []
        let judged = Dictionary(judgements.map { ($0.queuedSeq, $0) }, uniquingKeysWith: { first, _ in first })
        for entry in state.queue {
            guard let judgement = judged[entry.seq], judgement.symbol == entry.opportunity.symbol else { continue }
            let execution = try settle(entry, judgement, time: time, id: id, note: note) { (state, analysis) throws(Rejection) in
                try state.sharesAsked(by: analysis)
            }
            executions.append(execution)
        }
        let dealtWith = Set(executions.map(\.queuedSeq))
        for judgement in judgements where !dealtWith.contains(judgement.queuedSeq) {
            executions.append(
                Execution(
                    symbol: judgement.symbol, queuedSeq: judgement.queuedSeq, seq: nil, outcome: .changed, queuedScore: nil,
                    score: judgement.analysis?.score, message: "the entry left the queue while the analyst was thinking"))
        }
        return executions
    }

    /// Buys one entry of the queue, or removes it with the reason why not.
    ///
    /// - Parameter size: how many shares to buy, given the account as it is now and the analysis that the entry may be bought on.
    public mutating func settle(
        _ entry: QueueEntry, _ judgement: Judgement, time: Timestamp, id: RequestID? = nil, note: Text? = nil,
        size: (AccountState, Analysis) throws(Rejection) -> Shares
    ) throws(Refusal) -> Execution {
        let outcome: Execution.Outcome
        let event: Event
        let message: String
        do throws(Rejection) {
            let analysis = try entry.revalidated(judgement, at: time, under: state.rules)
            let trade = try state.trade(executing: entry, size(state, analysis), at: analysis.price)
            outcome = .bought(trade)
            event = .bought(trade)
            message = "bought \(trade.shares) at \(trade.price)"
        } catch {
            outcome = .rejected(error.reason)
            event = .removedFromQueue(
                QueueRemoval(
                    symbol: entry.opportunity.symbol, queuedSeq: entry.seq, reason: error.reason,
                    score: judgement.analysis?.score,
                    signal: judgement.analysis?.signal))
            message = error.message
        }
        let seq = try append(event, time: time, id: id, note: note)
        return Execution(
            symbol: entry.opportunity.symbol, queuedSeq: entry.seq, seq: seq, outcome: outcome,
            queuedScore: entry.opportunity.score, score: judgement.analysis?.score, message: message)
    }
}

extension AccountState {
    /// How much the analyst wants to buy.
    fileprivate func sharesAsked(by analysis: Analysis) throws(Rejection) -> Shares {
        switch analysis.size {
        case .shares(let asked): return asked
        case .amount(let amount):
            guard let affordable = shares(for: amount, at: analysis.price, areWhole: true) else {
                throw Rejection(reason: .size, message: "\(amount) does not pay for one share at \(analysis.price)")
            }
            return affordable
        case nil: throw Rejection(reason: .size, message: "the analyst gave neither shares nor an amount")
        }
    }

    fileprivate func trade(executing entry: QueueEntry, _ shares: Shares, at price: Price) throws(Rejection) -> Trade {
        do throws(Refusal) {
            return try buying(entry.opportunity.symbol, shares, at: price, queuedSeq: entry.seq)
        } catch {
            if case .insufficientFunds = error { throw Rejection(reason: .insufficientFunds, message: "\(error)") }
            throw Rejection(reason: .rule, message: "\(error)")
        }
    }

    /// The most shares that `amount` pays for at `price`, commission included; `nil` if there are none.
    ///
    /// - Parameter areWhole: only a whole number of shares; else down to a millionth.
    public func shares(for amount: Money, at price: Price, areWhole: Bool) -> Shares? {
        let unit = areWhole ? microsPerUnit : 1
        func isAffordable(_ count: Int64) -> Bool {
            guard let shares = Shares(micros: count * unit), let total = total(of: shares, at: price) else { return false }
            return total <= amount
        }
        guard price.isPositive, !amount.isNegative else { return nil }
        let most = amount.sharesAffordable(at: price, wholeShares: areWhole) ?? Shares(clamping: amountLimit)
        // The total grows with the number of shares, so the affordable counts are 0...n: bisect for n.
        var low: Int64 = 0
        var high = most.micros / unit
        while low < high {
            let middle = high - (high - low) / 2
            if isAffordable(middle) { low = middle } else { high = middle - 1 }
        }
        return low > 0 ? Shares(micros: low * unit) : nil
    }
}
