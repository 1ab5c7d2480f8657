"""pt monitor --loop, pt trade --loop and pt run, with a clock that runs faster."""

import datetime
import json
import os
import signal
import subprocess
import time
import unittest

from cycles import CycleTestCase

NULL = ["--analyst-command", "while read -r question; do echo null; done"]
# A simulated minute takes 2 ms; a cycle takes some.
FAST = ["--speed", "30000"]


class LoopTestCase(CycleTestCase):
    def wait_for(self, condition, process):
        """Waits for something that a loop does."""
        end = time.monotonic() + 30
        while not condition():
            self.assertIsNone(process.poll(), "the loop has ended")
            self.assertLess(time.monotonic(), end, "nothing happens")
            time.sleep(0.01)

    def records(self):
        return self.pt("cycles", "--json").lines

    @staticmethod
    def moment(record):
        return datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00"))


class Loops(LoopTestCase):
    def test_a_loop_runs_each_cycle_when_it_is_due_and_says_what_comes(self):
        lines = self.done("monitor", "--loop", *NULL, "--time", "2024-06-10T13:00", "--speed", "1200", "--cycles", "1").out.splitlines()
        self.assertEqual(lines[0], "the next monitoring cycle is due at 2024-06-10 13:30:00 UTC")
        self.assertRegex(lines[1], r"^2024-06-10 13:[3-5]\d:\d\d UTC  monitoring done: 0 analysed, 2 without analysis; value 10,000.00 \(event 4\)$")
        self.assertEqual(len(lines), 2)

    def test_cycles_are_not_closer_than_their_interval(self):
        self.done("monitor", "--loop", *NULL, "--time", "2024-06-10T13:29", *FAST, "--cycles", "3", "-q")
        halves = [(self.moment(record).timestamp() // 1800) for record in self.records()]
        self.assertEqual(len(set(halves)), 3, "two cycles in the same half-hour")

    def test_json_is_one_event_a_line_and_nothing_else(self):
        lines = self.done("trade", "--loop", *NULL, "--time", "2024-06-10T19:59", *FAST, "--cycles", "2", "--json").lines
        self.assertEqual([(line["cycle"], line["outcome"]) for line in lines], [("trading", "done")] * 2)

    def test_run_monitors_and_trades(self):
        self.done("run", *NULL, "--time", "2024-06-10T19:00", *FAST, "--cycles", "12")
        done = {(record["cycle"], record["outcome"]) for record in self.records()}
        self.assertEqual(done, {("monitoring", "done"), ("trading", "done")})

    def test_the_clock_of_a_loop_with_a_time_runs(self):
        self.assertIn(
            "monitoring done", self.done("monitor", "--loop", *NULL, "--time", "2024-06-10T13:29:59.8Z", "--cycles", "1").out)

    def test_sigterm_ends_a_wait(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                process = self.start("monitor", "--loop", *NULL, "--time", "2024-06-08")
                self.assertIn(b"is due at", process.stdout.readline())
                process.send_signal(number)
                out, err = process.communicate(timeout=30)
                self.assertEqual((process.returncode, out, err), (0, b"asked to end: nothing is in hand\n", b""))

    def test_sigterm_lets_the_cycle_in_hand_finish(self):
        self.watch("AAA")
        asked, go = self.directory / "asked", self.directory / "go"
        analyst = f"read -r question; touch '{asked}'; while [ ! -e '{go}' ]; do sleep 0.01; done; echo null; read -r question"
        process = self.start("monitor", "--loop", "--analyst-command", analyst, "--time", "2024-06-10T14:00")
        self.wait_for(asked.exists, process)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.05)
        self.assertIsNone(process.poll(), "it ended at once")
        go.touch()
        out, err = process.communicate(timeout=30)
        self.assertEqual((process.returncode, err), (0, b""))
        self.assertIn(b"monitoring done: 0 analysed, 1 without analysis", out)
        self.assertEqual([record["outcome"] for record in self.records()], ["done"])


    def test_a_monitoring_cycle_that_takes_longer_than_its_interval_does_not_keep_trading_waiting(self):
        self.watch("AAA", market={"calendar": "always"}, monitoring={"interval_minutes": 1})
        self.done("run", "--analyst-command", "while read -r question; do sleep 0.1; echo null; done", "--time", "2024-06-10T00:10",
                  "--speed", "1200", "--cycles", "6")
        self.assertIn("trading", [record["cycle"] for record in self.records()])

    def test_an_error_while_it_waits_is_told_and_does_not_end_it(self):
        process = self.start("run", *NULL, "--time", "2024-06-10T14:00", *FAST)
        self.wait_for(self.records, process)
        config = self.account / "config.json"
        real = config.rename(self.directory / "real.json")
        config.symlink_to(real)
        self.assertIn(b"; trying again in a minute\n", process.stderr.readline())
        config.unlink()
        real.rename(config)
        count = len(self.records())
        self.wait_for(lambda: len(self.records()) > count + 2, process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)

    def test_a_file_of_prices_that_has_changed_is_read_again(self):
        self.watch("AAA")
        days = [day["date"] for day in self.done("market", "--from", "2024-05-01", "--to", "2024-06-12", "--json").lines]
        rows = [f"{day},AAA,10,10\n" for day in days if day <= "2024-06-10"]
        prices = self.directory / "prices.csv"
        prices.write_text("date,symbol,open,close\n" + "".join(rows))
        process = self.start("monitor", "--loop", "--prices", str(prices), "--time", "2024-06-10T19:30", "--speed", "7200", "--json")
        self.assertIn(b'"analysed": 1', process.stdout.readline().replace(b'"analysed":1', b'"analysed": 1'))
        new = self.directory / "new.csv"
        new.write_text("date,symbol,open,close\n" + "".join(rows) + "".join(f"{day},AAA,10,10\n" for day in days if day > "2024-06-10"))
        new.rename(prices)
        line = process.stdout.readline()
        self.assertEqual((json.loads(line)["analysed"], json.loads(line)["time"][:10]), (1, "2024-06-11"))


class Interruptions(LoopTestCase):
    """Single runs end at once and change nothing; whoever writes times is not kept waiting."""

    CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}

    def test_a_signal_ends_a_run_that_waits_for_its_analyst(self):
        self.watch("AAA")
        for number, code in self.CODES.items():
            with self.subTest(number):
                asked, before = self.directory / f"asked{code}", self.journal()
                process = self.start("monitor", "--analyst-command", f"read -r q; touch '{asked}'; exec sleep 300", "--time", "2024-06-10T14:00")
                self.wait_for(asked.exists, process)
                process.send_signal(number)
                self.assertEqual((process.wait(timeout=5), process.communicate()), (code, (b"", b"")))
                self.assertEqual(self.journal(), before)

    def test_a_signal_ends_a_run_that_waits_for_the_lock(self):
        self.watch("AAA")
        for number, code in self.CODES.items():
            with self.subTest(number):
                asked, go = self.directory / f"asked{code}", self.directory / f"go{code}"
                analyst = f"read -r q; touch '{asked}'; while [ ! -e '{go}' ]; do sleep 0.01; done; echo null; read -r q"
                process = self.start("monitor", "--analyst-command", analyst, "--time", "2024-06-10T14:00", "--lock-timeout", "forever")
                self.wait_for(asked.exists, process)
                lock, before = self.hold_lock(), self.journal()
                go.touch()
                time.sleep(0.3)
                process.send_signal(number)
                self.assertEqual((process.wait(timeout=5), process.communicate()), (code, (b"", b"")))
                lock.close()
                self.assertEqual(self.journal(), before)

    def test_a_signal_ends_the_wait_for_a_time(self):
        for number in self.CODES:
            with self.subTest(number):
                reading, writing = os.pipe()
                process = subprocess.Popen(
                    [self.pt_path, "monitor", "--times", *NULL], stdin=reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    cwd=self.directory, env=self.environment)
                self.addCleanup(self.end, process)
                os.write(writing, b"2024-06-10T14:00\n")
                self.assertIn(b"monitoring done", process.stdout.readline())
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=5), 0)
                os.close(reading)
                os.close(writing)

    def journal(self):
        return (self.account / "journal.jsonl").read_bytes()


