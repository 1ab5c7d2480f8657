"""Programs that are not gentle hosts: the library works in them, or refuses with a reason, and harms neither them nor the account."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

import papertrade
from files import CONFIG, JOURNAL, portfolio_of
from replay import Replay
from support import ENVIRONMENT, SystemTest, compiled, note, run, start


class HostTest(SystemTest):
    def assert_replays(self) -> Replay:
        replay = Replay().read(self.path)
        replay.compare_with(portfolio_of(self.path))
        self.assert_verifies()
        return replay

    def host(self, name: str) -> Path:
        return compiled(f"hosts/{name}.c")


class LocaleTest(HostTest):
    def test_threads_that_call_setlocale_all_the_while_put_no_comma_into_a_number(self) -> None:
        environment, name = self.locale_with_a_comma()
        self.make(10_000)
        (self.path / CONFIG).write_text('{"queue": {"max_score_drop": 7.25}}')
        trades = 400
        switches = run(self.host("locale"), self.path, name, str(trades), env={**ENVIRONMENT, **environment})
        replay = self.assert_replays()
        self.assertEqual(len(replay.lines), 2 + 1 + 4 * trades)
        self.assertEqual(replay.rules["queue.max_score_drop"] * 4, 29)
        for file in self.path.iterdir():
            for wrong in (b"150,25", b"225,375", b"82,5", b"7,25"):
                self.assertNotIn(wrong, file.read_bytes())
        self.assertGreater(int(switches), trades, "the locale was not switched often enough to prove anything")
        note(f"{int(switches)} switches of the locale")

    def locale_with_a_comma(self) -> tuple[dict[str, str], str]:
        installed = subprocess.run(["locale", "-a"], stdout=subprocess.PIPE, universal_newlines=True).stdout.split()
        for name in installed:
            if name.lower().replace("-", "") == "de_de.utf8":
                return {}, name
        if shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/de_DE").exists():
            self.skipTest("no locale with a decimal comma is installed, and none can be made")
        folder = self.directory / "locales"
        folder.mkdir()
        made = subprocess.run(
            ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True)
        if not (folder / "de_DE.UTF-8").exists():
            self.skipTest(f"localedef could not make a locale: {made.stdout}")
        return {"LOCPATH": str(folder)}, "de_DE.UTF-8"


class FileSizeLimitTest(HostTest):
    def refuse_under(self, size: int) -> None:
        self.make(10_000)
        run(self.host("fsize"), self.path, str(size))
        self.assert_replays()

    def test_a_file_size_limit_below_portfolio_json_refuses_and_does_not_kill_the_host(self) -> None:
        self.refuse_under(600)

    def test_a_file_size_limit_inside_the_journal_refuses_and_does_not_kill_the_host(self) -> None:
        """Of 4 KiB: portfolio.json fits, the line would go behind it."""
        self.refuse_under(4096)

    def test_a_file_size_limit_of_nothing_refuses_and_does_not_kill_the_host(self) -> None:
        self.refuse_under(0)

    def test_a_file_size_limit_at_the_journals_size_refuses_when_it_has_to_grow(self) -> None:
        self.make(10_000)
        count = int(run(self.host("growth"), self.path))
        replay = self.assert_replays()
        self.assertEqual(len(replay.lines), 2 + count - 1 + 10)
        self.assertGreater((self.path / JOURNAL).stat().st_size, 65536)


class ForkTest(HostTest):
    def test_a_forked_child_is_refused_leaves_the_parents_lock_alone_and_can_open_anew(self) -> None:
        self.make(10_000)
        run(self.host("fork"), self.path, self.directory / "my.lock")
        replay = self.assert_replays()
        self.assertEqual({symbol: held.shares for symbol, held in replay.positions.items()}, {"CHILD": 2, "PARENT": 4})


    def test_a_child_that_lives_on_does_not_keep_the_lock_of_its_killed_parent(self) -> None:
        """A lock by flock(2) belongs to the open file, which a child inherits."""
        self.make(10_000)
        account = self.open()
        for moment in ("before", "after"):
            with self.subTest(forked=f"{moment} the lock was taken"):
                parent = self.started(start(self.host("orphan"), self.path, moment, stdin=subprocess.PIPE))
                assert parent.stdout is not None and parent.stdin is not None
                child = int(parent.stdout.readline())
                with self.assertRaises(papertrade.Busy), account.lock(0):
                    pass
                parent.kill()
                parent.wait()
                with account.lock(10):  # the child may only just have begun
                    account.buy("AAPL", 1, 1)
                os.kill(child, 0)  # it lives
                parent.stdin.close()
        self.assert_replays()


class DescriptorTest(HostTest):
    def test_a_host_without_descriptors_0_to_2_trades_and_they_stay_free(self) -> None:
        self.make(10_000)
        complaints = self.directory / "complaints"
        process = self.started(start(self.host("closed"), self.path, self.directory / "other", complaints))
        process.wait(30)
        self.assertEqual((complaints.read_text(), process.returncode), ("fine\n", 0))
        self.assert_replays()


class SignalTest(HostTest):
    def test_a_host_that_is_interrupted_all_the_time_trades_exactly(self) -> None:
        self.make(10_000)
        interruptions = int(run(self.host("signals"), self.path, "200", self.directory / "my.lock"))
        replay = self.assert_replays()
        self.assertEqual((replay.cash, replay.generation), (10_000, 5))
        self.assertEqual(sum(line["type"] == "buy" for line in replay.lines), 200)
        self.assertGreater(interruptions, 200, "too few to prove anything")
        note(f"{interruptions} interruptions")


class HolderTest(HostTest):
    """Another process holds the account's lock."""

    def setUp(self) -> None:
        super().setUp()
        self.make(10_000)
        self.account = self.open()
        self.holder = self.started(start(self.host("holder"), self.path, stdin=subprocess.PIPE))
        assert self.holder.stdout is not None
        self.assertEqual(self.holder.stdout.readline(), "held\n")

    def test_a_stopped_holder_makes_others_busy_within_their_timeout_and_goes_on_afterwards(self) -> None:
        self.holder.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.holder.pid, os.WSTOPPED | os.WNOWAIT)
        for timeout in (0.0, 0.1, 0.3):
            with papertrade.Account(self.path, read_only=True) as reader:
                self.assertEqual(reader.cash, 10_000)  # reads need no lock
            waited, message = self.busy_after(timeout)
            self.assertIn(f"process {self.holder.pid} since 20", message)
            self.assertTrue(timeout <= waited <= timeout + 0.05, f"waited {waited:.3f} s of {timeout} s")
        self.holder.send_signal(signal.SIGCONT)
        assert self.holder.stdin is not None and self.holder.stdout is not None
        self.holder.stdin.write("trade\n")
        self.holder.stdin.close()
        self.assertEqual(self.holder.stdout.readline(), "traded\n")
        self.assertEqual(self.account.buy("AAPL", 1, 1).cash_after, 9998)
        self.assertEqual(self.holder.wait(10), 0)
        self.assert_replays()

    def busy_after(self, timeout: float) -> tuple[float, str]:
        """Tries for the lock: how long that took, and the message."""
        began = time.monotonic()
        try:
            with self.account.lock(timeout):
                self.fail("got a lock that a stopped process holds")
        except papertrade.Busy as error:
            return time.monotonic() - began, str(error)

    def test_opening_waits_for_the_lock_no_longer_than_its_timeout(self) -> None:
        began = time.monotonic()
        with self.assertRaisesRegex(papertrade.Busy, f"process {self.holder.pid} "):
            papertrade.Account(self.path, lock_timeout=0.2)
        waited = time.monotonic() - began
        self.assertTrue(0.2 <= waited <= 0.25, f"waited {waited:.3f} s")

    def test_a_killed_holder_releases_the_lock_at_once(self) -> None:
        self.assertGreaterEqual(self.busy_after(0)[0], 0)
        self.holder.kill()
        self.holder.wait()
        with self.account.lock(0):
            self.account.buy("AAPL", 1, 1)
        self.assert_replays()

    def test_whoever_waits_for_a_holder_that_is_killed_gets_the_lock(self) -> None:
        """Nobody wakes him; in C, which waits in one piece, and does not try again when that is over."""
        waiter = self.started(start(self.host("holder"), self.path, stdin=subprocess.PIPE))
        assert waiter.stdout is not None and waiter.stdin is not None
        time.sleep(0.5)
        self.assertEqual(select.select([waiter.stdout], [], [], 0)[0], [], "it did not wait")
        self.holder.kill()
        self.assertEqual(select.select([waiter.stdout], [], [], 5)[0], [waiter.stdout], "it waits on")
        self.assertEqual(waiter.stdout.readline(), "held\n")
        waiter.stdin.close()
        self.assertEqual(waiter.wait(10), 0)
        self.assert_replays()


if __name__ == "__main__":
    unittest.main()
