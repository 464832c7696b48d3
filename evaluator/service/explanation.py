"""Explanation: everything that makes one verdict understood. A value; the command, the API and the console show it.

All times carry the offset of the challenge's zone on that day; money is in minor units of `currency`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter

from evaluator.domain.evidence import Standing
from evaluator.domain.rules import Difficulty, Unique
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.history import OverrideRecord, PostingRecord
from evaluator.service.reasons import Note, NoVerdict


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open interval of the day, in local time and in UTC."""

    start: datetime
    end: datetime
    start_utc: datetime
    end_utc: datetime


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The rules of that day. `difficulties` empty is any; `rest_days` are names, Monday first."""

    min_solves: int
    difficulties: tuple[Difficulty, ...]
    unique: Unique
    rest_days: tuple[str, ...]
    freezes_per_month: int
    penalty_minor: int
    cap_minor: int | None


@dataclass(frozen=True, slots=True)
class SolveSeen:
    """An accepted submission of the day, or one near enough to be taken for one; `note` says what it did."""

    at: datetime
    problem: str
    title: str
    difficulty: Difficulty | None
    counts: bool
    note: Note
    sentence: str
    submission_id: str


@dataclass(frozen=True, slots=True)
class ReplySeen:
    """One answer of LeetCode: it shows what was accepted after `shows_after`, None for everything."""

    at: datetime
    standing: Standing
    rows: int
    shows_after: datetime | None
    contradictory: bool
    sentence: str


def alike(replies: Iterable[ReplySeen]) -> Iterator[Sequence[ReplySeen]]:
    """Those that say the same, one after the other: whoever stays hidden is asked again and again."""
    for _, same in groupby(replies, attrgetter("sentence")):
        yield list(same)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One member's day. Without an evaluation `outcome` is None, and `reason` says why there is none.

    `starts` and `ends` are the challenge's first and last day. `override` is the one in force, `overrides` are all
    there ever were. `next_try` is when a pending day is looked at again by itself.
    """

    challenge: str
    name: str
    handle: str
    day: date
    timezone: str
    starts: date
    ends: date
    outcome: Outcome | None
    reason: Reason | NoVerdict
    sentence: str
    solved: int
    required: int
    provisional: bool
    evaluated_at: datetime | None
    next_try: datetime | None
    error: str | None
    window: Span | None
    rules: RulesInForce
    solves: tuple[SolveSeen, ...]
    observations: tuple[ReplySeen, ...]
    override: OverrideRecord | None
    overrides: tuple[OverrideRecord, ...]
    postings: tuple[PostingRecord, ...]
    posted_minor: int
    total_minor: int
    currency: str | None
    freezes_used: tuple[date, ...]
    current_streak: int
    longest_streak: int
