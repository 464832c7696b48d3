"""Observations and difficulties in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from evaluator.domain.evidence import FUTURE_TOLERANCE, Evidence, Observation, Solve, Standing
from evaluator.domain.problem import Problem
from evaluator.domain.rules import Difficulty
from evaluator.ledger.database import Connection
from evaluator.ledger.statements import array, json, statements

_SQL = statements("evidence")


@dataclass(frozen=True, slots=True)
class NewObservation:
    """An observation to keep, with the solves that no earlier one of the handle held."""

    handle_key: str
    observation: Observation
    solves: tuple[Solve, ...]
    detail: str


def read_evidence(connection: Connection, since: Mapping[str, int], day_start: int) -> dict[str, Evidence]:
    """What is known, by handle key: observations since `day_start`, and solves at or after `since[key]`.

    Some older solves may be among them.
    """
    # A solve may have been seen a little before its own time, by as much as clocks may differ.
    rows = connection.execute(
        _SQL["read"],
        {
            "keys": json(list(since)),
            "since": array(max(0, at - FUTURE_TOLERANCE) for at in since.values()),
            "day_start": day_start,
        },
    )
    return {key: Evidence(_solves(solves or ()), _observations(seen or ())) for key, solves, seen in rows}


def _solves(brought: Iterable[list[list[Any]]]) -> tuple[Solve, ...]:
    """The solves that observations brought, each once: two workers may have seen one at the same time."""
    return tuple({solve[0]: Solve(*solve) for solves in brought for solve in solves}.values())


def _observations(rows: Iterable[list[Any]]) -> tuple[Observation, ...]:
    return tuple(
        Observation(
            fetched_at,
            Standing(standing),
            row_count,
            after,
            contradictory,
            frozenset(map(date.fromisoformat, active_dates)),
            frozenset(calendar_years),
        )
        for fetched_at, standing, row_count, after, contradictory, active_dates, calendar_years in rows
    )


def observed_columns(found: Sequence[NewObservation]) -> dict[str, str]:
    """New observations as the columns that `evaluations.record` inserts."""
    seen = [new.observation for new in found]
    return {
        "keys": json([new.handle_key for new in found]),
        "fetched_at": array(one.fetched_at for one in seen),
        "standings": array(one.standing for one in seen),
        "row_counts": array(one.row_count for one in seen),
        "after": array(one.after for one in seen),
        "contradictory": array(one.contradictory for one in seen),
        "active_dates": json([array(sorted(one.active_dates)) for one in seen]),
        "calendar_years": json([array(sorted(one.calendar_years)) for one in seen]),
        "details": json([new.detail for new in found]),
        "solves": json([list(map(tuple, new.solves)) for new in found]),
    }


def read_difficulties(connection: Connection, slugs: Sequence[str]) -> dict[str, Difficulty]:
    """The known ones of `slugs`."""
    rows = connection.execute(_SQL["difficulties"], {"slugs": list(slugs)})
    return {slug: Difficulty(difficulty) for slug, difficulty in rows}


def read_looked_up(connection: Connection, slugs: Sequence[str], since: datetime) -> set[str]:
    """Those of `slugs` of which LeetCode could not tell the difficulty when it was asked since `since`."""
    return {slug for (slug,) in connection.execute(_SQL["looked_up"], {"slugs": list(slugs), "since": since})}


def put_difficulties(connection: Connection, difficulties: Mapping[str, Difficulty | None]) -> None:
    """Keep what LeetCode said; None is a problem that it does not know."""
    ordered = sorted(difficulties.items())  # in one order, so that no two writers wait for each other
    nothing = [None] * len(ordered)
    connection.execute(
        _SQL["put_problems"],
        {
            "slugs": [slug for slug, _ in ordered],
            "difficulties": [difficulty for _, difficulty in ordered],
            "frontend_ids": nothing,
            "titles": nothing,
            "paid_only": nothing,
        },
    )


def put_problems(connection: Connection, problems: Sequence[Problem]) -> None:
    unique = sorted({problem.slug: problem for problem in problems}.values(), key=lambda problem: problem.slug)
    connection.execute(
        _SQL["put_problems"],
        {
            "slugs": [problem.slug for problem in unique],
            "difficulties": [problem.difficulty for problem in unique],
            "frontend_ids": [problem.frontend_id for problem in unique],
            "titles": [problem.title for problem in unique],
            "paid_only": [problem.paid_only for problem in unique],
        },
    )


def count_problems(connection: Connection) -> int:
    row = connection.execute(_SQL["count_problems"]).fetchone()
    return int(row[0]) if row else 0
