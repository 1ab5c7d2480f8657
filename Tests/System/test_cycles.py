"""Cycles at random, computed again from the journal by a program that knows nothing of the library."""

from __future__ import annotations

import json
import unittest
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Optional

import papertrade
from papertrade import Account, Analysis, CycleKind, Signal
from files import CONFIG, JOURNAL, PORTFOLIO, crc32c, portfolio_of
from replay import Replay
from replay_cycles import Wrong
from support import SystemTest, note, seeded

SYMBOLS = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]
START = datetime(2014, 6, 2, 13, 30, tzinfo=timezone.utc)


class RandomCyclesTest(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.random = seeded()
        self.now = START
        self.opinions: dict[str, Analysis] = {}
        self.path.mkdir(mode=0o700)
        self.configure(is_valid=True)
        self.account = self.open(initial_cash=10_000, clock=lambda: self.now, log=lambda _level, _line: None, durability="process")

    def analyst(self, symbol: str, _time: datetime) -> Optional[Analysis]:
        """Mostly what it thought before, at a price that has moved; now and then another opinion, none, or nonsense."""
        draw = self.random.random()
        if draw < 0.03:
            return None
        if draw < 0.06:
            return Analysis("BUY", 101, 1)
        known = self.opinions.get(symbol)
        if known is None or draw < 0.2:
            known = Analysis(
                self.random.choice([*Signal, Signal.BUY, Signal.STRONG_BUY]), round(self.random.uniform(60, 100), 6), round(self.random.uniform(20, 200), 6),
                confidence=self.random.choice([None, *papertrade.Confidence]), sector=self.random.choice(["", "Chips", "Banks"]))
        price = round(float(known.price) * self.random.uniform(0.95, 1.06), 6)
        self.opinions[symbol] = replace(known, price=min(max(price, 1.0), 1000.0))
        return self.opinions[symbol]

    def configure(self, is_valid: bool = False) -> None:
        rules = {
            "watchlist": self.random.sample(SYMBOLS, self.random.randrange(3, 6)), "system_active": self.random.random() < 0.9,
            "commission": {"minimum": self.random.choice([0, 1.25])}, "queue": {"stale_after_hours": self.random.choice([1, 24, 100])},
            "monitoring": {"score_change": self.random.choice([0, 3]), "major_upgrade_levels": self.random.randrange(1, 6)},
            "limits": {"max_positions": self.random.randrange(1, 6), "min_holding_days": self.random.choice([0, 3])},
            "exits": {"take_profit_percent": self.random.choice([5, 20]), "max_age_days": self.random.choice([4, 180])},
        }
        (self.path / CONFIG).write_text("{" if not is_valid and self.random.random() < 0.1 else json.dumps(rules))

    def step(self) -> None:
        draw = self.random.random()
        if draw < 0.05:
            self.configure()
        elif draw < 0.055:
            self.account.reset(10_000)
        else:
            kind = self.random.choice(list(CycleKind))
            cycle = self.account.monitoring_cycle if kind == CycleKind.MONITORING else self.account.trading_cycle
            try:
                cycle(self.analyst, ignore_schedule=self.random.random() < 0.8)
            except papertrade.InvalidConfig:
                pass  # a failed cycle has its record
        self.now += timedelta(minutes=self.random.choice([0, 10, 30, 390]))

    def test_every_figure_of_random_cycles_follows_from_the_journal(self) -> None:
        for _ in range(1000):
            self.step()
        replay = Replay().read(self.path)
        replay.compare_with(portfolio_of(self.path))
        kinds = [line.get("exit", line["type"]) for line in replay.lines]
        for kind in ("signal", "queue", "unqueue", "decline", "buy", "cycle", "rules"):
            self.assertIn(kind, kinds)
        self.assertEqual(len(self.account.cycles()), kinds.count("cycle"))
        self.assert_verifies()
        self.account.close()
        (self.path / PORTFOLIO).unlink()  # what is published again from the journal is the same
        Account(self.path, log=lambda _level, _line: None).close()
        replay.compare_with(portfolio_of(self.path))
        note(", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))))

    def test_the_replay_notices_what_does_not_follow(self) -> None:
        """Each line is changed and signed anew, as somebody would who knows the format."""
        (self.path / CONFIG).write_text(json.dumps({"watchlist": ["AAA"]}))
        self.account.monitoring_cycle(lambda _symbol, _time: Analysis("BUY", 85, 100))
        self.account.trading_cycle(lambda _symbol, _time: Analysis("BUY", 85, 100), ignore_schedule=True)
        self.account.monitoring_cycle(lambda _symbol, _time: Analysis("SELL", 5, 90))
        right = (self.path / JOURNAL).read_bytes()
        Replay().read_journal(right)
        for old, new in (
            (b'"change":"NEW","urgency":"LOW"', b'"change":"NEW","urgency":"HIGH"'),
            (b'"change":"CRITICAL_DOWNGRADE"', b'"change":"MAJOR_DOWNGRADE"'),
            (b'"previous_score":85.0', b'"previous_score":84.0'),
            (b'"changes":1', b'"changes":2'), (b'"queued":1', b'"queued":0'), (b'"bought":1', b'"bought":2'), (b'"sold":1', b'"sold":0'),
            (b'"exit":"critical",', b''),
        ):
            with self.subTest(old=old):
                self.assertIn(old, right)
                with self.assertRaises(Wrong):
                    Replay().read_journal(signed(right.replace(old, new, 1)))


def signed(text: bytes) -> bytes:
    """The same lines with a chain of checksums that is right."""
    lines, last = [], "00000000"
    for raw in filter(None, text.split(b"\n")):
        body = raw[: raw.index(b',"prev":"')] + b',"prev":"' + last.encode() + b'"'
        last = f"{crc32c(body):08x}"
        lines.append(body + b',"crc":"' + last.encode() + b'"}')
    return b"\n".join(lines) + b"\n"


if __name__ == "__main__":
    unittest.main()
