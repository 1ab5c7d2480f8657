"""The part of replay.py that knows the cycles: which changes of a signal are recorded under which name, what a cycle's record counts, and
what the account remembers of cycles."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Optional

SIGNALS = ["SELL", "WEAK SELL", "HOLD", "WEAK BUY", "BUY", "STRONG BUY"]  # weakest first
URGENCIES = {
    "NEW": "LOW", "UPGRADE": "MEDIUM", "MAJOR_UPGRADE": "HIGH", "DOWNGRADE": "MEDIUM", "MAJOR_DOWNGRADE": "HIGH",
    "CRITICAL_DOWNGRADE": "CRITICAL", "SCORE_CHANGE": "LOW",
}
REMEMBERED_CYCLES = 1000
HOUR = timedelta(hours=1)


class Wrong(AssertionError):
    """The journal does not say what follows from it."""


def require(condition: object, what: str) -> None:
    if not condition:
        raise Wrong(f"expected {what}")


@dataclass
class CycleReplay:
    signals: dict[str, dict[str, Any]] = field(default_factory=dict)  # as in portfolio.json
    cycles: dict[str, Any] = field(default_factory=lambda: {"monitoring": None, "trading": None, "recent_trades": []})
    rules: dict[str, Any] = field(default_factory=dict)
    commit: list[dict[str, Any]] = field(default_factory=list)  # the lines of the current commit so far

    def forget_cycles(self) -> None:
        self.signals, self.cycles = {}, {"monitoring": None, "trading": None, "recent_trades": []}

    def change(self, line: dict[str, Any], known: Optional[dict[str, Any]]) -> Optional[str]:
        """The name of the change; None if it is too small to be recorded."""
        if known is None:
            return "NEW"
        now, before = SIGNALS.index(line["signal"]), SIGNALS.index(known["signal"])
        if before >= SIGNALS.index("BUY") and now <= SIGNALS.index("WEAK SELL"):
            return "CRITICAL_DOWNGRADE"
        if now < before:
            return "MAJOR_DOWNGRADE" if before - now >= self.rules["monitoring.major_downgrade_levels"] else "DOWNGRADE"
        if now > before:
            return "MAJOR_UPGRADE" if now - before >= self.rules["monitoring.major_upgrade_levels"] else "UPGRADE"
        moved = abs(line["score"] - known["score"])
        return "SCORE_CHANGE" if moved and moved >= self.rules["monitoring.score_change"] else None

    def on_signal(self, line: dict[str, Any]) -> None:
        known, seq = self.signals.get(line["symbol"]), line["seq"]
        before = (known["signal"], known["score"]) if known else (None, None)
        require((line.get("previous_signal"), line.get("previous_score")) == before, f"what was known before event {seq}: {before}")
        change = self.change(line, known)
        require(line["change"] == change, f"the change {change} in event {seq}, which says {line['change']}")
        require(line["urgency"] == URGENCIES[line["change"]], f"the urgency of event {seq}")
        self.know(line, line["time"])

    def on_known_signal(self, line: dict[str, Any]) -> None:
        self.know(line, line["known_since"])

    def know(self, line: dict[str, Any], since: str) -> None:
        self.signals[line["symbol"]] = {
            "signal": line["signal"], "score": line["score"], "price": line["price"], "confidence": line.get("confidence"),
            "sector": line.get("sector"), "known_since": since,
        }

    def on_decline(self, line: dict[str, Any]) -> None:
        require(line["declined"] in ("queue", "sell"), f"what was declined in event {line['seq']}")

    def on_cycle(self, line: dict[str, Any]) -> None:
        kinds = [each["type"] for each in self.commit]
        seq = line["seq"]
        require("more" not in line, f"the record of a cycle, {seq}, at the end of its commit")
        require(("reason" in line) == (line["outcome"] != "done"), f"a reason in event {seq} exactly if it was not done")
        for count, kind in (("changes", "signal"), ("queued", "queue"), ("bought", "buy"), ("sold", "sell")):
            require(line[count] == kinds.count(kind), f"{count} {kinds.count(kind)} in event {seq}, which says {line[count]}")
        # What was too old before anybody was asked about it is removed, and not counted.
        stale = sum(each["type"] == "unqueue" and each["reason"] == "stale" for each in self.commit)
        most = kinds.count("decline") + kinds.count("unqueue")
        require(most - stale <= line["rejected"] <= most, f"at most {most} rejected in event {seq}")
        require(all("exit" in each for each in self.commit if each["type"] == "sell"), f"sales with their reason before event {seq}")
        self.remember(line)

    def remember(self, line: dict[str, Any]) -> None:
        if (line["cycle"], line["outcome"]) == ("monitoring", "skipped"):
            return
        now = moment(line["time"])

        def is_far_ahead(time: Optional[str]) -> bool:
            return time is not None and moment(time) - now > HOUR

        nothing = {"time": None, "outcome": None, "failures": 0, "last_done": None}
        last = self.cycles[line["cycle"]] or nothing
        last_done = None if is_far_ahead(last["last_done"]) else last["last_done"]
        if is_far_ahead(last["time"]):
            last = nothing
        is_failure = line["outcome"] == "failed"
        self.cycles[line["cycle"]] = {
            "time": line["time"], "outcome": line["outcome"], "failures": last["failures"] + 1 if is_failure else 0,
            "previous_failure": last["time"] if is_failure and last["outcome"] == "failed" else None,
            "last_done": line["time"] if line["outcome"] == "done" else last_done,
        }
        if line["bought"] + line["sold"]:
            recent = self.cycles["recent_trades"]
            recent = [each for each in recent if -HOUR <= now - moment(each["time"]) < HOUR]
            recent.append({"time": line["time"], "count": line["bought"] + line["sold"]})
            self.cycles["recent_trades"] = recent[-REMEMBERED_CYCLES:]

    def compare_cycles_with(self, portfolio: dict[str, Any]) -> None:
        require(portfolio["signals"] == self.signals, f"signals {self.signals}: portfolio.json says {portfolio['signals']}")
        require(list(portfolio["signals"]) == sorted(self.signals), "signals in the order of their symbols")
        require(portfolio["cycles"] == self.cycles, f"cycles {self.cycles}: portfolio.json says {portfolio['cycles']}")


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
