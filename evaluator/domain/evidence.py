"""What LeetCode showed about a handle, and how much of a day it proves.

All instants are whole seconds since the epoch, UTC, as LeetCode gives them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple, cast

from evaluator.domain.day import Window

VISIBLE_ROWS = 20
"""LeetCode shows at most this many accepted submissions; a list that long may hide older ones."""

FUTURE_TOLERANCE = 5 * 60
"""Seconds by which a row may lie after the answer that holds it (clocks differ); beyond, it counts nothing."""


class Standing(StrEnum):
    """What an answer says about the account itself."""

    VISIBLE = "visible"
    USER_NOT_FOUND = "user_not_found"
    PROFILE_HIDDEN = "profile_hidden"
    UNAVAILABLE = "upstream_unavailable"


class Row(NamedTuple):
    """One row of an answer as it came; a field is None where it has no usable value.

    A tuple, as all is of which a batch makes many: a frozen dataclass takes several times as long to make.
    """

    submission_id: str | None
    slug: str | None
    at: int | None


class Reply(NamedTuple):
    """What one request said about one handle.

    `active_dates` are the UTC dates on which the account's calendar shows activity; it matters, and is
    kept, only where the list is empty. `detail` is a sentence for people, empty when nothing is wrong.
    """

    handle: str
    standing: Standing
    rows: tuple[Row, ...] = ()
    active_dates: frozenset[date] = frozenset()
    detail: str = ""


class Solve(NamedTuple):
    """One accepted submission that was observed."""

    submission_id: str
    slug: str
    at: int


class Observation(NamedTuple):
    """A reply that was kept: what it proves, apart from the solves it held.

    It shows everything after the second `after` (None: from the beginning), up to and including `fetched_at`.
    `active_dates` says where the account's calendar of `calendar_years` shows activity.
    """

    fetched_at: int
    standing: Standing
    row_count: int
    after: int | None
    contradictory: bool = False
    active_dates: frozenset[date] = frozenset()
    calendar_years: frozenset[int] = frozenset()


def solves_of(rows: Iterable[Row], fetched_at: int) -> list[Solve]:
    """The rows that count as solves: usable, not from the future, each submission once (RULES 6)."""
    solves: dict[str, Solve] = {}
    latest = fetched_at + FUTURE_TOLERANCE
    for row in rows:
        submission_id, slug, at = row
        if slug is None or at is None or at > latest:
            continue
        if submission_id is None:
            submission_id = _identity(row)
            row = Row(submission_id, slug, at)  # noqa: PLW2901  # the same row, with an id
        if submission_id not in solves:
            solves[submission_id] = cast("Solve", row)  # it lacks nothing: another tuple would only cost time
    return list(solves.values())


def _identity(row: Row) -> str:
    """The submission's id; a row that came without one is told apart by what it says."""
    return row.submission_id or f"{row.slug}@{row.at}"


def observe(reply: Reply, fetched_at: int, years: Iterable[int], earlier: Collection[Solve]) -> Observation:
    """What a reply fetched at `fetched_at` proves, given every solve of the account that earlier answers held.

    `years` are those whose calendar was asked for (RULES 9 and 10).
    """
    full = len(reply.rows) >= VISIBLE_ROWS
    after = _oldest(reply.rows, fetched_at) if full else None
    return Observation(
        fetched_at,
        reply.standing,
        len(reply.rows),
        after,
        reply.standing is Standing.VISIBLE and _contradicts(reply.rows, fetched_at, after, earlier),
        reply.active_dates,
        frozenset(years),
    )


def _oldest(rows: Iterable[Row], fetched_at: int) -> int:
    """The second of the oldest row that says when and what; rows that say neither reach back to nothing."""
    return min([fetched_at, *(row.at for row in rows if row.at is not None and row.slug is not None)])


def _contradicts(rows: Sequence[Row], fetched_at: int, after: int | None, earlier: Collection[Solve]) -> bool:
    """Whether an answer that shows everything after `after` lacks a solve from there that it ought to hold."""
    if not earlier:
        return False
    ids = {_identity(row) for row in rows}
    lacked = [solve for solve in earlier if solve.submission_id not in ids and (after is None or solve.at > after)]
    if not lacked:
        return False
    # LeetCode collapses repeats: a newer row of the same problem may hide the older one.
    newest = {solve.slug: solve.at for solve in sorted(solves_of(rows, fetched_at), key=lambda solve: solve.at)}
    return any(newest.get(solve.slug, solve.at) <= solve.at for solve in lacked)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one member about one day.

    `solves` hold at least those that bear on the day: the day's own, and where problems count once a challenge,
    those since its start. `observations` are those fetched since the day began, oldest first.
    """

    solves: tuple[Solve, ...] = ()
    observations: tuple[Observation, ...] = ()

    def is_complete(self, window: Window, *, trusting_contradictory: bool = False) -> bool:
        """Whether one joined stretch of answers shows the whole day (RULES 9)."""
        stretches = sorted(
            (window.start - 1 if seen.after is None else seen.after, seen.fetched_at)
            for seen in self.observations
            if (trusting_contradictory or not seen.contradictory) and _proves(seen, window)
        )
        reach = window.start - 1  # the last second of the day that is shown, with all before it
        for after, fetched_at in stretches:
            # Stretches join where they share a second. Those that only touch do not: more may have happened in
            # the second in which the first answer was given.
            if after >= max(reach, window.start):
                break
            reach = max(reach, fetched_at)
        return reach >= window.end - 1

    def newest_standing(self, window: Window) -> Standing | None:
        """What the newest answer since the day began says of the account; None without such an answer."""
        return standing_on(self.observations[-1], window) if self.observations else None


def standing_on(seen: Observation, window: Window) -> Standing:
    """The standing as it bears on one day: an empty list hides what the calendar shows (RULES 10)."""
    if seen.standing is Standing.VISIBLE and seen.row_count == 0 and seen.active_dates & window.utc_dates():
        return Standing.PROFILE_HIDDEN
    return seen.standing


def _proves(seen: Observation, window: Window) -> bool:
    """Whether an answer may be taken at its word; an empty list only beside a calendar of the day's years."""
    if standing_on(seen, window) is not Standing.VISIBLE:
        return False
    return seen.row_count > 0 or {day.year for day in window.utc_dates()} <= seen.calendar_years
