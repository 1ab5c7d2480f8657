import Ledger

/// Records of every type with figures and texts of every size, for the journal's lines. They need not follow from each other.
struct RandomRecords {
    var generator: SeededGenerator

    /// One of each type of event.
    static let typeCount = 23

    mutating func record(ofType type: Int, seq: UInt64) -> Record {
        Record(
            seq: seq, at: timestamp(), time: timestamp(), event: event(type), requestID: chance(3) ? requestID() : nil,
            note: chance(3) ? text() : nil, cash: amount())
    }

    mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &generator) == 0 }

    /// Any magnitude is as likely as any other.
    mutating func amount<Value: Amount>() -> Value {
        let limit = Int64(pow10(Int.random(in: 0...15, using: &generator)))
        return Value(clamping: Int64.random(in: -limit...limit, using: &generator))
    }

    private func pow10(_ exponent: Int) -> Int { (0..<exponent).reduce(1) { product, _ in product * 10 } }

    mutating func timestamp() -> Timestamp { Timestamp(clamping: Int64.random(in: 0...Timestamp.latest, using: &generator)) }

    mutating func symbol() -> Symbol {
        let characters = Array("ABCXYZabcxyz0189._-/^=:".utf8)
        let bytes = (0..<Int.random(in: 1...32, using: &generator)).map { _ in characters.randomElement(using: &generator) ?? 65 }
        return Symbol(utf8: bytes) ?? Symbol(utf8: "A".utf8)!
    }

    /// Any characters but NUL, with a liking for those that JSON escapes.
    mutating func string(maximumByteCount: Int) -> String {
        let nasty = [
            "\"", "\\", "\n", "\r", "\t", "\u{8}", "\u{C}", "\u{1}", "\u{1F}", "\u{7F}", "/", "é", "€", "\u{2028}", "😀",
            "\u{FFFF}",
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...maximumByteCount, using: &generator) {
            let next = chance(2) ? "x" : nasty.randomElement(using: &generator) ?? ""
            if text.utf8.count + next.utf8.count > maximumByteCount { break }
            text += next
        }
        return text
    }

    mutating func text() -> Text {
        guard let text = try? Text(string(maximumByteCount: Text.maximumByteCount), field: "note") else { return text() }
        return text
    }

    mutating func requestID() -> RequestID {
        while true {
            let text = string(maximumByteCount: RequestID.maximumByteCount).filter {
                $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
            }
            if let id = try? RequestID(text) { return id }
        }
    }

    private mutating func opportunity() -> Opportunity {
        while true {
            let price: Price? = chance(2) ? nil : amount()
            let score = Rate(clamping: Int64.random(in: 0...100_000_000, using: &generator))
            let signal = Signal.allCases.randomElement(using: &generator) ?? .buy
            let reason = chance(2) ? text() : nil
            if let made = try? Opportunity(symbol: symbol(), signal: signal, score: score, price: price, reason: reason) {
                return made
            }
        }
    }

    private mutating func trade() -> Trade {
        Trade(
            symbol: symbol(), shares: amount(), price: amount(), notional: amount(), commission: amount(), total: amount(),
            realizedPnL: amount(), positionShares: amount(), positionCost: amount(),
            queuedSeq: chance(2) ? UInt64.random(in: 0...UInt64(Int64.max), using: &generator) : nil, sellsAll: chance(2),
            exit: chance(2) ? ExitReason.allCases.randomElement(using: &generator) : nil)
    }

    private mutating func start(_ kind: Start.Kind) -> Start {
        Start(
            kind: kind, accountID: "account-1", generation: UInt32.random(in: 0...UInt32.max, using: &generator),
            createdAt: timestamp(),
            cash: .zero, netDeposits: amount(), realizedPnL: amount(), restsOn: chance(2) ? string(maximumByteCount: 100) : nil)
    }

    private mutating func rules() -> Rules {
        var rules = Rules()
        for key in RuleKey.allCases {
            let (least, most) = (key.range.lowerBound.micros, key.range.upperBound.micros)
            let micros =
                key.kind == .number
                ? Int64.random(in: least...most, using: &generator)
                : Int64.random(in: (least / microsPerUnit)...(most / microsPerUnit), using: &generator) * microsPerUnit
            let isAllowed = rules.set(key, to: Rate(clamping: micros))
            precondition(isAllowed, "\(key.name) \(micros)")
        }
        var watchlist: [Symbol] = []
        for _ in 0..<Int.random(in: 0...20, using: &generator) {
            let next = symbol()
            if !watchlist.contains(next) { watchlist.append(next) }
        }
        let isAllowed = rules.setWatchlist(watchlist)
        precondition(isAllowed, "\(watchlist)")
        return rules
    }

    private mutating func element<Value: CaseIterable>(_: Value.Type) -> Value
    where Value.AllCases == [Value] { Value.allCases[Int.random(in: 0..<Value.allCases.count, using: &generator)] }

    private mutating func score() -> Rate { Rate(clamping: Int64.random(in: 0...100_000_000, using: &generator)) }

    private mutating func signalChange() -> SignalChange {
        SignalChange(
            kind: element(SignalChangeKind.self), urgency: element(Urgency.self), symbol: symbol(), signal: element(Signal.self),
            score: score(), price: amount(), previousSignal: chance(2) ? element(Signal.self) : nil,
            previousScore: chance(2) ? score() : nil, confidence: chance(2) ? element(Confidence.self) : nil,
            sector: chance(2) ? text() : nil, reason: chance(2) ? text() : nil)
    }

    mutating func knownSignal() -> KnownSignal {
        KnownSignal(
            symbol: symbol(), signal: element(Signal.self), score: score(), price: amount(),
            confidence: chance(2) ? element(Confidence.self) : nil, sector: chance(2) ? text() : nil, time: timestamp())
    }

    private mutating func cycle() -> Cycle {
        var counts = Cycle.Counts()
        let all: [WritableKeyPath<Cycle.Counts, Int>] = [
            \.analysed, \.unanalysed, \.changes, \.queued, \.bought, \.sold, \.rejected, \.deferred,
        ]
        for count in all { counts[keyPath: count] = chance(3) ? 0 : Int.random(in: 0...100_000, using: &generator) }
        return Cycle(
            kind: element(CycleKind.self), outcome: element(Cycle.Outcome.self), reason: chance(2) ? text() : nil, counts: counts,
            value: chance(2) ? amount() : nil, problem: chance(2) ? text() : nil)
    }

    /// What an account may remember of cycles, as portfolio.json keeps it.
    mutating func cycleLog() -> CycleLog {
        var log = CycleLog()
        for kind in CycleKind.allCases where !chance(3) {
            log[kind] = CycleLog.Last(
                time: timestamp(), outcome: element(Cycle.Outcome.self), failures: Int.random(in: 0...9, using: &generator),
                previousFailure: chance(2) ? timestamp() : nil, lastDone: chance(2) ? timestamp() : nil)
        }
        for _ in 0..<Int.random(in: 0...5, using: &generator) {
            let count = Int.random(in: 1...CycleLog.Trades.maximumCount, using: &generator)
            log.recentTrades.append(CycleLog.Trades(time: timestamp(), count: count))
        }
        return log
    }

    private mutating func event(_ type: Int) -> Event {
        switch type {
        case 0: return .started(start(.open))
        case 1: return .started(start(.reset))
        case 2: return .started(start(.recover))
        case 3: return .started(start(.takeOver))
        case 4:
            return .tookOverPosition(Position(symbol: symbol(), shares: amount(), cost: amount(), firstPurchaseDate: timestamp()))
        case 5:
            let seq = UInt64.random(in: 0...UInt64(Int64.max), using: &generator)
            return .tookOverOpportunity(QueueEntry(seq: seq, queuedAt: timestamp(), opportunity: opportunity()))
        case 6:
            return .tookOverTrade(
                PastTrade(
                    isBuy: chance(2), symbol: symbol(), shares: amount(), price: amount(), total: amount(),
                    cashAfter: chance(2) ? amount() : nil))
        case 7: return .acceptedRules(rules())
        case 8: return .deposited(amount())
        case 9: return .withdrew(amount())
        case 10: return .bought(trade())
        case 11: return .sold(trade())
        case 12:
            return .split(
                Split(
                    symbol: symbol(), newShares: amount(), oldShares: amount(), cashInLieuPrice: chance(2) ? amount() : nil,
                    cashInLieu: amount(), realizedPnL: amount(), positionShares: amount(), positionCost: amount()))
        case 13: return .receivedDividend(Dividend(symbol: symbol(), perShare: amount(), shares: amount(), amount: amount()))
        case 14: return .wroteOff(WriteOff(symbol: symbol(), shares: amount(), cost: amount()))
        case 15: return .queued(opportunity())
        case 16:
            return .removedFromQueue(
                QueueRemoval(
                    symbol: symbol(), queuedSeq: UInt64.random(in: 0...UInt64(Int64.max), using: &generator),
                    reason: RejectionReason.allCases.randomElement(using: &generator) ?? .rule, score: chance(2) ? amount() : nil,
                    signal: chance(2) ? Signal.allCases.randomElement(using: &generator) : nil))
        case 17: return .dequeuedAll(count: Int.random(in: 0...Int.max, using: &generator))
        case 18: return .clearedQueue(count: Int.random(in: 0...9, using: &generator))
        case 19: return .signalChanged(signalChange())
        case 20: return .tookOverSignal(knownSignal())
        case 21:
            return .declined(
                Decline(
                    what: element(Decline.What.self), symbol: symbol(), reason: element(RejectionReason.self), price: amount(),
                    score: score()))
        default: return .ranCycle(cycle())
        }
    }
}
