"""Analysts that are commands and shared libraries: what they may answer, and what becomes of those that misbehave."""

import json
import os
import pathlib
import shutil
import subprocess
import time
import unittest

from cycles import CycleTestCase, NOON, opinion

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include"
GOOD = opinion("HOLD", 50, 10)


class AnalystTestCase(CycleTestCase):
    def judge(self, *arguments):
        """Runs a monitoring cycle; its record, and the lines on standard error but for that of a cycle that failed."""
        outcome = self.pt("monitor", "--time", NOON, "--json", *arguments)
        self.assertIn(outcome.code, (0, 3), outcome.err)
        self.assertTrue(outcome.out, outcome.err)
        record, lines = outcome.json, outcome.err.splitlines()
        self.assertEqual(outcome.code, 3 if record["outcome"] == "failed" else 0)
        if outcome.code == 3:
            self.assertEqual(json.loads(lines.pop())["error"]["message"], f"the monitoring cycle failed: {record['reason']}")
        return record, lines

    def command(self, text, *arguments):
        return self.judge("--analyst-command", text, *arguments)

    def known(self):
        return sorted(self.done("signals", "--json").json["signals"])


class Answers(AnalystTestCase):
    def test_each_answer_counts_or_costs_its_symbols_turn_and_no_more(self):
        table = [
            ("AA", GOOD, None),
            ("AB", "null", None),
            ("AC", opinion("STRONG BUY", 100, "10.5"), 'its price is the text "10.5"'),
            ("AD", opinion("STRONG BUY", 100, 10.5, confidence="HIGH", reason="x" * 256, sector="Tools"), None),
            ("AE", opinion("BUY", 101, 10), "score 101.0 is not a number from 0 to 100"),
            ("AF", opinion("BUY", -0.5, 10), "score -0.5 is not a number from 0 to 100"),
            ("AG", opinion("BUY", float("nan"), 10), "it answered what is not JSON: "),
            ("AH", opinion("BUY", float("inf"), 10), "it answered what is not JSON: "),
            ("AI", opinion("BUY", 80, 0), "price 0.0 is not a number above 0"),
            ("AJ", opinion("BUY", 80, -1), "price -1.0 is not a number above 0"),
            ("AK", opinion("BUY", 80, 1e12), "its price is 1000000000000.0"),
            ("AL", opinion("buy", 80, 1), 'its signal is the text "buy", not SELL or WEAK SELL or HOLD or WEAK BUY or BUY or STRONG BUY'),
            ("AM", '{"score": 80, "price": 1}', "its signal is missing"),
            ("AN", '{"signal": "BUY", "price": 1}', "its score is missing"),
            ("AO", opinion("BUY", 80, 1, confidence="SURE"), 'its confidence is the text "SURE", not LOW or MEDIUM or HIGH'),
            ("AP", opinion("BUY", 80, 1, prise=2), 'it answered with an unknown member "prise"'),
            ("AQ", opinion("BUY", 80, 1, symbol="AA"), 'it answered about the text "AA"'),
            ("AR", opinion("BUY", 80, 1, symbol="AR", time="2024-06-10T16:00:00Z"), None),
            ("AS", opinion("BUY", 80, 1, reason="x" * 257), "reason"),
            ("AT", '{"error": "out of quota"}', "out of quota"),
            ("AU", "[1]", "it answered a list, not an object or null"),
            ("AV", "hello", "it answered what is not JSON: hello"),
            ("AW", '{"signal": "BUY", "signal": "BUY", "score": 80, "price": 1}', "it answered what is not JSON: "),
            ("AX", '{"signal": "BUY", "score": 80, "price": 1', "it answered what is not JSON: "),
            ("AY", opinion("BUY", 80, 1, reason="a\u202eb"), None),
        ]
        self.watch(*(symbol for symbol, _, _ in table))
        self.think(**{symbol: answer for symbol, answer, _ in table})
        record, lines = self.judge(*self.analyst)
        bad = {symbol: problem for symbol, _, problem in table if problem}
        warnings = dict(warning_of(line) for line in lines)
        self.assertEqual(sorted(warnings), sorted(bad))
        for symbol, problem in bad.items():
            with self.subTest(symbol):
                self.assertIn(problem, warnings[symbol])
        good = [symbol for symbol, answer, problem in table if problem is None and answer != "null"]
        self.assertEqual(self.known(), good)
        self.assertEqual((record["analysed"], record["unanalysed"]), (len(good), len(table) - len(good)))
        self.assertIn('AC: the analyst failed: its price is the text "10.5"', record["problem"])

    def test_a_question_is_a_line_of_json(self):
        self.watch("AAA")
        self.command(f"head -n 1 > '{self.directory}/question'; echo null")
        self.assertEqual(
            (self.directory / "question").read_text(), '{"symbol":"AAA","time":"2024-06-10T16:00:00.000000Z"}\n')


