"""The library from Python: the trades of ours.c, through the ctypes package.

    ours.py DIRECTORY SECONDS POSITIONS
"""

import sys
import time

import papertrade

_, directory, seconds, positions = sys.argv
seconds, positions = float(seconds), int(positions)
symbols = [f"S{number:03}" for number in range(positions)]

with papertrade.Account(directory, durability="process") as account:
    print("ready", flush=True)
    sys.stdin.read()
    begun = ended = time.monotonic()
    count = 0
    while True:
        symbol, price = symbols[count // 2 % positions], 100.0 + count // 2 % 97 / 100
        if count % 2:
            account.sell(symbol, 1, price)
        else:
            account.buy(symbol, 1, price)
        now = time.monotonic()
        if now > begun + seconds and count:
            break
        count, ended = count + 1, now
print(count, ended - begun)
