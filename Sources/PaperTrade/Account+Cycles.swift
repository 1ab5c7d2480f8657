import Ledger
import Scheduling
import Storage

/// How a cycle is run. All of it can be left as it is.
public struct CycleOptions: Sendable {
    /// The moment for which it is run; `nil`: now, by the account's clock. The same prices, rules and times lead to the same events.
    public var time: Timestamp?
    /// Run it whether or not the market is open, and although the session's trading cycle is done. A trading cycle that is run between
    /// the session's opening and its due time takes the place of the one that would have been due.
    public var ignoresSchedule = false

    public init(time: Timestamp? = nil, ignoresSchedule: Bool = false) {
        self.time = time
        self.ignoresSchedule = ignoresSchedule
    }
}

/// What a cycle came to.
public struct CycleReport: Sendable {
    /// The cycle's own record, the last event of its commit.
    public let record: Record
    public let cycle: Cycle
    /// The first event of its commit; ``Account/history(from:_:)`` from here to the record tells what it did.
    public let firstSeq: UInt64
    /// What went wrong though the cycle was run: that the record of an earlier cycle lies far ahead and does not count, and the symbols
    /// that the analyst failed on, or was too slow for, each with what went wrong.
    public let problems: [String]

    public var seq: UInt64 { record.seq }
}

/// The two cycles. Each is one commit: a monitor and a trader may work on one account in any number of processes, together with
/// everybody else, and neither ever sees half of what the other did.
extension Account {
    /// Runs a monitoring cycle: asks the analyst about what is held and the watchlist, records each signal that changed, and, if
    /// `system_active`, sells what fell critically and queues what rose to a buy.
    ///
    /// The analyst is asked without any lock, and may read the account. One that throws, or answers nonsense, costs its symbol's turn and
    /// is reported; where it fails on every symbol, the cycle's outcome is `failed`. A ``PaperTradeError`` with the status `stopped` ends
    /// the cycle with nothing changed or recorded. One that never returns holds up its caller and nobody else; what a cycle of a later
    /// moment has recorded meanwhile is not overwritten.
    ///
    /// - Throws: `invalidConfig` also if `config.json` becomes invalid meanwhile, `stopped`, `misuse` inside a batch or while this thread
    ///   holds the account's lock, and the errors of any change. The failure is recorded where that is possible.
    @discardableResult
    public func runMonitoringCycle(_ options: CycleOptions = CycleOptions(), analyst: Analyst) throws(PaperTradeError)
        -> CycleReport
    {
        try runCycle(.monitoring, options, analyst: analyst)
    }

    /// Runs a trading cycle: asks the analyst about what is held and what is queued, sells by the exit rules, and buys from the queue while
    /// cash and limits allow. It runs once a session, from its due time until the next opening; else its record says why it was skipped.
    /// An entry of the queue on which the analyst fails stays there until it is too old.
    ///
    /// The analyst and the errors are as for ``runMonitoringCycle(_:analyst:)``. The sizes that it gives are not used: the rules size.
    @discardableResult
    public func runTradingCycle(_ options: CycleOptions = CycleOptions(), analyst: Analyst) throws(PaperTradeError) -> CycleReport
    {
        try runCycle(.trading, options, analyst: analyst)
    }

    /// Runs either; see ``runMonitoringCycle(_:analyst:)`` and ``runTradingCycle(_:analyst:)``.
    @discardableResult
    public func runCycle(
        _ kind: CycleKind, _ options: CycleOptions = CycleOptions(), analyst: Analyst
    ) throws(PaperTradeError) -> CycleReport {
        try checkUsable(isReading: false)
        guard !(gate.isInside && (batch != nil || lockCount > 0)) else {
            throw PaperTradeError(
                .misuse, "a cycle is not allowed inside a batch or while holding the account's lock: end that first")
        }
        // Before the analyst is asked for nothing.
        try translated { () throws(StorageError) in try store.checkIsWritable() }
        let time = try moment(options.time)
        do throws(PaperTradeError) {
            return try run(kind, at: time, ignoresSchedule: options.ignoresSchedule, analyst)
        } catch {
            // Stopped is the caller's own wish. Busy has waited as long as the caller allows: recording it would wait as long again, and a
            // caller who tries on would find a failure recorded just before the success.
            if error.status != .stopped && error.status != .busy { recordFailure(of: kind, at: time, error) }
            throw error
        }
    }

    private func run(
        _ kind: CycleKind, at time: Timestamp, ignoresSchedule: Bool, _ analyst: Analyst
    ) throws(PaperTradeError) -> CycleReport {
        let began = system.realTime()
        let rules = try validRules()
        let schedule = CycleSchedule(calendar: try calendar(rules), rules: rules)
        let state = try snapshot()
        if !ignoresSchedule, let reason = schedule.reasonToSkip(kind, at: time, state.cycles) {
            return try commit(at: time) { (draft) throws(Refusal) in try draft.skip(kind, because: reason, time: time) }
        }
        let opinions = try opinions(of: symbols(of: state, rules, kind), at: time, rules, analyst)
        let seen = Set(state.queue.map(\.seq))
        return try commit(at: time, needsValidConfig: true) { (draft) throws(Refusal) in
            let now = Timestamp(clamping: time.microseconds + max(0, system.realTime() - began))
            // Another process may have done the session's cycle meanwhile.
            if !ignoresSchedule, let reason = schedule.reasonToSkip(kind, at: time, draft.state.cycles, now: now) {
                return try draft.skip(kind, because: reason, time: time)
            }
            switch kind {
            case .monitoring: return try draft.monitor(opinions, time: time, now: now)
            case .trading: return try draft.trade(opinions, seen: seen, time: time)
            }
        }
    }

