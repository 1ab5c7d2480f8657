"""PaperTrade: a paper-trading account that any number of programs can use at the same time.

An account is a directory of plain JSON. C, Python and Swift programs open the same one, and it stays right: every change is made
under a file lock after reading what the others have done, is refused or takes effect whole, and is acknowledged only when
it is on the disk.

    >>> import papertrade
    >>> with papertrade.Account("my-account", initial_cash=10000) as account:
    ...     fill = account.buy("AAPL", 40, "150.00")
    ...     print(f"{fill.symbol}: {fill.shares} shares for {fill.total}, cash is now {account.cash}")
    ...     try:
    ...         account.buy("NVDA", 1000, 120)
    ...     except papertrade.InsufficientFunds:
    ...         print("refused, nothing has changed")
    AAPL: 40 shares for 6000, cash is now 4000
    refused, nothing has changed

Amounts    Shares, prices and money go in as int, Decimal, str, Fraction or float, and come out as Decimal; both are exact to the
           millionth, up to 999,999,999.999999. What is more precise is refused, never rounded; but a float is taken as the nearest
           millionth, and refused if that changes it by more than a ten-thousandth of itself. See papertrade.amounts.
Times      Aware datetimes; naive ones are refused. Time spans are seconds.
Errors     PaperTradeError and one class for every status of C, named after it. See papertrade.errors.
Library    The shared library libpapertrade is loaded when it is first needed: from the file that the environment variable
           PAPERTRADE_LIBRARY names, else from beside this package, else from the system. Without it `import papertrade` works, and
           the first Account raises LibraryNotFound, an ImportError.
"""

from ._analyst import Analyst
from ._constants import ALL_SHARES
from ._library import LibraryNotFound, library_version, status_name
from ._state import Quotes
from ._version import VERSION as __version__
from .account import Account
from .amounts import Amount
from .enums import Confidence, CycleKind, CycleOutcome, Outcome, Side, Signal
from .errors import (
    AlreadyQueued, BufferTooSmall, Busy, Closed, Corrupt, DataError, EnvironmentProblem, Exists, FailedHandle,
    Forked, InsufficientFunds, InsufficientShares, InvalidAmount, InvalidArgument, InvalidConfig, InvalidImport,
    InvalidPrice, InvalidRatio, InvalidRequestId, InvalidScore, InvalidShares, InvalidSignal, InvalidSymbol,
    InvalidText, InvalidTime, Io, MissingData, Misuse, NeedsPrice, NetworkFileSystem, NewerFormat, NoAccount,
    NoMemory, NoPosition, NoSpace, NotFound, OutOfRange, PaperTradeError, Permission, ReadOnly, Refused, Replaced,
    RequestConflict, SeqMismatch, Stopped, TooPrecise, TotalIsZero, Uncertain, UnsafeFile, WouldDeadlock,
    WrongAccount,
)
from .lock import Lock
from .maintenance import import_portfolio, recover, verify
from .times import Timeout, Wait
from .types import (
    Analysis, Change, Cycle, Event, Execution, Fill, ImportReport, KnownSignal, Position, QueueEntry, RecoverReport, Summary,
    Valuation, VerifyReport,
)

__all__ = [
    "ALL_SHARES", "Account", "Amount", "Analysis", "Analyst", "Change", "Confidence", "Cycle", "CycleKind", "CycleOutcome",
    "Event", "Execution", "Fill", "ImportReport", "KnownSignal", "LibraryNotFound", "Lock", "Outcome", "Position",
    "QueueEntry", "Quotes", "RecoverReport", "Side", "Signal", "Summary", "Timeout", "Valuation", "VerifyReport", "Wait",
    "__version__", "import_portfolio", "library_version", "recover", "status_name", "verify",
    "AlreadyQueued", "BufferTooSmall", "Busy", "Closed", "Corrupt", "DataError", "EnvironmentProblem", "Exists",
    "FailedHandle", "Forked", "InsufficientFunds", "InsufficientShares", "InvalidAmount", "InvalidArgument",
    "InvalidConfig", "InvalidImport", "InvalidPrice", "InvalidRatio", "InvalidRequestId", "InvalidScore",
    "InvalidShares", "InvalidSignal", "InvalidSymbol", "InvalidText", "InvalidTime", "Io", "MissingData", "Misuse",
    "NeedsPrice", "NetworkFileSystem", "NewerFormat", "NoAccount", "NoMemory", "NoPosition", "NoSpace", "NotFound",
    "OutOfRange", "PaperTradeError", "Permission", "ReadOnly", "Refused", "Replaced", "RequestConflict",
    "SeqMismatch", "Stopped", "TooPrecise", "TotalIsZero", "Uncertain", "UnsafeFile", "WouldDeadlock",
    "WrongAccount",
]
