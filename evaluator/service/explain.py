"""Explain: gather everything that makes one member's day understood."""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import UTC, date, datetime

from evaluator.domain.rules import Difficulty, Rules
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger import history
from evaluator.ledger.challenges import find_member, read_challenge
from evaluator.ledger.database import Connection
from evaluator.ledger.history import DayRecord, OverrideRecord
from evaluator.ledger.runs import RunState
from evaluator.service.exhibits import replies_shown, solves_shown
from evaluator.service.explanation import Explanation, RulesInForce, Span
from evaluator.service.place import Place
from evaluator.service.reasons import NoVerdict, Particulars, sentence
from evaluator.service.unknown import Unknown, unknown_challenge, unknown_member
from evaluator.service.unsettled import why_unsettled


def explain(
    connection: Connection, challenge_id: str, handle: str, day: date, now: int, settle_delay: float
) -> Explanation | Unknown:
    """Why the day of a member is what it is at `now`, or why nothing is said of it. Changes nothing.

    A day is due `settle_delay` seconds after its end.
    """
    challenge = read_challenge(connection, challenge_id)
    if challenge is None:
        return unknown_challenge(challenge_id)
    member = find_member(connection, challenge_id, handle)
    if member is None:
        return unknown_member(challenge_id, handle)
    place = Place(challenge, member, day)
    record = history.read_day(connection, challenge_id, member.id, day)
    overrides = _overrides(connection, place)
    reason, said = _why(place, record, overrides, now, settle_delay)
    evaluation = record.evaluation if record else None
    rules = place.rules
    postings = history.read_postings(connection, member.id, day)
    streak = history.read_streak(connection, member.id)
    return Explanation(
        challenge.id,
        challenge.name,
        member.handle,
        day,
        place.zone.key,
        challenge.starts,
        challenge.ends,
        outcome=evaluation.outcome if evaluation else None,
        reason=reason,
        sentence=said,
        solved=evaluation.solved if evaluation else 0,
        required=evaluation.required if evaluation and evaluation.evaluated_at else rules.min_solves,
        provisional=evaluation is not None and evaluation.provisional,
        evaluated_at=place.local(evaluation.evaluated_at) if evaluation and evaluation.evaluated_at else None,
        next_try=_next_try(place, record),
        error=evaluation.error if evaluation else None,
        window=_span(place),
        rules=_in_force(rules),
        solves=solves_shown(connection, place, evaluation),
        observations=replies_shown(connection, place, evaluation, now),
        override=next((one for one in overrides if one.cleared_at is None), None),
        overrides=overrides,
        postings=tuple(replace(one, posted_at=place.local(one.posted_at)) for one in postings),
        posted_minor=sum(one.amount for one in postings),
        total_minor=history.read_total(connection, member.id),
        currency=challenge.currency,
        freezes_used=tuple(history.read_freezes(connection, member.id, day)),
        current_streak=streak.current,
        longest_streak=streak.longest,
    )


def _overrides(connection: Connection, place: Place) -> tuple[OverrideRecord, ...]:
    return tuple(
        replace(one, set_at=place.local(one.set_at), cleared_at=one.cleared_at and place.local(one.cleared_at))
        for one in history.read_overrides(connection, place.member.id, place.day)
    )


def _why(
    place: Place, record: DayRecord | None, overrides: tuple[OverrideRecord, ...], now: int, settle_delay: float
) -> tuple[Reason | NoVerdict, str]:
    """The reason and its sentence."""
    evaluation = record.evaluation if record else None
    particulars = Particulars(place.challenge.id, place.member.handle, place.day.isoformat(), place.zone.key)
    if evaluation is None:
        reason, when = why_unsettled(place, record.state if record else None, now, settle_delay)
        return reason, sentence(reason, replace(particulars, when=when))
    next_try = _next_try(place, record)
    particulars = replace(
        particulars,
        solved=evaluation.solved,
        required=evaluation.required,
        outcome=evaluation.outcome,
        decided=overrides[0].reason if overrides else "",
        when=f", next at {place.told(next_try.timestamp())}" if next_try else "",
        cancelled=place.challenge.cancelled,
    )
    return evaluation.reason, sentence(evaluation.reason, particulars)


def _next_try(place: Place, record: DayRecord | None) -> datetime | None:
    """When a day that is pending is looked at again."""
    if place.challenge.cancelled or record is None or record.evaluation is None:
        return None
    if record.evaluation.outcome is not Outcome.PENDING:
        return None
    return place.local(record.retry_at) if record.retry_at and record.state is RunState.PENDING else None


def _span(place: Place) -> Span | None:
    window = place.window
    if window is None:
        return None
    start, end = place.at(window.start), place.at(window.end)
    return Span(start, end, start.astimezone(UTC), end.astimezone(UTC))


def _in_force(rules: Rules) -> RulesInForce:
    return RulesInForce(
        rules.min_solves,
        tuple(one for one in Difficulty if one in rules.difficulties),
        rules.unique,
        tuple(calendar.day_name[weekday].lower() for weekday in sorted(rules.rest_days)),
        rules.freezes_per_month,
        rules.penalty,
        rules.cap,
    )
