"""Services that may be broken: a PostgreSQL and a Redis of each xdist worker's own, beside those of the other tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from evaluator.ledger.database import Database
from evaluator.ledger.migrations import migrate
from evaluator.leetcode.pacer import Pacer
from tests.faults.arena import LIMIT, Arena, created, people
from tests.faults.nursery import Nursery
from tests.faults.services import Service, postgres, redis_server
from tests.integration.leetcode import LeetCode, simulator

PEOPLE = 64


@pytest.fixture(scope="session")
def faults_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="evaluator-faults-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def breakable_postgres(faults_folder: Path) -> Iterator[Service]:
    """With a database `migrated` to make others from."""
    service = postgres(faults_folder / "postgres")
    service.start()
    with psycopg.connect(service.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated")
    database = Database(service.url.replace("/evaluator?", "/migrated?"))
    migrate(database)
    database.close()
    yield service
    service.stop()


@pytest.fixture(scope="session")
def breakable_redis(faults_folder: Path) -> Iterator[Service]:
    """It has again after a restart what was in it."""
    service = redis_server(faults_folder / "redis", durable=True)
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="session")
def peopled() -> Iterator[LeetCode]:
    """LeetCode with users member-000 to member-063, who solve what `solved` of the arena says."""
    with simulator() as leetcode:
        people(leetcode, "member", PEOPLE)
        yield leetcode


@pytest.fixture(scope="session")
def nursery(faults_folder: Path) -> Iterator[Nursery]:
    nursery = Nursery(faults_folder / "commands")
    yield nursery
    nursery.close()


@pytest.fixture
def arena(
    breakable_postgres: Service, breakable_redis: Service, peopled: LeetCode, nursery: Nursery
) -> Iterator[Arena]:
    """Everything well and empty, a LeetCode with people in it, and nothing running."""
    for service in (breakable_postgres, breakable_redis):
        service.ensure()
    with redis.Redis.from_url(breakable_redis.url) as client:
        _empty(client)
    peopled.count_anew()
    with created(breakable_postgres) as url:
        database = Database(url)
        arena = Arena(breakable_postgres, breakable_redis, peopled, nursery, database)
        yield arena
        nursery.clear()
        arena.close()
        database.close()
        for service in (breakable_postgres, breakable_redis):
            service.ensure()
        peopled.recovers()
        peopled.behaves(latency=0.0, limit=None)


def _empty(client: redis.Redis) -> None:
    """Nothing is left but the pacer's clock, if it lets go soon: a new one begins with a second of silence.

    The last slot of a test that asked once in many minutes lies far ahead.
    """
    state = Pacer(client, LIMIT).state()
    paced = not state.refusals and state.next_slot < 1
    for key in client.scan_iter():
        if not (paced and key.startswith(b"evaluator:pacer")):
            client.delete(key)
