"""Opening and closing an account, and what is done to its directory as a whole, from Python."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import unittest
import warnings
from decimal import Decimal
from pathlib import Path

import papertrade
from papertrade import Account
from support import AccountTest, DirectoryTest, needs_library, run_python


@needs_library
class OpeningTest(DirectoryTest):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.directory / "account"

    def test_the_options_reach_the_account(self) -> None:
        with Account(str(self.path), initial_cash="1234.5", account_id="tests", durability="process", lock_timeout=0) as account:
            summary = account.summary()
        self.assertEqual((summary.account_id, summary.cash), ("tests", Decimal("1234.5")))
        self.assertEqual((account.path, account.closed), (self.path, True))

    def test_an_account_that_is_not_there_is_not_made_if_that_was_not_asked(self) -> None:
        with self.assertRaises(FileNotFoundError) as caught:
            Account(self.path, create=False)
        self.assertIsInstance(caught.exception, papertrade.NoAccount)
        self.assertFalse(self.path.exists())

    def test_a_read_only_account_can_be_read_and_not_changed(self) -> None:
        Account(self.path).close()
        with Account(self.path, read_only=True) as account:
            self.assertEqual(account.cash, 10000)
            with self.assertRaises(papertrade.ReadOnly):
                account.deposit(1)

    def test_wrong_options_are_refused(self) -> None:
        for wrong, kind in (
            ({"durability": "some"}, papertrade.InvalidArgument), ({"lock_timeout": -1}, papertrade.InvalidArgument),
            ({"initial_cash": -1}, papertrade.InvalidAmount), ({"account_id": "no spaces"}, papertrade.InvalidArgument),
            ({"initial_cash": True}, TypeError), ({"lock_timeout": "10"}, TypeError),
        ):
            with self.subTest(wrong=wrong), self.assertRaises(kind):
                Account(self.path, **wrong)  # type: ignore[arg-type]
        with self.assertRaises(papertrade.InvalidArgument):
            Account("a\0b")

    def test_callbacks_that_cannot_be_called_are_refused_before_anything_is_opened(self) -> None:
        for name in ("log", "clock"):
            for call in (
                lambda **options: Account(self.path, **options), lambda **options: papertrade.recover(self.path, **options),
                lambda **options: papertrade.import_portfolio(self.path, self.directory / "none", **options),
            ):
                with self.assertRaisesRegex(TypeError, f"^{name} is a str: a callable is expected, or None$"):
                    call(**{name: "print"})
        self.assertFalse(self.path.exists())

    def test_a_closed_account_refuses_everything_and_closes_again_quietly(self) -> None:
        account = Account(self.path)
        account.close()
        account.close()
        for call in (
            account.summary, account.positions, account.queue, account.reload, account.verify, account.history,
            lambda: account.cash, lambda: account.buy("AAPL", 1, 1), lambda: account.batch().__enter__(),
            lambda: account.lock().__enter__(), account.__enter__,
        ):
            with self.assertRaisesRegex(papertrade.Closed, "is closed"):
                call()

    def test_an_exception_leaves_the_with_block_as_it_is(self) -> None:
        with self.assertRaises(ZeroDivisionError), Account(self.path) as account:
            1 / 0
        self.assertTrue(account.closed)

    def test_an_account_that_was_not_closed_warns_and_is_closed(self) -> None:
        account = Account(self.path)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del account
            gc.collect()
        self.assertEqual([each.category for each in caught], [ResourceWarning])

    def test_an_account_that_is_open_at_the_end_of_the_program_does_no_harm(self) -> None:
        program = "import papertrade, sys\naccount = papertrade.Account(sys.argv[1])\naccount.buy('AAPL', 1, 1)"
        done = run_python("-c", program, str(self.path))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = run_python("-X", "dev", "-c", program, str(self.path))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        with Account(self.path) as account:
            self.assertEqual(account.position("AAPL").shares, 2)

    def test_an_open_account_cannot_be_copied_or_pickled(self) -> None:
        with Account(self.path) as account:
            for call in (pickle.dumps, copy.copy, copy.deepcopy):
                with self.assertRaisesRegex(TypeError, "send its path"):
                    call(account)

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_a_forked_child_is_refused_and_may_open_the_account_anew(self) -> None:
        program = """
import os, sys, papertrade
account = papertrade.Account(sys.argv[1])
child = os.fork()
if child == 0:
    try:
        account.buy("AAPL", 1, 1)
    except papertrade.Forked:
        account.close()
        with papertrade.Account(sys.argv[1]) as own:
            own.buy("AAPL", 1, 1)
        os._exit(7)
    os._exit(1)
print(os.WEXITSTATUS(os.waitpid(child, 0)[1]), account.position("AAPL").shares)
account.close()
"""
        done = run_python("-W", "ignore", "-c", program, str(self.path))
        self.assertEqual((done.stdout, done.stderr), ("7 1\n", ""))

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_a_child_forked_while_the_account_is_locked_is_refused_and_does_not_hang(self) -> None:
        for section in ("batch", "lock"):
            program = f"""
