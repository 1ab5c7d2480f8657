"""The 28 cases of the system that this one descends from, under its names, with processes where it meant processes."""

from __future__ import annotations

import json
import os
import subprocess
import time
import unittest
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import papertrade
from papertrade import Analysis, Lock, Outcome, Signal
from files import JOURNAL, PORTFOLIO, lines_of, portfolio_of
from support import SystemTest, finish, start_python

HOUR = timedelta(hours=1)


class BuyQueueTest(SystemTest):
    """Queued by one process, executed by another."""

    def setUp(self) -> None:
        super().setUp()
        self.now = datetime(2026, 3, 2, 15, 0, tzinfo=timezone.utc)
        self.monitor = self.open(initial_cash=10_000, clock=lambda: self.now)
        self.trader = self.open(clock=lambda: self.now)

    def outcome_of(self, signal: str, score: float) -> papertrade.Execution:
        """What becomes of a STRONG BUY of score 85 when the analyst now says this."""
        self.monitor.enqueue("NVDA", 85, "STRONG BUY", 120, "breakout")
        (execution,) = self.trader.execute_queue(lambda _symbol, time: Analysis(signal, score, 121, shares=10, time=time))
        return execution

    def assert_rejected(self, execution: papertrade.Execution, outcome: Outcome) -> None:
        self.assertEqual(execution.outcome, outcome)
        self.assertEqual((self.monitor.queue(), self.monitor.positions(), self.monitor.cash), ([], [], 10_000))

    def test_01_enqueue(self) -> None:
        self.monitor.enqueue("NVDA", "82.5", "STRONG BUY", 120, "breakout")
        (entry,) = portfolio_of(self.path)["queued_opportunities"]
        self.assertEqual(
            (entry["symbol"], entry["score"], entry["signal"], entry["price"], entry["reason"], entry["queued_at"]),
            ("NVDA", Decimal("82.5"), "STRONG BUY", 120, "breakout", "2026-03-02T15:00:00.000000Z"))

    def test_02_dequeue(self) -> None:
        self.monitor.enqueue("NVDA", "82.5", "STRONG BUY", 120, "breakout")
        self.monitor.enqueue("AAPL", 70, "BUY")
        entries = self.trader.dequeue_all()
        self.assertEqual(
            [(each.symbol, each.score, each.signal, each.price, each.reason) for each in entries],
            [("NVDA", Decimal("82.5"), Signal.STRONG_BUY, 120, "breakout"), ("AAPL", 70, Signal.BUY, None, "")])
        self.assertEqual((self.monitor.queue(), self.trader.dequeue_all()), ([], []))

    def test_03_duplicate_prevention(self) -> None:
        self.monitor.enqueue("NVDA", 80, "BUY")
        with self.assertRaises(papertrade.AlreadyQueued) as caught:
            self.trader.enqueue("NVDA", 95, "STRONG BUY")
        self.assertEqual(caught.exception.seq, self.monitor.queue()[0].seq)
        self.assertEqual([each.score for each in self.trader.queue()], [80])

    def test_04_stale_clean_up(self) -> None:
        self.monitor.enqueue("OLD", 80, "BUY")
        self.now += 20 * HOUR
        self.monitor.enqueue("NEW", 80, "BUY")
        self.now += 5 * HOUR
        self.assertEqual([each.symbol for each in self.trader.queue()], ["NEW"])
        self.trader.deposit(1)  # the next commit removes it from the files, too
        self.assertEqual([each["symbol"] for each in portfolio_of(self.path)["queued_opportunities"]], ["NEW"])
        self.assertEqual([each["reason"] for each in lines_of(self.path) if each["type"] == "unqueue"], ["stale"])

    def test_05_score_drop_rejection(self) -> None:
        self.assert_rejected(self.outcome_of("STRONG BUY", 74.999999), Outcome.REJECTED_SCORE_DROP)

    def test_06_downgrade_rejection(self) -> None:
        self.assert_rejected(self.outcome_of("HOLD", 85), Outcome.REJECTED_DOWNGRADE)

    def test_07_still_valid_passes(self) -> None:
        execution = self.outcome_of("BUY", 75)  # ten points less are allowed, and so is BUY
        self.assertEqual((execution.outcome, execution.total), (Outcome.BOUGHT, 1210))
        self.assertEqual((self.monitor.queue(), self.monitor.position("NVDA").shares), ([], 10))

    def test_08_peek_leaves_the_queue(self) -> None:
        self.monitor.enqueue("NVDA", 80, "BUY")
        before = (self.path / JOURNAL).read_bytes(), (self.path / PORTFOLIO).read_bytes()
        first, second = self.trader.queue(), self.trader.queue()
        self.assertEqual((first, [each.symbol for each in second]), (second, ["NVDA"]))
        self.assertEqual(((self.path / JOURNAL).read_bytes(), (self.path / PORTFOLIO).read_bytes()), before)

    def test_09_clear(self) -> None:
        for symbol in ("AAPL", "MSFT", "NVDA"):
            self.monitor.enqueue(symbol, 80, "BUY")
        self.assertEqual((self.trader.clear_queue(), self.monitor.queue()), (3, []))
        self.monitor.enqueue("AAPL", 80, "BUY")  # is no duplicate now

    def test_10_end_to_end_from_queue_to_execution(self) -> None:
        queueing = "account.enqueue('NVDA', 82, 'STRONG BUY', 120); account.enqueue('AAPL', 95, 'BUY', 150)"
        executing = (
            "analyst = lambda symbol, time: papertrade.Analysis('BUY', 80, {'NVDA': '119.5', 'AAPL': 150}[symbol], amount=5000)\n"
            "print([(str(each.outcome), str(each.shares)) for each in account.execute_queue(analyst)])")
        program = "import sys, papertrade\nwith papertrade.Account(sys.argv[1]) as account:\n    exec(sys.argv[2])"
        finish(start_python(program, self.path, queueing))
        printed = finish(start_python(program, self.path, executing))
        self.assertEqual(eval(printed), [("BOUGHT", "41"), ("REJECTED SCORE DROP", "None")])
        portfolio = portfolio_of(self.path)
        self.assertEqual((portfolio["queued_opportunities"], portfolio["cash"]), ([], Decimal("5100.5")))
        buy = lines_of(self.path)[-2]
        self.assertEqual((buy["type"], buy["shares"], "queued_seq" in buy, buy["more"]), ("buy", 41, True, True))


