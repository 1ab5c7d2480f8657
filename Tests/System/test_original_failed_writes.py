"""Cases 24 to 28 of the original system, which it failed: a change that cannot be written is refused, nothing has changed in memory or
on disk, and the next one works."""

from __future__ import annotations

import os
import unittest
from pathlib import Path
from typing import Any, Callable

import papertrade
from papertrade import Account, Analysis
from files import PORTFOLIO, files_of, lines_of, portfolio_of
from support import NOBODY, SystemTest, finish, is_root, memory_of, mount, run_forked, start_python, unmount


def lasting_files_of(path: Path) -> dict[str, bytes]:
    """Without what is written over by the next commit, whatever is in it."""
    return {name: contents for name, contents in files_of(path).items() if name != "portfolio.json.tmp"}


def refusal_of(account: Account, change: Callable[[], object], kind: type[papertrade.PaperTradeError]) -> str:
    """Makes a change that must be refused, and requires that it changed nothing; returns the message."""
    memory, files = memory_of(account), lasting_files_of(account.path)
    try:
        change()
    except kind as error:
        assert memory_of(account) == memory, "changed in memory"
        assert lasting_files_of(account.path) == files, "changed on disk"
        return str(error)
    raise AssertionError(f"{kind.__name__} was expected")


def trade_without_permission(path: Path) -> str:
    """In a directory of one's own whose permission to write is taken away and given back."""
    with Account(path, initial_cash=10_000) as account:
        account.buy("AAPL", 1, 100)
        path.chmod(0o500)
        message = refusal_of(account, lambda: account.buy("AAPL", 40, 150), papertrade.Permission)
        path.chmod(0o700)
        assert account.buy("AAPL", 40, 150).cash_after == 3900
    assert papertrade.verify(path).ok
    return message


class FailedWriteTest(SystemTest):
    def test_24_portfolio_json_without_write_bits(self) -> None:
        """Also for root, who could write it."""
        account = self.open(initial_cash=10_000)
        (self.path / PORTFOLIO).chmod(0o444)
        message = refusal_of(account, lambda: account.buy("AAPL", 40, 150), papertrade.ReadOnly)
        self.assertIn("chmod u+w", message)
        (self.path / PORTFOLIO).chmod(0o640)
        self.assertEqual(account.buy("AAPL", 40, 150).cash_after, 4000)
        self.assertEqual((self.path / PORTFOLIO).stat().st_mode & 0o777, 0o640)
        self.assert_verifies()

    def test_25_a_full_disk(self) -> None:
        """First no room for portfolio.json's successor, then none for the journal to grow."""
        disk = self.directory / "disk"
        disk.mkdir()
        reason = mount("tmpfs", disk, "size=256k,mode=755")
        if reason:
            self.skipTest(reason)
        self.addCleanup(unmount, disk)
        self.path = disk / "account"
        account = self.open(initial_cash=10_000)
        self.addCleanup(account.close)
        ballast = disk / "ballast"

        self.fill(ballast, leaving=0)
        message = refusal_of(account, lambda: account.buy("AAPL", 40, 150), papertrade.NoSpace)
        self.assertIn("No space left", message)
        ballast.unlink()
        self.assertEqual(account.buy("AAPL", 40, 150).cash_after, 4000)

        self.fill(ballast, leaving=4096)
        trades = self.trade_until_refused(account)
        self.assertGreater(trades, 10)
        refusal_of(account, lambda: account.buy("AAPL", 1, 1, note="x" * 250), papertrade.NoSpace)
        ballast.unlink()
        self.assertEqual(account.buy("AAPL", 1, 1).cash_after, 4000 - trades - 1)
        self.assertEqual(len(lines_of(self.path)), 2 + 1 + trades + 1)
        self.assert_verifies()

    def fill(self, ballast: Path, leaving: int) -> None:
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
            file.truncate(file.tell() - leaving)

    def trade_until_refused(self, account: Account) -> int:
        for count in range(1000):
            memory = memory_of(account)
            try:
                account.buy("AAPL", 1, 1, note="x" * 250)
            except papertrade.NoSpace:
                self.assertEqual(memory_of(account), memory)
                return count
        raise AssertionError("the journal never had to grow")

    def test_26_a_file_size_limit(self) -> None:
        """In a process of its own; whoever writes beyond the limit gets SIGXFSZ, which must not come."""
        program = """if True:
            import resource, sys, papertrade
            from support import files_of, memory_of
            from test_original_failed_writes import refusal_of
            with papertrade.Account(sys.argv[1], initial_cash=10000) as account:
                _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (512, most))
                print(refusal_of(account, lambda: account.buy('AAPL', 40, 150), papertrade.NoSpace))
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
                print(account.buy('AAPL', 40, 150).cash_after)
        """
        message, cash = finish(start_python(program, self.path)).splitlines()
        self.assertIn("file size limit", message)
        self.assertEqual(cash, "4000")
        self.assert_verifies()

    def test_27_a_directory_without_permission(self) -> None:
        home = self.directory / "home"
        home.mkdir()
        if is_root:  # to whom everything is permitted
            os.chown(home, NOBODY, NOBODY)
            message = run_forked(lambda: trade_without_permission(home / "account"), NOBODY)
        else:
            message = trade_without_permission(home / "account")
        self.assertTrue(message.startswith("cannot "), message)
        self.assertIn("ermission", message)

    def test_28_executing_the_queue_cannot_be_half_written(self) -> None:
        """The entry stays in the queue and the money in the account; later the same entry is bought once."""
        account = self.open(initial_cash=10_000)
        account.enqueue("NVDA", 82, "STRONG BUY", 120)
        analyst: Any = lambda _symbol, time: Analysis("BUY", 80, 120, shares=10, time=time)
        (self.path / PORTFOLIO).chmod(0o444)
        refusal_of(account, lambda: account.execute_queue(analyst), papertrade.ReadOnly)
        (self.path / PORTFOLIO).chmod(0o600)
        self.assertEqual([each.bought for each in account.execute_queue(analyst)], [True])
        portfolio = portfolio_of(self.path)
        self.assertEqual((portfolio["cash"], portfolio["queued_opportunities"]), (8800, []))
        self.assertEqual([line["type"] for line in lines_of(self.path)][2:], ["queue", "buy"])
        self.assert_verifies()


if __name__ == "__main__":
    unittest.main()
