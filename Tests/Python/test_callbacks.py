"""Exceptions in callbacks come home; none is printed by ctypes or lost."""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading
import time
import unittest
from datetime import datetime, timezone
from typing import Any, Callable
from unittest import mock

import papertrade
from papertrade import Account, Analysis
from papertrade._calls import Calls
from support import AccountTest, DirectoryTest, needs_library


class NothingPrinted(unittest.TestCase):
    """ctypes reports an exception that leaves a callback to sys.unraisablehook."""

    def setUp(self) -> None:
        super().setUp()
        self.unraisable: list[Any] = []
        patched = mock.patch.object(sys, "unraisablehook", self.unraisable.append)
        patched.start()
        self.addCleanup(patched.stop)
        self.addCleanup(lambda: self.assertEqual(self.unraisable, []))


class CallsTest(NothingPrinted):
    def test_an_exception_of_a_callback_is_raised_by_the_call_that_was_running(self) -> None:
        for raised in (ValueError("mine"), KeyboardInterrupt(), SystemExit(3)):
            def log(level: int, message: str) -> None:
                raise raised

            calls = Calls(log=log)
            with self.assertRaises(type(raised)) as caught:
                calls.status(lambda: calls.log(None, 2, b"look") or 0)
            self.assertIs(caught.exception, raised)
            self.assertEqual(calls.status(lambda: 0), 0)

    def test_an_exception_belongs_to_the_innermost_call(self) -> None:
        def log(level: int, message: str) -> None:
            raise ValueError(message)

        calls, seen = Calls(log=log), []

        def outer() -> int:
            try:
                calls.status(lambda: calls.log(None, 1, b"inner") or 0)
            except ValueError as error:
                seen.append(str(error))
            return 0

        self.assertEqual(calls.status(outer), 0)
        self.assertEqual(seen, ["inner"])

    def test_the_log_gets_levels_of_the_logging_module(self) -> None:
        seen: list[tuple[int, str]] = []
        calls = Calls(log=lambda level, message: seen.append((level, message)))
        for level in (1, 2, 9):
            calls.log(None, level, "edited — kept".encode())
        self.assertEqual([level for level, _ in seen], [logging.INFO, logging.WARNING, logging.WARNING])
        self.assertEqual(seen[0][1], "edited — kept")

    def test_without_a_log_the_logger_of_the_package_is_told(self) -> None:
        with self.assertLogs("papertrade", logging.INFO) as caught:
            Calls().log(None, 2, b"100% edited")
        self.assertEqual([(each.levelno, each.getMessage()) for each in caught.records], [(logging.WARNING, "100% edited")])

    def test_a_failing_clock_gives_c_a_time_that_it_refuses(self) -> None:
        calls = Calls(clock=lambda: datetime(2026, 1, 1))
        with self.assertRaisesRegex(papertrade.InvalidTime, "no time zone"):
            calls.status(lambda: self.assertLess(calls.clock(None), 0) or 0)
        self.assertEqual(Calls(clock=lambda: datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc)).clock(None), 10**6)


