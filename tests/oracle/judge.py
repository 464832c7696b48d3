"""Rules 11 to 17, in their order, and 18: one member's day, and the streak over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.oracle.calendar import Day
from tests.oracle.evidence import Observation, gap, seen
from tests.oracle.model import Rules
from tests.oracle.solves import count

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Case:
    """All that bears on a member's day.

    `rules` are those of the day; `override` the outcome of one in force; `passed_before` whether the day was judged
    passed earlier, and not overridden since, `frozen_before` whether it has a freeze already; `freezes_used` counts the
    other frozen days of the calendar month.
    """

    rules: Rules
    day: Day
    challenge_begin: int
    observations: Sequence[Observation]
    difficulties: Mapping[str, str]
    override: str | None
    passed_before: bool
    absent: bool
    frozen_before: bool
    freezes_used: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the day is, why, and the figures beside it."""

    outcome: str
    reason: str
    solved: int
    required: int


def judge(case: Case) -> Judgement:
    """The first rule that applies."""
    rules = case.rules
    solved, maybe = count(rules, case.day, case.challenge_begin, seen(case.observations), case.difficulties)

    def judged(outcome: str, reason: str) -> Judgement:
        return Judgement(outcome, reason, solved, rules.min_solves)

    if case.override is not None:
        return judged(case.override, "override")
    if case.passed_before:
        return judged("passed", "enough")
    if WEEKDAYS[case.day.date.weekday()] in rules.rest_days:
        return judged("exempt", "rest_day")
    if case.absent:
        return judged("exempt", "absence")
    if solved >= rules.min_solves:
        return judged("passed", "enough")
    missing = gap(case.observations, case.day)
    if missing is not None:
        return judged("pending", missing)
    if solved + maybe >= rules.min_solves:
        return judged("pending", "difficulty_unknown")
    if case.frozen_before or case.freezes_used < rules.freezes_per_month:
        return judged("frozen", "freeze")
    return judged("failed", "not_enough")


def streaks(outcomes: Iterable[str]) -> tuple[int, int]:
    """The current and the longest streak of a member's outcomes in the order of their days."""
    current = longest = 0
    for outcome in outcomes:
        if outcome == "passed":
            current += 1
        elif outcome == "failed":
            current = 0
        longest = max(longest, current)
    return current, longest
