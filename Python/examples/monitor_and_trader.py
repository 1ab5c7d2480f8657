"""A monitor and a trader, two processes on one account, with an analyst of their own and a simulated clock: two months in seconds.

The monitor asks the analyst every half hour in which New York trades, and queues what has become a buy. The trader asks again at the
close, sells what is to go, and buys from the queue what the analyst still likes. Neither knows of the other: all that they
share is the account. The rules, such as how much to buy, are in config.json.

    python3 monitor_and_trader.py [directory]        (for the account; default: a temporary one)
"""

import json
import math
import multiprocessing
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import papertrade

RULES = {"watchlist": ["AAA", "MMM", "ZZZ"], "exits": {"take_profit_percent": 15}}
START, END = datetime(2014, 6, 2, 13, 30, tzinfo=timezone.utc), datetime(2014, 8, 1, tzinfo=timezone.utc)
PATIENCE = 60  # seconds that one waits for the other's turn to end

SIGNALS = (  # the least score of each signal
    (85, "STRONG BUY"), (70, "BUY"), (60, "WEAK BUY"), (40, "HOLD"), (20, "WEAK SELL"), (0, "SELL"),
)


def price(symbol, time):
    """A market of our own: every stock goes up and down by a quarter, each at its own time."""
    days = time.timestamp() / 86400
    return round(100 * (1 + 0.25 * math.sin(days / 9 + ord(symbol[0]))), 2)


def analyst(symbol, time):
    """Likes what has risen within five days. It is asked without any lock, and may take its time."""
    now = price(symbol, time)
    change = 100 * (now / price(symbol, time - timedelta(days=5)) - 1)
    score = round(min(max(50 + 4 * change, 0), 100), 2)
    signal = next(name for least, name in SIGNALS if score >= least)
    return papertrade.Analysis(signal=signal, score=score, price=now, reason=f"{change:+.1f} % in five days")


def tell(who, account, cycle):
    """One line for everything that a cycle did: the events of its commit."""
    for event in account.history(cycle.first_seq):
        if event.seq >= cycle.seq:
            break
        line = event.data
        if event.type == "queue":
            did = f"queued {event.symbol}, {line['signal']}, score {line['score']}: {line['reason']}"
        elif event.type == "buy":
            did = f"bought {event.shares} {event.symbol} at {event.price}"
        elif event.type == "sell":
            did = f"sold {event.shares} {event.symbol} at {event.price} ({line['exit']}), {event.realized_pnl:+} realized"
        elif event.type in ("unqueue", "decline"):
            did = f"left {event.symbol}: {line['reason']}"
        else:
            continue
        print(f"{cycle.time:%Y-%m-%d %H:%M} {who}: {did}", flush=True)


def monitor(path, turns):
    """One of the two processes. A real one would sleep until next_cycle() instead of jumping there."""
    with papertrade.Account(path, durability="process") as account:  # a simulation need not survive a power cut
        now = START
        while now < END:
            close = account.market_next_close(now)
            while now < close:
                tell("monitor", account, account.monitoring_cycle(analyst, time=now))
                now = account.next_cycle("monitoring", now)
            turns.wait(PATIENCE)  # the day is over: the trader's turn
            turns.wait(PATIENCE)


def trader(path, turns):
    """The other one."""
    with papertrade.Account(path, durability="process") as account:
        now = account.next_cycle("trading", START)
        while now < END:
            turns.wait(PATIENCE)  # only to keep the simulated clocks in step: the account needs no such thing
            tell("trader", account, account.trading_cycle(analyst, time=now))
            turns.wait(PATIENCE)
            now = account.next_cycle("trading", now)


def simulate(path):
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    (path / "config.json").write_text(json.dumps(RULES))
    papertrade.Account(path, initial_cash=10000).close()
    processes = multiprocessing.get_context("spawn")  # processes of their own, that share nothing but the directory
    turns = processes.Barrier(2)
    both = [processes.Process(target=work, args=(path, turns)) for work in (monitor, trader)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    if any(process.exitcode != 0 for process in both):
        sys.exit("a process failed")


def main():
    with tempfile.TemporaryDirectory() as directory:
        path = Path(sys.argv[1] if len(sys.argv) > 1 else directory) / "account"
        simulate(path)
        with papertrade.Account(path) as account:
            value = account.value({symbol: price(symbol, END) for symbol in RULES["watchlist"]})
            cycles = account.cycles()
            account.verify()  # raises if anything does not add up
        bought, sold = sum(cycle.bought for cycle in cycles), sum(cycle.sold for cycle in cycles)
        print(f"{len(cycles)} cycles bought {bought} times and sold {sold} times")
        print(f"the account is worth {value.total_value:,.2f} ({value.return_percent:+.1f} %), and adds up")


if __name__ == "__main__":
    main()
