import Ledger

/// The account a second time, written as plainly as possible and sharing no arithmetic with the first: every number is an
/// Int128 of millionths, tables are arrays in no clever order, rounding picks the nearer neighbour. It only reads requests.
struct Model: Equatable {
    struct Holding: Equatable {
        var symbol: String
        var shares: Int128
        var cost: Int128
        var since: Int64
    }

    struct Waiting: Equatable {
        var seq: UInt64
        var since: Int64
        var symbol: String
        var signal: Int
        var score: Int128
    }

    var seq: UInt64 = 0
    var cash: Int128 = 0
    var deposits: Int128 = 0
    var profit: Int128 = 0
    var holdings: [Holding] = []
    var queue: [Waiting] = []
    /// All rules, by the name that they have in config.json.
    var rules: [String: Int128] = [:]

    struct Refused: Error { let rule: String }

    /// The state that the real account should have.
    init(_ state: AccountState) {
        seq = state.seq
        cash = Int128(state.cash.micros)
        deposits = Int128(state.netDeposits.micros)
        profit = Int128(state.realizedPnL.micros)
        holdings = state.positions.map {
            Holding(
                symbol: $0.symbol.description, shares: Int128($0.shares.micros), cost: Int128($0.cost.micros),
                since: $0.firstPurchaseDate.microseconds)
        }
        queue = state.queue.map {
            Waiting(
                seq: $0.seq, since: $0.queuedAt.microseconds, symbol: $0.opportunity.symbol.description,
                signal: $0.opportunity.signal.rawValue, score: Int128($0.opportunity.score.micros))
        }
        rules = Self.values(of: state.rules)
    }

    private static func values(of rules: Rules) -> [String: Int128] {
        Dictionary(uniqueKeysWithValues: RuleKey.allCases.map { ($0.name, Int128(rules[$0].micros)) })
    }

    private func rule(_ name: String) -> Int128 { rules[name] ?? -1 }

    /// One line for each event that the request makes, or the name of the rule that refuses it.
    mutating func decide(_ request: Request) -> Result<[String], Refused> {
        if let expected = request.expectedSeq, expected != seq { return .failure(Refused(rule: "sequenceMismatch")) }
        var copy = self
        do throws(Refused) {
            let lines = try copy.perform(request)
            self = copy
            return .success(lines)
        } catch {
            return .failure(error)
        }
    }

    private mutating func perform(_ request: Request) throws(Refused) -> [String] {
        let now = request.time.microseconds
        var judged: [UInt64] = []
        if case .execute(let judgements) = request.change { judged = judgements.map(\.queuedSeq) }
        var lines: [String] = []
        for entry in queue where isOld(entry.since, now) && !judged.contains(entry.seq) {
            lines.append(remove(entry, "stale", nil))
        }
        switch request.change {
        case .buy(let symbol, let shares, let price):
            lines.append(try buy(symbol.description, Int128(shares.micros), Int128(price.micros), now, from: nil))
        case .sell(let symbol, let shares, let price):
            lines.append(try sell(symbol.description, shares.map { Int128($0.micros) }, Int128(price.micros)))
        case .deposit(let money):
            let amount = try positive(money.micros, "invalidAmount")
            cash = try inRange(cash + amount)
            deposits = try inRange(deposits + amount)
            lines.append(line("deposit \(amount)"))
        case .withdraw(let money):
            let amount = try positive(money.micros, "invalidAmount")
            deposits = try inRange(deposits - amount)
            if amount > cash { throw Refused(rule: "insufficientFunds") }
            cash -= amount
            lines.append(line("withdraw \(amount)"))
        case .split(let symbol, let new, let old, let price):
            lines.append(try split(symbol.description, new.micros, old.micros, price?.micros))
        case .dividend(let symbol, let perShare):
            let rate = try positive(perShare.micros, "invalidPrice")
            let held = try holding(symbol.description)
            let amount = try inRange(rounded(held.shares * rate, 1_000_000))
            if amount == 0 { throw Refused(rule: "totalIsZero") }
            cash = try inRange(cash + amount)
            profit = try inRange(profit + amount)
            lines.append(line("dividend \(held.symbol) \(rate) on \(held.shares) = \(amount)"))
        case .writeOff(let symbol):
            let held = try holding(symbol.description)
            profit = try inRange(profit - held.cost)
            holdings.removeAll { $0.symbol == held.symbol }
            lines.append(line("writeoff \(held.symbol) \(held.shares) \(held.cost)"))
        case .enqueue(let opportunity):
            let name = opportunity.symbol.description
            if queue.contains(where: { $0.symbol == name }) { throw Refused(rule: "alreadyQueued") }
            lines.append(line("queue \(name)"))
            queue.append(
                Waiting(
                    seq: seq, since: now, symbol: name, signal: opportunity.signal.rawValue,
                    score: Int128(opportunity.score.micros)))
        case .dequeueAll, .clearQueue:
            if !queue.isEmpty || request.id != nil {
                lines.append(line("\(request.change == .clearQueue ? "clear" : "dequeue") \(queue.count)"))
                queue = []
            }
        case .execute(let judgements):
            for entry in queue {
                guard let judgement = judgements.first(where: { $0.queuedSeq == entry.seq }) else { continue }
                lines.append(try execute(entry, judgement, now))
            }
        case .acceptRules(let new):
            let values = Self.values(of: new)
            if values != rules {
                rules = values
                lines.append(line("rules"))
            }
        }
        return lines
    }

