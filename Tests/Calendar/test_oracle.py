"""The schedule of the New York Stock Exchange, compared with that of the package exchange_calendars, which others maintain.

Neither knows of trading that began late: on 2002-09-11 at noon, and a few times some minutes after a silence.
"""

import json
import os
import random
import subprocess
import unittest
from pathlib import Path

import exchange_calendars
import pandas

ROOT = Path(__file__).resolve().parents[2]
PT = os.environ.get("PT", str(ROOT / "build" / "pt"))


def market(*arguments):
    """What `pt market --json` prints, an object a line."""
    done = subprocess.run([PT, "market", "--json", *arguments], stdout=subprocess.PIPE, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def text(time):
    """A moment as pt writes it."""
    return time.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class NewYork(unittest.TestCase):
    # From the first year that both know, beyond the last that is promised.
    FIRST, LAST = "1993-01-01", "2040-12-31"

    @classmethod
    def setUpClass(cls):
        cls.oracle = exchange_calendars.get_calendar("XNYS", start=cls.FIRST, end=cls.LAST)

    def test_every_day_opens_and_closes_when_it_should_or_not_at_all(self):
        self.check("2000-01-01", "2030-12-31", count=7800)

    def test_so_do_the_days_before_and_after_that_are_known_or_follow_the_rules(self):
        self.check(self.FIRST, self.LAST, count=12000)

    def check(self, first, last, count):
        early = set(self.oracle.early_closes)
        expected = [
            (session.strftime("%Y-%m-%d"), text(hours.open), text(hours.close), session in early)
            for session, hours in self.oracle.schedule.loc[first:last].iterrows()
        ]
        self.assertGreater(len(expected), count - 100)
        days = market("--from", first, "--to", last)
        self.assertEqual([(day["date"], day["opens_at"], day["closes_at"], day["early_close"]) for day in days], expected)

    def test_any_moment_is_open_or_closed_and_is_followed_by_what_should_follow(self):
        seed = int(os.environ.get("PAPERTRADE_SEED", random.randrange(10**9)))
        print(f"PAPERTRADE_SEED={seed} repeats: moments")
        generator = random.Random(seed)
        edges = list(self.oracle.opens["2000":"2030"]) + list(self.oracle.closes["2000":"2030"])
        first, last = pandas.Timestamp("2000-01-01", tz="UTC"), pandas.Timestamp("2031-01-01", tz="UTC")
        for _ in range(60):
            if generator.random() < 0.5:
                time = generator.choice(edges) + pandas.Timedelta(minutes=generator.choice([-1, 0, 1]))
            else:
                time = first + pandas.Timedelta(minutes=generator.randrange((last - first) // pandas.Timedelta(minutes=1)))
            with self.subTest(text(time)):
                [answer] = market("--time", text(time))
                self.assertEqual(
                    (answer["open"], answer["next_open"], answer["next_close"]),
                    (self.oracle.is_open_at_time(time, side="left"), text(self.oracle.next_open(time)),
                     text(self.oracle.next_close(time))))


if __name__ == "__main__":
    unittest.main()
