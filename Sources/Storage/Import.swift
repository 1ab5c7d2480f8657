import Ledger

/// Taking over an account of the Python system that this library descends from: `paper_portfolio.json`, and beside it, if they
/// exist, `transaction_log.json` and `buy_queue.json`. They are only read.
///
/// Its numbers are floats with their noise, and become whole millionths: 99.99999999999999 becomes 100, and is reported. Its times
/// are ISO 8601; one without a zone is taken as UTC, because the files do not say which zone their machine was in.
///
/// What a position cost is shares × cost_basis of the file, rounded once. Net deposits are not in the files. If the transaction
/// log leads from its first trade to this very portfolio, they are the cash before that trade; else they are taken to be cash +
/// cost, with no profit realized so far, and a note says so.
public enum Import {
    /// Reads the files.
    ///
    /// - Parameter path: of `paper_portfolio.json`, whatever its name is here.
    /// - Throws: ``StorageError`` of kind `invalidImport` naming file, line, place, value and what was expected, or the kind of what
    ///   the system said.
    public static func read(oldPortfolio path: String, system: any System) throws(StorageError) -> ImportedAccount {
        let files = try OldFiles(oldPortfolio: path, system: system)
        var reader = ImportReader()
        guard let document = try files.document(files.portfolioName) else {
            throw StorageError(.invalidImport, "there is no \(escaped(path)): give the path of paper_portfolio.json")
        }
        var account = try reader.portfolio(document.root)
        account.restsOn = files.portfolioName
        if let document = try files.document(OldFiles.queueName) {
            account.queue = try reader.queue(document.root)
            account.restsOn += ", " + OldFiles.queueName
        }
        let log = try files.document(OldFiles.logName)
        if let log {
            account.trades = try reader.trades(log.root)
            account.restsOn += ", " + OldFiles.logName
        }
        let count = account.positions.count + account.queue.count + account.trades.count
        guard count <= maximumEventCount else {
            throw StorageError(
                .invalidImport,
                "\(escaped(path)) and the files beside it hold \(count) positions, queue entries and trades, more than the "
                    + "\(maximumEventCount) that can be taken over: import a copy whose \(OldFiles.logName) is shorter or absent")
        }
        try account.settle(hasLog: log != nil, &reader.notes, path: path)
        account.roundings = reader.roundings
        account.notes = reader.notes
        return account
    }

    /// The most that is taken over: one commit, less the start and its rules.
    static let maximumEventCount = Draft.maximumCount - 2

    /// The event that starts the account.
    public static func start(_ imported: ImportedAccount, accountID: String) -> Start {
        Start(
            kind: .takeOver, accountID: accountID, generation: 1, createdAt: imported.createdAt, cash: imported.cash,
            netDeposits: imported.netDeposits, realizedPnL: imported.realizedPnL, restsOn: imported.restsOn)
    }

    /// The events that follow the start and the rules: positions, queue, past trades, with the time of each.
    ///
    /// An entry of the queue is identified by the event that queued it. Here that is the event which takes it over, so its number
    /// has to be known beforehand.
    ///
    /// - Parameters:
    ///   - seq: the last event before these; 2 when they follow the start and the rules of a new account.
    ///   - time: of the take-over. A past trade keeps its own time.
    public static func events(
        _ imported: ImportedAccount, after seq: UInt64 = 2, time: Timestamp
    ) -> [(event: Event, time: Timestamp)] {
        var events: [(event: Event, time: Timestamp)] = imported.positions.map { (.tookOverPosition($0), time) }
        for entry in imported.queue {
            let ownSeq = seq + UInt64(events.count) + 1
            let entry = QueueEntry(seq: ownSeq, queuedAt: entry.queuedAt, opportunity: entry.opportunity)
            events.append((.tookOverOpportunity(entry), time))
        }
        return events + imported.trades.map { (.tookOverTrade($0.trade), $0.time) }
    }
}

/// What the files of the older system say, in exact amounts.
///
/// cash + total cost = net deposits + realized P&L.
public struct ImportedAccount: Equatable, Sendable {
    public struct Opportunity: Equatable, Sendable {
        public let queuedAt: Timestamp
        public let opportunity: Ledger.Opportunity
    }

    public struct Trade: Equatable, Sendable {
        public let time: Timestamp
        public let trade: PastTrade
    }

    public internal(set) var createdAt: Timestamp
    public internal(set) var cash: Money
    public internal(set) var netDeposits = Money.zero
    public internal(set) var realizedPnL = Money.zero
    /// Ordered by symbol.
    public internal(set) var positions: [Position]
    /// In the order of the file.
    public internal(set) var queue: [Opportunity] = []
    /// In the order of the file.
    public internal(set) var trades: [Trade] = []
    /// The names of the files that were read.
    public internal(set) var restsOn = ""
    /// One for each value that was not a whole number of millionths: `cash 99.99999999999999 became 100.0`.
    public internal(set) var roundings: [String] = []
    /// What else had to be decided: where net deposits come from, positions of no size that were left out.
    public internal(set) var notes: [String] = []

    init(createdAt: Timestamp, cash: Money, positions: [Position]) {
        self.createdAt = createdAt
        self.cash = cash
        self.positions = positions
    }

