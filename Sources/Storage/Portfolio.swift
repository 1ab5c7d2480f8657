import Ledger

/// What portfolio.json says about the journal it was made from.
struct JournalReference: Hashable, Sendable {
    var position: JournalPosition
    var generation: UInt32
    /// The last event known to be on the disk, and the end of its line.
    var durableSeq: UInt64
    var durableOffset: Int64
    /// Where the line stands that put the rules in force; 0 if there is none.
    var rulesOffset: Int64
}

/// The contents of portfolio.json: a view of the account for anyone to read, replaced whole by every commit.
struct Portfolio {
    /// Without the rules, which are in the journal only.
    var state: AccountState
    var reference: JournalReference
}

/// Why portfolio.json cannot be used.
enum PortfolioProblem: Error, Hashable {
    /// No bytes, or nothing but zeros: what a power cut can leave.
    case empty
    /// Not what this library writes: somebody edited it, or it was cut.
    case edited
    case newerFormat(String)
}

/// The checksum covers every byte before these.
private let checksumPrefix = ",\n  \"checksum\": \"crc32c:"
private let checksumSuffix = "\"\n}\n"

/// Writes portfolio.json again and again, encoding only what changed.
struct PortfolioWriter {
    private var positions: [(position: Position, text: [UInt8])] = []
    private var entries: [(entry: QueueEntry, text: [UInt8])] = []
    private var signals: (known: [KnownSignal], text: [UInt8]) = ([], Array("{}".utf8))
    private var cycles: (log: CycleLog, text: [UInt8])?

    mutating func write(_ state: AccountState, _ reference: JournalReference) throws(StorageError) -> [UInt8] {
        try updatePositions(state.positions)
        try updateEntries(state.queue)
        var text: [UInt8] = []
        text.reserveCapacity(1024 + positions.count * 160 + entries.count * 200)
        try JSONValue.object([
            JSONMember("format", .string(formatName)),
            JSONMember("account", .string(state.accountID)),
            JSONMember("seq", .integer(Int64(clamping: state.seq))),
            JSONMember("created_at", .string(state.createdAt.description)),
            JSONMember("updated_at", .string(state.updatedAt.description)),
            JSONMember("cash", .real(state.cash.doubleValue)),
            JSONMember("net_deposits", .real(state.netDeposits.doubleValue)),
            JSONMember("realized_pnl", .real(state.realizedPnL.doubleValue)),
        ]).write(.indented, to: &text)
        text.removeLast(2)  // "\n}": the object goes on
        text.append(contentsOf: ",\n  \"positions\": {".utf8)
        append(positions.lazy.map(\.text), to: &text, indent: "    ", end: "  ")
        text.append(contentsOf: "},\n  \"queued_opportunities\": [".utf8)
        append(entries.lazy.map(\.text), to: &text, indent: "    ", end: "  ")
        text.append(contentsOf: "],\n  \"signals\": ".utf8)
        text.append(contentsOf: try signalsText(state.signals))
        text.append(contentsOf: ",\n  \"cycles\": ".utf8)
        text.append(contentsOf: try cyclesText(state.cycles))
        text.append(contentsOf: ",\n  \"journal\": ".utf8)
        try JSONValue.object([
            JSONMember("generation", .integer(Int64(reference.generation))),
            JSONMember("lines", .integer(Int64(reference.position.lineCount))),
            JSONMember("offset", .integer(reference.position.offset)),
            JSONMember("crc", .string(hexadecimal(reference.position.crc))),
            JSONMember("durable_seq", .integer(Int64(clamping: reference.durableSeq))),
            JSONMember("durable_offset", .integer(reference.durableOffset)),
            JSONMember("rules_offset", .integer(reference.rulesOffset)),
        ]).write(.line, to: &text)
        let checksum = text.withUnsafeBytes { CRC32C.checksum($0) }
        text.append(contentsOf: checksumPrefix.utf8)
        text.append(contentsOf: hexadecimal(checksum).utf8)
        text.append(contentsOf: checksumSuffix.utf8)
        return text
    }

