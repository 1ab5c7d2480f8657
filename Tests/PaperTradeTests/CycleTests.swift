import PaperTrade
import Storage
import Testing

@Suite("The cycles")
struct CycleTests {
    @Test("monitoring analyses what is held and the watchlist, trading what is held and what is queued, each once and in order")
    func symbols() throws {
        let desk = try Desk(config: #"{"watchlist": ["W2", "W1", "H1"]}"#)
        let account = try desk.open()
        for symbol in ["H2", "H1"] { try account.buy(symbol, 1, at: 10) }
        for symbol in ["Q1", "H2"] { try account.enqueue(opportunity(symbol)) }
        desk.now = at("2026-11-23T21:00")
        for (kind, time, expected) in [
            (CycleKind.monitoring, at("2026-11-23T20:59"), ["H1", "H2", "W1", "W2"]), (.trading, desk.now, ["H1", "H2", "Q1"]),
        ] {
            var asked: [String] = []
            try account.runCycle(kind, CycleOptions(time: time)) { symbol, moment in
                asked.append(symbol.description)
                #expect(moment == time)
                return nil
            }
            #expect(asked == expected)
        }
    }

    @Test("a cycle is one commit: what it decided and then its record, with the rules that changed before it")
    func oneCommit() throws {
        let desk = try Desk(config: #"{"watchlist": ["A", "B"]}"#)
        let account = try desk.open()
        let report = try account.runMonitoringCycle(analyst: desk.analyst(["A": "BUY 80 100", "B": "HOLD 50 10"]))
        #expect(
            try desk.events(of: account, from: report.firstSeq) == ["rules", "A NEW", "A queued", "B NEW", "monitoring done"])
        var more: [Bool] = []
        try account.history(from: report.firstSeq) { event in
            more.append(event.more)
            return true
        }
        #expect(more == [true, true, true, true, false])
        #expect(report.record.event == .ranCycle(report.cycle) && report.seq == report.firstSeq + 4)
        #expect(report.record.time == desk.now && report.cycle.counts.changes == 2 && report.cycle.counts.queued == 1)
        try desk.verify()
    }

    @Test("what monitoring queued is bought at the close")
    func queuedThenBought() throws {
        let desk = try Desk()
        let account = try desk.open()
        try desk.run(.monitoring, on: account, ["A": "STRONG BUY 90 100"])
        desk.now = at("2026-11-23T21:00")
        #expect(try desk.run(.trading, on: account, ["A": "BUY 85 101"]) == ["A bought", "trading done"])
        #expect(try account.position(Symbol("A")).shares == Shares(8.0))
        try desk.verify()
    }

    @Test("an analyst that changes its mind between queueing and execution is heard, and the reason is kept")
    func changeOfMind() throws {
        for (opinions, reason) in [
            (["A": "HOLD 85 100"], "downgrade"), (["A": "BUY 74.999999 100"], "score_drop"), ([:], "no_analysis"),
        ] {
            let desk = try Desk()
            let account = try desk.open()
            #expect(try desk.run(.monitoring, on: account, ["A": "BUY 85 100"]).suffix(2) == ["A queued", "monitoring done"])
            desk.now = at("2026-11-23T21:00")
            #expect(try desk.run(.trading, on: account, opinions) == ["A \(reason)", "trading done"])
            #expect(try account.queue().isEmpty && account.summary().cash == Money(10_000.0))
            let record = try #require(try account.cycles().last)
            guard case .ranCycle(let cycle) = record.event else {
                Issue.record("the last record is \(record)")
                return
            }
            #expect(cycle.counts.rejected == 1 && cycle.counts.bought == 0)
            try desk.verify()
        }
    }

    @Test("trading runs once a session, from its close until the next opening, whoever runs it")
    func oncePerSession() throws {
        let desk = try Desk()
        let first = try desk.open()
        let second = try desk.open()
        let table: [(time: String, account: Account, expected: String)] = [
            ("2026-11-23T20:59", first, "trading skipped"), ("2026-11-23T21:00", first, "trading done"),
            ("2026-11-23T21:01", second, "trading skipped"), ("2026-11-24T14:29", first, "trading skipped"),
            ("2026-11-24T15:00", first, "trading skipped"), ("2026-11-25T09:00", second, "trading done"),
            ("2026-11-25T21:00", second, "trading done"), ("2026-11-27T12:00", first, "trading skipped"),
            ("2026-11-29T12:00", first, "trading done"), ("2026-11-29T13:00", second, "trading skipped"),
        ]
        for (time, account, expected) in table {
            desk.now = at(time)
            #expect(try desk.run(.trading, on: account).last == expected, "\(time)")
        }
    }

    @Test("a session's cycle stays done when its moment is changed after it")
    func changedMoment() throws {
        let desk = try Desk(config: #"{"trading": {"minutes_before_close": 10}}"#)
        let account = try desk.open()
        desk.now = at("2026-11-23T20:50")
        #expect(try desk.run(.trading, on: account).last == "trading done")
        desk.write(config: "{}")
        desk.now = at("2026-11-23T21:00")
        #expect(try account.nextCycle(.trading) == at("2026-11-24T21:00"))
        #expect(try desk.run(.trading, on: account).last == "trading skipped")
    }

    @Test("of two traders that think at the same time one trades; the other's record says that it was done")
    func twoTraders() throws {
        let desk = try Desk()
        let account = try desk.open()
        let other = try desk.open()
        try account.enqueue(opportunity("A"))
        desk.now = at("2026-11-23T21:00")
        let opinions = ["A": "BUY 80 100"]
        let report = try account.runTradingCycle { symbol, time in
            #expect(try desk.run(.trading, on: other, opinions).suffix(2) == ["A bought", "trading done"])
            return try desk.analyst(opinions)(symbol, time)
        }
        #expect(report.cycle.outcome == .skipped)
        #expect(report.cycle.reason?.description == "the session's trading cycle was done at 2026-11-23T21:00:00.000000Z")
        #expect(try account.position(Symbol("A")).shares == Shares(6.0))
        try desk.verify()
    }

    @Test("a cycle that has nothing to do asks nobody, and records why")
    func skipped() throws {
        let desk = try Desk()
        let account = try desk.open()
        let table: [(kind: CycleKind, time: String, reason: String)] = [
            (.monitoring, "2026-11-23T21:00", "the market is closed: after the close"),
            (.monitoring, "2026-11-26T16:00", "the market is closed: Thanksgiving Day"),
            (.monitoring, "2026-11-28T16:00", "the market is closed: weekend"),
            (.trading, "2026-11-23T16:00", "no trading cycle is due; the next one is due at 2026-11-23T21:00:00.000000Z"),
        ]
        for (kind, time, reason) in table {
            let report = try account.runCycle(kind, CycleOptions(time: at(time))) { _, _ in
                Issue.record("asked")
                return nil
            }
            #expect(report.cycle.outcome == .skipped && report.cycle.reason?.description == reason)
            #expect(report.cycle.counts == Cycle.Counts() && report.cycle.value == nil && report.problems.isEmpty)
            #expect(report.record.time == at(time))
        }
        #expect(try account.cycles().count == table.count)
    }

    @Test("a cycle that is told to ignores the schedule, and one under the calendar that never closes has no nights")
    func ignoringSchedule() throws {
        let desk = try Desk()
        let account = try desk.open()
        for (kind, time) in [
            (CycleKind.monitoring, "2026-11-28T16:00"), (.trading, "2026-11-23T16:00"), (.trading, "2026-11-23T16:01"),
        ] {
            let options = CycleOptions(time: at(time), ignoresSchedule: true)
            #expect(try account.runCycle(kind, options) { _, _ in nil }.cycle.outcome == .done)
        }
        desk.write(config: #"{"market": {"calendar": "always"}}"#)
        #expect(try account.runMonitoringCycle(CycleOptions(time: at("2026-11-28T03:00"))) { _, _ in nil }.cycle.outcome == .done)
        #expect(try account.marketCalendar() == .always)
    }

    @Test("the next cycle is told from the schedule, the rules of config.json and what ran before")
    func nextCycle() throws {
        let desk = try Desk()
        let account = try desk.open()
        #expect(try account.nextCycle(.monitoring) == desk.now)
        try desk.run(.monitoring, on: account)
        #expect(try account.nextCycle(.monitoring) == at("2026-11-23T15:30"))
        #expect(try account.nextCycle(.trading) == at("2026-11-23T21:00"))
        #expect(try account.nextCycle(.monitoring, from: at("2026-11-28T12:00")) == at("2026-11-30T14:30"))
        desk.write(config: #"{"monitoring": {"interval_minutes": 10}, "trading": {"minutes_before_close": 15}}"#)
        #expect(try account.nextCycle(.monitoring) == at("2026-11-23T15:10"))
        #expect(try account.nextCycle(.trading) == at("2026-11-23T20:45"))
    }

    @Test("the same prices, rules, times and account id lead to the same events")
    func determinism() throws {
        func play() throws -> [String] {
            let desk = try Desk()
            let account = try desk.open()
            try desk.run(.monitoring, on: account, ["A": "BUY 85 100", "B": "BUY 72.5 33.333333"])
            desk.now = at("2026-11-23T21:00")
            try desk.run(.trading, on: account, ["A": "BUY 84 101", "B": "STRONG BUY 90.123456 33.1"])
            desk.now = at("2026-11-24T16:00")
            try desk.run(.monitoring, on: account, ["A": "SELL 10 92", "B": "BUY 80 35"])
            desk.now = at("2026-11-24T21:00")
            try desk.run(.trading, on: account, ["B": "HOLD 50 40"])
            var lines: [String] = []
            try account.history { event in
                // All but when it was recorded, how far the disk was, and the checksums over that.
                var line = event.json
                for name in ["at", "durable", "prev", "crc"] {
                    guard let start = line.firstRange(of: "\"\(name)\":") else { continue }
                    let end = line[start.upperBound...].firstIndex { $0 == "," || $0 == "}" } ?? line.endIndex
                    line.removeSubrange(start.lowerBound..<end)
                }
                lines.append(line)
                return true
            }
            try desk.verify()
            return lines
        }
        let lines = try play()
        #expect(try play() == lines)
        #expect(
            lines.count > 12 && lines.contains { $0.contains("\"exit\":\"critical\"") }
                && lines.contains { $0.contains("\"take_profit\"") })
    }
}