class ClosedStreams(LoopTestCase):
    """No file of pt's own may get the number of a standard stream that is closed."""

    CLOSED = 'exec "$0" "$@" <&- >&-'

    def start_closed(self, *arguments, script=CLOSED):
        process = subprocess.Popen(
            ["/bin/sh", "-c", script, self.pt_path, *arguments], stderr=subprocess.PIPE, cwd=self.directory, env=self.environment)
        self.addCleanup(self.end, process)
        return process

    def test_times_are_not_read_from_a_file_of_its_own(self):
        process = self.start_closed("monitor", "--times", *NULL)
        self.assertEqual((process.wait(timeout=10), process.stderr.read()), (0, b""))

    def test_a_loop_goes_on_sleeps_and_is_ended_by_a_signal(self):
        process = self.start_closed("monitor", "--loop", *NULL, "--time", "2024-06-08")
        self.assertEqual(
            process.stderr.readline(), b"pt: warning: the cycles go on, but the output cannot be written: Bad file descriptor\n")
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        _, state, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(state)
        self.assertEqual((process.returncode, process.stderr.read()), (0, b""))
        self.assertLess(usage.ru_utime + usage.ru_stime, 0.5, "it has not slept")

    def test_cycles_are_run_with_all_three_closed(self):
        self.assertEqual(self.start_closed("monitor", *NULL, "--time", "2024-06-10T14:00", script=self.CLOSED + " 2>&-").wait(timeout=10), 0)
        self.assertEqual([record["outcome"] for record in self.records()], ["done"])

    def test_what_cannot_be_printed_is_an_error(self):
        process = self.start_closed("status")
        self.assertEqual((process.wait(timeout=10), process.stderr.read()), (3, b"pt: cannot write the output: Bad file descriptor\n"))


