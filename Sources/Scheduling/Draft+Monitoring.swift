import Ledger

/// The monitoring cycle: compares what the analyst says with what was last known, records what changed, and acts on it.
extension Draft {
    /// Decides a monitoring cycle; everything it comes to is appended, the cycle's own record last.
    ///
    /// Each change of a signal is recorded. Then, if `system_active`: a position whose signal fell critically is sold at once, and a
    /// security that rose to BUY or better is queued for the trading cycle.
    ///
    /// - Throws: ``Refusal/batchTooLarge(limit:)``, or that an amount left its range; the draft is then to be dropped.
    public mutating func monitor(_ opinions: Opinions, time: Timestamp) throws(Refusal) -> Cycle {
        var counts = Cycle.Counts(opinions)
        try removeStaleEntries(time: time)
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
        return try finish(.monitoring, opinions, counts, time: time)
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

    /// Appends the cycle's own record.
    mutating func finish(
        _ kind: CycleKind, _ opinions: Opinions, _ counts: Cycle.Counts, skipped reason: Text? = nil, time: Timestamp
    ) throws(Refusal) -> Cycle {
        let value = Valuation(state, quotes: opinions.quotes).totalValue
        let cycle = Cycle(
            kind: kind, outcome: reason == nil ? .done : .skipped, reason: reason, counts: counts, value: value,
            problem: opinions.firstProblem.map { Text(cutting: $0) })
        try append(.ranCycle(cycle), time: time, id: nil, note: nil)
        return cycle
    }
}

extension Cycle.Counts {
    init(_ opinions: Opinions) {
        self.init()
        analysed = opinions.all.count { $0.analysis != nil }
        unanalysed = opinions.all.count - analysed
    }
}
