"""The demo's Python program. It waits for a stock to close higher than on any of the 40 days before, and queues it as an opportunity:
whether and how much to buy is left to the trading cycle, as with what the monitor queues. It sells what closes lower than on any of
20 days.

    python3 breakout.py ACCOUNT SYMBOL...

The market comes in on standard input, one line each:
    price SYMBOL PRICE        what SYMBOL costs now
    split SYMBOL NUMBER       every share has become so many
    open DATE TIME            the market opens at these prices: trade, then say "done" (TIME: seconds since 1970)
    close DATE TIME           the market closes at these prices: trade, then say "done"
What it did goes out, one line each.
"""

import sys
from collections import deque
from datetime import datetime, timezone
from decimal import ROUND_DOWN, Decimal

import papertrade

HIGH_DAYS, LOW_DAYS = 40, 20
FIRST_ORDER = 6000  # dollars


class Breakout:
    def __init__(self, path, symbols):
        self.now = datetime.now(timezone.utc)  # until the market says
        self.account = papertrade.Account(path, clock=lambda: self.now)  # the account's time is the market's
        self.prices = {}
        self.closes = {symbol: deque(maxlen=HIGH_DAYS) for symbol in symbols}
        self.is_first_day = True

    def open(self, date):
        if self.is_first_day:
            symbol = min(self.prices)
            shares = (FIRST_ORDER / self.prices[symbol]).quantize(Decimal("0.01"), ROUND_DOWN)
            self.trade(self.account.buy, symbol, shares, self.prices[symbol], request_id=f"breakout {date} {symbol}")

    def close(self, date):
        self.is_first_day = False
        held = {position.symbol for position in self.account.positions()}
        for symbol, price in sorted(self.prices.items()):
            closes = self.closes[symbol]
            if len(closes) == HIGH_DAYS:
                if symbol in held and price < min(list(closes)[-LOW_DAYS:]):
                    self.trade(self.account.sell_all, symbol, price, request_id=f"breakout {date} {symbol}")
                elif symbol not in held and price > max(closes):
                    self.queue(symbol, price, max(closes), request_id=f"breakout {date} {symbol}")
            closes.append(price)

    def queue(self, symbol, price, old_high, **request):
        # 60, and ten more for each per cent above the old high. The trader rejects a queued buy whose score has fallen by more than 10.
        score = min(Decimal(100), 60 + 10 * (price / old_high - 1) * 100).quantize(Decimal("0.1"))
        try:
            seq = self.account.enqueue(symbol, score, "BUY", price, f"highest close of {HIGH_DAYS} days", **request)
            print(f"queued {symbol} at {price} (event {seq})")
        except papertrade.AlreadyQueued as error:
            print(f"refused {symbol}: {error}")

    def trade(self, change, symbol, *arguments, **request):
        try:
            fill = change(symbol, *arguments, **request)
            print(f"{'bought' if fill.side is papertrade.Side.BUY else 'sold'} {fill.shares} {symbol} at {fill.price} for {fill.total:.2f},"
                  f" {fill.cash_after:.2f} in cash is left (event {fill.seq})")
        except (papertrade.InsufficientFunds, papertrade.NoPosition) as error:  # the others were faster
            print(f"refused {symbol}: {error}")

    def run(self, lines):
        for line in lines:
            word, name, number = line.split()
            if word == "price":
                if name in self.closes:
                    self.prices[name] = Decimal(number)
            elif word == "split":
                if name in self.closes:
                    self.closes[name] = deque((close / Decimal(number) for close in self.closes[name]), maxlen=HIGH_DAYS)
            else:
                self.now = datetime.fromtimestamp(int(number), timezone.utc)
                (self.open if word == "open" else self.close)(name)
                self.prices.clear()
                print("done", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: breakout.py ACCOUNT SYMBOL...")
    breakout = Breakout(sys.argv[1], sys.argv[2:])
    with breakout.account:
        breakout.run(sys.stdin)
