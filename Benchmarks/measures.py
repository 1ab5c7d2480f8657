"""What is measured, and how: each measure is a function of the bench that gives one round's figure, by default in microseconds a trade."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from processes import Failure, measure, run, together

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LIBRARY = ROOT / "build" / "libpapertrade.so"

EVENTS = 1_000_000
SHORT, LONG = 0.4, 1.0  # seconds of a slice: for one process, for several
POSITIONS = (20, 100, 500)
PROCESSES = (8, 32)
BATCH = 1000
OLD_TRADES = 2000  # how old the home-made design is when it is measured
SLOW = 1000  # microseconds that a sync takes longer on the slow disk


class Bench:
    """The compiled programs and the accounts that they work on, in a directory of its own."""

    def __init__(self, directory, events):
        self.directory = directory
        self.events = events
        for name, *flags in (
            ("ours", LIBRARY, f"-Wl,-rpath,{LIBRARY.parent}"), ("sqlite", "-lsqlite3"), ("floor",), ("load", "-ldl"),
            ("slow_sync", "-shared", "-fPIC", "-ldl"),
        ):
            program = directory / f"bin-{name}"
            subprocess.run(
                ["cc", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}", HERE / f"{name}.c", *flags, "-o",
                 program], check=True)
            setattr(self, name, program)
        self.shares = {}  # what the luckless process got in each measure with several, of the mean
        self.memory = ()

    def place(self, name):
        return self.directory / name

    def empty(self, name):
        """A directory of that name without anything in it. It stays the same directory: where it is on the disk decides what a file costs."""
        place = self.place(name)
        place.mkdir(exist_ok=True)
        for file in place.iterdir():
            file.unlink()
        return place

    def prepare(self):
        """Everything that is made once and not measured."""
        for positions in POSITIONS:
            run(self.ours, "make", self.place(f"ours-{positions}"), positions)
        for name in ("ours-many", "ours-python", "ours-old", "ours-empty"):
            run(self.ours, "make", self.place(name), 20)
        for name in ("sqlite-one", "sqlite-many", "sqlite-batch"):
            run(self.sqlite, "make", self.place(name), 20)
        run(sys.executable, HERE / "home_made.py", "make", self.empty("home-made"), 20, OLD_TRADES)
        run(self.ours, "fill", self.place("ours-old"), OLD_TRADES, 20)
        run(self.ours, "make", self.place("ours-long"), 20)
        run(self.ours, "fill", self.place("ours-long"), self.events, 20)

    def soak(self):
        """What a million commits do to memory. That does not depend on the disk, so it is done where files cost least."""
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else self.directory) as directory:
            place = Path(directory) / "account"
            run(self.ours, "make", place, 20)
            _, _, early, late = run(self.ours, "soak", place, self.events, 20)
        self.memory = early / 1024, late / 1024

    def sizes(self):
        """The bytes that one commit of ours writes with 20 positions: a line of the journal, and portfolio.json."""
        lines = self.place("ours-20").joinpath("journal.jsonl").read_bytes().split()[-10:]
        return sum(map(len, lines)) // len(lines) + 1, self.place("ours-20").joinpath("portfolio.json").stat().st_size


# Each measure


def per_piece(result):
    count, seconds = result[:2]
    if not count:
        raise Failure("nothing was finished in time")
    return seconds / count * 1e6


def ours(place, durability, positions=20, batch=1):
    return lambda bench: per_piece(measure(bench.ours, "trade", bench.place(place), durability, SHORT, positions, batch))


def sqlite(place, synchronous, batch=1):
    return lambda bench: per_piece(measure(bench.sqlite, "trade", bench.place(place), synchronous, SHORT, 20, batch))


def floor_made(bench, durability, seconds, file="old"):
    """The command of a floor in a directory made for it."""
    place, sizes = bench.empty("floor"), bench.sizes()
    run(bench.floor, "make", place, *sizes, file)
    return bench.floor, "commit", place, *sizes, durability, seconds, file


def floor(durability, file):
    return lambda bench: per_piece(measure(*floor_made(bench, durability, SHORT, file)))


def many(name, count, command):
    """Several processes on one account: how long the account takes for a trade, all of them together. What counts is what ended inside the time
    that each of them has, for whoever got nothing, too."""

    def figure(bench):
        counts = [result[0] for result in together([list(map(str, command(bench)))] * count)]
        if not sum(counts):
            raise Failure("nothing was finished in time")
        bench.shares.setdefault(name, []).append(min(counts) * count / sum(counts))
        return LONG / sum(counts) * 1e6

    return figure


def floor_many(bench):
    return floor_made(bench, "full", LONG)


def ours_many(durability):
    return lambda bench: (bench.ours, "trade", bench.place("ours-many"), durability, LONG, 20)


def sqlite_many(synchronous):
    return lambda bench: (bench.sqlite, "trade", bench.place("sqlite-many"), synchronous, LONG, 20)


def slowly(bench, command):
    """The command on a disk whose sync takes longer; see slow_sync.c."""
    return (
        "env", f"LD_PRELOAD={bench.slow_sync}", f"SLOW_SYNC_MICROSECONDS={SLOW}", f"SLOW_SYNC_FILE={bench.place('slow-sync')}", *command)


def counted(processes):
    return f"{processes} process{'' if processes == 1 else 'es'}"


def young(durability):
    """From event 1,000 on, in an account made for it."""

    def figure(bench):
        place = bench.empty("ours-young")
        run(bench.ours, "make", place, 20)
        run(bench.ours, "fill", place, 1000, 20)
        return ours("ours-young", durability)(bench)

    return figure


def opening(place):
    return lambda bench: (lambda count, opened, closed: opened / count * 1e6)(*measure(bench.ours, "open", bench.place(place), SHORT))


def closing(place):
    return lambda bench: (lambda count, opened, closed: closed / count * 1e6)(*measure(bench.ours, "open", bench.place(place), SHORT))


def rebuilding(bench):
    """Opening without portfolio.json reads the whole journal: events a second."""
    place = bench.place("ours-long")
    events = json.loads(place.joinpath("portfolio.json").read_text())["seq"]
    place.joinpath("portfolio.json").unlink()
    return events / measure(bench.ours, "open", place, 0)[1]


def home_made(bench):
    return per_piece(measure(sys.executable, HERE / "home_made.py", "trade", bench.place("home-made"), SHORT * 2, 20))


def python(bench):
    return per_piece(measure(sys.executable, HERE / "ours.py", bench.place("ours-python"), SHORT, 20))


MEASURES = {
    "floor, full, new files": floor("full", "new"),
    "floor, full": floor("full", "old"),
    "ours, full": ours("ours-20", "full"),
    "SQLite, FULL": sqlite("sqlite-one", "full"),
    "floor, process, new files": floor("process", "new"),
    "floor, process": floor("process", "old"),
    "ours, process": ours("ours-20", "process"),
    "SQLite, NORMAL": sqlite("sqlite-one", "normal"),
    **{f"ours, {durability}, {positions} positions": ours(f"ours-{positions}", durability, positions)
       for durability in ("full", "process") for positions in POSITIONS if positions != 20},
    **{f"{name}, {count} processes": many(f"{name}, {count} processes", count, command)
       for count in PROCESSES for name, command in (
           ("floor, full", floor_many), ("ours, full", ours_many("full")), ("SQLite, FULL", sqlite_many("full")),
           ("ours, process", ours_many("process")), ("SQLite, NORMAL", sqlite_many("normal")))},
    **{f"{name}, slow sync, {counted(count)}": many(
           f"{name}, slow sync, {counted(count)}", count, lambda bench, command=command: slowly(bench, command(bench)))
       for count in (1, *PROCESSES) for name, command in (
           ("floor, full", floor_many), ("ours, full", ours_many("full")), ("SQLite, FULL", sqlite_many("full")))},
    "ours, full, batch of 1,000": ours("ours-20", "full", batch=BATCH),
    "SQLite, FULL, 1,000 a transaction": sqlite("sqlite-batch", "full", batch=BATCH),
    "ours, process, batch of 1,000": ours("ours-20", "process", batch=BATCH),
    "SQLite, NORMAL, 1,000 a transaction": sqlite("sqlite-batch", "normal", batch=BATCH),
    "ours, full, event 1,000": young("full"),
    "ours, full, event 1,000,000": ours("ours-long", "full"),
    "ours, process, event 1,000": young("process"),
    "ours, process, event 1,000,000": ours("ours-long", "process"),
    "home-made, 2,000 trades old": home_made,
    "ours, full, 2,000 trades old": ours("ours-old", "full"),
    "ours, process, 2,000 trades old": ours("ours-old", "process"),
    "Python, process": python,
    "C, process": ours("ours-python", "process"),
    "open, no history": opening("ours-empty"),
    "open, 1,000,000 events": opening("ours-long"),
    "close": closing("ours-empty"),
    "pt_summary": lambda bench: per_piece(measure(bench.ours, "summary", bench.place("ours-empty"), SHORT)),
    "load the library": lambda bench: per_piece(run(bench.load, LIBRARY)),
    "rebuild": rebuilding,
}

UNITS = {"rebuild": "events/s"}


def needed_libraries():
    """The libraries that ours names as needed, without the dynamic linker and without versions."""
    text = subprocess.run(["readelf", "--dynamic", LIBRARY], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"\(NEEDED\).*\[(.+?)\.so", text)
    return [name for name in names if not name.startswith("ld-")]
