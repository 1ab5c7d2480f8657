"""Many processes in three languages on one account: the result is exact, and whoever reads meanwhile sees it whole."""

from __future__ import annotations

import subprocess
import sys
import time
import unittest

from files import CONFIG, portfolio_of
from replay import Replay
from support import HERE, Account, finish, note, seeded, start
from workers import CONFIG_TEXT, WorkersTest, counts, shown

PROCESSES, TRADES = 8, 500


class MixedTest(WorkersTest):
    def test_8_processes_x_500_random_trades_in_c_python_and_swift_equal_a_replay_of_the_journal_while_readers_see_whole_files(self) -> None:
        seed = seeded().randrange(2**32)
        workers = self.workers(PROCESSES)
        self.make(100_000)
        (self.path / CONFIG).write_text(CONFIG_TEXT)
        holder = self.open()  # accepts the commissions, so that roundings are at work everywhere
        reader = self.started(start(
            sys.executable, HERE / "workers" / "reader.py", self.path / "portfolio.json", stdin=subprocess.PIPE))
        with holder.lock():  # all of them wait for it, and begin together
            for worker in workers:
                self.start_worker(worker, seed, TRADES)
            time.sleep(0.5)
        for worker in workers:
            assert worker.process is not None
            finish(worker.process, 120)
        holder.close()
        reads, changes, last = map(int, finish(reader).split())

        replay = self.check(self.tally(workers), unknown=0)
        replay.compare_with(portfolio_of(self.path))
        self.assert_library_agrees(replay)
        report = self.assert_verifies()
        self.assertEqual((report.last_seq, report.events), (replay.seq, replay.seq))
        self.assertEqual(last, replay.seq)
        self.assertGreater(changes, 100, "the reader saw too little to prove anything")
        self.assertGreater(turns(replay), 500, "they did not work at the same time")
        self.assertEqual(sum(len(worker.reported()) for worker in workers), PROCESSES * TRADES * 2)
        note(f"{replay.seq} events, {turns(replay)} after one of another process ({shown(counts(replay))}); {reads} reads of portfolio.json, {changes} of them new")

    def assert_library_agrees(self, replay: Replay) -> None:
        with Account(self.path, read_only=True) as account:
            summary = account.summary()
            self.assertEqual(
                (summary.cash, summary.net_deposits, summary.realized_pnl), (replay.cash, replay.net_deposits, replay.realized_pnl))
            self.assertEqual(
                {position.symbol: (position.shares, position.cost, position.cost_basis) for position in account.positions()},
                {symbol: (held.shares, held.cost, held.cost_basis) for symbol, held in replay.positions.items()})
            self.assertEqual([entry.symbol for entry in account.queue()], list(replay.queue))


def turns(replay: Replay) -> int:
    """How often one worker's event follows another's."""
    authors = [line["request_id"].partition("-")[0] for line in replay.lines if "request_id" in line]
    return sum(one != other for one, other in zip(authors, authors[1:]))


if __name__ == "__main__":
    unittest.main()
