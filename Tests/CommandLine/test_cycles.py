"""pt monitor, trade, cycles and signals: single cycles, what they print and what they leave behind."""

import json
import unittest
from decimal import Decimal

from cycles import CLOSE, NOON, OPENING, CycleTestCase, opinion


class OneCycle(CycleTestCase):
    def test_monitoring_prints_one_line_and_queues_what_is_a_buy(self):
        self.think(AAA=opinion("STRONG BUY", 88.5, 50, confidence="HIGH", sector="Tools", reason="it rises"), BBB=opinion("HOLD", 50, 9))
        self.assertEqual(
            self.monitor().out,
            "2024-06-10 16:00:00 UTC  monitoring done: 2 analysed, 2 changes, 1 queued; value 10,000.00 (event 7)\n")
        [entry] = json.loads((self.account / "portfolio.json").read_text())["queued_opportunities"]
        self.assertEqual(
            (entry["symbol"], entry["signal"], entry["score"], entry["price"], entry["reason"]), ("AAA", "STRONG BUY", 88.5, 50, "it rises"))

    def test_the_json_of_a_cycle_is_its_event_in_the_history(self):
        self.think(AAA=opinion("BUY", 75, 50))
        printed = self.monitor("--json").json
        self.assertEqual(
            {name: printed[name] for name in ("type", "cycle", "outcome", "time", "analysed", "unanalysed", "changes", "queued", "value")},
            {"type": "cycle", "cycle": "monitoring", "outcome": "done", "time": "2024-06-10T16:00:00.000000Z", "analysed": 1,
             "unanalysed": 1, "changes": 1, "queued": 1, "value": 10000})
        event = self.history()[-1]
        del event["generation"]
        self.assertEqual(printed, event)
        self.assertEqual(self.done("cycles", "--json").lines, [printed])

    def test_the_trading_cycle_buys_from_the_queue_and_sells_by_the_exit_rules(self):
        self.think(AAA=opinion("STRONG BUY", 100, 50))
        self.monitor()
        self.assertEqual(
            self.trade().out,
            "2024-06-10 20:00:00 UTC  trading done: 1 analysed, 1 bought; value 10,000.00 (event 8)\n")
        self.assertEqual(self.status()["positions"]["AAA"]["shares"], 30)  # 15 % of 10,000
        self.think(AAA=opinion("HOLD", 50, 45))
        self.assertEqual(
            self.trade(time="2024-06-11T20:00:00Z").out,
            "2024-06-11 20:00:00 UTC  trading done: 1 analysed, 1 sold; value 9,850.00 (event 10)\n")
        self.assertEqual(self.history()[-2]["exit"], "stop_loss")

    def test_a_critical_downgrade_is_sold_by_the_monitor(self):
        self.think(AAA=opinion("BUY", 80, 50))
        self.monitor(time=OPENING)
        self.done("buy", "AAA", "10", "50")
        self.think(AAA=opinion("WEAK SELL", 20, 49))
        self.assertIn("1 change, 1 sold", self.monitor().out)
        self.assertEqual([event.get("exit") for event in self.history() if event["type"] == "sell"], ["critical"])

    def test_with_system_active_false_it_watches_and_records_only(self):
        self.watch("AAA", system_active=False)
        self.think(AAA=opinion("STRONG BUY", 90, 50))
        self.assertIn("monitoring done: 1 analysed, 1 change; value", self.monitor().out)
        self.assertIn("trading skipped: system_active is false", self.trade().out)

    def test_a_cycle_that_is_not_due_is_skipped_and_says_why(self):
        for arguments, reason in [
            (["monitor", "--time", "2024-06-10T13:29:59Z"], "the market is closed: before the opening"),
            (["monitor", "--time", CLOSE], "the market is closed: after the close"),
            (["monitor", "--time", "2024-06-19T15:00Z"], "the market is closed: Juneteenth"),
            (["trade", "--time", NOON], "no trading cycle is due; the next one is due at 2024-06-10T20:00:00.000000Z"),
        ]:
            with self.subTest(" ".join(arguments)):
                command, *rest = arguments
                self.assertIn(f" skipped: {reason} (event ", self.done(command, *self.analyst, *rest).out)
        self.trade()
        self.assertIn("skipped: the session's trading cycle was done at 2024-06-10T20:00:00.000000Z", self.trade().out)
        self.assertIn("trading done", self.trade("--force").out)
        self.assertIn("monitoring done", self.monitor("--force", time=CLOSE).out)

    def test_quiet_prints_nothing(self):
        self.assertEqual(self.monitor("-q").out, "")
        self.assertEqual(len(self.done("cycles", "--json").lines), 1)

    def test_times_on_standard_input_run_a_cycle_each(self):
        with open(self.directory / "times", "w") as file:
            file.write(f"{OPENING}\n  {NOON}\r\n{CLOSE}")
        with open(self.directory / "times") as file:
            lines = self.done("monitor", "--times", "--json", *self.analyst, stdin=file).lines
        self.assertEqual(
            [(line["time"], line["outcome"]) for line in lines],
            [("2024-06-10T13:30:00.000000Z", "done"), ("2024-06-10T16:00:00.000000Z", "done"),
             ("2024-06-10T20:00:00.000000Z", "skipped")])

    def test_a_time_that_is_none_ends_it_after_the_cycles_before(self):
        with open(self.directory / "times", "w") as file:
            file.write(f"{OPENING}\nnoon\n{CLOSE}\n")
        with open(self.directory / "times") as file:
            outcome = self.pt("monitor", "--times", *self.analyst, stdin=file)
        self.assertEqual((outcome.code, outcome.err), (2, 'pt: time "noon" on standard input is not ISO 8601 from 1970 to 9999\n'))
        self.assertEqual(outcome.out.count("monitoring done"), 1)

    def test_a_cycle_whose_analyst_fails_on_everything_has_failed_and_what_is_queued_waits(self):
        self.think(AAA=opinion("BUY", 80, 50))
        self.monitor()
        outcome = self.pt("trade", "--analyst-command", "false", "--time", CLOSE)
        self.assertEqual(outcome.code, 3)
        problem = "AAA: the analyst failed: it ended instead of answering"
        self.assertEqual(outcome.err, f"pt: warning: {problem}\npt: the trading cycle failed: {problem}\n")
        self.assertIn(f"trading failed: {problem} (event ", outcome.out)
        self.assertIn("1 bought", self.trade(time="2024-06-10T20:05:00Z").out)

    def test_what_a_cycle_sells_it_does_not_buy_back(self):
        self.think(AAA=opinion("BUY", 80, 50))
        self.monitor()
        self.done("buy", "AAA", "10", "60", "--time", NOON)
        self.assertIn("1 analysed, 1 sold, 1 rejected", self.trade().out)
        self.assertEqual([event["reason"] for event in self.history() if event["type"] == "unqueue"], ["just_sold"])

    def test_a_cycle_that_was_run_for_a_mistaken_year_silences_nobody_and_is_told_once(self):
        self.monitor(time="2025-06-10T16:00:00Z")
        self.trade(time="2025-06-10T20:00:00Z")
        for command, time in (("monitor", NOON), ("trade", CLOSE)):
            outcome = self.pt(command, *self.analyst, "--time", time)
            self.assertIn(" done: ", outcome.out)
            self.assertRegex(outcome.err, r"^pt: warning: the \w+ cycle of 2025-06-10T\d\d:00:00.000000Z lies more than an hour ahead and does not count\n$")
            self.assertEqual(self.done(command, *self.analyst, "--time", time, "--force").out.count("2025"), 0)

    def test_a_session_whose_moment_is_changed_after_its_cycle_gets_no_second_one(self):
        self.watch("AAA", trading={"minutes_before_close": 10})
        self.assertIn("trading done", self.trade(time="2024-06-10T19:50:10Z").out)
        self.watch("AAA")
        self.assertIn("skipped: the session's trading cycle was done at 2024-06-10T19:50:10.000000Z", self.trade().out)

    def test_a_slow_monitor_does_not_overwrite_what_a_quicker_one_of_a_later_moment_knows(self):
        self.watch("AAA")
        self.think(AAA=opinion("BUY", 60, 50))
        self.monitor(time=OPENING)
        self.done("buy", "AAA", "10", "50")
        go = self.directory / "go"
        slow = self.start(
            "monitor", "--time", "2024-06-10T14:00:00Z", "--analyst-command",
            f"read -r q; touch '{go}.asked'; while [ ! -e '{go}' ]; do sleep 0.01; done; echo '{opinion('SELL', 0, 30)}'; read -r q")
        while not go.with_suffix(".asked").exists():
            self.assertIsNone(slow.poll())
        self.think(AAA=opinion("STRONG BUY", 65, 51))
        self.monitor(time="2024-06-10T14:30:00Z")
        go.touch()
        out, err = slow.communicate(timeout=30)
        self.assertEqual((slow.returncode, err), (0, b"pt: warning: AAA: overtaken by the cycle of 2024-06-10T14:30:00.000000Z\n"))
        self.assertIn(b"monitoring done: 0 analysed, 1 without analysis", out)
        self.assertEqual(self.done("signals", "--json").json["signals"]["AAA"]["signal"], "STRONG BUY")
        self.assertEqual(self.status()["positions"]["AAA"]["shares"], 10)

    def test_a_symbol_without_a_price_is_told_with_the_last_one_there_is(self):
        days = [day["date"] for day in self.done("market", "--from", "2024-04-01", "--to", "2024-06-10", "--json").lines]
        rows = [f"{day},AAA,10,10\n" for day in days] + [f"{day},BBB,10,10\n" for day in days[:-1]]
        (self.directory / "f.csv").write_text("date,symbol,open,close\n" + "".join(sorted(rows)))
        outcome = self.pt("monitor", "--prices", "f.csv", "--time", NOON, "--json")
        problem = "BBB: the analyst failed: the last price of BBB in f.csv is of 2024-06-07, and that of 2024-06-10 is needed"
        self.assertEqual((outcome.code, outcome.json["analysed"], outcome.json["problem"]), (0, 1, problem))
        self.assertEqual(json.loads(outcome.err), {"warning": problem})
        outcome = self.pt("monitor", "--prices", "f.csv", "--time", "2024-06-11T14:00Z")
        self.assertEqual(outcome.code, 3)
        self.assertIn("the last price of AAA in f.csv is of 2024-06-10, and that of 2024-06-11 is needed", outcome.err)
        self.watch("CCC")
        self.assertIn("f.csv has no price of CCC up to 2024-06-10", self.pt("monitor", "--prices", "f.csv", "--time", NOON).err)

    def test_nothing_to_monitor_is_said(self):
        self.watch()
        outcome = self.pt("monitor", *self.analyst, "--time", NOON)
        self.assertEqual(
            (outcome.code, outcome.err),
            (0, "pt: warning: there was nothing to monitor: the watchlist in config.json is empty, and nothing is held\n"))

    def test_an_invalid_config_fails_the_cycle_and_the_record_says_why(self):
        (self.account / "config.json").write_text('{"watchlist": ["AAA"], "limits": {"max_positions": -1}}')
        outcome = self.pt("monitor", *self.analyst, "--time", NOON)
        self.assertEqual(outcome.code, 5)
        self.assertIn('config.json, line 1: "limits.max_positions" (most positions at a time) is -1; expected', outcome.err.splitlines()[-1])
        record = self.pt("cycles", "--json").lines[-1]
        self.assertEqual((record["outcome"], record["analysed"]), ("failed", 0))
        self.assertIn('config.json, line 1: "limits.max_positions" (most positions at a time) is -1; expected', record["reason"])


