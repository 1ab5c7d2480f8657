"""The functions of papertrade.h: what each one returns and takes. Tests/Python/test_signatures.py compares them with the header."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from typing import Any

from . import _structs as c

_account = c_void_p
_lock = c_void_p
_error = POINTER(c.pt_error)
_fill = POINTER(c.pt_fill)
_request = POINTER(c.pt_request)
_options = POINTER(c.pt_options)
_count = POINTER(c_size_t)
_moment = POINTER(c_int64)
_cycle = (c_int32, (_account, c.analyst_fn, c_void_p, POINTER(c.pt_cycle_options), POINTER(c.pt_cycle), _error))

# Name: (what it returns, what it takes). pt_status is int32_t.
SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "pt_status_name": (c_char_p, (c_int32,)),
    "pt_version": (c_char_p, ()),
    # Account
    "pt_open": (c_int32, (c_char_p, _options, POINTER(_account), _error)),
    "pt_close": (c_int32, (_account,)),
    "pt_reload": (c_int32, (_account, _error)),
    "pt_reset": (c_int32, (_account, c_double, _request, _error)),
    "pt_verify": (c_int32, (c_char_p, POINTER(c.pt_verify_report), _error)),
    "pt_recover": (c_int32, (c_char_p, _options, POINTER(c.pt_recover_report), _error)),
    "pt_backup": (c_int32, (_account, c_char_p, _error)),
    "pt_import": (c_int32, (c_char_p, c_char_p, _options, POINTER(c.pt_import_report), _error)),
    # Changes
    "pt_buy": (c_int32, (_account, c_char_p, c_double, c_double, _fill, _error)),
    "pt_sell": (c_int32, (_account, c_char_p, c_double, c_double, _fill, _error)),
    "pt_submit": (c_int32, (_account, POINTER(c.pt_order), _fill, _error)),
    "pt_deposit": (c_int32, (_account, c_double, _request, _error)),
    "pt_withdraw": (c_int32, (_account, c_double, _request, _error)),
    "pt_split": (c_int32, (_account, c_char_p, c_double, c_double, c_double, _request, _error)),
    "pt_dividend": (c_int32, (_account, c_char_p, c_double, _request, _error)),
    "pt_write_off": (c_int32, (_account, c_char_p, _request, _error)),
    # Batch
    "pt_begin": (c_int32, (_account, c_int64, _error)),
    "pt_commit": (c_int32, (_account, _error)),
    "pt_rollback": (c_int32, (_account,)),
    # State
    "pt_summary": (c_int32, (_account, POINTER(c.pt_account_summary), _error)),
    "pt_position": (c_int32, (_account, c_char_p, POINTER(c.pt_position_info), _error)),
    "pt_positions": (c_int32, (_account, POINTER(c.pt_position_info), c_size_t, _count, _error)),
    "pt_value": (c_int32, (_account, POINTER(c.pt_quote), c_size_t, POINTER(c.pt_valuation), _error)),
    "pt_history": (c_int32, (_account, c_uint64, c.event_fn, c_void_p, _error)),
    "pt_find_request": (c_int32, (_account, c_char_p, _fill, _error)),
    # Queue
    "pt_enqueue": (c_int32, (_account, c_char_p, c_double, c_int32, c_double, c_char_p, _error)),
    "pt_submit_opportunity": (c_int32, (_account, POINTER(c.pt_opportunity), POINTER(c_uint64), _error)),
    "pt_queue": (c_int32, (_account, POINTER(c.pt_queue_entry), c_size_t, _count, _error)),
    "pt_dequeue_all": (c_int32, (_account, POINTER(c.pt_queue_entry), c_size_t, _count, _error)),
    "pt_clear_queue": (c_int32, (_account, _count, _request, _error)),
    "pt_execute_queue": (
        c_int32, (_account, c.analyst_fn, c_void_p, POINTER(c.pt_execution), c_size_t, _count, _error),
    ),
    # Cycles
    "pt_monitoring_cycle": _cycle,
    "pt_trading_cycle": _cycle,
    "pt_cycles": (c_int32, (_account, c_uint64, c.cycle_fn, c_void_p, _error)),
    "pt_next_cycle": (c_int32, (_account, c_int32, c_int64, _moment, _error)),
    "pt_signals": (c_int32, (_account, POINTER(c.pt_known_signal), c_size_t, _count, _error)),
    "pt_market_is_open": (c_int32, (_account, c_int64, POINTER(c_int32), _error)),
    "pt_market_next_open": (c_int32, (_account, c_int64, _moment, _error)),
    "pt_market_next_close": (c_int32, (_account, c_int64, _moment, _error)),
    # Locks
    "pt_account_lock": (c_int32, (_account, c_int64, _error)),
    "pt_account_unlock": (c_int32, (_account,)),
    "pt_lock_open": (c_int32, (c_char_p, POINTER(_lock), _error)),
    "pt_lock_acquire": (c_int32, (_lock, c_int64, _error)),
    "pt_lock_acquire_retrying": (c_int32, (_lock, c_int64, c_int32, c_int64, _error)),
    "pt_lock_release": (c_int32, (_lock,)),
    "pt_lock_is_held": (c_int32, (c_char_p, POINTER(c_int32), _error)),
    "pt_lock_close": (c_int32, (_lock,)),
}


def bind(library: ctypes.CDLL) -> None:
    """Declares every function of the header on the loaded library. AttributeError names one that the library lacks."""
    for name, (result, parameters) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = parameters
