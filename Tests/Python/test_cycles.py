"""The two cycles from Python, end to end: a monitor and a trader on one account, and an analyst who may change its mind in between."""

from __future__ import annotations

import dataclasses
import json
import threading
import unittest
from decimal import Decimal
from typing import Any

import papertrade
from papertrade import Analysis, Confidence, Cycle, CycleKind, CycleOutcome, KnownSignal, Signal
from support import CycleTest, needs_library, utc


def opinion(signal: str, score: papertrade.Amount, price: Any = 100, **others: Any) -> Analysis:
    return Analysis(signal=signal, score=score, price=price, **others)


@needs_library
class FromSignalToTradeTest(CycleTest):
    """Queued by the monitor, executed by the trader."""

    def queued(self, score: float = 85) -> Cycle:
        """NVDA was on HOLD at 10:00, and has risen to BUY by 10:30: that cycle."""
        self.configure(watchlist=["NVDA"])
        self.opinions["NVDA"] = opinion("HOLD", 60)
        self.assertEqual(self.monitoring("2014-06-02 14:00").queued, 0)
        self.opinions["NVDA"] = opinion("BUY", score, reason="breakout")
        cycle = self.monitoring("2014-06-02 14:30")
        self.assertEqual(cycle.queued, 1)
        return cycle

    def bought(self, price: Any = 100) -> None:
        """A position in NVDA, bought at the close of Monday."""
        self.queued()
        self.opinions["NVDA"] = opinion("BUY", 85, price)
        self.assertEqual(self.trading("2014-06-02 20:00").bought, 1)

    def test_an_upgrade_is_recorded_and_queued_and_bought_at_the_close_for_the_price_of_the_close(self) -> None:
        signal, queue = self.commit_of(self.queued())
        self.assertEqual(
            (signal["type"], signal["change"], signal["urgency"], signal["previous_signal"], signal["previous_score"]),
            ("signal", "UPGRADE", "MEDIUM", "HOLD", 60))
        self.assertEqual((queue["type"], queue["signal"], queue["score"], queue["reason"]), ("queue", "BUY", 85, "breakout"))
        self.opinions["NVDA"] = opinion("STRONG BUY", 90, 101)
        cycle = self.trading("2014-06-02 20:00")
        (buy,) = self.commit_of(cycle)
        self.assertEqual((cycle.bought, buy["type"], buy["price"], buy["queued_seq"]), (1, "buy", 101, queue["seq"]))
        # 10 % of 10,000, times 0.5 + (20/30)^1.5 = 1.044331, at 101
        self.assertEqual((buy["shares"], self.trader.position("NVDA").shares, self.trader.queue()), (10, 10, []))
        self.assert_verifies()

    def test_what_the_analyst_thinks_at_the_close_decides(self) -> None:
        for late, reason in (
            (opinion("HOLD", 85), "downgrade"),
            (opinion("SELL", 85), "downgrade"),
            (opinion("BUY", "74.999999"), "score_drop"),
            (opinion("BUY", 85, 3000), "size"),
            (None, "no_analysis"),
        ):
            with self.subTest(late=late):
                self.setUp()
                self.queued()
                self.opinions["NVDA"] = late
                cycle = self.trading("2014-06-02 20:00")
                (unqueue,) = self.commit_of(cycle)
                self.assertEqual((unqueue["type"], unqueue["reason"], cycle.rejected, cycle.bought), ("unqueue", reason, 1, 0))
                self.assertEqual((self.monitor.queue(), self.monitor.positions(), self.monitor.cash), ([], [], 10000))
                self.assert_verifies()

    def test_an_analyst_that_fails_fails_the_cycle_and_what_is_queued_waits(self) -> None:
        self.queued()
        for late in (opinion("BUY", 101), opinion("BUY", 85, -1)):
            self.opinions["NVDA"] = late
            cycle = self.trading("2014-06-02 20:00")
            self.assertEqual((cycle.outcome, cycle.done, cycle.value, cycle.rejected), (CycleOutcome.FAILED, False, None, 0))
            self.assertTrue(cycle.reason.startswith("NVDA: ") and cycle.reason == cycle.problem, cycle.reason)
        self.opinions["NVDA"] = opinion("BUY", 85)
        self.assertEqual(self.trading("2014-06-02 20:05").bought, 1)
        self.assert_verifies()

    def test_a_score_may_drop_by_ten_points_but_not_below_the_least_score(self) -> None:
        for queued, late, expected in ((85, 75, "buy"), (79, "69.999999", "low_score"), (80, 70, "buy")):
            with self.subTest(queued=queued, late=late):
                self.setUp()
                self.queued(queued)
                self.opinions["NVDA"] = opinion("BUY", late)
                (event,) = self.commit_of(self.trading("2014-06-02 20:00"))
                self.assertEqual(event.get("reason", event["type"]), expected)

    def test_a_critical_downgrade_is_sold_at_once(self) -> None:
        self.bought()
        self.opinions["NVDA"] = opinion("WEAK SELL", 30, 95)
        cycle = self.monitoring("2014-06-03 13:30")
        signal, sell = self.commit_of(cycle)
        self.assertEqual((signal["change"], signal["urgency"]), ("CRITICAL_DOWNGRADE", "CRITICAL"))
        self.assertEqual((sell["type"], sell["exit"], sell["price"], sell["all"]), ("sell", "critical", 95, True))
        self.assertEqual((cycle.sold, self.trader.positions()), (1, []))
        self.assert_verifies()

    def test_the_first_exit_rule_that_applies_sells_at_the_close(self) -> None:
        for late, exit_or_none in (
            (opinion("SELL", 10, 90), "stop_loss"),          # also a downgrade: the loss comes first
            (opinion("HOLD", 60, "90.000001"), None),
            (opinion("WEAK SELL", 40, 130), "downgrade"),    # also a profit: the signal comes first
            (opinion("HOLD", 60, 120), "take_profit"),
            (opinion("HOLD", 60, "119.999999"), None),
        ):
            with self.subTest(late=late):
                self.setUp()
                self.bought()
                self.opinions["NVDA"] = late
                cycle = self.trading("2014-06-03 20:00")
                self.assertEqual([event.get("exit") for event in self.commit_of(cycle)], [exit_or_none] if exit_or_none else [])
                self.assertEqual((cycle.sold, cycle.value), (1 if exit_or_none else 0, 10000 + 8 * (Decimal(str(late.price)) - 100)))

    def test_a_profit_waits_for_the_signal_and_an_old_position_goes(self) -> None:
        self.bought()
        self.opinions["NVDA"] = opinion("BUY", 85, 120)
        cycle = self.trading("2014-06-03 20:00")
        self.assertEqual((cycle.deferred, cycle.sold), (1, 0))
        cycle = self.trading("2014-12-01 21:00")  # 182 days later
        self.assertEqual([event["exit"] for event in self.commit_of(cycle)], ["age"])

    def test_monitor_only_watches_and_trades_nothing_and_a_change_of_mode_counts_from_the_next_cycle_on(self) -> None:
        self.bought()
        self.configure(watchlist=["NVDA", "AAPL"], system_active=False)
        self.opinions.update(NVDA=opinion("SELL", 10, 50), AAPL=opinion("STRONG BUY", 95))
        watched = self.monitoring("2014-06-03 13:30")
        self.assertEqual([event["type"] for event in self.commit_of(watched)], ["rules", "signal", "signal"])
        self.assertEqual((watched.outcome, watched.changes, watched.sold, watched.queued), (CycleOutcome.DONE, 2, 0, 0))
        self.assertEqual({each.symbol: each.signal for each in self.trader.signals()}, {"AAPL": Signal.STRONG_BUY, "NVDA": Signal.SELL})
        skipped = self.trading("2014-06-03 20:00")
        self.assertEqual((skipped.outcome, skipped.reason, skipped.value), (CycleOutcome.SKIPPED, "system_active is false", 9600))
        self.configure(watchlist=["NVDA", "AAPL"])
        cycle = self.trading("2014-06-03 20:00")
        self.assertEqual([event.get("exit", event["type"]) for event in self.commit_of(cycle)], ["rules", "stop_loss"])
        self.assert_verifies()

    def test_two_traders_buy_once(self) -> None:
        self.queued()
        first = self.trading("2014-06-02 20:00")
        second = self.monitor.trading_cycle(self.analyst)
        self.assertEqual((first.outcome, second.outcome), (CycleOutcome.DONE, CycleOutcome.SKIPPED))
        self.assertIn("was done at 2014-06-02T20:00:00", second.reason)
        self.assertEqual(self.trader.position("NVDA").shares, 8)

    def test_a_trader_that_is_overtaken_while_its_analyst_thinks_buys_nothing(self) -> None:
        self.queued()

        def slow(symbol: str, time: Any) -> Analysis:
            self.assertEqual(self.monitor.trading_cycle(self.analyst).bought, 1)
            return opinion("BUY", 85)

        self.now = utc("2014-06-02 20:00")
        cycle = self.trader.trading_cycle(slow)
        self.assertEqual((cycle.outcome, cycle.first_seq), (CycleOutcome.SKIPPED, cycle.seq))
        self.assertEqual(self.trader.position("NVDA").shares, 8)

    def test_what_is_queued_while_the_analyst_thinks_waits_and_what_is_taken_out_is_not_bought(self) -> None:
        self.queued()

        def slow(symbol: str, time: Any) -> Analysis:
            self.monitor.clear_queue()
            self.monitor.enqueue("LATE", 85, "BUY")
            return opinion("BUY", 85)

        self.now = utc("2014-06-02 20:00")
        cycle = self.trader.trading_cycle(slow)
        self.assertEqual((cycle.bought, cycle.rejected, self.trader.positions()), (0, 0, []))
        self.assertEqual([entry.symbol for entry in self.trader.queue()], ["LATE"])

    def test_a_limit_rejects_with_its_reason(self) -> None:
        self.configure(watchlist=["A", "B"], limits={"max_positions": 1})
        self.opinions.update(A=opinion("BUY", 80), B=opinion("BUY", 80))
        self.assertEqual(self.monitoring("2014-06-02 14:00").queued, 2)
        cycle = self.trading("2014-06-02 20:00")
        self.assertEqual([event.get("reason", event["type"]) for event in self.commit_of(cycle)], ["buy", "max_positions"])
        self.assertEqual((cycle.bought, cycle.rejected), (1, 1))

    def test_what_keeps_a_cycle_from_trading_is_declined_with_its_reason(self) -> None:
        self.configure(watchlist=["NVDA", "LOW"], limits={"min_holding_days": 5})
        self.opinions.update(NVDA=opinion("BUY", 85), LOW=opinion("BUY", "69.999999"))
        cycle = self.monitoring("2014-06-02 14:00")
        (decline,) = [event for event in self.commit_of(cycle) if event["type"] == "decline"]
        self.assertEqual((decline["declined"], decline["symbol"], decline["reason"], cycle.rejected), ("queue", "LOW", "low_score", 1))
        self.trading("2014-06-02 20:00")
        self.opinions["NVDA"] = opinion("SELL", 10, 95)
        cycle = self.trading("2014-06-03 20:00")
        (decline,) = self.commit_of(cycle)
        self.assertEqual((decline["declined"], decline["reason"], cycle.rejected), ("sell", "min_holding", 1))
        self.assertEqual(self.trader.position("NVDA").shares, 8)

    def test_the_same_moments_rules_and_judgements_lead_to_the_same_events(self) -> None:
        def story() -> list[dict[str, Any]]:
            self.setUp()
            self.bought()
            self.opinions["NVDA"] = opinion("WEAK SELL", 30, 95)
            self.monitoring("2014-06-03 13:30")
            events = [event.data for event in self.trader.history()]
            differs = {"at", "durable", "prev", "crc", "account"}
            return [{key: value for key, value in event.items() if key not in differs} for event in events]

        self.assertEqual(story(), story())