class FileLockTest(SystemTest):
    """A lock on a file, held by another process."""

    HOLD = (
        "import sys, papertrade\n"
        "lock = papertrade.Lock(sys.argv[1])\n"
        "try:\n"
        "    with lock:\n"
        "        print('held', flush=True)\n"
        "        sys.stdin.readline()\n"
        "        if len(sys.argv) > 2: raise KeyError('an error inside')\n"
        "except KeyError: pass\n"
        "print('released', flush=True)\n"
        "sys.stdin.readline()")

    def setUp(self) -> None:
        super().setUp()
        self.file = self.directory / "my.lock"
        self.lock = Lock(self.file)
        self.addCleanup(self.lock.close)

    def holder(self, *arguments: str) -> subprocess.Popen[str]:
        process = self.started(start_python(self.HOLD, self.file, *arguments, stdin=subprocess.PIPE))
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "held\n")
        return process

    def go_on(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "released\n")

    def test_11_lock_acquire(self) -> None:
        self.assertFalse(Lock.is_held(self.file))
        self.holder()
        self.assertTrue(Lock.is_held(self.file))
        with self.assertRaises(papertrade.Busy):
            self.lock.acquire(0)

    def test_12_lock_release(self) -> None:
        holder = self.holder()
        self.go_on(holder)  # the process lives on
        self.assertFalse(Lock.is_held(self.file))
        self.lock.acquire(0)
        self.lock.release()

    def test_13_lock_released_on_error(self) -> None:
        holder = self.holder("raise")
        self.go_on(holder)
        self.lock.acquire(0)

    def test_14_lock_timeout(self) -> None:
        holder = self.holder()
        began = datetime.now()
        with self.assertRaisesRegex(papertrade.Busy, rf"process {holder.pid} since 20\d\d-"):
            self.lock.acquire(0.2)
        waited = (datetime.now() - began).total_seconds()
        self.assertTrue(0.2 <= waited < 0.3, waited)

    def test_15_lock_retry(self) -> None:
        holder = self.holder()
        with self.assertRaises(papertrade.Busy):
            self.lock.acquire_retrying(timeout=0, attempts=3, delay=0.01)
        assert holder.stdin is not None
        releasing = start_python("import sys, time; time.sleep(0.2); sys.stdout.write('\\n')", stdout=holder.stdin)
        self.lock.acquire_retrying(timeout=0.05, attempts=100, delay=0.05)
        finish(releasing)


