"""The buy queue: opportunities waiting to be bought."""

from __future__ import annotations

from ctypes import byref, c_size_t, c_uint64, pointer
from datetime import datetime
from typing import Optional, Union

from . import _results as results
from . import errors
from ._analyst import Analyst, Interview
from ._handle import Handle
from ._options import reference, to_request
from ._structs import pt_execution, pt_opportunity, pt_queue_entry
from ._text import to_bytes_or_null, to_symbol
from .amounts import Amount, to_double, to_double_or_nan
from .enums import Signal, member
from .types import Execution, QueueEntry


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
        interview = Interview(analyst, self._calls)
        count = c_size_t(0)
        self._call("pt_execute_queue", interview.callback, None, None, 0, byref(count), callback=interview.on_symbol)
        outs = self._list(
            "pt_execute_queue", pt_execution, interview.callback, None, capacity=count.value + 16, callback=interview.on_symbol)
        return [results.execution(out, interview.raised) for out in outs]