class Failures(LoopTestCase):
    def test_a_failed_cycle_is_tried_again_once_and_later(self):
        (self.account / "config.json").write_text('{"cycles": {"retry_minutes": 7}}')
        self.done("deposit", "1")
        (self.account / "config.json").write_text("{")
        self.assertEqual(self.pt("monitor", "--loop", *NULL, "--time", "2024-06-10T14:00", *FAST, "--cycles", "3").code, 0)
        first, again, regular = (self.moment(record) for record in self.records())
        self.assertGreaterEqual(again - first, datetime.timedelta(minutes=7))
        self.assertGreater(regular.timestamp() // 1800, again.timestamp() // 1800)

    def test_a_config_that_is_mended_counts_from_the_next_cycle_on(self):
        (self.account / "config.json").write_text("{")
        process = self.start("monitor", "--loop", *NULL, "--time", "2024-06-10T14:00", *FAST)
        self.wait_for(lambda: any(record["outcome"] == "failed" for record in self.records()), process)
        self.watch("AAA")
        self.wait_for(lambda: any(record["outcome"] == "done" for record in self.records()), process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"pt: warning: the monitoring cycle failed: ", err)

    def test_an_analyst_that_dies_does_not_end_the_loop(self):
        outcome = self.pt("monitor", "--loop", "--analyst-command", "exit 1", "--time", "2024-06-10T14:00", *FAST, "--cycles", "2")
        self.assertEqual(outcome.code, 0)
        self.assertEqual([record["unanalysed"] for record in self.records()], [2, 2])

    def test_a_full_disk_is_told_once_and_does_not_end_the_loop(self):
        for arguments, what in [([], "the cycles go on"), (["--json"], "it is done")]:
            with self.subTest(what), open("/dev/full", "wb") as full:
                count = len(self.records())
                process = self.start(
                    "monitor", "--loop", *NULL, "--time", f"2024-06-1{count}T13:29", *FAST, "--cycles", "3", *arguments, stdout=full)
                err = process.communicate(timeout=60)[1].decode()
                self.assertEqual(process.returncode, 0, err)
                self.assertIn(f"{what}, but the output cannot be written: No space left on device", err)
                self.assertEqual(err.count("\n"), 1)
                self.assertEqual(len(self.records()), count + 3)

    def test_a_full_disk_is_told_by_a_single_cycle_and_does_not_hide_its_failure(self):
        for command, code in [("while read -r question; do echo null; done", 0), ("exit 1", 3)]:
            with self.subTest(command), open("/dev/full", "wb") as full:
                process = self.start("monitor", "--analyst-command", command, "--time", f"2024-06-10T14:3{code}", stdout=full)
                err = process.communicate(timeout=60)[1]
                self.assertEqual(process.returncode, code)
                self.assertEqual(err.count(b"pt: warning: it is done, but the output cannot be written: No space left on device\n"), 1)

    def test_times_end_with_their_reader(self):
        reading, writing = os.pipe()
        os.close(reading)
        with open(self.directory / "times", "w") as file:
            file.write("2024-06-10T14:00\n2024-06-10T15:00\n")
        with open(self.directory / "times") as file:
            process = subprocess.Popen(
                [self.pt_path, "monitor", "--times", *NULL], stdin=file, stdout=writing, stderr=subprocess.PIPE, cwd=self.directory,
                env=self.environment)
        os.close(writing)
        self.addCleanup(self.end, process)
        self.assertEqual((process.wait(timeout=30), process.stderr.read()), (0, b""))
        self.assertEqual(len(self.records()), 1)

    def test_a_reader_that_goes_away_does_not_stop_the_cycles(self):
        reading, writing = os.pipe()
        process = self.start("monitor", "--loop", *NULL, "--time", "2024-06-10T13:29", *FAST, stdout=writing)
        os.close(writing)
        os.close(reading)
        self.assertEqual(process.wait(timeout=30), 0)


if __name__ == "__main__":
    unittest.main()
