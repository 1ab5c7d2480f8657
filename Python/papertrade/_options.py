"""pt_options from the keyword arguments that Account, recover and import_portfolio share; pt_request from those of a change."""

from __future__ import annotations

import operator
from ctypes import byref
from datetime import datetime
from typing import Any, Optional, SupportsIndex

from . import _constants as constants
from . import errors
from ._calls import Calls, Clock, Log
from ._failures import refusal
from ._structs import pt_options, pt_request
from ._text import shown, to_bytes_or_null
from ._waiting import Waiting
from .amounts import Amount, to_double_or_nan
from .times import to_microseconds_or_now

_durabilities = {"full": constants.DURABILITY_FULL, "process": constants.DURABILITY_PROCESS}


class Options:
    """The struct, and the callbacks that must outlive whatever is opened with it."""

    def __init__(
        self,
        *,
        initial_cash: Optional[Amount] = None,
        create: bool = True,
        read_only: bool = False,
        durability: str = "full",
        lock_timeout: Optional[float] = 10.0,
        account_id: Optional[str] = None,
        log: Optional[Log] = None,
        clock: Optional[Clock] = None,
        allow_network: bool = False,
    ) -> None:
        if durability not in _durabilities:
            raise refusal(errors.InvalidArgument, f"durability is {durability!r}: \"full\" or \"process\" is expected")
        self.calls = Calls(log, clock)
        self.waiting = Waiting(lock_timeout, "lock_timeout")
        self.struct = pt_options.init()
        self.struct.flags = (
            (0 if create else constants.OPEN_EXISTING)
            | (constants.OPEN_READ_ONLY if read_only else 0)
            | (constants.OPEN_ALLOW_NETWORK if allow_network else 0)
        )
        self.struct.initial_cash = to_double_or_nan(initial_cash, "initial_cash", errors.InvalidAmount)
        self.struct.lock_timeout_ms = self.waiting.milliseconds
        self.struct.durability = _durabilities[durability]
        self.struct.account_id = to_bytes_or_null(account_id, "account_id", errors.InvalidArgument)
        self.struct.log = self.calls.log
        self.struct.clock = self.calls.clock


def to_request(
    request_id: Optional[str], expected_seq: Optional[int], time: Optional[datetime], note: Optional[str]
) -> Optional[pt_request]:
    """What accompanies a change; None if nothing does."""
    if request_id is None and expected_seq is None and time is None and note is None:
        return None
    request = pt_request.init()
    request.request_id = to_bytes_or_null(request_id, "request_id", errors.InvalidRequestId)
    if expected_seq is not None:
        request.expected_seq = to_unsigned(expected_seq, "expected_seq", 1)  # 0 would mean "any" in C
    request.time = to_microseconds_or_now(time)
    request.note = to_bytes_or_null(note, "note", errors.InvalidText)
    return request


def reference(struct: Any) -> Any:
    """A pointer to the struct for one call; NULL for None."""
    return None if struct is None else byref(struct)


def to_unsigned(number: SupportsIndex, name: str, least: int = 0, bits: int = 64) -> int:
    """A whole number that fits, numpy's among them; ctypes would cut one that does not."""
    try:
        if isinstance(number, bool):
            raise TypeError
        whole = operator.index(number)
    except TypeError:
        raise TypeError(f"{name} is a {type(number).__name__}: an int is expected") from None
    if not least <= whole < 2**bits:
        raise refusal(errors.InvalidArgument, f"{name} is {shown(whole)}: {least} to {2**bits - 1} is expected")
    return whole
