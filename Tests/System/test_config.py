"""config.json: when it is read, what an invalid one does, and that all processes go by the same rules."""

from __future__ import annotations

import os
import subprocess
import time
import unittest
from decimal import Decimal
from typing import Any

import papertrade
from papertrade import Account
from files import CONFIG, PORTFOLIO, files_of, lines_of
from support import SystemTest, finish, start_python


def commission(minimum: object) -> str:
    return '{"commission": {"minimum": %s}}' % minimum


class ConfigTest(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.log: list[tuple[int, str]] = []

    def opened(self, **options: Any) -> Account:
        return self.open(log=lambda level, line: self.log.append((level, line)), **options)

    def write(self, text: str) -> None:
        """As editors do: a new file that takes the name."""
        (self.directory / "new").write_text(text)
        (self.directory / "new").rename(self.path / CONFIG)

    def rules(self) -> list[Decimal]:
        """The minimum commission of each accepted set of rules."""
        return [line["commission.minimum"] for line in lines_of(self.path) if line["type"] == "rules"]

    def fee(self, account: Account) -> Decimal:
        return account.buy("ABC", 1, 1).commission

    def test_it_is_read_when_an_account_is_made(self) -> None:
        self.path.mkdir(mode=0o700)
        self.write('{"initial_cash": 2500.5, "commission": {"minimum": 1}}')
        account = self.opened()
        self.assertEqual((account.cash, self.fee(account), self.rules()), (Decimal("2500.5"), 1, [1]))

    def test_an_invalid_one_prevents_a_new_account_and_leaves_nothing(self) -> None:
        self.path.mkdir(mode=0o700)
        self.write('{"initial_cash": "10000"}')
        with self.assertRaisesRegex(papertrade.InvalidConfig, "without quotes"):
            self.opened()
        self.assertEqual(sorted(set(each.name for each in self.path.iterdir()) - {".lock"}), [CONFIG])
        self.write("{}")
        self.assertEqual(self.opened().cash, 10_000)

    def test_it_is_read_at_open_and_holds_for_the_first_change(self) -> None:
        self.make()
        self.write(commission(2))
        account = self.opened()
        self.assertEqual((self.fee(account), self.rules()), (2, [0, 2]))

    def test_an_invalid_one_is_warned_of_at_open(self) -> None:
        self.make()
        self.write(commission("oops"))
        account = self.opened()
        self.assertEqual([level for level, line in self.log if CONFIG in line], [30], self.log)
        self.assertEqual((self.fee(account), len(self.log)), (0, 1))

    def test_it_is_read_again_before_the_next_change_and_both_are_one_commit(self) -> None:
        account = self.opened()
        self.assertEqual(self.fee(account), 0)
        self.write(commission(3))
        self.assertEqual(self.fee(account), 3)
        rules, buy = lines_of(self.path)[-2:]
        self.assertEqual((rules["type"], rules.get("more"), buy["type"], "more" in buy), ("rules", True, "buy", False))
        self.assertEqual((self.fee(account), self.rules()), (3, [0, 3]))  # the same rules are no event

    def test_changes_in_quick_succession_and_in_place_are_noticed(self) -> None:
        """Also where neither size nor modification time tell them apart."""
        account = self.opened()
        for minimum in (1, 2, 3, 4, 5, 6, 7, 8, 9):
            with open(self.path / CONFIG, "w") as file:
                file.write(commission(minimum))
            now = time.time()
            os.utime(self.path / CONFIG, (now // 1, now // 1))
            self.assertEqual(self.fee(account), minimum)

    def test_a_change_long_after_is_noticed(self) -> None:
        self.write_old(commission(1))
        account = self.opened()
        self.assertEqual([self.fee(account), self.fee(account)], [1, 1])
        self.write_old(commission(2))
        self.assertEqual([self.fee(account), self.fee(account)], [2, 2])

    def write_old(self, text: str) -> None:
        """A file that has been as it is for a while."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        self.write(text)
        os.utime(self.path / CONFIG, (time.time() - 100, time.time() - 100))

    def test_reload_reads_it_and_records_the_rules(self) -> None:
        account = self.opened()
        self.write('{"queue": {"stale_after_hours": 12, "max_score_drop": 2.5}}')
        seq = account.seq
        account.reload()
        account.reload()
        line = lines_of(self.path)[-1]
        self.assertEqual(
            (account.seq, line["type"], line["queue.stale_after_hours"], line["queue.max_score_drop"]), (seq + 1, "rules", 12, Decimal("2.5")))

    def test_a_refused_change_does_not_record_the_rules(self) -> None:
        account = self.opened()
        self.write(commission(3))
        before = files_of(self.path)
        with self.assertRaises(papertrade.InsufficientFunds):
            account.buy("ABC", 1, "9998")  # enough without the commission
        self.assert_unchanged(before)

    def test_an_invalid_one_never_replaces_the_rules_and_warns_once(self) -> None:
        """Trades go on under the accepted rules; reload refuses, naming file, line, key and what was expected."""
        for text, sentence in (
            ('{\n  "commission": {"minimum": 1', "line 2"),
            ('{"commission": {"minimum": "1"}}', 'line 1.*"commission.minimum".*number'),
            ('{\n\n"commission": {"minimum": -1}}', 'line 3.*"commission.minimum".*0.0 to 1000000.0'),
            ('{"commission": {"minimun": 1}}', 'line 1.*unknown key.*"minimum"'),
            ('{"comission": {"minimum": 1}}', 'unknown key.*"commission"'),
            ('{"commission": 5}', "section"),
            ('{"commission": {"minimum": 1, "minimum": 2}}', "minimum"),
            ('{"commission": {"minimum": 0.00000012}}', "six decimals"),
            ('{"commission": {"minimum": NaN}}', "line 1"),
            ("[]", "object"),
            ("", "empty"),
            ("\x00", "empty"),
        ):
            with self.subTest(text):
                self.setUp()
                account = self.opened()
                self.write(commission(3))
                self.assertEqual(self.fee(account), 3)
                self.write(text)
                self.assertEqual([self.fee(account) for _ in range(3)], [3, 3, 3])
                warnings = [line for level, line in self.log if level == 30]
                self.assertEqual(len(warnings), 1, self.log)
                self.assertRegex(warnings[0], f"config.json.*{sentence}|{sentence}.*config.json")
                with self.assertRaisesRegex(papertrade.InvalidConfig, sentence):
                    account.reload()
                self.assertEqual((self.fee(account), self.rules()), (3, [0, 3]))
                with Account(self.path, log=lambda level, line: self.log.append((level, line))) as other:
                    self.assertEqual(self.fee(other), 3)  # opening goes on, too
                self.write(commission(4))
                self.assertEqual((self.fee(account), self.rules()), (4, [0, 3, 4]))

    def test_accepted_rules_survive_the_deletion_of_portfolio_json_and_an_invalid_config(self) -> None:
        account = self.opened()
        self.write(commission(3))
        account.reload()
        account.close()
        self.write("nonsense")
        (self.path / PORTFOLIO).unlink()
        account = self.opened()
        self.assertEqual(self.fee(account), 3)
        account.reset(500)
        self.assertEqual((self.fee(account), self.rules()), (3, [3]))

    def test_without_the_file_the_defaults_hold(self) -> None:
        account = self.opened()
        self.write(commission(3))
        self.assertEqual(self.fee(account), 3)
        (self.path / CONFIG).unlink()
        self.assertEqual((self.fee(account), self.rules()), (0, [0, 3, 0]))

    def test_a_config_that_is_a_link_or_a_fifo_neither_hangs_nor_replaces_the_rules(self) -> None:
        account = self.opened()
        self.write(commission(3))
        self.assertEqual(self.fee(account), 3)
        (self.path / CONFIG).unlink()
        os.mkfifo(self.path / CONFIG)
        with self.assertRaises(papertrade.PaperTradeError):
            account.reload()
        (self.path / CONFIG).unlink()
        self.write(commission(5))
        self.assertEqual((self.fee(account), self.rules()), (5, [0, 3, 5]))

    def test_two_processes_agree_on_the_rules(self) -> None:
        """One of them has not looked at config.json since: it learns the rules from the journal, and the change is recorded once."""
        program = (
            "import sys, papertrade\n"
            "with papertrade.Account(sys.argv[1]) as account:\n"
            "    for line in sys.stdin: print(account.buy('ABC', 1, 1).commission, flush=True)")
        self.make()
        others = [self.started(start_python(program, self.path, stdin=subprocess.PIPE)) for _ in range(2)]

        def fees() -> list[str]:
            result = []
            for other in others:
                assert other.stdin is not None and other.stdout is not None
                other.stdin.write("\n")
                other.stdin.flush()
                result.append(other.stdout.readline().strip())
            return result

        self.assertEqual(fees(), ["0", "0"])
        self.write(commission("0.25"))
        self.assertEqual(fees(), ["0.25", "0.25"])
        self.write(commission("oops"))
        self.assertEqual(fees(), ["0.25", "0.25"])
        for other in others:
            finish(other)
        self.assertEqual(self.rules(), [0, Decimal("0.25")])
        self.assert_verifies()


if __name__ == "__main__":
    unittest.main()
