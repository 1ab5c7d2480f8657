import PaperTrade
import Storage
import Testing

@Suite("Queue, analyst, clock and log")
struct CallbackTests {
    let directory = TemporaryDirectory()

    @Test("executing the queue buys what is still good and rejects the rest with its reason")
    func execute() throws {
        let account = try Account(directory.path(of: "account"))
        for symbol in ["GOOD", "DROP", "DOWN", "NONE", "FAIL"] { try account.enqueue(opportunity(symbol)) }
        struct Broken: Error {}
        let executions = try account.executeQueue { symbol, time in
            switch symbol.description {
            case "NONE": return nil
            case "FAIL": throw Broken()
            case "DROP": return try Analysis(signal: .buy, score: Rate(69.9), price: Price(10.0), size: nil, time: time)
            case "DOWN": return try Analysis(signal: .hold, score: Rate(80.0), price: Price(10.0), size: nil, time: time)
            default:
                return try Analysis(signal: .buy, score: Rate(80.0), price: Price(10.0), size: .amount(Money(105.0)), time: time)
            }
        }
        let outcomes = executions.map { execution in
            if case .rejected(let reason) = execution.outcome {
                "\(execution.symbol) \(reason)"
            } else {
                "\(execution.symbol) bought"
            }
        }
        #expect(outcomes == ["GOOD bought", "DROP scoreDrop", "DOWN downgrade", "NONE noAnalysis", "FAIL noAnalysis"])
        #expect(try account.position(Symbol("GOOD")).shares == Shares(10.0))
        #expect(try account.queue().isEmpty)
        #expect(try Account.verify(account.path).problems.isEmpty)
    }

