"""Files of daily prices, and of splits and dividends: what is accepted, and what is refused with file and line."""

import unittest

from cycles import NOON, CycleTestCase

PRICES = "date,symbol,open,close\n"
ACTIONS = "ex_date,symbol,action,value\n"


class PriceFiles(CycleTestCase):
    def write(self, name, contents):
        (self.directory / name).write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return name

    def assert_refused(self, message, *arguments):
        before = self.files()
        self.assertEqual(self.fails(2, "monitor", "--time", NOON, *arguments).err, f"pt: {message}\n")
        self.assertEqual(self.files(), before)

    def test_what_is_wrong_with_prices_is_said_with_file_and_line(self):
        for contents, message in [
            ("", "f.csv is empty"),
            ("\n\n", "f.csv is empty"),
            (PRICES, "f.csv has no prices, only column names"),
            ("date,symbol,close\n2024-01-02,A,1\n", "f.csv, line 1: it does not name a column open"),
            ("date,open,close\n", "f.csv, line 1: it does not name a column symbol or ticker"),
            ("date;symbol;open;close\n", "f.csv, line 1: it does not name a column date"),
            (PRICES + "2024-01-02,A,1,2\n2024-01-02,A,1,2\n", "f.csv, line 3: A has a price of 2024-01-02 already: keep one of them"),
            (PRICES + "2024-01-03,A,1,2\n\n2024-01-02,B,1,2\n",
             "f.csv, line 4: 2024-01-02 comes after 2024-01-03: order the file by date"),
            (PRICES + "2024-01-02,A,0,2\n", "f.csv, line 2: open 0 is not above 0"),
            (PRICES + "2024-01-02,A,1,-2.50\n", "f.csv, line 2: close -2.50 is not above 0"),
            (PRICES + "2024-01-02,A,1,\n", "f.csv, line 2: close is empty: leave out the row of a day without a price"),
            (PRICES + "2024-01-02,A,1,n/a\n", "f.csv, line 2: price n/a is not a number above 0 and at most 999999999.999999"),
            (PRICES + "2024-01-02,A,nan,1\n", "f.csv, line 2: price nan is not a number above 0 and at most 999999999.999999"),
            (PRICES + "2024-01-02,A,1e99,1\n", "f.csv, line 2: price 1e99 is not a number above 0 and at most 999999999.999999"),
            (PRICES + "2024-01-02,A,1\n", "f.csv, line 2: it has 3 fields, not 4"),
            (PRICES + '2024-01-02,"A,1,2\n', "f.csv, line 2: it has 2 fields, not 4"),
            (PRICES + "2024-02-30,A,1,2\n", 'f.csv, line 2: "2024-02-30" is not a date such as 2014-06-09'),
            (PRICES + "01/02/2024,A,1,2\n", 'f.csv, line 2: "01/02/2024" is not a date such as 2014-06-09'),
            (PRICES + "2024-01-02,A B,1,2\n", 'f.csv, line 2: "A B" is not a symbol'),
            (PRICES.encode() + b"2024-01-02,A\xff,1,2\n", "f.csv, line 2: it is not UTF-8"),
        ]:
            with self.subTest(contents):
                self.assert_refused(message, "--prices", self.write("f.csv", contents))

    def test_every_command_that_reads_prices_refuses_them_before_anything_happens(self):
        self.write("f.csv", PRICES + "2024-01-02,A,0,1\n")
        before = self.files()
        for command in (["trade"], ["run"], ["trade", "--loop"], ["replay", "--account", "other"]):
            self.assertEqual(self.fails(2, *command, "--prices", "f.csv").err, "pt: f.csv, line 2: open 0 is not above 0\n")
        self.assertEqual(self.files(), before)
        self.assertFalse((self.directory / "other").exists())

    def test_what_is_wrong_with_actions_is_said_with_file_and_line(self):
        self.write("f.csv", PRICES + "2024-06-10,AAA,1,2\n")
        for contents, message in [
            ("", "a.csv is empty"),
            ("symbol,action,value\n", "a.csv, line 1: it does not name a column ex_date or date"),
            (ACTIONS + "2024-01-02,A,split\n", "a.csv, line 2: it has 3 fields, not 4"),
            (ACTIONS + "2024-01-02,A,split,1\n", "a.csv, line 2: 1 is not how many new shares there are for each old one"),
            (ACTIONS + "2024-01-02,A,split,0\n", "a.csv, line 2: 0 is not how many new shares there are for each old one"),
            (ACTIONS + "2024-01-02,A,split,-7\n", "a.csv, line 2: -7 is not how many new shares there are for each old one"),
            (ACTIONS + "2024-01-02,A,dividend,0\n", "a.csv, line 2: a dividend of 0 is not above 0"),
            (ACTIONS + "2024-01-02,A,merger,2\n", 'a.csv, line 2: action "merger" is neither split nor dividend'),
            (ACTIONS + "2024-01-32,A,split,2\n", 'a.csv, line 2: "2024-01-32" is not a date such as 2014-06-09'),
            (ACTIONS + "2024-01-02,A,split,2\n2024-01-02,A,split,2\n", "a.csv, line 3: A has a split of 2024-01-02 already: make them one"),
            (ACTIONS + "2024-01-02,A,dividend,2\n2024-01-02,A,dividend,3\n",
             "a.csv, line 3: A has a dividend of 2024-01-02 already: make them one"),
        ]:
            with self.subTest(contents):
                self.assert_refused(message, "--prices", "f.csv", "--actions", self.write("a.csv", contents))

    def test_a_file_that_cannot_be_read_is_named(self):
        self.assertEqual(
            self.fails(3, "monitor", "--prices", "missing.csv").err, "pt: cannot open missing.csv: No such file or directory\n")
        self.assertEqual(self.fails(3, "monitor", "--prices", ".").err, "pt: cannot read .: Is a directory\n")

    def test_gaps_other_columns_quotes_and_other_line_ends_are_accepted(self):
        days = [f"2024-05-{day:02}" for day in range(1, 32)] + ["2024-06-10"]
        rows = [(day, symbol) for day in days for symbol in ("AAA", "BBB") if symbol == "AAA" or day[-1] != "7"]
        plain = PRICES + "".join(f"{day},{symbol},10,10\n" for day, symbol in rows)
        for name, contents in [
            ("plain", plain),
            ("without the last newline", plain.rstrip("\n")),
            ("CRLF, blank lines and a byte order mark", "\ufeff" + plain.replace("\n", "\r\n\r\n")),
            ("quotes and spaces", plain.replace("AAA", '"AAA"').replace(",", " , ")),
            ("more columns, in another order", "volume,Close,OPEN,Ticker,Date\n" + "".join(f"7,10,10,{symbol},{day}\n" for day, symbol in rows)),
        ]:
            with self.subTest(name):
                record = self.done("monitor", "--force", "--json", "--time", NOON, "--prices", self.write("f.csv", contents)).json
                self.assertEqual((record["analysed"], record["unanalysed"]), (2, 0))


if __name__ == "__main__":
    unittest.main()
