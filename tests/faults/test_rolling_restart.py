"""All workers are replaced while they work: no verdict, no attempt and no request is lost or doubled."""

from __future__ import annotations

import subprocess
import sys

from evaluator.queue import _TUNING
from tests.faults.arena import Arena, handles
from tests.integration.program import until


def test_a_rolling_restart_under_load_costs_nothing(arena: Arena) -> None:
    """One request a member, and slow ones while workers are replaced, so that some are always under way."""
    arena.challenge("grind", handles("member", 64), days=1)
    arena.leetcode.behaves(latency=2.0)
    settings = {
        "LEETCODE_REQUESTS_PER_SECOND": "8",
        "LEETCODE_USERS_PER_REQUEST": "1",
        "WORKER_CONCURRENCY": "2",
        "JOB_BACKOFF": "60s",
    }
    arena.run("enqueue", **settings)
    workers = [arena.worker(**settings) for _ in range(2)]
    for number, old in enumerate(workers):
        before = arena.evaluated()
        until(lambda before=before: arena.evaluated() > before)  # type: ignore[misc]  # bound now, asked later
        workers[number] = arena.worker(**settings)
        assert old.stop() == 0
        assert "Job failed" not in old.said()
    assert not arena.settled()
    arena.leetcode.behaves(latency=0.0)
    arena.finish(keeping=False)
    arena.check(attempts=1)
    assert arena.leetcode.asked() == 64


def test_workers_have_dramatiq_tuned() -> None:
    """It reads its environment when it is imported, wherever that is first; its default is a second."""
    code = "import evaluator.cli.worker, dramatiq.worker; print(dramatiq.worker.WORKER_TIMEOUT)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env={}, text=True)
    assert told.stdout.strip() == _TUNING["dramatiq_worker_timeout"] != "1000"
