"""Metrics while Postgres or Redis is away or silent: absent, soon, and there again when the service is."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
import requests

from evaluator.metrics import DECLARATIONS
from tests.faults.arena import Arena, handles
from tests.faults.nursery import Command
from tests.faults.services import Service
from tests.integration.program import until

OF = {
    source: {one.name for one in DECLARATIONS if one.exposed_by == "server" and one.origin == origin}
    for source, origin in (("postgres", "PostgreSQL"), ("redis", "Redis"))
}
OFTEN_ABSENT = {
    "evaluator_deadline_timestamp_seconds",
    "evaluator_last_success_timestamp_seconds",
    "evaluator_last_enqueue_timestamp_seconds",
}
"""Where there is no such moment."""


def scraped(server: Command) -> dict[str, float]:
    """Each sample; no scrape takes longer than 5 s."""
    text = requests.get(f"{server.address()}/metrics", timeout=5).text
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def missing(samples: dict[str, float]) -> set[str]:
    """The sources of which nothing is there; of the others everything is."""
    names = {name.partition("{")[0] for name in samples}
    for source, of in OF.items():
        up = samples[f'evaluator_source_up{{source="{source}"}}']
        assert up in {0, 1}
        assert (names & of == set()) if not up else (of - OFTEN_ABSENT <= names), names
    return {source for source in OF if not samples[f'evaluator_source_up{{source="{source}"}}']}


@contextmanager
def silent(service: Service) -> Iterator[None]:
    """It takes connections and says nothing."""
    service.send(signal.SIGSTOP)
    try:
        yield
    finally:
        service.send(signal.SIGCONT)


@pytest.mark.parametrize("source", OF)
def test_the_figures_of_a_source_that_is_away_are_absent_until_it_is_back(arena: Arena, source: str) -> None:
    arena.challenge("grind", handles("member", 5), days=1)
    arena.run("enqueue")
    server = arena.server()
    assert missing(scraped(server)) == set()
    service = arena.postgres if source == "postgres" else arena.redis
    service.stop()
    until(lambda: missing(scraped(server)))
    assert missing(scraped(server)) == {source}
    service.start()
    until(lambda: not missing(scraped(server)))


def test_however_many_scrape_silent_services_none_waits_for_long(arena: Arena) -> None:
    server = arena.server()
    assert missing(scraped(server)) == set()
    with silent(arena.postgres), silent(arena.redis), ThreadPoolExecutor(60) as pool:
        until(lambda: missing(scraped(server)) == set(OF))
        began = time.monotonic()
        found = [pool.submit(scraped, server) for _ in range(60)]
        assert all(missing(samples.result()) == set(OF) for samples in found)
        assert time.monotonic() - began < 10
        assert requests.get(f"{server.address()}/healthz", timeout=1).ok


def test_a_scrape_does_not_wait_for_calls_of_the_api_that_wait_for_postgres(arena: Arena) -> None:
    server = arena.server()
    with psycopg.connect(arena.database.url) as other, ThreadPoolExecutor(60) as pool:
        other.execute("LOCK TABLE challenges IN ACCESS EXCLUSIVE MODE")
        calls = [pool.submit(requests.get, f"{server.address()}/api/challenges", timeout=60) for _ in range(60)]
        until(lambda: sum(call.running() for call in calls) == 60)
        until(lambda: other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchall() >= [(5,)])
        assert scraped(server)
        other.rollback()


def test_a_snapshot_is_over_in_time_though_its_server_stands_still(arena: Arena) -> None:
    def ask_who_stands_still() -> None:
        with arena.database.snapshot(0.5) as connection:
            backends.append(connection.info.backend_pid)
            os.kill(backends[0], signal.SIGSTOP)
            connection.execute("SELECT true")

    backends: list[int] = []
    began = time.monotonic()
    try:
        with pytest.raises(psycopg.OperationalError):
            ask_who_stands_still()
        assert 0.3 < time.monotonic() - began < 5
    finally:
        os.kill(backends[0], signal.SIGCONT)


def test_postgres_works_no_longer_for_a_snapshot_than_it_may(arena: Arena) -> None:
    with psycopg.connect(arena.database.url) as other:
        other.execute("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
        with arena.database.snapshot(1) as connection, pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT count(*) FROM runs")


def test_a_snapshot_is_of_one_moment_and_changes_nothing(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 5), days=1)
    with arena.database.snapshot(10) as connection:
        count = "SELECT count(*) FROM members"
        before = connection.execute(count).fetchone()
        arena.challenge("other", handles("member", 5), days=1)
        assert connection.execute(count).fetchone() == before == (5,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("DELETE FROM members")


def test_every_process_of_every_worker_is_alive_and_no_server_is_one(arena: Arena) -> None:
    server, worker = arena.server(), arena.worker(WORKER_PROCESSES="2")
    other = arena.server()
    until(lambda: scraped(server)["evaluator_workers_alive"] == 2)
    until(lambda: scraped(other)["evaluator_workers_alive"] == 2)
    worker.kill()
    arena.lost_workers_are_missed()
    until(lambda: scraped(server)["evaluator_workers_alive"] == 0)
