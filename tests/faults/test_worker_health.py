"""What a worker says of itself while it or others are in trouble: 503 where a restart would help, and only there."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from evaluator.queue.health import SILENCE
from tests.faults.arena import Arena, handles
from tests.faults.nursery import Command
from tests.integration.exposed import Exposed
from tests.integration.program import until

MEMBER = ("member-evaluation",)
BOOTED = "evaluator_worker_heartbeat_timestamp_seconds"


@pytest.fixture
def exposed() -> Exposed:
    return Exposed()


def start(arena: Arena, exposed: Exposed, folder: Path) -> Command:
    """A worker of two processes with four threads each, once it is ready."""
    settings = {"METRICS_PORT": exposed.port, "WORKER_PROCESSES": "2", "LEETCODE_USERS_PER_REQUEST": "1"}
    worker = arena.worker(**settings, TMPDIR=str(folder))
    until(lambda: exposed.status("/readyz") == 200)
    return worker


def busy(arena: Arena, exposed: Exposed, seconds: float) -> None:
    """All eight threads of the worker wait for LeetCode, each for so long."""
    arena.challenge("grind", handles("member", 32), days=1)
    arena.leetcode.behaves(latency=seconds)
    arena.run("enqueue")
    until(lambda: exposed.samples()["evaluator_jobs_in_progress"][MEMBER] == 8)


def test_from_when_it_is_told_to_stop_it_is_not_ready_but_well(arena: Arena, exposed: Exposed, tmp_path: Path) -> None:
    worker = start(arena, exposed, tmp_path)
    busy(arena, exposed, seconds=5)
    worker.send(signal.SIGTERM)
    until(lambda: exposed.status("/readyz") == 503)
    assert exposed.says("/readyz") == (503, "the worker is stopping\n")
    assert exposed.says("/healthz") == (200, "ok\n")
    until(lambda: exposed.samples()["evaluator_jobs_total"][("done", *MEMBER)] == 8)
    assert worker.wait() == 0
    assert exposed.status("/healthz") == 0
    assert list(tmp_path.glob("evaluator-worker-*")) == []


def test_it_is_unwell_while_one_of_its_processes_stands_still(arena: Arena, exposed: Exposed, tmp_path: Path) -> None:
    worker = start(arena, exposed, tmp_path)
    first, second = worker.children()
    os.kill(second, signal.SIGSTOP)
    stopped = time.monotonic()
    until(lambda: exposed.status("/healthz") == 503)
    assert SILENCE - 2 < time.monotonic() - stopped < SILENCE + 5
    said = f"the worker process {second} has given no sign of life for {SILENCE:.0f} s\n"
    assert exposed.says("/healthz") == exposed.says("/readyz") == (503, said)
    assert time.time() - exposed.samples()[BOOTED][()] > SILENCE - 1  # of two, the one that is silent
    os.kill(second, signal.SIGCONT)
    until(lambda: exposed.status("/healthz") == 200)
    assert exposed.status("/readyz") == 200
    assert set(worker.children()) == {first, second}


def test_what_a_killed_process_counted_stays_and_what_it_was_at_goes(
    arena: Arena, exposed: Exposed, tmp_path: Path
) -> None:
    worker = start(arena, exposed, tmp_path)
    busy(arena, exposed, seconds=10)
    first, second = worker.children()
    for process in (first, second):
        os.kill(process, signal.SIGSTOP)  # neither goes on counting
    before = exposed.samples()
    assert before["evaluator_jobs_in_progress"][MEMBER] == 8
    os.kill(first, signal.SIGKILL)
    until(lambda: exposed.status("/healthz") == 503)
    assert exposed.says("/healthz") == exposed.says("/readyz") == (503, f"the worker process {first} has died\n")
    after = exposed.samples()
    assert after["evaluator_jobs_in_progress"][MEMBER] == 4
    counts = "evaluator_jobs_total", "evaluator_pacer_wait_seconds_count", "evaluator_batch_members_sum"
    assert [after[name] for name in counts] == [before[name] for name in counts]


def test_the_port_is_free_when_its_first_process_is_killed(arena: Arena, exposed: Exposed, tmp_path: Path) -> None:
    worker = start(arena, exposed, tmp_path)
    worker.send(signal.SIGKILL)
    until(lambda: exposed.status("/healthz") == 0)
    start(arena, exposed, tmp_path)
    worker.kill()  # the other processes, which outlive the first


def test_outages_of_others_make_it_neither_unwell_nor_unready(arena: Arena, exposed: Exposed, tmp_path: Path) -> None:
    """For longer than it may be silent: Redis and Postgres are away, after LeetCode made everybody pause."""
    worker = start(arena, exposed, tmp_path)
    arena.leetcode.goes_wrong("rate_limited", times=1, retry_after="5")
    busy(arena, exposed, seconds=1)
    arena.redis.stop()
    arena.postgres.stop()
    began = time.monotonic()
    while time.monotonic() - began < SILENCE + 3:
        assert exposed.says("/healthz") == exposed.says("/readyz") == (200, "ok\n")
        assert time.time() - exposed.samples()[BOOTED][()] < SILENCE
        time.sleep(0.5)
    assert worker.stop() == 0


@pytest.mark.long
def test_it_is_unwell_while_a_job_cannot_be_interrupted(arena: Arena, exposed: Exposed, tmp_path: Path) -> None:
    """A thread that waits in C for LeetCode hears of no time limit."""
    arena.challenge("grind", handles("member", 1), days=1)
    arena.leetcode.goes_wrong("slow", seconds=72, times=1)
    arena.run("enqueue")
    settings = {"METRICS_PORT": exposed.port, "JOB_TIME_LIMIT": "2s", "LEETCODE_TIMEOUT": "100s"}
    worker = arena.worker(**settings, TMPDIR=str(tmp_path))
    until(lambda: exposed.status("/healthz") == 200)
    until(lambda: exposed.status("/healthz") == 503, within=80)
    run = arena.value("SELECT id FROM runs")
    assert f"the job batch:{run}:1 has been at work for 6" in exposed.says("/healthz")[1]
    until(lambda: exposed.status("/healthz") == 200)
    arena.finish()
    assert worker.stop() == 0
