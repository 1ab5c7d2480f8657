"""What goes wrong: every exit code, one line on standard error, nothing changed."""

import os
import shutil
import stat
import subprocess
import unittest

from support import PTTestCase

NOBODY = 65534


class Refusals(PTTestCase):
    def test_refusals_exit_1_and_change_nothing(self):
        self.open_account("1000")
        self.done("buy", "AAPL", "2", "100", "--request-id", "used")
        self.done("queue", "add", "NVDA", "--score", "1", "--signal", "BUY")
        before = self.files()
        for arguments, name, words in [
            (["buy", "AAPL", "9", "100"], "PT_INSUFFICIENT_FUNDS", ["900.0", "800.0"]),
            (["withdraw", "800.000001"], "PT_INSUFFICIENT_FUNDS", ["800.000001"]),
            (["sell", "AAPL", "3", "100"], "PT_INSUFFICIENT_SHARES", ["3.0", "AAPL", "2.0"]),
            (["sell", "MSFT", "all", "100"], "PT_NO_POSITION", ["MSFT"]),
            (["dividend", "MSFT", "1"], "PT_NO_POSITION", ["MSFT"]),
            (["write-off", "aapl"], "PT_NO_POSITION", ["aapl"]),
            (["split", "MSFT", "2:1"], "PT_NO_POSITION", ["MSFT"]),
            (["queue", "add", "NVDA", "--score", "1", "--signal", "BUY"], "PT_ALREADY_QUEUED", ["NVDA", "4"]),
            (["deposit", "1", "--expected-seq", "3"], "PT_SEQ_MISMATCH", ["3", "4"]),
            (["deposit", "1", "--request-id", "used"], "PT_REQUEST_CONFLICT", ["used", "3"]),
            (["buy", "AAPL", "0.000001", "0.000001"], "PT_TOTAL_IS_ZERO", []),
            (["deposit", "999999999.999999"], "PT_OUT_OF_RANGE", ["cash"]),
        ]:
            with self.subTest(" ".join(arguments)):
                error = self.fails(1, *arguments, "--json").error
                self.assertEqual((error["exit"], error["name"]), (1, name))
                self.assertEqual(self.fails(1, *arguments).err, f"pt: {error['message']}\n")
                for word in words:
                    self.assertIn(word, error["message"])
        self.assertEqual(self.files(), before)

    def test_a_refusal_names_the_event_it_is_about(self):
        self.open_account()
        self.done("deposit", "1", "--request-id", "used")
        self.assertEqual(self.fails(1, "deposit", "2", "--request-id", "used", "--json").error["seq"], 3)
        self.assertEqual(self.fails(1, "deposit", "2", "--expected-seq", "99", "--json").error["seq"], 3)


