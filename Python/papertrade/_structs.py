"""The structs of papertrade.h, field for field. Tests/Python/test_structs.py compares them with what the C compiler says."""

from __future__ import annotations

import ctypes
import math
from ctypes import (
    CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_double, c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p,
)

from ._constants import TIME_NOW, WAIT_DEFAULT

log_fn = CFUNCTYPE(None, c_void_p, c_int32, c_char_p)
clock_fn = CFUNCTYPE(c_int64, c_void_p)


class pt_error(Structure):
    _fields_ = [
        ("status", c_int32),
        ("errno_value", c_int32),
        ("seq", c_uint64),
        ("offset", c_int64),
        ("message", c_char * 512),
        ("reserved", c_uint8 * 40),
    ]


class pt_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("initial_cash", c_double),
        ("lock_timeout_ms", c_int64),
        ("durability", c_int32),
        ("reserved", c_int32),
        ("account_id", c_char_p),
        ("log", log_fn),
        ("log_context", c_void_p),
        ("clock", clock_fn),
        ("clock_context", c_void_p),
    ]

    @classmethod
    def init(cls) -> pt_options:
        """PT_OPTIONS_INIT."""
        return cls(struct_size=ctypes.sizeof(cls), initial_cash=math.nan, lock_timeout_ms=WAIT_DEFAULT)


class pt_request(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("expected_seq", c_uint64),
        ("time", c_int64),
        ("request_id", c_char_p),
        ("note", c_char_p),
    ]

    @classmethod
    def init(cls) -> pt_request:
        """PT_REQUEST_INIT."""
        return cls(struct_size=ctypes.sizeof(cls), time=TIME_NOW)


class pt_verify_report(Structure):
    _fields_ = [
        ("events", c_uint64),
        ("first_seq", c_uint64),
        ("last_seq", c_uint64),
        ("durable_seq", c_uint64),
        ("generations", c_uint32),
        ("problems", c_uint32),
        ("portfolio_current", c_int32),
        ("unfinished_tail", c_int32),
        ("cash", c_double),
        ("total_cost", c_double),
        ("net_deposits", c_double),
        ("realized_pnl", c_double),
        ("first_problem", c_char * 512),
        ("reserved", c_uint8 * 64),
    ]


class pt_recover_report(Structure):
    _fields_ = [
        ("kept_seq", c_uint64),
        ("lost_events", c_uint64),
        ("seq", c_uint64),
        ("generation", c_uint32),
        ("from_portfolio", c_int32),
        ("kept_as", c_char * 256),
        ("reserved", c_uint8 * 64),
    ]


class pt_import_report(Structure):
    _fields_ = [
        ("positions", c_uint32),
        ("queued", c_uint32),
        ("transactions", c_uint32),
        ("rounded", c_uint32),
        ("cash", c_double),
        ("net_deposits", c_double),
        ("realized_pnl", c_double),
        ("seq", c_uint64),
        ("first_rounded", c_char * 256),
        ("reserved", c_uint8 * 64),
    ]


class pt_fill(Structure):
    _fields_ = [
        ("seq", c_uint64),
        ("time", c_int64),
        ("at", c_int64),
        ("side", c_int32),
        ("repeated", c_int32),
        ("provisional", c_int32),
        ("reserved0", c_int32),
        ("shares", c_double),
        ("price", c_double),
        ("notional", c_double),
        ("commission", c_double),
        ("total", c_double),
        ("realized_pnl", c_double),
        ("cash_after", c_double),
        ("position_shares", c_double),
        ("position_cost", c_double),
        ("symbol", c_char * 40),
        ("type", c_char * 24),
        ("reserved", c_uint8 * 40),
    ]


class pt_order(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("side", c_int32),
        ("symbol", c_char_p),
        ("shares", c_double),
        ("price", c_double),
        ("request", POINTER(pt_request)),
    ]

    @classmethod
    def init(cls) -> pt_order:
        """PT_ORDER_INIT."""
        return cls(struct_size=ctypes.sizeof(cls))


class pt_account_summary(Structure):
    _fields_ = [
        ("account_id", c_char * 72),
        ("seq", c_uint64),
        ("durable_seq", c_uint64),
        ("position_count", c_uint64),
        ("queued_count", c_uint64),
        ("created_at", c_int64),
        ("updated_at", c_int64),
        ("cash", c_double),
        ("total_cost", c_double),
        ("net_deposits", c_double),
        ("realized_pnl", c_double),
        ("generation", c_uint32),
        ("reserved0", c_uint32),
        ("reserved", c_uint8 * 64),
    ]


