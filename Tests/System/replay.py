"""An account computed again from its journals, in decimals. Knows the format of the journal and the rules of the account, and nothing
of the library.

    python3 replay.py ACCOUNT

prints the state. Every figure that a line records is computed from what was asked and the lines before, and compared; so are the
checksums and their chain. Wrong raises Wrong.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Optional

from files import JOURNAL, crc32c
from replay_cycles import CycleReplay, Wrong, require

_context = Context(prec=80, rounding=ROUND_HALF_EVEN)  # a product of two amounts has 30 digits
_millionth = Decimal("0.000001")
_zero = Decimal(0)


def rounded(value: Decimal) -> Decimal:
    """To a millionth, half to even. For products, which are exact before it."""
    return value.quantize(_millionth, context=_context)


def quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """A quotient to a millionth, half to even, rounded once: 80 digits of a quotient could in theory end in a false half."""
    ratio = Fraction(numerator) / Fraction(denominator) * 1_000_000
    return Decimal(round(ratio)).scaleb(-6, context=_context)


def product(left: Decimal, right: Decimal) -> Decimal:
    return _context.multiply(left, right)


@dataclass
class Position:
    shares: Decimal
    cost: Decimal
    first_purchase_date: str

    @property
    def cost_basis(self) -> Decimal:
        return quotient(self.cost, self.shares)


@dataclass
class Replay(CycleReplay):
    account: str = ""
    generation: int = 0
    seq: int = 0
    created_at: str = ""
    cash: Decimal = _zero
    net_deposits: Decimal = _zero
    realized_pnl: Decimal = _zero
    positions: dict[str, Position] = field(default_factory=dict)
    queue: dict[str, dict[str, Any]] = field(default_factory=dict)  # symbol -> the line that queued it
    lines: list[dict[str, Any]] = field(default_factory=list)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_crc: str = "00000000"

    def read(self, path: Path) -> Replay:
        """All journals of the account, the sealed ones first."""
        sealed = sorted(path.glob("journal-*.jsonl"), key=lambda each: int(each.stem.partition("-")[2]))
        for each in [*sealed, path / JOURNAL]:
            self.read_journal(each.read_bytes())
        return self

    def read_journal(self, text: bytes) -> None:
        waiting: list[dict[str, Any]] = []  # a commit counts when its last line is there
        for raw in text.split(b"\n"):
            if not raw:
                continue
            body, found, rest = raw.rpartition(b',"crc":"')
            line: dict[str, Any] = json.loads(raw, parse_float=Decimal)
            require(bool(found) and re.fullmatch(rb'[0-9a-f]{8}"} ?', rest), f"the end of line {line.get('seq')}")
            require(line["crc"] == f"{crc32c(body):08x}", f"the checksum of event {line['seq']}")
            require(line["prev"] == self.last_crc, f"the link of event {line['seq']} to the one before")
            self.last_crc = line["crc"]
            waiting.append(line)
            if "more" not in line:
                for index, each in enumerate(waiting):
                    self.commit = waiting[:index]
                    self.apply(each)
                waiting = []
        require(not waiting, "the last line of the last commit")

    def apply(self, line: dict[str, Any]) -> None:
        seq, kind = line["seq"], line["type"]
        require(seq == self.seq + 1, f"event {seq} after event {self.seq}")
        request = line.get("request_id")
        require(request is None or request not in self.requests, f"a second event of request {request}: {seq}")
        if request is not None:
            self.requests[request] = line
        self.seq = seq
        getattr(self, f"on_{kind}")(line)
        require(self.cash == line["cash"], f"cash {line['cash']} in event {seq}: it is {self.cash}")
        require(self.cash >= 0, f"cash not below zero after event {seq}")
        cost = sum((position.cost for position in self.positions.values()), _zero)
        require(self.cash + cost == self.net_deposits + self.realized_pnl, f"the balance after event {seq}")
        self.lines.append(line)

    def on_open(self, line: dict[str, Any]) -> None:
        require(line["format"] == "papertrade/1", "the format")
        require(self.generation == 0 or line["type"] == "reset", "one start")
        require(not self.account or self.account == line["account"], "the account")
        self.account, self.created_at = line["account"], line["created_at"]
        require(line["generation"] == self.generation + 1, "the generation")
        self.generation = line["generation"]
        self.positions.clear()
        self.queue.clear()
        self.forget_cycles()
        self.cash, self.net_deposits, self.realized_pnl = line["cash"], line["net_deposits"], line["realized_pnl"]

    on_reset = on_open

    def on_rules(self, line: dict[str, Any]) -> None:
        self.rules = {key: value for key, value in line.items() if "." in key or key in ("initial_cash", "system_active", "watchlist")}

    def on_deposit(self, line: dict[str, Any]) -> None:
        require(line["amount"] > 0, "a deposit above zero")
        self.cash += line["amount"]
        self.net_deposits += line["amount"]

    def on_withdraw(self, line: dict[str, Any]) -> None:
        require(line["amount"] > 0, "a withdrawal above zero")
        self.cash -= line["amount"]
        self.net_deposits -= line["amount"]

    def commission(self, shares: Decimal, notional: Decimal) -> Decimal:
        by_share = rounded(product(shares, self.rules["commission.per_share"]))
        by_value = rounded(product(product(notional, self.rules["commission.percent"]), Decimal("0.01")))
        minimum: Decimal = self.rules["commission.minimum"]
        return max(by_share + by_value, minimum)

    def on_buy(self, line: dict[str, Any]) -> None:
        notional = rounded(product(line["shares"], line["price"]))
        commission = self.commission(line["shares"], notional)
        held = self.positions.get(line["symbol"])
        position = Position(
            (held.shares if held else _zero) + line["shares"], (held.cost if held else _zero) + notional + commission,
            held.first_purchase_date if held else line["time"],
        )
        compare(
            line, notional=notional, commission=commission, total=notional + commission, realized_pnl=_zero,
            position_shares=position.shares, position_cost=position.cost,
        )
        require(line["shares"] > 0 and line["price"] > 0 and notional > 0, f"a buy above zero in event {line['seq']}")
        self.cash -= notional + commission
        self.positions[line["symbol"]] = position
        if "queued_seq" in line:
            self.leave_queue(line)

    def on_sell(self, line: dict[str, Any]) -> None:
        held = self.held(line)
        notional = rounded(product(line["shares"], line["price"]))
        commission = min(self.commission(line["shares"], notional), notional)
        cost = quotient(product(held.cost, line["shares"]), held.shares)
        total = notional - commission
        require(0 < line["shares"] <= held.shares, f"shares to sell in event {line['seq']}")
        sells_all = "all" in line or "exit" in line  # a cycle sells whole positions
        require(not sells_all or line["shares"] == held.shares, f"all shares in event {line['seq']}")
        compare(
            line, notional=notional, commission=commission, total=total, realized_pnl=total - cost,
            position_shares=held.shares - line["shares"], position_cost=held.cost - cost,
        )
        self.cash += total
        self.realized_pnl += total - cost
        self.hold(line["symbol"], held, held.shares - line["shares"], held.cost - cost)

    def on_split(self, line: dict[str, Any]) -> None:
        held = self.held(line)
        exact = Fraction(held.shares) * Fraction(line["new_shares"]) / Fraction(line["old_shares"])
        shares = Decimal(int(exact * 1_000_000)).scaleb(-6, context=_context)
        rest = exact - Fraction(shares)
        price: Optional[Decimal] = line.get("cash_in_lieu_price")
        paid = cost = _zero
        if rest and price is not None:
            paid = Decimal(round(rest * Fraction(price) * 1_000_000)).scaleb(-6, context=_context)
            cost = Decimal(round(Fraction(held.cost) * rest / exact * 1_000_000)).scaleb(-6, context=_context)
            if not shares:
                cost = held.cost
        compare(
            line, cash_in_lieu=paid, realized_pnl=paid - cost, position_shares=shares, position_cost=held.cost - cost
        )
        self.cash += paid
        self.realized_pnl += paid - cost
        self.hold(line["symbol"], held, shares, held.cost - cost)

    def on_dividend(self, line: dict[str, Any]) -> None:
        held = self.held(line)
        amount = rounded(product(held.shares, line["per_share"]))
        compare(line, shares=held.shares, amount=amount)
        self.cash += amount
        self.realized_pnl += amount

    def on_write_off(self, line: dict[str, Any]) -> None:
        held = self.held(line)
        compare(line, shares=held.shares, cost=held.cost)
        self.realized_pnl -= held.cost
        del self.positions[line["symbol"]]

    def on_queue(self, line: dict[str, Any]) -> None:
        require(line["symbol"] not in self.queue, f"{line['symbol']} once in the queue: event {line['seq']}")
        self.queue[line["symbol"]] = line

    def on_unqueue(self, line: dict[str, Any]) -> None:
        self.leave_queue(line)

    def on_dequeue_all(self, line: dict[str, Any]) -> None:
        require(line["count"] == len(self.queue), f"the count of event {line['seq']}")
        self.queue.clear()

    on_clear_queue = on_dequeue_all

    def leave_queue(self, line: dict[str, Any]) -> None:
        entry = self.queue.pop(line["symbol"], None)
        require(entry is not None and entry["seq"] == line["queued_seq"], f"the queue entry of event {line['seq']}")

    def held(self, line: dict[str, Any]) -> Position:
        position = self.positions.get(line["symbol"])
        if position is None:
            raise Wrong(f"event {line['seq']} needs a position in {line['symbol']}")
        return position

    def hold(self, symbol: str, held: Position, shares: Decimal, cost: Decimal) -> None:
        if shares:
            self.positions[symbol] = Position(shares, cost, held.first_purchase_date)
        else:
            require(cost == 0, f"no cost left in {symbol}")
            del self.positions[symbol]

    def compare_with(self, portfolio: dict[str, Any]) -> None:
        """That portfolio.json, parsed with Decimal, says exactly this."""
        for key in ("account", "seq", "cash", "net_deposits", "realized_pnl", "created_at"):
            require(portfolio[key] == getattr(self, key), f"{key} {getattr(self, key)}: portfolio.json says {portfolio[key]}")
        held = {
            symbol: {
                "shares": position.shares, "cost_basis": position.cost_basis, "cost": position.cost,
                "first_purchase_date": position.first_purchase_date,
            }
            for symbol, position in sorted(self.positions.items())
        }
        require(portfolio["positions"] == held, f"positions {held}: portfolio.json says {portfolio['positions']}")
        queued = [
            {"symbol": line["symbol"], "queued_at": line["time"], "signal": line["signal"], "score": line["score"],
             "price": line["price"], "reason": line.get("reason"), "seq": line["seq"]}
            for line in self.queue.values()
        ]
        require(portfolio["queued_opportunities"] == queued, f"queue {queued}: portfolio.json says {portfolio['queued_opportunities']}")
        self.compare_cycles_with(portfolio)
        journal = portfolio["journal"]
        require(journal["generation"] == self.generation and journal["crc"] == self.last_crc, "where portfolio.json ends")


def compare(line: dict[str, Any], **figures: Decimal) -> None:
    for name, value in figures.items():
        require(line[name] == value, f"{name} {value} in event {line['seq']} ({line['type']}), which says {line[name]}")


if __name__ == "__main__":
    found = Replay().read(Path(sys.argv[1]))
    print(f"event {found.seq}: cash {found.cash}, realized {found.realized_pnl}")
    for name, each in sorted(found.positions.items()):
        print(f"{name}: {each.shares} shares for {each.cost}")