class WrongArguments(PTTestCase):
    def test_wrong_arguments_exit_2_and_change_nothing(self):
        self.open_account()
        before = self.files()
        for arguments, name in [
            (["buy", "A APL", "1", "1"], "PT_INVALID_SYMBOL"),
            (["buy", "", "1", "1"], "PT_INVALID_SYMBOL"),
            (["buy", "Ä", "1", "1"], "PT_INVALID_SYMBOL"),
            (["buy", "A\x1b[2J", "1", "1"], "PT_INVALID_SYMBOL"),
            (["buy", "A" * 33, "1", "1"], "PT_INVALID_SYMBOL"),
            (["buy", "AAPL", "0", "1"], "PT_INVALID_SHARES"),
            (["buy", "AAPL", "all", "1"], "PT_INVALID_SHARES"),
            (["sell", "AAPL", "ALL", "1"], "PT_INVALID_SHARES"),
            (["sell", "AAPL", "0.0000001", "1"], "PT_TOO_PRECISE"),
            (["buy", "AAPL", "nan", "1"], "PT_INVALID_SHARES"),
            (["buy", "AAPL", "1e3", "1"], "PT_INVALID_SHARES"),
            (["buy", "AAPL", "1000000000", "1"], "PT_INVALID_SHARES"),
            (["buy", "AAPL", "9" * 400, "1"], "PT_INVALID_SHARES"),
            (["buy", "AAPL", "1", "0"], "PT_INVALID_PRICE"),
            (["buy", "AAPL", "1", "inf"], "PT_INVALID_PRICE"),
            (["buy", "AAPL", "1", "1,5"], "PT_INVALID_PRICE"),
            (["buy", "AAPL", "--", "-1", "1"], "PT_INVALID_SHARES"),
            (["buy", "AAPL", "0.0000001", "1"], "PT_TOO_PRECISE"),
            (["buy", "AAPL", "1", "1.0000001"], "PT_TOO_PRECISE"),
            (["deposit", "0"], "PT_INVALID_AMOUNT"),
            (["deposit", "ten"], "PT_INVALID_AMOUNT"),
            (["dividend", "AAPL", "0"], "PT_INVALID_PRICE"),
            (["split", "AAPL", "7"], "PT_INVALID_RATIO"),
            (["split", "AAPL", "7:x"], "PT_INVALID_RATIO"),
            (["split", "AAPL", "0:1"], "PT_INVALID_RATIO"),
            (["split", "AAPL", "2:2"], "PT_INVALID_RATIO"),
            (["split", "AAPL", "1:2:3"], "PT_INVALID_RATIO"),
            (["queue", "add", "A", "--score", "100.1", "--signal", "BUY"], "PT_INVALID_SCORE"),
            (["queue", "add", "A", "--score", "good", "--signal", "BUY"], "PT_INVALID_SCORE"),
            (["queue", "add", "A", "--score", "1", "--signal", "MAYBE"], "PT_INVALID_SIGNAL"),
            (["queue", "add", "A", "--score", "1", "--signal", "BUY", "--price", "0"], "PT_INVALID_PRICE"),
            (["queue", "add", "A", "--score", "1", "--signal", "BUY", "--reason", "x" * 257], "PT_INVALID_TEXT"),
            (["deposit", "1", "--note", "é" * 129], "PT_INVALID_TEXT"),
            (["deposit", "1", "--request-id", ""], "PT_INVALID_REQUEST_ID"),
            (["deposit", "1", "--request-id", "x" * 65], "PT_INVALID_REQUEST_ID"),
            (["deposit", "1", "--request-id", "a\nb"], "PT_INVALID_REQUEST_ID"),
            (["deposit", "1", "--time", "yesterday"], "PT_INVALID_TIME"),
            (["deposit", "1", "--time", "1969-12-31"], "PT_INVALID_TIME"),
            (["deposit", "1", "--time", "2026-02-29"], "PT_INVALID_TIME"),
            (["deposit", "1", "--lock-timeout", "-1"], "PT_INVALID_ARGUMENT"),
            (["deposit", "1", "--lock-timeout", "soon"], "PT_INVALID_ARGUMENT"),
            (["reset", "--cash", "x"], "PT_INVALID_AMOUNT"),
            (["status", "--price", "AAPL"], "PT_INVALID_PRICE"),
            (["status", "--price", "AAPL=x"], "PT_INVALID_PRICE"),
            (["status", "--price", "A B=1"], "PT_INVALID_SYMBOL"),
            (["init", "other", "--id", "no spaces"], "PT_INVALID_ARGUMENT"),
            (["init", "other", "--cash", "1000000000"], "PT_INVALID_AMOUNT"),
        ]:
            with self.subTest(" ".join(arguments)[:60]):
                error = self.fails(2, "--json", *arguments).error
                self.assertEqual((error["exit"], error["name"]), (2, name), error["message"])
        self.assertEqual(self.files(), before)
        self.assertFalse((self.directory / "other").exists())

    def test_what_sell_takes_instead_of_a_number_is_said(self):
        self.open_account()
        self.assertEqual(
            self.fails(2, "sell", "AAPL", "ALL", "1").err,
            "pt: shares ALL is not a number above 0 and at most 999999999.999999, nor all\n")

    def test_a_wrong_command_line_exits_2_with_one_line_and_a_hint(self):
        self.open_account()
        for arguments, words in [
            (["by", "AAPL"], ["no command 'by'", "'pt --help'"]),
            (["\x1b[2J"], ["no command '\\u{1b}[2J'"]),
            (["--bogus"], ["--bogus", "'pt --help'"]),
            (["buy", "AAPL"], ["<shares>", "'pt buy --help'"]),
            (["buy", "AAPL", "1", "2", "3"], ["'3'", "'pt buy --help'"]),
            (["buy", "AAPL", "-5", "1"], ["-5 is negative"]),
            (["deposit", "-5"], ["-5 is negative", "'pt deposit --help'"]),
            (["withdraw", "-.5"], ["-.5 is negative"]),
            (["deposit", "5", "--noet", "x"], ["--noet", "--note", "'pt deposit --help'"]),
            (["deposit", "5", "--time"], ["--time"]),
            (["deposit", "5", "--durability", "none"], ["none", "full", "process"]),
            (["deposit", "5", "--expected-seq", "x"], ["'x'", "--expected-seq"]),
            (["queue", "add"], ["'pt queue add --help'"]),
            (["queue", "remove", "NVDA"], ["there is no command 'queue remove' (see 'pt queue --help')"]),
            (["queue", "list", "NVDA"], ["unexpected argument 'NVDA'", "'pt queue list --help'"]),
            (["config", "chekc"], ["there is no command 'config chekc' (see 'pt config --help')"]),
            (["queue", "\x1b[2J"], ["there is no command 'queue \\u{1b}[2J'"]),
            (["history", "--csv", "--limit", "x"], ["'x'"]),
            (["history", "-n", "-1"], ["-1 is negative"]),
            (["init", "there", "--account", "here"], ["once"]),
        ]:
            with self.subTest(" ".join(arguments)):
                message = self.fails(2, *arguments).err
                for word in words:
                    self.assertIn(word, message)
                error = self.fails(2, *arguments, "--json").error
                self.assertEqual((error["exit"], error["code"], error["name"]), (2, 201, "PT_INVALID_ARGUMENT"))
        self.assertIn("exclude each other", self.fails(2, "history", "--csv", "--json").error["message"])

    def test_an_argument_that_is_not_utf_8_is_refused_not_changed(self):
        self.open_account()
        self.assertIn("argument 4 is not UTF-8", self.fails(2, "deposit", "1", "--note", b"\xff\xfe").err)

    def test_a_price_file_that_is_wrong_is_refused_with_its_line(self):
        self.open_account()
        file = self.directory / "prices\x1b.csv"
        for content, words in [
            (b"", ["is empty"]), (b"a,b\n1,2\n", ["line 1", "symbol"]), (b"symbol,price\nAAPL\n", ["line 2", "1 field"]),
            (b"symbol,price\nAAPL,1\nAAPL,x\n", ["line 3", "x"]), (b"symbol,price\nA APL,1\n", ["line 2", "A APL"]),
            (b"symbol,price\nAAPL,-1\n", ["line 2", "negative"]), (b"symbol,price\nAAPL,1.0000001\n", ["line 2", "1.0000001"]),
            (b"symbol,price\n\xff,1\n", ["line 2", "UTF-8"]),
            (b"symbol,price,,,date\nAAPL,151,,\n", ["line 2", "4 fields, not 5"]),
            (b"symbol,price,volume,volume,time\n\nAAPL,151,7\n", ["line 3", "3 fields, not 5"]),
            (b"symbol,price,date\nAAPL,1,12/31/2025\nAAPL,2,01/02/2026\n", ["line 2", '"12/31/2025" is not a date such as 2014-06-09']),
            (b"symbol,price,date\nAAPL,1,2026-10-01\nAAPL,2,2026-9-30\n", ["line 3", '"2026-9-30" is not a date']),
            (b"symbol,price,date\nAAPL,1,\n", ["line 2", '"" is not a date']),
        ]:
            with self.subTest(content):
                file.write_bytes(content)
                message = self.fails(2, "status", "--prices", file).err
                for word in words + ["prices\\u{1b}.csv"]:
                    self.assertIn(word, message)
        self.fails(3, "status", "--prices", "missing.csv")
        self.fails(3, "status", "--prices", ".")


    def test_the_latest_price_of_a_file_counts_whatever_its_row(self):
        self.open_account()
        self.done("buy", "AAPL", "1", "1")
        for content, price in [
            ("symbol,price,date\nAAPL,2,2026-10-01\nAAPL,1,2026-09-30\n", 2), ("symbol,price\nAAPL,2\nAAPL,1\n", 1),
            ("symbol,price,time\nAAPL,2,2026-10-01T09:00-05:00\nAAPL,1,2026-10-01T10:00Z\n", 2),
            ("symbol,price,date\nAAPL,2,2026-10-01\nAAPL,1,2026-10-01T00:00Z\n", 1),
        ]:
            with self.subTest(content):
                (self.directory / "prices.csv").write_text(content)
                self.assertEqual(self.status("--prices", "prices.csv")["positions"]["AAPL"]["price"], price)


