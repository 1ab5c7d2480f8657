"""Shares, prices and money: Decimal in Python, a double that stands for whole millionths in C, exact in both directions.

In:  int, Decimal, str ("150.25") and Fraction must be whole millionths of at most 999,999,999.999999 either way. They are checked
     here, in exact arithmetic, and refused with TooPrecise or with InvalidShares, InvalidPrice ... as C would refuse them.
     float goes to C as it is, which takes the nearest millionth and refuses what is too far from one. numpy's and other numbers
     count as what they register as. bool is a TypeError: True is not a price.
Out: Decimal without trailing zeros and never with an exponent: 40 prints as "40", 150.25 as "150.25". NaN is None.
"""

from __future__ import annotations

import math
import numbers
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Optional, Union

from . import errors
from ._constants import AMOUNT_MAX
from ._failures import refusal
from ._text import shown

Amount = Union[int, float, Decimal, str, Fraction]
"""What is accepted wherever an amount is."""

MILLIONTHS = 1_000_000
LARGEST = 10**15 - 1  # in millionths; a double holds every whole number up to here and beyond
LARGEST_WHOLE = LARGEST // MILLIONTHS

_number = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?", re.ASCII)
_exact = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[])  # of our own: the caller's may round, or trap
_millionth = Decimal("0.000001")


def to_double(value: Amount, name: str, invalid: type[errors.InvalidArgument]) -> float:
    """The double that C takes for `value`. `name` and `invalid` are for the refusal: "price", InvalidPrice."""
    kind = type(value)
    if kind is float or kind is int and -LARGEST_WHOLE <= value <= LARGEST_WHOLE:  # type: ignore[operator]
        return float(value)
    return _to_double(value, name, invalid)


def _to_double(value: Amount, name: str, invalid: type[errors.InvalidArgument]) -> float:
    """The same for what takes longer: bool and subclasses among it."""
    if isinstance(value, bool):
        raise TypeError(f"{name} is {value}: a number is expected, not a bool")
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        return _of_millionths(int(value) * MILLIONTHS, value, name, invalid)
    if isinstance(value, Decimal):
        return _of_decimal(value, value, name, invalid)
    if isinstance(value, str):
        if not _number.fullmatch(value):
            raise refusal(invalid, f"{name} is {shown(value)}: a number such as \"150.25\" is expected")
        return _of_decimal(Decimal(value), value, name, invalid)
    if isinstance(value, numbers.Rational):  # Fraction, numpy's integers
        return _of_fraction(Fraction(int(value.numerator), int(value.denominator)), value, name, invalid)
    if isinstance(value, numbers.Real):  # numpy's floats
        return float(value)
    raise TypeError(f"{name} is a {type(value).__name__}: an int, Decimal, str, float or Fraction is expected")


def _of_decimal(number: Decimal, given: object, name: str, invalid: type[errors.InvalidArgument]) -> float:
    if not number.is_finite():
        raise refusal(invalid, f"{name} is {shown(given)}: a finite number is expected")
    if number and number.adjusted() > 9:  # before anything writes out 1E+999999999
        raise _too_large(given, name, invalid)
    rounded = number.quantize(_millionth, context=_exact)
    if rounded != number:
        raise _too_precise(given, name)
    return _of_millionths(int(rounded.scaleb(6, context=_exact)), given, name, invalid)


def _of_fraction(number: Fraction, given: object, name: str, invalid: type[errors.InvalidArgument]) -> float:
    millionths = number * MILLIONTHS
    if abs(millionths) > LARGEST:
        raise _too_large(given, name, invalid)
    if millionths.denominator != 1:
        raise _too_precise(given, name)
    return _of_millionths(millionths.numerator, given, name, invalid)


def _of_millionths(millionths: int, given: object, name: str, invalid: type[errors.InvalidArgument]) -> float:
    if abs(millionths) > LARGEST:
        raise _too_large(given, name, invalid)
    return millionths / MILLIONTHS  # correctly rounded, so it is the double nearest to the decimal


def to_double_or_nan(value: Optional[Amount], name: str, invalid: type[errors.InvalidArgument]) -> float:
    """The same, with None for "not given", which C calls NaN. A NaN of the caller's is a calculation that went wrong."""
    if value is None:
        return math.nan
    double = to_double(value, name, invalid)
    if math.isnan(double):
        raise refusal(invalid, f"{name} is NaN: a number is expected, or None for none")
    return double


def from_double(double: float) -> Decimal:
    """The amount that a double of C stands for. Decimal("NaN") for NaN, which C gives only where from_double_or_nan is used."""
    if double.is_integer():
        return Decimal(int(double))
    if math.isnan(double):
        return Decimal("NaN")
    return Decimal(f"{double:.6f}".rstrip("0"))


def from_double_or_nan(double: float) -> Optional[Decimal]:
    """The same, with NaN as None."""
    return None if math.isnan(double) else from_double(double)


def _too_precise(given: object, name: str) -> errors.PaperTradeError:
    return refusal(errors.TooPrecise, f"{name} is {shown(given)}: at most 6 decimals are kept exactly; round it first")


def _too_large(given: object, name: str, invalid: type[errors.InvalidArgument]) -> errors.PaperTradeError:
    return refusal(invalid, f"{name} is {shown(given)}: the largest amount is {AMOUNT_MAX}")
