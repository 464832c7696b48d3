"""Streaks: what a replay of a member's outcomes gives (RULES 18)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evaluator.domain.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Streak:
    current: int = 0
    longest: int = 0

    def then(self, outcome: Outcome) -> Streak:
        """The streak after one more day."""
        if outcome is Outcome.PASSED:
            return Streak(self.current + 1, max(self.longest, self.current + 1))
        if outcome is Outcome.FAILED:
            return Streak(0, self.longest)
        return self


def replay(outcomes: Iterable[Outcome]) -> Streak:
    """The streak after these outcomes, in order of their days."""
    streak = Streak()
    for outcome in outcomes:
        streak = streak.then(outcome)
    return streak
