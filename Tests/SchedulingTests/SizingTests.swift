import Ledger
import Testing

@testable import Scheduling

@Suite struct `The size of a buy` {
    @Test
    func `by score is a half of the base at 70 and below, one and a half at 100, and 0.5 + ((score − 70) ÷ 30)^1.5 between`()
        throws
    {
        // Reckoned with sixty digits by Python's decimal module, and cut after the sixth.
        let table = """
            0          0.5
            50         0.5
            69.999999  0.5
            70         0.5
            70.000001  0.5
            70.003     0.500001
            70.3       0.501
            71         0.506085
            72.5       0.524056
            75         0.568041
            77.5       0.625
            80         0.69245
            82.5       0.768957
            85         0.853553
            87.654321  0.951434
            90         1.044331
            92.5       1.149519
            95         1.260725
            97         1.353814
            99         1.450419
            99.99      1.4995
            99.999999  1.499999
            100        1.5
            """
        for row in rows(table) { #expect(short(Sizing.multiplier(try Rate(row[0]))) == row[1], "\(row)") }
        let steps = (0...10_000).map { Sizing.multiplier(Rate(clamping: $0 * 10_000)) }
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test func `is what the rules, the caps and the commission leave, in whole shares or down to a millionth`() throws {
        let table = """
            # score      price        rules                                                          shares
            # Half of a tenth of 10,000; 0.853553 of it; one and a half of it, which is the cap of 15 % to the cent.
            70           10           -                                                              50
            85           10           -                                                              85
            100          10           -                                                              150
            100          10           limits.max_trade_percent=14.99                                 149
            100          10           limits.max_position_percent=14.99                              149
            100          10           limits.max_trade_percent=100 limits.max_position_percent=10    100
            100          10           sizing.base_percent=100                                        150
            100          10           sizing.base_percent=20 limits.max_trade_percent=30 limits.max_position_percent=30   300
            70           10           sizing.base_percent=0                                          size
            70           10           sizing.base_percent=0.2                                        1
            70           10           sizing.base_percent=0.199999                                   size
            0            10           trading.min_score=0                                            50
            # Whole shares are cut, and so are millionths of one.
            85           3            -                                                              284
            85           3            sizing.whole_shares=false                                      284.517666
            85           10           sizing.whole_shares=false                                      85.3553
            90           1044.331     -                                                              1
            90           1044.331001  -                                                              size
            90           1044.331001  sizing.whole_shares=false                                      0.999999
            90           2000         sizing.whole_shares=false                                      0.522165
            # Fixed: so much money, with the same caps.
            70           10           sizing.mode=fixed                                              100
            100          10           sizing.mode=fixed                                              100
            70           3            sizing.mode=fixed                                              333
            70           3            sizing.mode=fixed sizing.fixed_amount=998.999999               332
            70           10           sizing.mode=fixed sizing.fixed_amount=5000                     150
            70           10           sizing.mode=fixed sizing.fixed_amount=0                        size
            70           10           sizing.mode=fixed sizing.fixed_amount=9.999999                 size
            70           10           sizing.mode=fixed sizing.fixed_amount=9.999999 sizing.whole_shares=false   0.999999
            # The commission is paid from it.
            70           10           commission.minimum=1 sizing.mode=fixed                         99
            70           10           commission.minimum=10 sizing.mode=fixed                        99
            70           10           commission.minimum=10.000001 sizing.mode=fixed                 98
            70           10           commission.per_share=0.01 sizing.mode=fixed                    99
            100          10           commission.percent=1                                           148
            70           10           commission.minimum=490                                         1
            70           10           commission.minimum=490.000001                                  size
            70           500          sizing.whole_shares=false commission.minimum=100               0.8
            # No limit at all.
            100          10           limits.max_trade_percent=0                                      size
            100          10           limits.max_position_percent=0                                   position_limit
            """
        for row in rows(table) where !row[0].hasPrefix("#") {
            var script = try CycleScript()
            if row[2] != "-" { try script.play("rules \(row[2])") }
            try script.play("queue A BUY \(row[0])")
            let outcome = row[3].first?.isNumber == true ? "bought:\(row[3])" : row[3]
            try script.play("trade A=BUY,\(row[0]),\(row[1]) => A:\(outcome) done")
        }
    }

    @Test
    func `is measured by the account's value after the cycle's exits, at the analyst's prices, and the same for all its buys`()
        throws
    {
        // 100 shares that cost 5,000 are worth 15,000: half of a tenth of 20,000, twice, though the first buy has spent a part.
        try CycleScript.play(
            """
            rules limits.max_sector_percent=100
            buy H 100 50
            queue A BUY 70
            queue B BUY 70
            trade A=BUY,70,10 B=BUY,70,10 H=BUY,80,150     => A:bought:100 B:bought:100 done value=20000 deferred=1
            """)
        // Without a price it counts at its cost.
        try CycleScript.play(
            """
            buy H 100 50
            queue A BUY 70
            trade A=BUY,70,10 H=fail                        => A:bought:50 done value=10000 unanalysed=1
            """)
        // What is sold first counts as the cash it brought.
        try CycleScript.play(
            """
            rules commission.minimum=100
            buy H 100 49
            queue A BUY 70
            trade A=BUY,70,10 H=SELL,0,51                   => H:sold:downgrade A:bought:40 done cash=9500 value=9900
            """)
    }

    @Test func `of a value beyond the range of amounts is that of the largest, and nothing traps`() throws {
        try CycleScript.play(
            """
            rules limits.cash_reserve_percent=0
            buy H 1000000 0.001
            queue A BUY 70
            trade A=BUY,70,1 H=BUY,80,999999999   => A:insufficient_funds done value=none
            """)
    }
}
