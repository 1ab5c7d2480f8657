"""The system tests' machinery, for the measurements that stand here: processes, workers, the replay."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Union

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "Python"), str(REPOSITORY / "Tests" / "System")]

_began = time.monotonic()


def report(name: str, **figures: Union[int, float, str]) -> None:
    """One line for the scorecard."""
    figures["seconds"] = f"{time.monotonic() - _began:.0f}"
    print(f"RESULT {name}: " + " ".join(f"{key}={value}" for key, value in figures.items()), flush=True)
