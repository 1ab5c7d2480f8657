"""Trading on an account and reading it, from Python."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, asdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar, Union, get_type_hints

import papertrade
from papertrade import ALL_SHARES, Account, Change, Fill, Side
from support import AccountTest, DirectoryTest, needs_library

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=timezone.utc)


@needs_library
class TradingTest(AccountTest):
    def test_a_buy_returns_the_exact_fill(self) -> None:
        fill = self.account.buy("AAPL", 40, Decimal("150.25"), time=NOON, note="first")
        self.assertEqual(
            (fill.side, fill.symbol, fill.shares, fill.price, fill.notional, fill.total, fill.realized_pnl, fill.cash_after),
            (Side.BUY, "AAPL", 40, Decimal("150.25"), 6010, 6010, 0, 3990),
        )
        self.assertEqual((fill.position_shares, fill.position_cost, fill.time), (40, 6010, NOON))
        self.assertEqual((fill.repeated, fill.provisional, fill.seq), (False, False, self.account.seq))
        self.assertEqual(str(fill.shares), "40")

    def test_nan_is_not_taken_for_nothing_given(self) -> None:
        nan = float("nan")
        self.account.buy("AAPL", 3, 100)
        before = self.account.summary()
        for exception, call in (
            (papertrade.InvalidAmount, lambda: self.account.reset(nan)),
            (papertrade.InvalidPrice, lambda: self.account.split("AAPL", 1, 2, nan)),
            (papertrade.InvalidPrice, lambda: self.account.enqueue("NVDA", 80, "BUY", nan)),
            (papertrade.InvalidAmount, lambda: Account(self.directory / "another", initial_cash=nan)),
        ):
            with self.assertRaisesRegex(exception, "is NaN: a number is expected, or None for none"):
                call()
        self.assertEqual(self.account.summary(), before)
        self.assertFalse((self.directory / "another").exists())

    def test_every_kind_of_number_buys_the_same(self) -> None:
        for price in (Decimal("0.1"), "0.1", 0.1, Fraction(1, 10)):
            fill = self.account.buy("PENNY", 10, price)
            self.assertEqual((fill.price, fill.total), (Decimal("0.1"), 1))

    def test_a_float_is_the_nearest_millionth_unless_that_changes_it_by_more_than_a_ten_thousandth(self) -> None:
        for price, expected in ((0.1 + 0.2, "0.3"), (1.0000001, "1"), (0.01000099, "0.010001")):
            self.assertEqual(self.account.buy("PENNY", 1, price).price, Decimal(expected))
        for refused in (0.0000078, 0.00100049, "1.0000001", Decimal("1.0000001"), Fraction(10000001, 10000000)):
            with self.assertRaises(papertrade.TooPrecise):
                self.account.buy("PENNY", 1, refused)

    def test_a_sale_realizes_its_part_of_the_cost(self) -> None:
        self.account.buy("AAPL", 10, 100)
        fill = self.account.sell("AAPL", 4, 110)
        self.assertEqual((fill.side, fill.realized_pnl, fill.position_shares), (Side.SELL, 40, 6))

    def test_sell_all_and_an_order_for_all_shares_leave_nothing(self) -> None:
        self.account.buy("AAPL", "1.234567", 100)
        self.assertEqual(self.account.sell_all("AAPL", 100).shares, Decimal("1.234567"))
        self.account.buy("AAPL", 3, 100)
        self.assertEqual(self.account.submit("sell", "AAPL", ALL_SHARES, 100).shares, 3)
        self.assertEqual(self.account.positions(), [])

    def test_an_infinite_number_of_shares_does_not_sell_everything_by_accident(self) -> None:
        self.account.buy("AAPL", 3, 100)
        for call in (self.account.buy, self.account.sell):
            with self.assertRaisesRegex(papertrade.InvalidShares, "finite"):
                call("AAPL", float("inf"), 100)
        self.assertEqual(self.account.position("AAPL").shares, 3)

    def test_a_refused_trade_changes_nothing(self) -> None:
        before = self.account.summary()
        for kind, call in (
            (papertrade.InsufficientFunds, lambda: self.account.buy("AAPL", 100, 150)),
            (papertrade.NoPosition, lambda: self.account.sell("AAPL", 1, 150)),
            (papertrade.InvalidSymbol, lambda: self.account.buy("", 1, 1)),
            (papertrade.InvalidSymbol, lambda: self.account.buy("A" * 33, 1, 1)),
            (papertrade.InvalidSymbol, lambda: self.account.buy("A\0B", 1, 1)),
            (papertrade.InvalidSymbol, lambda: self.account.buy("A\ud800", 1, 1)),
            (papertrade.InvalidShares, lambda: self.account.buy("AAPL", 0, 1)),
            (papertrade.InvalidShares, lambda: self.account.buy("AAPL", float("nan"), 1)),
            (papertrade.InvalidPrice, lambda: self.account.buy("AAPL", 1, -1)),
            (papertrade.TooPrecise, lambda: self.account.buy("AAPL", 1, 0.0000078)),
            (papertrade.TooPrecise, lambda: self.account.buy("AAPL", 1, "150.1234567")),
            (papertrade.TotalIsZero, lambda: self.account.buy("AAPL", "0.000001", "0.1")),
            (papertrade.InvalidText, lambda: self.account.buy("AAPL", 1, 1, note="x" * 257)),
            (papertrade.InvalidText, lambda: self.account.buy("AAPL", 1, 1, note="x\0y")),
            (papertrade.InvalidRequestId, lambda: self.account.buy("AAPL", 1, 1, request_id="x" * 65)),
            (papertrade.InvalidTime, lambda: self.account.buy("AAPL", 1, 1, time=NOON.replace(tzinfo=None))),
            (papertrade.InvalidTime, lambda: self.account.buy("AAPL", 1, 1, time=NOON.replace(year=1969))),
            (papertrade.InvalidArgument, lambda: self.account.buy("AAPL", 1, 1, expected_seq=0)),
            (papertrade.InvalidArgument, lambda: self.account.submit("hold", "AAPL", 1, 1)),
            (papertrade.InsufficientFunds, lambda: self.account.withdraw(10001)),
            (papertrade.InvalidAmount, lambda: self.account.deposit(0)),
            (papertrade.InvalidRatio, lambda: self.account.split("AAPL", 0, 1)),
            (papertrade.InvalidPrice, lambda: self.account.dividend("AAPL", 0)),
            (papertrade.InvalidPrice, lambda: self.account.dividend("AAPL", "x")),
        ):
            with self.subTest(kind=kind.__name__), self.assertRaises(kind) as caught:
                call()
            self.assertIs(type(caught.exception), kind)
            self.assertTrue(str(caught.exception).isprintable())
        self.assertEqual(self.account.summary(), before)

    def test_a_plain_trade_is_refused_as_one_with_a_note_is(self) -> None:
        for arguments in (
            ("", 1, 1), ("A" * 33, 1, 1), ("A\0B", 1, 1), ("Ä", 1, 1), ("A\ud800", 1, 1), ("aapl!", 1, 1), (5, 1, 1), (["A"], 1, 1),
            ("AAPL", 0, 1), ("AAPL", -1, 1), ("AAPL", float("nan"), 1), ("AAPL", float("inf"), 1), ("AAPL", 10**9, 1),
            ("AAPL", 1e300, 1), ("AAPL", 0.0000078, 1), ("AAPL", True, 1), ("AAPL", "x", 1), ("AAPL", None, 1),
            ("AAPL", 1, 0), ("AAPL", 1, -0.5), ("AAPL", 1, float("nan")), ("AAPL", 1, float("inf")), ("AAPL", 1, 10**400),
            ("AAPL", 1, "150.1234567"), ("AAPL", 1, False), ("AAPL", 1, 999999999.9999999), ("AAPL", "0.000001", "0.1"),
            ("AAPL", 100, 150),
        ):
            for call in (self.account.buy, self.account.sell):
                with self.subTest(arguments=arguments, call=call.__name__):
                    refusals = []
                    for keywords in ({}, {"note": "x"}):
                        with self.assertRaises((papertrade.PaperTradeError, TypeError)) as caught:
                            call(*arguments, **keywords)  # type: ignore[arg-type]
                        refusals.append((type(caught.exception), caught.exception.args, str(caught.exception)))
                    self.assertEqual(refusals[0], refusals[1])

    def test_a_plain_trade_is_recorded_as_one_with_a_note_is(self) -> None:
        pairs = [[call("AAPL", "0.25", 100.5, **keywords) for keywords in ({}, {"note": "x"})] for call in (
            self.account.buy, self.account.sell)]
        for plain, noted in pairs:
            for name in ("side", "type", "symbol", "shares", "price", "notional", "commission", "total", "repeated", "provisional"):
                self.assertEqual(getattr(plain, name), getattr(noted, name), name)

    def test_a_repeated_request_returns_the_first_outcome(self) -> None:
        first = self.account.buy("AAPL", 10, 100, request_id="order-1")
        again = self.account.buy("AAPL", 10, 100, request_id="order-1")
        self.assertTrue(again.repeated)
        self.assertEqual(again.seq, first.seq)
        self.assertEqual(self.account.cash, 9000)
        with self.assertRaises(papertrade.RequestConflict) as caught:
            self.account.buy("AAPL", 11, 100, request_id="order-1")
        self.assertEqual(caught.exception.seq, first.seq)

    def test_an_earlier_request_can_be_found(self) -> None:
        self.account.buy("AAPL", 10, 100, request_id="trade")
        self.account.deposit(5, request_id="pocket money")
        trade, deposit = self.account.find_request("trade"), self.account.find_request("pocket money")
        self.assertIsInstance(trade, Fill)
        self.assertEqual((trade.type, trade.total), ("buy", 1000))
        self.assertIsInstance(deposit, Change)
        self.assertEqual((deposit.type, deposit.total, deposit.symbol, deposit.shares), ("deposit", 5, None, None))
        with self.assertRaises(papertrade.NotFound):
            self.account.find_request("never")

    def test_a_change_is_refused_if_the_account_has_moved_on(self) -> None:
        seq = self.account.seq
        self.account.deposit(1, expected_seq=seq)
        with self.assertRaises(papertrade.SeqMismatch) as caught:
            self.account.deposit(1, expected_seq=seq)
        self.assertEqual(caught.exception.seq, seq + 1)

    def test_cash_splits_dividends_and_write_offs(self) -> None:
        self.account.deposit("0.5")
        self.account.withdraw(Decimal("0.25"))
        self.account.buy("AAPL", 3, 100)
        self.account.split("AAPL", 7, 1)
        self.assertEqual(self.account.position("AAPL").shares, 21)
        self.account.dividend("AAPL", Decimal("0.5"))
        self.assertEqual(self.account.cash, Decimal("9710.75"))
        self.account.write_off("AAPL")
        summary = self.account.summary()
        self.assertEqual((summary.position_count, summary.realized_pnl), (0, Decimal("-289.5")))
        self.assertEqual(summary.cash + summary.total_cost, summary.net_deposits + summary.realized_pnl)

    def test_a_reverse_split_that_leaves_only_a_fraction_needs_a_price(self) -> None:
        self.account.buy("AAPL", "0.000001", 1000000)
        with self.assertRaises(papertrade.NeedsPrice):
            self.account.split("AAPL", 1, 10)
        self.account.split("AAPL", 1, 10, cash_in_lieu_price=10000000)
        self.assertEqual(self.account.positions(), [])


@needs_library
class BatchTest(AccountTest):
    def test_a_batch_is_one_commit(self) -> None:
        with self.account.batch() as account:
            self.assertIs(account, self.account)
            self.assertTrue(account.buy("AAPL", 1, 100).provisional)
            account.buy("NVDA", 1, 100)
            with Account(self.path, read_only=True) as other:
                self.assertEqual(other.cash, 10000)
        self.assertEqual(self.account.cash, 9800)
        self.assertEqual([event.more for event in self.account.history()[-2:]], [True, False])

    def test_an_exception_rolls_the_batch_back(self) -> None:
        for raised in (KeyError("stop"), KeyboardInterrupt()):
            with self.assertRaises(type(raised)), self.account.batch():
                self.account.buy("AAPL", 1, 100)
                raise raised
        self.assertEqual((self.account.cash, self.account.positions()), (10000, []))

    def test_a_refusal_that_is_caught_does_not_end_the_batch(self) -> None:
        with self.account.batch():
            self.account.buy("AAPL", 1, 100)
            with self.assertRaises(papertrade.InsufficientFunds):
                self.account.buy("AAPL", 1000, 100)
            self.account.buy("AAPL", 1, 100)
        self.assertEqual(self.account.position("AAPL").shares, 2)

    def test_a_batch_in_a_batch_is_misuse_and_leaves_the_outer_one_alone(self) -> None:
        with self.account.batch():
            self.account.buy("AAPL", 1, 100)
            with self.assertRaises(papertrade.Misuse):
                with self.account.batch():
                    self.fail("the inner batch has begun")
        self.assertEqual(self.account.cash, 9900)

    def test_an_account_that_is_closed_in_its_batch_has_changed_nothing(self) -> None:
        with self.assertRaises(papertrade.Closed), self.account.batch():
            self.account.buy("AAPL", 1, 100)
            self.account.close()
        with Account(self.path) as account:
            self.assertEqual(account.cash, 10000)


@needs_library
class StateTest(AccountTest):
    def test_what_other_handles_have_committed_is_seen_at_once(self) -> None:
        with Account(self.path) as other:
            other.buy("AAPL", 1, 100)
            self.assertEqual(self.account.cash, 9900)

    def test_positions_are_ordered_by_symbol_however_many_there_are(self) -> None:
        symbols = [f"S{number:03}" for number in range(150)]
        with self.account.batch():
            for symbol in reversed(symbols):
                self.account.buy(symbol, 1, 1)
        self.assertEqual([position.symbol for position in self.account.positions()], symbols)

    def test_results_are_frozen_and_become_dicts(self) -> None:
        self.account.buy("AAPL", 3, 100, time=NOON)
        position = self.account.position("AAPL")
        self.assertEqual(
            asdict(position),
            {"symbol": "AAPL", "shares": 3, "cost": 300, "cost_basis": 100, "first_purchase_date": NOON},
        )
        with self.assertRaises(FrozenInstanceError):
            position.shares = Decimal(4)  # type: ignore[misc]

    def test_the_account_is_valued_at_given_prices(self) -> None:
        self.account.buy("AAPL", 10, 100)
        self.account.buy("NVDA", 10, 100)
        for quotes in ({"AAPL": Decimal("110.5"), "MSFT": 1}, [("AAPL", 1), ("AAPL", "110.5")]):
            value = self.account.value(quotes)
            self.assertEqual(
                (value.cash, value.market_value, value.total_value, value.unrealized_pnl, value.return_percent, value.unpriced),
                (8000, 2105, 10105, 105, Decimal("1.05"), 1),
            )
        self.assertEqual(self.account.value({}).total_value, 10000)
        with self.assertRaises(papertrade.InvalidPrice):
            self.account.value({"AAPL": -1})

    def test_whatever_has_items_is_quotes(self) -> None:
        class Series:
            """As that of pandas: iterating it gives the prices only."""

            def items(self) -> list[tuple[str, float]]:
                return [("AAPL", 110.5)]

            def __iter__(self) -> Iterator[float]:
                return iter([110.5])

        self.account.buy("AAPL", 10, 100)
        self.assertEqual(self.account.value(Series()).market_value, 1105)

    def test_a_wrong_price_is_refused_in_one_line_that_names_the_symbol(self) -> None:
        for symbol, expected in (("AAPL", "'AAPL'"), ("A\nB", r"'A\nB'"), ("\x1b[31m" * 20, "'" + r"\x1b[31m" * 7 + r"\x1..." )):
            with self.assertRaises(papertrade.InvalidPrice) as caught:
                self.account.value({symbol: "x"})
            self.assertEqual(str(caught.exception), f"price of {expected} is 'x': a number such as \"150.25\" is expected")

    def test_history_is_every_event_with_its_line(self) -> None:
        self.account.buy("AAPL", "0.1", "150.25", request_id="one", note="héllo", time=NOON)
        event = self.account.history()[-1]
        self.assertEqual(
            (event.type, event.symbol, event.shares, event.price, event.request_id, event.note, event.time, event.more),
            ("buy", "AAPL", Decimal("0.1"), Decimal("150.25"), "one", "héllo", NOON, False),
        )
        self.assertEqual((event.data["seq"], event.data["price"]), (event.seq, Decimal("150.25")))
        self.assertIsInstance(event.data["cash"], Decimal)
        self.assertEqual(self.account.history(from_seq=event.seq), [event])
        self.assertEqual(self.account.history(from_seq=event.seq + 1), [])
        asdict(event)

    def test_history_can_be_read_in_pages(self) -> None:
        for _ in range(5):
            self.account.deposit(1)
        everything, pages, page = self.account.history(), [], self.account.history(limit=2)
        while page:
            self.assertLessEqual(len(page), 2)
            pages += page
            page = self.account.history(from_seq=page[-1].seq + 1, limit=2)
        self.assertEqual(pages, everything)
        self.assertEqual(self.account.history(limit=0), [])


@needs_library
class ClockTest(DirectoryTest):
    def test_the_accounts_clock_says_when_a_change_happened(self) -> None:
        now = [NOON]
        with Account(self.directory / "account", clock=lambda: now[0]) as account:
            self.assertEqual(account.buy("AAPL", 1, 1).time, NOON)
            now[0] += timedelta(days=1)
            self.assertEqual(account.buy("AAPL", 1, 1).time, NOON + timedelta(days=1))
            self.assertEqual(account.buy("AAPL", 1, 1, time=NOON).time, NOON)


class AnnotationsTest(unittest.TestCase):
    def test_an_account_or_lock_of_a_subclass_is_one_in_its_blocks_too(self) -> None:
        for method in (Account.__enter__, papertrade.Lock.__enter__, Account.batch, Account.lock):
            with self.subTest(method=method.__qualname__):
                hints = get_type_hints(method)
                self.assertIsInstance(hints.get("self"), TypeVar)
                result = hints["return"]
                self.assertEqual(getattr(result, "__args__", (result,)), (hints["self"],))

    def test_a_judgement_takes_the_name_of_a_confidence_as_that_of_a_signal(self) -> None:
        hints = get_type_hints(papertrade.Analysis)
        self.assertEqual(hints["signal"], Union[papertrade.Signal, str])
        self.assertEqual(hints["confidence"], Union[papertrade.Confidence, str, None])


if __name__ == "__main__":
    unittest.main()
