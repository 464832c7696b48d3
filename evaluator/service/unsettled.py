"""Unsettled: why a member's day has no evaluation."""

from __future__ import annotations

from evaluator.domain.day import Window
from evaluator.domain.membership import is_required
from evaluator.ledger.runs import RunState
from evaluator.service.place import Place
from evaluator.service.reasons import NoVerdict

Why = tuple[NoVerdict, str]
"""The reason, and the time that its sentence names, in words."""


def why_unsettled(place: Place, run: RunState | None, now: float, settle_delay: float) -> Why:
    """The first reason that applies at `now`; `run` is None where the day has none."""
    challenge, window = place.challenge, place.window
    if not challenge.starts <= place.day <= challenge.ends:
        return NoVerdict.NOT_A_DAY, f"from {challenge.starts} to {challenge.ends}"
    if window is None:
        return NoVerdict.SKIPPED_DATE, ""
    if not is_required(place.member.stays, window):
        return _why_not_required(place, window)
    if challenge.cancelled:
        return NoVerdict.CANCELLED, ""
    if now < window.end:
        return NoVerdict.NOT_OVER, place.told(window.end)
    if now < window.end + settle_delay:
        return NoVerdict.NOT_DUE, place.told(window.end + settle_delay)
    return (NoVerdict.QUEUED if run in {RunState.QUEUED, RunState.OPEN} else NoVerdict.NOT_QUEUED), ""


def _why_not_required(place: Place, window: Window) -> Why:
    first, last = place.member.stays[0], place.member.stays[-1]
    if first.joined is not None and first.joined > window.start:
        return NoVerdict.BEFORE_JOINED, place.told(first.joined)
    if last.left is not None and last.left < window.end:
        return NoVerdict.AFTER_LEFT, place.told(last.left)
    return NoVerdict.BETWEEN_STAYS, ""
