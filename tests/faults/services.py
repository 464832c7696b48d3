"""A PostgreSQL and a Redis that may be stopped, killed and started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from evaluator.local.postgres import embedded_postgres
from evaluator.local.redis import embedded_redis

Start = Callable[[], AbstractContextManager[str]]


class Service:
    """One of them, with its data in a folder; the URL stays the same over restarts."""

    def __init__(self, name: str, folder: Path, start: Start) -> None:
        self._pid_file, self._log = folder / f"{name}.pid", folder / f"{name}.log"
        self._start = start
        self._running: AbstractContextManager[str] | None = None
        self.url = ""

    def start(self) -> None:
        assert self._running is None
        self._running = self._start()
        url = self._running.__enter__()
        assert self.url in {"", url}
        self.url = url

    def stop(self) -> None:
        """In good order; nothing where it does not run."""
        running, self._running = self._running, None
        if running is not None:
            running.__exit__(None, None, None)

    def kill(self) -> None:
        """As a power cut does."""
        self.send(signal.SIGKILL)
        self.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def ensure(self) -> None:
        if self._running is None:
            self.start()

    def log(self) -> str:
        """What it said since it was last started."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def send(self, sign: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(int(self._pid_file.read_text()), sign)


def postgres(folder: Path) -> Service:
    return Service("postgres", folder, lambda: embedded_postgres(folder, durable=False))


def redis_server(folder: Path, *, durable: bool) -> Service:
    """With `durable` what is in it is there again after a restart, up to a second of it after a kill."""
    return Service("redis", folder, lambda: embedded_redis(folder, durable=durable))
