"""pt replay: two processes live through prices; what it prints, what it refuses, and that a killed process makes no difference."""

import json
import os
import pathlib
import signal
import time
import unittest

from support import PTTestCase, exact

# Two securities: one that rises 2 % a day until it falls, and one that stands still. January to March 2024, on New York's trading days.
PRICES = ["--prices", "prices.csv", "--actions", "actions.csv"]


class Replay(PTTestCase):
    def setUp(self):
        super().setUp()
        days = [day["date"] for day in self.done("market", "--from", "2024-01-02", "--to", "2024-03-28", "--json").lines]
        rows, price = ["date,symbol,open,close"], 100.0
        for number, day in enumerate(days):
            price = price * 1.02 if number < 45 else price * 0.96
            if day == "2024-02-20":
                price /= 4
            rows += [f"{day},RISE,{price:.2f},{price:.2f}", f"{day},STAY,50,50"]
        (self.directory / "prices.csv").write_text("\n".join(rows) + "\n")
        (self.directory / "actions.csv").write_text("ex_date,symbol,action,value\n2024-02-20,RISE,split,4\n2024-02-20,RISE,dividend,0.1\n")
        self.environment["PAPERTRADE_ACCOUNT"] = ""

    def replay(self, *arguments):
        return self.done("replay", *PRICES, "--durability", "process", *arguments)

    def configure(self, *accounts):
        """Three cycles a day, which is quicker."""
        for account in accounts:
            (self.directory / account).mkdir(mode=0o700)
            (self.directory / account / "config.json").write_text('{"monitoring": {"interval_minutes": 195}, "watchlist": ["RISE", "STAY"]}')

    def events(self, account):
        """The journal without what differs between two runs: when it was written, and the checksums over that."""
        lines = [exact(line) for line in (self.directory / account / "journal.jsonl").read_text().splitlines() if line.strip()]
        return [{name: value for name, value in line.items() if name not in ("at", "durable", "prev", "crc", "created_at")} for line in lines]

    def test_it_ends_with_the_portfolio_the_counts_and_the_equity_curve(self):
        out = self.replay("--account", "a", "--account-id", "mine", "--equity", "equity.csv").out
        for line in [r"Account mine in .*/a, event \d+ of ", r"Total value +\d", r"buys +1$", r"splits +1$", r"dividends +1$",
                     r"sells, \w+ +1$", r"monitoring cycles, done +\d\d\d$", r"trading cycles, done +61$", r"Nothing was rejected|Rejected: \w+ \d",
                     r"Equity, 2024-01-02 to 2024-03-28, 61 sessions: lowest [\d,.]+, highest [\d,.]+$", r"  \+-{61}$"]:
            self.assertRegex(out, rf"(?m)^{line}")
        curve = (self.directory / "equity.csv").read_text().splitlines()
        self.assertEqual((curve[0], curve[1], len(curve)), ("date,value", "2024-01-02,10000.0", 62))
        self.assertEqual(self.done("verify", "--account", "a", "--quiet").out, "")

    def test_json_is_one_object(self):
        result = self.replay("--account", "a", "--to", "2024-01-08", "--cash", "500", "--json").json
        self.assertEqual(list(result), ["days", "equity", "counts", "rejections", "status"])
        self.assertEqual(result["equity"], [{"date": f"2024-01-0{day}", "value": 500} for day in (2, 3, 4, 5, 8)])
        self.assertEqual((result["days"], result["counts"], result["rejections"]),
                         (5, {"monitoring cycles, done": 65, "trading cycles, done": 5}, {}))
        self.assertEqual(result["status"]["cash"], 500)

    def test_a_new_account_watches_every_symbol_and_an_existing_config_is_kept(self):
        self.replay("--account", "a", "--to", "2024-01-02", "-q")
        self.assertEqual(json.loads((self.directory / "a" / "config.json").read_text())["watchlist"], ["RISE", "STAY"])
        (self.directory / "b").mkdir(mode=0o700)
        (self.directory / "b" / "config.json").write_text('{"watchlist": ["STAY"]}')
        self.replay("--account", "b", "--to", "2024-01-02", "-q")
        self.assertEqual((self.directory / "b" / "config.json").read_text(), '{"watchlist": ["STAY"]}')
        self.assertEqual(self.done("cycles", "--account", "b", "--json", "--last", "1", "--kind", "monitoring").lines[0]["unanalysed"], 1)

    def test_a_replay_goes_on_where_one_ended_and_comes_to_the_same(self):
        self.configure("whole", "parts")
        self.replay("--account", "whole", "--account-id", "mine", "-q")
        self.replay("--account", "parts", "--account-id", "mine", "--to", "2024-02-16", "-q")
        self.replay("--account", "parts", "--from", "2024-02-17", "-q")
        self.assertEqual(self.events("parts"), self.events("whole"))

    def test_splits_and_dividends_are_applied_again_after_a_reset(self):
        self.configure("a")
        self.replay("--account", "a", "-q")
        for ratio in ("4", "2"):
            with self.subTest(ratio):
                self.done("reset", "--account", "a", "--time", "2024-01-01")
                actions = f"ex_date,symbol,action,value\n2024-02-20,RISE,split,{ratio}\n2024-02-20,RISE,dividend,0.1\n"
                (self.directory / "actions.csv").write_text(actions)
                counts = self.replay("--account", "a", "--json").json["counts"]
                self.assertEqual((counts.get("splits"), counts.get("dividends")), (1, 1))
        self.done("verify", "--account", "a", "-q")

    def test_a_split_that_was_applied_is_not_applied_twice_by_a_replay_that_starts_on_its_day(self):
        if not pathlib.Path("/proc/self/stat").exists():
            self.skipTest("needs /proc to find the processes")
        # With the longest symbol that there can be.
        self.configure("a")
        symbol = "X" * 32
        (self.directory / "a" / "config.json").write_text(json.dumps({"watchlist": [symbol]}))
        days = [day["date"] for day in self.done("market", "--from", "2024-02-01", "--to", "2024-02-20", "--json").lines]
        (self.directory / "prices.csv").write_text("date,symbol,open,close\n" + "".join(f"{day},{symbol},50,50\n" for day in days))
        (self.directory / "actions.csv").write_text(f"ex_date,symbol,action,value\n2024-02-20,{symbol},split,4\n")
        self.done("init", "--account", "a", "--time", "2024-02-19")
        self.done("buy", symbol, "1", "50", "--account", "a", "--time", "2024-02-19")
        process = self.start("replay", *PRICES, "--account", "a", "--from", "2024-02-20", "--analyst-command", "read -r q; read -r q")
        def shares():
            return self.done("status", "--account", "a", "--json").json["positions"][symbol]["shares"]
        while shares() == 1:
            self.assertIsNone(process.poll())
        for killed in [process.pid, *self.children(process.pid)]:
            os.kill(killed, signal.SIGKILL)
        self.replay("--account", "a", "--from", "2024-02-20", "-q")
        self.assertEqual([event["type"] for event in self.events("a")].count("split"), 1)
        self.assertEqual(shares(), 4)

    def test_a_worker_that_is_killed_is_started_again_and_it_comes_to_the_same(self):
        if not pathlib.Path("/proc/self/stat").exists():
            self.skipTest("needs /proc to find the processes")
        self.configure("whole", "killed")
        self.replay("--account", "whole", "--account-id", "mine", "-q")
        process = self.start("replay", *PRICES, "--account", "killed", "--account-id", "mine", "-q")
        for seq in (20, 60, 100):
            killed = []
            # Both: one that was killed before may not have been started again yet.
            while process.poll() is None and (self.seq("killed") < seq or len(killed) < 2):
                time.sleep(0.002)
                killed = self.children(process.pid)
            for child in killed:
                os.kill(child, signal.SIGKILL)
            self.assertEqual(len(killed), 2, f"at event {seq}")
        self.assertEqual((process.wait(timeout=60), process.stderr.read()), (0, b""))
        # A cycle whose record was written, and not yet reported, is told once more: a monitor looks again, a trader says that it is done.
        self.assertEqual(self.times("killed"), self.times("whole"))
        self.assertEqual(self.trades("killed"), self.trades("whole"))

    def seq(self, account):
        try:
            return json.loads((self.directory / account / "portfolio.json").read_text())["seq"]
        except FileNotFoundError:
            return 0

    def times(self, account):
        return sorted({(event["time"], event["cycle"]) for event in self.events(account) if event["type"] == "cycle"})

    def trades(self, account):
        return [(event["type"], event["time"], event["symbol"], event["shares"]) for event in self.events(account)
                if event["type"] in ("buy", "sell", "dividend")]

    @staticmethod
    def children(process):
        """The processes that it has started, of which the dead ones are not counted."""
        found = []
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(parent) == process and state != "Z":
                found.append(int(stat.parent.name))
        return found

    def test_what_cannot_be_replayed_is_refused_and_nothing_is_made(self):
        (self.directory / "curve.csv").touch()
        for code, arguments, message in [
            (2, [*PRICES], "give the account with --account; it is made if it is missing"),
            (2, ["--account", "a", "--analyst-command", "x"], "--prices is missing: a CSV file with the columns date, symbol, open and close"),
            (2, [*PRICES, "--account", "a", "--from", "2024-04-01"], "the prices are of 2024-01-02 to 2024-03-28: there are none from"),
            (2, [*PRICES, "--account", "a", "--to", "2024-01-01"], "the prices are of 2024-01-02 to 2024-03-28: there are none from"),
            (2, [*PRICES, "--account", "a", "--from", "2024-02-02", "--to", "2024-02-01"], "--to 2024-02-01 is before --from 2024-02-02"),
            (2, [*PRICES, "--account", "a", "--from", "soon"], '--from "soon" is not a date from 1970 to 9999, such as 2014-06-09'),
            (2, [*PRICES, "--account", "a", "--cash", "much"], "much"),
            (2, [*PRICES, "--account", "a", "--cash=-5"], "-5"),
            (2, [*PRICES, "--account", "a", "--account-id", "no spaces"], "no spaces"),
            (2, [*PRICES, "--account", "a", "--lock-timeout", "soon"], "--lock-timeout soon is not a number of seconds"),
            (2, [*PRICES, "--account", "a", "--from", "2024-01-06", "--to", "2024-01-07"], "there is no trading day from 2024-01-06 to"),
            (2, [*PRICES, "--account", "a", "--analyst", "missing.so"], "the analyst ./missing.so cannot be loaded: "),
            (3, [*PRICES, "--account", "a", "--equity", "curve.csv"], "curve.csv exists already, and is not replaced: give another name"),
            (3, [*PRICES, "--account", "a", "--equity", "no/curve.csv"], "cannot make no/curve.csv: No such file or directory"),
        ]:
            with self.subTest(" ".join(arguments)):
                self.assertIn(message, self.fails(code, "replay", *arguments).err)
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["actions.csv", "curve.csv", "prices.csv"])

    def test_a_calendar_of_ones_own_says_what_a_trading_day_is_before_there_is_an_account(self):
        (self.directory / "a").mkdir(mode=0o700)
        config = self.directory / "a" / "config.json"
        config.write_text('{"watchlist": ["STAY"]}')
        weekend = ["--account", "a", "--from", "2024-01-06", "--to", "2024-01-07"]
        self.assertIn("there is no trading day", self.fails(2, "replay", *PRICES, *weekend).err)
        config.write_text("{")
        self.assertIn("config.json, line 1", self.fails(5, "replay", *PRICES, *weekend).err)
        self.assertEqual(list((self.directory / "a").iterdir()), [config])
        config.write_text('{"watchlist": ["STAY"], "market": {"calendar": "always"}, "monitoring": {"interval_minutes": 1440}}')
        self.assertEqual(self.replay(*weekend, "--json").json["days"], 2)

    def test_what_does_not_suit_an_account_is_refused_and_changes_nothing(self):
        self.replay("--account", "a", "--to", "2024-01-05", "-q")
        before = self.journal_and_config("a")
        for code, arguments, message in [
            (2, ["--from", "2024-01-05"], "the account has come to 2024-01-05 21:00:00 UTC: replay from a later day"),
            (2, ["--from", "2024-01-06", "--to", "2024-01-07"], "there is no trading day from 2024-01-06 to 2024-01-07"),
            (3, ["--from", "2024-01-08", "--cash", "5"], "--cash and --account-id are for a new account, and a has one already"),
        ]:
            with self.subTest(" ".join(arguments)):
                self.assertIn(message, self.fails(code, "replay", *PRICES, "--account", "a", *arguments).err)
        self.assertEqual(self.journal_and_config("a"), before)

    def test_an_account_that_others_use_is_never_replayed_by_mistake(self):
        self.done("init", "--account", "mine", "--time", "2024-01-02T14:30:00.000001Z")
        (self.directory / "mine" / "config.json").write_text('{"watchlist": ["RISE"]}')
        before = self.journal_and_config("mine")
        self.environment["PAPERTRADE_ACCOUNT"] = "mine"
        self.assertIn("give the account with --account", self.fails(2, "replay", *PRICES).err)
        self.assertIn("the account has come to 2024-01-02 14:30:00 UTC: replay from a later day, or use another account",
                      self.fails(2, "replay", *PRICES, "--account", "mine").err)
        self.assertEqual(self.journal_and_config("mine"), before)
        self.replay("--account", "mine", "--from", "2024-01-03", "--to", "2024-01-03", "-q")

    def test_a_split_is_applied_before_the_cycle_of_its_moment(self):
        # Where a day's close is the next one's opening, the cycle at the close knows the prices after the split already.
        days = [f"2024-01-{day:02}" for day in range(1, 32)]
        rows = [f"{day},RISE,{100 + 2 * index},{101 + 2 * index}" for index, day in enumerate(days)]
        rows += ["2024-02-01,RISE,40.5,41", "2024-02-02,RISE,41,41.5"]
        (self.directory / "prices.csv").write_text("date,symbol,open,close\n" + "\n".join(rows) + "\n")
        (self.directory / "actions.csv").write_text("ex_date,symbol,action,value\n2024-02-01,RISE,split,4\n")
        (self.directory / "a").mkdir(mode=0o700)
        (self.directory / "a" / "config.json").write_text(json.dumps({
            "market": {"calendar": "always"}, "monitoring": {"interval_minutes": 1440}, "watchlist": ["RISE"], "exits": {"take_profit_percent": 1000}}))
        self.replay("--account", "a", "-q")
        events = [(event["type"], event["time"]) for event in self.events("a") if event["type"] in ("buy", "sell", "split")]
        self.assertEqual([kind for kind, _ in events], ["buy", "split"])
        self.assertEqual(events[1][1], "2024-02-01T00:00:00.000000Z")

    def test_ctrl_c_ends_it(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(number):
                asked = self.directory / f"asked{code}"
                process = self.start("replay", *PRICES, "--account", f"a{code}", "--analyst-command", f"touch '{asked}'; exec sleep 300")
                while not asked.exists():
                    self.assertIsNone(process.poll())
                    time.sleep(0.01)
                process.send_signal(number)
                self.assertEqual((process.wait(timeout=30), process.communicate()), (code, (b"", b"")))

    def journal_and_config(self, account):
        """What an account is; portfolio.json, a view of it, may meanwhile know more of it to be on the disk."""
        return [(self.directory / account / name).read_bytes() for name in ("journal.jsonl", "config.json")]

    def test_an_empty_watchlist_is_warned_of(self):
        (self.directory / "a").mkdir(mode=0o700)
        (self.directory / "a" / "config.json").write_text("{}")
        outcome = self.pt("replay", *PRICES, "--account", "a", "--to", "2024-01-02", "-q")
        self.assertEqual(outcome.code, 0)
        self.assertEqual(
            outcome.err,
            "pt: warning: the watchlist in config.json is empty: nothing is monitored but what is held\n"
            "pt: warning: there was nothing to monitor: the watchlist in config.json is empty, and nothing is held\n")

    def test_an_analyst_of_ones_own_judges_instead_of_the_prices(self):
        result = self.replay("--account", "a", "--to", "2024-01-03", "--json", "--analyst-command",
                             """while read -r question; do echo '{"signal": "BUY", "score": 80, "price": 50}'; done""").json
        self.assertEqual(result["counts"]["buys"], 2)


if __name__ == "__main__":
    unittest.main()
