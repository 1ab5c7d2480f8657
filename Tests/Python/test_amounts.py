"""Amounts and times on their way to C and back; no library needed."""

from __future__ import annotations

import decimal
import math
import os
import random
import unittest
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import support  # noqa: F401 (finds the package)
from papertrade import InvalidAmount, InvalidArgument, InvalidPrice, InvalidTime, TooPrecise, enums, errors
from papertrade._options import to_unsigned
from papertrade._waiting import Waiting
from papertrade.amounts import LARGEST, MILLIONTHS, from_double, from_double_or_nan, to_double
from papertrade.times import from_microseconds, to_microseconds, to_milliseconds


def price(value: object) -> float:
    return to_double(value, "price", InvalidPrice)  # type: ignore[arg-type]


class AmountsInTest(unittest.TestCase):
    def test_exact_numbers_become_the_nearest_double(self) -> None:
        for value, expected in (
            (40, 40.0), (0, 0.0), (-5, -5.0), (Decimal("0.1"), 0.1), (Decimal("150.25"), 150.25), ("150.25", 150.25),
            ("1e3", 1000.0), (".5", 0.5), ("-7.", -7.0), ("+2", 2.0), (Decimal("1E+3"), 1000.0), (Fraction(1, 4), 0.25),
            (Decimal("0.100000000000000000000000000000000000000000000000000000000000000000000000000000"), 0.1),
            (Decimal("0E+20"), 0.0), (Decimal("0E-20"), 0.0), ("999999999.999999", 999999999.999999),
            (Decimal("-999999999.999999"), -999999999.999999), (0.3, 0.3), (math.inf, math.inf),
        ):
            with self.subTest(value=value):
                self.assertEqual(price(value), expected)

    def test_floats_pass_as_they_are(self) -> None:
        for value in (7.6, 0.1 + 0.2, 0.0000078, -0.0, 1e300):
            self.assertEqual(price(value).hex(), value.hex())
        self.assertTrue(math.isnan(price(math.nan)))

    def test_more_than_six_decimals_are_refused_and_never_rounded(self) -> None:
        for value in (
            Decimal("0.0000001"), "0.0000001", Decimal("150.1234567"), "1e-7", Decimal("1E-999999999"), Fraction(1, 3),
            Decimal("999999999.9999991"), Decimal(0.1), "-1.00000000000000000000000000000000000000000000000000000000000000001",
        ):
            with self.subTest(value=str(value)[:40]), self.assertRaises(TooPrecise) as caught:
                price(value)
            self.assertEqual(caught.exception.status, 206)

    def test_what_is_too_large_or_no_number_is_refused_as_c_would_refuse_it(self) -> None:
        for value in (
            Decimal("1000000000"), 10**9, -(10**9), 10**400, 10**5000, "1e999999999", Decimal("1E+999999999"), "1e10", "9999999999",
            Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Fraction(10**9), Fraction(10**5000, 7), "999999999.9999995",
        ):
            with self.subTest(value=ascii(value)[:40] if not isinstance(value, (int, Fraction)) else type(value)):
                expected = TooPrecise if value == "999999999.9999995" else InvalidPrice
                with self.assertRaises(expected) as caught:
                    price(value)
                self.assertLess(len(str(caught.exception)), 200)
                self.assertNotIn("\n", str(caught.exception))

    def test_the_refusal_is_that_of_the_parameter(self) -> None:
        with self.assertRaisesRegex(InvalidAmount, r"^amount is 1000000000: the largest amount is 999999999\.999999$"):
            to_double(10**9, "amount", InvalidAmount)

    def test_strings_that_are_no_numbers_are_refused_with_control_characters_escaped(self) -> None:
        for value in ("", " 1", "1 ", "1,5", "1_000", "NaN", "inf", "0x10", "١٢", "1\n", "12\x1b[31m", "1e", "e5", ".", "--1"):
            with self.subTest(value=value), self.assertRaises(InvalidPrice) as caught:
                price(value)
            self.assertTrue(str(caught.exception).isprintable())

    def test_a_bool_is_no_amount(self) -> None:
        for value in (True, False):
            with self.assertRaises(TypeError):
                price(value)

    def test_other_types_are_refused(self) -> None:
        for value in (None, b"1", [1], 1j, object()):
            with self.subTest(value=value), self.assertRaises(TypeError):
                price(value)

    def test_the_callers_decimal_context_does_not_matter(self) -> None:
        for context in (
            decimal.Context(prec=3), decimal.Context(prec=1, rounding=decimal.ROUND_UP, Emax=3, Emin=-3),
            decimal.Context(prec=9, traps=[decimal.Inexact, decimal.Rounded, decimal.FloatOperation, decimal.Subnormal]),
        ):
            with decimal.localcontext(context):
                self.assertEqual(price(Decimal("123456789.123456")), 123456789.123456)
                self.assertEqual(price("123456789.123456"), 123456789.123456)
                self.assertEqual(str(from_double(123456789.123456)), "123456789.123456")
                with self.assertRaises(TooPrecise):
                    price(Decimal("123456789.1234567"))


