"""One contender settles the members once: warmed up, timed, verified."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.contenders import Contender
from benchmarks.leetcode import Arrivals
from benchmarks.population import CHALLENGE
from benchmarks.processes import busy_seconds, running
from benchmarks.stage import Bench

_WITHIN = 900.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for. `latency` of LeetCode in seconds, `limit` in requests a second, None for none."""

    members: int
    latency: float = 0.0
    limit: int | None = None

    @property
    def warm_up(self) -> int:
        """Members that are settled first, so that no program is cold."""
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


def run(bench: Bench, contender: Contender, load: Load) -> Result:
    """Raises UnverifiedError where rows are wrong, TimeoutError where some are missing in the end."""
    bench.leetcode.reset(0.0)
    with bench.stage(contender, load.limit) as stage, stage.workers(load.warm_up) as workers:
        stage.add([CHALLENGE], load.members)
        stage.ledger.tidy()
        bench.leetcode.reset(load.latency)
        before, busy = bench.cpu(workers), busy_seconds()
        began = time.time()
        with running(contender.enqueue_of(CHALLENGE), stage.environment, stage.log) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        enqueued = time.time()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        stage.ledger.wait(load.members + (load.warm_up if workers else 0), _WITHIN)
        looked = time.time()
        after, busy = bench.cpu(workers), busy_seconds() - busy
        stage.ledger.verify(CHALLENGE, load.members)
        cpu = {name: after[name] - before[name] for name in after} | {"enqueue": used.ru_utime + used.ru_stime}
        return Result(
            seconds=stage.ledger.committed_at(CHALLENGE) - began,
            enqueue_seconds=enqueued - began,
            cpu=cpu,
            arrivals=bench.leetcode.arrivals(),
            others=(busy - sum(cpu.values())) / (looked - began),
        )
