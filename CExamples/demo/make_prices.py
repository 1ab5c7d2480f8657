#!/usr/bin/env python3
"""Makes the demo's market: prices.csv and actions.csv, daily prices of nine invented companies and a fund, 2023 and 2024.

    python3 make_prices.py [DIRECTORY]        (default: beside this file)

The prices are a geometric random walk: each move multiplies the price by 1 + r. r is a bell-shaped random number (the sum of twelve
uniform ones), part of it common to all companies, part their own; a third of a day's variance comes overnight, between close and
open. Four times a year a company tells how it does, after the close, and opens next day where that puts it: higher or lower by far
more than on other days, so that there are falls that no stop loss is quick enough for. The days are those on which the New York Stock Exchange trades, by its rules for holidays. Prices are as traded: on the ex-date
of a dividend the stock opens lower by it, and after a split at a fraction.

Everything is done in whole numbers (prices in micro-dollars, moves in millionths) from a fixed seed, so that every Python on every
machine writes the same bytes. A test runs this program and compares.
"""

import sys
from datetime import date, timedelta
from pathlib import Path

SEED = 1  # a market in which every kind of thing happens
FIRST, LAST = date(2023, 1, 1), date(2024, 12, 31)

# symbol, first price in cents, drift and volatility a day in millionths, share of the common move in %, quarterly dividend in cents
COMPANIES = [
    ("ALDER", 21250, 900, 17000, 110, 0),
    ("ASPEN", 5230, 650, 16000, 120, 0),
    ("BEECH", 8915, 300, 13000, 80, 44),
    ("BIRCH", 3480, 350, 14000, 90, 21),
    ("CEDAR", 9725, 500, 19000, 130, 0),
    ("HAZEL", 6140, 700, 18000, 110, 0),
    ("LARCH", 14310, 100, 11000, 70, 132),
    ("MAPLE", 2790, 250, 20000, 140, 0),
    ("OLIVE", 17460, 600, 15000, 100, 65),
    ("ROWAN", 38840, 480, 2500, 100, 158),
]
FUND = "ROWAN"  # of the whole market: mostly the common move
COMMON_VOLATILITY = 7000
SPLITS = {date(2024, 6, 10): ("ALDER", 4)}  # new shares for each old one
DIVIDEND_MONTHS = (2, 5, 8, 11)  # ex-dates: the second Thursday
REPORT_MONTHS = (1, 4, 7, 10)  # on a weekday of the last week but one: each company its own, the fund none
REPORT_VOLATILITY = 60000


class Random:
    """splitmix64, by Sebastiano Vigna, in the public domain."""

    def __init__(self, seed):
        self.state = seed

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        return z ^ z >> 31

    def below(self, limit):
        return self.bits() % limit

    def bell(self, deviation):
        """Mean 0, standard deviation `deviation`: twelve uniform numbers have the variance 1 of one bell-shaped one."""
        return (sum(self.below(1_000_000) for _ in range(12)) - 6_000_000) * deviation // 1_000_000


def easter(year):
    """The Gregorian computus of Meeus, Jones and Butcher."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    l = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * l) // 451
    month, day = divmod(h + l - 7 * m + 114, 31)
    return date(year, month, day + 1)


def weekday_of(year, month, weekday, number):
    """The number-th Monday (0), Tuesday (1) ... of a month; -1 is the last one."""
    if number < 0:
        last = (date(year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def holidays(year):
    """NYSE Rule 7.2. A holiday on a Sunday is kept on Monday, one on a Saturday on Friday, unless that ends a year."""
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 12, 25)] + ([date(year, 6, 19)] if year >= 2022 else [])
    for day in fixed:
        if day.weekday() == 6:
            yield day + timedelta(days=1)
        elif day.weekday() < 5:
            yield day
        elif day.month != 1:
            yield day - timedelta(days=1)
    yield weekday_of(year, 1, 0, 3)  # Martin Luther King Day
    yield weekday_of(year, 2, 0, 3)  # Washington's Birthday
    yield easter(year) - timedelta(days=2)  # Good Friday
    yield weekday_of(year, 5, 0, -1)  # Memorial Day
    yield weekday_of(year, 9, 0, 1)  # Labor Day
    yield weekday_of(year, 11, 3, 4)  # Thanksgiving


def trading_days():
    closed = {day for year in range(FIRST.year, LAST.year + 1) for day in holidays(year)}
    day = FIRST
    while day <= LAST:
        if day.weekday() < 5 and day not in closed:
            yield day
        day += timedelta(days=1)


def reports(day, place):
    """Whether the company at a place in the list opens on the day with what it reported the evening before."""
    return day.month in REPORT_MONTHS and 16 <= day.day <= 22 and day.weekday() == place % 5


def dollars(micros):
    """At least a cent, in whole cents."""
    cents = max(1, (micros + 5000) // 10000)
    return f"{cents // 100}.{cents % 100:02}"


def moved(price, millionths):
    return price + price * millionths // 1_000_000


def market():
    """The lines of prices.csv and actions.csv."""
    prices, actions = ["date,symbol,open,close"], ["ex_date,symbol,action,value"]
    random = Random(SEED)
    closes = {symbol: cents * 10000 for symbol, cents, *_ in COMPANIES}
    for day in trading_days():
        common_night, common_day = random.bell(COMMON_VOLATILITY * 577 // 1000), random.bell(COMMON_VOLATILITY * 816 // 1000)
        for place, (symbol, _, drift, volatility, share, dividend) in enumerate(COMPANIES):
            before = closes[symbol]
            split_symbol, new_shares = SPLITS.get(day, ("", 1))
            if symbol == split_symbol:
                before //= new_shares
                actions.append(f"{day},{symbol},split,{new_shares}")
            if dividend and day.month in DIVIDEND_MONTHS and day == weekday_of(day.year, day.month, 3, 2):
                before -= dividend * 10000
                actions.append(f"{day},{symbol},dividend,{dividend // 100}.{dividend % 100:02}")
            news = random.bell(REPORT_VOLATILITY) if symbol != FUND and reports(day, place) else 0
            opened = moved(before, news + common_night * share // 100 + random.bell(volatility * 577 // 1000))
            closed = moved(opened, drift + common_day * share // 100 + random.bell(volatility * 816 // 1000))
            prices.append(f"{day},{symbol},{dollars(opened)},{dollars(closed)}")
            closes[symbol] = closed
    return prices, actions


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else __file__)
    directory = directory if directory.is_dir() else directory.parent
    for name, lines in zip(("prices.csv", "actions.csv"), market()):
        (directory / name).write_bytes("".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    main()
