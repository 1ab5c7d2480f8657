import Ledger
import Testing

@testable import Scheduling

/// An account on which a test runs cycles in text: each row of a table is a command and, where it is a cycle, `=>` and what must come
/// of it.
///
///     queue NVDA BUY 80
///     trade NVDA=BUY,80,100     => NVDA:bought:8 done cash=9200
///
/// Expected are the events in order, the cycle's own last, and then facts. After every command the invariant holds, every record
/// follows from the ones before, and deciding again from the same inputs gives the same records.
///
/// Commands: `rules key=value…`, `buy S shares price`, `deposit n`, `queue S signal score`, `clear`, `clock duration` (since the
/// start, also before it), and the cycles `monitor S=opinion…` and `trade S=opinion…`. An opinion is `signal,score,price` with a sector as its fourth,
/// `none`, or `fail`. A symbol behind `unseen=` was queued after the analyst had been asked.
struct CycleScript {
    private(set) var state: AccountState
    private(set) var time = start
    private(set) var records: [Record] = []
    private(set) var cycle: Cycle?

    /// The moment that the scripts' clocks count from.
    static let start = Timestamp(clamping: 1_795_444_200_000_000)

    init(cash: String = "10000") throws {
        var draft = Draft(on: AccountState(), at: Self.start)
        let cash = try Money(cash)
        try draft.append(
            .started(
                Start(
                    kind: .open, accountID: "test", generation: 1, createdAt: Self.start, cash: cash, netDeposits: cash,
                    realizedPnL: .zero)), time: Self.start, id: nil, note: nil)
        state = draft.state
    }

