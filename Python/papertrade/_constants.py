"""The constants of papertrade.h that are neither statuses (errors.py) nor enumerations (types.py), without their PT_."""

import math

OK = 0

SYMBOL_MAX = 32
REQUEST_ID_MAX = 64
TEXT_MAX = 256
SECTOR_MAX = 64
ACCOUNT_ID_MAX = 64

AMOUNT_MAX = 999999999.999999

TIME_NOW = -(2**63)
WAIT_FOREVER = -1
WAIT_DEFAULT = -2

DURABILITY_FULL = 0
DURABILITY_PROCESS = 1

LOG_INFO = 1
LOG_WARNING = 2

OPEN_READ_ONLY = 1
OPEN_EXISTING = 2
OPEN_ALLOW_NETWORK = 4

CYCLE_IGNORE_SCHEDULE = 1

ALL_SHARES = math.inf
NO_OPINION = 1
