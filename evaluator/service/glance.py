"""A glance at the ledger: the figures, and beside them what an operator who looks on wants to see by name."""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.ledger.database import Connection
from evaluator.ledger.figures import AtWork, read_now, runs_at_work
from evaluator.ledger.jobs import FailedJob, Pause, read_failed, read_pause
from evaluator.service.figures import Figures, Watch, measured_rate

_LATELY = 60.0  # seconds
_NAMED = 20  # more runs, or failed jobs, fit on no terminal


@dataclass(frozen=True, slots=True)
class Glance:
    """The ledger at one moment. `rate` is in members a second, over the last minute of the work that there is now.

    `at_work` are the runs opened last, `failed` the jobs given up last.
    """

    figures: Figures
    rate: float | None
    pause: Pause | None
    at_work: list[AtWork]
    failed: list[FailedJob]


def glance(connection: Connection, watch: Watch) -> Glance:
    """All of it fits together if the transaction sees one moment: see `Database.snapshot`."""
    now = read_now(connection)
    return Glance(
        figures=watch.read(connection, now),
        rate=measured_rate(connection, now, _LATELY),
        pause=read_pause(connection),
        at_work=runs_at_work(connection, _NAMED),
        failed=read_failed(connection, None, _NAMED),
    )
