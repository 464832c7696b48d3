"""The loads that are measured, and who takes part in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.trial import Load


@dataclass(frozen=True, slots=True)
class Scenario:
    """`rounds` is how often each contender has its turn."""

    name: str
    title: str
    load: Load
    contenders: Sequence[str]
    rounds: int = 1


SCENARIOS = {
    one.name: one
    for one in (
        Scenario(
            "unlimited",
            "no limit, no latency",
            Load(10_000),
            [
                "bullmq", "bullmq-tuned", "celery", "dramatiq", "dramatiq-tuned", "sync",
                "evaluator-1x10", "evaluator-2x10", "evaluator-2x10-single",
            ],
            rounds=3,
        ),
        Scenario(
            "slow",
            "no limit, LeetCode takes 50 ms",
            Load(10_000, latency=0.05),
            [
                "bullmq", "bullmq-tuned", "celery", "dramatiq",
                "evaluator-1x10", "evaluator-2x10", "evaluator-2x10-single",
            ],
        ),
        Scenario(
            "table-50",
            "20 requests a second, LeetCode takes 1 s",
            Load(50, latency=1.0, limit=20),
            ["bullmq", "bullmq-tuned", "sync", "evaluator-1x10"],
        ),
        Scenario(
            "table-100",
            "20 requests a second, LeetCode takes 1 s",
            Load(100, latency=1.0, limit=20),
            ["bullmq", "bullmq-tuned", "sync", "evaluator-1x10"],
        ),
        Scenario(
            "budget",
            "20 requests a second, no latency",
            Load(10_000, limit=20),
            ["evaluator-1x10"],
        ),
    )
}  # fmt: skip

IDLE = ("bullmq", "bullmq-tuned", "celery", "dramatiq", "evaluator-1x10", "evaluator-2x10")
"""Whose workers are watched while they have nothing to do."""
