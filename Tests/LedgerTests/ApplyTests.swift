import Ledger
import Testing

@Suite struct `Applying records` {
    /// The events that a generation begins with: they add up only together.
    static let beginning = [
        "started", "acceptedRules", "tookOverPosition", "tookOverOpportunity", "tookOverTrade", "tookOverSignal",
    ]

    /// Records that no account ever wrote: any event with any figures.
    private struct Garbage {
        var random: Random
        let symbols: [Symbol]

        init(_ random: Random) throws {
            self.random = random
            symbols = try ["A", "B", "C"].map { try Symbol($0) }
        }

        mutating func amount<Value: Amount>() -> Value { Value(clamping: random.anyMicros()) }

        mutating func seq(_ state: AccountState) -> UInt64 {
            random.chance(percent: 50) ? state.queue.first?.seq ?? 1 : UInt64(random.int(0...20))
        }

        mutating func opportunity(_ symbol: Symbol) throws -> Opportunity {
            try Opportunity(symbol: symbol, signal: random.pick(Signal.allCases), score: .zero, price: nil, reason: nil)
        }

        mutating func trade(_ symbol: Symbol, _ state: AccountState) -> Trade {
            Trade(
                symbol: symbol, shares: amount(), price: amount(), notional: amount(), commission: amount(), total: amount(),
                realizedPnL: amount(), positionShares: amount(), positionCost: amount(),
                queuedSeq: random.chance(percent: 30) ? seq(state) : nil, sellsAll: random.chance(percent: 50),
                exit: random.chance(percent: 30) ? random.pick(ExitReason.allCases) : nil)
        }

        /// Mostly a change of what is known.
        mutating func signalChange(_ symbol: Symbol, _ state: AccountState) -> SignalChange {
            let known = random.chance(percent: 80) ? state.signal(of: symbol) : nil
            return SignalChange(
                kind: random.pick(SignalChangeKind.allCases), urgency: random.pick(Urgency.allCases), symbol: symbol,
                signal: random.pick(Signal.allCases), score: amount(), price: amount(), previousSignal: known?.signal,
                previousScore: known?.score, confidence: nil, sector: nil, reason: nil)
        }

        mutating func decline(_ symbol: Symbol) -> Decline {
            Decline(
                what: random.pick(Decline.What.allCases), symbol: symbol, reason: random.pick(RejectionReason.allCases),
                price: amount(), score: amount())
        }

        mutating func cycle() -> Cycle {
            var counts = Cycle.Counts()
            counts.bought = random.pick([0, 1, -1, .max, .min])
            counts.sold = random.pick([0, 1, -1])
            return Cycle(
                kind: random.pick(CycleKind.allCases), outcome: random.pick(Cycle.Outcome.allCases), reason: nil, counts: counts,
                value: nil, problem: nil)
        }

