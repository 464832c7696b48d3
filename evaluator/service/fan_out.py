"""Fan out: a run's members into batches, and the first batches into the queue."""

from __future__ import annotations

import structlog
from structlog.contextvars import bind_contextvars

from evaluator.ledger.database import Database
from evaluator.ledger.runs import fan_out_chunk, open_run, take_unsent
from evaluator.service.close import close_if_done
from evaluator.service.outbox import Outbox

_log = structlog.get_logger(__name__)

CHUNK = 10_000
"""Members that one transaction fans out; the first one takes a tenth, so that workers begin at once."""

SENT_AHEAD = 256
"""Batches of one run that are in Redis at a time: enough for every worker, and room for other runs between them."""

SENT_TOGETHER = 16
"""Batches that are sent at a time, by one in so many: a call of Redis for each would cost as much as the pace."""


def fan_out(database: Database, outbox: Outbox, run_id: int, users_per_request: int) -> None:
    """Open a run if it is its turn, and put its members into batches of `users_per_request`.

    Each chunk is one transaction and says where it ended: cut off half-way, a second delivery goes on from there.
    """
    with database.transaction() as connection:
        opened = open_run(connection, run_id)
    if opened:
        bind_contextvars(challenge=opened.challenge_id, day=str(opened.day))
        _log.debug("Run opened", run=run_id)
    done: bool | None = False
    members = max(1, CHUNK // 10)
    while done is False:
        with database.transaction() as connection:
            done = fan_out_chunk(connection, run_id, members, users_per_request)
            unsent = take_unsent(connection, run_id, SENT_AHEAD)
        outbox.send_batches(unsent)
        members = CHUNK
    close_if_done(database, outbox, run_id)


def send_waiting(database: Database, outbox: Outbox, run_id: int) -> int:
    """Send the batches of a run that there is room for; gives how many."""
    with database.connection() as connection:
        unsent = take_unsent(connection, run_id, SENT_AHEAD)
    outbox.send_batches(unsent)
    return len(unsent.numbers)
