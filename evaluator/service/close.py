"""Close: the last batch of a pass ends its run; the last run ends its challenge."""

from __future__ import annotations

from dataclasses import asdict

import structlog

from evaluator.domain.day import days_between
from evaluator.ledger.challenges import Challenge, complete_challenge, read_challenge, reopen_challenge
from evaluator.ledger.database import Connection, Database
from evaluator.ledger.runs import ClosedRun, RunState, close_run, is_done, next_turns, tally_run
from evaluator.service.outbox import Outbox

_log = structlog.get_logger(__name__)


def close_if_done(database: Database, outbox: Outbox, run_id: int) -> bool:
    """End the pass of a run that has no work left, and wake the challenge's next day; whether it ended now.

    Runs after a batch is committed: of several batches that finish at once, the last sees all the others.
    """
    with database.connection() as connection:
        if not is_done(connection, run_id):
            return False
        with connection.transaction():
            closed = close_run(connection, run_id)
            if closed is None:
                return False  # another batch was as late, and was first here
            tally = tally_run(connection, run_id)
            finish_challenge(connection, closed)
            turns = next_turns(connection, [closed.challenge_id])
    _log.info(
        "Run closed",
        run=run_id,
        challenge=closed.challenge_id,
        day=str(closed.day),
        state=closed.state,
        **asdict(tally) | {"seconds": round(tally.seconds, 3)},
    )
    outbox.send_runs(turns)
    return True


def finish_challenge(connection: Connection, closed: ClosedRun) -> None:
    """Complete the challenge whose last pending day has just been settled; reopen one with a day that is not."""
    if closed.state is not RunState.SETTLED:
        reopen_challenge(connection, closed.challenge_id)
        return
    complete_if_settled(connection, closed.challenge_id)


def complete_if_settled(connection: Connection, challenge_id: str) -> None:
    """Complete a challenge whose every day up to its end is settled."""
    challenge = read_challenge(connection, challenge_id)
    if challenge is not None and complete_challenge(connection, challenge.id, _days_of(challenge)):
        _log.info("Challenge completed", challenge=challenge.id)


def _days_of(challenge: Challenge) -> int:
    """How many dates of the challenge exist in its time zone."""
    return sum(challenge.calendar.window(day) is not None for day in days_between(challenge.starts, challenge.ends))
