// The names are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CPaperTrade
import PaperTrade

@_cdecl("pt_summary") @implementation
public func pt_summary(
    _ account: OpaquePointer!, _ out: UnsafeMutablePointer<pt_account_summary>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        let out = try nonNull(out, "out")
        out.pointee = pt_account_summary(try account.summary())
    }
}

extension pt_account_summary {
    fileprivate init(_ summary: Summary) {
        self.init()
        PaperTradeC.copy(summary.accountID, to: &account_id)
        seq = summary.seq
        durable_seq = summary.durableSeq
        position_count = UInt64(summary.positionCount)
        queued_count = UInt64(summary.queuedCount)
        created_at = summary.createdAt.microseconds
        updated_at = summary.updatedAt.microseconds
        cash = summary.cash.doubleValue
        total_cost = number(summary.totalCost)
        net_deposits = summary.netDeposits.doubleValue
        realized_pnl = summary.realizedPnL.doubleValue
        generation = summary.generation
    }
}

@_cdecl("pt_position") @implementation
public func pt_position(
    _ account: OpaquePointer!, _ symbol: UnsafePointer<CChar>!, _ out: UnsafeMutablePointer<pt_position_info>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        let out = try nonNull(out, "out")
        out.pointee = pt_position_info(try account.position(PaperTradeC.symbol(symbol)))
    }
}

@_cdecl("pt_positions") @implementation
public func pt_positions(
    _ account: OpaquePointer!, _ out: UnsafeMutablePointer<pt_position_info>!, _ capacity: Int,
    _ count: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try fill(out, capacity, count, with: account.positions()) { pt_position_info($0) }
    }
}

@_cdecl("pt_value") @implementation
public func pt_value(
    _ account: OpaquePointer!, _ quotes: UnsafePointer<pt_quote>!, _ quote_count: Int, _ out: UnsafeMutablePointer<pt_valuation>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        let out = try nonNull(out, "out")
        guard quote_count == 0 || quotes != nil else {
            throw invalidArgument("quotes is NULL, but quote_count is \(UInt(bitPattern: quote_count))")
        }
        guard UInt(bitPattern: quote_count) <= UInt(Int.max / MemoryLayout<pt_quote>.stride) else {
            throw invalidArgument("quote_count is \(UInt(bitPattern: quote_count)), more than memory can hold")
        }
        var prices: [Symbol: Price] = [:]
        for quote in UnsafeBufferPointer(start: quotes, count: quote_count) {
            let price = try Price(checking: quote.price)
            guard !price.isNegative else { throw PaperTradeError(.invalidPrice(price.description)) }
            prices[try symbol(quote.symbol)] = price
        }
        out.pointee = pt_valuation(try account.value(at: prices))
    }
}

extension pt_valuation {
    fileprivate init(_ valuation: Valuation) {
        self.init()
        seq = valuation.seq
        unpriced = UInt64(valuation.unpricedCount)
        cash = valuation.cash.doubleValue
        market_value = number(valuation.marketValue)
        total_value = number(valuation.totalValue)
        unrealized_pnl = number(valuation.unrealizedPnL)
        realized_pnl = valuation.realizedPnL.doubleValue
        total_pnl = number(valuation.totalPnL)
        return_percent = number(valuation.returnPercent)
    }
}

@_cdecl("pt_history") @implementation
public func pt_history(
    _ account: OpaquePointer!, _ from_seq: UInt64, _ callback: pt_event_fn!, _ context: UnsafeMutableRawPointer!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        guard let callback: pt_event_fn = callback else { throw invalidArgument("callback is NULL") }
        var isStopped = false
        try account.history(from: from_seq) { event in
            isStopped = call(callback, context, event) != 0
            return !isStopped
        }
        if isStopped { throw PaperTradeError(.stopped, "the callback stopped the history") }
    }
}

private func call(_ callback: pt_event_fn, _ context: UnsafeMutableRawPointer?, _ event: HistoryEvent) -> Int32 {
    let record = event.record
    let figures = EventFigures(record.event)
    var out = pt_event()
    out.seq = record.seq
    out.time = record.time.microseconds
    out.at = record.at.microseconds
    out.generation = event.generation
    out.more = event.more ? 1 : 0
    out.shares = number(figures.shares)
    out.price = number(figures.price)
    out.commission = number(figures.commission)
    out.realized_pnl = number(figures.realizedPnL)
    out.cash = record.cash.doubleValue
    return withOptionalCString(record.event.typeName) { type in
        withOptionalCString(figures.symbol?.description) { symbol in
            withOptionalCString(record.requestID?.description) { id in
                withOptionalCString(record.note?.description) { note in
                    withOptionalCString(event.json) { json in
                        out.type = type
                        out.symbol = symbol
                        out.request_id = id
                        out.note = note
                        out.json = json
                        return callback(context, &out)
                    }
                }
            }
        }
    }
}

private func withOptionalCString(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Int32) -> Int32 {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}

@_cdecl("pt_find_request") @implementation
public func pt_find_request(
    _ account: OpaquePointer!, _ request_id: UnsafePointer<CChar>!, _ out: UnsafeMutablePointer<pt_fill>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        guard let pointer: UnsafePointer<CChar> = request_id else { throw invalidArgument("request_id is NULL") }
        let id = try text(pointer, limit: RequestID.maximumByteCount) { .invalidRequestID($0) }
        let receipt = try account.findRequest(id)
        out?.pointee = pt_fill(receipt)
    }
}
