"""How evenly the lock is shared."""

from __future__ import annotations

import unittest

from contention import ContentionTest
from support import note

PROCESSES, SECONDS = 16, 2


class FairnessTest(ContentionTest):
    def test_16_processes_that_want_the_lock_all_the_time_all_get_it_and_finish(self) -> None:
        self.make(1_000_000)
        shares = self.contend(PROCESSES, SECONDS)
        # Far from even would be 1:1,000 and more, which a growing back-off leads to.
        self.assertGreater(shares.ratio, 0.05)
        note(
            f"{sum(shares.counts) / SECONDS:.0f} commits/s by {PROCESSES} processes; least to most {shares.ratio:.2f}; "
            f"longest commit {shares.longest:.0f} ms")


if __name__ == "__main__":
    unittest.main()
