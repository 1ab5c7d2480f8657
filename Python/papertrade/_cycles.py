"""The cycles: a monitor that watches signals, a trader that acts on them, and the calendar that both go by."""

from __future__ import annotations

from ctypes import byref, c_int32, c_int64
from datetime import datetime
from typing import Any, Optional, Union

from . import _constants as constants
from . import _results as results
from . import errors
from ._analyst import Analyst, Interview
from ._handle import Handle
from ._options import to_unsigned
from ._structs import cycle_fn, pt_cycle, pt_cycle_options, pt_known_signal
from .enums import CycleKind, member
from .times import from_microseconds, to_microseconds_or_now
from .types import Cycle, KnownSignal


class Cycles(Handle):
    """The two cycles of an account. They are safe side by side, in any number of processes, and go by the rules in config.json.

    Each run is one commit, and leaves a record: the returned Cycle. A run that has nothing to do, because the market is closed or
    the session's cycle was done, returns too, with the outcome SKIPPED and the reason.

    `analyst(symbol, time)` returns an Analysis, or None for no opinion. It is asked once about each symbol, without the lock, and
    may make reading calls on this account; changes are Misuse. An Exception that it raises, or an Analysis that cannot be used,
    costs that symbol's turn only: it is logged, counted in `unanalysed`, and kept in `errors` of the Cycle. Anything else, such as
    KeyboardInterrupt, is raised from the call, with nothing changed and no record.

    `time` is the moment for which a call is made, an aware datetime; None: the account's clock. The same moments, rules and
    judgements lead to the same events.
    """

    def monitoring_cycle(
        self, analyst: Analyst, *, time: Optional[datetime] = None, ignore_schedule: bool = False
    ) -> Cycle:
        """Asks the analyst about what is held and the watchlist, and records each signal that changed (signals(), and events of
        the type "signal"). Then, if system_active: sells at once what fell critically, and queues what rose to BUY or better.

        `ignore_schedule`: run also while the market is closed. InvalidConfig; Misuse inside a batch or lock(); and what any change
        can raise. A failure is recorded where that is possible, and raised.
        """
        return self._run("pt_monitoring_cycle", analyst, time, ignore_schedule)

    def trading_cycle(
        self, analyst: Analyst, *, time: Optional[datetime] = None, ignore_schedule: bool = False
    ) -> Cycle:
        """Asks the analyst about what is held and what is queued; sells by the exit rules (stop loss, signal, profit, age, in
        that order); then buys from the queue, in its order, while cash and limits allow.

        It is due once a session, by default at the close, and can be made up for until the next opening. Analysis.shares and
        Analysis.amount are not used: the rules say how much. `ignore_schedule`: run also when none is due. Raises what
        monitoring_cycle raises.
        """
        return self._run("pt_trading_cycle", analyst, time, ignore_schedule)

    def _run(self, name: str, analyst: Analyst, time: Optional[datetime], ignore_schedule: bool) -> Cycle:
        options = pt_cycle_options.init()
        options.flags = constants.CYCLE_IGNORE_SCHEDULE if ignore_schedule else 0
        options.time = to_microseconds_or_now(time)
        interview = Interview(analyst, self._calls)
        out = pt_cycle()
        self._call(name, interview.callback, None, byref(options), byref(out), callback=interview.on_symbol)
        return results.cycle(out, interview.raised)

    def cycles(self, from_seq: int = 1, limit: Optional[int] = None) -> list[Cycle]:
        """The record of every cycle from event `from_seq` on (1: from the beginning), in order; at most `limit` of them."""
        first = to_unsigned(from_seq, "from_seq")
        most = None if limit is None else to_unsigned(limit, "limit")
        cycles: list[Cycle] = []
        if most == 0:
            return cycles

        def on_cycle(_context: Optional[int], cycle: Any) -> int:
            try:
                cycles.append(results.cycle(cycle.contents, {}))
                return 1 if len(cycles) == most or self._calls.interrupted else 0
            except BaseException as exception:
                self._calls.keep(exception)
                return 1

        self._call("pt_cycles", first, cycle_fn(on_cycle), None, accepted=(errors.Stopped.status,), callback=on_cycle)
        return cycles

    def next_cycle(self, kind: Union[CycleKind, str], time: Optional[datetime] = None) -> datetime:
        """When a program should run the next cycle of `kind`: `time` itself if one is due, else a later moment.

        A failed cycle is due again, once, after cycles.retry_minutes. NotFound if there is none until the end of the year 9999.
        """
        return self._moment("pt_next_cycle", int(member(CycleKind, kind, errors.InvalidArgument)), to_microseconds_or_now(time))

    def signals(self) -> list[KnownSignal]:
        """What was last known of each security that a monitoring cycle analysed, ordered by symbol."""
        return [results.known_signal(out) for out in self._list("pt_signals", pt_known_signal)]

    # The market of the rule market.calendar. New York's exchange is right from 1993 to 2030.

    def market_is_open(self, time: Optional[datetime] = None) -> bool:
        """Whether the market is open at `time`: at the moment of opening it is, at that of the close no longer."""
        is_open = c_int32(0)
        self._call("pt_market_is_open", to_microseconds_or_now(time), byref(is_open))
        return is_open.value != 0

    def market_next_open(self, time: Optional[datetime] = None) -> datetime:
        """The first opening after `time`, not at it. NotFound if there is none, as for market_next_close."""
        return self._moment("pt_market_next_open", to_microseconds_or_now(time))

    def market_next_close(self, time: Optional[datetime] = None) -> datetime:
        """The first close after `time`, not at it. NotFound if there is none until the end of the year 9999."""
        return self._moment("pt_market_next_close", to_microseconds_or_now(time))

    def _moment(self, name: str, *arguments: Any) -> datetime:
        moment = c_int64(0)
        self._call(name, *arguments, byref(moment))
        return from_microseconds(moment.value)
