"""How evenly the lock is shared."""

from __future__ import annotations

import subprocess
import unittest

from files import portfolio_of
from support import SystemTest, compiled, finish, note, start

PROCESSES, SECONDS = 16, 2


class FairnessTest(SystemTest):
    def test_16_processes_that_want_the_lock_all_the_time_all_get_it_and_finish(self) -> None:
        self.make(1_000_000)
        host = compiled("hosts/contender.c")
        processes = [
            self.started(start(host, self.path, str(SECONDS), f"P{number}", stdin=subprocess.PIPE)) for number in range(PROCESSES)]
        for process in processes:
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), "ready\n")
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()  # the start, for all of them at once
            process.stdin = None
        results = [finish(process).split() for process in processes]
        counts = [int(count) for count, _ in results]
        longest = max(float(wait) for _, wait in results)
        self.assertGreater(min(counts), 0)
        positions = portfolio_of(self.path)["positions"]
        self.assertEqual([positions[f"P{number}"]["shares"] for number in range(PROCESSES)], counts)
        self.assert_verifies()
        note(
            f"{sum(counts) / SECONDS:.0f} commits/s by {PROCESSES} processes; least to most {min(counts)}:{max(counts)} = "
            f"{min(counts) / max(counts):.2f}; longest commit {longest:.0f} ms")


if __name__ == "__main__":
    unittest.main()
