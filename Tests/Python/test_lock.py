"""Locks between processes and threads, from Python."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import unittest
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import Any, Callable, Union
from unittest import mock

import papertrade
from papertrade import Account, Lock
from support import PACKAGE, AccountTest, DirectoryTest, in_another_thread, needs_library, run_python

other_timeout = 0.05

# A program that was started in the background of a shell ignores interrupts, and so do its children.
HEED_INTERRUPTS = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"


@contextmanager
def interrupt_after_the_next_call(of: Union[Lock, Account]) -> Iterator[None]:
    """Ctrl-C between the success of C and the next line of Python."""
    status = of._calls.status

    def interrupted(function: Any, *arguments: Any) -> int:
        patched.stop()
        status(function, *arguments)
        raise KeyboardInterrupt

    patched = mock.patch.object(of._calls, "status", interrupted)
    patched.start()
    yield


def interrupted_after(seconds: float, block: Callable[[], object]) -> list[str]:
    """Runs the block, with Ctrl-C if it takes longer; returns the functions that were left by that, outermost first."""
    armed = True

    def interrupt(_number: int, _frame: object) -> None:
        if armed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        block()
        armed = False
        return []
    except KeyboardInterrupt as error:
        armed = False
        return [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)][:-1]  # the last is interrupt
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def moments(block: Callable[[], object], count: int) -> Iterator[float]:
    """Moments to interrupt a block at, in seconds: from its beginning to some time after its end."""
    def duration() -> float:
        began = time.perf_counter()
        block()
        return time.perf_counter() - began

    longest = 1.5 * min(duration() for _ in range(50))
    return (longest * (1 + step) / count for step in range(count))


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
        self.addCleanup(process.__exit__, None, None, None)  # waits, and closes what the test has left open of its pipes
        self.addCleanup(process.kill)
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

    def test_an_interrupt_ends_a_wait(self) -> None:
        self.holder()
        for wait in ("acquire(None)", "acquire(60)", "acquire_retrying(timeout=0, attempts=2, delay=60)"):
            program = f"{HEED_INTERRUPTS}import papertrade, sys\nlock = papertrade.Lock(sys.argv[1])\nprint('waiting', flush=True)\nlock.{wait}"
            process = subprocess.Popen(
                [sys.executable, "-c", program, str(self.path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                universal_newlines=True, env={**os.environ, "PYTHONPATH": str(PACKAGE)},
            )
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=10)
            self.assertIn("KeyboardInterrupt", errors)

    def test_a_lock_that_was_taken_as_the_interrupt_came_is_released(self) -> None:
        lock = Lock(self.path)
        self.addCleanup(lock.close)
        with interrupt_after_the_next_call(lock), self.assertRaises(KeyboardInterrupt):
            lock.acquire()
        self.assertFalse(Lock.is_held(self.path))
        with lock:
            pass

    def test_an_interrupt_in_the_end_of_a_block_leaves_nothing_held(self) -> None:
        lock = Lock(self.path)
        self.addCleanup(lock.close)

        def block() -> None:
            with lock:
                pass

        interrupted = 0
        for seconds in moments(block, 2000):
            left = interrupted_after(seconds, block)
            if "__exit__" in left[:-1]:  # in its first line nothing of it can help yet
                interrupted += 1
                self.assertFalse(Lock.is_held(self.path), left)
            elif Lock.is_held(self.path):
                lock.release()
        self.assertGreater(interrupted, 0)

    def test_a_lock_whose_close_was_interrupted_can_be_closed_again(self) -> None:
        for step in range(500):
            lock = Lock(self.path)
            lock.acquire()
            left = interrupted_after(1e-6 * (1 + step % 50), lock.close)
            lock.close()
            self.assertFalse(Lock.is_held(self.path), left)

    def check_exclusion(self, locks: list[Lock]) -> None:
        """Two threads, a lock for each. Inside they let each other run, so that one that came in too would be counted."""
        inside, most, total = 0, 0, 0

        def work(lock: Lock) -> None:
            nonlocal inside, most, total
            for _ in range(100):
                with lock:
                    inside += 1
                    most = max(most, inside)
                    total += 1
                    time.sleep(0.0001)
                    inside -= 1

        with ThreadPoolExecutor(max_workers=len(locks)) as pool:
            for done in [pool.submit(work, lock) for lock in locks]:
                done.result()
        self.assertEqual((most, total), (1, 100 * len(locks)))
        self.assertFalse(Lock.is_held(self.path))

    def test_two_threads_exclude_each_other(self) -> None:
        with closing(Lock(self.path)) as one, closing(Lock(self.path)) as other:
            self.check_exclusion([one, other])

    def test_two_threads_exclude_each_other_through_one_lock(self) -> None:
        interval = sys.getswitchinterval()
        self.addCleanup(sys.setswitchinterval, interval)
        sys.setswitchinterval(1e-6)  # so that one acquires between two steps of the other's release
        with closing(Lock(self.path)) as shared:
            self.check_exclusion([shared, shared])

    def test_a_block_whose_lock_was_released_in_it_leaves_the_next_owner_alone(self) -> None:
        with closing(Lock(self.path)) as lock, ThreadPoolExecutor(max_workers=1) as pool:
            with lock:
                lock.release()
                pool.submit(lock.acquire).result()
            self.assertTrue(Lock.is_held(self.path))
            lock.release()
            self.assertFalse(Lock.is_held(self.path))

    def test_taking_it_twice_would_deadlock(self) -> None:
        with Lock(self.path) as lock:
            with self.assertRaises(papertrade.WouldDeadlock):
                lock.acquire()

    def test_releasing_what_is_not_held_is_misuse(self) -> None:
        lock = Lock(self.path)
        self.addCleanup(lock.close)
        with self.assertRaisesRegex(papertrade.Misuse, "my.lock' is not held"):
            lock.release()

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_an_exception_leaves_the_block_as_it_is_also_in_a_forked_child(self) -> None:
        program = """