class Looking(CycleTestCase):
    def test_without_cycles_and_signals_that_is_said(self):
        self.assertEqual(self.done("cycles").out, "no cycles yet\n")
        self.assertEqual(self.done("cycles", "--json").out, "")
        self.assertEqual(self.done("signals").out, "no signals yet: a monitoring cycle records them\n")
        self.assertEqual(self.done("signals", "--json").json, {"signals": {}})

    def test_cycles_are_a_table_of_the_last_ones(self):
        self.monitor(time=OPENING)
        self.monitor()
        self.trade()
        self.assertEqual(
            self.done("cycles", "--last", "2").out,
            "SEQ  TIME (UTC)           CYCLE       OUTCOME  DETAILS\n"
            "  5  2024-06-10 16:00:00  monitoring  done     0 analysed, 2 without analysis; value 10,000.00\n"
            "  6  2024-06-10 20:00:00  trading     done     0 analysed; value 10,000.00\n")
        self.assertEqual([line["seq"] for line in self.done("cycles", "--json", "--kind", "monitoring").lines], [4, 5])
        self.assertEqual([line["seq"] for line in self.done("cycles", "--json", "--last", "0").lines], [4, 5, 6])

    def test_signals_are_what_was_last_known(self):
        self.think(AAA=opinion("BUY", 74.5, 50.25, confidence="LOW", sector="Tools"), BBB=opinion("SELL", 0, 9))
        self.monitor()
        self.assertEqual(
            self.done("signals").out,
            "SYMBOL  SIGNAL  SCORE  PRICE  CONFIDENCE  SECTOR  SINCE (UTC)\n"
            "AAA     BUY      74.5  50.25  LOW         Tools   2024-06-10 16:00:00\n"
            "BBB     SELL      0     9.00                      2024-06-10 16:00:00\n")
        self.assertEqual(self.done("signals", "--json").json, {"signals": {
            "AAA": {"signal": "BUY", "score": Decimal("74.5"), "price": Decimal("50.25"), "confidence": "LOW", "sector": "Tools",
                    "known_since": "2024-06-10T16:00:00.000000Z"},
            "BBB": {"signal": "SELL", "score": 0, "price": 9, "known_since": "2024-06-10T16:00:00.000000Z"}}})

    def test_looking_needs_an_account(self):
        for command in ("cycles", "signals"):
            self.assertIn("there is no account at", self.fails(3, command, "--account", "nowhere").err)


