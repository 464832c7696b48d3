"""A challenge as its organiser writes it down: the content of a challenge file, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from evaluator.domain.day import ONE_DAY
from evaluator.domain.rules import Rules

SLUG = re.compile(r"(?!.{65})[a-z0-9]+(?:-[a-z0-9]+)*")
HANDLE = re.compile(r"[A-Za-z0-9._-]{1,64}")

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Their names in a file, by `date.weekday()`."""

LONGEST = 3660
"""Days that a challenge may have: ten years."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A planned absence, both dates included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class MemberSpec:
    """One member as listed. `joined` and `left` are seconds since the epoch, None where left out.

    `absences` are as `merged` gives them.
    """

    handle: str
    joined: int | None = None
    left: int | None = None
    absences: tuple[Absence, ...] = ()


@dataclass(frozen=True, slots=True)
class ChallengeSpec:
    """One challenge as listed. `currency` is None where the rules name no penalty."""

    id: str
    name: str
    timezone: str
    starts: date
    ends: date
    rules: Rules
    currency: str | None
    members: tuple[MemberSpec, ...]
    cancelled: bool = False


def handle_key(handle: str) -> str:
    """What makes two spellings of a handle one account: LeetCode ignores its case."""
    return handle.lower()


def merged(absences: Iterable[Absence]) -> tuple[Absence, ...]:
    """The same dates as few absences, in order: those that overlap or touch are one."""
    whole: list[Absence] = []
    for absence in sorted(absences, key=lambda absence: absence.first):
        if whole and absence.first <= whole[-1].last + ONE_DAY:
            whole[-1] = Absence(whole[-1].first, max(whole[-1].last, absence.last))
        else:
            whole.append(absence)
    return tuple(whole)
