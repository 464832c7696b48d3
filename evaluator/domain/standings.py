"""The order of a challenge's members (RULES 23)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from evaluator.domain.streak import Streak


@dataclass(frozen=True, slots=True)
class Score:
    """`penalty` is the sum of the member's postings, in minor units."""

    handle: str
    streak: Streak
    penalty: int


@dataclass(frozen=True, slots=True)
class Standing:
    rank: int
    score: Score


def standings(scores: Iterable[Score]) -> list[Standing]:
    """Best first; equal scores share a rank and the next rank skips them."""
    return list(ranked(sorted(scores, key=lambda score: (merit(score), score.handle))))


def ranked(best_first: Iterable[Score]) -> Iterator[Standing]:
    """The ranks of scores that are in order already."""
    seen = 0
    for _, tied in groupby(best_first, key=merit):
        rank = seen + 1
        for score in tied:
            yield Standing(rank, score)
            seen += 1


def merit(score: Score) -> tuple[int, int, int]:
    """What decides between two members: the smaller is the better."""
    return (-score.streak.current, -score.streak.longest, score.penalty)
