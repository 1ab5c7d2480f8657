"""Runs the built `pt` as its users do: as a process, in a fresh directory. The environment variable PT names the binary."""

import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
from decimal import Decimal


def binary():
    path = os.environ.get("PT")
    if not path or not os.access(path, os.X_OK):
        raise AssertionError("set the environment variable PT to the pt that is to be tested, such as build/pt: see 'make test'")
    return os.path.abspath(path)


def exact(text):
    """JSON with its numbers as they stand there."""
    return json.loads(text, parse_float=Decimal)


class Outcome:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout.decode()
        self.err = process.stderr.decode()

    @property
    def json(self):
        return exact(self.out)

    @property
    def error(self):
        return exact(self.err)["error"]

    @property
    def lines(self):
        return [exact(line) for line in self.out.splitlines()]


class PTTestCase(unittest.TestCase):
    """Every test has a directory of its own, with the account's directory `account` in it."""

    def setUp(self):
        self.pt_path = binary()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pt-test-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.account = self.directory / "account"
        self.environment = {key: value for key, value in os.environ.items() if key != "PAPERTRADE_ACCOUNT"}
        self.environment["PAPERTRADE_ACCOUNT"] = str(self.account)

    def pt(self, *arguments, stdin=subprocess.DEVNULL, **options):
        options = {"cwd": self.directory, "env": self.environment, "timeout": 60, **options}
        process = subprocess.run(
            [self.pt_path, *arguments], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        return Outcome(process)

    def done(self, *arguments, **options):
        """Runs pt, which must succeed without a word on standard error."""
        outcome = self.pt(*arguments, **options)
        self.assertEqual((outcome.code, outcome.err), (0, ""), f"pt {' '.join(map(str, arguments))}\n{outcome.out}")
        return outcome

    def start(self, *arguments, **options):
        """Starts pt; it is killed when the test ends."""
        options = {"cwd": self.directory, "env": self.environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen([self.pt_path, *arguments], stdin=subprocess.DEVNULL, **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

    def fails(self, code, *arguments, **options):
        """Runs pt, which must fail with `code`, one line on standard error and nothing on standard output."""
        outcome = self.pt(*arguments, **options)
        what = f"pt {' '.join(map(str, arguments))}\n{outcome.out}{outcome.err}"
        self.assertEqual(outcome.code, code, what)
        self.assertEqual(outcome.out, "", what)
        self.assertEqual(outcome.err.count("\n"), 1, what)
        self.assertTrue(outcome.err.endswith("\n"), what)
        if "--json" not in arguments:
            self.assertTrue(outcome.err.startswith("pt: "), what)
        return outcome

    def open_account(self, cash="10000"):
        self.done("init", "--cash", cash, "--id", "test-account")

    def status(self, *arguments):
        return self.done("status", "--json", *arguments).json

    def history(self, *arguments):
        return self.done("history", "--json", *arguments).lines

    def hold_lock(self):
        """Holds the account's lock as another program would; returns the file, whose closing releases it."""
        file = open(self.account / ".lock", "r+")
        self.addCleanup(file.close)
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def files(self):
        """The account's files with their contents, but for the lock, which names its last holder."""
        return {path.name: path.read_bytes() for path in self.account.iterdir() if path.name != ".lock"}

    def shim(self):
        """A library to preload that makes system calls fail; see shim.c."""
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if not compiler:
            self.skipTest("needs a C compiler")
        path = self.directory / "shim.so"
        source = pathlib.Path(__file__).with_name("shim.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"], check=True)
        return {**self.environment, "LD_PRELOAD": str(path)}
