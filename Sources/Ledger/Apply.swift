/// Why an event cannot follow the state it is applied to: the history is not one that this account can have.
public struct Inconsistency: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

extension AccountState {
    /// Applies a record of the journal.
    ///
    /// - Throws: ``Inconsistency`` if it does not follow; the state is then unspecified and must be dropped.
    public mutating func apply(_ record: Record) throws(Inconsistency) {
        try apply(record.event, seq: record.seq, at: record.at, time: record.time)
        guard cash == record.cash else {
            throw Inconsistency("event \(record.seq) says cash \(record.cash), but \(cash) follows from the events before")
        }
    }

    /// Applies an event. Whatever the event says is checked against the range of amounts and against what is held, so that a
    /// wrong history is an error and never a trap.
    mutating func apply(_ event: Event, seq newSeq: UInt64, at: Timestamp, time: Timestamp) throws(Inconsistency) {
        let isStart = if case .started = event { true } else { false }
        guard newSeq <= largestSeq, newSeq == seq &+ 1 || (isStart && seq == 0 && newSeq > 0) else {
            throw Inconsistency("event \(newSeq) does not follow event \(seq)")
        }
        switch event {
        case .started(let start):
            guard start.generation <= largestGeneration else {
                throw Inconsistency("generation \(start.generation) is too large")
            }
            apply(start)
        case .tookOverPosition(let position): setPosition(position)
        case .tookOverOpportunity(let entry):
            guard queueEntry(entry.opportunity.symbol) == nil else {
                throw Inconsistency("\(entry.opportunity.symbol) is queued twice")
            }
            queue.append(entry)
        case .tookOverTrade: break
        case .acceptedRules(let newRules): rules = newRules
        case .deposited(let amount):
            cash = try sum(cash, amount, "the cash")
            netDeposits = try sum(netDeposits, amount, "the net deposits")
        case .withdrew(let amount):
            cash = try paid(amount)
            netDeposits = try sum(netDeposits, amount.negated, "the net deposits")
        case .bought(let trade): try applyBuy(trade, time: time)
        case .sold(let trade): try applySale(trade)
        case .split(let split):
            let held = try heldPosition(split.symbol)
            try replace(held, shares: split.positionShares, cost: split.positionCost)
            try realize(split.realizedPnL, received: split.cashInLieu)
        case .receivedDividend(let dividend):
            _ = try heldPosition(dividend.symbol)
            try realize(dividend.amount, received: dividend.amount)
        case .wroteOff(let writeOff):
            let held = try heldPosition(writeOff.symbol)
            removePosition(held.symbol)
            try realize(held.cost.negated, received: .zero)
        case .queued(let opportunity):
            guard queueEntry(opportunity.symbol) == nil else { throw Inconsistency("\(opportunity.symbol) is queued twice") }
            queue.append(QueueEntry(seq: newSeq, queuedAt: time, opportunity: opportunity))
        case .removedFromQueue(let removal): try removeFromQueue(removal.queuedSeq, removal.symbol)
        case .dequeuedAll(let count), .clearedQueue(let count):
            guard count == queue.count else { throw Inconsistency("\(count) entries leave a queue of \(queue.count)") }
            queue.removeAll()
        case .signalChanged(let change): try applySignal(change, time: time)
        case .tookOverSignal(let known): setSignal(known)
        case .declined: break
        case .ranCycle(let cycle):
            guard cycle.counts.arePossible else { throw Inconsistency("a cycle made more trades than a commit holds") }
            cycles.add(cycle, time: time, at: at)
        }
        seq = newSeq
        updatedAt = at
    }

    /// A journal stands for itself: nothing of the generation before goes on, but for what the start takes over.
    private mutating func apply(_ start: Start) {
        accountID = start.accountID
        generation = start.generation
        createdAt = start.createdAt
        cash = start.cash
        netDeposits = start.netDeposits
        realizedPnL = start.realizedPnL
        rules = Rules()
        removeAllPositions()
        queue.removeAll()
        removeAllSignals()
        cycles = CycleLog()
    }

    private mutating func applySignal(_ change: SignalChange, time: Timestamp) throws(Inconsistency) {
        let known = signal(of: change.symbol)
        guard known?.signal == change.previousSignal, known?.score == change.previousScore else {
            throw Inconsistency("\(change.symbol) had another signal before")
        }
        setSignal(change.known(since: time))
    }

    private mutating func applyBuy(_ trade: Trade, time: Timestamp) throws(Inconsistency) {
        let held = position(trade.symbol)
        cash = try paid(trade.total)
        if let queuedSeq = trade.queuedSeq { try removeFromQueue(queuedSeq, trade.symbol) }
        setPosition(
            Position(
                symbol: trade.symbol, shares: trade.positionShares, cost: trade.positionCost,
                firstPurchaseDate: held?.firstPurchaseDate ?? time))
    }

    private mutating func applySale(_ trade: Trade) throws(Inconsistency) {
        let held = try heldPosition(trade.symbol)
        try replace(held, shares: trade.positionShares, cost: trade.positionCost)
        try realize(trade.realizedPnL, received: trade.total)
    }

    private mutating func replace(_ held: Position, shares: Shares, cost: Money) throws(Inconsistency) {
        if shares.isZero {
            removePosition(held.symbol)
        } else {
            setPosition(Position(symbol: held.symbol, shares: shares, cost: cost, firstPurchaseDate: held.firstPurchaseDate))
        }
    }

    private mutating func realize(_ profit: Money, received: Money) throws(Inconsistency) {
        cash = try sum(cash, received, "the cash")
        realizedPnL = try sum(realizedPnL, profit, "the realized P&L")
    }

    private mutating func removeFromQueue(_ queuedSeq: UInt64, _ symbol: Symbol) throws(Inconsistency) {
        guard let index = queue.firstIndex(where: { $0.seq == queuedSeq && $0.opportunity.symbol == symbol }) else {
            throw Inconsistency("\(symbol), queued by event \(queuedSeq), is not in the queue")
        }
        queue.remove(at: index)
    }

    private func heldPosition(_ symbol: Symbol) throws(Inconsistency) -> Position {
        guard let held = position(symbol) else { throw Inconsistency("no position in \(symbol)") }
        return held
    }

    private func paid(_ amount: Money) throws(Inconsistency) -> Money {
        guard let rest = cash.subtracting(amount), !rest.isNegative else {
            throw Inconsistency("\(amount) is paid from cash of \(cash)")
        }
        return rest
    }

    private func sum(_ left: Money, _ right: Money, _ what: String) throws(Inconsistency) -> Money {
        guard let sum = left.adding(right) else { throw Inconsistency("\(what) is out of range") }
        return sum
    }
}