import os, sys, papertrade
lock = papertrade.Lock(sys.argv[1])
try:
    with lock:
        if os.fork() == 0:
            sys.exit(7)
        print(os.WEXITSTATUS(os.wait()[1]), lock.is_held(lock.path))
finally:
    lock.close()
"""
        done = run_python("-W", "ignore", "-c", program, str(self.path))
        self.assertEqual(done.stdout, "7 True\n")
        self.assertIn("opened by the parent process", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    @unittest.skipUnless(hasattr(os, "geteuid") and os.geteuid() == 0, "only root can become another user")
    def test_a_lock_file_may_belong_to_another_user(self) -> None:
        self.directory.chmod(0o755)
        self.path.touch()
        self.path.chmod(0o666)
        program = """
import os, sys, papertrade
papertrade.Lock(sys.argv[1]).close()
os.setuid(os.stat(sys.argv[1]).st_uid + 1)
with papertrade.Lock(sys.argv[1]):
    print(papertrade.Lock.is_held(sys.argv[1]))
"""
        done = run_python("-c", program, str(self.path))
        self.assertEqual((done.stdout, done.stderr), ("True\n", ""))

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
        with Account(self.path) as other:
            with self.account.lock() as locked, self.account.lock(timeout=0):
                self.assertIs(locked, self.account)
                self.account.buy("AAPL", 1, 100)
                self.assertEqual(other.cash, 9900)
            other.buy("AAPL", 1, 100)

    def everything_that_needs_the_lock(self, other: Account) -> list[Callable[[], object]]:
        return [
            lambda: other.buy("AAPL", 1, 100),
            lambda: other.lock().__enter__(),
            lambda: other.batch().__enter__(),
            lambda: Account(self.path, lock_timeout=other_timeout),
        ]

    def test_another_handle_of_the_thread_that_holds_the_lock_would_deadlock_at_once(self) -> None:
        with Account(self.path, lock_timeout=None) as other:
            for section in (self.account.lock, self.account.batch):
                with section():
                    for call in self.everything_that_needs_the_lock(other):
                        with self.assertRaises(papertrade.WouldDeadlock):
                            call()
                    self.assertEqual(other.cash, 10000)
                    with Account(self.path, read_only=True) as reader:
                        self.assertEqual(reader.cash, 10000)
            other.deposit(1)

    def test_another_handle_of_another_thread_is_busy_after_its_timeout(self) -> None:
        with Account(self.path, lock_timeout=other_timeout) as other:
            for section in (self.account.lock, self.account.batch):
                with section():
                    for call in self.everything_that_needs_the_lock(other):
                        began = time.monotonic()
                        with self.assertRaisesRegex(papertrade.Busy, "held by this process"):
                            in_another_thread(call)
                        self.assertGreaterEqual(time.monotonic() - began, other_timeout)
            in_another_thread(lambda: other.deposit(1))

    def test_closing_in_another_thread_ends_the_section_and_rolls_back_its_batch(self) -> None:
        for section in ("lock", "batch"):
            account = Account(self.path)
            with self.assertRaises(papertrade.Closed), getattr(account, section)():
                if section == "batch":
                    account.deposit(1)
                in_another_thread(account.close)
                account.deposit(1)
            with Account(self.path, lock_timeout=0) as other:
                self.assertEqual(other.cash, 10000)

    def test_the_same_handle_is_busy_in_another_thread(self) -> None:
        with Account(self.path, lock_timeout=other_timeout) as account, account.lock():
            with self.assertRaisesRegex(papertrade.Busy, "another thread"):
                in_another_thread(lambda: account.deposit(1))

    def test_the_lock_is_released_when_the_block_raises(self) -> None:
        with self.assertRaises(ZeroDivisionError), self.account.lock():
            1 / 0
        with Account(self.path, lock_timeout=0) as other:
            other.deposit(1)

    def test_a_section_that_began_as_the_interrupt_came_has_ended(self) -> None:
        for section in (self.account.lock, self.account.batch):
            with interrupt_after_the_next_call(self.account), self.assertRaises(KeyboardInterrupt):
                section().__enter__()
            in_another_thread(lambda: self.account.deposit(1))

    def section(self, section: Callable[[], Any], body: Callable[[], object]) -> Callable[[], None]:
        def block() -> None:
            with section():
                body()
        return block

    def is_held(self) -> bool:
        return Lock.is_held(self.path / ".lock")

    def test_an_interrupt_leaves_no_section_held(self) -> None:
        block = self.section(self.account.lock, lambda: None)
        for seconds in moments(block, 2000):
            left = interrupted_after(seconds, block)
            self.assertFalse(self.is_held(), left)

    def test_an_interrupt_leaves_no_section_held_that_another_exception_is_leaving(self) -> None:
        def failing() -> None:
            with suppress(ZeroDivisionError):
                block()

        for section in (self.account.lock, self.account.batch):
            block = self.section(section, lambda: 1 / 0)
            for seconds in moments(failing, 2000):
                left = interrupted_after(seconds, failing)
                self.assertFalse(self.is_held(), left)

    def test_an_interrupt_at_the_very_beginning_of_a_release_is_made_up_for(self) -> None:
        calls = self.account._calls
        for section, released in ((self.account.lock, (self.account, "_unlock")), (self.account.batch, (calls, "status"))):
            begin = section()
            begin.__enter__()
            with mock.patch.object(*released, side_effect=[KeyboardInterrupt, mock.DEFAULT], wraps=getattr(*released)):
                with self.assertRaises(KeyboardInterrupt):
                    begin.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
            self.assertFalse(self.is_held())

    def test_an_interrupt_of_an_inner_section_leaves_the_outer_one_held(self) -> None:
        block = self.section(self.account.lock, lambda: None)
        with self.account.lock():
            for seconds in moments(block, 2000):
                left = interrupted_after(seconds, block)
                self.assertTrue(self.is_held(), left)
        self.assertFalse(self.is_held())

    def test_an_interrupted_batch_has_happened_for_everybody_or_for_nobody(self) -> None:
        with Account(self.path, durability="process") as account, Account(self.path, read_only=True) as reader:
            block = self.section(account.batch, lambda: account.deposit(1))
            outcomes = set()
            for seconds in moments(block, 2000):
                before = account.cash
                left = interrupted_after(seconds, block)
                self.assertFalse(self.is_held(), left)
                happened = account.cash - before
                self.assertEqual(reader.cash, before + happened)
                outcomes.add((bool(left), happened))
            self.assertLessEqual(outcomes, {(False, 1), (True, 0), (True, 1)})
            self.assertIn((True, 0), outcomes)

    def test_an_interrupt_ends_the_wait_of_a_change(self) -> None:
        program = (
            HEED_INTERRUPTS + "import papertrade, sys\naccount = papertrade.Account(sys.argv[1], lock_timeout=60)\n"
            "print('opened', flush=True)\nsys.stdin.readline()\naccount.deposit(1)"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(self.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True, env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        )
        assert process.stdin is not None and process.stdout is not None
        process.stdout.readline()
        before = self.account.seq
        with self.account.lock():
            process.stdin.write("go\n")
            process.stdin.flush()
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=10)
        self.assertEqual(self.account.seq, before)
        self.assertIn("KeyboardInterrupt", errors)

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
