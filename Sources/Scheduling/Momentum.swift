import Ledger

/// The built-in analyst: scores a security by its momentum, so that everything can be tried without anybody's own judgement.
///
/// With r20 and r60 the change of the price in per cent over the last 20 and 60 closes,
///
///     score = 50 + 2 × r20 + r60, kept between 0 and 100
///
/// | score | signal |
/// |---|---|
/// | 80 and more | STRONG BUY |
/// | 70 and more | BUY |
/// | 60 and more | WEAK BUY |
/// | 40 and more | HOLD |
/// | 30 and more | WEAK SELL |
/// | less | SELL |
///
/// The confidence is HIGH where both changes have the same sign, else MEDIUM; LOW where there are fewer than 60 closes, and r60 is then
/// the change since the first. With fewer than 20 closes there is no opinion. It is a yardstick, not advice.
public struct MomentumAnalyst: Sendable {
    private let history: PriceHistory
    private let calendar: MarketCalendar

    public init(_ history: PriceHistory, on calendar: MarketCalendar) {
        self.history = history
        self.calendar = calendar
    }

    private static let shortSpan = 20
    private static let longSpan = 60

    /// The judgement of `symbol` as of `time`; `nil` if there are no prices to judge by.
    public func analysis(of symbol: Symbol, at time: Timestamp) throws(Refusal) -> Analysis? {
        guard let known = history.known(symbol, at: time, on: calendar, closes: Self.longSpan),
            known.closes.count >= Self.shortSpan
        else { return nil }
        let short = Self.change(from: known.closes[Self.shortSpan - 1], to: known.price)
        let long = Self.change(from: known.closes[known.closes.count - 1], to: known.price)
        let exact = 50 * Int128(microsPerUnit) + 2 * Int128(short.micros) + Int128(long.micros)
        let score = Rate(clamping: Int64(clamping: min(max(exact, 0), Int128(100 * microsPerUnit))))
        let confidence: Confidence =
            known.closes.count < Self.longSpan ? .low : (short.isNegative == long.isNegative ? .high : .medium)
        return try Analysis(
            signal: Self.signal(score), score: score, price: known.price, size: nil, time: time, confidence: confidence,
            reason: Text("20 days \(short) %, 60 days \(long) %", field: "reason"))
    }

    /// In per cent, rounded half to even; beyond the range of amounts the end of it.
    private static func change(from old: Price, to new: Price) -> Rate {
        let difference = Money(clamping: new.micros - old.micros)
        return difference.percent(of: Money(clamping: old.micros)) ?? Rate(clamping: .max)
    }

    static func signal(_ score: Rate) -> Signal {
        let floors: [(Int64, Signal)] = [(80, .strongBuy), (70, .buy), (60, .weakBuy), (40, .hold), (30, .weakSell)]
        return floors.first { score.micros >= $0.0 * microsPerUnit }?.1 ?? .sell
    }
}
