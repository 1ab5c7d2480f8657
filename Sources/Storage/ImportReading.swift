import Ledger

/// Reads the members of the older system's files, and keeps account of what it rounded.
struct ImportReader {
    private(set) var roundings: [String] = []
    var notes: [String] = []

    // MARK: paper_portfolio.json

    mutating func portfolio(_ root: JSONNode) throws(StorageError) -> ImportedAccount {
        guard root.members != nil else {
            throw root.unexpected("the object that paper_portfolio.json is, with cash and positions")
        }
        let cash: Money = try amount(try member("cash", of: root), .notNegative)
        let positionsNode = try member("positions", of: root)
        guard let members = positionsNode.members else {
            throw positionsNode.unexpected("an object with a member for each symbol")
        }
        let createdAt = try time(try member("created_at", of: root))
        var positions: [Position] = []
        for (name, node) in members {
            if let position = try position(node, symbol: name) { positions.append(position) }
        }
        positions.sort { $0.symbol < $1.symbol }
        return ImportedAccount(createdAt: createdAt, cash: cash, positions: positions)
    }

    /// `nil` if the shares are nothing but the noise that a sale of all of them left behind.
    private mutating func position(_ node: JSONNode, symbol: String) throws(StorageError) -> Position? {
        guard let symbol = Symbol(utf8: symbol.utf8) else {
            throw node.problem("\(node.name): \"\(escaped(symbol, limit: 60))\" is \(notASymbol)")
        }
        guard node.members != nil else { throw node.unexpected("an object with shares, cost_basis and first_purchase_date") }
        let sharesNode = try member("shares", of: node)
        let basisNode = try member("cost_basis", of: node)
        let shares: Shares = try amount(sharesNode, .positive)
        let cost = try cost(sharesNode, shares, basisNode)
        if shares.isZero {
            guard cost.isZero else { throw sharesNode.unexpected("at least a millionth of a share, or no such position") }
            notes.append("\(node.name) was left out: it holds less than a millionth of a share")
            return nil
        }
        return Position(
            symbol: symbol, shares: shares, cost: cost, firstPurchaseDate: try time(try member("first_purchase_date", of: node)))
    }

    /// shares × cost_basis, rounded once. Exact decimals are multiplied as such. Otherwise the floats are, exactly: 3 shares at
    /// 33.333333333333336 cost 100, not 99.999999.
    private mutating func cost(_ sharesNode: JSONNode, _ shares: Shares, _ basisNode: JSONNode) throws(StorageError) -> Money {
        guard let shareCount = sharesNode.value.number, let basis = basisNode.value.number,
            let price = Price(nearest: basis), basis >= 0
        else { throw basisNode.unexpected("a number from 0 to 999999999.999999") }
        let isExact = shares.doubleValue == shareCount && price.doubleValue == basis
        let product = isExact ? shares.notional(at: price) : Money(rounding: shareCount, times: basis)
        guard let cost = product else {
            throw basisNode.problem("\(basisNode.name) \(basis) x \(shareCount) shares is beyond 999999999.999999")
        }
        let remainder = Int128(shares.micros) * Int128(price.micros) % Int128(microsPerUnit)
        if price.doubleValue != basis || (isExact && remainder != 0) {
            roundings.append("\(basisNode.name) \(basis) x \(shareCount) shares became a cost of \(cost)")
        }
        return cost
    }

    // MARK: buy_queue.json

    mutating func queue(_ root: JSONNode) throws(StorageError) -> [ImportedAccount.Opportunity] {
        guard root.members != nil else { throw root.unexpected("the object that buy_queue.json is, with queued_opportunities") }
        let list = try member("queued_opportunities", of: root)
        guard let elements = list.elements else { throw list.unexpected("a list of opportunities") }
        var queue: [ImportedAccount.Opportunity] = []
        var entries: [Symbol: Int] = [:]
        for (index, node) in elements.enumerated() {
            let entry = try opportunity(node)
            let symbol = entry.opportunity.symbol
            if let first = entries.updateValue(index, forKey: symbol) {
                throw node.problem(
                    "\(node.name) queues \(symbol), which entry \(first + 1) does already: keep one of them in a copy of the file"
                )
            }
            queue.append(entry)
        }
        return queue
    }

