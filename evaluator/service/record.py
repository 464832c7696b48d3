"""Record: what a batch's members are decided by is joined, and they are decided, in one transaction.

Batches of a run that are ready at the same time share it (`group_commit.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from evaluator.correlation import current_id
from evaluator.domain.evidence import Reply, Standing
from evaluator.domain.rules import Unique
from evaluator.ledger.database import Connection, Database
from evaluator.ledger.evaluations import Attempt, Finished, Undecided, hold_challenge, lock_at_once, lock_members
from evaluator.ledger.evidence import NewObservation, read_evidence
from evaluator.leetcode.refusal import Refusal, RefusalKind
from evaluator.service.difficulty import Difficulties, Problems, find_difficulties, turns_on_refused
from evaluator.service.fan_out import SENT_AHEAD
from evaluator.service.finding import Finding, find, known_since
from evaluator.service.group_commit import GroupCommit
from evaluator.service.judge import Day
from evaluator.service.meter import Meter
from evaluator.service.settle import Known, Settled, settle


@dataclass(frozen=True, slots=True)
class Replies:
    """What LeetCode replied, by member; `years` are those whose calendar was asked for."""

    heard: Mapping[int, Reply]
    asked_at: int
    years: Sequence[int]


@dataclass(frozen=True, slots=True)
class Heard:
    """Those `members` of a batch who can be decided, by what is known and what was replied.

    `everybody` says that these are all of it, `last` that nobody is asked about again in this pass.
    """

    attempt: Attempt
    day: Day
    members: Sequence[Undecided]
    replies: Replies
    last: bool
    everybody: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many members were decided, and the errors of those among them that were given up.

    `finished` says that nothing is left to do for the batch, `more` that others of the run wait to be sent, `refusal`
    what LeetCode refused to tell of difficulties.
    """

    members: int
    errors: tuple[str, ...]
    finished: bool
    more: bool
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class _Entry:
    heard: Heard
    difficulties: Difficulties


