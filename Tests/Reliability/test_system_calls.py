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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "System"))

from files import JOURNAL, PORTFOLIO, lines_of, portfolio_of  # noqa: E402
from support import ENVIRONMENT, REPOSITORY, Account, SystemTest, note, seeded  # noqa: E402

PT = Path(os.environ.get("PT", REPOSITORY / "build" / "pt"))
IS_EXHAUSTIVE = os.environ.get("PAPERTRADE_EXHAUSTIVE") == "1"
SAMPLE = 8
CALLS = (
    "openat newfstatat fstat statx pread64 pwrite64 fdatasync fsync renameat renameat2 unlinkat flock fcntl ftruncate close sync_file_range "
    "mkdir fchmod fstatfs getdents64 prlimit64 write exit_group"
).split()
ERRORS = {
    "openat": ["EACCES", "EMFILE", "ENOSPC", "EIO"], "newfstatat": ["EIO", "ENOMEM"], "fstat": ["EIO"], "statx": ["EIO", "ENOMEM"],
    "pread64": ["EIO"], "pwrite64": ["EIO", "ENOSPC", "EDQUOT"], "fdatasync": ["EIO", "ENOSPC"], "fsync": ["EIO", "ENOSPC"],
    "renameat": ["EIO", "ENOSPC", "EACCES"], "renameat2": ["EIO", "ENOSPC", "EACCES", "EINVAL"], "unlinkat": ["EIO", "EACCES"],
    "flock": ["ENOLCK"], "fcntl": ["EAGAIN", "EINVAL"], "ftruncate": ["EIO"], "close": ["EIO"], "sync_file_range": ["EIO"],
    "mkdir": ["ENOSPC"], "fchmod": ["EIO"], "fstatfs": ["EIO"], "getdents64": ["EIO"], "prlimit64": ["EPERM"],
    "write": ["EIO", "ENOSPC", "EPIPE"], "exit_group": [],
}  # fmt: skip
UNCERTAIN, DATA = 6, 5


@dataclass
class Operation:
    """A command whose repetition with the same request id changes nothing more."""

    name: str
    arguments: list[str]
    prepare: Callable[[Path], None] = lambda account: None
    damaged: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    """How often it makes each call, the ones of starting the program included."""
    first: Counter[str] = field(default_factory=Counter)
    """How many of those come before it first names the account."""


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


def traced(options: list[str], account: Path, arguments: list[str], log: Optional[Path] = None) -> subprocess.CompletedProcess[str]:
    command = ["strace", "-f", "-qq", "-o", str(log or os.devnull), *options, str(PT), arguments[0], "--account", str(account)]
    return subprocess.run(command + arguments[1:], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=ENVIRONMENT, timeout=60)


def pt(account: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PT), arguments[0], "--account", str(account), *arguments[1:]], capture_output=True, text=True, env=ENVIRONMENT, timeout=60)


def is_acknowledged(result: subprocess.CompletedProcess[str]) -> bool:
    """Whether `pt` said that it is done, whatever became of it then."""
    return bool(result.stdout.strip()) or result.returncode == 0


