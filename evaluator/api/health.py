"""Is the process alive, and can it answer? What Kubernetes asks."""

from __future__ import annotations

from typing import Literal

import redis
from fastapi import APIRouter, Response
from pydantic import BaseModel

from evaluator.api.services import Served, Services
from evaluator.ledger.database import UNREACHABLE
from evaluator.ledger.migrations import SchemaError, missing_migrations

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """`status` follows Postgres. Without Redis the server still answers, and writes down what is asked for."""

    status: Literal["ok", "away"]
    postgres: str
    redis: str


@router.get("/healthz")
async def alive() -> Alive:
    """The process runs. Asks no other service, so that an outage of one restarts nothing."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Postgres is away, or not migrated."}})
def ready(services: Served, response: Response) -> Readiness:
    """The server can answer: Postgres is there with its schema. Redis is reported."""
    postgres = _postgres(services)
    if postgres != "ok":
        response.status_code = 503
    return Readiness(status="ok" if postgres == "ok" else "away", postgres=postgres, redis=_redis(services))


def _postgres(services: Services) -> str:
    try:
        missing = missing_migrations(services.database)
    except UNREACHABLE:
        return "does not answer"
    except SchemaError as error:
        return str(error)
    return f"lacks {', '.join(missing)}: run `evaluator migrate`" if missing else "ok"


def _redis(services: Services) -> str:
    try:
        services.broker.client.ping()
    except redis.RedisError:
        return "does not answer"
    return "ok"