class Recorder:
    """Records batches, from any number of threads."""

    def __init__(self, database: Database, problems: Problems, meter: Meter) -> None:
        self._database = database
        self._problems = problems
        self._meter = meter
        self._together: GroupCommit[_Entry, Recorded] = GroupCommit(self._record_at_once)

    def record(self, heard: Heard) -> Recorded:
        """Decide members, in a transaction that other threads' batches may share."""
        entry = _Entry(heard, self._difficulties(heard))
        # Near each other, as when they began.
        near = (heard.attempt.run_id, heard.attempt.opened_at, heard.day.rules, heard.attempt.batch // SENT_AHEAD)
        return self._together.perform(near, entry) or self._record_alone(entry)

    def _record_at_once(self, entries: Sequence[_Entry]) -> list[Recorded] | None:
        ids = [member.member_id for entry in entries for member in entry.heard.members]
        with self._meter.recording(), self._database.transaction() as connection:
            goes_on = lock_at_once(connection, ids, entries[0].heard.attempt.challenge_id, current_id())
            if goes_on is None:
                return None
            settled, finished = _settle(connection, entries, goes_on=goes_on)
        return self._shares(entries, settled, finished)

    def _record_alone(self, entry: _Entry) -> Recorded:
        with self._meter.recording(), self._database.transaction() as connection:
            lock_members(connection, [member.member_id for member in entry.heard.members], current_id())
            goes_on = hold_challenge(connection, entry.heard.attempt.challenge_id)
            settled, finished = _settle(connection, [entry], goes_on=goes_on)
        return self._shares([entry], settled, finished)[0]

    def _shares(self, entries: Sequence[_Entry], settled: Settled, finished: Collection[int]) -> list[Recorded]:
        """What of a committed transaction is each batch's."""
        self._meter.recorded((verdict.outcome, verdict.reason) for verdict in settled.verdicts.values())
        left = set(settled.verdicts)
        shares = []
        for heard, refusal in ((entry.heard, entry.difficulties.refusal) for entry in entries):
            # Two messages about one batch may be among them: it is decided once.
            mine = [member.member_id for member in heard.members if member.member_id in left]
            left.difference_update(mine)
            mishaps = tuple(settled.errors[key] for key in mine if key in settled.errors)
            shares.append(Recorded(len(mine), mishaps, heard.attempt.batch in finished, settled.more, refusal))
        return shares

    def _difficulties(self, heard: Heard) -> Difficulties:
        """What is known of the problems solved on the day, where the rules ask how hard they are."""
        if not heard.day.rules.difficulties:
            return Difficulties({})
        with self._database.connection() as connection:
            found = _find(connection, [heard])
        solved = [one.evidence for one in found.values()]
        return find_difficulties(self._database, self._problems, heard.day, solved, heard.attempt.opened_at)


def _settle(connection: Connection, entries: Sequence[_Entry], *, goes_on: bool) -> tuple[Settled, list[int]]:
    """Settle batches of one pass, whose members are locked; of a challenge that no longer `goes_on` only their end.

    Gives which batches are finished, too.
    """
    first = entries[0].heard
    found = _find(connection, [entry.heard for entry in entries]) if goes_on else {}
    errors: dict[int, str] = {}
    unsure: set[int] = set()
    finished: list[int] = []
    for heard, difficulties in ((entry.heard, entry.difficulties) for entry in entries):
        unanswered, waiting = _mishaps(heard, difficulties, found)
        errors |= unanswered
        unsure |= waiting
        if heard.everybody and not waiting:
            finished.append(heard.attempt.batch)
    evidence = {key: one.evidence for key, one in found.items() if key not in unsure}
    observations: list[NewObservation] = [one.new for one in found.values() if one.new is not None]
    known = {slug: level for entry in entries for slug, level in entry.difficulties.known.items()}
    settled = settle(
        connection,
        first.day,
        first.attempt.opened_at,
        Known(evidence, known, errors, observations),
        Finished(first.attempt.run_id, finished),
    )
    return settled, finished


def _mishaps(heard: Heard, difficulties: Difficulties, found: Mapping[int, Finding]) -> tuple[dict[int, str], set[int]]:
    """Why members have no usable reply; and whose verdict waits for a difficulty that LeetCode refused to tell.

    On the last attempt nobody waits.
    """
    errors = {key: reply.detail for key, reply in heard.replies.heard.items() if reply.standing is Standing.UNAVAILABLE}
    refusal = difficulties.refusal
    if refusal is None:
        return errors, set()
    ids = [member.member_id for member in heard.members if member.member_id in found]
    unsure = {key for key in ids if turns_on_refused(heard.day, found[key].evidence, difficulties)}
    if heard.last and not lacks_slot(refusal):
        return errors | dict.fromkeys(unsure, refusal.detail), set()
    return errors, unsure


def _find(connection: Connection, batches: Sequence[Heard]) -> dict[int, Finding]:
    """What is known of members by now; another challenge's batch may have learned more of the same handles."""
    day = batches[0].day
    since: dict[str, int] = {}
    for heard in batches:
        for member in heard.members:
            reply = heard.replies.heard.get(member.member_id)
            since[member.handle_key] = known_since(reply, needed_since(day))
    known = read_evidence(connection, since, day.window.start)
    return {
        member.member_id: find(
            member.handle_key,
            heard.replies.heard.get(member.member_id),
            heard.replies.asked_at,
            heard.replies.years,
            known[member.handle_key],
        )
        for heard in batches
        for member in heard.members
    }


def needed_since(day: Day) -> int:
    """From when on solves bear on the day."""
    return day.counts_from if day.rules.unique is Unique.CHALLENGE else day.window.start


def lacks_slot(refusal: Refusal | None) -> bool:
    return refusal is not None and refusal.kind is RefusalKind.NO_SLOT