@needs_library
class AccountCallbacksTest(NothingPrinted, DirectoryTest):
    def test_an_exception_of_the_clock_refuses_the_change(self) -> None:
        failing: list[BaseException] = []

        def clock() -> datetime:
            if failing:
                raise failing[0]
            return datetime(2026, 1, 1, tzinfo=timezone.utc)

        with Account(self.directory / "account", clock=clock) as account:
            before = account.summary()
            for raised in (ZeroDivisionError("clock"), KeyboardInterrupt()):
                failing[:] = [raised]
                with self.assertRaises(type(raised)) as caught:
                    account.buy("AAPL", 1, 1)
                self.assertIs(caught.exception, raised)
            failing.clear()
            self.assertEqual(account.summary(), before)
            account.buy("AAPL", 1, 1)

    def test_an_edited_portfolio_is_logged(self) -> None:
        path = self.directory / "account"
        Account(path).close()
        portfolio = path / "portfolio.json"
        portfolio.write_text(portfolio.read_text().replace("10000.0", "99999.0"))
        seen: list[tuple[int, str]] = []
        with Account(path, log=lambda level, message: seen.append((level, message))) as account:
            self.assertEqual(account.cash, 10000)
        self.assertIn(logging.WARNING, [level for level, _ in seen])

    def test_an_exception_of_the_log_while_opening_is_raised_and_leaves_nothing_open(self) -> None:
        path = self.directory / "account"
        Account(path).close()
        portfolio = path / "portfolio.json"
        portfolio.write_text(portfolio.read_text().replace("10000.0", "99999.0"))

        def log(level: int, message: str) -> None:
            raise ZeroDivisionError(message)

        with self.assertRaises(ZeroDivisionError):
            Account(path, log=log)
        with Account(path, lock_timeout=0) as account:
            account.buy("AAPL", 1, 1)

    def test_an_exception_of_the_log_while_closing_is_raised_and_the_account_is_closed(self) -> None:
        def log(level: int, message: str) -> None:
            raise ZeroDivisionError(message)

        account = Account(self.directory / "account", log=log)
        portfolio = self.directory / "account" / "portfolio.json"
        portfolio.write_text(portfolio.read_text().replace("10000.0", "99999.0"))
        with self.assertRaises(ZeroDivisionError):
            account.close()
        self.assertTrue(account.closed)


@needs_library
class InterruptTest(NothingPrinted, AccountTest):
    """Ctrl-C while C is at work: Python acts on it at the beginning of the next callback, before its first line."""

    def setUp(self) -> None:
        super().setUp()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # the shell may have it ignored
        self.addCleanup(signal.signal, signal.SIGINT, before)

    def interrupted(self, call: Callable[[], object], seconds: float) -> None:
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
        with self.assertRaises(KeyboardInterrupt):
            timer.start()
            call()
            timer.join()
            time.sleep(1)  # that it is acted on
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)

    def test_it_ends_a_history_and_a_list_of_cycles(self) -> None:
        with self.account.batch():
            for _ in range(60_000):
                self.account.deposit(1)
        self.account.monitoring_cycle(lambda symbol, time: None, ignore_schedule=True)
        for attempt in range(20):
            self.interrupted(self.account.cycles, 0.01)
            self.interrupted(self.account.history, random.uniform(0, 0.1))

    def test_it_leaves_the_queue_as_it_was_or_executed(self) -> None:
        for attempt in range(200):
            symbols = [f"A{attempt}", f"B{attempt}", f"C{attempt}"]
            for symbol in symbols:
                self.account.enqueue(symbol, 80, "BUY", 1)
            self.interrupted(
                lambda: self.account.execute_queue(lambda symbol, time: Analysis("BUY", score=80, price=1, shares=1)),
                random.uniform(0, 0.002))
            held = {position.symbol for position in self.account.positions()}
            bought = [symbol for symbol in symbols if symbol in held]
            self.assertEqual(len(bought), 3 - len(self.account.queue()))
            self.assertIn(len(bought), (0, 3))
            self.account.clear_queue()

    def test_it_gives_no_change_a_time_that_its_clock_did_not_give(self) -> None:
        moment = datetime(2020, 1, 1, tzinfo=timezone.utc)
        with Account(self.directory / "simulated", clock=lambda: moment, durability="process") as account:
            def change() -> None:
                end = time.monotonic() + 1
                while time.monotonic() < end:
                    account.deposit(1)

            for _ in range(200):
                self.interrupted(change, random.uniform(0.001, 0.003))
            self.assertEqual({event.time for event in account.history() if event.type == "deposit"}, {moment})


