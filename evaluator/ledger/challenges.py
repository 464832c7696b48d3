"""Challenges as the ledger holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from evaluator.domain.challenge import handle_key
from evaluator.domain.day import Calendar, ZoneVersion
from evaluator.domain.membership import Membership
from evaluator.domain.rules import Difficulty, Rules, RulesVersion, Unique
from evaluator.ledger.database import Connection
from evaluator.ledger.statements import statements

_SQL = statements("challenges")


@dataclass(frozen=True)
class Challenge:
    """A challenge with every version of its rules and zones."""

    id: str
    name: str
    starts: date
    ends: date
    currency: str | None
    cancelled: bool
    completed: bool
    zones: tuple[ZoneVersion, ...]
    rules: tuple[RulesVersion, ...]

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar(self.zones)

    @property
    def timezone(self) -> str:
        """The zone as last applied."""
        return self.zones[-1].zone.key


@dataclass(frozen=True, slots=True)
class Overview:
    """A challenge in a list: `days_settled` runs are over, `pending` evaluations wait for proof."""

    id: str
    name: str
    starts: date
    ends: date
    currency: str | None
    cancelled: bool
    completed: bool
    timezone: str
    members: int
    days_settled: int
    pending: int


@dataclass(frozen=True, slots=True)
class Member:
    id: int
    handle: str
    handle_key: str
    stays: tuple[Membership, ...]


def read_challenges(connection: Connection, ids: Sequence[str] | None = None) -> list[Challenge]:
    """Challenges in order of their ids; those of `ids` that exist, or all."""
    heads = connection.execute(_SQL["read"], {"ids": list(ids) if ids is not None else None}).fetchall()
    found = {"ids": [head[0] for head in heads]}
    zones: dict[str, list[ZoneVersion]] = {}
    for challenge_id, holds_from, timezone in connection.execute(_SQL["timezones"], found):
        zones.setdefault(challenge_id, []).append(ZoneVersion(holds_from, ZoneInfo(timezone)))
    rules: dict[str, list[RulesVersion]] = {}
    for challenge_id, holds_from, *values in connection.execute(_SQL["rules"], found):
        rules.setdefault(challenge_id, []).append(RulesVersion(holds_from, rules_row(*values)))
    return [
        Challenge(
            challenge_id,
            name,
            starts,
            ends,
            currency,
            cancelled,
            completed,
            tuple(zones[challenge_id]),
            tuple(rules[challenge_id]),
        )
        for challenge_id, name, starts, ends, currency, cancelled, completed in heads
    ]


def rules_row(
    min_solves: int,
    difficulties: Iterable[str],
    unique: str,
    rest_days: Iterable[int],
    freezes_per_month: int,
    penalty: int,
    cap: int | None,
) -> Rules:
    """The columns of the rules as a value."""
    return Rules(
        min_solves,
        frozenset(map(Difficulty, difficulties)),
        Unique(unique),
        frozenset(rest_days),
        freezes_per_month,
        penalty,
        cap,
    )


def read_challenge(connection: Connection, challenge_id: str) -> Challenge | None:
    found = read_challenges(connection, [challenge_id])
    return found[0] if found else None


def overviews(connection: Connection, ids: Sequence[str] | None = None) -> list[Overview]:
    rows = connection.execute(_SQL["overview"], {"ids": list(ids) if ids is not None else None})
    return [Overview(*row) for row in rows]


def find_member(connection: Connection, challenge_id: str, handle: str) -> Member | None:
    """A member by handle, in any case, with every stay."""
    row = connection.execute(_SQL["member"], {"id": challenge_id, "key": handle_key(handle)}).fetchone()
    if row is None:
        return None
    stays = connection.execute(_SQL["stays"], {"id": challenge_id, "member_id": row[0]})
    return Member(row[0], row[1], handle_key(handle), tuple(Membership(joined, left) for joined, left in stays))


def complete_challenge(connection: Connection, challenge_id: str, days: int) -> bool:
    """Close a challenge of `days` days, if all of them are settled; whether it was closed now."""
    return connection.execute(_SQL["complete"], {"id": challenge_id, "days": days}).fetchone() is not None


def reopen_challenge(connection: Connection, challenge_id: str) -> None:
    """A day of the challenge is pending again, so it is not completed."""
    connection.execute(_SQL["reopen"], {"id": challenge_id})
