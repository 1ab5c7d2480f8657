"""reader.py PORTFOLIO: reads the file again and again until its input ends; fails unless it is whole, right and not older each time."""

from __future__ import annotations

import select
import sys

from files import checked_portfolio


def main() -> None:
    reads = changes = last = 0
    while True:
        ends = bool(select.select([sys.stdin], [], [], 0)[0])
        with open(sys.argv[1], "rb") as file:
            text = file.read()
        seq = checked_portfolio(text)["seq"]
        assert seq >= last, f"event {seq} after event {last}"
        changes += seq > last
        reads += 1
        last = seq
        if ends:
            print(reads, changes, last)
            return


main()
