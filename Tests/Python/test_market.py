"""The market's calendar from Python, at moments that are easily got wrong. New York is four hours behind UTC in summer, five in winter."""

from __future__ import annotations

import unittest
from datetime import datetime, timedelta, timezone
from typing import Any

import papertrade
from support import CycleTest, needs_library, utc

# When; whether it is open; the next opening and close after it.
MOMENTS = (
    ("2014-06-02 13:29:59.999999", False, "2014-06-02 13:30", "2014-06-02 20:00"),
    ("2014-06-02 13:30", True, "2014-06-03 13:30", "2014-06-02 20:00"),              # open at the opening, which is not the next one
    ("2014-06-02 19:59:59.999999", True, "2014-06-03 13:30", "2014-06-02 20:00"),
    ("2014-06-02 20:00", False, "2014-06-03 13:30", "2014-06-03 20:00"),             # closed at the close, which is not the next one
    ("2014-07-03 16:59:59.999999", True, "2014-07-07 13:30", "2014-07-03 17:00"),    # closes at 13:00 before Independence Day
    ("2014-07-03 17:00", False, "2014-07-07 13:30", "2014-07-07 20:00"),             # and stays closed for a long weekend
    ("2014-07-04 15:00", False, "2014-07-07 13:30", "2014-07-07 20:00"),             # Independence Day
    ("2014-07-05 15:00", False, "2014-07-07 13:30", "2014-07-07 20:00"),             # Saturday
    ("2014-07-06 15:00", False, "2014-07-07 13:30", "2014-07-07 20:00"),             # Sunday
    ("2014-03-07 14:29", False, "2014-03-07 14:30", "2014-03-07 21:00"),             # the last Friday of winter
    ("2014-03-07 20:59", True, "2014-03-10 13:30", "2014-03-07 21:00"),              # opens an hour earlier on Monday
    ("2014-03-10 13:30", True, "2014-03-11 13:30", "2014-03-10 20:00"),
    ("2014-10-31 20:00", False, "2014-11-03 14:30", "2014-11-03 21:00"),             # the last Friday of summer
    ("2014-11-03 14:29", False, "2014-11-03 14:30", "2014-11-03 21:00"),
    ("2014-12-24 17:59", True, "2014-12-26 14:30", "2014-12-24 18:00"),              # Christmas Eve, and Christmas after it
    ("2012-10-29 15:00", False, "2012-10-31 13:30", "2012-10-31 20:00"),             # hurricane Sandy
    ("2022-06-17 21:00", False, "2022-06-21 13:30", "2022-06-21 20:00"),             # Juneteenth, a holiday from 2022 on
    ("2021-06-18 13:30", True, "2021-06-21 13:30", "2021-06-18 20:00"),
)


@needs_library
class MarketTest(CycleTest):
    def test_the_market_opens_and_closes_when_new_york_does(self) -> None:
        for text, is_open, next_open, next_close in MOMENTS:
            with self.subTest(text):
                time = utc(text)
                self.assertIs(self.monitor.market_is_open(time), is_open)
                self.assertEqual(self.monitor.market_next_open(time), utc(next_open))
                self.assertEqual(self.monitor.market_next_close(time), utc(next_close))

    def test_a_moment_is_the_same_in_every_time_zone(self) -> None:
        new_york = timezone(timedelta(hours=-4))
        self.assertTrue(self.monitor.market_is_open(datetime(2014, 7, 3, 12, 59, tzinfo=new_york)))
        self.assertFalse(self.monitor.market_is_open(datetime(2014, 7, 3, 13, 0, tzinfo=new_york)))
        self.assertEqual(self.monitor.market_next_open(utc("2014-07-03 17:00")).tzinfo, timezone.utc)

    def test_without_a_time_the_accounts_clock_says(self) -> None:
        self.assertTrue(self.monitor.market_is_open())
        self.now = utc("2014-07-04 15:00")
        self.assertFalse(self.monitor.market_is_open())
        self.assertEqual(self.monitor.market_next_open(), utc("2014-07-07 13:30"))
        self.assertEqual(self.monitor.market_next_close(), utc("2014-07-07 20:00"))

    def test_the_cycles_go_by_the_calendar(self) -> None:
        for now, monitoring, trading in (
            ("2014-07-03 16:30", "2014-07-03 16:30", "2014-07-03 17:00"),
            ("2014-07-03 17:00", "2014-07-07 13:30", "2014-07-03 17:00"),
            ("2014-07-07 13:30", "2014-07-07 13:30", "2014-07-07 20:00"),
        ):
            with self.subTest(now):
                self.assertEqual(self.monitor.next_cycle("monitoring", utc(now)), utc(monitoring))
                self.assertEqual(self.monitor.next_cycle("trading", utc(now)), utc(trading))
        self.assertIn("Independence Day", self.monitoring("2014-07-04 15:00").reason)

    def test_a_market_that_is_always_open_has_days_in_utc(self) -> None:
        self.configure(market={"calendar": "always"})
        for text in ("2014-07-04 00:00", "2014-07-05 15:00"):
            midnight = utc(text).replace(hour=0) + timedelta(days=1)
            self.assertTrue(self.monitor.market_is_open(utc(text)))
            self.assertEqual((self.monitor.market_next_open(utc(text)), self.monitor.market_next_close(utc(text))), (midnight, midnight))

    def test_what_is_no_moment_is_refused(self) -> None:
        for call in (self.monitor.market_is_open, self.monitor.market_next_open, self.monitor.market_next_close):
            moments: tuple[tuple[Any, type[Exception]], ...] = (
                (datetime(2014, 7, 4), papertrade.InvalidTime), (utc("1969-12-31"), papertrade.InvalidTime), ("2014-07-04", TypeError),
            )
            for time, refusal in moments:
                with self.subTest(call=call.__name__, time=time), self.assertRaises(refusal):
                    call(time)

    def test_after_the_last_day_there_is_no_next_one(self) -> None:
        last = utc("9999-12-31 23:59:59")
        self.assertFalse(self.monitor.market_is_open(last))
        for call in (self.monitor.market_next_open, self.monitor.market_next_close):
            with self.assertRaises(papertrade.NotFound):
                call(last)
        with self.assertRaises(papertrade.NotFound):
            self.monitor.next_cycle("monitoring", last)


if __name__ == "__main__":
    unittest.main()
