"""`evaluator top`: the work as it goes, in a terminal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Thread
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.live import Live

from evaluator.cli.arguments import JsonOption
from evaluator.cli.output import print_json
from evaluator.cli.session import UNAVAILABLE, Session, hindrance, open_session
from evaluator.cli.source import Source
from evaluator.cli.terminal import Events, keyboard, keys_at_once
from evaluator.cli.view import QueueGlance, View, draw
from evaluator.cli.work import work_of
from evaluator.leetcode.pacer import Pacer
from evaluator.queue.broker import Broker, redis_client
from evaluator.queue.figures import read_redis_figures
from evaluator.service.figures import Pace, Watch
from evaluator.service.glance import Glance, glance

_POSTGRES_LIMIT = 3.0  # seconds for all that is asked of the ledger
_REDIS_LIMIT = 1.0  # seconds for each answer of Redis
_CLOCK = 1.0  # seconds after which it is drawn anew, if nothing else happens
_PIPED = 240  # columns where it goes to a file or a pipe


def top(
    interval: Annotated[
        float, typer.Option("--interval", "-i", min=0.5, max=3600, help="Seconds between two looks.")
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Show it once and end, as where this is no terminal.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch the work: how much is left, how fast it goes, when it is done, the queues, LeetCode's budget, errors.

    `q` or Ctrl-C ends it. What Postgres or Redis cannot tell is missing, with the reason, until they answer again.
    --json is one look, too; exit code 75 if a service is away then.

    Example: evaluator top --interval 5
    """
    with open_session() as session:
        sources = _sources(session)
        live = sys.stdout.isatty()  # which rich does not go by where FORCE_COLOR is set
        console = Console(width=None if live else _PIPED)
        if once or as_json or not live or console.is_dumb_terminal:
            view = _look_once(session, sources)
            if as_json:
                print_json(_document(view))
            else:
                console.print(draw(view, console.width))
            if view.ledger.why or view.queue.why:
                raise typer.Exit(UNAVAILABLE)
        else:
            _watch(session, sources, console, interval)


class _Sources(NamedTuple):
    ledger: Source[Glance]
    queue: Source[QueueGlance]


def _sources(session: Session) -> _Sources:
    settings = session.settings
    watch = Watch(Pace(settings.settle_delay, settings.members_per_second, settings.retention_completed))
    broker = Broker(redis_client(settings, timeout=_REDIS_LIMIT, retries=0), ())
    pacer = Pacer(broker.client, settings.leetcode_requests_per_second)

    def ledger() -> Glance:
        with session.database.snapshot(_POSTGRES_LIMIT) as connection:
            return glance(connection, watch)

    def queue() -> QueueGlance:
        return QueueGlance(read_redis_figures(broker), pacer.state())

    def explain(error: Exception) -> str:
        return hindrance(settings, error)

    return _Sources(Source(ledger, explain), Source(queue, explain))


def _view(session: Session, sources: _Sources) -> View:
    now = datetime.now().astimezone()
    limit = session.settings.leetcode_requests_per_second
    return View(now, limit, sources.ledger.seen(), sources.queue.seen())


def _look_once(session: Session, sources: _Sources) -> View:
    looks = [Thread(target=source.read) for source in sources]
    for look in looks:
        look.start()
    for look in looks:
        look.join()
    return _view(session, sources)


def _watch(session: Session, sources: _Sources, console: Console, interval: float) -> None:
    """Draw until told to end. Stopped by Ctrl-Z it gives the terminal back, and takes it again when it goes on."""
    keys = keyboard()
    events = Events(keys)
    for source in sources:
        source.follow(interval, events.wake)
    with events.heeded():
        while True:
            with keys_at_once(keys), Live(console=console, screen=True, auto_refresh=False) as live:
                signals = _draw_until_told(session, sources, live, events)
            if signal.SIGTSTP not in signals:
                break
            os.kill(os.getpid(), signal.SIGSTOP)
    if signal.SIGTERM in signals:
        raise typer.Exit(128 + signal.SIGTERM)


def _draw_until_told(session: Session, sources: _Sources, live: Live, events: Events) -> set[int]:
    """Gives the signals that ended it; none where it was a key."""
    while True:
        size = live.console.size
        live.update(draw(_view(session, sources), size.width, size.height, "q quits"), refresh=True)
        keys, signals = events.wait(_CLOCK)
        ending = signals - {signal.SIGWINCH}
        if ending or "q" in keys.lower():
            return ending


def _document(view: View) -> Mapping[str, object]:
    """What a program gets. What comes of a service that is away is null, and `away` says why."""
    ledger, queue = view.ledger.value, view.queue.value
    return {
        "at": view.now.astimezone(UTC),
        "away": {name: seen.why for name, seen in (("postgres", view.ledger), ("redis", view.queue)) if seen.why},
        "ledger": ledger
        and {
            "evaluations": ledger.figures.evaluations,
            "pending": ledger.figures.pending,
            "runs": ledger.figures.runs,
            "work": work_of(ledger.figures),
            "members_per_second": ledger.rate,
            "paused": ledger.pause,
            "open_runs": ledger.at_work,
            "failed_jobs": ledger.failed,
        },
        "queue": queue and {"messages": queue.figures.depths, "workers_alive": queue.figures.workers_alive},
        "leetcode": queue
        and {
            "requests_in_last_second": queue.pacer.sent,
            "limit": view.limit,
            "limit_after_refusals": queue.pacer.rate,
            "paused_seconds": queue.pacer.paused_for,
        },
    }
