"""history: what it selects, --follow beside other processes, and readers that go away."""

import csv
import io
import json
import os
import pathlib
import re
import select
import signal
import statistics
import subprocess
import time
import unittest

from support import PTTestCase

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Selection(PTTestCase):
    def test_from_and_limit_select_events(self):
        self.open_account()
        for amount in range(1, 9):
            self.done("deposit", str(amount))
        self.done("reset")
        last = 12
        for arguments, expected in [
            ([], range(1, last + 1)), (["--from", "1"], range(1, last + 1)), (["--from", "0"], range(1, last + 1)),
            (["--from", "11"], [11, 12]), (["--from", "13"], []), (["--limit", "3"], [10, 11, 12]),
            (["-n", "99"], range(1, last + 1)), (["--from", "4", "--limit", "2"], [4, 5]), (["--limit", "0"], range(1, last + 1)),
            (["--from", "4", "-n", "0"], range(4, last + 1)),
            (["--from", str(2**64 - 1)], []), (["-n", str(2**63 - 1)], range(1, last + 1)),
        ]:
            with self.subTest(" ".join(arguments)):
                self.assertEqual([event["seq"] for event in self.history(*arguments)], list(expected))

    def test_a_limit_of_0_is_all_as_for_cycles(self):
        self.open_account()
        for arguments in [[], ["--json"], ["--csv"]]:
            self.assertEqual(self.done("history", "-n", "0", *arguments).out, self.done("history", *arguments).out)

    def test_the_table_shows_what_an_event_did_to_the_cash(self):
        self.open_account()
        self.done("buy", "AAPL", "2", "10", "--note", "first", "--request-id", "r")
        self.done("sell", "AAPL", "all", "11.5")
        lines = self.done("history").out.splitlines()
        self.assertEqual(len(lines), 5)
        self.assertEqual(lines[0].split("  ")[0].strip() or lines[0].split()[0], "SEQ")
        self.assertEqual(lines[3].split()[3:], ["buy", "AAPL", "2", "10.00", "-20.00", "9,980.00", "first;", "request", "r"])
        self.assertEqual(lines[4].split()[3:], ["sell", "AAPL", "2", "11.50", "23.00", "3.00", "10,003.00"])
        self.assertEqual(self.done("history", "--from", "6").out.splitlines()[1], "no events from 6 on")


class Filters(PTTestCase):
    def setUp(self):
        super().setUp()
        self.open_account()
        for arguments in [
            ["buy", "AAPL", "2", "10"], ["buy", "MSFT", "1", "5"], ["deposit", "1"], ["sell", "AAPL", "1", "11"],
            ["queue", "add", "AAPL", "--score", "1", "--signal", "BUY"], ["dividend", "MSFT", "1"], ["deposit", "2"],
        ]:
            self.done(*arguments)

    def test_types_and_symbols_select_events(self):
        for arguments, expected in [
            (["--type", "buy"], [3, 4]), (["--type", "buy", "--type", "sell"], [3, 4, 6]), (["--symbol", "AAPL"], [3, 6, 7]),
            (["--symbol", "AAPL", "--symbol", "MSFT"], [3, 4, 6, 7, 8]), (["--type", "buy", "--symbol", "MSFT"], [4]),
            (["--type", "deposit", "--symbol", "MSFT"], []), (["--symbol", "aapl"], []), (["--type", "rules"], [2]),
            (["--symbol", "AAPL", "-n", "2"], [6, 7]), (["--symbol", "AAPL", "-n", "9"], [3, 6, 7]),
            (["--symbol", "AAPL", "-n", "0"], [3, 6, 7]), (["--symbol", "AAPL", "--from", "4", "-n", "1"], [6]),
            (["--type", "open", "-n", "1"], [1]), (["--type", "write_off", "-n", "1"], []),
        ]:
            with self.subTest(" ".join(arguments)):
                self.assertEqual([event["seq"] for event in self.history(*arguments)], expected)
        self.assertEqual(self.done("history", "--symbol", "IBM").out.splitlines()[1:], ["no such events from 1 on"])
        self.assertEqual(len(self.done("history", "--csv", "--type", "deposit").out.splitlines()), 3)

    def test_what_is_no_type_and_no_symbol_is_refused(self):
        self.assertIn("there is no type of events 'byu' (see 'pt history --help')", self.fails(2, "history", "--type", "byu").err)
        self.assertEqual(self.fails(2, "history", "--symbol", "A B", "--json").error["name"], "PT_INVALID_SYMBOL")

    def test_every_type_that_is_written_can_be_named_and_is_in_the_help(self):
        source = (ROOT / "Sources/Storage/EventCoding.swift").read_text()
        written = set(re.findall(r'case \.\w+: "(\w+)"', source)) | {"open", "reset", "recover", "import"}
        listed = re.search(r"Types: ([\w,\s]+)\.", self.done("history", "--help").out).group(1)
        self.assertEqual(set(re.split(r",\s+", listed)), written)
        for name in written:
            self.done("history", "--type", name)

    def test_the_last_events_are_found_however_far_back_they_are(self):
        for _ in range(40):
            self.done("deposit", "1", "--durability", "process", "--quiet")
        self.assertEqual([event["seq"] for event in self.history("--type", "buy", "-n", "1")], [4])


