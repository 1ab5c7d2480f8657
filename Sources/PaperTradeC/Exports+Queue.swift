// The names are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CPaperTrade
import PaperTrade

@_cdecl("pt_enqueue") @implementation
public func pt_enqueue(
    _ account: OpaquePointer!, _ symbol: UnsafePointer<CChar>!, _ score: Double, _ signal: Int32, _ price: Double,
    _ reason: UnsafePointer<CChar>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try account.enqueue(opportunity(PaperTradeC.symbol(symbol), signal, score, price, reason))
    }
}

@_cdecl("pt_submit_opportunity") @implementation
public func pt_submit_opportunity(
    _ account: OpaquePointer!, _ opportunity: UnsafePointer<pt_opportunity>!, _ seq: UnsafeMutablePointer<UInt64>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        guard let pointer: UnsafePointer<pt_opportunity> = opportunity else { throw invalidArgument("opportunity is NULL") }
        let given = try given(pointer)
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
    perform(account, error) { (account) throws(PaperTradeError) in
        try fill(out, capacity, count, with: account.queue()) { pt_queue_entry($0) }
    }
}

@_cdecl("pt_dequeue_all") @implementation
public func pt_dequeue_all(
    _ account: OpaquePointer!, _ out: UnsafeMutablePointer<pt_queue_entry>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        count?.pointee = try account.queue().count
        if try onlyCounts(out, capacity) { return }
        try fill(out, capacity, count, with: account.dequeueAll(limit: limit(capacity))) { pt_queue_entry($0) }
    }
}

@_cdecl("pt_clear_queue") @implementation
public func pt_clear_queue(
    _ account: OpaquePointer!, _ removed: UnsafeMutablePointer<Int>!, _ request: UnsafePointer<pt_request>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        let count = try account.clearQueue(requestOptions(request))
        removed?.pointee = count
    }
}

@_cdecl("pt_execute_queue") @implementation
public func pt_execute_queue(
    _ account: OpaquePointer!, _ analyst: pt_analyst_fn!, _ context: UnsafeMutableRawPointer!,
    _ out: UnsafeMutablePointer<pt_execution>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        count?.pointee = try account.queuedCount()
        if try onlyCounts(out, capacity) { return }
        let executions = try account.executeQueue(limit: limit(capacity), analyst: swiftAnalyst(analyst, context))
        try fill(out, capacity, count, with: executions) { pt_execution($0) }
    }
}
