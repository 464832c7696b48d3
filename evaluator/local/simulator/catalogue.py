"""LeetCode's problems, from a list that comes with the package."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem as LeetCode lists it; `difficulty` is `Easy`, `Medium` or `Hard`."""

    slug: str
    frontend_id: str
    title: str
    difficulty: str
    paid_only: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All problems in LeetCode's order; `free` are those that anybody can solve, by difficulty."""

    problems: tuple[Problem, ...]
    by_slug: Mapping[str, Problem]
    free: Mapping[str, tuple[Problem, ...]]

    def daily(self, day: date) -> Problem:
        """The problem of the day."""
        problems = self.free["Medium"]
        return problems[day.toordinal() * 7919 % len(problems)]


@cache
def read_catalogue() -> Catalogue:
    """The catalogue of the package `evaluator.local`."""
    packed = (files("evaluator.local") / "problems.csv.gz").read_bytes()
    with io.StringIO(gzip.decompress(packed).decode("utf-8")) as lines:
        problems = tuple(
            Problem(row["slug"], row["frontend_id"], row["title"], row["difficulty"], row["paid_only"] == "true")
            for row in csv.DictReader(lines)
        )
    free: dict[str, list[Problem]] = {}
    for problem in problems:
        if not problem.paid_only:
            free.setdefault(problem.difficulty, []).append(problem)
    return Catalogue(
        problems,
        {problem.slug: problem for problem in problems},
        {difficulty: tuple(those) for difficulty, those in free.items()},
    )
