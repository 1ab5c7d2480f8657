"""verify, backup, import, reset and config."""

import json
import os
import unittest
from decimal import Decimal

from support import PTTestCase


class Maintenance(PTTestCase):
    def test_verify_proves_an_account_and_says_what_it_read(self):
        self.open_account()
        self.done("buy", "AAPL", "3", "0.333333")
        self.done("reset", "--cash", "50")
        self.assertEqual(self.done("verify", "--json").json, {
            "ok": True, "events": 5, "first_seq": 1, "last_seq": 5, "durable_seq": 5, "generations": 2, "portfolio_current": True,
            "unfinished_tail": False, "cash": 50, "total_cost": 0, "net_deposits": 50, "realized_pnl": 0, "problems": []})
        self.assertRegex(self.done("verify").out, r"(?m)^Events +5, from 1 to 5$")

    def test_verify_says_when_portfolio_json_is_not_current_and_that_is_no_error(self):
        self.open_account()
        (self.account / "portfolio.json").unlink()
        self.assertEqual(self.done("verify", "--json").json["portfolio_current"], False)

    def test_a_backup_is_the_same_account(self):
        self.open_account()
        self.done("buy", "AAPL", "1", "10", "--note", "n")
        self.done("reset")
        self.assertEqual(self.done("backup", "copy").out, "copied the account to copy\n")
        self.assertEqual(self.history("-a", "copy"), self.history())
        self.assertTrue(self.done("verify", "-a", "copy", "--json").json["ok"])
        self.assertEqual(self.fails(3, "backup", "copy", "--json").error["name"], "PT_EXISTS")

    def test_reset_keeps_the_history_and_starts_with_the_cash_of_the_config(self):
        self.open_account()
        (self.account / "config.json").write_text('{"initial_cash": 77}')
        self.assertEqual(self.done("reset").out, "started over with 77.00 (event 3)\n")
        self.assertTrue((self.account / "journal-1.jsonl").exists())
        self.assertEqual([event["type"] for event in self.history()], ["open", "rules", "reset", "rules"])

    def test_recover_changes_nothing_if_nothing_is_wrong(self):
        self.open_account()
        before = self.files()
        self.assertEqual(self.done("recover", "--json").json, {
            "recovered": False, "kept_seq": 0, "lost_events": 0, "seq": 0, "generation": 0, "from_portfolio": False, "kept_as": None})
        self.assertEqual(self.files(), before)


class Damage(PTTestCase):
    """What verify and recover say to people about an account that is damaged."""

    def setUp(self):
        super().setUp()
        self.open_account()
        for amount in range(1, 6):
            self.done("deposit", str(amount))

    def damage(self, name="journal.jsonl"):
        journal = self.account / name
        journal.write_bytes(journal.read_bytes().replace(b'"amount":3.0', b'"amount":8.0'))

    def kept(self, pattern):
        [path] = self.account.glob(pattern)
        return path.name

    def test_verify_says_what_is_wrong_also_if_its_output_cannot_be_written(self):
        self.assertEqual(self.verify_without_output(), [(0, b""), (3, b"pt: cannot write the output: No space left on device\n")])
        self.damage()
        for code, err in self.verify_without_output():
            self.assertEqual(code, 5)
            self.assertRegex(err, rb"^pt: .*journal\.jsonl, line 5, .* \(here: 'pt recover'\)\n$")

    def verify_without_output(self):
        """Exit code and standard error, with a reader that has gone away, and with a disk that is full."""
        reading, writing = os.pipe()
        os.close(reading)
        ends = []
        for output in (writing, os.open("/dev/full", os.O_WRONLY)):
            process = self.start("verify", stdout=output)
            os.close(output)
            err = process.communicate(timeout=60)[1]
            ends.append((process.returncode, err))
        return ends

    def test_verify_does_not_call_what_a_recovery_needs_behind(self):
        self.damage()
        out = self.pt("verify").out
        self.assertRegex(out, r"(?m)^portfolio\.json +not proved, because of what is wrong: leave it as it is, 'pt recover' may need it$")
        self.assertNotIn("publishes", out)

    def test_verify_says_how_far_it_read_if_nothing_of_the_journal_is_good(self):
        self.done("reset")
        self.damage("journal-1.jsonl")
        journal = self.account / "journal.jsonl"
        journal.write_bytes(b"?" + journal.read_bytes()[1:])
        self.assertRegex(self.pt("verify").out, r"(?m)^Events +4, from 1 to 4$")

    def test_recover_says_where_history_begins_and_where_the_events_before_it_are(self):
        self.damage()
        out = self.done("recover").out
        self.assertEqual(
            out, "recovered the account as of event 7 from portfolio.json, as generation 2: 0 later events could not be used; history "
            f"begins at event 8, and the journal's earlier events are only in {self.kept('journal-1-damaged*')}\n")
        self.assertEqual(self.history()[0]["seq"], 8)

    def test_a_second_recovery_says_so_again(self):
        self.damage()
        self.done("recover")
        self.done("deposit", "3")
        self.damage()
        self.assertIn("as generation 3: 0 later events could not be used; history begins at event 11, ", self.done("recover").out)
        self.assertEqual(self.history()[0]["seq"], 11)

    def test_history_goes_on_where_a_reset_had_sealed_a_journal(self):
        self.done("reset")
        self.done("deposit", "3")
        self.done("deposit", "4")
        self.damage()
        (self.account / "portfolio.json").unlink()
        out = self.done("recover").out
        self.assertIn("history goes on with event 12, and the journal's earlier events are only in journal-2-damaged", out)
        self.assertEqual([event["seq"] for event in self.history()], [*range(1, 8), 12, 13])

    def test_recover_says_that_a_lost_journal_is_lost(self):
        (self.account / "journal.jsonl").unlink()
        self.assertTrue(self.done("recover").out.endswith("history begins at event 8, and the journal's earlier events are lost\n"))

    def test_recover_says_what_it_set_aside_of_an_earlier_generation(self):
        self.done("reset")
        self.damage("journal-1.jsonl")
        out = self.done("recover").out
        self.assertEqual(
            out, "the account is whole; a damaged journal of an earlier generation is kept as "
            f"{self.kept('journal-1-damaged*')}, and its events are only there\n")
        self.assertEqual(self.history()[0]["type"], "reset")
        self.assertEqual(self.done("recover").out, "nothing to recover: the account opens, and nothing was changed\n")


