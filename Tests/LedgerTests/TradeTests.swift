import Ledger
import Testing

@Suite struct Trading {
    @Test func `a buy moves cash into the position, and costs add up`() throws {
        try Script.play(
            """
            buy AAPL 40 150             => events=bought cash=4000 AAPL=40/6000 pnl=0 deposits=10000 total=6000 gain=0
            buy AAPL 10 100             => cash=3000 AAPL=50/7000
            buy MSFT 0.5 300.000001     => cash=2850 MSFT=0.5/150
            buy MSFT 0.5 300.000003     => cash=2699.999998 MSFT=1/300.000002
            buy GE 0.000001 1           => cash=2699.999997 GE=0.000001/0.000001
            buy IBM 26.99999 100        => cash=0.000997 IBM=26.99999/2699.999
            buy IBM 0.000009 111        => insufficientFunds
            buy IBM 0.000009 110.777777 => cash=0 IBM=26.999999/2699.999997
            """)
    }

    @Test func `a buy is refused for the rule that it breaks`() throws {
        try Script.play(
            """
            buy AAPL 0 150                          => invalidShares
            buy AAPL -1 150                         => invalidShares
            buy AAPL 1 0                            => invalidPrice
            buy AAPL 1 -150                         => invalidPrice
            buy AAPL 66.666667 150                  => insufficientFunds
            buy AAPL 0.000001 0.5                   => totalIsZero
            buy AAPL 0.000001 0.000001              => totalIsZero
            buy AAPL 0.000001 0.500001              => cash=9999.999999 AAPL=0.000001/0.000001
            """)
        try Script.play(
            """
            buy AAPL 999999999.999999 1.000001      => outOfRange
            buy AAPL 999999999.999999 1             => insufficientFunds
            buy AAPL 1 999999999.999999             => insufficientFunds
            buy AAPL 2 999999999.999999             => outOfRange
            buy AAPL 999999999 0.000001             => cash=9000.000001 AAPL=999999999/999.999999
            buy AAPL 0.999999 0.000001              => cash=9000 AAPL=999999999.999999/1000
            buy AAPL 0.5 0.000002                   => outOfRange
            """)
    }

    @Test func `a position's cost cannot leave the range`() throws {
        try Script.play(
            """
            buy AAPL 1 999999999     => AAPL=1/999999999 cash=0
            deposit 1                => outOfRange
            writeoff AAPL            => pnl=-999999999
            deposit 1                => outOfRange
            withdraw 1               => insufficientFunds
            """, cash: "999999999")
        var script = try Script(cash: "999999999.999999")
        script.draft = try heldWithoutDeposits(cost: "999999999", cash: "5")
        #expect(try script.perform(["buy", "AAPL", "1", "1"]) == .outOfRange(what: "the cost of AAPL"))
        #expect(try script.perform(["buy", "AAPL", "1", "0.999999"]) == nil)
    }

    /// An account whose cash and cost together exceed what its deposits explain, as only a take-over can make it.
    private func heldWithoutDeposits(cost: String, cash: String) throws -> Draft {
        var state = try newAccount(cash: cash)
        state.setPosition(
            Position(symbol: try Symbol("AAPL"), shares: try Shares("1"), cost: try Money(cost), firstPurchaseDate: start))
        return Draft(on: state, at: start)
    }

    @Test func `a sale realizes what it brings above the average cost of what is sold`() throws {
        try Script.play(
            """
            buy AAPL 40 150      => cash=4000
            buy AAPL 20 180      => cash=400 AAPL=60/9600
            sell AAPL 15 200     => events=sold cash=3400 AAPL=45/7200 gain=600 pnl=600 total=3000
            sell AAPL 45 100     => cash=7900 AAPL=none gain=-2700 pnl=-2100
            buy ODD 3 33.333333  => cash=7800.000001 ODD=3/99.999999
            sell ODD 1 40        => ODD=2/66.666666 gain=6.666667
            sell ODD 1 40        => ODD=1/33.333333
            sell ODD all 40      => ODD=none cash=7920.000001 pnl=-2079.999999
            """)
    }

