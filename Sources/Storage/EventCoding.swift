import Ledger

/// The journal's line for an event, both ways.
///
/// `{"seq":17,"at":"…Z","time":"…Z","type":"buy",…,"request_id":"…","note":"…","cash":4000.0,"durable":15,"more":true,"prev":"…","crc":"…"}`
///
/// Members always stand in this order; request_id, note, ticket and more only where there is one. `crc` is the CRC-32C of the line up to
/// its own comma, `prev` is the `crc` of the line before. A line whose last byte would stand first in a 512-byte sector has a
/// space more, so that a line cut at a sector is never mistaken for a whole one.
struct JournalLine: Equatable {
    var record: Record
    /// By what its owner finds it, if somebody else has carried out his request: see ``RequestBoard``.
    var ticket: String?
    /// The last event that the writer knew to be on the disk.
    var durableSeq: UInt64
    /// Whether the next line belongs to the same commit.
    var more: Bool
    var previousCRC: UInt32
    var crc: UInt32
}

/// What the first line of every journal says of itself.
let formatName = "papertrade/1"

/// `,"crc":"xxxxxxxx"}`
let checksumSuffixCount = 18

/// The longest line: the longest texts, escaped, and everything else fit in half of it.
let maximumLineCount = 8192

/// More than most lines take: a trade without a note has about 430 bytes.
let typicalLineCount = 512

extension LineWriter {
    /// Appends the line, newline included, and returns its checksum.
    mutating func appendLine(
        _ record: Record, ticket: String? = nil, durableSeq: UInt64, more: Bool, previousCRC: UInt32, at offset: Int64
    ) -> UInt32 {
        let start = count
        beginObject()
        member("seq", record.seq)
        member("at", record.at)
        member("time", record.time)
        appendEvent(record.event)
        if let id = record.requestID { member("request_id", id.description) }
        if let note = record.note { member("note", note.description) }
        if let ticket { member("ticket", ticket) }
        member("cash", record.cash)
        member("durable", durableSeq)
        if more { memberTrue("more") }
        member("prev", checksum: previousCRC)
        let crc = withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        member("crc", checksum: crc)
        appendRaw("}")
        if (offset + Int64(count - start)) % sectorSize == 0 { appendRaw(" ") }
        appendRaw("\n")
        return crc
    }

    private mutating func appendEvent(_ event: Event) {
        member("type", event.typeName)
        switch event {
        case .started(let start):
            member("format", formatName)
            member("account", start.accountID)
            member("generation", UInt64(start.generation))
            member("created_at", start.createdAt)
            member("net_deposits", start.netDeposits)
            member("realized_pnl", start.realizedPnL)
            if let restsOn = start.restsOn { member("rests_on", restsOn) }
        case .tookOverPosition(let position):
            member("symbol", position.symbol)
            member("shares", position.shares)
            member("cost", position.cost)
            member("first_purchase_date", position.firstPurchaseDate)
        case .tookOverOpportunity(let entry):
            appendOpportunity(entry.opportunity)
            member("queued_seq", entry.seq)
            member("queued_at", entry.queuedAt)
        case .tookOverTrade(let trade):
            member("side", trade.isBuy ? "BUY" : "SELL")
            member("symbol", trade.symbol)
            member("shares", trade.shares)
            member("price", trade.price)
            member("total", trade.total)
            if let cashAfter = trade.cashAfter { member("cash_after", cashAfter) }
        case .acceptedRules(let rules):
            appendRules(rules)
        case .deposited(let amount), .withdrew(let amount): member("amount", amount)
        case .bought(let trade), .sold(let trade): appendTrade(trade)
        case .split(let split):
            member("symbol", split.symbol)
            member("new_shares", split.newShares)
            member("old_shares", split.oldShares)
            if let price = split.cashInLieuPrice { member("cash_in_lieu_price", price) }
            member("cash_in_lieu", split.cashInLieu)
            member("realized_pnl", split.realizedPnL)
            member("position_shares", split.positionShares)
            member("position_cost", split.positionCost)
        case .receivedDividend(let dividend):
            member("symbol", dividend.symbol)
            member("per_share", dividend.perShare)
            member("shares", dividend.shares)
            member("amount", dividend.amount)
        case .wroteOff(let writeOff):
            member("symbol", writeOff.symbol)
            member("shares", writeOff.shares)
            member("cost", writeOff.cost)
        case .queued(let opportunity): appendOpportunity(opportunity)
        case .removedFromQueue(let removal):
            member("symbol", removal.symbol)
            member("queued_seq", removal.queuedSeq)
            member("reason", removal.reason.rawValue)
            if let score = removal.score { member("score", score) }
            if let signal = removal.signal { member("signal", signal.description) }
        case .dequeuedAll(let count), .clearedQueue(let count): member("count", UInt64(count))
        case .signalChanged(let change): appendSignalChange(change)
        case .tookOverSignal(let known): appendKnownSignal(known)
        case .declined(let decline): appendDecline(decline)
        case .ranCycle(let cycle): appendCycle(cycle)
        }
    }

