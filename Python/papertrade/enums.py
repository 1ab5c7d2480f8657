"""The enumerations of papertrade.h. Where a call takes one it also takes its name: "STRONG BUY", "buy"."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TypeVar, Union

from . import errors
from ._failures import refusal


class _Named(IntEnum):
    """Prints as its name with spaces, as in the account's files; compares as a number."""

    def __str__(self) -> str:
        return self.name.replace("_", " ")

    def __format__(self, specification: str) -> str:
        return format(str(self), specification)


class Signal(_Named):
    """A recommendation, weakest first: Signal.WEAK_BUY < Signal.BUY. Prints as "WEAK BUY"."""

    SELL = 1
    WEAK_SELL = 2
    HOLD = 3
    WEAK_BUY = 4
    BUY = 5
    STRONG_BUY = 6


class Side(_Named):
    """Which way a trade goes."""

    BUY = 1
    SELL = 2


class Confidence(_Named):
    """How sure an analyst is."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Outcome(_Named):
    """What became of a queued opportunity: bought, or why not."""

    BOUGHT = 0
    REJECTED_NO_ANALYSIS = 1  # the analyst had no opinion, failed, answered nonsense, or its judgement is too old
    REJECTED_STALE = 2        # older than queue.stale_after_hours
    REJECTED_SCORE_DROP = 3   # the score fell by more than queue.max_score_drop
    REJECTED_DOWNGRADE = 4    # the signal is no longer BUY or STRONG BUY
    REJECTED_SIZE = 5         # the analyst gave no usable size, or the amount does not buy one share
    REJECTED_FUNDS = 6        # the cash does not cover it
    REJECTED_CHANGED = 7      # the entry changed while the analyst was thinking: left for the next run
    REJECTED_RULE = 8         # another rule of the account refused the buy; the message says which
    # By the rules of the cycles only:
    REJECTED_LOW_SCORE = 9         # below trading.min_score
    REJECTED_MAX_POSITIONS = 10    # limits.max_positions are held
    REJECTED_TRADES_PER_HOUR = 11  # the cycles have made limits.trades_per_hour within the hour
    REJECTED_POSITION_LIMIT = 12   # the position is at limits.max_position_percent
    REJECTED_SECTOR_LIMIT = 13     # its sector would be beyond limits.max_sector_percent
    REJECTED_CASH_RESERVE = 14     # it would leave less than limits.cash_reserve_percent in cash
    REJECTED_MIN_HOLDING = 15      # an exit: held for less than limits.min_holding_days
    REJECTED_ALREADY_QUEUED = 16   # an upgrade: its symbol is in the queue
    REJECTED_JUST_SOLD = 17        # the same cycle has sold its symbol

    @classmethod
    def _missing_(cls, value: object) -> Outcome:
        return cls.REJECTED_RULE  # one that is newer than this package; the queue has been executed, so this must not raise


class CycleKind(_Named):
    """The two cycles: the monitor watches signals while the market is open, the trader acts once a session."""

    MONITORING = 1
    TRADING = 2


class CycleOutcome(_Named):
    """What came of one run of a cycle."""

    DONE = 0
    SKIPPED = 1  # nothing to do: the market is closed, the session's cycle was done, system_active is false
    FAILED = 2


Kind = TypeVar("Kind", bound=_Named)


def member(kind: type[Kind], value: Union[Kind, str], invalid: type[errors.PaperTradeError]) -> Kind:
    """The member that `value` is or names: Signal.STRONG_BUY, "STRONG BUY", "strong_buy"."""
    if isinstance(value, kind):
        return value
    if isinstance(value, str):
        found = kind.__members__.get(value.upper().replace(" ", "_"))
        if found is not None:
            return found
    name = re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower()  # "cycle kind"
    known = ", ".join(str(each) for each in kind)
    shown = ascii(value) if isinstance(value, str) else repr(value)
    raise refusal(invalid, f"{name} is {shown[:60]}: one of {known} is expected")
