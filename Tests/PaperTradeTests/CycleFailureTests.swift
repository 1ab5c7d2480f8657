import PaperTrade
import Storage
import Testing

@Suite("Cycles that meet trouble")
struct CycleFailureTests {
    @Test(
        "an invalid config fails the cycle before anybody is asked; that is recorded, and the cycle is due again a little later")
    func invalidConfig() throws {
        let desk = try Desk()
        let account = try desk.open()
        try account.enqueue(opportunity("A"))
        desk.now = at("2026-11-23T21:00")
        desk.write(config: "{\n\"system_active\": 1}")
        let failed = status { () throws(PaperTradeError) in
            try account.runTradingCycle { _, _ in
                Issue.record("asked")
                return nil
            }
        }
        #expect(failed == .invalidConfig)
        let record = try #require(try account.cycles().last)
        guard case .ranCycle(let cycle) = record.event else {
            Issue.record("the last record is \(record)")
            return
        }
        #expect(cycle.outcome == .failed && cycle.kind == .trading && record.time == desk.now)
        #expect(cycle.reason?.description.contains("line 2: \"system_active\"") == true)
        #expect(try account.queue().count == 1)
        #expect(try account.nextCycle(.trading) == at("2026-11-23T21:05"))

        desk.now = at("2026-11-23T21:05")
        #expect(status { () throws(PaperTradeError) in try account.runTradingCycle { _, _ in nil } } == .invalidConfig)
        #expect(try account.nextCycle(.trading) == at("2026-11-24T21:00"))
        // It can still be run by whoever mends the file.
        desk.write(config: "{}")
        #expect(try desk.run(.trading, on: account, ["A": "BUY 80 100"]).suffix(2) == ["A bought", "trading done"])
        try desk.verify()
    }