    private func append(_ texts: some Sequence<[UInt8]>, to text: inout [UInt8], indent: String, end: String) {
        var isFirst = true
        for element in texts {
            text.append(contentsOf: (isFirst ? "\n" : ",\n").utf8)
            text.append(contentsOf: indent.utf8)
            text.append(contentsOf: element)
            isFirst = false
        }
        if !isFirst {
            text.append(contentsOf: "\n".utf8)
            text.append(contentsOf: end.utf8)
        }
    }

    /// Both lists are ordered by symbol: walks them side by side and keeps the text of every position that is as it was.
    private mutating func updatePositions(_ new: [Position]) throws(StorageError) {
        var updated: [(position: Position, text: [UInt8])] = []
        updated.reserveCapacity(new.count)
        var index = 0
        for position in new {
            while index < positions.count && positions[index].position.symbol < position.symbol { index += 1 }
            if index < positions.count && positions[index].position == position {
                updated.append(positions[index])
            } else {
                updated.append((position, try text(of: position)))
            }
        }
        positions = updated
    }

    private mutating func updateEntries(_ new: [QueueEntry]) throws(StorageError) {
        var updated: [(entry: QueueEntry, text: [UInt8])] = []
        for entry in new {
            if let known = entries.first(where: { $0.entry.seq == entry.seq }), known.entry == entry {
                updated.append(known)
            } else {
                updated.append((entry, try text(of: entry)))
            }
        }
        entries = updated
    }

    /// Signals change with a monitoring cycle and not with a trade, so they are kept as one text.
    private mutating func signalsText(_ known: [KnownSignal]) throws(StorageError) -> [UInt8] {
        guard known != signals.known else { return signals.text }
        var text = Array("{".utf8)
        append(
            try known.map { (signal) throws(StorageError) in try signal.portfolioText() }, to: &text, indent: "    ", end: "  ")
        text.append(UInt8(ascii: "}"))
        signals = (known, text)
        return text
    }

    private mutating func cyclesText(_ log: CycleLog) throws(StorageError) -> [UInt8] {
        if let cycles, cycles.log == log { return cycles.text }
        let text = try log.portfolioText()
        cycles = (log, text)
        return text
    }

    private func text(of position: Position) throws(StorageError) -> [UInt8] {
        var text = Array("\"\(position.symbol)\": ".utf8)
        try JSONValue.object([
            JSONMember("shares", .real(position.shares.doubleValue)),
            JSONMember("cost_basis", position.costBasis.map { .real($0.doubleValue) } ?? .null),
            JSONMember("cost", .real(position.cost.doubleValue)),
            JSONMember("first_purchase_date", .string(position.firstPurchaseDate.description)),
        ]).write(.line, to: &text)
        return text
    }

    private func text(of entry: QueueEntry) throws(StorageError) -> [UInt8] {
        let opportunity = entry.opportunity
        var text: [UInt8] = []
        try JSONValue.object([
            JSONMember("symbol", .string(opportunity.symbol.description)),
            JSONMember("queued_at", .string(entry.queuedAt.description)),
            JSONMember("signal", .string(opportunity.signal.description)),
            JSONMember("score", .real(opportunity.score.doubleValue)),
            JSONMember("price", opportunity.price.map { .real($0.doubleValue) } ?? .null),
            JSONMember("reason", opportunity.reason.map { .string($0.description) } ?? .null),
            JSONMember("seq", .integer(Int64(clamping: entry.seq))),
        ]).write(.line, to: &text)
        return text
    }
}

extension Portfolio {
    /// The most bytes that portfolio.json may have: a hundred thousand positions and more.
    static let maximumByteCount = 64 << 20

    init(_ text: [UInt8]) throws(PortfolioProblem) {
        guard text.contains(where: { $0 != 0 }) else { throw .empty }
        guard Self.hasRightChecksum(text) else { throw .edited }
        let parsed = text.withUnsafeBytes { bytes in Result { () throws(JSONError) in try JSONValue(parsing: bytes) } }
        guard case .success(let root) = parsed else { throw .edited }
        guard let format = root["format"]?.text else { throw .edited }
        guard format == formatName else { throw .newerFormat(format) }
        guard let portfolio = Portfolio(root) else { throw .edited }
        self = portfolio
    }