    private mutating func buy(
        _ name: String, _ shares: Int128, _ price: Int128, _ now: Int64, from entry: Waiting?
    ) throws(Refused) -> String {
        if shares <= 0 { throw Refused(rule: "invalidShares") }
        if price <= 0 { throw Refused(rule: "invalidPrice") }
        let notional = try inRange(rounded(shares * price, 1_000_000))
        if notional == 0 { throw Refused(rule: "totalIsZero") }
        let fee = try inRange(commission(shares, notional))
        let total = try inRange(notional + fee)
        let index = holdings.firstIndex { $0.symbol == name }
        var held = index.map { holdings[$0] } ?? Holding(symbol: name, shares: 0, cost: 0, since: now)
        held.shares = try inRange(held.shares + shares)
        held.cost = try inRange(held.cost + total)
        if total > cash { throw Refused(rule: "insufficientFunds") }
        cash -= total
        if let index { holdings[index] = held } else { holdings.append(held) }
        holdings.sort { $0.symbol.utf8.lexicographicallyPrecedes($1.symbol.utf8) }
        if let entry { queue.removeAll { $0 == entry } }
        let source = entry.map { "\($0.seq)" } ?? "-"
        return line("buy \(name) \(shares) \(price) \(notional) \(fee) \(total) 0 \(held.shares) \(held.cost) \(source)")
    }

    private mutating func sell(_ name: String, _ asked: Int128?, _ price: Int128) throws(Refused) -> String {
        if let asked, asked <= 0 { throw Refused(rule: "invalidShares") }
        if price <= 0 { throw Refused(rule: "invalidPrice") }
        let held = try holding(name)
        let shares = asked ?? held.shares
        if shares > held.shares { throw Refused(rule: "insufficientShares") }
        let notional = try inRange(rounded(shares * price, 1_000_000))
        if notional == 0 { throw Refused(rule: "totalIsZero") }
        let fee = min(commission(shares, notional), notional)
        let costSold = rounded(held.cost * shares, held.shares)
        let (sharesLeft, costLeft) = (held.shares - shares, held.cost - costSold)
        profit = try inRange(profit + notional - fee - costSold)
        cash = try inRange(cash + notional - fee)
        keep(held, sharesLeft, costLeft)
        let gain = notional - fee - costSold
        return line("sell \(name) \(shares) \(price) \(notional) \(fee) \(notional - fee) \(gain) \(sharesLeft) \(costLeft) -")
    }

    private mutating func split(_ name: String, _ new: Int64, _ old: Int64, _ price: Int64?) throws(Refused) -> String {
        if let price, price <= 0 { throw Refused(rule: "invalidPrice") }
        if new <= 0 || old <= 0 || new == old { throw Refused(rule: "invalidRatio") }
        let held = try holding(name)
        let exact = held.shares * Int128(new)
        let shares = try inRange(exact / Int128(old))
        if shares == 0 && price == nil { throw Refused(rule: "needsPrice") }
        let rest = exact % Int128(old)
        var (paid, costPaid): (Int128, Int128) = (0, 0)
        if rest != 0, let price {
            paid = rounded(rest * Int128(price), Int128(old) * 1_000_000)
            costPaid = shares == 0 ? held.cost : rounded(held.cost * rest, exact)
        }
        profit = try inRange(profit + paid - costPaid)
        cash = try inRange(cash + paid)
        keep(held, shares, held.cost - costPaid)
        return line("split \(name) \(new):\(old) \(paid) \(paid - costPaid) \(shares) \(held.cost - costPaid)")
    }