    private mutating func opportunity(_ node: JSONNode) throws(StorageError) -> ImportedAccount.Opportunity {
        guard node.members != nil else { throw node.unexpected("an object with symbol, queued_at, signal and score") }
        let symbol = try symbol(try member("symbol", of: node))
        let queuedAt = try time(try member("queued_at", of: node))
        let signalNode = try member("signal", of: node)
        guard let signal = signalNode.value.text.flatMap({ Signal($0) }) else {
            throw signalNode.unexpected("one of \(Signal.allCases.map(\.description).joined(separator: ", "))")
        }
        let score: Rate = try amount(try member("score", of: node), .score)
        var price: Price?
        if let priceNode = present("price", of: node) {
            price = try amount(priceNode, .positive) as Price
            guard price?.isPositive == true else { throw priceNode.unexpected("a price of at least a millionth, or null") }
        }
        let reason = try reason(node)
        do throws(Refusal) {
            let opportunity = try Opportunity(symbol: symbol, signal: signal, score: score, price: price, reason: reason)
            return ImportedAccount.Opportunity(queuedAt: queuedAt, opportunity: opportunity)
        } catch {
            throw node.problem("\(node.name): \(error)")
        }
    }

    private func reason(_ entry: JSONNode) throws(StorageError) -> Text? {
        guard let node = present("reason", of: entry) else { return nil }
        guard let text = node.value.text else { throw node.unexpected("text or null") }
        do throws(Refusal) {
            return try Text(text, field: node.name)
        } catch {
            throw node.problem("\(error) in a copy of the file")
        }
    }

    // MARK: transaction_log.json

    mutating func trades(_ root: JSONNode) throws(StorageError) -> [ImportedAccount.Trade] {
        guard let elements = root.elements else { throw root.unexpected("the list that transaction_log.json is") }
        var trades: [ImportedAccount.Trade] = []
        trades.reserveCapacity(elements.count)
        for node in elements { trades.append(try trade(node)) }
        return trades
    }

    private mutating func trade(_ node: JSONNode) throws(StorageError) -> ImportedAccount.Trade {
        guard node.members != nil else {
            throw node.unexpected("an object with timestamp, action, symbol, shares, price and total")
        }
        let time = try time(try member("timestamp", of: node))
        let actionNode = try member("action", of: node)
        guard let action = actionNode.value.text, action == "BUY" || action == "SELL" else {
            throw actionNode.unexpected("BUY or SELL")
        }
        let trade = PastTrade(
            isBuy: action == "BUY", symbol: try symbol(try member("symbol", of: node)),
            shares: try amount(try member("shares", of: node), .positive, in: OldFiles.logName),
            price: try amount(try member("price", of: node), .positive, in: OldFiles.logName),
            total: try amount(try member("total", of: node), .notNegative, in: OldFiles.logName),
            cashAfter: try present("cash_after", of: node).map { node throws(StorageError) in
                try amount(node, .any, in: OldFiles.logName)
            })
        return ImportedAccount.Trade(time: time, trade: trade)
    }

    // MARK: Values

    private func member(_ name: String, of node: JSONNode) throws(StorageError) -> JSONNode {
        guard let member = node.member(name) else {
            throw node.problem("\(node.name) has no \"\(name)\", which the older system always writes")
        }
        return member
    }

    /// `nil` if the member is absent or null.
    private func present(_ name: String, of node: JSONNode) -> JSONNode? {
        guard let member = node.member(name), member.value != .null else { return nil }
        return member
    }

    private enum Bound {
        case any
        case notNegative
        case positive
        case score

