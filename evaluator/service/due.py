"""Due: which days of the challenges that go on have fallen due without a run, and when the next one falls due."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from evaluator.domain.day import ONE_DAY
from evaluator.ledger.database import Connection
from evaluator.ledger.figures import Ongoing
from evaluator.ledger.runs import Span, days_without_run


def ends_without_run(connection: Connection, challenges: Sequence[Ongoing], over_by: float) -> list[int]:
    """The end of each day that was over at `over_by` and has no run, in seconds since the epoch."""
    going = {one.id: one for one in challenges if not one.completed}
    spans = {
        one.id: Span(one.starts, last)
        for one in going.values()
        if (last := min(one.ends, one.calendar.date_at(floor(over_by)) - ONE_DAY)) >= one.starts
    }
    lacking = [
        going[challenge].calendar.window(day)
        for challenge, days in days_without_run(connection, spans).items()
        for day in days
    ]
    return [window.end for window in lacking if window is not None]


def next_end(challenges: Sequence[Ongoing], over_by: float) -> int | None:
    """When the next day ends, after `over_by`, in any of the challenges that have work now; None where none has.

    Of a challenge whose last day is at work, that is when the day after it would end.
    """
    ends = (one.calendar.start(one.calendar.date_at(floor(over_by)) + ONE_DAY) for one in challenges if one.at_work)
    return min(ends, default=None)
