"""The overspend race: two processes see 10,000 in cash, and each buys 40 shares at 150, which is 6,000. Only one may succeed.

Where each program reads the file, decides, and writes it back, both buy, and one purchase is lost or the cash is negative.
Here every change reads the account again under its lock: exactly one is refused, every time.

    python3 two_processes.py [rounds]
"""

import multiprocessing
import sys
import tempfile
from pathlib import Path

import papertrade


def buy(path, start, outcomes):
    """One of the two processes."""
    with papertrade.Account(path) as account:
        cash = account.cash
        start.wait()  # both have seen the cash by now
        try:
            account.buy("AAPL", 40, 150)
            outcomes.put(f"saw {cash} in cash: bought")
        except papertrade.InsufficientFunds as error:
            outcomes.put(f"saw {cash} in cash: refused, {error}")


def race(path):
    """Returns what the two processes say, the winner first."""
    papertrade.Account(path, initial_cash=10000).close()
    processes = multiprocessing.get_context("spawn")  # processes of their own, that share nothing but the directory
    start, outcomes = processes.Barrier(2), processes.SimpleQueue()
    buyers = [processes.Process(target=buy, args=(path, start, outcomes)) for _ in range(2)]
    for buyer in buyers:
        buyer.start()
    said = [outcomes.get() for _ in buyers]
    for buyer in buyers:
        buyer.join()
    return sorted(said)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as directory:
        for number in range(1, rounds + 1):
            path = Path(directory) / f"account-{number}"
            said = race(path)
            with papertrade.Account(path) as account:
                cash, shares = account.cash, account.position("AAPL").shares
                problems = account.verify(check=False).problems
            print(f"round {number}:", *said, f"afterwards: {cash} in cash, {shares} shares", sep="\n  ")
            if (cash, shares, problems) != (4000, 40, 0) or sum("bought" in each for each in said) != 1:
                sys.exit("the account was overspent")
    print("overspent: never")


if __name__ == "__main__":
    main()
