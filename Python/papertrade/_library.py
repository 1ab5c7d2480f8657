"""Finds, loads and checks the shared library, once, when it is first needed."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
import threading
from collections.abc import Iterator
from typing import Optional

from ._signatures import bind
from ._version import VERSION

ENVIRONMENT_VARIABLE = "PAPERTRADE_LIBRARY"

_names = (
    ("libpapertrade.0.dylib", "libpapertrade.dylib")
    if sys.platform == "darwin"
    else ("libpapertrade.so.0", "libpapertrade.so")
)
_loading = threading.Lock()
_loaded: Optional[ctypes.CDLL] = None


class LibraryNotFound(ImportError):
    """The shared library is missing, cannot be loaded, or is of a version that this package cannot use.

    Raised when the library is first needed (the first Account, Lock, verify ...), not by `import papertrade`.
    """


def library() -> ctypes.CDLL:
    """The loaded library. Any thread. CDLL, not PyDLL: other Python threads run while a call waits or syncs."""
    global _loaded
    if _loaded is None:
        with _loading:
            if _loaded is None:
                _loaded = _load()
    return _loaded


def library_version() -> str:
    """The version of the shared library in use, such as "0.1.0"."""
    version: bytes = library().pt_version()
    return version.decode()


def status_name(status: int) -> str:
    """The name of a status in C, such as "PT_BUSY"; "PT_UNKNOWN" for a number that is none."""
    name: bytes = library().pt_status_name(status)
    return name.decode()


def _load() -> ctypes.CDLL:
    failures = []
    for candidate in _candidates():
        try:
            found = ctypes.CDLL(candidate)
        except OSError as error:
            failures.append(f"{candidate}: {error}")
            continue
        return _checked(found, candidate)
    raise LibraryNotFound(
        f"the PaperTrade library was not found: set {ENVIRONMENT_VARIABLE} to the file {_names[-1]}, put it beside the package "
        f"in {os.path.dirname(__file__)}, or install it on the system (tried {'; '.join(failures)})"
    )


def _candidates() -> Iterator[str]:
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        yield os.path.abspath(named)
        return  # who names a library means that one: another one found by chance would only confuse
    for name in _names:
        beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
        if os.path.exists(beside):
            yield beside
    yield from _names
    found = ctypes.util.find_library("papertrade")  # last: it starts other programs to search
    if found is not None and found not in _names:
        yield found


def _checked(found: ctypes.CDLL, name: str) -> ctypes.CDLL:
    try:
        found.pt_version.restype = ctypes.c_char_p
        version = found.pt_version().decode()
    except AttributeError:
        raise LibraryNotFound(f"{name} is not the PaperTrade library: it has no pt_version") from None
    if not compatible(version, VERSION):
        raise LibraryNotFound(
            f"{name} is version {version}, which this package, version {VERSION}, cannot use: install the same version of both"
        )
    try:
        bind(found)
    except AttributeError as error:
        raise LibraryNotFound(f"{name}, version {version}, is incomplete: {error}") from None
    return found


def compatible(library_version: str, package_version: str) -> bool:
    """Structs and functions are only ever added: a library of the same major version that is not older will do."""
    try:
        has = [int(part) for part in library_version.split(".")]
        needs = [int(part) for part in package_version.split(".")]
    except ValueError:
        return False
    return has[0] == needs[0] and has[:2] >= needs[:2]
