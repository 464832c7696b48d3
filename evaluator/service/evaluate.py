"""Evaluate: one batch, one request to LeetCode, one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import structlog

from evaluator.domain.evidence import Evidence, Reply, Standing
from evaluator.domain.rules import Unique
from evaluator.domain.verdict import Outcome, Reason, tally
from evaluator.ledger.database import Connection, Database
from evaluator.ledger.evaluations import (
    Attempt,
    Undecided,
    await_retry,
    begin,
    finish,
    give_back,
    hold_challenge,
    lock_members,
)
from evaluator.ledger.evidence import read_evidence
from evaluator.ledger.runs import split_batch
from evaluator.leetcode.client import Answers
from evaluator.leetcode.refusal import Refusal, RefusalKind
from evaluator.service.close import close_if_done
from evaluator.service.difficulty import Difficulties, Problems, find_difficulties, turns_on_refused
from evaluator.service.fan_out import SENT_TOGETHER, send_waiting
from evaluator.service.finding import Finding, find, known_since
from evaluator.service.judge import Day
from evaluator.service.outbox import Outbox
from evaluator.service.settle import Known, Settled, leave_open, settle

_log = structlog.get_logger(__name__)


class Upstream(Problems, Protocol):
    """Who knows what a handle solved, and how hard a problem is."""

    def recent_solves(self, handles: Sequence[str], years: Sequence[int]) -> Answers: ...


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do for this message; it decided `settled` members.

    `errors` are of those that were given up, which stay pending as failed jobs.
    """

    settled: int = 0
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Some members have no answer yet, and this attempt counts. LeetCode may have asked to wait `after` seconds."""

    why: str
    attempt: int
    after: float | None = None


@dataclass(frozen=True, slots=True)
class NotNow:
    """No request could be made within reason, and the attempt does not count. Ask again in `after` seconds."""

    why: str
    after: float


Result = Done | TryAgain | NotNow

LONGEST_DELAY = 20.0
"""Seconds that LeetCode or the pacer is believed in at once: when it is back sooner than said, work goes on sooner."""


def retry_delay(result: TryAgain | NotNow, backoff: float) -> float:
    """Seconds until the next try: `backoff` doubled with each attempt, and no less than LeetCode asks for."""
    asked_for = min(result.after or 0.0, LONGEST_DELAY)
    return asked_for if isinstance(result, NotNow) else max(backoff * 2.0 ** (result.attempt - 1), asked_for)


_NOTHING = Answers({}, None, 0)
_LOST = "the worker was lost each time while it settled this member; its logs may tell why"


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Settles batches; what it needs from outside is given to it. `attempts` is how often a batch is tried."""

    database: Database
    outbox: Outbox
    upstream: Upstream
    attempts: int

    def evaluate(self, run_id: int, batch: int) -> Result:
        """Settle a batch.

        1. Count the attempt, so that a batch that takes its worker down is not tried for ever.
        2. Ask LeetCode, with no transaction open, about those whose verdict needs it.
        3. Decide and record in one transaction everybody with an answer; on the last attempt, everybody.
        4. Send batches that wait for room, or close the run.
        """
        with self.database.connection() as connection:
            attempt = begin(connection, run_id, batch)
        if attempt is None:
            # Done before, it may be by a worker that was lost before it sent others.
            self._go_on(run_id)
            return Done()
        day = Day(attempt.day, attempt.window, attempt.rules, attempt.counts_from)
        if attempt.number > self.attempts and attempt.members:
            return self._give_up(attempt, day)

        asked = self._to_ask(attempt, day)
        years = sorted({date.year for date in day.window.utc_dates()})
        answers = self._ask([member.handle for member in asked], years, attempt.number)
        last = attempt.number >= self.attempts and not _lacks_slot(answers.refusal)
        heard = _heard(asked, answers, last=last)
        waiting = set() if last else {member.member_id for member in asked} - set(heard)
        ready = [member for member in attempt.members if member.member_id not in waiting]
        replies = _Replies(heard, answers.asked_at, years)
        recorded = self._record(attempt, day, ready, replies, last=last, everybody=not waiting)
        if recorded.finished:
            if not recorded.settled.more:
                close_if_done(self.database, self.outbox, attempt.run_id)
            elif attempt.batch % SENT_TOGETHER == 0 or attempt.number > 1:
                # Of the batches sent together one sends others when it is done. So does one that was held up, by when
                # all those may be done.
                send_waiting(self.database, self.outbox, attempt.run_id)
            return Done(recorded.settled.members, recorded.settled.errors)
        return self._put_off(attempt, answers.refusal or recorded.refusal)

    def _go_on(self, run_id: int) -> None:
        send_waiting(self.database, self.outbox, run_id)
        close_if_done(self.database, self.outbox, run_id)

    def _to_ask(self, attempt: Attempt, day: Day) -> list[Undecided]:
        """Those whose verdict needs an answer: it does not follow from the rules, nor from what is known already."""
        if day.rests:
            return []
        open_cases = [one for one in attempt.members if _is_open(one, reevaluate=attempt.reevaluate)]
        seen_since = [one for one in open_cases if one.seen_since]
        if attempt.reevaluate or not seen_since:
            return open_cases
        with self.database.connection() as connection:
            since = dict.fromkeys((member.handle_key for member in seen_since), _needed_since(day))
            known = read_evidence(connection, since, day.window.start)
        enough = {key for key, evidence in known.items() if _is_enough(day, evidence)}
        return [member for member in open_cases if member.handle_key not in enough]

    def _ask(self, handles: Sequence[str], years: Sequence[int], attempt: int) -> Answers:
        """Ask in one request; on a later attempt in two, then four: a member on whom LeetCode fails stands apart."""
        answers = _NOTHING
        size = max(1, ceil(len(handles) / 2 ** (attempt - 1)))
        for start in range(0, len(handles), size):
            part = self.upstream.recent_solves(handles[start : start + size], years)
            # What is fetched in several requests is known as of the first.
            answers = Answers(
                {**answers.replies, **part.replies}, part.refusal or answers.refusal, answers.asked_at or part.asked_at
            )
            if _lacks_slot(part.refusal):
                break
        return answers

    def _record(
        self,
        attempt: Attempt,
        day: Day,
        members: Sequence[Undecided],
        replies: _Replies,
        *,
        last: bool,
        everybody: bool,
    ) -> _Recorded:
        """Decide members by what is known and what was replied; the batch is finished if that is `everybody`.

        Where LeetCode refuses to tell a difficulty that matters, those members wait, unless this is the `last` attempt.
        """
        difficulties = self._difficulties(attempt, day, members, replies)
        refusal, errors, unsure = difficulties.refusal, replies.errors, set[int]()
        with self.database.transaction() as connection:
            lock_members(connection, [member.member_id for member in members])
            goes_on = hold_challenge(connection, attempt.challenge_id)
            found = _find(connection, day, members, replies)
            if refusal is not None:
                unsure = {key for key, one in found.items() if turns_on_refused(day, one.evidence, difficulties)}
            if refusal is not None and last and not _lacks_slot(refusal):
                errors |= dict.fromkeys(unsure, refusal.detail)
                unsure.clear()
            if not goes_on:
                found.clear()
            evidence = {key: one.evidence for key, one in found.items() if key not in unsure}
            observations = [one.new for one in found.values() if one.new is not None]
            finishes = attempt if everybody and not unsure else None
            known = Known(evidence, difficulties.known, errors, observations)
            settled = settle(connection, day, attempt.opened_at, known, finishes)
        return _Recorded(settled, finishes is not None, refusal)

    def _difficulties(
        self, attempt: Attempt, day: Day, members: Sequence[Undecided], replies: _Replies
    ) -> Difficulties:
        """What is known of the problems solved on the day, where the rules ask how hard they are."""
        if not day.rules.difficulties:
            return Difficulties({})
        with self.database.connection() as connection:
            found = _find(connection, day, members, replies)
        solved = [one.evidence for one in found.values()]
        return find_difficulties(self.database, self.upstream, day, solved, attempt.opened_at)

    def _put_off(self, attempt: Attempt, refusal: Refusal | None) -> Result:
        error = refusal.detail if refusal else "LeetCode answered with an error for some members"
        after = refusal.retry_after if refusal else None
        with self.database.connection() as connection:
            if _lacks_slot(refusal):
                give_back(connection, attempt)
                return NotNow(error, after or 1.0)
            await_retry(connection, attempt, error)
        return TryAgain(error, attempt.number, after)

    def _give_up(self, attempt: Attempt, day: Day) -> Result:
        """The worker was lost with every attempt: find the member at fault, or leave it pending if it stands alone."""
        ids = [member.member_id for member in attempt.members]
        _log.warning("Batch given up", run_id=attempt.run_id, batch=attempt.batch, members=ids)
        left_open = 0
        with self.database.transaction() as connection:
            if len(ids) > 1:
                split_batch(connection, attempt.run_id, attempt.batch, attempt.day, attempt.opened_at)
            else:
                lock_members(connection, ids)
                if hold_challenge(connection, attempt.challenge_id):
                    left_open = leave_open(connection, day, attempt.opened_at, ids, _LOST)
            finish(connection, attempt.run_id, attempt.batch)
        self._go_on(attempt.run_id)
        return Done(left_open, (_LOST,) * left_open)


