"""Figures of the ledger that are asked for every few seconds; each is one statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from evaluator.domain.day import Calendar, ZoneVersion
from evaluator.domain.verdict import Reason
from evaluator.ledger.challenges import zone_named
from evaluator.ledger.database import Connection
from evaluator.ledger.runs import RunState
from evaluator.ledger.statements import statements

_SQL = statements("figures")


@dataclass(frozen=True, slots=True)
class Ongoing:
    """A challenge that is not cancelled, and is not completed or has work all the same."""

    id: str
    starts: date
    ends: date
    completed: bool
    at_work: bool
    calendar: Calendar


class Unsettled(NamedTuple):
    """Runs of one state: how many, how many are due, how many late, and how many of these no pass has been over."""

    runs: int
    due: int
    late: int
    stuck: int


@dataclass(frozen=True, slots=True)
class AtWork:
    """An open run: `left` of the `total` evaluations of this pass are not done. More come until it is `fanned_out`."""

    challenge: str
    day: date
    fanned_out: bool
    left: int
    total: int


@dataclass(frozen=True, slots=True)
class Pending:
    """Evaluations that were looked at and could not be decided.

    `resting` of them no pass is at work on. `day_end` is the earliest end of their days, None where there are none.
    """

    by_reason: Counter[Reason]
    resting: int
    day_end: int | None


def read_now(connection: Connection) -> float:
    """When the transaction began by Postgres' clock, in seconds since the epoch."""
    return float(_value(connection, _SQL["now"]))


def ongoing_challenges(connection: Connection) -> list[Ongoing]:
    """All but those whose zones cannot be read; every enqueue says of these what is wrong."""
    rows = connection.execute(_SQL["ongoing"])
    return [
        Ongoing(challenge, starts, ends, completed, at_work, calendar)
        for challenge, starts, ends, completed, at_work, zones in rows
        if (calendar := _calendar(zones)) is not None
    ]


@lru_cache(maxsize=1000)
def _calendar(zones: str) -> Calendar | None:
    """The calendar of zones as JSON. Nearly all challenges share one with others, and it remembers its days."""
    try:
        versions = [ZoneVersion(date.fromisoformat(day), zone_named(zone)) for day, zone in orjson.loads(zones)]
    except ValueError:
        return None
    return Calendar(versions) if versions else None


def challenges_over(connection: Connection) -> tuple[int, int]:
    """How many challenges are completed, and how many are cancelled."""
    completed, cancelled = connection.execute(_SQL["over"]).fetchone() or (0, 0)
    return completed, cancelled


def unfinished_challenges(connection: Connection) -> list[str]:
    """The ids of all that are not over, whether they can be read or not."""
    return [challenge for (challenge,) in connection.execute(_SQL["unfinished"])]


def count_members(connection: Connection, challenge_ids: Collection[str], now: float) -> int:
    """Who is in one of these challenges at `now`."""
    return int(_value(connection, _SQL["members"], ids=list(challenge_ids), now=now))


def unsettled_runs(connection: Connection, due: float, late: float) -> dict[RunState, Unsettled]:
    """The runs of each state but `settled`; due are those whose day ended at `due`, or before, late before `late`."""
    rows = connection.execute(_SQL["runs"], {"due": due, "late": late})
    found = {RunState(state): Unsettled(*counts) for state, *counts in rows}
    return {state: found.get(state, Unsettled(0, 0, 0, 0)) for state in RunState if state is not RunState.SETTLED}


def runs_at_work(connection: Connection, limit: int) -> list[AtWork]:
    """The runs that are open, the one opened last first."""
    return [AtWork(*row) for row in connection.execute(_SQL["at_work"], {"limit": limit})]


def queued_since(connection: Connection) -> float | None:
    """When the run was queued that is queued or open for longest, in seconds since the epoch; None: there is none."""
    at: float | None = _value(connection, _SQL["queued_since"])
    return at


def members_to_come(connection: Connection) -> int:
    """How many members' days will still be fanned out by the runs that are queued or open."""
    return int(_value(connection, _SQL["to_come"]))


def decided_early(connection: Connection) -> int:
    """How many members are decided whose batch is to be tried again, for others, and counts them as well."""
    return int(_value(connection, _SQL["decided_early"]))


def read_pending(connection: Connection) -> Pending:
    by_reason: Counter[Reason] = Counter()
    ends: list[int] = []
    resting = 0
    for state, reason, count, day_end in connection.execute(_SQL["pending"]):
        by_reason[Reason(reason)] += count
        ends.append(day_end)
        if state == RunState.PENDING:
            resting += count
    resting += int(_value(connection, _SQL["put_aside"]))
    return Pending(by_reason, resting, min(ends, default=None))


def members_pending(connection: Connection, reasons: Collection[Reason]) -> int:
    """How many members have a day that is pending for one of these reasons."""
    return int(_value(connection, _SQL["members_pending"], reasons=list(reasons)))


def ended_since(connection: Connection, since: float) -> tuple[int, float | None]:
    """Members of batches that ended after `since`, and when the first of these was begun: seconds since the epoch."""
    members, begun = connection.execute(_SQL["ended_since"], {"since": since}).fetchone() or (0, None)
    return members, begun


def last_settled(connection: Connection) -> float | None:
    """When a run was last settled, in seconds since the epoch; None: none is."""
    at: float | None = _value(connection, _SQL["last_settled"])
    return at


def _value(connection: Connection, statement: str, **values: object) -> Any:
    row = connection.execute(statement, values).fetchone()
    return row[0] if row else None