class Escapes(PTTestCase):
    """What is in files must not reach a terminal or a spreadsheet as a command."""

    EVIL = "\x1b[31mred\x1b]0;title\x07\r\n\t\x9b2J\u202etxt\u2028\\ \x7f"

    def setUp(self):
        super().setUp()
        self.open_account()

    def check_harmless(self, text):
        for character in text.replace("\n", ""):
            self.assertTrue(character.isprintable(), f"{character!r} in {text!r}")

    def test_control_characters_are_escaped_in_tables_csv_and_json(self):
        self.done("queue", "add", "NVDA", "--score", "1", "--signal", "BUY", "--reason", self.EVIL, "--note", self.EVIL)
        for arguments in [["history"], ["history", "--csv"], ["history", "--json"], ["queue"], ["queue", "--json"]]:
            with self.subTest(" ".join(arguments)):
                outcome = self.done(*arguments)
                self.check_harmless(outcome.out)
                self.assertEqual(len(outcome.out.splitlines()), outcome.out.count("\n"))
        self.assertIn("\\u{1b}[31mred", self.done("queue").out)
        self.assertEqual(self.history("--limit", "1")[0]["note"], self.EVIL)
        self.assertEqual(self.done("queue", "--json").json["queued_opportunities"][0]["reason"], self.EVIL)

    def test_control_characters_in_arguments_and_paths_are_escaped_in_messages(self):
        evil = self.directory / "a\x1b[31m\nb"
        for arguments in [["status", "-a", evil], ["buy", self.EVIL, "1", "1"], ["status", "--" + self.EVIL], [self.EVIL],
                          ["deposit", "1", "--time", self.EVIL], ["deposit", self.EVIL], ["buy", "A", self.EVIL, "1"],
                          ["split", "A", self.EVIL], ["deposit", "1", "--durability", self.EVIL], ["status", "--prices", evil]]:
            with self.subTest(repr(arguments)):
                outcome = self.pt(*arguments)
                self.assertIn(outcome.code, (2, 3))
                self.assertEqual(outcome.err.count("\n"), 1, outcome.err)
                self.check_harmless(outcome.err)
        self.check_harmless(self.done("init", evil).out)
        self.check_harmless(self.done("status", "-a", evil).out)

    def test_csv_cells_that_a_spreadsheet_would_run_are_neutralised_and_numbers_stay_numbers(self):
        texts = ["=1+1", "+1", "-1", "@SUM(1)", "=HYPERLINK(\"http://x\",\"y\")", "＝1", "=\u0301x", "plain, \"quoted\"", " =1"]
        for text in texts:
            self.done("withdraw", "1.5", "--note", text)
        self.done("buy", "=F", "1", "1", "--request-id", "=cmd")
        rows = list(csv.DictReader(io.StringIO(self.done("history", "--csv", "--from", "3").out)))
        for text, row in zip(texts, rows):
            with self.subTest(text):
                self.assertEqual(row["note"], text if text[0] in "p " else "'" + text)
                self.assertEqual(row["cash_change"], "-1.5")
        self.assertEqual((rows[-1]["symbol"], rows[-1]["request_id"], rows[-1]["cash_change"]), ("'=F", "'=cmd", "-1.0"))

    def test_csv_has_one_row_an_event_and_the_documented_columns(self):
        self.done("buy", "AAPL", "2", "10")
        self.done("sell", "AAPL", "all", "11.5", "--note", "out")
        text = self.done("history", "--csv").out
        self.assertEqual(
            text.splitlines()[0],
            "seq,generation,time,at,type,symbol,shares,price,commission,cash_change,realized_pnl,cash,request_id,note")
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([row["type"] for row in rows], ["open", "rules", "buy", "sell"])
        self.assertEqual(
            [rows[-1][name] for name in ("symbol", "shares", "price", "cash_change", "realized_pnl", "cash", "note")],
            ["AAPL", "2.0", "11.5", "23.0", "3.0", "10003.0", "out"])