    @Test func `a sale is refused for the rule that it breaks`() throws {
        try Script.play(
            """
            sell AAPL 1 150                 => noPosition
            sell AAPL all 150               => noPosition
            sell AAPL 0 150                 => invalidShares
            sell AAPL -1 150                => invalidShares
            sell AAPL 1 0                   => invalidPrice
            sell AAPL all -1                => invalidPrice
            buy AAPL 10 100                 => ok
            buy aapl 1 1                    => ok
            sell AAPL 10.000001 100         => insufficientShares
            sell AAPL 0.000001 0.5          => totalIsZero
            sell AAPL 2 999999999.999999    => outOfRange
            sell AAPL 1 999999999           => outOfRange
            sell AAPL 1 999990000.5         => AAPL=9/900 cash=999998999.5
            """)
    }

    @Test func `the last sale leaves exactly no cost, whatever was rounded before`() throws {
        var random = Random()
        for _ in 0..<300 {
            var script = try Script(cash: "900000000")
            for _ in 0..<3 {
                let shares = Shares(clamping: random.spread(upTo: 1_000_000_000))
                let price = Price(clamping: random.spread(upTo: 100_000_000))
                _ = try script.perform(["buy", "X", shares.description, price.description])
            }
            while let held = script.draft.state.position(try Symbol("X")), held.shares.isPositive {
                let part = random.chance(percent: 30) ? "all" : Shares(clamping: random.int(1...held.shares.micros)).description
                if try script.perform(["sell", "X", part, "1000.5"]) != nil { break }
                #expect(script.draft.state.invariantHolds, "seed \(runSeed)")
            }
            let left = script.draft.state
            #expect(left.positions.isEmpty && left.totalCost == .zero, "seed \(runSeed)")
            #expect(left.cash.micros == left.netDeposits.micros + left.realizedPnL.micros, "seed \(runSeed)")
        }
    }

    @Test func `commissions are part of the cost of a buy and reduce what a sale brings`() throws {
        try Script.play(
            """
            rules commission.per_share=0.01 commission.percent=0.1 commission.minimum=1   => events=acceptedRules
            buy AAPL 40 150         => commission=6.4 total=6006.4 cash=3993.6 AAPL=40/6006.4
            sell AAPL 20 160        => commission=3.4 total=3196.6 gain=193.4 cash=7190.2 AAPL=20/3003.2
            sell AAPL 0.1 1         => commission=0.1 total=0 gain=-15.016
            buy AAPL 0.1 1          => commission=1 total=1.1
            buy MSFT 71.818 100     => insufficientFunds
            """)
    }

    @Test func `the commission of a sale never exceeds its proceeds`() throws {
        try Script.play(
            """
            buy AAPL 10 100                      => cash=9000
            rules commission.minimum=1000000     => ok
            sell AAPL 1 5                        => commission=5 total=0 gain=-100 cash=9000 AAPL=9/900
            sell AAPL all 0.000001               => commission=0.000009 total=0 gain=-900 cash=9000 AAPL=none pnl=-1000
            """)
        try Script.play(
            """
            buy AAPL 10 100                      => cash=9000
            rules commission.minimum=500         => ok
            sell AAPL 5 99.999999                => commission=499.999995 total=0
            sell AAPL 5 100.000001               => commission=500 total=0.000005
            """)
    }

    @Test func `a position can be closed even if its commission would be out of range`() throws {
        try Script.play(
            """
            buy PENNY 2000000 0.001              => cash=8000
            rules commission.per_share=1000      => ok
            sell PENNY all 0.001                 => commission=2000 total=0 PENNY=none pnl=-2000
            """)
    }

