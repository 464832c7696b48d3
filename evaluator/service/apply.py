"""Apply: the challenges of a file become what the file says, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from evaluator.correlation import current_id
from evaluator.domain.challenge import ChallengeSpec
from evaluator.domain.day import Window
from evaluator.ledger.applied import (
    drop_not_required,
    lock_applies,
    lock_listed,
    put_challenge,
    put_listings,
    put_rules,
    put_zones,
    read_listings,
    reopen_if_unsettled,
)
from evaluator.ledger.challenges import Challenge, Unreadable, read_challenges
from evaluator.ledger.database import Connection, Database
from evaluator.ledger.runs import Turn, next_turns, requeue_between
from evaluator.service.close import complete_if_settled
from evaluator.service.difference import ChallengeChange, Kind
from evaluator.service.plan import Plan, Refusal, plan, refusals

_log = structlog.get_logger(__name__)

_NOTHING = Window(0, 0)


@dataclass(frozen=True, slots=True)
class Applied:
    """What changed, or would change in a dry run, challenge by challenge in the order of the file.

    `turns` are the runs that were queued anew and wait for a worker; who sends them a message spares them waiting
    for the next look at the ledger.
    """

    changes: tuple[ChallengeChange, ...]
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed."""

    refusals: tuple[Refusal, ...]


def apply(database: Database, specs: Sequence[ChallengeSpec], now: int, *, dry_run: bool = False) -> Applied | Refused:
    """Make the challenges what `specs` say at `now`, in one transaction; a dry run only tells what that would change.

    Challenges that `specs` leave out stay as they are. Repeating it changes nothing.
    """
    with database.transaction() as connection:
        lock_applies(connection)
        found = read_challenges(connection, [spec.id for spec in specs])
        stored = {one.id: one for one in found if isinstance(one, Challenge)}
        refused = [Refusal(one.id, "id", str(one)) for one in found if isinstance(one, Unreadable)]
        refused += [refusal for spec in specs for refusal in refusals(spec, stored.get(spec.id), now)]
        if refused:
            return Refused(tuple(refused))
        plans = [plan(spec, stored.get(spec.id), read_listings(connection, spec.id), now) for spec in specs]
        changes = tuple(one.change for one in plans)
        changed = [one for one in plans if one.change.kind is not Kind.UNCHANGED]
        if dry_run or not changed:
            return Applied(changes)
        for one in changed:
            _write(connection, one, now)
        turns = next_turns(connection, [one.spec.id for one in changed])
    for one in changed:
        members = len(one.change.members)
        _log.info("Challenge applied", challenge=one.spec.id, change=one.change.kind, members_changed=members)
    return Applied(changes, tuple(turns))


def _write(connection: Connection, planned: Plan, now: int) -> None:
    """Write one challenge: members, then runs, then the challenge itself, the order in which workers lock them."""
    challenge_id, stored, touched = planned.spec.id, planned.stored, planned.touched
    if stored is None:
        put_challenge(connection, planned.spec, now)
    put_zones(connection, challenge_id, planned.zones)
    put_rules(connection, challenge_id, planned.rules)
    locked = lock_listed(connection, challenge_id, planned.listings, touched or _NOTHING)
    put_listings(connection, challenge_id, planned.listings)
    if stored is None:
        return
    if touched is not None:
        requeue_between(connection, challenge_id, touched.start, touched.end, current_id())
        drop_not_required(connection, challenge_id, locked, planned.spec.ends)
    put_challenge(connection, planned.spec, now)
    reopen_if_unsettled(connection, challenge_id, longer=planned.longer)
    complete_if_settled(connection, challenge_id)
