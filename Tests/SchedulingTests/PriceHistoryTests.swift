import Ledger
import Testing

@testable import Scheduling

@Suite struct `A history of prices` {
    private let nyse = MarketCalendar.nyse(.newYork)

    private func days(_ table: String) throws -> [PriceHistory.Day] {
        try rows(table).map { row in
            PriceHistory.Day(date: date(row[0]), open: try Price(row[1]), close: try Price(row[2]))
        }
    }

    private func action(_ day: String, _ symbol: String, _ kind: PriceHistory.Action.Kind) throws -> PriceHistory.Action {
        PriceHistory.Action(date: date(day), symbol: try Symbol(symbol), kind: kind)
    }

    /// Apple around its split of seven for one, with a day missing after it.
    private func apple() throws -> PriceHistory {
        let prices = """
            2014-06-05  640      647.35
            2014-06-06  649.9    645.57
            2014-06-09  92.7     93.7
            2014-06-11  94.13    93.86
            """
        return PriceHistory(
            days: [try Symbol("AAPL"): try days(prices)],
            actions: [
                try action("2014-06-09", "AAPL", .split(Shares("7"))), try action("2014-06-06", "AAPL", .dividend(Price("3.29"))),
                try action("2014-06-06", "MSFT", .split(Shares("2"))),
            ])
    }

    @Test func `tells at each moment what was known then, and nothing more`() throws {
        // New York opens at 13:30 and closes at 20:00.
        let table = """
            2014-06-05T13:29:59.999999   nil
            2014-06-05T13:30             640
            2014-06-05T19:59:59.999999   640
            2014-06-05T20:00             647.35
            2014-06-06T13:29:59.999999   647.35
            2014-06-06T13:30             649.9 after 647.35
            2014-06-06T19:59:59.999999   649.9 after 647.35
            2014-06-06T20:00             645.57 after 647.35
            2014-06-08T12:00             645.57 after 647.35
            # The split is effective from the opening of its day.
            2014-06-09T13:29:59.999999   645.57 after 647.35
            2014-06-09T13:30             92.7 after 92.224286, 92.478571
            2014-06-09T20:00             93.7 after 92.224286, 92.478571
            2014-06-10T13:29:59.999999   93.7 after 92.224286, 92.478571
            # A day without a price has none, until the next day that has one.
            2014-06-10T13:30             nil
            2014-06-10T20:00             nil
            2014-06-11T13:29:59.999999   nil
            2014-06-11T13:30             94.13 after 93.7, 92.224286, 92.478571
            2014-06-12T13:29:59.999999   93.86 after 93.7, 92.224286, 92.478571
            2014-06-12T13:30             nil
            """
        let history = try apple()
        for row in rows(table) where !row[0].hasPrefix("#") {
            let known = history.known(try Symbol("AAPL"), at: time(row[0]), on: nyse, closes: 60)
            let closes = known?.closes.map { short($0) }.joined(separator: ", ") ?? ""
            let text = known.map { short($0.price) + (closes.isEmpty ? "" : " after \(closes)") }
            #expect(text ?? "nil" == row[1], "\(row)")
        }
    }

    @Test func `gives as many closes as are asked for, and none of a security that it does not have`() throws {
        let history = try apple()
        let moment = time("2014-06-11T13:30")
        for count in 0...4 {
            let known = try #require(history.known(try Symbol("AAPL"), at: moment, on: nyse, closes: count))
            #expect(known.closes.map { short($0) } == Array(["93.7", "92.224286", "92.478571"].prefix(count)))
        }
        #expect(history.known(try Symbol("MSFT"), at: moment, on: nyse, closes: 1) == nil)
        let nothing = PriceHistory(days: [try Symbol("AAPL"): []])
        #expect(nothing.known(try Symbol("AAPL"), at: moment, on: nyse, closes: 1) == nil)
        #expect(nothing.dates == nil)
        #expect(nothing.lastClose(try Symbol("AAPL"), through: date("2014-06-11")) == nil)
    }