    @Test func `deposits and withdrawals change cash and net deposits alike`() throws {
        try Script.play(
            """
            deposit 500              => events=deposited cash=10500 deposits=10500 pnl=0
            deposit 0.000001         => cash=10500.000001
            deposit 0                => invalidAmount
            deposit -1               => invalidAmount
            withdraw 0               => invalidAmount
            withdraw -0.000001       => invalidAmount
            withdraw 10500.000002    => insufficientFunds
            withdraw 10500.000001    => events=withdrew cash=0 deposits=0
            withdraw 0.000001        => insufficientFunds
            deposit 999999999.999999 => cash=999999999.999999
            deposit 0.000001         => outOfRange
            """)
    }

    @Test func `a dividend is paid on what is held and is realized profit`() throws {
        try Script.play(
            """
            dividend AAPL 0.25              => noPosition
            buy AAPL 40.5 100               => cash=5950
            dividend AAPL 0.25              => events=receivedDividend cash=5960.125 pnl=10.125 AAPL=40.5/4050
            dividend AAPL 0.000001          => cash=5960.12504 pnl=10.12504
            dividend AAPL 0                 => invalidPrice
            dividend AAPL -0.25             => invalidPrice
            dividend AAPL 999999999         => outOfRange
            dividend AAPL 24691357.5        => outOfRange
            buy TINY 0.000001 100           => ok
            dividend TINY 0.5               => totalIsZero
            dividend TINY 0.500001          => ok
            """)
    }

    @Test func `a write-off realizes the loss of the whole cost and leaves cash alone`() throws {
        try Script.play(
            """
            writeoff AAPL       => noPosition
            buy AAPL 40 150     => cash=4000
            buy MSFT 1 100      => cash=3900
            writeoff AAPL       => events=wroteOff cash=3900 AAPL=none pnl=-6000 MSFT=1/100
            writeoff AAPL       => noPosition
            """)
    }

    @Test func `realized profit and loss cannot leave the range`() throws {
        var state = try newAccount(cash: "0")
        state.setPosition(
            Position(symbol: try Symbol("X"), shares: try Shares("2"), cost: try Money("10"), firstPurchaseDate: start))
        for (profit, command, expected) in [
            ("-999999999.999999", ["writeoff", "X"], "outOfRange"),
            ("-999999989.999999", ["writeoff", "X"], "ok"),
            ("-999999999.999999", ["sell", "X", "1", "4"], "outOfRange"),
            ("-999999999.999999", ["sell", "X", "1", "5"], "ok"),
            ("999999999.999999", ["sell", "X", "1", "5.000001"], "outOfRange"),
            ("999999999.999999", ["sell", "X", "1", "5"], "ok"),
            ("999999999.999999", ["dividend", "X", "0.000001"], "outOfRange"),
            ("999999999.999997", ["dividend", "X", "0.000001"], "ok"),
            ("-999999999.999999", ["split", "X", "1:3000000", "0.1"], "outOfRange"),
        ] {
            var script = try Script()
            state.realizedPnL = try Money(profit)
            script.draft = Draft(on: state, at: start)
            #expect(try script.perform(command).map(caseName) ?? "ok" == expected, "\(profit) \(command)")
        }
    }

    @Test func `the first purchase date is that of the first buy, until everything is sold`() throws {
        let symbol = try Symbol("AAPL")
        var script = try Script()
        var dates: [Int64?] = []
        for (hours, command) in [
            (1, "buy AAPL 1 1"), (2, "buy AAPL 1 1"), (3, "sell AAPL 1 1"), (4, "split AAPL 2:1"), (5, "sell AAPL all 1"),
            (6, "buy AAPL 1 1"),
        ] {
            script.time = Timestamp(clamping: start.microseconds + Int64(hours))
            #expect(try script.perform(command.split(separator: " ").map(String.init)) == nil)
            dates.append(script.draft.state.position(symbol)?.firstPurchaseDate.microseconds(since: start))
        }
        #expect(dates == [1, 1, 1, 1, nil, 6])
    }
}