class Follow(PTTestCase):
    def setUp(self):
        super().setUp()
        self.open_account()

    def line(self, process, timeout=10):
        """The next line that the process prints."""
        if not hasattr(process, "pending"):
            process.pending = b""
        deadline = time.monotonic() + timeout
        while b"\n" not in process.pending:
            ready = select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))[0]
            self.assertTrue(ready, "nothing was printed in time")
            piece = os.read(process.stdout.fileno(), 65536)
            self.assertTrue(piece, "the output ended")
            process.pending += piece
        line, process.pending = process.pending.split(b"\n", 1)
        return line.decode()

    def test_follow_shows_events_of_other_processes_within_a_fifth_of_a_second(self):
        process = self.start("history", "--follow", "--json")
        self.assertEqual([json.loads(self.line(process))["seq"] for _ in range(2)], [1, 2])
        delays = []
        for seq in range(3, 14):
            self.done("deposit", "1")
            done = time.monotonic()
            self.assertEqual(json.loads(self.line(process))["seq"], seq)
            delays.append(time.monotonic() - done)
        self.assertLess(statistics.median(delays), 0.2)

    def test_follow_goes_on_through_a_reset(self):
        process = self.start("history", "--follow", "--json", "--limit", "0")
        self.wait_until_following(process)
        self.done("deposit", "1", "--note", "before")
        self.done("reset", "--cash", "5")
        self.done("deposit", "1", "--note", "after")
        seen = []
        while not seen or seen[-1].get("note") != "after":
            seen.append(json.loads(self.line(process)))
        events = [event for event in seen if event.get("note") != "started"]
        self.assertEqual([event["type"] for event in events], ["deposit", "reset", "rules", "deposit"])
        self.assertEqual([event["generation"] for event in events], [1, 2, 2, 2])

    def wait_until_following(self, process):
        """`--limit 0` prints nothing that says it has begun, so make events until one appears."""
        while not select.select([process.stdout], [], [], 0.2)[0]:
            self.done("deposit", "1", "--note", "started")

    def test_follow_with_a_limit_begins_with_the_last_events(self):
        self.done("deposit", "1")
        process = self.start("history", "--follow", "--json", "--limit", "1")
        self.assertEqual(json.loads(self.line(process))["seq"], 3)
        self.done("deposit", "1")
        self.assertEqual(json.loads(self.line(process))["seq"], 4)

    def test_follow_shows_only_what_was_asked_for_and_counts_only_that(self):
        for arguments in (["--from", "1"], ["-n", "0"], ["-n", "5"], []):
            with self.subTest(" ".join(arguments)):
                self.done("reset")
                process = self.start("history", "--follow", "--json", "--symbol", "AAPL", *arguments)
                self.done("deposit", "1")
                time.sleep(0.3)
                for symbol in ("AAPL", "MSFT", "AAPL"):
                    self.done("buy", symbol, "1", "1", "--note", " ".join(arguments))
                seen = []
                while len(seen) < 2:
                    event = json.loads(self.line(process))
                    self.assertEqual(event["symbol"], "AAPL")
                    if event["note"] == " ".join(arguments):
                        seen.append(event["seq"])
                self.assertEqual(seen[1] - seen[0], 2)
                self.end(process)

    def test_follow_from_a_future_event_with_a_limit_waits_for_it_and_ends(self):
        process = self.start("history", "--follow", "--json", "--from", "4", "--limit", "2")
        for _ in range(4):
            self.done("deposit", "1")
        out, err = process.communicate(timeout=10)
        self.assertEqual(([json.loads(line)["seq"] for line in out.splitlines()], err, process.returncode), ([4, 5], b"", 0))

    def test_follow_shows_every_event_of_four_busy_writers_once(self):
        process = self.start("history", "--follow", "--json")
        writers = [
            subprocess.Popen(
                ["sh", "-c", 'for i in $(seq 15); do "$0" deposit 1 --quiet --durability process || exit 1; done', self.pt_path],
                env=self.environment)
            for _ in range(4)
        ]
        self.assertEqual([writer.wait(timeout=120) for writer in writers], [0] * 4)
        self.assertEqual([json.loads(self.line(process))["seq"] for _ in range(62)], list(range(1, 63)))

    def test_a_change_that_its_writer_had_to_undo_is_reported_and_its_number_shown_again(self):
        process = self.start("history", "--follow", "--json")
        for _ in range(2):
            self.line(process)
        failing = self.start("deposit", "1", "--note", "undone", env={**self.shim(), "SHIM_PUBLISH": "1"})
        self.assertEqual(json.loads(self.line(process))["note"], "undone")
        self.assertEqual(failing.wait(timeout=60), 3)
        self.done("deposit", "2", "--note", "kept")
        event = json.loads(self.line(process))
        self.assertEqual((event["seq"], event["note"]), (3, "kept"))
        process.send_signal(signal.SIGINT)
        self.assertIn(b"event 3 was undone", process.communicate(timeout=10)[1])

    def test_an_interrupt_ends_follow_with_130_and_no_words(self):
        process = self.start("history", "--follow")
        self.line(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
        self.assertEqual((process.returncode, err), (130, b""))

    def test_sigterm_ends_follow_and_a_shell_says_143_as_the_help_does(self):
        process = self.start("history", "--follow")
        self.line(process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
        self.assertEqual((128 - process.returncode, err), (143, b""))

    def test_an_interrupt_ends_follow_also_while_its_reader_does_not_read(self):
        for _ in range(20):
            self.done("deposit", "1", "--note", "x" * 250, "--durability", "process", "--quiet")
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(writing, True)
        process = self.start("history", "--follow", "--json", stdout=writing)
        os.close(writing)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=10), 130)

    def test_follow_ends_when_its_reader_goes_away(self):
        process = self.start("history", "--follow")
        self.line(process)
        process.stdout.close()
        self.assertEqual(process.wait(timeout=10), 0)
        self.assertEqual(process.stderr.read(), b"")

    def test_follow_takes_no_lock(self):
        lock = self.hold_lock()
        process = self.start("history", "--follow", "--json")
        self.line(process)
        lock.close()


class BrokenPipes(PTTestCase):
    def test_a_reader_that_goes_away_ends_a_command_quietly(self):
        self.open_account()
        for arguments in [["history"], ["history", "--json"], ["status"], ["verify"], ["queue"], ["--help"], ["config"]]:
            with self.subTest(" ".join(arguments)):
                self.assertEqual(self.without_reader(*arguments), (0, b""))

    def test_a_change_whose_reader_goes_away_is_done(self):
        self.open_account()
        self.assertEqual(self.without_reader("deposit", "1"), (0, b""))
        self.assertEqual(self.status()["cash"], 10001)

    def without_reader(self, *arguments):
        reading, writing = os.pipe()
        os.close(reading)
        process = self.start(*arguments, stdout=writing)
        os.close(writing)
        err = process.communicate(timeout=60)[1]
        return process.returncode, err


if __name__ == "__main__":
    unittest.main()
