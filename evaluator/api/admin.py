"""The operators' part of the API: the queue's state and what is done about it. Every call needs the admin token."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from datetime import date
from typing import Annotated, Any, Literal

import redis
import structlog
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from evaluator.api.day import Day
from evaluator.api.failures import FAILURES, Failure, known
from evaluator.api.rate_limit import address_of, refusal
from evaluator.api.services import Served, Services, services_of
from evaluator.domain.verdict import Outcome
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.jobs import FailedJob
from evaluator.queue.depth import Depth, depths
from evaluator.service import jobs
from evaluator.service.enqueue import Request as EnqueueRequest
from evaluator.service.enqueue import enqueue
from evaluator.service.jobs import Retried, Stats
from evaluator.service.override import MemberDay, Refused, lift_override, override
from evaluator.service.unknown import Unknown, missing_challenge
from evaluator.tracing import span

_log = structlog.get_logger(__name__)


class AdminRoute(APIRoute):
    """Lets a call pass with the token only, before anything of it is read, and logs who asked for what."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            log = _log.bind(client=_client(request), method=request.method, path=request.url.path)
            try:
                _authorise(request)
            except HTTPException as refusal:
                log.warning("Admin call refused", status=refusal.status_code)
                raise
            log.info("Admin call", query=request.url.query)
            return await handle(request)

        return guarded


def _authorise(request: Request) -> None:
    """Raises HTTPException where the call has not the token, or wrong ones came from its address again and again."""
    services = services_of(request)
    token, address = services.settings.admin_token, address_of(request.scope)
    if not token:
        raise HTTPException(503, "No ADMIN_TOKEN is configured, so nobody may make this call; set one and start again.")
    # Before the token is looked at: else a guess would be tried all the same.
    wait = services.wrong_tokens.wait(address)
    if wait:
        detail, headers = refusal(wait, "wrong tokens")
        raise HTTPException(429, detail, headers)
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer"
    # Compared as bytes, in constant time whatever the caller sent.
    if not is_bearer or not hmac.compare_digest(given.strip().encode(), token.encode()):
        if given:
            services.wrong_tokens.take(address)
        missing = "Send the header `Authorization: Bearer ADMIN_TOKEN`."
        detail = "The token that was sent is not this server's ADMIN_TOKEN." if is_bearer and given else missing
        raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"


router = APIRouter(
    prefix="/api/admin",
    tags=["admin"],
    route_class=AdminRoute,
    # Decides nothing: it tells OpenAPI what AdminRoute asks for.
    dependencies=[Depends(HTTPBearer(auto_error=False, description="The ADMIN_TOKEN of the server."))],
    responses={**FAILURES, 401: {"model": Failure, "description": "The token is missing or wrong."}},
)

REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"model": Failure, "description": "There is no such challenge, or no such member of it."},
    409: {"model": Failure, "description": "That day can't be overridden."},
}

ChallengeQuery = Annotated[str | None, Query(max_length=200, description="Only this challenge; left out: all.")]


class Cleared(BaseModel):
    """How many failed jobs were forgotten."""

    cleared: int


class Switched(BaseModel):
    """Whether work is paused now, and whether this call changed that."""

    paused: bool
    changed: bool


class RunsWanted(BaseModel):
    """What to settle. Nothing at all: every day that is due and not settled, of every challenge."""

    model_config = ConfigDict(extra="forbid")

    challenge: str | None = Field(default=None, max_length=200, description="Only this challenge.")
    day: Day | None = Field(default=None, description="Only this date; it must be over.")
    reevaluate: bool = Field(default=False, description="Ask LeetCode again, also about settled days.")


class OverrideWanted(BaseModel):
    """What a member's day is from now on, and why; the reason is kept and shown."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    outcome: Literal["passed", "failed", "exempt", "frozen"]
    reason: str = Field(min_length=1, max_length=1000)


class QueuedRun(BaseModel):
    challenge: str
    day: date
    run: int


class RunsQueued(BaseModel):
    """The runs that get a pass now; what is settled or queued already is not among them."""

    queued: list[QueuedRun]
    refused: list[str] = Field(description="Sentences about what can't be settled.")
    notes: list[str] = Field(description="Why what was asked for is not queued, and how many days are at work.")


@router.get("/queue/stats")
def queue_stats(services: Served) -> Stats:
    """Jobs by state, a job being one member's day: `waiting`, `active`, `completed` lately, and `failed`."""
    with services.database.connection() as connection:
        return jobs.stats(connection, services.settings.retention_completed, depths_now(services))