    @Test("a config that becomes invalid while the analyst thinks fails the cycle: the rules it began under are not in force")
    func configBreaksMeanwhile() throws {
        for kind in CycleKind.allCases {
            let desk = try Desk(config: #"{"watchlist": ["A"]}"#)
            let account = try desk.open()
            try account.buy("A", 10, at: 100)
            // Switched off, but by nobody accepted yet: under the rules accepted last it would trade.
            desk.write(config: #"{"system_active": false, "watchlist": ["A"]}"#)
            desk.now = kind == .trading ? at("2026-11-23T21:00") : desk.now
            let failed = status { () throws(PaperTradeError) in
                try account.runCycle(kind) { symbol, time in
                    desk.write(config: "{")
                    return try desk.analyst(["A": "SELL 0 90"])(symbol, time)
                }
            }
            #expect(failed == .invalidConfig)
            #expect(try account.position(Symbol("A")).shares == Shares(10.0))
            #expect(try desk.events(of: account, from: account.summary().seq) == ["\(kind.rawValue) failed"])
            try desk.verify()
        }
    }

    @Test("trading that is switched off while the analyst thinks trades nothing")
    func switchedOffMeanwhile() throws {
        for kind in CycleKind.allCases {
            let desk = try Desk(config: #"{"watchlist": ["A", "B"]}"#)
            let account = try desk.open()
            try account.buy("A", 10, at: 100)
            try account.enqueue(opportunity("C"))
            try desk.run(.monitoring, on: account, ["A": "BUY 60 100"])
            desk.now = kind == .trading ? at("2026-11-23T21:00") : at("2026-11-23T15:30")
            let report = try account.runCycle(kind) { symbol, time in
                desk.write(config: #"{"system_active": false, "watchlist": ["A", "B"]}"#)
                return try desk.analyst(["A": "SELL 0 80", "B": "BUY 80 10", "C": "BUY 80 10"])(symbol, time)
            }
            #expect(report.cycle.counts.trades == 0 && report.cycle.counts.queued == 0)
            #expect(report.cycle.outcome == (kind == .trading ? .skipped : .done))
            #expect(
                try desk.events(of: account, from: report.firstSeq)
                    == (kind == .trading
                        ? ["rules", "trading skipped"] : ["rules", "A CRITICAL_DOWNGRADE", "B NEW", "monitoring done"]))
            #expect(try account.positions().count == 1 && account.queue().count == 1)
            // And trades again when it is switched on.
            desk.now = at("2026-11-23T21:00")
            desk.write(config: "{}")
            let opinions = ["A": "SELL 0 95", "C": "BUY 80 10"]
            #expect(try desk.run(.trading, on: account, opinions) == ["rules", "A sold downgrade", "C bought", "trading done"])
            try desk.verify()
        }
    }

    @Test("an analyst that throws costs its symbol's turn, and is reported")
    func analystThrows() throws {
        struct Broken: Error, CustomStringConvertible { let description = "no \"prices\"\ntoday" }
        let desk = try Desk(config: #"{"watchlist": ["A", "B", "C"]}"#)
        let account = try desk.open()
        let report = try account.runMonitoringCycle { symbol, time in
            switch symbol.description {
            case "A": throw Broken()
            case "B": return nil
            default: return try desk.analyst(["C": "BUY 80 100"])(symbol, time)
            }
        }
        #expect(report.problems.count == 1 && report.problems[0].hasPrefix("A: the analyst failed: no "))
        #expect(report.cycle.problem?.description == report.problems[0] && !report.problems[0].contains("\n"))
        #expect(report.cycle.counts.analysed == 1 && report.cycle.counts.unanalysed == 2)
        #expect(desk.log.withLock { $0 }.filter { $0.hasPrefix("A: ") } == report.problems)
        #expect(try account.queue().count == 1)
        try desk.verify()
    }

    @Test("an analyst that stops ends the cycle with nothing changed or recorded")
    func analystStops() throws {
        let desk = try Desk()
        let account = try desk.open()
        for kind in CycleKind.allCases {
            desk.now = kind == .trading ? at("2026-11-23T21:00") : desk.now
            try account.buy("A", 1, at: 1)
            let before = try account.summary()
            let stopped = status { () throws(PaperTradeError) in
                try account.runCycle(kind) { _, _ in throw PaperTradeError(.stopped, "enough") }
            }
            #expect(stopped == .stopped)
            #expect(try account.summary() == before && account.cycles().isEmpty)
        }
    }

    @Test("an analysis older than an entry may become in the queue is none")
    func oldAnalysis() throws {
        let desk = try Desk(config: #"{"watchlist": ["A", "B"]}"#)
        let account = try desk.open()
        let day: Int64 = 24 * 3_600_000_000
        for kind in CycleKind.allCases {
            if kind == .trading {
                desk.now = at("2026-11-23T21:00")
                for symbol in ["A", "B"] {
                    try account.clearQueue()
                    try account.enqueue(opportunity(symbol))
                }
                try account.enqueue(opportunity("A"))
            }
            let report = try account.runCycle(kind) { symbol, time in
                let age = symbol.description == "A" ? day : day + 1
                return try Analysis(
                    signal: .buy, score: Rate(80.0), price: Price(100.0), size: nil, time: time.adding(microseconds: -age))
            }
            #expect(report.cycle.counts.analysed == 1 && report.cycle.counts.unanalysed == 1)
            let formed = desk.now.adding(microseconds: -day - 1)
            #expect(report.problems == ["B: the analysis of \(formed) is too old"])
            let events = try desk.events(of: account, from: report.firstSeq).filter { $0 != "rules" }
            #expect(
                events
                    == (kind == .trading
                        ? ["A bought", "trading done"] : ["A NEW", "A queued", "monitoring done"]))
            #expect(try account.queue().map(\.opportunity.symbol.description) == (kind == .trading ? ["B"] : ["A"]))
        }
    }

    @Test("an analyst that fails on everything fails the cycle, which is due again; what is queued stays queued")
    func analystFailsOnEverything() throws {
        struct Broken: Error {}
        let desk = try Desk()
        let account = try desk.open()
        try account.buy("H", 1, at: 10)
        try account.enqueue(opportunity("Q"))
        for (kind, time, retry) in [
            (CycleKind.monitoring, "2026-11-23T15:00", "2026-11-23T15:05"), (.trading, "2026-11-23T21:00", "2026-11-23T21:05"),
        ] {
            desk.now = at(time)
            let report = try account.runCycle(kind) { _, _ in throw Broken() }
            #expect(report.cycle.outcome == .failed && report.cycle.value == nil && report.cycle.counts.analysed == 0)
            #expect(report.cycle.reason?.description == report.problems[0])
            #expect(report.problems[0].hasPrefix(kind == .monitoring ? "A: " : "H: "))
            #expect(try account.nextCycle(kind) == at(retry))
        }
        desk.now = at("2026-11-23T21:05")
        #expect(try desk.run(.trading, on: account, ["Q": "BUY 80 100"]) == ["Q bought", "trading done"])
        try desk.verify()
    }

    @Test("a cycle that is dated far ahead silences nobody, and that is said once")
    func datedAhead() throws {
        let desk = try Desk()
        let account = try desk.open()
        // A mistaken year: skipped by one, done by the other.
        _ = try account.runMonitoringCycle(CycleOptions(time: at("2030-06-03T16:00")), analyst: desk.analyst([:]))
        _ = try account.runTradingCycle(CycleOptions(time: at("2027-11-23T21:00")), analyst: desk.analyst([:]))
        _ = try account.runMonitoringCycle(CycleOptions(time: at("2030-06-01T16:00")), analyst: desk.analyst([:]))
        for (kind, time) in [(CycleKind.monitoring, "2026-11-23T15:00"), (.trading, "2026-11-23T21:00")] {
            desk.now = at(time)
            #expect(try account.nextCycle(kind) == desk.now)
            // Also where a failure could not be recorded.
            let attempt = CycleLog.Last(time: desk.now, outcome: .failed, failures: 1, lastDone: nil)
            #expect(try account.nextCycle(kind, after: attempt) == desk.now.adding(microseconds: 300_000_000))
            let report = try account.runCycle(kind, analyst: desk.analyst([:]))
            #expect(report.cycle.outcome == .done && report.problems.count == 1)
            #expect(report.cycle.problem?.description.hasSuffix("lies more than an hour ahead and does not count") == true)
            let again = try account.runCycle(kind, CycleOptions(ignoresSchedule: true), analyst: desk.analyst([:]))
            #expect(again.cycle.problem == nil && again.problems.isEmpty)
        }
        try desk.verify()
    }

    @Test("an analyst may read the account, and not change it or run a cycle of it")
    func analystReads() throws {
        let desk = try Desk(config: #"{"watchlist": ["A"]}"#)
        let account = try desk.open()
        var seen: [Status] = []
        try account.runMonitoringCycle { _, _ in
            seen.append(status { () throws(PaperTradeError) in try account.summary() })
            seen.append(status { () throws(PaperTradeError) in try account.signals() })
            seen.append(status { () throws(PaperTradeError) in try account.cycles() })
            seen.append(status { () throws(PaperTradeError) in try account.deposit(Money(micros: 1)!) })
            seen.append(status { () throws(PaperTradeError) in try account.runMonitoringCycle { _, _ in nil } })
            return nil
        }
        #expect(seen == [.ok, .ok, .ok, .misuse, .misuse])
        #expect(try account.cycles().count == 1)
    }

    @Test("a cycle inside a batch or with the lock held is misuse, and disturbs neither")
    func misuse() throws {
        let desk = try Desk()
        let account = try desk.open()
        let before = try account.summary().seq
        for kind in CycleKind.allCases {
            try account.beginBatch()
            #expect(status { () throws(PaperTradeError) in try account.runCycle(kind) { _, _ in nil } } == .misuse)
            try account.deposit(Money(micros: 1)!)
            try account.commitBatch()
            try account.locked { () throws(PaperTradeError) in
                #expect(status { () throws(PaperTradeError) in try account.runCycle(kind) { _, _ in nil } } == .misuse)
                try account.deposit(Money(micros: 1)!)
            }
        }
        #expect(try account.cycles().isEmpty)
        #expect(try account.summary().seq == before + 5, "the rules and four deposits")
        account.close()
        #expect(status { () throws(PaperTradeError) in try account.runMonitoringCycle { _, _ in nil } } == .closed)
    }

    @Test("an account that was opened read-only tells of cycles and runs none")
    func readOnly() throws {
        let desk = try Desk()
        try desk.run(.monitoring, on: try desk.open(), ["A": "BUY 80 100"])
        let account = try desk.openReadOnly()
        #expect(try account.signals().map(\.symbol.description) == ["A"])
        #expect(try account.cycles().count == 1 && account.nextCycle(.monitoring) == at("2026-11-23T15:30"))
        for kind in CycleKind.allCases {
            let refused = status { () throws(PaperTradeError) in
                try account.runCycle(kind, CycleOptions(ignoresSchedule: true)) { _, _ in
                    Issue.record("asked")
                    return nil
                }
            }
            #expect(refused == .readOnly)
        }
        #expect(try account.cycles().count == 1)
    }

    @Test("who waits in vain for the lock is told, and nothing is recorded")
    func busy() throws {
        let desk = try Desk()
        let holder = try desk.open()
        var options = desk.options()
        options.lockTimeoutMilliseconds = 20
        let account = try Account(desk.path, options: options)
        let outcome = onAnotherThread { () -> Status in
            status { () throws(PaperTradeError) in try holder.lock() }
        }
        #expect(outcome == .ok)
        #expect(status { () throws(PaperTradeError) in try account.runMonitoringCycle { _, _ in nil } } == .busy)
        holder.close()
        #expect(try account.cycles().isEmpty)
        #expect(try desk.run(.monitoring, on: account).last == "monitoring done")
    }
}

@Suite("Cycles beside other programs")
struct CycleNeighbourTests {
    @Test("an entry that was queued anew while the analyst was thinking waits for the next cycle")
    func requeued() throws {
        let desk = try Desk()
        let account = try desk.open()
        let other = try desk.open()
        try account.enqueue(opportunity("A"))
        desk.now = at("2026-11-23T21:00")
        let report = try account.runTradingCycle { symbol, time in
            _ = try other.dequeueAll()
            try other.enqueue(opportunity("A", score: 90))
            try other.enqueue(opportunity("B"))
            return try desk.analyst(["A": "BUY 80 100"])(symbol, time)
        }
        #expect(report.cycle.counts.bought == 0 && report.cycle.counts.rejected == 0)
        #expect(try account.queue().map(\.opportunity.symbol.description) == ["A", "B"] && account.positions().isEmpty)
        try desk.verify()
    }

    @Test("a monitor that is slow changes nothing that a quicker one of a later moment knows already")
    func overtaken() throws {
        let desk = try Desk(config: #"{"watchlist": ["A"]}"#)
        let account = try desk.open()
        let other = try desk.open()
        try account.buy("A", 1, at: 100)
        try desk.run(.monitoring, on: account, ["A": "BUY 60 100"])
        desk.now = at("2026-11-23T15:30")
        let report = try account.runMonitoringCycle { symbol, time in
            desk.now = at("2026-11-23T16:00")
            #expect(try desk.run(.monitoring, on: other, ["A": "STRONG BUY 90 110"]).last == "monitoring done")
            return try desk.analyst(["A": "SELL 0 60"])(symbol, time)
        }
        #expect(report.problems == ["A: overtaken by the cycle of 2026-11-23T16:00:00.000000Z"])
        #expect(try desk.events(of: account, from: report.firstSeq) == ["monitoring done"])
        #expect(try account.positions().count == 1 && account.signals().first?.signal == .strongBuy)
        try desk.verify()
    }

    @Test("cash that was spent and positions that were sold while the analyst was thinking are as they are now")
    func tradedMeanwhile() throws {
        let desk = try Desk()
        let account = try desk.open()
        let other = try desk.open()
        try account.buy("H", 10, at: 100)
        try account.enqueue(opportunity("A"))
        desk.now = at("2026-11-23T21:00")
        let report = try account.runTradingCycle { symbol, time in
            if symbol.description == "A" {
                try other.sell("H", nil, at: 100)
                try other.buy("N", 100, at: 100)
            }
            return try desk.analyst(["A": "BUY 80 100", "H": "SELL 0 100"])(symbol, time)
        }
        #expect(try desk.events(of: account, from: report.firstSeq) == ["A insufficient_funds", "trading done"])
        #expect(try account.summary().cash.isZero && account.positions().map(\.symbol.description) == ["N"])
        try desk.verify()
    }

    @Test("signals and what is remembered of cycles survive: opening anew, a portfolio.json that is lost, and a backup")
    func survival() throws {
        let desk = try Desk()
        let account = try desk.open()
        try desk.run(.monitoring, on: account, ["A": "BUY 80 100", "B": "HOLD 50.5 9.75"])
        desk.now = at("2026-11-23T21:00")
        try desk.run(.trading, on: account, ["A": "BUY 80 100"])
        try account.runMonitoringCycle(CycleOptions(time: at("2026-11-23T22:00"))) { _, _ in nil }
        let state = try account.snapshot()
        #expect(state.signals.count == 2 && state.cycles.recentTrades.count == 1 && state.cycles.monitoring?.outcome == .done)
        account.close()
        #expect(try desk.open().snapshot() == state)

        let copy = desk.directory.path(of: "backup")
        try desk.open().backUp(to: copy)
        #expect(try Account(copy, options: desk.options()).snapshot() == state)

        desk.directory.write("", to: "account/portfolio.json")
        let rebuilt = try desk.open()
        #expect(try rebuilt.snapshot() == state)
        #expect(try desk.run(.trading, on: rebuilt) == ["trading skipped"])
        try desk.verify()
    }

    @Test("a recovery remembers which cycles were done, and how much they traded")
    func recoveredCycles() throws {
        let desk = try Desk()
        let account = try desk.open()
        try desk.run(.monitoring, on: account, ["A": "BUY 80 100"])
        desk.now = at("2026-11-23T21:00")
        try desk.run(.trading, on: account, ["A": "BUY 80 100"])
        let cycles = try account.snapshot().cycles
        #expect(cycles.trades(inTheHourBefore: desk.now) == 1)
        account.close()
        let journal = desk.directory.read("account/journal.jsonl")
        desk.directory.write("?" + journal.dropFirst(), to: "account/journal.jsonl")
        #expect(try Account.recover(desk.path, options: desk.options()).isFromPortfolio)
        let recovered = try desk.open()
        let known = try recovered.snapshot().cycles
        #expect(known.trading?.lastDone == cycles.trading?.lastDone && known.monitoring?.lastDone == cycles.monitoring?.lastDone)
        #expect(known.trades(inTheHourBefore: desk.now) == 1)
        let ran = try desk.run(.trading, on: recovered)
        // portfolio.json has no rules: those of config.json are accepted anew.
        #expect(ran == ["rules", "trading skipped"])
        try desk.verify()
    }

    @Test("a reset forgets signals and cycles; their history stays, in order")
    func reset() throws {
        let desk = try Desk()
        let account = try desk.open()
        try desk.run(.monitoring, on: account, ["A": "BUY 80 100"])
        desk.now = at("2026-11-23T21:00")
        try desk.run(.trading, on: account)
        try account.reset()
        #expect(try account.signals().isEmpty && account.snapshot().cycles == CycleLog())
        // A new account may trade at the same close.
        #expect(try account.nextCycle(.trading) == desk.now)
        // By a clock that went back: the order is that of the events.
        desk.now = at("2026-11-23T16:00")
        #expect(
            try desk.run(.monitoring, on: account, ["A": "BUY 80 100"]).suffix(3) == ["A NEW", "A queued", "monitoring done"])
        let cycles = try account.cycles()
        #expect(cycles.map(\.time) == ["2026-11-23T15:00", "2026-11-23T21:00", "2026-11-23T16:00"].map(at))
        #expect(cycles.map(\.seq) == cycles.map(\.seq).sorted())
        #expect(try account.cycles(from: cycles[1].seq) == Array(cycles[1...]))
        #expect(try account.cycles(from: cycles[1].seq + 1) == Array(cycles[2...]))
        try desk.verify()
    }

    @Test("a recovery keeps what is known of signals")
    func recovery() throws {
        let desk = try Desk()
        let account = try desk.open()
        try desk.run(.monitoring, on: account, ["A": "BUY 80 100", "B": "SELL 0 1"])
        let signals = try account.signals()
        try account.deposit(Money(micros: 1)!)
        account.close()
        let journal = desk.directory.read("account/journal.jsonl")
        desk.directory.write(journal.replacing("\"type\":\"deposit\"", with: "\"type\":\"Deposit\""), to: "account/journal.jsonl")
        _ = try Account.recover(desk.path)
        let recovered = try desk.open()
        #expect(try recovered.signals() == signals && recovered.summary().generation == 2)
        #expect(try recovered.rules().watchlist.count == 2)
        // So nothing is new to the next cycle.
        #expect(try desk.run(.monitoring, on: recovered, ["A": "BUY 80 100", "B": "SELL 0 1"]) == ["monitoring done"])
        try desk.verify()
    }
}
