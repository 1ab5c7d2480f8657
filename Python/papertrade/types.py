"""What calls return: frozen dataclasses. Amounts are Decimal, moments are aware datetimes in UTC, and None means "there is none".

All of them work with dataclasses.asdict, so that pandas.DataFrame(map(asdict, account.positions())) is a table. In one of an
enumeration there would be bare numbers: {**asdict(fill), "side": str(fill.side)} is a row with the name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Optional, Union

from ._lazy import Lazy
from .amounts import Amount
from .enums import Confidence, CycleKind, CycleOutcome, Outcome, Side, Signal


@dataclass(frozen=True)
class Fill(Lazy):
    """A trade as it was recorded."""

    seq: int
    time: datetime             # when it happened
    at: datetime               # when it was recorded
    side: Side
    symbol: str
    shares: Decimal
    price: Decimal
    notional: Decimal          # shares x price
    commission: Decimal        # by the rules in config.json
    total: Decimal             # what moved: notional + commission paid, or notional - commission received
    realized_pnl: Decimal      # of a sale: total - cost of the shares sold; 0 for a buy
    cash_after: Decimal
    position_shares: Decimal   # held after the trade
    position_cost: Decimal
    repeated: bool             # the outcome of an earlier call with the same request_id
    provisional: bool          # inside a batch, not committed yet

    @property
    def type(self) -> str:
        """"buy" or "sell", as Change.type and Event.type have it."""
        return self.side.name.lower()


@dataclass(frozen=True)
class Change:
    """What an earlier request that was no trade recorded: see Account.find_request. Amounts that do not apply are None."""

    seq: int
    type: str                  # "deposit", "split" ...: as in Event.type
    time: datetime
    at: datetime
    symbol: Optional[str]
    shares: Optional[Decimal]
    price: Optional[Decimal]
    total: Optional[Decimal]
    realized_pnl: Optional[Decimal]
    cash_after: Optional[Decimal]


@dataclass(frozen=True)
class Position:
    """What is held of one symbol."""

    symbol: str
    shares: Decimal
    cost: Decimal                  # total paid for what is held, commissions included; exact
    cost_basis: Optional[Decimal]  # cost / shares, rounded to a millionth
    first_purchase_date: datetime


@dataclass(frozen=True)
class Summary:
    """The account in one row. cash + total_cost = net_deposits + realized_pnl."""

    account_id: str
    seq: int          # the last event
    durable_seq: int  # the last event known to be on the disk
    generation: int
    position_count: int
    queued_count: int
    created_at: datetime
    updated_at: datetime
    cash: Decimal
    total_cost: Optional[Decimal]
    net_deposits: Decimal
    realized_pnl: Decimal


@dataclass(frozen=True)
class Valuation:
    """The account at given prices."""

    seq: int
    unpriced: int                      # positions without a quote; they are counted at cost
    cash: Decimal
    market_value: Optional[Decimal]
    total_value: Optional[Decimal]     # cash + market_value
    unrealized_pnl: Optional[Decimal]  # market_value - total cost
    realized_pnl: Decimal
    total_pnl: Optional[Decimal]       # total_value - net deposits
    return_percent: Optional[Decimal]  # 100 x total_pnl / net deposits; None if they are not above zero


@dataclass(frozen=True)
class Event:
    """One line of the journal. Amounts that the event does not have are None; `data` has everything in the line."""

    seq: int
    time: datetime
    at: datetime
    generation: int
    more: bool  # the next event belongs to the same commit
    type: str   # "buy", "sell", "deposit" ...
    symbol: Optional[str]
    request_id: Optional[str]
    note: Optional[str]
    shares: Optional[Decimal]
    price: Optional[Decimal]
    commission: Optional[Decimal]
    realized_pnl: Optional[Decimal]
    cash: Optional[Decimal]
    json: str = field(repr=False)

    @cached_property
    def data(self) -> dict[str, Any]:
        """The line as a dict, its amounts as Decimal."""
        line: dict[str, Any] = json.loads(self.json, parse_float=Decimal)
        return line


@dataclass(frozen=True)
class QueueEntry:
    """An opportunity that waits in the buy queue."""

    seq: int  # the event that queued it: its identity
    symbol: str
    signal: Signal
    score: Decimal            # 0-100
    price: Optional[Decimal]  # None: unknown
    reason: str
    queued_at: datetime


@dataclass(frozen=True)
class Execution:
    """What became of one queue entry."""

    queued_seq: int  # the entry
    seq: int         # the event that bought or rejected it; 0 if the entry was left in the queue
    symbol: str
    outcome: Outcome
    message: str     # one sentence
    shares: Optional[Decimal]
    price: Optional[Decimal]
    total: Optional[Decimal]
    queued_score: Optional[Decimal]
    score: Optional[Decimal]
    error: Optional[Exception] = field(default=None, compare=False)  # what the analyst raised for the symbol

    @property
    def bought(self) -> bool:
        return self.outcome is Outcome.BOUGHT


@dataclass(frozen=True)
class Cycle:
    """The record of one run of a cycle."""

    seq: int        # the record's own event, the last of its commit
    first_seq: int  # after a run: the commit's first event, so that history(first_seq) tells what it did; 0 in cycles()
    time: datetime  # the moment for which it was run
    at: datetime    # when it was recorded
    kind: CycleKind
    outcome: CycleOutcome
    analysed: int    # symbols with a usable analysis
    unanalysed: int  # symbols without
    changes: int     # signal changes recorded
    queued: int
    bought: int
    sold: int
    rejected: int    # queue entries and exits that a rule forbade
    deferred: int    # exits for profit that wait for the signal
    value: Optional[Decimal]  # the account's value after it, at the analyst's prices; None if it is not known
    reason: str      # why it was skipped or failed; "" if done
    problem: str     # the first thing that went wrong with a single symbol; "" if nothing
    errors: dict[str, Exception] = field(default_factory=dict, compare=False)  # symbol -> what the analyst raised; {} in cycles()

    @property
    def done(self) -> bool:
        return self.outcome is CycleOutcome.DONE


@dataclass(frozen=True)
class KnownSignal:
    """What was last known of a security that a monitoring cycle analysed."""

    symbol: str
    signal: Signal
    score: Decimal  # 0-100
    price: Decimal
    confidence: Optional[Confidence]
    sector: str     # "" if none
    known_since: datetime


@dataclass(frozen=True)
class VerifyReport:
    """What papertrade.verify found. cash + total_cost = net_deposits + realized_pnl."""

    status: int              # 0: nothing is wrong; else the status of the first problem (its exception: errors.Corrupt ...)
    events: int              # events read, over all generations
    first_seq: int
    last_seq: int
    durable_seq: int         # the last event that is known to be on the disk
    generations: int         # journals read, sealed ones included
    problems: int
    portfolio_current: bool  # portfolio.json is what the journal says; if not, that is no problem: it is a view
    unfinished_tail: bool    # the journal ends in an unacknowledged write that the next open removes
    cash: Optional[Decimal]
    total_cost: Optional[Decimal]
    net_deposits: Optional[Decimal]
    realized_pnl: Optional[Decimal]
    first_problem: str       # file, line, byte offset and what is wrong; "" if nothing is

    @property
    def ok(self) -> bool:
        return self.status == 0


@dataclass(frozen=True)
class RecoverReport:
    """What papertrade.recover did."""

    kept_seq: int         # the account was rebuilt from the events up to here
    lost_events: int      # lines after it that could not be used; the old files keep them
    seq: int              # the first event of the new generation; 0: nothing was wrong, nothing was changed
    generation: int       # the new generation
    from_portfolio: bool  # rebuilt from portfolio.json, else from the journal
    kept_as: str          # the name of the damaged journal, kept in the directory


@dataclass(frozen=True)
class ImportReport:
    """What papertrade.import_portfolio took over."""

    positions: int
    queued: int
    transactions: int
    rounded: int        # values that were not whole millionths; each one is logged
    cash: Decimal
    net_deposits: Decimal
    realized_pnl: Decimal
    seq: int            # the last event of the new account
    first_rounded: str  # "cash 99.99999999999999 became 100.0"; "" if none


@dataclass(frozen=True)
class Analysis:
    """An analyst's judgement of one symbol. For execute_queue give shares or amount, not both; in the cycles the rules size."""

    signal: Union[Signal, str]
    score: Amount                    # 0-100
    price: Amount                    # above zero
    shares: Optional[Amount] = None  # how many to buy
    amount: Optional[Amount] = None  # how much money to spend at most, commission included, in whole shares
    time: Optional[datetime] = None  # when the judgement was made; None: just now. An old one counts as no analysis
    confidence: Union[Confidence, str, None] = None
    reason: str = ""                 # up to 256 bytes of UTF-8
    sector: str = ""                 # up to 64 bytes of UTF-8
