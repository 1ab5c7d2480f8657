import Ledger
import Testing

@Suite struct `The rules` {
    @Test func `every rule takes its range with both ends, and nothing beyond`() throws {
        let table = """
            # key                     least   most        default
            initial_cash              0       999999999   10000
            commission.per_share      0       1000        0
            commission.percent        0       100         0
            commission.minimum        0       1000000     0
            queue.stale_after_hours   0       87600       24
            queue.max_score_drop      0       100         10
            """
        #expect(rows(table).map { $0[0] } == RuleKey.allCases.map(\.name))
        for row in rows(table) {
            let key = try #require(RuleKey(name: row[0]))
            let (least, most, standard) = (try Rate(row[1]), try Rate(row[2]), try Rate(row[3]))
            var rules = Rules()
            #expect(rules[key] == standard && key.defaultValue == standard, "\(key)")
            for value in [least, most, Rate(clamping: least.micros + 1), Rate(clamping: most.micros - 1)] {
                #expect(rules.set(key, to: value) && rules[key] == value, "\(key) \(value)")
            }
            let before = rules
            for value in [
                Rate(clamping: least.micros - 1), Rate(clamping: most.micros + 1), Rate(clamping: .max), Rate(clamping: .min),
            ] {
                #expect(!rules.set(key, to: value) && rules == before, "\(key) \(value)")
            }
        }
    }

    @Test func `setting a rule changes no other`() throws {
        for key in RuleKey.allCases {
            var rules = Rules()
            #expect(rules.set(key, to: try Rate("1.25")))
            for other in RuleKey.allCases where other != key { #expect(rules[other] == other.defaultValue) }
            #expect(rules != Rules())
            #expect(rules.set(key, to: key.defaultValue) && rules == Rules())
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
