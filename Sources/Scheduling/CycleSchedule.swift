import Ledger

/// When cycles are due.
///
/// Monitoring is due at each opening and every `monitoring.interval_minutes` after it, until just before the close. Trading is due
/// once a session, `trading.minutes_before_close` before the close, by default at it. A trading cycle that was missed can be made up
/// for until the next opening.
public struct CycleSchedule: Sendable {
    public let calendar: MarketCalendar
    private let rules: Rules

    public init(calendar: MarketCalendar, rules: Rules) {
        self.calendar = calendar
        self.rules = rules
    }

    /// Why a cycle has nothing to do at a moment; `nil` if it has.
    public func reasonToSkip(_ kind: CycleKind, at time: Timestamp, _ log: CycleLog) -> String? {
        switch kind {
        case .monitoring: return calendar.closure(at: time).map { "the market is closed: \($0)" }
        case .trading:
            guard let moment = standingMoment(.trading, at: time) else {
                let next = nextMoment(.trading, after: time).map { "; the next one is due at \($0)" } ?? ""
                return "no trading cycle is due\(next)"
            }
            guard let done = log.trading?.lastDone, done >= moment else { return nil }
            return "the session's trading cycle was done at \(done)"
        }
    }

    /// When a program that runs cycles should run the next one: `time` itself if one is due, else a later moment. A failed cycle is due
    /// again, once, after `cycles.retry_minutes`, if it can still be run then. `nil` if there is none until the end of 9999.
    public func nextDue(_ kind: CycleKind, from time: Timestamp, _ log: CycleLog) -> Timestamp? {
        let last = log[kind]
        if let moment = standingMoment(kind, at: time), last.map({ $0.time < moment }) ?? true { return time }
        let regular = nextMoment(kind, after: time)
        // Of failures in a row every other one is that of a second try.
        guard let last, last.outcome == .failed, last.failures % 2 == 1 else { return regular }
        let wait = rules[.cyclesRetryMinutes].micros * 60
        let retry = max(time, Timestamp(clamping: last.time.microseconds + wait))
        guard standingMoment(kind, at: retry) != nil else { return regular }
        return regular.map { min($0, retry) } ?? retry
    }

    /// The moments of a session at which cycles are due, in order; of two at the same moment, monitoring comes first.
    public func moments(in session: MarketSession) -> [(time: Timestamp, kind: CycleKind)] {
        var moments: [(time: Timestamp, kind: CycleKind)] = []
        for time in stride(from: session.opensAt.microseconds, to: session.closesAt.microseconds, by: Int(interval)) {
            moments.append((Timestamp(clamping: time), .monitoring))
        }
        let trading = tradingMoment(session)
        let index = moments.firstIndex { $0.time > trading } ?? moments.count
        moments.insert((trading, .trading), at: index)
        return moments
    }

    /// The latest moment up to `time` at which a cycle was due, if it can still be run.
    private func standingMoment(_ kind: CycleKind, at time: Timestamp) -> Timestamp? {
        switch kind {
        case .monitoring:
            guard let session = calendar.session(containing: time) else { return nil }
            let steps = time.microseconds(since: session.opensAt) / interval
            return Timestamp(clamping: session.opensAt.microseconds + steps * interval)
        case .trading:
            let today = calendar.session(on: calendar.date(at: time)).map(tradingMoment)
            let moment: Timestamp
            if let today, today <= time {
                moment = today
            } else {
                guard let session = calendar.lastSession(closedAtOrBefore: time) else { return nil }
                moment = tradingMoment(session)
            }
            guard let opening = calendar.nextOpen(after: moment) else { return moment }
            return time < opening ? moment : nil
        }
    }

    /// The first moment after `time` at which a cycle is due.
    private func nextMoment(_ kind: CycleKind, after time: Timestamp) -> Timestamp? {
        let sessions = calendar.sessions(from: calendar.date(at: time), through: .last)
        switch kind {
        case .monitoring:
            guard let session = sessions.first(where: { $0.closesAt > time }) else { return nil }
            guard session.opensAt <= time else { return session.opensAt }
            let steps = time.microseconds(since: session.opensAt) / interval + 1
            let moment = Timestamp(clamping: session.opensAt.microseconds + steps * interval)
            return moment < session.closesAt ? moment : calendar.nextOpen(after: time)
        case .trading: return sessions.lazy.map(tradingMoment).first { $0 > time }
        }
    }

    private func tradingMoment(_ session: MarketSession) -> Timestamp {
        let early = rules[.tradingMinutesBeforeClose].micros * 60
        return max(session.opensAt, Timestamp(clamping: session.closesAt.microseconds - early))
    }

    private var interval: Int64 { max(1, rules[.monitoringIntervalMinutes].micros * 60) }
}
