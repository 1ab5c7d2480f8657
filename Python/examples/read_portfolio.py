"""Reads an account's portfolio.json with the json module alone: no library, no package, no lock. It is always a whole file.

    python3 read_portfolio.py my-account/portfolio.json
"""

import json
import sys
from decimal import Decimal


def printable(text):
    """Files come from elsewhere: what could move the cursor or forge a line is escaped."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(text))


def table(rows):
    """Lines of right-aligned columns, the first one left-aligned."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *others = (cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths)))
        yield "  ".join([first, *others]).rstrip()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: read_portfolio.py my-account/portfolio.json")
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            portfolio = json.load(file, parse_float=Decimal)  # amounts are exact as decimals
    except (OSError, ValueError) as error:
        sys.exit(printable(f"{sys.argv[1]}: {error}"))
    if not isinstance(portfolio, dict) or portfolio.get("format") != "papertrade/1":
        sys.exit(printable(f"{sys.argv[1]} is not a portfolio of the format papertrade/1"))

    rows = [("symbol", "shares", "cost basis", "cost")]
    for symbol, position in portfolio["positions"].items():
        basis = position["cost_basis"]  # null if it cannot be expressed
        rows.append((
            printable(symbol), f"{position['shares']:,}", "-" if basis is None else f"{basis:,.2f}", f"{position['cost']:,.2f}",
        ))
    print(*table(rows), sep="\n")
    print()
    for entry in portfolio["queued_opportunities"]:
        print(printable(f"queued: {entry['symbol']} {entry['signal']}, score {entry['score']}: {entry['reason']}"))
    invested = sum(position["cost"] for position in portfolio["positions"].values())
    print(f"cash {portfolio['cash']:,.2f} + invested {invested:,.2f}", end=" = ")
    print(f"deposits {portfolio['net_deposits']:,.2f} + realized {portfolio['realized_pnl']:,.2f}")


if __name__ == "__main__":
    main()