        mutating func event(_ state: AccountState) throws -> Event {
            let symbol = random.pick(symbols)
            switch random.int(0...19) {
            case 16, 17: return .signalChanged(signalChange(symbol, state))
            case 18:
                return .tookOverSignal(
                    KnownSignal(
                        symbol: symbol, signal: random.pick(Signal.allCases), score: amount(), price: amount(), confidence: nil,
                        sector: nil, time: start))
            case 19: return random.chance(percent: 50) ? .declined(decline(symbol)) : .ranCycle(cycle())
            case 0:
                return .started(
                    Start(
                        kind: random.pick([.open, .reset, .recover, .takeOver]), accountID: "x", generation: .max,
                        createdAt: start,
                        cash: amount(), netDeposits: amount(), realizedPnL: amount()))
            case 1: return .tookOverPosition(Position(symbol: symbol, shares: amount(), cost: amount(), firstPurchaseDate: start))
            case 2:
                return .tookOverOpportunity(QueueEntry(seq: seq(state), queuedAt: start, opportunity: try opportunity(symbol)))
            case 3:
                return .tookOverTrade(
                    PastTrade(
                        isBuy: true, symbol: symbol, shares: amount(), price: amount(), total: amount(), cashAfter: amount()))
            case 4: return .acceptedRules(try rules([.commissionPerShare: Rate("1000"), .commissionPercent: Rate("100")]))
            case 5: return .deposited(amount())
            case 6: return .withdrew(amount())
            case 7, 8: return .bought(trade(symbol, state))
            case 9, 10: return .sold(trade(symbol, state))
            case 11:
                return .split(
                    Split(
                        symbol: symbol, newShares: amount(), oldShares: amount(), cashInLieuPrice: amount(), cashInLieu: amount(),
                        realizedPnL: amount(), positionShares: amount(), positionCost: amount()))
            case 12: return .receivedDividend(Dividend(symbol: symbol, perShare: amount(), shares: amount(), amount: amount()))
            case 13: return .wroteOff(WriteOff(symbol: symbol, shares: amount(), cost: amount()))
            case 14: return .queued(try opportunity(symbol))
            default:
                let count = random.pick([state.queue.count, 0, -1, .max, .min])
                return random.pick([
                    .removedFromQueue(QueueRemoval(symbol: symbol, queuedSeq: seq(state), reason: .rule)),
                    .dequeuedAll(count: count),
                    .clearedQueue(count: count),
                ])
            }
        }
    }

    @Test func `random garbage is applied consistently or is an error, and never traps`() throws {
        var garbage = try Garbage(Random())
        var (applied, refused, proved) = (0, 0, 0)
        for _ in 0..<300 {
            var state = garbage.random.chance(percent: 20) ? AccountState() : try newAccount(cash: "500000000")
            for _ in 0..<60 {
                let event = try garbage.event(state)
                let seq = garbage.random.chance(percent: 90) ? state.seq + 1 : UInt64(garbage.random.int(0...100))
                let time = Timestamp(clamping: garbage.random.next() % 2 == 0 ? 0 : .max)
                // The cash that follows, found by an attempt, so that garbage gets as far as it can.
                var cash: Money = garbage.amount()
                var attempt = Draft(on: state, at: start)
                if (try? attempt.append(event, time: time, id: nil, note: nil)) != nil { cash = attempt.state.cash }
                let record = Record(seq: seq, at: start, time: time, event: event, requestID: nil, note: nil, cash: cash)
                var copy = state
                if (try? copy.prove(record)) != nil {
                    proved += 1
                    if !Self.beginning.contains(caseName(event)) && !copy.invariantHolds {
                        Issue.record("\(record) was proved, seed \(runSeed)")
                    }
                }
                copy = state
                do throws(Inconsistency) {
                    try copy.apply(record)
                } catch {
                    refused += 1
                    continue
                }
                applied += 1
                if copy.seq != seq || copy.cash != record.cash || copy.updatedAt != start {
                    Issue.record("\(record) left \(copy), seed \(runSeed)")
                }
                state = copy
                exercise(state, &garbage)
            }
        }
        #expect(applied > 1000 && refused > 1000 && proved > 100, "seed \(runSeed)")
    }

