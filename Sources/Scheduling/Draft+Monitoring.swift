import Ledger

/// The monitoring cycle: compares what the analyst says with what was last known, records what changed, and acts on it.
extension Draft {
    /// Decides a monitoring cycle; everything it comes to is appended, the cycle's own record last.
    ///
    /// Each change of a signal is recorded. Then, if `system_active`: a position whose signal fell critically is sold at once, and a
    /// security that rose to BUY or better is queued for the trading cycle. An opinion that a cycle of a later moment has overtaken
    /// changes nothing.
    ///
    /// - Parameter now: `time` and as long as the analyst has taken since; `nil`: no time.
    /// - Throws: ``Refusal/batchTooLarge(limit:)``, or that an amount left its range; the draft is then to be dropped.
    public mutating func monitor(_ given: Opinions, time: Timestamp, now: Timestamp? = nil) throws(Refusal) -> CycleDecision {
        let opinions = given.withoutOvertaken(in: state, at: time, now: now ?? time)
        var counts = Cycle.Counts(opinions)
        try removeStaleEntries(time: time)
        if let failure = given.failure { return try finish(.monitoring, .failed, because: failure, given, counts, time: time) }
        for opinion in opinions.all {
            guard let analysis = opinion.analysis,
                let change = signalChange(
                    of: opinion.symbol, to: analysis, from: state.signal(of: opinion.symbol), under: state.rules)
            else { continue }
            try append(.signalChanged(change), time: time, id: nil, note: nil)
            counts.changes += 1
            guard state.rules.isOn(.systemActive) else { continue }
            if change.kind == .criticalDowngrade {
                try sellCritically(change, &counts, time: time)
            } else if change.kind.isUpward && change.signal.isBuyable {
                try queue(change, &counts, time: time)
            }
        }
        return try finish(.monitoring, .done, opinions, counts, time: time)
    }

    private mutating func sellCritically(_ change: SignalChange, _ counts: inout Cycle.Counts, time: Timestamp) throws(Refusal) {
        guard state.rules.isOn(.monitoringSellCritical), state.position(change.symbol) != nil else { return }
        try sellOrDecline(change.symbol, at: change.price, score: change.score, because: .critical, &counts, time: time)
    }

    private mutating func queue(_ change: SignalChange, _ counts: inout Cycle.Counts, time: Timestamp) throws(Refusal) {
        let reason: RejectionReason
        if state.queueEntry(change.symbol) != nil {
            reason = .alreadyQueued
        } else if change.score < state.rules[.tradingMinimumScore] {
            reason = .lowScore
        } else {
            let opportunity = try Opportunity(
                symbol: change.symbol, signal: change.signal, score: change.score, price: change.price, reason: change.reason)
            try append(.queued(opportunity), time: time, id: nil, note: nil)
            counts.queued += 1
            return
        }
        let decline = Decline(what: .queue, symbol: change.symbol, reason: reason, price: change.price, score: change.score)
        try append(.declined(decline), time: time, id: nil, note: nil)
        counts.rejected += 1
    }
}

/// What both cycles do.
extension Draft {
    /// Sells a whole position; where a rule of the account refuses that, its refusal is recorded.
    mutating func sellOrDecline(
        _ symbol: Symbol, at price: Price, score: Rate, because reason: ExitReason, _ counts: inout Cycle.Counts, time: Timestamp
    ) throws(Refusal) {
        do throws(Refusal) {
            try sell(symbol, at: price, because: reason, time: time)
            counts.sold += 1
        } catch {
            if case .batchTooLarge = error { throw error }
            try decline(sellingOf: symbol, .rule, at: price, score: score, &counts, time: time)
        }
    }

    mutating func decline(
        sellingOf symbol: Symbol, _ reason: RejectionReason, at price: Price, score: Rate, _ counts: inout Cycle.Counts,
        time: Timestamp
    ) throws(Refusal) {
        let decline = Decline(what: .sell, symbol: symbol, reason: reason, price: price, score: score)
        try append(.declined(decline), time: time, id: nil, note: nil)
        counts.rejected += 1
    }

    /// Appends the cycle's own record. One that failed has no value: without any price it would only be the cost.
    mutating func finish(
        _ kind: CycleKind, _ outcome: Cycle.Outcome, because reason: String? = nil, _ opinions: Opinions,
        _ counts: Cycle.Counts, time: Timestamp
    ) throws(Refusal) -> CycleDecision {
        let value = outcome == .failed ? nil : Valuation(state, quotes: opinions.quotes).totalValue
        return try record(kind, outcome, because: reason, counts, opinions.problems, value: value, time: time)
    }

    /// Records that a cycle had nothing to do: nobody was asked.
    public mutating func skip(_ kind: CycleKind, because reason: String, time: Timestamp) throws(Refusal) -> CycleDecision {
        try record(kind, .skipped, because: reason, time: time)
    }

    /// Records that something kept a cycle from its work.
    public mutating func fail(_ kind: CycleKind, because reason: String, time: Timestamp) throws(Refusal) -> CycleDecision {
        try record(kind, .failed, because: reason, time: time)
    }

    private mutating func record(
        _ kind: CycleKind, _ outcome: Cycle.Outcome, because reason: String?, _ counts: Cycle.Counts = Cycle.Counts(),
        _ problems: [String] = [], value: Money? = nil, time: Timestamp
    ) throws(Refusal) -> CycleDecision {
        // A monitoring run that was skipped does not take the last one's place, and the notice would be given again and again.
        let isRemembered = kind == .trading || outcome != .skipped
        let notice = isRemembered ? state.cycles.notice(of: kind, at: time) : nil
        let problems = (notice.map { [$0] } ?? []) + problems
        let cycle = Cycle(
            kind: kind, outcome: outcome, reason: reason.map { Text(cutting: $0) }, counts: counts, value: value,
            problem: problems.first.map { Text(cutting: $0) })
        try append(.ranCycle(cycle), time: time, id: nil, note: nil)
        return CycleDecision(cycle: cycle, problems: problems)
    }
}

/// What a cycle comes to.
public struct CycleDecision: Sendable {
    public let cycle: Cycle
    /// Everything that went wrong, of which the cycle's record names the first.
    public let problems: [String]
}

extension Cycle.Counts {
    init(_ opinions: Opinions) {
        self.init()
        analysed = opinions.all.count { $0.analysis != nil }
        unanalysed = opinions.all.count - analysed
    }
}
