import Ledger
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct `Import of the older system` {
    // MARK: What is taken over

    @Test func `a portfolio alone is taken over with cash + cost as net deposits`() throws {
        let files = try OldFileFixture(
            portfolio: """
                {"cash": 4000.0, "positions": {
                   "MSFT": {"shares": 2.5, "cost_basis": 400.1, "first_purchase_date": "2026-11-03"},
                   "AAPL": {"shares": 40, "cost_basis": 150.25, "first_purchase_date": "2026-11-02T09:30:00.123456", "sector": "tech"}},
                 "created_at": "2026-11-01T10:00:00", "updated_at": "?", "metadata": {"version": 1}}
                """)
        let account = try files.read()
        #expect(account.cash == (try Money("4000")))
        #expect(account.netDeposits == (try Money("11010.25")))
        #expect(account.realizedPnL == .zero)
        #expect(account.createdAt == Timestamp("2026-11-01T10:00:00Z"))
        #expect(
            account.positions == [
                try position("AAPL", "40", cost: "6010", "2026-11-02T09:30:00.123456Z"),
                try position("MSFT", "2.5", cost: "1000.25", "2026-11-03T00:00:00Z"),
            ])
        #expect(account.queue.isEmpty && account.trades.isEmpty && account.roundings.isEmpty)
        #expect(account.restsOn == "paper_portfolio.json")
        #expect(
            account.notes == [
                "there is no transaction_log.json: net deposits are taken to be cash + cost, 11010.25, and realized P&L to be 0.0"
            ])
    }

    @Test func `queue and log beside it are taken over too`() throws {
        let files = try OldFileFixture(
            portfolio: portfolio(cash: "4450.0", ["AAPL": ("30", "150.0")]),
            queue: """
                {"queued_opportunities": [
                   {"symbol": "NVDA", "queued_at": "2026-11-20T14:00:00+02:00", "signal": "STRONG BUY", "score": 82.5, "price": null, "reason": "é"},
                   {"symbol": "BRK.B", "queued_at": "2026-11-20T14:00:00+00:00Z", "signal": "WEAK BUY", "score": 0, "price": 410.5}],
                 "metadata": {"count": 2}}
                """,
            log: """
                [{"timestamp": "2026-11-02T15:00:00", "action": "BUY", "symbol": "AAPL", "shares": 40, "price": 150.0, "total": 6000.0,
                  "cash_after": 4000.0, "portfolio_value": 10000.0},
                 {"timestamp": "2026-11-03T15:00:00", "action": "SELL", "symbol": "AAPL", "shares": 10, "price": 45.0, "total": 450.0,
                  "cash_after": 4450.0, "portfolio_value": null}]
                """)
        let account = try files.read()
        #expect(account.restsOn == "paper_portfolio.json, buy_queue.json, transaction_log.json")
        #expect(account.roundings.isEmpty && account.notes.isEmpty)
        #expect(account.netDeposits == (try Money("10000")))
        #expect(account.realizedPnL == (try Money("-1050")))
        let nvda = try Opportunity(
            symbol: Symbol("NVDA"), signal: .strongBuy, score: Rate("82.5"), price: nil, reason: Text("é", field: "reason"))
        let brk = try Opportunity(symbol: Symbol("BRK.B"), signal: .weakBuy, score: .zero, price: Price("410.5"), reason: nil)
        #expect(account.queue.map(\.opportunity) == [nvda, brk])
        #expect(account.queue.map(\.queuedAt) == [Timestamp("2026-11-20T12:00:00Z"), Timestamp("2026-11-20T14:00:00Z")])
        #expect(account.trades.map(\.time) == [Timestamp("2026-11-02T15:00:00Z"), Timestamp("2026-11-03T15:00:00Z")])
        #expect(
            account.trades.map(\.trade) == [
                PastTrade(
                    isBuy: true, symbol: try Symbol("AAPL"), shares: try Shares("40"), price: try Price("150"),
                    total: try Money("6000"),
                    cashAfter: try Money("4000")),
                PastTrade(
                    isBuy: false, symbol: try Symbol("AAPL"), shares: try Shares("10"), price: try Price("45"),
                    total: try Money("450"),
                    cashAfter: try Money("4450")),
            ])
    }

    @Test func `an empty account is taken over`() throws {
        let account = try OldFileFixture(
            portfolio: #"{"cash": 0, "positions": {}, "created_at": "1970-01-01T00:00:00"}"#,
            queue: #"{"queued_opportunities": []}"#, log: "[]"
        ).read()
        #expect(account.positions.isEmpty && account.queue.isEmpty && account.trades.isEmpty && account.netDeposits.isZero)
        #expect(account.notes.count == 1)
    }

    @Test func `noise of floats is rounded to millionths and reported`() throws {
        let account = try OldFileFixture(
            portfolio: portfolio(
                cash: "99.99999999999999",
                [
                    "A": ("39.99999999999999", "150.0"), "B": ("3", "33.333333333333336"), "C": ("0.1", "0.30000000000000004"),
                    "D": ("0.5", "0.000003"), "E": ("2", "0"),
                ]),
            queue: """
                {"queued_opportunities": [{"symbol": "Q", "queued_at": "2026-11-20", "signal": "BUY", "score": 82.60000000000001,
                  "price": 0.00000785, "reason": null}]}
                """,
            log: """
                [{"timestamp": "2026-11-02", "action": "BUY", "symbol": "A", "shares": 1, "price": 1.1, "total": 1.1,
                  "cash_after": 1.1368683772161603e-13}]
                """
        ).read()
        #expect(account.cash == (try Money("100")))
        #expect(
            account.positions.map { "\($0.symbol) \($0.shares) \($0.cost)" } == [
                "A 40.0 6000.0", "B 3.0 100.0", "C 0.1 0.03", "D 0.5 0.000002", "E 2.0 0.0",
            ])
        #expect(
            account.roundings == [
                "cash 99.99999999999999 became 100.0",
                "positions.A.shares 39.99999999999999 became 40.0",
                "positions.B.cost_basis 33.333333333333336 x 3.0 shares became a cost of 100.0",
                "positions.C.cost_basis 0.30000000000000004 x 0.1 shares became a cost of 0.03",
                "positions.D.cost_basis 3e-06 x 0.5 shares became a cost of 0.000002",
                "queued_opportunities entry 1, score 82.60000000000001 became 82.6",
                "queued_opportunities entry 1, price 7.85e-06 became 0.000008",
                "transaction_log.json entry 1, cash_after 1.1368683772161603e-13 became 0.0",
            ])
    }

    @Test func `cash just below zero is noise, and so is a position of no size`() throws {
        let account = try OldFileFixture(
            portfolio: portfolio(cash: "-1.4210854715202004e-14", ["DUST": ("7.105427357601002e-15", "150.0")])
        ).read()
        #expect(account.cash.isZero && account.positions.isEmpty)
        #expect(account.notes.first == "positions.DUST was left out: it holds less than a millionth of a share")
        #expect(account.roundings.count == 2)
    }

    // MARK: Net deposits

    @Test func `net deposits come from the log if it leads to the portfolio, and else from what is there`() throws {
        let buy = entry("BUY", "A", "10", total: "1000.0", cashAfter: "9000.0")
        let table: [(log: String, deposits: String, note: String)] = [
            (buy, "10000", ""),
            // Off by rounding errors of the old system.
            (entry("BUY", "A", "10", total: "1000.001", cashAfter: "8999.999"), "10000", ""),
            (
                buy + "," + entry("BUY", "B", "0.1", total: "1", cashAfter: "8999") + ","
                    + entry("SELL", "B", "0.1", total: "1", cashAfter: "9000"),
                "10000", ""
            ),
            (
                entry("BUY", "A", "3.3333334", total: "500", cashAfter: "9500") + ","
                    + entry("BUY", "A", "6.6666665", total: "500", cashAfter: "9000"), "10000", ""
            ),
            // Something else.
            ("", "10000", "transaction_log.json has no trades"),
            (
                entry("BUY", "A", "10", total: "1000.0", cashAfter: "null"), "10000",
                "the first trade of transaction_log.json has no cash_after"
            ),
            (
                entry("SELL", "A", "10", total: "1000.0", cashAfter: "9.0"), "10000",
                "the first trade of transaction_log.json gives no cash to begin with"
            ),
            (
                entry("BUY", "A", "10", total: "999999999", cashAfter: "999999999"), "10000",
                "the first trade of transaction_log.json gives no cash to begin with"
            ),
            (
                entry("BUY", "A", "10", total: "1000.0", cashAfter: "8999.98"), "10000",
                "transaction_log.json does not lead to the cash of 9000.0"
            ),
            (
                entry("BUY", "A", "9", total: "1000.0", cashAfter: "9000.0"), "10000",
                "transaction_log.json does not lead to the 10.0 shares of A"
            ),
            (
                entry("BUY", "B", "10", total: "1000.0", cashAfter: "9000.0"), "10000",
                "transaction_log.json does not lead to the 10.0 shares of A"
            ),
            (
                buy + "," + entry("BUY", "B", "1", total: "0", cashAfter: "9000"), "10000",
                "transaction_log.json leads to a position in B, which is not there"
            ),
            (
                buy + "," + entry("SELL", "C", "1", total: "0", cashAfter: "9000"), "10000",
                "entry 2 of transaction_log.json sells more C than the entries before it bought"
            ),
        ]
        for (log, deposits, note) in table {
            let account = try OldFileFixture(portfolio: portfolio(cash: "9000.0", ["A": ("10", "100.0")]), log: "[\(log)]").read()
            #expect(account.netDeposits == (try Money(deposits)), "\(log)")
            let tail = ": net deposits are taken to be cash + cost, 10000.0, and realized P&L to be 0.0"
            #expect(account.notes == (note.isEmpty ? [] : [note + tail]), "\(log)")
            #expect(account.keepsInvariant, "\(log)")
        }
    }

    // MARK: Refusals

    @Test func `a wrong portfolio is refused with file, line, place, value and what was expected`() throws {
        let table: [(portfolio: String, sentence: String)] = [
            (#"{"cash": -0.01}"#, "line 1: cash is -0.01; expected a number from 0 to 999999999.999999"),
            (#"{"cash": "100"}"#, "line 1: cash is the text \"100\"; expected a number from 0 to 999999999.999999"),
            (#"{"cash": 1e10}"#, "line 1: cash is 10000000000.0; expected a number from 0 to 999999999.999999"),
            (#"{"cash": null}"#, "line 1: cash is null; expected a number from 0 to 999999999.999999"),
            (#"{"positions": {}}"#, "line 1: the file has no \"cash\", which the older system always writes"),
            (#"{"cash": 1}"#, "line 1: the file has no \"positions\", which the older system always writes"),
            (
                "{\"cash\": 1,\n\"positions\": []}",
                "line 2: positions is a list; expected an object with a member for each symbol"
            ),
            ("{\"cash\": 1,\n\"positions\": {}}", "line 1: the file has no \"created_at\", which the older system always writes"),
            (
                #"{"cash": 1, "positions": {}, "created_at": "yesterday"}"#,
                "line 1: created_at is the text \"yesterday\"; expected a time from 1970 to 9999 such as 2026-11-23T14:30:00 (UTC unless it has an offset)"
            ),
            ("[]", "line 1: the file is a list; expected the object that paper_portfolio.json is, with cash and positions"),
            ("", " is empty; expected JSON"),
            ("{\"cash\": 1,\n\"cash\": 1}", "line 2: the key \"cash\" stands twice in one object: keep one of them"),
            ("{\"cash\":\n NaN}", "line 2: not JSON: invalid token near 'NaN'"),
        ]
        for (text, sentence) in table { try expectRefused(OldFileFixture(portfolio: text), "paper_portfolio.json", sentence) }
    }

    @Test func `a wrong position is refused`() throws {
        let above = "expected a number above 0 and at most 999999999.999999"
        let table: [(member: String, sentence: String)] = [
            (
                #""AAPL": {"cost_basis": 1, "first_purchase_date": "2026-01-01", "shares": -3.0}"#,
                "positions.AAPL.shares is -3.0; \(above)"
            ),
            (#""AAPL": {"shares": 0, "cost_basis": 1}"#, "positions.AAPL.shares is 0; \(above)"),
            (#""AAPL": {"shares": 1e10, "cost_basis": 1}"#, "positions.AAPL.shares is 10000000000.0; \(above)"),
            (
                #""AAPL": {"shares": 0.0000004, "cost_basis": 150}"#,
                "positions.AAPL.shares is 4e-07; expected at least a millionth of a share, or no such position"
            ),
            (
                #""AAPL": {"shares": 1, "cost_basis": -1}"#,
                "positions.AAPL.cost_basis is -1; expected a number from 0 to 999999999.999999"
            ),
            (
                #""AAPL": {"shares": 1, "cost_basis": true}"#,
                "positions.AAPL.cost_basis is true; expected a number from 0 to 999999999.999999"
            ),
            (
                #""AAPL": {"shares": 1000000, "cost_basis": 1000}"#,
                "positions.AAPL.cost_basis 1000.0 x 1000000.0 shares is beyond 999999999.999999"
            ),
            (#""AAPL": {"shares": 1}"#, "positions.AAPL has no \"cost_basis\", which the older system always writes"),
            (#""AAPL": {"cost_basis": 1}"#, "positions.AAPL has no \"shares\", which the older system always writes"),
            (
                #""AAPL": {"shares": 1, "cost_basis": 1}"#,
                "positions.AAPL has no \"first_purchase_date\", which the older system always writes"
            ),
            (#""AAPL": 3"#, "positions.AAPL is 3; expected an object with shares, cost_basis and first_purchase_date"),
            (#""A B": {}"#, "positions.A B: \"A B\" is not a symbol; expected 1 to 32 characters of A-Z a-z 0-9 . _ - / ^ = :"),
            (#""": {}"#, "positions.: \"\" is not a symbol; expected 1 to 32 characters of A-Z a-z 0-9 . _ - / ^ = :"),
        ]
        for (member, sentence) in table {
            let text = "{\"cash\": 1, \"created_at\": \"2026-01-01\", \"positions\": {\n\n\(member)}}"
            try expectRefused(OldFileFixture(portfolio: text), "paper_portfolio.json", "line 3: " + sentence)
        }
        try expectRefused(
            OldFileFixture(portfolio: portfolio(cash: "999999999", ["A": ("1", "1")])), "paper_portfolio.json",
            ": cash and the cost of all positions together are beyond 999999999.999999")
    }

    @Test func `a wrong queue is refused`() throws {
        let place = "line 2: queued_opportunities entry 1"
        let symbols = "expected 1 to 32 characters of A-Z a-z 0-9 . _ - / ^ = :"
        func entry(_ change: (name: String, value: String)) -> String {
            var members = [
                ("symbol", "\"Q\""), ("queued_at", "\"2026-11-20\""), ("signal", "\"BUY\""), ("score", "50"), ("price", "1"),
            ]
            members.removeAll { $0.0 == change.name }
            if !change.value.isEmpty { members.append(change) }
            return "{" + members.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
        }
        let long = String(repeating: "r", count: 257)
        let table: [(change: (name: String, value: String), sentence: String)] = [
            (
                ("signal", "\"STRONG_BUY\""),
                "\(place), signal is the text \"STRONG_BUY\"; expected one of SELL, WEAK SELL, HOLD, WEAK BUY, BUY, STRONG BUY"
            ),
            (("signal", "5"), "\(place), signal is 5; expected one of SELL, WEAK SELL, HOLD, WEAK BUY, BUY, STRONG BUY"),
            (("score", "100.5"), "\(place), score is 100.5; expected a number from 0 to 100"),
            (("score", "-1"), "\(place), score is -1; expected a number from 0 to 100"),
            (("score", "null"), "\(place), score is null; expected a number from 0 to 100"),
            (("symbol", "\"Q\\u0007\""), "\(place), symbol is the text \"Q\\u{7}\", not a symbol; \(symbols)"),
            (("symbol", "7"), "\(place), symbol is 7, not a symbol; \(symbols)"),
            (("price", "0"), "\(place), price is 0; expected a number above 0 and at most 999999999.999999"),
            (("price", "1e-9"), "\(place), price is 1e-09; expected a price of at least a millionth, or null"),
            (
                ("reason", "\"\(long)\""),
                "\(place), reason has 257 bytes; at most 256 are kept: shorten it in a copy of the file"
            ),
            (("reason", "[]"), "\(place), reason is a list; expected text or null"),
            (
                ("queued_at", "\"1969-12-31\""),
                "\(place), queued_at is the text \"1969-12-31\"; expected a time from 1970 to 9999 such as 2026-11-23T14:30:00 (UTC unless it has an offset)"
            ),
            (("queued_at", ""), "\(place) has no \"queued_at\", which the older system always writes"),
            (("symbol", ""), "\(place) has no \"symbol\", which the older system always writes"),
        ]
        let portfolio = portfolio(cash: "1", [:])
        for (change, sentence) in table {
            let text = "{\"queued_opportunities\": [\n\(entry(change))]}"
            try expectRefused(OldFileFixture(portfolio: portfolio, queue: text), "buy_queue.json", sentence)
        }
        let good = entry(("", ""))
        let others = [
            ("[]", "line 1: the file is a list; expected the object that buy_queue.json is, with queued_opportunities"),
            ("{}", "line 1: the file has no \"queued_opportunities\", which the older system always writes"),
            (#"{"queued_opportunities": {}}"#, "line 1: queued_opportunities is an object; expected a list of opportunities"),
            (
                #"{"queued_opportunities": [7]}"#,
                "line 1: queued_opportunities entry 1 is 7; expected an object with symbol, queued_at, signal and score"
            ),
            (
                "{\"queued_opportunities\": [\(good),\n\(good)]}",
                "line 2: queued_opportunities entry 2 queues Q, which entry 1 does already: keep one of them in a copy of the file"
            ),
        ]
        for (text, sentence) in others {
            try expectRefused(OldFileFixture(portfolio: portfolio, queue: text), "buy_queue.json", sentence)
        }
    }

    @Test func `a wrong transaction log is refused`() throws {
        let good = entry("BUY", "A", "1", total: "1", cashAfter: "1")
        let table: [(entry: String, sentence: String)] = [
            (entry("HOLD", "A", "1", total: "1", cashAfter: "1"), "entry 3, action is the text \"HOLD\"; expected BUY or SELL"),
            (
                entry("BUY", "A", "0", total: "1", cashAfter: "1"),
                "entry 3, shares is 0; expected a number above 0 and at most 999999999.999999"
            ),
            (
                entry("BUY", "A", "1", total: "-1", cashAfter: "1"),
                "entry 3, total is -1; expected a number from 0 to 999999999.999999"
            ),
            (
                entry("BUY", "A", "1", total: "1", cashAfter: "1e9"),
                "entry 3, cash_after is 1000000000.0; expected a number within 999999999.999999 either way"
            ),
            (
                entry("BUY", "", "1", total: "1", cashAfter: "1"),
                "entry 3, symbol is the text \"\", not a symbol; expected 1 to 32 characters of A-Z a-z 0-9 . _ - / ^ = :"
            ),
            ("[]", "entry 3 is a list; expected an object with timestamp, action, symbol, shares, price and total"),
            (#"{"timestamp": "2026-01-01"}"#, "entry 3 has no \"action\", which the older system always writes"),
            (#"{}"#, "entry 3 has no \"timestamp\", which the older system always writes"),
        ]
        for (entry, sentence) in table {
            let files = try OldFileFixture(portfolio: portfolio(cash: "1", [:]), log: "[\(good),\n\(good),\n\(entry)]")
            try expectRefused(files, "transaction_log.json", "line 3: " + sentence)
        }
        try expectRefused(
            OldFileFixture(portfolio: portfolio(cash: "1", [:]), log: "{}"), "transaction_log.json",
            "line 1: the file is an object; expected the list that transaction_log.json is")
    }

    @Test func `more than one commit holds is refused`() throws {
        let entry = entry("BUY", "A", "1", total: "1", cashAfter: "1")
        let log = "[" + Array(repeating: entry, count: 65_535).joined(separator: ",") + "]"
        try expectRefused(
            OldFileFixture(portfolio: portfolio(cash: "1", [:]), log: log), "paper_portfolio.json",
            " and the files beside it hold 65535 positions, queue entries and trades, more than the 65534 that can be taken over: "
                + "import a copy whose transaction_log.json is shorter or absent")
    }

    @Test func `what is no file is refused`() throws {
        let files = try OldFileFixture(portfolio: portfolio(cash: "1", [:]))
        let directory = files.path
        let table = [
            ("", "\"\" names no file: give the path of paper_portfolio.json"),
            (directory + "/", "\"\(directory)/\" names no file: give the path of paper_portfolio.json"),
            (directory, "\(directory) is not a regular file: give the path of the file itself"),
            (directory + "/other.json", "there is no \(directory)/other.json: give the path of paper_portfolio.json"),
            (directory + "/none/p.json", "there is no directory \(directory)/none: give the path of paper_portfolio.json"),
            (
                directory + "/paper_portfolio.json/p.json",
                "there is no directory \(directory)/paper_portfolio.json: give the path of paper_portfolio.json"
            ),
        ]
        for (path, sentence) in table { expectRefused(path, sentence) }
        #expect(mkfifo(directory + "/buy_queue.json", 0o600) == 0)
        try expectRefused(files, "buy_queue.json", " is not a regular file: give the path of the file itself")
        #expect(unlink(directory + "/buy_queue.json") == 0)
        #expect(symlink(directory + "/paper_portfolio.json", directory + "/link.json") == 0)
        expectRefused(directory + "/link.json", "\(directory)/link.json is not a regular file: give the path of the file itself")
        #expect(truncate(directory + "/paper_portfolio.json", off_t(OldFiles.maximumByteCount) + 1) == 0)
        try expectRefused(files, "paper_portfolio.json", " has 33554433 bytes, more than the 33554432 that it can have")
    }

    @Test func `the originals may be read-only, and are not changed`() throws {
        let files = try OldFileFixture(
            portfolio: portfolio(cash: "1", [:]), queue: #"{"queued_opportunities": []}"#, log: "[]")
        for name in files.names { #expect(chmod(files.path + "/" + name, 0o444) == 0) }
        #expect(chmod(files.path, 0o555) == 0)
        let before = try files.snapshot()
        _ = try files.read()
        #expect(try files.snapshot() == before)
        #expect(chmod(files.path, 0o755) == 0)
    }

    // MARK: Events

    @Test func `the events make an account with exactly the amounts of the files, and each queue entry is its own event`() throws
    {
        let account = try OldFileFixture(
            portfolio: portfolio(cash: "9000.0", ["A": ("10", "100.0"), "B": ("3", "33.333333333333336")]),
            queue: """
                {"queued_opportunities": [{"symbol": "Q", "queued_at": "2026-11-20", "signal": "BUY", "score": 50},
                                          {"symbol": "R", "queued_at": "2026-11-20", "signal": "BUY", "score": 50}]}
                """,
            log: "[" + entry("BUY", "A", "10", total: "1000.0", cashAfter: "9000.0") + "]"
        ).read()
        let now = try #require(Timestamp("2026-11-23T14:30:00Z"))
        let draft = try draft(of: account, at: now)
        let state = draft.state
        #expect(state.cash == account.cash && state.positions == account.positions && state.createdAt == account.createdAt)
        #expect(state.netDeposits == account.netDeposits && state.realizedPnL == account.realizedPnL && state.invariantHolds)
        #expect(
            draft.records.map(\.event.typeName) == [
                "import", "rules", "position", "position", "opportunity", "opportunity", "past_trade",
            ])
        for record in draft.records {
            if case .tookOverOpportunity(let entry) = record.event { #expect(entry.seq == record.seq) }
        }
        #expect(state.queue.map(\.seq) == [5, 6])
        #expect(draft.records.last?.time == Timestamp("2026-11-02T15:00:00Z"))
        // They are lines like any others.
        var writer = LineWriter()
        var crc: UInt32 = 0
        var starts: [Int] = []
        for record in draft.records {
            starts.append(writer.bytes.count)
            crc = writer.appendLine(record, durableSeq: 0, more: false, previousCRC: crc, at: Int64(writer.bytes.count))
        }
        for (index, record) in draft.records.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1] : writer.bytes.count
            let line = try writer.bytes[starts[index]..<(end - 1)].withUnsafeBytes { bytes in
                var reader = LineReader(bytes)
                return try reader.readLine()
            }
            #expect(line.record == record)
        }
    }

    @Test func `the account made of them opens, publishes and is proved`() throws {
        let files = try OldFileFixture(
            portfolio: portfolio(cash: "9000.0", ["A": ("10", "100.0"), "B": ("3", "33.333333333333336")]),
            queue: #"{"queued_opportunities": [{"symbol": "Q", "queued_at": "2026-11-20", "signal": "BUY", "score": 50}]}"#,
            log: "[" + entry("SELL", "A", "1", total: "1", cashAfter: "9000") + "]")
        let account = try files.read()
        let system = SystemCalls()
        let path = files.path + "/account"
        defer { files.removeDirectory("account") }
        let store = try DirectoryStore.open(
            path: path, system: system, options: StoreOptions(), deadline: Deadline(timeoutMilliseconds: -1, system: system)
        ) { _ throws(StorageError) in
            NewAccount(accountID: "test", rules: Rules(), initialCash: nil, time: nil, imported: account)
        }
        #expect(store.state.cash == account.cash && store.state.positions == account.positions)
        #expect(store.state.queue.map(\.seq) == [5])
        let report = try verifyAccount(path: path, system: system)
        #expect(report.problems.isEmpty && report.isPortfolioCurrent)
        #expect(report.state == store.state && report.events == 6)
    }

    @Test func `the product of two floats is rounded once, half to even`() {
        let table: [(left: Double, right: Double, micros: Int64?)] = [
            (0, 0, 0), (40, 150, 6_000_000_000), (3, 33.333333333333336, 100_000_000), (0.0078125, 1, 7812),
            (0.0234375, 1, 23_438),
            (0.1, 0.1, 10_000), (1e-300, 1e-300, 0), (.leastNonzeroMagnitude, .leastNonzeroMagnitude, 0),
            (.leastNonzeroMagnitude, 999_999_999, 0), (1, 999_999_999.999999, amountLimit),
            (999_999_999.999999, 999_999_999.999999, nil), (1e10, 0, nil), (-1, 1, nil), (1, -1, nil), (.nan, 1, nil),
            (1, .infinity, nil),
        ]
        for (left, right, micros) in table { #expect(Money(rounding: left, times: right)?.micros == micros, "\(left) \(right)") }
    }

    @Test func `a decimal cost survives the old system's division and this multiplication`() throws {
        var random = SeededGenerator(for: #function)
        for _ in 0..<20_000 {
            let cost = Money(clamping: Int64.random(in: 1...100_000_000_000_000, using: &random))
            let shares = Shares(clamping: Int64.random(in: 1...1_000_000, using: &random) * microsPerUnit)
            let basis = cost.doubleValue / shares.doubleValue
            #expect(Money(rounding: shares.doubleValue, times: basis) == cost, "\(cost) \(shares)")
        }
    }

    @Test func `any bytes are taken over exactly or refused in one line`() throws {
        var random = SeededGenerator(for: #function)
        let files = try OldFileFixture(portfolio: "")
        let names = ["paper_portfolio.json", "buy_queue.json", "transaction_log.json"]
        let whole = [
            portfolio(cash: "9000.000000000002", ["A": ("10", "100.0"), "B": ("3", "33.333333333333336")]),
            """
            {"queued_opportunities": [{"symbol": "Q", "queued_at": "2026-11-20T10:00:00+00:00Z", "signal": "BUY", "score": 50,
             "price": 1.5, "reason": "r"}], "metadata": {}}
            """,
            "[" + entry("BUY", "A", "10", total: "1000.0", cashAfter: "9000.0") + "]",
        ].map { Array($0.utf8) }
        let now = Timestamp(clamping: 1_800_000_000_000_000)
        for round in 0..<6000 {
            for (name, text) in zip(names, whole) { try files.write(name, text) }
            let index = round % 3
            try files.write(names[index], random.number(below: 10) == 0 ? random.bytes() : random.damaged(whole[index]))
            switch Result(catching: { () throws(StorageError) in try files.read() }) {
            case .success(let account):
                #expect(account.keepsInvariant)
                #expect(try draft(of: account, at: now).state.invariantHolds)
            case .failure(let error):
                #expect(error.kind == .invalidImport)
                #expect(!error.description.utf8.contains { $0 < 0x20 }, "\(error.description)")
            }
        }
    }

    // MARK: Helpers

    /// The first commit of the new account, as DirectoryStore writes it.
    private func draft(of account: ImportedAccount, at now: Timestamp) throws -> Draft {
        var draft = Draft(on: AccountState(), at: now)
        try draft.append(.started(Import.start(account, accountID: "test")), time: now, id: nil, note: nil)
        try draft.append(.acceptedRules(Rules()), time: now, id: nil, note: nil)
        for (event, time) in Import.events(account, time: now) { try draft.append(event, time: time, id: nil, note: nil) }
        return draft
    }

    private func position(_ symbol: String, _ shares: String, cost: String, _ date: String) throws -> Position {
        Position(
            symbol: try Symbol(symbol), shares: try Shares(shares), cost: try Money(cost),
            firstPurchaseDate: try #require(Timestamp(date)))
    }

    private func portfolio(cash: String, _ positions: KeyValuePairs<String, (shares: String, basis: String)>) -> String {
        let members = positions.map { symbol, position in
            "\"\(symbol)\": {\"shares\": \(position.shares), \"cost_basis\": \(position.basis), \"first_purchase_date\": \"2026-11-02\"}"
        }
        return "{\"cash\": \(cash), \"positions\": {\(members.joined(separator: ","))}, \"created_at\": \"2026-11-01T10:00:00\"}"
    }

    private func entry(_ action: String, _ symbol: String, _ shares: String, total: String, cashAfter: String) -> String {
        """
        {"timestamp": "2026-11-02T15:00:00", "action": "\(action)", "symbol": "\(symbol)", "shares": \(shares), "price": 100.0, \
        "total": \(total), "cash_after": \(cashAfter), "portfolio_value": 10000.0}
        """
    }

    private func expectRefused(
        _ files: OldFileFixture, _ name: String, _ sentence: String, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let separator = sentence.hasPrefix("line") ? ", " : ""
        expectRefused(
            files.path + "/paper_portfolio.json", "\(files.path)/\(name)\(separator)\(sentence)", location)
    }

    private func expectRefused(_ path: String, _ sentence: String, _ location: SourceLocation = #_sourceLocation) {
        do throws(StorageError) {
            _ = try Import.read(oldPortfolio: path, system: SystemCalls())
            Issue.record("accepted; expected: \(sentence)", sourceLocation: location)
        } catch {
            #expect(error.kind == .invalidImport, sourceLocation: location)
            #expect(error.description == sentence, sourceLocation: location)
        }
    }
}

extension ImportedAccount {
    fileprivate var keepsInvariant: Bool {
        positions.reduce(cash.micros) { $0 + $1.cost.micros } == netDeposits.micros + realizedPnL.micros
    }
}

/// The older system's files in a fresh directory of their own.
private final class OldFileFixture {
    let path: String
    private(set) var names: Set<String> = []

    init(portfolio: String, queue: String? = nil, log: String? = nil) throws {
        var template = Array("/tmp/papertrade-import-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
        try write("paper_portfolio.json", Array(portfolio.utf8))
        if let queue { try write("buy_queue.json", Array(queue.utf8)) }
        if let log { try write("transaction_log.json", Array(log.utf8)) }
    }

    deinit {
        for name in names.union(["buy_queue.json", "link.json"]) { unlink(path + "/" + name) }
        rmdir(path)
    }

    func removeDirectory(_ name: String) {
        let system = SystemCalls()
        guard let directory = try? system.openDirectory(path + "/" + name, in: nil) else { return }
        for name in (try? system.names(in: directory)) ?? [] { try? system.unlink(name, in: directory) }
        try? system.close(directory)
        rmdir(path + "/" + name)
    }

    func read() throws(StorageError) -> ImportedAccount {
        try Import.read(oldPortfolio: path + "/paper_portfolio.json", system: SystemCalls())
    }

    func write(_ name: String, _ text: [UInt8]) throws {
        names.insert(name)
        let file = try #require(fopen(path + "/" + name, "w"))
        defer { fclose(file) }
        #expect(fwrite(text, 1, text.count, file) == text.count)
    }

    /// What stat(2) and the contents say of each file, and the names in the directory.
    func snapshot() throws -> [String] {
        let system = SystemCalls()
        let directory = try system.openDirectory(path, in: nil)
        defer { try? system.close(directory) }
        return try system.names(in: directory).sorted().map { name in
            let file = try #require(fopen(path + "/" + name, "r"))
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = fread(&bytes, 1, bytes.count, file)
            return "\(name) \(try system.status(path: path + "/" + name)) \(bytes.prefix(count))"
        }
    }
}