    @Test("an analyst that stops ends the call with nothing changed")
    func stopped() throws {
        let account = try Account(directory.path(of: "account"))
        try account.enqueue(opportunity("GOOD"))
        let before = try account.summary()
        #expect(
            status { () throws(PaperTradeError) in
                try account.executeQueue { _, _ in throw PaperTradeError(.stopped, "enough") }
            } == .stopped)
        #expect(try account.summary() == before)
    }

    @Test("an analyst may read the account, and not change it")
    func analystMisuse() throws {
        let account = try Account(directory.path(of: "account"))
        try account.enqueue(opportunity("GOOD"))
        var seen: [Status] = []
        _ = try account.executeQueue { _, _ in
            seen.append(status { () throws(PaperTradeError) in try account.summary() })
            seen.append(status { () throws(PaperTradeError) in try account.deposit(Money(micros: 1)!) })
            return nil
        }
        #expect(seen == [.ok, .misuse])
    }

    @Test("when another thread closes the account, no callback is called any more")
    func closedMeanwhile() throws {
        let inHistory = try Account(directory.path(of: "account"))
        for symbol in ["A", "B"] { try inHistory.enqueue(opportunity(symbol)) }
        var calls = 0
        #expect(
            status { () throws(PaperTradeError) in
                try inHistory.history { _ in
                    calls += 1
                    onAnotherThread { inHistory.close() }
                    return true
                }
            } == .closed)
        #expect(calls == 1)
        let inAnalyst = try Account(directory.path(of: "account"))
        calls = 0
        #expect(
            status { () throws(PaperTradeError) in
                try inAnalyst.executeQueue { _, _ in
                    calls += 1
                    onAnotherThread { inAnalyst.close() }
                    return nil
                }
            } == .closed)
        #expect(calls == 1)
    }

    @Test("a judgement applies only to the entry that the analyst saw")
    func changedEntry() throws {
        let account = try Account(directory.path(of: "account"))
        let other = try Account(directory.path(of: "account"))
        try account.enqueue(opportunity("GOOD"))
        let executions = try account.executeQueue { _, time in
            _ = try other.dequeueAll()
            try other.enqueue(opportunity("GOOD", score: 90))
            return try Analysis(signal: .buy, score: Rate(80.0), price: Price(10.0), size: .shares(Shares(1.0)), time: time)
        }
        #expect(executions.map(\.outcome) == [.changed])
        #expect(try account.queue().count == 1)
        #expect(try account.positions().isEmpty)
    }

    @Test("more entries than the caller has room for are refused before anybody is asked")
    func limit() throws {
        let account = try Account(directory.path(of: "account"))
        for symbol in ["A", "B"] { try account.enqueue(opportunity(symbol)) }
        #expect(
            status { () throws(PaperTradeError) in
                try account.executeQueue(limit: 1) { _, _ in
                    Issue.record("asked")
                    return nil
                }
            } == .bufferTooSmall)
        #expect(status { () throws(PaperTradeError) in try account.dequeueAll(limit: 1) } == .bufferTooSmall)
        #expect(try account.dequeueAll(limit: 2).count == 2)
    }

    @Test("the clock gives an event its time, and a wrong one is refused")
    func clock() throws {
        let now = Locked<Timestamp?>(Timestamp("2020-01-01T12:00:00Z"))
        var options = Options()
        options.clock = { now.withLock { $0 } }
        let account = try Account(directory.path(of: "account"), options: options)
        #expect(try account.deposit(Money(1.0)).record.time.description == "2020-01-01T12:00:00.000000Z")
        #expect(try account.summary().createdAt.description == "2020-01-01T12:00:00.000000Z")
        #expect(try account.summary().updatedAt > Timestamp(clamping: 1_700_000_000_000_000))
        now.withLock { $0 = nil }
        #expect(status { () throws(PaperTradeError) in try account.deposit(Money(micros: 1)!) } == .invalidTime)
    }

    @Test("an entry that is too old is never returned, and leaves the queue with the next commit")
    func stale() throws {
        let start = try #require(Timestamp("2020-01-01T12:00:00Z"))
        let now = Locked(start)
        var options = Options()
        options.clock = { now.withLock { $0 } }
        let account = try Account(directory.path(of: "account"), options: options)
        try account.enqueue(opportunity("OLD"))
        now.withLock { $0 = Timestamp(clamping: start.microseconds + 24 * 3_600_000_000) }
        #expect(try account.queue().count == 1)
        now.withLock { $0 = Timestamp(clamping: start.microseconds + 24 * 3_600_000_000 + 1) }
        #expect(try account.queue().isEmpty)
        #expect(try account.queuedCount() == 1)
        try account.enqueue(opportunity("OLD"))
        #expect(try account.queue().map(\.queuedAt) == [now.withLock { $0 }])
        #expect(
            directory.read("account/journal.jsonl").contains(
                "\"type\":\"unqueue\",\"symbol\":\"OLD\",\"queued_seq\":3,\"reason\":\"stale\""))
    }

    @Test("an invalid config is logged once, and does not replace the accepted rules; reload refuses it")
    func invalidConfig() throws {
        let messages = Locked<[String]>([])
        var options = Options()
        options.log = { _, message in messages.withLock { $0.append(message) } }
        let account = try Account(directory.path(of: "account"), options: options)
        directory.write("{\"commission\": {\"minimum\": 2}}", to: "account/config.json")
        try account.buy("AAPL", 1, at: 100)
        directory.write("{\n  \"comission\": {\"minimum\": 3}\n}", to: "account/config.json")
        try account.buy("AAPL", 1, at: 100)
        try account.buy("AAPL", 1, at: 100)
        #expect(try account.summary().cash == Money(9694.0))
        let found = messages.withLock { $0 }
        #expect(found.count == 1)
        #expect(found.first?.contains("line 2") == true && found.first?.contains("commission") == true)
        #expect(status { () throws(PaperTradeError) in try account.reload() } == .invalidConfig)
        directory.write("{}", to: "account/config.json")
        try account.reload()
        #expect(try account.rules() == Rules())
    }

    @Test("an edited portfolio.json is kept aside, reported, and published again")
    func edited() throws {
        let messages = Locked<[String]>([])
        var options = Options()
        options.log = { _, message in messages.withLock { $0.append(message) } }
        let account = try Account(directory.path(of: "account"), options: options)
        directory.write("{\"cash\": 1000000.0}", to: "account/portfolio.json")
        try account.deposit(Money(1.0))
        #expect(try account.summary().cash == Money(10_001.0))
        #expect(directory.read("account/portfolio.json").contains("\"cash\": 10001.0"))
        #expect(messages.withLock { $0 }.contains { $0.contains("portfolio.json.edited-") })
    }
}
