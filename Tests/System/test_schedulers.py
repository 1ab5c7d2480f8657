"""The monitor and the trader as processes on one account: looping together, killed at every step, and in a replay."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import time
import unittest
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator, Optional

from files import CONFIG, JOURNAL
from replay import Replay
from support import REPOSITORY, Account, SystemTest, finish, note, run, start

PT = os.environ.get("PT", str(REPOSITORY / "build" / "pt"))
SYMBOLS = ["ALPHA", "BRAVO", "CHARLIE", "DELTA", "ECHO"]
UNCOMPARED = {"at", "durable", "prev", "crc"}  # what is of the moment of recording, and the checksums over it


def events(path: Path) -> list[dict[str, Any]]:
    lines = (path / JOURNAL).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def write_prices(path: Path, days: int, first: date = date(2010, 1, 1)) -> None:
    """Waves of different lengths around a rising line, so that signals go up and down all the time."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "symbol", "open", "close"])
        for day in range(days):
            for number, symbol in enumerate(SYMBOLS):
                prices = [
                    50 * (1 + 0.0002 * day) * (1 + 0.3 * math.sin((day + half) / (17 + 6 * number))) for half in (0, 0.5)]
                writer.writerow([first + timedelta(days=day), symbol, *(f"{price:.2f}" for price in prices)])


def write_config(path: Path, **rules: Any) -> None:
    """Replaces config.json as an editor does."""
    new = path / "config.json.new"
    new.write_text(json.dumps({"watchlist": SYMBOLS, **rules}))
    new.rename(path / CONFIG)


class TwoSchedulersTest(SystemTest):
    CYCLES = 1000
    RULES = {
        "market": {"calendar": "always"}, "monitoring": {"interval_minutes": 1440},
        "limits": {"max_position_percent": 60, "max_trade_percent": 60, "trades_per_hour": 100}, "sizing": {"base_percent": 40},
    }

    def test_a_thousand_cycles_of_each_while_trading_is_switched_on_and_off_overspend_nothing_and_lose_nothing(self) -> None:
        self.make(10_000)
        prices = self.directory / "prices.csv"
        write_prices(prices, 12_000)
        write_config(self.path, **self.RULES)
        # How much is bought and sold is a matter of luck: a flip can come before every trade. So they go on until it is enough.
        for rounds in range(1, 5):
            flips = self.loop_while_flipping(prices, date(2010, 4, 1) + (rounds - 1) * timedelta(days=self.CYCLES + 30))
            history = events(self.path)
            happened = Counter(event["type"] for event in history)
            enough = min(happened[name] for name in ("buy", "sell", "rules")) > 10
            note(f"{flips} flips in round {rounds}; in all {dict(happened)}")
            if enough:
                break

        self.assertTrue(enough, "too little happened to prove anything")
        cycles = {kind: [event for event in history if event.get("cycle") == kind] for kind in ("monitoring", "trading")}
        self.assertEqual({kind: len(records) for kind, records in cycles.items()}, dict.fromkeys(cycles, rounds * self.CYCLES))
        self.assertNotIn("failed", {record["outcome"] for records in cycles.values() for record in records})
        self.assert_nothing_is_traded_while_inactive(history)
        self.assert_each_opportunity_ends_once(history)
        Replay().read(self.path)  # every figure again, in decimals, by another program: nobody overspent
        self.assert_verifies()

    def loop_while_flipping(self, prices: Path, first: date) -> int:
        """The monitor and the trader run their cycles, from a day on, while trading is switched on and off; how often it was."""
        common = [
            "--account", self.path, "--prices", prices, "--loop", "--cycles", self.CYCLES, "--time", first, "--speed", 4_000_000,
            "--durability", "process", "--quiet", "--lock-timeout", "60"]
        loops = [self.started(start(PT, name, *common)) for name in ("monitor", "trade")]
        flips, active = 0, True
        while any(loop.poll() is None for loop in loops):
            time.sleep(0.05)
            active = not active
            write_config(self.path, system_active=active, **self.RULES)
            flips += 1
        for loop in loops:
            self.assertEqual(finish(loop), "")
        return flips

    def assert_nothing_is_traded_while_inactive(self, history: list[dict[str, Any]]) -> None:
        active = True
        for event in history:
            if event["type"] == "rules":
                active = event["system_active"]
            elif event["type"] in ("buy", "sell", "queue"):
                self.assertTrue(active, f"event {event['seq']} trades although trading was switched off")

    def assert_each_opportunity_ends_once(self, history: list[dict[str, Any]]) -> None:
        queued = [event["seq"] for event in history if event["type"] == "queue"]
        ended = [event["queued_seq"] for event in history if "queued_seq" in event]
        self.assertEqual(len(set(ended)), len(ended), "an opportunity was executed twice")
        with Account(self.path, read_only=True) as account:
            waiting = [entry.seq for entry in account.queue()]
        stale = set(queued) - set(ended) - set(waiting)
        # What is too old is not shown any more, and leaves with the next commit.
        self.assertEqual(stale, {seq for seq in stale if seq > history[-1]["seq"] - 20}, "an opportunity was lost")


