import Ledger

/// A request as it stands on the board: one line of JSON, as in the journal.
///
/// Only trades, and none that rests on a certain seq: what is done together with others' requests comes after theirs.
struct BoardRequest: Equatable {
    let accountID: String
    /// Whoever carries it out has promised the same as its owner.
    let durability: Durability
    /// What its line in the journal will have, for its owner to find it.
    let ticket: String
    let request: Request

    /// `nil` if it cannot be left: see ``canLeave(_:)``.
    var text: [UInt8]? {
        var text = LineWriter(capacity: RequestBoard.maximumCount)
        text.beginObject()
        text.member("account", accountID)
        text.member("durability", durability.rawValue)
        text.member("ticket", ticket)
        text.member("time", request.time)
        switch request.change {
        case .buy(let symbol, let shares, let price):
            text.member("type", "buy")
            text.member("symbol", symbol)
            text.member("shares", shares)
            text.member("price", price)
        case .sell(let symbol, let shares, let price):
            text.member("type", "sell")
            text.member("symbol", symbol)
            if let shares { text.member("shares", shares) }
            text.member("price", price)
        default: return nil
        }
        if let id = request.id { text.member("request_id", id.description) }
        if let note = request.note { text.member("note", note.description) }
        text.endObject()
        return text.bytes
    }

    /// Whether a request can be left to others at all.
    static func canLeave(_ request: Request) -> Bool {
        guard request.expectedSeq == nil else { return false }
        return switch request.change {
        case .buy, .sell: true
        default: false
        }
    }

    init(accountID: String, durability: Durability, ticket: String, _ request: Request) {
        self.accountID = accountID
        self.durability = durability
        self.ticket = ticket
        self.request = request
    }

    /// `nil` if the text is not one.
    init?(_ text: [UInt8]) {
        let read = text.withUnsafeBytes { bytes in
            var reader = LineReader(bytes)
            return try? reader.boardRequest()
        }
        guard let read else { return nil }
        self = read
    }
}

extension LineReader {
    fileprivate mutating func boardRequest() throws(Unexpected) -> BoardRequest {
        try expect("{")
        let accountID = try string("account")
        let durability: Durability = try word("durability")
        let ticket = try string("ticket")
        let time = try timestamp("time")
        let isPurchase = skip(",\"type\":\"buy\"")
        if !isPurchase { try expect(",\"type\":\"sell\"") }
        let symbol = try symbol()
        let shares: Shares? = isPurchase || isNext("shares") ? try amount("shares") : nil
        let price: Price = try amount("price")
        let id: RequestID? =
            isNext("request_id")
            ? try valid { reader throws(Unexpected) in try? RequestID(try reader.string("request_id")) } : nil
        let note = isNext("note") ? try text("note") : nil
        try expect("}")
        guard isAtEnd else { throw unexpected("the end of the request") }
        let change: Change = if isPurchase, let shares { .buy(symbol, shares, price) } else { .sell(symbol, shares, price) }
        return BoardRequest(
            accountID: accountID, durability: durability, ticket: ticket, Request(change, time: time, id: id, note: note))
    }
}
