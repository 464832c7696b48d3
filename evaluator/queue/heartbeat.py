"""A sign of life of each worker process, every second, in a file: what Redis or Postgres do does not matter to it.

A process whose Python stands still, stopped or held by C code, gives none. One that runs says itself what is stuck.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event, Lock, Thread, get_ident

import dramatiq
import orjson
import structlog
from dramatiq import MessageProxy, Worker
from dramatiq.middleware import Middleware

EVERY = 1.0
"""Seconds between two beats."""

STUCK_AFTER = 60.0
"""Seconds beyond its time limit after which a job is stuck.

The limit is an exception, which is raised once the thread comes back from C: from LeetCode's answer, or from Postgres
or Redis, which are given up after 20 s of silence.
"""

_log = structlog.get_logger(__name__)


class Phase(StrEnum):
    BOOTING = "booting"
    AT_WORK = "at_work"
    STOPPING = "stopping"
    ENDED = "ended"
    """In good order."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What a process said `at` a moment of the monotonic clock, which all processes share.

    `trouble` says what is wrong with it, if anything is.
    """

    at: float
    phase: Phase
    trouble: str = ""


class Heartbeat(Middleware):
    """Beats from the boot of a worker process to its end. Stands behind the retries: a job that waits to have its retry
    sent is over.
    """

    def __init__(self, folder: Path, time_limit: float, on_beat: Callable[[], None]) -> None:
        self._file = _file(folder, os.getpid())
        self._time_limit = time_limit
        self._on_beat = on_beat
        self._phase = Phase.BOOTING
        self._jobs: dict[int, tuple[float, str]] = {}
        self._threads: list[Thread] = []
        self._writing = Lock()
        self._ended = Event()

    def after_process_boot(self, broker: dramatiq.Broker) -> None:
        self.beat()
        Thread(target=self._go_on, name="heartbeat", daemon=True).start()

    def after_worker_boot(self, broker: dramatiq.Broker, worker: Worker) -> None:
        self._threads = [*worker.workers, *worker.consumers.values()]
        self._enter(Phase.AT_WORK)

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: Worker) -> None:
        self._enter(Phase.STOPPING)

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: Worker) -> None:
        self._ended.set()
        self._enter(Phase.ENDED)

    def before_process_message(self, broker: dramatiq.Broker, message: MessageProxy) -> None:
        self._jobs[get_ident()] = time.monotonic(), message.options["redis_message_id"]

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        self._jobs.pop(get_ident(), None)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self.beat()

    def _go_on(self) -> None:
        while not self._ended.wait(EVERY):
            try:
                self.beat()
            except OSError as error:
                _log.warning("No sign of life could be written", error=str(error))

    def beat(self) -> None:
        with self._writing:
            now = time.monotonic()
            new = self._file.with_suffix(".new")
            new.write_bytes(orjson.dumps(asdict(Beat(now, self._phase, self._trouble(now)))))
            new.replace(self._file)
        self._on_beat()

    def _trouble(self, now: float) -> str:
        for began, job in list(self._jobs.values()):
            if now - began > self._time_limit + STUCK_AFTER:
                limit = f"JOB_TIME_LIMIT is {self._time_limit:g} s, and it cannot be interrupted"
                return f"the job {job} has been at work for {now - began:.0f} s; {limit}"
        ended = sum(not thread.is_alive() for thread in self._threads)
        if ended and self._phase is Phase.AT_WORK:
            return f"{ended} of its {len(self._threads)} threads have ended"
        return ""


def read_beats(folder: Path) -> Mapping[int, Beat]:
    """The last sign of life of each process that gave one, by its number."""
    beats = {}
    for file in folder.glob("*.beat"):
        beat = orjson.loads(file.read_bytes())
        beats[int(file.stem)] = Beat(beat["at"], Phase(beat["phase"]), beat["trouble"])
    return beats


def _file(folder: Path, pid: int) -> Path:
    return folder / f"{pid}.beat"