import os, signal, sys, papertrade
account = papertrade.Account(sys.argv[1])
with account.{section}():
    account.deposit(1)
    if os.fork() == 0:
        signal.alarm(20)
        for call in (lambda: account.cash, lambda: account.deposit(1)):
            try:
                call()
            except papertrade.Forked:
                print("Forked", flush=True)
        account.close()
        try:
            papertrade.Account(sys.argv[1], lock_timeout=0.05)
        except papertrade.Busy:
            print("Busy", flush=True)
        os._exit(7)
    print(os.WEXITSTATUS(os.wait()[1]))
print(account.seq)
account.close()
"""
            path = self.directory / section
            done = run_python("-W", "ignore", "-c", program, str(path))
            with Account(path) as account:
                self.assertEqual((done.stdout, done.stderr), (f"Forked\nForked\nBusy\n7\n{account.seq}\n", ""))
                self.assertEqual(account.cash, 10001)

    def test_the_path_stays_right_when_the_program_changes_its_directory(self) -> None:
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.directory)
        with Account("account") as account:
            os.chdir("/")
            account.deposit(1)
            self.assertEqual(account.verify().problems, 0)
            self.assertEqual(account.path.resolve(), self.path.resolve())


@needs_library
class MaintenanceTest(AccountTest):
    def test_a_good_account_verifies(self) -> None:
        self.account.buy("AAPL", 10, 100)
        for report in (self.account.verify(), papertrade.verify(self.path), papertrade.verify(str(self.path), check=False)):
            self.assertEqual(
                (report.ok, report.status, report.problems, report.first_problem, report.cash, report.last_seq),
                (True, 0, 0, "", 9000, self.account.seq),
            )

    def test_damage_is_raised_or_reported_and_recovered_on_request(self) -> None:
        for _ in range(5):
            self.account.deposit(1)
        self.account.close()
        journal = self.path / "journal.jsonl"
        damaged = journal.read_bytes().replace(b'"seq":3', b'"seq":8', 1)
        journal.write_bytes(damaged)
        with self.assertRaises(papertrade.DataError) as caught:
            papertrade.verify(self.path)
        report = papertrade.verify(self.path, check=False)
        self.assertEqual((report.ok, report.status), (False, caught.exception.status))
        self.assertIn("journal.jsonl", report.first_problem)
        recovered = papertrade.recover(self.path)
        self.assertGreater(recovered.seq, 0)
        self.assertEqual((self.path / recovered.kept_as).read_bytes(), damaged)
        self.assertTrue(papertrade.verify(self.path).ok)

    def test_recovering_a_good_account_changes_nothing(self) -> None:
        self.account.close()
        self.assertEqual(papertrade.recover(self.path).seq, 0)

    def test_verifying_what_is_not_there_is_no_account_also_unchecked(self) -> None:
        for check in (True, False):
            with self.assertRaises(papertrade.NoAccount):
                papertrade.verify(self.directory / "nothing", check=check)

    def test_a_backup_is_an_account_of_its_own(self) -> None:
        self.account.buy("AAPL", 10, 100)
        copy_path = self.directory / "copy"
        self.account.backup(copy_path)
        with Account(copy_path, read_only=True) as account:
            self.assertEqual(account.positions(), self.account.positions())
        with self.assertRaises(FileExistsError):
            self.account.backup(copy_path)

    def test_a_reset_starts_over_and_seq_goes_on(self) -> None:
        self.account.buy("AAPL", 10, 100)
        seq = self.account.seq
        self.account.reset("500.5", note="again")
        summary = self.account.summary()
        self.assertEqual((summary.cash, summary.position_count, summary.generation), (Decimal("500.5"), 0, 2))
        self.assertGreater(summary.seq, seq)

    def test_an_invalid_configuration_is_refused_with_its_place(self) -> None:
        (self.path / "config.json").write_text('{"no_such_rule": 1}')
        with self.assertRaisesRegex(papertrade.InvalidConfig, r"config\.json.*no_such_rule"), self.assertLogs("papertrade"):
            self.account.reload()

    def test_the_original_systems_files_are_imported(self) -> None:
        old = self.directory / "paper_portfolio.json"
        old.write_text(
            '{"cash": 99.99999999999999, "positions": {"AAPL": {"shares": 2.0, "cost_basis": 150.0,'
            ' "first_purchase_date": "2025-01-02T10:00:00"}},'
            ' "created_at": "2025-01-02T09:00:00", "updated_at": "2025-01-02T10:00:00+00:00Z"}'
        )
        report = papertrade.import_portfolio(self.directory / "new", old)
        self.assertEqual((report.positions, report.cash), (1, 100))
        self.assertGreaterEqual(report.rounded, 1)
        with Account(self.directory / "new", create=False) as account:
            self.assertEqual(account.position("AAPL").cost, 300)
        with self.assertRaises(papertrade.Exists):
            papertrade.import_portfolio(self.directory / "new", old)
        Path(old).write_text("{")
        with self.assertRaises(papertrade.InvalidImport):
            papertrade.import_portfolio(self.directory / "other", old)


if __name__ == "__main__":
    unittest.main()
