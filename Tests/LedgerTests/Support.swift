import Ledger

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The seed of all random tests of this run: `PAPERTRADE_SEED`, or a new one.
let runSeed: UInt64 = {
    if let text = getenv("PAPERTRADE_SEED"), let seed = UInt64(String(cString: text)) { return seed }
    var system = SystemRandomNumberGenerator()
    return system.next() % 1_000_000_000
}()

/// Random numbers that a seed repeats (splitmix64, Steele, Lea and Flood 2014).
struct Random: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// The run's own numbers for one test. Prints what repeats them.
    init(for test: String = #function, part: Int = 0) {
        print("PAPERTRADE_SEED=\(runSeed) repeats: \(test)")
        self.init(seed: runSeed &+ UInt64(part) &* 0x1_0000_0001)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func int(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[Int(int(0...Int64(elements.count - 1)))] }

    mutating func chance(percent: Int64) -> Bool { int(1...100) <= percent }

    /// A positive number of any magnitude up to `limit`: small ones are as likely as large ones.
    mutating func spread(upTo limit: Int64 = amountLimit) -> Int64 {
        var bound: Int64 = 1
        var bounds: [Int64] = []
        while bound <= limit {
            bounds.append(bound)
            bound *= 10
        }
        return min(int(1...pick(bounds) * 10 - 1), limit)
    }

    /// As ``spread(upTo:)``, of either sign, and sometimes zero or a limit.
    mutating func anyMicros() -> Int64 {
        switch int(0...19) {
        case 0: 0
        case 1: amountLimit
        case 2: -amountLimit
        default: chance(percent: 50) ? spread() : -spread()
        }
    }
}

/// The rows of a text table: a line each, its columns separated by spaces; empty lines and what follows a `#` alone do not count.
func rows(_ table: String) -> [[String]] {
    table.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ").prefix { $0 != "#" }.map(String.init)
        return words.isEmpty ? nil : words
    }
}

/// An amount as tables write it: `4000` rather than `4000.0`.
func short(_ amount: some Amount) -> String {
    let text = amount.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// The name of an enumeration's case, without what it carries.
func caseName(_ value: some Any) -> String {
    Mirror(reflecting: value).children.first?.label ?? "\(value)"
}

/// The moment that the tests' clocks count from: 2026-11-23T14:30:00Z.
let start = Timestamp(clamping: 1_795_444_200_000_000)

/// A duration such as `24h`, `90s`, `1us`, `24h+1us` or `24h-1us`, in microseconds.
func duration(_ text: String) -> Int64? {
    let units: [(name: String, microseconds: Int64)] = [("us", 1), ("s", 1_000_000), ("h", 3_600_000_000)]
    var total: Int64 = 0
    for part in text.split(separator: "+") {
        for (index, piece) in part.split(separator: "-", omittingEmptySubsequences: false).enumerated() where !piece.isEmpty {
            guard let unit = units.first(where: { piece.hasSuffix($0.name) }), let count = Int64(piece.dropLast(unit.name.count))
            else {
                return nil
            }
            total += (index == 0 ? 1 : -1) * count * unit.microseconds
        }
    }
    return total
}

/// A new account's state after its first event.
func newAccount(cash: String = "10000", rules: Rules = Rules()) throws -> AccountState {
    var draft = Draft(on: AccountState(), at: start)
    let cash = try Money(cash)
    let event = Event.started(
        Start(kind: .open, accountID: "test", generation: 1, createdAt: start, cash: cash, netDeposits: cash, realizedPnL: .zero))
    try draft.append(event, time: start, id: nil, note: nil)
    if rules != Rules() { try draft.append(.acceptedRules(rules), time: start, id: nil, note: nil) }
    return draft.state
}

/// The default rules but for these.
func rules(_ changes: [RuleKey: Rate]) throws -> Rules {
    var rules = Rules()
    for (key, value) in changes where !rules.set(key, to: value) { throw Refusal.outOfRange(what: key.name) }
    return rules
}