class Import(PTTestCase):
    def setUp(self):
        super().setUp()
        self.old = self.directory / "old"
        self.old.mkdir()
        self.portfolio = self.old / "paper_portfolio.json"
        self.portfolio.write_text(json.dumps({
            "cash": 8999.999999999998, "positions": {
                "AAPL": {"shares": 10, "cost_basis": 100.0, "first_purchase_date": "2024-01-02T03:04:05+00:00Z"}},
            "created_at": "2024-01-01T00:00:00", "updated_at": "2024-01-02T03:04:05"}))

    def test_import_makes_an_account_and_says_what_it_rounded(self):
        (self.old / "transaction_log.json").write_text(json.dumps([{
            "timestamp": "2024-01-02T03:04:05", "action": "BUY", "symbol": "AAPL", "shares": 10, "price": 100.0, "total": 1000.0,
            "cash_after": 9000.0, "portfolio_value": 10000.0}]))
        (self.old / "buy_queue.json").write_text(json.dumps({"queued_opportunities": [{
            "symbol": "NVDA", "queued_at": "2024-01-02T03:04:05", "signal": "BUY", "score": 80, "price": None, "reason": "r"}],
            "metadata": {}}))
        before = {path: path.read_bytes() for path in self.old.iterdir()}
        report = self.done("import", self.portfolio, "--json").json
        self.assertEqual(
            [report[name] for name in ("positions", "queued", "transactions", "cash", "net_deposits", "realized_pnl")],
            [1, 1, 1, 9000, 10000, 0])
        self.assertTrue(any("8999.999999999998" in line for line in report["roundings"]), report)
        self.assertEqual(self.status()["positions"]["AAPL"]["cost"], 1000)
        self.assertTrue(self.done("verify", "--json").json["ok"])
        self.assertEqual({path: path.read_bytes() for path in self.old.iterdir()}, before)
        self.assertEqual(self.history("--limit", "1")[0]["type"], "past_trade")
        self.assertEqual(self.fails(3, "import", self.portfolio, "--json").error["name"], "PT_EXISTS")

    def test_import_for_people_lists_roundings(self):
        out = self.done("import", self.portfolio).out
        self.assertIn("imported 1 position, 0 queue entries and 0 transactions; cash 9,000.00", out)
        self.assertIn("rounded to whole millionths:\n  ", out)

    def test_import_of_a_file_that_is_not_one_is_refused(self):
        self.portfolio.write_text('{"cash": "much"}')
        self.assertEqual(self.fails(5, "import", self.portfolio, "--json").error["name"], "PT_INVALID_IMPORT")
        self.assertFalse(self.account.exists())

    def test_a_file_that_is_not_there_is_told_from_one_that_is_not_usable(self):
        error = self.fails(3, "import", "missing.json", "--json").error
        self.assertEqual((error["name"], "paper_portfolio.json" in error["message"]), ("PT_IO", True))
        self.assertEqual(self.fails(5, "import", ".", "--json").error["name"], "PT_INVALID_IMPORT")
        self.assertFalse(self.account.exists())


