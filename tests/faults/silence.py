"""A network of this process's own, and how long it takes both ends of its connections to notice that it fell silent.

`unshare --net python -m tests.faults.silence FOLDER` prints one JSON object of seconds.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import psycopg
import redis

from evaluator.ledger.database import Connection, Database
from evaluator.local import postgres
from evaluator.local.redis import embedded_redis
from evaluator.queue.broker import redis_client
from evaluator.settings import Settings

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def switch_network(*, on: bool) -> None:
    """The loopback interface: while it is down, what is sent over it is lost, and nobody is told."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))
        flags = flags | _IFF_UP if on else flags & ~_IFF_UP
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))


class Silence:
    """Three transactions over TCP and a client of Redis, and the moment from which on nothing arrives."""

    def __init__(self, postgres_url: str, redis_url: str) -> None:
        self._database = Database(postgres_url, connections=3)
        self._redis = redis_client(Settings(redis_url=redis_url))
        self._redis.ping()
        self._ready, self._over = threading.Barrier(5), threading.Event()
        self._fallen = threading.Event()
        self._fell_at = 0.0

    def measure(self, over_socket: str) -> dict[str, float]:
        """After how many seconds each has noticed; `lock` is when Postgres gave to another what one had held."""
        with ThreadPoolExecutor() as threads, psycopg.connect(over_socket, autocommit=True) as here:
            found = {
                "question": threads.submit(self._transaction, self._asks),
                "answer": threads.submit(self._transaction, self._waits),
                "redis": threads.submit(self._asks_redis),
            }
            threads.submit(self._transaction, self._holds)
            self._ready.wait()
            while not here.execute("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'").fetchall():
                time.sleep(0.01)
            switch_network(on=False)
            self._fell_at = time.monotonic()
            self._fallen.set()
            here.execute("SELECT pg_advisory_lock(1)")
            lock = self._since()
            self._over.set()
            return {"lock": lock} | {name: future.result() for name, future in found.items()}

    def _since(self) -> float:
        return time.monotonic() - self._fell_at

    def _transaction(self, work: Callable[[Connection], None]) -> float:
        try:
            with self._database.transaction() as connection:
                work(connection)
        except psycopg.OperationalError:
            return self._since()
        raise AssertionError("it ended well")

    def _asks(self, connection: Connection) -> None:
        """Something is sent, and no sign of its arrival comes back."""
        connection.execute("SELECT")
        self._ready.wait()
        self._fallen.wait()
        connection.execute("SELECT")

    def _waits(self, connection: Connection) -> None:
        """The question has arrived, the answer never does."""
        self._ready.wait()
        connection.execute("SELECT pg_sleep(3600)")

    def _holds(self, connection: Connection) -> None:
        """A lock is held, and nothing is said any more."""
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        self._ready.wait()
        self._over.wait()
        connection.execute("SELECT")

    def _asks_redis(self) -> float:
        self._ready.wait()
        self._fallen.wait()
        try:
            self._redis.ping()
        except redis.RedisError:
            return self._since()
        raise AssertionError("it answered")


def main(folder: Path) -> None:
    switch_network(on=True)
    with (
        patch.dict(postgres._SETTINGS, {"listen_addresses": "127.0.0.1"}),
        postgres.embedded_postgres(folder, durable=False) as postgres_url,
        embedded_redis(folder, durable=False) as redis_url,
    ):
        found = Silence("postgresql://evaluator@127.0.0.1/evaluator", redis_url).measure(postgres_url)
        switch_network(on=True)
    print(json.dumps(found))  # noqa: T201  # the answer


if __name__ == "__main__":
    main(Path(sys.argv[1]))
