import Ledger
import Testing

@testable import Scheduling

@Suite struct `The limits of the trading cycle` {
    @Test func `a score below the least is not bought`() throws {
        try CycleScript.play(
            """
            queue A BUY 70
            trade A=BUY,70,10          => A:bought:50 done bought=1 rejected=0
            queue A BUY 70
            trade A=BUY,69.999999,10   => A:low_score done bought=0 rejected=1
            rules trading.min_score=82.5
            queue A BUY 90
            trade A=BUY,82.499999,10   => A:low_score done
            queue A BUY 90
            trade A=BUY,82.5,10        => A:bought:76 done
            """)
    }

    @Test func `so many positions are held, not counting what is held already or was sold just before`() throws {
        try CycleScript.play(
            """
            rules limits.max_positions=2 limits.max_position_percent=100
            buy H 1 10
            queue A BUY 70
            queue B BUY 70
            queue H BUY 70
            trade A=BUY,70,10 B=BUY,70,10 H=BUY,70,10   => A:bought:50 B:max_positions H:bought:50 done held=A,H rejected=1
            queue B BUY 70
            trade A=SELL,0,10 B=BUY,70,10 H=BUY,70,10   => A:sold:downgrade B:bought:50 done held=B,H
            """)
        try CycleScript.play("rules limits.max_positions=0 \n queue A BUY 70 \n trade A=BUY,70,10 => A:max_positions done")
    }

    @Test func `after so many trades of the cycles within an hour nothing more is bought, and an hour later it is`() throws {
        try CycleScript.play(
            """
            rules limits.trades_per_hour=2 limits.max_sector_percent=100
            queue A BUY 70
            queue B BUY 70
            queue C BUY 70
            trade A=BUY,70,10 B=BUY,70,10 C=BUY,70,10   => A:bought:50 B:bought:50 C:trades_per_hour done bought=2 rejected=1
            clock 60m-1us
            queue C BUY 70
            trade C=BUY,70,10                           => C:trades_per_hour done
            clock 60m
            queue C BUY 70
            trade C=BUY,70,10                           => C:bought:50 done
            clock 61m
            queue D BUY 70
            queue E BUY 70
            trade D=BUY,70,10 E=BUY,70,10               => D:bought:50 E:trades_per_hour done
            """)
    }

    @Test func `sales count as trades but are never held back, and neither do trades by hand count`() throws {
        try CycleScript.play(
            """
            rules limits.trades_per_hour=2 monitoring.score_change=100
            buy F 1 10
            buy G 1 10
            buy H 1 10
            queue A BUY 70
            monitor F=BUY,50,10 G=HOLD,50,10    => F:NEW F:not_queue:low_score G:NEW done
            monitor F=SELL,0,10                 => F:CRITICAL_DOWNGRADE F:sold:critical done sold=1
            trade A=BUY,70,10 G=SELL,0,10       => G:sold:downgrade A:trades_per_hour done sold=1 bought=0
            trade H=SELL,0,10                   => H:sold:downgrade done
            """)
        try CycleScript.play("rules limits.trades_per_hour=0 \n queue A BUY 70 \n trade A=BUY,70,10 => A:trades_per_hour done")
    }

    @Test func `a position is bought up to its limit and not beyond`() throws {
        // The limit is 15 % of 10,000.
        try CycleScript.play(
            """
            buy A 14 100
            queue A BUY 100
            trade A=BUY,100,100            => A:bought:1 done A=15/1500
            queue A BUY 100
            trade A=BUY,100,100            => A:position_limit done
            queue A BUY 100
            trade A=BUY,100,99.999999      => A:position_limit done
            queue A BUY 100
            trade A=BUY,100,90.000001      => A:bought:1 done
            """)
        // The commission is a part of what it costs.
        try CycleScript.play(
            """
            buy A 14 100
            rules commission.minimum=0.000001
            queue A BUY 100
            trade A=BUY,100,100            => A:position_limit done
            rules commission.minimum=0 sizing.whole_shares=false
            buy B 1 1
            queue A BUY 100
            trade A=BUY,100,100 B=HOLD,0,1 => A:bought:1 done
            queue A BUY 100
            trade A=BUY,100,100 B=HOLD,0,1 => A:position_limit done
            """)
        // Room that is smaller than what is wanted is what is bought.
        try CycleScript.play(
            """
            buy A 10 100
            queue A BUY 100
            trade A=BUY,100,100            => A:bought:5 done A=15/1500
            """)
    }

