"""Processes that are killed at any moment: what they acknowledged is there, once."""

from __future__ import annotations

import signal
import time
import unittest

from files import CONFIG, portfolio_of
from support import Account, finish, note, seeded, wait_until
from workers import CONFIG_TEXT, LANGUAGES, Worker, WorkersTest

PROCESSES, KILLS, UNBOUNDED = 6, 200, 1_000_000


class KillTest(WorkersTest):
    def test_after_200_kills_at_random_moments_every_acknowledged_trade_is_there_none_twice_and_verify_is_clean(self) -> None:
        random = seeded()
        seed = random.randrange(2**32)
        workers = self.workers(PROCESSES)
        self.make(100_000)
        (self.path / CONFIG).write_text(CONFIG_TEXT)
        for worker in workers:
            self.start_worker(worker, seed, UNBOUNDED)

        killed_at_work = 0
        for _ in range(KILLS):
            worker = random.choice(workers)
            if random.random() < 0.9:  # the others may be hit while they open the account
                wait_until(lambda: worker.has_progressed() or self.ended(worker), f"worker {worker.number} ({worker.language}) trades")
            time.sleep(random.random() * 0.03)
            self.kill(worker)
            killed_at_work += worker.has_progressed()
            self.start_worker(worker, seed, UNBOUNDED)
        for worker in workers:  # the last ones end in the same way
            wait_until(lambda: worker.has_progressed() or self.ended(worker), f"worker {worker.number} ({worker.language}) trades")
            self.kill(worker)
        first = self.tally(workers)
        before = self.check(first, unknown=PROCESSES)  # one that was under way in each
        self.assert_verifies()
        self.assertGreater(killed_at_work, KILLS // 2, "too few were hit at work to prove anything")

        # They go on: each repeats the request whose outcome it never learned.
        for worker in workers:
            self.start_worker(worker, seed, worker.next_index() + 20)
        for worker in workers:
            assert worker.process is not None
            finish(worker.process)
        tally = self.tally(workers)
        replay = self.check(tally, unknown=0)
        replay.compare_with(portfolio_of(self.path))
        report = self.assert_verifies()
        self.assertEqual((report.portfolio_current, report.unfinished_tail), (True, False))
        with Account(self.path) as account:
            account.deposit(1)

        repeated = sum(
            rest[2] == "1" and replay.requests[request]["type"] in ("buy", "sell") for request, rest in tally.done.items())
        languages = {language: sum(worker.kills for worker in workers if worker.language == language) for language in LANGUAGES}
        note(
            f"{KILLS + PROCESSES} kills ({languages}), {killed_at_work} of processes at work; {len(first.done)} acknowledged of "
            f"{before.seq} events; {repeated} trades found done when repeated")

    def ended(self, worker: Worker) -> bool:
        assert worker.process is not None
        return worker.process.poll() is not None

    def kill(self, worker: Worker) -> None:
        process = worker.process
        assert process is not None
        if self.ended(worker):
            output, errors = process.communicate()
            self.fail(f"worker {worker.number} ({worker.language}) ended by itself with {process.returncode}: {output}{errors}")
        process.kill()
        process.communicate()
        self.assertEqual(process.returncode, -signal.SIGKILL)
        worker.kills += 1


if __name__ == "__main__":
    unittest.main()
