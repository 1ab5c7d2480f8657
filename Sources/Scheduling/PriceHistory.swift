import Ledger

/// Daily prices of several securities, and the splits and dividends between them.
///
/// It answers as of a moment, and knows nothing that was not known then: before a day's close its price is the opening, and closes
/// before a split are converted into prices after it.
public struct PriceHistory: Sendable {
    /// One security's prices on one day.
    public struct Day: Hashable, Sendable {
        public let date: CalendarDate
        public let open: Price
        public let close: Price

        public init(date: CalendarDate, open: Price, close: Price) {
            self.date = date
            self.open = open
            self.close = close
        }
    }

    /// A split or a dividend, effective from the opening of its ex-date.
    public struct Action: Hashable, Sendable {
        public enum Kind: Hashable, Sendable {
            /// New shares for each old one.
            case split(Shares)
            /// Cash for each share.
            case dividend(Price)
        }

        public let date: CalendarDate
        public let symbol: Symbol
        public let kind: Kind

        public init(date: CalendarDate, symbol: Symbol, kind: Kind) {
            self.date = date
            self.symbol = symbol
            self.kind = kind
        }
    }

    /// In the order of the symbols.
    public let symbols: [Symbol]
    /// In the order of the dates; those of one day in the order given.
    public let actions: [Action]
    private let days: [Symbol: [Day]]

    /// - Parameter days: each security's days in the order of their dates.
    public init(days: [Symbol: [Day]], actions: [Action] = []) {
        self.days = days
        symbols = days.keys.sorted()
        self.actions = actions.enumerated().sorted { ($0.element.date, $0.offset) < ($1.element.date, $1.offset) }.map(\.element)
    }

    /// The same prices with these actions.
    public func with(actions: [Action]) -> PriceHistory { PriceHistory(days: days, actions: actions) }

    /// The first and the last day of any security; `nil` if there is none.
    public var dates: ClosedRange<CalendarDate>? {
        guard let first = days.values.compactMap(\.first?.date).min(), let last = days.values.compactMap(\.last?.date).max()
        else {
            return nil
        }
        return first...last
    }

    /// What is known of a security at a moment: its price, and the closes before it, latest first, at most `count`.
    ///
    /// - Returns: `nil` if the security has no price on the market's current or last session.
    public func known(
        _ symbol: Symbol, at time: Timestamp, on calendar: MarketCalendar, closes count: Int
    ) -> (price: Price, closes: [Price])? {
        guard let all = days[symbol], let session = calendar.lastSession(openedAtOrBefore: time) else { return nil }
        let end = all.partitioningIndex { $0.date > session.date }
        guard end > 0, all[end - 1].date == session.date else { return nil }
        let day = all[end - 1]
        let earlier = all[max(0, end - 1 - count)..<(end - 1)]
        return (
            price: time < session.closesAt ? day.open : day.close,
            closes: earlier.reversed().map { adjusted($0.close, of: symbol, from: $0.date, to: session.date) }
        )
    }

    /// Where a security has no price at a moment: the day of which it would have to be, and the last one before of which it has one.
    public func gap(
        of symbol: Symbol, at time: Timestamp, on calendar: MarketCalendar
    ) -> (missing: CalendarDate, last: CalendarDate?)? {
        guard let session = calendar.lastSession(openedAtOrBefore: time) else { return nil }
        let last = days[symbol]?.last { $0.date <= session.date }?.date
        return last == session.date ? nil : (session.date, last)
    }

    /// The last close up to a day, that day included, in terms of that day's shares; `nil` if there is none.
    public func lastClose(_ symbol: Symbol, through date: CalendarDate) -> Price? {
        guard let day = days[symbol]?.last(where: { $0.date <= date }) else { return nil }
        return adjusted(day.close, of: symbol, from: day.date, to: date)
    }

    /// A price of one day in terms of another day's shares.
    private func adjusted(_ price: Price, of symbol: Symbol, from date: CalendarDate, to later: CalendarDate) -> Price {
        var price = price
        for action in actions where action.symbol == symbol && action.date > date && action.date <= later {
            // One old share's price is what so many new ones cost together.
            if case .split(let ratio) = action.kind { price = Money(clamping: price.micros).averagePrice(for: ratio) ?? price }
        }
        return price
    }
}

extension Array {
    /// The first index whose element is past the point, where all elements before the point come first.
    fileprivate func partitioningIndex(where isPast: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isPast(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
