"""What every command does when all goes well."""

import json
import os
import unittest
from decimal import Decimal

from support import PTTestCase, exact


class Commands(PTTestCase):
    def test_init_makes_an_account_with_the_cash_given(self):
        outcome = self.done("init", "--cash", "1234.56", "--id", "mine", "--json")
        self.assertEqual(
            outcome.json, {"account": "mine", "path": str(self.account), "seq": 2, "cash": Decimal("1234.56")})
        self.assertEqual(self.status()["cash"], Decimal("1234.56"))

    def test_init_without_cash_starts_with_ten_thousand_and_a_random_id(self):
        first = self.done("init", "--json", "one").json
        second = self.done("init", "--json", "--account", "two").json
        self.assertEqual(first["cash"], 10000)
        self.assertRegex(first["account"], "^[0-9a-f]{32}$")
        self.assertNotEqual(first["account"], second["account"])

    def test_init_takes_the_time_given(self):
        self.done("init", "--time", "2013-01-02")
        self.assertEqual(self.status()["created_at"], "2013-01-02T00:00:00.000000Z")

    def test_each_trade_prints_one_sentence(self):
        self.open_account()
        for arguments, sentence in [
            (["buy", "AAPL", "40", "150"], "bought 40 AAPL at 150.00 for 6,000.00; cash 4,000.00 (event 3)"),
            (["sell", "AAPL", "10", "160.5"], "sold 10 AAPL at 160.50 for 1,605.00, realized P&L 105.00; cash 5,605.00 (event 4)"),
            (["deposit", "0.5"], "deposited 0.50; cash 5,605.50 (event 5)"),
            (["withdraw", "5.000001"], "withdrew 5.000001; cash 5,600.499999 (event 6)"),
            (["split", "AAPL", "7:1"], "split AAPL 7:1, now 210 shares (event 7)"),
            (["dividend", "AAPL", "0.47"], "received 98.70 from AAPL (0.47 on 210 shares); cash 5,699.199999 (event 8)"),
            (["queue", "add", "NVDA", "--score", "82.5", "--signal", "STRONG BUY"],
             "queued NVDA: STRONG BUY, score 82.5 (event 9)"),
            (["queue", "clear"], "removed 1 entry from the queue"),
            (["write-off", "AAPL"], "wrote off 210 AAPL, realized loss 4,500.00 (event 11)"),
            (["reset", "--cash", "1"], "started over with 1.00 (event 12)"),
        ]:
            with self.subTest(" ".join(arguments)):
                self.assertEqual(self.done(*arguments).out, sentence + "\n")

    def test_json_of_a_trade_has_the_names_and_figures_of_its_line_in_the_journal(self):
        self.open_account()
        (self.account / "config.json").write_text('{"commission": {"minimum": 1.25}}')
        for arguments in [
            ["buy", "AAPL", "40.5", "150.25", "--note", 'a "note"\n\u202e\x9b', "--request-id", "r-1"],
            ["sell", "AAPL", "all", "149.123456"], ["deposit", "5"], ["withdraw", "5"], ["buy", "X", "1.000001", "3"],
            ["split", "X", "1:3", "--cash-in-lieu-price", "9"], ["split", "X", "3:1"], ["dividend", "X", "0.5"],
            ["queue", "add", "Y", "--score", "5", "--signal", "buy", "--price", "3.5", "--reason", "because"], ["write-off", "X"],
            ["reset"],
        ]:
            with self.subTest(" ".join(arguments)):
                printed = self.done(*arguments, "--json").json
                self.assertEqual(printed.pop("repeated"), False)
                self.assertIn(printed, self.journal_lines())

    def journal_lines(self):
        """The events of all journals without what only a journal needs."""
        lines = []
        for path in sorted(self.account.glob("journal*.jsonl")):
            for line in path.read_text().split("\n"):
                if line.strip():
                    event = exact(line)
                    for name in ("durable", "more", "prev", "crc"):
                        event.pop(name, None)
                    lines.append(event)
        return sorted(lines, key=lambda event: event["seq"])

    def test_history_json_is_the_journal_and_the_generation(self):
        self.open_account()
        (self.account / "config.json").write_text('{"watchlist": ["MSFT", "AAPL"]}')
        self.done("buy", "AAPL", "1", "0.000001", "--note", "tiny")
        self.done("reset")
        self.done("queue", "add", "Y", "--score", "5", "--signal", "BUY")
        self.done("queue", "clear")
        events = self.history()
        self.assertEqual([event.pop("generation") for event in events], [1, 1, 1, 1, 2, 2, 2, 2])
        expected = self.journal_lines()
        for event in expected:
            event.pop("generation", None)
        self.assertEqual(events, expected)

    def test_status_without_an_event_shows_cash_and_no_positions(self):
        self.open_account()
        lines = self.done("status").out.splitlines()
        self.assertRegex(lines[0], f"^Account test-account in {self.account}, event 2 of ....-..-.. ..:..:.. UTC$")
        self.assertEqual([line.split() for line in lines[2:4]], [["Cash", "10,000.00"], ["Cost", "of", "positions", "0.00"]])
        self.assertEqual(lines[-1], "no positions")

    def test_status_values_positions_at_the_prices_given(self):
        self.open_account()
        self.done("buy", "AAPL", "40", "150")
        self.done("buy", "IBM", "1.5", "100")
        self.done("queue", "add", "NVDA", "--score", "1", "--signal", "HOLD")
        status = self.status("--price", "AAPL=151.2")
        self.assertEqual(status["positions"]["AAPL"], {
            "shares": 40, "cost_basis": 150, "cost": 6000, "first_purchase_date": status["positions"]["AAPL"]["first_purchase_date"],
            "price": Decimal("151.2"), "market_value": 6048, "unrealized_pnl": 48})
        self.assertEqual(status["positions"]["IBM"]["market_value"], None)
        del status["positions"]
        for name in ("created_at", "updated_at"):
            self.assertRegex(status.pop(name), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertEqual(status, {
            "account": "test-account", "path": str(self.account), "seq": 5, "generation": 1, "cash": 3850, "total_cost": 6150,
            "net_deposits": 10000, "realized_pnl": 0, "queued": 1, "market_value": 6198, "unrealized_pnl": 48, "total_value": 10048,
            "total_pnl": 48, "return_percent": Decimal("0.48"), "unpriced": 1})
        self.assertIn("1 position without a price: counted at cost", self.done("status", "-p", "AAPL=151.2").out)

    def test_status_takes_the_last_price_of_each_symbol_from_a_file(self):
        self.open_account()
        self.done("buy", "AAPL", "1", "1")
        self.done("buy", "MSFT", "1", "1")
        file = self.directory / "prices.csv"
        for text in [
            "symbol,price\nAAPL,10\nMSFT,20.25\n",
            "\ufeffSymbol, Price\r\nAAPL,9\r\nAAPL,10\r\n\r\nMSFT, 20.25 \r\n",
            "date,symbol,open,close\n2020-01-03,AAPL,1,10\n2020-01-02,AAPL,1,9\n2020-01-02,MSFT,1,20.25",
            'symbol,name,price\nAAPL,"Apple, Inc.",10\n"MSFT",,20.25\nOTHER,,1\n',
        ]:
            with self.subTest(text):
                file.write_text(text)
                self.assertEqual(self.status("--prices", file)["market_value"], Decimal("30.25"))
                self.assertEqual(self.status("--prices", file, "--price", "AAPL=0")["market_value"], Decimal("20.25"))

    def test_numbers_in_tables_are_aligned_and_lose_no_digit(self):
        self.open_account("999999999.999999")
        self.done("buy", "A", "1234567.5", "100.000001")
        self.done("buy", "BB", "1", "0.25")
        rows = [line for line in self.done("status").out.splitlines() if line.startswith(("SYMBOL", "A ", "BB"))]
        self.assertEqual(rows[1].split(), ["A", "1,234,567.5", "100.000001", "123,456,751.234568"])
        self.assertEqual(rows[2].split(), ["BB", "1", "0.25", "0.25"])
        self.assertEqual(rows[1].rindex("."), rows[2].rindex("."))

    def test_quiet_prints_nothing(self):
        for arguments in [
            ["init"], ["deposit", "1"], ["buy", "A", "1", "1"], ["queue", "add", "A", "--score", "1", "--signal", "BUY"],
            ["queue", "clear"], ["verify"], ["backup", "copy"], ["config", "init"], ["config", "check"], ["recover"], ["reset"],
        ]:
            with self.subTest(" ".join(arguments)):
                self.assertEqual(self.done(*arguments, "--quiet").out, "")

    def test_a_repeated_request_id_says_so_and_changes_nothing(self):
        self.open_account()
        first = self.done("buy", "AAPL", "1", "10", "--request-id", "r-1", "--json").json
        again = self.done("buy", "AAPL", "1", "10", "--request-id", "r-1", "--json").json
        self.assertEqual(again.pop("repeated"), True)
        self.assertEqual(first.pop("repeated"), False)
        self.assertEqual(again, first)
        self.assertRegex(
            self.done("buy", "AAPL", "1", "10", "--request-id", "r-1").out,
            r"^nothing changed: this request was done before, at .* UTC: bought 1 AAPL at 10.00 for 10.00; cash 9,990.00 \(event 3\)$")
        self.assertEqual(self.status()["seq"], 3)

    def test_note_time_and_expected_seq_accompany_every_change(self):
        self.open_account()
        self.done("buy", "AAPL", "10", "10")
        seq = 3
        for arguments in [
            ["buy", "AAPL", "1", "1"], ["sell", "AAPL", "1", "1"], ["deposit", "1"], ["withdraw", "1"], ["split", "AAPL", "2:1"],
            ["dividend", "AAPL", "1"], ["queue", "add", "X", "--score", "1", "--signal", "BUY"], ["queue", "clear"],
            ["write-off", "AAPL"], ["reset"],
        ]:
            with self.subTest(" ".join(arguments)):
                self.done(
                    *arguments, "--note", "why", "--time", "2099-01-02T03:04:05.5+01:00", "--expected-seq", str(seq), "--request-id", f"r{seq}",
                    "--durability", "process", "--lock-timeout", "0.5")
                event = self.history("--from", str(seq + 1))[0]
                self.assertEqual(
                    (event["seq"], event["note"], event["time"], event["request_id"]),
                    (seq + 1, "why", "2099-01-02T02:04:05.500000Z", f"r{seq}"))
                seq += 1

    def test_a_text_may_look_like_an_option(self):
        self.open_account()
        for text in ["-1", "--json", "--", "-a", ""]:
            with self.subTest(text):
                self.assertIn("deposited", self.done("deposit", "1", "--note", text).out)
                self.assertEqual(self.history("-n", "1")[0]["note"], text)

    def test_the_queue_lists_what_is_fresh(self):
        self.open_account()
        self.assertEqual(self.done("queue").out, "the queue is empty\n")
        self.done("queue", "add", "NVDA", "--score", "82.5", "--signal", "strong-buy", "--reason", "breakout", "--time", "2020-01-01")
        self.assertEqual(self.done("queue", "list", "--json").json, {"queued_opportunities": []})
        listed = self.done("queue", "list", "--json", "--time", "2020-01-01T12:00").json["queued_opportunities"]
        published = json.loads((self.account / "portfolio.json").read_text())["queued_opportunities"]
        self.assertEqual([{**entry, "score": float(entry["score"])} for entry in listed], published)
        self.assertEqual(list(listed[0]), list(published[0]))
        row = self.done("queue", "--time", "2020-01-01T12:00").out.splitlines()[1]
        self.assertEqual(row.split(), ["NVDA", "STRONG", "BUY", "82.5", "2020-01-01", "00:00:00", "breakout"])

    def test_the_account_is_the_option_else_the_variable_else_the_current_directory(self):
        for name in ("option", "variable", "current"):
            self.done("init", name, "--id", name)
        current = self.directory / "current"
        with_variable = {**self.environment, "PAPERTRADE_ACCOUNT": str(self.directory / "variable")}
        without = {**self.environment, "PAPERTRADE_ACCOUNT": ""}
        for arguments, environment, name in [
            (["status", "--json", "-a", "../option"], with_variable, "option"),
            (["status", "--json", "--account=../option"], with_variable, "option"),
            (["-a", "../option", "status", "--json"], with_variable, "option"),
            (["--json", "--account", "../option", "status"], with_variable, "option"),
            (["status", "--json"], with_variable, "variable"),
            (["status", "--json"], without, "current"),
        ]:
            with self.subTest(arguments=arguments, name=name):
                self.assertEqual(self.done(*arguments, env=environment, cwd=current).json["account"], name)

    def test_changes_of_another_process_are_seen_at_once(self):
        self.open_account()
        with_cash = self.directory / "here"
        os.symlink(self.account, with_cash)
        self.done("deposit", "1", "-a", with_cash)
        self.assertEqual(self.status()["cash"], 10001)


if __name__ == "__main__":
    unittest.main()
