"""`evaluator queue`: the state of the work, and what an operator does about it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import redis
import typer

from evaluator.cli.arguments import ChallengeOption, JsonOption, login_name
from evaluator.cli.output import console, counted, print_json, print_table, problem
from evaluator.cli.session import Session, open_session, refuse, unreachable
from evaluator.cli.work import work_of
from evaluator.ledger.figures import read_now
from evaluator.ledger.jobs import FailedJob, PendingDay
from evaluator.queue.figures import RedisFigures, read_redis_figures
from evaluator.queue.janitor import drop_dead_letters
from evaluator.service import jobs
from evaluator.service.figures import Pace, Watch
from evaluator.service.jobs import Stats
from evaluator.service.unknown import Unknown

_LIMIT = 30.0  # seconds that Postgres has for all figures

app = typer.Typer(help="See what is waiting, at work and failed; retry, pause, resume.", no_args_is_help=True)


@app.command()
def stats(as_json: JsonOption = False) -> None:
    """Count the jobs by state; a job is the evaluation of one member's day.

    `completed` ended within RETENTION_COMPLETED; `failed` were given up and wait for `queue retry` or a later try.
    Messages only wake workers: their number says little about the jobs'. `unsettled` are members' days that are due:
    `left` is to be done now, at the rate of the last minutes or by LeetCode's limit; the others are pending for later.

    Example: evaluator queue stats --json
    """
    with open_session() as session:
        settings = session.settings
        pace = Pace(settings.settle_delay, settings.members_per_second, settings.retention_completed)
        queues = _queues(session)
        with session.database.snapshot(_LIMIT) as connection:
            counts = jobs.stats(connection, settings.retention_completed, queues.depths if queues else None)
            figures = Watch(pace).read(connection, read_now(connection))
    work = {**work_of(figures), "workers_alive": queues.workers_alive if queues else None}
    if as_json:
        print_json({**asdict(counts), "work": work})
    else:
        _say(counts, work)


def _queues(session: Session) -> RedisFigures | None:
    try:
        return read_redis_figures(session.broker)
    except redis.RedisError as error:
        problem(f"Messages are not counted: {unreachable(session.settings, error)}")
        return None


def _say(counts: Stats, work: Mapping[str, object]) -> None:
    lines: list[tuple[str, object]] = [
        ("waiting", counts.waiting),
        ("active", counts.active),
        ("completed", counts.completed),
        ("failed", counts.failed),
    ]
    if counts.oldest_waiting_seconds is not None:
        lines.append(("oldest waiting", f"{counts.oldest_waiting_seconds:.0f} s"))
    lines += [(f"runs {state}", number) for state, number in counts.runs.items()]
    lines += [(f"pending: {reason}", number) for reason, number in counts.pending.items()]
    if counts.messages is not None:
        messages = counts.messages
        lines += [
            ("messages ready", messages.ready),
            ("messages delayed", messages.delayed),
            ("messages in flight", messages.in_flight),
            ("messages dead", messages.dead),
        ]
    lines += [
        (name.replace("_", " "), f"{value:.0f} s" if isinstance(value, float) else value)
        for name, value in work.items()
        if value is not None
    ]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        console.print(f"{name:<{width}}  {value}", highlight=False, markup=False)
    if counts.paused:
        console.print(
            f"paused by {counts.paused_by} at {counts.paused_at:%Y-%m-%d %H:%M %Z}; `evaluator queue resume` lets work "
            "go on",
            highlight=False,
            markup=False,
        )


@app.command()
def failed(
    challenge: ChallengeOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the jobs that were given up after all their attempts, newest first, each with its last error.

    Example: evaluator queue failed --challenge winter-grind
    """
    with open_session() as session, session.database.connection() as connection:
        found = jobs.failed(connection, challenge, limit)
    columns = ("Challenge", "Handle", "Day", "Reason", "Attempts", "Failed at", "Error")
    _list(found, columns, as_json=as_json, empty="No job has failed.")


@app.command()
def pending(
    challenge: ChallengeOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many, the oldest days first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List who is undecided, and why: members' days that were looked at, the oldest first. `explain` tells what to do.

    Example: evaluator queue pending --challenge winter-grind
    """
    with open_session() as session, session.database.connection() as connection:
        found = jobs.pending(connection, challenge, limit)
    columns = ("Challenge", "Handle", "Day", "Reason", "Next try", "Error")
    _list(found, columns, as_json=as_json, empty="Nobody is undecided.")


def _list(
    found: Sequence[FailedJob] | Sequence[PendingDay] | Unknown, columns: Sequence[str], *, as_json: bool, empty: str
) -> None:
    if isinstance(found, Unknown):
        refuse(found.message)
    if as_json:
        print_json(found)
    else:
        print_table(columns, map(asdict, found), empty=empty)


@app.command()
def retry(challenge: ChallengeOption = None, as_json: JsonOption = False) -> None:
    """Try failed jobs again, now; they would be tried again later by themselves.

    Example: evaluator queue retry --challenge winter-grind
    """
    with open_session() as session:
        retried = jobs.retry(session.database, session.outbox, challenge)
    if isinstance(retried, Unknown):
        refuse(retried.message)
    if as_json:
        print_json(retried)
    else:
        console.print(f"{retried.jobs} failed jobs are tried again, in {retried.runs} runs", highlight=False)


@app.command()
def clear(
    challenge: ChallengeOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask at a terminal.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Forget which jobs failed, and without --challenge drop the dead messages too.

    Their verdicts stay pending and are still tried again later.

    Asks first where a person sits at a terminal; a script is never asked.

    Example: evaluator queue clear --yes
    """
    if not yes and sys.stdin.isatty():
        what = "of all challenges, and drop the dead messages" if challenge is None else f"of challenge {challenge!r}"
        typer.confirm(f"Forget the failed jobs {what}?", abort=True)
    with open_session() as session:
        with session.database.transaction() as connection:
            cleared = jobs.clear(connection, challenge)
        # Once the jobs are forgotten, and the log says so: where Redis is away, another try does the rest.
        dropped = drop_dead_letters(session.broker) if challenge is None else 0
    if isinstance(cleared, Unknown):
        refuse(cleared.message)
    if as_json:
        print_json({"cleared": cleared, "dead_letters_dropped": dropped})
    else:
        also = f", and {counted(dropped, 'dead message')} dropped" if dropped else ""
        console.print(f"{cleared} failed jobs are forgotten{also}", highlight=False)


@app.command()
def pause(as_json: JsonOption = False) -> None:
    """Let no further batch begin. What is at work ends; what is queued meanwhile waits for `queue resume`.

    Example: evaluator queue pause
    """
    with open_session() as session, session.database.connection() as connection:
        changed = jobs.pause(connection, login_name())
    _say_switched("paused", paused=True, changed=changed, as_json=as_json)


@app.command()
def resume(as_json: JsonOption = False) -> None:
    """Let work go on, and wake the workers for everything that waits.

    Example: evaluator queue resume
    """
    with open_session() as session:
        changed = jobs.resume(session.database, session.outbox)
    _say_switched("resumed", paused=False, changed=changed, as_json=as_json)


def _say_switched(done: str, *, paused: bool, changed: bool, as_json: bool) -> None:
    if as_json:
        print_json({"paused": paused, "changed": changed})
    else:
        console.print(f"work is {done}" if changed else f"work was {done} already", highlight=False)
