/// One key of `config.json`.
public enum RuleKey: Int, CaseIterable, Sendable {
    case initialCash
    case systemActive
    case commissionPerShare
    case commissionPercent
    case commissionMinimum
    case queueStaleAfterHours
    case queueMaximumScoreDrop
    case marketCalendar
    case monitoringIntervalMinutes
    case monitoringScoreChange
    case monitoringMajorUpgradeLevels
    case monitoringMajorDowngradeLevels
    case monitoringSellCritical
    case tradingMinutesBeforeClose
    case tradingMinimumScore
    case sizingMode
    case sizingBasePercent
    case sizingFixedAmount
    case sizingWholeShares
    case limitsMaximumPositions
    case limitsMaximumPositionPercent
    case limitsMaximumTradePercent
    case limitsTradesPerHour
    case limitsMinimumHoldingDays
    case limitsCashReservePercent
    case limitsMaximumSectorPercent
    case exitsStopLossPercent
    case exitsSignal
    case exitsTakeProfitPercent
    case exitsDeferTakeProfit
    case exitsMaximumAgeDays
    case cyclesRetryMinutes

    /// What a rule's value can be.
    public enum Kind: Hashable, Sendable {
        /// A number with up to six decimals.
        case number
        /// A whole number.
        case count
        /// true or false.
        case flag
        /// One of some words.
        case choice([String])
    }

    /// The key as written: `section.key` stands for a key in an object.
    public var name: String { definition.name }

    /// What the rule means, in one sentence.
    public var meaning: String { definition.meaning }

    /// The unit of the value.
    public var unit: String { definition.unit }

    public var kind: Kind { definition.kind }

    /// The words of a choice, in the order that numbers them; empty for every other kind.
    public var choices: [String] {
        if case .choice(let words) = kind { words } else { [] }
    }

    /// The values allowed.
    public var range: ClosedRange<Rate> {
        Rate(clamping: definition.range.lowerBound * microsPerUnit)...Rate(clamping: definition.range.upperBound * microsPerUnit)
    }

    /// Whether `value` is in range, and whole where the rule takes nothing else.
    public func allows(_ value: Rate) -> Bool {
        range.contains(value) && (kind == .number || value.micros % microsPerUnit == 0)
    }

    /// The value without a `config.json`.
    public var defaultValue: Rate { Rate(clamping: definition.defaultValue * microsPerUnit) }

    /// A value as `config.json` has it, without quotes: `0.5`, `true`, `nyse`.
    public func text(of value: Rate) -> String {
        switch kind {
        case .number: return value.description
        case .count: return "\(value.micros / microsPerUnit)"
        case .flag: return value.isPositive ? "true" : "false"
        case .choice(let words):
            let place = Int(value.micros / microsPerUnit)
            return words.indices.contains(place) ? words[place] : ""
        }
    }

    /// What can be written: `0 to 100`, `true or false`, `nyse or always`.
    public var expectation: String {
        switch kind {
        case .number: "a number from \(range.lowerBound) to \(range.upperBound)"
        case .count: "a whole number from \(definition.range.lowerBound) to \(definition.range.upperBound)"
        case .flag: "true or false"
        case .choice(let words): words.map { "\"\($0)\"" }.joined(separator: " or ")
        }
    }

    /// The key called `name`.
    public init?(name: String) {
        guard let key = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = key
    }

    private var definition: RuleDefinition { RuleDefinition.table[rawValue] }
}

/// A row of the table of rules, in whole units.
private struct RuleDefinition: Sendable {
    let name: String
    let meaning: String
    let unit: String
    let range: ClosedRange<Int64>
    let defaultValue: Int64
    let kind: RuleKey.Kind

    static let table = RuleKey.allCases.map { RuleDefinition($0) }

    init(
        _ name: String, _ meaning: String, _ unit: String, _ range: ClosedRange<Int64>, _ defaultValue: Int64,
        _ kind: RuleKey.Kind = .number
    ) {
        self.name = name
        self.meaning = meaning
        self.unit = unit
        self.range = range
        self.defaultValue = defaultValue
        self.kind = kind
    }

    private static func flag(_ name: String, _ meaning: String, _ isOn: Bool) -> RuleDefinition {
        RuleDefinition(name, meaning, "true or false", 0...1, isOn ? 1 : 0, .flag)
    }

    private static func choice(_ name: String, _ meaning: String, _ words: [String], _ defaultWord: Int64) -> RuleDefinition {
        RuleDefinition(name, meaning, words.joined(separator: " or "), 0...Int64(words.count - 1), defaultWord, .choice(words))
    }

