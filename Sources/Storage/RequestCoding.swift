import Ledger

/// A request as it stands on the board.
///
/// Only trades, and none that rests on a certain seq: what is done together with others' requests comes after theirs.
struct BoardRequest: Equatable {
    let accountID: String
    /// Whoever carries it out has promised the same as its owner.
    let durability: Durability
    /// What its line in the journal will have, for its owner to find it.
    let ticket: String
    let request: Request

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

    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let isPurchase = Flags(rawValue: 1)
        static let isFull = Flags(rawValue: 2)
        static let hasShares = Flags(rawValue: 4)
        static let hasNote = Flags(rawValue: 8)
    }

    /// The time, the shares and the price, words of eight bytes; a byte with ``Flags``; the account, the ticket, the symbol, the
    /// request id and the note, each after a byte with its length.
    ///
    /// `nil` if it cannot be left: see ``canLeave(_:)``; or is too long.
    var bytes: [UInt8]? {
        let trade: (isPurchase: Bool, symbol: Symbol, shares: Shares?, price: Price)
        switch request.change {
        case .buy(let symbol, let shares, let price): trade = (true, symbol, shares, price)
        case .sell(let symbol, let shares, let price): trade = (false, symbol, shares, price)
        default: return nil
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(RequestBoard.maximumCount)
        bytes.append(word: UInt64(bitPattern: request.time.microseconds))
        bytes.append(word: UInt64(bitPattern: trade.shares?.micros ?? 0))
        bytes.append(word: UInt64(bitPattern: trade.price.micros))
        var flags: Flags = trade.isPurchase ? .isPurchase : []
        if durability == .full { flags.insert(.isFull) }
        if trade.shares != nil { flags.insert(.hasShares) }
        if request.note != nil { flags.insert(.hasNote) }
        bytes.append(flags.rawValue)
        for text in [accountID, ticket, trade.symbol.description, request.id?.description ?? "", request.note?.description ?? ""]
        {
            guard let count = UInt8(exactly: text.utf8.count) else { return nil }
            bytes.append(count)
            bytes += text.utf8
        }
        return bytes.count <= RequestBoard.maximumCount ? bytes : nil
    }

    /// `nil` if the bytes are no request.
    init?(_ bytes: [UInt8]) {
        let read = bytes.withUnsafeBytes { bytes -> BoardRequest? in
            guard bytes.count > 24, let time = Timestamp(microseconds: Int64(bitPattern: bytes.word(0))),
                let shares = Shares(micros: Int64(bitPattern: bytes.word(8))),
                let price = Price(micros: Int64(bitPattern: bytes.word(16)))
            else { return nil }
            let flags = Flags(rawValue: bytes[24])
            var rest = bytes[25...]
            guard let accountID = rest.popText(), let ticket = rest.popText(), let symbol = rest.popText(),
                let symbol = Symbol(utf8: symbol.utf8), let id = rest.popText(), let note = rest.popText(), rest.isEmpty
            else { return nil }
            let change: Change =
                flags.contains(.isPurchase)
                ? .buy(symbol, shares, price) : .sell(symbol, flags.contains(.hasShares) ? shares : nil, price)
            do throws(Refusal) {
                let request = Request(
                    change, time: time, id: id.isEmpty ? nil : try RequestID(id),
                    note: flags.contains(.hasNote) ? try Text(note, field: "note") : nil)
                return BoardRequest(
                    accountID: accountID, durability: flags.contains(.isFull) ? .full : .process, ticket: ticket, request)
            } catch {
                return nil
            }
        }
        guard let read else { return nil }
        self = read
    }
}

extension Slice<UnsafeRawBufferPointer> {
    /// Takes a text away from the beginning, whose length stands before it.
    fileprivate mutating func popText() -> String? {
        guard let first, count > Int(first) else { return nil }
        let end = startIndex + 1 + Int(first)
        defer { self = self[end...] }
        return String(validating: base[(startIndex + 1)..<end], as: UTF8.self)
    }
}
