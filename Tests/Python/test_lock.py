"""Locks between processes and threads, from Python."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import unittest
import warnings

import papertrade
from papertrade import Account, Lock
from support import PACKAGE, AccountTest, DirectoryTest, needs_library


@needs_library
class LockTest(DirectoryTest):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.directory / "my.lock"

    def holder(self) -> subprocess.Popen[str]:
        """Another process that holds the lock until its input ends."""
        program = "import papertrade, sys\nwith papertrade.Lock(sys.argv[1]):\n    print('held', flush=True)\n    sys.stdin.read()"
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(self.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            universal_newlines=True, env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        )
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "held\n")
        return process

    def test_a_lock_is_held_in_its_block_and_released_after_it(self) -> None:
        self.assertFalse(Lock.is_held(self.path))
        lock = Lock(self.path)
        self.addCleanup(lock.close)
        for _ in range(2):
            with lock as entered:
                self.assertIs(entered, lock)
                self.assertTrue(Lock.is_held(self.path))
            self.assertFalse(Lock.is_held(self.path))

    def test_a_lock_is_released_when_its_block_raises(self) -> None:
        with self.assertRaises(ZeroDivisionError), Lock(self.path):
            1 / 0
        self.assertFalse(Lock.is_held(self.path))

    def test_another_process_excludes_and_its_pid_is_named(self) -> None:
        process = self.holder()
        self.assertTrue(Lock.is_held(self.path))
        lock = Lock(self.path, timeout=0.05)
        self.addCleanup(lock.close)
        for attempt in (lock.acquire, lambda: lock.acquire(timeout=0), lock.__enter__,
                        lambda: lock.acquire_retrying(timeout=0.01, attempts=3, delay=0.01)):
            with self.assertRaisesRegex(TimeoutError, str(process.pid)) as caught:
                attempt()
            self.assertIsInstance(caught.exception, papertrade.Busy)

    def test_a_lock_is_free_when_its_process_has_died(self) -> None:
        process = self.holder()
        process.kill()
        process.wait()
        with Lock(self.path, timeout=5):
            pass

    def test_waiting_ends_when_the_holder_releases(self) -> None:
        for timeout in (10, None):
            process = self.holder()
            assert process.stdin is not None
            threading.Timer(0.1, process.stdin.close).start()
            with Lock(self.path, timeout=timeout):
                pass
            process.wait()

    def test_an_interrupt_ends_a_wait_for_ever(self) -> None:
        self.holder()
        program = "import papertrade, sys\nprint('waiting', flush=True)\npapertrade.Lock(sys.argv[1], timeout=None).acquire()"
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(self.path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True, env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(2)
        _, errors = process.communicate(timeout=10)
        self.assertIn("KeyboardInterrupt", errors)

    def test_two_threads_exclude_each_other(self) -> None:
        inside, most, total = 0, 0, 0

        def work() -> None:
            nonlocal inside, most, total
            lock = Lock(self.path, timeout=30)
            for _ in range(50):
                with lock:
                    inside += 1
                    most = max(most, inside)
                    total += 1
                    inside -= 1
            lock.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((most, total), (1, 200))

    def test_taking_it_twice_would_deadlock(self) -> None:
        with Lock(self.path) as lock:
            with self.assertRaises(papertrade.WouldDeadlock):
                lock.acquire()

    def test_releasing_what_is_not_held_is_misuse(self) -> None:
        lock = Lock(self.path)
        self.addCleanup(lock.close)
        with self.assertRaises(papertrade.Misuse):
            lock.release()

    def test_a_closed_lock_is_released_and_refuses_everything(self) -> None:
        lock = Lock(self.path)
        lock.acquire()
        lock.close()
        lock.close()
        self.assertFalse(Lock.is_held(self.path))
        for call in (lock.acquire, lock.release, lock.acquire_retrying):
            with self.assertRaises(papertrade.Closed):
                call()

    def test_a_lock_that_was_forgotten_while_held_warns_and_is_released(self) -> None:
        for held in (False, True):
            lock = Lock(self.path)
            if held:
                lock.acquire()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                del lock
                gc.collect()
            self.assertEqual([each.category for each in caught], [ResourceWarning] if held else [])
        self.assertFalse(Lock.is_held(self.path))

    def test_wrong_arguments_are_refused(self) -> None:
        with self.assertRaises(papertrade.InvalidArgument):
            Lock(self.path, timeout=-1)
        lock = Lock(self.path)
        self.addCleanup(lock.close)
        for wrong in ({"attempts": 0}, {"attempts": 2**31}, {"delay": -1}, {"timeout": -1}):
            with self.assertRaises(papertrade.InvalidArgument):
                lock.acquire_retrying(**wrong)  # type: ignore[arg-type]


@needs_library
class AccountLockTest(AccountTest):
    def test_several_calls_form_one_critical_section(self) -> None:
        with Account(self.path, lock_timeout=0.05) as other:
            with self.account.lock() as locked, self.account.lock(timeout=0):
                self.assertIs(locked, self.account)
                self.account.buy("AAPL", 1, 100)
                with self.assertRaises(papertrade.Busy):
                    other.buy("AAPL", 1, 100)
                with self.assertRaises(papertrade.Busy), other.lock(timeout=0):
                    self.fail("two hold the lock")
                self.assertEqual(other.cash, 9900)
            other.buy("AAPL", 1, 100)

    def test_the_lock_is_released_when_the_block_raises(self) -> None:
        with self.assertRaises(ZeroDivisionError), self.account.lock():
            1 / 0
        with Account(self.path, lock_timeout=0) as other:
            other.deposit(1)

    def test_an_account_that_waits_for_ever_gets_its_turn(self) -> None:
        def release_later() -> None:
            with Account(self.path) as other, other.lock():
                held.set()
                time.sleep(1.5)

        held = threading.Event()
        thread = threading.Thread(target=release_later)
        thread.start()
        held.wait()
        with Account(self.path, lock_timeout=None) as patient:
            patient.deposit(1)
        thread.join()
        self.assertEqual(self.account.cash, 10001)

    def test_other_threads_run_while_a_call_waits(self) -> None:
        ticks = 0
        with Account(self.path) as other, other.lock():
            def wait() -> None:
                with self.assertRaises(papertrade.Busy), self.account.lock(timeout=0.3):
                    self.fail("two hold the lock")

            thread = threading.Thread(target=wait)
            thread.start()
            while thread.is_alive():
                ticks += 1
                time.sleep(0.01)
        self.assertGreater(ticks, 5)


if __name__ == "__main__":
    unittest.main()
