import Ledger
import Testing

/// An account that a test talks to in text: each row of a table is a command, `=>`, and what must come of it.
///
///     buy AAPL 40 150                     => cash=4000 AAPL=40/6000
///     sell AAPL 41 150                    => insufficientShares
///
/// A command is refused with the named rule, and then nothing has changed; or it is accepted and all facts hold. After every
/// command the invariant holds.
///
/// Commands: `buy S shares price`, `sell S shares|all price`, `deposit n`, `withdraw n`, `split S new:old [price]`,
/// `dividend S n`, `writeoff S`, `enqueue S signal score [price]`, `dequeue`, `clear`, `rules key=value…`, `execute S=…`,
/// `clock duration` (since the start; nothing comes of it). The last word of a command may be `expecting=seq`.
struct Script {
    var draft: Draft
    var time = start
    var outcome: Draft.Outcome?
    var newRecords: [Record] = []

    init(cash: String = "10000", rules: Rules = Rules()) throws {
        draft = Draft(on: try newAccount(cash: cash, rules: rules), at: start)
    }

    /// Plays a whole table on a new account.
    @discardableResult
    static func play(_ table: String, cash: String = "10000", sourceLocation: SourceLocation = #_sourceLocation) throws -> Script
    {
        var script = try Script(cash: cash)
        for row in rows(table) {
            let parts = row.split(separator: "=>").map(Array.init)
            try #require(parts.count == (row[0] == "clock" ? 1 : 2), "\(row)", sourceLocation: sourceLocation)
            try script.play(parts[0], parts.count > 1 ? parts[1] : [], sourceLocation)
        }
        return script
    }

    private mutating func play(_ command: [String], _ expected: [String], _ location: SourceLocation) throws {
        let comment = Comment(rawValue: command.joined(separator: " "))
        if command[0] == "clock" {
            time = Timestamp(
                clamping: start.microseconds + (try #require(duration(command[1]), comment, sourceLocation: location)))
            return
        }
        let before = (state: draft.state, records: draft.records)
        let refusal = try perform(command)
        if let refusal {
            #expect([caseName(refusal)] == expected, comment, sourceLocation: location)
            #expect(draft.state == before.state && draft.records == before.records, comment, sourceLocation: location)
        } else {
            for word in expected where word != "ok" {
                let fact = word.split(separator: "=", maxSplits: 1).map(String.init)
                try #require(fact.count == 2, "accepted: \(comment), expected \(word)", sourceLocation: location)
                #expect("\(fact[0])=\(try self.fact(fact[0]))" == word, comment, sourceLocation: location)
            }
        }
        #expect(draft.state.invariantHolds, comment, sourceLocation: location)
    }

    /// Performs a command; the refusal, if it was refused.
    mutating func perform(_ command: [String]) throws -> Refusal? {
        var words = command
        var expectedSeq: UInt64? = nil
        if let last = words.last, last.hasPrefix("expecting=") {
            expectedSeq = UInt64(last.dropFirst(10))
            words.removeLast()
        }
        let request = Request(try change(words), time: time, expectedSeq: expectedSeq)
        let count = draft.records.count
        outcome = nil
        newRecords = []
        draft.at = time
        do throws(Refusal) { outcome = try draft.decide(request) } catch { return error }
        newRecords = Array(draft.records.dropFirst(count))
        return nil
    }

    /// What is known under a name after the last command.
    private func fact(_ name: String) throws -> String {
        let state = draft.state
        switch name {
        case "cash": return short(state.cash)
        case "deposits": return short(state.netDeposits)
        case "pnl": return short(state.realizedPnL)
        case "seq": return "\(state.seq)"
        case "queue": return names(state.queue.map(\.opportunity.symbol))
        case "removed": return names(outcome?.removed.map(\.opportunity.symbol) ?? [])
        case "events": return newRecords.isEmpty ? "none" : newRecords.map { caseName($0.event) }.joined(separator: "+")
        case "did":
            let executions = outcome?.executions ?? []
            return executions.isEmpty ? "none" : executions.map(text).joined(separator: "+")
        case "commission": return trade.map { short($0.commission) } ?? "none"
        case "total": return trade.map { short($0.total) } ?? "none"
        case "gain": return trade.map { short($0.realizedPnL) } ?? "none"
        case "lieu":
            guard case .split(let split) = newRecords.last?.event else { return "none" }
            return short(split.cashInLieu)
        default:
            guard let held = state.position(try Symbol(name)) else { return "none" }
            return "\(short(held.shares))/\(short(held.cost))"
        }
    }

    private var trade: Trade? {
        switch newRecords.last?.event {
        case .bought(let trade), .sold(let trade): trade
        default: nil
        }
    }

    private func names(_ symbols: [Symbol]) -> String {
        symbols.isEmpty ? "none" : symbols.map(\.description).joined(separator: ",")
    }

    /// `NVDA:bought:3`, `NVDA:score_drop` or `NVDA:changed`.
    private func text(_ execution: Execution) -> String {
        let what =
            switch execution.outcome {
            case .bought(let trade): "bought:\(short(trade.shares))"
            case .rejected(let reason): reason.rawValue
            case .changed: "changed"
            }
        return "\(execution.symbol):\(what)"
    }

    private func change(_ words: [String]) throws -> Change {
        func word(_ index: Int) throws -> String { try #require(words.indices.contains(index) ? words[index] : nil, "\(words)") }
        func symbol() throws -> Symbol { try Symbol(try word(1)) }
        switch words[0] {
        case "buy": return .buy(try symbol(), try Shares(try word(2)), try Price(try word(3)))
        case "sell": return .sell(try symbol(), try word(2) == "all" ? nil : try Shares(try word(2)), try Price(try word(3)))
        case "deposit": return .deposit(try Money(try word(1)))
        case "withdraw": return .withdraw(try Money(try word(1)))
        case "split":
            let ratio = try word(2).split(separator: ":").map(String.init)
            let price = words.count > 3 ? try Price(words[3]) : nil
            return .split(try symbol(), new: try Shares(ratio[0]), old: try Shares(ratio[1]), cashInLieuPrice: price)
        case "dividend": return .dividend(try symbol(), perShare: try Price(try word(2)))
        case "writeoff": return .writeOff(try symbol())
        case "enqueue":
            let price = words.count > 4 ? try Price(words[4]) : nil
            return .enqueue(
                try Opportunity(
                    symbol: try symbol(), signal: try signal(try word(2)), score: try Rate(try word(3)), price: price, reason: nil
                ))
        case "dequeue": return .dequeueAll
        case "clear": return .clearQueue
        case "rules":
            var rules = draft.state.rules
            for pair in words.dropFirst() {
                let parts = pair.split(separator: "=").map(String.init)
                let key = try #require(RuleKey(name: parts[0]), "\(pair)")
                try #require(rules.set(key, to: try Rate(parts[1])), "\(pair)")
            }
            return .acceptRules(rules)
        case "execute": return .execute(try words.dropFirst().map(judgement))
        default: throw UnknownCommand(words: words)
        }
    }

    struct UnknownCommand: Error { let words: [String] }

    private func signal(_ text: String) throws -> Signal {
        try #require(Signal(text.split(separator: "_").joined(separator: " ")), "\(text)")
    }

    /// `NVDA=BUY,80,150,3sh` or `NVDA=BUY,80,150,$500`, with `@duration` for an opinion formed then, `NVDA=none` for no opinion, and
    /// `NVDA#7=…` for the entry that event 7 queued, whatever is in the queue now.
    private func judgement(_ text: String) throws -> Judgement {
        let parts = text.split(separator: "=").map(String.init)
        let name = parts[0].split(separator: "#").map(String.init)
        let symbol = try Symbol(name[0])
        let seq = try #require(name.count > 1 ? UInt64(name[1]) : draft.state.queueEntry(symbol)?.seq, "\(text)")
        if parts[1] == "none" { return Judgement(queuedSeq: seq, symbol: symbol, analysis: nil) }
        var fields = parts[1].split(separator: ",").map(String.init)
        var formed = time
        if let last = fields.last, last.hasPrefix("@") {
            formed = Timestamp(clamping: start.microseconds + (try #require(duration(String(last.dropFirst())), "\(text)")))
            fields.removeLast()
        }
        var size: Analysis.Size? = nil
        if fields.count > 3 {
            size =
                fields[3].hasPrefix("$")
                ? .amount(try Money(String(fields[3].dropFirst()))) : .shares(try Shares(String(fields[3].dropLast(2))))
        }
        let analysis = try Analysis(
            signal: try signal(fields[0]), score: try Rate(fields[1]), price: try Price(fields[2]), size: size, time: formed)
        return Judgement(queuedSeq: seq, symbol: symbol, analysis: analysis)
    }
}
