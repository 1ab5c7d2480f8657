"""Damaged, foreign, newer and edited files: each is refused with its own status and sentence, or put right and reported; nothing is lost."""

from __future__ import annotations

import json
import time
import unittest
from typing import Callable

import papertrade
from papertrade import Account
from files import JOURNAL, PORTFOLIO, crc32c, files_of, portfolio_of
from support import SystemTest


class DataTest(SystemTest):
    """Files that are damaged, foreign or too new."""

    def setUp(self) -> None:
        super().setUp()
        with Account(self.path, initial_cash=10_000) as account:
            for number in range(30):
                account.buy("ABC", 1, 1 + number)
        self.journal = self.path / JOURNAL
        self.text = self.journal.read_bytes()

    def assert_refused(self, kind: type[papertrade.PaperTradeError], sentence: str) -> papertrade.PaperTradeError:
        """To a new opener, to a reader, and to verify; and nothing is changed by any of them."""
        before = files_of(self.path)
        caught = None
        calls: list[Callable[[], object]] = [
            lambda: Account(self.path), lambda: Account(self.path, read_only=True), lambda: papertrade.verify(self.path)]
        for call in calls:
            with self.assertRaisesRegex(kind, sentence) as context:
                call()
            caught = context.exception
            self.assert_unchanged(before)
        assert caught is not None
        return caught

    def lines(self) -> list[bytes]:
        return [line for line in self.text.split(b"\n") if line]

    def sealed(self, line: bytes) -> bytes:
        """The line with the checksum that it should have."""
        body, _, _ = line.rpartition(b',"crc":"')
        return body + b',"crc":"%08x"}' % crc32c(body)

    def test_a_format_newer_than_the_library_in_the_journal(self) -> None:
        lines = self.lines()
        lines[0] = self.sealed(lines[0].replace(b"papertrade/1", b"papertrade/2"))
        self.journal.write_bytes(b"\n".join(lines) + b"\n")
        self.assert_refused(papertrade.NewerFormat, "journal.jsonl.*(newer version|papertrade/2)")

    def test_an_event_that_only_a_newer_library_knows(self) -> None:
        lines = self.lines()
        new = b'{"seq":33,"at":"2026-03-02T15:00:00.000000Z","time":"2026-03-02T15:00:00.000000Z","type":"short","cash":1.0,"durable":32'
        new += b',"prev":"' + json.loads(lines[-1])["crc"].encode() + b'","crc":"00000000"}'
        end = len(b"\n".join(lines) + b"\n")
        self.journal.write_bytes(b"\n".join([*lines, self.sealed(new)]) + b"\n" * (len(self.text) - end))
        error = self.assert_refused(papertrade.NewerFormat, "line 33")
        self.assertEqual(error.offset, end)

    def test_a_format_newer_than_the_library_in_portfolio_json(self) -> None:
        file = self.path / PORTFOLIO
        body, _, _ = file.read_bytes().replace(b"papertrade/1", b"papertrade/2").partition(b',\n  "checksum"')
        file.write_bytes(body + b',\n  "checksum": "crc32c:%08x"\n}\n' % crc32c(body))
        before = files_of(self.path)
        with self.assertRaisesRegex(papertrade.NewerFormat, "portfolio.json.*newer version"):
            Account(self.path)
        self.assert_unchanged(before)

    def test_a_journal_that_is_corrupt_inside_and_has_lost_its_portfolio_json(self) -> None:
        """One bit, in each of many places. Without portfolio.json everybody has to read all of it."""
        (self.path / PORTFOLIO).unlink()
        lines = self.lines()
        offset = 0
        for number, line in enumerate(lines[:-2], 1):
            damaged = bytearray(self.text)
            damaged[offset + (number * 37) % len(line)] ^= 1
            self.journal.write_bytes(damaged)
            error = self.assert_refused(papertrade.Corrupt, f"journal.jsonl, line {number}, byte {offset}")
            self.assertEqual(error.offset, offset)
            offset += len(line) + 1
        self.journal.write_bytes(self.text)
        self.assertEqual(self.open().cash, 10_000 - 465)

    def test_a_journal_that_is_corrupt_inside_is_found_by_verify_also_behind_a_good_portfolio_json(self) -> None:
        self.journal.write_bytes(self.text.replace(b'"price":7.0', b'"price":6.0'))
        before = files_of(self.path)
        with self.assertRaisesRegex(papertrade.Corrupt, "line 9"):
            papertrade.verify(self.path)
        self.assert_unchanged(before)

    def test_a_journal_whose_checksums_are_right_but_not_its_figures(self) -> None:
        """Somebody edited it and computed all checksums anew."""
        (self.path / PORTFOLIO).unlink()
        previous, lines = b"00000000", []
        for line in self.text.replace(b'"cash":9999.0', b'"cash":9998.0').split(b"\n"):
            if line:
                body = line.rpartition(b',"prev":"')[0]
                line = self.sealed(body + b',"prev":"' + previous + b'","crc":"00000000"}')
                previous = line[-10:-2]
                lines.append(line)
        self.journal.write_bytes(b"\n".join(lines) + b"\n" * 1000)
        self.assert_refused(papertrade.Corrupt, "line 3")

    def test_a_journal_that_lost_acknowledged_events(self) -> None:
        lines = self.lines()
        kept = b"\n".join(lines[:20]) + b"\n"
        self.journal.write_bytes(kept + b"\n" * (len(self.text) - len(kept)))
        self.assert_refused(papertrade.MissingData, "ends at (event )?20")

    def test_a_journal_that_is_gone(self) -> None:
        self.journal.unlink()
        self.assert_refused(papertrade.MissingData, JOURNAL)

    def test_a_journal_of_another_account(self) -> None:
        with Account(self.directory / "other", initial_cash=1):
            pass
        self.journal.write_bytes((self.directory / "other" / JOURNAL).read_bytes())
        self.assert_refused(papertrade.WrongAccount, "(different|another) account")

    def test_a_journal_that_an_editor_converted(self) -> None:
        (self.path / PORTFOLIO).unlink()
        for name, text in (
            ("CRLF", self.text.replace(b"\n", b"\r\n")), ("BOM", b"\xef\xbb\xbf" + self.text),
            ("pretty", b"\n".join(json.dumps(json.loads(line), indent=1).encode() for line in self.lines()) + b"\n"),
            ("spaces", self.text.replace(b'","', b'", "')),
        ):
            with self.subTest(name):
                self.journal.write_bytes(text)
                self.assert_refused(papertrade.Corrupt, "line 1")

    def test_damage_under_an_open_account_is_refused_by_the_next_change(self) -> None:
        account = self.open()
        with open(self.journal, "r+b") as file:
            file.seek(len(b"\n".join(self.lines())) - 6)  # in its last checksum
            file.write(b"XX")
        before = files_of(self.path)
        with self.assertRaises(papertrade.Corrupt):
            account.buy("ABC", 1, 1)
        self.assert_unchanged(before)


