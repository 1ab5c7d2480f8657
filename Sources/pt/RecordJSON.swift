import PaperTrade

/// An event for programs: the members of its line in the journal, in the same order, without what only the journal needs (`durable`,
/// `more`, `prev`, `crc`).
extension RecordView {
    /// - Parameter isRepeated: whether the request was done before; `nil` for history, which has the generation instead.
    func object(isRepeated: Bool? = nil, generation: UInt32? = nil) -> JSON {
        var members: [(String, JSON)] = [
            ("seq", .integer(record.seq)), ("at", .time(record.at)), ("time", .time(record.time)),
            ("type", .string(record.event.typeName)),
        ]
        members += Self.members(record.event)
        if let id = record.requestID { members.append(("request_id", .string(id.description))) }
        if let note = record.note { members.append(("note", .string(note.description))) }
        members.append(("cash", .amount(record.cash)))
        if let isRepeated { members.append(("repeated", .bool(isRepeated))) }
        // A start says its generation itself.
        if let generation, !members.contains(where: { $0.0 == "generation" }) {
            members.append(("generation", .integer(generation)))
        }
        return .object(members)
    }

    private static func members(_ event: Event) -> [(String, JSON)] {
        switch event {
        case .started(let start): members(start)
        case .tookOverPosition(let position):
            [
                ("symbol", .text(position.symbol)), ("shares", .amount(position.shares)), ("cost", .amount(position.cost)),
                ("first_purchase_date", .time(position.firstPurchaseDate)),
            ]
        case .tookOverOpportunity(let entry):
            members(entry.opportunity) + [("queued_seq", .integer(entry.seq)), ("queued_at", .time(entry.queuedAt))]
        case .tookOverTrade(let trade): members(trade)
        case .acceptedRules(let rules): RulesView(rules).journalMembers
        case .deposited(let amount), .withdrew(let amount): [("amount", .amount(amount))]
        case .bought(let trade), .sold(let trade): members(trade)
        case .split(let split): members(split)
        case .receivedDividend(let dividend):
            [
                ("symbol", .text(dividend.symbol)), ("per_share", .amount(dividend.perShare)),
                ("shares", .amount(dividend.shares)),
                ("amount", .amount(dividend.amount)),
            ]
        case .wroteOff(let writeOff):
            [("symbol", .text(writeOff.symbol)), ("shares", .amount(writeOff.shares)), ("cost", .amount(writeOff.cost))]
        case .queued(let opportunity): members(opportunity)
        case .removedFromQueue(let removal): members(removal)
        case .dequeuedAll(let count), .clearedQueue(let count): [("count", .integer(count))]
        case .signalChanged(let change): members(change)
        case .tookOverSignal(let known):
            [("symbol", .text(known.symbol))] + SignalView(known).members + [("known_since", .time(known.time))]
        case .declined(let decline):
            [
                ("declined", .string(decline.what.rawValue)), ("symbol", .text(decline.symbol)),
                ("reason", .string(decline.reason.rawValue)), ("price", .amount(decline.price)),
                ("score", .amount(decline.score)),
            ]
        case .ranCycle(let cycle): CycleView(cycle).members
        }
    }

    private static func members(_ change: SignalChange) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("symbol", .text(change.symbol)), ("change", .string(change.kind.rawValue)),
            ("urgency", .string(change.urgency.rawValue)),
            ("signal", .text(change.signal)), ("score", .amount(change.score)), ("price", .amount(change.price)),
        ]
        if let signal = change.previousSignal { members.append(("previous_signal", .text(signal))) }
        if let score = change.previousScore { members.append(("previous_score", .amount(score))) }
        if let confidence = change.confidence { members.append(("confidence", .string(confidence.name))) }
        if let sector = change.sector { members.append(("sector", .text(sector))) }
        if let reason = change.reason { members.append(("reason", .text(reason))) }
        return members
    }

    private static func members(_ start: Start) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("format", .string("papertrade/1")), ("account", .string(start.accountID)),
            ("generation", .integer(start.generation)),
            ("created_at", .time(start.createdAt)), ("net_deposits", .amount(start.netDeposits)),
            ("realized_pnl", .amount(start.realizedPnL)),
        ]
        if let restsOn = start.restsOn { members.append(("rests_on", .string(restsOn))) }
        return members
    }

    private static func members(_ trade: Trade) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("symbol", .text(trade.symbol)), ("shares", .amount(trade.shares)), ("price", .amount(trade.price)),
            ("notional", .amount(trade.notional)), ("commission", .amount(trade.commission)), ("total", .amount(trade.total)),
            ("realized_pnl", .amount(trade.realizedPnL)), ("position_shares", .amount(trade.positionShares)),
            ("position_cost", .amount(trade.positionCost)),
        ]
        if let seq = trade.queuedSeq { members.append(("queued_seq", .integer(seq))) }
        if trade.sellsAll { members.append(("all", .bool(true))) }
        if let exit = trade.exit { members.append(("exit", .string(exit.rawValue))) }
        return members
    }

    private static func members(_ trade: PastTrade) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("side", .string(trade.isBuy ? "BUY" : "SELL")), ("symbol", .text(trade.symbol)), ("shares", .amount(trade.shares)),
            ("price", .amount(trade.price)), ("total", .amount(trade.total)),
        ]
        if let cashAfter = trade.cashAfter { members.append(("cash_after", .amount(cashAfter))) }
        return members
    }

    private static func members(_ split: Split) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("symbol", .text(split.symbol)), ("new_shares", .amount(split.newShares)), ("old_shares", .amount(split.oldShares)),
        ]
        if let price = split.cashInLieuPrice { members.append(("cash_in_lieu_price", .amount(price))) }
        return members + [
            ("cash_in_lieu", .amount(split.cashInLieu)), ("realized_pnl", .amount(split.realizedPnL)),
            ("position_shares", .amount(split.positionShares)), ("position_cost", .amount(split.positionCost)),
        ]
    }

    private static func members(_ opportunity: Opportunity) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("symbol", .text(opportunity.symbol)), ("signal", .text(opportunity.signal)), ("score", .amount(opportunity.score)),
            ("price", .amount(opportunity.price)),
        ]
        if let reason = opportunity.reason { members.append(("reason", .text(reason))) }
        return members
    }

    private static func members(_ removal: QueueRemoval) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("symbol", .text(removal.symbol)), ("queued_seq", .integer(removal.queuedSeq)),
            ("reason", .string(removal.reason.rawValue)),
        ]
        if let score = removal.score { members.append(("score", .amount(score))) }
        if let signal = removal.signal { members.append(("signal", .text(signal))) }
        return members
    }
}
