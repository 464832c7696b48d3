"""Connections to PostgreSQL, and its clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import orjson
import psycopg
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

Connection = psycopg.Connection[tuple[Any, ...]]

_CLOCK_CHECKED_EVERY = 30.0

set_json_loads(orjson.loads)  # several times as fast as the library's default


class Database:
    """A pool of connections; each use is one transaction, in autocommit unless `transaction()` is asked for."""

    def __init__(self, url: str, connections: int = 4, wait: float = 10.0) -> None:
        """Open lazily. `wait` is how many seconds a caller waits for a connection before it is an error."""
        self.url = url
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            min_size=1,
            max_size=connections,
            timeout=wait,
            open=False,
            kwargs={"autocommit": True, "application_name": "evaluator", "connect_timeout": 5},
            check=None,
            name="ledger",
        )
        self._opening = Lock()
        self._opened = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in autocommit. Raises psycopg.OperationalError where Postgres cannot be reached."""
        if not self._opened:
            self._open()
        with self._pool.connection() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self.connection() as connection, connection.transaction():
            yield connection

    def _open(self) -> None:
        with self._opening:
            if not self._opened:
                # A direct attempt first: the pool would retry in the background and report only a time-out.
                psycopg.connect(self.url, connect_timeout=5).close()
                self._pool.open()
                self._opened = True

    def close(self) -> None:
        if self._opened:
            self._pool.close()


class DatabaseClock:
    """Postgres' clock in whole seconds: what decides when a day is over, whatever a worker's own clock says.

    Between looks at Postgres the time is carried on by the monotonic clock of this machine.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._looked_at = float("-inf")
        self._offset = 0.0

    def __call__(self) -> int:
        with self._lock:
            if time.monotonic() - self._looked_at > _CLOCK_CHECKED_EVERY:
                with self._database.connection() as connection:
                    row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
                assert row is not None  # noqa: S101  # a SELECT without FROM gives one row
                self._looked_at = time.monotonic()
                self._offset = row[0] - self._looked_at
            return int(time.monotonic() + self._offset)


UNREACHABLE = (psycopg.OperationalError, PoolTimeout)
"""What is raised where Postgres is away."""