    private init(_ key: RuleKey) {
        self =
            switch key {
            case .initialCash:
                RuleDefinition("initial_cash", "cash of a new or reset account", "money", 0...999_999_999, 10_000)
            case .systemActive: Self.flag("system_active", "whether the cycles trade, or only watch and record", true)
            case .commissionPerShare:
                RuleDefinition("commission.per_share", "commission for each share traded", "money", 0...1000, 0)
            case .commissionPercent:
                RuleDefinition("commission.percent", "commission on the notional", "per cent", 0...100, 0)
            case .commissionMinimum:
                RuleDefinition("commission.minimum", "least commission of a trade", "money", 0...1_000_000, 0)
            case .queueStaleAfterHours:
                RuleDefinition("queue.stale_after_hours", "age at which a queue entry is removed", "hours", 0...87_600, 24)
            case .queueMaximumScoreDrop:
                RuleDefinition(
                    "queue.max_score_drop", "a queued buy whose score fell by more is rejected", "points", 0...100, 10)
            case .marketCalendar:
                Self.choice(
                    "market.calendar", "when the market is open: New York's stock exchange, or always", ["nyse", "always"], 0)
            case .monitoringIntervalMinutes:
                RuleDefinition(
                    "monitoring.interval_minutes", "time between two monitoring cycles while the market is open", "minutes",
                    1...1440, 30, .count)
            case .monitoringScoreChange:
                RuleDefinition(
                    "monitoring.score_change", "a score that moved by so much under the same signal is recorded", "points",
                    0...100, 3)
            case .monitoringMajorUpgradeLevels:
                RuleDefinition(
                    "monitoring.major_upgrade_levels", "a signal that rose by so many levels is a major upgrade", "levels", 1...5,
                    3,
                    .count)
            case .monitoringMajorDowngradeLevels:
                RuleDefinition(
                    "monitoring.major_downgrade_levels", "a signal that fell by so many levels is a major downgrade", "levels",
                    1...5,
                    2, .count)
            case .monitoringSellCritical:
                Self.flag("monitoring.sell_critical", "whether monitoring sells a position at once on a critical downgrade", true)
            case .tradingMinutesBeforeClose:
                RuleDefinition(
                    "trading.minutes_before_close", "how long before the close the trading cycle is due", "minutes", 0...390, 0,
                    .count)
            case .tradingMinimumScore:
                RuleDefinition("trading.min_score", "least score to queue and to buy", "points", 0...100, 70)
            case .sizingMode:
                Self.choice("sizing.mode", "how much to buy: by score, or a fixed amount", ["score", "fixed"], 0)
            case .sizingBasePercent:
                RuleDefinition(
                    "sizing.base_percent", "size by score: this part of the account's value, times 0.5 to 1.5", "per cent",
                    0...100, 10)
            case .sizingFixedAmount:
                RuleDefinition(
                    "sizing.fixed_amount", "fixed size: money for a buy, commission included", "money", 0...999_999_999, 1000)
            case .sizingWholeShares: Self.flag("sizing.whole_shares", "whether only whole shares are bought", true)
            case .limitsMaximumPositions:
                RuleDefinition("limits.max_positions", "most positions at a time", "positions", 0...100_000, 10, .count)
            case .limitsMaximumPositionPercent:
                RuleDefinition(
                    "limits.max_position_percent", "most that one position may be of the account's value", "per cent", 0...100, 15
                )
            case .limitsMaximumTradePercent:
                RuleDefinition(
                    "limits.max_trade_percent", "most that one buy may be of the account's value", "per cent", 0...100, 15)
            case .limitsTradesPerHour:
                RuleDefinition(
                    "limits.trades_per_hour", "the cycles buy no more after so many of their trades in an hour", "trades",
                    0...1000,
                    5, .count)
            case .limitsMinimumHoldingDays:
                RuleDefinition(
                    "limits.min_holding_days", "trading does not sell a younger position for its signal or for profit", "days",
                    0...3650, 0)
            case .limitsCashReservePercent:
                RuleDefinition(
                    "limits.cash_reserve_percent", "cash that buys must leave, of the account's value", "per cent", 0...100, 5)
            case .limitsMaximumSectorPercent:
                RuleDefinition(
                    "limits.max_sector_percent", "most that one sector may be of the account's value", "per cent", 0...100, 40)
            case .exitsStopLossPercent:
                RuleDefinition(
                    "exits.stop_loss_percent", "a position that lost so much of its cost is sold", "per cent", -100...0, -10)
            case .exitsSignal:
                Self.choice(
                    "exits.signal", "a position whose signal is this or weaker is sold", ["SELL", "WEAK SELL", "HOLD"], 1)
            case .exitsTakeProfitPercent:
                RuleDefinition(
                    "exits.take_profit_percent", "a position that gained so much on its cost is sold", "per cent", 0...1_000_000,
                    20)
            case .exitsDeferTakeProfit:
                Self.flag("exits.defer_take_profit", "whether profit waits while the signal is still a buy", true)
            case .exitsMaximumAgeDays:
                RuleDefinition("exits.max_age_days", "a position so old is sold", "days", 0...36_500, 180)
            case .cyclesRetryMinutes:
                RuleDefinition(
                    "cycles.retry_minutes", "how long after a failed cycle it is tried once more", "minutes", 1...1440, 5, .count)
            }
    }
}