@dataclass(frozen=True, slots=True)
class _Replies:
    """What LeetCode replied, by member; `years` are those whose calendar was asked for."""

    heard: Mapping[int, Reply]
    asked_at: int
    years: Sequence[int]

    @property
    def errors(self) -> dict[int, str]:
        """Why members have no usable reply."""
        return {key: reply.detail for key, reply in self.heard.items() if reply.standing is Standing.UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class _Recorded:
    """Who was decided, whether the batch is finished, and what LeetCode refused to tell."""

    settled: Settled
    finished: bool
    refusal: Refusal | None


def _find(connection: Connection, day: Day, members: Sequence[Undecided], replies: _Replies) -> dict[int, Finding]:
    """What is known of members by now; another challenge's batch may have learned more of the same handles."""
    by_key = {member.handle_key: replies.heard.get(member.member_id) for member in members}
    since = {key: known_since(reply, _needed_since(day)) for key, reply in by_key.items()}
    known = read_evidence(connection, since, day.window.start)
    return {
        member.member_id: find(
            member.handle_key, by_key[member.handle_key], replies.asked_at, replies.years, known[member.handle_key]
        )
        for member in members
    }


def _heard(asked: Sequence[Undecided], answers: Answers, *, last: bool) -> dict[int, Reply]:
    """The usable replies, by member. When there is no other attempt, a missing one is a reply that says why."""
    why = answers.refusal.detail if answers.refusal else "LeetCode gave no answer"
    heard: dict[int, Reply] = {}
    for member in asked:
        reply = answers.replies.get(member.handle) or Reply(member.handle, Standing.UNAVAILABLE, detail=why)
        if last or reply.standing is not Standing.UNAVAILABLE:
            heard[member.member_id] = reply
    return heard


def _is_open(member: Undecided, *, reevaluate: bool) -> bool:
    """Whether LeetCode's answer bears on the day.

    It does on an overridden day that is evaluated again, for when the override is cleared; and on a day that was
    settled before an absence was added.
    """
    if member.override is not None:
        return reevaluate
    return not member.absent or not (member.outcome is Outcome.PENDING or member.reason is Reason.ABSENCE)


def _lacks_slot(refusal: Refusal | None) -> bool:
    return refusal is not None and refusal.kind is RefusalKind.NO_SLOT


def _needed_since(day: Day) -> int:
    """From when on solves bear on the day."""
    return day.counts_from if day.rules.unique is Unique.CHALLENGE else day.window.start


def _is_enough(day: Day, evidence: Evidence) -> bool:
    """Whether the verdict follows without another answer, difficulties aside."""
    if evidence.is_complete(day.window):
        return True
    count = tally(day.rules, day.window, day.counts_from, evidence.solves, {})
    return count.solved >= day.rules.min_solves
