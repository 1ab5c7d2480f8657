"""What every part of Account stands on: the open handle, calls on it, and lists read from it."""

from __future__ import annotations

import ctypes
import os
from ctypes import byref, c_size_t
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

from . import errors
from ._calls import Calls
from ._failures import refusal
from ._structs import pt_error
from ._waiting import Waiting

Struct = TypeVar("Struct", bound=ctypes.Structure)


class Handle:
    """A pt_account that may be closed."""

    _library: ctypes.CDLL
    _calls: Calls
    _path: Path
    _waiting: Waiting
    _pid: int
    _pointer: Optional[int] = None

    def _opened(self) -> int:
        if self._pointer is None:
            raise refusal(errors.Closed, f"the account {ascii(os.fspath(self._path))} is closed: open it anew")
        return self._pointer

    def _call(
        self, name: str, *arguments: Any, waiting: Optional[Waiting] = None, accepted: tuple[int, ...] = (),
        error: Optional[pt_error] = None, callback: Optional[Callable[..., int]] = None,
    ) -> int:
        """Calls the function `name`(account, arguments..., error); while it is Busy, as often as `waiting` or the account says."""
        return self._calls.call(
            getattr(self._library, name), (self._opened(), *arguments), self._waiting if waiting is None else waiting, accepted,
            error, callback,
        )

    def _list(
        self, name: str, struct: type[Struct], *arguments: Any, capacity: int = 64, callback: Optional[Callable[..., int]] = None
    ) -> list[Struct]:
        """The list that `name`(account, arguments..., out, capacity, &count, error) fills, however long it is."""
        count = c_size_t(0)
        while True:
            out = (struct * capacity)()
            status = self._call(
                name, *arguments, out, capacity, byref(count), accepted=(errors.BufferTooSmall.status,), callback=callback,
            )
            if status == 0:
                return out[: count.value]
            capacity = count.value + 16  # it may have grown again by the next call

    def __reduce__(self) -> Any:
        raise TypeError("an open account cannot be copied or sent to another process: send its path, and open it there")
