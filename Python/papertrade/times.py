"""Moments: aware datetimes in Python, microseconds since 1970-01-01 00:00:00 UTC in C. Whole numbers throughout, no floats."""

from __future__ import annotations

import math
import numbers
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Optional, Union

from . import errors
from ._constants import TIME_NOW
from ._failures import refusal
from ._text import shown


class Wait(Enum):
    """How long to wait for a lock, where it is not a number of seconds."""

    DEFAULT = "as long as the account or lock was opened with"


Timeout = Union[float, None, Wait]
"""Seconds; None: for ever."""

_epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
_microsecond = timedelta(microseconds=1)
_longest = 10**12  # seconds; far from overflowing milliseconds in 64 bits


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime of any time zone. InvalidTime without a zone; C checks the years."""
    if not isinstance(moment, datetime):
        raise TypeError(f"a datetime is expected for a time, not a {type(moment).__name__}")
    if moment.utcoffset() is None:
        raise refusal(
            errors.InvalidTime,
            f"the time {moment.isoformat()} has no time zone: give it one, such as .replace(tzinfo=timezone.utc)",
        )
    return int((moment - _epoch) // _microsecond)


def to_microseconds_or_now(moment: Optional[datetime]) -> int:
    """The same, with None for "now, by the account's clock"."""
    return TIME_NOW if moment is None else to_microseconds(moment)


def from_microseconds(microseconds: int) -> datetime:
    """The datetime, in UTC."""
    return _epoch + timedelta(microseconds=microseconds)


def to_milliseconds(seconds: float, name: str = "timeout", otherwise: str = "") -> int:
    """A time span for C: seconds, 0 or more, rounded up to milliseconds so that a short wait is not none.

    Any real number will do, numpy's among them. `otherwise` is for the refusal: what may be given besides.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, numbers.Real):
        raise TypeError(f"{name} is a {type(seconds).__name__}: a number of seconds is expected{otherwise}")
    if not 0 <= seconds <= _longest:
        raise refusal(errors.InvalidArgument, f"{name} is {shown(seconds)}: 0 to {_longest} seconds are expected{otherwise}")
    return math.ceil(float(seconds) * 1000)