@unittest.skipUnless(shutil.which("strace"), "strace, which kills at a system call, is not installed: run `make setup`")
class KilledTraderTest(SystemTest):
    """The trader has two positions to sell and three opportunities to buy."""

    CALLS = "openat,flock,fcntl,pread64,pwrite64,fstat,newfstatat,statx,sync_file_range,rename,renameat2,unlinkat,fdatasync,fsync,close"
    TIME = "2014-06-09T20:00:00Z"

    def prepare(self, path: Path) -> None:
        path.mkdir()
        (path / CONFIG).write_text("{}")
        os.utime(path / CONFIG, (0, 0))  # a young file is read more often, and every run shall make the same calls
        with Account(path, initial_cash=10_000, account_id="killed", clock=lambda: datetime(2014, 6, 9, 12, tzinfo=timezone.utc)) as account:
            account.buy("LOSS", 10, 100)
            account.buy("GAIN", 10, 100)
            for symbol in ("FIRST", "SECOND", "THIRD"):
                account.enqueue(symbol, 90, "STRONG BUY", 50)

    def trader(self, path: Path) -> list[object]:
        answers = {
            "LOSS": ("HOLD", 50, 80), "GAIN": ("HOLD", 50, 130), "FIRST": ("BUY", 85, 50), "SECOND": ("BUY", 85, 50),
            "THIRD": ("SELL", 10, 50)}
        analyst = self.directory / "analyst.py"
        if not analyst.exists():
            analyst.write_text(
                "import json, sys\n"
                f"answers = {answers!r}\n"
                "for line in sys.stdin:\n"
                "    signal, score, price = answers[json.loads(line)['symbol']]\n"
                "    print(json.dumps({'signal': signal, 'score': score, 'price': price}), flush=True)\n")
        return [PT, "trade", "--account", path, "--time", self.TIME, "--quiet", "--analyst-command", f"exec python3 {analyst}"]

    def outcome(self, path: Path) -> list[tuple[object, ...]]:
        names = ("type", "symbol", "shares", "price", "reason", "queued_seq", "exit", "cycle", "outcome", "bought", "sold", "rejected")
        return [tuple(event.get(name) for name in names) for event in events(path)]

    def test_a_trader_killed_at_any_system_call_of_its_cycle_is_completed_by_the_next_and_nothing_is_bought_twice(self) -> None:
        undisturbed = self.directory / "undisturbed"
        self.prepare(undisturbed)
        run(*map(str, self.trader(undisturbed)))
        expected = self.outcome(undisturbed)
        self.assertEqual(sum(event[0] == "buy" for event in expected), 4)

        template = self.directory / "template"
        self.prepare(template)
        kills, after_the_commit, missed = 0, 0, 0
        for name, number in self.calls_on_the_account(template):
            point = f"killed at {name} {number}"
            path = self.directory / "account"
            shutil.copytree(template, path)
            log = self.directory / "killed"
            strace = ["strace", "-qq", "-o", log, "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}"]
            killed = self.started(start(*strace, *self.trader(path)))
            killed.communicate(timeout=60)
            was_done = len(self.outcome(path)) == len(expected)
            if killed.returncode == 0:
                # A new file is made until its inode lies right: how many attempts that takes differs from run to run.
                made = sum(call.startswith(f"{name}(") for call in log.read_text(errors="replace").splitlines())
                self.assertLess(made, number, f"not {point}")
                self.assertTrue(was_done, f"not {point}, and yet not done")
                missed += 1
            else:
                kills += 1
                after_the_commit += was_done
            run(*map(str, self.trader(path)))
            outcome = self.outcome(path)
            if was_done:
                self.assertEqual(outcome[:len(expected)], expected, point)
                self.assertEqual([event[8] for event in outcome[len(expected):]], ["skipped"], point)
            else:
                self.assertEqual(outcome, expected, point)
            self.assert_verifies(path)
            shutil.rmtree(path)
        self.assertGreater(min(kills - after_the_commit, after_the_commit), 0, "the kills were all on one side of the commit")
        self.assertGreater(kills, missed, "most calls were never reached")
        note(f"{kills} kills, {after_the_commit} of them after the commit; {missed} calls were not made again")

    def calls_on_the_account(self, template: Path) -> Iterator[tuple[str, int]]:
        """Each system call and the how manieth of its name it is, from the first that concerns the account: before it only the program
        starts."""
        path, log = self.directory / "traced", self.directory / "calls"
        shutil.copytree(template, path)
        run("strace", "-qq", "-o", log, "-e", f"trace={self.CALLS}", *map(str, self.trader(path)))
        counts: Counter[str] = Counter()
        has_begun = False
        for call in log.read_text(errors="replace").splitlines():
            name = call.split("(")[0]
            counts[name] += 1
            has_begun = has_begun or str(path) in call
            if has_begun and name in self.CALLS.split(","):
                yield name, counts[name]


