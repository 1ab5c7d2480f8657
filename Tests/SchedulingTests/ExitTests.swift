import Ledger
import Testing

@testable import Scheduling

@Suite struct `The exit rules` {
    private func decision(
        shares: String, cost: String, price: String, _ signal: Signal = .hold, age: String = "0d",
        under rules: Rules = Rules()
    ) throws -> String {
        let position = Position(
            symbol: try Symbol("AAPL"), shares: try Shares(shares), cost: try Money(cost), firstPurchaseDate: CycleScript.start)
        let time = CycleScript.start.adding(microseconds: try #require(duration(age), "\(age)"))
        let analysis = try Analysis(signal: signal, score: Rate("50"), price: Price(price), size: nil, time: time)
        return switch position.exit(on: analysis, at: time, under: rules) {
        case .hold: "hold"
        case .deferred: "deferred"
        case .sell(let reason): reason.rawValue
        case .declined(let reason): "not:\(reason.rawValue)"
        }
    }

    @Test func `apply at their thresholds, and the first that applies decides`() throws {
        let table = """
            # price      signal       age          rules                                             decision
            100          HOLD         0d           -                                                 hold
            # A loss of ten per cent.
            90           HOLD         0d           -                                                 stop_loss
            89.999999    HOLD         0d           -                                                 stop_loss
            90.000001    HOLD         0d           -                                                 hold
            0.000001     HOLD         0d           -                                                 stop_loss
            90           STRONG BUY   0d           -                                                 stop_loss
            92.75        HOLD         0d           exits.stop_loss_percent=-7.25                     stop_loss
            92.750001    HOLD         0d           exits.stop_loss_percent=-7.25                     hold
            100          HOLD         0d           exits.stop_loss_percent=0                         stop_loss
            100.000001   HOLD         0d           exits.stop_loss_percent=0                         hold
            0.000001     HOLD         0d           exits.stop_loss_percent=-100                      hold
            # A signal of WEAK SELL or weaker.
            100          SELL         0d           -                                                 downgrade
            100          WEAK SELL    0d           -                                                 downgrade
            100          WEAK BUY     0d           -                                                 hold
            100          SELL         0d           exits.signal=SELL                                 downgrade
            100          WEAK SELL    0d           exits.signal=SELL                                 hold
            100          HOLD         0d           exits.signal=HOLD                                 downgrade
            100          WEAK BUY     0d           exits.signal=HOLD                                 hold
            # A profit of twenty per cent, which waits while the signal is a buy.
            120          HOLD         0d           -                                                 take_profit
            119.999999   HOLD         0d           -                                                 hold
            120.000001   HOLD         0d           -                                                 take_profit
            120          WEAK BUY     0d           -                                                 take_profit
            120          BUY          0d           -                                                 deferred
            120          STRONG BUY   0d           -                                                 deferred
            119.999999   BUY          0d           -                                                 hold
            120          BUY          0d           exits.defer_take_profit=false                     take_profit
            100          HOLD         0d           exits.take_profit_percent=0                       take_profit
            99.999999    HOLD         0d           exits.take_profit_percent=0                       hold
            999999999    HOLD         0d           exits.take_profit_percent=1000000                 take_profit
            1000099.999999  HOLD      0d           exits.take_profit_percent=1000000                 hold
            # An age of 180 days.
            100          HOLD         180d         -                                                 age
            100          HOLD         180d-1us     -                                                 hold
            100          STRONG BUY   180d         -                                                 age
            100          HOLD         0d           exits.max_age_days=0                              age
            100          HOLD         12h          exits.max_age_days=0.5                            age
            100          HOLD         12h-1us      exits.max_age_days=0.5                            hold
            # By a clock that went back it was bought just now.
            100          HOLD         -1d          exits.max_age_days=0                              age
            100          HOLD         -1d          exits.max_age_days=0.000001                       hold
            # Loss before signal before profit before age.
            90           SELL         200d         -                                                 stop_loss
            120          SELL         200d         -                                                 downgrade
            120          HOLD         200d         -                                                 take_profit
            120          BUY          200d         -                                                 age
            120          BUY          180d-1us     -                                                 deferred
            # What can wait waits for the least holding time: signal and profit; loss and age do not.
            100          SELL         5d-1us       limits.min_holding_days=5                         not:min_holding
            100          SELL         5d           limits.min_holding_days=5                         downgrade
            120          HOLD         5d-1us       limits.min_holding_days=5                         not:min_holding
            120          HOLD         5d           limits.min_holding_days=5                         take_profit
            120          BUY          1d           limits.min_holding_days=5                         deferred
            100          HOLD         3d           limits.min_holding_days=5 exits.max_age_days=2    age
            100          SELL         3d           limits.min_holding_days=5 exits.max_age_days=2    age
            120          HOLD         3d           limits.min_holding_days=5 exits.max_age_days=2    age
            100          SELL         2d-1us       limits.min_holding_days=5 exits.max_age_days=2    not:min_holding
            90           SELL         0d           limits.min_holding_days=5                         stop_loss
            90           HOLD         0d           limits.min_holding_days=5                         stop_loss
            100          HOLD         2d           limits.min_holding_days=5 exits.max_age_days=2    age
            100          HOLD         0d           limits.min_holding_days=5                         hold
            100          SELL         12h          limits.min_holding_days=0.5                       downgrade
            100          SELL         -1d          -                                                 downgrade
            100          SELL         -1d          limits.min_holding_days=0.000001                  not:min_holding
            """
        for row in rows(table) where !row[0].hasPrefix("#") {
            // The threshold does not depend on how the cost came about: ten shares, a third of one, many.
            for (shares, cost) in [("10", "1000"), ("1", "100"), ("0.5", "50"), ("1000", "100000")] {
                let signal = try #require(Signal(row[1]))
                let decision = try decision(shares: shares, cost: cost, price: row[0], signal, age: row[2], under: rules(row[3]))
                #expect(decision == row[4], "\(row), \(shares) shares")
            }
        }
    }

    @Test func `are exact for odd numbers of shares and for commissions in the cost`() throws {
        let table = """
            # shares          cost              price             rules                              decision
            # 90 % of 1000.01 is 900.009, which is 128.572714285… for each of seven.
            7                 1000.01           128.572714        -                                  stop_loss
            7                 1000.01           128.572715        -                                  hold
            # 92.75 % of 33.34 is 30.92285, which is 92.768642768… for each.
            0.333333          33.34             92.768642         exits.stop_loss_percent=-7.25      stop_loss
            0.333333          33.34             92.768643         exits.stop_loss_percent=-7.25      hold
            # 120 % of it is 40.008, which is 120.024120024…
            0.333333          33.34             120.02412         -                                  hold
            0.333333          33.34             120.024121        -                                  take_profit
            # A commission of 10 on 1000: the loss is of what was paid.
            10                1010              90.9              -                                  stop_loss
            10                1010              90.900001         -                                  hold
            10                1010              121.199999        -                                  hold
            10                1010              121.2             -                                  take_profit
            # The ends of the range.
            999999999.999999  999999999.999999  0.9               -                                  stop_loss
            999999999.999999  999999999.999999  0.900001          -                                  hold
            999999999.999999  0.000001          999999999.999999  exits.take_profit_percent=1000000  take_profit
            0.000001          999999999.999999  0.000001          -                                  stop_loss
            0.000001          0.000001          0.9               -                                  stop_loss
            0.000001          0.000001          0.900001          -                                  hold
            """
        for row in rows(table) where !row[0].hasPrefix("#") {
            let decision = try decision(shares: row[0], cost: row[1], price: row[2], under: rules(row[3]))
            #expect(decision == row[4], "\(row)")
        }
    }

    @Test func `of loss and profit change at exactly one price, whatever the position`() throws {
        var random = SeededGenerator()
        for _ in 0..<2000 {
            let shares = Int64.random(in: 1...1_000_000_000_000, using: &random)
            let cost = Int64.random(in: 1...1_000_000_000_000, using: &random)
            let loss = Int64.random(in: -100_000_000...0, using: &random)
            let profit = Int64.random(in: 1...1_000_000_000, using: &random)
            let rules = try rules(
                "exits.stop_loss_percent=\(Rate(clamping: loss)) exits.take_profit_percent=\(Rate(clamping: profit))")
            func decision(at price: Int128) throws -> String? {
                guard let price = Int64(exactly: price).flatMap(Price.init(micros:)), price.isPositive else { return nil }
                let (shares, cost) = (Shares(clamping: shares).description, Money(clamping: cost).description)
                return try self.decision(shares: shares, cost: cost, price: price.description, under: rules)
            }
            // Worth at most cost × (1 + percent ÷ 100): the most a share may cost then, rounded down.
            let stop = Int128(cost) * (100_000_000 + Int128(loss)) / (Int128(shares) * 100)
            let context: Comment = "\(shares) shares, cost \(cost), \(loss) and \(profit), seed printed"
            if let decision = try decision(at: stop) { #expect(decision == "stop_loss", context) }
            if let decision = try decision(at: stop + 1) { #expect(decision != "stop_loss", context) }
            // Worth at least that: the least a share must cost, rounded up.
            let divisor = Int128(shares) * 100
            let take = (Int128(cost) * (100_000_000 + Int128(profit)) + divisor - 1) / divisor
            if let decision = try decision(at: take) { #expect(decision == "take_profit", context) }
            if take - 1 > stop, let decision = try decision(at: take - 1) { #expect(decision == "hold", context) }
        }
    }
}