class OutOfStep(AnalystTestCase):
    """A line that was not asked for would be taken for the answer about the next symbol."""

    # Prices by symbol: a shifted answer is seen.
    PRICES = {"AAA": 1000, "BBB": 10, "CCC": 500}
    LOOP = "while read -r q; do s=${q#*:?}; s=${s%%[!A-Z]*}; case $s in AAA) p=1000 ;; BBB) p=10 ;; *) p=500 ;; esac; "

    def prices(self):
        return {symbol: known["price"] for symbol, known in self.done("signals", "--json").json["signals"].items()}

    def ask(self, body, start=""):
        self.watch(*self.PRICES)
        return self.command(start + self.LOOP + body + "; done")

    GOOD = "echo '{\"signal\": \"HOLD\", \"score\": 50, \"price\": '$p'}'"
    NAMED = "echo '{\"symbol\": \"'$s'\", \"signal\": \"HOLD\", \"score\": 50, \"price\": '$p'}'"

    def start_over(self):
        shutil.rmtree(self.account)
        self.done("init", "--time", "2024-06-01")

    def test_what_is_printed_after_an_answer_is_never_the_next_answer(self):
        for extra in ("thinking about the next", "null", '{"signal": "SELL", "score": 0, "price": 1}'):
            with self.subTest(extra):
                self.start_over()
                record, lines = self.ask(f"printf '%s\\n%s\\n' \"$({self.GOOD})\" '{extra}'")
                self.assertEqual((record["analysed"], self.prices()), (3, self.PRICES))
                [warning] = lines
                self.assertIn("without being asked", json.loads(warning)["warning"])

    def test_what_is_printed_instead_of_an_answer_costs_turns_and_shifts_nothing(self):
        record, lines = self.ask(self.GOOD, start="echo loading the model...; ")
        self.assertEqual((record["outcome"], record["analysed"], self.prices()), ("failed", 0, {}))
        self.assertEqual(len([line for line in lines if "it answered what is not JSON: loading the model..." in line]), 3)

    def test_a_line_of_a_log_in_json_is_no_answer_and_the_answer_after_it_not_the_next_ones(self):
        for line in ('{"level": "info"}', '{"level": "error", "error": "slow"}', "[]", '{"signal": "SELL"}'):
            with self.subTest(line):
                self.start_over()
                # The answer comes when the next question has been asked.
                record, _ = self.ask(f"[ $s = AAA ] && {{ echo '{line}'; sleep 0.2; }}; {self.GOOD}")
                self.assertEqual((record["analysed"], self.prices()), (2, {"BBB": 10, "CCC": 500}))

    def test_an_analyst_that_says_that_it_has_no_answer_is_in_step_and_goes_on(self):
        _, lines = self.ask(f"if [ $s = BBB ]; then echo '{{\"error\": \"no quote\"}}'; else {self.GOOD}; fi", start="echo started >&2; ")
        self.assertEqual((lines.count("started"), self.prices()), (1, {"AAA": 1000, "CCC": 500}))

    def test_an_answer_that_names_its_symbol_is_never_anothers(self):
        record, lines = self.ask(f"[ $s = BBB ] && s=AAA; {self.NAMED}", start="echo started >&2; ")
        self.assertEqual(self.prices(), {"AAA": 1000, "CCC": 500})
        self.assertEqual((record["analysed"], record["problem"], lines.count("started")),
                         (2, 'BBB: the analyst failed: it answered about the text "AAA"', 2))


def warning_of(line):
    """The symbol of a warning, and the rest."""
    symbol, _, rest = json.loads(line)["warning"].partition(": the analyst failed: ")
    return symbol, rest


