import Ledger
import Storage

/// Many requests that are committed together.
struct Batch {
    var draft: Draft
    /// The first event of each request id used in the batch.
    var requests: [RequestID: Record] = [:]
    /// How many events a changed configuration has put before the first change.
    private let preambleCount: Int

    init(_ draft: Draft) {
        self.draft = draft
        preambleCount = draft.records.count
    }

    var isEmpty: Bool { draft.records.count == preambleCount }
}

/// What deciding one request came to.
private struct Decision {
    var outcome: Draft.Outcome
    var isRepeated = false
    var isProvisional = false
    /// The event that has to be on the disk before the caller is told.
    var seq: UInt64
    /// Who is to be told then.
    var others: Acknowledgement?
}

extension Account {
    /// Runs `body` with the store's lock held and no other thread of this handle inside.
    func criticalSection<Result>(
        _ deadline: Deadline, _ body: () throws(StorageError) -> Result
    ) throws(PaperTradeError) -> Result {
        try translated { () throws(StorageError) in try locked(deadline, body) }
    }

    private func locked<Result>(
        _ deadline: Deadline, _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try gate.enter(deadline)
        defer { gate.leave() }
        try acquire(deadline)
        defer { releaseOnce() }
        return try body()
    }

    /// Counts one more reason to hold the store's lock. Inside the gate.
    func acquire(_ deadline: Deadline) throws(StorageError) {
        if lockDepth == 0 { try store.lock(deadline) }
        lockDepth += 1
    }

    func releaseOnce() {
        guard lockDepth > 0 else { return }
        lockDepth -= 1
        if lockDepth == 0 { store.unlock() }
    }

    /// Waits until the event is on the disk, tells those for whom others were made with it, and the log what was noticed. Without locks.
    func finish(through seq: UInt64, _ others: Acknowledgement? = nil) throws(PaperTradeError) {
        defer { logNotices() }
        guard seq > 0 else { return }
        try translated { () throws(StorageError) in try store.sync(through: seq) }
        others?.send()
    }

    /// A draft on what has been committed, to be recorded now.
    func newDraft() -> Draft {
        Draft(on: store.state, at: recordingTime(after: store.state.updatedAt), isSimulation: options.clock != nil)
    }

    /// When the next events are recorded: by the system's clock, and not before the last event. Unless that one lies far ahead: then
    /// its writer's clock was wrong, and following it would date everybody's events into the future.
    private func recordingTime(after last: Timestamp) -> Timestamp {
        let now = Timestamp(clamping: system.realTime())
        return last > now && !last.isFarAhead(of: now) ? last : now
    }

    /// What accompanies a change, checked; the time is now where none is given.
    func content(of request: RequestOptions) throws(PaperTradeError) -> (id: RequestID?, note: Text?, time: Timestamp) {
        let (id, note) = try checked { () throws(Refusal) -> (RequestID?, Text?) in
            (
                try request.id.map { text throws(Refusal) in try RequestID(text) },
                try request.note.map { text throws(Refusal) in try Text(text, field: "note") }
            )
        }
        return (id, note, try moment(request.time))
    }

    /// `time`, or now.
    func moment(_ time: Timestamp?) throws(PaperTradeError) -> Timestamp {
        if let time { time } else { try now() }
    }

    /// Makes one change: alone, or as part of the thread's batch.
    @discardableResult
    func change(_ change: Change, _ request: RequestOptions) throws(PaperTradeError) -> (
        outcome: Draft.Outcome, receipt: Receipt?
    ) {
        try checkUsable(isReading: false)
        let (id, note, time) = try content(of: request)
        let whole = Request(change, time: time, id: id, expectedSeq: request.expectedSeq, note: note)

        var confirmed: UInt64 = 0
        let decision: Decision
        do throws(PaperTradeError) {
            decision = try translated { () throws(StorageError) in
                do throws(StorageError) {
                    return try gate.isInside ? decideInside(whole) : decideWithOthers(whole)
                } catch {
                    // An answer that confirms an existing event must not be given before that is on the disk.
                    if case .refused(let refusal) = error.kind, refusal.confirmsEvent { confirmed = unlessDurable(error.seq) }
                    throw error
                }
            }
        } catch {
            try finish(through: confirmed)
            throw error
        }
        if decision.isProvisional { return (decision.outcome, receipt(decision)) }
        try finish(through: decision.seq, decision.others)
        return (decision.outcome, receipt(decision))
    }

    private func receipt(_ decision: Decision) -> Receipt? {
        decision.outcome.record.map {
            Receipt(record: $0, isRepeated: decision.isRepeated, isProvisional: decision.isProvisional)
        }
    }

    /// In a batch, or with the account's lock held: nobody else's requests come in between.
    private func decideInside(_ request: Request) throws(StorageError) -> Decision {
        if batch != nil { return try decideInBatch(request) }
        return try locked(deadline(nil)) { () throws(StorageError) in try decideAndCommit(request) }
    }

    /// If the lock has to be waited for, whoever has it may carry out the request; and what others have left is carried out with it.
    ///
    /// Not with a clock of the account's own: other accounts know nothing of it.
    private func decideWithOthers(_ request: Request) throws(StorageError) -> Decision {
        let deadline = deadline(nil)
        guard options.clock == nil else {
            return try locked(deadline) { () throws(StorageError) in try decideAndCommit(request) }
        }
        try gate.enter(deadline)
        defer { gate.leave() }
        let place = view.withLock { _ in store.place }
        var left: LeftRequest?
        switch try store.lock(deadline, leaving: request, since: place) {
        case .done(let record): return Decision(outcome: Draft.Outcome(record: record), seq: 0)
        case .lockedAfterLeaving(let request): left = request
        case .locked: break
        }
        lockDepth += 1
        defer { releaseOnce() }
        return try decideAndCommit(request, left, withOthers: true)
    }

