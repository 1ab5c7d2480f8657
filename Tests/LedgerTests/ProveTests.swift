import Ledger
import Testing

@Suite struct `Proving a history` {
    /// A random history: its records, and the state before the first of them.
    private func history(_ part: Int, requests: Int) throws -> (before: AccountState, records: [Record]) {
        let seeds = Random(for: "altered records", part: part)
        var generator = try RandomRequests(seeds)
        let state = try newAccount(cash: "1000000")
        var draft = Draft(on: state, at: start)
        for _ in 0..<requests {
            let request = try generator.next(for: draft.state)
            do throws(Refusal) { _ = try draft.decide(request) } catch { continue }
            if generator.random.chance(percent: 20) { try addCycle(to: &draft, time: request.time, &generator.random) }
        }
        return (state, draft.records)
    }

    /// A few of the events that a cycle makes.
    private func addCycle(to draft: inout Draft, time: Timestamp, _ random: inout Random) throws {
        let symbol = try Symbol(random.pick(["A", "B", "C"]))
        let known = draft.state.signal(of: symbol)
        let change = SignalChange(
            kind: .upgrade, urgency: .medium, symbol: symbol, signal: random.pick(Signal.allCases),
            score: Rate(clamping: random.int(0...100_000_000)), price: Price(clamping: random.spread()),
            previousSignal: known?.signal, previousScore: known?.score, confidence: nil, sector: nil, reason: nil)
        try draft.append(.signalChanged(change), time: time, id: nil, note: nil)
        if let held = draft.state.positions.first {
            try? draft.sell(held.symbol, at: Price(clamping: 90_000_000), because: random.pick(ExitReason.allCases), time: time)
        }
        let cycle = Cycle(
            kind: .monitoring, outcome: .done, reason: nil, counts: Cycle.Counts(), value: draft.state.cash, problem: nil)
        try draft.append(.ranCycle(cycle), time: time, id: nil, note: nil)
    }

    @Test func `an event on top of figures that do not add up is not proved`() throws {
        let time = start
        let figures = [(100, 100, 0, true), (100, 90, 10, true), (100, 99, 0, false), (100, 100, -1, false)]
        for (cash, deposits, profit, addsUp) in figures {
            var state = AccountState()
            let journalStart = Start(
                kind: .recover, accountID: "a", generation: 2, createdAt: time, cash: Money(clamping: Int64(cash)),
                netDeposits: Money(clamping: Int64(deposits)), realizedPnL: Money(clamping: Int64(profit)))
            var draft = Draft(on: state, at: time)
            try draft.append(.started(journalStart), time: time, id: nil, note: nil)
            try draft.append(.acceptedRules(Rules()), time: time, id: nil, note: nil)
            _ = try draft.decide(Request(.deposit(Money(clamping: 5)), time: time))
            for record in draft.records.dropLast() { try state.prove(record) }
            guard let deposit = draft.records.last else { continue }
            if addsUp {
                try state.prove(deposit)
            } else {
                #expect(throws: Inconsistency.self) { try state.prove(deposit) }
            }
        }
    }

    @Test func `every record of a history is proved, and no record with one altered figure is`() throws {
        var tried: [String: Int] = [:]
        for part in 0..<40 {
            var (state, records) = try history(part, requests: 150)
            for record in records {
                for (field, altered) in alterations(of: record, in: state) {
                    tried["\(caseName(record.event)).\(field)", default: 0] += 1
                    var copy = state
                    do throws(Inconsistency) {
                        try copy.prove(altered)
                        Issue.record("\(field) went unnoticed, seed \(runSeed): \(record) became \(altered)")
                    } catch {
                        #expect(!error.description.isEmpty)
                    }
                }
                try state.prove(record)
            }
        }
        // Every kind of figure was met.
        let expected: Set<String> = [
            "acceptedRules.cash", "acceptedRules.seq", "bought.cash", "bought.commission", "bought.exit", "bought.notional",
            "bought.positionCost",
            "bought.positionShares", "bought.price", "bought.queuedSeq", "bought.realizedPnL", "bought.seq", "bought.sellsAll",
            "bought.shares",
            "bought.total", "clearedQueue.cash", "clearedQueue.count", "clearedQueue.seq", "dequeuedAll.cash",
            "dequeuedAll.count",
            "dequeuedAll.seq", "deposited.amount", "deposited.cash", "deposited.seq", "queued.cash", "queued.seq",
            "queued.symbol", "ranCycle.cash", "ranCycle.counts", "ranCycle.seq", "signalChanged.cash",
            "signalChanged.previousScore", "signalChanged.previousSignal", "signalChanged.seq", "signalChanged.symbol",
            "receivedDividend.amount", "receivedDividend.cash", "receivedDividend.perShare", "receivedDividend.seq",
            "receivedDividend.shares",
            "receivedDividend.symbol", "removedFromQueue.cash", "removedFromQueue.queuedSeq", "removedFromQueue.seq",
            "removedFromQueue.symbol", "sold.cash", "sold.commission", "sold.exit", "sold.notional", "sold.positionCost",
            "sold.positionShares",
            "sold.price", "sold.queuedSeq", "sold.realizedPnL", "sold.seq", "sold.shares", "sold.symbol", "sold.total",
            "split.cash",
            "split.cashInLieu", "split.newShares", "split.positionCost", "split.positionShares", "split.realizedPnL", "split.seq",
            "split.symbol", "withdrew.amount", "withdrew.cash", "withdrew.seq", "wroteOff.cash", "wroteOff.cost", "wroteOff.seq",
            "wroteOff.shares", "wroteOff.symbol",
        ]
        #expect(expected.subtracting(tried.keys) == [], "seed \(runSeed)")
    }

