import Ledger

/// When cycles are due.
///
/// Monitoring is due at each opening and every `monitoring.interval_minutes` after it, until just before the close. Trading is due
/// once a session, `trading.minutes_before_close` before the close, by default at it. A trading cycle that was missed can be made up
/// for until the next opening.
///
/// A run that lies further ahead than clocks may be apart does not count: ``Timestamp/isFarAhead(of:)``. One that lies less far ahead
/// does, so that by a clock that went back nothing is due until it is there again.
public struct CycleSchedule: Sendable {
    public let calendar: MarketCalendar
    private let rules: Rules

    public init(calendar: MarketCalendar, rules: Rules) {
        self.calendar = calendar
        self.rules = rules
    }

    /// Why a cycle has nothing to do at a moment; `nil` if it has.
    ///
    /// - Parameter now: `time` and as long as the cycle has taken since; `nil`: no time.
    public func reasonToSkip(_ kind: CycleKind, at time: Timestamp, _ log: CycleLog, now: Timestamp? = nil) -> String? {
        switch kind {
        case .monitoring: return calendar.closure(at: time).map { "the market is closed: \($0)" }
        case .trading:
            let done = log.last(.trading, at: now ?? time)?.lastDone
            guard let moment = standingMoment(.trading, at: time) else {
                let next = nextMoment(.trading, after: time, done).map { "; the next one is due at \($0)" } ?? ""
                return "no trading cycle is due\(next)"
            }
            guard let done, isDone(.trading, of: moment, by: done) else { return nil }
            return "the session's trading cycle was done at \(done)"
        }
    }

    /// When a program that runs cycles should run the next one: `time` itself if one is due, else a later moment. A failed cycle is due
    /// again, once, after `cycles.retry_minutes`, if it can still be run then. `nil` if there is none until the end of 9999.
    public func nextDue(_ kind: CycleKind, from time: Timestamp, _ log: CycleLog) -> DueCycle? {
        let last = log.last(kind, at: time)
        let standing = standingMoment(kind, at: time)
        if let standing, last.map({ $0.time < standing }) ?? true, !isDone(kind, of: standing, by: last?.lastDone) {
            return DueCycle(time: time, since: standing)
        }
        let regular = nextMoment(kind, after: time, last?.lastDone).map { DueCycle(time: $0, since: $0) }
        guard let last, last.outcome == .failed, !wasTriedAgain(last, since: standing) else { return regular }
        let since = Timestamp(clamping: last.time.microseconds + rules[.cyclesRetryMinutes].micros * 60)
        let retry = DueCycle(time: max(time, since), since: since)
        guard let moment = standingMoment(kind, at: retry.time) else { return regular }
        if kind == .trading, isDone(kind, of: moment, by: last.lastDone) { return regular }
        return regular.map { $0.time < retry.time ? $0 : retry } ?? retry
    }

    /// Whether a failure is the second one since the moment that stands. What failed for an earlier moment has no part in it.
    private func wasTriedAgain(_ failure: CycleLog.Last, since standing: Timestamp?) -> Bool {
        guard let previous = failure.previousFailure, let standing else { return false }
        return previous >= standing
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

    /// Whether the run that was done last is the one of a moment. For trading it is one of the same session, from its opening until the
    /// next one, so that a session's cycle stays done when the rule about its moment is changed after it.
    private func isDone(_ kind: CycleKind, of moment: Timestamp, by lastDone: Timestamp?) -> Bool {
        guard let lastDone else { return false }
        if lastDone >= moment { return true }
        return kind == .trading
            && calendar.lastSession(openedAtOrBefore: lastDone) == calendar.lastSession(openedAtOrBefore: moment)
    }

    /// The first moment after `time` at which a cycle is due.
    private func nextMoment(_ kind: CycleKind, after time: Timestamp, _ lastDone: Timestamp?) -> Timestamp? {
        let sessions = calendar.sessions(from: calendar.date(at: time), through: .last)
        switch kind {
        case .monitoring:
            guard let session = sessions.first(where: { $0.closesAt > time }) else { return nil }
            guard session.opensAt <= time else { return session.opensAt }
            let steps = time.microseconds(since: session.opensAt) / interval + 1
            let moment = Timestamp(clamping: session.opensAt.microseconds + steps * interval)
            return moment < session.closesAt ? moment : calendar.nextOpen(after: time)
        case .trading: return sessions.lazy.map(tradingMoment).first { $0 > time && !isDone(kind, of: $0, by: lastDone) }
        }
    }

    private func tradingMoment(_ session: MarketSession) -> Timestamp {
        let early = rules[.tradingMinutesBeforeClose].micros * 60
        return max(session.opensAt, Timestamp(clamping: session.closesAt.microseconds - early))
    }

    private var interval: Int64 { max(1, rules[.monitoringIntervalMinutes].micros * 60) }
}

/// A cycle that is to be run.
public struct DueCycle: Hashable, Sendable {
    /// When to run it.
    public let time: Timestamp
    /// Since when it is due: ``time``, or earlier where it is late.
    public let since: Timestamp
}
