"""pt killed at every system call, and every system call of it failing, by strace: what the simulated disk shows of the library holds for
the real calls. PAPERTRADE_EXHAUSTIVE=1 takes all of them, otherwise some are drawn by PAPERTRADE_SEED."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Callable, Optional, Sequence

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "System"))

from files import JOURNAL, PORTFOLIO, lines_of, portfolio_of  # noqa: E402
from support import ENVIRONMENT, REPOSITORY, Account, SystemTest, note, seeded  # noqa: E402

PT = Path(os.environ.get("PT", REPOSITORY / "build" / "pt"))
IS_EXHAUSTIVE = os.environ.get("PAPERTRADE_EXHAUSTIVE") == "1"
SAMPLE = 8
CALLS = (
    "openat newfstatat fstat statx pread64 pwrite64 fdatasync fsync renameat renameat2 unlinkat flock fcntl ftruncate close "
    "sync_file_range mkdir fchmod fstatfs getdents64 prlimit64 getcwd getrandom read mmap munmap madvise futex write exit_group"
).split()
ERRORS = {
    "openat": ["EACCES", "EMFILE", "ENOSPC", "EIO"], "newfstatat": ["EIO", "ENOMEM"], "fstat": ["EIO"], "statx": ["EIO", "ENOMEM"],
    "pread64": ["EIO"], "pwrite64": ["EIO", "ENOSPC", "EDQUOT"], "fdatasync": ["EIO", "ENOSPC"], "fsync": ["EIO", "ENOSPC"],
    "renameat": ["EIO", "ENOSPC", "EACCES"], "renameat2": ["EIO", "ENOSPC", "EACCES", "EINVAL"], "unlinkat": ["EIO", "EACCES"],
    "flock": ["ENOLCK"], "fcntl": ["EAGAIN", "EINVAL"], "ftruncate": ["EIO"], "close": ["EIO"], "sync_file_range": ["EIO"],
    "mkdir": ["ENOSPC"], "fchmod": ["EIO"], "fstatfs": ["EIO"], "getdents64": ["EIO"], "prlimit64": ["EPERM"],
    "getcwd": ["EACCES", "ENOMEM"], "getrandom": ["ENOSYS"], "read": ["EIO"], "mmap": ["ENOMEM"], "munmap": ["EINVAL"],
    "madvise": ["EINVAL"], "futex": ["EAGAIN"],
    "write": ["EIO", "ENOSPC", "EPIPE"], "exit_group": [],
}  # fmt: skip
# What comes of them does not matter.
HARMLESS = ("munmap", "madvise", "futex")
# Without memory a program in Swift ends where it is, as if it were killed.
DEADLY = ("mmap",)
# What other versions of the C library make in place of another one.
ELSEWHERE = {"fstat"}
# They cannot fail, or say only who asks.
LEFT_OUT = {"brk", "getpid", "gettid", "geteuid", "execve"}
UNCERTAIN = 6


@dataclass
class Operation:
    """A command, in whose arguments {place} is the directory around the account."""

    name: str
    arguments: list[str]
    prepare: Callable[[Path], None] = lambda account: None
    look: str = "request"
    """What must hold afterwards. Of a request: its repetition with the same id changes nothing more."""
    is_relative: bool = False
    events: int = 0
    """How many there are when nothing fails."""
    calls: Counter[str] = field(default_factory=Counter)
    """How often it makes each call, the ones of starting the program included."""
    first: Counter[str] = field(default_factory=Counter)
    """How many of those come before it first names the account."""


def share(account: Path) -> None:
    """Each portfolio.json gets the permissions of the one before."""
    (account / PORTFOLIO).chmod(0o640)


def fill_block(account: Path) -> None:
    """Trades until the next one has to extend the journal."""
    with Account(account) as open_account:
        while portfolio_of(account)["journal"]["offset"] < 65536 - 512 - 700:
            open_account.deposit(1, note="n" * 200)
        while portfolio_of(account)["journal"]["offset"] < 65536 - 512 - 330:
            open_account.deposit(1)
    assert (account / JOURNAL).stat().st_size == 65536


def tear(account: Path) -> None:
    """What a process leaves that dies in the middle of its write: half a line, and a published state that is a commit behind."""
    published = (account / PORTFOLIO).read_bytes()
    with Account(account) as open_account:
        open_account.deposit(1)
    (account / PORTFOLIO).write_bytes(published)
    journal = (account / JOURNAL).read_bytes()
    end = len(journal.rstrip(b"\n")) + 1
    with (account / JOURNAL).open("r+b") as file:
        file.seek(end)
        file.write(b'{"seq":9,"at":"2026-11-25T14:36:01.000000Z"')


def interrupt_reset(account: Path) -> None:
    """What a process leaves that dies between the exchange of the journals and the sealing of the old one."""
    traced(["-e", "inject=renameat:signal=SIGKILL:when=1"], account, ["reset"])
    assert (account / f"{JOURNAL}.next").exists()


def damage(account: Path) -> None:
    with Account(account) as open_account:
        for _ in range(3):
            open_account.deposit(1)
    journal = (account / JOURNAL).read_bytes()
    at = journal.index(b'"deposit"')
    (account / JOURNAL).write_bytes(journal[:at] + b"?" + journal[at + 1:])


def old_files(account: Path) -> None:
    shutil.rmtree(account)
    old = account.parent / "old"
    old.mkdir(exist_ok=True)
    (old / "paper_portfolio.json").write_text(
        '{"cash": 4000.0, "positions": {"AAPL": {"shares": 40, "cost_basis": 150.25, "first_purchase_date": "2026-11-02"}}, '
        '"created_at": "2026-11-01T10:00:00"}')


def traced(
    options: list[str], account: Path, arguments: list[str], log: Optional[Path] = None, is_relative: bool = False,
) -> subprocess.CompletedProcess[str]:
    command = ["strace", "-f", "-qq", "-o", str(log or os.devnull), *options, *command_of(account, arguments, is_relative)]
    return run(command, account)


def pt(account: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(command_of(account, arguments), account)


def command_of(account: Path, arguments: Sequence[str], is_relative: bool = False) -> list[str]:
    rest = [argument.format(place=account.parent) for argument in arguments[1:]]
    return [str(PT), arguments[0], "--account", account.name if is_relative else str(account), *rest]


def run(command: list[str], account: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=ENVIRONMENT, timeout=60, cwd=account.parent)


def is_acknowledged(result: subprocess.CompletedProcess[str]) -> bool:
    """Whether `pt` said that it is done, whatever became of it then."""
    return bool(result.stdout.strip()) or result.returncode == 0


OPERATIONS = [
    Operation("commit", ["buy", "AAPL", "1", "150", "--request-id", "once"], share),
    Operation("reset", ["reset", "--cash", "5", "--request-id", "once"]),
    Operation("extension", ["deposit", "7", "--request-id", "once", "--note", "n" * 200], fill_block),
    Operation("recovery", ["deposit", "7", "--request-id", "once"], tear),
    Operation("finishing a reset", ["deposit", "7", "--request-id", "once"], interrupt_reset),
    Operation("recover", ["recover"], damage, look="recovery"),
    Operation("create", ["init", "--cash", "5"], shutil.rmtree, look="creation", is_relative=True),
    Operation("import", ["import", "{place}/../old/paper_portfolio.json"], old_files, look="creation"),
    Operation("backup", ["backup", "{place}/copy"], look="backup"),
]


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class SystemCallsTest(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.random = seeded()
        self.guard = Lock()
        self.wrong: list[str] = []
        self.acknowledged = self.uncertain = self.missed = 0
        self.points: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()

    def test_killed_at_any_system_call_pt_loses_nothing_it_acknowledged_and_repeats_nothing(self) -> None:
        started = time.monotonic()
        for operation, template in self.templates():
            points = [(call, "signal=SIGKILL", number, "") for call in CALLS for number in self.numbers(operation, call)]
            self.check_all(operation, template, points, is_killed=True)
        self.report("strace-kill", "points", "lost", started, set(CALLS))
        if IS_EXHAUSTIVE:
            self.assertGreater(self.acknowledged, 0, "nobody was killed after an acknowledgement: nothing shows that it holds")

    def test_whatever_system_call_fails_pt_says_what_happened(self) -> None:
        started = time.monotonic()
        for operation, template in self.templates():
            points = [
                (call, f"error={error}", number, for_ever) for call in CALLS for error in ERRORS[call] for for_ever in ("", "+")
                for number in self.numbers(operation, call)
            ]  # fmt: skip
            self.check_all(operation, template, points, is_killed=False)
        self.report("strace-errors", "points", "wrong", started, {call for call in CALLS if ERRORS[call]})

    def numbers(self, operation: Operation, call: str) -> range:
        """The calls of it that are made for the account."""
        return range(operation.first[call] + 1, operation.calls[call] + 1)

    def check_all(self, operation: Operation, template: Path, points: list[tuple[str, str, int, str]], is_killed: bool) -> None:
        """Checks the points, or some of them, on each processor some."""
        self.points.update(point[0] for point in points)
        drawn = points if IS_EXHAUSTIVE or len(points) <= SAMPLE else self.random.sample(points, SAMPLE)
        places: SimpleQueue[Path] = SimpleQueue()
        for number in range(os.cpu_count() or 1):
            places.put(self.place(number))

        def check(point: tuple[str, str, int, str]) -> None:
            place = places.get()
            try:
                self.check(operation, template, place, *point, is_killed=is_killed)
            finally:
                places.put(place)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(check, drawn):
                pass

    def place(self, number: int) -> Path:
        place = self.directory / str(number)
        place.mkdir(exist_ok=True)
        return place

    def templates(self):
        """Each operation with the account it starts from, after its calls have been counted."""
        for operation in OPERATIONS:
            template = self.directory / "template"
            shutil.rmtree(template, ignore_errors=True)
            with Account(template, initial_cash=10_000):
                pass
            operation.prepare(template)
            # A new file is made until its inode lies apart from others, so the number of calls differs from run to run: the most of a few.
            operation.calls = Counter()
            for _ in range(4):
                operation.calls |= self.count_calls(operation, template)
            operation.events = len(self.events(self.place(0) / "account" / JOURNAL))
            yield operation, template

    def count_calls(self, operation: Operation, template: Path) -> Counter[str]:
        account, log = self.copy(template, self.place(0)), self.directory / "log"
        finished = traced([], account, operation.arguments, log, operation.is_relative)
        self.assertEqual(finished.returncode, 0, f"{operation.name}: {finished.stderr}")
        calls, operation.first = Counter(), Counter()
        is_inside = False
        for line in log.read_text(errors="replace").splitlines():
            match = re.match(r"\d+ +(\w+)\(", line)
            if match and match[1] != "execve":
                is_inside = is_inside or match[1] == "getcwd" or str(self.directory) in line
                calls[match[1]] += 1
                if not is_inside:
                    operation.first[match[1]] += 1
        self.assertTrue(is_inside, f"{operation.name} never opens the account")
        unknown = {call for call in calls if calls[call] > operation.first[call]} - set(CALLS) - LEFT_OUT
        self.assertEqual(unknown, set(), f"{operation.name}: calls that nobody is killed at")
        return calls

    def copy(self, template: Path, place: Path) -> Path:
        for name in ("account", "copy", "another"):
            shutil.rmtree(place / name, ignore_errors=True)
        return Path(shutil.copytree(template, place / "account")) if template.exists() else place / "account"

    def check(
        self, operation: Operation, template: Path, place: Path, call: str, what: str, number: int, for_ever: str, is_killed: bool,
    ) -> None:
        injection = f"inject={call}:{what}:when={number}{for_ever}"
        account, log = self.copy(template, place), place / "log"
        before = self.events(*template.glob("journal*"))
        result = traced(["-e", injection], account, operation.arguments, log, operation.is_relative)
        calls = log.read_text(errors="replace")
        is_reached = ("killed by SIGKILL" if is_killed else "(INJECTED)") in calls
        if not is_reached:
            made = Counter(re.findall(rf"^(\d+) +{call}\(", calls, re.MULTILINE))
            self.assertLess(max(made.values(), default=0), number, f"{operation.name}: {injection} had no effect")
        has_died = is_reached and (is_killed or call in DEADLY and result.returncode < 0)
        problem = self.problem(operation, account, result, before, has_died)
        if not is_killed and call in HARMLESS and result.returncode != 0:
            problem = problem or "that should not have mattered"
        with self.guard:
            self.reached[call] += is_reached
            self.missed += not is_reached
            self.uncertain += result.returncode == UNCERTAIN
            self.acknowledged += is_reached and is_acknowledged(result)
            if problem:
                self.wrong.append(f"{operation.name}, {injection}: {problem} (pt: {result.returncode}, {result.stdout}{result.stderr})")

    def problem(
        self, operation: Operation, account: Path, result: subprocess.CompletedProcess[str], before: set[bytes], is_killed: bool,
    ) -> Optional[str]:
        errors = [line for line in result.stderr.splitlines() if not line.startswith("pt: warning: ")]
        if not is_killed and len(errors) != (result.returncode != 0):
            return "that is not one line about one error"
        lost = before - self.events(*account.glob("journal*"))
        if lost:
            return f"{len(lost)} of {len(before)} earlier events are gone"
        look = getattr(self, f"problem_of_{operation.look}")
        return look(operation, account, before, is_acknowledged(result), is_killed or result.returncode == UNCERTAIN)

    def problem_of_request(self, operation: Operation, account: Path, before: set[bytes], is_done: bool, is_open: bool) -> Optional[str]:
        """`is_open`: nobody was told that it has not happened."""
        verified = pt(account, "verify")
        if verified.returncode != 0:
            return f"verify: {verified.stdout}{verified.stderr}"
        has_happened = not self.events(account / JOURNAL) <= before
        if is_done and not has_happened:
            return "acknowledged, but not there"
        if not is_done and not is_open and has_happened:
            return "told no, but it has happened"
        # The same again: done, and done once.
        again = pt(account, *operation.arguments)
        if again.returncode != 0:
            return f"it cannot be repeated: {again.stderr}"
        if not before <= self.events(*account.glob("journal*")):
            return "earlier events are gone after the repetition"
        times = sum(event.get("request_id") == "once" for event in lines_of(account))
        if times != 1:
            return f"it has happened {times} times"
        verified = pt(account, "verify")
        return None if verified.returncode == 0 else f"verify after the repetition: {verified.stdout}{verified.stderr}"

    def problem_of_recovery(self, _: Operation, account: Path, before: set[bytes], is_done: bool, __: bool) -> Optional[str]:
        verified = pt(account, "verify")
        if is_done and verified.returncode != 0:
            return f"recovered, but verify: {verified.stdout}{verified.stderr}"
        again = pt(account, "recover")
        verified = pt(account, "verify")
        if again.returncode != 0 or verified.returncode != 0:
            return f"it cannot be recovered: {again.stderr}{verified.stdout}{verified.stderr}"
        # The damaged journal is kept beside the new one.
        return None if before <= self.events(*account.glob("journal*")) else "earlier events are gone after the repetition"

    def problem_of_creation(self, operation: Operation, account: Path, _: set[bytes], is_done: bool, is_open: bool) -> Optional[str]:
        is_there = (account / JOURNAL).exists()
        if is_done and not is_there:
            return "acknowledged, but not there"
        if is_there and not is_done and not is_open:
            return "told no, but it is there"
        again = pt(account, *operation.arguments)
        if (again.returncode == 0) == is_there:
            return f"an account that {'is' if is_there else 'is not'} there, made again: {again.returncode}, {again.stderr}"
        return self.problem_of_account(account, operation.events)

    def problem_of_backup(self, operation: Operation, account: Path, before: set[bytes], is_done: bool, _: bool) -> Optional[str]:
        copy, another = account.parent / "copy", account.parent / "another"
        is_whole = pt(copy, "verify").returncode == 0
        if is_done and not is_whole:
            return "acknowledged, but not there"
        if is_whole and self.events(copy / JOURNAL) != before:
            return "a part of the account passes for a backup"
        # What could not even be removed stays, and the next one needs another place.
        place = another if copy.exists() and any(copy.iterdir()) else copy
        again = pt(account, "backup", str(place))
        if again.returncode != 0:
            return f"it cannot be repeated: {again.stderr}"
        return self.problem_of_account(place, operation.events) or self.problem_of_account(account, operation.events)

    def problem_of_account(self, account: Path, events: int) -> Optional[str]:
        verified = pt(account, "verify")
        if verified.returncode != 0:
            return f"verify: {verified.stdout}{verified.stderr}"
        found = len(self.events(account / JOURNAL))
        return None if found == events else f"{found} events instead of {events}"

    def events(self, *journals: Path) -> set[bytes]:
        """The whole lines of journals. Read without the library, which would mend something."""
        lines = {line for journal in journals if journal.exists() for line in journal.read_bytes().split(b"\n")}
        return {line for line in lines if re.match(rb'\{"seq":\d+,.*"crc":"[0-9a-f]{8}"\}$', line)}

    def report(self, name: str, points: str, wrong: str, started: float, calls: set[str]) -> None:
        note(
            f"RESULT {name}: {points}={sum(self.reached.values())} missed={self.missed} acknowledged={self.acknowledged} "
            f"uncertain={self.uncertain} {wrong}={len(self.wrong)} seconds={time.monotonic() - started:.0f}")
        self.assertEqual(self.wrong[:8], [])
        reached = self.reached if IS_EXHAUSTIVE else self.points
        self.assertEqual({call for call in calls - ELSEWHERE if not reached[call]}, set(), "no operation makes these calls")


if __name__ == "__main__":
    unittest.main()