class Environment(PTTestCase):
    def test_only_init_makes_an_account(self):
        for arguments in [
            ["status"], ["history"], ["verify"], ["recover"], ["backup", "copy"], ["reset"], ["config", "show"], ["config", "check"],
            ["queue"], ["queue", "clear"], ["queue", "add", "A", "--score", "1", "--signal", "BUY"], ["buy", "A", "1", "1"],
            ["sell", "A", "all", "1"], ["deposit", "1"], ["withdraw", "1"], ["split", "A", "2:1"], ["dividend", "A", "1"], ["write-off", "A"],
        ]:
            with self.subTest(" ".join(arguments)):
                error = self.fails(3, *arguments, "--json").error
                self.assertEqual(error["name"], "PT_NO_ACCOUNT")
                self.assertIn("pt init", error["message"])
        self.assertEqual(os.listdir(self.directory), [])

    def test_a_path_that_is_a_file_is_no_account(self):
        self.account.write_text("hello")
        for arguments in [["status"], ["init"], ["deposit", "1"], ["verify"], ["recover"]]:
            with self.subTest(" ".join(arguments)):
                error = self.fails(3, *arguments, "--json").error
                self.assertEqual(error["name"], "PT_NO_ACCOUNT")
                self.assertIn("not a directory", error["message"])
        self.assertEqual(self.account.read_text(), "hello")

    def test_init_refuses_an_account_that_exists(self):
        self.open_account()
        before = self.files()
        for arguments in [["init"], ["init", "--id", "test-account"], ["init", "--cash", "5"]]:
            self.assertEqual(self.fails(3, *arguments, "--json").error["name"], "PT_EXISTS")
        self.assertEqual(self.files(), before)

    def test_of_two_inits_at_once_exactly_one_makes_the_account(self):
        for number in range(5):
            processes = [self.start("init", f"at-once-{number}", "--json") for _ in range(4)]
            codes = [process.wait(timeout=60) for process in processes]
            self.assertEqual(sorted(codes), [0, 3, 3, 3])

    def test_portfolio_json_without_write_permission_refuses_changes_also_for_root(self):
        self.open_account()
        (self.account / "portfolio.json").chmod(0o444)
        before = self.files()
        error = self.pt("deposit", "1", "--json")
        self.assertEqual(error.code, 3)
        self.assertIn("PT_READ_ONLY", error.err)
        self.assertEqual(self.files(), before)
        self.assertEqual(self.status()["cash"], 10000)
        (self.account / "portfolio.json").chmod(0o644)
        self.done("deposit", "1")

    def test_reading_needs_no_write_permission_and_changes_are_refused(self):
        self.open_account()
        self.done("buy", "AAPL", "1", "1")
        options = self.without_privileges()
        for arguments in [["status"], ["history"], ["queue"], ["verify"], ["config", "show"], ["config", "check"]]:
            with self.subTest(" ".join(arguments)):
                self.done(*arguments, **options)
        before = self.files()
        for arguments in [["deposit", "1"], ["reset"], ["queue", "clear"]]:
            with self.subTest(" ".join(arguments)):
                self.assertEqual(self.pt(*arguments, **options).code, 3)
        self.assertEqual(self.files(), before)

    def without_privileges(self):
        """Makes the account read-only; for root, whom permissions do not stop, options that run pt as somebody else."""
        self.directory.chmod(0o755)
        for path in self.account.iterdir():
            path.chmod(0o444)
        self.account.chmod(0o555)
        self.addCleanup(self.account.chmod, 0o755)
        if os.geteuid() != 0:
            return {}
        copy = self.directory / "pt"
        shutil.copy(self.pt_path, copy)
        copy.chmod(0o755)
        self.pt_path = str(copy)
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def test_a_held_lock_is_busy_and_names_its_holder(self):
        self.open_account()
        self.hold_lock()
        for arguments in [["deposit", "1"], ["queue", "clear"], ["reset"], ["backup", "copy"], ["recover"]]:
            with self.subTest(" ".join(arguments)):
                error = self.fails(4, *arguments, "--lock-timeout", "0.05", "--json").error
                self.assertEqual((error["exit"], error["name"]), (4, "PT_BUSY"))
        for arguments in [["status"], ["history"], ["queue"], ["verify"], ["config"]]:
            with self.subTest(" ".join(arguments)):
                self.done(*arguments)

    def test_a_change_waits_for_the_lock(self):
        self.open_account()
        lock = self.hold_lock()
        process = self.start("deposit", "1", "--lock-timeout", "forever")
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=0.3)
        lock.close()
        self.assertEqual(process.wait(timeout=60), 0)

    def test_a_damaged_journal_exits_5_and_recover_rescues_it(self):
        self.open_account()
        for amount in range(1, 6):
            self.done("deposit", str(amount))
        journal = self.account / "journal.jsonl"
        text = journal.read_bytes()
        journal.write_bytes(text.replace(b'"amount":3.0', b'"amount":8.0'))
        (self.account / "portfolio.json").unlink()
        before = self.files()
        for arguments in [["status"], ["deposit", "1"], ["history"]]:
            with self.subTest(" ".join(arguments)):
                error = self.fails(5, *arguments, "--json").error
                self.assertEqual(error["name"], "PT_CORRUPT")
                self.assertIn("journal.jsonl, line 5", error["message"])
                self.assertIn("pt recover", error["message"])
        outcome = self.pt("verify", "--json")
        self.assertEqual((outcome.code, outcome.json["ok"], outcome.error["name"]), (5, False, "PT_CORRUPT"))
        self.assertEqual(outcome.json["problems"][0]["name"], "PT_CORRUPT")
        self.assertRegex(self.pt("verify").err, r"^pt: .*journal\.jsonl, line 5, byte \d+: .* \(here: 'pt recover'\)\n$")
        self.assertEqual(self.files(), before)
        report = self.done("recover", "--json").json
        self.assertEqual((report["recovered"], report["kept_seq"], report["generation"]), (True, 4, 2))
        self.assertIn(report["lost_events"], (2, 3))  # the damaged line itself may count or not
        self.assertTrue((self.account / report["kept_as"]).exists())
        self.assertEqual(self.status()["cash"], 10003)
        self.assertTrue(self.done("verify", "--json").json["ok"])
        self.assertEqual(self.done("recover", "--json").json["recovered"], False)

    def test_an_invalid_config_exits_5_when_an_account_is_made_with_it(self):
        self.account.mkdir(mode=0o700)
        (self.account / "config.json").write_text('{"initial_cahs": 5}')
        for arguments in [["init"], ["config", "check"]]:
            error = self.fails(5, *arguments, "--json").error
            self.assertEqual(error["name"], "PT_INVALID_CONFIG")
            self.assertIn('did you mean "initial_cash"', error["message"])

    def test_a_disk_that_cannot_keep_the_journal_exits_6(self):
        self.open_account()
        outcome = self.fails(6, "deposit", "1", "--json", env={**self.shim(), "SHIM_FDATASYNC": "2"})
        self.assertEqual((outcome.error["exit"], outcome.error["name"]), (6, "PT_UNCERTAIN"))
        self.assertIn("--request-id", outcome.error["message"])

    def test_a_command_without_request_ids_does_not_advise_to_repeat_with_one(self):
        self.open_account()
        outcome = self.fails(
            6, "monitor", "--analyst-command", "exit 1", "--json", env={**self.shim(), "SHIM_FDATASYNC": "2"})
        self.assertNotIn("--request-id", outcome.error["message"])

    def test_a_full_disk_is_not_mistaken_for_a_failed_change(self):
        self.open_account()
        with open("/dev/full", "wb") as full:
            process = self.start("deposit", "1", stdout=full)
            self.assertIn(b"it is done, but the output cannot be written", process.communicate(timeout=60)[1])
            self.assertEqual(process.returncode, 0)
            process = self.start("status", stdout=full)
            self.assertIn(b"pt: cannot write the output: No space left on device", process.communicate(timeout=60)[1])
            self.assertEqual(process.returncode, 3)
        self.assertEqual(self.status()["cash"], 10001)

    def test_warnings_of_the_library_go_to_standard_error(self):
        self.open_account()
        portfolio = self.account / "portfolio.json"
        for arguments, expected in [(["deposit", "1"], "pt: warning: "), (["deposit", "1", "--json"], '{"warning": ')]:
            portfolio.write_text(portfolio.read_text().replace("1000", "9000", 1))
            outcome = self.pt(*arguments)
            self.assertEqual(outcome.code, 0)
            self.assertTrue(outcome.err.startswith(expected), outcome.err)
            self.assertIn("portfolio.json.edited-", outcome.err)
        self.assertEqual(self.status()["cash"], 10002)


if __name__ == "__main__":
    unittest.main()
