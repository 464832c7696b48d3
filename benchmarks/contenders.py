"""Who is compared: how each one's workers, and its command that enqueues, are started."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BULLMQ = Path(__file__).parent / "bullmq"

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Contender:
    """`workers` are the commands that work; `enqueue`, followed by a challenge, is timed from its start.

    One without `workers` does all of it in `enqueue`.
    """

    name: str
    title: str
    workers: Sequence[Command]
    enqueue: Command
    ours: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    def enqueue_of(self, challenge: str) -> Command:
        # Ours enqueues whatever is due, as it does every night.
        return self.enqueue if self.ours else [part.format(challenge=challenge) for part in self.enqueue]


def needs_node(contender: Contender) -> bool:
    return contender.enqueue[0] == "node"


def _module(name: str) -> str:
    return f"benchmarks.plain.{name}"


_PROCESSES = os.cpu_count() or 1


def _dramatiq(name: str, title: str, client: str) -> Contender:
    module = _module("with_dramatiq")
    return Contender(
        name,
        f"{title}, {_PROCESSES} x 8 threads",
        [[sys.executable, "-m", "dramatiq", "--processes", str(_PROCESSES), "--threads", "8", module]],
        [sys.executable, "-m", module, "{challenge}"],
        environment={"BENCH_CLIENT": client},
    )


def _evaluator(processes: int, threads: int, users: int = 20) -> Contender:
    single = "" if users > 1 else "-single"
    return Contender(
        f"evaluator-{processes}x{threads}{single}",
        f"evaluator, {processes} x {threads} threads" + ("" if users > 1 else ", one member a request"),
        [[sys.executable, "-m", "evaluator.cli", "worker"]],
        [sys.executable, "-m", "evaluator.cli", "enqueue"],
        ours=True,
        environment={
            "WORKER_PROCESSES": str(processes),
            "WORKER_CONCURRENCY": str(threads),
            "LEETCODE_USERS_PER_REQUEST": str(users),
        },
    )


CONTENDERS = {
    one.name: one
    for one in (
        Contender(
            "bullmq",
            "BullMQ, concurrency 10",
            [["node", str(BULLMQ / "worker.mjs")]],
            ["node", str(BULLMQ / "enqueue.mjs"), "{challenge}"],
        ),
        Contender(
            "bullmq-tuned",
            "BullMQ tuned, 2 x concurrency 100",
            [["node", str(BULLMQ / "tuned.mjs")]] * 2,
            ["node", str(BULLMQ / "enqueue.mjs"), "{challenge}", "forget"],
        ),
        Contender(
            "celery",
            "Celery, prefork 10",
            [
                [
                    sys.executable, "-m", "celery", "-A", _module("with_celery"), "worker", "--pool", "prefork",
                    "--concurrency", "10", "--loglevel", "WARNING",
                    "--without-gossip", "--without-mingle", "--without-heartbeat",
                ]
            ],
            [sys.executable, "-m", _module("with_celery"), "{challenge}"],
        ),
        _dramatiq("dramatiq", "plain Dramatiq", "requests"),
        _dramatiq("dramatiq-tuned", "plain Dramatiq, urllib3", "urllib3"),
        Contender(
            "sync",
            "evaluator, synchronous",
            [],
            [sys.executable, "-m", "evaluator.cli", "sync-run"],
            ours=True,
        ),
        _evaluator(1, 10),
        _evaluator(2, 10),
        _evaluator(2, 10, users=1),
    )
}  # fmt: skip
