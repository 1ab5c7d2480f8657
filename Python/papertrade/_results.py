"""From the structs of C to the dataclasses of types.py."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Callable, Optional, Union

from . import _structs as c
from ._lazy import convert_lazily, lazy
from ._text import from_bytes, from_bytes_or_null
from .amounts import from_double as amount
from .amounts import from_double_or_nan as amount_or_none
from .enums import Confidence, CycleKind, CycleOutcome, Outcome, Side, Signal
from .times import from_microseconds as moment
from .types import (
    Change, Cycle, Event, Execution, Fill, ImportReport, KnownSignal, Position, QueueEntry, RecoverReport, Summary, Valuation,
    VerifyReport,
)


def _amount(name: str) -> Callable[[Any], Decimal]:
    return lambda out: amount(getattr(out, name))


_amounts = (
    "shares", "price", "notional", "commission", "total", "realized_pnl", "cash_after", "position_shares", "position_cost",
)
convert_lazily(
    Fill,
    seq=lambda out: out.seq,
    time=lambda out: moment(out.time),
    at=lambda out: moment(out.at),
    side=lambda out: Side(out.side),
    symbol=lambda out: from_bytes(out.symbol),
    repeated=lambda out: out.repeated != 0,
    provisional=lambda out: out.provisional != 0,
    **{name: _amount(name) for name in _amounts},
)


def fill(out: c.pt_fill) -> Fill:
    return lazy(Fill, out)


def fill_or_change(out: c.pt_fill) -> Union[Fill, Change]:
    if out.side != 0:
        return fill(out)
    return Change(
        seq=out.seq,
        type=from_bytes(out.type),
        time=moment(out.time),
        at=moment(out.at),
        symbol=from_bytes(out.symbol) or None,
        shares=amount_or_none(out.shares),
        price=amount_or_none(out.price),
        total=amount_or_none(out.total),
        realized_pnl=amount_or_none(out.realized_pnl),
        cash_after=amount_or_none(out.cash_after),
    )


def position(out: c.pt_position_info) -> Position:
    return Position(
        symbol=from_bytes(out.symbol),
        shares=amount(out.shares),
        cost=amount(out.cost),
        cost_basis=amount_or_none(out.cost_basis),
        first_purchase_date=moment(out.first_purchase_date),
    )


def summary(out: c.pt_account_summary) -> Summary:
    return Summary(
        account_id=from_bytes(out.account_id),
        seq=out.seq,
        durable_seq=out.durable_seq,
        generation=out.generation,
        position_count=out.position_count,
        queued_count=out.queued_count,
        created_at=moment(out.created_at),
        updated_at=moment(out.updated_at),
        cash=amount(out.cash),
        total_cost=amount_or_none(out.total_cost),
        net_deposits=amount(out.net_deposits),
        realized_pnl=amount(out.realized_pnl),
    )


def valuation(out: c.pt_valuation) -> Valuation:
    return Valuation(
        seq=out.seq,
        unpriced=out.unpriced,
        cash=amount(out.cash),
        market_value=amount_or_none(out.market_value),
        total_value=amount_or_none(out.total_value),
        unrealized_pnl=amount_or_none(out.unrealized_pnl),
        realized_pnl=amount(out.realized_pnl),
        total_pnl=amount_or_none(out.total_pnl),
        return_percent=amount_or_none(out.return_percent),
    )


def event(out: c.pt_event) -> Event:
    return Event(
        seq=out.seq,
        time=moment(out.time),
        at=moment(out.at),
        generation=out.generation,
        more=out.more != 0,
        type=from_bytes(out.type),
        symbol=from_bytes_or_null(out.symbol),
        request_id=from_bytes_or_null(out.request_id),
        note=from_bytes_or_null(out.note),
        shares=amount_or_none(out.shares),
        price=amount_or_none(out.price),
        commission=amount_or_none(out.commission),
        realized_pnl=amount_or_none(out.realized_pnl),
        cash=amount_or_none(out.cash),
        json=from_bytes(out.json),
    )


def queue_entry(out: c.pt_queue_entry) -> QueueEntry:
    return QueueEntry(
        seq=out.seq,
        symbol=from_bytes(out.symbol),
        signal=Signal(out.signal),
        score=amount(out.score),
        price=amount_or_none(out.price),
        reason=from_bytes(out.reason),
        queued_at=moment(out.queued_at),
    )


def execution(out: c.pt_execution, raised: dict[str, Exception]) -> Execution:
    symbol = from_bytes(out.symbol)
    error: Optional[Exception] = raised.get(symbol)
    return Execution(
        queued_seq=out.queued_seq,
        seq=out.seq,
        symbol=symbol,
        outcome=Outcome(out.outcome),
        message=from_bytes(out.message),
        shares=amount_or_none(out.shares),
        price=amount_or_none(out.price),
        total=amount_or_none(out.total),
        queued_score=amount_or_none(out.queued_score),
        score=amount_or_none(out.score),
        error=error,
    )


def cycle(out: c.pt_cycle, raised: dict[str, Exception]) -> Cycle:
    return Cycle(
        seq=out.seq,
        first_seq=out.first_seq,
        time=moment(out.time),
        at=moment(out.at),
        kind=CycleKind(out.kind),
        outcome=CycleOutcome(out.outcome),
        analysed=out.analysed,
        unanalysed=out.unanalysed,
        changes=out.changes,
        queued=out.queued,
        bought=out.bought,
        sold=out.sold,
        rejected=out.rejected,
        deferred=out.deferred,
        value=amount_or_none(out.value),
        reason=from_bytes(out.reason),
        problem=from_bytes(out.problem),
        errors=raised,
    )


def known_signal(out: c.pt_known_signal) -> KnownSignal:
    return KnownSignal(
        symbol=from_bytes(out.symbol),
        signal=Signal(out.signal),
        score=amount(out.score),
        price=amount(out.price),
        confidence=Confidence(out.confidence) if out.confidence else None,
        sector=from_bytes(out.sector),
        known_since=moment(out.known_since),
    )


def verify_report(out: c.pt_verify_report, status: int) -> VerifyReport:
    return VerifyReport(
        status=status,
        events=out.events,
        first_seq=out.first_seq,
        last_seq=out.last_seq,
        durable_seq=out.durable_seq,
        generations=out.generations,
        problems=out.problems,
        portfolio_current=out.portfolio_current != 0,
        unfinished_tail=out.unfinished_tail != 0,
        cash=amount_or_none(out.cash),
        total_cost=amount_or_none(out.total_cost),
        net_deposits=amount_or_none(out.net_deposits),
        realized_pnl=amount_or_none(out.realized_pnl),
        first_problem=from_bytes(out.first_problem),
    )


def recover_report(out: c.pt_recover_report) -> RecoverReport:
    return RecoverReport(
        kept_seq=out.kept_seq,
        lost_events=out.lost_events,
        seq=out.seq,
        generation=out.generation,
        from_portfolio=out.from_portfolio != 0,
        kept_as=from_bytes(out.kept_as),
    )


def import_report(out: c.pt_import_report) -> ImportReport:
    return ImportReport(
        positions=out.positions,
        queued=out.queued,
        transactions=out.transactions,
        rounded=out.rounded,
        cash=amount(out.cash),
        net_deposits=amount(out.net_deposits),
        realized_pnl=amount(out.realized_pnl),
        seq=out.seq,
        first_rounded=from_bytes(out.first_rounded),
    )
