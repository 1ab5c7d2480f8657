"""Reading an account. These calls change nothing and take no lock, but for find_request."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import byref
from decimal import Decimal
from typing import Any, Optional, Protocol, Union, runtime_checkable

from . import _results as results
from . import errors
from ._handle import Handle
from ._options import to_unsigned
from ._structs import event_fn, pt_account_summary, pt_fill, pt_position_info, pt_quote, pt_valuation
from ._text import shown, to_bytes, to_symbol
from .amounts import Amount, to_double
from .types import Change, Event, Fill, Position, Summary, Valuation


@runtime_checkable
class SupportsItems(Protocol):
    """A dict or any other mapping, a Series of pandas."""

    def items(self) -> Iterable[tuple[str, Amount]]: ...


Quotes = Union[SupportsItems, Iterable[tuple[str, Amount]]]


class State(Handle):
    """The state of an account. Each call first reads what other processes have committed since.

    Inside a batch its own thread sees the provisional state. All of them can raise Closed, Forked, Io, Corrupt, MissingData,
    Replaced.
    """

    def summary(self) -> Summary:
        """The account in one row."""
        out = pt_account_summary()
        self._call("pt_summary", byref(out))
        return results.summary(out)

    @property
    def cash(self) -> Decimal:
        """The cash now: one call of summary()."""
        return self.summary().cash

    @property
    def seq(self) -> int:
        """The number of the account's last event now: one call of summary()."""
        return self.summary().seq

    def position(self, symbol: str) -> Position:
        """What is held of `symbol`. NoPosition."""
        out = pt_position_info()
        self._call("pt_position", to_symbol(symbol), byref(out))
        return results.position(out)

    def positions(self) -> list[Position]:
        """Everything that is held, ordered by symbol."""
        return [results.position(out) for out in self._list("pt_positions", pt_position_info)]

    def value(self, quotes: Quotes) -> Valuation:
        """The account at the given prices: {"AAPL": Decimal("151.20")}, a Series of pandas, or pairs. A price of 0 is worthless.

        Quotes for what is not held are ignored; of two for one symbol the last counts. InvalidPrice, InvalidSymbol.
        """
        pairs = list(quotes.items() if isinstance(quotes, SupportsItems) else quotes)
        array = (pt_quote * len(pairs))()
        for quote, (symbol, price) in zip(array, pairs):
            quote.symbol = to_symbol(symbol)
            quote.price = to_double(price, f"price of {shown(symbol)}", errors.InvalidPrice)
        out = pt_valuation()
        self._call("pt_value", array if pairs else None, len(pairs), byref(out))
        return results.valuation(out)

    def history(self, from_seq: int = 1, limit: Optional[int] = None) -> list[Event]:
        """Every committed event from `from_seq` on (1: from the beginning), in order, through sealed journals too.

        At most `limit` of them: for a long history ask for the next page with from_seq = events[-1].seq + 1.
        """
        first = to_unsigned(from_seq, "from_seq")
        most = None if limit is None else to_unsigned(limit, "limit")
        events: list[Event] = []
        if most == 0:
            return events

        def on_event(_context: Optional[int], event: Any) -> int:
            try:
                events.append(results.event(event.contents))
                return 1 if len(events) == most or self._calls.interrupted else 0
            except BaseException as exception:
                self._calls.keep(exception)
                return 1

        self._call("pt_history", first, event_fn(on_event), None, accepted=(errors.Stopped.status,), callback=on_event)
        return events

    def find_request(self, request_id: str) -> Union[Fill, Change]:
        """The outcome of an earlier request: a Fill for a trade, a Change for anything else.

        NotFound if it never happened, or is older than the last 65,536 events. An event that is not known to be on the disk yet is
        confirmed first, under the lock and with a sync: then also Busy, WouldDeadlock, Uncertain, FailedHandle.
        """
        out = pt_fill()
        self._call("pt_find_request", to_bytes(request_id, "request_id", errors.InvalidRequestId), byref(out))
        return results.fill_or_change(out)
