"""What the system tests share: accounts in fresh directories, programs of all kinds as processes, other users, file systems."""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, Callable, Optional, Union

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PACKAGE = REPOSITORY / "Python"
LIBRARY = Path(os.environ.get("PAPERTRADE_LIBRARY", REPOSITORY / "build" / "libpapertrade.so")).resolve()
os.environ["PAPERTRADE_LIBRARY"] = str(LIBRARY)
sys.path[:0] = [str(PACKAGE), str(HERE)]

import papertrade  # noqa: E402
from files import files_of  # noqa: E402
from papertrade import Account  # noqa: E402

ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{PACKAGE}{os.pathsep}{HERE}", "PYTHONUNBUFFERED": "1"}
is_root = os.geteuid() == 0
NOBODY = 65534

papertrade.library_version()  # a library that is missing is an error, not a skipped test


def seeded() -> random.Random:
    """A generator whose seed is printed, and taken from PAPERTRADE_SEED if that is given."""
    seed = int(os.environ.get("PAPERTRADE_SEED") or random.SystemRandom().randrange(2**32))
    print(f"\n  PAPERTRADE_SEED={seed}", file=sys.stderr, flush=True)
    return random.Random(seed)


def note(text: str) -> None:
    """A figure for whoever reads the test's output."""
    print(f"\n  {text}", file=sys.stderr, flush=True)


def memory_of(account: Account) -> tuple[Any, ...]:
    """What an open account says of itself."""
    return account.summary(), account.positions(), account.queue()


# Other processes


@functools.lru_cache(maxsize=None)
def _build_directory() -> Path:
    directory = tempfile.mkdtemp(prefix="papertrade-system-build-")
    os.chmod(directory, 0o755)
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)


@functools.lru_cache(maxsize=None)
def compiled(source: str) -> Path:
    """A program in C, compiled once in a run, from a path below Tests/System."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "there is no C compiler"
    target = _build_directory() / Path(source).stem
    subprocess.run(
        [compiler, "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", f"-I{REPOSITORY / 'include'}",
         "-o", str(target), str(HERE / source), str(LIBRARY), f"-Wl,-rpath,{LIBRARY.parent}", "-lpthread", "-lm"],
        check=True,
    )
    return target


@functools.lru_cache(maxsize=None)
def swift_worker() -> Path:
    """The worker in Swift, from the package beside this file; PAPERTRADE_SWIFT_WORKER names one that is built already."""
    given = os.environ.get("PAPERTRADE_SWIFT_WORKER")
    if given:
        return Path(given)
    if shutil.which("swift") is None:
        raise unittest.SkipTest("there is no Swift toolchain")
    scratch = REPOSITORY / ".build-system"
    command = ["swift", "build", "--package-path", str(HERE / "swift-worker"), "--scratch-path", str(scratch)]
    built = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    assert built.returncode == 0, built.stdout
    return scratch / "debug" / "swift-worker"


def start(*command: Union[str, Path], **options: Any) -> subprocess.Popen[str]:
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    options.setdefault("env", ENVIRONMENT)
    options.setdefault("start_new_session", True)  # so that what it starts can be ended with it
    return subprocess.Popen([str(part) for part in command], universal_newlines=True, **options)


def start_python(program: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    """A process that runs Python code, with the package and this module at hand."""
    return start(sys.executable, "-c", program, *map(str, arguments), **options)


def finish(process: subprocess.Popen[str], timeout: float = 60) -> str:
    """Waits for success; what the process printed."""
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        end_group(process)
        output, errors = process.communicate()
        raise AssertionError(f"{process.args} did not end: {output}{errors}") from None
    if process.returncode != 0:
        raise AssertionError(f"{process.args} ended with {process.returncode}: {output}{errors}")
    return output


def end_group(process: subprocess.Popen[str]) -> None:
    """Kills the process and what it started, which may live on without it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def run(*command: Union[str, Path], timeout: float = 60, **options: Any) -> str:
    return finish(start(*command, **options), timeout)


def run_forked(call: Callable[[], object], user: Optional[int] = None) -> str:
    """The outcome of `call` in a forked child: its result as text, or what it raised. For root: as another user."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            if user is not None:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
            try:
                text = str(call())
            except BaseException as error:
                text = f"{type(error).__name__}: {error}"
            os.write(writing, text.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


def wait_until(condition: Callable[[], object], what: str, timeout: float = 20) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"waited {timeout} s in vain: {what}"
        time.sleep(0.002)


# File systems


_libc = ctypes.CDLL(None, use_errno=True)


def mount(kind: str, target: Path, data: str) -> Optional[str]:
    """mount(2); the reason if it cannot be done here."""
    if not is_root:
        return "mounting takes root"
    if _libc.mount(kind.encode(), str(target).encode(), kind.encode(), 0, data.encode()) != 0:
        return f"cannot mount {kind}: {os.strerror(ctypes.get_errno())}"
    return None


def unmount(target: Path) -> None:
    lazily = 2
    _libc.umount2(str(target).encode(), lazily)


class SystemTest(unittest.TestCase):
    """A test with a directory of its own, and the promise that no process outlives it."""

    maxDiff = None

    def setUp(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="papertrade-system-"))
        os.chmod(self.directory, 0o755)  # so that other users get as far as the account
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.path = self.directory / "account"

    def open(self, **options: Any) -> Account:
        account = Account(self.path, **options)
        self.addCleanup(account.close)
        return account

    def make(self, cash: int = 10_000, **options: Any) -> Path:
        """An account that nobody has open."""
        with Account(self.path, initial_cash=cash, **options):
            pass
        return self.path

    def started(self, process: subprocess.Popen[str]) -> subprocess.Popen[str]:
        """Ends the process with the test, whatever happens."""

        def end() -> None:
            end_group(process)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

        self.addCleanup(end)
        return process

    def assert_verifies(self, path: Optional[Path] = None) -> papertrade.VerifyReport:
        report = papertrade.verify(path or self.path, check=False)
        self.assertEqual((report.status, report.problems, report.first_problem), (0, 0, ""))
        return report

    def assert_unchanged(self, before: dict[str, bytes], path: Optional[Path] = None) -> None:
        """The same files with the same bytes."""
        after = files_of(path or self.path)
        self.assertEqual(sorted(after), sorted(before))
        for name, contents in before.items():
            self.assertEqual(after[name], contents, f"{name} has changed")
