"""The HTTP application: the API, the console, health and metrics, composed in one place."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from evaluator.api import admin, challenges, console, health, metrics, reference
from evaluator.api.body_limit import BodyLimit
from evaluator.api.correlation import Correlation
from evaluator.api.failures import answer_failures
from evaluator.api.rate_limit import (
    CALLS_A_SECOND,
    CALLS_AT_ONCE,
    WATCHED,
    WRONG_TOKENS_A_SECOND,
    WRONG_TOKENS_AT_ONCE,
    Buckets,
    RateLimit,
)
from evaluator.api.services import Services
from evaluator.ledger.database import Database
from evaluator.queue.broker import Broker
from evaluator.service.outbox import Outbox
from evaluator.settings import Settings

_DESCRIPTION = """
Reading needs no token. What changes anything lies below `/api/admin` and needs the server's `ADMIN_TOKEN`.
Every failure answers `{"detail": "one sentence"}`. Every answer has an `X-Request-ID`, the caller's if it sent one: the
logs have it in all that follows from the call.
"""


def _is_watching(scope: MutableMapping[str, Any]) -> bool:
    return scope.get("path") in WATCHED


def create_app(
    *,
    database: Database,
    outbox: Outbox,
    broker: Broker,
    clock: Callable[[], int],
    settings: Settings,
    monotonic: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The application over these services, which stay the caller's to close.

    `broker` is only looked at, so a client that gives up soon suits it: health and metrics wait for no longer.
    `monotonic` tells the seconds by which calls are counted.
    """
    wrong_tokens = Buckets(WRONG_TOKENS_A_SECOND, WRONG_TOKENS_AT_ONCE, monotonic)
    services = Services(database, outbox, broker, clock, settings, wrong_tokens)
    app = FastAPI(
        title="evaluator",
        version=version("evaluator"),
        summary="Settles daily LeetCode challenges.",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        # Spans of calls, where the process traces at all; not of those that come every few seconds from machines.
        telemetry={"auto_configure": False, "operation_spans": False, "exclude": _is_watching},
    )
    app.state.services = services
    app.state.registry = metrics.registry_of(services)
    app.add_middleware(BodyLimit)
    app.add_middleware(RateLimit, buckets=Buckets(CALLS_A_SECOND, CALLS_AT_ONCE, monotonic))
    app.add_middleware(Correlation)
    answer_failures(app)
    for part in (challenges, admin, health, metrics, reference, console):
        app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app
