import Ledger

/// What portfolio.json says about the journal it was made from.
struct JournalReference: Equatable, Sendable {
    var position: JournalPosition
    var generation: UInt32
    /// The last event known to be on the disk, and the end of its line.
    var durableSeq: UInt64
    var durableOffset: Int64
    /// Where the line stands that put the rules in force; 0 if there is none.
    var rulesOffset: Int64

    /// Whether nothing is on the disk that is not in the journal.
    var isInOrder: Bool { durableSeq <= position.seq && durableOffset <= position.offset }
}

/// The contents of portfolio.json: a view of the account for anyone to read, replaced whole by every commit.
struct Portfolio {
    /// Without the rules, which are in the journal only.
    var state: AccountState
    var reference: JournalReference
}

/// Why portfolio.json cannot be used.
enum PortfolioProblem: Error, Equatable {
    /// No bytes, or nothing but zeros: what a power cut can leave.
    case empty
    /// Not what this library writes: somebody edited it, or it was cut.
    case edited
    case newerFormat(String)
    /// It could not be read, whatever it is.
    case noMemory
}

/// The checksum covers every byte before these.
private let checksumPrefix = Array(",\n  \"checksum\": \"crc32c:".utf8)
private let checksumSuffix = Array("\"\n}\n".utf8)

/// Writes portfolio.json again and again, encoding only what changed.
///
/// What most commits change is written by hand, the rest by jansson.
struct PortfolioWriter: ~Copyable {
    /// What was written last, and beside it how.
    private var positions: [Position] = []
    /// Each position as `,\n    "AAPL": {…}`, one behind the other, and where each of them ends.
    private var positionsText: [UInt8] = []
    private var positionEnds: [Int] = []
    private var queue: [QueueEntry] = []
    private var queueTexts: [[UInt8]] = []
    private var signals: [KnownSignal] = []
    private var signalsText = Array("{}".utf8)
    private var cycles: CycleLog?
    private var cyclesText: [UInt8] = []
    /// Kept for its memory.
    private var text = LineWriter(capacity: 4096)
    /// How many bytes were written last.
    var count: Int { text.count }

    mutating func write(_ state: AccountState, _ reference: JournalReference) throws(StorageError) -> [UInt8] {
        try update(state)
        return text(of: state, reference)
    }

    /// Writes the parts that have changed.
    mutating func update(_ state: AccountState) throws(StorageError) {
        updatePositions(state.positions)
        if queue != state.queue { try updateQueue(state.queue) }
        if signals != state.signals { try updateSignals(state.signals) }
        if cycles != state.cycles {
            cyclesText = try state.cycles.portfolioText()
            cycles = state.cycles
        }
        // What nobody could read again must not become the account.
        let queueCount = queueTexts.reduce(0) { $0 + $1.count + 8 }
        guard positionsText.count + queueCount + signalsText.count + cyclesText.count < Portfolio.maximumByteCount - 4096 else {
            throw StorageError(
                .noSpace,
                "\(AccountFile.portfolio) would have more than \(Portfolio.maximumByteCount) bytes, the most it can have: make room in the queue"
            )
        }
    }

