"""Evaluate: one batch, one request to LeetCode, one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import structlog
from structlog.contextvars import bind_contextvars

from evaluator.correlation import current_id
from evaluator.domain.evidence import Evidence, Reply, Standing
from evaluator.domain.verdict import Outcome, Reason, Verdict, tally
from evaluator.ledger.database import Database
from evaluator.ledger.evaluations import (
    Attempt,
    BegunRow,
    Undecided,
    attempt_of,
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
from evaluator.leetcode.refusal import Refusal
from evaluator.service.close import close_if_done
from evaluator.service.difficulty import Problems
from evaluator.service.fan_out import SENT_AHEAD, SENT_TOGETHER, send_waiting
from evaluator.service.group_commit import GroupCommit
from evaluator.service.judge import Day
from evaluator.service.meter import Meter, Unmeasured
from evaluator.service.outbox import Outbox
from evaluator.service.record import Heard, Recorder, Replies, lacks_slot, needed_since
from evaluator.service.settle import leave_open

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


@dataclass(frozen=True, slots=True)
class _Begun:
    """What came of beginning a batch: None where nothing is to be done."""

    row: BegunRow | None


LONGEST_DELAY = 20.0
"""Seconds that LeetCode or the pacer is believed in at once: when it is back sooner than said, work goes on sooner."""


def retry_delay(result: TryAgain | NotNow, backoff: float) -> float:
    """Seconds until the next try: `backoff` doubled with each attempt, and no less than LeetCode asks for."""
    asked_for = min(result.after or 0.0, LONGEST_DELAY)
    return asked_for if isinstance(result, NotNow) else max(backoff * 2.0 ** (result.attempt - 1), asked_for)


_NOTHING = Answers({}, None, 0)
_LOST = "the worker was lost each time while it settled this member; its logs may tell why"


class Evaluator:
    """Settles batches, in any number of threads."""

    def __init__(
        self, database: Database, outbox: Outbox, upstream: Upstream, attempts: int, meter: Meter | None = None
    ) -> None:
        """`attempts` is how often a batch is tried; `meter` is told what is recorded."""
        self._database = database
        self._outbox = outbox
        self._upstream = upstream
        self._attempts = attempts
        self._meter = meter or Unmeasured()
        self._beginning: GroupCommit[tuple[int, int], _Begun] = GroupCommit(self._begin_together)
        self._recorder = Recorder(database, upstream, self._meter)

    def evaluate(self, run_id: int, batch: int) -> Result:
        """Settle a batch.

        1. Count the attempt, so that a batch that takes its worker down is not tried for ever.
        2. Ask LeetCode, with no transaction open, about those whose verdict needs it.
        3. Decide and record in one transaction everybody with an answer; on the last attempt, everybody.
        4. Send batches that wait for room, or close the run.
        """
        attempt = self._begin(run_id, batch)
        if attempt is None:
            # Done before, it may be by a worker that was lost before it sent others.
            self._go_on(run_id)
            return Done()
        bind_contextvars(challenge=attempt.challenge_id, day=str(attempt.day))
        day = Day(attempt.day, attempt.window, attempt.rules, attempt.counts_from)
        if attempt.number > self._attempts and attempt.members:
            return self._give_up(attempt, day)

        asked = self._to_ask(attempt, day)
        years = sorted({date.year for date in day.window.utc_dates()})
        answers = self._ask([member.handle for member in asked], years, attempt.number)
        last = attempt.number >= self._attempts and not lacks_slot(answers.refusal)
        heard = _heard(asked, answers, last=last)
        waiting = set() if last else {member.member_id for member in asked} - set(heard)
        ready = [member for member in attempt.members if member.member_id not in waiting]
        replies = Replies(heard, answers.asked_at, years)
        recorded = self._recorder.record(Heard(attempt, day, ready, replies, last=last, everybody=not waiting))
        if recorded.finished:
            if not recorded.more:
                close_if_done(self._database, self._outbox, attempt.run_id)
            elif attempt.batch % SENT_TOGETHER == 0 or attempt.number > 1:
                # Of the batches sent together one sends others when it is done. So does one that was held up, by when
                # all those may be done.
                send_waiting(self._database, self._outbox, attempt.run_id)
            return Done(recorded.members, recorded.errors)
        return self._put_off(attempt, answers.refusal or recorded.refusal)

    def _begin(self, run_id: int, batch: int) -> Attempt | None:
        asked = (run_id, batch)
        near = (run_id, batch // SENT_AHEAD)
        begun = self._beginning.perform(near, asked) or self._begin_together([asked])[0]
        # Each thread reads its own: the attempts of all are counted by now, and who fails to read must not begin again.
        return None if begun.row is None else attempt_of(begun.row)

    def _begin_together(self, batches: Sequence[tuple[int, int]]) -> list[_Begun]:
        """Begin batches of one run."""
        numbers = [batch for _, batch in batches]
        with self._database.connection() as connection:
            rows = begin(connection, batches[0][0], numbers)
        return [_Begun(rows.get(batch)) for batch in numbers]

    def _go_on(self, run_id: int) -> None:
        send_waiting(self._database, self._outbox, run_id)
        close_if_done(self._database, self._outbox, run_id)

    def _to_ask(self, attempt: Attempt, day: Day) -> list[Undecided]:
        """Those whose verdict needs an answer: it does not follow from the rules, nor from what is known already."""
        if day.rests:
            return []
        open_cases = [one for one in attempt.members if _is_open(one, reevaluate=attempt.reevaluate)]
        seen_since = [one for one in open_cases if one.seen_since]
        if attempt.reevaluate or not seen_since:
            return open_cases
        with self._database.connection() as connection:
            since = dict.fromkeys((member.handle_key for member in seen_since), needed_since(day))
            known = read_evidence(connection, since, day.window.start)
        enough = {key for key, evidence in known.items() if _is_enough(day, evidence)}
        return [member for member in open_cases if member.handle_key not in enough]

    def _ask(self, handles: Sequence[str], years: Sequence[int], attempt: int) -> Answers:
        """Ask in one request; on a later attempt in two, then four: a member on whom LeetCode fails stands apart."""
        answers = _NOTHING
        size = max(1, ceil(len(handles) / 2 ** (attempt - 1)))
        for start in range(0, len(handles), size):
            part = self._upstream.recent_solves(handles[start : start + size], years)
            # What is fetched in several requests is known as of the first.
            answers = Answers(
                {**answers.replies, **part.replies}, part.refusal or answers.refusal, answers.asked_at or part.asked_at
            )
            if lacks_slot(part.refusal):
                break
        return answers

    def _put_off(self, attempt: Attempt, refusal: Refusal | None) -> Result:
        error = refusal.detail if refusal else "LeetCode answered with an error for some members"
        after = refusal.retry_after if refusal else None
        with self._database.connection() as connection:
            if lacks_slot(refusal):
                give_back(connection, attempt)
                return NotNow(error, after or 1.0)
            await_retry(connection, attempt, error)
        return TryAgain(error, attempt.number, after)

    def _give_up(self, attempt: Attempt, day: Day) -> Result:
        """The worker was lost with every attempt: find the member at fault, or leave it pending if it stands alone."""
        ids = [member.member_id for member in attempt.members]
        _log.warning("Batch given up", run=attempt.run_id, batch=attempt.batch, members=ids)
        left_open: list[Verdict] = []
        with self._database.transaction() as connection:
            if len(ids) > 1:
                split_batch(connection, attempt.run_id, attempt.batch, attempt.day, attempt.opened_at)
            else:
                lock_members(connection, ids, current_id())
                if hold_challenge(connection, attempt.challenge_id):
                    left_open = leave_open(connection, day, attempt.opened_at, ids, _LOST)
            finish(connection, attempt.run_id, attempt.batch)
        self._meter.recorded((verdict.outcome, verdict.reason) for verdict in left_open)
        self._go_on(attempt.run_id)
        return Done(len(left_open), (_LOST,) * len(left_open))


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


def _is_enough(day: Day, evidence: Evidence) -> bool:
    """Whether the verdict follows without another answer, difficulties aside."""
    if evidence.is_complete(day.window):
        return True
    count = tally(day.rules, day.window, day.counts_from, evidence.solves, {})
    return count.solved >= day.rules.min_solves