class ReplayTest(SystemTest):
    def replay(self, path: Path, prices: Path, actions: Optional[Path], *options: object) -> dict[str, Any]:
        command = [PT, "replay", "--account", path, "--prices", prices, "--account-id", "replayed", "--json", *options]
        if actions:
            command += ["--actions", actions]
        return json.loads(run(*map(str, command), timeout=600))

    def test_the_same_prices_rules_and_account_id_lead_to_the_same_events(self) -> None:
        prices, actions = REPOSITORY / "CExamples/demo/prices.csv", REPOSITORY / "CExamples/demo/actions.csv"
        with open(prices, newline="", encoding="utf-8") as file:
            dates = sorted({row["date"] for row in csv.DictReader(file)})
        accounts = [self.directory / name for name in ("one", "two")]
        for account in accounts:
            self.replay(account, prices, actions, "--to", dates[120], "--durability", "process")
        one, two = ([{k: v for k, v in event.items() if k not in UNCOMPARED} for event in events(account)] for account in accounts)
        self.assertEqual(one, two)
        self.assertGreater(sum(event["type"] == "buy" for event in one), 0)

    @unittest.skipUnless(os.environ.get("PAPERTRADE_PRICES"), "PAPERTRADE_PRICES names no file of real prices")
    def test_years_of_real_prices_with_splits_and_dividends_add_up(self) -> None:
        actions = os.environ.get("PAPERTRADE_ACTIONS")
        result = self.replay(self.path, Path(os.environ["PAPERTRADE_PRICES"]), Path(actions) if actions else None)
        history = events(self.path)
        self.assertEqual(result["counts"]["trading cycles, done"], result["days"])
        self.assertEqual(len(result["equity"]), result["days"])
        self.assertEqual(result["counts"]["buys"], sum(event["type"] == "buy" for event in history))
        for event in history:
            if event["type"] == "split":
                self.assertEqual(event["position_shares"] % event["new_shares"], 0, "whole shares stay whole in such a split")
        Replay().read(self.path)
        self.assert_verifies()
        note(f"{result['days']} days, {len(history)} events: {result['counts']}; rejected {result['rejections']}")


if __name__ == "__main__":
    unittest.main()
