import Ledger
import Testing

@Suite struct `The rules` {
    @Test func `every rule takes its range with both ends, and nothing beyond`() throws {
        let table = """
            # key                              kind     least   most        default
            initial_cash                       number   0       999999999   10000
            system_active                      flag     0       1           1
            commission.per_share               number   0       1000        0
            commission.percent                 number   0       100         0
            commission.minimum                 number   0       1000000     0
            queue.stale_after_hours            number   0       87600       24
            queue.max_score_drop               number   0       100         10
            market.calendar                    choice   0       1           0
            monitoring.interval_minutes        count    1       1440        30
            monitoring.score_change            number   0       100         3
            monitoring.major_upgrade_levels    count    1       5           3
            monitoring.major_downgrade_levels  count    1       5           2
            monitoring.sell_critical           flag     0       1           1
            trading.minutes_before_close       count    0       390         0
            trading.min_score                  number   0       100         70
            sizing.mode                        choice   0       1           0
            sizing.base_percent                number   0       100         10
            sizing.fixed_amount                number   0       999999999   1000
            sizing.whole_shares                flag     0       1           1
            limits.max_positions               count    0       100000      10
            limits.max_position_percent        number   0       100         15
            limits.max_trade_percent           number   0       100         15
            limits.trades_per_hour             count    0       1000        5
            limits.min_holding_days            number   0       3650        0
            limits.cash_reserve_percent        number   0       100         5
            limits.max_sector_percent          number   0       100         40
            exits.stop_loss_percent            number   -100    0           -10
            exits.signal                       choice   0       2           1
            exits.take_profit_percent          number   0       1000000     20
            exits.defer_take_profit            flag     0       1           1
            exits.max_age_days                 number   0       36500       180
            cycles.retry_minutes               count    1       1440        5
            """
        #expect(rows(table).map { $0[0] } == RuleKey.allCases.map(\.name))
        for row in rows(table) {
            let key = try #require(RuleKey(name: row[0]))
            let (least, most, standard) = (try Rate(row[2]), try Rate(row[3]), try Rate(row[4]))
            var rules = Rules()
            #expect(caseName(key.kind) == row[1], "\(key)")
            #expect(rules[key] == standard && key.defaultValue == standard, "\(key)")
            let step = key.kind == .number ? 1 : microsPerUnit
            for value in [least, most, Rate(clamping: least.micros + step), Rate(clamping: most.micros - step)] {
                #expect(rules.set(key, to: value) && rules[key] == value, "\(key) \(value)")
            }
            let before = rules
            var wrong = [least.micros - 1, most.micros + 1, least.micros - step, most.micros + step, .max, .min]
            // Only a number has decimals.
            if key.kind != .number { wrong += [least.micros + 1, most.micros - 1, least.micros + microsPerUnit / 2] }
            for value in wrong.map({ Rate(clamping: $0) }) {
                #expect(!rules.set(key, to: value) && rules == before, "\(key) \(value)")
            }
        }
    }

