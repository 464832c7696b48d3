"""A problem of LeetCode's catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.domain.rules import Difficulty


@dataclass(frozen=True, slots=True)
class Problem:
    slug: str
    frontend_id: str
    title: str
    difficulty: Difficulty
    paid_only: bool
