"""The deprecated synchronous mode: what is due is settled here and now, one member and one request after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evaluator.ledger.database import Database
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.runs import Batches, Turn, opened_long_ago, sent_long_ago
from evaluator.service.enqueue import Queued, Request, enqueue
from evaluator.service.evaluate import Done, Evaluator, Upstream, retry_delay
from evaluator.service.fan_out import fan_out, send_waiting


@dataclass(frozen=True, slots=True)
class _Batch:
    run_id: int
    number: int


class _Inbox:
    """An outbox whose messages stay here, in order."""

    def __init__(self) -> None:
        self.work: deque[Turn | _Batch] = deque()

    def send_runs(self, turns: Sequence[Turn]) -> None:
        self.work.extend(turns)

    def send_batches(self, batches: Batches, *, delay: float = 0.0) -> None:
        del delay
        self.work.extend(_Batch(batches.run_id, number) for number in batches.numbers)


@dataclass(frozen=True, slots=True)
class Synchronous:
    """Settles without a queue: by the same rules, into the same tables. `sleep` waits for so many seconds."""

    database: Database
    upstream: Upstream
    attempts: int
    backoff: float
    sleep: Callable[[float], None]

    def run(self, request: Request, now: int, settle_delay: float, on_progress: Callable[[int], None]) -> Queued:
        """Settle what is due at `now`, and what was left half-done; `on_progress` hears of members settled."""
        inbox = _Inbox()
        queued = enqueue(self.database, inbox, request, now, settle_delay, EnqueuedBy.COMMAND)
        self._take_over(inbox)
        self._work_off(inbox, on_progress)
        return queued

    def settle(self, turns: Sequence[Turn]) -> None:
        """Settle runs that are queued already."""
        inbox = _Inbox()
        inbox.send_runs(turns)
        self._work_off(inbox, lambda _settled: None)

    def _work_off(self, inbox: _Inbox, on_progress: Callable[[int], None]) -> None:
        evaluator = Evaluator(self.database, inbox, self.upstream, self.attempts)
        while inbox.work:
            work = inbox.work.popleft()
            if isinstance(work, Turn):
                fan_out(self.database, inbox, work.run_id, users_per_request=1)
                continue
            while not isinstance(result := evaluator.evaluate(work.run_id, work.number), Done):
                self.sleep(retry_delay(result, self.backoff))
            on_progress(result.settled)

    def _take_over(self, inbox: _Inbox) -> None:
        """Runs that workers have left open."""
        with self.database.connection() as connection:
            opened = opened_long_ago(connection, 0)
            sent = sent_long_ago(connection, 0)
        for batches in sent:
            inbox.send_batches(batches)
        for run in opened:
            inbox.work.append(run.turn)
            send_waiting(self.database, inbox, run.turn.run_id)