        var expected: String {
            switch self {
            case .any: "a number within 999999999.999999 either way"
            case .notNegative: "a number from 0 to 999999999.999999"
            case .positive: "a number above 0 and at most 999999999.999999"
            case .score: "a number from 0 to 100"
            }
        }
    }

    /// The nearest amount. Noise is rounded away before the sign is judged, and noted: cash of -1.4e-14 is no debt.
    private mutating func amount<Value: Amount>(
        _ node: JSONNode, _ bound: Bound, in file: String? = nil
    ) throws(StorageError) -> Value {
        guard let number = node.value.number, let value = Value(nearest: number) else { throw node.unexpected(bound.expected) }
        let isAllowed =
            switch bound {
            case .any: true
            case .notNegative: !value.isNegative
            case .positive: number > 0
            case .score: scoreRange.contains(Rate(clamping: value.micros))
            }
        guard isAllowed else { throw node.unexpected(bound.expected) }
        if value.doubleValue != number {
            roundings.append("\(file.map { $0 + " " } ?? "")\(node.name) \(number) became \(value)")
        }
        return value
    }

    private func symbol(_ node: JSONNode) throws(StorageError) -> Symbol {
        guard let symbol = node.value.text.flatMap({ Symbol(utf8: $0.utf8) }) else {
            throw node.problem("\(node.name) is \(node.value.nameForPeople), \(notASymbol)")
        }
        return symbol
    }

    private func time(_ node: JSONNode) throws(StorageError) -> Timestamp {
        guard let time = node.value.timestamp else {
            throw node.unexpected("a time from 1970 to 9999 such as 2026-11-23T14:30:00 (UTC unless it has an offset)")
        }
        return time
    }

    private let notASymbol = "not a symbol; expected 1 to 32 characters of A-Z a-z 0-9 . _ - / ^ = :"
}

extension JSONValue {
    /// A number, whole or not.
    fileprivate var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .real(let value): value
        default: nil
        }
    }
}

extension Amount {
    /// The amount nearest to `value`, however much that changes it; `nil` off range.
    fileprivate init?(nearest value: Double) {
        let scaled = (value * 1e6).rounded(.toNearestOrEven)
        guard scaled.magnitude <= Double(amountLimit) else { return nil }
        self.init(micros: Int64(scaled))
    }
}

extension Money {
    /// The product of two floats that stand for amounts of at least zero, computed exactly and rounded once, half to even; `nil`
    /// off range.
    ///
    /// Each float is a 53-bit whole number times a power of two, and a million has 20 bits: the product has at most 126.
    init?(rounding left: Double, times right: Double) {
        let limit = Double(amountLimit) / 1e6
        guard left >= 0, right >= 0, left <= limit, right <= limit else { return nil }
        let (leftDigits, leftExponent) = left.binaryParts
        let (rightDigits, rightExponent) = right.binaryParts
        // Below 2^30 the exponents are negative. 127 places or more leave less than a half.
        let places = -(leftExponent + rightExponent)
        guard places > 0 else { return nil }
        guard places < 128 else {
            self = .zero
            return
        }
        let product = UInt128(leftDigits) * UInt128(rightDigits) * UInt128(microsPerUnit)
        var quotient = product >> UInt128(places)
        let remainder = product & ((UInt128(1) << UInt128(places)) - 1)
        let half = UInt128(1) << UInt128(places - 1)
        if remainder > half || (remainder == half && quotient % 2 == 1) { quotient += 1 }
        guard let micros = Int64(exactly: quotient) else { return nil }
        self.init(micros: micros)
    }
}

extension Double {
    /// The whole number and the power of two whose product a finite value of at least zero is.
    fileprivate var binaryParts: (digits: UInt64, exponent: Int) {
        exponentBitPattern == 0
            ? (significandBitPattern, -1074)
            : (significandBitPattern | 1 << 52, Int(exponentBitPattern) - 1075)
    }
}
