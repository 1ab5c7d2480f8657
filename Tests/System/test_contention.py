"""Several processes at one account: who gets the lock, and what becomes of it when they are killed, fork, or lose the lock's file."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
import unittest

from contention import ContentionTest
from files import portfolio_of
from replay import Replay
from support import compiled, finish, note, run, seeded, start_python

SPEND = """
import sys
from papertrade import Account, InsufficientFunds
with Account(sys.argv[1]) as account:
    print(account.cash, flush=True)
    sys.stdin.readline()
    try:
        account.buy(sys.argv[2], 40, 150)
        print("bought")
    except InsufficientFunds:
        print("refused")
"""


class SpendingTest(ContentionTest):
    def test_of_processes_that_have_all_seen_the_same_cash_only_as_many_spend_it_as_there_is(self) -> None:
        self.make(10_000)
        processes = [self.started(start_python(SPEND, self.path, f"S{number}", stdin=subprocess.PIPE)) for number in range(4)]
        for process in processes:
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), "10000\n")
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("now\n")
            process.stdin.flush()
        self.assertEqual(sorted(finish(process).strip() for process in processes), ["bought"] + ["refused"] * 3)
        self.assertEqual(portfolio_of(self.path)["cash"], 4000)
        self.assert_verifies()


class HolderTest(ContentionTest):
    """Processes that hold the lock, and are stopped or killed with it."""

    def test_traders_go_on_when_those_who_hold_the_lock_are_killed(self) -> None:
        random = seeded()
        self.make(1_000_000)

        def kill_holders() -> None:
            for _ in range(15):
                holder = self.hold()
                time.sleep(random.random() * 0.01)
                holder.kill()
                holder.wait()

        self.contend(3, 2, meanwhile=kill_holders)

    def test_traders_wait_for_a_holder_that_is_slow_or_stopped_and_lose_nothing(self) -> None:
        self.make(1_000_000)

        def stop_holders() -> None:
            for _ in range(5):
                holder = self.hold()
                assert holder.stdin is not None and holder.stdout is not None
                holder.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
                seq = portfolio_of(self.path)["seq"]
                time.sleep(0.1)
                self.assertEqual(portfolio_of(self.path)["seq"], seq, "somebody traded while another held the lock")
                holder.send_signal(signal.SIGCONT)
                holder.stdin.write("trade\n")
                holder.stdin.close()
                holder.stdin = None
                self.assertEqual(holder.stdout.read(), "traded\n")
                self.assertEqual(holder.wait(), 0)

        shares = self.contend(3, 2, meanwhile=stop_holders)
        self.assertGreater(shares.longest, 100)
        self.assertEqual(portfolio_of(self.path)["positions"]["HELD"]["shares"], 5)

    def test_a_wait_for_the_lock_is_never_shorter_than_its_timeout(self) -> None:
        self.make(10_000)
        account = self.open()
        self.hold()
        lateness = [self.lateness(account, timeout) for timeout in (0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5)]
        self.assertGreaterEqual(min(lateness), 0)
        note(f"at most {max(lateness) * 1e3:.1f} ms late")


class CreationTest(ContentionTest):
    def test_an_account_that_several_processes_create_at_once_is_created_once(self) -> None:
        processes, rounds = 4, 60
        self.path.mkdir()
        run(compiled("hosts/creators.c"), self.path, str(processes), str(rounds))
        for number in range(rounds):
            replay = Replay().read(self.path / str(number))
            self.assertEqual([line["type"] for line in replay.lines], ["open", "rules"] + ["deposit"] * processes)
            self.assert_verifies(self.path / str(number))


class ForkTest(ContentionTest):
    def test_a_fork_in_a_callback_or_beside_busy_threads_leaves_the_account_to_the_parent(self) -> None:
        children = 40
        self.make(10_000)
        trades = int(run(compiled("hosts/fork_inside.c"), self.path, str(children)))
        replay = Replay().read(self.path)
        replay.compare_with(portfolio_of(self.path))
        self.assertEqual(
            {symbol: held.shares * 1_000_000 if symbol == "THREADS" else held.shares for symbol, held in replay.positions.items()},
            {"HISTORY": 1, "QUEUED": 1, "ANALYST": 1, "BESIDE": children, "THREADS": trades})
        self.assert_verifies()


class LockFileTest(ContentionTest):
    def test_a_lock_file_that_is_deleted_all_the_time_excludes_all_the_same(self) -> None:
        self.make(1_000_000)
        lock, deleted = self.path / ".lock", 0

        def delete_all_the_time() -> None:
            nonlocal deleted
            # A commit is inside for some 0.05 ms: that it is met has to be tried often.
            end = time.monotonic() + 4
            while time.monotonic() < end:
                try:
                    lock.unlink()
                    deleted += 1
                except FileNotFoundError:
                    pass
                time.sleep(random.uniform(0, 0.0005))

        self.contend(3, 4, meanwhile=delete_all_the_time)
        self.assertGreater(deleted, 50, "too few to prove anything")

    def test_a_lock_file_that_is_deleted_or_replaced_while_others_wait_for_it_excludes_all_the_same(self) -> None:
        self.make(1_000_000)
        lock = self.path / ".lock"

        def replace_while_held() -> None:
            for number in range(20):
                holder = self.hold()
                time.sleep(0.01)  # the others wait on the file that goes
                if number % 2 == 0:
                    lock.unlink()
                else:
                    (self.path / "other").touch(0o600)
                    (self.path / "other").rename(lock)
                holder.kill()
                holder.wait()

        self.contend(3, 3, meanwhile=replace_while_held)


if __name__ == "__main__":
    unittest.main()
