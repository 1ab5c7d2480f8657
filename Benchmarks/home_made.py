"""The usual home-made design: one lock, the portfolio and a log as two JSON documents, both read and written whole by every trade.

    home_made.py make  DIRECTORY POSITIONS TRADES     as after so many trades
    home_made.py trade DIRECTORY SECONDS POSITIONS

It does not sync, so a power cut may lose or empty the files: it gets no credit or debit for that here.
"""

import fcntl
import json
import os
import sys
import time
from datetime import datetime, timezone


class Account:
    def __init__(self, directory):
        self.portfolio, self.log, self.lock = (os.path.join(directory, name) for name in ("portfolio.json", "log.json", "lock"))

    def trade(self, side, symbol, shares, price):
        with open(self.lock, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            portfolio, log = load(self.portfolio), load(self.log)
            held = portfolio["positions"].setdefault(symbol, {"shares": 0.0, "cost": 0.0})
            total = shares * price
            if side == "BUY":
                if portfolio["cash"] < total:
                    raise ValueError("not enough cash")
                portfolio["cash"] -= total
                held["shares"] += shares
                held["cost"] += total
            else:
                if held["shares"] < shares:
                    raise ValueError("not enough shares")
                portfolio["cash"] += total
                held["cost"] -= held["cost"] * shares / held["shares"]
                held["shares"] -= shares
            log.append(entry(side, symbol, shares, price, portfolio["cash"]))
            save(self.portfolio, portfolio)
            save(self.log, log)


def entry(side, symbol, shares, price, cash):
    return {
        "timestamp": datetime.now(timezone.utc).isoformat(), "action": side, "symbol": symbol, "shares": shares, "price": price,
        "total": shares * price, "cash_after": cash,
    }


def load(path):
    with open(path) as file:
        return json.load(file)


def save(path, value):
    with open(path + ".tmp", "w") as file:
        json.dump(value, file, indent=2)
    os.replace(path + ".tmp", path)


def symbol(number):
    return f"S{number % 1000:03}"


def make(directory, positions, trades):
    account = Account(directory)
    held = {symbol(number): {"shares": 1000.0, "cost": 100000.0} for number in range(positions)}
    save(account.portfolio, {"cash": 100000000.0, "positions": held})
    save(account.log, [entry("BUY", symbol(number % positions), 1.0, 100.25, 1e8) for number in range(trades)])


def trade(directory, seconds, positions):
    account = Account(directory)
    print("ready", flush=True)
    sys.stdin.read()
    begun = ended = time.monotonic()
    count = 0
    while True:
        account.trade("SELL" if count % 2 else "BUY", symbol(count // 2 % positions), 1.0, 100.25)
        now = time.monotonic()
        if now > begun + seconds and count:
            break
        count, ended = count + 1, now
    print(count, ended - begun)


if __name__ == "__main__":
    _, verb, where, *numbers = sys.argv
    if verb == "make":
        make(where, *map(int, numbers))
    else:
        trade(where, float(numbers[0]), int(numbers[1]))