    /// Nothing that can be asked of a state, however wrong it is, may trap.
    private func exercise(_ state: AccountState, _ garbage: inout Garbage) {
        let isInRange = state.totalCost != nil
        let exact = state.positions.reduce(Int128(0)) { $0 + Int128($1.cost.micros) }
        #expect(isInRange == (exact.magnitude <= UInt128(amountLimit.magnitude)))
        for position in state.positions { _ = position.costBasis }
        let symbol = garbage.random.pick(garbage.symbols)
        let changes: [Change] = [
            .buy(symbol, garbage.amount(), garbage.amount()), .sell(symbol, nil, garbage.amount()),
            .sell(symbol, garbage.amount(), garbage.amount()), .writeOff(symbol), .dividend(symbol, perShare: garbage.amount()),
            .split(symbol, new: garbage.amount(), old: garbage.amount(), cashInLieuPrice: garbage.amount()), .dequeueAll,
        ]
        for change in changes {
            var draft = Draft(on: state, at: start)
            let outcome = try? draft.decide(Request(change, time: Timestamp(clamping: garbage.random.anyMicros())))
            if outcome == nil && draft.state != state {
                Issue.record("\(change) was refused and changed the state, seed \(runSeed)")
            }
        }
        for areWhole in [true, false] { _ = state.shares(for: garbage.amount(), at: garbage.amount(), areWhole: areWhole) }
        _ = state.cycles.trades(inTheHourBefore: Timestamp(clamping: garbage.random.anyMicros()))
        _ = Valuation(state, quotes: [symbol: garbage.amount()])
    }

    @Test func `events follow each other without gaps, and only a start begins anywhere`() throws {
        let opened = try newAccount()
        let begin = Event.started(
            Start(
                kind: .reset, accountID: "x", generation: 2, createdAt: start, cash: .zero, netDeposits: .zero, realizedPnL: .zero
            ))
        let cases: [(state: AccountState, event: Event, seq: UInt64, isRight: Bool)] = [
            (AccountState(), begin, 1, true), (AccountState(), begin, 7, true), (AccountState(), begin, 0, false),
            (AccountState(), .acceptedRules(Rules()), 1, true), (AccountState(), .acceptedRules(Rules()), 2, false),
            (opened, begin, 2, true), (opened, begin, 1, false), (opened, begin, 3, false), (opened, begin, .max, false),
            (opened, .acceptedRules(Rules()), 2, true), (opened, .acceptedRules(Rules()), 3, false),
            (opened, .acceptedRules(Rules()), 1, false),
            (opened, .acceptedRules(Rules()), 0, false),
        ]
        for (state, event, seq, isRight) in cases {
            var copy = state
            let cash = caseName(event) == "started" ? Money.zero : state.cash
            let record = Record(seq: seq, at: start, time: start, event: event, requestID: nil, note: nil, cash: cash)
            let isApplied = (try? copy.apply(record)) != nil
            #expect(isApplied == isRight, "\(caseName(event)) as \(seq) after \(state.seq)")
        }
    }

