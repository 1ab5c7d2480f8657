"""Analysts in the cycles that lie, fail, stop, misuse the account or never answer: each costs its symbol's turn, and nothing else."""

from __future__ import annotations

import math
import os
import threading
import unittest
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Callable

import papertrade
from papertrade import Analysis, Signal
from support import CycleTest, needs_library, run_python, utc

GOOD: dict[str, Any] = {"signal": "BUY", "score": 85, "price": 100}


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


# What the analyst answers, or raises; what Python calls that (None: C refuses it); what the record says of it.
LIES: tuple[tuple[Any, Any, str], ...] = (
    ({"score": math.nan}, None, "score"),
    ({"score": 101.0}, None, "101.0"),
    ({"score": 101}, None, "101.0"),
    ({"score": "100.000001"}, None, "100.000001"),
    ({"score": -0.5}, None, "-0.5"),
    ({"score": "high"}, papertrade.InvalidScore, "'high'"),
    ({"score": True}, TypeError, "bool"),
    ({"signal": 7}, papertrade.InvalidSignal, "7"),
    ({"signal": "PERHAPS"}, papertrade.InvalidSignal, "PERHAPS"),
    ({"signal": None}, papertrade.InvalidSignal, "None"),
    ({"price": -1.0}, None, "-1.0"),
    ({"price": 0}, None, "price"),
    ({"price": math.inf}, None, "price"),
    ({"price": 1e300}, None, "price"),
    ({"price": 0.0000078}, None, "six decimals"),
    ({"price": Decimal("NaN")}, papertrade.InvalidPrice, "finite"),
    ({"price": Decimal("1E+999999999")}, papertrade.InvalidPrice, "price"),
    ({"price": Fraction(1, 3)}, papertrade.TooPrecise, "1/3"),
    ({"price": None}, TypeError, "price"),
    ({"reason": "x" * 257}, papertrade.InvalidText, "257 bytes"),
    ({"reason": "x" * 1_000_000}, papertrade.InvalidText, "1000000 bytes"),
    ({"reason": "a\0b"}, papertrade.InvalidText, "NUL"),
    ({"reason": "\ud800"}, papertrade.InvalidText, "surrogate"),
    ({"sector": "€" * 22}, papertrade.InvalidText, "66 bytes"),
    ({"confidence": "SURE"}, papertrade.InvalidArgument, "SURE"),
    ({"confidence": 9}, papertrade.InvalidArgument, "9"),
    ({"time": datetime(2014, 6, 2)}, papertrade.InvalidTime, "time zone"),
    ({"time": utc("1969-12-31")}, None, "time"),
    ({"time": utc("2014-06-01 13:59")}, None, "too old"),
    ({"shares": 1, "amount": 1}, None, "both shares and an amount"),
    ("BUY", TypeError, "str"),
    ({"signal": "BUY"}.items(), TypeError, "dict_items"),
    (ConnectionError("no feed\n\x1b[2J\u202e"), ConnectionError, "ConnectionError: no feed\\n"),
    (ValueError("€" * 1000), ValueError, "ValueError: €€€"),
    (ValueError("half \ud800"), ValueError, "half ?"),
    (RecursionError(), RecursionError, "RecursionError"),
    (Unprintable(), Unprintable, "Unprintable"),
    (papertrade.Busy(301, "my own account is busy"), papertrade.Busy, "my own account is busy"),
)