    private func symbols(of state: AccountState, _ rules: Rules, _ kind: CycleKind) -> [Symbol] {
        let others = kind == .monitoring ? rules.watchlist : state.queue.map(\.opportunity.symbol)
        return Set(state.positions.map(\.symbol) + others).sorted()
    }

    private func opinions(
        of symbols: [Symbol], at time: Timestamp, _ rules: Rules, _ analyst: Analyst
    ) throws(PaperTradeError) -> Opinions {
        var opinions: [Opinion] = []
        for symbol in symbols {
            var opinion = try ask(analyst, about: symbol, at: time)
            if let analysis = opinion.analysis, time.microseconds(since: analysis.time) > rules.queueStaleAfterMicroseconds {
                opinion = Opinion(symbol: symbol, analysis: nil, problem: "the analysis of \(analysis.time) is too old")
            }
            opinions.append(opinion)
        }
        return Opinions(opinions)
    }

    /// One commit with what `decide` appends.
    ///
    /// - Parameter needsValidConfig: the rules accepted last will not do, because the cycle may have begun under later ones.
    private func commit(
        at time: Timestamp, needsValidConfig: Bool = false, _ decide: (inout Draft) throws(Refusal) -> CycleDecision
    ) throws(PaperTradeError) -> CycleReport {
        let report = try criticalSection(deadline(nil)) { () throws(StorageError) in
            try view.withLock { _ throws(StorageError) in
                try store.catchUp(isLocked: true)
                var draft = newDraft()
                try acceptRules(into: &draft, time: time)
                if needsValidConfig, case .failure(let error) = config.withLock({ $0.outcome }) { throw error }
                let decision = try refusing { () throws(Refusal) in try decide(&draft) }
                guard let first = draft.records.first, let last = draft.records.last else {
                    throw StorageError(.misuse, "a cycle left no record")
                }
                try store.commit(draft)
                return CycleReport(
                    record: last, cycle: decision.cycle, firstSeq: first.seq, problems: decision.problems)
            }
        }
        try finish(through: report.seq)
        logProblems(report.problems)
        return report
    }

    /// Best effort: what kept the cycle from its commit may keep its record out, too, and the caller is told in any case.
    private func recordFailure(of kind: CycleKind, at time: Timestamp, _ error: PaperTradeError) {
        _ = try? commit(at: time) { (draft) throws(Refusal) in try draft.fail(kind, because: error.message, time: time) }
    }

    private func logProblems(_ problems: [String]) {
        guard let log = options.log, !problems.isEmpty else { return }
        callbacks.run(allowingReads: false) {
            for problem in problems { log(.warning, problem) }
        }
    }

    // MARK: Reading

    /// What was last known of each security that a monitoring cycle analysed, ordered by symbol.
    public func signals() throws(PaperTradeError) -> [KnownSignal] {
        try read { $0.signals }
    }

    /// The records of the cycles from event `seq` on, in order.
    public func cycles(from seq: UInt64 = 1) throws(PaperTradeError) -> [Record] {
        var records: [Record] = []
        try history(from: seq) { event in
            if case .ranCycle = event.record.event { records.append(event.record) }
            return true
        }
        return records
    }

    /// When the next cycle should be run: `time` itself if one is due, else a later moment. `nil` if there is none until the end of 9999.
    ///
    /// - Parameter attempt: a run of the caller's that failed without leaving a record, if it is later than the last recorded one.
    public func nextCycle(
        _ kind: CycleKind, from time: Timestamp? = nil, after attempt: CycleLog.Last? = nil
    ) throws(PaperTradeError) -> Timestamp? {
        try nextCycleDue(kind, from: time, after: attempt)?.time
    }

    /// As ``nextCycle(_:from:after:)``, with the moment since when it is due: of several that are, the one that has waited longest is to
    /// be run first.
    public func nextCycleDue(
        _ kind: CycleKind, from time: Timestamp? = nil, after attempt: CycleLog.Last? = nil
    ) throws(PaperTradeError) -> DueCycle? {
        let moment: Timestamp
        if let time { moment = time } else { moment = try currentTime() }
        var log = try read { $0.cycles }
        if let attempt, log.last(kind, at: moment).map({ $0.time < attempt.time }) ?? true { log[kind] = attempt }
        return try cycleSchedule().nextDue(kind, from: moment, log)
    }

    /// When cycles are due, by the rules that `config.json` states.
    public func cycleSchedule() throws(PaperTradeError) -> CycleSchedule {
        let rules = try currentRules()
        return CycleSchedule(calendar: try calendar(rules), rules: rules)
    }

    /// The calendar that `market.calendar` names.
    public func marketCalendar() throws(PaperTradeError) -> MarketCalendar { try calendar(currentRules()) }

    /// Made once for each name: the clocks of New York are read from a file.
    private func calendar(_ rules: Rules) throws(PaperTradeError) -> MarketCalendar {
        let name = rules.choice(.marketCalendar)
        if let known = calendars.withLock({ $0[name] }) { return known }
        let calendar = try MarketCalendar(named: name, system: system)
        calendars.withLock { $0[name] = calendar }
        return calendar
    }
}
