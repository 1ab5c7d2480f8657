import Ledger
import Testing

@Suite struct Refusals {
    @Test func `of two reasons against an accepted request, the one earlier in the list is given`() throws {
        try Script.play(
            """
            buy AAPL 0 0                                    => invalidShares
            sell AAPL 0 0                                   => invalidShares
            sell AAPL all 0                                 => invalidPrice
            sell AAPL 1 1 expecting=7                       => sequenceMismatch
            buy AAPL 999999999 1 expecting=7                => sequenceMismatch
            buy AAPL 2 999999999 expecting=7                => sequenceMismatch
            withdraw 999999999 expecting=7                  => sequenceMismatch
            sell AAPL 2 999999999                           => noPosition
            sell AAPL 0.000001 0.000001                     => noPosition
            split AAPL 1:999999999                          => noPosition
            dividend AAPL 0.000001                          => noPosition
            buy AAPL 0.000001 10000                         => ok
            sell AAPL 0.000002 0.000001                     => insufficientShares
            sell AAPL 2 999999999                           => insufficientShares
            buy MSFT 2 999999999                            => outOfRange
            buy MSFT 1 999999999                            => insufficientFunds
            withdraw 9999.99                                => cash=0
            buy MSFT 0.000001 0.000001                      => totalIsZero
            buy MSFT 1 1                                    => insufficientFunds
            enqueue NVDA BUY 80                             => seq=4
            enqueue NVDA BUY 80 expecting=3                 => sequenceMismatch
            """)
    }

    @Test func `a request that is wrong in itself is refused as such, wherever the account is`() throws {
        try Script.play(
            """
            buy AAPL 0 1 expecting=7         => invalidShares
            buy AAPL 1 0 expecting=7         => invalidPrice
            sell AAPL -1 1 expecting=7       => invalidShares
            deposit 0 expecting=7            => invalidAmount
            withdraw -1 expecting=7          => invalidAmount
            split AAPL 1:1 expecting=7       => invalidRatio
            dividend AAPL 0 expecting=7      => invalidPrice
            """)
    }

    @Test func `a wrong price is named before a wrong ratio`() throws {
        try Script.play("split AAPL 1:1 0 => invalidPrice")
    }

