"""The accounts on LeetCode as they truly are, and what LeetCode would answer about each at any instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from tests.oracle.evidence import ALWAYS
from tests.oracle.model import Answer, Row
from tests.oracle.solves import CLOCK_SKEW, usable_time

Look = Literal["there", "missing", "hidden", "empty", "alias"]
"""How an account shows: there; `matchedUser` null and list []; there with list null; there with list [] whatever it
solved; or an error on its aliases that is not "does not exist"."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A row and when it may be seen: from `at`, to before `until` (None: for ever). `copies`: how often in a list."""

    at: int
    row: Row
    until: int | None = None
    copies: int = 1

    @property
    def order(self) -> tuple[int, str]:
        """The list shows the greatest first."""
        time = usable_time(self.row.timestamp)
        return (self.at if time is None else time, str(self.row.id))


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `looks`: how it shows, from each instant on, in order. `cap`: how many rows a list holds.

    `submissions` are in the order of `at`. `collapses`: of submissions of one problem in a row the list shows the last
    only, and never again one that it hid. `attempts`: UTC dates with activity beside the submissions. `calendar`:
    whether LeetCode gives the calendar at all.
    """

    handle: str
    submissions: tuple[Submission, ...] = ()
    looks: tuple[tuple[int, Look], ...] = ((ALWAYS, "there"),)
    cap: int = 20
    collapses: bool = False
    attempts: frozenset[date] = frozenset()
    calendar: bool = True

    def answer(self, at: int) -> Answer:
        """What LeetCode says about the account."""
        look = [look for since, look in self.looks if since <= at][-1]
        if look == "alias":
            return Answer(self.handle, at, "unknown", None, None, error="alias")
        if look == "missing":
            return Answer(self.handle, at, "missing", (), None)
        shown = [s for s in self._collapsed(at) if s.until is None or at < s.until]
        shown.sort(key=lambda submission: submission.order, reverse=True)
        active = self._active(at) if self.calendar else None
        if look == "hidden":
            return Answer(self.handle, at, "there", None, active)
        rows = () if look == "empty" else tuple(row for s in shown for row in [s.row] * s.copies)
        return Answer(self.handle, at, "there", rows[: self.cap], active)

    def _active(self, at: int) -> frozenset[date]:
        times = [usable_time(submission.row.timestamp) for submission in self.submissions if submission.at <= at]
        dates = {datetime.fromtimestamp(t, UTC).date() for t in times if t is not None and t <= at + CLOCK_SKEW}
        return frozenset(dates | {day for day in self.attempts if day <= datetime.fromtimestamp(at, UTC).date()})

    def _collapsed(self, at: int) -> list[Submission]:
        kept: list[Submission] = []
        for submission in self.submissions:
            if submission.at > at:
                break
            if self.collapses and kept and kept[-1].row.slug == submission.row.slug:
                kept.pop()
            kept.append(submission)
        return kept


@dataclass(frozen=True, slots=True)
class World:
    """`accounts` by lower-case handle; `problems`: slug to difficulty and the instant from which the catalogue has it;
    `outages`: from when to before when every request fails."""

    accounts: Mapping[str, Account]
    problems: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    outages: tuple[tuple[int, int], ...] = ()

    def answer(self, handle: str, at: int) -> Answer:
        """What LeetCode says about the handle, in any case; a handle without an account does not exist."""
        if any(begin <= at < end for begin, end in self.outages):
            return Answer(handle, at, "unknown", None, None, error="outage")
        account = self.accounts.get(handle.lower())
        return account.answer(at) if account else Answer(handle, at, "missing", (), None)

    def catalogue(self, at: int) -> dict[str, str]:
        """The difficulty of every problem that the catalogue has by then."""
        return {slug: difficulty for slug, (difficulty, since) in self.problems.items() if since <= at}


def world_of(accounts: Iterable[Account], problems: Mapping[str, tuple[str, int]] | None = None) -> World:
    """A world without outages."""
    return World({account.handle.lower(): account for account in accounts}, problems or {})