    /// Sets net deposits and realized P&L.
    fileprivate mutating func settle(hasLog: Bool, _ notes: inout [String], path: String) throws(StorageError) {
        let worth = positions.reduce(Int128(cash.micros)) { $0 + Int128($1.cost.micros) }
        guard let worth = Int64(exactly: worth).flatMap(Money.init(micros:)) else {
            throw StorageError(
                .invalidImport, "\(escaped(path)): cash and the cost of all positions together are beyond 999999999.999999")
        }
        let why: String
        if !hasLog {
            why = "there is no \(OldFiles.logName)"
        } else {
            switch TradeReplay.openingCash(of: trades, leadingTo: self) {
            case .success(let opening):
                if let profit = worth.subtracting(opening) {
                    netDeposits = opening
                    realizedPnL = profit
                    return
                }
                why = "\(OldFiles.logName) begins with cash of \(opening)"
            case .failure(let mismatch): why = mismatch.reason
            }
        }
        netDeposits = worth
        notes.append("\(why): net deposits are taken to be cash + cost, \(worth), and realized P&L to be 0.0")
    }
}

/// The transaction log, played from its first trade to its last.
private enum TradeReplay {
    /// Why the log does not lead to the portfolio.
    struct Mismatch: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    /// The old system added floats; its own sums are off by less.
    private static let cent: Int128 = 10_000

    /// The cash before the first trade, if the trades lead from there to the account's cash, within a cent, and to its shares.
    static func openingCash(
        of trades: [ImportedAccount.Trade], leadingTo account: ImportedAccount
    ) -> Result<Money, Mismatch> {
        guard let first = trades.first?.trade else { return .failure(Mismatch("\(OldFiles.logName) has no trades")) }
        guard let cashAfter = first.cashAfter else {
            return .failure(Mismatch("the first trade of \(OldFiles.logName) has no cash_after"))
        }
        guard let opening = first.isBuy ? cashAfter.adding(first.total) : cashAfter.subtracting(first.total), !opening.isNegative
        else {
            return .failure(Mismatch("the first trade of \(OldFiles.logName) gives no cash to begin with"))
        }
        var cash = Int128(opening.micros)
        // Sums of up to 65,534 amounts; each trade's shares may have been rounded, so that much may be missing.
        var held: [Symbol: (shares: Int128, trades: Int128)] = [:]
        for (index, trade) in trades.lazy.map(\.trade).enumerated() {
            cash += Int128(trade.isBuy ? -trade.total.micros : trade.total.micros)
            var holding = held[trade.symbol] ?? (0, 0)
            holding.shares += Int128(trade.isBuy ? trade.shares.micros : -trade.shares.micros)
            holding.trades += 1
            guard holding.shares >= -holding.trades else {
                return .failure(
                    Mismatch(
                        "entry \(index + 1) of \(OldFiles.logName) sells more \(trade.symbol) than the entries before it bought"))
            }
            held[trade.symbol] = holding
        }
        guard (cash - Int128(account.cash.micros)).magnitude <= cent.magnitude else {
            return .failure(Mismatch("\(OldFiles.logName) does not lead to the cash of \(account.cash)"))
        }
        for position in account.positions {
            let holding = held.removeValue(forKey: position.symbol) ?? (0, 0)
            guard (holding.shares - Int128(position.shares.micros)).magnitude <= holding.trades.magnitude else {
                return .failure(
                    Mismatch("\(OldFiles.logName) does not lead to the \(position.shares) shares of \(position.symbol)"))
            }
        }
        let leftOver = held.filter { $0.value.shares.magnitude > $0.value.trades.magnitude }.keys.min()
        if let leftOver {
            return .failure(Mismatch("\(OldFiles.logName) leads to a position in \(leftOver), which is not there"))
        }
        return .success(opening)
    }
}

/// The files of the older system, all in one directory.
struct OldFiles {
    static let logName = "transaction_log.json"
    static let queueName = "buy_queue.json"
    /// The most bytes that one of them can have.
    static let maximumByteCount = 32 << 20

    let portfolioName: String
    private let directory: AccountDirectory
    /// The path given, up to the name.
    private let prefix: String

    init(oldPortfolio path: String, system: any System) throws(StorageError) {
        let nameStart = path.utf8.lastIndex(of: UInt8(ascii: "/")).map(path.utf8.index(after:)) ?? path.startIndex
        portfolioName = String(path[nameStart...])
        prefix = String(path[..<nameStart])
        guard !portfolioName.isEmpty else {
            throw StorageError(.invalidImport, "\"\(escaped(path))\" names no file: give the path of paper_portfolio.json")
        }
        var directoryPath =
            prefix.isEmpty ? try attempt("find", ".") { () throws(Errno) in try system.currentDirectory() } : prefix
        while directoryPath.utf8.count > 1, directoryPath.utf8.last == UInt8(ascii: "/") { directoryPath.removeLast() }
        do throws(StorageError) {
            directory = try AccountDirectory(
                path: directoryPath, system: system, creating: false, isReadOnly: true, allowsNetwork: true)
        } catch {
            guard error.kind == .noAccount else { throw error }
            throw StorageError(
                .invalidImport, "there is no directory \(escaped(directoryPath)): give the path of paper_portfolio.json",
                errno: error.errno)
        }
    }

    /// The contents of a file, `nil` if there is none.
    func document(_ name: String) throws(StorageError) -> JSONDocument? {
        let path = prefix + name
        guard let status = try directory.status(name) else { return nil }
        guard status.kind == .regular else {
            throw StorageError(.invalidImport, "\(escaped(path)) is not a regular file: give the path of the file itself")
        }
        guard status.size <= Int64(Self.maximumByteCount) else {
            throw StorageError(
                .invalidImport,
                "\(escaped(path)) has \(status.size) bytes, more than the \(Self.maximumByteCount) that it can have")
        }
        guard let text = try directory.contents(name, limit: Self.maximumByteCount) else { return nil }
        return try JSONDocument(text, path: path, kind: .invalidImport, maximumByteCount: Self.maximumByteCount)
    }
}