class AmountsOutTest(unittest.TestCase):
    def test_a_double_is_the_decimal_that_it_stands_for_without_trailing_zeros(self) -> None:
        for value, expected in (
            (40.0, "40"), (4000.0, "4000"), (150.25, "150.25"), (0.1, "0.1"), (0.000001, "0.000001"), (0.0, "0"), (-0.0, "0"),
            (-7.6, "-7.6"), (-0.5, "-0.5"), (999999999.999999, "999999999.999999"), (100000000.0, "100000000"), (7.6, "7.6"),
        ):
            with self.subTest(value=value):
                self.assertEqual(str(from_double(value)), expected)

    def test_nan_is_none_where_there_may_be_no_amount(self) -> None:
        self.assertIsNone(from_double_or_nan(math.nan))
        self.assertEqual(from_double_or_nan(1.5), Decimal("1.5"))
        self.assertTrue(from_double(math.nan).is_nan())

    def test_every_amount_survives_the_trip_to_c_and_back(self) -> None:
        seed = int(os.environ.get("PAPERTRADE_SEED", random.randrange(2**32)))
        chosen = random.Random(seed)
        edges = [0, 1, 999_999, MILLIONTHS, LARGEST, LARGEST - 1, 10**14, 123_456_789_012_345]
        numbers = edges + [chosen.randint(0, 10 ** chosen.randint(1, 15) - 1) for _ in range(20_000)]
        for millionths in numbers:
            for sign in (1, -1):
                exact = Decimal(sign * millionths).scaleb(-6)
                back = from_double(price(exact))
                if back != exact or from_double(price(str(exact))) != exact or price(Fraction(exact)) != price(exact):
                    self.fail(f"{exact} came back as {back} (PAPERTRADE_SEED={seed})")


