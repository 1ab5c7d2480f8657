import Ledger
import Testing

@testable import Scheduling

@Suite struct `The monitoring cycle` {
    @Test func `queues what is new or rose to BUY or better, and nothing else`() throws {
        let table = """
            # known            now                  queued
            -                  BUY,70,100           yes
            -                  STRONG_BUY,100,100   yes
            -                  WEAK_BUY,100,100     no
            -                  SELL,100,100         no
            WEAK_BUY,70,100    BUY,70,100           yes
            SELL,0,100         BUY,70,100           yes
            SELL,0,100         STRONG_BUY,70,100    yes
            BUY,60,100         STRONG_BUY,70,100    yes
            SELL,0,100         WEAK_BUY,100,100     no
            HOLD,50,100        WEAK_BUY,100,100     no
            STRONG_BUY,60,100  BUY,90,100           no
            BUY,60,100         BUY,100,100          no
            BUY,60,100         BUY,60,100           no
            BUY,60,100         WEAK_BUY,100,100     no
            BUY,60,100         WEAK_SELL,100,100    no
            """
        for row in rows(table) where !row[0].hasPrefix("#") {
            var script = try CycleScript()
            if row[0] != "-" { try script.play("monitor A=\(row[0]) \n clear") }
            try script.play("monitor A=\(row[1])")
            let queue = script.state.queue
            #expect(queue.count == (row[2] == "yes" ? 1 : 0), "\(row)")
            #expect(script.cycle?.counts.queued == queue.count && script.cycle?.counts.rejected == 0, "\(row)")
        }
    }

    @Test func `queues with the analyst's signal, score, price and reason`() throws {
        let symbol = try Symbol("A")
        let analysis = try Analysis(
            signal: .strongBuy, score: Rate("82.5"), price: Price("10.25"), size: nil, time: CycleScript.start,
            confidence: .high, reason: Text("breakout", field: "reason"), sector: Text("tech", field: "sector"))
        var draft = Draft(on: try CycleScript().state, at: CycleScript.start)
        _ = try draft.monitor(Opinions([Opinion(symbol: symbol, analysis: analysis)]), time: CycleScript.start)
        let queued = try Opportunity(
            symbol: symbol, signal: .strongBuy, score: Rate("82.5"), price: Price("10.25"),
            reason: Text("breakout", field: "reason"))
        #expect(draft.state.queue.map(\.opportunity) == [queued])
        let known = try #require(draft.state.signal(of: symbol))
        #expect(known.confidence == .high && known.sector?.description == "tech" && known.time == CycleScript.start)
    }

    @Test func `records what it does not queue, with the reason`() throws {
        try CycleScript.play(
            """
            monitor A=BUY,69.999999,100            => A:NEW A:not_queue:low_score done rejected=1 queue=none
            queue B BUY 80
            monitor B=BUY,80,100                   => B:NEW B:not_queue:already_queued done rejected=1 queue=B
            queue C BUY 80
            monitor C=BUY,0,100                    => C:NEW C:not_queue:already_queued done
            rules trading.min_score=60
            monitor D=BUY,60,100 E=BUY,59.999999,9 => D:NEW D:queued E:NEW E:not_queue:low_score done queued=1 rejected=1
            """)
    }

    @Test func `takes the old out of the queue before it looks whether something is queued`() throws {
        try CycleScript.play(
            """
            queue A BUY 80
            queue B BUY 80
            clock 24h
            monitor A=BUY,80,100   => A:NEW A:not_queue:already_queued done
            clock 24h+1us
            monitor B=BUY,80,100   => A:stale B:stale B:NEW B:queued done queue=B
            """)
    }

    @Test func `sells a position at once on a critical downgrade, and on nothing less`() throws {
        let table = """
            # known             now                  sold
            BUY,80,100          WEAK_SELL,30,90      yes
            BUY,80,100          SELL,0,90            yes
            STRONG_BUY,80,100   WEAK_SELL,30,90      yes
            STRONG_BUY,80,100   SELL,0,90            yes
            STRONG_BUY,80,100   HOLD,50,90           no
            BUY,80,100          HOLD,50,90           no
            WEAK_BUY,80,100     SELL,0,90            no
            HOLD,80,100         SELL,0,90            no
            -                   SELL,0,90            no
            SELL,80,100         SELL,0,1             no
            """
        for row in rows(table) where !row[0].hasPrefix("#") {
            for (rule, isActive) in [
                ("limits.min_holding_days=5", true), ("monitoring.sell_critical=false", false), ("system_active=false", false),
            ] {
                var script = try CycleScript.play("buy A 10 100")
                if row[0] != "-" { try script.play("monitor A=\(row[0])") }
                try script.play("rules \(rule) \n monitor A=\(row[1])")
                let isSold = row[2] == "yes" && isActive
                #expect(script.state.positions.isEmpty == isSold, "\(row), \(rule)")
                #expect(script.cycle?.counts.sold == (isSold ? 1 : 0) && script.cycle?.counts.rejected == 0, "\(row), \(rule)")
                #expect(script.cycle?.counts.changes == 1, "\(row), \(rule)")
            }
        }
        try CycleScript.play(
            """
            buy A 10 100
            monitor A=BUY,80,100
            monitor A=SELL,0,90       => A:CRITICAL_DOWNGRADE A:sold:critical done cash=9900 A=none sold=1 value=9900
            monitor B=BUY,80,100      => B:NEW B:queued done
            monitor B=SELL,0,90       => B:CRITICAL_DOWNGRADE done queue=A,B
            """)
    }