    @Test func `converts closes across every split between, forward and reverse, rounded half to even, and across no dividend`()
        throws
    {
        let symbol = try Symbol("A")
        let prices = "2014-06-02  100  100.00001\n2014-06-03  1  0.000015\n2014-06-04  1  3\n2014-06-05  1  1"
        let table: [(actions: [PriceHistory.Action], closes: [String])] = [
            ([], ["3", "0.000015", "100.00001"]),
            ([try action("2014-06-05", "A", .split(Shares("2")))], ["1.5", "0.000008", "50.000005"]),
            ([try action("2014-06-05", "A", .split(Shares("10")))], ["0.3", "0.000002", "10.000001"]),
            ([try action("2014-06-05", "A", .split(Shares("0.1")))], ["30", "0.00015", "1000.0001"]),
            (
                [try action("2014-06-03", "A", .split(Shares("2"))), try action("2014-06-05", "A", .split(Shares("5")))],
                ["0.6", "0.000003", "10.000001"]
            ),
            ([try action("2014-06-05", "A", .dividend(Price("1")))], ["3", "0.000015", "100.00001"]),
            // On or before the first day, and after the last: nothing to convert.
            ([try action("2014-06-02", "A", .split(Shares("2")))], ["3", "0.000015", "100.00001"]),
            ([try action("2014-06-06", "A", .split(Shares("2")))], ["3", "0.000015", "100.00001"]),
            ([try action("2014-06-05", "A", .split(Shares("0.000001")))], ["3000000", "15", "100000010"]),
        ]
        for (actions, closes) in table {
            let history = PriceHistory(days: [symbol: try days(prices)], actions: actions)
            let known = try #require(history.known(symbol, at: time("2014-06-05T14:00"), on: nyse, closes: 9))
            #expect(known.closes.map { short($0) } == closes, "\(actions.map(\.kind))")
        }
    }

    @Test func `knows the last close up to a day in terms of that day's shares`() throws {
        let table = """
            2014-06-04  nil
            2014-06-05  647.35
            2014-06-06  645.57
            2014-06-08  645.57
            2014-06-09  93.7
            2014-06-10  93.7
            2014-06-11  93.86
            2020-01-01  93.86
            """
        let history = try apple()
        for row in rows(table) {
            #expect(history.lastClose(try Symbol("AAPL"), through: date(row[0])).map { short($0) } ?? "nil" == row[1], "\(row)")
        }
        // On the day of the split itself there may be no price.
        let halted = PriceHistory(
            days: [try Symbol("AAPL"): try days("2014-06-06  649.9  645.57")],
            actions: [try action("2014-06-09", "AAPL", .split(Shares("7")))])
        #expect(halted.lastClose(try Symbol("AAPL"), through: date("2014-06-08")).map { short($0) } == "645.57")
        #expect(halted.lastClose(try Symbol("AAPL"), through: date("2014-06-09")).map { short($0) } == "92.224286")
    }

    @Test func `has its symbols, its dates and its actions in order`() throws {
        let history = PriceHistory(
            days: [
                try Symbol("MSFT"): try days("2014-06-03  1  1\n2014-06-10  1  1"),
                try Symbol("AAPL"): try days("2014-06-05  1  1\n2014-06-06  1  1"), try Symbol("NONE"): [],
            ],
            actions: [
                try action("2014-06-09", "B", .split(Shares("7"))), try action("2014-06-06", "Z", .dividend(Price("3.29"))),
                try action("2014-06-09", "A", .split(Shares("2"))), try action("2014-06-06", "A", .dividend(Price("1"))),
            ])
        #expect(history.symbols.map(\.description) == ["AAPL", "MSFT", "NONE"])
        #expect(history.dates == date("2014-06-03")...date("2014-06-10"))
        #expect(
            history.actions.map { "\($0.date) \($0.symbol)" } == ["2014-06-06 Z", "2014-06-06 A", "2014-06-09 B", "2014-06-09 A"])
        #expect(history.with(actions: []).actions.isEmpty && history.with(actions: []).symbols == history.symbols)
    }
}