class EditedPortfolioTest(SystemTest):
    def assert_kept_aside_after(self, notice: Callable[[Account], object]) -> None:
        """An edit of portfolio.json is kept under another name, the right file is published, and it is reported."""
        log: list[tuple[int, str]] = []
        account = self.open(initial_cash=10_000, log=lambda level, line: log.append((level, line)))
        right = (self.path / PORTFOLIO).read_bytes()
        edited = right.replace(b'"cash": 10000.0', b'"cash": 99999.0')
        self.assertNotEqual(edited, right)
        time.sleep(0.1)  # nobody edits faster, and who trades faster notices an edit one trade later
        (self.path / PORTFOLIO).write_bytes(edited)
        self.assertEqual(account.cash, 10_000)  # the library never takes its state from it
        notice(account)
        (kept,) = self.path.glob("portfolio.json.edited-*")
        self.assertEqual(kept.read_bytes(), edited)
        self.assertEqual([level for level, line in log if kept.name in line], [30], log)
        portfolio = portfolio_of(self.path)
        self.assertEqual((portfolio["cash"], portfolio["seq"]), (account.cash, account.seq))
        self.assert_verifies()

    def test_an_edited_portfolio_json_is_noticed_by_the_next_trade(self) -> None:
        self.assert_kept_aside_after(lambda account: account.buy("ABC", 1, 1))

    def test_an_edited_portfolio_json_is_noticed_by_reload(self) -> None:
        self.assert_kept_aside_after(lambda account: account.reload())

    def test_an_edited_portfolio_json_is_noticed_by_the_next_open(self) -> None:
        self.make()
        edited = (self.path / PORTFOLIO).read_bytes().replace(b'"cash": 10000.0', b'"cash": 99999.0')
        (self.path / PORTFOLIO).write_bytes(edited)
        log: list[tuple[int, str]] = []
        account = self.open(log=lambda level, line: log.append((level, line)))
        (kept,) = self.path.glob("portfolio.json.edited-*")
        self.assertEqual((kept.read_bytes(), account.cash, portfolio_of(self.path)["cash"]), (edited, 10_000, 10_000))
        self.assertEqual([level for level, line in log if kept.name in line], [30], log)

    def test_portfolio_json_that_is_deleted_emptied_or_nonsense_is_published_again(self) -> None:
        self.make()
        for text in (None, b"", bytes(700), b"{", b"[1, 2]", b"\xff\xfe", b'{"format": "papertrade/1"}'):
            with self.subTest(text):
                if text is None:
                    (self.path / PORTFOLIO).unlink()
                else:
                    (self.path / PORTFOLIO).write_bytes(text)
                with Account(self.path, log=lambda _level, _line: None) as account:
                    self.assertEqual(account.cash, 10_000)
                self.assertEqual(portfolio_of(self.path)["cash"], 10_000)
                self.assert_verifies()


if __name__ == "__main__":
    unittest.main()
