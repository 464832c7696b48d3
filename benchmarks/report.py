"""The table of a scenario: medians over its rounds, and ratios."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.contenders import CONTENDERS
from benchmarks.trial import Result

BASELINE = "bullmq"
COMPONENTS = ("workers", "enqueue", "postgres", "redis")
"""Whose CPU makes the sum; that of the stand-in for LeetCode is shown beside it."""

_HEAD = ("members/s", "from-to", "x bullmq", "sum", *COMPONENTS, "stand-in", "enqueue s", "most/s", "others")


@dataclass(frozen=True, slots=True)
class Trial:
    scenario: str
    contender: str
    round: int
    members: int
    result: Result

    @property
    def rate(self) -> float:
        return self.members / self.result.seconds


def table(trials: Sequence[Trial]) -> Iterator[str]:
    """Lines; CPU in microseconds a member. The contenders are in the order of their first trial."""
    yield " ".join([f"{'':50}", *(f"{name:>9}" for name in _HEAD)])
    baseline = [trial.rate for trial in trials if trial.contender == BASELINE]
    for contender in dict.fromkeys(trial.contender for trial in trials):
        mine = [trial for trial in trials if trial.contender == contender]
        rates = [trial.rate for trial in mine]
        cpu = {
            name: median(trial.result.cpu[name] / trial.members * 1e6 for trial in mine)
            for name in (*COMPONENTS, "stand-in")
        }
        cells = [
            f"{median(rates):.0f}",
            f"{min(rates):.0f}-{max(rates):.0f}",
            f"{median(rates) / median(baseline):.2f}" if baseline else "",
            f"{sum(cpu[name] for name in COMPONENTS):.0f}",
            *(f"{cpu[name]:.0f}" for name in (*COMPONENTS, "stand-in")),
            f"{median(trial.result.enqueue_seconds for trial in mine):.2f}",
            f"{max(trial.result.arrivals.most_in_a_second for trial in mine)}",
            f"{median(trial.result.others for trial in mine):.2f}",
        ]
        yield " ".join([f"{CONTENDERS[contender].title:50}", *(f"{cell:>9}" for cell in cells)])
