"""The stand-in for LeetCode in a process of its own, as a trial sees it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import requests

from benchmarks.processes import running

_READY_WITHIN = 60.0
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Requests since the last reset, and the most within one second, whichever one looks at."""

    requests: int
    most_in_a_second: int


@dataclass(frozen=True, slots=True)
class StandIn:
    address: str
    pid: int

    @property
    def url(self) -> str:
        """Where questions go."""
        return f"{self.address}/graphql"

    def reset(self, latency: float) -> None:
        """Forget the arrivals; answer after `latency` seconds from now on."""
        requests.post(f"{self.address}/reset?{latency}", timeout=10).raise_for_status()

    def arrivals(self) -> Arrivals:
        return Arrivals(**requests.get(f"{self.address}/arrivals", timeout=10).json())


@contextmanager
def stand_in(folder: Path, day: date, members: int) -> Iterator[StandIn]:
    """Run it while inside; it knows `members` users of each challenge."""
    log = folder / "stand-in.log"
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.stand_in", day.isoformat(), str(members)]
    with running(command, {**os.environ, "PYTHONPATH": str(_ROOT)}, log) as process:
        deadline = time.monotonic() + _READY_WITHIN
        while not (said := log.read_text(encoding="utf-8")).endswith("\n"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the stand-in for LeetCode does not start: {said}")
            time.sleep(0.02)
        yield StandIn(said.strip(), process.pid)
