"""The work as programs are told of it: what is left to do, how long that takes, and by when."""

from __future__ import annotations

from datetime import UTC, datetime

from evaluator.service.figures import Figures


def work_of(figures: Figures) -> dict[str, object]:
    """Lengths of time are seconds."""
    return {
        "unsettled": figures.unsettled,
        "left": figures.left,
        "drain_seconds_measured": figures.drain.measured,
        "drain_seconds_budget": figures.drain.budget,
        "deadline": _moment(figures.deadline),
        "days_due": figures.runs_due,
        "days_late": figures.runs_late,
        "days_stuck": figures.runs_stuck,
        "members_needing_attention": figures.members_needing_attention,
        "last_success": _moment(figures.last_success),
        "last_enqueue": _moment(max(figures.last_enqueue.values(), default=None)),
    }


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)
