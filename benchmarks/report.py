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

_HEAD = (
    "members/s",
    "from-to",
    "ratio",
    "seconds",
    "enqueue",
    "most/s",
    "CPU",
    "ratio",
    *COMPONENTS,
    "stand-in",
    "busy",
    "others",
)


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
    """Lines; the contenders are in the order of their first trial. README.md says what the columns are."""
    yield " ".join([f"{'':50}", *(f"{name:>9}" for name in _HEAD)])
    by_contender = {
        contender: [trial for trial in trials if trial.contender == contender]
        for contender in dict.fromkeys(trial.contender for trial in trials)
    }
    baseline = by_contender.get(BASELINE)
    for contender, mine in by_contender.items():
        rates = [trial.rate for trial in mine]
        cells = [
            _number(median(rates)),
            f"{_number(min(rates))}-{_number(max(rates))}",
            f"{median(rates) / median(trial.rate for trial in baseline):.2f}" if baseline else "",
            f"{median(trial.result.seconds for trial in mine):.2f}",
            f"{median(trial.result.enqueue_seconds for trial in mine):.2f}",
            f"{max(trial.result.arrivals.most_in_a_second for trial in mine)}",
            f"{_cpu(mine, COMPONENTS):.0f}",
            f"{_cpu(baseline, COMPONENTS) / _cpu(mine, COMPONENTS):.2f}" if baseline else "",
            *(f"{_cpu(mine, [part]):.0f}" for part in (*COMPONENTS, "stand-in")),
            f"{median(trial.result.cpu['stand-in'] / trial.result.seconds for trial in mine):.0%}",
            f"{median(trial.result.others for trial in mine):.2f}",
        ]
        yield " ".join([f"{CONTENDERS[contender].title:50}", *(f"{cell:>9}" for cell in cells)])


def _cpu(trials: Sequence[Trial], components: Sequence[str]) -> float:
    """Microseconds a member in these components."""
    return median(sum(trial.result.cpu[part] for part in components) / trial.members * 1e6 for trial in trials)


def _number(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.1f}"
