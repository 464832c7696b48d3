"""Enqueues: when what is due was last enqueued, and by whom."""

from __future__ import annotations

from enum import StrEnum

from evaluator.ledger.database import Connection
from evaluator.ledger.statements import statements

_SQL = statements("enqueues")


class EnqueuedBy(StrEnum):
    """`evaluator enqueue`, typed or started by a CronJob's schedule, the scheduler, a call of the API, or a server's
    keeper.
    """

    COMMAND = "command"
    CRONJOB = "cronjob"
    SCHEDULER = "scheduler"
    API = "api"
    KEEPER = "keeper"


def record_enqueue(connection: Connection, by: EnqueuedBy) -> None:
    """Note that an enqueue has just been done."""
    connection.execute(_SQL["put"], {"by": by})


def last_enqueues(connection: Connection) -> dict[EnqueuedBy, float]:
    """When each last enqueued, in seconds since the epoch; who never did is not among them."""
    return {EnqueuedBy(by): at for by, at in connection.execute(_SQL["read"])}
