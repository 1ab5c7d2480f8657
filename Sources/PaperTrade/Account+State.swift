import Ledger
import Storage

/// Reading. These calls take no lock, but for ``Account/findRequest(_:)``; each one first reads what other processes have committed
/// since. Inside a batch its own thread sees the batch's provisional state. They throw `closed`, `forked`, `io`, `corrupt`,
/// `missingData` and `replaced`.
extension Account {
    /// The account's state as of now.
    func read<Result>(_ body: (AccountState) -> Result) throws(PaperTradeError) -> Result {
        try checkUsable(isReading: true)
        if gate.isInside, let batch { return body(batch.draft.state) }
        return try translated { () throws(StorageError) in
            try view.withLock { _ throws(StorageError) in
                try store.catchUp(isLocked: false)
                return body(store.state)
            }
        }
    }

    /// The whole account at one moment: what the other reading calls tell, all of the same event.
    public func snapshot() throws(PaperTradeError) -> AccountState {
        try read { $0 }
    }

    public func summary() throws(PaperTradeError) -> Summary {
        let durableSeq = store.durableSeq
        let time = try currentTime()
        return try read { state in
            Summary(
                accountID: state.accountID, seq: state.seq, durableSeq: max(durableSeq, store.durableSeq),
                generation: state.generation,
                positionCount: state.positions.count, queuedCount: state.freshQueue(at: time).count, createdAt: state.createdAt,
                updatedAt: state.updatedAt, cash: state.cash, totalCost: state.totalCost, netDeposits: state.netDeposits,
                realizedPnL: state.realizedPnL)
        }
    }

    /// - Throws: `noPosition`.
    public func position(_ symbol: Symbol) throws(PaperTradeError) -> Position {
        guard let position = try read({ $0.position(symbol) }) else { throw PaperTradeError(.noPosition(symbol)) }
        return position
    }

    /// All positions, ordered by symbol.
    public func positions() throws(PaperTradeError) -> [Position] {
        try read { $0.positions }
    }

    /// The rules in force.
    public func rules() throws(PaperTradeError) -> Rules {
        try read { $0.rules }
    }

    /// The account at the given prices. Quotes for symbols that are not held are ignored; a price of zero is a worthless share.
    ///
    /// - Throws: `invalidPrice` for a price below zero.
    public func value(at quotes: [Symbol: Price]) throws(PaperTradeError) -> Valuation {
        for price in quotes.values where price.isNegative { throw PaperTradeError(.invalidPrice(price.description)) }
        return try read { Valuation($0, quotes: quotes) }
    }

    /// Calls back for every committed event from `seq` on, in order, through sealed journals too. The callback may read the account;
    /// it returns whether to go on.
    public func history(
        from seq: UInt64 = 1, _ body: (HistoryEvent) -> Bool
    ) throws(PaperTradeError) {
        // Whole commits are collected in pieces under the view, and handed over without it.
        var next = max(seq, 1)
        let pieceCount = 512
        while true {
            // Each time: the callback may have forked.
            try checkUsable(isReading: true)
            var piece: [HistoryEvent] = []
            try translated { () throws(StorageError) in
                try view.withLock { _ throws(StorageError) in
                    try store.catchUp(isLocked: false)
                    try store.history(from: next) { (record, generation, more, json) throws(StorageError) in
                        piece.append(HistoryEvent(record: record, generation: generation, more: more, json: json))
                        return piece.count < pieceCount
                    }
                }
            }
            guard let last = piece.last else { return }
            let goesOn = try callbacks.run(allowingReads: true) { () throws(PaperTradeError) in
                for event in piece {
                    // Another thread may be closing the account.
                    try checkUsable(isReading: true)
                    if !body(event) { return false }
                }
                return true
            }
            if !goesOn { return }
            next = last.record.seq + 1
        }
    }

    /// The first event of an earlier request.
    ///
    /// An event that is not known to be on the disk yet is confirmed first, under the lock and with a sync, unless the account was opened
    /// read-only.
    ///
    /// - Throws: `notFound` if it never happened, or lies further back than the last 65,536 events; then `busy`, `uncertain` and the other
    ///   errors of a change.
    public func findRequest(_ id: String) throws(PaperTradeError) -> Receipt {
        try checkUsable(isReading: true)
        let id = try checked { () throws(Refusal) in try RequestID(id) }
        if gate.isInside, let record = batch?.requests[id] {
            return Receipt(record: record, isRepeated: true, isProvisional: true)
        }
        var found = try translated { () throws(StorageError) in
            try view.withLock { _ throws(StorageError) in
                try store.catchUp(isLocked: false)
                return try store.find(id)
            }
        }
        if !options.isReadOnly, let seq = found?.record.seq, seq > store.durableSeq {
            // What is read without the lock may still be rolled back by its writer. What is read under it may not.
            found = try criticalSection(deadline(nil)) { () throws(StorageError) in
                try view.withLock { _ throws(StorageError) in
                    try store.catchUp(isLocked: true)
                    return try store.find(id)
                }
            }
        }
        guard let found else {
            throw PaperTradeError(
                .notFound, "no event with request id \"\(escaped(id.description, limit: 80))\" in the last 65536")
        }
        if !options.isReadOnly { try finish(through: found.record.seq) }
        return Receipt(record: found.record, isRepeated: true, isProvisional: false)
    }
}
