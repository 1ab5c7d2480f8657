// The names are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CPaperTrade
import PaperTrade

@_cdecl("pt_enqueue") @implementation
public func pt_enqueue(
    _ account: OpaquePointer!, _ symbol: UnsafePointer<CChar>!, _ score: Double, _ signal: Int32, _ price: Double,
    _ reason: UnsafePointer<CChar>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(error) { () throws(PaperTradeError) in
        let account = try Handles.account(account)
        try account.enqueue(opportunity(PaperTradeC.symbol(symbol), signal, score, price, reason))
    }
}

@_cdecl("pt_submit_opportunity") @implementation
public func pt_submit_opportunity(
    _ account: OpaquePointer!, _ opportunity: UnsafePointer<pt_opportunity>!, _ seq: UnsafeMutablePointer<UInt64>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(error) { () throws(PaperTradeError) in
        let account = try Handles.account(account)
        guard let pointer: UnsafePointer<pt_opportunity> = opportunity else { throw invalidArgument("opportunity is NULL") }
        let given = pointer.pointee
        try checkSize(pointer, given.struct_size, "opportunity")
        let queued = try account.enqueue(
            PaperTradeC.opportunity(symbol(given.symbol), given.signal, given.score, given.price, given.reason),
            requestOptions(given.request))
        seq?.pointee = queued.seq
    }
}

@_cdecl("pt_queue") @implementation
public func pt_queue(
    _ account: OpaquePointer!, _ out: UnsafeMutablePointer<pt_queue_entry>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(error) { () throws(PaperTradeError) in
        try fill(out, capacity, count, with: try Handles.account(account).queue()) { pt_queue_entry($0) }
    }
}

@_cdecl("pt_dequeue_all") @implementation
public func pt_dequeue_all(
    _ account: OpaquePointer!, _ out: UnsafeMutablePointer<pt_queue_entry>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(error) { () throws(PaperTradeError) in
        let account = try Handles.account(account)
        count?.pointee = try account.queue().count
        if out == nil && capacity == 0 { return }
        try fill(out, capacity, count, with: account.dequeueAll(limit: capacity)) { pt_queue_entry($0) }
    }
}

@_cdecl("pt_clear_queue") @implementation
public func pt_clear_queue(
    _ account: OpaquePointer!, _ removed: UnsafeMutablePointer<Int>!, _ request: UnsafePointer<pt_request>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(error) { () throws(PaperTradeError) in
        let count = try Handles.account(account).clearQueue(requestOptions(request))
        removed?.pointee = count
    }
}

@_cdecl("pt_execute_queue") @implementation
public func pt_execute_queue(
    _ account: OpaquePointer!, _ analyst: pt_analyst_fn!, _ context: UnsafeMutableRawPointer!,
    _ out: UnsafeMutablePointer<pt_execution>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(error) { () throws(PaperTradeError) in
        let account = try Handles.account(account)
        count?.pointee = try account.queuedCount()
        if out == nil && capacity == 0 { return }
        guard let analyst: pt_analyst_fn = analyst else { throw invalidArgument("analyst is NULL") }
        let executions = try account.executeQueue(limit: capacity) { symbol, time in
            try analysis(symbol, time, analyst, context)
        }
        try fill(out, capacity, count, with: executions) { pt_execution($0) }
    }
}

/// Why an analyst's answer cannot be used.
private struct AnalystProblem: Error, CustomStringConvertible {
    let description: String
}

private func analysis(
    _ symbol: Symbol, _ asked: Timestamp, _ analyst: pt_analyst_fn, _ context: UnsafeMutableRawPointer?
) throws -> Analysis? {
    var out = pt_analysis()
    out.struct_size = UInt32(MemoryLayout<pt_analysis>.size)
    out.score = .nan
    out.price = .nan
    out.shares = .nan
    out.amount = .nan
    out.time = timeNow
    let result = symbol.description.withCString { analyst(context, $0, asked.microseconds, &out) }
    switch result {
    case PT_OK: break
    case PT_NO_OPINION: return nil
    case PT_STOPPED: throw PaperTradeError(.stopped, "the analyst stopped the execution of the queue: nothing was changed")
    default: throw AnalystProblem(description: "it returned \(result)")
    }
    let shares: Shares? = try optional(out.shares)
    let amount: Money? = try optional(out.amount)
    if shares != nil && amount != nil { throw AnalystProblem(description: "it gave both shares and an amount") }
    let size = shares.map { Analysis.Size.shares($0) } ?? amount.map { .amount($0) }
    let confidence = Confidence(rawValue: Int(out.confidence))
    if confidence == nil && out.confidence != 0 { throw AnalystProblem(description: "its confidence is \(out.confidence)") }
    return try Analysis(
        signal: signal(out.signal), score: Rate(checking: out.score), price: Price(checking: out.price), size: size,
        time: time(out.time) ?? asked, confidence: confidence, reason: text(of: &out.reason, "reason"),
        sector: text(of: &out.sector, "sector"))
}

/// The text in a C array of characters, `nil` if it is empty. A missing NUL ends at the array's end.
private func text<Array>(of array: inout Array, _ field: String) throws -> Text? {
    try withUnsafeBytes(of: &array) { bytes in
        let used = bytes.prefix { $0 != 0 }
        guard !used.isEmpty else { return nil }
        guard let text = String(validating: used, as: UTF8.self) else { throw Refusal.textNotUTF8(field: field) }
        return try Text(text, field: field)
    }
}
