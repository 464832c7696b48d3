"""`evaluator scheduler`: what a CronJob does on Kubernetes, by APScheduler elsewhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import psycopg
import redis
import structlog
import typer

from evaluator.cli.session import DONE, Session, open_session
from evaluator.correlation import correlated
from evaluator.ledger.database import UNREACHABLE
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.locks import sole
from evaluator.tracing import span, start_tracing

_CONNECTIONS = 10  # each of the four jobs holds its lock on one, and works on another
_RECONCILE_EVERY = 30.0  # seconds; there may be no server that does it more often

_log = structlog.get_logger(__name__)


def scheduler(
    every: Annotated[
        int, typer.Option(min=1, metavar="MINUTES", help="Enqueue what is due every so many minutes.")
    ] = 5,
) -> None:
    """Enqueue what is due every few minutes, retry what is pending, prune, and sync the problem catalogue every day.

    Safe to run twice: of two schedulers, one at a time does a job. A service that is away is tried again next time.

    Example: evaluator scheduler --every 10
    """
    from apscheduler.schedulers.blocking import BlockingScheduler

    from evaluator.service.enqueue import Request, enqueue
    from evaluator.service.problems import sync_problems
    from evaluator.service.prune import prune
    from evaluator.service.reconcile import reconcile

    with open_session(connections=_CONNECTIONS, stays=True) as session:
        session.require_schema()
        start_tracing(os.environ)
        settings, database = session.settings, session.database
        # A job that comes late is done all the same.
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        timer = BlockingScheduler(timezone="UTC", job_defaults=defaults)

        def add(name: str, seconds: float, work: Callable[[], object]) -> None:
            job = _job(session, name, work)
            timer.add_job(job, "interval", seconds=seconds, name=name, next_run_time=datetime.now(UTC))

        add(
            "enqueue",
            every * 60,
            lambda: enqueue(
                database,
                session.outbox,
                Request(new_only=True),
                session.clock(),
                settings.settle_delay,
                EnqueuedBy.SCHEDULER,
            ),
        )
        add("reconcile", _RECONCILE_EVERY, lambda: reconcile(database, session.outbox))
        add("prune", 3600, lambda: prune(database, settings.retention_completed, settings.retention_failed))
        add("sync problems", 86_400, lambda: sync_problems(database, session.upstream))
        # A job may be cut off anywhere, so that nothing is waited for; an exception could be lost in APScheduler.
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: os._exit(DONE))
        _log.info("Scheduler started", every_minutes=every)
        timer.start()


def _job(session: Session, name: str, work: Callable[[], object]) -> Callable[[], None]:
    """A job that leaves the field to another scheduler that is at it, and survives a service's absence."""

    def run() -> None:
        try:
            with sole(session.database, f"evaluator scheduler {name}") as mine:
                if mine:
                    with correlated(), span(name):
                        work()
        except (*UNREACHABLE, psycopg.Error, redis.RedisError) as error:
            _log.warning("Scheduled job put off, a service is away", scheduled=name, error=str(error).strip())

    return run
