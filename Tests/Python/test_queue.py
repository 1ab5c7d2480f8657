"""The buy queue from Python."""

from __future__ import annotations

import unittest
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import papertrade
from papertrade import Account, Analysis, Change, Confidence, Outcome, Signal
from support import AccountTest, DirectoryTest, needs_library


@needs_library
class QueueTest(AccountTest):
    def test_an_opportunity_is_queued_and_seen_without_changing_anything(self) -> None:
        self.account.enqueue("NVDA", "82.5", "STRONG BUY", reason="breakout — volume")
        self.account.enqueue("AAPL", 70, Signal.BUY, Decimal("150.25"))
        first, second = self.account.queue()
        self.assertEqual(
            (first.symbol, first.score, first.signal, first.price, first.reason),
            ("NVDA", Decimal("82.5"), Signal.STRONG_BUY, None, "breakout — volume"),
        )
        self.assertEqual((second.symbol, second.price, second.reason), ("AAPL", Decimal("150.25"), ""))
        self.assertEqual(self.account.queue(), [first, second])
        self.assertEqual(self.account.summary().queued_count, 2)

    def test_queueing_returns_the_identity_of_the_entry(self) -> None:
        seq = self.account.enqueue("NVDA", 80, "BUY")
        self.assertEqual((seq, self.account.queue()[0].seq), (self.account.seq, seq))

    def test_an_opportunity_takes_what_can_accompany_any_change(self) -> None:
        noon = datetime.now(timezone.utc) - timedelta(hours=1)
        before = self.account.seq
        seq = self.account.enqueue("NVDA", 80, "BUY", request_id="idea", expected_seq=before, time=noon, note="from the scan")
        event = self.account.history()[-1]
        self.assertEqual((event.seq, event.request_id, event.time, event.note), (seq, "idea", noon, "from the scan"))
        self.assertEqual(self.account.enqueue("NVDA", 80, "BUY", request_id="idea", note="from the scan"), seq)
        with self.assertRaises(papertrade.RequestConflict):
            self.account.enqueue("NVDA", 81, "BUY", request_id="idea", note="from the scan")
        with self.assertRaises(papertrade.SeqMismatch):
            self.account.enqueue("AAPL", 80, "BUY", expected_seq=before)
        found = self.account.find_request("idea")
        assert isinstance(found, Change)
        self.assertEqual((found.seq, found.type, found.symbol), (seq, event.type, "NVDA"))

    def test_a_symbol_is_queued_once(self) -> None:
        self.account.enqueue("NVDA", 80, "BUY")
        with self.assertRaises(papertrade.AlreadyQueued) as caught:
            self.account.enqueue("NVDA", 90, "BUY")
        self.assertEqual(caught.exception.seq, self.account.queue()[0].seq)

    def test_what_is_no_opportunity_is_refused(self) -> None:
        for kind, arguments in (
            (papertrade.InvalidSymbol, ("", 80, "BUY")), (papertrade.InvalidScore, ("A", 101, "BUY")),
            (papertrade.InvalidScore, ("A", -1, "BUY")), (papertrade.InvalidScore, ("A", float("nan"), "BUY")),
            (papertrade.InvalidScore, ("A", "high", "BUY")), (papertrade.InvalidSignal, ("A", 80, "MAYBE")),
            (papertrade.InvalidPrice, ("A", 80, "BUY", 0)), (papertrade.InvalidText, ("A", 80, "BUY", 1, "x" * 257)),
        ):
            with self.subTest(arguments=arguments), self.assertRaises(kind):
                self.account.enqueue(*arguments)  # type: ignore[arg-type]
        self.assertEqual(self.account.queue(), [])

    def test_dequeue_all_takes_everything_however_much_there_is(self) -> None:
        symbols = [f"S{number:03}" for number in range(100)]
        with self.account.batch():
            for symbol in symbols:
                self.account.enqueue(symbol, 80, "BUY")
        self.assertEqual([entry.symbol for entry in self.account.dequeue_all()], symbols)
        self.assertEqual((self.account.queue(), self.account.dequeue_all()), ([], []))

    def test_clearing_returns_how_many_there_were(self) -> None:
        self.account.enqueue("NVDA", 80, "BUY")
        self.assertEqual(self.account.clear_queue(note="market closed"), 1)
        self.assertEqual(self.account.clear_queue(), 0)

    def test_executing_buys_or_rejects_each_entry_with_its_reason(self) -> None:
        self.account.enqueue("GOOD", 80, "BUY", 100)
        self.account.enqueue("MONEY", 80, "BUY", 100)
        self.account.enqueue("SILENT", 80, "BUY", 100)
        self.account.enqueue("DROPPED", 80, "BUY", 100)
        self.account.enqueue("DOWN", 80, "BUY", 100)
        self.account.enqueue("DEAR", 80, "BUY", 100)
        common: dict[str, Any] = {"signal": Signal.BUY, "score": 80, "price": Decimal("100.5")}
        analyses = {
            "GOOD": Analysis(**common, shares=2, confidence=Confidence.HIGH, reason="still good", sector="Chips"),
            "MONEY": Analysis(**common, amount=250),
            "SILENT": None,
            "DROPPED": Analysis(**{**common, "score": "69.9"}, shares=1),
            "DOWN": Analysis(**{**common, "signal": "HOLD"}, shares=1),
            "DEAR": Analysis(**common, shares=1000),
        }
        done = {each.symbol: each for each in self.account.execute_queue(lambda symbol, time: analyses[symbol])}
        self.assertEqual(
            {symbol: each.outcome for symbol, each in done.items()},
            {
                "GOOD": Outcome.BOUGHT, "MONEY": Outcome.BOUGHT, "SILENT": Outcome.REJECTED_NO_ANALYSIS,
                "DROPPED": Outcome.REJECTED_SCORE_DROP, "DOWN": Outcome.REJECTED_DOWNGRADE, "DEAR": Outcome.REJECTED_FUNDS,
            },
        )
        self.assertEqual((done["GOOD"].shares, done["GOOD"].total, done["GOOD"].score), (2, 201, 80))
        self.assertEqual((done["MONEY"].shares, done["MONEY"].total), (2, 201))
        self.assertEqual((done["SILENT"].shares, done["SILENT"].score), (None, None))
        self.assertTrue(all(each.message for each in done.values()))
        self.assertEqual((self.account.cash, self.account.queue()), (9598, []))

    def test_executing_an_empty_queue_does_nothing_and_asks_nobody(self) -> None:
        self.assertEqual(self.account.execute_queue(lambda symbol, time: self.fail("asked")), [])


@needs_library
class StaleTest(DirectoryTest):
    def test_entries_older_than_a_day_are_not_returned(self) -> None:
        now = [datetime(2026, 3, 2, 15, 0, tzinfo=timezone.utc)]
        with Account(self.directory / "account", clock=lambda: now[0]) as account:
            account.enqueue("NVDA", 80, "BUY")
            self.assertEqual(account.queue()[0].queued_at, now[0])
            now[0] += timedelta(hours=25)
            self.assertEqual(account.queue(), [])


if __name__ == "__main__":
    unittest.main()
