/// The rules of an account, as `config.json` states them and the journal records them.
///
/// Every rule but the watchlist is a number in the units its ``RuleKey`` states, so the whole set is one table: what the file may
/// contain, what the documentation says and what the journal carries all come from ``RuleKey``.
public struct Rules: Hashable, Sendable {
    private var micros: [Int64]

    /// What the monitoring cycle analyses besides what is held; each symbol once, in the order given.
    public private(set) var watchlist: [Symbol] = []

    /// The most bytes that the watchlist's symbols and the spaces between them may have: a line of the journal holds it.
    public static let watchlistByteLimit = 4096

    /// The defaults.
    public init() {
        micros = Self.defaults
    }

    private static let defaults = RuleKey.allCases.map { $0.defaultValue.micros }

    /// The value of a rule: of a flag 0 or 1, of a choice its place in ``RuleKey/choices``.
    public subscript(key: RuleKey) -> Rate {
        Rate(clamping: micros[key.rawValue])
    }

    /// Sets a rule; `false`, and no change, if the value is not one that the rule allows.
    public mutating func set(_ key: RuleKey, to value: Rate) -> Bool {
        guard key.allows(value) else { return false }
        micros[key.rawValue] = value.micros
        return true
    }

    /// Sets the watchlist; `false`, and no change, if a symbol is there twice or the list is longer than ``watchlistByteLimit``.
    public mutating func setWatchlist(_ symbols: [Symbol]) -> Bool {
        let byteCount = symbols.reduce(0) { $0 + $1.description.utf8.count + 1 } - 1
        guard Set(symbols).count == symbols.count, byteCount <= Self.watchlistByteLimit else { return false }
        watchlist = symbols
        return true
    }

    /// Whether a flag is set.
    public func isOn(_ flag: RuleKey) -> Bool { self[flag].isPositive }

    /// A rule that counts something, or is the place of a choice.
    public func count(_ key: RuleKey) -> Int { Int(self[key].micros / microsPerUnit) }

    /// The value of a choice.
    public func choice(_ key: RuleKey) -> String {
        let choices = key.choices
        let place = count(key)
        return choices.indices.contains(place) ? choices[place] : ""
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
