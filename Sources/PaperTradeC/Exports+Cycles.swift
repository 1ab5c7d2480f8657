// The names are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CPaperTrade
import PaperTrade

@_cdecl("pt_monitoring_cycle") @implementation
public func pt_monitoring_cycle(
    _ account: OpaquePointer!, _ analyst: pt_analyst_fn!, _ context: UnsafeMutableRawPointer!,
    _ options: UnsafePointer<pt_cycle_options>!, _ report: UnsafeMutablePointer<pt_cycle>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    runCycle(.monitoring, account, analyst, context, options, report, error)
}

@_cdecl("pt_trading_cycle") @implementation
public func pt_trading_cycle(
    _ account: OpaquePointer!, _ analyst: pt_analyst_fn!, _ context: UnsafeMutableRawPointer!,
    _ options: UnsafePointer<pt_cycle_options>!, _ report: UnsafeMutablePointer<pt_cycle>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    runCycle(.trading, account, analyst, context, options, report, error)
}

private func runCycle(
    _ kind: CycleKind, _ account: OpaquePointer?, _ analyst: pt_analyst_fn?, _ context: UnsafeMutableRawPointer?,
    _ options: UnsafePointer<pt_cycle_options>?, _ report: UnsafeMutablePointer<pt_cycle>?,
    _ error: UnsafeMutablePointer<pt_error>?
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        let result = try account.runCycle(kind, cycleOptions(options), analyst: swiftAnalyst(analyst, context))
        report?.pointee = pt_cycle(result.record, result.cycle, firstSeq: result.firstSeq)
    }
}

private func cycleOptions(_ pointer: UnsafePointer<pt_cycle_options>?) throws(PaperTradeError) -> CycleOptions {
    guard let pointer else { return CycleOptions() }
    let given = try given(pointer)
    guard given.flags & ~UInt32(PT_CYCLE_IGNORE_SCHEDULE) == 0 else {
        throw invalidArgument("options->flags has unknown bits: \(given.flags & ~UInt32(PT_CYCLE_IGNORE_SCHEDULE))")
    }
    return CycleOptions(time: try time(given.time), ignoresSchedule: given.flags & UInt32(PT_CYCLE_IGNORE_SCHEDULE) != 0)
}

@_cdecl("pt_cycles") @implementation
public func pt_cycles(
    _ account: OpaquePointer!, _ from_seq: UInt64, _ callback: pt_cycle_fn!, _ context: UnsafeMutableRawPointer!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        guard let callback: pt_cycle_fn = callback else { throw invalidArgument("callback is NULL") }
        var isStopped = false
        try account.history(from: from_seq) { event in
            guard case .ranCycle(let cycle) = event.record.event else { return true }
            var out = pt_cycle(event.record, cycle, firstSeq: 0)
            isStopped = callback(context, &out) != 0
            return !isStopped
        }
        if isStopped { throw PaperTradeError(.stopped, "the callback stopped the cycles") }
    }
}

extension pt_cycle {
    fileprivate init(_ record: Record, _ cycle: Cycle, firstSeq: UInt64) {
        self.init()
        seq = record.seq
        first_seq = firstSeq
        time = record.time.microseconds
        at = record.at.microseconds
        kind = cycle.kind == .monitoring ? PT_MONITORING : PT_TRADING
        switch cycle.outcome {
        case .done: outcome = PT_CYCLE_DONE
        case .skipped: outcome = PT_CYCLE_SKIPPED
        case .failed: outcome = PT_CYCLE_FAILED
        }
        analysed = UInt32(clamping: cycle.counts.analysed)
        unanalysed = UInt32(clamping: cycle.counts.unanalysed)
        changes = UInt32(clamping: cycle.counts.changes)
        queued = UInt32(clamping: cycle.counts.queued)
        bought = UInt32(clamping: cycle.counts.bought)
        sold = UInt32(clamping: cycle.counts.sold)
        rejected = UInt32(clamping: cycle.counts.rejected)
        deferred = UInt32(clamping: cycle.counts.deferred)
        value = number(cycle.value)
        PaperTradeC.copy(cycle.reason?.description ?? "", to: &reason)
        PaperTradeC.copy(cycle.problem?.description ?? "", to: &problem)
    }
}

@_cdecl("pt_next_cycle") @implementation
public func pt_next_cycle(
    _ account: OpaquePointer!, _ kind: Int32, _ time: Int64, _ next: UnsafeMutablePointer<Int64>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        let next = try nonNull(next, "next")
        let kinds = [PT_MONITORING: CycleKind.monitoring, PT_TRADING: .trading]
        guard let kind = kinds[kind] else { throw invalidArgument("kind is \(kind): give PT_MONITORING or PT_TRADING") }
        next.pointee = try moment(account.nextCycle(kind, from: PaperTradeC.time(time)))
    }
}

@_cdecl("pt_signals") @implementation
public func pt_signals(
    _ account: OpaquePointer!, _ out: UnsafeMutablePointer<pt_known_signal>!, _ capacity: Int,
    _ count: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try fill(out, capacity, count, with: account.signals()) { pt_known_signal($0) }
    }
}

extension pt_known_signal {
    fileprivate init(_ known: KnownSignal) {
        self.init()
        PaperTradeC.copy(known.symbol, to: &symbol)
        signal = Int32(known.signal.rawValue)
        confidence = Int32(known.confidence?.rawValue ?? 0)
        score = known.score.doubleValue
        price = known.price.doubleValue
        known_since = known.time.microseconds
        PaperTradeC.copy(known.sector?.description ?? "", to: &sector)
    }
}

@_cdecl("pt_market_is_open") @implementation
public func pt_market_is_open(
    _ account: OpaquePointer!, _ time: Int64, _ open: UnsafeMutablePointer<Int32>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    market(account, time, open, "open", error) { calendar, time in calendar.isOpen(at: time) ? 1 : 0 }
}

@_cdecl("pt_market_next_open") @implementation
public func pt_market_next_open(
    _ account: OpaquePointer!, _ time: Int64, _ next: UnsafeMutablePointer<Int64>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    market(account, time, next, "next", error) { (calendar, time) throws(PaperTradeError) in
        try moment(calendar.nextOpen(after: time))
    }
}

@_cdecl("pt_market_next_close") @implementation
public func pt_market_next_close(
    _ account: OpaquePointer!, _ time: Int64, _ next: UnsafeMutablePointer<Int64>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    market(account, time, next, "next", error) { (calendar, time) throws(PaperTradeError) in
        try moment(calendar.nextClose(after: time))
    }
}

private func market<Answer>(
    _ account: OpaquePointer?, _ time: Int64, _ out: UnsafeMutablePointer<Answer>?, _ name: String,
    _ error: UnsafeMutablePointer<pt_error>?, _ answer: (MarketCalendar, Timestamp) throws(PaperTradeError) -> Answer
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        let out = try nonNull(out, name)
        let asked: Timestamp
        if let given = try PaperTradeC.time(time) { asked = given } else { asked = try account.currentTime() }
        out.pointee = try answer(account.marketCalendar(), asked)
    }
}

private func moment(_ time: Timestamp?) throws(PaperTradeError) -> Int64 {
    guard let time else { throw PaperTradeError(.notFound, "there is none until the end of the year 9999") }
    return time.microseconds
}
