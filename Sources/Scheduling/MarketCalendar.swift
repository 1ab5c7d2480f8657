import Ledger

/// When a market is open.
///
/// It knows the schedule, not what happened: trading that began late or was halted that day is not in it.
public enum MarketCalendar: Hashable, Sendable {
    /// The New York Stock Exchange, with the clocks of New York: right for every day from 1993 to 2030 as far as is known in 2026;
    /// later days follow the same rules, and so do earlier ones, which had others.
    case nyse(TimeZoneRules)
    /// A market that never closes, such as that for cryptocurrencies. Each day in UTC is a session.
    case always

    /// What the day at `date` has instead of a session, such as `weekend` or `Good Friday`; `nil` if there is one.
    public func closure(on date: CalendarDate) -> String? {
        switch self {
        case .nyse: NewYorkStockExchange.closure(on: date)
        case .always: nil
        }
    }

    /// The session of a day; `nil` if the market is closed all day.
    public func session(on date: CalendarDate) -> MarketSession? {
        guard closure(on: date) == nil else { return nil }
        switch self {
        case .nyse(let clocks):
            let earlyClose = NewYorkStockExchange.earlyClose(on: date)
            let close = earlyClose == nil ? NewYorkStockExchange.close : NewYorkStockExchange.earlyClose
            return MarketSession(
                date: date, opensAt: clocks.time(on: date, secondOfDay: NewYorkStockExchange.open),
                closesAt: clocks.time(on: date, secondOfDay: close), earlyCloseReason: earlyClose)
        case .always:
            let midnight = date.dayNumber * Self.microsecondsPerDay
            return MarketSession(
                date: date, opensAt: Timestamp(clamping: midnight),
                closesAt: Timestamp(clamping: midnight + Self.microsecondsPerDay), earlyCloseReason: nil)
        }
    }

    private static let microsecondsPerDay: Int64 = 86_400_000_000

    /// The day at a moment where the market is.
    public func date(at time: Timestamp) -> CalendarDate {
        switch self {
        case .nyse(let clocks): clocks.date(at: time)
        case .always: CalendarDate(utcDateOf: time)
        }
    }

    /// Whether the market is open at a moment. It is at the moment of opening, and no longer at that of the close.
    public func isOpen(at time: Timestamp) -> Bool { session(containing: time) != nil }

    /// The session in which a moment lies; `nil` if the market is closed then.
    public func session(containing time: Timestamp) -> MarketSession? {
        session(on: date(at: time)).flatMap { $0.contains(time) ? $0 : nil }
    }

    /// Why the market is closed at a moment: as ``closure(on:)``, or that it is too early or too late. `nil` if it is open.
    public func closure(at time: Timestamp) -> String? {
        let date = date(at: time)
        guard let session = session(on: date) else { return closure(on: date) }
        if time < session.opensAt { return "before the opening" }
        guard time >= session.closesAt else { return nil }
        return session.earlyCloseReason.map { "after the early close (\($0))" } ?? "after the close"
    }

    /// The first opening after a moment, not at it; `nil` if there is none until the end of 9999.
    public func nextOpen(after time: Timestamp) -> Timestamp? {
        sessions(from: date(at: time), through: .last).first { $0.opensAt > time }?.opensAt
    }

    /// The first close after a moment, not at it: while the market is open, today's. `nil` if there is none until the end of 9999.
    public func nextClose(after time: Timestamp) -> Timestamp? {
        sessions(from: date(at: time), through: .last).first { $0.closesAt > time }?.closesAt
    }

    /// The last session that is over at a moment; one that closes at it is. `nil` if there was none since 1970.
    public func lastSession(closedAtOrBefore time: Timestamp) -> MarketSession? {
        sessions(backFrom: time).first { $0.closesAt <= time }
    }

    /// The last session that has begun at a moment, be it over or not; one that opens at it has. `nil` if there was none since 1970.
    func lastSession(openedAtOrBefore time: Timestamp) -> MarketSession? {
        sessions(backFrom: time).first { $0.opensAt <= time }
    }

    /// The sessions up to that of the day at a moment, the latest first, as they are asked for.
    private func sessions(backFrom time: Timestamp) -> some Sequence<MarketSession> {
        (CalendarDate.first.dayNumber...date(at: time).dayNumber).reversed().lazy
            .compactMap { session(on: CalendarDate(clamping: $0)) }
    }

    /// The trading days from one day to another, both included, as they are asked for; none if `last` is before `first`.
    public func sessions(from first: CalendarDate, through last: CalendarDate) -> some Sequence<MarketSession> {
        (first.dayNumber..<max(first.dayNumber, last.dayNumber + 1)).lazy
            .compactMap { session(on: CalendarDate(clamping: $0)) }
    }
}