    @Test func `goes on when a sale is refused, and records it`() throws {
        try CycleScript.play(
            """
            buy A 0.000001 100
            buy B 1 100
            monitor A=BUY,60,100 B=BUY,60,100
            monitor A=SELL,0,0.4 B=SELL,0,90  => A:CRITICAL_DOWNGRADE A:not_sell:rule B:CRITICAL_DOWNGRADE B:sold:critical done sold=1 rejected=1 held=A
            """)
    }

    @Test func `watches and records, and trades nothing, while the system is not active`() throws {
        try CycleScript.play(
            """
            buy A 10 100
            monitor A=BUY,80,100 => A:NEW A:queued done
            rules system_active=false
            monitor A=SELL,0,90 B=STRONG_BUY,100,10 C=BUY,0,1 => A:CRITICAL_DOWNGRADE B:NEW C:NEW done changes=3 queued=0 sold=0 rejected=0
            rules system_active=true
            monitor A=SELL,0,90 B=STRONG_BUY,100,10 => done held=A queue=A
            """)
    }

    @Test func `counts what was analysed, tells the first problem, and values the account at the analyst's prices`() throws {
        try CycleScript.play(
            """
            buy A 10 100
            buy B 10 100
            monitor A=HOLD,50,110 B=none C=fail D=fail E=HOLD,50,1 => A:NEW E:NEW done analysed=2 unanalysed=3 problem=C:_it_failed changes=2 value=10100
            monitor B=none      => done analysed=0 unanalysed=1 problem=none value=10000
            monitor             => done analysed=0 unanalysed=0 known=A,E
            """)
    }

    @Test func `does not act on an opinion that a cycle of a later moment has overtaken`() throws {
        // The cycle of 0s thought for long. Meanwhile that of 30m has seen a change, or none.
        try CycleScript.play(
            """
            buy A 10 100
            clock -30m
            monitor A=BUY,60,100 B=HOLD,50,10
            clock 30m
            monitor A=SELL,0,60              => A:CRITICAL_DOWNGRADE A:sold:critical done
            clock 0s
            monitor A=BUY,90,100             => done changes=0 analysed=0 unanalysed=1 queue=none problem=A:_overtaken_by_the_cycle_of_2026-11-23T15:00:00.000000Z
            """)
        try CycleScript.play(
            """
            buy A 10 100
            clock -30m
            monitor A=BUY,60,100
            clock 30m
            monitor A=BUY,60,101             => done changes=0
            clock 0s
            monitor A=SELL,0,60 B=BUY,60,10  => B:NEW B:not_queue:low_score done held=A analysed=1 unanalysed=1 value=10000
            """)
        // By a clock that is behind by more than clocks may be, it counts.
        try CycleScript.play(
            """
            buy A 10 100
            clock 60m+1us
            monitor A=BUY,60,100
            clock 0s
            monitor A=SELL,0,60              => A:CRITICAL_DOWNGRADE A:sold:critical done problem=the_monitoring_cycle_of_2026-11-23T15:30:00.000001Z_lies_more_than_an_hour_ahead_and_does_not_count
            monitor A=SELL,0,60              => done problem=none
            """)
    }

    @Test func `fails, and changes nothing, when the analyst fails on everything`() throws {
        try CycleScript.play(
            """
            monitor A=fail B=fail => failed reason=A:_it_failed problem=A:_it_failed value=none unanalysed=2
            monitor A=fail B=none => done reason=none problem=A:_it_failed
            monitor               => done
            """)
    }

    @Test func `asks and acts in the order of the symbols`() throws {
        try CycleScript.play(
            """
            monitor C=BUY,80,1 A=BUY,80,1 B=BUY,80,1 ^D=BUY,80,1 => A:NEW A:queued B:NEW B:queued C:NEW C:queued ^D:NEW ^D:queued done
            """)
    }
}
