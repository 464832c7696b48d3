"""Roster: what an apply makes of a challenge's members (RULES 2 and 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from evaluator.domain.challenge import MemberSpec, handle_key
from evaluator.domain.day import ONE_DAY, Calendar, Window
from evaluator.ledger.applied import Listing

EVER = Window(-(2**62), 2**62)


def changed_listings(
    members: Iterable[MemberSpec], before: Mapping[str, Listing], now: int, *, begun: bool
) -> dict[str, Listing]:
    """The listings that differ after an apply at `now`, by what identifies the account.

    `begun` says whether the challenge had begun before the apply.
    """
    after = {handle_key(member.handle): member for member in members}
    changed: dict[str, Listing] = {}
    for key, member in after.items():
        listing = _listed(member, before.get(key), now, begun=begun)
        if listing != before.get(key):
            changed[key] = listing
    for key, listing in before.items():
        if key not in after and not listing.removed:
            left = now if listing.left is None else min(now, listing.left)
            changed[key] = replace(listing, left=left, removed=True)
    return changed


def _listed(member: MemberSpec, before: Listing | None, now: int, *, begun: bool) -> Listing:
    if before is None:
        stay, listed_at = 1, now if begun else None
    elif _returns(member, before, now):
        stay, listed_at = before.stay + 1, now
    else:
        stay, listed_at = before.stay, before.listed_at
    joined = _joined(member.joined, stay, listed_at)
    return Listing(member.handle, member.absences, stay, listed_at, joined, member.left, removed=False)


def _returns(member: MemberSpec, before: Listing, now: int) -> bool:
    """Whether a member who had left is there again: listed anew, or `left` no longer lies in the past."""
    if before.removed:
        return True
    return before.left is not None and before.left <= now and (member.left is None or member.left > now)


def _joined(joined: int | None, stay: int, listed_at: int | None) -> int | None:
    """The gap before a later stay is never required, whatever the file says of `joined`."""
    if joined is None or listed_at is None:
        return listed_at if joined is None else joined
    return joined if stay == 1 else max(joined, listed_at)


def touched(before: Listing | None, after: Listing, calendar: Calendar) -> Window | None:
    """The seconds in which it may have changed what is required of a member."""
    if before is None or after.stay > before.stay:
        return _between(after.joined, after.left)
    edited = set(before.absences) ^ set(after.absences)
    windows = [Window(calendar.start(one.first), calendar.start(one.last + ONE_DAY)) for one in edited]
    if before.joined != after.joined:
        windows.append(_between(*_ordered(before.joined, after.joined, EVER.start)))
    if before.left != after.left:
        windows.append(_between(*_ordered(before.left, after.left, EVER.end)))
    return hull(windows)


def _between(start: int | None, end: int | None) -> Window:
    return Window(EVER.start if start is None else start, EVER.end if end is None else end)


def _ordered(one: int | None, other: int | None, default: int) -> tuple[int, int]:
    first, second = (default if value is None else value for value in (one, other))
    return min(first, second), max(first, second)


def hull(windows: Iterable[Window]) -> Window | None:
    """The smallest window that holds all of them; None where there is none."""
    found = list(windows)
    return Window(min(one.start for one in found), max(one.end for one in found)) if found else None