@needs_library
class AnalystTest(NothingPrinted, AccountTest):
    def setUp(self) -> None:
        super().setUp()
        for symbol in ("AAPL", "NVDA", "MSFT"):
            self.account.enqueue(symbol, 80, "BUY", 100)

    def good(self, symbol: str, time: datetime) -> Analysis:
        return Analysis(signal="BUY", score=80, price=100, shares=1)

    def test_an_exception_fails_its_symbol_only_and_is_kept_and_logged(self) -> None:
        def analyst(symbol: str, time: datetime) -> Analysis:
            if symbol == "NVDA":
                raise ConnectionError("no feed")
            return self.good(symbol, time)

        with self.assertLogs("papertrade", logging.WARNING) as caught:
            done = {each.symbol: each for each in self.account.execute_queue(analyst)}
        self.assertEqual([each.bought for each in done.values()], [True, False, True])
        self.assertIs(done["NVDA"].outcome, papertrade.Outcome.REJECTED_NO_ANALYSIS)
        self.assertIsInstance(done["NVDA"].error, ConnectionError)
        self.assertIsNone(done["AAPL"].error)
        self.assertIn("NVDA", caught.records[0].getMessage())

    def test_a_judgement_that_cannot_be_used_fails_its_symbol(self) -> None:
        wrong = {
            "AAPL": Analysis(signal="BUY", score=80, price="100.1234567", shares=1),
            "NVDA": Analysis(signal="BUY", score=80, price=100, shares=1, reason="x" * 257),
            "MSFT": "BUY",
        }
        with self.assertLogs("papertrade"):
            done = {each.symbol: each for each in self.account.execute_queue(lambda symbol, time: wrong[symbol])}
        self.assertEqual(
            {symbol: type(each.error) for symbol, each in done.items()},
            {"AAPL": papertrade.TooPrecise, "NVDA": papertrade.InvalidText, "MSFT": TypeError},
        )
        self.assertEqual(self.account.cash, 10000)

    def test_an_interrupt_is_raised_and_the_analyst_not_asked_again(self) -> None:
        asked: list[str] = []

        def analyst(symbol: str, time: datetime) -> Analysis:
            asked.append(symbol)
            raise KeyboardInterrupt

        before = self.account.summary(), self.account.queue()
        with self.assertRaises(KeyboardInterrupt):
            self.account.execute_queue(analyst)
        self.assertEqual(asked, ["AAPL"])
        self.assertEqual((self.account.summary(), self.account.queue()), before)

    def test_an_interrupt_after_a_good_judgement_buys_nothing(self) -> None:
        def analyst(symbol: str, time: datetime) -> Analysis:
            if symbol == "MSFT":
                raise SystemExit
            return self.good(symbol, time)

        before = self.account.summary(), self.account.queue()
        with self.assertRaises(SystemExit):
            self.account.execute_queue(analyst)
        self.assertEqual((self.account.summary(), self.account.queue()), before)

    def test_the_analyst_is_asked_once_however_long_the_lock_is_waited_for(self) -> None:
        asked: list[str] = []
        released = threading.Event()

        def hold() -> None:
            with Account(self.path) as other, other.lock():
                held.set()
                time.sleep(0.8)
                released.set()  # still inside: whoever waits goes on at once

        def analyst(symbol: str, at: datetime) -> Analysis:
            asked.append(symbol)
            if symbol == "MSFT":
                holder.start()
                held.wait()
            return self.good(symbol, at)

        held, holder = threading.Event(), threading.Thread(target=hold)
        done = self.account.execute_queue(analyst)
        self.assertTrue(released.is_set())
        holder.join()
        self.assertEqual(([each.bought for each in done], asked), ([True] * 3, ["AAPL", "NVDA", "MSFT"]))

    def test_an_analyst_may_read_the_account_but_not_change_it(self) -> None:
        refused: list[str] = []

        def analyst(symbol: str, time: datetime) -> Analysis:
            self.assertEqual(self.account.cash, 10000)
            try:
                self.account.buy(symbol, 1, 1)
            except papertrade.Misuse:
                refused.append(symbol)
            return self.good(symbol, time)

        self.account.execute_queue(analyst)
        self.assertEqual(refused, ["AAPL", "NVDA", "MSFT"])
        self.assertEqual(self.account.cash, 9700)


if __name__ == "__main__":
    unittest.main()
