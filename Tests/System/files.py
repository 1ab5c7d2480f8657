"""Looking at an account without the library: its files as bytes and as JSON, and the checksum in them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

JOURNAL, PORTFOLIO, CONFIG = "journal.jsonl", "portfolio.json", "config.json"


def _crc_tables() -> list[list[int]]:
    tables = [[0] * 256 for _ in range(8)]
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        tables[0][byte] = value
    for byte in range(256):
        for step in range(1, 8):
            value = tables[step - 1][byte]
            tables[step][byte] = tables[0][value & 0xFF] ^ value >> 8
    return tables


_T0, _T1, _T2, _T3, _T4, _T5, _T6, _T7 = _crc_tables()


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), eight bytes at a time."""
    crc = 0xFFFFFFFF
    whole = len(data) & ~7
    for index in range(0, whole, 8):
        low = crc ^ int.from_bytes(data[index:index + 4], "little")
        crc = (
            _T7[low & 0xFF] ^ _T6[low >> 8 & 0xFF] ^ _T5[low >> 16 & 0xFF] ^ _T4[low >> 24]
            ^ _T3[data[index + 4]] ^ _T2[data[index + 5]] ^ _T1[data[index + 6]] ^ _T0[data[index + 7]]
        )
    for byte in data[whole:]:
        crc = _T0[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283 and crc32c(bytes(32)) == 0x8A9136AA  # the published check values


def checked_portfolio(text: bytes) -> dict[str, Any]:
    """portfolio.json parsed, amounts as Decimal. AssertionError unless its checksum is right and its figures balance."""
    portfolio: dict[str, Any] = json.loads(text, parse_float=Decimal)
    body, separator, _ = text.partition(b',\n  "checksum"')
    assert separator, "no checksum"
    assert portfolio["checksum"] == f"crc32c:{crc32c(body):08x}", f"wrong checksum {portfolio['checksum']}"
    cost = sum((position["cost"] for position in portfolio["positions"].values()), Decimal(0))
    assert portfolio["cash"] + cost == portfolio["net_deposits"] + portfolio["realized_pnl"], "the figures do not balance"
    assert portfolio["cash"] >= 0, "negative cash"
    return portfolio


def portfolio_of(path: Path) -> dict[str, Any]:
    return checked_portfolio((path / PORTFOLIO).read_bytes())


def files_of(path: Path) -> dict[str, bytes]:
    """Everything in the account but the lock, whose holder changes with every try; the fill at the journal's end does not count."""
    contents = {each.name: each.read_bytes() for each in path.iterdir() if each.is_file() and each.name != ".lock"}
    if JOURNAL in contents:
        contents[JOURNAL] = contents[JOURNAL].rstrip(b"\n")
    return contents


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The journal's events, amounts as Decimal."""
    text = (path / JOURNAL).read_bytes()
    return [json.loads(line, parse_float=Decimal) for line in text.split(b"\n") if line]