    /// The record with one figure altered, for each figure that follows from the others. Not among them: what was asked and could
    /// have been asked differently, such as a note, an id, a time, or a signal.
    private func alterations(of record: Record, in state: AccountState) -> [(String, Record)] {
        var result: [(String, Record)] = []
        func add(_ field: String, _ event: Event, seq: UInt64? = nil, cash: Money? = nil) {
            result.append(
                (
                    field,
                    Record(
                        seq: seq ?? record.seq, at: record.at, time: record.time, event: event, requestID: record.requestID,
                        note: record.note,
                        cash: cash ?? record.cash)
                ))
        }
        for seq in [record.seq - 1, record.seq + 1, record.seq + 1000, 0] { add("seq", record.event, seq: seq) }
        for step: Int64 in [-1, 1] {
            func other<Value: Amount>(_ amount: Value) -> Value {
                Value(micros: amount.micros + step) ?? Value(clamping: amount.micros - step)
            }
            add("cash", record.event, cash: other(record.cash))
            switch record.event {
            case .deposited(let amount): add("amount", .deposited(other(amount)))
            case .withdrew(let amount): add("amount", .withdrew(other(amount)))
            case .bought(let trade):
                for (field, altered) in alterations(of: trade, other, other, other) where field != "symbol" {
                    add(field, .bought(altered))
                }
            case .sold(let trade):
                for (field, altered) in alterations(of: trade, other, other, other) where field != "sellsAll" {
                    // A whole position may be sold for any reason, so only for a part of one is there a wrong exit.
                    if field != "exit" || !trade.sellsAll { add(field, .sold(altered)) }
                }
            case .split(let split):
                for (field, altered) in alterations(of: split, other, other) { add(field, .split(altered)) }
            case .receivedDividend(let dividend):
                for (field, altered) in alterations(of: dividend, other, other, other) { add(field, .receivedDividend(altered)) }
            case .wroteOff(let writeOff):
                let (symbol, shares, cost) = (writeOff.symbol, writeOff.shares, writeOff.cost)
                add("symbol", .wroteOff(WriteOff(symbol: unknown, shares: shares, cost: cost)))
                add("shares", .wroteOff(WriteOff(symbol: symbol, shares: other(shares), cost: cost)))
                add("cost", .wroteOff(WriteOff(symbol: symbol, shares: shares, cost: other(cost))))
            case .queued(let opportunity):
                if let queued = state.queue.first?.opportunity.symbol, queued != opportunity.symbol,
                    let altered = try? Opportunity(
                        symbol: queued, signal: opportunity.signal, score: opportunity.score, price: opportunity.price,
                        reason: nil)
                {
                    add("symbol", .queued(altered))
                }
            case .removedFromQueue(let removal):
                add(
                    "symbol",
                    .removedFromQueue(QueueRemoval(symbol: unknown, queuedSeq: removal.queuedSeq, reason: removal.reason)))
                let seq = UInt64(Int64(removal.queuedSeq) + step)
                add("queuedSeq", .removedFromQueue(QueueRemoval(symbol: removal.symbol, queuedSeq: seq, reason: removal.reason)))
            case .dequeuedAll(let count): add("count", .dequeuedAll(count: count + Int(step)))
            case .clearedQueue(let count): add("count", .clearedQueue(count: count + Int(step)))
            case .signalChanged(let change):
                for (field, altered) in alterations(of: change) { add(field, .signalChanged(altered)) }
            case .ranCycle(let cycle):
                var counts = cycle.counts
                counts.bought = step < 0 ? -1 : Draft.maximumCount + 1
                add(
                    "counts",
                    .ranCycle(
                        Cycle(kind: cycle.kind, outcome: .done, reason: nil, counts: counts, value: nil, problem: nil)))
            default: break
            }
        }
        return result
    }

    private func alterations(of change: SignalChange) -> [(String, SignalChange)] {
        func altered(_ symbol: Symbol, _ signal: Signal?, _ score: Rate?) -> SignalChange {
            SignalChange(
                kind: change.kind, urgency: change.urgency, symbol: symbol, signal: change.signal, score: change.score,
                price: change.price, previousSignal: signal, previousScore: score, confidence: nil, sector: nil, reason: nil)
        }
        let (signal, score) = (change.previousSignal, change.previousScore)
        let otherScore = score.map { Rate(clamping: $0.micros + 1) } ?? .zero
        var result = [
            ("previousSignal", altered(change.symbol, signal == .buy ? .hold : .buy, score)),
            ("previousScore", altered(change.symbol, signal, otherScore)),
        ]
        if signal != nil {
            result += [
                ("previousSignal", altered(change.symbol, nil, score)), ("previousScore", altered(change.symbol, signal, nil)),
                ("symbol", altered(unknown, signal, score)),
            ]
        }
        return result
    }

