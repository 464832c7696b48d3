"""What goes into the oracle, a challenge file, an answer, a step, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Absence:
    """Dates of the challenge, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Member:
    """A member as a challenge file lists it; `joined` and `left` are instants, None where the file leaves them out."""

    handle: str
    joined: int | None = None
    left: int | None = None
    absences: tuple[Absence, ...] = ()


@dataclass(frozen=True, slots=True)
class Penalty:
    """Amounts as written in the file, in major units."""

    amount: str
    currency: str
    cap: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """`difficulties` None: any. `unique`: none, day or challenge. `rest_days`: lower-case English weekdays."""

    min_solves: int = 1
    difficulties: tuple[str, ...] | None = None
    unique: str = "day"
    rest_days: tuple[str, ...] = ()
    freezes_per_month: int = 0
    penalty: Penalty | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge of a file."""

    id: str
    timezone: str
    starts: date
    ends: date
    rules: Rules = Rules()
    members: tuple[Member, ...] = ()
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an answer as LeetCode gave it: any JSON value in any place; None where it is null or the key absent."""

    id: object
    slug: object
    timestamp: object


@dataclass(frozen=True, slots=True)
class Answer:
    """What LeetCode said about one handle at one instant.

    `user`: "there", "missing" (matchedUser is null, if with an error then "does not exist"), or "unknown" (not asked).
    `rows`: the recent list as given, None for null. `active`: UTC dates with activity in the calendar, None if it
    was not given. `error`, and then nothing else counts: "alias" (this handle failed with another error), "outage"
    (the request failed as a whole), "internal" (we failed).
    """

    handle: str
    fetched_at: int
    user: str = "there"
    rows: tuple[Row, ...] | None = ()
    active: frozenset[date] | None = frozenset()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Apply:
    """`apply -f FILE`: a file with these challenges; those that it leaves out stay as they are."""

    at: int
    challenges: tuple[Challenge, ...]


@dataclass(frozen=True, slots=True)
class Enqueue:
    """`enqueue [--challenge ID] [--day DAY] [--reevaluate]`, and all that it queues worked off at that instant."""

    at: int
    challenge: str | None = None
    day: date | None = None
    reevaluate: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """`override CHALLENGE HANDLE DAY --outcome O`, or `--clear` where `outcome` is None."""

    at: int
    challenge: str
    handle: str
    day: date
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Sync:
    """`problems sync`: what LeetCode's catalogue holds by now becomes known."""

    at: int


Step = Apply | Enqueue | Override | Sync


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row of `verdicts`."""

    challenge: str
    handle: str
    day: date
    outcome: str
    reason: str
    solved: int
    required: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class Posting:
    """One row of the penalty ledger, in minor units: above zero for a penalty, below for its reversal."""

    challenge: str
    handle: str
    day: date
    minor: int
    currency: str
    at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One row of `standings`; `currency` is None where the challenge never had a penalty."""

    rank: int
    handle: str
    current_streak: int
    longest_streak: int
    penalty_minor: int
    currency: str | None