def depths_now(services: Services) -> dict[str, Depth] | None:
    """The queues' depths, or None where Redis is away: what the ledger knows can be said without it."""
    try:
        return depths(services.broker)
    except redis.RedisError:
        return None


@router.get("/queue/failed")
def failed_jobs(
    services: Served,
    challenge: ChallengeQuery = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="At most so many, newest first.")] = 100,
) -> list[FailedJob]:
    """The jobs that were given up after all their attempts, newest first, each with its last error."""
    with services.database.connection() as connection:
        return known(jobs.failed(connection, challenge, limit))


@router.delete("/queue/failed")
def clear_failed_jobs(services: Served, challenge: ChallengeQuery = None) -> Cleared:
    """Forget which jobs were given up. Their verdicts stay pending and are still tried again by themselves."""
    with services.database.transaction() as connection:
        return Cleared(cleared=known(jobs.clear(connection, challenge)))


@router.post("/queue/failed/retry")
def retry_failed_jobs(services: Served, challenge: ChallengeQuery = None) -> Retried:
    """Queue a further pass over the runs of failed jobs, now."""
    return known(jobs.retry(services.database, services.outbox, challenge))


@router.post("/queue/pause")
def pause_queue(request: Request, services: Served) -> Switched:
    """Let no further batch begin. What is at work ends; what comes is queued and waits."""
    with services.database.connection() as connection:
        return Switched(paused=True, changed=jobs.pause(connection, f"API, {_client(request)}"))


@router.post("/queue/resume")
def resume_queue(services: Served) -> Switched:
    """Let work begin again, and wake the workers for everything that waits."""
    return Switched(paused=False, changed=jobs.resume(services.database, services.outbox))


@router.put("/challenges/{challenge}/members/{handle}/days/{day}/override", status_code=204, responses=REFUSED)
def put_override(
    challenge: str, handle: str, day: Day, wanted: OverrideWanted, request: Request, services: Served
) -> None:
    """Decide a member's day by hand. It acts at once, on streak and penalty too, and survives re-evaluation."""
    of, by = MemberDay(challenge, handle, day), f"API, {_client(request)}"
    over_by = services.clock() - services.settings.settle_delay
    _unless(override(services.database, services.outbox, of, Outcome(wanted.outcome), wanted.reason, by, over_by))


@router.delete("/challenges/{challenge}/members/{handle}/days/{day}/override", status_code=204, responses=REFUSED)
def clear_override(challenge: str, handle: str, day: Day, request: Request, services: Served) -> None:
    """Take an override back: the day is decided by LeetCode's answers again."""
    of, by = MemberDay(challenge, handle, day), f"API, {_client(request)}"
    _unless(lift_override(services.database, services.outbox, of, by))


def _unless(refused: Refused | Unknown | None) -> None:
    refusal = known(refused)
    if refusal is not None:
        raise HTTPException(409, refusal.message)


@router.post(
    "/runs",
    status_code=202,
    responses={409: {"model": Failure, "description": "The challenge or the day can't be settled now."}},
)
def queue_runs(services: Served, wanted: RunsWanted | None = None) -> RunsQueued:
    """Queue what is due. Harmless when repeated; workers do the rest."""
    wanted = wanted or RunsWanted()
    request = EnqueueRequest(wanted.challenge, wanted.day, wanted.reevaluate)
    with services.database.connection() as connection:
        known(missing_challenge(connection, wanted.challenge))
    settle_delay = services.settings.settle_delay
    with span("enqueue"):
        queued = enqueue(services.database, services.outbox, request, services.clock(), settle_delay, EnqueuedBy.API)
    if queued.refused and not queued.runs:
        raise HTTPException(409, "; ".join((*queued.refused, *queued.notes)))
    return RunsQueued(
        queued=[QueuedRun(challenge=one.challenge, day=one.day, run=one.run_id) for one in queued.runs],
        refused=list(queued.refused),
        notes=list(queued.notes),
    )
