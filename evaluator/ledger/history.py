"""One member's day in the ledger: what it was judged by, and what followed from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from evaluator.domain.evidence import Observation, Solve, Standing
from evaluator.domain.streak import Streak
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.database import Connection
from evaluator.ledger.runs import RunState
from evaluator.ledger.statements import statements

_SQL = statements("history")


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """An evaluation as it stands. `judged` are its solves as `service.judge` writes them down."""

    outcome: Outcome
    reason: Reason
    solved: int
    required: int
    judged: Sequence[Mapping[str, Any]]
    evaluated_at: datetime | None
    error: str | None
    provisional: bool


@dataclass(frozen=True, slots=True)
class DayRecord:
    """A run, and the member's evaluation in it, if there is one. `retry_at` is the next try of what is pending."""

    state: RunState
    retry_at: datetime | None
    evaluation: EvaluationRecord | None


@dataclass(frozen=True, slots=True)
class ObservationRecord:
    """One reply about a handle; `detail` is what LeetCode said where something was wrong."""

    seen: Observation
    detail: str


@dataclass(frozen=True, slots=True)
class OverrideRecord:
    outcome: Outcome
    reason: str
    set_by: str
    set_at: datetime
    cleared_by: str | None
    cleared_at: datetime | None


@dataclass(frozen=True, slots=True)
class PostingRecord:
    """One entry of a day, in minor units; a reversal is negative."""

    entry: int
    amount: int
    posted_at: datetime


def read_day(connection: Connection, challenge_id: str, member_id: int, day: date) -> DayRecord | None:
    """None where the day has no run yet."""
    row = connection.execute(_SQL["day"], {"challenge": challenge_id, "member": member_id, "day": day}).fetchone()
    if row is None:
        return None
    state, retry_at, outcome, reason, *rest = row
    evaluation = EvaluationRecord(Outcome(outcome), Reason(reason), *rest) if outcome is not None else None
    return DayRecord(RunState(state), retry_at, evaluation)


def read_streak(connection: Connection, member_id: int) -> Streak:
    row = connection.execute(_SQL["streak"], {"member": member_id}).fetchone()
    return Streak(*row) if row else Streak()


def read_observations(connection: Connection, handle_key: str, start: int, until: int) -> list[ObservationRecord]:
    """The newest 50 replies about a handle that were fetched in `[start, until]`, oldest first."""
    rows = connection.execute(_SQL["observations"], {"key": handle_key, "from": start, "until": until})
    return [
        ObservationRecord(
            Observation(
                fetched_at, Standing(standing), row_count, after, contradictory, frozenset(dates), frozenset(years)
            ),
            detail,
        )
        for fetched_at, standing, row_count, after, contradictory, dates, years, detail in rows
    ]


def read_neighbours(connection: Connection, handle_key: str, start: int, end: int, margin: int) -> list[Solve]:
    """Solves up to `margin` seconds outside of `[start, end)`."""
    values = {"key": handle_key, "from": start - margin, "start": start, "end": end, "until": end + margin}
    return [Solve(*row) for row in connection.execute(_SQL["neighbours"], values)]


def read_titles(connection: Connection, slugs: Iterable[str]) -> dict[str, str]:
    """The titles of those problems that the catalogue knows."""
    return dict(connection.execute(_SQL["titles"], {"slugs": sorted(set(slugs))}).fetchall())


def read_overrides(connection: Connection, member_id: int, day: date) -> list[OverrideRecord]:
    """The override in force first, then those that were cleared, newest first."""
    rows = connection.execute(_SQL["overrides"], {"member": member_id, "day": day})
    return [OverrideRecord(Outcome(outcome), *rest) for outcome, *rest in rows]


def read_postings(connection: Connection, member_id: int, day: date) -> list[PostingRecord]:
    rows = connection.execute(_SQL["postings"], {"member": member_id, "day": day})
    return [PostingRecord(*row) for row in rows]


def read_total(connection: Connection, member_id: int) -> int:
    """The sum of the member's postings in the challenge, in minor units."""
    row = connection.execute(_SQL["total"], {"member": member_id}).fetchone()
    return int(row[0]) if row else 0


def read_freezes(connection: Connection, member_id: int, day: date) -> list[date]:
    """The days in the calendar month of `day` on which a freeze was used."""
    first = day.replace(day=1)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    rows = connection.execute(_SQL["freezes"], {"member": member_id, "first": first, "next": following})
    return [used for (used,) in rows]
