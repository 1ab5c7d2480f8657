import Ledger
import Storage

extension Account {
    /// Starts the account over with `initialCash`, or what `config.json` says, and nothing else. The journal so far is sealed as
    /// `journal-<generation>.jsonl` and kept. seq goes on.
    ///
    /// - Throws: `invalidAmount` for a negative amount, `misuse` inside a batch, and the errors of any change.
    @discardableResult
    public func reset(initialCash: Money? = nil, _ request: RequestOptions = RequestOptions()) throws(PaperTradeError) -> Receipt
    {
        try checkUsable(isReading: false)
        try Self.check(initialCash)
        guard !(gate.isInside && batch != nil) else { throw PaperTradeError(.misuse, "a reset is not allowed inside a batch") }
        let (id, note, time) = try content(of: request)
        let receipt = try criticalSection(deadline(nil)) { () throws(StorageError) in
            try view.withLock { _ throws(StorageError) in
                try store.catchUp(isLocked: true)
                if let id, let found = try store.find(id) {
                    guard found.record.isReset(to: initialCash), found.record.note == note else {
                        throw StorageError(.requestConflict(id: id, seq: found.record.seq))
                    }
                    return Receipt(record: found.record, isRepeated: true, isProvisional: false)
                }
                if let expected = request.expectedSeq, expected != store.state.seq {
                    throw StorageError(.sequenceMismatch(expected: expected, actual: store.state.seq))
                }
                let rules = try wantedRules() ?? store.state.rules
                let records = try resetRecords(initialCash ?? rules.initialCash, rules, time: time, id: id, note: note)
                try store.startGeneration(records)
                return Receipt(record: records[0], isRepeated: false, isProvisional: false)
            }
        }
        try finish(through: unlessDurable(receipt.seq))
        return receipt
    }

    private func resetRecords(
        _ cash: Money, _ rules: Rules, time: Timestamp, id: RequestID?, note: Text?
    ) throws(StorageError) -> [Record] {
        let state = store.state
        let start = Start(
            kind: .reset, accountID: state.accountID, generation: state.generation + 1, createdAt: state.createdAt, cash: cash,
            netDeposits: cash, realizedPnL: .zero)
        var draft = newDraft()
        return try refusing { () throws(Refusal) in
            try draft.append(.started(start), time: time, id: id, note: note)
            try draft.append(.acceptedRules(rules), time: time, id: nil, note: nil)
            return draft.records
        }
    }

    /// Writes a consistent copy of the account, with its sealed journals and `config.json`, to `destination`, which must not exist or
    /// be an empty directory. Holds the account's lock meanwhile; the copy is on the disk when the call returns.
    ///
    /// - Throws: `exists`, `misuse` inside a batch, and the errors of any change.
    public func backUp(to destination: String) throws(PaperTradeError) {
        try checkUsable(isReading: false)
        guard !(gate.isInside && batch != nil) else { throw PaperTradeError(.misuse, "a backup is not allowed inside a batch") }
        try criticalSection(deadline(nil)) { () throws(StorageError) in
            try view.withLock { _ throws(StorageError) in
                try store.catchUp(isLocked: true)
                try store.backUp(to: destination)
            }
        }
        logNotices()
    }

    /// Proves the account in `path` from its journals: every checksum and link, every event computed again from the one before, the
    /// invariant cash + total cost = net deposits + realized P&L after each, and `portfolio.json` against the result. Takes no lock and
    /// changes nothing. What is wrong is in the report.
    public static func verify(_ path: String, system: any System = SystemCalls()) throws(PaperTradeError) -> VerifyReport {
        try translated { () throws(StorageError) in try verifyAccount(path: path, system: system) }
    }

    /// Rescues a damaged account: takes the longest good part of the journal, or `portfolio.json` where that is newer and whole, and
    /// starts a new generation that says what it rests on. Every old file is kept under another name. Events after the damage are lost to
    /// the account, and the request ids of before are forgotten: look into the kept file before you repeat a request. Changes nothing, and
    /// reports seq 0, if nothing was wrong.
    ///
    /// - Throws: `uncertain` if it was begun and not finished: recover again; and the errors of opening.
    public static func recover(_ path: String, options: Options = Options()) throws(PaperTradeError) -> RecoverReport {
        var storeOptions = StoreOptions()
        storeOptions.allowsNetwork = options.allowsNetwork
        let deadline = Deadline(timeoutMilliseconds: options.lockTimeoutMilliseconds, system: options.system)
        return try translated { () throws(StorageError) in
            try recoverAccount(path: path, system: options.system, options: storeOptions, deadline: deadline)
        }
    }

    /// Makes a new account in `path` from the files of the Python system that this library descends from: `oldPortfolio` names its
    /// `paper_portfolio.json`; `transaction_log.json` and `buy_queue.json` are taken from beside it if they exist. The originals are not
    /// changed. What had to be rounded is in the report, and in the log.
    ///
    /// - Throws: `exists` if `path` holds an account, `invalidImport` with file, place and reason, and the errors of opening.
    public static func importing(
        _ oldPortfolio: String, into path: String, options: Options = Options()
    ) throws(PaperTradeError) -> ImportReport {
        let imported = try translated { () throws(StorageError) in
            try Import.read(oldPortfolio: oldPortfolio, system: options.system)
        }
        var options = options
        options.isReadOnly = false
        options.createsIfMissing = true
        let account = try Account(path, options: options, importing: imported)
        defer { account.close() }
        for message in imported.roundings + imported.notes { options.log?(.info, "import: \(message)") }
        // What was read when it was opened: nothing can fail any more.
        return ImportReport(imported, seq: account.view.withLock { _ in account.store.state.seq })
    }
}

/// What an import took over.
public struct ImportReport: Sendable {
    public let positionCount: Int
    public let queuedCount: Int
    public let transactionCount: Int
    public let cash: Money
    public let netDeposits: Money
    public let realizedPnL: Money
    /// The last event of the new account.
    public let seq: UInt64
    /// Values that were not whole millionths: "cash 99.99999999999999 became 100.0".
    public let roundings: [String]
    /// What else is worth knowing.
    public let notes: [String]

    init(_ imported: ImportedAccount, seq: UInt64) {
        positionCount = imported.positions.count
        queuedCount = imported.queue.count
        transactionCount = imported.trades.count
        cash = imported.cash
        netDeposits = imported.netDeposits
        realizedPnL = imported.realizedPnL
        self.seq = seq
        roundings = imported.roundings
        notes = imported.notes
    }
}

extension Record {
    fileprivate func isReset(to cash: Money?) -> Bool {
        guard case .started(let start) = event, start.kind == .reset else { return false }
        return cash == nil || start.cash == cash
    }
}