class PortfolioTest(SystemTest):
    def test_16_buy(self) -> None:
        account = self.open(initial_cash=10_000)
        self.assertEqual(account.buy("AAPL", 40, 150).cash_after, 4000)
        held = portfolio_of(self.path)["positions"]["AAPL"]
        self.assertEqual((held["shares"], held["cost_basis"], held["cost"]), (40, 150, 6000))
        account.buy("AAPL", 10, 175)
        self.assertEqual(account.position("AAPL").cost_basis, 155)  # the average

    def test_17_sell(self) -> None:
        account = self.open(initial_cash=10_000)
        account.buy("AAPL", 40, 150)
        fill = account.sell("AAPL", 15, 160)
        self.assertEqual((fill.realized_pnl, fill.cash_after, fill.position_shares, fill.position_cost), (150, 6400, 25, 3750))
        account.sell("AAPL", 25, 140)
        self.assertEqual((account.positions(), account.cash, account.summary().realized_pnl), ([], 9900, -100))

    def test_18_insufficient_funds(self) -> None:
        account = self.open(initial_cash=10_000)
        with self.assertRaisesRegex(papertrade.InsufficientFunds, r"10000\.000001 needed, 10000(\.0)? available"):
            account.buy("AAPL", 1, "10000.000001")
        self.assertEqual((account.cash, account.positions()), (10_000, []))

    def test_19_sell_without_position(self) -> None:
        account = self.open(initial_cash=10_000)
        with self.assertRaisesRegex(papertrade.NoPosition, "AAPL"):
            account.sell("AAPL", 1, 150)
        account.buy("AAPL", 1, 150)
        with self.assertRaises(papertrade.InsufficientShares):
            account.sell("AAPL", "1.000001", 150)
        self.assertEqual(account.position("AAPL").shares, 1)

    def test_20_atomic_write(self) -> None:
        """Another file takes the name, whole; whoever has the old one open keeps it whole; nothing is left behind."""
        account = self.open(initial_cash=10_000)
        with open(self.path / PORTFOLIO, "rb") as old:
            inode = os.fstat(old.fileno()).st_ino
            account.buy("AAPL", 40, 150)
            self.assertEqual(json.loads(old.read())["cash"], 10_000)
        self.assertNotEqual((self.path / PORTFOLIO).stat().st_ino, inode)
        self.assertEqual(portfolio_of(self.path)["cash"], 4000)
        account.close()
        self.assertEqual(sorted(each.name for each in self.path.iterdir()), [".lock", JOURNAL, PORTFOLIO])


class ConcurrencyTest(SystemTest):
    """Processes that begin at the same moment: all of them wait for the lock that the test holds."""

    TRADE = (
        "import sys, papertrade\n"
        "path, side, symbol, shares, price = sys.argv[1:]\n"
        "with papertrade.Account(path, lock_timeout=60) as account:\n"
        "    print('ready', account.cash, flush=True)\n"
        "    sys.stdin.readline()\n"
        "    try: print(account.submit(side, symbol, shares, price).cash_after)\n"
        "    except papertrade.InsufficientFunds: print('refused')")

    def trade_at_once(self, *trades: tuple[object, ...]) -> list[str]:
        """One process for each trade; what each printed. Each has read the account before any of them trades."""
        processes = [self.started(start_python(self.TRADE, self.path, *trade, stdin=subprocess.PIPE)) for trade in trades]
        for process in processes:
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline().split()[0], "ready")
        with papertrade.Account(self.path) as account, account.lock():
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("\n")
                process.stdin.flush()
            time.sleep(0.05)
            self.assertEqual([process.poll() for process in processes], [None] * len(processes))
        outputs = [finish(process).strip() for process in processes]
        self.assert_verifies()
        return outputs

    def test_21_two_processes_buying_40_shares_at_150_from_10000_one_succeeds_and_cash_is_4000(self) -> None:
        self.make(10_000)
        outputs = self.trade_at_once(("buy", "AAPL", 40, 150), ("buy", "AAPL", 40, 150))
        self.assertEqual(sorted(outputs), ["4000", "refused"])
        portfolio = portfolio_of(self.path)
        self.assertEqual((portfolio["cash"], portfolio["positions"]["AAPL"]["shares"]), (4000, 40))

    def test_22_concurrent_buy_and_sell_of_different_symbols_both_succeed_and_cash_is_exact(self) -> None:
        with papertrade.Account(self.path, initial_cash=10_000) as account:
            account.buy("AAPL", 20, 100)
        self.trade_at_once(("sell", "AAPL", 20, "110.1"), ("buy", "MSFT", 10, "300.03"))
        portfolio = portfolio_of(self.path)
        self.assertEqual((portfolio["cash"], list(portfolio["positions"])), (Decimal("7201.7"), ["MSFT"]))

    def test_23_20_processes_buying_at_once_all_succeed_with_20_positions_and_exact_cash(self) -> None:
        self.make(10_000)
        trades = [("buy", f"S{number:02}", 1 + number, "10.01") for number in range(20)]
        outputs = self.trade_at_once(*trades)
        self.assertNotIn("refused", outputs)
        portfolio = portfolio_of(self.path)
        self.assertEqual(portfolio["cash"], 10_000 - 210 * Decimal("10.01"))
        self.assertEqual(
            [(symbol, held["shares"]) for symbol, held in portfolio["positions"].items()],
            [(f"S{number:02}", 1 + number) for number in range(20)])


if __name__ == "__main__":
    unittest.main()
