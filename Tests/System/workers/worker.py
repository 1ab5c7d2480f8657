"""worker.py PATH SEED WORKER FIRST COUNT REPORT: the same program as worker.c, with the Python package."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from decimal import Decimal

import papertrade
from papertrade import Account, Analysis, Signal

MASK = 2**64 - 1
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "BTC-USD", "^GSPC")


def mixed(value: int) -> int:
    z = (value + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def millionths(number: int) -> Decimal:
    return Decimal(number).scaleb(-6)


class Worker:
    def __init__(self, account: Account, seed: int, worker: int) -> None:
        self.account = account
        self.start = mixed(seed)
        self.worker = worker

    def draw(self, index: int, number: int) -> int:
        return mixed((self.start + (self.worker * 1_000_000 + index) * 8 + number) & MASK)

    def perform(self, index: int) -> str:
        """Makes one request; returns what to report of it."""
        account = self.account
        symbol = SYMBOLS[self.draw(index, 1) % 6]
        shares = millionths(1 + self.draw(index, 2) % 20_000_000)
        price = millionths(1_000_000 + self.draw(index, 3) % 200_000_000)
        amount = millionths(1 + self.draw(index, 2) % 1_000_000_000)
        step = self.draw(index, 0) % 100
        request = f"w{self.worker}-{index}"
        if step < 45:
            return self.done(index, account.buy(symbol, shares, price, request_id=request))
        if step < 75:
            return self.done(index, account.sell(symbol, shares, price, request_id=request))
        if step < 80:
            return self.done(index, account.sell_all(symbol, price, request_id=request))
        if step < 92:
            if step < 84:
                account.deposit(amount, request_id=request)
            elif step < 87:
                account.withdraw(amount, request_id=request)
            elif step < 89:
                new, old = 1 + self.draw(index, 2) % 7, 1 + self.draw(index, 3) % 7
                account.split(symbol, new, old, price, request_id=request)
            elif step < 91:
                account.dividend(symbol, millionths(1 + self.draw(index, 3) % 5_000_000), request_id=request)
            else:
                account.write_off(symbol, request_id=request)
            return self.done(index, account.find_request(request))
        if step < 96:
            score = millionths(self.draw(index, 2) % 100_000_001)
            account.enqueue(symbol, score, Signal(1 + self.draw(index, 4) % 6), price)
        elif step < 98:
            signal = Signal.STRONG_BUY if self.draw(index, 4) % 4 > 0 else Signal.HOLD

            def analyst(_symbol: str, time: datetime) -> Analysis:
                even = index % 2 == 0
                return Analysis(signal, 60, price, shares=shares if even else None, amount=None if even else amount, time=time)

            account.execute_queue(analyst)
        elif step < 99:
            account.dequeue_all()
        else:
            account.clear_queue()
        return f"ran {index}"

    @staticmethod
    def done(index: int, outcome: papertrade.Fill | papertrade.Change) -> str:
        assert outcome.cash_after is not None
        repeated = int(getattr(outcome, "repeated", True))
        return f"done {index} {outcome.seq} {int(outcome.cash_after.scaleb(6))} {repeated}"


def main() -> None:
    path, seed, worker, first, count, report = sys.argv[1:]
    descriptor = os.open(report, os.O_WRONLY | os.O_APPEND)

    def say(line: str) -> None:
        """One write of a whole line: it is there even if the process is killed right after."""
        os.write(descriptor, f"{line}\n".encode())

    with Account(path, create=False, lock_timeout=60) as account:
        requests = Worker(account, int(seed), int(worker))
        for index in range(int(first), int(first) + int(count)):
            say(f"sent {index}")
            try:
                line = requests.perform(index)
            except papertrade.PaperTradeError as error:
                if not 100 <= error.status < 300:
                    raise
                line = f"refused {index} {error.status}"
            say(line)


main()
