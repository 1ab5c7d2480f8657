import Ledger
import Testing

@testable import Scheduling

@Suite struct `A change of a signal` {
    private func change(
        from known: (Signal, String)?, to: (Signal, String), _ rules: Rules = Rules(), sector: String? = nil
    ) throws -> SignalChange? {
        let symbol = try Symbol("AAPL")
        let price = try Price("100")
        let knownSignal = try known.map {
            KnownSignal(
                symbol: symbol, signal: $0.0, score: try Rate($0.1), price: price, confidence: .low,
                sector: try Text("energy", field: "sector"), time: CycleScript.start)
        }
        let analysis = try Analysis(
            signal: to.0, score: Rate(to.1), price: Price("101"), size: nil, time: CycleScript.start, confidence: .high,
            reason: Text("why", field: "reason"), sector: sector.map { try Text($0, field: "sector") })
        return signalChange(of: symbol, to: analysis, from: knownSignal, under: rules)
    }

    @Test func `is classified by where the signal was and where it is`() throws {
        let table = """
            # from       SELL               WEAK SELL          HOLD             WEAK BUY         BUY             STRONG BUY
            SELL         none               UPGRADE            UPGRADE          MAJOR_UPGRADE    MAJOR_UPGRADE   MAJOR_UPGRADE
            WEAK SELL    DOWNGRADE          none               UPGRADE          UPGRADE          MAJOR_UPGRADE   MAJOR_UPGRADE
            HOLD         MAJOR_DOWNGRADE    DOWNGRADE          none             UPGRADE          UPGRADE         MAJOR_UPGRADE
            WEAK BUY     MAJOR_DOWNGRADE    MAJOR_DOWNGRADE    DOWNGRADE        none             UPGRADE         UPGRADE
            BUY          CRITICAL_DOWNGRADE  CRITICAL_DOWNGRADE  MAJOR_DOWNGRADE  DOWNGRADE      none            UPGRADE
            STRONG BUY   CRITICAL_DOWNGRADE  CRITICAL_DOWNGRADE  MAJOR_DOWNGRADE  MAJOR_DOWNGRADE  DOWNGRADE     none
            """
        let grid = rows(table).dropFirst()
        #expect(grid.map { $0[0] } == Signal.allCases.map(\.description))
        for row in grid {
            let from = try #require(Signal(row[0]))
            for (to, expected) in zip(Signal.allCases, row.dropFirst()) {
                // Whatever the scores are, unless the signal is the same.
                for score in from == to ? ["70"] : ["70", "0", "100"] {
                    let kind = try change(from: (from, "70"), to: (to, score))?.kind
                    #expect(kind?.rawValue ?? "none" == expected, "\(from) to \(to)")
                }
            }
        }
    }

    @Test func `is major from as many levels on as the rules say`() throws {
        for up in 1...5 {
            for down in 1...5 {
                let rules = try rules("monitoring.major_upgrade_levels=\(up) monitoring.major_downgrade_levels=\(down)")
                for from in 1...6 {
                    for to in 1...6 where to != from {
                        let expected: SignalChangeKind =
                            if from >= 5 && to <= 2 {
                                .criticalDowngrade
                            } else if to > from {
                                to - from >= up ? .majorUpgrade : .upgrade
                            } else {
                                from - to >= down ? .majorDowngrade : .downgrade
                            }
                        let (before, after) = (Signal.allCases[from - 1], Signal.allCases[to - 1])
                        let kind = try change(from: (before, "70"), to: (after, "70"), rules)?.kind
                        #expect(kind == expected, "\(before) to \(after), \(up) up, \(down) down")
                    }
                }
            }
        }
    }

    @Test func `is new where nothing was known, whatever the signal`() throws {
        for signal in Signal.allCases {
            let new = try #require(try change(from: nil, to: (signal, "0")))
            #expect(new.kind == .new && new.previousSignal == nil && new.previousScore == nil && new.sector == nil)
        }
    }

    @Test func `is one of the score from as many points on as the rules say, either way`() throws {
        let table = """
            # rule        known        now          change
            -             70           73           SCORE_CHANGE
            -             70           72.999999    none
            -             70           67           SCORE_CHANGE
            -             70           67.000001    none
            -             70.000001    73           none
            -             70           70           none
            -             0            100          SCORE_CHANGE
            -             100          0            SCORE_CHANGE
            monitoring.score_change=0          70   70.000001   SCORE_CHANGE
            monitoring.score_change=0          70   69.999999   SCORE_CHANGE
            monitoring.score_change=0          70   70          none
            monitoring.score_change=0.000001   70   70.000001   SCORE_CHANGE
            monitoring.score_change=0.000002   70   70.000001   none
            monitoring.score_change=100        0    100         SCORE_CHANGE
            monitoring.score_change=100        0    99.999999   none
            """
        for row in rows(table).dropFirst() {
            for signal in Signal.allCases {
                let kind = try change(from: (signal, row[1]), to: (signal, row[2]), rules(row[0]))?.kind
                #expect(kind?.rawValue ?? "none" == row[3], "\(row)")
            }
        }
    }

    @Test func `says what was known and what is, and keeps the sector that an analyst once gave`() throws {
        let made = try #require(try change(from: (.buy, "80"), to: (.strongBuy, "90.5")))
        #expect(made.symbol.description == "AAPL" && made.signal == .strongBuy && short(made.score) == "90.5")
        #expect(made.previousSignal == .buy && made.previousScore.map { short($0) } == "80" && short(made.price) == "101")
        #expect(made.confidence == .high && made.reason?.description == "why" && made.sector?.description == "energy")
        #expect(try change(from: (.buy, "80"), to: (.strongBuy, "90.5"), sector: "tech")?.sector?.description == "tech")
    }

    @Test(arguments: [
        (SignalChangeKind.new, Urgency.low, true), (.upgrade, .medium, true), (.majorUpgrade, .high, true),
        (.downgrade, .medium, false), (.majorDowngrade, .high, false), (.criticalDowngrade, .critical, false),
        (.scoreChange, .low, false),
    ])
    func `has an urgency, and is upward or not`(kind: SignalChangeKind, urgency: Urgency, isUpward: Bool) {
        #expect(kind.urgency == urgency && kind.isUpward == isUpward)
    }

    @Test func `of a score that creeps is recorded when it has come far enough from where it was recorded last`() throws {
        try CycleScript.play(
            """
            monitor A=HOLD,50,100           => A:NEW done
            monitor A=HOLD,51,100           => done changes=0
            monitor A=HOLD,52.999999,100    => done changes=0
            monitor A=HOLD,53,100           => A:SCORE_CHANGE done changes=1
            monitor A=HOLD,50.000001,100    => done
            monitor A=HOLD,50,100           => A:SCORE_CHANGE done
            monitor A=WEAK_BUY,50,100       => A:UPGRADE done
            monitor A=none                  => done
            monitor A=WEAK_BUY,52,100       => done
            """)
    }
}
