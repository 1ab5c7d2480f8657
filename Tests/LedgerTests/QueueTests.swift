import Ledger
import Testing

@Suite struct `The buy queue` {
    @Test func `an opportunity is queued once, in the order of queueing, and identified by its event`() throws {
        let script = try Script.play(
            """
            enqueue NVDA STRONG_BUY 82.5 150    => events=queued queue=NVDA seq=2 cash=10000
            enqueue AMD BUY 70                  => queue=NVDA,AMD
            enqueue NVDA BUY 90                 => alreadyQueued
            enqueue nvda SELL 0                 => queue=NVDA,AMD,nvda
            clear                               => removed=NVDA,AMD,nvda queue=none
            enqueue NVDA BUY 90                 => queue=NVDA seq=6
            """)
        let entry = try #require(script.draft.state.queueEntry(try Symbol("NVDA")))
        #expect(entry.seq == 6 && entry.queuedAt == start)
        #expect(try entry.opportunity.score == Rate("90"))
        #expect(script.draft.state.queueEntry(try Symbol("AMD")) == nil)
    }

    @Test func `a duplicate is refused with the event that queued the first`() throws {
        var script = try Script.play("deposit 1 => seq=2 \n enqueue NVDA BUY 80 => seq=3")
        #expect(try script.perform(["enqueue", "NVDA", "BUY", "80"]) == .alreadyQueued(try Symbol("NVDA"), seq: 3))
    }