OPERATIONS = [
    Operation("commit", ["buy", "AAPL", "1", "150", "--request-id", "once"]),
    Operation("reset", ["reset", "--cash", "5", "--request-id", "once"]),
    Operation("extension", ["deposit", "7", "--request-id", "once", "--note", "n" * 200], fill_block),
    Operation("recovery", ["deposit", "7", "--request-id", "once"], tear),
    Operation("finishing a reset", ["deposit", "7", "--request-id", "once"], interrupt_reset),
    Operation("recover", ["recover"], damage, damaged=True),
]


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class SystemCallsTest(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.random = seeded()
        self.wrong: list[str] = []
        self.acknowledged = self.uncertain = self.reached = self.missed = 0

    def test_killed_at_any_system_call_pt_loses_nothing_it_acknowledged_and_repeats_nothing(self) -> None:
        started = time.monotonic()
        for operation, template in self.templates():
            points = [(call, number) for call in CALLS for number in range(operation.first[call] + 1, operation.calls[call] + 1)]
            for call, number in self.sample(points):
                self.check(operation, template, call, number, "signal=SIGKILL", is_killed=True)
        self.report("strace-kill", "points", "lost", started)
        if IS_EXHAUSTIVE:
            self.assertGreater(self.acknowledged, 0, "nobody was killed after an acknowledgement: nothing shows that it holds")

    def test_whatever_system_call_fails_pt_says_what_happened(self) -> None:
        started = time.monotonic()
        for operation, template in self.templates():
            points = [
                (call, error, number, for_ever) for call in CALLS for error in ERRORS[call] for for_ever in ("", "+")
                for number in range(operation.first[call] + 1, operation.calls[call] + 1)
            ]  # fmt: skip
            for call, error, number, for_ever in self.sample(points):
                self.check(operation, template, call, number, f"error={error}", is_killed=False, for_ever=for_ever)
        self.report("strace-errors", "points", "wrong", started)

    def sample(self, points: list) -> list:
        return points if IS_EXHAUSTIVE or len(points) <= SAMPLE else self.random.sample(points, SAMPLE)

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
            yield operation, template

    def count_calls(self, operation: Operation, template: Path) -> Counter[str]:
        account, log = self.copy(template), self.directory / "log"
        finished = traced(["-e", f"trace={','.join(CALLS)}"], account, operation.arguments, log)
        self.assertEqual(finished.returncode, 0, f"{operation.name}: {finished.stderr}")
        calls, operation.first = Counter(), Counter()
        is_inside = False
        for line in log.read_text(errors="replace").splitlines():
            match = re.match(r"\d+ +(\w+)\(", line)
            if match:
                is_inside = is_inside or str(account) in line
                calls[match[1]] += 1
                if not is_inside:
                    operation.first[match[1]] += 1
        self.assertTrue(is_inside, f"{operation.name} never opens the account")
        return calls

    def copy(self, template: Path) -> Path:
        shutil.rmtree(self.path, ignore_errors=True)
        return Path(shutil.copytree(template, self.path))

    def check(
        self, operation: Operation, template: Path, call: str, number: int, what: str, is_killed: bool, for_ever: str = "",
    ) -> None:
        injection = f"inject={call}:{what}:when={number}{for_ever}"
        account, log = self.copy(template), self.directory / "log"
        before = self.events(*template.glob("journal*"))
        result = traced(["-e", injection], account, operation.arguments, log)
        calls = log.read_text(errors="replace")
        is_reached = ("killed by SIGKILL" if is_killed else "(INJECTED)") in calls
        self.reached += is_reached
        self.missed += not is_reached
        if not is_reached:
            made = Counter(re.findall(rf"^(\d+) +{call}\(", calls, re.MULTILINE))
            self.assertLess(max(made.values(), default=0), number, f"{operation.name}: {injection} had no effect")
        problem = self.problem(operation, account, result, before, is_killed and is_reached)
        self.acknowledged += is_reached and is_acknowledged(result)
        if problem:
            self.wrong.append(f"{operation.name}, {injection}: {problem} (pt: {result.returncode}, {result.stdout}{result.stderr})")

    def problem(
        self, operation: Operation, account: Path, result: subprocess.CompletedProcess[str], before: set[bytes], is_killed: bool,
    ) -> Optional[str]:
        is_done = is_acknowledged(result)
        self.uncertain += result.returncode == UNCERTAIN
        errors = [line for line in result.stderr.splitlines() if not line.startswith("pt: warning: ")]
        if not is_killed and len(errors) != (result.returncode != 0):
            return "that is not one line about one error"
        lost = before - self.events(*account.glob("journal*"))
        if lost:
            return f"{len(lost)} of {len(before)} earlier events are gone"
        if operation.damaged:
            return self.problem_of_recover(account, is_done, before)
        verified = pt(account, "verify")
        if verified.returncode != 0:
            return f"verify: {verified.stdout}{verified.stderr}"
        has_happened = not self.events(account / JOURNAL) <= before
        if is_done and not has_happened:
            return "acknowledged, but not there"
        if not is_done and not is_killed and has_happened and result.returncode != UNCERTAIN:
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

    def problem_of_recover(self, account: Path, is_done: bool, before: set[bytes]) -> Optional[str]:
        verified = pt(account, "verify")
        if is_done and verified.returncode != 0:
            return f"recovered, but verify: {verified.stdout}{verified.stderr}"
        again = pt(account, "recover")
        verified = pt(account, "verify")
        if again.returncode != 0 or verified.returncode != 0:
            return f"it cannot be recovered: {again.stderr}{verified.stdout}{verified.stderr}"
        # The damaged journal is kept beside the new one.
        return None if before <= self.events(*account.glob("journal*")) else "earlier events are gone after the repetition"

    def events(self, *journals: Path) -> set[bytes]:
        """The whole lines of journals. Read without the library, which would mend something."""
        lines = {line for journal in journals for line in journal.read_bytes().split(b"\n")}
        return {line for line in lines if re.match(rb'\{"seq":\d+,.*"crc":"[0-9a-f]{8}"\}$', line)}

    def report(self, name: str, points: str, wrong: str, started: float) -> None:
        note(
            f"RESULT {name}: {points}={self.reached} missed={self.missed} acknowledged={self.acknowledged} "
            f"uncertain={self.uncertain} {wrong}={len(self.wrong)} seconds={time.monotonic() - started:.0f}")
        self.assertEqual(self.wrong[:8], [])


if __name__ == "__main__":
    unittest.main()
