"""Results whose fields are converted when they are first read: nobody can tell them from those that are made of their fields."""

from __future__ import annotations

import copy
import dataclasses
import gc
import pickle
import unittest
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, asdict, astuple, fields, replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Callable

import papertrade
from papertrade import Fill, Side
from papertrade._results import fill
from papertrade._structs import pt_fill
from support import AccountTest, needs_library

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=timezone.utc)
MADE = Fill(
    seq=7, time=NOON, at=NOON, side=Side.SELL, symbol="AAPL", shares=Decimal(3), price=Decimal("150.25"), notional=Decimal("450.75"),
    commission=Decimal("0.000001"), total=Decimal("450.749999"), realized_pnl=Decimal("-0.5"), cash_after=Decimal("999999999.999999"),
    position_shares=Decimal(0), position_cost=Decimal(0), repeated=True, provisional=False,
)


def read() -> Fill:
    """What MADE is, from C, with nothing read yet."""
    return fill(pt_fill(
        seq=7, time=1772452800123456, at=1772452800123456, side=2, symbol=b"AAPL", shares=3, price=150.25, notional=450.75,
        commission=0.000001, total=450.749999, realized_pnl=-0.5, cash_after=999999999.999999, repeated=1,
    ))


class LazyTest(unittest.TestCase):
    def test_every_view_of_an_unread_result_is_that_of_one_made_of_its_fields(self) -> None:
        views: dict[str, Callable[[Fill], Any]] = {
            "repr": repr, "hash": hash, "asdict": asdict, "astuple": astuple, "vars": vars, "names in order": lambda it: list(vars(it)),
            "type": type, "side": lambda it: it.type, "replace": lambda it: replace(it, seq=8), "copy": copy.copy,
            "deep copy": copy.deepcopy, "itself": lambda it: it,
            **{f"pickle {number}": lambda it, number=number: pickle.loads(pickle.dumps(it, number))
               for number in range(pickle.HIGHEST_PROTOCOL + 1)},
            **{field.name: lambda it, name=field.name: (getattr(it, name), type(getattr(it, name))) for field in fields(Fill)},
        }
        for name, view in views.items():
            with self.subTest(view=name):
                self.assertEqual(view(read()), view(MADE))
                half = read()
                self.assertEqual(half.total, MADE.total)
                self.assertEqual(view(half), view(MADE))

    def test_a_pickle_holds_the_fields_only(self) -> None:
        for number in range(pickle.HIGHEST_PROTOCOL + 1):
            self.assertNotIn(b"pt_fill", pickle.dumps(read(), number))
        self.assertEqual(pickle.dumps(read()), pickle.dumps(read()))

    def test_copies_are_frozen_and_complete(self) -> None:
        for each in (read(), copy.copy(read()), pickle.loads(pickle.dumps(read())), replace(read(), seq=7)):
            with self.assertRaises(FrozenInstanceError):
                each.seq = 8  # type: ignore[misc]
            with self.assertRaises(FrozenInstanceError):
                del each.seq
            self.assertEqual(each.seq, 7)
            self.assertEqual(vars(each), vars(MADE))

    def test_a_field_is_converted_once(self) -> None:
        result = read()
        self.assertIs(result.total, result.total)

    def test_what_is_no_field_is_missing_as_anywhere(self) -> None:
        for result in (read(), MADE):
            with self.assertRaisesRegex(AttributeError, "'Fill' object has no attribute 'profit'"):
                result.profit  # type: ignore[attr-defined]
        with self.assertRaises(AttributeError):
            Fill.seq

    def test_a_dataclass_may_still_extend_it(self) -> None:
        @dataclasses.dataclass(frozen=True)
        class Tagged(Fill):
            tag: str
            total: Decimal

        tagged = Tagged(**vars(read()), tag="mine")
        self.assertEqual((tagged.tag, tagged.total), ("mine", MADE.total))
        with self.assertRaises(TypeError):
            Tagged(**{name: value for name, value in vars(MADE).items() if name != "total"}, tag="total has no default")


@needs_library
class FillTest(AccountTest):
    def test_a_fill_stays_what_it_was_whatever_is_called_afterwards(self) -> None:
        fills = [self.account.buy("AAPL", number, 100) for number in range(1, 11)]
        self.account.sell_all("AAPL", 90)
        with self.assertRaises(papertrade.NoPosition):
            self.account.sell("AAPL", 1, 1)
        self.account.close()
        gc.collect()
        self.assertEqual([(each.shares, each.total, each.symbol) for each in fills], [(n, 100 * n, "AAPL") for n in range(1, 11)])

    def test_fills_of_many_threads_do_not_mix(self) -> None:
        def trade(number: int) -> list[Fill]:
            return [self.account.buy(f"S{number}", number, 1) for _ in range(20)]

        with ThreadPoolExecutor(max_workers=8) as pool:
            for number, fills in enumerate(pool.map(trade, range(1, 9)), start=1):
                for count, each in enumerate(fills, start=1):
                    self.assertEqual((each.symbol, each.shares, each.position_shares), (f"S{number}", number, number * count))

    def test_threads_may_read_one_fill_at_the_same_time(self) -> None:
        for _ in range(20):
            bought = self.account.buy("AAPL", 1, "1.25")
            with ThreadPoolExecutor(max_workers=8) as pool:
                views = list(pool.map(lambda _: (repr(bought), vars(bought)), range(8)))
            self.assertEqual(views, [views[0]] * 8)


if __name__ == "__main__":
    unittest.main()