@needs_library
class RecordsTest(CycleTest):
    """What a cycle leaves, and when the next one is due."""

    def test_every_run_leaves_its_record(self) -> None:
        self.configure(watchlist=["NVDA"])
        self.opinions["NVDA"] = opinion("HOLD", 60)
        runs = [
            self.monitoring("2014-06-02 14:00"), self.monitoring("2014-06-01 14:00"), self.trading("2014-06-02 19:59:59"),
            self.trading("2014-06-02 20:00"),
        ]
        self.assertEqual(
            [(run.kind, run.outcome) for run in runs],
            [(CycleKind.MONITORING, CycleOutcome.DONE), (CycleKind.MONITORING, CycleOutcome.SKIPPED),
             (CycleKind.TRADING, CycleOutcome.SKIPPED), (CycleKind.TRADING, CycleOutcome.DONE)])
        self.assertEqual([run.done for run in runs], [True, False, False, True])
        self.assertIn("weekend", runs[1].reason)
        self.assertIn("2014-06-02T20:00:00", runs[2].reason)
        recorded = [dataclasses.replace(run, first_seq=0) for run in runs]
        self.assertEqual(self.monitor.cycles(), recorded)
        self.assertEqual(self.monitor.cycles(runs[1].seq), recorded[1:])
        self.assertEqual(self.monitor.cycles(limit=2), recorded[:2])
        self.assertEqual((self.monitor.cycles(limit=0), self.monitor.cycles(runs[3].seq + 1)), ([], []))
        self.assertEqual(self.opened(read_only=True).cycles(), recorded)
        with self.assertRaises(papertrade.InvalidArgument):
            self.monitor.cycles(-1)

    def test_a_record_has_the_counts_and_the_value_and_makes_a_table(self) -> None:
        self.configure(watchlist=["A", "B", "C"])
        self.opinions.update(A=opinion("BUY", 85), B=ValueError("wrong"))
        with self.assertLogs("papertrade"):
            cycle = self.monitoring("2014-06-02 14:00")
        self.assertEqual((cycle.analysed, cycle.unanalysed, cycle.changes, cycle.queued), (1, 2, 1, 1))
        self.assertEqual((cycle.time, cycle.value, cycle.reason), (self.now, 10000, ""))
        self.assertTrue(cycle.problem.startswith("B: "), cycle.problem)
        self.assertEqual({symbol: str(error) for symbol, error in cycle.errors.items()}, {"B": "wrong"})
        row = dataclasses.asdict(self.monitor.cycles()[-1])
        self.assertEqual((row["kind"], str(row["outcome"]), row["queued"], row["errors"]), (CycleKind.MONITORING, "DONE", 1, {}))

    def test_what_is_known_has_everything_that_the_analyst_said(self) -> None:
        self.configure(watchlist=["B", "A"])
        self.opinions.update(A=opinion("HOLD", "60.5", "9.75", confidence="high", sector="Chips — €"), B=opinion("SELL", 1))
        self.monitoring("2014-06-02 14:00")
        self.assertEqual(self.trader.signals(), [
            KnownSignal("A", Signal.HOLD, Decimal("60.5"), Decimal("9.75"), Confidence.HIGH, "Chips — €", self.now),
            KnownSignal("B", Signal.SELL, Decimal(1), Decimal(100), None, "", self.now),
        ])
        portfolio = json.loads((self.path / "portfolio.json").read_text(encoding="utf-8"))
        self.assertEqual(sorted(portfolio["signals"]), ["A", "B"])
        self.assertEqual(portfolio["cycles"]["monitoring"]["outcome"], "done")

    def test_the_schedule_can_be_ignored(self) -> None:
        self.assertTrue(self.monitoring("2014-06-01 12:00", ignore_schedule=True).done)
        self.assertTrue(self.trading("2014-06-01 12:00", ignore_schedule=True).done)

    def test_a_time_can_be_given(self) -> None:
        given = utc("2014-06-03 15:00")
        cycle = self.monitor.monitoring_cycle(self.analyst, time=given)
        self.assertEqual((cycle.time, cycle.done), (given, True))
        self.assertEqual(self.trader.next_cycle("monitoring", given), utc("2014-06-03 15:30"))
        with self.assertRaises(papertrade.InvalidTime):
            self.monitor.monitoring_cycle(self.analyst, time=given.replace(tzinfo=None))

    def test_the_next_cycle_is_now_if_one_is_due_else_at_its_moment(self) -> None:
        for now, monitoring, trading in (
            ("2014-06-01 12:00", "2014-06-02 13:30", "2014-06-01 12:00"),  # Friday's trading can be made up for on Sunday
            ("2014-06-02 13:30", "2014-06-02 13:30", "2014-06-02 20:00"),
            ("2014-06-02 20:00", "2014-06-03 13:30", "2014-06-02 20:00"),
        ):
            with self.subTest(now=now):
                self.now = utc(now)
                self.assertEqual(self.monitor.next_cycle(CycleKind.MONITORING), utc(monitoring))
                self.assertEqual(self.monitor.next_cycle("trading"), utc(trading))
        with self.assertRaisesRegex(papertrade.InvalidArgument, "cycle kind is 'hourly': one of MONITORING, TRADING"):
            self.monitor.next_cycle("hourly")

    def test_a_failed_cycle_is_recorded_and_due_again_once(self) -> None:
        self.configure(watchlist=["NVDA"], limit={})
        failed = utc("2014-06-02 14:00")
        for again in (utc("2014-06-02 14:05"), utc("2014-06-02 14:30")):
            with self.assertRaisesRegex(papertrade.InvalidConfig, 'unknown key "limit"'):
                self.monitor.monitoring_cycle(self.analyst, time=failed)
            record = self.trader.cycles()[-1]
            self.assertEqual((record.outcome, record.time), (CycleOutcome.FAILED, failed))
            self.assertIn('unknown key "limit"', record.reason)
            self.assertEqual(self.monitor.next_cycle("monitoring", failed), again)
            failed = again

    def test_a_cycle_that_waits_for_the_lock_asks_once_and_records_no_failure(self) -> None:
        """Longer than a single call waits in C: Ctrl-C is heard in between."""
        self.configure(watchlist=["NVDA"])
        asked: list[str] = []
        held, released = threading.Event(), threading.Event()

        def hold() -> None:
            with self.opened() as other, other.lock():
                held.set()
                released.wait(0.8)

        def analyst(symbol: str, time: Any) -> Analysis:
            asked.append(symbol)
            holder.start()
            held.wait()
            return opinion("BUY", 85)

        holder = threading.Thread(target=hold)
        cycle = self.monitor.monitoring_cycle(analyst)
        holder.join()
        self.assertEqual((cycle.queued, asked, len(self.trader.cycles())), (1, ["NVDA"], 1))

    def test_a_cycle_that_waits_in_vain_is_busy_and_leaves_nothing(self) -> None:
        before = self.trader.seq
        impatient = self.opened(lock_timeout=0.1)
        held, released = threading.Event(), threading.Event()

        def hold() -> None:
            with self.trader.lock():
                held.set()
                released.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        with self.assertRaises(papertrade.Busy):
            impatient.monitoring_cycle(self.analyst)
        released.set()
        holder.join()
        self.assertEqual(self.trader.seq, before)


if __name__ == "__main__":
    unittest.main()
