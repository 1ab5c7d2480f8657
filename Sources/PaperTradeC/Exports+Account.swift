// The names are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CPaperTrade
import PaperTrade
import Storage

@_cdecl("pt_status_name") @implementation
public func pt_status_name(_ status: pt_status) -> UnsafePointer<CChar>! {
    let name = Status.names.first { $0.status.rawValue == status }?.name ?? "PT_UNKNOWN"
    return UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
}

@_cdecl("pt_version") @implementation
public func pt_version() -> UnsafePointer<CChar>! {
    let version: StaticString = "0.1.0"
    return UnsafeRawPointer(version.utf8Start).assumingMemoryBound(to: CChar.self)
}

@_cdecl("pt_open") @implementation
public func pt_open(
    _ path: UnsafePointer<CChar>!, _ options: UnsafePointer<pt_options>!, _ account: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    account?.pointee = nil
    return perform(error) { () throws(PaperTradeError) in
        let account = try nonNull(account, "account")
        let path = try PaperTradeC.path(path, "path")
        account.pointee = Handles.add(try Account(path, options: PaperTradeC.options(options)))
    }
}

@_cdecl("pt_close") @implementation
public func pt_close(_ account: OpaquePointer!) -> pt_status {
    guard let handle: OpaquePointer = account else { return PT_OK }
    return perform(nil) { () throws(PaperTradeError) in
        let account = try Handles.account(handle)
        try account.checkCanClose()
        try Handles.remove(handle)
        account.close()
    }
}

@_cdecl("pt_reload") @implementation
public func pt_reload(_ account: OpaquePointer!, _ error: UnsafeMutablePointer<pt_error>!) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in try account.reload() }
}

@_cdecl("pt_reset") @implementation
public func pt_reset(
    _ account: OpaquePointer!, _ initial_cash: Double, _ request: UnsafePointer<pt_request>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try account.reset(initialCash: optional(initial_cash), requestOptions(request))
    }
}

@_cdecl("pt_verify") @implementation
public func pt_verify(
    _ path: UnsafePointer<CChar>!, _ report: UnsafeMutablePointer<pt_verify_report>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    report?.pointee = pt_verify_report()
    return perform(error) { () throws(PaperTradeError) in
        let found = try Account.verify(PaperTradeC.path(path, "path"))
        report?.pointee = pt_verify_report(found)
        if let problem = found.problems.first { throw PaperTradeError(problem) }
    }
}

extension pt_verify_report {
    fileprivate init(_ found: VerifyReport) {
        self.init()
        events = found.events
        first_seq = found.firstSeq
        last_seq = found.lastSeq
        durable_seq = found.durableSeq
        generations = found.generations
        problems = UInt32(clamping: found.problems.count)
        portfolio_current = found.isPortfolioCurrent ? 1 : 0
        unfinished_tail = found.hasUnfinishedTail ? 1 : 0
        cash = found.state.cash.doubleValue
        total_cost = number(found.state.totalCost)
        net_deposits = found.state.netDeposits.doubleValue
        realized_pnl = found.state.realizedPnL.doubleValue
        PaperTradeC.copy(found.problems.first?.description ?? "", to: &first_problem)
    }
}

@_cdecl("pt_recover") @implementation
public func pt_recover(
    _ path: UnsafePointer<CChar>!, _ options: UnsafePointer<pt_options>!, _ report: UnsafeMutablePointer<pt_recover_report>!,
    _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    report?.pointee = pt_recover_report()
    return perform(error) { () throws(PaperTradeError) in
        let found = try Account.recover(PaperTradeC.path(path, "path"), options: PaperTradeC.options(options))
        guard let report else { return }
        report.pointee.kept_seq = found.keptSeq
        report.pointee.lost_events = found.lostEvents
        report.pointee.seq = found.seq
        report.pointee.generation = found.generation
        report.pointee.from_portfolio = found.isFromPortfolio ? 1 : 0
        copy(found.keptAs, to: &report.pointee.kept_as)
    }
}

@_cdecl("pt_backup") @implementation
public func pt_backup(
    _ account: OpaquePointer!, _ destination: UnsafePointer<CChar>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(account, error) { (account) throws(PaperTradeError) in
        try account.backUp(to: path(destination, "destination"))
    }
}

@_cdecl("pt_import") @implementation
public func pt_import(
    _ path: UnsafePointer<CChar>!, _ old_portfolio_json: UnsafePointer<CChar>!, _ options: UnsafePointer<pt_options>!,
    _ report: UnsafeMutablePointer<pt_import_report>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    report?.pointee = pt_import_report()
    return perform(error) { () throws(PaperTradeError) in
        let old = try PaperTradeC.path(old_portfolio_json, "old_portfolio_json")
        let imported = try Account.importing(
            old, into: PaperTradeC.path(path, "path"), options: PaperTradeC.options(options))
        guard let report else { return }
        report.pointee.positions = UInt32(clamping: imported.positionCount)
        report.pointee.queued = UInt32(clamping: imported.queuedCount)
        report.pointee.transactions = UInt32(clamping: imported.transactionCount)
        report.pointee.rounded = UInt32(clamping: imported.roundings.count)
        report.pointee.cash = imported.cash.doubleValue
        report.pointee.net_deposits = imported.netDeposits.doubleValue
        report.pointee.realized_pnl = imported.realizedPnL.doubleValue
        report.pointee.seq = imported.seq
        copy(imported.roundings.first ?? "", to: &report.pointee.first_rounded)
    }
}