    @Test func `looking at the queue changes nothing and hides what is too old`() throws {
        let script = try Script.play(
            """
            enqueue OLD BUY 80    => ok
            clock 1us
            enqueue NEW BUY 80    => ok
            """)
        let state = script.draft.state
        func fresh(_ text: String) throws -> [String] {
            state.freshQueue(at: Timestamp(clamping: start.microseconds + (try #require(duration(text))))).map(
                \.opportunity.symbol.description)
        }
        #expect(try fresh("0h") == ["OLD", "NEW"])
        #expect(try fresh("24h") == ["OLD", "NEW"])
        #expect(try fresh("24h+1us") == ["NEW"])
        #expect(try fresh("24h+2us") == [])
        #expect(state == script.draft.state && state.queue.count == 2)
    }

    @Test func `an entry is stale one microsecond after the age that the rules allow`() throws {
        let table = """
            # rule       age            stale
            24           0h             no
            24           23h            no
            24           24h            no
            24           24h+1us        yes
            24           1000h          yes
            0            0h             no
            0            1us            yes
            0.000001     3600us         no
            0.000001     3601us         yes
            1.5          5400s          no
            1.5          5400s+1us      yes
            87600        87600h         no
            87600        87600h+1us     yes
            # An entry from the future is not.
            24           -1us           no
            24           -24h           no
            24           -25h           no
            0            -1us           no
            """
        for row in rows(table) {
            var script = try Script()
            #expect(try script.perform(["rules", "queue.stale_after_hours=\(row[0])"]) == nil)
            #expect(try script.perform(["enqueue", "NVDA", "BUY", "80"]) == nil)
            script.time = Timestamp(clamping: start.microseconds + (try #require(duration(row[1]))))
            #expect(try script.perform(["deposit", "1"]) == nil)
            #expect(script.draft.state.queue.isEmpty == (row[2] == "yes"), "\(row)")
            #expect(script.newRecords.count == (row[2] == "yes" ? 2 : 1), "\(row)")
        }
    }

    @Test func `a time ahead of the clock empties nobody's queue, unless the clock is the account's own`() throws {
        for isSimulation in [false, true] {
            var draft = Draft(on: try newAccount(), at: start, isSimulation: isSimulation)
            let opportunity = try Opportunity(symbol: Symbol("NVDA"), signal: .buy, score: Rate("80"), price: nil, reason: nil)
            _ = try draft.decide(Request(.enqueue(opportunity), time: start))
            let later = Timestamp(clamping: start.microseconds + (try #require(duration("48h"))))
            _ = try draft.decide(Request(.deposit(try Money("1")), time: later))
            #expect(draft.state.queue.isEmpty == isSimulation)
            #expect(draft.records.last?.time == later)
            // Once it is that late, it is too old.
            draft.at = later
            _ = try draft.decide(Request(.deposit(try Money("1")), time: later))
            #expect(draft.state.queue.isEmpty)
        }
    }

    @Test(
        arguments: [
            "buy AAPL 1 1", "sell HELD 1 1", "deposit 1", "withdraw 1", "split HELD 2:1", "dividend HELD 1", "writeoff HELD",
            "enqueue NVDA BUY 80", "enqueue OLD BUY 80", "rules queue.max_score_drop=5", "rules queue.max_score_drop=10",
            "execute", "dequeue",
            "clear",
        ])
    func `whatever is committed next removes stale entries first and never returns them`(command: String) throws {
        var script = try Script.play(
            """
            buy HELD 5 10         => ok
            enqueue OLD BUY 80    => ok
            enqueue OLD2 BUY 80   => ok
            clock 1h
            enqueue NEW BUY 80    => ok
            clock 24h+1us
            """)
        let refusal = try script.perform(command.split(separator: " ").map(String.init))
        #expect(refusal == nil)
        let removals = script.newRecords.prefix(2).map { record -> String in
            guard case .removedFromQueue(let removal) = record.event else { return "\(record.event)" }
            return "\(removal.symbol) \(removal.queuedSeq) \(removal.reason) \(record.requestID?.description ?? "-")"
        }
        #expect(removals == ["OLD 3 stale -", "OLD2 4 stale -"])
        #expect(script.draft.state.queue.allSatisfy { $0.seq >= 5 })
        #expect(
            script.outcome?.removed.map(\.opportunity.symbol.description) ?? []
                == (["dequeue", "clear"].contains(command) ? ["NEW"] : []))
        #expect(script.outcome?.record == (script.newRecords.count > 2 ? script.newRecords[2] : nil))
    }

    @Test func `dequeuing and clearing empty the queue and return what was in it`() throws {
        try Script.play(
            """
            dequeue              => events=none removed=none seq=1
            clear                => events=none removed=none seq=1
            enqueue B BUY 80     => ok
            enqueue A BUY 80     => ok
            dequeue              => events=dequeuedAll removed=B,A queue=none seq=4
            dequeue              => events=none removed=none
            enqueue A BUY 80     => ok
            clear                => events=clearedQueue removed=A queue=none seq=6
            """)
    }

    @Test func `emptying an empty queue is remembered if it has a request id`() throws {
        var draft = Draft(on: try newAccount(), at: start)
        let id = try RequestID("r-1")
        for (change, event) in [(Change.clearQueue, Event.clearedQueue(count: 0)), (.dequeueAll, .dequeuedAll(count: 0))] {
            let outcome = try draft.decide(Request(change, time: start, id: id))
            #expect(outcome.record?.event == event && outcome.record?.requestID == id)
            #expect(try draft.decide(Request(change, time: start)).record == nil)
        }
        #expect(draft.records.count == 2)
    }

    @Test func `accepting the rules that are in force is no event`() throws {
        try Script.play(
            """
            rules commission.minimum=0     => events=none seq=1
            rules commission.minimum=1     => events=acceptedRules seq=2
            rules commission.minimum=1     => events=none seq=2
            rules commission.minimum=0     => events=acceptedRules seq=3
            """)
    }

    @Test func `records carry what the request carried`() throws {
        let later = Timestamp(clamping: start.microseconds + 5)
        var draft = Draft(on: try newAccount(), at: later)
        let (id, note) = (try RequestID("order-1"), try Text("because", field: "note"))
        let record = try #require(try draft.decide(Request(.deposit(try Money("1")), time: start, id: id, note: note)).record)
        #expect(
            record
                == Record(
                    seq: 2, at: later, time: start, event: .deposited(try Money("1")), requestID: id, note: note,
                    cash: try Money("10001")))
        #expect(draft.records == [record] && draft.state.updatedAt == later && draft.state.seq == 2)
    }
}
