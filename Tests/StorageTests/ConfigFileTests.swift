import Ledger
import Testing

@testable import Storage

@Suite struct `config.json` {
    private func rules(_ text: String) throws(StorageError) -> Rules {
        try ConfigFile.rules(from: Array(text.utf8), path: "/a/config.json")
    }

    private func expectRefused(_ text: String, _ sentence: String, _ location: SourceLocation = #_sourceLocation) {
        expectRefused(Array(text.utf8), sentence, location)
    }

    private func expectRefused(_ text: [UInt8], _ sentence: String, _ location: SourceLocation = #_sourceLocation) {
        do throws(StorageError) {
            _ = try ConfigFile.rules(from: text, path: "/a/config.json")
            Issue.record("accepted: \(String(decoding: text.prefix(200), as: UTF8.self))", sourceLocation: location)
        } catch {
            #expect(error.kind == .invalidConfig, sourceLocation: location)
            #expect(error.description == "/a/config.json" + sentence, sourceLocation: location)
        }
    }

    @Test func `an absent rule has its default`() throws {
        #expect(try rules("{}") == Rules())
        #expect(try rules(" \r\n\t{ \"commission\" : { } , \"queue\":{}}\r\n") == Rules())
    }

    @Test func `each rule is the member that its name says, whole or with decimals`() throws {
        let table: [(text: String, key: RuleKey, value: String)] = [
            (#"{"initial_cash": 25000}"#, .initialCash, "25000"),
            (#"{"initial_cash": 0.1}"#, .initialCash, "0.1"),
            (#"{"initial_cash": 1e4}"#, .initialCash, "10000"),
            (#"{"initial_cash": 999999999}"#, .initialCash, "999999999"),
            (#"{"commission": {"per_share": 0.005}}"#, .commissionPerShare, "0.005"),
            (#"{"commission": {"percent": 0.000001}}"#, .commissionPercent, "0.000001"),
            (#"{"commission": {"minimum": -0.0}}"#, .commissionMinimum, "0"),
            (#"{"queue": {"stale_after_hours": 48}}"#, .queueStaleAfterHours, "48"),
            (#"{"queue": {"max_score_drop": 99.999999}}"#, .queueMaximumScoreDrop, "99.999999"),
            (#"{"queue": {"max\u005fscore_drop": 5}}"#, .queueMaximumScoreDrop, "5"),
            (#"{"system_active": false}"#, .systemActive, "0"),
            (#"{"system_active": true}"#, .systemActive, "1"),
            (#"{"market": {"calendar": "nyse"}}"#, .marketCalendar, "0"),
            (#"{"market": {"calendar": "always"}}"#, .marketCalendar, "1"),
            (#"{"monitoring": {"interval_minutes": 1440}}"#, .monitoringIntervalMinutes, "1440"),
            (#"{"monitoring": {"interval_minutes": 15.0}}"#, .monitoringIntervalMinutes, "15"),
            (#"{"monitoring": {"score_change": 2.5}}"#, .monitoringScoreChange, "2.5"),
            (#"{"monitoring": {"major_upgrade_levels": 5}}"#, .monitoringMajorUpgradeLevels, "5"),
            (#"{"monitoring": {"major_downgrade_levels": 1}}"#, .monitoringMajorDowngradeLevels, "1"),
            (#"{"monitoring": {"sell_critical": false}}"#, .monitoringSellCritical, "0"),
            (#"{"trading": {"minutes_before_close": 15}}"#, .tradingMinutesBeforeClose, "15"),
            (#"{"trading": {"min_score": 72.5}}"#, .tradingMinimumScore, "72.5"),
            (#"{"sizing": {"mode": "fixed"}}"#, .sizingMode, "1"),
            (#"{"sizing": {"base_percent": 7.5}}"#, .sizingBasePercent, "7.5"),
            (#"{"sizing": {"fixed_amount": 2500.25}}"#, .sizingFixedAmount, "2500.25"),
            (#"{"sizing": {"whole_shares": false}}"#, .sizingWholeShares, "0"),
            (#"{"limits": {"max_positions": 25}}"#, .limitsMaximumPositions, "25"),
            (#"{"limits": {"max_position_percent": 12.5}}"#, .limitsMaximumPositionPercent, "12.5"),
            (#"{"limits": {"max_trade_percent": 0}}"#, .limitsMaximumTradePercent, "0"),
            (#"{"limits": {"trades_per_hour": 0}}"#, .limitsTradesPerHour, "0"),
            (#"{"limits": {"min_holding_days": 0.5}}"#, .limitsMinimumHoldingDays, "0.5"),
            (#"{"limits": {"cash_reserve_percent": 10}}"#, .limitsCashReservePercent, "10"),
            (#"{"limits": {"max_sector_percent": 100}}"#, .limitsMaximumSectorPercent, "100"),
            (#"{"exits": {"stop_loss_percent": -7.25}}"#, .exitsStopLossPercent, "-7.25"),
            (#"{"exits": {"signal": "SELL"}}"#, .exitsSignal, "0"),
            (#"{"exits": {"signal": "WEAK SELL"}}"#, .exitsSignal, "1"),
            (#"{"exits": {"signal": "HOLD"}}"#, .exitsSignal, "2"),
            (#"{"exits": {"take_profit_percent": 1000000}}"#, .exitsTakeProfitPercent, "1000000"),
            (#"{"exits": {"defer_take_profit": false}}"#, .exitsDeferTakeProfit, "0"),
            (#"{"exits": {"max_age_days": 365}}"#, .exitsMaximumAgeDays, "365"),
            (#"{"cycles": {"retry_minutes": 1}}"#, .cyclesRetryMinutes, "1"),
        ]
        for (text, key, value) in table {
            var expected = Rules()
            let isInRange = expected.set(key, to: try Rate(value))
            #expect(isInRange)
            #expect(try rules(text) == expected, "\(text)")
        }
        #expect(Set(table.map(\.key)) == Set(RuleKey.allCases))
    }

    @Test func `what is no value of the rule is refused with line, key and what was expected`() {
        expectRefused(
            "{\n  \"commission\": {\n    \"per_share\": -1\n  }\n}",
            ", line 3: \"commission.per_share\" (commission for each share traded) is -1; expected a number from 0.0 to 1000.0 (money)"
        )
        expectRefused(
            "{\"queue\":\n{\"max_score_drop\"\n:\n100.5}}",
            ", line 2: \"queue.max_score_drop\" (a queued buy whose score fell by more is rejected) is 100.5; "
                + "expected a number from 0.0 to 100.0 (points)")
        expectRefused(
            #"{"initial_cash": "10000"}"#,
            ", line 1: \"initial_cash\" (cash of a new or reset account) is the text \"10000\"; "
                + "expected a number from 0.0 to 999999999.0 (money), without quotes")
        let cash = ", line 1: \"initial_cash\" (cash of a new or reset account) is "
        let expected = "; expected a number from 0.0 to 999999999.0 (money)"
        let table = [
            ("null", "null"), ("true", "true"), ("[1]", "a list"), ("{\"a\": 1}", "an object"), ("999999999.5", "999999999.5"),
            ("1e300", "1e+300"), ("9223372036854775807", "9223372036854775807"), ("-9223372036854775808", "-9223372036854775808"),
            ("-0.000001", "-1e-06"),
        ]
        for (value, name) in table { expectRefused("{\"initial_cash\": \(value)}", cash + name + expected) }
        expectRefused("{\"initial_cash\": 0.00000078}", cash + "7.8e-07" + expected + " with at most six decimals")
        expectRefused("{\"initial_cash\": 4e-320}", cash + "4e-320" + expected + " with at most six decimals")
    }

    @Test func `a whole number, a flag and a choice take nothing else, and say so`() {
        let interval = "monitoring.interval_minutes\" (time between two monitoring cycles while the market is open) is "
        let wholeNumber = "; expected a whole number from 1 to 1440 (minutes)"
        for (value, name, hint) in [
            ("0", "0", ""), ("1441", "1441", ""), ("15.5", "15.5", ""), ("1.000001", "1.000001", ""), ("-30", "-30", ""),
            ("true", "true", ""), ("\"30\"", "the text \"30\"", ", without quotes"),
        ] {
            expectRefused(
                "{\"monitoring\": {\"interval_minutes\": \(value)}}", ", line 1: \"\(interval)\(name)\(wholeNumber)\(hint)")
        }
        for (value, name) in [("1", "1"), ("0", "0"), ("\"true\"", "the text \"true\""), ("null", "null"), ("[true]", "a list")] {
            expectRefused(
                "{\n\"system_active\": \(value)}",
                ", line 2: \"system_active\" (whether the cycles trade, or only watch and record) is \(name); "
                    + "expected true or false, without quotes")
        }
        for (value, name) in [
            ("\"NYSE\"", "the text \"NYSE\""), ("\"\"", "the text \"\""), ("0", "0"), ("true", "true"), ("null", "null"),
        ] {
            expectRefused(
                "{\"market\": {\"calendar\": \(value)}}",
                ", line 1: \"market.calendar\" (when the market is open: New York's stock exchange, or always) is \(name); "
                    + "expected \"nyse\" or \"always\"")
        }
    }

    @Test func `the watchlist is a list of symbols, in order`() throws {
        #expect(try rules(#"{"watchlist": []}"#) == Rules())
        #expect(
            try rules(#"{"watchlist": ["MSFT", "^GSPC", "aapl"]}"#).watchlist.map(\.description) == ["MSFT", "^GSPC", "aapl"])
        let expected = "; expected a list of symbols, each once: [\"AAPL\", \"MSFT\"]"
        for (value, name) in [("\"AAPL\"", "the text \"AAPL\""), ("null", "null"), ("{}", "an object"), ("0", "0")] {
            expectRefused("{\n\"watchlist\": \(value)}", ", line 2: \"watchlist\" is \(name)\(expected)")
        }
        for (value, name) in [
            ("\"\"", "the text \"\""), ("\"A A\"", "the text \"A A\""), ("\"É\"", "the text \"É\""), ("1", "1"), ("null", "null"),
            ("[\"A\"]", "a list"), ("\"MSFT\"", "the text \"MSFT\""),
            ("\"ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567\"", "the text \"ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567\""),
        ] {
            expectRefused("{\"watchlist\": [\"MSFT\",\n\(value)]}", ", line 2: \"watchlist\" has \(name)\(expected)")
        }
        // It is no section, and there is only one.
        expectRefused(
            #"{"market": {"watchlist": []}}"#,
            #", line 1: unknown key "market.watchlist": did you mean "watchlist" at the top level?"#)
        expectRefused(#"{"watch_list": []}"#, #", line 1: unknown key "watch_list": did you mean "watchlist"?"#)
        let most = (0..<819).map { "\"\(1000 + $0)\"" }.joined(separator: ",")
        #expect(try rules("{\"watchlist\": [\(most),\"A\"]}").watchlist.count == 820)
        expectRefused(
            "{\n\n\"watchlist\": [\(most), \"AB\"]}", ", line 3: \"watchlist\" has more than 4096 characters: shorten it")
    }

    @Test func `a section is an object, and the file is one`() {
        expectRefused(
            "{\n\n\"commission\": 0.005}",
            ", line 3: \"commission\" is 0.005; expected a section: {\"per_share\": ..., \"percent\": ..., \"minimum\": ...}")
        expectRefused(
            #"{"queue": null}"#,
            ", line 1: \"queue\" is null; expected a section: {\"stale_after_hours\": ..., \"max_score_drop\": ...}")
        expectRefused(
            "\n\n [{\"initial_cash\": 1}]",
            ", line 3: the file is a list; expected an object: {\"initial_cash\": 10000, ...}, or {} for the defaults")
    }

    @Test func `an unknown key is refused with the nearest known one`() {
        let top =
            #""initial_cash", "system_active", "commission", "queue", "market", "monitoring", "trading", "sizing", "limits", "exits", "#
            + #""cycles", "watchlist""#
        let table = [
            // key as written                              what is said
            (#"{"inital_cash": 1}"#, #""inital_cash": did you mean "initial_cash"?"#),
            (#"{"initialCash": 1}"#, #""initialCash": did you mean "initial_cash"?"#),
            (#"{"INITIAL-CASH": 1}"#, #""INITIAL-CASH": did you mean "initial_cash"?"#),
            (#"{"comission": {"per_share": 1}}"#, #""comission": did you mean "commission"?"#),
            (#"{"qeue": {}}"#, #""qeue": did you mean "queue"?"#),
            (#"{"commission": {"per_shares": 1}}"#, #""commission.per_shares": did you mean "per_share"?"#),
            (#"{"commission": {"maximum": 1}}"#, #""commission.maximum": did you mean "minimum"?"#),
            (
                #"{"commission": {"percentage": 1}}"#,
                #""commission.percentage": known here are "per_share", "percent", "minimum""#
            ),
            (#"{"queue": {"stale_after_hour": 1}}"#, #""queue.stale_after_hour": did you mean "stale_after_hours"?"#),
            // Right, but elsewhere.
            (#"{"commission.per_share": 1}"#, #""commission.per_share": did you mean "commission": {"per_share": ...}?"#),
            (#"{"per_share": 1}"#, #""per_share": did you mean "commission": {"per_share": ...}?"#),
            (#"{"stale_after_hours": 1}"#, #""stale_after_hours": did you mean "queue": {"stale_after_hours": ...}?"#),
            (#"{"exits": {"signals": "HOLD"}}"#, #""exits.signals": did you mean "signal"?"#),
            (#"{"active": true}"#, #""active": known here are \#(top)"#),
            (#"{"sell_critical": true}"#, #""sell_critical": did you mean "monitoring": {"sell_critical": ...}?"#),
            (#"{"queue": {"initial_cash": 1}}"#, #""queue.initial_cash": did you mean "initial_cash" at the top level?"#),
            // Not close to anything.
            (#"{"leverage": 2}"#, #""leverage": known here are \#(top)"#),
            (#"{"queue": {"size": 2}}"#, #""queue.size": known here are "stale_after_hours", "max_score_drop""#),
            (#"{"": 2}"#, #""": known here are \#(top)"#),
            // Comments are no exception.
            (#"{"//": "mine"}"#, #""//": known here are \#(top)"#),
            (#"{"_comment": "mine"}"#, #""_comment": known here are \#(top)"#),
            (#"{"x\u001b[2J\n": 1}"#, #""x\u{1b}[2J\n": known here are \#(top)"#),
        ]
        for (text, sentence) in table { expectRefused(text, ", line 1: unknown key " + sentence) }
        let long = String(repeating: "initial_cash", count: 1000)
        expectRefused(
            "{\"\(long)\": 1}",
            ", line 1: unknown key \"\(long.prefix(60))…\": known here are \(top)")
    }

    @Test func `a key that stands twice is named with its line, at every level`() {
        expectRefused(
            "{\"initial_cash\": 1,\n \"initial_cash\": 2}",
            ", line 2: the key \"initial_cash\" stands twice in one object: keep one of them")
        expectRefused(
            "{\"queue\": {\"stale_after_hours\": 1,\n\n\"stale_after_hours\": 1}}",
            ", line 3: the key \"stale_after_hours\" stands twice in one object: keep one of them")
        expectRefused(
            #"{"a\"b and more than jansson names": 1, "a\"b and more than jansson names": 2}"#,
            ", line 1: the key \"a\\\\\\\"b and more than jansson names\" stands twice in one object: keep one of them")
    }

    @Test func `what is no JSON is refused with its line`() {
        expectRefused("", " is empty; expected JSON")
        expectRefused(" \n\t", " is empty; expected JSON")
        expectRefused([UInt8](repeating: 0, count: 512), " is empty; expected JSON")
        expectRefused("\u{FEFF}{}", ", line 1: begins with a byte order mark: save it as UTF-8 without one")
        expectRefused([0xFF, 0xFE, 0x7B, 0, 0x7D, 0], ", line 1: is UTF-16: save it as UTF-8 without a byte order mark")
        expectRefused(String(repeating: " ", count: 1 << 20) + "{}", " has 1048578 bytes, more than the 1048576 that it can have")
        expectRefused("{\n" + String(repeating: "[", count: 100_000), ", line 2: not JSON: nested more than 32 deep")
        expectRefused("{\"initial_cash\": NaN}", ", line 1: not JSON: invalid token near 'NaN'")
        expectRefused("{\n\"initial_cash\": 1e999}", ", line 2: not JSON: real number overflow near '1e999'")
        expectRefused(
            "{\"initial_cash\": 92233720368547758080}", ", line 1: not JSON: too big integer near '92233720368547758080'")
        expectRefused("{\n  // mine\n}", ", line 2: not JSON: string or '}' expected near '/'")
        expectRefused("{\n\"initial_cash\": 1,\n}", ", line 3: not JSON: string or '}' expected near '}'")
        expectRefused("{\"initial_cash\": 1", ", line 1: not JSON: '}' expected near end of file")
        expectRefused("{} {}", ", line 1: not JSON: end of file expected near '{'")
        expectRefused("10000", ", line 1: not JSON: '[' or '{' expected near '10000'")
    }

    @Test func `a path is shown on one line`() {
        do throws(StorageError) {
            _ = try ConfigFile.rules(from: [], path: "/a\nb/config.json")
            Issue.record("accepted")
        } catch {
            #expect(error.description == "/a\\nb/config.json is empty; expected JSON")
        }
    }

    @Test func `a complete file has every rule in its section, in the order of the table`() throws {
        let expected = """
            {
              "initial_cash": 10000.0,
              "system_active": true,
              "commission": {
                "per_share": 0.0,
                "percent": 0.0,
                "minimum": 0.0
              },
              "queue": {
                "stale_after_hours": 24.0,
                "max_score_drop": 10.0
              },
              "market": {
                "calendar": "nyse"
              },
              "monitoring": {
                "interval_minutes": 30,
                "score_change": 3.0,
                "major_upgrade_levels": 3,
                "major_downgrade_levels": 2,
                "sell_critical": true
              },
              "trading": {
                "minutes_before_close": 0,
                "min_score": 70.0
              },
              "sizing": {
                "mode": "score",
                "base_percent": 10.0,
                "fixed_amount": 1000.0,
                "whole_shares": true
              },
              "limits": {
                "max_positions": 10,
                "max_position_percent": 15.0,
                "max_trade_percent": 15.0,
                "trades_per_hour": 5,
                "min_holding_days": 0.0,
                "cash_reserve_percent": 5.0,
                "max_sector_percent": 40.0
              },
              "exits": {
                "stop_loss_percent": -10.0,
                "signal": "WEAK SELL",
                "take_profit_percent": 20.0,
                "defer_take_profit": true,
                "max_age_days": 180.0
              },
              "cycles": {
                "retry_minutes": 5
              },
              "watchlist": []
            }

            """
        #expect(String(decoding: ConfigFile.text(Rules()), as: UTF8.self) == expected)
        var rules = Rules()
        let isSet = rules.setWatchlist([try Symbol("MSFT"), try Symbol("AAPL")])
        #expect(isSet)
        #expect(
            String(decoding: ConfigFile.text(rules), as: UTF8.self)
                == expected.split(separator: "\"watchlist\": []").joined(separator: "\"watchlist\": [\"MSFT\", \"AAPL\"]"))
    }

    @Test func `any rules come back from the file that states them`() throws {
        var random = SeededGenerator(for: #function)
        for _ in 0..<2000 {
            var rules = Rules()
            for key in RuleKey.allCases {
                let (least, most) = (key.range.lowerBound.micros, key.range.upperBound.micros)
                // Only a number has decimals.
                let step = key.kind == .number ? 1 : microsPerUnit
                let any = Int64.random(in: least / step...most / step, using: &random) * step
                let micros = [least, most, least + step, any][random.number(below: 4)]
                let isInRange = rules.set(key, to: Rate(clamping: micros))
                #expect(isInRange)
            }
            let watchlist = try (0..<random.number(below: 4)).map { try Symbol("S\($0)-\(random.number(below: 99))") }
            let isAllowed = rules.setWatchlist(watchlist)
            #expect(isAllowed)
            let text = ConfigFile.text(rules)
            #expect(try ConfigFile.rules(from: text, path: "config.json") == rules, "\(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test func `any bytes are read or refused in one line`() {
        var random = SeededGenerator(for: #function)
        let whole = ConfigFile.text(Rules())
        for round in 0..<20_000 {
            let text = round % 4 == 0 ? random.bytes() : random.damaged(whole)
            do throws(StorageError) {
                _ = try ConfigFile.rules(from: text, path: "config.json")
            } catch {
                #expect(error.kind == .invalidConfig)
                #expect(!error.description.utf8.contains { $0 < 0x20 }, "\(error.description)")
            }
        }
    }
}

@Suite struct `Places in JSON` {
    private let text = Array(
        """
        {
          "a": [10, {"x": "}]\\"", "y": [[], {}]},
            30],
          "b\\u00e9\\ud83d\\ude00\\n\\"\\/": {"c": null,

             "d": true}, "é": 1
        }
        """.utf8)

    @Test func `each member and element is found on its line`() {
        let table: [(path: [JSONStep], line: Int?)] = [
            ([], 1), ([.member("a")], 2), ([.member("a"), .element(0)], 2), ([.member("a"), .element(1), .member("y")], 2),
            ([.member("a"), .element(1), .member("y"), .element(1)], 2), ([.member("a"), .element(2)], 3),
            ([.member("bé😀\n\"/")], 4), ([.member("bé😀\n\"/"), .member("d")], 6), ([.member("é")], 6),
            // Not there.
            ([.member("c")], nil), ([.element(0)], nil), ([.member("a"), .element(3)], nil), ([.member("a"), .element(-1)], nil),
            ([.member("a"), .member("x")], nil), ([.member("a"), .element(0), .element(0)], nil),
            ([.member("a"), .element(1), .member("y"), .element(0), .element(0)], nil), ([.member("e\u{301}")], nil),
        ]
        for (path, line) in table { #expect(JSONLocator.line(of: path, in: text) == line, "\(path)") }
    }

    @Test func `any bytes give a line of the text, or none`() {
        var random = SeededGenerator(for: #function)
        let steps: [JSONStep] = [.member("a"), .member("c"), .member(""), .element(0), .element(1), .element(7)]
        for round in 0..<20_000 {
            let damaged = round % 2 == 0 ? random.bytes() : random.damaged(text)
            let path = (0..<random.number(below: 5)).map { _ in steps[random.number(below: steps.count)] }
            if let line = JSONLocator.line(of: path, in: damaged) {
                #expect((1...(1 + damaged.count { $0 == 0x0A })).contains(line))
            }
            _ = JSONLocator.string(endingAt: Int64(random.number(below: damaged.count + 2)), in: damaged)
        }
        #expect(JSONLocator.string(endingAt: -1, in: text) == nil)
        #expect(JSONLocator.string(endingAt: .max, in: text) == nil)
    }

    @Test func `a million brackets are no deeper than one`() {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(JSONLocator.line(of: [.element(1)], in: deep) == nil)
        #expect(JSONLocator.line(of: Array(repeating: .element(0), count: 1000), in: deep) == 1)
    }

    @Test func `the distance of two names counts letters changed, missing, superfluous or swapped`() {
        let table = [
            ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "bac", 1),
            ("abc", "ac", 1),
            ("ca", "abc", 3), ("kitten", "sitting", 3), ("queue", "qeueu", 2),
        ]
        for (left, right, distance) in table {
            #expect(editDistance(Array(left.utf8), Array(right.utf8)) == distance, "\(left) \(right)")
            #expect(editDistance(Array(right.utf8), Array(left.utf8)) == distance, "\(right) \(left)")
        }
    }
}
