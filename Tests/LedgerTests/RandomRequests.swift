import Ledger

/// Requests that an account of a few symbols gets: mostly sensible, often at a border, sometimes wrong.
struct RandomRequests {
    var random: Random
    private var time = start
    private let symbols: [Symbol]
    private let prices: [Int64]

    init(_ random: Random) throws {
        self.random = random
        symbols = try ["A", "B", "BRK.B", "C", "^D"].map { try Symbol($0) }
        prices = [1, 3, 500_000, 1_000_001, 33_333_333, 100_000_000, 150_250_000, 99_999_999_999]
    }

    mutating func next(for state: AccountState) throws -> Request {
        // Mostly forwards by hours, sometimes back, often by exactly what makes an entry stale.
        time = Timestamp(
            clamping: time.microseconds + random.pick([0, 1, 3_600_000_000, random.int(0...7_200_000_000), -1_800_000_000]))
        if let oldest = state.queue.first, random.chance(percent: 3) {
            time = Timestamp(
                clamping: oldest.queuedAt.microseconds + state.rules.queueStaleAfterMicroseconds + random.int(0...1))
        }
        let change = try change(for: state)
        let id = random.chance(percent: 10) ? try RequestID("id-\(random.int(1...1000))") : nil
        let expected: UInt64? = random.chance(percent: 10) ? state.seq : nil
        if random.chance(percent: 1), case .writeOff = change {
            return Request(change, time: time, id: id, expectedSeq: state.seq + 1)
        }
        return Request(change, time: time, id: id, expectedSeq: expected)
    }

    private mutating func change(for state: AccountState) throws -> Change {
        let symbol = random.pick(symbols)
        switch random.int(0...99) {
        case 0..<28: return .buy(symbol, shares(), price(state, symbol))
        case 28..<48: return .sell(symbol, sold(state, symbol), price(state, symbol))
        case 48..<53: return .deposit(money())
        case 53..<57: return .withdraw(random.chance(percent: 20) ? state.cash : money())
        case 57..<62: return split(symbol)
        case 62..<66: return .dividend(symbol, perShare: Price(clamping: random.pick([0, 1, 250_000, random.spread()])))
        case 66..<68: return .writeOff(symbol)
        case 68..<82:
            let (signal, score) = (random.pick(Signal.allCases), Rate(clamping: random.int(0...20) * 5_000_000))
            return .enqueue(try Opportunity(symbol: symbol, signal: signal, score: score, price: nil, reason: nil))
        case 82: return .dequeueAll
        case 83: return .clearQueue
        case 84..<97: return .execute(try judgements(of: state))
        default: return .acceptRules(try rules(state.rules))
        }
    }

    private mutating func shares() -> Shares {
        Shares(
            clamping: random.pick([0, -1, random.spread(), random.spread(upTo: 100_000_000), random.int(1...50) * 1_000_000, 1]))
    }

    private mutating func sold(_ state: AccountState, _ symbol: Symbol) -> Shares? {
        guard let held = state.position(symbol)?.shares.micros, random.chance(percent: 90) else { return shares() }
        return random.pick([
            nil, Shares(clamping: held), Shares(clamping: held + 1), Shares(clamping: random.int(1...max(1, held))), shares(),
        ])
    }

    private mutating func price(_ state: AccountState, _ symbol: Symbol) -> Price {
        if random.chance(percent: 3) { return Price(clamping: random.pick([0, -1, random.spread()])) }
        return Price(clamping: random.pick(prices))
    }

    private mutating func money() -> Money {
        Money(
            clamping: random.pick([
                0, -1, 1, random.spread(upTo: 20_000_000_000), random.int(1...9999) * 1_000_000, random.spread(),
            ]))
    }

    private mutating func split(_ symbol: Symbol) -> Change {
        let ratios: [(new: Int64, old: Int64)] = [
            (7, 1), (1, 10), (3, 2), (1, 3), (1, 1), (0, 1), (1, 7), (20, 1), (1, 999_999_999),
        ]
        let ratio = random.pick(ratios)
        let price = random.pick([nil, Price(clamping: random.pick(prices)), Price(clamping: random.int(-1...1))])
        return .split(
            symbol, new: Shares(clamping: ratio.new * microsPerUnit), old: Shares(clamping: ratio.old * microsPerUnit),
            cashInLieuPrice: ratio.new == 0 || ratio.new == ratio.old ? nil : price)
    }

    private mutating func judgements(of state: AccountState) throws -> [Judgement] {
        var result: [Judgement] = []
        for entry in state.queue where random.chance(percent: 80) {
            let gone: UInt64 = random.chance(percent: 5) ? 1_000_000 : 0
            result.append(
                Judgement(queuedSeq: entry.seq + gone, symbol: entry.opportunity.symbol, analysis: try analysis(of: entry)))
        }
        return random.chance(percent: 50) ? result : result.reversed()
    }

    private mutating func analysis(of entry: QueueEntry) throws -> Analysis? {
        if random.chance(percent: 5) { return nil }
        let drop: Int64 = random.pick([0, 0, 0, 10_000_000, 10_000_001, -5_000_000, 40_000_000])
        let score = min(max(entry.opportunity.score.micros - drop, 0), 100_000_000)
        let size: Analysis.Size? = random.pick([
            nil, .shares(Shares(clamping: max(1, shares().micros))), .amount(Money(clamping: random.int(1...3_000_000_000))),
            .amount(Money(clamping: random.int(1...3000) * 1_000_000)), .shares(Shares(clamping: 1_000_000)),
        ])
        let age: Int64 = random.pick([0, 0, 0, -1, 86_400_000_000, 86_400_000_001])
        return try Analysis(
            signal: random.chance(percent: 80) ? random.pick([.buy, .strongBuy]) : random.pick(Signal.allCases),
            score: Rate(clamping: score), price: Price(clamping: random.pick([500_000, 1_000_001, 33_333_333, 150_250_000])),
            size: size,
            time: Timestamp(clamping: time.microseconds - age))
    }

    private mutating func rules(_ current: Rules) throws -> Rules {
        var rules = current
        // Mostly those that decide what becomes of a request.
        let deciding: [(key: RuleKey, values: [Int64])] = [
            (.commissionPerShare, [0, 1, 5_000, 100_000]), (.commissionPercent, [0, 1, 100_000, 333_333, 5_000_000]),
            (.commissionMinimum, [0, 1, 1_000_000, 50_000_000]), (.queueStaleAfterHours, [24_000_000, 1_000_000, 0, 1]),
            (.queueMaximumScoreDrop, [10_000_000, 0, 25_500_000]),
        ]
        if random.chance(percent: 80) {
            let rule = random.pick(deciding)
            _ = rules.set(rule.key, to: Rate(clamping: random.pick(rule.values)))
        } else {
            let key = random.pick(RuleKey.allCases)
            let isDeciding = deciding.contains { $0.key == key }
            if !isDeciding {
                _ = rules.set(key, to: random.pick([key.range.lowerBound, key.range.upperBound, key.defaultValue]))
            }
        }
        return rules
    }
}
