"""Calls C functions: turns statuses into exceptions, and brings the exceptions of callbacks home.

An exception cannot travel through C, and ctypes would print and forget it. So every callback keeps it for the call that is
running on its thread, stops that call where C lets it, and the call raises it when it comes back.
"""

from __future__ import annotations

import logging
import signal
import threading
from datetime import datetime
from types import FrameType
from typing import Any, Callable, Optional

from . import _constants as constants
from ._constants import OK
from ._failures import failure
from ._structs import clock_fn, log_fn, pt_error
from ._text import from_bytes
from ._waiting import ONCE, Waiting
from .errors import Busy
from .times import to_microseconds

Log = Callable[[int, str], None]
"""Takes a level of the logging module and one line."""

Clock = Callable[[], datetime]

_logger = logging.getLogger("papertrade")
_levels = {constants.LOG_INFO: logging.INFO, constants.LOG_WARNING: logging.WARNING}
_busy = Busy.status
_no_time = -1  # before 1970: C refuses the change


def not_called() -> pt_error:
    """An error whose status is OK from the moment that the call has succeeded, and not before.

    What takes a lock needs it: Ctrl-C, or an exception of `log`, can come between C's success and any line of Python.
    """
    return pt_error(status=-1)


def call_once(function: Any, pointer: int, statuses: list[int]) -> None:
    """Appends the status of function(pointer) to `statuses`, which is empty until the call was made, and not from then on.

    What releases a lock needs it: after Ctrl-C that must be made up for if it was not done, and not be done twice, because by then
    the lock may be another thread's, or a block's around this one. Python acts on Ctrl-C between its own steps; this is one to it.
    """
    statuses.extend(map(function, (pointer,)))


class _Running(threading.local):
    """The call that is running on this thread: what its callbacks have raised. None if there is no call."""

    raised: Optional[list[BaseException]] = None


class Calls:
    """The C functions as seen from one Account or Lock, and the callbacks that they may call. Any thread."""

    def __init__(self, log: Optional[Log] = None, clock: Optional[Clock] = None) -> None:
        for name, function in (("log", log), ("clock", clock)):
            if function is not None and not callable(function):
                raise TypeError(f"{name} is a {type(function).__name__}: a callable is expected, or None")
        self._log = log if log is not None else _logger.log
        self._clock = clock
        self._running = _Running()
        # ctypes frees a callback together with these, so this object must live as long as the handle.
        self.log = log_fn(self._on_log)
        self.clock = clock_fn(self._on_clock) if clock is not None else clock_fn()

    def status(
        self, function: Any, arguments: tuple[Any, ...] = (), waiting: Waiting = ONCE, callback: Optional[Callable[..., int]] = None
    ) -> int:
        """Calls the function, while it is Busy as often as `waiting` says, and returns its status.

        Raises what a callback has raised meanwhile. `callback` is one that C calls besides `log` and `clock`.
        """
        running = self._running
        outer = running.raised  # a callback may make a reading call
        raised: list[BaseException] = []
        running.raised = raised
        undo: list[Callable[[], None]] = []
        try:
            if callback is not None or self._clock is not None:
                self._hear_interrupts(callback, undo)
            for _ in waiting.pieces:
                status: int = function(*arguments)
                if status != _busy or raised:
                    break
        finally:
            running.raised = outer
            try:
                for stop_hearing in undo:
                    stop_hearing()
            except BaseException:  # Ctrl-C at its beginning
                for stop_hearing in undo:
                    stop_hearing()
                raise
        if raised:
            try:
                raise raised[0]
            finally:
                raised.clear()  # the exception's traceback holds this frame, which would hold the exception
        return status

    def call(
        self, function: Any, arguments: tuple[Any, ...], waiting: Waiting = ONCE, accepted: tuple[int, ...] = (),
        error: Optional[pt_error] = None, callback: Optional[Callable[..., int]] = None,
    ) -> int:
        """Calls function(arguments..., error). Raises unless the status is OK or accepted.

        `error` shows, if something else is raised, whether the call had succeeded: see not_called.
        """
        if error is None:
            error = pt_error()
        status = self.status(function, (*arguments, error), waiting, callback)
        if status == OK or status in accepted:
            return status
        raise failure(status, error)

    def keep(self, exception: BaseException) -> None:
        """Called in a callback: the call that is running on this thread is to raise `exception`. The first one counts."""
        raised = self._running.raised
        if raised is not None:
            raised.append(exception)

    @property
    def interrupted(self) -> bool:
        """In a callback: whether something was kept. A callback that can stop its call does so then."""
        return bool(self._running.raised)

    def _hear_interrupts(self, callback: Optional[Callable[..., int]], undo: list[Callable[[], None]]) -> None:
        """Keeps what the handler of SIGINT raises in a callback's own frame, until what it adds to `undo` is called.

        Python acts on Ctrl-C also before a function's first line, where no `try` is. ctypes would forget the exception, and return
        to C whatever happens to stand in memory. Anywhere else the handler raises as ever.
        """
        if threading.current_thread() is not threading.main_thread():
            return  # it is not interrupted
        before = signal.getsignal(signal.SIGINT)
        if not callable(before):
            return
        codes = [function.__code__ for function in (callback, self._on_log, self._on_clock) if function is not None]

        def hear(number: int, frame: Optional[FrameType]) -> None:
            if frame is None or frame.f_code not in codes:
                before(number, frame)
                return
            try:
                before(number, frame)
            except BaseException as exception:
                self.keep(exception)

        def stop_hearing() -> None:
            if signal.getsignal(signal.SIGINT) is hear:
                signal.signal(signal.SIGINT, before)

        undo.append(stop_hearing)
        try:
            signal.signal(signal.SIGINT, hear)
        except ValueError:  # not the main interpreter
            pass

    def _on_log(self, _context: Optional[int], level: int, message: bytes) -> None:
        try:
            self._log(_levels.get(level, logging.WARNING), from_bytes(message))
        except BaseException as exception:
            self.keep(exception)

    def _on_clock(self, _context: Optional[int]) -> int:
        try:
            assert self._clock is not None
            time = to_microseconds(self._clock())
            return _no_time if self.interrupted else time
        except BaseException as exception:
            self.keep(exception)
            return _no_time
