"""`evaluator enqueue`: queue what is due, and watch it being settled if asked to."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import structlog
import typer

from evaluator.cli.arguments import ChallengeOption, DayOption, JsonOption, parse_day
from evaluator.cli.occasion import Occasion, OccasionError, await_schedule, read_occasion
from evaluator.cli.output import console, counted, errors, note, print_json, problem
from evaluator.cli.session import CONFIGURATION, FAILED, Session, open_session
from evaluator.cli.workers import why_nothing_moves
from evaluator.ledger.database import Database
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.runs import RunState, progress_of, runs_at_work
from evaluator.logs import writes_json
from evaluator.service.enqueue import Queued, Request
from evaluator.service.reconcile import GRACE, reconcile
from evaluator.tracing import span, start_tracing

_log = structlog.get_logger(__name__)

_LOOK = 0.25  # seconds between two looks at the progress
_QUIET_LOOK = 10.0  # seconds between two lines where nobody watches
_STILL = 5.0  # seconds without any progress after which the reason is looked for
_STILL_AGAIN = 60.0  # seconds until it is told anew


def enqueue(
    challenge: ChallengeOption = None,
    day: DayOption = None,
    reevaluate: Annotated[bool, typer.Option("--reevaluate", help="Ask again, also about settled days.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Show progress until all is settled, or pending.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Queue every day that is due and not settled, of all challenges or of one.

    Harmless when repeated, late, or concurrent with itself. Workers do the rest.

    Without --day the environment may name one: EVALUATION_DAY, or a JOB_NAME that ends in it, such as the name of a Job
    of Kubernetes, evaluator-enqueue-2026-11-20.

    With --wait the document of --json comes at the end. Its `left` is what is not decided then: evaluations that are
    pending, and days that were not finished since their challenge is cancelled. Where Ctrl-C or SIGTERM ends the wait,
    the document comes too, and `left` is null.

    Example: evaluator enqueue --challenge winter-grind --day 2026-11-20 --wait
    """
    from evaluator.service.enqueue import enqueue as enqueue_due

    asked = parse_day(day)
    with open_session() as session:
        occasion = _occasion(asked)
        request = Request(challenge, occasion.day, reevaluate)
        by = EnqueuedBy.CRONJOB if await_schedule(occasion, session.clock) else EnqueuedBy.COMMAND
        start_tracing(os.environ)
        settle_delay = session.settings.settle_delay
        with span("enqueue"):
            queued = enqueue_due(session.database, session.outbox, request, session.clock(), settle_delay, by)
        left = None
        if wait:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        try:
            reconcile(session.database, session.outbox)
            if not as_json:
                _say(queued)
            left = watch(session, at_work(session.database, request, queued)) if wait else None
        finally:
            # Also for who gives up waiting: all of it is queued.
            if as_json:
                print_json(_document(queued, left))
    for refusal in queued.refused:
        problem(refusal)
    if queued.refused:
        raise typer.Exit(FAILED)


def _occasion(asked: date | None) -> Occasion:
    """What to settle: the day that was asked for, or else what the environment says."""
    if asked:
        return Occasion(asked)
    try:
        occasion = read_occasion(os.environ)
    except OccasionError as error:
        problem(str(error))
        raise typer.Exit(CONFIGURATION) from None
    if occasion.day:
        _log.info("One day is settled only, as its environment says", day=occasion.day.isoformat())
    return occasion


def _say(queued: Queued) -> None:
    for run in queued.runs:
        console.print(f"queued {run.challenge} {run.day} (run {run.run_id})", highlight=False)
    if queued.runs or not queued.refused:
        console.print(f"Successfully queued {len(queued.runs)} challenge evaluation jobs", highlight=False)
    for told in queued.notes:
        console.print(told, highlight=False)


def _document(queued: Queued, left: Left | None) -> dict[str, object]:
    return {
        "queued": [{"challenge": run.challenge, "day": run.day, "run": run.run_id} for run in queued.runs],
        "refused": list(queued.refused),
        "notes": list(queued.notes),
        "left": left,
    }


@dataclass(frozen=True, slots=True)
class Left:
    """What is undecided when nothing more happens by itself.

    `pending` evaluations are tried again later. `cancelled` days were not finished, for their challenge is.
    """

    pending: int
    cancelled: int


def at_work(database: Database, request: Request, queued: Queued) -> list[int]:
    """The runs that a request is about: what it queued, and what others, such as a server, had queued before."""
    with database.connection() as connection:
        others = runs_at_work(connection, request.challenge, request.day)
    return sorted({run.run_id for run in queued.runs}.union(others))


def watch(session: Session, run_ids: Sequence[int], look: Callable[[], None] = lambda: None) -> Left:
    """Show how far these runs are until nothing more happens to them by itself; gives what is undecided then.

    What is lost in the meantime is sent again from here too: there may be no server that does. `look` is called again
    and again, and may end it by raising.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=errors, disable=writes_json() or not errors.is_terminal)
    with bar:
        task = bar.add_task("evaluations", total=None)
        said_at = tended_at = time.monotonic()
        still = _Stillness(session)
        while True:
            with session.database.connection() as connection:
                runs = progress_of(connection, run_ids)
            total, left = sum(run.total for run in runs), sum(run.left for run in runs)
            over = sum(run.over for run in runs)
            known = all(run.fanned_out or run.over for run in runs)
            bar.update(task, completed=total - left, total=total if known else None)
            if not errors.is_terminal and time.monotonic() - said_at > _QUIET_LOOK:
                said_at = time.monotonic()
                note(f"{counted(total - left, 'evaluation')} done, {over} of {counted(len(runs), 'day')} settled")
            if over == len(runs):
                break
            if time.monotonic() - tended_at > GRACE:
                tended_at = time.monotonic()
                reconcile(session.database, session.outbox)
            still.look((left, over, known))
            look()
            time.sleep(_LOOK)
    undecided = Left(
        pending=sum(run.pending for run in runs if not run.cancelled),
        cancelled=sum(run.cancelled and run.state is not RunState.SETTLED for run in runs),
    )
    if undecided.pending:
        are = "evaluation is pending; it is" if undecided.pending == 1 else "evaluations are pending; they are"
        note(f"{undecided.pending:,} {are} tried again without anyone's doing, `evaluator explain` says why")
    if undecided.cancelled:
        were = "was" if undecided.cancelled == 1 else "were"
        note(f"{counted(undecided.cancelled, 'day')} {were} not finished: the challenge is cancelled")
    return undecided


class _Stillness:
    """Tells why nothing moves, once it has not for some seconds, and then every minute."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen: object = None
        self._tell_at = 0.0

    def look(self, seen: object) -> None:
        """Take note of how far the work is."""
        now = time.monotonic()
        if seen != self._seen:
            self._seen, self._tell_at = seen, now + _STILL
        elif now >= self._tell_at:
            self._tell_at = now + _STILL_AGAIN
            for why in why_nothing_moves(self._session):
                note(f"Nothing moves: {why}")
