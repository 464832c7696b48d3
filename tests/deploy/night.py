"""An installation that is watched: the application of the tests of faults, beside a Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from evaluator.ledger.locks import sole
from tests.deploy.prometheus import Prometheus
from tests.faults.arena import Arena
from tests.faults.nursery import Command


@dataclass(frozen=True)
class Night:
    arena: Arena
    prometheus: Prometheus
    server_port: int
    worker_port: int

    def server(self, **settings: str) -> Command:
        """A server where Prometheus looks for one, whose figures are fresh."""
        command = self.arena.start(
            "server", "--host", "127.0.0.1", "--port", str(self.server_port), FIGURES_KEPT="0.2", **settings
        )
        command.address()
        return command

    def worker(self, *options: str, **settings: str) -> Command:
        """A worker where Prometheus looks for one."""
        return self.arena.start("worker", *options, METRICS_PORT=str(self.worker_port), **settings)

    def doctor(self) -> tuple[int, str]:
        """The exit code, and what is said without its layout."""
        command = self.arena.start("doctor", "--no-leetcode")
        return command.wait(), " ".join(command.out().split())

    @contextmanager
    def without_keeper(self) -> Iterator[None]:
        """Somebody holds the keepers' lock, and does nothing."""
        with sole(self.arena.database, "evaluator keeper") as mine:
            assert mine
            yield
