/// Proving a history: every event is computed again from the state before it.
extension AccountState {
    /// Applies `record` after checking that the rules, given what it says was asked, lead to exactly this event.
    ///
    /// - Throws: ``Inconsistency`` naming what differs.
    public mutating func prove(_ record: Record) throws(Inconsistency) {
        let expected: Event?
        do throws(Refusal) {
            try record.event.asked?.validate()
            expected = try event(reproducing: record.event)
        } catch {
            throw Inconsistency("event \(record.seq) breaks a rule: \(error)")
        }
        if let expected, expected != record.event {
            throw Inconsistency("event \(record.seq) does not follow from the rules and the events before")
        }
        try apply(record)
        guard invariantHolds || record.event.isPartOfStart else {
            throw Inconsistency("after event \(record.seq), cash + total cost differs from net deposits + realized P&L")
        }
    }

    private func event(reproducing event: Event) throws(Refusal) -> Event? {
        if case .bought(let trade) = event {
            return .bought(try buying(trade.symbol, trade.shares, at: trade.price, queuedSeq: trade.queuedSeq))
        }
        if case .sold(let trade) = event {
            // A cycle sells whole positions.
            let sellsAll = trade.sellsAll || trade.exit != nil
            return try selling(trade.symbol, sellsAll ? nil : trade.shares, at: trade.price, exit: trade.exit)
        }
        guard let change = event.asked else { return nil }
        return try self.event(for: change)
    }
}

extension Event {
    /// Whether it belongs to the group of events that a journal starts with: the figures add up only at its end.
    var isPartOfStart: Bool {
        switch self {
        case .started, .acceptedRules, .tookOverPosition, .tookOverOpportunity, .tookOverTrade, .tookOverSignal: true
        default: false
        }
    }

    /// The change that this event records the outcome of; `nil` for events that are not requests of their own.
    public var asked: Change? {
        switch self {
        case .deposited(let amount): .deposit(amount)
        case .withdrew(let amount): .withdraw(amount)
        case .bought(let trade): .buy(trade.symbol, trade.shares, trade.price)
        case .sold(let trade): .sell(trade.symbol, trade.sellsAll ? nil : trade.shares, trade.price)
        case .split(let split):
            .split(split.symbol, new: split.newShares, old: split.oldShares, cashInLieuPrice: split.cashInLieuPrice)
        case .receivedDividend(let dividend): .dividend(dividend.symbol, perShare: dividend.perShare)
        case .wroteOff(let writeOff): .writeOff(writeOff.symbol)
        case .queued(let opportunity): .enqueue(opportunity)
        case .dequeuedAll: .dequeueAll
        case .clearedQueue: .clearQueue
        case .started, .tookOverPosition, .tookOverOpportunity, .tookOverTrade, .tookOverSignal, .acceptedRules,
            .removedFromQueue, .signalChanged, .declined, .ranCycle:
            nil
        }
    }
}
