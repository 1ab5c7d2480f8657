"""pt market: whether a market is open, and its trading days."""

import datetime
import unittest

from support import PTTestCase

UTC = datetime.timezone.utc


class AMoment(PTTestCase):
    def market(self, *arguments):
        return self.done("market", "--json", *arguments).json

    def test_the_answer_says_open_or_why_not_and_what_comes_next(self):
        for time, reason, next_open, next_close in [
            ("2014-06-09T13:30", None, "2014-06-10T13:30", "2014-06-09T20:00"),
            ("2014-06-09T15:30+02:00", None, "2014-06-10T13:30", "2014-06-09T20:00"),
            ("2014-06-09T20:00", "after the close", "2014-06-10T13:30", "2014-06-10T20:00"),
            ("2014-07-04T15:00", "Independence Day", "2014-07-07T13:30", "2014-07-07T20:00"),
            ("2012-10-29T15:00", "Hurricane Sandy", "2012-10-31T13:30", "2012-10-31T20:00"),
            ("2014-01-18T15:00", "weekend", "2014-01-21T14:30", "2014-01-21T21:00"),
        ]:
            with self.subTest(time):
                answer = self.market("--time", time)
                self.assertEqual(
                    (answer["calendar"], answer["open"], answer["reason"], answer["next_open"], answer["next_close"]),
                    ("nyse", reason is None, reason, next_open + ":00.000000Z", next_close + ":00.000000Z"))
        self.assertEqual(list(answer), ["calendar", "time", "open", "reason", "next_open", "next_close"])
        self.assertEqual(answer["time"], "2014-01-18T15:00:00.000000Z")

    def test_an_early_close_is_announced(self):
        answer = self.market("--time", "2014-12-24T15:00")
        self.assertEqual((answer["open"], answer["reason"]), (True, "Christmas Eve"))
        self.assertEqual(
            self.done("market", "--time", "2014-12-24T15:00").out,
            "nyse at 2014-12-24 15:00:00 UTC: open, with an early close (Christmas Eve)\n"
            "Next open   2014-12-26 14:30:00 UTC\n"
            "Next close  2014-12-24 18:00:00 UTC\n")

    def test_people_get_three_lines(self):
        self.assertEqual(
            self.done("market", "--time", "2014-07-04T15:00").out,
            "nyse at 2014-07-04 15:00:00 UTC: closed (Independence Day)\n"
            "Next open   2014-07-07 13:30:00 UTC\n"
            "Next close  2014-07-07 20:00:00 UTC\n")

    def test_without_a_time_it_is_now(self):
        before = datetime.datetime.now(UTC)
        answer = datetime.datetime.fromisoformat(self.market()["time"].replace("Z", "+00:00"))
        self.assertTrue(before <= answer <= datetime.datetime.now(UTC))

    def test_a_market_that_never_closes_is_open(self):
        answer = self.market("--calendar", "always", "--time", "2014-12-25T12:00")
        self.assertEqual((answer["open"], answer["reason"], answer["next_close"]), (True, None, "2014-12-26T00:00:00.000000Z"))

    def test_after_the_last_day_there_is_nothing(self):
        self.assertIsNone(self.market("--time", "9999-12-31T23:59")["next_open"])
        self.assertIn("Next open   never\n", self.done("market", "--time", "9999-12-31T23:59").out)

    def test_no_account_is_needed_and_none_is_made(self):
        self.done("market")
        self.assertFalse(self.account.exists())


class Days(PTTestCase):
    def test_each_trading_day_is_a_row(self):
        self.assertEqual(
            self.done("market", "--from", "2014-07-02", "--to", "2014-07-07").out,
            "DATE        OPENS (UTC)          CLOSES (UTC)         EARLY CLOSE\n"
            "2014-07-02  2014-07-02 13:30:00  2014-07-02 20:00:00\n"
            "2014-07-03  2014-07-03 13:30:00  2014-07-03 17:00:00  day before Independence Day\n"
            "2014-07-07  2014-07-07 13:30:00  2014-07-07 20:00:00\n")

    def test_each_trading_day_is_an_object_a_line(self):
        self.assertEqual(
            self.done("market", "--from", "2014-07-03", "--to", "2014-07-07", "--json").lines,
            [{"date": "2014-07-03", "opens_at": "2014-07-03T13:30:00.000000Z", "closes_at": "2014-07-03T17:00:00.000000Z",
              "early_close": True, "reason": "day before Independence Day"},
             {"date": "2014-07-07", "opens_at": "2014-07-07T13:30:00.000000Z", "closes_at": "2014-07-07T20:00:00.000000Z",
              "early_close": False, "reason": None}])

    def test_days_without_trading_are_none(self):
        self.assertEqual(
            self.done("market", "--from", "2014-07-04", "--to", "2014-07-06").out,
            "no trading days from 2014-07-04 to 2014-07-06\n")
        self.assertEqual(self.done("market", "--from", "2014-07-04", "--to", "2014-07-06", "--json").out, "")

    def test_a_market_that_never_closes_has_every_day(self):
        days = self.done("market", "--calendar", "always", "--from", "2012-01-01", "--to", "2012-12-31", "--json").lines
        self.assertEqual(len(days), 366)

    def test_a_long_list_is_printed_whole(self):
        days = self.done("market", "--from", "1970-01-01", "--to", "2069-12-31", "--json").lines
        self.assertEqual((days[0]["date"], days[-1]["date"]), ("1970-01-02", "2069-12-31"))
        self.assertEqual(sorted(day["date"] for day in days), [day["date"] for day in days])


class Refusals(PTTestCase):
    def test_what_is_wrong_with_the_arguments_is_said(self):
        for arguments, message in [
            (["--calendar", "xnys"], 'there is no market calendar "xnys": it is nyse or always'),
            (["--time", "yesterday"], 'time "yesterday" is not ISO 8601'),
            (["--from", "2014-01-01"], "--from and --to go together"),
            (["--to", "2014-01-01"], "--from and --to go together"),
            (["--from", "2014-01-01", "--to", "2014-02-30"], '--to "2014-02-30" is not a date from 1970 to 9999, such as 2014-06-09'),
            (["--from", "1969-12-31", "--to", "2014-01-01"], '--from "1969-12-31" is not a date'),
            (["--from", "2014-01-02", "--to", "2014-01-01"], "--to 2014-01-01 is before --from 2014-01-02"),
            (["--from", "2014-01-02", "--to", "2014-01-03", "--time", "2014-01-02"], "--time excludes --from and --to"),
        ]:
            with self.subTest(" ".join(arguments)):
                self.assertIn(message, self.fails(2, "market", *arguments).err)


if __name__ == "__main__":
    unittest.main()
