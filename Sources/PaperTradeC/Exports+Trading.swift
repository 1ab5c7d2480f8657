// The names are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CPaperTrade
import PaperTrade

@_cdecl("pt_buy") @implementation
public func pt_buy(
    _ account: OpaquePointer!, _ symbol: UnsafePointer<CChar>!, _ shares: Double, _ price: Double,
    _ fill: UnsafeMutablePointer<pt_fill>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        let bought = try account.buy(PaperTradeC.symbol(symbol), Shares(checking: shares), at: Price(checking: price))
        fill?.pointee = pt_fill(bought.receipt)
    }
}

@_cdecl("pt_sell") @implementation
public func pt_sell(
    _ account: OpaquePointer!, _ symbol: UnsafePointer<CChar>!, _ shares: Double, _ price: Double,
    _ fill: UnsafeMutablePointer<pt_fill>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        let sold = try account.sell(PaperTradeC.symbol(symbol), Shares(checking: shares), at: Price(checking: price))
        fill?.pointee = pt_fill(sold.receipt)
    }
}

@_cdecl("pt_submit") @implementation
public func pt_submit(
    _ account: OpaquePointer!, _ order: UnsafePointer<pt_order>!, _ fill: UnsafeMutablePointer<pt_fill>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        guard let pointer: UnsafePointer<pt_order> = order else { throw invalidArgument("order is NULL") }
        let order = try given(pointer)
        let symbol = try PaperTradeC.symbol(order.symbol)
        let price = try Price(checking: order.price)
        let request = try requestOptions(order.request)
        let done: Fill
        switch order.side {
        case PT_BUY: done = try account.buy(symbol, Shares(checking: order.shares), at: price, request)
        case PT_SELL where order.shares == .infinity: done = try account.sell(symbol, nil, at: price, request)
        case PT_SELL: done = try account.sell(symbol, Shares(checking: order.shares), at: price, request)
        default: throw invalidArgument("order->side is \(order.side): give PT_BUY or PT_SELL")
        }
        fill?.pointee = pt_fill(done.receipt)
    }
}

@_cdecl("pt_deposit") @implementation
public func pt_deposit(
    _ account: OpaquePointer!, _ amount: Double, _ request: UnsafePointer<pt_request>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try account.deposit(Money(checking: amount), requestOptions(request))
    }
}

@_cdecl("pt_withdraw") @implementation
public func pt_withdraw(
    _ account: OpaquePointer!, _ amount: Double, _ request: UnsafePointer<pt_request>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try account.withdraw(Money(checking: amount), requestOptions(request))
    }
}

@_cdecl("pt_split") @implementation
public func pt_split(
    _ account: OpaquePointer!, _ symbol: UnsafePointer<CChar>!, _ new_shares: Double, _ old_shares: Double,
    _ cash_in_lieu_price: Double, _ request: UnsafePointer<pt_request>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try account.split(
            PaperTradeC.symbol(symbol), newShares: ratioSide(new_shares), oldShares: ratioSide(old_shares),
            cashInLieuPrice: optional(cash_in_lieu_price), requestOptions(request))
    }
}

@_cdecl("pt_dividend") @implementation
public func pt_dividend(
    _ account: OpaquePointer!, _ symbol: UnsafePointer<CChar>!, _ per_share: Double, _ request: UnsafePointer<pt_request>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try account.dividend(PaperTradeC.symbol(symbol), perShare: Price(checking: per_share), requestOptions(request))
    }
}

@_cdecl("pt_write_off") @implementation
public func pt_write_off(
    _ account: OpaquePointer!, _ symbol: UnsafePointer<CChar>!, _ request: UnsafePointer<pt_request>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try account.writeOff(PaperTradeC.symbol(symbol), requestOptions(request))
    }
}

@_cdecl("pt_begin") @implementation
public func pt_begin(_ account: OpaquePointer!, _ timeout_ms: Int64, _ error: UnsafeMutablePointer<pt_error>!) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try account.beginBatch(timeoutMilliseconds: timeout(timeout_ms))
    }
}

@_cdecl("pt_commit") @implementation
public func pt_commit(_ account: OpaquePointer!, _ error: UnsafeMutablePointer<pt_error>!) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in try account.commitBatch() }
}

@_cdecl("pt_rollback") @implementation
public func pt_rollback(_ account: OpaquePointer!) -> pt_status {
    perform(account, nil) { (account) throws(PaperTradeError) in try account.rollbackBatch() }
}