    /// Plays a whole table on a new account.
    @discardableResult
    static func play(_ table: String, cash: String = "10000", sourceLocation: SourceLocation = #_sourceLocation) throws
        -> CycleScript
    {
        var script = try CycleScript(cash: cash)
        try script.play(table, sourceLocation: sourceLocation)
        return script
    }

    mutating func play(_ table: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for row in table.split(separator: "\n") {
            let words = row.split(separator: " ").prefix { $0 != "#" }.map(String.init)
            if words.isEmpty { continue }
            let parts = words.split(separator: "=>", omittingEmptySubsequences: false).map(Array.init)
            try play(parts[0], parts.count > 1 ? parts[1] : nil, sourceLocation)
        }
    }

    private mutating func play(_ command: [String], _ expected: [String]?, _ location: SourceLocation) throws {
        let comment = Comment(rawValue: command.joined(separator: " "))
        let before = state
        switch command[0] {
        case "clock":
            time = Self.start.adding(microseconds: try #require(duration(command[1]), comment, sourceLocation: location))
        case "monitor", "trade":
            try run(command)
            // Also where the analyst was asked in another order.
            let again = [command[0]] + command.dropFirst().reversed()
            #expect(try self.run(again, on: before).records == records, comment, sourceLocation: location)
        default:
            var draft = Draft(on: state, at: time)
            _ = try draft.decide(Request(change(command), time: time))
            (state, records) = (draft.state, draft.records)
        }
        var proved = before
        if command[0] != "clock" { for record in records { try proved.prove(record) } }
        #expect(proved == state && state.invariantHolds, comment, sourceLocation: location)
        guard let expected else { return }
        let facts = expected.filter { $0.contains("=") }
        let events = records.map { text(of: $0.event) }
        #expect(events == expected.filter { !$0.contains("=") }, comment, sourceLocation: location)
        for word in facts {
            let name = String(word.prefix { $0 != "=" })
            #expect("\(name)=\(try fact(name))" == word, comment, sourceLocation: location)
        }
    }

    // MARK: Commands

    private mutating func run(_ command: [String]) throws {
        let outcome = try run(command, on: state)
        (state, records, cycle) = (outcome.state, outcome.records, outcome.cycle)
    }

    private func run(_ command: [String], on state: AccountState) throws -> (
        state: AccountState, records: [Record], cycle: Cycle
    ) {
        var opinions: [Opinion] = []
        var unseen: Set<Symbol> = []
        for pair in command.dropFirst().map({ $0.split(separator: "=").map(String.init) }) {
            if pair[0] == "unseen" { unseen.insert(try Symbol(pair[1])) } else { opinions.append(try opinion(pair[0], pair[1])) }
        }
        let seen = state.queue.filter { !unseen.contains($0.opportunity.symbol) }.map(\.seq)
        var draft = Draft(on: state, at: time)
        let decision =
            command[0] == "monitor"
            ? try draft.monitor(Opinions(opinions), time: time)
            : try draft.trade(Opinions(opinions), seen: Set(seen), time: time)
        #expect(draft.records.last?.event == .ranCycle(decision.cycle))
        #expect(decision.cycle.problem?.description == decision.problems.first)
        return (draft.state, draft.records, decision.cycle)
    }

    private func opinion(_ name: String, _ text: String) throws -> Opinion {
        let symbol = try Symbol(name)
        if text == "none" { return Opinion(symbol: symbol, analysis: nil) }
        if text == "fail" { return Opinion(symbol: symbol, analysis: nil, problem: "it failed") }
        let fields = text.split(separator: ",").map(String.init)
        return Opinion(
            symbol: symbol,
            analysis: try Analysis(
                signal: signal(fields[0]), score: try Rate(fields[1]), price: try Price(fields[2]), size: nil, time: time,
                sector: fields.count > 3 ? try Text(fields[3], field: "sector") : nil))
    }

    private func change(_ words: [String]) throws -> Change {
        switch words[0] {
        case "buy": return .buy(try Symbol(words[1]), try Shares(words[2]), try Price(words[3]))
        case "deposit": return .deposit(try Money(words[1]))
        case "clear": return .clearQueue
        case "queue":
            return .enqueue(
                try Opportunity(
                    symbol: try Symbol(words[1]), signal: signal(words[2]), score: try Rate(words[3]), price: nil, reason: nil))
        default:
            try #require(words[0] == "rules", "\(words)")
            var rules = state.rules
            for pair in words.dropFirst() { try set(pair, in: &rules) }
            return .acceptRules(rules)
        }
    }

    // MARK: Facts

    private func text(of event: Event) -> String {
        switch event {
        case .signalChanged(let change): "\(change.symbol):\(change.kind.rawValue)"
        case .queued(let opportunity): "\(opportunity.symbol):queued"
        case .bought(let trade): "\(trade.symbol):bought:\(short(trade.shares))"
        case .sold(let trade): "\(trade.symbol):sold:\(trade.exit?.rawValue ?? "?")\(trade.positionShares.isZero ? "" : ":part")"
        case .removedFromQueue(let removal): "\(removal.symbol):\(removal.reason.rawValue)"
        case .declined(let decline): "\(decline.symbol):not_\(decline.what.rawValue):\(decline.reason.rawValue)"
        case .ranCycle(let cycle): cycle.outcome.rawValue
        default: "\(event)"
        }
    }

    private func fact(_ name: String) throws -> String {
        let counts = cycle?.counts ?? Cycle.Counts()
        switch name {
        case "cash": return short(state.cash)
        case "value": return cycle?.value.map { short($0) } ?? "none"
        case "queue": return names(state.queue.map(\.opportunity.symbol))
        case "held": return names(state.positions.map(\.symbol))
        case "known": return names(state.signals.map(\.symbol))
        case "reason": return cycle?.reason?.description.split(separator: " ").joined(separator: "_") ?? "none"
        case "problem": return cycle?.problem?.description.split(separator: " ").joined(separator: "_") ?? "none"
        case "analysed": return "\(counts.analysed)"
        case "unanalysed": return "\(counts.unanalysed)"
        case "changes": return "\(counts.changes)"
        case "queued": return "\(counts.queued)"
        case "bought": return "\(counts.bought)"
        case "sold": return "\(counts.sold)"
        case "rejected": return "\(counts.rejected)"
        case "deferred": return "\(counts.deferred)"
        default:
            guard let held = state.position(try Symbol(name)) else { return "none" }
            return "\(short(held.shares))/\(short(held.cost))"
        }
    }

    private func names(_ symbols: [Symbol]) -> String {
        symbols.isEmpty ? "none" : symbols.map(\.description).joined(separator: ",")
    }
}

/// A signal as scripts write it: `WEAK_SELL`.
func signal(_ text: String) -> Signal {
    guard let signal = Signal(text.split(separator: "_").joined(separator: " ")) else {
        preconditionFailure("\(text) is no signal")
    }
    return signal
}

/// Sets a rule as `key=value`, the value as config.json has it but for `_` in place of spaces.
func set(_ pair: String, in rules: inout Rules) throws {
    let parts = pair.split(separator: "=").map(String.init)
    let key = try #require(RuleKey(name: parts[0]), "\(pair)")
    let value: Rate
    switch key.kind {
    case .number, .count: value = try Rate(parts[1])
    case .flag:
        try #require(["true", "false"].contains(parts[1]), "\(pair)")
        value = Rate(clamping: parts[1] == "true" ? microsPerUnit : 0)
    case .choice(let words):
        let word = parts[1].split(separator: "_").joined(separator: " ")
        value = Rate(clamping: Int64(try #require(words.firstIndex(of: word), "\(pair)")) * microsPerUnit)
    }
    let isSet = rules.set(key, to: value)
    try #require(isSet, "\(pair)")
}

/// The default rules but for these, `key=value` each; `-` for none.
func rules(_ pairs: some StringProtocol) throws -> Rules {
    var rules = Rules()
    for pair in pairs.split(separator: " ") where pair != "-" { try set(String(pair), in: &rules) }
    return rules
}

/// A duration such as `180d`, `59m`, `24h+1us` or `60m-1us`, in microseconds.
func duration(_ text: String) -> Int64? {
    let units: [(name: String, microseconds: Int64)] = [
        ("us", 1), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000), ("d", 86_400_000_000),
    ]
    var total: Int64 = 0
    for part in text.split(separator: "+") {
        for (index, piece) in part.split(separator: "-", omittingEmptySubsequences: false).enumerated() where !piece.isEmpty {
            guard let unit = units.first(where: { piece.hasSuffix($0.name) }), let count = Int64(piece.dropLast(unit.name.count))
            else { return nil }
            total += (index == 0 ? 1 : -1) * count * unit.microseconds
        }
    }
    return total
}

/// An amount as tables write it: `4000` rather than `4000.0`.
func short(_ amount: some Amount) -> String {
    let text = amount.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
