"""Account: the open account."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_void_p
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Optional, TypeVar

from . import errors, maintenance
from ._calls import Clock, Log, _logger, call_once, not_called
from ._constants import OK, WAIT_DEFAULT
from ._cycles import Cycles
from ._failures import failure_without_error
from ._library import library
from ._options import Options, reference, to_request
from ._queue import Queue
from ._state import State
from ._structs import pt_error
from ._text import StrPath, to_path
from ._trading import Trading
from ._waiting import ONCE, Waiting
from .amounts import Amount, to_double_or_nan
from .times import Timeout, Wait
from .types import VerifyReport

Self = TypeVar("Self", bound="Account")  # typing has it from Python 3.11 on


class Account(Trading, State, Queue, Cycles):
    """A paper-trading account, open. Use it with `with`, or close() it.

    path           a directory; it and the account in it are created if there is none
    initial_cash   for a new account: 0 to 999,999,999.999999; None: what config.json says, 10000 by default
    create         False: do not create an account where there is none (NoAccount)
    read_only      True: only read. No write permission is needed, nothing is mended, changes are ReadOnly
    durability     "full": acknowledged is on the disk. "process": acknowledged is handed to the system, and survives a crash
                   of the program but not a power cut
    lock_timeout   seconds that changes wait for the lock, then they are Busy; 0 tries once; None waits for ever. Ctrl-C ends
                   the wait within half a second
    account_id     for a new account: 1 to 64 of A-Z a-z 0-9 - _ ; None: random. Set it for reproducible tests
    log            called with a level of the logging module and one line when something was mended or needs attention;
                   None: the logger "papertrade". It may not use this account
    clock          called without arguments for the time of a change whose caller gives none; returns an aware datetime
                   (simulations set it). None: the system's. It may not use this account
    allow_network  True: trust a network file system

    Raises NoAccount, InvalidArgument, InvalidAmount, InvalidConfig, Busy, Corrupt, MissingData, WrongAccount, NewerFormat,
    UnsafeFile, NetworkFileSystem, Permission, ReadOnly, NoSpace, Io; Uncertain if a new account was made, and may not be on the
    disk; LibraryNotFound if there is no shared library.

    Threads: every method may be called from any thread; a batch and a lock belong to the thread that began them. Other Python
    threads run during a call. Processes: a forked child must open the account anew (Forked).

    An exception that `log` or `clock` raises is raised from the call that was running. With `clock` the change is refused;
    with `log` it cannot be stopped, and may have taken effect, as with KeyboardInterrupt: a request_id makes it safe to repeat.
    """

    def __init__(
        self,
        path: StrPath,
        *,
        initial_cash: Optional[Amount] = None,
        create: bool = True,
        read_only: bool = False,
        durability: Literal["full", "process"] = "full",
        lock_timeout: Optional[float] = 10.0,
        account_id: Optional[str] = None,
        log: Optional[Log] = None,
        clock: Optional[Clock] = None,
        allow_network: bool = False,
    ) -> None:
        options = Options(
            initial_cash=initial_cash, create=create, read_only=read_only, durability=durability, lock_timeout=lock_timeout,
            account_id=account_id, log=log, clock=clock, allow_network=allow_network,
        )
        encoded = to_path(path)
        self._library = library()
        self._calls = options.calls
        self._path = Path(os.path.abspath(os.fsdecode(encoded)))
        self._waiting = options.waiting
        self._pid = os.getpid()
        opened = c_void_p()
        try:
            self._calls.call(self._library.pt_open, (encoded, options.struct, byref(opened)), self._waiting)
            self._pointer = opened.value
        except BaseException:
            self._pointer = None
            self._library.pt_close(opened)  # not NULL if `log` or Ctrl-C raised although the account was opened
            raise

    @property
    def path(self) -> Path:
        """The account's directory, absolute."""
        return self._path

    @property
    def closed(self) -> bool:
        return self._pointer is None

    def close(self) -> None:
        """Closes the account: rolls back an open batch, releases the lock, frees everything. Closing it again does nothing.

        Calls of other threads come back first, also from a callback; a lock or batch that another thread has is taken from it.
        Misuse from a callback of this account. In a forked child, where there is nothing to close, it only forgets the account.
        """
        pointer = self._pointer
        if pointer is None:
            return
        statuses: list[int] = []

        def close() -> int:
            call_once(self._library.pt_close, pointer, statuses)
            return statuses[0]

        try:
            self._calls.status(close)
        finally:
            if statuses and statuses[0] != errors.Misuse.status:
                self._pointer = None
        if statuses[0] not in (OK, errors.Forked.status, errors.Closed.status):
            raise self._failure(statuses[0], "cannot be closed from inside one of its callbacks")

    def __enter__(self: Self) -> Self:
        self._opened()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], exception: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        try:
            self.close()
        except errors.PaperTradeError as failure:
            if exception is None:
                raise
            _logger.warning("%s", failure)  # the exception on its way matters more

    def __del__(self, _warn: Any = warnings.warn, _getpid: Any = os.getpid) -> None:
        # The defaults keep what is needed alive while the interpreter shuts down.
        pointer = self._pointer
        if pointer is None or _getpid() != self._pid:
            return
        self._pointer = None
        try:
            _warn(f"the account {self._path} was not closed", ResourceWarning, source=self)
        finally:
            self._library.pt_close(pointer)

    def __repr__(self) -> str:
        return f"<papertrade.Account {str(self._path)!r}{' closed' if self.closed else ''}>"

    # Critical sections

    @contextmanager
    def batch(self: Self, timeout: Timeout = Wait.DEFAULT) -> Iterator[Self]:
        """Many changes, one commit: `with account.batch():` commits at its end, and rolls back if an exception leaves it.

        Takes the lock, waiting `timeout` seconds, and belongs to this thread; other threads and processes wait, and another
        Account of the same directory is WouldDeadlock on this thread if it is to be changed or opened meanwhile. Changes are
        decided at once, against each other's results; fills are provisional until the end. A refusal that is caught inside
        does not end the batch. Not allowed in it (Misuse): batch, reload, reset, backup, execute_queue,
        the cycles. At most 65,536 events.
        """
        milliseconds, waiting = self._wait(timeout)
        began = not_called()
        try:
            self._call("pt_begin", milliseconds, waiting=waiting, error=began)
            yield self
            self._call("pt_commit", waiting=ONCE)
        except BaseException:
            try:
                self._roll_back(began)
            except BaseException:  # Ctrl-C at its beginning
                self._roll_back(began)
                raise
            raise

    def _roll_back(self, began: pt_error) -> None:
        """Nothing to report: if there is no batch any more, it was committed, or nothing of it has happened."""
        if began.status == OK and self._pointer is not None:
            self._calls.status(self._library.pt_rollback, (self._pointer,))

    @contextmanager
    def lock(self: Self, timeout: Timeout = Wait.DEFAULT) -> Iterator[Self]:
        """Makes several calls of this thread one critical section: `with account.lock():`. May be nested.

        Waits `timeout` seconds, then Busy names the holder; None waits for ever; default: lock_timeout of the account. Unlike
        a batch, each change inside is a commit of its own. Another Account of the same directory is WouldDeadlock on this
        thread if it is to be changed or opened meanwhile; with read_only it can be opened.
        """
        milliseconds, waiting = self._wait(timeout)
        taken = not_called()
        statuses: list[int] = []  # of unlocking
        try:
            self._call("pt_account_lock", milliseconds, waiting=waiting, error=taken)
            yield self
            self._unlock(statuses)
        except BaseException:
            # The exception on its way matters more than what may be wrong here.
            try:
                if taken.status == OK and not statuses:
                    self._unlock(statuses)
            except BaseException:  # Ctrl-C at its beginning
                if not statuses:
                    self._unlock(statuses)
                raise
            raise
        if statuses and statuses[0] != OK:
            raise self._failure(statuses[0], "is not locked by this thread")

    def _unlock(self, statuses: list[int]) -> None:
        """An account that was closed inside its block is unlocked."""
        if self._pointer is not None:
            call_once(self._library.pt_account_unlock, self._pointer, statuses)

    def _wait(self, timeout: Timeout) -> tuple[int, Waiting]:
        """Milliseconds for C, and how often to wait for so long."""
        if isinstance(timeout, Wait):
            return WAIT_DEFAULT, self._waiting
        waiting = Waiting(timeout)
        return waiting.milliseconds, waiting

    # The account as a whole

    def reload(self) -> None:
        """Reads config.json and the events of other processes, and publishes portfolio.json again if it is behind or was edited.

        InvalidConfig refuses the file; the accepted rules stay in force.
        """
        self._call("pt_reload")

    def reset(
        self, initial_cash: Optional[Amount] = None, *, request_id: Optional[str] = None,
        expected_seq: Optional[int] = None, time: Optional[datetime] = None, note: Optional[str] = None,
    ) -> None:
        """Starts over with `initial_cash` (None: what config.json says). The journal so far is sealed and kept; seq goes on."""
        request = to_request(request_id, expected_seq, time, note)
        self._call("pt_reset", to_double_or_nan(initial_cash, "initial_cash", errors.InvalidAmount), reference(request))

    def backup(self, destination: StrPath) -> None:
        """Writes a consistent copy to `destination`, which must not exist or be an empty directory (Exists). It is on the disk when the
        call returns."""
        self._call("pt_backup", to_path(destination, "destination"))

    def verify(self, *, check: bool = True) -> VerifyReport:
        """papertrade.verify of this account's directory."""
        self._opened()
        return maintenance.verify(self._path, check=check)

    def _failure(self, status: int, misuse: str) -> errors.PaperTradeError:
        return failure_without_error(status, f"the account {ascii(str(self._path))}", misuse)
