import Ledger
import Testing

@Suite struct `The model` {
    static let parts = 8
    static let historiesPerPart = 26
    static let requests = 300

    /// What the histories of all parts have met, so that the comparison cannot become empty unnoticed.
    static let expectedEvents: Set<String> = [
        "acceptedRules", "deposited", "withdrew", "bought", "sold", "split", "receivedDividend", "wroteOff", "queued",
        "removedFromQueue",
        "dequeuedAll", "clearedQueue",
    ]
    static let expectedRefusals: Set<String> = [
        "invalidShares", "invalidPrice", "invalidAmount", "invalidRatio", "noPosition", "insufficientShares", "needsPrice",
        "totalIsZero",
        "outOfRange", "insufficientFunds", "alreadyQueued",
    ]

    @Test(arguments: 0..<parts)
    func `random histories agree after every request with a naive second implementation, and every record is proved`(part: Int)
        throws
    {
        let seeds = Random(for: "random histories", part: part)
        var generator = try RandomRequests(seeds)
        var (events, refusals): (Set<String>, Set<String>) = ([], [])
        for history in 0..<Self.historiesPerPart {
            let cash = generator.random.pick(["10000", "0", "999999999.999999", "1000000"])
            var state = try newAccount(cash: cash)
            var proved = state
            var model = Model(state)
            var draft = Draft(on: state, at: start)
            for step in 0..<Self.requests {
                let request = try generator.next(for: draft.state)
                let count = draft.records.count
                let before = draft.state
                let expected = model.decide(request)
                draft.at = request.time
                let place = "history \(history), step \(step), seed \(runSeed): \(request.change)"
                do throws(Refusal) {
                    let outcome = try draft.decide(request)
                    let records = draft.records[count...]
                    let lines = records.map(line)
                    guard case .success(let expectedLines) = expected, lines == expectedLines else {
                        Issue.record("\(place) made \(lines), the model \(expected)")
                        return
                    }
                    for record in records { events.insert(caseName(record.event)) }
                    if !outcome.executions.isEmpty { checkExecutions(outcome, records, place) }
                } catch {
                    guard case .failure(let refused) = expected, refused.rule == caseName(error), draft.state == before else {
                        Issue.record("\(place) was refused: \(error), the model \(expected)")
                        return
                    }
                    refusals.insert(refused.rule)
                }
                guard Model(draft.state) == model, isSound(draft.state) else {
                    Issue.record("\(place) left \(draft.state), the model \(model)")
                    return
                }
                // A commit now and then: the draft's records prove the state again.
                if generator.random.chance(percent: 30) || step == Self.requests - 1 {
                    for record in draft.records { try proved.prove(record) }
                    guard proved == draft.state else {
                        Issue.record("\(place): the records lead to \(proved)")
                        return
                    }
                    state = draft.state
                    draft = Draft(on: state, at: request.time)
                }
            }
        }
        #expect(events == Self.expectedEvents, "seed \(runSeed)")
        #expect(refusals.subtracting(["sequenceMismatch"]) == Self.expectedRefusals, "seed \(runSeed)")
    }

    private func isSound(_ state: AccountState) -> Bool {
        state.invariantHolds && !state.cash.isNegative
            && state.positions.allSatisfy { $0.shares.isPositive && !$0.cost.isNegative }
    }

    private func checkExecutions(_ outcome: Draft.Outcome, _ records: ArraySlice<Record>, _ place: String) {
        let done = outcome.executions.filter { $0.seq != nil }
        let wrong = done.contains { execution in
            guard let record = records.first(where: { $0.seq == execution.seq }) else { return true }
            return switch (record.event, execution.outcome) {
            case (.bought(let made), .bought(let told)): made != told || made.queuedSeq != execution.queuedSeq
            case (.removedFromQueue(let removal), .rejected(let reason)):
                removal.reason != reason || removal.queuedSeq != execution.queuedSeq
            default: true
            }
        }
        let isChangedLast = outcome.executions.drop { $0.seq != nil }.allSatisfy { $0.outcome == .changed && $0.seq == nil }
        if wrong || !isChangedLast || outcome.record?.seq != done.first?.seq { Issue.record("\(place): \(outcome.executions)") }
    }

    /// An event as the model writes it.
    private func line(_ record: Record) -> String {
        func text(_ trade: Trade) -> String {
            let queuedSeq = trade.queuedSeq.map { "\($0)" } ?? "-"
            return
                "\(trade.symbol) \(trade.shares.micros) \(trade.price.micros) \(trade.notional.micros) \(trade.commission.micros) "
                + "\(trade.total.micros) \(trade.realizedPnL.micros) \(trade.positionShares.micros) \(trade.positionCost.micros) \(queuedSeq)"
        }
        let what =
            switch record.event {
            case .deposited(let amount): "deposit \(amount.micros)"
            case .withdrew(let amount): "withdraw \(amount.micros)"
            case .bought(let trade): "buy \(text(trade))"
            case .sold(let trade): "sell \(text(trade))"
            case .split(let split):
                "split \(split.symbol) \(split.newShares.micros):\(split.oldShares.micros) \(split.cashInLieu.micros) "
                    + "\(split.realizedPnL.micros) \(split.positionShares.micros) \(split.positionCost.micros)"
            case .receivedDividend(let dividend):
                "dividend \(dividend.symbol) \(dividend.perShare.micros) on \(dividend.shares.micros) = \(dividend.amount.micros)"
            case .wroteOff(let writeOff): "writeoff \(writeOff.symbol) \(writeOff.shares.micros) \(writeOff.cost.micros)"
            case .queued(let opportunity): "queue \(opportunity.symbol)"
            case .removedFromQueue(let removal):
                "remove \(removal.symbol) \(removal.queuedSeq) \(removal.reason.rawValue) \(removal.score.map { "\($0.micros)" } ?? "-")"
            case .dequeuedAll(let count): "dequeue \(count)"
            case .clearedQueue(let count): "clear \(count)"
            case .acceptedRules: "rules"
            default: "\(record.event)"
            }
        return "\(record.seq) \(what) cash \(record.cash.micros)"
    }
}
