"""The demo, whole: it exits 0 only if the account is proved and adds up."""

import os
import subprocess
import unittest
from pathlib import Path

from support import SystemTest

ROOT = Path(__file__).resolve().parents[2]


class DemoTest(SystemTest):
    def run_demo(self, **environment):
        return subprocess.run(
            [ROOT / "CExamples" / "demo" / "run", self.directory / "account"], env={**os.environ, **environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)

    def test_three_programs_in_three_languages_trade_one_account_and_it_adds_up(self):
        done = self.run_demo(PAPERTRADE_PRICES="", PAPERTRADE_ACTIONS="")
        self.assertEqual(done.returncode, 0, done.stdout)
        for expected in ("refused", "queued", "deposited", "splits", "kill -9", "verified:"):
            self.assertIn(expected, done.stdout)


if __name__ == "__main__":
    unittest.main()
