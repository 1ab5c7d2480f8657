"""The demo's proof: everything in the account's journal added up once more, without the library."""

import json
import re
from collections import Counter, defaultdict
from decimal import ROUND_HALF_EVEN, Decimal

# What the cycles write beside trades and the queue; nothing of it moves cash.
CYCLE_EVENTS = ("signal", "decline", "cycle")


def add_up(path, programs, cycles):
    """Returns what is wrong, and how many events and outcomes were looked at."""
    with open(path / "journal.jsonl", encoding="utf-8") as file:
        events = [json.loads(line, parse_float=Decimal) for line in file if line.strip()]
    with open(path / "portfolio.json", encoding="utf-8") as file:
        portfolio = json.load(file, parse_float=Decimal)
    commits = list(grouped(events))
    problems = [*wrong_figures(events, portfolio), *wrong_outcomes(commits, programs), *wrong_cycles(commits, cycles)]
    return problems, len(events), sum(len(process.said) for process in (*programs, *cycles))


def grouped(events):
    """The events of each commit: all but the last say that more follows."""
    commit = []
    for event in events:
        commit.append(event)
        if not event.get("more"):
            yield commit
            commit = []


def wrong_figures(events, portfolio):
    """Cash after every event and the positions at the end, to the millionth; every request and every purchase from the queue once."""
    cash, shares, requests, bought = Decimal(0), defaultdict(Decimal), Counter(), Counter()
    for event in events:
        kind, symbol = event["type"], event.get("symbol")
        requests[event.get("request_id")] += 1
        if kind in ("buy", "sell"):
            notional = (event["shares"] * event["price"]).quantize(Decimal("1e-6"), ROUND_HALF_EVEN)
            sign = 1 if kind == "buy" else -1
            cash -= sign * notional + event["commission"]
            shares[symbol] += sign * event["shares"]
            bought[event.get("queued_seq")] += 1
        elif kind == "open":
            cash = event["cash"]
        elif kind == "deposit":
            cash += event["amount"]
        elif kind == "withdraw":
            cash -= event["amount"]
        elif kind == "dividend":
            cash += (shares[symbol] * event["per_share"]).quantize(Decimal("1e-6"), ROUND_HALF_EVEN)
        elif kind == "split":
            shares[symbol] = event["position_shares"]
            cash += event["cash_in_lieu"]
        elif kind not in ("rules", "queue", "unqueue", *CYCLE_EVENTS):
            yield f"event {event['seq']} has the unknown type {kind}"
        if cash != event["cash"] or cash < 0:
            yield f"event {event['seq']} says {event['cash']} in cash; it should be {cash}"
    if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
        yield "the journal has gaps"
    if cash != portfolio["cash"]:
        yield f"portfolio.json says {portfolio['cash']} in cash; it should be {cash}"
    held = {symbol: position["shares"] for symbol, position in portfolio["positions"].items()}
    if held != {symbol: count for symbol, count in shares.items() if count != 0}:
        yield f"portfolio.json has the positions {held}; they should be {dict(shares)}"
    yield from (f"the request {id} happened {count} times" for id, count in requests.items() if id is not None and count != 1)
    yield from (f"entry {seq} of the queue was bought {count} times" for seq, count in bought.items() if seq is not None and count != 1)


def wrong_outcomes(commits, programs):
    """What the three programs were told and the journal agree, in both directions."""
    told = {int(number) for program in programs for line in program.said for number in re.findall(r"\(event (\d+)\)", line)}
    recorded = {
        event["seq"] for commit in commits if commit[-1]["type"] != "cycle" for event in commit
        if event["type"] in ("buy", "sell", "queue", "unqueue", "deposit", "withdraw")
    }
    if told != recorded:
        yield f"the programs were told of other events than the journal has: {sorted(told ^ recorded)}"


def wrong_cycles(commits, cycles):
    """Every cycle's record is in the journal, is of a time that was told, counts what is in its commit, and was reported."""
    records = {commit[-1]["seq"]: commit[-1] for commit in commits if commit[-1]["type"] == "cycle"}
    for commit in commits:
        record, counted = commit[-1], Counter(event["type"] for event in commit)
        if record["type"] != "cycle":
            continue
        for what, kind in [("changes", "signal"), ("queued", "queue"), ("bought", "buy"), ("sold", "sell")]:
            if record[what] != counted[kind]:
                yield f"the cycle of event {record['seq']} says {record[what]} {what}; there are {counted[kind]}"
        # A stale entry leaves the queue by its age alone, whether or not the cycle came to judge it.
        stale = sum(event["type"] == "unqueue" and event["reason"] == "stale" for event in commit)
        rejected = counted["decline"] + counted["unqueue"]
        if not rejected - stale <= record["rejected"] <= rejected:
            yield f"the cycle of event {record['seq']} says {record['rejected']} rejected; there are {rejected}"
    for process in cycles:
        for reported in process.records:
            record = records.pop(reported["seq"], {})
            differing = [name for name, value in reported.items() if record.get(name) != value]
            if differing:
                yield f"{process.name} reported another event {reported['seq']} than the journal has, in {', '.join(differing)}"
        done = Counter(record["time"] for record in process.records if record["outcome"] == "done")
        if set(done) != set(process.told) or set(done.values()) != {1}:
            yield f"{process.name} did not run one cycle for each time that it was told"
    if records:
        yield f"cycles were recorded that nobody reported: {sorted(records)}"