    @Test func `setting a rule changes no other`() throws {
        for key in RuleKey.allCases {
            var rules = Rules()
            let value = key.defaultValue == key.range.upperBound ? key.range.lowerBound : key.range.upperBound
            let isSet = rules.set(key, to: value)
            #expect(isSet)
            for other in RuleKey.allCases where other != key { #expect(rules[other] == other.defaultValue) }
            #expect(rules != Rules())
            #expect(rules.set(key, to: key.defaultValue) && rules == Rules())
        }
    }

    @Test func `a value is read and written as its kind says`() throws {
        let table = """
            # key                         value     text       count  choice  on
            commission.percent            0.25      0.25       0      -       true
            exits.stop_loss_percent       -10       -10.0      -10    -       false
            monitoring.interval_minutes   1440      1440       1440   -       true
            limits.max_positions          0         0          0      -       false
            system_active                 1         true       1      -       true
            system_active                 0         false      0      -       false
            market.calendar               0         nyse       0      nyse    false
            market.calendar               1         always     1      always  true
            sizing.mode                   0         score      0      score   false
            sizing.mode                   1         fixed      1      fixed   true
            exits.signal                  0         SELL       0      SELL    false
            exits.signal                  2         HOLD       2      HOLD    true
            """
        for row in rows(table) {
            let key = try #require(RuleKey(name: row[0]))
            var rules = Rules()
            #expect(rules.set(key, to: try Rate(row[1])))
            #expect(key.text(of: rules[key]) == row[2], "\(row)")
            #expect("\(rules.count(key))" == row[3], "\(row)")
            #expect((rules.choice(key).isEmpty ? "-" : rules.choice(key)) == row[4], "\(row)")
            #expect("\(rules.isOn(key))" == row[5], "\(row)")
        }
        for key in RuleKey.allCases { #expect(key.choices.count == (caseName(key.kind) == "choice" ? rulesOfChoice(key) : 0)) }
    }

    private func rulesOfChoice(_ key: RuleKey) -> Int { Int(key.range.upperBound.micros / microsPerUnit) + 1 }

    @Test func `what can be written is said in the terms of its kind`() {
        let table: [(key: RuleKey, expectation: String)] = [
            (.exitsStopLossPercent, "a number from -100.0 to 0.0"), (.cyclesRetryMinutes, "a whole number from 1 to 1440"),
            (.systemActive, "true or false"), (.exitsSignal, #""SELL" or "WEAK SELL" or "HOLD""#),
        ]
        for (key, expectation) in table { #expect(key.expectation == expectation) }
        for key in RuleKey.allCases { #expect(!key.meaning.isEmpty && !key.unit.isEmpty, "\(key.name)") }
    }

    @Test func `the watchlist keeps each symbol once, in the order given, up to its length`() throws {
        // 124 symbols of 32 characters with the spaces between them are 4091 bytes; four letters after one more space make 4096.
        let long = (0..<124).map { "\($0)-" + String(repeating: "W", count: 31 - "\($0)".count) }.joined(separator: " ")
        let table: [(list: String, isAllowed: Bool)] = [
            ("", true), ("AAPL", true), ("MSFT AAPL ^GSPC BRK.B aapl", true), ("AAPL MSFT ^GSPC BRK.B aapl", true),
            ("A A", false), ("A B C A", false), ("MSFT AAPL MSFT", false),
            (long + " ABCD", true), (long + " ABCDE", false), (long + " A BC", true), (long + " A BCD", false),
        ]
        var rules = Rules()
        for (list, isAllowed) in table {
            let before = rules
            let symbols = try list.split(separator: " ").map { try Symbol(String($0)) }
            let isSet = rules.setWatchlist(symbols)
            #expect(isSet == isAllowed, "\(list)")
            #expect(rules.watchlist == (isAllowed ? symbols : before.watchlist), "\(list)")
            #expect((rules == before) == (rules.watchlist == before.watchlist), "\(list)")
        }
    }

    @Test(arguments: ["", "initial_Cash", "initialCash", "commission", "commission.", "queue.stale_after_hours "])
    func `no other name is a rule`(name: String) {
        #expect(RuleKey(name: name) == nil)
    }

    @Test func `every rule says what it means and in which unit`() {
        for key in RuleKey.allCases { #expect(!key.meaning.isEmpty && !key.unit.isEmpty) }
        #expect(Set(RuleKey.allCases.map(\.meaning)).count == RuleKey.allCases.count)
    }

    @Test func `initial cash and staleness come in their units`() throws {
        var rules = Rules()
        #expect(try rules.initialCash == Money("10000"))
        #expect(rules.queueStaleAfterMicroseconds == 24 * 3600 * 1_000_000)
        #expect(rules.set(.queueStaleAfterHours, to: try Rate("0.000001")))
        #expect(rules.queueStaleAfterMicroseconds == 3600)
        #expect(rules.set(.queueStaleAfterHours, to: try Rate("87600")))
        #expect(rules.queueStaleAfterMicroseconds == 87_600 * 3600 * 1_000_000)
    }

    @Test func `a commission is per share and per cent added, and at least the minimum`() throws {
        let table = """
            # share   percent    minimum   shares       notional          commission
            0         0          0         40           6000              0
            0.01      0          0         40           6000              0.4
            0         0.1        0         40           6000              6
            0         0          5         40           6000              5
            0.01      0.1        0         40           6000              6.4
            0.01      0.1        5         40           6000              6.4
            0.01      0.1        6.4       40           6000              6.4
            0.01      0.1        6.400001  40           6000              6.400001
            0.01      0.1        100       40           6000              100
            0         100        0         1            150.123456        150.123456
            # Each part is rounded half to even by itself, and then added.
            0.000001  0          0         0.5          1                 0
            0.000003  0          0         0.5          1                 0.000002
            0.000005  0          0         0.5          1                 0.000002
            0         50         0         1            0.000001          0
            0         50         0         1            0.000003          0.000002
            0         50         0         1            0.000005          0.000002
            0.000003  50         0         0.5          0.000003          0.000004
            0.000001  50         0         0.5          0.000001          0
            0         0.000001   0         1            50                0
            0         0.000001   0         1            50.000001         0.000001
            0         0.000001   0         1            150               0.000002
            # Beyond the range there is no commission.
            1000      0          0         999999.999999  1               999999999.999
            1000      0          0         1000000      1                 nil
            1000      100        0         999999       1                 999999001
            1000      100        0         999999       999.999999        999999999.999999
            1000      100        0         999999       1000              nil
            0         100        1000000   1            999999999.999999  999999999.999999
            """
        for row in rows(table) {
            var rules = Rules()
            #expect(rules.set(.commissionPerShare, to: try Rate(row[0])))
            #expect(rules.set(.commissionPercent, to: try Rate(row[1])))
            #expect(rules.set(.commissionMinimum, to: try Rate(row[2])))
            let commission = rules.commission(shares: try Shares(row[3]), notional: try Money(row[4]))
            #expect(commission.map(short) ?? "nil" == row[5], "\(row)")
        }
    }
}
