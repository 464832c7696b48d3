"""Overview: the challenges, and how far each has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import structlog

from evaluator.domain.day import days_between
from evaluator.ledger.challenges import Challenge, UnreadableError, overviews, read_challenges
from evaluator.ledger.database import Connection

_log = structlog.get_logger(__name__)


class Stage(StrEnum):
    """Where a challenge stands. `closing`: its last day is over, and not every day is settled."""

    UPCOMING = "upcoming"
    RUNNING = "running"
    CLOSING = "closing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ChallengeOverview:
    """A challenge in a list. `pending` evaluations are not decided yet; `today` is the date in its time zone."""

    id: str
    name: str
    timezone: str
    starts: date
    ends: date
    today: date
    stage: Stage
    currency: str | None
    members: int
    days: int
    days_settled: int
    pending: int


def overview(connection: Connection, now: int, ids: Sequence[str] | None = None) -> list[ChallengeOverview]:
    """Challenges at `now`, in order of their ids; those of `ids` that exist, or all.

    Of all, one that cannot be read is left out, and logged: the others can be. Of `ids`, it raises UnreadableError.
    """
    challenges: dict[str, Challenge] = {}
    for one in read_challenges(connection, ids):
        if isinstance(one, Challenge):
            challenges[one.id] = one
        elif ids is not None:
            raise UnreadableError(str(one))
        else:
            _log.error("Challenge cannot be read", challenge=one.id, why=one.why)
    return [
        ChallengeOverview(
            row.id,
            row.name,
            row.timezone,
            row.starts,
            row.ends,
            challenges[row.id].calendar.date_at(now),
            _stage(challenges[row.id], now),
            row.currency,
            row.members,
            days := _days(challenges[row.id]),
            min(row.days_settled, days),
            row.pending,
        )
        for row in overviews(connection, list(challenges))
    ]


def _stage(challenge: Challenge, now: int) -> Stage:
    if challenge.cancelled:
        return Stage.CANCELLED
    if challenge.completed:
        return Stage.COMPLETED
    return stage_on(challenge.calendar.date_at(now), challenge.starts, challenge.ends)


def stage_on(today: date, starts: date, ends: date) -> Stage:
    """Where a challenge stands that is neither completed nor cancelled; `today` is the date in its time zone."""
    if today < starts:
        return Stage.UPCOMING
    return Stage.CLOSING if today > ends else Stage.RUNNING


def _days(challenge: Challenge) -> int:
    """How many dates of the challenge exist in its time zone."""
    return sum(challenge.calendar.window(day) is not None for day in days_between(challenge.starts, challenge.ends))
