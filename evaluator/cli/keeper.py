"""The keeper: what a server does every few seconds so that everything due is settled without anyone's doing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import TracebackType
from typing import Self

import psycopg
import redis
import structlog

from evaluator.cli.session import Session
from evaluator.correlation import correlated
from evaluator.ledger.database import UNREACHABLE
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.locks import sole
from evaluator.queue.janitor import janitor_broker, tidy
from evaluator.service.enqueue import Request, enqueue
from evaluator.service.prune import prune
from evaluator.service.reconcile import reconcile
from evaluator.tracing import span

_log = structlog.get_logger(__name__)

_ROUND = 5.0  # seconds between two looks
_LOCK = "evaluator keeper"


class Keeper:
    """A thread that reconciles every few seconds, enqueues what is due every minute, and prunes every ten.

    Of all servers' keepers one works at a time, by an advisory lock. A service that is away is waited for.
    """

    def __init__(self, session: Session, did: Callable[[str, int], None]) -> None:
        """`did` is told what was done, and how often: nothing, too, so that it knows of every kind."""
        self._session = session
        self._did = did
        self._janitor = janitor_broker(session.settings)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._duties = (
            _Duty(_ROUND, lambda: asdict(tidy(self._janitor))),
            _Duty(_ROUND, lambda: asdict(reconcile(session.database, session.outbox))),
            _Duty(60.0, self._enqueue),
            _Duty(600.0, self._prune),
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=10)
        self._janitor.client.close()

    def _run(self) -> None:
        while True:
            _attempt(self._round)
            if self._stop.wait(_ROUND):
                return

    def _round(self) -> None:
        with sole(self._session.database, _LOCK) as mine:
            for duty in self._duties if mine else ():
                _attempt(lambda duty=duty: self._perform(duty))  # type: ignore[misc]  # it is called at once

    def _perform(self, duty: _Duty) -> None:
        with correlated():
            for action, times in duty.perform().items():
                self._did(action, times)

    def _enqueue(self) -> Mapping[str, int]:
        session = self._session
        now, settle_delay = session.clock(), session.settings.settle_delay
        with span("enqueue"):
            queued = enqueue(
                session.database, session.outbox, Request(new_only=True), now, settle_delay, EnqueuedBy.KEEPER
            )
        return {"runs_queued": len(queued.runs)}

    def _prune(self) -> Mapping[str, int]:
        settings = self._session.settings
        pruned = prune(self._session.database, settings.retention_completed, settings.retention_failed)
        return {"batches_pruned": pruned.batches, "failures_forgotten": pruned.failures}


def _attempt(work: Callable[[], None]) -> None:
    """Do something; that it fails must neither end the thread that everything relies on, nor what comes after it."""
    try:
        work()
    except (*UNREACHABLE, psycopg.InterfaceError, redis.RedisError) as error:
        _log.warning("Keeper waits for a service", error=str(error).strip())
    except Exception:  # noqa: BLE001  # a bug, or rows that make no sense
        _log.exception("Keeper failed; it tries again")


class _Duty:
    """Something to do no more often than every so many seconds; it tells what was done, and how often."""

    def __init__(self, every: float, work: Callable[[], Mapping[str, int]]) -> None:
        self._every = every
        self._work = work
        self._done_at: float | None = None

    def perform(self) -> Mapping[str, int]:
        if self._done_at is not None and time.monotonic() - self._done_at < self._every:
            return {}
        self._done_at = time.monotonic()
        return self._work()