class Config(PTTestCase):
    def test_config_init_writes_the_defaults_before_there_is_an_account(self):
        self.done("config", "init")
        config = json.loads((self.account / "config.json").read_text())
        self.assertEqual(config["queue"], {"stale_after_hours": 24.0, "max_score_drop": 10.0})
        self.assertEqual(self.fails(3, "config", "init", "--json").error["name"], "PT_EXISTS")
        config["initial_cash"] = 5
        (self.account / "config.json").write_text(json.dumps(config))
        checked = self.done("config", "check", "--json").json
        self.assertEqual((checked["exists"], checked["valid"], checked["rules"]["initial_cash"]), (True, True, 5))
        self.done("init")
        self.assertEqual(self.status()["cash"], 5)

    def test_config_check_says_where_a_file_is_wrong(self):
        self.open_account()
        self.assertIn("the defaults apply", self.done("config", "check").out)
        for text, words in [
            ('{"queue": {\n"stale_after_hour": 5}}', ["line 2", "stale_after_hours"]), ('{', ["line 1"]),
            ('{"commission": {"percent": -1}}', ["percent", "0.0 to 100.0"]), ('[]', []), ('{"initial_cash": "1"}', ["initial_cash"]),
        ]:
            with self.subTest(text):
                (self.account / "config.json").write_text(text)
                error = self.fails(5, "config", "check", "--json").error
                for word in ["config.json"] + words:
                    self.assertIn(word, error["message"])

    def test_config_check_says_what_a_flag_a_choice_a_count_and_the_watchlist_can_be(self):
        self.open_account()
        for text, message in [
            ('{"system_active": 1}', '"system_active" '), ('{"system_active": "true"}', "expected true or false"),
            ('{"sizing": {"mode": "big"}}', 'expected "score" or "fixed"'), ('{"exits": {"signal": "BUY"}}', '"SELL"'),
            ('{"market": {"calendar": "xnys"}}', '"nyse" or "always"'), ('{"limits": {"max_positions": 2.5}}', "a whole number from 0 to 100000"),
            ('{"watchlist": "AAPL"}', '"watchlist"'), ('{"watchlist": ["A A"]}', '"A A"'), ('{"watchlist": ["A", "A"]}', '"A"'),
            ('{"watchlist": [1]}', '"watchlist"'), ('{"exits": {"stop_loss_percent": 10}}', "from -100.0 to 0.0"),
        ]:
            with self.subTest(text):
                (self.account / "config.json").write_text(text)
                error = self.fails(5, "config", "check").err
                self.assertIn("config.json, line 1: ", error)
                self.assertIn(message, error)

    def test_what_config_init_wrote_is_valid_can_be_edited_and_is_shown(self):
        self.open_account()
        self.done("config", "init")
        path = self.account / "config.json"
        self.assertEqual(self.done("config", "check").out, f"{path} is valid\n")
        self.assertNotIn("adopts", self.done("config", "show").out)
        config = json.loads(path.read_text())
        config["system_active"] = False
        config["sizing"]["mode"] = "fixed"
        config["exits"]["signal"] = "HOLD"
        config["watchlist"] = ["AAPL", "BRK.B"]
        path.write_text(json.dumps(config))
        self.assertIn(
            "adopts what config.json says now: system_active false, sizing.mode fixed, exits.signal HOLD, watchlist AAPL, BRK.B\n",
            self.done("config", "show").out)
        self.done("deposit", "1")
        shown = self.done("config", "show").out
        for row in (r"system_active +false +true +true or false ", r"sizing.mode +fixed +score ", r"exits.signal +HOLD +WEAK SELL ",
                    r"Watchlist: AAPL, BRK.B$"):
            self.assertRegex(shown, f"(?m)^{row}")
        rules = self.done("config", "show", "--json").json
        self.assertEqual(
            (rules["system_active"], rules["sizing.mode"], rules["limits.max_positions"], rules["watchlist"]),
            (False, "fixed", 10, ["AAPL", "BRK.B"]))

    def test_config_show_tells_what_is_in_force_and_what_the_file_will_change(self):
        self.open_account()
        rules = self.done("config", "show", "--json").json
        self.assertEqual((rules["initial_cash"], rules["queue.stale_after_hours"], rules["commission.percent"]), (10000, 24, 0))
        (self.account / "config.json").write_text('{"commission": {"percent": 0.1}}')
        self.assertIn("The next change to the account adopts what config.json says now: commission.percent 0.1", self.done("config").out)
        self.assertEqual(self.done("config", "--json").json["commission.percent"], 0)
        self.assertIn("(commission 1.00)", self.done("buy", "AAPL", "10", "100").out)
        self.assertEqual(self.done("config", "--json").json["commission.percent"], Decimal("0.1"))
        self.assertNotIn("adopts", self.done("config").out)
        (self.account / "config.json").write_text("{")
        self.assertIn("the rules above stay in force", self.pt("config").err)
        outcome = self.pt("deposit", "1")
        self.assertEqual(outcome.code, 0)
        self.assertIn("pt: warning: ", outcome.err)


if __name__ == "__main__":
    unittest.main()
