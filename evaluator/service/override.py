"""Override: a person decides a member's day, or takes that back. Both act at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import structlog

from evaluator.correlation import current_id
from evaluator.domain.day import Window
from evaluator.domain.evidence import Evidence
from evaluator.domain.membership import is_required
from evaluator.domain.rules import rules_on
from evaluator.domain.verdict import Outcome
from evaluator.ledger.challenges import Challenge, Member, find_member, read_challenge
from evaluator.ledger.database import Connection, Database
from evaluator.ledger.evaluations import lock_members
from evaluator.ledger.evidence import read_difficulties, read_evidence
from evaluator.ledger.overrides import clear_override, put_evaluation, put_override, run_of
from evaluator.ledger.runs import RunState, insert_runs, lock_run, next_turns, requeue, runs_of, settle_quietly
from evaluator.service.close import finish_challenge
from evaluator.service.judge import Day
from evaluator.service.outbox import Outbox
from evaluator.service.settle import Known, settle
from evaluator.service.unknown import Unknown, unknown_challenge, unknown_member

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MemberDay:
    """Whose day it is about; `handle` in any case."""

    challenge: str
    handle: str
    day: date


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed; `message` is a sentence that says why."""

    message: str


@dataclass(frozen=True, slots=True)
class _Found:
    challenge: Challenge
    member: Member
    window: Window


def override(
    database: Database,
    outbox: Outbox,
    of: MemberDay,
    outcome: Outcome,
    reason: str,
    by: str,
    over_by: float,
) -> Refused | Unknown | None:
    """Decide a day that is required of a member and ended at `over_by` or before."""
    with database.transaction() as connection:
        found = _find(connection, of)
        if not isinstance(found, _Found):
            return found
        lock_members(connection, [found.member.id], current_id())
        run_id = run_of(connection, found.member.id, of.day)
        if run_id is None:
            refused = _why_not(found, of, over_by)
            if refused:
                return refused
            run_id = _put_evaluation(connection, found, of.day)
        put_override(connection, found.member.id, of.day, outcome, reason, by)
        _settle_anew(connection, found, of.day, run_id)
        turns = next_turns(connection, [of.challenge])
    outbox.send_runs(turns)
    _log.info("Override set", challenge=of.challenge, handle=of.handle, day=str(of.day), outcome=outcome, by=by)
    return None


def lift_override(database: Database, outbox: Outbox, of: MemberDay, by: str) -> Refused | Unknown | None:
    """Take an override back: the day is decided by what is known of it, and LeetCode is asked if that is not enough."""
    with database.transaction() as connection:
        found = _find(connection, of)
        if not isinstance(found, _Found):
            return found
        lock_members(connection, [found.member.id], current_id())
        run_id = run_of(connection, found.member.id, of.day)
        if run_id is None or not clear_override(connection, found.member.id, of.day, by):
            return Refused(f"{of.handle} has no override on {of.day} in challenge {of.challenge}")
        if _settle_anew(connection, found, of.day, run_id) is not RunState.SETTLED:
            # A run that is at work may have passed the member over: it gets a further pass.
            requeue(connection, [run_id], "pending", current_id())
        turns = next_turns(connection, [of.challenge])
    outbox.send_runs(turns)
    _log.info("Override cleared", challenge=of.challenge, handle=of.handle, day=str(of.day), by=by)
    return None


def _find(connection: Connection, of: MemberDay) -> _Found | Refused | Unknown:
    challenge = read_challenge(connection, of.challenge)
    if challenge is None:
        return unknown_challenge(of.challenge)
    if challenge.cancelled:
        return Refused(
            f"challenge {of.challenge} is cancelled: its days stay as they are, unless its file takes that back"
        )
    member = find_member(connection, of.challenge, of.handle)
    if member is None:
        return unknown_member(of.challenge, of.handle)
    window = challenge.calendar.window(of.day)
    if window is None or not challenge.starts <= of.day <= challenge.ends:
        return Refused(f"{of.day} is not a day of challenge {of.challenge}, {challenge.starts} to {challenge.ends}")
    return _Found(challenge, member, window)


def _why_not(found: _Found, of: MemberDay, over_by: float) -> Refused | None:
    if not is_required(found.member.stays, found.window):
        return Refused(f"{of.day} is not required of {of.handle}, who joined later or left before it was over")
    if found.window.end > over_by:
        return Refused(
            f"{of.day} is not due yet in {found.challenge.timezone}; override it once it is, or plan an absence"
        )
    return None


def _put_evaluation(connection: Connection, found: _Found, day: date) -> int:
    """A row for the day, and its run if nobody has queued that yet."""
    challenge = found.challenge
    counts_from = challenge.calendar.start(challenge.starts)
    insert_runs(connection, challenge.id, {day: found.window}, counts_from, current_id())
    run_id = runs_of(connection, [challenge.id])[challenge.id][day].id
    lock_run(connection, run_id)
    put_evaluation(connection, found.member.id, day, run_id)
    return run_id


def _settle_anew(connection: Connection, found: _Found, day: date, run_id: int) -> RunState | None:
    """Decide the day by what is known; gives the state of its run if that is not at work anyway."""
    challenge, member = found.challenge, found.member
    counts_from = challenge.calendar.start(challenge.starts)
    judged = Day(day, found.window, rules_on(challenge.rules, day), counts_from)
    key = member.handle_key
    lock_run(connection, run_id)
    evidence: Evidence = read_evidence(connection, {key: counts_from}, found.window.start)[key]
    difficulties = read_difficulties(connection, sorted({solve.slug for solve in evidence.solves}))
    settle(connection, judged, None, Known({member.id: evidence}, difficulties))
    closed = settle_quietly(connection, run_id)
    if closed is None:
        return None
    finish_challenge(connection, closed)
    return closed.state
