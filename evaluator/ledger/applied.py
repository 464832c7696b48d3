"""Challenges as apply writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from psycopg.types.multirange import Multirange

from evaluator.domain.challenge import Absence, ChallengeSpec
from evaluator.domain.day import ONE_DAY, Window, ZoneVersion
from evaluator.domain.rules import RulesVersion
from evaluator.ledger.database import Connection
from evaluator.ledger.statements import statements

_SQL = statements("applied")


@dataclass(frozen=True, slots=True)
class Listing:
    """A member with the newest of the stays.

    `listed_at` is the apply that began the stay, None where that was before the challenge began. `removed` says that
    it was ended by an apply whose file did not list the member. Times are seconds since the epoch.
    """

    handle: str
    absences: tuple[Absence, ...]
    stay: int
    listed_at: int | None
    joined: int | None
    left: int | None
    removed: bool


def lock_applies(connection: Connection) -> None:
    """Wait until no other apply is at work; others wait until the transaction ends."""
    connection.execute(_SQL["lock"])


def read_listings(connection: Connection, challenge_id: str) -> dict[str, Listing]:
    """Every member that was ever listed, by what identifies the account."""
    rows = connection.execute(_SQL["listings"], {"id": challenge_id})
    return {key: Listing(handle, _absences(ranges), *stay) for key, handle, ranges, *stay in rows}


def _absences(ranges: Multirange[date] | None) -> tuple[Absence, ...]:
    bounds = ((one.lower, one.upper) for one in ranges or ())
    return tuple(Absence(lower, upper - ONE_DAY) for lower, upper in bounds if lower and upper)


def put_challenge(connection: Connection, spec: ChallengeSpec, now: int) -> None:
    """Write what a challenge has one of; it is created at `now` if it is new."""
    connection.execute(
        _SQL["put_challenge"],
        {
            "id": spec.id,
            "name": spec.name,
            "starts": spec.starts,
            "ends": spec.ends,
            "currency": spec.currency,
            "cancelled": spec.cancelled,
            "now": now,
        },
    )


def put_zones(connection: Connection, challenge_id: str, zones: Iterable[ZoneVersion]) -> None:
    """Write the versions of the zone in place of those that are there."""
    connection.execute(_SQL["forget_zones"], {"id": challenge_id})
    for version in zones:
        values = {"id": challenge_id, "holds_from": version.holds_from, "timezone": version.zone.key}
        connection.execute(_SQL["put_zone"], values)


def put_rules(connection: Connection, challenge_id: str, versions: Iterable[RulesVersion]) -> None:
    """Write the versions of the rules in place of those that are there."""
    connection.execute(_SQL["forget_rules"], {"id": challenge_id})
    for version in versions:
        rules = version.rules
        connection.execute(
            _SQL["put_rules"],
            {
                "id": challenge_id,
                "holds_from": version.holds_from,
                "min_solves": rules.min_solves,
                "difficulties": sorted(rules.difficulties),
                "unique": rules.unique,
                "rest_days": sorted(rules.rest_days),
                "freezes_per_month": rules.freezes_per_month,
                "penalty": rules.penalty,
                "cap": rules.cap,
            },
        )


def lock_listed(connection: Connection, challenge_id: str, keys: Iterable[str], within: Window) -> list[int]:
    """Lock the members of these keys, and those with a pending day that touches `within`; gives their ids."""
    values = {"id": challenge_id, "keys": list(keys), "from": within.start, "to": within.end}
    return [member_id for (member_id,) in connection.execute(_SQL["lock_members"], values)]


def put_listings(connection: Connection, challenge_id: str, listings: Mapping[str, Listing]) -> None:
    """Write members and their newest stays, by what identifies the account."""
    members = list(listings.values())
    of_members = {
        "id": challenge_id,
        "keys": list(listings),
        "handles": [member.handle for member in members],
        "absences": [_ranges(member.absences) for member in members],
    }
    of_stays = {
        "id": challenge_id,
        "keys": list(listings),
        "stays": [member.stay for member in members],
        "listed_at": [member.listed_at for member in members],
        "joined": [member.joined for member in members],
        "left": [member.left for member in members],
        "removed": [member.removed for member in members],
    }
    connection.execute(_SQL["put_members"], of_members)
    connection.execute(_SQL["put_memberships"], of_stays)


def _ranges(absences: Iterable[Absence]) -> str:
    return f"{{{','.join(f'[{absence.first},{absence.last}]' for absence in absences)}}}"


def drop_not_required(connection: Connection, challenge_id: str, members: Sequence[int], ends: date) -> None:
    """Delete what is pending of locked members on days that are no longer required of them; `ends` is the last day."""
    connection.execute(_SQL["drop_not_required"], {"id": challenge_id, "members": list(members), "ends": ends})


def reopen_if_unsettled(connection: Connection, challenge_id: str, *, longer: bool) -> None:
    """A completed challenge that ends later now, or has a day queued anew, is completed no more."""
    connection.execute(_SQL["reopen"], {"id": challenge_id, "longer": longer})
