"""Plan: what an apply makes of one challenge, decided without writing anything (RULES 4, 5 and 19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

from evaluator.domain.challenge import ChallengeSpec
from evaluator.domain.day import ONE_DAY, Calendar, Window, ZoneVersion
from evaluator.domain.rules import RulesVersion
from evaluator.ledger.applied import Listing
from evaluator.ledger.challenges import Challenge
from evaluator.service.difference import ChallengeChange, Kind, compare_challenges, compare_members
from evaluator.service.roster import EVER, changed_listings, hull, touched

_Version = TypeVar("_Version", ZoneVersion, RulesVersion)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a challenge cannot become what its file says; `field` is a path in it, as in `rules.penalty.currency`."""

    challenge: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A challenge after an apply, and `stored` as it was before, None where it is new.

    `spec` names the currency of what was posted, even where the file has no penalty any more. `listings` are those
    that change. What is required may have changed in the seconds of `touched`.
    """

    stored: Challenge | None
    spec: ChallengeSpec
    zones: tuple[ZoneVersion, ...]
    rules: tuple[RulesVersion, ...]
    listings: Mapping[str, Listing]
    touched: Window | None
    change: ChallengeChange

    @property
    def longer(self) -> bool:
        """Whether the challenge ends later than it did."""
        return self.stored is not None and self.spec.ends > self.stored.ends


def has_begun(stored: Challenge | None, now: int) -> bool:
    """Whether the challenge's first day had begun, by the calendar that held before the apply."""
    return stored is not None and now >= stored.calendar.start(stored.starts)


def refusals(spec: ChallengeSpec, stored: Challenge | None, now: int) -> list[Refusal]:
    """What may not change any more."""
    if stored is None or not has_begun(stored, now):
        return []
    found: list[Refusal] = []
    if spec.starts != stored.starts:
        message = (
            f"the challenge began on {stored.starts}, which cannot change any more: write `starts: {stored.starts}`"
        )
        found.append(Refusal(spec.id, "starts", message))
    if stored.currency and spec.currency and spec.currency != stored.currency:
        message = f"the challenge has begun with penalties in {stored.currency}, which cannot become {spec.currency}"
        found.append(Refusal(spec.id, "rules.penalty.currency", message))
    return found


def plan(spec: ChallengeSpec, stored: Challenge | None, listings: Mapping[str, Listing], now: int) -> Plan:
    """What an apply at `now` makes of a challenge that it need not refuse. `listings` are those stored."""
    begun = has_begun(stored, now)
    zones: tuple[ZoneVersion, ...] = ()
    rules: tuple[RulesVersion, ...] = ()
    holds_from: date | None = None
    if stored is not None and begun:
        zones, rules = stored.zones, stored.rules
        holds_from = stored.calendar.date_at(now) + ONE_DAY
        spec = replace(spec, currency=spec.currency or stored.currency)
    zones = _revised(zones, ZoneVersion(holds_from or spec.starts, ZoneInfo(spec.timezone)))
    rules = _revised(rules, RulesVersion(holds_from or spec.starts, spec.rules))
    calendar = Calendar(zones)
    changed = changed_listings(spec.members, listings, now, begun=begun)
    windows = [touched(listings.get(key), listing, calendar) for key, listing in changed.items()]
    windows.append(_touched_by_challenge(spec, stored, calendar))
    return Plan(
        stored=stored,
        spec=spec,
        zones=zones,
        rules=rules,
        listings=changed,
        touched=hull(window for window in windows if window is not None) if begun else None,
        change=_change(spec, stored, holds_from, listings, changed),
    )


def _revised(versions: tuple[_Version, ...], new: _Version) -> tuple[_Version, ...]:
    """The versions when `new` holds from its date on; none is added where the one before it says the same."""
    earlier = [version for version in versions if version.holds_from < new.holds_from]
    if not earlier or replace(earlier[-1], holds_from=new.holds_from) != new:
        earlier.append(new)
    return tuple(earlier)


def _touched_by_challenge(spec: ChallengeSpec, stored: Challenge | None, calendar: Calendar) -> Window | None:
    if stored is None:
        return None
    if stored.cancelled and not spec.cancelled:
        return EVER  # days that were at work when it was cancelled may lack evaluations
    if spec.ends != stored.ends:
        return Window(calendar.start(min(spec.ends, stored.ends) + ONE_DAY), EVER.end)
    return None


def _change(
    spec: ChallengeSpec,
    stored: Challenge | None,
    holds_from: date | None,
    before: Mapping[str, Listing],
    changed: Mapping[str, Listing],
) -> ChallengeChange:
    fields = compare_challenges(_as_listed(stored) if stored else None, spec, holds_from)
    members = tuple(compare_members(before.get(key), listing) for key, listing in changed.items())
    kind = Kind.CHANGED if fields or members else Kind.UNCHANGED
    return ChallengeChange(spec.id, kind if stored else Kind.CREATED, fields, members)


def _as_listed(stored: Challenge) -> ChallengeSpec:
    """A stored challenge as a file would list it, members aside: the versions that were applied last."""
    return ChallengeSpec(
        id=stored.id,
        name=stored.name,
        timezone=stored.timezone,
        starts=stored.starts,
        ends=stored.ends,
        rules=stored.rules[-1].rules,
        currency=stored.currency,
        members=(),
        cancelled=stored.cancelled,
    )
