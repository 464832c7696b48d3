"""PostgreSQL and Redis of the benchmark's own, the same for every contender, and a database for each trial."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from benchmarks.processes import parent_of
from evaluator.local.postgres import embedded_postgres
from evaluator.local.redis import embedded_redis

_DATABASE = "bench"


@dataclass(frozen=True, slots=True)
class Services:
    postgres_url: str
    postgres_pid: int
    postgres_version: str
    redis_url: str
    redis_pid: int
    redis_version: str

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of an empty database, which is dropped afterwards; Redis is empty too."""
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()
        server = urlsplit(self.postgres_url)
        with psycopg.connect(self.postgres_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {_DATABASE}")
            yield f"{server.scheme}://{server.netloc}/{_DATABASE}?{server.query}"
            connection.execute(f"DROP DATABASE {_DATABASE} WITH (FORCE)")


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Run both in `folder` while inside, as `evaluator up` does: durable, with the settings of evaluator/local."""
    # Exact ends come from Postgres' own note of when each transaction was committed. The note is made from a start on.
    with embedded_postgres(folder) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    with embedded_postgres(folder) as postgres_url, embedded_redis(folder) as redis_url:
        with psycopg.connect(postgres_url) as connection:
            postgres_version = str(connection.execute("SHOW server_version").fetchall()[0][0])
            postgres_pid = parent_of(connection.info.backend_pid)
        with redis.Redis.from_url(redis_url) as client:
            server = client.info("server")
        yield Services(
            postgres_url,
            postgres_pid,
            postgres_version,
            redis_url,
            int(server["process_id"]),
            str(server["redis_version"]),
        )
