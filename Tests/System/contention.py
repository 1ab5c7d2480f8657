"""Processes that want the lock of one account at the same time."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import Callable

import papertrade
from files import portfolio_of
from support import SystemTest, compiled, finish, start


@dataclass
class Shares:
    """How the lock was shared."""

    counts: list[int]  # trades by each process
    longest: float  # time that one trade took, in milliseconds

    @property
    def ratio(self) -> float:
        return min(self.counts) / max(self.counts)


class ContentionTest(SystemTest):
    def contend(self, processes: int, seconds: float, think: int = 0, meanwhile: Callable[[], object] = lambda: None) -> Shares:
        """Processes that trade all the time, but for `think` microseconds after each trade; all that they were told is in the account."""
        host = compiled("hosts/contender.c")
        running = [
            self.started(start(host, self.path, str(seconds), f"P{number}", str(think), stdin=subprocess.PIPE))
            for number in range(processes)]
        for process in running:
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), "ready\n")
        for process in running:
            assert process.stdin is not None
            process.stdin.close()  # the start, for all of them at once
            process.stdin = None
        meanwhile()
        results = [finish(process, seconds + 60).split() for process in running]
        shares = Shares([int(count) for count, _ in results], max(float(longest) for _, longest in results))
        positions = portfolio_of(self.path)["positions"]
        held = [positions.get(f"P{number}", {"shares": 0})["shares"] for number in range(processes)]
        self.assertEqual(held, shares.counts)
        self.assert_verifies()
        return shares

    def hold(self) -> subprocess.Popen[str]:
        """A process that holds the account's lock until it is told to trade, or killed."""
        holder = self.started(start(compiled("hosts/holder.c"), self.path, stdin=subprocess.PIPE))
        assert holder.stdout is not None
        self.assertEqual(holder.stdout.readline(), "held\n")
        return holder

    def lateness(self, account: papertrade.Account, timeout: float) -> float:
        """How much longer than its timeout, in seconds, the account waits for a lock that somebody keeps."""
        began = time.monotonic()
        with self.assertRaises(papertrade.Busy), account.lock(timeout):
            pass
        return time.monotonic() - began - timeout
