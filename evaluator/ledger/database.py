"""Connections to PostgreSQL, and its clock."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from select import POLLIN, poll
from threading import Lock, Timer
from typing import Any

import orjson
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

from evaluator.ledger.statements import statements

Connection = psycopg.Connection[tuple[Any, ...]]

_SQL = statements("database")

_CONNECTING: dict[str, str | int] = {
    "application_name": "evaluator",
    "connect_timeout": 5,  # seconds, for each host
    "keepalives_idle": 10,  # seconds of silence until the other side is asked whether it is still there
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds that something sent may go without a sign of its arrival
}
"""What libpq is told, unless the URL says otherwise: a silent network is noticed after some 20 s, not many minutes.

It heeds the last four on TCP only, and the last one on Linux only.
"""

_CONNECT_SOON = 2  # seconds for each host, the least that libpq knows
_PATIENCE = 0.5  # seconds in which Postgres may say that it has stopped by itself
_CLOCK_CHECKED_EVERY = 30.0

set_json_loads(orjson.loads)  # several times as fast as the library's default


class Database:
    """A pool of connections; each use is one transaction, in autocommit unless `transaction()` is asked for."""

    def __init__(self, url: str, connections: int = 4, wait: float = 10.0, *, plans_once: bool = False) -> None:
        """Open lazily. `wait` is how many seconds a caller waits for a connection before it is an error.

        With `plans_once` Postgres plans each statement once in a connection: right for a worker, whose statements find
        rows by their keys, and not for reports, whose best plan depends on what is asked.
        """
        self.url = url
        said = conninfo_to_dict(url)
        self._conninfo = make_conninfo(url, **{name: value for name, value in _CONNECTING.items() if name not in said})
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            self._conninfo,
            min_size=1,
            max_size=connections,
            timeout=wait,
            open=False,
            kwargs={"autocommit": True},
            configure=_prepare_to_plan_once if plans_once else _prepare,
            check=None,
            # It would double the pauses between its attempts for five minutes: an outage of two would last four.
            reconnect_timeout=wait,
            name="ledger",
        )
        self._opening = Lock()
        self._opened = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in autocommit. Raises psycopg.OperationalError where Postgres cannot be reached."""
        if not self._opened:
            self._open()
        # Not the pool's own context, which would end a transaction that there is none of.
        connection = self._take()
        try:
            yield connection
        finally:
            self._pool.putconn(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self.connection() as connection, connection.transaction():
            yield connection

    @contextmanager
    def snapshot(self, limit: float) -> Iterator[Connection]:
        """One moment of the ledger, to read only, over a connection of its own that no other caller can use up.

        All of it is over after `limit` seconds, and those that connecting may take, however silent Postgres is. Raises
        psycopg.Error.
        """
        connected = psycopg.connect(self._conninfo, connect_timeout=_CONNECT_SOON)
        with _ending_after(limit + _PATIENCE, connected) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            # Postgres, if it can, stops by itself: hung up on, it would notice only when it has an answer.
            connection.execute(_SQL["limit"], {"milliseconds": str(int(limit * 1000))})
            yield connection

    def _take(self) -> Connection:
        try:
            while not _is_alive(connection := self._pool.getconn()):
                connection.close()
                self._pool.putconn(connection)
        except Exception:
            raise
        except BaseException:
            # Thrown into this thread as it waited, by a time limit. The pool does not notice: it gives a connection to
            # the thread's place in its queue, where nobody takes it, and counts it for ever. One more makes up for it.
            with self._opening:
                self._pool.resize(self._pool.min_size, self._pool.max_size + 1)
            raise
        return connection

    def _open(self) -> None:
        with self._opening:
            if not self._opened:
                # A direct attempt first: the pool would retry in the background and report only a time-out.
                psycopg.connect(self._conninfo).close()
                self._pool.open()
                self._opened = True

    def close(self) -> None:
        if self._opened:
            self._pool.close()


@contextmanager
def _ending_after(limit: float, connection: Connection) -> Iterator[Connection]:
    """A connection that is hung up on after `limit` seconds, and closed at the end.

    A server that stands still keeps its side of the connection alive, so that TCP has nothing to notice.
    """
    # The number of the connection itself might be somebody else's by the time that the timer comes to it.
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        timer = Timer(limit, _hang_up, [line])
        timer.daemon = True
        timer.start()
        try:
            with connection:
                yield connection
        finally:
            timer.cancel()
            timer.join()


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was first
        line.shutdown(socket.SHUT_RDWR)


def _is_alive(connection: Connection) -> bool:
    """Whether Postgres has not ended an idle connection. It asks only where there is something to read.

    After a restart all that lie in the pool are dead. Given out one after the other, each would cost a job a try.
    """
    try:
        unread = poll()
        unread.register(connection.fileno(), POLLIN)
        if unread.poll(0):
            connection.execute("")
    except psycopg.Error:
        return False
    return True


def _prepare(connection: Connection) -> None:
    """Have Postgres notice, too, that we are gone: until then it holds the locks of a machine that vanished."""
    connection.execute(_SQL["notice_silence"])


def _prepare_to_plan_once(connection: Connection) -> None:
    _prepare(connection)
    connection.execute(_SQL["plan_once"])


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


UNREACHABLE = (psycopg.OperationalError, PoolTimeout, psycopg.errors.ReadOnlySqlTransaction)
"""What is raised where Postgres is away, out of connections, of memory or of disk, or not (yet) to be written to."""
