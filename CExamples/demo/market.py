"""The demo's market: its prices, its splits and dividends, and its hours."""

import csv
import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby


@dataclass
class Day:
    """A trading day."""

    date: str
    opens_at: datetime
    closes_at: datetime
    opened: dict   # each symbol's price at the opening
    closed: dict   # and at the close
    actions: list  # (symbol, "split" or "dividend", value) of that day's ex-date


def read(prices_path, actions_path, pt):
    """The days, in order."""
    prices, actions = read_prices(prices_path), read_actions(actions_path)
    hours = trading_hours(pt, prices[0][0], prices[-1][0])
    unknown = [date for date, _ in prices if date not in hours]
    if unknown:
        sys.exit(f"{prices_path} has prices of {unknown[0]}, when the exchange was closed")
    return [
        Day(date, *hours[date], {symbol: opened for symbol, (opened, _) in rows.items()},
            {symbol: closed for symbol, (_, closed) in rows.items()}, actions[date])
        for date, rows in prices
    ]


def read_prices(path):
    """(date, {symbol: (open, close)}) for each day, in order."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = {"date", "symbol", "open", "close"} - set(rows.fieldnames or [])
        if missing:
            sys.exit(f"{path} has no column {', '.join(sorted(missing))}")
        result = [
            (date, {row["symbol"]: (Decimal(row["open"]), Decimal(row["close"])) for row in group})
            for date, group in groupby(rows, key=lambda row: row["date"])
        ]
    dates = [date for date, _ in result]
    if len(result) < 60 or dates != sorted(set(dates)):
        sys.exit(f"{path} should have 60 days or more, ordered by date; it has {len(result)}")
    return result


def read_actions(path):
    """The actions of each date; [] for one without."""
    result = defaultdict(list)
    if path:
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                result[row["ex_date"]].append((row["symbol"], row["action"], Decimal(row["value"])))
    return result


def trading_hours(pt, first, last):
    """When New York's exchange opens and closes on each trading day, by date, as pt knows it."""
    listed = subprocess.run(
        [pt, "market", "--from", first, "--to", last, "--json"], stdout=subprocess.PIPE, text=True, check=True, timeout=30)
    sessions = [json.loads(line) for line in listed.stdout.splitlines()]
    return {session["date"]: (moment(session["opens_at"]), moment(session["closes_at"])) for session in sessions}


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
