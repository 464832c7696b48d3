"""The difference that an apply makes, as it is shown to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from evaluator.domain.challenge import WEEKDAYS, ChallengeSpec
from evaluator.domain.money import format_amount
from evaluator.domain.rules import Difficulty
from evaluator.ledger.applied import Listing


class Kind(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class MemberKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    RETURNED = "returned"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Values as a file would have them, None where it would leave them out.

    `holds_from` is the first day on which the new one holds, None where it holds at once.
    """

    field: str
    old: str | None
    new: str | None
    holds_from: date | None = None


@dataclass(frozen=True, slots=True)
class MemberChange:
    handle: str
    kind: MemberKind
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class ChallengeChange:
    challenge: str
    kind: Kind
    fields: tuple[FieldChange, ...]
    members: tuple[MemberChange, ...]


def compare_challenges(
    old: ChallengeSpec | None, new: ChallengeSpec, holds_from: date | None
) -> tuple[FieldChange, ...]:
    """What differs, members aside; `holds_from` is the day from which new rules and zones hold, if not at once."""
    changes = _compare(_challenge_fields(old) if old else {}, _challenge_fields(new))
    return tuple(
        FieldChange(one.field, one.old, one.new, holds_from)
        if one.field == "timezone" or one.field.startswith("rules.")
        else one
        for one in changes
    )


def compare_members(old: Listing | None, new: Listing) -> MemberChange:
    """What differs between two listings that are not equal."""
    if old is None:
        kind = MemberKind.ADDED
    elif new.stay > old.stay:
        kind = MemberKind.RETURNED
    elif new.removed:
        kind = MemberKind.REMOVED
    else:
        kind = MemberKind.CHANGED
    before = _member_fields(old) if old else {"handle": new.handle}
    return MemberChange(new.handle, kind, tuple(_compare(before, _member_fields(new))))


def _compare(old: Mapping[str, str | None], new: Mapping[str, str | None]) -> Iterable[FieldChange]:
    return [FieldChange(field, old.get(field), value) for field, value in new.items() if old.get(field) != value]


def _challenge_fields(spec: ChallengeSpec) -> dict[str, str | None]:
    rules = spec.rules
    return {
        "name": spec.name,
        "timezone": spec.timezone,
        "starts": str(spec.starts),
        "ends": str(spec.ends),
        "cancelled": "true" if spec.cancelled else None,
        "rules.min_solves": str(rules.min_solves),
        "rules.difficulties": ", ".join(one for one in Difficulty if one in rules.difficulties) or None,
        "rules.unique": rules.unique,
        "rules.rest_days": ", ".join(WEEKDAYS[weekday] for weekday in sorted(rules.rest_days)) or None,
        "rules.freezes_per_month": str(rules.freezes_per_month),
        "rules.penalty.amount": format_amount(rules.penalty, spec.currency) if spec.currency else None,
        "rules.penalty.cap": None if rules.cap is None else format_amount(rules.cap, spec.currency),
    }


def _member_fields(listing: Listing) -> dict[str, str | None]:
    return {
        "handle": listing.handle,
        "joined": _instant(listing.joined),
        "left": _instant(listing.left),
        "absences": ", ".join(map(str, listing.absences)) or None,
    }


def _instant(seconds: int | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
