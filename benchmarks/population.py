"""The members that every contender settles: every other one solved enough on the day, and the others nothing.

They follow from their handles, so that the stand-in for LeetCode, the contenders and the check of their rows agree
without a file.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files

import orjson

MIN_SOLVES = 2
PENALTY = 250
"""Minor units."""

WARM_UP = "warm-up"
"""The challenge that workers settle before a clock runs."""

CHALLENGE = "bench"
"""The challenge that is measured."""

_DAY_SECONDS = 86400
_ROWS = 20  # what LeetCode shows of a member
_SOLVED_SINCE = 2  # rows younger than the day
_SOLVED_ON_DAY = 3  # by those who solve
_ACTIVE_DAYS = 90  # in the calendar of a member


@dataclass(frozen=True, slots=True, order=True)
class Settled:
    """How the ledger holds a member after the day; `posted` is the sum of the postings, in minor units."""

    handle: str
    outcome: str
    current_streak: int
    longest_streak: int
    posted: int


def day_of(now: float) -> date:
    """The day that is settled: over everywhere, for longer than any delay in settling it."""
    return datetime.fromtimestamp(now, UTC).date() - timedelta(days=2)


def bounds(day: date) -> tuple[int, int]:
    """Its first second and that of the next day, UTC, in seconds since the epoch."""
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return start, start + _DAY_SECONDS


def handles(challenge: str, count: int) -> list[str]:
    return [f"{challenge}-{number:05d}" for number in range(count)]


def expected(handle: str) -> Settled:
    if _solves(handle):
        return Settled(handle, "passed", 1, 1, 0)
    return Settled(handle, "failed", 0, 0, PENALTY)


def challenge_file(challenges: Iterable[str], day: date, count: int) -> str:
    """Challenges of `count` members each as this project reads them."""
    lines = ["challenges:"]
    for challenge in challenges:
        lines += [
            f"  - id: {challenge}",
            f"    name: {challenge}",
            "    timezone: UTC",
            f"    starts: {day}",
            f"    ends: {day}",
            "    rules:",
            f"      min_solves: {MIN_SOLVES}",
            f'      penalty: {{amount: "{PENALTY / 100:.2f}", currency: EUR}}',
            "    members:",
            *(f"      - handle: {handle}" for handle in handles(challenge, count)),
        ]
    return "\n".join([*lines, ""])


def recent_solves(handle: str, day: date) -> bytes:
    """The newest accepted submissions of a member as JSON, newest first."""
    start, end = bounds(day)
    number = _number(handle)
    times = [end + _DAY_SECONDS // 2 - row * 3600 for row in range(_SOLVED_SINCE)]
    times += [end - 7200 * (row + 1) for row in range(_SOLVED_ON_DAY if _solves(handle) else 0)]
    times += [start - _DAY_SECONDS * row - 5400 for row in range(_ROWS - len(times))]
    slugs = _slugs()
    rows = [
        {
            "id": str(1_800_000_000 + number * 100 - place),
            "titleSlug": slugs[(number * 7 + place) % len(slugs)],
            "timestamp": str(at - number % 1800),
        }
        for place, at in enumerate(times)
    ]
    return orjson.dumps(rows)


def calendar(day: date) -> str:
    """A year's activity as LeetCode shows it: JSON in a string."""
    start, _ = bounds(day)
    return orjson.dumps({str(start - _DAY_SECONDS * (1 + 2 * n)): 1 + n % 5 for n in range(_ACTIVE_DAYS)}).decode()


def _number(handle: str) -> int:
    return int(handle.rpartition("-")[2])


def _solves(handle: str) -> bool:
    return _number(handle) % 2 == 0


@lru_cache(maxsize=1)
def _slugs() -> Sequence[str]:
    return tuple(_catalogue())


def _catalogue() -> Iterator[str]:
    with gzip.open(str(files("evaluator.local") / "problems.csv.gz"), "rt", encoding="utf-8") as lines:
        yield from (row["slug"] for row in csv.DictReader(lines))