class TimesTest(unittest.TestCase):
    def test_aware_datetimes_are_exact_in_both_directions(self) -> None:
        for moment, expected in (
            (datetime(1970, 1, 1, tzinfo=timezone.utc), 0),
            (datetime(2026, 11, 23, 14, 31, 7, 120934, tzinfo=timezone.utc), 1795444267120934),
            (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc), 253402300799999999),
            (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc), -1),
        ):
            self.assertEqual(to_microseconds(moment), expected)
            self.assertEqual(from_microseconds(expected), moment)

    def test_any_time_zone_will_do(self) -> None:
        new_york = timezone(timedelta(hours=-5))
        self.assertEqual(to_microseconds(datetime(1970, 1, 1, tzinfo=new_york)), 5 * 3600 * 10**6)

    def test_a_naive_datetime_is_refused_with_what_to_do(self) -> None:
        with self.assertRaisesRegex(InvalidTime, "no time zone.*tzinfo=timezone.utc"):
            to_microseconds(datetime(2026, 1, 1))

    def test_what_is_no_datetime_is_refused(self) -> None:
        for value in (0, 1.5, "2026-01-01", None):
            with self.assertRaises(TypeError):
                to_microseconds(value)  # type: ignore[arg-type]

    def test_timeouts_are_seconds_rounded_up_to_milliseconds(self) -> None:
        for seconds, expected in (
            (0, 0), (0.0, 0), (10, 10000), (0.25, 250), (0.0001, 1), (1.0001, 1001), (10**12, 10**15), (Fraction(1, 3000), 1),
        ):
            self.assertEqual(to_milliseconds(seconds), expected)  # type: ignore[arg-type]

    def test_timeouts_that_are_none_are_refused(self) -> None:
        for seconds in (-1, -0.001, math.nan, math.inf, 1e300, 10**400, 10**5000, 10**12 + 1):
            with self.assertRaisesRegex(InvalidArgument, "^timeout is .{1,63}: 0 to 1000000000000 seconds are expected$"):
                to_milliseconds(seconds)
            with self.assertRaisesRegex(InvalidArgument, "seconds are expected, or None to wait for ever$"):
                Waiting(seconds)
        for other in (True, "10", Decimal(1), None):
            with self.assertRaises(TypeError):
                to_milliseconds(other)  # type: ignore[arg-type]

    def test_a_wait_is_made_of_equal_pieces_that_are_short_enough_for_ctrl_c(self) -> None:
        for seconds, pieces, milliseconds in ((0, 1, 0), (0.05, 1, 50), (0.5, 1, 500), (0.501, 2, 251), (10, 20, 500)):
            waiting = Waiting(seconds)
            self.assertEqual((len(waiting.pieces), waiting.milliseconds), (pieces, milliseconds))
        self.assertGreater(len(Waiting(None).pieces), 2**31 - 2)


class IntegersTest(unittest.TestCase):
    def test_what_is_an_index_is_an_integer(self) -> None:
        class Eight:
            """As numpy's integers are."""

            def __index__(self) -> int:
                return 8

        for number in (8, Eight()):
            self.assertIs(type(to_unsigned(number, "limit")), int)
            self.assertEqual(to_unsigned(number, "limit"), 8)

    def test_what_is_no_integer_or_does_not_fit_is_refused_by_name(self) -> None:
        class Array:
            def __index__(self) -> int:
                raise TypeError("only one element can be an index")

        for wrong in (True, 1.0, "1", None, Decimal(1), Array()):
            with self.assertRaisesRegex(TypeError, f"^limit is a {type(wrong).__name__}: an int is expected$"):
                to_unsigned(wrong, "limit")  # type: ignore[arg-type]
        for number in (-1, 2**64, 10**5000):
            with self.assertRaisesRegex(InvalidArgument, r"^limit is .{1,63}: 0 to 18446744073709551615 is expected$"):
                to_unsigned(number, "limit")


class EnumsTest(unittest.TestCase):
    def test_signals_print_as_in_the_files_and_compare_by_strength(self) -> None:
        self.assertEqual(
            [str(signal) for signal in enums.Signal], ["SELL", "WEAK SELL", "HOLD", "WEAK BUY", "BUY", "STRONG BUY"]
        )
        self.assertEqual(f"{enums.Signal.STRONG_BUY:>11}|{enums.Side.BUY}", " STRONG BUY|BUY")
        self.assertLess(enums.Signal.WEAK_BUY, enums.Signal.BUY)

    def test_signals_are_accepted_by_name(self) -> None:
        for name in ("STRONG BUY", "strong buy", "STRONG_BUY", enums.Signal.STRONG_BUY):
            self.assertIs(enums.member(enums.Signal, name, errors.InvalidSignal), enums.Signal.STRONG_BUY)

    def test_what_names_no_signal_is_refused_with_the_names_there_are(self) -> None:
        for value in ("", "BUY NOW", "buy\n", 5, 7, None, enums.Side.BUY):
            with self.subTest(value=value), self.assertRaisesRegex(errors.InvalidSignal, "WEAK SELL") as caught:
                enums.member(enums.Signal, value, errors.InvalidSignal)  # type: ignore[arg-type]
            self.assertNotIn("\n", str(caught.exception))

    def test_an_outcome_that_is_newer_than_the_package_is_another_rule(self) -> None:
        self.assertIs(enums.Outcome(99), enums.Outcome.REJECTED_RULE)


if __name__ == "__main__":
    unittest.main()
