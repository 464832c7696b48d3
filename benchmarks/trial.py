"""One contender settles the members once: prepared, warmed up, timed, verified."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.contenders import Command, Contender
from benchmarks.ledger import Ledger
from benchmarks.leetcode import Arrivals, StandIn
from benchmarks.population import CHALLENGE, WARM_UP, challenge_file
from benchmarks.processes import busy_seconds, cpu_seconds, running
from benchmarks.services import Services

_UNLIMITED = 100_000  # requests a second: the most that the evaluator's setting takes
_LOOK_EVERY = 0.1
_WARM_UP_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Load:
    """What a trial asks for. `latency` in seconds, `limit` in requests a second, none where it is None."""

    members: int
    latency: float = 0.0
    limit: int | None = None
    within: float = 900.0

    @property
    def warm_up(self) -> int:
        """Members that are settled first, so that no contender's programs are cold."""
        return min(self.members, self.limit or 500)


@dataclass(frozen=True, slots=True)
class Result:
    """`seconds` go from the start of the command that enqueues to the commit of the last row.

    `cpu` is in seconds, by component; `others` is how many cores of the machine worked for somebody else meanwhile.
    """

    seconds: float
    enqueue_seconds: float
    cpu: Mapping[str, float]
    arrivals: Arrivals
    others: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What all trials share."""

    services: Services
    leetcode: StandIn
    day: date
    folder: Path

    def run(self, contender: Contender, load: Load) -> Result:
        """Raises UnverifiedError where rows are wrong, TimeoutError where some are missing in the end."""
        self.leetcode.reset(0.0)
        with self._stage(contender, load) as stage, stage.workers() as workers:
            if workers:
                stage.prepare(WARM_UP, load.warm_up)
                subprocess.run(contender.enqueue_of(WARM_UP), env=stage.environment, check=True, capture_output=True)  # noqa: S603  # as above
                stage.ledger.wait(WARM_UP, time.time() + _WARM_UP_WITHIN, _LOOK_EVERY)
                stage.ledger.verify(WARM_UP, load.warm_up)
            stage.prepare(CHALLENGE, load.members)
            stage.ledger.tidy()
            self.leetcode.reset(load.latency)
            before = self._cpu(workers)
            began, busy = time.time(), busy_seconds()
            with running(contender.enqueue_of(CHALLENGE), stage.environment, stage.log) as process:
                _, status, used = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                enqueued = time.time()
                if process.returncode:
                    raise RuntimeError(f"{contender.name} cannot enqueue, see {stage.log}")
                stage.ledger.wait(CHALLENGE, began + load.within, _LOOK_EVERY)
            after = self._cpu(workers)
            busy, looked = busy_seconds() - busy, time.time()
            stage.ledger.verify(CHALLENGE, load.members)
            cpu = {name: after[name] - before[name] for name in after} | {"enqueue": used.ru_utime + used.ru_stime}
            seconds = stage.ledger.committed_at(CHALLENGE) - began
            others = (busy - sum(cpu.values())) / (looked - began)
            return Result(seconds, enqueued - began, cpu, self.leetcode.arrivals(), others)

    def _cpu(self, workers: Sequence[int]) -> dict[str, float]:
        return {
            "workers": sum(map(cpu_seconds, workers)),
            "postgres": cpu_seconds(self.services.postgres_pid),
            "redis": cpu_seconds(self.services.redis_pid),
            "stand-in": cpu_seconds(self.leetcode.pid),
        }

    @contextmanager
    def _stage(self, contender: Contender, load: Load) -> Iterator[Stage]:
        with self.services.fresh() as database_url:
            environment = {
                **os.environ,
                "DATABASE_URL": database_url,
                "REDIS_URL": self.services.redis_url,
                "LEETCODE_URL": self.leetcode.url,
                "LEETCODE_REQUESTS_PER_SECOND": str(load.limit or _UNLIMITED),
                "BENCH_LIMIT": str(load.limit or 0),
                "LOG_LEVEL": "WARNING",
                **contender.environment,
            }
            ledger = Ledger(database_url)
            try:
                yield Stage(contender, self.day, self.folder, environment, ledger)
            finally:
                ledger.close()


@dataclass(frozen=True, slots=True)
class Stage:
    """A contender with a fresh database."""

    contender: Contender
    day: date
    folder: Path
    environment: Mapping[str, str]
    ledger: Ledger

    @property
    def log(self) -> Path:
        return self.folder / f"{self.contender.name}.log"

    def prepare(self, challenge: str, members: int) -> None:
        """Put a challenge into the database; the first one brings the schema."""
        if not self.contender.ours:
            self.ledger.add(challenge, self.day, members)
            return
        file = self.folder / f"{challenge}.yaml"
        file.write_text(challenge_file(challenge, self.day, members), encoding="utf-8")
        self.evaluator("apply", "-f", str(file))

    def evaluator(self, *words: str) -> None:
        command: Command = [sys.executable, "-m", "evaluator.cli", *words]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)  # noqa: S603  # ours

    @contextmanager
    def workers(self) -> Iterator[Sequence[int]]:
        """Create the schema and start the workers; yields their process ids."""
        if self.contender.ours:
            self.evaluator("migrate")
        else:
            self.ledger.create_schema()
        with ExitStack() as stack:
            started = [
                stack.enter_context(running(command, self.environment, self.log)) for command in self.contender.workers
            ]
            yield [process.pid for process in started]
