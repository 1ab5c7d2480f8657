"""What is done to an account directory rather than to an open account: verify, recover, import."""

from __future__ import annotations

from typing import Literal, Optional

from . import _results as results
from ._calls import Calls, Clock, Log
from ._library import library
from ._options import Options
from ._structs import pt_import_report, pt_recover_report, pt_verify_report
from ._text import StrPath, to_path
from .amounts import Amount
from .errors import DataError
from .types import ImportReport, RecoverReport, VerifyReport


def verify(path: StrPath, *, check: bool = True) -> VerifyReport:
    """Proves the account in the directory `path` from its journals; takes no lock and changes nothing.

    Every checksum and link, every event computed again from the one before, the invariant after each, and portfolio.json
    against the result. A problem is raised as the DataError of its kind (Corrupt, MissingData ...); with check=False it is in
    the report instead, as with subprocess.run.
    """
    report = pt_verify_report()
    encoded = to_path(path)
    calls = Calls()
    try:
        calls.call(library().pt_verify, (encoded, report))
    except DataError as error:
        if check:
            raise
        return results.verify_report(report, error.status)
    return results.verify_report(report, 0)


def recover(
    path: StrPath,
    *,
    durability: Literal["full", "process"] = "full",
    lock_timeout: Optional[float] = 10.0,
    log: Optional[Log] = None,
    clock: Optional[Clock] = None,
    allow_network: bool = False,
) -> RecoverReport:
    """Rescues a damaged account: takes the longest good part of the journal, or portfolio.json where that is newer and whole.

    Starts a new generation that says what it rests on. Every old file is kept under another name; events after the damage are
    lost to the account. When nothing was wrong nothing is changed, and seq is 0. The keywords are those of Account.
    """
    options = Options(durability=durability, lock_timeout=lock_timeout, log=log, clock=clock, allow_network=allow_network)
    report = pt_recover_report()
    options.calls.call(library().pt_recover, (to_path(path), options.struct, report), options.waiting)
    return results.recover_report(report)


def import_portfolio(
    path: StrPath,
    old_portfolio_json: StrPath,
    *,
    initial_cash: Optional[Amount] = None,
    durability: Literal["full", "process"] = "full",
    lock_timeout: Optional[float] = 10.0,
    account_id: Optional[str] = None,
    log: Optional[Log] = None,
    clock: Optional[Clock] = None,
    allow_network: bool = False,
) -> ImportReport:
    """Makes a new account in `path` from the files of the Python system that this library descends from.

    `old_portfolio_json` names paper_portfolio.json; transaction_log.json and buy_queue.json are taken from beside it if they
    exist. The originals are not changed. Exists if `path` holds an account, InvalidImport with file, line and reason. The
    keywords are those of Account.
    """
    options = Options(
        initial_cash=initial_cash, durability=durability, lock_timeout=lock_timeout, account_id=account_id, log=log,
        clock=clock, allow_network=allow_network,
    )
    report = pt_import_report()
    old = to_path(old_portfolio_json, "old_portfolio_json")
    options.calls.call(library().pt_import, (to_path(path), old, options.struct, report), options.waiting)
    return results.import_report(report)