    @Test func `an opportunity or analysis with several faults names the first of the list`() throws {
        let (symbol, bad) = (try Symbol("NVDA"), try Rate("100.000001"))
        #expect(throws: Refusal.invalidPrice("0.0")) {
            try Opportunity(symbol: symbol, signal: .buy, score: bad, price: .zero, reason: nil)
        }
        #expect(throws: Refusal.invalidPrice("0.0")) {
            try Analysis(signal: .buy, score: bad, price: .zero, size: nil, time: start)
        }
        #expect(throws: Refusal.invalidShares("0.0")) {
            try Analysis(signal: .buy, score: bad, price: .zero, size: .shares(.zero), time: start)
        }
    }

    @Test func `scores lie from 0 to 100, prices and sizes above 0`() throws {
        let table = """
            # score      price       size    outcome
            0            1           1sh     ok
            100          0.000001    $1      ok
            -0.000001    1           1sh     invalidScore
            100.000001   1           1sh     invalidScore
            50           0           1sh     invalidPrice
            50           -1          1sh     invalidPrice
            50           1           0sh     invalidShares
            50           1           -1sh    invalidShares
            50           1           $0      invalidAmount
            50           1           $-1     invalidAmount
            """
        let symbol = try Symbol("NVDA")
        for row in rows(table) {
            let (score, price) = (try Rate(row[0]), try Price(row[1]))
            let size: Analysis.Size =
                row[2].hasPrefix("$")
                ? .amount(try Money(String(row[2].dropFirst()))) : .shares(try Shares(String(row[2].dropLast(2))))
            var outcome = "ok"
            do throws(Refusal) { _ = try Analysis(signal: .buy, score: score, price: price, size: size, time: start) } catch {
                outcome = caseName(error)
            }
            #expect(outcome == row[3], "\(row)")
            outcome = "ok"
            do throws(Refusal) {
                _ = try Opportunity(symbol: symbol, signal: .buy, score: score, price: price, reason: nil)
            } catch {
                outcome = caseName(error)
            }
            // An opportunity has no size.
            #expect(outcome == (["invalidScore", "invalidPrice"].contains(row[3]) ? row[3] : "ok"), "\(row)")
        }
        _ = try Opportunity(symbol: symbol, signal: .sell, score: .zero, price: nil, reason: nil)
    }

    @Test func `a refusal for range names what would be beyond it`() throws {
        let limit = Money(clamping: amountLimit)
        let cases: [(command: String, what: String, prepare: (inout AccountState) -> Void)] = [
            ("deposit 1", "the cash", { $0.cash = limit }),
            ("deposit 1", "the net deposits", { $0.netDeposits = limit }),
            ("withdraw 1", "the net deposits", { $0.netDeposits = limit.negated }),
            ("buy A 1 1", "the position in A", { [held] in $0.setPosition(held(Shares(clamping: amountLimit), .zero)) }),
            ("buy A 1 1", "the cost of A", { [held] in $0.setPosition(held(Shares(clamping: 1), limit)) }),
            ("buy A 2 999999999", "2.0 shares at 999999999.0", { _ in }),
            ("sell A 2 999999999", "2.0 shares at 999999999.0", { _ in }),
            ("sell A 2 1", "the cash", { $0.cash = limit }),
            ("sell A 2 9", "the realized P&L", { $0.realizedPnL = limit }),
            ("dividend A 1", "the cash", { $0.cash = limit }),
            ("dividend A 1", "the realized P&L", { $0.realizedPnL = limit }),
            ("dividend A 999999999", "the dividend", { _ in }),
            ("writeoff A", "the realized P&L", { $0.realizedPnL = limit.negated }),
            ("split A 999999999:1", "the position in A", { _ in }),
            ("split A 1:3000000 3000000", "the cash", { $0.cash = limit }),
        ]
        for (command, what, prepare) in cases {
            var script = try Script()
            var state = script.draft.state
            state.setPosition(held(Shares(clamping: 4_000_000), Money(clamping: 4_000_000)))
            prepare(&state)
            script.draft = Draft(on: state, at: start)
            #expect(try script.perform(command.split(separator: " ").map(String.init)) == .outOfRange(what: what), "\(command)")
            #expect(script.draft.state == state, "\(command)")
        }
    }

    private func held(_ shares: Shares, _ cost: Money) -> Position {
        Position(symbol: Symbol(utf8: "A".utf8)!, shares: shares, cost: cost, firstPurchaseDate: start)
    }

    @Test func `a change happens only at the event that it expects`() throws {
        try Script.play(
            """
            deposit 1 expecting=0            => sequenceMismatch
            deposit 1 expecting=2            => sequenceMismatch
            deposit 1 expecting=1            => seq=2
            deposit 1 expecting=1            => sequenceMismatch
            deposit 1                        => seq=3
            enqueue NVDA BUY 80 expecting=3  => seq=4
            clock 25h
            deposit 1 expecting=4            => events=removedFromQueue+deposited seq=6
            clear expecting=5                => sequenceMismatch
            """)
    }

    @Test func `a refused request leaves the draft exactly as it was, also when it had cleaned the queue already`() throws {
        var script = try Script.play(
            """
            enqueue OLD BUY 80   => ok
            buy AAPL 1 100       => ok
            clock 25h
            """)
        let before = script.draft
        for command in [
            "buy AAPL 100 100", "sell AAPL 2 1", "sell MSFT all 1", "deposit 0", "withdraw 99999", "split AAPL 1:1",
            "split MSFT 2:1",
            "dividend MSFT 1", "writeoff MSFT", "buy X 999999999 2",
        ] {
            #expect(try script.perform(command.split(separator: " ").map(String.init)) != nil, "\(command)")
            #expect(script.draft.state == before.state && script.draft.records == before.records, "\(command)")
            #expect(script.draft.state.queue.count == 1)
        }
        #expect(try script.perform(["writeoff", "AAPL"]) == nil)
        #expect(script.newRecords.map { caseName($0.event) } == ["removedFromQueue", "wroteOff"])
        #expect(script.outcome?.record == script.newRecords.last)
    }

    @Test func `a batch holds at most 65,536 events, and what does not fit is refused whole`() throws {
        var draft = Draft(on: try newAccount(cash: "0"), at: start)
        let deposit = Request(.deposit(Money(clamping: 1)), time: start)
        func enqueue(_ symbol: String, _ signal: Signal = .buy) throws -> Request {
            Request(
                .enqueue(try Opportunity(symbol: try Symbol(symbol), signal: signal, score: .zero, price: nil, reason: nil)),
                time: start)
        }
        _ = try draft.decide(enqueue("A"))
        _ = try draft.decide(enqueue("B"))
        while draft.records.count < Draft.maximumCount - 1 { _ = try draft.decide(deposit) }
        #expect(Draft.maximumCount == 65_536)
        let before = draft
        let judgements = draft.state.queue.map { Judgement(queuedSeq: $0.seq, symbol: $0.opportunity.symbol, analysis: nil) }
        let later = Timestamp(clamping: start.microseconds + 90_000_000_000)
        draft.at = later
        for request in [
            Request(.execute(judgements), time: start), Request(.deposit(Money(clamping: 1)), time: later),
            Request(.clearQueue, time: later),
        ] {
            #expect(throws: Refusal.batchTooLarge(limit: 65_536)) { try draft.decide(request) }
            #expect(draft.state == before.state && draft.records.count == before.records.count)
        }
        _ = try draft.decide(deposit)
        #expect(draft.records.count == Draft.maximumCount)
        #expect(throws: Refusal.batchTooLarge(limit: 65_536)) { try draft.decide(deposit) }
        #expect(throws: Refusal.invalidAmount("0.0")) { try draft.decide(Request(.deposit(.zero), time: start)) }
        #expect(draft.records.count == Draft.maximumCount && draft.state.cash.micros == Int64(Draft.maximumCount) - 2)
    }

    @Test func `a refusal says in one line what was asked and what there is`() throws {
        let (symbol, id) = (try Symbol("AAPL"), try RequestID("order-1"))
        let sentences: [(Refusal, String)] = [
            (.invalidSymbol("A\nB"), "symbol \"A\\nB\" is not 1 to 32 characters of A-Z a-z 0-9 . _ - / ^ = :"),
            (.invalidShares("-1.0"), "shares -1.0 is not a number above 0 and at most 999999999.999999"),
            (
                .sequenceMismatch(expected: 7, actual: 9),
                "expected the account at event 7, but it is at 9: read it again and decide anew"
            ),
            (.requestConflict(id: id, seq: 5), "request id \"order-1\" was used by event 5 for something else: choose a new one"),
            (.noPosition(symbol), "no position in AAPL"),
            (.insufficientShares(symbol, asked: try Shares("3"), held: try Shares("2.5")), "3.0 shares of AAPL asked, 2.5 held"),
            (
                .insufficientFunds(needed: try Money("6000"), available: try Money("4000")),
                "not enough cash: 6000.0 needed, 4000.0 available"
            ),
            (.alreadyQueued(symbol, seq: 4), "AAPL is in the queue already, since event 4"),
            (.textTooLong(field: "note", byteCount: 300), "note has 300 bytes; at most 256 are kept: shorten it"),
        ]
        for (refusal, sentence) in sentences { #expect(refusal.description == sentence) }
        let nasty = String(repeating: "\n\u{1B}[2J\u{202E}", count: 100)
        let others: [Refusal] = [
            .invalidSymbol(nasty), .invalidRequestID(nasty), .invalidSignal(nasty), .invalidAccountID(nasty),
            .requestConflict(id: id, seq: .max), .invalidTime(.min), .batchTooLarge(limit: 1), .textNotUTF8(field: "reason"),
        ]
        for refusal in others {
            let scalars = refusal.description.unicodeScalars
            #expect(scalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E } && scalars.count < 1000)
        }
    }
}
