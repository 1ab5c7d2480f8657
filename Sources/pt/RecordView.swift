import PaperTrade

/// An event as people and programs see it.
struct RecordView {
    let record: Record
    private let figures: EventFigures

    init(_ record: Record) {
        self.record = record
        figures = EventFigures(record.event)
    }

    // MARK: For people

    /// What a change came to: one sentence, and whether it was made before.
    func outcome(_ receipt: Receipt) -> String {
        let cash = cashChange == nil ? "" : "; cash \(record.cash.money)"
        let sentence = "\(sentence)\(cash) (event \(record.seq))"
        return receipt.isRepeated
            ? "nothing changed: this request was done before, at \(record.time.forPeople) UTC: \(sentence)" : sentence
    }

    /// What happened, in the past tense.
    private var sentence: String {
        switch record.event {
        case .bought(let trade): return "bought \(Self.terms(trade)) for \(trade.total.money)\(Self.commission(trade))"
        case .sold(let trade):
            return
                "sold \(Self.terms(trade)) for \(trade.total.money)\(Self.commission(trade)), realized P&L \(trade.realizedPnL.money)"
        case .deposited(let amount): return "deposited \(amount.money)"
        case .withdrew(let amount): return "withdrew \(amount.money)"
        case .split(let split):
            let inLieu = split.cashInLieu.isZero ? "" : ", cash in lieu \(split.cashInLieu.money)"
            return
                "split \(split.symbol) \(split.newShares.count):\(split.oldShares.count), now \(split.positionShares.count) shares\(inLieu)"
        case .receivedDividend(let dividend):
            return "received \(dividend.amount.money) from \(dividend.symbol) "
                + "(\(dividend.perShare.money) on \(dividend.shares.count) shares)"
        case .wroteOff(let writeOff):
            return "wrote off \(writeOff.shares.count) \(writeOff.symbol), realized loss \(writeOff.cost.money)"
        case .queued(let opportunity):
            return "queued \(opportunity.symbol): \(opportunity.signal), score \(opportunity.score.count)"
        case .clearedQueue(let count): return "removed \(counted(count, "entry", "entries")) from the queue"
        case .started(let start): return start.kind == .reset ? "started over with \(start.cash.money)" : start.kind.rawValue
        case .ranCycle(let cycle): return CycleView(cycle).sentence
        case .signalChanged(let change): return "\(change.symbol): \(Self.opinion(change))"
        case .declined(let decline): return "\(decline.symbol): \(Self.opinion(decline))"
        case .tookOverPosition, .tookOverOpportunity, .tookOverTrade, .tookOverSignal, .acceptedRules, .removedFromQueue,
            .dequeuedAll:
            return record.event.typeName
        }
    }

    private static func terms(_ trade: Trade) -> String { "\(trade.shares.count) \(trade.symbol) at \(trade.price.money)" }

    private static func commission(_ trade: Trade) -> String {
        trade.commission.isZero ? "" : " (commission \(trade.commission.money))"
    }

    /// The columns of ``row``.
    static let columns = [
        Table.Column("SEQ", .right, width: 6), Table.Column("TIME (UTC)", width: 19), Table.Column("TYPE", width: 11),
        Table.Column("SYMBOL", width: 6), Table.Column("SHARES", .right, width: 10), Table.Column("PRICE", .right, width: 10),
        Table.Column("CASH CHANGE", .right, width: 13), Table.Column("REALIZED P&L", .right, width: 12),
        Table.Column("CASH", .right, width: 13), Table.Column("DETAILS"),
    ]

    var row: [String] {
        [
            "\(record.seq)", record.time.forPeople, record.event.typeName, figures.symbol?.description ?? "",
            figures.shares?.count ?? "", figures.price?.money ?? "", cashChange?.money ?? "", realizedPnL?.money ?? "",
            record.cash.money, details.joined(separator: "; "),
        ]
    }