class pt_position_info(Structure):
    _fields_ = [
        ("symbol", c_char * 40),
        ("shares", c_double),
        ("cost", c_double),
        ("cost_basis", c_double),
        ("first_purchase_date", c_int64),
        ("reserved", c_uint8 * 64),
    ]


class pt_quote(Structure):
    _fields_ = [("symbol", c_char_p), ("price", c_double)]


class pt_valuation(Structure):
    _fields_ = [
        ("seq", c_uint64),
        ("unpriced", c_uint64),
        ("cash", c_double),
        ("market_value", c_double),
        ("total_value", c_double),
        ("unrealized_pnl", c_double),
        ("realized_pnl", c_double),
        ("total_pnl", c_double),
        ("return_percent", c_double),
        ("reserved", c_uint8 * 64),
    ]


class pt_event(Structure):
    _fields_ = [
        ("seq", c_uint64),
        ("time", c_int64),
        ("at", c_int64),
        ("generation", c_uint32),
        ("more", c_int32),
        ("type", c_char_p),
        ("symbol", c_char_p),
        ("request_id", c_char_p),
        ("note", c_char_p),
        ("json", c_char_p),
        ("shares", c_double),
        ("price", c_double),
        ("commission", c_double),
        ("realized_pnl", c_double),
        ("cash", c_double),
    ]


class pt_queue_entry(Structure):
    _fields_ = [
        ("seq", c_uint64),
        ("queued_at", c_int64),
        ("score", c_double),
        ("price", c_double),
        ("signal", c_int32),
        ("reserved0", c_int32),
        ("symbol", c_char * 40),
        ("reason", c_char * 264),
        ("reserved", c_uint8 * 64),
    ]


class pt_opportunity(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("signal", c_int32),
        ("symbol", c_char_p),
        ("score", c_double),
        ("price", c_double),
        ("reason", c_char_p),
        ("request", POINTER(pt_request)),
    ]

    @classmethod
    def init(cls) -> pt_opportunity:
        """PT_OPPORTUNITY_INIT."""
        return cls(struct_size=ctypes.sizeof(cls), price=math.nan)


class pt_analysis(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("signal", c_int32),
        ("score", c_double),
        ("price", c_double),
        ("shares", c_double),
        ("amount", c_double),
        ("time", c_int64),
        ("confidence", c_int32),
        ("reserved0", c_int32),
        ("reason", c_char * 264),
        ("sector", c_char * 72),
    ]


class pt_execution(Structure):
    _fields_ = [
        ("queued_seq", c_uint64),
        ("seq", c_uint64),
        ("outcome", c_int32),
        ("reserved0", c_int32),
        ("shares", c_double),
        ("price", c_double),
        ("total", c_double),
        ("queued_score", c_double),
        ("score", c_double),
        ("symbol", c_char * 40),
        ("message", c_char * 264),
        ("reserved", c_uint8 * 64),
    ]


class pt_cycle_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("time", c_int64),
    ]

    @classmethod
    def init(cls) -> pt_cycle_options:
        """PT_CYCLE_OPTIONS_INIT."""
        return cls(struct_size=ctypes.sizeof(cls), time=TIME_NOW)


class pt_cycle(Structure):
    _fields_ = [
        ("seq", c_uint64),
        ("first_seq", c_uint64),
        ("time", c_int64),
        ("at", c_int64),
        ("kind", c_int32),
        ("outcome", c_int32),
        ("analysed", c_uint32),
        ("unanalysed", c_uint32),
        ("changes", c_uint32),
        ("queued", c_uint32),
        ("bought", c_uint32),
        ("sold", c_uint32),
        ("rejected", c_uint32),
        ("deferred", c_uint32),
        ("value", c_double),
        ("reason", c_char * 264),
        ("problem", c_char * 264),
        ("reserved", c_uint8 * 64),
    ]


class pt_known_signal(Structure):
    _fields_ = [
        ("symbol", c_char * 40),
        ("signal", c_int32),
        ("confidence", c_int32),
        ("score", c_double),
        ("price", c_double),
        ("known_since", c_int64),
        ("sector", c_char * 264),
        ("reserved", c_uint8 * 64),
    ]


event_fn = CFUNCTYPE(c_int32, c_void_p, POINTER(pt_event))
cycle_fn = CFUNCTYPE(c_int32, c_void_p, POINTER(pt_cycle))
analyst_fn = CFUNCTYPE(c_int32, c_void_p, c_char_p, c_int64, POINTER(pt_analysis))
