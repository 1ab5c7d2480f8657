"""The parts of the scorecard: the command of each, and what its figures must reach."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Callable

Figures = dict[str, Any]

# Fuzzing takes so many seconds for each fuzzer; 10⁷ executions of all take about an hour of two processors, in one run or in several.
FUZZ_SECONDS = os.environ.get("FUZZ_SECONDS", "1500")

_swift = os.environ.get("SWIFT", "swift")
_python = os.environ.get("PYTHON", "python3")
# The library's tests, optimised: exhaustive enumeration takes hours otherwise.
_release = f"{_swift} test -c release -Xswiftc -enable-testing --disable-xctest --scratch-path .build-release-tests"

# In parts, because all of it takes hours.
_in_flight = "'commits in flight together'"

PARTS: dict[str, str] = {
    "crash": f"PAPERTRADE_EXHAUSTIVE=1 {_release} --filter CrashTests --skip {_in_flight}",
    "crash-pairs": f"PAPERTRADE_EXHAUSTIVE=1 PAPERTRADE_IN_FLIGHT=2 {_release} --filter {_in_flight}",
    "crash-triples": f"PAPERTRADE_EXHAUSTIVE=1 PAPERTRADE_IN_FLIGHT=3 {_release} --filter {_in_flight}",
    "crash-fours": f"PAPERTRADE_EXHAUSTIVE=1 PAPERTRADE_IN_FLIGHT=4 {_release} --filter {_in_flight}",
    "faults": f"PAPERTRADE_EXHAUSTIVE=1 {_release} --filter FaultTests",
    "kills": f"PAPERTRADE_EXHAUSTIVE=1 {_python} -m unittest discover -s Tests/Reliability -p test_system_calls.py",
    "soak": "Tests/Reliability/soak",
    "fairness": "Tests/Reliability/fairness",
    "fuzz": f"Tests/Fuzzing/run --seconds {FUZZ_SECONDS}",
    "damage": "make damage",
    "json": f"{_release} --filter JSONCaseTests",
    "memory": "make growth && Tests/C/run no_memory",
    "sanitize": "make sanitize",
    "mutants": "Tests/Mutants/run",
    "model": "Tests/Model/check --mishaps 2",
    "coverage": "Tests/Reliability/coverage",
}

# Parts that go on where they stopped, from the inputs that they found: these figures of the runs on one library are added up.
CONTINUED = {"fuzz": ("executions", "crashes", "seconds")}


@dataclass(frozen=True)
class Row:
    """A line of the table. `judge` turns the figures of the results that match into what is shown, and whether that is enough; `part` may be
    several, as a pattern, whose figures are added up."""

    what: str
    target: str
    part: str
    result: str
    judge: Callable[[dict[str, Figures]], tuple[str, bool]]


def _sum(results: dict[str, Figures], key: str) -> int:
    return sum(int(figures[key]) for figures in results.values())


def _only(results: dict[str, Figures]) -> Figures:
    (figures,) = results.values()
    return figures


def _crash_states(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    text = (
        f"{figures['states']:,} states, {figures['distinct']:,} distinct, of {figures['moments']:,} moments in {figures['workloads']} workloads; "
        f"{figures['bad']}")
    return text, figures["states"] >= 1_000_000 and figures["bad"] == 0


def _double_crash(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    states = figures["states"] + figures["faults"]
    text = f"{figures['states']:,} states, {figures['distinct']:,} distinct, and {figures['faults']:,} faults; {figures['bad']}"
    return text, states >= 1_000_000 and figures["bad"] == 0


def _faults(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    text = f"{figures['sites']:,} calls of {figures['operations']} operations, {figures['runs']:,} runs; {figures['wrong']}"
    return text, figures["wrong"] == 0


def _kills(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    text = f"{figures['points']:,} points, {figures['acknowledged']:,} of them after the acknowledgement; {figures['lost']}"
    return text, figures["acknowledged"] > 0 and figures["lost"] == 0


def _failing_calls(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    return f"{figures['points']:,} points; {figures['wrong']}", figures["wrong"] == 0


def _soak(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    text = (
        f"{figures['processes']} × {figures['trades']:,}: {'exact' if figures['equal'] else 'DIFFERENT'}, {figures['lost']} of "
        f"{figures['acknowledged']:,} acknowledged lost")
    return text, figures["equal"] == 1 and figures["lost"] == 0 and figures["processes"] >= 16 and figures["trades"] >= 10_000


def _fairness(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    return f"{figures['share']:.2f}; {figures['longest_ms']} ms", figures["share"] >= 0.8 and figures["longest_ms"] < 50


def _timeouts(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    text = f"{figures['timeout_late_ms']} ms; {figures['timeouts_too_short']}"
    return text, figures["timeout_late_ms"] <= 50 and figures["timeouts_too_short"] == 0


def _fuzz(results: dict[str, Figures]) -> tuple[str, bool]:
    executions, crashes = _sum(results, "executions"), _sum(results, "crashes")
    return f"{executions:,} by {len(results)} fuzzers; {crashes}", executions >= 10_000_000 and crashes == 0


_DAMAGES = {"damage-bits", "damage-lengths", "damage-sectors-512", "damage-sectors-4096"}


def _damage(results: dict[str, Figures]) -> tuple[str, bool]:
    missed = _sum(results, "missed")
    events = min(figures["events"] for figures in results.values())
    text = f"{_sum(results, 'tried'):,} damages to {events} events, {f'{missed:,} NOT FOUND' if missed else 'all found'}"
    return text, missed == 0 and events > 200 and results.keys() == _DAMAGES and all(each["tried"] > 0 for each in results.values())


def _growth(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    return f"{figures['commits']:,} commits; {figures['failed']}", figures["commits"] >= 100_000 and figures["failed"] == 0


def _problems(results: dict[str, Figures]) -> tuple[str, bool]:
    names = ", ".join(sorted(name.partition("-")[2] for name in results))
    return f"{names}: {_sum(results, 'problems')} problems", _sum(results, "problems") == 0 and len(results) >= 3


def _json(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    text = f"{figures['accepted']}, {figures['refused']:,} refused; {figures['crashes']}"
    return text, figures["accepted"] == 0 and figures["crashes"] == 0 and figures["refused"] > 100


def _no_memory(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    return f"{figures['points']:,} allocations; {figures['wrong']}", figures["points"] > 0 and figures["wrong"] == 0


def _mutants(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    return f"{figures['killed']} of {figures['mutants']}", figures["killed"] == figures["mutants"] >= 20


def _model(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    text = (
        f"{figures['states']:,} states with {figures['mishaps']} mishaps, {'all' if figures['complete'] else 'NOT ALL'}; "
        f"{figures['errors']}; {figures['counterexamples']} of {figures['defects']}")
    return text, figures["complete"] == 1 and figures["errors"] == 0 and figures["counterexamples"] == figures["defects"]


def _coverage(results: dict[str, Figures]) -> tuple[str, bool]:
    figures = _only(results)
    return f"{figures['percent']} %", figures["percent"] >= 95


ROWS = (
    Row("crash states enumerated; acknowledged trades lost or invariants broken", "≥ 1,000,000; 0", "crash*", "crash-states", _crash_states),
    Row("second crashes and faults during recovery; bad", "≥ 1,000,000; 0", "crash*", "double-crash", _double_crash),
    Row("system-call faults, each errno once and for ever; silent wrong results", "all; 0", "faults", "fault-points", _faults),
    Row("`pt` killed at every system call; acknowledged trades lost", "all; 0", "kills", "strace-kill", _kills),
    Row("`pt` with every system call failing; wrong results", "all; 0", "kills", "strace-errors", _failing_calls),
    Row("soak: processes × trades; equal to the replay", "16 × 10,000; exact", "soak", "soak", _soak),
    Row("lock: least to most over 16 processes, 1 ms think time; longest wait", "≥ 0.8; < 50 ms", "fairness", "fairness", _fairness),
    Row("timeouts: latest; too short", "≤ 50 ms; 0", "fairness", "fairness", _timeouts),
    Row("fuzz executions; open crashes", "≥ 10,000,000; 0", "fuzz", "fuzz-*", _fuzz),
    Row("damage to a journal of more than 200 events: found", "100 %", "damage", "damage-*", _damage),
    Row("JSON that must be refused: accepted; crashes", "0; 0", "json", "json", _json),
    Row("jansson out of memory, once and for ever: leaks and wrong results", "all; 0", "memory", "no-memory", _no_memory),
    Row("commits without growth of memory or open files; failed checks", "≥ 100,000; 0", "memory", "growth", _growth),
    Row(
        "address and thread sanitizers; valgrind and the undefined-behaviour sanitizer for the programs in C", "clean", "sanitize",
        "sanitize-*", _problems),
    Row("hand-made mutants killed", "all of ≥ 20", "mutants", "mutants", _mutants),
    Row("model of the protocol: states; errors; defects with a counterexample", "all; 0; all", "model", "model", _model),
    Row("region coverage of Ledger and Storage", "≥ 95 %", "coverage", "coverage", _coverage),
)
