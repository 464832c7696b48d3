"""Challenges as the ledger holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
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
class Unreadable:
    """A challenge whose stored rows make no sense here; `why` is for people."""

    id: str
    cancelled: bool
    completed: bool
    why: str

    def __str__(self) -> str:
        """What is wrong, where, and what to do."""
        return (
            f"challenge {self.id}: what is stored of it cannot be read ({self.why}); "
            "correct its rows in the tables timezones and rules"
        )


class UnreadableError(Exception):
    """A challenge that was asked for is unreadable; the message says what is wrong, where, and what to do."""


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


def read_challenges(connection: Connection, ids: Sequence[str] | None = None) -> list[Challenge | Unreadable]:
    """Challenges in order of their ids; those of `ids` that exist, or all."""
    heads = connection.execute(_SQL["read"], {"ids": list(ids) if ids is not None else None}).fetchall()
    found = {"ids": [head[0] for head in heads]}
    zones: dict[str, list[Any]] = {}
    for challenge_id, *zone in connection.execute(_SQL["timezones"], found):
        zones.setdefault(challenge_id, []).append(zone)
    rules: dict[str, list[Any]] = {}
    for challenge_id, *version in connection.execute(_SQL["rules"], found):
        rules.setdefault(challenge_id, []).append(version)
    return [_challenge(head, zones.get(head[0], []), rules.get(head[0], [])) for head in heads]


def _challenge(head: Sequence[Any], zones: Sequence[Any], rules: Sequence[Any]) -> Challenge | Unreadable:
    """The rows of one challenge as a value; whatever is wrong with them is no other's trouble."""
    challenge_id, name, starts, ends, currency, cancelled, completed = head
    try:
        if not (zones and rules):
            raise ValueError("it has no rules" if zones else "it has no time zone")  # noqa: TRY301  # one way out
        return Challenge(
            challenge_id,
            name,
            starts,
            ends,
            currency,
            cancelled,
            completed,
            tuple([ZoneVersion(holds_from, zone_named(timezone)) for holds_from, timezone in zones]),
            tuple([RulesVersion(holds_from, rules_row(*values)) for holds_from, *values in rules]),
        )
    except ValueError as error:
        return Unreadable(challenge_id, cancelled, completed, str(error))


def zone_named(name: str) -> ZoneInfo:
    """A time zone. Raises ValueError, with a message for people."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"this machine knows no time zone {name!r}") from None


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
    """A challenge, None where there is none of that id. Raises UnreadableError."""
    for found in read_challenges(connection, [challenge_id]):
        if isinstance(found, Unreadable):
            raise UnreadableError(str(found))
        return found
    return None


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