    private mutating func appendTrade(_ trade: Trade) {
        member("symbol", trade.symbol)
        member("shares", trade.shares)
        member("price", trade.price)
        member("notional", trade.notional)
        member("commission", trade.commission)
        member("total", trade.total)
        member("realized_pnl", trade.realizedPnL)
        member("position_shares", trade.positionShares)
        member("position_cost", trade.positionCost)
        if let queuedSeq = trade.queuedSeq { member("queued_seq", queuedSeq) }
        if trade.sellsAll { memberTrue("all") }
        if let exit = trade.exit { member("exit", exit.rawValue) }
    }

    private mutating func appendOpportunity(_ opportunity: Opportunity) {
        member("symbol", opportunity.symbol)
        member("signal", opportunity.signal.description)
        member("score", opportunity.score)
        if let price = opportunity.price { member("price", price) } else { memberNull("price") }
        if let reason = opportunity.reason { member("reason", reason.description) }
    }
}

extension LineReader {
    /// Reads a whole line, without its newline.
    mutating func readLine() throws(Unexpected) -> JournalLine {
        try expect("{")
        let seq = try integer("seq")
        let at = try timestamp("at")
        let time = try timestamp("time")
        let event = try event()
        let requestID: RequestID? =
            isNext("request_id")
            ? try valid { reader throws(Unexpected) in try? RequestID(try reader.string("request_id")) } : nil
        let note = isNext("note") ? try text("note") : nil
        let ticket = isNext("ticket") ? try string("ticket") : nil
        let cash: Money = try amount("cash")
        let durableSeq = try integer("durable")
        let more = skip(",\"more\":true")
        let previousCRC = try checksum("prev")
        let crc = try checksum("crc")
        try expect("}")
        _ = skip(" ")
        guard isAtEnd else { throw unexpected("the end of the line") }
        let record = Record(seq: seq, at: at, time: time, event: event, requestID: requestID, note: note, cash: cash)
        return JournalLine(record: record, ticket: ticket, durableSeq: durableSeq, more: more, previousCRC: previousCRC, crc: crc)
    }

    private mutating func event() throws(Unexpected) -> Event {
        // Most of a journal; without a string of its own it is read faster.
        if skip(",\"type\":\"buy\"") { return .bought(try trade()) }
        if skip(",\"type\":\"sell\"") { return .sold(try trade()) }
        let type = try string("type")
        switch type {
        case "deposit": return .deposited(try amount("amount"))
        case "withdraw": return .withdrew(try amount("amount"))
        case "queue": return .queued(try opportunity())
        case "unqueue": return .removedFromQueue(try removal())
        case "dividend":
            return .receivedDividend(
                Dividend(
                    symbol: try symbol(), perShare: try amount("per_share"), shares: try amount("shares"),
                    amount: try amount("amount")))
        case "split": return .split(try split())
        case "write_off":
            return .wroteOff(WriteOff(symbol: try symbol(), shares: try amount("shares"), cost: try amount("cost")))
        case "dequeue_all": return .dequeuedAll(count: try count())
        case "clear_queue": return .clearedQueue(count: try count())
        case "rules": return .acceptedRules(try rules())
        case "position":
            return .tookOverPosition(
                Position(
                    symbol: try symbol(), shares: try amount("shares"), cost: try amount("cost"),
                    firstPurchaseDate: try timestamp("first_purchase_date")))
        case "opportunity":
            let opportunity = try opportunity()
            return .tookOverOpportunity(
                QueueEntry(seq: try integer("queued_seq"), queuedAt: try timestamp("queued_at"), opportunity: opportunity))
        case "past_trade": return .tookOverTrade(try pastTrade())
        case "signal": return .signalChanged(try signalChange())
        case "known_signal": return .tookOverSignal(try knownSignal())
        case "decline": return .declined(try decline())
        case "cycle": return .ranCycle(try cycle())
        default:
            guard let kind = Start.Kind(rawValue: type) else {
                throw unexpected("a type of event that this version knows, not \(type)")
            }
            return .started(try start(kind))
        }
    }

