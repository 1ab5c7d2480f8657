import Ledger
import Testing

@testable import Scheduling

@Suite struct `The trading cycle` {
    @Test func `sells first, and buys with what that brought`() throws {
        try CycleScript.play(
            """
            buy H 100 100
            queue A BUY 80
            trade A=BUY,80,100 H=SELL,20,100   => H:sold:downgrade A:bought:6 done cash=9400 bought=1 sold=1 value=10000
            """)
    }

    @Test func `sells for each exit rule, in the order of the symbols, and records what it may not`() throws {
        try CycleScript.play(
            """
            rules limits.min_holding_days=1
            buy OLD 1 100
            clock 179d
            buy YOUNG 1 100
            clock 180d
            buy GAIN 1 100
            buy LOSS 1 100
            buy NEW 1 100
            buy UP 1 100
            buy KEEP 1 100
            trade OLD=HOLD,50,100 YOUNG=SELL,0,100 GAIN=HOLD,50,120 LOSS=BUY,90,90 NEW=SELL,0,100 UP=BUY,90,120 KEEP=HOLD,50,100 => GAIN:not_sell:min_holding LOSS:sold:stop_loss NEW:not_sell:min_holding OLD:sold:age YOUNG:sold:downgrade done sold=3 rejected=2 deferred=1 analysed=7 held=GAIN,KEEP,NEW,UP
            clock 181d
            trade GAIN=HOLD,50,120 NEW=HOLD,50,100 UP=WEAK_BUY,60,120 KEEP=none  => GAIN:sold:take_profit UP:sold:take_profit done sold=2 unanalysed=1
            """)
    }

    @Test func `buys in the order of the queue, each with what the ones before left`() throws {
        try CycleScript.play(
            """
            rules sizing.mode=fixed sizing.fixed_amount=4000 limits.max_trade_percent=100 limits.max_position_percent=100 limits.cash_reserve_percent=0
            queue C BUY 80
            queue A BUY 80
            queue B BUY 80
            queue D BUY 80
            trade A=BUY,80,100 B=BUY,80,100 C=BUY,80,100 D=BUY,80,2000  => C:bought:40 A:bought:40 B:insufficient_funds D:insufficient_funds done queue=none cash=2000
            """)
    }

    @Test func `leaves entries alone that were queued after the analyst was asked`() throws {
        try CycleScript.play(
            """
            queue A BUY 80
            queue B BUY 80
            trade A=BUY,80,100 B=BUY,80,100 unseen=A  => B:bought:6 done queue=A
            trade A=BUY,80,100                        => A:bought:6 done queue=none
            """)
    }

    @Test func `removes what is too old, whether it was asked about or not`() throws {
        try CycleScript.play(
            """
            queue A BUY 80
            queue B BUY 80
            clock 1h
            queue C BUY 80
            clock 24h+1us
            trade A=BUY,80,100 C=BUY,80,100 unseen=B  => B:stale A:stale C:bought:6 done rejected=1
            """)
    }

    @Test func `loses nothing but a symbol's turn when the analyst fails on it: what is queued waits until it is too old`() throws
    {
        try CycleScript.play(
            """
            buy H 10 100
            queue A BUY 80
            queue B BUY 80
            queue C BUY 80
            trade A=fail B=BUY,80,100 C=none H=fail  => B:bought:6 C:no_analysis done unanalysed=3 analysed=1 problem=A:_it_failed held=B,H rejected=1 queue=A
            clock 24h
            trade A=fail B=HOLD,50,100 H=fail        => done queue=A rejected=0
            trade A=BUY,80,100 B=HOLD,50,100 H=fail  => A:bought:6 done queue=none
            queue A BUY 80
            clock 48h+1us
            trade A=fail B=HOLD,50,100 H=fail        => A:stale done rejected=1 queue=none
            """)
    }

    @Test func `fails, and changes nothing, when the analyst fails on everything`() throws {
        try CycleScript.play(
            """
            queue OLD BUY 80
            clock 1h
            queue A BUY 80
            buy H 10 100
            clock 24h+1us
            trade A=fail H=fail       => OLD:stale failed reason=A:_it_failed problem=A:_it_failed unanalysed=2 rejected=0 value=none queue=A held=H
            trade A=fail H=none       => done reason=none problem=A:_it_failed queue=A
            trade A=none H=fail       => A:no_analysis done
            queue A BUY 80
            rules system_active=false
            trade A=fail H=fail       => skipped reason=system_active_is_false problem=A:_it_failed queue=A
            """)
    }

    @Test func `does not buy what monitoring queued once the analyst has changed its mind`() throws {
        for (opinion, reason) in [
            ("SELL,80,100", "downgrade"), ("WEAK_BUY,80,100", "downgrade"), ("BUY,69.999999,100", "score_drop"),
            ("none", "no_analysis"),
        ] {
            try CycleScript.play(
                """
                monitor A=BUY,80,100 => A:NEW A:queued done
                clock 6h
                trade A=\(opinion)   => A:\(reason) done queue=none cash=10000 bought=0 rejected=1
                """)
        }
    }

    @Test func `does not buy back what it sells in the same cycle, for whatever reason`() throws {
        for (setting, opinion, outcome) in [
            ("", "SELL,80,100", "A:sold:downgrade A:downgrade"),
            ("", "BUY,90,89", "A:sold:stop_loss A:just_sold"),
            ("rules exits.defer_take_profit=false", "STRONG_BUY,90,120", "A:sold:take_profit A:just_sold"),
            ("rules exits.max_age_days=0", "BUY,90,100", "A:sold:age A:just_sold"),
            ("rules limits.max_positions=0", "BUY,90,89", "A:sold:stop_loss A:just_sold"),
        ] {
            try CycleScript.play(
                """
                \(setting)
                buy A 10 100
                queue A BUY 80
                trade A=\(opinion)   => \(outcome) done held=none queue=none sold=1 bought=0 rejected=1
                queue A BUY 80
                rules limits.max_positions=10
                trade A=BUY,80,100    => A:bought:\(opinion.hasSuffix("120") ? 7 : 6) done
                """)
        }
    }

    @Test func `goes on when a sale is refused, and records it`() throws {
        try CycleScript.play(
            """
            buy A 0.000001 100
            buy B 1 100
            trade A=SELL,0,0.4 B=SELL,0,100  => A:not_sell:rule B:sold:downgrade done sold=1 rejected=1 held=A
            """)
    }

    @Test func `trades nothing while the system is not active, and says so; it still tells the value`() throws {
        try CycleScript.play(
            """
            buy H 10 100
            queue OLD BUY 80
            clock 1h
            queue A BUY 80
            rules system_active=false
            clock 24h+1us
            trade A=BUY,80,100 H=SELL,0,95   => OLD:stale skipped reason=system_active_is_false held=H queue=A value=9950 analysed=2 sold=0 bought=0 rejected=0
            rules system_active=true
            trade A=BUY,80,100 H=SELL,0,95   => H:sold:downgrade A:bought:6 done reason=none
            """)
    }

    @Test func `of an empty account leaves its record`() throws {
        try CycleScript.play("trade => done analysed=0 value=10000 cash=10000")
    }
}
