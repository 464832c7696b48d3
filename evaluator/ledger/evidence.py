"""Observations and difficulties in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from evaluator.domain.evidence import FUTURE_TOLERANCE, Evidence, Observation, Solve, Standing
from evaluator.domain.problem import Problem
from evaluator.domain.rules import Difficulty
from evaluator.ledger.database import Connection
from evaluator.ledger.statements import statements

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
            "keys": list(since),
            "since": [max(0, at - FUTURE_TOLERANCE) for at in since.values()],
            "day_start": day_start,
        },
    )
    observations: dict[str, list[Observation]] = {key: [] for key in since}
    solves: dict[str, dict[str, Solve]] = {key: {} for key in since}
    for key, _, fetched_at, standing, row_count, after, contradictory, dates, years, ids, slugs, times in rows:
        if fetched_at >= day_start:
            observations[key].append(
                Observation(
                    fetched_at,
                    Standing(standing),
                    row_count,
                    after,
                    contradictory,
                    frozenset(dates),
                    frozenset(years),
                )
            )
        for submission_id, slug, at in zip(ids, slugs, times, strict=True):
            solves[key].setdefault(submission_id, Solve(submission_id, slug, at))
    return {key: Evidence(tuple(solves[key].values()), tuple(observations[key])) for key in since}


def put_observations(connection: Connection, found: Iterable[NewObservation]) -> None:
    rows = [
        {
            "handle_key": new.handle_key,
            "fetched_at": new.observation.fetched_at,
            "standing": new.observation.standing,
            "row_count": new.observation.row_count,
            "after": new.observation.after,
            "contradictory": new.observation.contradictory,
            "active_dates": sorted(new.observation.active_dates),
            "calendar_years": sorted(new.observation.calendar_years),
            "detail": new.detail,
            "submission_ids": [solve.submission_id for solve in new.solves],
            "slugs": [solve.slug for solve in new.solves],
            "times": [solve.at for solve in new.solves],
        }
        for new in found
    ]
    if rows:
        connection.execute(_SQL["insert"], {"observations": orjson.dumps(rows).decode()})


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
