"""Real services for the tests: a PostgreSQL and a Redis of each xdist worker's own, started when a test first asks.

With `TEST_DATABASE_URL` or `TEST_REDIS_URL` the same tests use that server instead. Every worker then has a template
database of its own there, and the logical Redis database with its number.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import redis

from evaluator.ledger.database import Database
from evaluator.ledger.migrations import migrate
from evaluator.local.postgres import embedded_postgres
from evaluator.local.redis import embedded_redis

_MOST_WORKERS = 16  # a Redis has so many databases


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """More than there are cores: most of what is tested waits, for processes to start, to end, or to be missed."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None  # which xdist heeds itself
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores + 2, _MOST_WORKERS)


@pytest.fixture(scope="session")
def services_folder() -> Iterator[Path]:
    """Where the services keep their data. pytest's own folders would be kept for three sessions."""
    with tempfile.TemporaryDirectory(prefix="evaluator-tests-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_url(services_folder: Path) -> Iterator[str]:
    """A PostgreSQL server, by the URL of its first database."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    with embedded_postgres(services_folder / "postgres", durable=False) as url:
        yield url


@contextmanager
def created_database(server_url: str, template: str = "template0") -> Iterator[str]:
    """A copy of the database `template` under a name that no other has, by its URL; dropped afterwards."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            server = urlsplit(server_url)
            yield f"{server.scheme}://{server.netloc}/{name}?{server.query}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> Iterator[str]:
    """The name of a database that has the schema and no rows, made once: a copy of it takes some 20 ms."""
    with created_database(postgres_url) as url:
        database = Database(url)
        migrate(database)
        database.close()
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """A database of this test's own, migrated and without rows."""
    with created_database(postgres_url, migrated_template) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database of this test's own without any table."""
    with created_database(postgres_url) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The ledger's pool over a database of this test's own."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def redis_server_url(services_folder: Path, worker_id: str) -> Iterator[str]:
    """A Redis server, by the URL of the logical database that this worker may use."""
    if given := os.environ.get("TEST_REDIS_URL"):
        number = "0" if worker_id == "master" else worker_id.removeprefix("gw")
        yield urlsplit(given)._replace(path=f"/{number}").geturl()
        return
    with embedded_redis(services_folder / "redis", durable=False) as url:
        yield url


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """An emptied Redis."""
    with redis.Redis.from_url(redis_server_url) as client:
        client.flushdb()
    return redis_server_url


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of an emptied Redis."""
    with redis.Redis.from_url(redis_url) as client:
        yield client
