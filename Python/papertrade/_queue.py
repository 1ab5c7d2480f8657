"""The buy queue: opportunities waiting to be bought."""

from __future__ import annotations

import logging
from ctypes import byref, c_size_t, c_uint64, pointer
from dataclasses import replace
from datetime import datetime
from typing import Any, Callable, Optional, Union

from . import _constants as constants
from . import _results as results
from . import errors
from ._handle import Handle
from ._options import reference, to_request
from ._structs import analyst_fn, pt_analysis, pt_execution, pt_opportunity, pt_queue_entry
from ._text import from_bytes, to_array, to_bytes_or_null, to_symbol
from .amounts import Amount, to_double, to_double_or_nan
from .enums import Confidence, Signal, member
from .times import from_microseconds, to_microseconds_or_now
from .types import Analysis, Execution, QueueEntry

Analyst = Callable[[str, datetime], Optional[Analysis]]
"""Judges a symbol as of a time; None: no opinion."""

_FAILED = -1  # neither PT_OK nor PT_NO_OPINION nor PT_STOPPED

_logger = logging.getLogger("papertrade")


class Queue(Handle):
    """The buy queue of an account. It lives in the same journal as the cash, so that executing it is one commit.

    Entries older than queue.stale_after_hours (24) are removed by the next commit and never returned.
    """

    def enqueue(
        self, symbol: str, score: Amount, signal: Union[Signal, str], price: Optional[Amount] = None, reason: Optional[str] = None,
        *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> int:
        """Queues an opportunity: score 0 to 100, price above zero or None for unknown, reason up to 256 bytes of UTF-8.

        Returns the seq of the event that queued it: the identity of the entry, QueueEntry.seq. The keywords are those of any
        change. AlreadyQueued: there is one entry a symbol. InvalidScore, InvalidSignal, InvalidPrice, InvalidText.
        """
        opportunity = pt_opportunity.init()
        opportunity.symbol = to_symbol(symbol)
        opportunity.score = to_double(score, "score", errors.InvalidScore)
        opportunity.signal = member(Signal, signal, errors.InvalidSignal)
        opportunity.price = to_double_or_nan(price, "price", errors.InvalidPrice)
        opportunity.reason = to_bytes_or_null(reason, "reason", errors.InvalidText)
        request = to_request(request_id, expected_seq, time, note)
        if request is not None:
            opportunity.request = pointer(request)
        seq = c_uint64(0)
        self._call("pt_submit_opportunity", byref(opportunity), byref(seq))
        return seq.value

    def queue(self) -> list[QueueEntry]:
        """The queue in order; changes nothing."""
        return [results.queue_entry(out) for out in self._list("pt_queue", pt_queue_entry)]

    def dequeue_all(self) -> list[QueueEntry]:
        """Takes everything out of the queue and returns it, in one commit."""
        return [results.queue_entry(out) for out in self._list("pt_dequeue_all", pt_queue_entry)]

    def clear_queue(
        self, *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> int:
        """Empties the queue; returns how many entries it had."""
        removed = c_size_t(0)
        request = to_request(request_id, expected_seq, time, note)
        self._call("pt_clear_queue", byref(removed), reference(request))
        return removed.value

    def execute_queue(self, analyst: Analyst) -> list[Execution]:
        """Asks the analyst about each entry, then in one commit buys or rejects every entry; returns what became of each.

        `analyst(symbol, time)` returns an Analysis, or None for no opinion. It is asked once about each symbol, without the lock,
        and may make reading calls on this account; changes are Misuse.

        An Exception that it raises, or an Analysis that cannot be used, fails that symbol only (REJECTED_NO_ANALYSIS): it is
        logged, and kept as `error` in the Execution. Anything else, such as KeyboardInterrupt, is raised from here with nothing
        changed; the analyst is not asked again.
        """
        judged: dict[str, Optional[Analysis]] = {}
        raised: dict[str, Exception] = {}

        def on_symbol(_context: Optional[int], symbol: bytes, time: int, out: Any) -> int:
            # C asks again whenever the call is made again: when it was Busy, or the queue has become longer.
            name = from_bytes(symbol)
            if name in raised:
                return _FAILED
            try:
                if name not in judged:
                    judged[name] = _checked(analyst(name, from_microseconds(time)), from_microseconds(time))
                analysis = judged[name]
                if analysis is None:
                    return constants.NO_OPINION
                _fill_in(out.contents, analysis)
                return constants.OK
            except Exception as exception:
                raised[name] = exception
                _logger.warning("the analyst failed for %s", name, exc_info=exception)
                return _FAILED
            except BaseException as exception:
                self._calls.keep(exception)
                return errors.Stopped.status

        callback = analyst_fn(on_symbol)
        count = c_size_t(0)
        self._call("pt_execute_queue", callback, None, None, 0, byref(count))
        outs = self._list("pt_execute_queue", pt_execution, callback, None, capacity=count.value + 16)
        return [results.execution(out, raised) for out in outs]


def _checked(analysis: Optional[Analysis], asked_at: datetime) -> Optional[Analysis]:
    """The judgement with its time, which must not become later while the call waits for the lock."""
    if analysis is None:
        return None
    if not isinstance(analysis, Analysis):
        raise TypeError(f"the analyst returned a {type(analysis).__name__}: an Analysis is expected, or None")
    return replace(analysis, time=asked_at if analysis.time is None else analysis.time)


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
