"""A contender with a fresh database, its members in it and its workers running."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.contenders import Contender
from benchmarks.ledger import Ledger
from benchmarks.leetcode import StandIn
from benchmarks.population import WARM_UP, challenge_file
from benchmarks.processes import cpu_seconds, running
from benchmarks.services import Services
from evaluator.settings import Settings

_ROOT = Path(__file__).parent.parent
_UNLIMITED = 1_000_000  # requests a second: the most that the evaluator's setting takes
_SHOWN = 4000  # characters of a log
_WARM_UP_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Bench:
    """What all contenders share: services, the stand-in for LeetCode, the day that is settled."""

    services: Services
    leetcode: StandIn
    day: date
    folder: Path

    @contextmanager
    def stage(self, contender: Contender, limit: int | None = None) -> Iterator[Stage]:
        """Create the schema. `limit` is in requests a second, None for none."""
        with self.services.fresh() as database_url, closing(Ledger(database_url)) as ledger:
            environment = {
                **inherited(),
                "DATABASE_URL": database_url,
                "REDIS_URL": self.services.redis_url,
                "LEETCODE_URL": self.leetcode.url,
                "LEETCODE_REQUESTS_PER_SECOND": str(limit or _UNLIMITED),
                "METRICS_PORT": free_port(),  # what a worker counts costs, too
                "BENCH_LIMIT": str(limit or 0),
                **contender.environment,
            }
            stage = Stage(self, contender, environment, ledger)
            if contender.ours:
                stage.evaluator("migrate")
            else:
                ledger.create_schema()
            try:
                yield stage
            except (TimeoutError, subprocess.CalledProcessError) as error:
                error.add_note(f"{contender.name} said:\n{stage.log.read_text(encoding='utf-8')[-_SHOWN:]}")
                raise

    def cpu(self, workers: Sequence[int]) -> dict[str, float]:
        """CPU seconds by component, since each was started."""
        return {
            "workers": sum(map(cpu_seconds, workers)),
            "postgres": cpu_seconds(self.services.postgres_pid),
            "redis": cpu_seconds(self.services.redis_pid),
            "stand-in": cpu_seconds(self.leetcode.pid),
        }


@dataclass(frozen=True, slots=True)
class Stage:
    """One contender and its database."""

    bench: Bench
    contender: Contender
    environment: Mapping[str, str]
    ledger: Ledger

    @property
    def log(self) -> Path:
        """What its processes have printed."""
        return self.bench.folder / f"{self.contender.name}.log"

    def add(self, challenges: Sequence[str], members: int) -> None:
        """Put challenges with so many members each into the database."""
        if self.contender.ours:
            file = self.bench.folder / "challenges.yaml"
            file.write_text(challenge_file(challenges, self.bench.day, members), encoding="utf-8")
            self.evaluator("apply", "-f", str(file))
            return
        for challenge in challenges:
            self.ledger.add(challenge, self.bench.day, members)

    def evaluator(self, *words: str) -> None:
        """Run a command of this project to its end."""
        self._run([sys.executable, "-m", "evaluator.cli", *words])

    @contextmanager
    def workers(self, warm_up: int) -> Iterator[Sequence[int]]:
        """Start the workers and have them settle some members; yields their process ids."""
        with ExitStack() as stack:
            started = [
                stack.enter_context(running(command, self.environment, self.log)) for command in self.contender.workers
            ]
            if started:
                self.add([WARM_UP], warm_up)
                self._run(self.contender.enqueue_of(WARM_UP))
                self.ledger.wait(warm_up, _WARM_UP_WITHIN)
                self.ledger.verify(WARM_UP, warm_up)
            yield [process.pid for process in started]

    def _run(self, command: Sequence[str]) -> None:
        with self.log.open("ab") as log:
            subprocess.run(command, env=self.environment, check=True, stdout=log, stderr=log, cwd=self.bench.folder)  # noqa: S603  # ours


def inherited() -> dict[str, str]:
    """Our environment without settings of the evaluator, and so that every process finds this package.

    Python keeps what it has compiled, as it does wherever nobody tells it not to.
    """
    settings = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in settings}
    return {**kept, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": ""}


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])