    /// Puts the parts together: all of portfolio.json, for the state that was given to ``update(_:)`` last.
    mutating func text(of state: AccountState, _ reference: JournalReference) -> [UInt8] {
        text.removeAll()
        text.beginObject(.indented)
        text.member("format", formatName)
        text.member("account", state.accountID)
        text.member("seq", state.seq)
        text.member("created_at", state.createdAt)
        text.member("updated_at", state.updatedAt)
        text.member("cash", state.cash)
        text.member("net_deposits", state.netDeposits)
        text.member("realized_pnl", state.realizedPnL)
        text.appendRaw(",\n  \"positions\": {")
        // The first one has no comma before it.
        text.appendRaw(positionsText.dropFirst())
        text.appendRaw(positions.isEmpty ? "}" : "\n  }")
        text.appendRaw(",\n  \"queued_opportunities\": [")
        text.appendList(queueTexts)
        text.appendRaw("],\n  \"signals\": ")
        text.appendRaw(signalsText)
        text.appendRaw(",\n  \"cycles\": ")
        text.appendRaw(cyclesText)
        text.appendRaw(",\n  \"journal\": ")
        text.beginObject(.spaced)
        text.member("generation", UInt64(reference.generation))
        text.member("lines", UInt64(reference.position.lineCount))
        text.member("offset", UInt64(clamping: reference.position.offset))
        text.member("crc", checksum: reference.position.crc)
        text.member("durable_seq", reference.durableSeq)
        text.member("durable_offset", UInt64(clamping: reference.durableOffset))
        text.member("rules_offset", UInt64(clamping: reference.rulesOffset))
        text.endObject()
        let checksum = text.withUnsafeBytes { CRC32C.checksum($0) }
        text.appendRaw(checksumPrefix)
        text.appendHexadecimal(checksum)
        text.appendRaw(checksumSuffix)
        return text.bytes
    }

    /// Both lists are ordered by symbol: walks them side by side and keeps the text of every position that is as it was.
    private mutating func updatePositions(_ new: [Position]) {
        // Nearly always the symbols are those of the last time.
        var index = 0
        while index < new.count, index < positions.count {
            if positions[index] != new[index] {
                if positions[index].symbol != new[index].symbol { break }
                replacePosition(index, with: new[index])
            }
            index += 1
        }
        if index == new.count && index == positions.count { return }
        let (known, knownText, knownEnds) = (positions, positionsText, positionEnds)
        positionsText.removeSubrange((index == 0 ? 0 : knownEnds[index - 1])...)
        positionEnds.removeSubrange(index...)
        var place = index
        for position in new[index...] {
            while place < known.count && known[place].symbol < position.symbol { place += 1 }
            if place < known.count && known[place] == position {
                positionsText += knownText[(place == 0 ? 0 : knownEnds[place - 1])..<knownEnds[place]]
            } else {
                positionsText += text(of: position)
            }
            positionEnds.append(positionsText.count)
        }
        positions = new
    }

    private mutating func replacePosition(_ index: Int, with position: Position) {
        let range = (index == 0 ? 0 : positionEnds[index - 1])..<positionEnds[index]
        let new = text(of: position)
        positionsText.replaceSubrange(range, with: new)
        if new.count != range.count {
            for later in index..<positionEnds.count { positionEnds[later] += new.count - range.count }
        }
        positions[index] = position
    }

    private mutating func updateQueue(_ new: [QueueEntry]) throws(StorageError) {
        var texts: [[UInt8]] = []
        for entry in new {
            if let place = queue.firstIndex(where: { $0.seq == entry.seq }), queue[place] == entry {
                texts.append(queueTexts[place])
            } else {
                texts.append(try text(of: entry))
            }
        }
        queue = new
        queueTexts = texts
    }

    /// Signals change with a monitoring cycle and not with a trade, so they are kept as one text.
    private mutating func updateSignals(_ new: [KnownSignal]) throws(StorageError) {
        var text = LineWriter()
        text.appendRaw("{")
        text.appendList(try new.map { (signal) throws(StorageError) in try signal.portfolioText() })
        text.appendRaw("}")
        signals = new
        signalsText = text.bytes
    }

