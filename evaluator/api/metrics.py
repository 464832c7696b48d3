"""Metrics for Prometheus: the ledger's counts, what only Redis knows, and what the keeper does.

A count that can't be read is absent.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg import Error as PostgresError

from evaluator.api.admin import depths_now
from evaluator.api.services import Services
from evaluator.ledger.database import UNREACHABLE
from evaluator.ledger.jobs import count_jobs

_log = structlog.get_logger(__name__)

router = APIRouter(tags=["health"])


class LedgerCollector(Collector):
    """Asks when it is asked: a zero would hide an outage, a value of a minute ago would too."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        yield from self._evaluations()
        yield from self._messages()

    def _evaluations(self) -> Iterator[Metric]:
        try:
            with self._services.database.connection() as connection:
                counts = count_jobs(connection, self._services.settings.retention_completed)
        except (*UNREACHABLE, PostgresError) as error:
            _log.warning("Counts could not be read", error=str(error))
            return
        family = GaugeMetricFamily(
            "evaluator_evaluations", "Evaluations of members' days, by state of the job.", labels=["state"]
        )
        for state in ("waiting", "active", "completed", "failed"):
            family.add_metric([state], getattr(counts, state))
        yield family

    def _messages(self) -> Iterator[Metric]:
        depths = depths_now(self._services)
        if depths is None:
            return
        family = GaugeMetricFamily(
            "evaluator_queue_messages", "Messages in Redis, by queue and state.", labels=["queue", "state"]
        )
        for queue, depth in depths.items():
            for state in ("ready", "delayed", "in_flight", "dead"):
                family.add_metric([queue, state], getattr(depth, state))
        yield family


def registry_of(services: Services) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(LedgerCollector(services))
    return registry


def keeper_actions(registry: CollectorRegistry) -> Counter:
    """Counts, by action, what the keeper of this process does; of all servers the sum is what was done."""
    return Counter("evaluator_keeper_actions", "What the keeper of this server did.", ["action"], registry=registry)


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """The counts in Prometheus' text format."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
