"""How long `evaluator enqueue` takes, from the start of its process to its exit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.contenders import CONTENDERS
from benchmarks.stage import Bench

CHALLENGES = 100
_MEMBERS = 10


@dataclass(frozen=True, slots=True)
class Enqueued:
    """Seconds: with a due day in each challenge, and right afterwards, when all of them are queued."""

    first: float
    again: float


def measure(bench: Bench, rounds: int) -> list[Enqueued]:
    found = []
    for _ in range(rounds):
        with bench.stage(CONTENDERS["evaluator-1x10"]) as stage:
            stage.add([f"challenge-{number:03d}" for number in range(CHALLENGES)], _MEMBERS)
            stage.ledger.tidy()
            took = []
            for _ in range(2):
                began = time.monotonic()
                stage.evaluator("enqueue")
                took.append(time.monotonic() - began)
            found.append(Enqueued(*took))
    return found


def lines(found: Sequence[Enqueued]) -> Iterator[str]:
    yield f"a due day in each: {median(one.first for one in found):.2f} s"
    yield f"all queued already: {median(one.again for one in found):.2f} s"
