"""The targets, as ratios within one run, and the tables that show whether they hold."""

from statistics import median

from measures import LIBRARY, OLD_TRADES, SLOW, UNITS, counted, needed_libraries


def faster(ours, other):
    """How many times as fast the first is, round by round."""
    return lambda rounds: median(b / a for a, b in zip(rounds[ours], rounds[other]))


def slower(ours, other):
    """How many times as long the first takes, round by round."""
    return lambda rounds: median(a / b for a, b in zip(rounds[ours], rounds[other]))


def rows(rounds, bench):
    """(what, target, reached, whether that meets it; None without a target)"""

    def at_least(what, limit, figure, form="{:.2f} ×"):
        value = figure(rounds) if callable(figure) else figure
        return what, "≥ " + form.format(limit), form.format(value), value >= limit

    def at_most(what, limit, figure, form="{:.2f} ×"):
        value = figure(rounds) if callable(figure) else figure
        return what, "≤ " + form.format(limit), form.format(value), value <= limit

    def shown(what, figure, form="{:.2f} ×"):
        return what, "—", form.format(figure(rounds) if callable(figure) else figure), None

    yield at_least("`full`, 1 process, against SQLite FULL", 1.0, faster("ours, full", "SQLite, FULL"))
    for durability, limit in (("full", 0.8), ("process", 0.7)):
        yield at_least(
            f"`{durability}`, 1 process, against the floor that makes its temporary file", limit,
            faster(f"ours, {durability}", f"floor, {durability}, new files"))
        yield shown(f"`{durability}`, 1 process, against the floor that writes over a file", faster(f"ours, {durability}", f"floor, {durability}"))
    yield shown("`process`, 1 process, against SQLite NORMAL", faster("ours, process", "SQLite, NORMAL"))
    yield at_least("`full`, 8 processes, against SQLite FULL", 1.8, faster("ours, full, 8 processes", "SQLite, FULL, 8 processes"))
    yield at_least("`full`, 32 processes, against SQLite FULL", 4, faster("ours, full, 32 processes", "SQLite, FULL, 32 processes"))
    for count in (8, 32):
        yield shown(f"`full`, {count} processes, against the floor that writes over a file", faster(f"ours, full, {count} processes", f"floor, full, {count} processes"))
    yield at_least("`full`, 32 processes: the least that one got, of the mean", 0.5, min(bench.shares["ours, full, 32 processes"]), "{:.2f}")
    yield shown("the same for SQLite FULL", min(bench.shares["SQLite, FULL, 32 processes"]), "{:.2f}")
    slow = f"where a sync takes {SLOW / 1000:.0f} ms more:"
    for count, limit in ((1, 1.0), (8, 1.8), (32, 4)):
        place = f"slow sync, {counted(count)}"
        yield at_least(f"{slow} `full`, {counted(count)}, against SQLite FULL", limit, faster(f"ours, full, {place}", f"SQLite, FULL, {place}"))
        yield shown(f"{slow} `full`, {counted(count)}, against the floor that writes over a file", faster(f"ours, full, {place}", f"floor, full, {place}"))
    for count in (8, 32):
        yield shown(
            f"`process`, {count} processes, against SQLite NORMAL",
            faster(f"ours, process, {count} processes", f"SQLite, NORMAL, {count} processes"))
    for durability in ("full", "process"):
        yield at_most(
            f"`{durability}`: time a commit, 500 positions against 20", 2,
            slower(f"ours, {durability}, 500 positions", f"ours, {durability}"))
    yield at_least(
        "batch of 1,000, `full`, against SQLite's transaction of 1,000", 1,
        faster("ours, full, batch of 1,000", "SQLite, FULL, 1,000 a transaction"))
    yield shown("the same, `process` against NORMAL", faster("ours, process, batch of 1,000", "SQLite, NORMAL, 1,000 a transaction"))
    for durability in ("full", "process"):
        yield at_most(
            f"`{durability}`: time a commit, event 1,000,000 against event 1,000", 1.1,
            slower(f"ours, {durability}, event 1,000,000", f"ours, {durability}, event 1,000"))
    yield at_most("time to open, 1,000,000 events against none", 2, slower("open, 1,000,000 events", "open, no history"))
    yield at_least("rebuild from the journal", 300_000, lambda rounds: median(rounds["rebuild"]), "{:,.0f} events/s")
    old = f"{OLD_TRADES:,} trades old"
    yield at_least(f"`full`, against the home-made design, {old}", 30, faster(f"ours, full, {old}", f"home-made, {old}"), "{:.0f} ×")
    yield at_least(f"`process`, against the home-made design, {old}", 100, faster(f"ours, process, {old}", f"home-made, {old}"), "{:.0f} ×")
    yield at_most(
        "a Python call against the same C call", 15,
        lambda rounds: median(a - b for a, b in zip(rounds["Python, process"], rounds["C, process"])), "{:.1f} µs more")
    early, late = bench.memory
    yield at_most("resident memory after 1,000,000 commits", 16, late, "{:.1f} MB")
    yield at_most("its growth from commit 10,000 on", 0.25, late - early, "{:.2f} MB")
    yield at_most("the library's size", 8, LIBRARY.stat().st_size / 1e6, "{:.1f} MB")
    yield at_most("loading the library", 3, lambda rounds: median(rounds["load the library"]) / 1000, "{:.1f} ms")
    allowed, needed = {"libjansson", "libstdc++", "libm", "libc"}, needed_libraries()
    yield "libraries it needs", "jansson, stdc++, m, c", ", ".join(name.removeprefix("lib") for name in needed), set(needed) <= allowed


def table_of_ratios(rounds, bench):
    lines = ["| measurement | target | reached | |", "|---|---|---|---|"]
    marks = {True: "yes", False: "**no**", None: ""}
    for what, target, reached, met in rows(rounds, bench):
        lines.append(f"| {what} | {target} | {reached} | {marks[met]} |")
    return "\n".join(lines)


def table_of_figures(rounds):
    lines = ["| measure | median | lowest | highest |", "|---|---|---|---|"]
    for name, values in rounds.items():
        unit = UNITS.get(name, "µs")
        figures = " | ".join(f"{value:,.0f} {unit}" if value >= 100 else f"{value:.2f} {unit}" for value in (
            median(values), min(values), max(values)))
        lines.append(f"| {name} | {figures} |")
    return "\n".join(lines)
