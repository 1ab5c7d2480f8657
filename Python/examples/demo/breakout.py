"""The demo's Python program. It waits for a stock to close higher than on any of the 40 days before, and queues it; next morning it
executes the queue through an analyst, who looks again at the opening price. It sells what closes lower than on any of 20 days.

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
FIRST_ORDER, ORDER = 6000, 1500  # dollars


class Breakout:
    def __init__(self, path, symbols):
        self.now = datetime.now(timezone.utc)  # until the market says
        self.account = papertrade.Account(path, clock=lambda: self.now)  # the account's time is the market's
        self.prices = {}
        self.closes = {symbol: deque(maxlen=HIGH_DAYS) for symbol in symbols}
        self.levels = {}  # what each queued symbol broke out of
        self.is_first_day = True

    def open(self, date):
        if self.is_first_day:
            symbol = min(self.prices)
            shares = (FIRST_ORDER / self.prices[symbol]).quantize(Decimal("0.01"), ROUND_DOWN)
            self.trade(self.account.buy, symbol, shares, self.prices[symbol], request_id=f"breakout {date} {symbol}")
        # In one commit, each opportunity leaves the queue as its purchase enters the portfolio; or it is rejected, with the reason.
        for done in self.account.execute_queue(self.analyst):
            if done.bought:
                print(f"bought {done.shares} {done.symbol} at {done.price} for {done.total:.2f}, out of the queue (event {done.seq})")
            else:
                print(f"rejected {done.symbol}: {done.message} (event {done.seq})")

    def analyst(self, symbol, _time):
        """Is it still a breakout at the opening price?"""
        price = self.prices.get(symbol)
        if price is None:
            return None  # no opinion
        holds_up = price > self.levels[symbol]
        return papertrade.Analysis(
            signal="BUY" if holds_up else "HOLD", score=self.score(symbol, price), price=price,
            shares=(ORDER / price).quantize(Decimal("0.01"), ROUND_DOWN))

    def score(self, symbol, price):
        """60, and ten more for each per cent above the old high. A queued buy whose score falls by more than 10 is rejected."""
        above = (price / self.levels[symbol] - 1) * 100
        return max(Decimal(0), min(Decimal(100), 60 + 10 * above)).quantize(Decimal("0.1"))

    def close(self, date):
        self.is_first_day = False
        held = {position.symbol for position in self.account.positions()}
        for symbol, price in sorted(self.prices.items()):
            closes = self.closes[symbol]
            if len(closes) == HIGH_DAYS:
                if symbol in held and price < min(list(closes)[-LOW_DAYS:]):
                    self.trade(self.account.sell_all, symbol, price, request_id=f"breakout {date} {symbol}")
                elif symbol not in held and price > max(closes):
                    self.levels[symbol] = max(closes)
                    seq = self.account.enqueue(
                        symbol, self.score(symbol, price), "BUY", price, f"highest close of {HIGH_DAYS} days",
                        request_id=f"breakout {date} {symbol}")
                    print(f"queued {symbol} at {price} (event {seq})")
            closes.append(price)

    def trade(self, change, symbol, *arguments, **request):
        try:
            fill = change(symbol, *arguments, **request)
            print(f"{'bought' if fill.side is papertrade.Side.BUY else 'sold'} {fill.shares} {symbol} at {fill.price} for {fill.total:.2f},"
                  f" {fill.cash_after:.2f} in cash is left (event {fill.seq})")
        except papertrade.InsufficientFunds as error:
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
                if name in self.levels:
                    self.levels[name] /= Decimal(number)
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
