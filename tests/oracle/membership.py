"""Rules 2 and 5: of whom a day is required."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.oracle.calendar import Day
from tests.oracle.evidence import ALWAYS
from tests.oracle.model import Member


@dataclass(frozen=True, slots=True)
class Period:
    """One stay of a member in a challenge.

    `listed_at`: the apply that began it, or always for the challenge's first file. `returned`: it is not the member's
    first. `member`: what the file said last. `removed_at`: the apply whose file no longer had the member.
    """

    listed_at: int
    returned: bool
    member: Member
    removed_at: int | None = None

    def joined(self, challenge_begin: int) -> int:
        """Who returns joins at the later of `joined` and the apply; others as the file says, else from the start.

        Who is listed only after the challenge began, without `joined`, joins at that apply; whom the challenge's first
        file lists, from the start, even if that file came late.
        """
        joined = self.member.joined
        if self.returned:
            return self.listed_at if joined is None else max(self.listed_at, joined)
        if joined is not None:
            return joined
        return max(self.listed_at, challenge_begin)

    def left(self) -> int | None:
        """When the member left; removing one who had left already changes nothing."""
        ends = [end for end in (self.member.left, self.removed_at) if end is not None]
        return min(ends, default=None)

    def holds(self, day: Day, challenge_begin: int) -> bool:
        """Whether the whole day lies within the stay."""
        left = self.left()
        return day.begin >= self.joined(challenge_begin) and (left is None or day.end <= left)


def required(periods: Iterable[Period], day: Day, challenge_begin: int) -> bool:
    """Whether the day, one of the challenge's, is required of the member."""
    return any(period.holds(day, challenge_begin) for period in periods)


def absent(periods: Iterable[Period], day: Day) -> bool:
    """Whether the day lies in an absence; the newest file's absences count, for earlier stays too."""
    return any(absence.first <= day.date <= absence.last for absence in list(periods)[-1].member.absences)


def listed(periods: tuple[Period, ...], member: Member, at: int, *, founding: bool) -> tuple[Period, ...]:
    """The member's stays after an apply whose file lists the member."""
    if not periods:
        return (Period(ALWAYS if founding else at, returned=False, member=member),)
    *before, last = periods
    left = last.left()
    gone = last.removed_at is not None or (left is not None and left <= at)
    stays_gone = last.removed_at is None and member.left is not None and member.left <= at
    if gone and not stays_gone:
        return (*periods, Period(at, returned=True, member=member))
    return (*before, replace(last, member=member))


def unlisted(periods: tuple[Period, ...], at: int) -> tuple[Period, ...]:
    """The member's stays after an apply whose file does not list the member."""
    *before, last = periods
    return (*before, last if last.removed_at is not None else replace(last, removed_at=at))
