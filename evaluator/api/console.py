"""The console: pages that show challenges, a challenge's board, and why a day is what it is. They only read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from evaluator.api.day import Day
from evaluator.api.failures import known
from evaluator.api.page import render
from evaluator.api.services import Served
from evaluator.domain.day import ONE_DAY
from evaluator.service.board import View, board
from evaluator.service.explain import explain
from evaluator.service.jobs import stats
from evaluator.service.overview import Stage, overview

router = APIRouter(include_in_schema=False)

_FIRST = {stage: place for place, stage in enumerate((Stage.RUNNING, Stage.CLOSING, Stage.UPCOMING, Stage.COMPLETED))}


@router.get("/")
def challenges_page(request: Request, services: Served) -> HTMLResponse:
    """Every challenge with its progress, those under way first; and the state of the queue."""
    kept = services.settings.retention_completed
    with services.database.connection() as connection:
        challenges = overview(connection, services.clock())
        counts = stats(connection, kept, None)
    challenges.sort(key=lambda one: (_FIRST.get(one.stage, len(_FIRST)), one.ends, one.id))
    return render(request, "challenges.html", challenges=challenges, counts=counts, kept=kept)


@router.get("/challenges/{challenge}")
def board_page(
    request: Request,
    services: Served,
    challenge: str,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    until: Day | None = None,
    member: Annotated[str, Query(max_length=64)] = "",
) -> HTMLResponse:
    """The standings, and a month of verdicts beside them."""
    view = View(page, until, member.strip() or None)
    with services.database.connection() as connection:
        shown = known(board(connection, challenge, view, services.clock()))
    return render(request, "board.html", board=shown, view=view)


@router.get("/challenges/{challenge}/members/{handle}/days/{day}")
def day_page(request: Request, services: Served, challenge: str, handle: str, day: Day) -> HTMLResponse:
    """Why one member's day is what it is."""
    with services.database.connection() as connection:
        shown = known(explain(connection, challenge, handle, day, services.clock(), services.settings.settle_delay))
    before = day - ONE_DAY if day > shown.starts else None
    after = day + ONE_DAY if day < shown.ends else None
    return render(request, "day.html", shown=shown, before=before, after=after)
