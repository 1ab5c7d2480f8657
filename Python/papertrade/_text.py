"""Strings: str in Python, NUL-terminated UTF-8 in C, which checks the limits. What cannot be handed to C is refused here."""

from __future__ import annotations

import os
from typing import Optional, Union

from . import errors
from ._failures import refusal

StrPath = Union[str, "os.PathLike[str]"]


def to_bytes(text: str, name: str, invalid: type[errors.PaperTradeError]) -> bytes:
    """UTF-8 for a parameter of C. `name` and `invalid` are for the refusal: "symbol", InvalidSymbol."""
    if not isinstance(text, str):
        raise TypeError(f"{name} is a {type(text).__name__}: a str is expected")
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError:
        raise refusal(invalid, f"{name} is {ascii(text[:60])}: it holds half a surrogate pair, which UTF-8 cannot") from None
    if b"\0" in encoded:  # C would take what is before it, and so another symbol
        raise refusal(invalid, f"{name} is {ascii(text[:60])}: it holds a NUL character")
    return encoded


def to_bytes_or_null(text: Optional[str], name: str, invalid: type[errors.PaperTradeError]) -> Optional[bytes]:
    return None if text is None else to_bytes(text, name, invalid)


def to_symbol(symbol: str) -> bytes:
    if type(symbol) is str and symbol.isascii() and "\0" not in symbol:  # nearly all of them, and without a try
        return symbol.encode()
    return to_bytes(symbol, "symbol", errors.InvalidSymbol)


def to_array(text: str, name: str, limit: int) -> bytes:
    """UTF-8 for a fixed array of C, which cannot check that it was too long."""
    encoded = to_bytes(text, name, errors.InvalidText)
    if len(encoded) > limit:
        raise refusal(errors.InvalidText, f"{name} has {len(encoded)} bytes of UTF-8: {limit} at most")
    return encoded


def to_path(path: StrPath, name: str = "path") -> bytes:
    """A path as the system spells it."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise refusal(errors.InvalidArgument, f"{name} is {ascii(os.fsdecode(encoded)[:60])}: it holds a NUL character")
    return encoded


def shown(given: object) -> str:
    """What was given, for a message: short, on one line, without its control characters."""
    try:
        text = ascii(given) if isinstance(given, str) else str(given)
    except ValueError:  # Python does not write out integers of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:60]}..."


def from_bytes(encoded: bytes) -> str:
    return encoded.decode("utf-8", "replace")


def from_bytes_or_null(encoded: Optional[bytes]) -> Optional[str]:
    return None if encoded is None else from_bytes(encoded)