    @Test func `cash that is to stay stays`() throws {
        // 5 % of 10,000; the buy costs 1,000 of 1,500.
        let setting = "rules sizing.base_percent=20 \n buy H 85 100 \n queue A BUY 70 \n"
        try CycleScript.play(setting + "trade A=BUY,70,100 H=HOLD,50,100    => A:bought:10 done cash=500")
        for (rules, outcome) in [
            ("limits.cash_reserve_percent=5.000001", "cash_reserve"), ("limits.cash_reserve_percent=0", "bought:10"),
            ("limits.cash_reserve_percent=100", "cash_reserve"), ("commission.minimum=0.000001", "bought:9"),
            // With a commission, 1,000.000001 are spent, and a millionth less than what is to stay would be left.
            ("commission.minimum=0.000001 sizing.base_percent=20.1", "cash_reserve"),
        ] {
            try CycleScript.play(setting + "rules \(rules) \n trade A=BUY,70,100 H=HOLD,50,100    => A:\(outcome) done")
        }
    }

    @Test func `what there is no cash for is not bought`() throws {
        let setting = """
            rules sizing.base_percent=30 limits.max_trade_percent=100 limits.max_position_percent=100 limits.cash_reserve_percent=0
            buy H 85 100
            queue A BUY 70

            """
        try CycleScript.play(setting + "trade A=BUY,70,100 H=HOLD,50,100     => A:bought:15 done cash=0")
        try CycleScript.play(
            setting + "rules sizing.base_percent=32 \n trade A=BUY,70,100 H=HOLD,50,100 => A:insufficient_funds done")
        // The next in the queue may cost less.
        try CycleScript.play(
            setting
                + """
                queue B BUY 70
                rules sizing.mode=fixed sizing.fixed_amount=1600
                trade A=BUY,70,1600 B=BUY,70,400 H=HOLD,50,100   => A:insufficient_funds B:insufficient_funds done
                queue A BUY 70
                queue B BUY 70
                trade A=BUY,70,1600 B=BUY,70,1100 H=HOLD,50,100  => A:insufficient_funds B:bought:1 done cash=400
                """)
    }

    @Test func `a sector is bought up to its limit, as far as sectors are known`() throws {
        // 40 % of 10,000; 3,500 are held, and the buy costs 500.
        let setting = "rules limits.cash_reserve_percent=0 \n buy H 35 100 \n queue A BUY 70 \n"
        let table = """
            # before                          rules                              A        H                 outcome
            -                                 -                                  ,tech    HOLD,50,100,tech   bought:5
            -                                 limits.max_sector_percent=39.999999  ,tech  HOLD,50,100,tech   sector_limit
            -                                 commission.minimum=0.000001        ,tech    HOLD,50,100,tech   bought:4
            -                                 limits.max_sector_percent=39       ,tech    HOLD,50,100,oil    bought:5
            -                                 limits.max_sector_percent=39       ,tech    HOLD,50,100        bought:5
            -                                 limits.max_sector_percent=39       -        HOLD,50,100,tech   bought:5
            -                                 limits.max_sector_percent=5        -        HOLD,50,100        bought:5
            -                                 limits.max_sector_percent=0        -        HOLD,50,100        bought:5
            -                                 limits.max_sector_percent=0        ,tech    HOLD,50,100        sector_limit
            -                                 limits.max_sector_percent=4.999999  ,tech   HOLD,50,100        sector_limit
            -                                 limits.max_sector_percent=5        ,tech    HOLD,50,100        bought:5
            # A sector that an analyst once named is known from then on, also where there is no price now.
            H=HOLD,50,100,tech                limits.max_sector_percent=39       ,tech    HOLD,50,100        sector_limit
            H=HOLD,50,100,tech                limits.max_sector_percent=39       ,tech    none               sector_limit
            H=HOLD,50,100,tech                limits.max_sector_percent=39       ,tech    HOLD,50,100,oil    bought:5
            A=HOLD,50,100,tech                limits.max_sector_percent=39       -        HOLD,50,100,tech   sector_limit
            A=HOLD,50,100,oil                 limits.max_sector_percent=39       -        HOLD,50,100,tech   bought:5
            A=HOLD,50,100,oil                 limits.max_sector_percent=39       ,tech    HOLD,50,100,tech   sector_limit
            """
        for row in rows(table) where !row[0].hasPrefix("#") {
            var script = try CycleScript.play(setting)
            if row[0] != "-" { try script.play("monitor \(row[0])") }
            if row[1] != "-" { try script.play("rules \(row[1])") }
            try script.play("trade A=BUY,70,100\(row[2] == "-" ? "" : row[2]) H=\(row[3]) => A:\(row[4]) done")
        }
    }