    private func text(of position: Position) -> [UInt8] {
        var text = LineWriter(capacity: 160)
        text.appendRaw(",\n    ")
        text.appendSymbol(position.symbol)
        text.appendRaw(": ")
        text.beginObject(.spaced)
        text.member("shares", position.shares)
        if let costBasis = position.costBasis { text.member("cost_basis", costBasis) } else { text.memberNull("cost_basis") }
        text.member("cost", position.cost)
        text.member("first_purchase_date", position.firstPurchaseDate)
        text.endObject()
        return text.bytes
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

extension LineWriter {
    /// The elements of a list or object that is a member of the outermost object: one a line.
    fileprivate mutating func appendList(_ texts: [[UInt8]]) {
        var isFirst = true
        for text in texts {
            appendRaw(isFirst ? "\n    " : ",\n    ")
            appendRaw(text)
            isFirst = false
        }
        if !isFirst { appendRaw("\n  ") }
    }
}

extension Portfolio {
    /// The most bytes that portfolio.json may have: a hundred thousand positions and more.
    static let maximumByteCount = 64 << 20

    init(_ text: [UInt8]) throws(PortfolioProblem) {
        guard text.contains(where: { $0 != 0 }) else { throw .empty }
        guard Self.hasRightChecksum(text) else { throw .edited }
        let parsed = text.withUnsafeBytes { bytes in Result { () throws(JSONError) in try JSONValue(parsing: bytes) } }
        if case .failure(let error) = parsed, error.isOutOfMemory { throw .noMemory }
        guard case .success(let root) = parsed else { throw .edited }
        guard let format = root["format"]?.text else { throw .edited }
        guard format == formatName else { throw .newerFormat(format) }
        guard let portfolio = Portfolio(root) else { throw .edited }
        self = portfolio
    }

    /// What the text says; `nil` if it cannot be used.
    ///
    /// - Throws: ``StorageError`` if there is no memory to read it.
    static func usable(_ text: [UInt8]) throws(StorageError) -> Portfolio? {
        do throws(PortfolioProblem) {
            return try Portfolio(text)
        } catch {
            if error == .noMemory { throw StorageError(.noMemory, "no memory to read \(AccountFile.portfolio)") }
            return nil
        }
    }

    /// Whether the text ends in the checksum of what stands before it.
    static func hasRightChecksum(_ text: [UInt8]) -> Bool {
        let count = checksumPrefix.count + 8 + checksumSuffix.count
        guard text.count > count else { return false }
        let end = text.suffix(count)
        guard end.starts(with: checksumPrefix), end.suffix(checksumSuffix.count).elementsEqual(checksumSuffix),
            let checksum = checksumValue(end.dropFirst(checksumPrefix.count).prefix(8))
        else { return false }
        return text.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0.dropLast(count))) } == checksum
    }

    private init?(_ root: JSONValue) {
        guard let account = root["account"]?.text, let seq = root["seq"]?.count, let createdAt = root["created_at"]?.timestamp,
            let updatedAt = root["updated_at"]?.timestamp, let cash: Money = root["cash"]?.amount(),
            let netDeposits: Money = root["net_deposits"]?.amount(), let realizedPnL: Money = root["realized_pnl"]?.amount(),
            case .object(let positions)? = root["positions"], case .array(let entries)? = root["queued_opportunities"],
            case .object(let signals)? = root["signals"], let cycles = root["cycles"].flatMap(CycleLog.init(portfolio:)),
            let journal = root["journal"], let generation = journal["generation"]?.unsigned.flatMap(UInt32.init(exactly:)),
            generation <= largestGeneration, let lines = journal["lines"]?.count, let offset = journal["offset"]?.count,
            let crc = (journal["crc"]?.text).flatMap({ checksumValue($0.utf8) }),
            let durableSeq = journal["durable_seq"]?.count,
            let durableOffset = journal["durable_offset"]?.count, let rulesOffset = journal["rules_offset"]?.count
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

    /// A whole number that can be counted on from: a seq, a number of lines or bytes.
    var count: UInt64? { unsigned.flatMap { $0 <= largestSeq ? $0 : nil } }

    var timestamp: Timestamp? {
        guard var text else { return nil }
        // Nearly always it is as the library writes it.
        return text.withUTF8 { Timestamp(fixed: UnsafeRawBufferPointer($0)) } ?? Timestamp(text)
    }

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