    private var unknown: Symbol { Symbol(utf8: "UNKNOWN".utf8)! }

    private func alterations(
        of trade: Trade, _ shares: (Shares) -> Shares, _ price: (Price) -> Price, _ money: (Money) -> Money
    ) -> [(String, Trade)] {
        func altered(_ change: (inout Draw) -> Void) -> Trade {
            var draw = Draw(trade)
            change(&draw)
            return draw.trade
        }
        var result = [
            ("symbol", altered { $0.symbol = unknown }), ("shares", altered { $0.shares = shares($0.shares) }),
            ("notional", altered { $0.notional = money($0.notional) }),
            ("commission", altered { $0.commission = money($0.commission) }),
            ("total", altered { $0.total = money($0.total) }),
            ("realizedPnL", altered { $0.realizedPnL = money($0.realizedPnL) }),
            ("positionShares", altered { $0.positionShares = shares($0.positionShares) }),
            ("positionCost", altered { $0.positionCost = money($0.positionCost) }),
            ("queuedSeq", altered { $0.queuedSeq = ($0.queuedSeq ?? 0) + 1 }), ("sellsAll", altered { $0.sellsAll.toggle() }),
            ("exit", altered { $0.exit = .age }),
        ]
        // A millionth of the price shows only in a whole share.
        if trade.shares.micros >= microsPerUnit { result.append(("price", altered { $0.price = price($0.price) })) }
        return result
    }

    /// A trade whose fields can be changed.
    private struct Draw {
        var (symbol, shares, price): (Symbol, Shares, Price)
        var (notional, commission, total, realizedPnL): (Money, Money, Money, Money)
        var (positionShares, positionCost): (Shares, Money)
        var (queuedSeq, sellsAll, exit): (UInt64?, Bool, ExitReason?)

        init(_ trade: Trade) {
            (symbol, shares, price) = (trade.symbol, trade.shares, trade.price)
            (notional, commission, total, realizedPnL) = (trade.notional, trade.commission, trade.total, trade.realizedPnL)
            (positionShares, positionCost) = (trade.positionShares, trade.positionCost)
            (queuedSeq, sellsAll, exit) = (trade.queuedSeq, trade.sellsAll, trade.exit)
        }

        var trade: Trade {
            Trade(
                symbol: symbol, shares: shares, price: price, notional: notional, commission: commission, total: total,
                realizedPnL: realizedPnL, positionShares: positionShares, positionCost: positionCost, queuedSeq: queuedSeq,
                sellsAll: sellsAll, exit: exit)
        }
    }

    private func alterations(of split: Split, _ shares: (Shares) -> Shares, _ money: (Money) -> Money) -> [(String, Split)] {
        func altered(
            symbol: Symbol? = nil, newShares: Shares? = nil, cashInLieu: Money? = nil, realizedPnL: Money? = nil,
            positionShares: Shares? = nil, positionCost: Money? = nil
        ) -> Split {
            Split(
                symbol: symbol ?? split.symbol, newShares: newShares ?? split.newShares, oldShares: split.oldShares,
                cashInLieuPrice: split.cashInLieuPrice, cashInLieu: cashInLieu ?? split.cashInLieu,
                realizedPnL: realizedPnL ?? split.realizedPnL, positionShares: positionShares ?? split.positionShares,
                positionCost: positionCost ?? split.positionCost)
        }
        var result = [
            ("symbol", altered(symbol: unknown)), ("cashInLieu", altered(cashInLieu: money(split.cashInLieu))),
            ("realizedPnL", altered(realizedPnL: money(split.realizedPnL))),
            ("positionShares", altered(positionShares: shares(split.positionShares))),
            ("positionCost", altered(positionCost: money(split.positionCost))),
        ]
        // Twice the new shares are twice the position; less might vanish in a millionth.
        if split.positionShares.isPositive {
            result.append(("newShares", altered(newShares: Shares(clamping: split.newShares.micros * 2))))
        }
        return result
    }

    private func alterations(
        of dividend: Dividend, _ shares: (Shares) -> Shares, _ price: (Price) -> Price, _ money: (Money) -> Money
    ) -> [(String, Dividend)] {
        let (symbol, perShare, held, amount) = (dividend.symbol, dividend.perShare, dividend.shares, dividend.amount)
        var result = [
            ("symbol", Dividend(symbol: unknown, perShare: perShare, shares: held, amount: amount)),
            ("shares", Dividend(symbol: symbol, perShare: perShare, shares: shares(held), amount: amount)),
            ("amount", Dividend(symbol: symbol, perShare: perShare, shares: held, amount: money(amount))),
        ]
        if held.micros >= microsPerUnit {
            result.append(("perShare", Dividend(symbol: symbol, perShare: price(perShare), shares: held, amount: amount)))
        }
        return result
    }
}
