"""The changes: trades, cash, and what companies do."""

from __future__ import annotations

from ctypes import pointer
from datetime import datetime
from math import isinf
from typing import Any, Optional, Union

from . import _results as results
from . import errors
from ._constants import ALL_SHARES, OK
from ._failures import failure, refusal
from ._handle import Handle
from ._options import reference, to_request
from ._structs import pt_error, pt_fill, pt_order
from ._text import to_symbol
from .amounts import Amount, to_double, to_double_or_nan
from .enums import Side, member
from .types import Fill


class Trading(Handle):
    """Changes of an account. Each one takes the lock, reads what others have committed, decides, and commits: all of it or nothing.

    All of them accept, by keyword:
      request_id    makes the change safe to repeat: 1 to 64 bytes. The same id with the same content returns the first
                    outcome and changes nothing; with other content it is RequestConflict
      expected_seq  refuse with SeqMismatch unless this is the account's last seq
      time          when it happened, an aware datetime; default: the account's clock. One ahead of the clock makes nothing in
                    the queue older
      note          kept with the event: up to 256 bytes of UTF-8
    All of them can raise, besides what is listed: InvalidArgument and its kinds, SeqMismatch, RequestConflict, OutOfRange,
    EnvironmentProblem and its kinds (Busy, NoSpace, ReadOnly ...), DataError and its kinds, Uncertain, Closed, Forked.
    """

    def buy(
        self, symbol: str, shares: Amount, price: Amount, *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> Fill:
        """Buys `shares` of `symbol` at `price`, both above zero. It costs shares x price + commission.

        InsufficientFunds, TotalIsZero.
        """
        if request_id is None and expected_seq is None and time is None and note is None:
            return self._trade(self._library.pt_buy, symbol, shares, price)
        return self._submit(Side.BUY, symbol, _finite(shares), price, request_id, expected_seq, time, note)

    def sell(
        self, symbol: str, shares: Amount, price: Amount, *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> Fill:
        """Sells `shares` of `symbol` at `price`. Their cost is their part of the position's cost (average cost).

        NoPosition, InsufficientShares, TotalIsZero.
        """
        if request_id is None and expected_seq is None and time is None and note is None:
            return self._trade(self._library.pt_sell, symbol, shares, price)
        return self._submit(Side.SELL, symbol, _finite(shares), price, request_id, expected_seq, time, note)

    def sell_all(
        self, symbol: str, price: Amount, *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> Fill:
        """Sells the whole position at `price`, however large it is by then. NoPosition, TotalIsZero."""
        return self._submit(Side.SELL, symbol, ALL_SHARES, price, request_id, expected_seq, time, note)

    def submit(
        self, side: Union[Side, str], symbol: str, shares: Amount, price: Amount, *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> Fill:
        """A buy or a sale: `side` is a Side, "buy" or "sell"; `shares` of a sale may be papertrade.ALL_SHARES."""
        known = member(Side, side, errors.InvalidArgument)
        double = to_double(shares, "shares", errors.InvalidShares)
        return self._submit(known, symbol, double, price, request_id, expected_seq, time, note)

    def _trade(self, function: Any, symbol: str, shares: Amount, price: Amount) -> Fill:
        """pt_buy or pt_sell, for a trade that nothing accompanies: filling in a pt_order takes longer than all that is here."""
        shares = _finite(shares)
        encoded = to_symbol(symbol)
        price = to_double(price, "price", errors.InvalidPrice)
        out, error = pt_fill(), pt_error()
        status = self._calls.status(function, (self._opened(), encoded, shares, price, out, error), self._waiting)
        if status != OK:
            raise failure(status, error)
        return results.fill(out)

    def _submit(
        self, side: Side, symbol: str, shares: float, price: Amount, request_id: Optional[str],
        expected_seq: Optional[int], time: Optional[datetime], note: Optional[str],
    ) -> Fill:
        order = pt_order.init()
        order.side = side
        order.symbol = to_symbol(symbol)
        order.shares = shares
        order.price = to_double(price, "price", errors.InvalidPrice)
        request = to_request(request_id, expected_seq, time, note)
        if request is not None:
            order.request = pointer(request)
        out = pt_fill()
        self._call("pt_submit", order, out)
        return results.fill(out)

    def deposit(
        self, amount: Amount, *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> None:
        """Adds cash; `amount` is above zero."""
        request = to_request(request_id, expected_seq, time, note)
        self._call("pt_deposit", to_double(amount, "amount", errors.InvalidAmount), reference(request))

    def withdraw(
        self, amount: Amount, *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> None:
        """Takes cash; `amount` is above zero. InsufficientFunds."""
        request = to_request(request_id, expected_seq, time, note)
        self._call("pt_withdraw", to_double(amount, "amount", errors.InvalidAmount), reference(request))

    def split(
        self, symbol: str, new_shares: Amount, old_shares: Amount, cash_in_lieu_price: Optional[Amount] = None, *,
        request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> None:
        """Turns every `old_shares` shares of `symbol` into `new_shares`: 7 and 1 for 7:1, 1 and 10 for a reverse split.

        What a millionth of a share cannot hold is paid at `cash_in_lieu_price`, a price after the split; without one it is
        dropped, or NeedsPrice if nothing else is left. NoPosition, InvalidRatio.
        """
        request = to_request(request_id, expected_seq, time, note)
        self._call(
            "pt_split",
            to_symbol(symbol),
            to_double(new_shares, "new_shares", errors.InvalidRatio),
            to_double(old_shares, "old_shares", errors.InvalidRatio),
            to_double_or_nan(cash_in_lieu_price, "cash_in_lieu_price", errors.InvalidPrice),
            reference(request),
        )

    def dividend(
        self, symbol: str, per_share: Amount, *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> None:
        """Credits a cash dividend of `per_share`, above zero, on the shares held; it is realized P&L.

        NoPosition, InvalidPrice, TotalIsZero.
        """
        request = to_request(request_id, expected_seq, time, note)
        double = to_double(per_share, "per_share", errors.InvalidPrice)
        self._call("pt_dividend", to_symbol(symbol), double, reference(request))

    def write_off(
        self, symbol: str, *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> None:
        """Removes a worthless position; its cost becomes a realized loss. NoPosition."""
        request = to_request(request_id, expected_seq, time, note)
        self._call("pt_write_off", to_symbol(symbol), reference(request))


def _finite(shares: Amount) -> float:
    """Infinity means "all" in an order; a calculation that went wrong must not sell everything."""
    double = to_double(shares, "shares", errors.InvalidShares)
    if isinf(double):
        raise refusal(errors.InvalidShares, f"shares is {double}: a finite number is expected; sell_all sells everything")
    return double
