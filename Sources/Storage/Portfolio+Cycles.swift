import Ledger

/// The members of portfolio.json about signals and cycles, both ways.
extension KnownSignal {
    /// `"AAPL": {"signal": "BUY", …}`
    func portfolioText() throws(StorageError) -> [UInt8] {
        var text = Array("\"\(symbol)\": ".utf8)
        try JSONValue.object([
            JSONMember("signal", .string(signal.description)),
            JSONMember("score", .real(score.doubleValue)),
            JSONMember("price", .real(price.doubleValue)),
            JSONMember("confidence", confidence.map { .string($0.name) } ?? .null),
            JSONMember("sector", sector.map { .string($0.description) } ?? .null),
            JSONMember("known_since", .string(time.description)),
        ]).write(.line, to: &text)
        return text
    }

    init?(portfolio member: JSONMember) {
        let value = member.value
        guard let symbol = try? Symbol(member.name), let signal = (value["signal"]?.text).flatMap({ Signal($0) }),
            let score: Rate = value["score"]?.amount(), let price: Price = value["price"]?.amount(),
            let time = value["known_since"]?.timestamp
        else { return nil }
        self.init(
            symbol: symbol, signal: signal, score: score, price: price,
            confidence: (value["confidence"]?.text).flatMap { Confidence($0) },
            sector: (value["sector"]?.text).flatMap { try? Text($0, field: "sector") }, time: time)
    }
}

extension CycleLog {
    /// `{"monitoring": {"time": …, "outcome": "done", …}, "trading": null, "recent_trades": []}`
    func portfolioText() throws(StorageError) -> [UInt8] {
        var text: [UInt8] = []
        try JSONValue.object([
            JSONMember("monitoring", Self.value(monitoring)),
            JSONMember("trading", Self.value(trading)),
            JSONMember(
                "recent_trades",
                .array(
                    recentTrades.map { trades in
                        .object([
                            JSONMember("time", .string(trades.time.description)),
                            JSONMember("count", .integer(Int64(trades.count))),
                        ])
                    })),
        ]).write(.line, to: &text)
        return text
    }

    private static func value(_ last: Last?) -> JSONValue {
        guard let last else { return .null }
        return .object([
            JSONMember("time", .string(last.time.description)),
            JSONMember("outcome", .string(last.outcome.rawValue)),
            JSONMember("failures", .integer(Int64(last.failures))),
            JSONMember("previous_failure", last.previousFailure.map { .string($0.description) } ?? .null),
            JSONMember("last_done", last.lastDone.map { .string($0.description) } ?? .null),
        ])
    }

    init?(portfolio value: JSONValue) {
        guard let monitoring = value["monitoring"], let trading = value["trading"],
            case .array(let trades)? = value["recent_trades"], trades.count <= Self.recentTradesLimit
        else { return nil }
        self.init()
        for (kind, value) in [(CycleKind.monitoring, monitoring), (.trading, trading)] where value != .null {
            guard let time = value["time"]?.timestamp, let failures = value["failures"]?.unsigned.flatMap(UInt32.init(exactly:)),
                let outcome = (value["outcome"]?.text).flatMap({ Cycle.Outcome(rawValue: $0) })
            else { return nil }
            self[kind] = Last(
                time: time, outcome: outcome, failures: Int(failures), previousFailure: value["previous_failure"]?.timestamp,
                lastDone: value["last_done"]?.timestamp)
        }
        for value in trades {
            guard let time = value["time"]?.timestamp, let count = value["count"]?.unsigned.flatMap(Int.init(exactly:)),
                count <= Trades.maximumCount
            else { return nil }
            recentTrades.append(Trades(time: time, count: count))
        }
    }
}