    private mutating func start(_ kind: Start.Kind) throws(Unexpected) -> Start {
        let format = try string("format")
        guard format == formatName else { throw unexpected("format \(formatName), not \(format)") }
        let accountID = try string("account")
        let generation = try integer("generation")
        guard let generation = UInt32(exactly: generation) else { throw unexpected("a generation") }
        let createdAt = try timestamp("created_at")
        let netDeposits: Money = try amount("net_deposits")
        let realizedPnL: Money = try amount("realized_pnl")
        let restsOn = isNext("rests_on") ? try string("rests_on") : nil
        // The cash stands where every line has it; only look ahead here.
        var ahead = self
        if ahead.isNext("request_id") { _ = try ahead.string("request_id") }
        if ahead.isNext("note") { _ = try ahead.string("note") }
        let cash: Money = try ahead.amount("cash")
        return Start(
            kind: kind, accountID: accountID, generation: generation, createdAt: createdAt, cash: cash, netDeposits: netDeposits,
            realizedPnL: realizedPnL, restsOn: restsOn)
    }

    private mutating func trade() throws(Unexpected) -> Trade {
        Trade(
            symbol: try symbol(), shares: try amount("shares"), price: try amount("price"), notional: try amount("notional"),
            commission: try amount("commission"), total: try amount("total"), realizedPnL: try amount("realized_pnl"),
            positionShares: try amount("position_shares"), positionCost: try amount("position_cost"),
            queuedSeq: isNext("queued_seq") ? try integer("queued_seq") : nil, sellsAll: skip(",\"all\":true"),
            exit: isNext("exit") ? try word("exit") : nil)
    }

    private mutating func split() throws(Unexpected) -> Split {
        Split(
            symbol: try symbol(), newShares: try amount("new_shares"), oldShares: try amount("old_shares"),
            cashInLieuPrice: isNext("cash_in_lieu_price") ? try amount("cash_in_lieu_price") : nil,
            cashInLieu: try amount("cash_in_lieu"), realizedPnL: try amount("realized_pnl"),
            positionShares: try amount("position_shares"), positionCost: try amount("position_cost"))
    }

    private mutating func opportunity() throws(Unexpected) -> Opportunity {
        let symbol = try symbol()
        let signal = try signal()
        let score: Rate = try amount("score")
        let price: Price? = skip(",\"price\":null") ? nil : try amount("price")
        let reason = isNext("reason") ? try text("reason") : nil
        return try valid { _ in try? Opportunity(symbol: symbol, signal: signal, score: score, price: price, reason: reason) }
    }

    private mutating func removal() throws(Unexpected) -> QueueRemoval {
        let symbol = try symbol()
        let queuedSeq = try integer("queued_seq")
        return QueueRemoval(
            symbol: symbol, queuedSeq: queuedSeq, reason: try word("reason"), score: isNext("score") ? try amount("score") : nil,
            signal: isNext("signal") ? try signal() : nil)
    }

    private mutating func pastTrade() throws(Unexpected) -> PastTrade {
        let side = try string("side")
        guard side == "BUY" || side == "SELL" else { throw unexpected("BUY or SELL") }
        return PastTrade(
            isBuy: side == "BUY", symbol: try symbol(), shares: try amount("shares"), price: try amount("price"),
            total: try amount("total"), cashAfter: isNext("cash_after") ? try amount("cash_after") : nil)
    }

    mutating func count(_ key: StaticString = "count") throws(Unexpected) -> Int {
        guard let count = Int(exactly: try integer(key)) else { throw unexpected("a count") }
        return count
    }

    mutating func signal(_ key: StaticString = "signal") throws(Unexpected) -> Signal {
        guard let signal = Signal(try string(key)) else { throw unexpected("a signal") }
        return signal
    }

    /// One of the words that an enumeration is written as.
    mutating func word<Word: RawRepresentable<String>>(_ key: StaticString) throws(Unexpected) -> Word {
        guard let word = Word(rawValue: try string(key)) else { throw unexpected("a word for \(key) that this version knows") }
        return word
    }

    mutating func text(_ key: StaticString) throws(Unexpected) -> Text {
        try valid { reader throws(Unexpected) in try? Text(try reader.string(key), field: "\(key)") }
    }

    mutating func valid<Value>(_ make: (inout LineReader) throws(Unexpected) -> Value?) throws(Unexpected) -> Value {
        guard let value = try make(&self) else { throw unexpected("a valid value") }
        return value
    }
}

extension Event {
    /// The `type` of the event's line.
    public var typeName: String {
        switch self {
        case .started(let start): start.kind.rawValue
        case .tookOverPosition: "position"
        case .tookOverOpportunity: "opportunity"
        case .tookOverTrade: "past_trade"
        case .acceptedRules: "rules"
        case .deposited: "deposit"
        case .withdrew: "withdraw"
        case .bought: "buy"
        case .sold: "sell"
        case .split: "split"
        case .receivedDividend: "dividend"
        case .wroteOff: "write_off"
        case .queued: "queue"
        case .removedFromQueue: "unqueue"
        case .dequeuedAll: "dequeue_all"
        case .clearedQueue: "clear_queue"
        case .signalChanged: "signal"
        case .tookOverSignal: "known_signal"
        case .declined: "decline"
        case .ranCycle: "cycle"
        }
    }
}
