import Ledger
import Testing

@Suite struct `Executing the queue` {
    @Test func `an entry is bought, or removed for the first rule that forbids it`() throws {
        let table = """
            # queued    age        judgement                          outcome
            80          0h         BUY,80,100,3sh                     bought:3
            80          0h         STRONG_BUY,100,100,0.5sh           bought:0.5
            80          24h        BUY,80,100,3sh                     bought:3
            80          24h+1us    BUY,80,100,3sh                     stale
            80          -1h        BUY,80,100,3sh                     bought:3
            # The score may drop by ten.
            80          0h         BUY,70,100,3sh                     bought:3
            80          0h         BUY,69.999999,100,3sh              score_drop
            80.000001   0h         BUY,70,100,3sh                     score_drop
            80.000001   0h         BUY,70.000001,100,3sh              bought:3
            5           0h         BUY,0,100,3sh                      bought:3
            100         0h         BUY,0,100,3sh                      score_drop
            0           0h         BUY,100,100,3sh                    bought:3
            # The signal must still be one to buy.
            80          0h         SELL,80,100,3sh                    downgrade
            80          0h         WEAK_SELL,80,100,3sh               downgrade
            80          0h         HOLD,80,100,3sh                    downgrade
            80          0h         WEAK_BUY,80,100,3sh                downgrade
            80          0h         BUY,80,100,3sh                     bought:3
            80          0h         STRONG_BUY,80,100,3sh              bought:3
            # The analysis must exist and be fresh.
            80          0h         none                               no_analysis
            80          10h        BUY,80,100,3sh,@-14h               bought:3
            80          10h        BUY,80,100,3sh,@-14h-1us           no_analysis
            80          0h         BUY,80,100,3sh,@9h                 bought:3
            # There must be a size, and money for it.
            80          0h         BUY,80,100                         size
            80          0h         BUY,80,100,$99.999999              size
            80          0h         BUY,80,100,$100                    bought:1
            80          0h         BUY,80,100,$1000                   bought:10
            80          0h         BUY,80,100,100sh                   bought:100
            80          0h         BUY,80,100,100.000001sh            insufficient_funds
            80          0h         BUY,80,100,$20000                  insufficient_funds
            80          0h         BUY,80,999999999,2sh               rule
            80          0h         BUY,80,0.4,0.000001sh              rule
            # Of several reasons the first is given: stale, no analysis, score, signal, size, funds.
            80          25h        none                               stale
            80          25h        SELL,0,999999999,@-25h             stale
            80          10h        SELL,0,100,@-25h                   no_analysis
            80          0h         SELL,69,100                        score_drop
            80          0h         HOLD,70,100                        downgrade
            80          0h         HOLD,70,999999999,2sh              downgrade
            80          0h         BUY,70,999999999                   size
            """
        for row in rows(table) {
            var script = try Script()
            #expect(try script.perform(["enqueue", "NVDA", "STRONG_BUY", row[0]]) == nil)
            script.time = Timestamp(clamping: start.microseconds + (try #require(duration(row[1]))))
            #expect(try script.perform(["execute", "NVDA=\(row[2])"]) == nil)
            let execution = try #require(script.outcome?.executions.first)
            #expect(text(execution) == row[3], "\(row)")
            #expect(execution.seq == 3 && execution.queuedSeq == 2 && script.newRecords.count == 1, "\(row)")
            #expect(script.draft.state.queue.isEmpty && script.draft.state.invariantHolds, "\(row)")
            #expect(!execution.message.isEmpty && !execution.message.contains("\n"), "\(row)")
            if case .rejected(let reason) = execution.outcome {
                guard case .removedFromQueue(let removal) = script.newRecords[0].event else {
                    Issue.record("\(row)")
                    continue
                }
                #expect(removal.reason == reason && removal.queuedSeq == 2 && removal.score == execution.score, "\(row)")
                #expect((removal.signal == nil) == (row[2] == "none"), "\(row)")
                #expect(short(script.draft.state.cash) == "10000" && script.draft.state.positions.isEmpty, "\(row)")
            }
        }
    }

    private func text(_ execution: Execution) -> String {
        switch execution.outcome {
        case .bought(let trade): "bought:\(short(trade.shares))"
        case .rejected(let reason): reason.rawValue
        case .changed: "changed"
        }
    }

    @Test func `the rules decide how far a score may drop`() throws {
        for (maximum, score, outcome) in [
            ("0", "80", "bought"), ("0", "79.999999", "score_drop"), ("100", "0", "bought"), ("2.5", "77.5", "bought"),
        ] {
            try Script.play(
                """
                rules queue.max_score_drop=\(maximum)   => ok
                enqueue A BUY 80                        => ok
                execute A=BUY,\(score),1,1sh            => did=A:\(outcome == "bought" ? "bought:1" : outcome)
                """)
        }
    }

    @Test func `an opportunity leaves the queue in the same event in which its buy enters the portfolio`() throws {
        let script = try Script.play(
            """
            enqueue NVDA BUY 80                        => seq=2
            enqueue AMD BUY 80                         => seq=3
            execute NVDA=BUY,80,150,40sh               => events=bought did=NVDA:bought:40 cash=4000 NVDA=40/6000 queue=AMD seq=4
            """)
        guard case .bought(let trade)? = script.newRecords.first?.event else {
            Issue.record("not bought")
            return
        }
        #expect(trade.queuedSeq == 2)
    }

    @Test func `entries are bought in queue order, each with the cash that the ones before left`() throws {
        try Script.play(
            """
            enqueue A BUY 80     => ok
            enqueue B BUY 80     => ok
            enqueue C BUY 80     => ok
            enqueue D BUY 80     => ok
            execute D=BUY,80,100,10sh C=BUY,80,100,20sh B=BUY,80,100,50sh A=BUY,80,100,40sh => did=A:bought:40+B:bought:50+C:insufficient_funds+D:bought:10 cash=0 queue=none events=bought+bought+removedFromQueue+bought
            """)
    }

    @Test func `a judgement of an entry that is gone or replaced does nothing`() throws {
        try Script.play(
            """
            enqueue A BUY 80                            => seq=2
            enqueue B BUY 80                            => seq=3
            clear                                       => seq=4
            enqueue A BUY 80                            => seq=5
            execute A#2=BUY,80,100,1sh B#3=none         => did=A:changed+B:changed events=none cash=10000 queue=A seq=5
            execute A#3=BUY,80,100,1sh                  => did=A:changed queue=A
            execute B#5=BUY,80,100,1sh                  => did=B:changed queue=A
            execute A#99=BUY,80,100,1sh                 => did=A:changed queue=A
            execute A#2=BUY,80,100,9sh A#5=BUY,80,100,1sh => did=A:bought:1+A:changed queue=none A=1/100
            """)
    }

    @Test func `of two judgements of one entry the first counts`() throws {
        try Script.play(
            """
            enqueue A BUY 80                                  => ok
            execute A=BUY,80,100,1sh A=BUY,80,100,5sh         => did=A:bought:1 A=1/100
            enqueue B BUY 80                                  => ok
            execute B=none B=BUY,80,100,5sh                   => did=B:no_analysis B=none
            """)
    }

    @Test func `entries that were not judged stay, unless they are stale`() throws {
        try Script.play(
            """
            enqueue OLD BUY 80                   => seq=2
            clock 1us
            enqueue A BUY 80                     => seq=3
            enqueue B BUY 80                     => seq=4
            clock 24h+1us
            execute B=BUY,80,100,1sh             => events=removedFromQueue+bought did=B:bought:1 queue=A
            execute                              => events=none did=none queue=A
            clock 24h+2us
            execute                              => events=removedFromQueue did=none queue=none
            """)
    }

    @Test func `a stale entry does not stay because somebody misjudged it`() throws {
        try Script.play(
            """
            enqueue OLD BUY 80                   => seq=2
            clock 24h+1us
            execute OTHER#2=BUY,80,100,1sh       => did=OTHER:changed queue=none
            """)
    }

    @Test func `buying adds to what is held, with commissions`() throws {
        try Script.play(
            """
            buy A 10 100                          => cash=9000
            rules commission.minimum=5            => ok
            enqueue A BUY 80                      => ok
            execute A=BUY,80,100,$205             => did=A:bought:2 commission=5 A=12/1205 cash=8795
            enqueue A BUY 80                      => ok
            execute A=BUY,80,100,$204.999999      => did=A:bought:1
            enqueue A BUY 80                      => ok
            execute A=BUY,80,100,$104.999999      => did=A:size
            """)
    }

    @Test func `the whole shares for an amount are the most that it pays for, by trying them all`() throws {
        var random = Random()
        for _ in 0..<400 {
            let state = try newAccount(
                rules: rules([
                    .commissionPerShare: Rate(clamping: random.pick([0, random.int(0...2_000_000)])),
                    .commissionPercent: Rate(clamping: random.pick([0, random.int(0...10_000_000)])),
                    .commissionMinimum: Rate(clamping: random.pick([0, random.int(0...5_000_000)])),
                ]))
            let price = Price(clamping: random.int(300_000...50_000_000))
            var amount = Money(clamping: random.int(0...60_000_000))
            func total(_ count: Int64) throws -> Int64 {
                let shares = Shares(clamping: count * microsPerUnit)
                let notional = try #require(shares.notional(at: price))
                return notional.micros + (try #require(state.rules.commission(shares: shares, notional: notional))).micros
            }
            // Often exactly the price of some number of shares, or a millionth less.
            if random.chance(percent: 50) { amount = Money(clamping: try total(random.int(1...9)) - random.int(0...1)) }
            var most: Int64 = 0
            while try total(most + 1) <= amount.micros { most += 1 }
            let expected = most > 0 ? Shares(clamping: most * microsPerUnit) : nil
            #expect(state.shares(for: amount, at: price, areWhole: true) == expected, "\(amount) at \(price), seed \(runSeed)")
        }
    }

    @Test func `whole shares at the borders`() throws {
        let table = """
            # minimum  amount            price             shares
            0          0                 1                 nil
            0          -5                1                 nil
            0          1                 1                 1
            0          0.999999          1                 nil
            0          100               0.000001          100000000
            0          999.999999        0.000001          999999999
            1000000    999999            0.000001          nil
            0          999999999.999999  999999999.999999  1
            0          999999999.999999  1                 999999999
            1          999999999         1                 999999998
            """
        for row in rows(table) {
            let state = try newAccount(rules: rules([.commissionMinimum: try Rate(row[0])]))
            #expect(
                state.shares(for: try Money(row[1]), at: try Price(row[2]), areWhole: true).map(short) ?? "nil" == row[3],
                "\(row)")
        }
    }

    @Test func `an amount that pays for more shares than can be counted buys as many as can be`() throws {
        let state = try newAccount()
        for (amount, price) in [("1000", "0.000001"), ("10000", "0.00001"), ("999999999.999999", "0.5")] {
            #expect(
                state.shares(for: try Money(amount), at: try Price(price), areWhole: true).map(short) == "999999999",
                "\(amount) at \(price)"
            )
        }
    }
}
