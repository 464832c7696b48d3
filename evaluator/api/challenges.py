"""The public part of the API: challenges, standings, verdicts and their explanations. It only reads."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from evaluator.api.day import Day
from evaluator.api.failures import FAILURES, known
from evaluator.api.rows import answer_rows
from evaluator.api.services import Served
from evaluator.ledger.reports import VerdictRow
from evaluator.service.explain import explain
from evaluator.service.explanation import Explanation
from evaluator.service.overview import ChallengeOverview, overview
from evaluator.service.ranking import StandingRow, ranking
from evaluator.service.verdicts import verdicts

router = APIRouter(prefix="/api/challenges", tags=["challenges"], responses=FAILURES)

ChallengeId = Annotated[str, Path(description="Id of the challenge.", examples=["winter-grind"])]


@router.get("")
def challenges(services: Served) -> list[ChallengeOverview]:
    """All challenges, and how far each has come."""
    with services.database.connection() as connection:
        return overview(connection, services.clock())


@router.get("/{challenge}/standings", response_model=list[StandingRow])
def standings(services: Served, challenge: ChallengeId) -> Response:
    """Every member the challenge ever had, best first; equal ones share a rank."""
    return answer_rows(services.database, lambda connection: ranking(connection, challenge))


@router.get("/{challenge}/verdicts", response_model=list[VerdictRow])
def verdict_list(
    services: Served,
    challenge: ChallengeId,
    day: Annotated[Day | None, Query(description="Only this date, as 2026-11-20.")] = None,
) -> Response:
    """The verdicts, by day and handle. A row is provisional while an older day of the member is pending."""
    return answer_rows(services.database, lambda connection: verdicts(connection, challenge, day))


@router.get("/{challenge}/members/{handle}/days/{day}")
def explanation(services: Served, challenge: ChallengeId, handle: str, day: Day) -> Explanation:
    """Why the day of a member is what it is: rules, solves, what LeetCode answered, overrides and money."""
    with services.database.connection() as connection:
        return known(explain(connection, challenge, handle, day, services.clock(), services.settings.settle_delay))
