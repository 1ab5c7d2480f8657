"""What the tests share: the header, a fresh directory for each test, and whether there is a library to test."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Optional

REPOSITORY = Path(__file__).resolve().parents[2]
HEADER = REPOSITORY / "include" / "papertrade.h"
PACKAGE = REPOSITORY / "Python"
sys.path.insert(0, str(PACKAGE))  # also without PYTHONPATH

import papertrade  # noqa: E402


def header_without_comments() -> str:
    """What the library has. The function that an analyst's library defines stands behind #ifdef PT_ANALYST_LIBRARY."""
    text = re.sub(r"/\*.*?\*/", " ", HEADER.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"^#ifdef PT_ANALYST_LIBRARY$.*?^#endif$", "", text, flags=re.DOTALL | re.MULTILINE)


def header_defines() -> dict[str, str]:
    """Every constant: name -> what it is defined as. Macros that initialise, and the include guard, are none."""
    found = re.findall(r"^#define (PT_\w+)[ \t]+(\S.*?)[ \t]*$", header_without_comments(), flags=re.MULTILINE)
    return {name: value for name, value in found if not name.endswith("_INIT")}


def header_statuses() -> dict[str, int]:
    """The statuses: the only constants that are bare three-digit numbers with a place in a range."""
    text = HEADER.read_text(encoding="utf-8")
    start, end = text.index("#define PT_OK 0"), text.index("const char *pt_status_name")
    return {name: int(number) for name, number in re.findall(r"^#define (PT_\w+) (\d+)", text[start:end], flags=re.MULTILINE)}


def library_is_missing() -> bool:
    """True only where nobody claims that there is one: a PAPERTRADE_LIBRARY that does not load fails the tests."""
    try:
        papertrade.library_version()
    except papertrade.LibraryNotFound:
        if os.environ.get("PAPERTRADE_LIBRARY"):
            raise
        return True
    return False


needs_library = unittest.skipIf(library_is_missing(), "libpapertrade was not found: set PAPERTRADE_LIBRARY")


def compiler() -> str:
    found = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if found is None:
        raise unittest.SkipTest("there is no C compiler")
    return found


def run_python(*arguments: str, timeout: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
    """Another process with this interpreter and this package; its output as text."""
    merged = {**os.environ, "PYTHONPATH": str(PACKAGE), **environment}
    return subprocess.run(
        [sys.executable, *arguments], env=merged, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
        universal_newlines=True,
    )


def in_another_thread(call: Callable[[], Any]) -> Any:
    """What `call` returns there; raises here what it raises there."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(call).result()


class DirectoryTest(unittest.TestCase):
    """A test with a fresh directory, self.directory."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="papertrade-test-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)


class AccountTest(DirectoryTest):
    """A test with an open account of 10,000, self.account, in self.path."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.directory / "account"
        self.account = papertrade.Account(self.path, initial_cash=10000)
        self.addCleanup(self.account.close)


def utc(text: str) -> datetime:
    """A moment: "2014-06-02 13:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


class CycleTest(DirectoryTest):
    """A test with a monitor and a trader on one account of 10,000, at self.now, a Monday at 10:00 in New York.

    Both ask self.analyst, who thinks what self.opinions says: symbol -> Analysis, None, or an exception to raise.
    """

    def setUp(self) -> None:
        super().setUp()
        self.path = self.directory / "account"
        self.now = utc("2014-06-02 14:00")
        self.log: list[str] = []
        self.monitor = self.opened(initial_cash=10000)
        self.trader = self.opened()
        self.opinions: dict[str, Any] = {}

    def opened(self, **options: Any) -> papertrade.Account:
        account = papertrade.Account(
            self.path, clock=lambda: self.now, log=lambda level, line: self.log.append(line), **options)
        self.addCleanup(account.close)
        return account

    def analyst(self, symbol: str, time: datetime) -> Optional[papertrade.Analysis]:
        opinion = self.opinions.get(symbol)
        if isinstance(opinion, BaseException):
            raise opinion
        answer: Optional[papertrade.Analysis] = opinion
        return answer

    def configure(self, **config: Any) -> None:
        """Writes config.json, as editors do: a new file that takes the name."""
        new = self.directory / "new"
        new.write_text(json.dumps(config))
        new.rename(self.path / "config.json")

    def monitoring(self, time: str, **options: Any) -> papertrade.Cycle:
        self.now = utc(time)
        return self.monitor.monitoring_cycle(self.analyst, **options)

    def trading(self, time: str, **options: Any) -> papertrade.Cycle:
        self.now = utc(time)
        return self.trader.trading_cycle(self.analyst, **options)

    def commit_of(self, cycle: papertrade.Cycle) -> list[dict[str, Any]]:
        """The events of a cycle's commit, its own record left out."""
        events = self.trader.history(cycle.first_seq)
        return [event.data for event in events if event.seq < cycle.seq]

    def assert_verifies(self) -> None:
        self.assertEqual(papertrade.verify(self.path, check=False).first_problem, "")
