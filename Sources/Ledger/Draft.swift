/// A working copy of the account: requests are decided against it and their events applied to it, and nothing has happened until
/// it is committed. Dropping it is the rollback.
public struct Draft: Sendable {
    /// The account with all events so far.
    public private(set) var state: AccountState
    /// The events to commit, in order.
    public private(set) var records: [Record] = []
    /// When the next events are recorded.
    public var at: Timestamp
    private let isSimulation: Bool

    /// The most events in one commit.
    public static let maximumCount = 65_536

    /// - Parameter isSimulation: whether times may lie ahead of `at`, because a clock of the account's own gives them.
    public init(on state: AccountState, at: Timestamp, isSimulation: Bool = false) {
        self.state = state
        self.at = at
        self.isSimulation = isSimulation
    }

    /// What deciding a request came to.
    public struct Outcome: Hashable, Sendable {
        /// The request's own first event, if it made one.
        public let record: Record?
        /// For `execute`: what came of each entry.
        public let executions: [Execution]
        /// For `dequeueAll` and `clearQueue`: what was in the queue.
        public let removed: [QueueEntry]

        public init(record: Record?, executions: [Execution] = [], removed: [QueueEntry] = []) {
            self.record = record
            self.executions = executions
            self.removed = removed
        }
    }

    /// Decides a request: appends its events, or throws and changes nothing.
    ///
    /// Queue entries that are too old at the request's time leave the queue first. A time ahead of the clock makes nothing older than it
    /// is: one caller's mistake would empty the queue for everybody.
    public mutating func decide(_ request: Request) throws(Refusal) -> Outcome {
        try request.change.validate()
        if let expected = request.expectedSeq, expected != state.seq {
            throw .sequenceMismatch(expected: expected, actual: state.seq)
        }
        let before = (state: state, count: records.count)
        do throws(Refusal) {
            return try perform(request)
        } catch {
            state = before.state
            records.removeLast(records.count - before.count)
            throw error
        }
    }

    private mutating func perform(_ request: Request) throws(Refusal) -> Outcome {
        var judgedEntries: Set<UInt64> = []
        if case .execute(let judgements) = request.change {
            for judgement in judgements where state.queueEntry(judgement.symbol)?.seq == judgement.queuedSeq {
                judgedEntries.insert(judgement.queuedSeq)
            }
        }
        try removeStaleEntries(time: isSimulation ? request.time : min(request.time, at), except: judgedEntries)
        let first = records.count
        var executions: [Execution] = []
        var removed: [QueueEntry] = []
        switch request.change {
        case .execute(let judgements):
            executions = try execute(judgements, time: request.time, id: request.id, note: request.note)
        case .dequeueAll, .clearQueue:
            removed = state.queue
            let event: Event =
                request.change == .clearQueue ? .clearedQueue(count: removed.count) : .dequeuedAll(count: removed.count)
            // An empty queue needs no event, unless a request id has to be remembered.
            if !removed.isEmpty || request.id != nil {
                _ = try add(event, time: request.time, id: request.id, note: request.note)
            }
        default:
            if let event = try state.event(for: request.change) {
                _ = try add(event, time: request.time, id: request.id, note: request.note)
            }
        }
        return Outcome(record: records.count > first ? records[first] : nil, executions: executions, removed: removed)
    }

    /// Takes out of the queue what is too old, but for the entries whose fate is decided elsewhere.
    public mutating func removeStaleEntries(time: Timestamp, except decidedElsewhere: Set<UInt64> = []) throws(Refusal) {
        for entry in state.queue where entry.isStale(at: time, under: state.rules) && !decidedElsewhere.contains(entry.seq) {
            let removal = QueueRemoval(symbol: entry.opportunity.symbol, queuedSeq: entry.seq, reason: .stale)
            _ = try append(.removedFromQueue(removal), time: time, id: nil, note: nil)
        }
    }

    /// Sells a whole position for a cycle; changes nothing if it throws.
    public mutating func sell(_ symbol: Symbol, at price: Price, because reason: ExitReason, time: Timestamp) throws(Refusal) {
        try append(state.selling(symbol, nil, at: price, exit: reason), time: time, id: nil, note: nil)
    }

    /// Applies `event` and adds it to the records; returns its seq.
    ///
    /// Events of a start, of a take-over and of a cycle are appended directly; everything else through ``decide(_:)``.
    @discardableResult
    public mutating func append(_ event: Event, time: Timestamp, id: RequestID?, note: Text?) throws(Refusal) -> UInt64 {
        let before = state
        do throws(Refusal) {
            return try add(event, time: time, id: id, note: note)
        } catch {
            state = before
            throw error
        }
    }

    /// The same for who puts the state back himself: if it throws, the state is unspecified.
    private mutating func add(_ event: Event, time: Timestamp, id: RequestID?, note: Text?) throws(Refusal) -> UInt64 {
        guard records.count < Self.maximumCount else { throw .batchTooLarge(limit: Self.maximumCount) }
        let seq = state.seq &+ 1
        do throws(Inconsistency) {
            try state.apply(event, seq: seq, at: at, time: time)
        } catch {
            throw .outOfRange(what: error.description)
        }
        records.append(Record(seq: seq, at: at, time: time, event: event, requestID: id, note: note, cash: state.cash))
        return seq
    }
}

extension AccountState {
    /// What a change that is one event comes to; `nil` for those that are several or none.
    func event(for change: Change) throws(Refusal) -> Event? {
        switch change {
        case .buy(let symbol, let shares, let price): .bought(try buying(symbol, shares, at: price))
        case .sell(let symbol, let shares, let price): try selling(symbol, shares, at: price)
        case .deposit(let amount): try depositing(amount)
        case .withdraw(let amount): try withdrawing(amount)
        case .split(let symbol, let new, let old, let price): try splitting(symbol, new: new, old: old, cashInLieuPrice: price)
        case .dividend(let symbol, let perShare): try payingDividend(symbol, perShare: perShare)
        case .writeOff(let symbol): try writingOff(symbol)
        case .enqueue(let opportunity): try queueing(opportunity)
        case .acceptRules(let rules): rules == self.rules ? nil : .acceptedRules(rules)
        case .dequeueAll, .clearQueue, .execute: nil
        }
    }
}
