"""The examples and the documentation do what they say."""

from __future__ import annotations

import doctest
import json
import os
import re
import unittest
from pathlib import Path

import papertrade
from support import PACKAGE, AccountTest, DirectoryTest, needs_library, run_python

EXAMPLES = PACKAGE / "examples"

PORTFOLIO = """{
  "format": "papertrade/1", "account": "tests", "seq": 42, "cash": 4000.1, "net_deposits": 10000.3, "realized_pnl": 0.0,
  "positions": {
    "AAPL": {"shares": 40.0, "cost_basis": 150.0, "cost": 6000.0, "first_purchase_date": "2026-11-23T14:31:07.120934Z"},
    "X\\u001b[2J": {"shares": 0.000001, "cost_basis": null, "cost": 0.2, "first_purchase_date": "2026-11-23T14:31:07.120934Z"}
  },
  "queued_opportunities": [{"symbol": "NVDA", "queued_at": "2026-11-23T14:31:07.120934Z", "signal": "STRONG BUY", "score": 82.5,
    "price": null, "reason": "two\\nlines \\u009b", "seq": 41}]
}"""


class ReadPortfolioTest(DirectoryTest):
    def test_a_portfolio_is_printed_as_a_table_without_the_library(self) -> None:
        file = self.directory / "portfolio.json"
        file.write_text(PORTFOLIO, encoding="utf-8")
        done = run_python(str(EXAMPLES / "read_portfolio.py"), str(file), PYTHONPATH="", PAPERTRADE_LIBRARY="/nowhere")
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.stdout, (
            "symbol      shares  cost basis      cost\n"
            "AAPL          40.0      150.00  6,000.00\n"
            "X\\x1b[2J  0.000001           -      0.20\n"
            "\n"
            "queued: NVDA STRONG BUY, score 82.5: two\\nlines \\x9b\n"
            "cash 4,000.10 + invested 6,000.20 = deposits 10,000.30 + realized 0.00\n"
        ))

    def test_what_cannot_be_read_is_said_in_one_line(self) -> None:
        broken = self.directory / "broken.json"
        broken.write_text("{")
        other = self.directory / "other.json"
        other.write_text("[]")
        for path in (broken, other, self.directory / "missing\x1b.json"):
            done = run_python(str(EXAMPLES / "read_portfolio.py"), str(path))
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (1, "", 1))
            self.assertTrue(done.stderr.rstrip("\n").isprintable())


@needs_library
class ExamplesTest(AccountTest):
    def test_the_first_program_buys_and_is_refused_the_second_time(self) -> None:
        path = str(self.directory / "my-account")
        done = run_python(str(EXAMPLES / "trade.py"), path)
        self.assertEqual((done.stdout, done.stderr), ("bought 40 AAPL for 6000.00; cash is now 4000.00\n", ""))
        done = run_python(str(EXAMPLES / "trade.py"), path)
        self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (1, "", 1))

    def test_two_processes_cannot_overspend(self) -> None:
        done = run_python(str(EXAMPLES / "two_processes.py"), "3")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.count(": bought"), 3)
        self.assertEqual(done.stdout.count("afterwards: 4000 in cash, 40 shares"), 3)

    def test_a_monitor_and_a_trader_share_an_account(self) -> None:
        done = run_python(str(EXAMPLES / "monitor_and_trader.py"), str(self.directory))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        *told, cycles, value = done.stdout.splitlines()
        for did in ("monitor: queued ", "trader: bought ", "trader: sold ", "trader: left "):
            self.assertTrue(any(did in line for line in told), did)
        self.assertEqual(told, sorted(told, key=lambda line: line[:16]))  # in the order of the simulated time
        self.assertRegex(cycles, r"^596 cycles bought \d+ times and sold \d+ times$")  # 43 sessions: 13 + 1 cycles, 7 + 1 on a half day
        self.assertRegex(value, r"^the account is worth [\d,.]+ \([+-][\d.]+ %\), and adds up$")

    def test_the_published_portfolio_can_be_read_without_the_library(self) -> None:
        self.account.buy("AAPL", 40, "150.25")
        done = run_python(str(EXAMPLES / "read_portfolio.py"), str(self.path / "portfolio.json"), PAPERTRADE_LIBRARY="/nowhere")
        self.assertRegex(done.stdout, r"AAPL +40\.0 +150\.25 +6,010\.00")
        self.assertIn("cash 3,990.00", done.stdout)
        self.assertEqual(json.loads((self.path / "portfolio.json").read_text())["seq"], self.account.seq)


@needs_library
class DocumentationTest(DirectoryTest):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.directory)

    def test_the_example_in_the_package_prints_what_it_says(self) -> None:
        result = doctest.testmod(papertrade, verbose=False)
        self.assertEqual((result.failed, result.attempted > 0), (0, True))

    def test_the_examples_in_the_readme_run(self) -> None:
        blocks = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
        first, *others = blocks
        program = first + "account = papertrade.Account('my-account')\n" + "".join(others) + "account.close()\n"
        Path("program.py").write_text(program)
        done = run_python("program.py")
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.stdout.splitlines()[0], "6000 4000")
        self.assertIn("NVDA BOUGHT", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1], "['BUY', 'SELL']")


if __name__ == "__main__":
    unittest.main()
