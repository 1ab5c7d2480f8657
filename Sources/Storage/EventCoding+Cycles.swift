import Ledger

/// The members of the lines about rules, signals and cycles, both ways.
extension LineWriter {
    mutating func appendRules(_ rules: Rules) {
        for key in RuleKey.allCases {
            switch key.kind {
            case .number, .count: member(named: key.name, rules[key])
            case .flag: member(named: key.name, rules.isOn(key))
            case .choice: member(named: key.name, rules.choice(key))
            }
        }
        // A line is flat: one text with spaces, which no symbol contains.
        member("watchlist", rules.watchlist.map(\.description).joined(separator: " "))
    }

    mutating func appendSignalChange(_ change: SignalChange) {
        member("symbol", change.symbol)
        member("change", change.kind.rawValue)
        member("urgency", change.urgency.rawValue)
        member("signal", change.signal.description)
        member("score", change.score)
        member("price", change.price)
        if let signal = change.previousSignal { member("previous_signal", signal.description) }
        if let score = change.previousScore { member("previous_score", score) }
        appendOpinion(change.confidence, change.sector)
        if let reason = change.reason { member("reason", reason.description) }
    }

    mutating func appendKnownSignal(_ known: KnownSignal) {
        member("symbol", known.symbol)
        member("signal", known.signal.description)
        member("score", known.score)
        member("price", known.price)
        appendOpinion(known.confidence, known.sector)
        member("known_since", known.time)
    }

    private mutating func appendOpinion(_ confidence: Confidence?, _ sector: Text?) {
        if let confidence { member("confidence", confidence.name) }
        if let sector { member("sector", sector.description) }
    }

    mutating func appendDecline(_ decline: Decline) {
        member("declined", decline.what.rawValue)
        member("symbol", decline.symbol)
        member("reason", decline.reason.rawValue)
        member("price", decline.price)
        member("score", decline.score)
    }

    mutating func appendCycle(_ cycle: Cycle) {
        member("cycle", cycle.kind.rawValue)
        member("outcome", cycle.outcome.rawValue)
        if let reason = cycle.reason { member("reason", reason.description) }
        for (name, count) in cycle.counts.named { member(name, UInt64(count.magnitude)) }
        if let value = cycle.value { member("value", value) }
        if let problem = cycle.problem { member("problem", problem.description) }
    }
}

extension Cycle.Counts {
    /// The counts with their names, in the order of the line.
    fileprivate var named: [(StaticString, Int)] {
        [
            ("analysed", analysed), ("unanalysed", unanalysed), ("changes", changes), ("queued", queued), ("bought", bought),
            ("sold", sold), ("rejected", rejected), ("deferred", deferred),
        ]
    }
}

extension LineReader {
    /// The rules, key by key in the order of the table; keys that came later than the line keep their defaults.
    mutating func rules() throws(Unexpected) -> Rules {
        var rules = Rules()
        while !isNext("request_id") && !isNext("note") && !isNext("cash") {
            if isNext("watchlist") {
                guard rules.setWatchlist(try watchlist()) else { throw unexpected("a watchlist with each symbol once") }
                continue
            }
            try expect(",")
            let name = try string()
            try expect(":")
            guard let key = RuleKey(name: name) else { throw unexpected("a rule that this version knows, not \(name)") }
            guard rules.set(key, to: try value(of: key)) else { throw unexpected("a value in the range of \(name)") }
        }
        return rules
    }

    private mutating func value(of key: RuleKey) throws(Unexpected) -> Rate {
        switch key.kind {
        case .number, .count: return try amount()
        case .flag:
            if skip("true") { return Rate(clamping: microsPerUnit) }
            try expect("false")
            return .zero
        case .choice(let words):
            guard let place = words.firstIndex(of: try string()) else { throw unexpected("a word that this version knows") }
            return Rate(clamping: Int64(place) * microsPerUnit)
        }
    }

    private mutating func watchlist() throws(Unexpected) -> [Symbol] {
        var symbols: [Symbol] = []
        for word in try string("watchlist").split(separator: " ", omittingEmptySubsequences: false) where !word.isEmpty {
            guard let symbol = Symbol(utf8: word.utf8) else { throw unexpected("a list of symbols") }
            symbols.append(symbol)
        }
        return symbols
    }

    mutating func signalChange() throws(Unexpected) -> SignalChange {
        let symbol = try symbol()
        let kind: SignalChangeKind = try word("change")
        let urgency: Urgency = try word("urgency")
        let signal = try signal()
        let score: Rate = try amount("score")
        let price: Price = try amount("price")
        let previousSignal = isNext("previous_signal") ? try self.signal("previous_signal") : nil
        let previousScore: Rate? = isNext("previous_score") ? try amount("previous_score") : nil
        let confidence = try confidence()
        let sector = isNext("sector") ? try text("sector") : nil
        return SignalChange(
            kind: kind, urgency: urgency, symbol: symbol, signal: signal, score: score, price: price,
            previousSignal: previousSignal, previousScore: previousScore, confidence: confidence, sector: sector,
            reason: isNext("reason") ? try text("reason") : nil)
    }

    mutating func knownSignal() throws(Unexpected) -> KnownSignal {
        let symbol = try symbol()
        let signal = try signal()
        let score: Rate = try amount("score")
        let price: Price = try amount("price")
        let confidence = try confidence()
        let sector = isNext("sector") ? try text("sector") : nil
        return KnownSignal(
            symbol: symbol, signal: signal, score: score, price: price, confidence: confidence, sector: sector,
            time: try timestamp("known_since"))
    }

    private mutating func confidence() throws(Unexpected) -> Confidence? {
        guard isNext("confidence") else { return nil }
        guard let confidence = Confidence(try string("confidence")) else { throw unexpected("a confidence") }
        return confidence
    }

    mutating func decline() throws(Unexpected) -> Decline {
        let what: Decline.What = try word("declined")
        return Decline(
            what: what, symbol: try symbol(), reason: try word("reason"), price: try amount("price"), score: try amount("score"))
    }

    mutating func cycle() throws(Unexpected) -> Cycle {
        let kind: CycleKind = try word("cycle")
        let outcome: Cycle.Outcome = try word("outcome")
        let reason = isNext("reason") ? try text("reason") : nil
        var counts = Cycle.Counts()
        counts.analysed = try count("analysed")
        counts.unanalysed = try count("unanalysed")
        counts.changes = try count("changes")
        counts.queued = try count("queued")
        counts.bought = try count("bought")
        counts.sold = try count("sold")
        counts.rejected = try count("rejected")
        counts.deferred = try count("deferred")
        let value: Money? = isNext("value") ? try amount("value") : nil
        return Cycle(
            kind: kind, outcome: outcome, reason: reason, counts: counts, value: value,
            problem: isNext("problem") ? try text("problem") : nil)
    }
}
