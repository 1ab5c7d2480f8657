"""Lock: a lock on a file of your own, exclusive between processes and between threads."""

from __future__ import annotations

import os
import time
import warnings
from ctypes import byref, c_int32, c_void_p
from threading import get_ident
from types import TracebackType
from typing import Any, Optional, TypeVar

from . import errors
from ._calls import Calls, _logger, call_once, not_called
from ._constants import OK
from ._failures import failure_without_error, refusal
from ._library import library
from ._options import to_unsigned
from ._text import StrPath, to_path
from ._waiting import Waiting
from .times import Timeout, Wait, to_milliseconds

Self = TypeVar("Self", bound="Lock")  # typing has it from Python 3.11 on


class Lock:
    """A lock on the file `path`, which is created if missing and never deleted. `with Lock(path):` acquires and releases it.

    timeout   seconds that acquiring waits, then Busy names the holder's pid and since when; 0 tries once; None waits for ever

    Ctrl-C ends a wait within half a second. The system releases the lock when the process dies, and close() when it is held. Not
    for an account's .lock: Account.lock makes a critical section of an account. Threads may share one. Any thread may release();
    `with` releases what its own thread holds, so leave it in the thread that entered it. A forked child must make its own (Forked).
    Raises Permission, Io; UnsafeFile if the file holds other data, or has another name (a hard link): it is left unchanged.

    Python can also act on Ctrl-C just outside __enter__ and __exit__, where nothing of them runs that could release the lock. One that
    is made for its block, `with Lock(path):`, is released all the same when the exception is done with; another by release() or close().
    """

    _pointer: Optional[int] = None
    _owner: Optional[int] = None  # the thread that holds it

    def __init__(self, path: StrPath, *, timeout: Optional[float] = 10.0) -> None:
        self.path = os.fsdecode(path)
        self.timeout = timeout
        Waiting(timeout)  # refused here rather than at the first acquire
        self._library = library()
        self._calls = Calls()
        self._pid = os.getpid()
        opened = c_void_p()
        self._calls.call(self._library.pt_lock_open, (to_path(path), byref(opened)))
        self._pointer = opened.value

    def acquire(self, timeout: Timeout = Wait.DEFAULT) -> None:
        """Takes the lock within `timeout` seconds (default: the lock's own; None: for ever). Busy, WouldDeadlock."""
        waiting = Waiting(self.timeout if isinstance(timeout, Wait) else timeout)
        pointer = self._opened()
        taken = not_called()
        try:
            self._calls.call(self._library.pt_lock_acquire, (pointer, waiting.milliseconds), waiting, error=taken)
            self._owner = get_ident()
        except BaseException:
            if taken.status == OK:
                self._release(pointer, [])
            raise

    def acquire_retrying(self, *, timeout: float = 1.0, attempts: int = 3, delay: float = 1.0) -> None:
        """Tries `attempts` times, each for `timeout` seconds, with `delay` seconds in between. Busy, WouldDeadlock."""
        to_milliseconds(delay, "delay")
        for left in reversed(range(to_unsigned(attempts, "attempts", least=1, bits=31))):
            try:
                self.acquire(timeout)
                return
            except errors.Busy:
                if left == 0:
                    raise
            time.sleep(delay)  # here rather than in C, so that Ctrl-C ends it

    def release(self) -> None:
        """Releases the lock. Misuse if it is not held."""
        statuses: list[int] = []
        self._release(self._opened(), statuses)
        self._check_released(statuses)

    def close(self) -> None:
        """Releases the lock if it is held, and frees it. Closing it again does nothing."""
        pointer = self._pointer
        if pointer is None:
            return
        statuses: list[int] = []
        try:
            call_once(self._library.pt_lock_close, pointer, statuses)
        finally:
            if statuses:  # if not, it can be closed again
                self._pointer = self._owner = None
        if statuses[0] not in (OK, errors.Forked.status, errors.Closed.status):
            raise self._failure(statuses[0], "cannot be closed")

    @staticmethod
    def is_held(path: StrPath) -> bool:
        """Whether somebody, this process included, holds the lock on `path` now. Does not disturb the holder.

        A file that does not exist is not held.
        """
        held = c_int32(0)
        Calls().call(library().pt_lock_is_held, (to_path(path), byref(held)))
        return held.value != 0

    def __enter__(self: Self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], exception: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        statuses: list[int] = []
        try:
            self._release_own(statuses)
        except BaseException:
            if not statuses:
                self._release_own(statuses)
            raise
        try:
            self._check_released(statuses)
        except errors.PaperTradeError as failure:
            if exception is None:
                raise
            _logger.warning("%s", failure)  # the exception on its way matters more

    def __del__(self, _warn: Any = warnings.warn, _getpid: Any = os.getpid) -> None:
        pointer, self._pointer = self._pointer, None
        if pointer is None or _getpid() != self._pid:
            return
        try:
            if self._owner is not None:
                _warn(f"the lock {self.path} was not released", ResourceWarning, source=self)
        finally:
            self._library.pt_lock_close(pointer)

    def __reduce__(self) -> Any:
        raise TypeError("a lock cannot be copied or sent to another process: make one of the same path there")

    def __repr__(self) -> str:
        return f"<papertrade.Lock {self.path!r}{' closed' if self._pointer is None else ' held' if self._owner is not None else ''}>"

    def _release_own(self, statuses: list[int]) -> None:
        """Nothing if the block has released or closed it, also if another thread has taken it since."""
        pointer = self._pointer
        if pointer is not None and self._owner == get_ident():
            self._release(pointer, statuses)

    def _release(self, pointer: int, statuses: list[int]) -> None:
        """Calls C once, whose status is in `statuses` then. If Ctrl-C comes before that, the lock has its owner still."""
        owner = self._owner
        try:
            self._owner = None  # before C releases it: after that the next owner may have its name here
            call_once(self._library.pt_lock_release, pointer, statuses)
        except BaseException:
            if not statuses:
                self._owner = owner
            raise

    def _check_released(self, statuses: list[int]) -> None:
        if statuses and statuses[0] != OK:
            raise self._failure(statuses[0], "is not held: there is nothing to release")

    def _opened(self) -> int:
        if self._pointer is None:
            raise refusal(errors.Closed, f"the lock {ascii(self.path)} is closed: make a new one")
        return self._pointer

    def _failure(self, status: int, misuse: str) -> errors.PaperTradeError:
        return failure_without_error(status, f"the lock {ascii(self.path)}", misuse)
