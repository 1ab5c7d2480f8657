import Ledger
import Testing

@testable import Scheduling

@Suite struct `The built-in analyst` {
    private let noon = time("2026-11-23T12:00")

    /// What it says at noon of a market that never closes: today's price, and as many closes before it as `count`, those 20 and 60
    /// days ago with these prices, all others with `other`.
    private func analysis(
        price: String, twentyAgo: String = "1", sixtyAgo: String = "1", count: Int = 60, other: String = "1"
    ) throws -> Analysis? {
        let symbol = try Symbol("A")
        var days: [PriceHistory.Day] = []
        for ago in (1...max(count, 1)).reversed() where ago <= count {
            let close = try Price(ago == 20 ? twentyAgo : ago == 60 ? sixtyAgo : other)
            days.append(
                PriceHistory.Day(date: CalendarDate(utcDateOf: noon).adding(days: Int64(-ago)), open: close, close: close))
        }
        // Tonight's close is not known at noon.
        days.append(PriceHistory.Day(date: CalendarDate(utcDateOf: noon), open: try Price(price), close: try Price("500000")))
        return try MomentumAnalyst(PriceHistory(days: [symbol: days]), on: .always).analysis(of: symbol, at: noon)
    }

    @Test func `scores 50 + twice the change over 20 closes + the change over 60, in per cent, within 0 to 100`() throws {
        let table = """
            # price        20 ago    60 ago     score       signal        confidence
            100            100       100        50          HOLD          HIGH
            110            100       100        80          STRONG BUY    HIGH
            109.999999     100       100        79.999997   BUY           HIGH
            231            220       210        70          BUY           HIGH
            230.9999       220       210        69.999862   WEAK BUY      HIGH
            110            110       100        60          WEAK BUY      HIGH
            109.999999     110       100        59.999997   HOLD          MEDIUM
            90             90        100        40          HOLD          MEDIUM
            89.999999      90        100        39.999997   WEAK SELL     HIGH
            171            180       190        30          WEAK SELL     HIGH
            170.999999     180       190        29.999997   SELL          HIGH
            50             100       25         50          HOLD          MEDIUM
            100            80        100        100         STRONG BUY    HIGH
            100            80.000001  100       99.999996   STRONG BUY    HIGH
            200            100       100        100         STRONG BUY    HIGH
            70             100       100        0           SELL          HIGH
            1              100       100        0           SELL          HIGH
            # A change is rounded once, half to even: a third of a millionth of a per cent is nothing, two thirds are one.
            300.000001     300       300        50          HOLD          HIGH
            300.000002     300       300        50.000003   HOLD          HIGH
            3.000001       3         3          50.000099   HOLD          HIGH
            # The ends of the range.
            999999999.999999  0.000001  0.000001  100       STRONG BUY    HIGH
            0.000001       999999999.999999  999999999.999999  0  SELL    HIGH
            """
        for row in rows(table) where !row[0].hasPrefix("#") {
            let analysis = try #require(try analysis(price: row[0], twentyAgo: row[1], sixtyAgo: row[2]), "\(row)")
            #expect(short(analysis.score) == row[3], "\(row)")
            #expect(analysis.signal.description == row[4] && analysis.confidence?.name == row[5], "\(row)")
            #expect(short(analysis.price) == row[0] && analysis.size == nil && analysis.time == noon && analysis.sector == nil)
        }
    }

    @Test func `has no opinion on fewer than 20 closes, and little confidence in one on fewer than 60`() throws {
        #expect(try analysis(price: "110", count: 0) == nil)
        #expect(try analysis(price: "110", count: 19) == nil)
        // Over fewer than 60 the longer change is that since the first close: 20 + 50 + 2 × 10.
        for (count, oldest) in [(20, "100"), (21, "100"), (59, "100")] {
            let analysis = try #require(try analysis(price: "110", twentyAgo: "100", count: count, other: oldest))
            #expect(analysis.confidence == .low && short(analysis.score) == "80", "\(count) closes")
        }
        #expect(try analysis(price: "110", twentyAgo: "100", count: 40, other: "88")?.score == Rate("95"))
        #expect(try analysis(price: "110", twentyAgo: "100", sixtyAgo: "100", count: 60)?.confidence == .high)
        // What lies further back does not count.
        #expect(
            try analysis(price: "110", twentyAgo: "100", sixtyAgo: "100", count: 61)
                == analysis(price: "110", twentyAgo: "100", sixtyAgo: "100", count: 60))
    }

    @Test func `has no opinion where there is no price, and says why it has one`() throws {
        let history = PriceHistory(days: [try Symbol("A"): []])
        for symbol in ["A", "B"] {
            #expect(try MomentumAnalyst(history, on: .always).analysis(of: try Symbol(symbol), at: noon) == nil)
        }
        let analysis = try #require(try analysis(price: "231", twentyAgo: "220", sixtyAgo: "210"))
        #expect(analysis.reason?.description == "20 days 5.0 %, 60 days 10.0 %")
    }

    @Test(arguments: [
        ("100", Signal.strongBuy), ("80", .strongBuy), ("79.999999", .buy), ("70", .buy), ("69.999999", .weakBuy),
        ("60", .weakBuy), ("59.999999", .hold), ("40", .hold), ("39.999999", .weakSell), ("30", .weakSell), ("29.999999", .sell),
        ("0", .sell),
    ])
    func `gives each score its signal`(score: String, signal: Signal) throws {
        #expect(MomentumAnalyst.signal(try Rate(score)) == signal)
    }
}
