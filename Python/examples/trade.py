"""The first program: opens the account in my-account (or the directory given), buys, and says what is left.

    python3 trade.py [account]
"""

import sys

import papertrade

path = sys.argv[1] if len(sys.argv) > 1 else "my-account"

try:
    with papertrade.Account(path) as account:
        fill = account.buy("AAPL", 40, "150.00")
        print(f"bought {fill.shares} {fill.symbol} for {fill.total:.2f}; cash is now {fill.cash_after:.2f}")
except papertrade.PaperTradeError as error:
    sys.exit(str(error))
