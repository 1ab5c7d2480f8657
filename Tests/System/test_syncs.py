"""That what the library calls a sync is one: the crash tests stand above the system's own calls, and would not notice."""

from __future__ import annotations

import unittest

from support import SystemTest, compiled, run


class SyncTest(SystemTest):
    def test_every_acknowledged_trade_has_been_through_the_systems_fdatasync_unless_the_caller_does_without(self) -> None:
        self.make(10_000)
        full, without = map(int, run(compiled("hosts/syncs.c"), self.path, "50").split())
        self.assertGreaterEqual(full, 50)
        self.assertLess(without, 5)  # the journal may have grown


if __name__ == "__main__":
    unittest.main()
