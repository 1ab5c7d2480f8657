"""Handles, arguments and places that the library must refuse: each with its own status and sentence, and nothing changed."""

from __future__ import annotations

import os
import re
import sys
import unittest
from pathlib import Path

import papertrade
from papertrade import Account
from files import JOURNAL, files_of
from support import HERE, NOBODY, REPOSITORY, SystemTest, compiled, is_root, note, run, run_forked, start, unmount


class ArgumentTest(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        with Account(self.path, initial_cash=10_000) as account:
            account.buy("ABC", 10, 100)
        self.before = files_of(self.path)

    def test_null_and_closed_handles_and_pointers_that_never_were_one(self) -> None:
        run(compiled("hosts/handles.c"), self.path, self.directory / "backup", self.directory / "my.lock")
        self.assert_unchanged(self.before)
        self.assertFalse((self.directory / "backup").exists())

    def test_that_means_every_function_on_a_handle(self) -> None:
        header = (REPOSITORY / "include" / "papertrade.h").read_text()
        host = (HERE / "hosts" / "handles.c").read_text()
        for kind, close in (("account", "pt_close"), ("lock", "pt_lock_close")):
            (body,) = re.findall(rf"^static void every_{kind}_call\(.*?^}}", host, flags=re.DOTALL | re.MULTILINE)
            called = set(re.findall(rf"\b(pt_\w+)\({kind}\b", body))
            declared = set(re.findall(rf"^pt_status (pt_\w+)\(pt_\w+ \*{kind}\b", header, flags=re.MULTILINE))
            # What closing a NULL and a closed handle comes to is not the same, and stands in main().
            self.assertEqual(called | {close}, declared)

    def test_symbols_amounts_totals_texts_and_times(self) -> None:
        with Account(self.path) as account:
            account.deposit("899000000")  # so that totals and the cash can leave the range
        before = files_of(self.path)
        count = int(run(compiled("hosts/arguments.c"), self.path))
        self.assert_unchanged(before)
        self.assertGreater(count, 200)
        note(f"{count} refusals")


class PlaceTest(SystemTest):
    """Paths that are no account of ours."""

    def assert_refused(self, kind: type[papertrade.PaperTradeError], sentence: str, path: Path, **options: object) -> None:
        with self.assertRaisesRegex(kind, sentence):
            Account(path, **options)  # type: ignore[arg-type]

    def test_a_path_that_is_a_file(self) -> None:
        file = self.directory / "file"
        file.write_text("mine")
        self.assert_refused(papertrade.NoAccount, "not a directory", file)
        self.assert_refused(papertrade.NoAccount, "not a directory", file / "below")
        self.assertEqual(file.read_text(), "mine")

    def test_a_path_that_leads_nowhere(self) -> None:
        self.assert_refused(papertrade.NoAccount, "no account", self.path, create=False)
        self.assert_refused(papertrade.NoAccount, "no account", self.path, read_only=True)
        self.assertFalse(self.path.exists())
        with self.assertRaises(papertrade.PaperTradeError):
            Account(self.path / "two" / "levels")
        self.assertFalse(self.path.exists())

    @unittest.skipUnless(is_root, "giving a directory to somebody else takes root")
    def test_a_directory_of_somebody_else(self) -> None:
        self.make()
        os.chown(self.path, NOBODY, NOBODY)
        self.path.chmod(0o755)
        before = files_of(self.path)
        self.assert_refused(papertrade.UnsafeFile, "belongs to another user", self.path)
        self.assert_unchanged(before)
        empty = self.directory / "empty"
        empty.mkdir()
        os.chown(empty, NOBODY, NOBODY)
        self.assert_refused(papertrade.UnsafeFile, "belongs to another user", empty)
        self.assertEqual(list(empty.iterdir()), [])

    @unittest.skipUnless(is_root, "becoming somebody else takes root")
    def test_a_directory_that_somebody_else_may_not_enter(self) -> None:
        self.make()
        outcome = run_forked(lambda: Account(self.path), NOBODY)
        self.assertRegex(outcome, "^Permission: cannot open .*account")

    @unittest.skipUnless(is_root, "becoming somebody else takes root")
    def test_a_reader_without_write_permission_reads_and_cannot_trade(self) -> None:
        self.make()
        self.path.chmod(0o755)
        for file in self.path.iterdir():
            file.chmod(0o644)

        def read() -> str:
            with Account(self.path, read_only=True) as account:
                cash = account.cash
                try:
                    account.buy("ABC", 1, 1)
                except papertrade.ReadOnly as error:
                    return f"{cash} {error}"
            return "not refused"

        before = files_of(self.path)
        self.assertRegex(run_forked(read, NOBODY), "^10000 .*read-only")
        self.assert_unchanged(before)

    def test_a_directory_that_everybody_may_write(self) -> None:
        self.make()
        before = files_of(self.path)
        self.path.chmod(0o777)
        self.assert_refused(papertrade.UnsafeFile, "chmod o-w", self.path)
        self.assert_unchanged(before)

    def test_links_and_fifos_in_place_of_files(self) -> None:
        self.make()
        (self.path / JOURNAL).rename(self.directory / "elsewhere")
        for make in (
            lambda journal: journal.symlink_to(self.directory / "elsewhere"), lambda journal: os.mkfifo(journal),
            lambda journal: os.link(self.directory / "elsewhere", journal), lambda journal: journal.mkdir(),
        ):
            make(self.path / JOURNAL)
            self.assert_refused(papertrade.UnsafeFile, JOURNAL, self.path)
            if (self.path / JOURNAL).is_dir() and not (self.path / JOURNAL).is_symlink():
                (self.path / JOURNAL).rmdir()
            else:
                (self.path / JOURNAL).unlink()

    def test_a_network_file_system(self) -> None:
        disk = self.directory / "disk"
        disk.mkdir()
        server = self.started(start(sys.executable, HERE / "fuse.py", disk))
        self.addCleanup(unmount, disk)
        assert server.stdout is not None
        answer = server.stdout.readline().strip()
        if answer != "mounted":
            self.skipTest(f"no network file system can be mounted here: {answer}")
        message = run(sys.executable, "-c", (
            "import sys, papertrade\n"
            "try: papertrade.Account(sys.argv[1])\n"
            "except papertrade.NetworkFileSystem as error: print(error)"), disk, timeout=20)
        self.assertRegex(message, "disk is on a network file system")


class ForkedHandleTest(SystemTest):
    def test_a_forked_handle_is_refused_and_nothing_changes(self) -> None:
        account = self.open(initial_cash=10_000)
        before = files_of(self.path)
        outcome = run_forked(lambda: account.buy("ABC", 1, 1))
        self.assertRegex(outcome, "^Forked: .*parent")
        self.assert_unchanged(before)
        self.assertEqual(account.buy("ABC", 1, 1).cash_after, 9999)


if __name__ == "__main__":
    unittest.main()
