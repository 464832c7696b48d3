"""Due: which days of the challenges that go on have fallen due without a run, and when the next one falls due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import floor

from evaluator.domain.day import ONE_DAY
from evaluator.ledger.database import Connection
from evaluator.ledger.figures import Ongoing
from evaluator.ledger.runs import Span, days_without_run

_ALL_EVERY = 600.0  # seconds


class DaysWithoutRun:
    """Looks for them again and again. Up to where a challenge has a run for every day it remembers, and looks no more.

    A run never goes, but with a backup that is put back: so all days are looked at every ten minutes.
    """

    def __init__(self) -> None:
        self._complete: dict[str, date] = {}
        self._all_at = float("-inf")

    def ends(self, connection: Connection, challenges: Sequence[Ongoing], over_by: float) -> list[int]:
        """The end of each day that was over at `over_by` and has no run, in seconds since the epoch."""
        if over_by - self._all_at >= _ALL_EVERY:
            self._complete, self._all_at = {}, over_by
        going = {one.id: one for one in challenges if not one.completed}
        spans = {one.id: span for one in going.values() if (span := self._span(one, over_by)) is not None}
        lacking = days_without_run(connection, spans)
        ends: list[int] = []
        for challenge, span in spans.items():
            calendar, complete = going[challenge].calendar, span.last
            for day in sorted(lacking.get(challenge, ()), reverse=True):
                if (window := calendar.window(day)) is not None:
                    ends.append(window.end)
                    complete = day - ONE_DAY
            self._complete[challenge] = complete
        return ends

    def _span(self, challenge: Ongoing, over_by: float) -> Span | None:
        complete = self._complete.get(challenge.id)
        first = challenge.starts if complete is None else max(challenge.starts, complete + ONE_DAY)
        last = min(challenge.ends, challenge.calendar.date_at(floor(over_by)) - ONE_DAY)
        return Span(first, last) if first <= last else None


def next_end(challenges: Sequence[Ongoing], over_by: float) -> int | None:
    """When the next day ends, after `over_by`, in any of the challenges that have work now; None where none has.

    Of a challenge whose last day is at work, that is when the day after it would end.
    """
    ends = (one.calendar.start(one.calendar.date_at(floor(over_by)) + ONE_DAY) for one in challenges if one.at_work)
    return min(ends, default=None)