    private mutating func execute(_ entry: Waiting, _ judgement: Judgement, _ now: Int64) throws(Refused) -> String {
        if isOld(entry.since, now) { return remove(entry, "stale", judgement) }
        guard let analysis = judgement.analysis, !isOld(analysis.time.microseconds, now) else {
            return remove(entry, "no_analysis", judgement)
        }
        if entry.score - Int128(analysis.score.micros) > rule("queue.max_score_drop") {
            return remove(entry, "score_drop", judgement)
        }
        if analysis.signal.rawValue < 5 { return remove(entry, "downgrade", judgement) }
        let price = Int128(analysis.price.micros)
        var shares: Int128 = 0
        switch analysis.size {
        case nil: break
        case .shares(let asked): shares = Int128(asked.micros)
        case .amount(let amount):
            // Down from what the price alone allows, a share at a time.
            shares = Int128(amount.micros) / price * 1_000_000
            while shares > 0
                && rounded(shares * price, 1_000_000) + commission(shares, rounded(shares * price, 1_000_000))
                    > Int128(amount.micros)
            {
                shares -= 1_000_000
            }
        }
        if shares == 0 { return remove(entry, "size", judgement) }
        var copy = self
        do throws(Refused) {
            let line = try copy.buy(entry.symbol, shares, price, now, from: entry)
            self = copy
            return line
        } catch {
            return remove(entry, error.rule == "insufficientFunds" ? "insufficient_funds" : "rule", judgement)
        }
    }

    private mutating func remove(_ entry: Waiting, _ reason: String, _ judgement: Judgement?) -> String {
        queue.removeAll { $0 == entry }
        let score = judgement?.analysis.map { "\($0.score.micros)" } ?? "-"
        return line("remove \(entry.symbol) \(entry.seq) \(reason) \(score)")
    }

    private mutating func line(_ text: String) -> String {
        seq += 1
        return "\(seq) \(text) cash \(cash)"
    }

    private mutating func keep(_ held: Holding, _ shares: Int128, _ cost: Int128) {
        guard let index = holdings.firstIndex(of: held) else { return }
        holdings[index].shares = shares
        holdings[index].cost = cost
        if shares == 0 { holdings.remove(at: index) }
    }

    private func holding(_ name: String) throws(Refused) -> Holding {
        guard let held = holdings.first(where: { $0.symbol == name }) else { throw Refused(rule: "noPosition") }
        return held
    }

    private func commission(_ shares: Int128, _ notional: Int128) -> Int128 {
        max(
            rounded(shares * rule("commission.per_share"), 1_000_000)
                + rounded(notional * rule("commission.percent"), 100_000_000),
            rule("commission.minimum"))
    }

    private func isOld(_ then: Int64, _ now: Int64) -> Bool { Int128(now - then) > rule("queue.stale_after_hours") * 3600 }

    private func positive(_ micros: Int64, _ rule: String) throws(Refused) -> Int128 {
        if micros <= 0 { throw Refused(rule: rule) }
        return Int128(micros)
    }

    private func inRange(_ value: Int128) throws(Refused) -> Int128 {
        if value > 999_999_999_999_999 || value < -999_999_999_999_999 { throw Refused(rule: "outOfRange") }
        return value
    }

    /// The nearer of the two neighbours, of two equally near ones the even one; for numbers that are not negative.
    private func rounded(_ numerator: Int128, _ denominator: Int128) -> Int128 {
        let below = numerator / denominator
        let (toBelow, toAbove) = (numerator - below * denominator, (below + 1) * denominator - numerator)
        if toBelow == toAbove { return below % 2 == 0 ? below : below + 1 }
        return toBelow < toAbove ? below : below + 1
    }
}
