"""Difficulty: how hard the problems are that a verdict turns on; LeetCode is asked about those nobody asked of yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evaluator.domain.evidence import Evidence
from evaluator.domain.rules import Difficulty
from evaluator.domain.verdict import tally
from evaluator.ledger.database import Database
from evaluator.ledger.evidence import put_difficulties, read_difficulties, read_looked_up
from evaluator.leetcode.refusal import Refusal
from evaluator.service.judge import Day


class Problems(Protocol):
    """Who knows how hard a problem is. A slug that nobody knows is left out of the answer."""

    def difficulties(self, slugs: Sequence[str]) -> Mapping[str, Difficulty] | Refusal: ...


@dataclass(frozen=True, slots=True)
class Difficulties:
    """What is known, by slug; `refusal` says why more could not be found out."""

    known: Mapping[str, Difficulty]
    refusal: Refusal | None = None


def find_difficulties(
    database: Database, problems: Problems, day: Day, evidence: Iterable[Evidence], since: datetime
) -> Difficulties:
    """The difficulties of what was solved on the day.

    They are looked up once, and then kept; one that nobody could tell since `since` is not asked about again.
    """
    slugs = sorted({solve.slug for one in evidence for solve in one.solves if solve.at in day.window})
    if not slugs:
        return Difficulties({})
    with database.connection() as connection:
        known = read_difficulties(connection, slugs)
        told = read_looked_up(connection, slugs, since)
    unknown = [slug for slug in slugs if slug not in known and slug not in told]
    if not unknown:
        return Difficulties(known)
    found = problems.difficulties(unknown)
    if isinstance(found, Refusal):
        return Difficulties(known, found)
    with database.connection() as connection:
        put_difficulties(connection, {slug: found.get(slug) for slug in unknown})
    return Difficulties({**known, **found})


def turns_on_refused(day: Day, evidence: Evidence, difficulties: Difficulties) -> bool:
    """Whether a verdict waits for a difficulty that LeetCode has just refused to tell."""
    if difficulties.refusal is None:
        return False
    count = tally(day.rules, day.window, day.counts_from, evidence.solves, difficulties.known)
    return count.solved < day.rules.min_solves <= count.solved + count.maybe