class CommandLine(CycleTestCase):
    def test_what_is_wrong_with_the_arguments_is_said_and_nothing_happens(self):
        before = self.files()
        for arguments, message in [
            (["monitor"], "nobody to judge the securities: give --prices, --analyst or --analyst-command"),
            (["monitor", "--analyst", "a.so", "--analyst-command", "b"], "--analyst and --analyst-command exclude each other"),
            (["monitor", "--prices", "a.csv", "--analyst", "b.so"], "--prices and --analyst exclude each other: give one"),
            (["trade", "--prices", "a.csv", "--analyst-command", "b"], "--prices and --analyst-command exclude each other: give one"),
            (["run", "--prices", "a.csv", "--actions", "c", "--analyst-command", "b"], "--prices and --analyst-command exclude each other"),
            (["monitor", "--analyst-command", "b", "--actions", "c"], "--actions goes with --prices"),
            (["monitor", "--analyst-command", "b", "--analyst-timeout", "0"], "--analyst-timeout 0 is not a number of seconds from 1 to 3600"),
            (["monitor", *self.analyst, "--times", "--time", NOON], "--times and --time exclude each other"),
            (["monitor", *self.analyst, "--time", NOON, "--speed", "2"], "--speed goes with --loop"),
            (["trade", *self.analyst, "--cycles", "2"], "--cycles goes with --loop"),
            (["trade", *self.analyst, "--loop", "--force"], "--force is for single cycles: give it without --loop"),
            (["run", *self.analyst, "--times"], "unknown option '--times'"),
            (["run", *self.analyst, "--force"], "unknown option '--force'"),
            (["run", *self.analyst, "--speed", "2"], "--speed needs --time, where the clock starts"),
            (["run", *self.analyst, "--time", NOON, "--speed", "0"], "--speed 0 is not a whole number from 1 to 1000000000"),
            (["run", *self.analyst, "--cycles", "0"], "--cycles 0 is not above 0"),
            (["monitor", *self.analyst, "--time", "noon"], 'time "noon" is not ISO 8601'),
            (["cycles", "--kind", "mining"], "--kind mining is neither monitoring nor trading"),
            (["cycles", "--last=-1"], "--last -1 is below 0"),
        ]:
            with self.subTest(" ".join(arguments[:1] + arguments[-3:])):
                self.assertIn(message, self.fails(2, *arguments).err)
        self.assertEqual(self.files(), before)

    def test_a_cycle_needs_an_account(self):
        for command in ("monitor", "trade", "run"):
            self.assertIn("there is no account at", self.fails(3, command, *self.analyst, "--account", "nowhere").err)


if __name__ == "__main__":
    unittest.main()
