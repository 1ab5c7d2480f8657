import Ledger
import Scheduling
import Storage

/// The buy queue: opportunities waiting to be bought. It lives in the same journal as the cash, so that executing it is one commit.
/// Entries older than `queue.stale_after_hours` are removed by the next commit and never returned.
extension Account {
    /// Queues an opportunity; one entry a symbol.
    ///
    /// - Throws: `alreadyQueued`, with the seq of the entry, and the errors of any change.
    @discardableResult
    public func enqueue(_ opportunity: Opportunity, _ request: RequestOptions = RequestOptions()) throws(PaperTradeError)
        -> Receipt
    {
        try receipt(change(.enqueue(opportunity), request).receipt)
    }

    /// The queue in order; changes nothing.
    public func queue() throws(PaperTradeError) -> [QueueEntry] {
        let time = try currentTime()
        return try read { state in state.freshQueue(at: time) }
    }

    /// How many entries executing the queue would deal with: also those that are too old.
    public func queuedCount() throws(PaperTradeError) -> Int {
        try read { state in state.queue.count }
    }

    /// Takes everything out of the queue and returns it, in one commit.
    ///
    /// - Parameter limit: refuse, changing nothing, if there is more.
    /// - Throws: `bufferTooSmall`, and the errors of any change.
    public func dequeueAll(limit: Int = .max) throws(PaperTradeError) -> [QueueEntry] {
        guard limit == .max else {
            // Nobody can add to the queue between the look and the change.
            return try locked { () throws(PaperTradeError) in
                let time = try now()
                let count = try read { state in state.freshQueue(at: time).count }
                guard count <= limit else { throw Self.tooSmall(count) }
                return try change(.dequeueAll, RequestOptions(time: time)).outcome.removed
            }
        }
        return try change(.dequeueAll, RequestOptions()).outcome.removed
    }

    static func tooSmall(_ count: Int) -> PaperTradeError {
        PaperTradeError(
            .bufferTooSmall, "there are \(count), more than the buffer holds: nothing was changed; call again with room for them")
    }

    /// Empties the queue; returns how many entries there were.
    @discardableResult
    public func clearQueue(_ request: RequestOptions = RequestOptions()) throws(PaperTradeError) -> Int {
        let (outcome, receipt) = try change(.clearQueue, request)
        if let receipt, receipt.isRepeated, case .clearedQueue(let count) = receipt.record.event { return count }
        return outcome.removed.count
    }

    /// Executes the queue: asks the analyst about each entry, without any lock, then in one commit, in queue order, re-validates every
    /// entry and either buys it or removes it with its reason. An opportunity leaves the queue in the same instant as its buy enters the
    /// portfolio.
    ///
    /// An analyst that throws counts as having no opinion on that symbol, except when it throws a ``PaperTradeError`` with the status
    /// `stopped`: that ends the call with nothing changed. It may read the account, not change it.
    ///
    /// - Parameter limit: refuse, before asking anybody, if there are more entries.
    /// - Throws: `bufferTooSmall`, `stopped`, `misuse` inside a batch or while this thread holds the account's lock, and the errors of any
    ///   change.
    public func executeQueue(limit: Int = .max, analyst: Analyst) throws(PaperTradeError) -> [Execution] {
        try checkUsable(isReading: false)
        guard !(gate.isInside && (batch != nil || lockCount > 0)) else {
            throw PaperTradeError(
                .misuse, "executing the queue is not allowed inside a batch or while holding the account's lock: end that first")
        }
        let time = try now()
        let entries = try read { state in state.queue }
        guard entries.count <= limit else { throw Self.tooSmall(entries.count) }
        let rules = try read { state in state.rules }
        var judgements: [Judgement] = []
        for entry in entries {
            // Too old to be bought whatever the analyst says.
            if entry.isStale(at: time, under: rules) {
                judgements.append(Judgement(queuedSeq: entry.seq, symbol: entry.opportunity.symbol, analysis: nil))
            } else {
                let opinion = try ask(analyst, about: entry.opportunity.symbol, at: time)
                judgements.append(
                    Judgement(
                        queuedSeq: entry.seq, symbol: opinion.symbol, analysis: opinion.analysis, problem: opinion.problem))
            }
        }
        guard !judgements.isEmpty else { return [] }
        return try change(.execute(judgements), RequestOptions(time: time)).outcome.executions
    }

    /// Asks the analyst, without any lock.
    ///
    /// - Throws: `stopped` if the analyst does; whatever else it throws is a problem of this symbol only.
    func ask(_ analyst: Analyst, about symbol: Symbol, at time: Timestamp) throws(PaperTradeError) -> Opinion {
        // Another thread may be closing the account.
        try checkUsable(isReading: true)
        var analysis: Analysis?
        var problem: String?
        var stop: PaperTradeError?
        callbacks.run(allowingReads: true) {
            do {
                analysis = try analyst(symbol, time)
            } catch let error as PaperTradeError where error.status == .stopped {
                stop = error
            } catch {
                problem = "the analyst failed: \(escaped("\(error)", limit: 180, isSentence: true))"
            }
        }
        if let stop { throw stop }
        return Opinion(symbol: symbol, analysis: analysis, problem: problem)
    }
}