    /// What the columns have no room for.
    private var details: [String] {
        var details: [String] = []
        switch record.event {
        case .bought(let trade), .sold(let trade):
            if !trade.commission.isZero { details.append("commission \(trade.commission.money)") }
            if let seq = trade.queuedSeq { details.append("queued by \(seq)") }
            if let exit = trade.exit { details.append(exit.rawValue) }
        case .split(let split):
            details.append("\(split.newShares.count):\(split.oldShares.count), now \(split.positionShares.count) shares")
        case .queued(let opportunity): details.append(Self.opinion(opportunity))
        case .tookOverOpportunity(let entry): details.append(Self.opinion(entry.opportunity))
        case .removedFromQueue(let removal): details.append("\(removal.reason.rawValue), queued by \(removal.queuedSeq)")
        case .clearedQueue(let count), .dequeuedAll(let count): details.append(counted(count, "entry", "entries"))
        case .tookOverPosition(let position): details.append("cost \(position.cost.money)")
        case .tookOverTrade(let trade): details.append("\(trade.isBuy ? "bought" : "sold") for \(trade.total.money)")
        case .started(let start): if let restsOn = start.restsOn { details.append("rests on \(restsOn)") }
        case .acceptedRules(let rules):
            details.append(RulesView(rules).differences(from: Rules()) ?? "the defaults")
        case .signalChanged(let change): details.append(Self.opinion(change))
        case .tookOverSignal(let known): details.append("\(known.signal) \(known.score.count)")
        case .declined(let decline): details.append(Self.opinion(decline))
        case .ranCycle(let cycle): details.append(CycleView(cycle).sentence)
        case .deposited, .withdrew, .receivedDividend, .wroteOff: break
        }
        if let note = record.note { details.append(note.description) }
        if let id = record.requestID { details.append("request \(id)") }
        return details
    }

    private static func opinion(_ opportunity: Opportunity) -> String {
        "\(opportunity.signal) \(opportunity.score.count)" + (opportunity.reason.map { ": \($0)" } ?? "")
    }

    private static func opinion(_ change: SignalChange) -> String {
        let before = change.previousSignal.map { "\($0) \(change.previousScore?.count ?? "") to " } ?? ""
        return "\(change.kind.rawValue), \(before)\(change.signal) \(change.score.count)"
            + (change.reason.map { ": \($0)" } ?? "")
    }

    private static func opinion(_ decline: Decline) -> String {
        "not \(decline.what == .sell ? "sold" : "queued"): \(decline.reason.rawValue)"
    }

    /// What the event did to the cash; `nil` if nothing, and where the cash was set rather than changed.
    private var cashChange: Money? {
        switch record.event {
        case .bought(let trade): trade.total.negated
        case .withdrew(let amount): amount.negated
        case .sold, .deposited, .receivedDividend: figures.total
        case .split(let split): split.cashInLieu.isZero ? nil : split.cashInLieu
        case .started(let start): start.kind == .open ? start.cash : nil
        case .tookOverPosition, .tookOverOpportunity, .tookOverTrade, .tookOverSignal, .acceptedRules, .wroteOff, .queued,
            .removedFromQueue, .dequeuedAll, .clearedQueue, .signalChanged, .declined, .ranCycle:
            nil
        }
    }

    /// `nil` where nothing was realized.
    private var realizedPnL: Money? {
        switch record.event {
        case .bought: nil
        case .split(let split): split.realizedPnL.isZero ? nil : split.realizedPnL
        default: figures.realizedPnL
        }
    }

    // MARK: For spreadsheets

    static let csvHeader =
        "seq,generation,time,at,type,symbol,shares,price,commission,cash_change,realized_pnl,cash,request_id,note\n"

    func csv(generation: UInt32) -> String {
        CSV.line([
            .number("\(record.seq)"), .number("\(generation)"), .text(record.time.description), .text(record.at.description),
            .text(record.event.typeName), Self.cell(figures.symbol), Self.cell(figures.shares), Self.cell(figures.price),
            Self.cell(figures.commission), Self.cell(cashChange), Self.cell(figures.realizedPnL), Self.cell(record.cash),
            Self.cell(record.requestID), Self.cell(record.note),
        ])
    }

    private static func cell(_ amount: (some Amount)?) -> CSV.Cell { amount.map { .number($0.description) } ?? .empty }
    private static func cell(_ text: (some CustomStringConvertible)?) -> CSV.Cell { text.map { .text($0.description) } ?? .empty }
}