    private func decideAndCommit(
        _ request: Request, _ left: LeftRequest? = nil, withOthers: Bool = false
    ) throws(StorageError) -> Decision {
        try view.withLock { _ throws(StorageError) in
            if let left {
                if let record = try store.catchUp(lookingFor: left) {
                    return Decision(outcome: Draft.Outcome(record: record), seq: record.seq)
                }
            } else {
                try store.catchUp(isLocked: true)
            }
            if let repeated = try repetition(of: request) { return repeated }
            // Before the rules are looked at: those that were there when a request was left.
            let others = withOthers ? store.requestsOfOthers() : []
            var draft = newDraft()
            try acceptRules(into: &draft, time: request.time)
            let outcome = try refusing { () throws(Refusal) in try draft.decide(first(request, of: draft)) }
            let acknowledgement = try commit(draft, others)
            return Decision(
                outcome: outcome, seq: acknowledgement?.seq ?? draft.records.last?.seq ?? 0, others: acknowledgement)
        }
    }

    /// Commits the draft with as many of the others' requests as can be carried out; if not all of that can be committed, the draft alone.
    private func commit(_ draft: Draft, _ others: [OthersRequest]) throws(StorageError) -> Acknowledgement? {
        if !others.isEmpty {
            var whole = draft
            let decided = others.map { (request: $0, index: decide($0.request, in: &whole)) }
            do throws(StorageError) {
                if let acknowledgement = try store.commit(whole, decided) { return acknowledgement }
            } catch {
                if error.kind == .uncertain || store.failure != nil { throw error }
            }
        }
        try store.commit(draft)
        return nil
    }

    /// Decides somebody else's request: the index of its record. `nil` if it is refused, or may have been made before: he will learn that when
    /// he tries himself.
    private func decide(_ request: Request, in draft: inout Draft) -> Int? {
        if let id = request.id, store.mayKnow(id) || draft.records.contains(where: { $0.requestID == id }) { return nil }
        guard (try? draft.decide(request)) != nil else { return nil }
        // What was too old in the queue has been removed before it.
        return draft.records.count - 1
    }

    /// A changed configuration comes before the first change, in the same commit; it must not upset what the caller expects.
    private func first(_ request: Request, of draft: Draft) throws(Refusal) -> Request {
        guard let expected = request.expectedSeq else { return request }
        // What is wrong in itself stays so whatever the account is at.
        try request.change.validate()
        guard expected == store.state.seq else { throw .sequenceMismatch(expected: expected, actual: store.state.seq) }
        return Request(request.change, time: request.time, id: request.id, expectedSeq: draft.state.seq, note: request.note)
    }

    func acceptRules(into draft: inout Draft, time: Timestamp) throws(StorageError) {
        guard let rules = try wantedRules() else { return }
        _ = try refusing { () throws(Refusal) in try draft.decide(Request(.acceptRules(rules), time: time)) }
    }

    private func decideInBatch(_ request: Request) throws(StorageError) -> Decision {
        if let id = request.id, let record = batch?.requests[id] {
            guard record.isOutcome(of: request) else { throw StorageError(.requestConflict(id: id, seq: record.seq)) }
            return Decision(
                outcome: Draft.Outcome(record: record), isRepeated: true, isProvisional: true, seq: record.seq)
        }
        if request.id != nil, let repeated = try view.withLock({ _ throws(StorageError) in try repetition(of: request) }) {
            return repeated
        }
        let outcome = try refusing { () throws(Refusal) in
            var request = request
            if let batch, batch.isEmpty { request = try first(request, of: batch.draft) }
            if let last = batch?.draft.state.updatedAt { batch?.draft.at = recordingTime(after: last) }
            return try batch?.draft.decide(request) ?? Draft.Outcome(record: nil)
        }
        if let id = request.id, let record = outcome.record { batch?.requests[id] = record }
        return Decision(outcome: outcome, isProvisional: true, seq: outcome.record?.seq ?? 0)
    }

    /// The earlier outcome, if the request id was used before for the same thing.
    private func repetition(of request: Request) throws(StorageError) -> Decision? {
        guard let id = request.id, let found = try store.find(id) else { return nil }
        guard found.record.isOutcome(of: request) else { throw StorageError(.requestConflict(id: id, seq: found.record.seq)) }
        return Decision(
            outcome: Draft.Outcome(record: found.record), isRepeated: true, seq: unlessDurable(found.record.seq))
    }

    /// What ``finish(through:)`` has to wait for before an existing event is confirmed: nothing if it is known to be on the disk.
    func unlessDurable(_ seq: UInt64) -> UInt64 { seq > store.durableSeq ? seq : 0 }
}

/// Runs the ledger; its refusals become storage errors.
func refusing<Result>(_ body: () throws(Refusal) -> Result) throws(StorageError) -> Result {
    do throws(Refusal) {
        return try body()
    } catch {
        throw StorageError(error)
    }
}

extension Record {
    /// Whether this is what the request, made before, came to. The time is not part of a request's content: a repetition takes place later.
    func isOutcome(of request: Request) -> Bool {
        event.asked == request.change && note == request.note
    }
}

extension Refusal {
    /// Whether the refusal tells the caller that an event exists.
    fileprivate var confirmsEvent: Bool {
        switch self {
        case .alreadyQueued, .requestConflict: true
        default: false
        }
    }
}
