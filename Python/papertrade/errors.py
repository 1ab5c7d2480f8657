"""The exceptions: one for every status of papertrade.h, named after it (PT_NO_POSITION is NoPosition).

Five of them are the ranges that statuses come in, and the bases of the others: Refused, InvalidArgument, EnvironmentProblem,
DataError, Uncertain. A status that is newer than this package raises the class of its range. Nothing has changed, except with
Uncertain, where that is not known, and that a cycle leaves the record of its failure.
"""

from __future__ import annotations

from typing import Optional


class PaperTradeError(Exception):
    """What the library refused, or could not do. `str(error)` is one line that says what to do about it.

    status   the number in papertrade.h; on the class: the one that it stands for (0: none, it is a range)
    message  one line of English, control characters escaped
    errno    the system's errno where one was involved, else None
    seq      the event concerned, where there is one, else None
    offset   the byte offset in the file that the message names, else None
    """

    status: int = 0

    def __init__(
        self, status: int, message: str, errno: Optional[int] = None, seq: Optional[int] = None, offset: Optional[int] = None
    ) -> None:
        super().__init__()
        self.args = (status, message, errno, seq, offset)  # what pickle passes to a new one, in another process
        self.status = status
        self.message = message
        self.errno = errno
        self.seq = seq
        self.offset = offset

    def __str__(self) -> str:
        return self.message


# 100-199


class Refused(PaperTradeError):
    """A rule of the account refused the change. Nothing has changed."""


class InsufficientFunds(Refused):
    """The cash does not cover the cost, commission included."""
    status = 101


class InsufficientShares(Refused):
    """The position holds fewer shares than were to be sold."""
    status = 102


class NoPosition(Refused):
    """The symbol is not held."""
    status = 103


class AlreadyQueued(Refused):
    """The symbol is in the buy queue already; `seq` names the entry."""
    status = 104


class SeqMismatch(Refused):
    """`expected_seq` was given and the account has moved on; `seq` is where it is."""
    status = 105


class RequestConflict(Refused):
    """The request_id was used before, for something else; `seq` is that event."""
    status = 106


class TotalIsZero(Refused):
    """The amount of money rounds to zero."""
    status = 107


class OutOfRange(Refused):
    """The account would leave the range of amounts."""
    status = 108


class NotFound(Refused):
    """There is no such request_id, or no such thing to report."""
    status = 109


class NeedsPrice(Refused):
    """The split leaves nothing but a fraction, and no cash-in-lieu price was given."""
    status = 110


# 200-299


class InvalidArgument(PaperTradeError, ValueError):
    """An argument is wrong. Nothing has changed. By itself: an unknown option or constant, or a number out of its bounds."""
    status = 201


class InvalidSymbol(InvalidArgument):
    """Not 1 to 32 characters of A-Z a-z 0-9 . _ - / ^ = :"""
    status = 202


class InvalidShares(InvalidArgument):
    """Not a number, not above zero, or too large."""
    status = 203


class InvalidPrice(InvalidArgument):
    """Not a number, not above zero, or too large."""
    status = 204


class InvalidAmount(InvalidArgument):
    """Not a number, not above zero (negative for initial_cash), or too large."""
    status = 205


class TooPrecise(InvalidArgument):
    """An exact number (Decimal, str, Fraction) is not a whole number of millionths, or a float is far from one."""
    status = 206


class InvalidText(InvalidArgument):
    """A note or reason is longer than 256 bytes, or cannot be UTF-8."""
    status = 207


class InvalidRequestId(InvalidArgument):
    """Longer than 64 bytes, empty, not UTF-8, or containing control characters."""
    status = 208


class InvalidTime(InvalidArgument):
    """A datetime without a time zone, or outside the years 1970 to 9999."""
    status = 209


class InvalidScore(InvalidArgument):
    """Not a number from 0 to 100."""
    status = 210


class InvalidSignal(InvalidArgument):
    """Not one of the six signals."""
    status = 211


class InvalidRatio(InvalidArgument):
    """A side of the split ratio is not above zero, too large, or both are the same."""
    status = 212


class BufferTooSmall(InvalidArgument):
    """Not seen from Python: the package calls again with a larger buffer."""
    status = 213


class Misuse(InvalidArgument):
    """A call that is not allowed now: on the wrong thread, inside a callback, without a batch."""
    status = 214


class Closed(InvalidArgument):
    """The account or lock has been closed."""
    status = 215


# 300-399


class EnvironmentProblem(PaperTradeError):
    """The environment does not allow it. Nothing has changed, but that a cycle leaves the record of its failure."""


class Busy(EnvironmentProblem, TimeoutError):
    """The lock was not free within the timeout; the message names the holder. Also a TimeoutError."""
    status = 301


class WouldDeadlock(EnvironmentProblem):
    """This very process or thread holds the lock in a way that waiting cannot end."""
    status = 302


class Forked(EnvironmentProblem):
    """The account or lock was opened by the parent process: open it anew in the child."""
    status = 303


class ReadOnly(EnvironmentProblem):
    """portfolio.json has no write permission, or the account was opened read_only."""
    status = 304


class NoSpace(EnvironmentProblem):
    """Disk full, quota or file size limit."""
    status = 305


class Io(EnvironmentProblem):
    """The system reported an error; `errno` says which."""
    status = 306


class Permission(EnvironmentProblem, PermissionError):
    """The system denied access. Also a PermissionError."""
    status = 307


class NetworkFileSystem(EnvironmentProblem):
    """Locks and syncs lie on many network file systems: allow_network=True trusts this one."""
    status = 308


class UnsafeFile(EnvironmentProblem):
    """A symbolic link, FIFO, hard link, another user's file, or a directory open to all."""
    status = 309


class NoAccount(EnvironmentProblem, FileNotFoundError):
    """There is no account here, or it is not a directory. Also a FileNotFoundError."""
    status = 310


class Exists(EnvironmentProblem, FileExistsError):
    """The destination exists already. Also a FileExistsError."""
    status = 311


class NoMemory(EnvironmentProblem, MemoryError):
    """Out of memory. Also a MemoryError."""
    status = 312


class Stopped(EnvironmentProblem):
    """Not seen from Python: the exception that stopped the callback is raised instead."""
    status = 313


class Replaced(EnvironmentProblem):
    """The account's directory or journal was moved, deleted or replaced while it was open."""
    status = 314


# 400-499


class DataError(PaperTradeError):
    """The data is not usable. Nothing has changed, but that a cycle leaves the record of its failure."""


class Corrupt(DataError):
    """Acknowledged data is damaged; file, line and offset are in the message. See papertrade.recover."""
    status = 401


class NewerFormat(DataError):
    """Written by a newer version of the library."""
    status = 402


class WrongAccount(DataError):
    """A file of another account is in the directory."""
    status = 403


class MissingData(DataError):
    """Acknowledged events, or the journal itself, are missing."""
    status = 404


class InvalidConfig(DataError):
    """config.json: file, line, key and what was expected are in the message."""
    status = 405


class InvalidImport(DataError):
    """One of the files to import is not usable."""
    status = 406


# 500-599


class Uncertain(PaperTradeError):
    """It is not known whether the change has happened: open the account anew and repeat with the same request_id."""
    status = 501


class FailedHandle(Uncertain):
    """An earlier call on this Account was uncertain: it accepts no more changes. Open the account anew."""
    status = 502
