import Ledger

/// The trading cycle: exits first, then the queue.
extension Draft {
    /// Decides a trading cycle; everything it comes to is appended, the cycle's own record last.
    ///
    /// With `system_active` false nothing is traded, and the record says so; it still has the account's value.
    ///
    /// - Parameter seen: the entries of the queue that the analyst was asked about. Others came later, and wait for the next cycle.
    /// - Throws: ``Refusal/batchTooLarge(limit:)``, or that an amount left its range; the draft is then to be dropped.
    public mutating func trade(_ opinions: Opinions, seen: Set<UInt64>, time: Timestamp) throws(Refusal) -> CycleDecision {
        var counts = Cycle.Counts(opinions)
        guard state.rules.isOn(.systemActive) else {
            try removeStaleEntries(time: time)
            let reason = "\(RuleKey.systemActive.name) is false"
            return try finish(.trading, .skipped, because: reason, opinions, counts, time: time)
        }
        if let failure = opinions.failure {
            try removeStaleEntries(time: time)
            return try finish(.trading, .failed, because: failure, opinions, counts, time: time)
        }
        try removeStaleEntries(time: time, except: seen)
        let held = state.positions.map(\.symbol)
        try sellWhatIsToGo(opinions, &counts, time: time)
        let sold = Set(held.filter { state.position($0) == nil })
        try buyFromQueue(opinions, seen: seen, sold: sold, &counts, time: time)
        return try finish(.trading, .done, opinions, counts, time: time)
    }

    private mutating func sellWhatIsToGo(_ opinions: Opinions, _ counts: inout Cycle.Counts, time: Timestamp) throws(Refusal) {
        for position in state.positions {
            // Without a price there is nothing to decide: its turn is lost, and the cycle's record counts it.
            guard let analysis = opinions.analysis(of: position.symbol) else { continue }
            switch position.exit(on: analysis, at: time, under: state.rules) {
            case .hold: break
            case .deferred: counts.deferred += 1
            case .sell(let reason):
                try sellOrDecline(
                    position.symbol, at: analysis.price, score: analysis.score, because: reason, &counts, time: time)
            case .declined(let reason):
                try decline(
                    sellingOf: position.symbol, reason, at: analysis.price, score: analysis.score, &counts, time: time)
            }
        }
    }

    private mutating func buyFromQueue(
        _ opinions: Opinions, seen: Set<UInt64>, sold: Set<Symbol>, _ counts: inout Cycle.Counts, time: Timestamp
    ) throws(Refusal) {
        let value = Valuation(state, quotes: opinions.quotes).totalValue ?? Money(clamping: .max)
        for entry in state.queue where seen.contains(entry.seq) {
            let symbol = entry.opportunity.symbol
            let opinion = opinions[symbol]
            // A failure says nothing of the opportunity: it waits for the next cycle, until it is too old.
            if opinion?.isFailure ?? false, !entry.isStale(at: time, under: state.rules) { continue }
            let judgement = Judgement(
                queuedSeq: entry.seq, symbol: symbol, analysis: opinion?.analysis, problem: opinion?.problem)
            let sizing = Sizing(value: value, opinions: opinions, time: time, trades: counts.trades)
            let execution = try settle(entry, judgement, time: time) { (state, analysis) throws(Rejection) in
                if sold.contains(symbol) { throw Rejection(reason: .justSold, message: "this cycle has sold it") }
                return try sizing.shares(of: symbol, state, analysis)
            }
            if case .bought = execution.outcome { counts.bought += 1 } else { counts.rejected += 1 }
        }
    }
}
