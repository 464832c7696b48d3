"""Rules 6 to 8: which rows are solves, and how many of them count on a day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.oracle.calendar import Day
from tests.oracle.model import Answer, Rules

CLOCK_SKEW = 300
"""Seconds by which a row may lie in the future of its answer."""


@dataclass(frozen=True, slots=True)
class Solve:
    """One accepted submission that counts."""

    id: str
    slug: str
    time: int


def solves_in(answer: Answer) -> tuple[Solve, ...]:
    """Rule 6: the rows that count something: usable time and slug, not from the future, each submission id once."""
    found: dict[str, Solve] = {}
    for row in answer.rows or () if answer.error is None else ():
        time = usable_time(row.timestamp)
        if time is None or time > answer.fetched_at + CLOCK_SKEW:
            continue
        if not isinstance(row.slug, str) or not row.slug.strip():
            continue
        submission = f"{row.slug}@{time}" if row.id is None else str(row.id)
        found.setdefault(submission, Solve(submission, row.slug, time))
    return tuple(found.values())


def usable_time(timestamp: object) -> int | None:
    """Seconds since the epoch: a number, or a text of digits."""
    if isinstance(timestamp, int) and not isinstance(timestamp, bool):
        return timestamp
    if isinstance(timestamp, str) and re.fullmatch(r"[0-9]{1,15}", timestamp):
        return int(timestamp)
    return None


def count(
    rules: Rules, day: Day, challenge_begin: int, seen: Iterable[Solve], difficulties: Mapping[str, str]
) -> tuple[int, int]:
    """Rules 7 and 8: `solved`, what counts with a known difficulty, and `maybe`, what unknown ones could add.

    `seen` is every solve of the member ever seen, `difficulties` what is known of problems by slug.
    """
    earlier = {s.slug for s in seen if challenge_begin <= s.time < day.begin} if rules.unique == "challenge" else set()
    counted: set[str] = set()
    unknown: set[str] = set()
    for solve in seen:
        if not day.begin <= solve.time < day.end or solve.slug in earlier:
            continue
        what = solve.id if rules.unique == "none" else solve.slug
        if rules.difficulties is None or difficulties.get(solve.slug) in rules.difficulties:
            counted.add(what)
        elif solve.slug not in difficulties:
            unknown.add(what)
    return len(counted), len(unknown)