class Commands(AnalystTestCase):
    def setUp(self):
        super().setUp()
        self.watch("AAA", "BBB", "CCC")

    def test_one_that_dies_is_started_again_and_costs_one_turn(self):
        record, lines = self.command(
            f"echo started >&2; while read -r question; do case $question in *BBB*) exit 3 ;; esac; echo '{GOOD}'; done")
        self.assertEqual(self.known(), ["AAA", "CCC"])
        self.assertEqual(record["problem"], "BBB: the analyst failed: it ended instead of answering")
        self.assertEqual(lines, ["started", "started", '{"warning": "BBB: the analyst failed: it ended instead of answering"}'])

    def test_one_that_dies_again_and_again_is_left_alone_for_a_while(self):
        symbols = [f"S{number}" for number in range(20)]
        self.watch(*symbols)
        record, lines = self.command("echo started >&2; exit 1")
        self.assertEqual(record["unanalysed"], len(symbols))
        self.assertEqual(lines.count("started"), 6)
        self.assertIn("it has failed 6 times in a row, and is started again in a while", lines[-1])

    def test_one_that_hangs_is_killed_with_its_children(self):
        self.watch("AAA")
        record, _ = self.command(f"sleep 300 & echo $! > '{self.directory}/child'; wait", "--analyst-timeout", "1")
        self.assertEqual(record["problem"], "AAA: the analyst failed: it did not answer within 1 s and was killed")
        child = int((self.directory / "child").read_text())
        self.assertFalse(is_running(child), "the analyst's child lives on")

    def test_one_that_answers_without_end_is_killed(self):
        self.watch("AAA")
        record, _ = self.command("exec cat /dev/zero")
        self.assertEqual(record["problem"], "AAA: the analyst failed: it answered with more than 65536 bytes and was killed")

    def test_what_it_says_on_standard_error_is_passed_on(self):
        self.assertEqual(self.command("echo not now >&2; while read -r question; do echo null; done")[1], ["not now"])

    def test_half_a_line_is_no_answer(self):
        record, _ = self.command("read -r question; printf null")
        self.assertEqual(record["problem"], "AAA: the analyst failed: it ended instead of answering")

    def test_one_that_is_not_found_is_told_by_the_shell(self):
        record, lines = self.command("./no-such-analyst")
        self.assertIn("no-such-analyst", lines[0])
        self.assertEqual(record["unanalysed"], 3)

    def test_one_that_did_not_fail_ends_by_itself_and_what_it_left_running_is_killed(self):
        self.watch("AAA")
        analyst = (f"sleep 300 & echo $! > '{self.directory}/child'; trap 'sleep 0.2; echo bye > \"{self.directory}/log\"' EXIT; "
                   "while read -r question; do echo null; done")
        self.command(analyst)
        self.assertEqual((self.directory / "log").read_text(), "bye\n")
        child = int((self.directory / "child").read_text())
        # Whoever is killed takes a moment to end.
        end = time.monotonic() + 20
        while is_running(child) and time.monotonic() < end:
            time.sleep(0.01)
        self.assertFalse(is_running(child))

    def test_it_does_not_outlive_pt(self):
        self.watch("AAA")
        self.command(f"echo $$ > '{self.directory}/analyst'; while read -r question; do echo null; done; sleep 300")
        self.assertFalse(is_running(int((self.directory / "analyst").read_text())))


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    try:  # a dead one may wait for its parent to ask for it
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return not pathlib.Path("/proc/self").exists()


LIBRARY = """
#define PT_ANALYST_LIBRARY
#include <papertrade.h>
#include <stdio.h>
#include <string.h>
int32_t pt_analyst(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)time;
    %s
    out->signal = PT_SIGNAL_HOLD; out->score = 50; out->price = 10;
    return PT_OK;
}
"""


class Libraries(AnalystTestCase):
    def setUp(self):
        super().setUp()
        self.watch("AAA", "BBB", "CCC")

    def library(self, source):
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if not compiler:
            self.skipTest("needs a C compiler")
        (self.directory / "analyst.c").write_text(source)
        subprocess.run([compiler, "-shared", "-fPIC", f"-I{INCLUDE}", "-o", "analyst.so", "analyst.c"], cwd=self.directory, check=True)
        return self.judge("--analyst", "analyst.so")

    def test_a_library_in_the_current_directory_judges(self):
        record, lines = self.library(LIBRARY % 'strcpy(out->sector, "Tools"); if (symbol[0] == \'B\') return PT_NO_OPINION;')
        self.assertEqual((record["analysed"], record["unanalysed"], lines), (2, 1, []))
        self.assertEqual(self.done("signals", "--json").json["signals"]["AAA"]["sector"], "Tools")

    def test_what_it_prints_goes_to_standard_error_and_not_between_its_answers(self):
        record, lines = self.library(LIBRARY % 'puts("thinking"); fflush(stdout);')
        self.assertEqual((record["analysed"], lines), (3, ["thinking"] * 3))

    def test_a_failure_costs_its_symbols_turn_and_can_say_why(self):
        record, _ = self.library(LIBRARY % 'if (symbol[0] == \'B\') { strcpy(out->reason, "no quote"); return -7; }')
        self.assertEqual(record["analysed"], 2)
        self.assertRegex(record["problem"], "^BBB: the analyst failed: .*no quote")

    def test_a_crash_costs_its_symbols_turn(self):
        record, _ = self.library(LIBRARY % "if (symbol[0] == 'B') *(volatile int *)1 = 0;")
        self.assertEqual((record["analysed"], record["problem"]), (2, "BBB: the analyst failed: it ended instead of answering"))

    def test_one_that_cannot_be_used_is_an_error_before_anything_happens(self):
        (self.directory / "text.so").write_text("not a library")
        before = self.files()
        for library, message in [
            ("missing.so", "the analyst ./missing.so cannot be loaded: "), ("text.so", "the analyst ./text.so cannot be loaded: "),
            (str(self.directory), f"the analyst {self.directory} cannot be loaded: "),
        ]:
            with self.subTest(library):
                self.assertIn(message, self.fails(2, "monitor", "--time", NOON, "--analyst", library).err)
        self.assertEqual(self.files(), before)

    def test_one_without_the_function_is_an_error(self):
        with self.assertRaisesRegex(AssertionError, "the analyst ./analyst.so exports no pt_analyst"):
            self.library("int other(void) { return 0; }")

    def test_one_that_crashes_while_it_is_loaded_is_an_error(self):
        with self.assertRaisesRegex(AssertionError, "it does not start"):
            self.library("__attribute__((constructor)) static void crash(void) { *(volatile int *)1 = 0; }")


if __name__ == "__main__":
    unittest.main()
