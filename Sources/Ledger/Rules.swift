/// The rules of an account, as `config.json` states them and the journal records them.
///
/// Every rule is a number in the units its ``RuleKey`` states, so the whole set is one table: what the file may contain, what the
/// documentation says and what the journal carries all come from ``RuleKey``.
public struct Rules: Hashable, Sendable {
    private var micros: [Int64]

    /// The defaults.
    public init() {
        micros = RuleKey.allCases.map { $0.defaultValue.micros }
    }

    /// The value of a rule.
    public subscript(key: RuleKey) -> Rate {
        Rate(clamping: micros[key.rawValue])
    }

    /// Sets a rule; `false`, and no change, if the value is out of the rule's range.
    public mutating func set(_ key: RuleKey, to value: Rate) -> Bool {
        guard key.range.contains(value) else { return false }
        micros[key.rawValue] = value.micros
        return true
    }

    /// The cash a new account starts with.
    public var initialCash: Money { Money(clamping: self[.initialCash].micros) }

    /// How old a queue entry may become, in microseconds.
    public var queueStaleAfterMicroseconds: Int64 { self[.queueStaleAfterHours].micros * 3600 }

    /// What a trade of `shares` with this `notional` costs: per share and percentage added, at least the minimum, rounded once
    /// each, half to even. `nil` if out of range.
    public func commission(shares: Shares, notional: Money) -> Money? {
        let perShare = shares.notional(at: Price(clamping: self[.commissionPerShare].micros))
        guard let sum = perShare, let percentage = notional.percentage(self[.commissionPercent]) else { return nil }
        return sum.adding(percentage).map { max($0, Money(clamping: self[.commissionMinimum].micros)) }
    }
}

/// One key of `config.json`.
public enum RuleKey: Int, CaseIterable, Sendable {
    case initialCash
    case commissionPerShare
    case commissionPercent
    case commissionMinimum
    case queueStaleAfterHours
    case queueMaximumScoreDrop

    /// The key as written: `section.key` stands for a key in an object.
    public var name: String { definition.name }

    /// What the rule means, in one sentence.
    public var meaning: String { definition.meaning }

    /// The unit of the value.
    public var unit: String { definition.unit }

    /// The values allowed.
    public var range: ClosedRange<Rate> {
        Rate(clamping: definition.range.lowerBound * microsPerUnit)...Rate(clamping: definition.range.upperBound * microsPerUnit)
    }

    /// The value without a `config.json`.
    public var defaultValue: Rate { Rate(clamping: definition.defaultValue * microsPerUnit) }

    /// The key called `name`.
    public init?(name: String) {
        guard let key = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = key
    }

    private var definition: RuleDefinition {
        switch self {
        case .initialCash:
            RuleDefinition("initial_cash", "cash of a new or reset account", "money", 0...999_999_999, 10_000)
        case .commissionPerShare:
            RuleDefinition("commission.per_share", "commission for each share traded", "money", 0...1000, 0)
        case .commissionPercent:
            RuleDefinition("commission.percent", "commission on the notional", "per cent", 0...100, 0)
        case .commissionMinimum:
            RuleDefinition("commission.minimum", "least commission of a trade", "money", 0...1_000_000, 0)
        case .queueStaleAfterHours:
            RuleDefinition("queue.stale_after_hours", "age at which a queue entry is removed", "hours", 0...87_600, 24)
        case .queueMaximumScoreDrop:
            RuleDefinition("queue.max_score_drop", "a queued buy whose score fell by more is rejected", "points", 0...100, 10)
        }
    }
}

/// A row of the table of rules, in whole units.
private struct RuleDefinition {
    let name: String
    let meaning: String
    let unit: String
    let range: ClosedRange<Int64>
    let defaultValue: Int64

    init(_ name: String, _ meaning: String, _ unit: String, _ range: ClosedRange<Int64>, _ defaultValue: Int64) {
        self.name = name
        self.meaning = meaning
        self.unit = unit
        self.range = range
        self.defaultValue = defaultValue
    }
}
