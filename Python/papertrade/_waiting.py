"""How long to wait for a lock, in pieces: Python cannot act on Ctrl-C while a call is inside C."""

from __future__ import annotations

import math
import sys
from typing import Optional

from .times import to_milliseconds

PIECE_MILLISECONDS = 500


class Waiting:
    """A call is made once for each piece, for as long as it is Busy. No piece is longer than PIECE_MILLISECONDS."""

    def __init__(self, seconds: Optional[float], name: str = "timeout") -> None:
        """None: for ever. InvalidArgument for less than 0."""
        self.pieces = range(sys.maxsize)
        self.milliseconds = PIECE_MILLISECONDS  # of a piece, for C
        if seconds is not None:
            whole = to_milliseconds(seconds, name, ", or None to wait for ever")
            pieces = max(1, math.ceil(whole / PIECE_MILLISECONDS))
            self.pieces = range(pieces)
            self.milliseconds = math.ceil(whole / pieces)


ONCE = Waiting(0)
