"""Prune: jobs are forgotten after a while. Verdicts, postings and evidence are history, and stay."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from evaluator.ledger.database import Database
from evaluator.ledger.evaluations import forget_failures
from evaluator.ledger.runs import prune_batches

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pruned:
    batches: int
    failures: int


def prune(database: Database, retention_completed: float, retention_failed: float) -> Pruned:
    """Forget finished batches and the marks of failed jobs that are older than so many seconds."""
    batches = 0
    with database.connection() as connection:
        while chunk := prune_batches(connection, retention_completed):
            batches += chunk
        failures = forget_failures(connection, retention_failed)
    if batches or failures:
        _log.info("Pruned", batches=batches, failures=failures)
    return Pruned(batches, failures)