    /// Whether the text ends in the checksum of what stands before it.
    static func hasRightChecksum(_ text: [UInt8]) -> Bool {
        let count = checksumPrefix.utf8.count + 8 + checksumSuffix.utf8.count
        guard text.count > count else { return false }
        let end = text.suffix(count)
        guard end.starts(with: checksumPrefix.utf8), end.suffix(checksumSuffix.utf8.count).elementsEqual(checksumSuffix.utf8),
            let checksum = checksumValue(end.dropFirst(checksumPrefix.utf8.count).prefix(8))
        else { return false }
        return text.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0.dropLast(count))) } == checksum
    }

    private init?(_ root: JSONValue) {
        guard let account = root["account"]?.text, let seq = root["seq"]?.unsigned, let createdAt = root["created_at"]?.timestamp,
            let updatedAt = root["updated_at"]?.timestamp, let cash: Money = root["cash"]?.amount(),
            let netDeposits: Money = root["net_deposits"]?.amount(), let realizedPnL: Money = root["realized_pnl"]?.amount(),
            case .object(let positions)? = root["positions"], case .array(let entries)? = root["queued_opportunities"],
            case .object(let signals)? = root["signals"], let cycles = root["cycles"].flatMap(CycleLog.init(portfolio:)),
            let journal = root["journal"], let generation = journal["generation"]?.unsigned.flatMap(UInt32.init(exactly:)),
            let lines = journal["lines"]?.unsigned, let offset = journal["offset"]?.unsigned,
            let crc = (journal["crc"]?.text).flatMap({ checksumValue($0.utf8) }),
            let durableSeq = journal["durable_seq"]?.unsigned,
            let durableOffset = journal["durable_offset"]?.unsigned, let rulesOffset = journal["rules_offset"]?.unsigned
        else { return nil }
        state = AccountState()
        state.accountID = account
        state.generation = generation
        state.seq = seq
        state.createdAt = createdAt
        state.updatedAt = updatedAt
        state.cash = cash
        state.netDeposits = netDeposits
        state.realizedPnL = realizedPnL
        for member in positions {
            guard let symbol = try? Symbol(member.name), let shares: Shares = member.value["shares"]?.amount(),
                let cost: Money = member.value["cost"]?.amount(), let date = member.value["first_purchase_date"]?.timestamp
            else { return nil }
            state.setPosition(Position(symbol: symbol, shares: shares, cost: cost, firstPurchaseDate: date))
        }
        for value in entries {
            guard let entry = QueueEntry(value) else { return nil }
            state.queue.append(entry)
        }
        for member in signals {
            guard let known = KnownSignal(portfolio: member) else { return nil }
            state.setSignal(known)
        }
        state.cycles = cycles
        reference = JournalReference(
            position: JournalPosition(
                offset: Int64(clamping: offset), lineCount: Int(clamping: lines), seq: seq, crc: crc, acceptsAnyLink: false),
            generation: generation, durableSeq: durableSeq, durableOffset: Int64(clamping: durableOffset),
            rulesOffset: Int64(clamping: rulesOffset))
    }
}

extension QueueEntry {
    fileprivate init?(_ value: JSONValue) {
        guard let symbol = (value["symbol"]?.text).flatMap({ try? Symbol($0) }), let queuedAt = value["queued_at"]?.timestamp,
            let signal = (value["signal"]?.text).flatMap({ Signal($0) }), let score: Rate = value["score"]?.amount(),
            let seq = value["seq"]?.unsigned
        else { return nil }
        let price: Price? = value["price"]?.amount()
        let reason = (value["reason"]?.text).flatMap { try? Text($0, field: "reason") }
        guard let opportunity = try? Opportunity(symbol: symbol, signal: signal, score: score, price: price, reason: reason)
        else {
            return nil
        }
        self.init(seq: seq, queuedAt: queuedAt, opportunity: opportunity)
    }
}

extension JSONValue {
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var unsigned: UInt64? {
        if case .integer(let value) = self { UInt64(exactly: value) } else { nil }
    }

    var timestamp: Timestamp? { text.flatMap { Timestamp($0) } }

    /// An exact amount: a number, whole or not.
    func amount<Value: Amount>() -> Value? {
        switch self {
        case .real(let value): try? Value(value)
        case .integer(let value):
            value.magnitude <= UInt64(amountLimit / microsPerUnit) ? Value(micros: value * microsPerUnit) : nil
        default: nil
        }
    }
}
