"""`evaluator sync-run`: the deprecated synchronous mode."""

from __future__ import annotations

import time

import typer
from rich.progress import Progress

from evaluator.cli.arguments import ChallengeOption, DayOption, parse_day
from evaluator.cli.output import console, errors, problem
from evaluator.cli.session import FAILED, open_session, refuse
from evaluator.ledger.jobs import is_paused
from evaluator.service.enqueue import Request


def sync_run(challenge: ChallengeOption = None, day: DayOption = None) -> None:
    """Deprecated: settle what is due here and now, one member after the other, without a queue or workers.

    The verdicts are those of `evaluator enqueue`, at one request a member. Redis keeps the pace here too.

    Example: evaluator sync-run --challenge winter-grind
    """
    from evaluator.service.sync_run import Synchronous

    problem("sync-run is deprecated: it asks LeetCode once a member. Use `evaluator enqueue --wait` with workers.")
    request = Request(challenge, parse_day(day))
    with open_session() as session:
        session.broker.client.ping()  # without Redis there is no pace, and it would wait for that in silence
        with session.database.connection() as connection:
            if is_paused(connection):
                refuse("work is paused; `evaluator queue resume` lets it go on")
        settings = session.settings
        mode = Synchronous(session.database, session.upstream, settings.job_attempts, settings.job_backoff, time.sleep)
        done = 0
        with Progress(console=errors, disable=not errors.is_terminal) as bar:
            task = bar.add_task("evaluations", total=None)

            def on_progress(members: int) -> None:
                nonlocal done
                done += members
                bar.update(task, completed=done)

            queued = mode.run(request, session.clock(), settings.settle_delay, on_progress)
    console.print(f"{done} evaluations of {len(queued.runs)} days done", highlight=False)
    for refusal in queued.refused:
        problem(refusal)
    if queued.refused:
        raise typer.Exit(FAILED)