@needs_library
class LiesTest(CycleTest):
    def setUp(self) -> None:
        super().setUp()
        self.configure(watchlist=["BAD", "GOOD"])
        self.opinions["GOOD"] = Analysis(**GOOD)

    def test_an_answer_that_cannot_be_used_costs_its_symbols_turn_and_is_reported(self) -> None:
        for index, (lie, kind, said) in enumerate(LIES):
            with self.subTest(lie=repr(lie)[:80]):
                self.path = self.directory / str(index)
                self.path.mkdir(mode=0o700)
                self.configure(watchlist=["BAD", "GOOD"])
                self.monitor = self.opened()
                self.opinions["BAD"] = Analysis(**{**GOOD, **lie}) if isinstance(lie, dict) else lie
                with self.assertLogs("papertrade") if kind else self.assertNoFailure():
                    cycle = self.monitor.monitoring_cycle(self.analyst)
                self.assertEqual((cycle.done, cycle.analysed, cycle.unanalysed, cycle.queued), (True, 1, 1, 1))
                self.assertEqual([entry.symbol for entry in self.monitor.queue()], ["GOOD"])
                self.assertEqual([each.symbol for each in self.monitor.signals()], ["GOOD"])
                self.assertEqual({symbol: type(error) for symbol, error in cycle.errors.items()}, {"BAD": kind} if kind else {})
                self.assertTrue(cycle.problem.startswith("BAD: ") and said in cycle.problem, cycle.problem)
                self.assertTrue(cycle.problem.isprintable() and len(cycle.problem.encode()) <= 256, cycle.problem)
                self.assertIn(cycle.problem, self.monitor.cycles()[-1].problem)
                self.assertEqual(sum("BAD: " in line for line in self.log), index + 1)
                self.assert_verifies()

    def assertNoFailure(self) -> Any:
        return self.subTest()  # what C refuses is told to the account's log only

    def configure(self, **config: Any) -> None:
        (self.path / "config.json").parent.mkdir(exist_ok=True)
        super().configure(**config)

    def test_no_opinion_is_no_problem(self) -> None:
        cycle = self.monitoring("2014-06-02 14:00")
        self.assertEqual((cycle.analysed, cycle.unanalysed, cycle.problem, cycle.errors, self.log), (1, 1, "", {}, []))

    def test_what_is_held_keeps_its_place_while_its_analyst_fails(self) -> None:
        self.configure(watchlist=["GOOD"])
        self.monitoring("2014-06-02 14:00")
        self.trading("2014-06-02 20:00")
        self.opinions["GOOD"] = KeyError("GOOD")
        for cycle in (self.monitoring, self.trading):
            with self.assertLogs("papertrade"):
                report = cycle("2014-06-03 20:00", ignore_schedule=True)
            self.assertEqual((report.unanalysed, report.sold, report.value), (1, 0, None))  # without a price there is no value
        self.assertEqual(self.trader.position("GOOD").shares, 8)

    def test_an_analysis_of_what_nobody_asked_for_is_not_used(self) -> None:
        """The analyst of a trading cycle gives shares and an amount; the rules say how much."""
        self.monitoring("2014-06-02 14:00")
        self.opinions["GOOD"] = Analysis(**GOOD, shares=1)
        self.assertEqual(self.trading("2014-06-02 20:00").bought, 1)
        self.assertEqual(self.trader.position("GOOD").shares, 8)

    def test_what_is_no_callable_is_refused_before_anything_happens(self) -> None:
        before = self.trader.seq
        wrongs: tuple[Any, ...] = (None, "BUY", Analysis(**GOOD))
        for wrong in wrongs:
            for cycle in (self.monitor.monitoring_cycle, self.monitor.trading_cycle, self.monitor.execute_queue):
                with self.assertRaisesRegex(TypeError, "a callable is expected"):
                    cycle(wrong)
        self.assertEqual(self.trader.seq, before)


@needs_library
class StoppedTest(CycleTest):
    def test_what_is_no_exception_of_a_program_ends_the_cycle_with_nothing_changed_and_no_record(self) -> None:
        for raised in (KeyboardInterrupt(), SystemExit(3)):
            for run in (self.monitoring, self.trading):
                with self.subTest(raised=raised, run=run.__name__):
                    self.configure(watchlist=["A", "B"])
                    self.monitor.reload()
                    if not self.monitor.queue():
                        self.monitor.enqueue("B", 80, "BUY")
                    before = self.trader.summary()
                    self.opinions.update(A=Analysis(**GOOD), B=raised)
                    with self.assertRaises(type(raised)) as caught:
                        run("2014-06-02 20:00", ignore_schedule=True)
                    self.assertIs(caught.exception, raised)
                    self.assertEqual((self.trader.summary(), self.trader.cycles(), self.trader.signals()), (before, [], []))

    def test_an_analyst_that_never_answers_holds_up_nobody_else(self) -> None:
        self.configure(watchlist=["A"])
        asked, answered = threading.Event(), threading.Event()

        def slow(symbol: str, time: datetime) -> Analysis:
            asked.set()
            answered.wait()
            return Analysis(**GOOD)

        done: list[papertrade.Cycle] = []
        thread = threading.Thread(target=lambda: done.append(self.monitor.monitoring_cycle(slow)))
        thread.start()
        asked.wait()
        try:
            with self.opened(lock_timeout=0) as other:
                other.buy("X", 1, 1)
                self.assertTrue(other.trading_cycle(self.analyst, ignore_schedule=True).done)
            self.monitor.buy("Y", 1, 1)  # also through the handle that waits
        finally:
            answered.set()
            thread.join()
        self.assertEqual((done[0].queued, len(self.trader.positions())), (1, 2))
        self.assert_verifies()


