"""From a status of C to an exception."""

from __future__ import annotations

from . import errors
from ._structs import pt_error

_RANGES: dict[int, type[errors.PaperTradeError]] = {
    1: errors.Refused, 2: errors.InvalidArgument, 3: errors.EnvironmentProblem, 4: errors.DataError, 5: errors.Uncertain,
}
BY_STATUS: dict[int, type[errors.PaperTradeError]] = {
    kind.status: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.PaperTradeError) and kind.status != 0
}


def class_for(status: int) -> type[errors.PaperTradeError]:
    """The exception of a status; for one that is newer than this package, that of its range."""
    return BY_STATUS.get(status) or _RANGES.get(status // 100, errors.PaperTradeError)


def failure(status: int, error: pt_error) -> errors.PaperTradeError:
    """The exception for a call that returned `status` and filled `error`."""
    message = error.message.decode("utf-8", "replace")
    return class_for(status)(
        status,
        message or f"status {status}, without a message",
        errno=error.errno_value or None,
        seq=error.seq or None,
        offset=error.offset if error.offset >= 0 else None,
    )


def failure_without_error(status: int, what: str, misuse: str) -> errors.PaperTradeError:
    """The exception for a function that has no pt_error. `what`: "the lock 'x'"; `misuse`: what Misuse means there."""
    reasons = {
        errors.Misuse.status: misuse,
        errors.Closed.status: "has been closed: open it anew",
        errors.Forked.status: "was opened by the parent process: open it anew in the child",
    }
    return class_for(status)(status, f"{what} {reasons.get(status, f'failed with status {status}')}")


def refusal(kind: type[errors.PaperTradeError], message: str) -> errors.PaperTradeError:
    """An exception that the package itself raises, for what cannot even be handed to C."""
    return kind(kind.status, message)
