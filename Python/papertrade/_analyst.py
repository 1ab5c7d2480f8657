"""Analysts: the callables that judge symbols, as C calls them."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from datetime import datetime
from typing import Any, Callable, Optional

from . import _constants as constants
from . import errors
from ._calls import Calls
from ._structs import analyst_fn, pt_analysis
from ._text import from_bytes, to_array
from .amounts import to_double, to_double_or_nan
from .enums import Confidence, Signal, member
from .times import from_microseconds, to_microseconds_or_now
from .types import Analysis

Analyst = Callable[[str, datetime], Optional[Analysis]]
"""Judges a symbol as of a time; None: no opinion."""

_FAILED = -1  # neither PT_OK nor PT_NO_OPINION nor PT_STOPPED

_logger = logging.getLogger("papertrade")


class Interview:
    """One analyst, asked for one call of Account. C asks again whenever the call is made again: when it was Busy, or the queue has
    become longer. The analyst is asked once about each symbol all the same.
    """

    def __init__(self, analyst: Analyst, calls: Calls) -> None:
        if not callable(analyst):
            raise TypeError(f"analyst is a {type(analyst).__name__}: a callable is expected")
        self.raised: dict[str, Exception] = {}  # symbol -> what the analyst raised for it
        self._judged: dict[str, Optional[Analysis]] = {}
        self._analyst = analyst
        self._calls = calls
        self.callback = analyst_fn(self.on_symbol)

    def on_symbol(self, _context: Optional[int], symbol: bytes, time: int, out: Any) -> int:
        """As C calls it."""
        try:
            status = self._ask(from_bytes(symbol), time, out.contents)
            return errors.Stopped.status if self._calls.interrupted else status
        except BaseException as exception:
            self._calls.keep(exception)
            return errors.Stopped.status

    def _ask(self, name: str, time: int, out: pt_analysis) -> int:
        if name in self.raised:
            return _failed(out, self.raised[name])
        try:
            if name not in self._judged:
                asked_at = from_microseconds(time)
                self._judged[name] = _checked(self._analyst(name, asked_at), asked_at)
            analysis = self._judged[name]
            if analysis is None:
                return constants.NO_OPINION
            _fill_in(out, analysis)
            return constants.OK
        except Exception as exception:
            self.raised[name] = exception
            _logger.warning("the analyst failed for %s", name, exc_info=exception)
            return _failed(out, exception)


def _checked(analysis: Optional[Analysis], asked_at: datetime) -> Optional[Analysis]:
    """The judgement with its time, which must not become later while the call waits for the lock."""
    if analysis is None:
        return None
    if not isinstance(analysis, Analysis):
        raise TypeError(f"the analyst returned a {type(analysis).__name__}: an Analysis is expected, or None")
    return replace(analysis, time=asked_at if analysis.time is None else analysis.time)


def _failed(out: pt_analysis, exception: Exception) -> int:
    """What C returns for a symbol that the analyst failed on; the reason is for the record."""
    line = traceback.format_exception_only(type(exception), exception)[-1].strip()  # str(exception) might raise, too
    cut = line.encode("utf-8", "replace")[: constants.TEXT_MAX]
    out.reason = cut.decode("utf-8", "ignore").encode("utf-8")
    return _FAILED


def _fill_in(out: pt_analysis, analysis: Analysis) -> None:
    """Writes the judgement for C; raises before C could see half of it."""
    signal = int(member(Signal, analysis.signal, errors.InvalidSignal))
    confidence = 0 if analysis.confidence is None else int(member(Confidence, analysis.confidence, errors.InvalidArgument))
    out.reason = to_array(analysis.reason, "reason", constants.TEXT_MAX)
    out.sector = to_array(analysis.sector, "sector", constants.SECTOR_MAX)
    out.score = to_double(analysis.score, "score", errors.InvalidScore)
    out.price = to_double(analysis.price, "price", errors.InvalidPrice)
    out.shares = to_double_or_nan(analysis.shares, "shares", errors.InvalidShares)
    out.amount = to_double_or_nan(analysis.amount, "amount", errors.InvalidAmount)
    out.time = to_microseconds_or_now(analysis.time)
    out.confidence = confidence
    out.signal = signal
