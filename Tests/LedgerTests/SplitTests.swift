import Ledger
import Testing

@Suite struct Splits {
    @Test func `a split multiplies the shares and keeps the cost`() throws {
        try Script.play(
            """
            buy AAPL 40 150              => cash=4000
            split AAPL 7:1               => events=split AAPL=280/6000 cash=4000 pnl=0 lieu=0
            split AAPL 1:10              => AAPL=28/6000
            split AAPL 3:2               => AAPL=42/6000
            split AAPL 1:3               => AAPL=14/6000
            split AAPL 1.5:0.5           => AAPL=42/6000
            split AAPL 0.000001:0.000002 => AAPL=21/6000
            split AAPL 20:7              => AAPL=60/6000
            sell AAPL all 100            => cash=10000 pnl=0
            """)
    }

    @Test func `what a millionth of a share cannot hold is paid in lieu, and its cost leaves with it`() throws {
        // 10 shares 1:3 are 3.333333 and a third of a millionth: at 9,000,000 that third is worth 3, of 100 paid it cost 0.00001.
        try Script.play(
            """
            buy AAPL 10 10               => cash=9900
            split AAPL 1:3 9000000       => AAPL=3.333333/99.99999 cash=9903 lieu=3 pnl=2.99999
            """)
        try Script.play(
            """
            buy AAPL 10 10               => cash=9900
            split AAPL 1:3               => AAPL=3.333333/100 cash=9900 lieu=0 pnl=0
            """)
        // Two thirds of a millionth, a value rounded to a millionth.
        try Script.play(
            """
            buy AAPL 20 10               => cash=9800
            split AAPL 1:3 1             => AAPL=6.666666/199.99998 cash=9800.000001 lieu=0.000001 pnl=-0.000019
            """)
        // Half a millionth at 1 and at 3: half to even.
        try Script.play(
            """
            buy AAPL 0.000003 1          => cash=9999.999997
            split AAPL 1:2 1             => AAPL=0.000001/0.000002 lieu=0 pnl=-0.000001
            """)
        try Script.play(
            """
            buy AAPL 0.000003 1          => cash=9999.999997
            split AAPL 1:2 3             => AAPL=0.000001/0.000002 lieu=0.000002 pnl=0.000001 cash=9999.999999
            """)
    }

    @Test func `a price without a fraction pays nothing`() throws {
        try Script.play(
            """
            buy AAPL 10 10               => cash=9900
            split AAPL 2:1 5             => AAPL=20/100 cash=9900 lieu=0 pnl=0
            """)
    }

    @Test func `a split that leaves nothing needs a price, and then closes the position`() throws {
        try Script.play(
            """
            buy AAPL 0.000003 1000000    => cash=9997 AAPL=0.000003/3
            split AAPL 1:4               => needsPrice
            split AAPL 1:4 2000000       => AAPL=none cash=9998.5 lieu=1.5 pnl=-1.5
            buy AAPL 0.000003 1000000    => ok
            split AAPL 1:3               => AAPL=0.000001/3
            split AAPL 1:999999999.999999 0.000001 => AAPL=none lieu=0 pnl=-4.5
            """)
    }

    @Test func `a split is refused for the rule that it breaks`() throws {
        try Script.play(
            """
            split AAPL 2:1                 => noPosition
            buy AAPL 10 10                 => ok
            split AAPL 1:1                 => invalidRatio
            split AAPL 0:1                 => invalidRatio
            split AAPL 1:0                 => invalidRatio
            split AAPL -2:1                => invalidRatio
            split AAPL 2:-1                => invalidRatio
            split AAPL -2:-1               => invalidRatio
            split AAPL 2:1 0               => invalidPrice
            split AAPL 2:1 -1              => invalidPrice
            split MSFT 0:1 1               => invalidRatio
            split MSFT 2:1 -1              => invalidPrice
            split AAPL 100000000:1         => outOfRange
            split AAPL 99999999.999999:1   => AAPL=999999999.99999/100
            """)
    }

    @Test func `the cash in lieu must fit`() throws {
        try Script.play(
            """
            deposit 999989999.9                    => cash=999999999.9
            buy AAPL 0.000003 10000                => cash=999999999.87
            split AAPL 1:2 999999999.999999        => outOfRange
            split AAPL 1:2 259998                  => lieu=0.129999 cash=999999999.999999
            """)
    }

    /// The same by long arithmetic that shares nothing with the ledger's: what leaves is compared with the exact fraction.
    @Test func `for any ratio shares are cut, never rounded up, and the cash in lieu is the fraction's worth`() throws {
        var random = Random()
        var withFraction = 0
        for _ in 0..<3_000 {
            let new = random.chance(percent: 50) ? random.int(1...20) * microsPerUnit : random.spread()
            let old = random.chance(percent: 50) ? random.int(1...20) * microsPerUnit : random.spread()
            let (shares, cost, price) = (random.spread(), random.spread(), random.spread())
            guard new != old else { continue }
            var state = try newAccount(cash: "0")
            let symbol = try Symbol("X")
            state.setPosition(
                Position(symbol: symbol, shares: Shares(clamping: shares), cost: Money(clamping: cost), firstPurchaseDate: start))
            var draft = Draft(on: state, at: start)
            let change = Change.split(
                symbol, new: Shares(clamping: new), old: Shares(clamping: old), cashInLieuPrice: Price(clamping: price))
            let product = Int128(shares) * Int128(new)
            let whole = product / Int128(old)
            let fraction = product - whole * Int128(old)
            guard whole <= Int128(amountLimit) else {
                #expect(throws: Refusal.outOfRange(what: "the position in X")) { try draft.decide(Request(change, time: start)) }
                continue
            }
            guard case .split(let split)? = try draft.decide(Request(change, time: start)).record?.event else {
                Issue.record("no split")
                continue
            }
            withFraction += fraction > 0 ? 1 : 0
            // |2 × value − 2 × rounded| ≤ 1, in units of the exact denominator.
            let denominator = Int128(old) * 1_000_000
            let error = (fraction * Int128(price) - Int128(split.cashInLieu.micros) * denominator) * 2
            let costLeft = Int128(cost) - Int128(split.positionCost.micros)
            let costError = (Int128(cost) * fraction - costLeft * product) * 2
            let right =
                Int128(split.positionShares.micros) == whole && abs(error) <= denominator && abs(costError) <= product
                && split.realizedPnL.micros == split.cashInLieu.micros - Int64(costLeft) && split.positionCost.micros >= 0
                && (whole > 0 || split.positionCost == .zero) && draft.state.cash == split.cashInLieu
                && draft.state.position(symbol)?.cost == (whole > 0 ? split.positionCost : nil)
            if !right { Issue.record("\(shares) × \(new) ÷ \(old) at \(price), cost \(cost): \(split), seed \(runSeed)") }
        }
        #expect(withFraction > 500)
    }
}

private func abs(_ value: Int128) -> Int128 { value < 0 ? -value : value }
