"""The processes that trade the demo's account: three programs, and pt's two cycles."""

import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path


class Process:
    """A process that is told the market on its standard input, and says on its standard output what it did."""

    def __init__(self, name, language, what_it_does, command):
        self.name, self.language, self.what_it_does, self.command = name, language, what_it_does, command
        self.said = []  # every line
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, lines):
        try:
            self.process.stdin.write("".join(f"{line}\n" for line in lines))
            self.process.stdin.flush()
        except BrokenPipeError:
            sys.exit(f"{self.name} has ended: see its message")

    def lines(self):
        for line in self.process.stdout:
            yield line.strip()
        sys.exit(f"{self.name} has ended: see its message")

    def kill(self):
        """kill -9; returns what it still said."""
        self.process.kill()
        rest = [line.strip() for line in self.process.stdout]
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        return rest

    def finish(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            sys.exit(f"{self.name} failed: see its message")


class Program(Process):
    """A program of its own: momentum, breakout or saver. It says "done" when it is."""

    def answers(self):
        """What it says until it is done."""
        for line in self.lines():
            if line == "done":
                return
            self.said.append(line)
            yield line

    def kill(self):
        self.said += [line for line in super().kill() if line != "done"]

    def counts(self):
        words = Counter(line.split()[0] for line in self.said if not line.startswith("nothing changed"))
        return ", ".join(f"{count} {word}" for word, count in words.items()) or "nothing"


class Cycles(Process):
    """pt monitor or pt trade: it runs a cycle for each time that it is told, and answers with the cycle's record."""

    def __init__(self, name, what_it_does, pt, arguments):
        super().__init__(name, "pt", what_it_does, [pt, *arguments])
        self.told = []
        self.records = []

    def tell(self, times):
        self.told += [f"{time:%Y-%m-%dT%H:%M:%S.%fZ}" for time in times]
        super().tell(self.told[-len(times):])

    def answer(self):
        """The record of the cycle of the next time that it was told."""
        line = next(self.lines())
        self.said.append(line)
        self.records.append(json.loads(line, parse_float=Decimal))
        return self.records[-1]

    def counts(self):
        outcomes = Counter(record["outcome"] for record in self.records)
        counts = [f"{count} cycle{'s' * (count > 1)} {outcome}" for outcome, count in outcomes.items()]
        for what in ("changes", "queued", "bought", "sold", "rejected", "deferred"):
            count = sum(record[what] for record in self.records)
            if count:
                counts.append(f"{count} {'signal changes' if what == 'changes' else what}")
        return ", ".join(counts)


def compiled(source, root, directory):
    """The program made of a C file and the library."""
    library = Path(os.environ["PAPERTRADE_LIBRARY"]).resolve()
    program = str(Path(directory) / source.stem)
    command = [os.environ.get("CC", "cc"), "-O2", f"-I{root / 'include'}", str(source), str(library), f"-Wl,-rpath,{library.parent}"]
    if subprocess.run([*command, "-o", program]).returncode != 0:
        sys.exit(f"{source.name} cannot be compiled")
    return program