    @Test func `a sector counts at the prices of today, and with what the same cycle has bought`() throws {
        try CycleScript.play(
            """
            rules limits.max_sector_percent=10 limits.cash_reserve_percent=0
            queue A BUY 70
            queue B BUY 70
            queue C BUY 70
            queue D BUY 70
            trade A=BUY,70,10,tech B=BUY,70,10,tech C=BUY,70,10,tech D=BUY,70,10,oil    => A:bought:50 B:bought:50 C:sector_limit D:bought:50 done
            """)
        // 20 shares, bought at 50, are now worth 2,000 of 11,000; the buy of 550 would make it 2,550.
        for (percent, outcome) in [("23.18", "sector_limit"), ("23.2", "bought:11")] {
            try CycleScript.play(
                """
                rules limits.max_sector_percent=\(percent)
                buy H 20 50
                queue A BUY 70
                trade A=BUY,70,50,tech H=BUY,70,100,tech  => A:\(outcome) done deferred=1 value=11000
                """)
        }
    }

    @Test func `of several reasons the first is given`() throws {
        // Everything is wrong with A, then one thing less at a time.
        let everything = """
            rules limits.max_positions=1 limits.trades_per_hour=0 sizing.mode=fixed sizing.fixed_amount=0 limits.cash_reserve_percent=100 limits.max_sector_percent=0
            buy H 1 10
            queue A BUY 80

            """
        let steps = [
            ("clock 24h+1us \n trade A=none", "stale"),
            ("trade A=none", "no_analysis"),
            ("trade A=SELL,69.999999,10,tech", "score_drop"),
            ("rules trading.min_score=75 \n trade A=SELL,70,10,tech", "downgrade"),
            ("rules trading.min_score=75 \n trade A=BUY,70,10,tech", "low_score"),
            ("trade A=BUY,80,10,tech", "max_positions"),
            ("rules limits.max_positions=2 \n trade A=BUY,80,10,tech", "trades_per_hour"),
            ("rules limits.max_positions=2 limits.trades_per_hour=1 \n trade A=BUY,80,10,tech", "size"),
            (
                "rules limits.max_positions=2 limits.trades_per_hour=1 limits.max_position_percent=0 \n trade A=BUY,80,10,tech",
                "position_limit"
            ),
            (
                "rules limits.max_positions=2 limits.trades_per_hour=1 sizing.fixed_amount=100 \n trade A=BUY,80,10,tech",
                "cash_reserve"
            ),
            (
                "rules limits.max_positions=2 limits.trades_per_hour=1 sizing.fixed_amount=100 limits.cash_reserve_percent=0 \n"
                    + "trade A=BUY,80,10,tech", "sector_limit"
            ),
            (
                "rules limits.max_positions=3 limits.trades_per_hour=1 sizing.fixed_amount=100 limits.cash_reserve_percent=0 \n"
                    + "buy G 9990 1 \n trade A=BUY,80,10,tech", "sector_limit"
            ),
            (
                "rules limits.max_positions=3 limits.trades_per_hour=1 sizing.fixed_amount=100 limits.max_sector_percent=100 \n"
                    + "buy G 9990 1 \n trade A=BUY,80,10,tech", "insufficient_funds"
            ),
        ]
        for (step, reason) in steps {
            var script = try CycleScript.play(everything)
            try script.play(step + " => A:\(reason) done queue=none rejected=1")
        }
    }
}