@needs_library
class MisuseTest(CycleTest):
    def setUp(self) -> None:
        super().setUp()
        self.configure(watchlist=["A"])

    def changes(self, account: papertrade.Account) -> dict[str, Callable[[], object]]:
        def critical_section(manager: Any) -> None:
            with manager:
                self.fail("entered")

        return {
            "monitoring_cycle": lambda: account.monitoring_cycle(self.analyst),
            "trading_cycle": lambda: account.trading_cycle(self.analyst),
            "execute_queue": lambda: account.execute_queue(self.analyst),
            "buy": lambda: account.buy("A", 1, 1),
            "enqueue": lambda: account.enqueue("A", 80, "BUY"),
            "clear_queue": account.clear_queue,
            "reload": account.reload,
            "reset": account.reset,
            "close": account.close,
            "backup": lambda: account.backup(self.directory / "backup"),
            "batch": lambda: critical_section(account.batch()),
            "lock": lambda: critical_section(account.lock()),
        }

    def reads(self, account: papertrade.Account) -> dict[str, Callable[[], object]]:
        return {
            "summary": account.summary,
            "queue": account.queue,
            "signals": account.signals,
            "cycles": account.cycles,
            "next_cycle": lambda: account.next_cycle("trading"),
            "market_is_open": account.market_is_open,
            "market_is_open at a time": lambda: account.market_is_open(self.now),
            "market_next_open": lambda: account.market_next_open(self.now),
            "market_next_close": lambda: account.market_next_close(self.now),
        }

    def test_an_analyst_may_read_the_account_but_not_change_it(self) -> None:
        refused: list[str] = []

        def analyst(symbol: str, time: datetime) -> Analysis:
            for read in self.reads(self.monitor).values():
                read()
            for name, change in self.changes(self.monitor).items():
                try:
                    change()
                except papertrade.Misuse:
                    refused.append(name)
            return Analysis(**GOOD)

        cycle = self.monitor.monitoring_cycle(analyst)
        self.assertEqual((cycle.queued, refused), (1, list(self.changes(self.monitor))))
        self.assertEqual(self.monitor.seq, cycle.seq)

    def test_a_log_and_a_clock_may_call_nothing(self) -> None:
        for place in ("log", "clock"):
            with self.subTest(place):
                refused: list[str] = []
                calls: dict[str, Callable[[], object]] = {}

                def misuse() -> None:
                    for name, call in calls.items():
                        try:
                            call()
                        except papertrade.Misuse:
                            refused.append(name)

                def log(level: int, line: str) -> None:
                    if place == "log":
                        misuse()

                def clock() -> datetime:
                    if place == "clock":
                        misuse()
                    return self.now

                with papertrade.Account(self.path, log=log, clock=clock) as account:
                    calls.update(self.reads(account))
                    calls.update({name: each for name, each in self.changes(account).items() if name.endswith("_cycle")})
                    # Told to the log: A cannot be used. The clock is asked: no time is given.
                    account.monitoring_cycle(lambda symbol, time: Analysis("BUY", 101, 1))
                    self.assertEqual(set(refused), set(calls))
                    calls.clear()

    def test_a_cycle_is_no_part_of_a_critical_section(self) -> None:
        self.monitor.reload()
        before = self.trader.seq
        for section in (self.monitor.batch, self.monitor.lock):
            for run in (self.monitor.monitoring_cycle, self.monitor.trading_cycle):
                with section(), self.assertRaises(papertrade.Misuse):
                    run(self.analyst)
        self.assertEqual(self.trader.seq, before)

    def test_a_closed_or_read_only_account_runs_no_cycle(self) -> None:
        reader = self.opened(read_only=True)
        with self.assertRaises(papertrade.ReadOnly):
            reader.monitoring_cycle(self.analyst)
        self.monitor.close()
        for call in (*self.reads(self.monitor).values(), *self.changes(self.monitor).values()):
            if call == self.monitor.close:
                continue  # closing again does nothing
            with self.assertRaises(papertrade.Closed):
                call()

    @unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
    def test_a_forked_child_opens_the_account_anew(self) -> None:
        done = run_python("-c", (
            "import os, sys, papertrade\n"
            "account = papertrade.Account(sys.argv[1])\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    for call in (account.signals, account.cycles, account.market_is_open, lambda: account.trading_cycle(print)):\n"
            "        try: call()\n"
            "        except papertrade.Forked: print('forked', flush=True)\n"
            "    os._exit(0)\n"
            "os.waitpid(child, 0)\n"
            "account.close()\n"), str(self.path))
        self.assertEqual((done.stdout.split(), done.stderr), (["forked"] * 4, ""))


@needs_library
class OldJudgementTest(CycleTest):
    def test_a_judgement_as_old_as_a_queue_entry_may_be_is_used_and_an_older_one_is_none(self) -> None:
        self.configure(watchlist=["A"])
        for age, used in ((timedelta(hours=24), 1), (timedelta(hours=24, microseconds=1), 0)):
            self.opinions["A"] = Analysis("HOLD" if used else "BUY", 85, 100, time=self.now - age)
            self.assertEqual(self.monitor.monitoring_cycle(self.analyst).analysed, used)
        self.assertEqual(self.monitor.signals()[0].signal, Signal.HOLD)


if __name__ == "__main__":
    unittest.main()
