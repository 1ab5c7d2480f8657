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

    def test_three_programs_a_monitor_and_a_trader_trade_one_account_and_it_adds_up(self):
        done = self.run_demo(PAPERTRADE_PRICES="", PAPERTRADE_ACTIONS="")
        self.assertEqual(done.returncode, 0, done.stdout)
        for expected in (
            "refused", "queued", "deposited", "at once: overnight its signal fell", "to stop the loss", "splits 4 for 1", "kill -9",
            "nothing changed: the", "skipped: the session's trading cycle was done", "1004 cycles done", "502 cycles done, 1 cycle skipped",
            "verified:", "Added up once more",
        ):
            self.assertIn(expected, done.stdout)


if __name__ == "__main__":
    unittest.main()
