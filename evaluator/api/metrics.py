"""Metrics for Prometheus: the ledger's figures, what only Redis knows, and what the keeper does.

A figure that can't be read is absent: a zero would hide an outage, a value of a minute ago would too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from evaluator import metrics as declared
from evaluator.api.reading import Reading
from evaluator.api.services import Services
from evaluator.ledger.figures import read_now
from evaluator.leetcode.pacer import Pacer
from evaluator.metrics import Declaration
from evaluator.queue.figures import RedisFigures, read_redis_figures
from evaluator.service.figures import Figures, Pace, Watch

_LIMIT = 3.0  # seconds that Postgres has for all figures

_scrapes = CapacityLimiter(40)  # at a time; each waits for some seconds at most

router = APIRouter(tags=["health"])


class Exporter(Collector):
    """Reads Postgres and Redis at once, each in its own time, when it is asked."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._services = services
        self._watch = Watch(Pace(settings.settle_delay, settings.members_per_second, settings.retention_completed))
        self._pacer = Pacer(services.broker.client, settings.leetcode_requests_per_second)
        self._postgres = Reading("postgres", self._read_postgres)
        self._redis = Reading("redis", self._read_redis)

    def collect(self) -> Iterator[Metric]:
        self._postgres.begin()
        self._redis.begin()
        postgres, redis = self._postgres.wait(), self._redis.wait()
        yield _gauge(declared.BUILD_INFO, {version("evaluator"): 1})
        yield _gauge(declared.LEETCODE_BUDGET, self._services.settings.leetcode_requests_per_second)
        yield _gauge(declared.SOURCE_UP, {"postgres": postgres is not None, "redis": redis is not None})
        if postgres is not None:
            yield from _of_ledger(postgres)
        if redis is not None:
            yield from _of_redis(*redis)

    def _read_postgres(self) -> Figures:
        with self._services.database.snapshot(_LIMIT) as connection:
            return self._watch.read(connection, read_now(connection))

    def _read_redis(self) -> tuple[RedisFigures, float]:
        return read_redis_figures(self._services.broker), self._pacer.state().paused_for


def _of_ledger(figures: Figures) -> Iterator[Metric]:
    yield _gauge(declared.EVALUATIONS, asdict(figures.evaluations))
    yield _gauge(declared.UNSETTLED_EVALUATIONS, figures.unsettled)
    yield _gauge(declared.PENDING_EVALUATIONS, figures.pending)
    yield _gauge(declared.MEMBERS_NEEDING_ATTENTION, figures.members_needing_attention)
    yield _gauge(declared.OLDEST_WAITING, figures.oldest_waiting_seconds)
    yield _gauge(declared.OLDEST_PENDING, figures.oldest_pending_seconds)
    yield _gauge(declared.DRAIN, asdict(figures.drain))
    yield _gauge(declared.DEADLINE, figures.deadline)
    yield _gauge(declared.RUNS, figures.runs)
    yield _gauge(declared.RUNS_DUE, figures.runs_due)
    yield _gauge(declared.RUNS_LATE, figures.runs_late)
    yield _gauge(declared.RUNS_STUCK, figures.runs_stuck)
    yield _gauge(declared.LAST_SUCCESS, figures.last_success)
    yield _gauge(declared.LAST_ENQUEUE, figures.last_enqueue)
    yield _gauge(declared.CHALLENGES, figures.challenges)
    yield _gauge(declared.CHALLENGES_UNREADABLE, figures.challenges_unreadable)
    yield _gauge(declared.MEMBERS, figures.members)
    yield _gauge(declared.PAUSED, figures.paused)


def _of_redis(figures: RedisFigures, paused_for: float) -> Iterator[Metric]:
    messages = {(queue, state): n for queue, depth in figures.depths.items() for state, n in asdict(depth).items()}
    yield _gauge(declared.QUEUE_MESSAGES, messages)
    yield _gauge(declared.WORKERS_ALIVE, figures.workers_alive)
    yield _gauge(declared.LEETCODE_PAUSED, paused_for)
    if figures.memory is not None:
        yield _gauge(declared.REDIS_MEMORY, figures.memory.used)
        yield _gauge(declared.REDIS_MEMORY_LIMIT, figures.memory.limit)
        evicted = declared.REDIS_EVICTED_KEYS
        yield CounterMetricFamily(evicted.name, evicted.help, figures.memory.evicted_keys)


Values = float | None | Mapping[Any, float | None]
"""What a gauge shows, or what it shows for each value of its labels; None: nothing."""


def _gauge(declaration: Declaration, values: Values) -> Metric:
    family = GaugeMetricFamily(declaration.name, declaration.help, labels=list(declaration.labels))
    of_labels = values.items() if isinstance(values, Mapping) else [((), values)]
    for labels, value in of_labels:
        if value is not None:
            family.add_metric([labels] if isinstance(labels, str) else labels, float(value))
    return family


def registry_of(services: Services) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Exporter(services))
    return registry


def keeper_actions(registry: CollectorRegistry) -> Counter:
    """Counts, by action, what the keeper of this process does. When it began to count is no series of its own."""
    disable_created_metrics()
    actions = declared.KEEPER_ACTIONS
    return Counter(actions.name, actions.help, list(actions.labels), registry=registry)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """What Prometheus scrapes; docs/metrics.md says what each means. A figure that cannot be read is absent."""
    # In threads of their own: those of calls may all wait for Postgres, just when somebody wants to see it.
    text = await to_thread.run_sync(generate_latest, request.app.state.registry, limiter=_scrapes)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