    @Test func `the last possible number is an error for what follows, not a trap`() async {
        await #expect(processExitsWith: .success) {
            var state = AccountState()
            let begin = Event.started(
                Start(
                    kind: .open, accountID: "x", generation: 1, createdAt: start, cash: .zero, netDeposits: .zero,
                    realizedPnL: .zero))
            try state.apply(Record(seq: largestSeq, at: start, time: start, event: begin, requestID: nil, note: nil, cash: .zero))
            let next = Event.acceptedRules(Rules())
            for seq: UInt64 in [.max, largestSeq + 1, largestSeq, 0, 1] {
                var copy = state
                let record = Record(seq: seq, at: start, time: start, event: next, requestID: nil, note: nil, cash: .zero)
                #expect(throws: (any Error).self, "as \(seq)") { try copy.apply(record) }
            }
            var draft = Draft(on: state, at: start)
            #expect(throws: (any Error).self) { try draft.decide(Request(.deposit(Money(clamping: 1)), time: start)) }
        }
    }

    @Test func `a start replaces cash, positions, queue, signals and what is remembered of cycles`() throws {
        let script = try Script.play("buy A 1 10 => ok \n enqueue B BUY 80 => ok \n rules commission.minimum=1 => ok")
        var draft = script.draft
        let change = try signalChange("A", .buy, "80", from: nil)
        for event in [.signalChanged(change), .ranCycle(cycle(.trading, bought: 1))] as [Event] {
            try draft.append(event, time: start, id: nil, note: nil)
        }
        #expect(!draft.state.signals.isEmpty && draft.state.cycles != CycleLog())
        let begin = Start(
            kind: .reset, accountID: "other", generation: 2, createdAt: start, cash: try Money("5"), netDeposits: try Money("5"),
            realizedPnL: .zero)
        try draft.append(.started(begin), time: start, id: nil, note: nil)
        let state = draft.state
        #expect(state.positions.isEmpty && state.queue.isEmpty && state.cash == begin.cash && state.realizedPnL == .zero)
        #expect(state.signals.isEmpty && state.cycles == CycleLog() && state.rules == Rules())
        #expect(
            state.accountID == "other" && state.generation == 2 && state.seq == script.draft.state.seq + 3 && state.invariantHolds
        )
    }

    @Test func `the records of a generation give the same state alone as after the generation before`() throws {
        var script = try Script.play(
            "rules commission.minimum=1 queue.stale_after_hours=1 => ok \n enqueue A BUY 80 => ok \n buy B 1 10 => ok")
        let begin = Start(
            kind: .reset, accountID: "test", generation: 2, createdAt: start, cash: try Money("5"), netDeposits: try Money("5"),
            realizedPnL: .zero)
        let count = script.draft.records.count
        try script.draft.append(.started(begin), time: start, id: nil, note: nil)
        // The rules of config.json, which are still the same, are accepted again.
        #expect(try script.perform(["rules", "commission.minimum=1", "queue.stale_after_hours=1"]) == nil)
        var alone = AccountState()
        for record in script.draft.records[count...] { try alone.prove(record) }
        #expect(alone.rules == script.draft.state.rules)
        #expect(alone == script.draft.state)
    }

    @Test func `a history that was taken over is proved`() throws {
        let position = Position(
            symbol: try Symbol("AAPL"), shares: try Shares("40"), cost: try Money("6000"), firstPurchaseDate: start)
        let entry = QueueEntry(
            seq: 4, queuedAt: start,
            opportunity: try Opportunity(symbol: try Symbol("NVDA"), signal: .buy, score: .zero, price: nil, reason: nil))
        var draft = Draft(on: AccountState(), at: start)
        let begin = Start(
            kind: .takeOver, accountID: "x", generation: 1, createdAt: start, cash: try Money("4000"),
            netDeposits: try Money("10000"),
            realizedPnL: .zero, restsOn: "paper_portfolio.json")
        for event in [.started(begin), .acceptedRules(Rules()), .tookOverPosition(position), .tookOverOpportunity(entry)]
            as [Event]
        {
            try draft.append(event, time: start, id: nil, note: nil)
        }
        #expect(draft.state.invariantHolds)
        var proved = AccountState()
        for record in draft.records { try proved.prove(record) }
        #expect(proved == draft.state)
    }

    @Test(arguments: ["5999.999999", "6000.000001", "-6000", "0"])
    func `a history that took over figures which do not add up is not proved`(cost: String) throws {
        let begin = Start(
            kind: .recover, accountID: "x", generation: 2, createdAt: start, cash: try Money("4000"),
            netDeposits: try Money("10000"),
            realizedPnL: .zero, restsOn: "journal-1.jsonl")
        let position = Position(
            symbol: try Symbol("AAPL"), shares: try Shares("40"), cost: try Money(cost), firstPurchaseDate: start)
        var draft = Draft(on: AccountState(), at: start)
        for event in [.started(begin), .tookOverPosition(position), .deposited(try Money("1"))] as [Event] {
            try draft.append(event, time: start, id: nil, note: nil)
        }
        #expect(throws: Inconsistency.self) {
            var proved = AccountState()
            for record in draft.records { try proved.prove(record) }
        }
    }

    @Test func `what is taken over is one entry a symbol, as what is queued`() throws {
        let opportunity = try Opportunity(symbol: try Symbol("NVDA"), signal: .buy, score: .zero, price: nil, reason: nil)
        for (first, second) in [(2, 3), (2, 2)] as [(UInt64, UInt64)] {
            var draft = Draft(on: try newAccount(), at: start)
            try draft.append(
                .tookOverOpportunity(QueueEntry(seq: first, queuedAt: start, opportunity: opportunity)), time: start, id: nil,
                note: nil)
            #expect(throws: Refusal.self) {
                try draft.append(
                    .tookOverOpportunity(QueueEntry(seq: second, queuedAt: start, opportunity: opportunity)), time: start,
                    id: nil, note: nil)
            }
            #expect(draft.state.queue.count == 1)
        }
    }

    private func signalChange(
        _ symbol: String, _ signal: Signal, _ score: String, from previous: (signal: Signal?, score: String?)?
    ) throws -> SignalChange {
        SignalChange(
            kind: .upgrade, urgency: .medium, symbol: try Symbol(symbol), signal: signal, score: try Rate(score),
            price: try Price("10"), previousSignal: previous?.signal, previousScore: try previous?.score.map { try Rate($0) },
            confidence: .high, sector: try Text("energy", field: "sector"), reason: nil)
    }

    private func cycle(_ kind: CycleKind, _ outcome: Cycle.Outcome = .done, bought: Int = 0) -> Cycle {
        var counts = Cycle.Counts()
        counts.bought = bought
        return Cycle(kind: kind, outcome: outcome, reason: nil, counts: counts, value: nil, problem: nil)
    }

    @Test func `a signal is known from the event on that changed it`() throws {
        var draft = Draft(on: try newAccount(), at: start)
        let later = Timestamp(clamping: start.microseconds + 5)
        try draft.append(.signalChanged(signalChange("B", .buy, "80", from: nil)), time: start, id: nil, note: nil)
        try draft.append(.signalChanged(signalChange("A", .hold, "50", from: nil)), time: start, id: nil, note: nil)
        try draft.append(.signalChanged(signalChange("B", .sell, "20.5", from: (.buy, "80"))), time: later, id: nil, note: nil)
        #expect(draft.state.signals.map(\.symbol.description) == ["A", "B"])
        let known = try #require(draft.state.signal(of: try Symbol("B")))
        #expect(known == (try signalChange("B", .sell, "20.5", from: nil)).known(since: later))
        #expect(draft.state.signal(of: try Symbol("C")) == nil)
    }

    @Test func `a signal that changes from another than the one known is no history of this account`() throws {
        let table: [(symbol: String, previous: (signal: Signal?, score: String?)?, isRight: Bool)] = [
            ("A", (.buy, "80"), true), ("A", nil, false), ("A", (.strongBuy, "80"), false), ("A", (.buy, "80.000001"), false),
            ("A", (.buy, nil), false), ("A", (nil, "80"), false), ("B", nil, true), ("B", (.buy, "80"), false),
        ]
        var known = Draft(on: try newAccount(), at: start)
        try known.append(.signalChanged(signalChange("A", .buy, "80", from: nil)), time: start, id: nil, note: nil)
        for (symbol, previous, isRight) in table {
            var draft = known
            let change = try signalChange(symbol, .hold, "50", from: previous)
            let isAppended = (try? draft.append(.signalChanged(change), time: start, id: nil, note: nil)) != nil
            #expect(isAppended == isRight && (isRight || draft.state == known.state), "\(symbol) \(String(describing: previous))")
        }
    }

    @Test func `signals that were taken over are known since they were, and are the start of a history`() throws {
        let known = try signalChange("A", .buy, "80", from: nil).known(since: Timestamp(clamping: 1))
        var draft = Draft(on: AccountState(), at: start)
        let begin = Start(
            kind: .recover, accountID: "x", generation: 2, createdAt: start, cash: .zero, netDeposits: .zero, realizedPnL: .zero,
            restsOn: "journal-1.jsonl")
        for event in [.started(begin), .tookOverSignal(known)] as [Event] {
            try draft.append(event, time: start, id: nil, note: nil)
        }
        #expect(draft.state.signals == [known])
        var proved = AccountState()
        for record in draft.records { try proved.prove(record) }
        #expect(proved == draft.state)
    }

    @Test
    func `of the cycles the last run, its failures in a row and the last that was done are remembered, each kind by itself`()
        throws
    {
        let table = """
            # kind       outcome   time    failures  before  done
            trading      failed    1s      1         none    none
            trading      failed    2s      2         1s      none
            monitoring   done      3s      0         none    3s
            trading      skipped   4s      0         none    none
            trading      failed    5s      1         none    none
            trading      done      6s      0         none    6s
            monitoring   failed    7s      1         none    3s
            trading      skipped   8s      0         none    6s
            trading      failed    9s      1         none    6s
            # Done is what was done last, also by a clock that went back.
            trading      done      2s      0         none    2s
            # What lies more than an hour ahead is forgotten, but for the run that was done before it.
            trading      failed    5h      1         none    2s
            trading      failed    3s      1         none    2s
            trading      done      5h      0         none    5h
            trading      failed    4s      1         none    none
            trading      failed    1h+4s   2         4s      none
            trading      failed    5s      3         1h+4s   none
            """
        var draft = Draft(on: try newAccount(), at: start)
        for row in rows(table) {
            let (kind, outcome) = (try #require(CycleKind(rawValue: row[0])), try #require(Cycle.Outcome(rawValue: row[1])))
            let time = Timestamp(clamping: start.microseconds + (try #require(duration(row[2]))))
            try draft.append(.ranCycle(cycle(kind, outcome)), time: time, id: nil, note: nil)
            let last = try #require(draft.state.cycles[kind])
            #expect(last.time == time && last.outcome == outcome && "\(last.failures)" == row[3], "\(row)")
            #expect(last.previousFailure?.microseconds(since: start) == duration(row[4]), "\(row)")
            #expect(last.lastDone?.microseconds(since: start) == duration(row[5]), "\(row)")
        }
    }

    @Test func `a monitoring run that was skipped leaves no trace in what is remembered`() throws {
        var draft = Draft(on: try newAccount(), at: start)
        let later = Timestamp(clamping: start.microseconds + 86_400_000_000)
        try draft.append(.ranCycle(cycle(.monitoring, .skipped)), time: later, id: nil, note: nil)
        #expect(draft.state.cycles == CycleLog())
        try draft.append(.ranCycle(cycle(.monitoring, .failed)), time: start, id: nil, note: nil)
        let log = draft.state.cycles
        try draft.append(.ranCycle(cycle(.monitoring, .skipped)), time: later, id: nil, note: nil)
        #expect(draft.state.cycles == log)
    }

    @Test func `a last run counts up to an hour ahead; of a later one the run that was done before it counts`() throws {
        let table = """
            # last         at       counts      notice
            done@1h        0s       done@1h     no
            done@1h+1us    0s       none        yes
            done@1h+1us    1us      done@1h+1us  no
            failed@2h      0s       done@-1s    yes
            failed@2h      1h       failed@2h   no
            skipped@2h     0s       done@-1s    yes
            """
        for row in rows(table) {
            let parts = row[0].split(separator: "@").map(String.init)
            let outcome = try #require(Cycle.Outcome(rawValue: parts[0]))
            func at(_ text: String) throws -> Timestamp {
                Timestamp(clamping: start.microseconds + (try #require(duration(text))))
            }
            var log = CycleLog()
            log.trading = CycleLog.Last(
                time: try at(parts[1]), outcome: outcome, failures: 0, lastDone: try outcome == .done ? at(parts[1]) : at("-1s"))
            let last = log.last(.trading, at: try at(row[1]))
            let expected = row[2].split(separator: "@").map(String.init)
            #expect(last?.outcome.rawValue ?? "none" == expected[0], "\(row)")
            #expect(try last?.time == (expected.count > 1 ? at(expected[1]) : nil), "\(row)")
            #expect((log.notice(of: .trading, at: try at(row[1])) != nil) == (row[3] == "yes"), "\(row)")
            #expect(log.last(.monitoring, at: start) == nil && log.notice(of: .monitoring, at: start) == nil)
        }
    }

    @Test func `trades of the cycles count for an hour, and no longer`() throws {
        var draft = Draft(on: try newAccount(), at: start)
        for (kind, time, bought) in [
            (.trading, "0s", 2), (.monitoring, "600s", 1), (.trading, "601s", 0), (.monitoring, "1200s", 4),
        ] as [(CycleKind, String, Int)] {
            let time = Timestamp(clamping: start.microseconds + (try #require(duration(time))))
            try draft.append(.ranCycle(cycle(kind, bought: bought)), time: time, id: nil, note: nil)
        }
        let table = """
            # time       trades
            # By a clock that is behind they count, unless it is behind by more than clocks may be.
            -3600s-1us   0
            -3600s       2
            -3000s       3
            -2400s       7
            -10s         7
            0s           7
            3600s-1us    7
            3600s        5
            4200s-1us    5
            4200s        4
            4800s-1us    4
            4800s        0
            """
        let log = draft.state.cycles
        for row in rows(table) {
            let time = Timestamp(clamping: start.microseconds + (try #require(duration(row[0]))))
            #expect("\(log.trades(inTheHourBefore: time))" == row[1], "\(row)")
        }
        // What no longer counts is forgotten when a cycle trades again, and only then.
        #expect(log.recentTrades.map(\.count) == [2, 1, 4])
        let later = Timestamp(clamping: start.microseconds + 4_200_000_000)
        try draft.append(.ranCycle(cycle(.trading, bought: 3)), time: later, id: nil, note: nil)
        #expect(draft.state.cycles.recentTrades.map(\.count) == [4, 3])
    }

    @Test func `what is remembered of trades is bounded whatever the clocks do`() throws {
        var draft = Draft(on: try newAccount(), at: start)
        for index in 0...CycleLog.recentTradesLimit {
            let time = Timestamp(clamping: start.microseconds - Int64(index))
            try draft.append(.ranCycle(cycle(.trading, bought: Draft.maximumCount)), time: time, id: nil, note: nil)
        }
        #expect(draft.state.cycles.recentTrades.count == CycleLog.recentTradesLimit)
        #expect(draft.state.cycles.trades(inTheHourBefore: start) == CycleLog.recentTradesLimit * Draft.maximumCount)
        for count in [-1, Draft.maximumCount + 1, .max, .min] {
            #expect(throws: Refusal.self) {
                try draft.append(.ranCycle(cycle(.trading, bought: count)), time: start, id: nil, note: nil)
            }
        }
    }

    @Test func `an event that cannot be appended leaves the draft as it was`() throws {
        let symbol = try Symbol("AAPL")
        var state = try newAccount()
        state.realizedPnL = Money(clamping: amountLimit)
        state.setPosition(Position(symbol: symbol, shares: try Shares("1"), cost: try Money("1"), firstPurchaseDate: start))
        let trade = Trade(
            symbol: symbol, shares: try Shares("1"), price: try Price("2"), notional: try Money("2"), commission: .zero,
            total: try Money("2"),
            realizedPnL: try Money("1"), positionShares: .zero, positionCost: .zero)
        for event in [
            .sold(trade), .deposited(Money(clamping: amountLimit)),
            .wroteOff(WriteOff(symbol: try Symbol("X"), shares: .zero, cost: .zero)),
        ]
            as [Event]
        {
            var draft = Draft(on: state, at: start)
            #expect(throws: Refusal.self) { try draft.append(event, time: start, id: nil, note: nil) }
            #expect(draft.state == state && draft.records.isEmpty, "\(caseName(event))")
        }
    }
}
