"""Processes in C, Python and Swift that trade on one account, what they reported, and what must then be in the journal."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replay import Replay, require
from support import HERE, SystemTest, compiled, start, swift_worker

LANGUAGES = ("C", "Python", "Swift")
CONFIG_TEXT = '{"commission": {"per_share": 0.005, "percent": 0.0123, "minimum": 0.35}}'


def command(language: str) -> list[str]:
    if language == "C":
        return [str(compiled("workers/worker.c"))]
    if language == "Python":
        return [sys.executable, str(HERE / "workers" / "worker.py")]
    return [str(swift_worker())]


@dataclass
class Worker:
    """One line of requests: the index of a request decides what it is, so a process that was killed can be followed by one that
    repeats its last request and goes on."""

    number: int
    language: str
    report: Path
    process: subprocess.Popen[str] | None = None
    kills: int = 0
    started_at: int = 0  # bytes of the report that are of earlier processes

    def start(self, path: Path, seed: int, count: int) -> None:
        first = self.next_index()
        self.report.touch()
        self.started_at = self.report.stat().st_size
        arguments = [str(path), str(seed), str(self.number), str(first), str(count - first), str(self.report)]
        self.process = start(*command(self.language), *arguments)

    def next_index(self) -> int:
        """The request whose outcome is not known, or the one after the last."""
        reported = self.reported()
        if not reported:
            return 0
        word, index = reported[-1][0], int(reported[-1][1])
        return index if word == "sent" else index + 1

    def reported(self) -> list[list[str]]:
        if not self.report.exists():
            return []
        return [line.split() for line in self.report.read_text().splitlines()]

    def has_progressed(self) -> bool:
        """Whether the running process has made a request."""
        return self.report.stat().st_size > self.started_at


@dataclass
class Tally:
    done: dict[str, list[str]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)


class WorkersTest(SystemTest):
    """A test with workers on one account."""

    def workers(self, count: int) -> list[Worker]:
        for language in LANGUAGES:
            command(language)  # compiled before anything runs
        return [Worker(number, LANGUAGES[number % 3], self.directory / f"report-{number}") for number in range(count)]

    def start_worker(self, worker: Worker, seed: int, count: int) -> None:
        worker.start(self.path, seed, count)
        assert worker.process is not None
        self.started(worker.process)

    def tally(self, workers: list[Worker]) -> Tally:
        """What all processes reported, by request id."""
        tally = Tally()
        for worker in workers:
            for word, index, *rest in worker.reported():
                request = f"w{worker.number}-{index}"
                if word == "sent":
                    tally.sent.add(request)
                elif word == "done":
                    self.assertNotIn(request, tally.done, "acknowledged twice")
                    tally.done[request] = rest
                elif word == "refused":
                    tally.refused.add(request)
        return tally

    def check(self, tally: Tally, unknown: int) -> Replay:
        """Every acknowledged request is in the journal as it was acknowledged, and nothing else but `unknown` requests whose process
        was killed; the state follows from the journal to the millionth."""
        replay = Replay().read(self.path)  # also: no request id twice
        for request, (seq, cash, _) in tally.done.items():
            line = replay.requests.get(request)
            require(line is not None, f"the acknowledged request {request}")
            assert line is not None
            recorded = (line["seq"], int(line["cash"].scaleb(6)))
            self.assertEqual(recorded, (int(seq), int(cash)), f"{request} is not what was acknowledged")
        self.assertEqual(tally.refused & set(replay.requests), set(), "refused, but it happened")
        unacknowledged = set(replay.requests) - set(tally.done)
        self.assertLessEqual(unacknowledged, tally.sent)
        self.assertLessEqual(len(unacknowledged), unknown)
        return replay


def counts(replay: Replay) -> dict[str, int]:
    """How many events there are of each type."""
    found: dict[str, int] = {}
    for line in replay.lines:
        found[line["type"]] = found.get(line["type"], 0) + 1
    return found


def shown(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(values.items()))
