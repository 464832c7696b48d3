"""Reconcile: what was lost between the ledger and the queue is put right. Costs by what is under way, not by all."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import structlog

from evaluator.ledger.challenges import UnreadableError
from evaluator.ledger.database import Database
from evaluator.ledger.jobs import is_paused
from evaluator.ledger.runs import (
    next_turns,
    opened_long_ago,
    requeue,
    retry_due,
    sent_long_ago,
)
from evaluator.service.close import close_if_done
from evaluator.service.fan_out import send_waiting
from evaluator.service.outbox import TrackedOutbox

_log = structlog.get_logger(__name__)

GRACE = 5.0
"""Seconds in which a message may be on its way before anyone asks where it is."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many messages were sent again, pending runs were queued again, and runs were closed late."""

    runs_resent: int = 0
    batches_resent: int = 0
    runs_retried: int = 0
    runs_closed: int = 0

    @property
    def anything(self) -> bool:
        return any(asdict(self).values())


def reconcile(database: Database, outbox: TrackedOutbox) -> Reconciled:
    """One look at everything that is under way. Harmless when repeated, or done by several at once."""
    with database.transaction() as connection:
        if is_paused(connection):
            return Reconciled()
        requeued = requeue(connection, retry_due(connection), "pending")
        sent = sent_long_ago(connection, GRACE)
        opened = opened_long_ago(connection, GRACE)
        turns = next_turns(connection)
    batches_resent = 0
    for batches in sent:
        missing = outbox.missing_batches(batches)
        outbox.send_batches(batches._replace(numbers=missing))
        batches_resent += len(missing)
    closed = 0
    for run in opened:
        if run.has_unsent:  # its worker was lost before it sent what it made room for
            batches_resent += send_waiting(database, outbox, run.turn.run_id)
        if run.fanned_out and not run.has_work:
            closed += _close(database, outbox, run.turn.run_id)
    lost = outbox.missing_runs([*turns, *(run.turn for run in opened if not run.fanned_out)])
    outbox.send_runs(lost)
    done = Reconciled(len(lost), batches_resent, len(requeued), closed)
    if done.anything:
        _log.info("Reconciled", **asdict(done))
    return done


def _close(database: Database, outbox: TrackedOutbox, run_id: int) -> bool:
    """End the pass of a run; that of a challenge that can't be read stays open, and keeps no other from its end."""
    try:
        return close_if_done(database, outbox, run_id)
    except UnreadableError as error:
        _log.error("Run cannot be closed", run=run_id, why=str(error))
        return False
