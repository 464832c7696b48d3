"""`evaluator ping`: does a worker answer?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evaluator.cli.arguments import JsonOption
from evaluator.cli.output import console, note, print_json, problem
from evaluator.cli.session import UNAVAILABLE, open_session

if TYPE_CHECKING:
    from evaluator.queue.ping import Pong

_NOBODY = {"host": None, "process": None, "milliseconds": None}


def ping(
    queue: Annotated[
        Literal["challenges", "members"] | None, typer.Option("--queue", "-Q", help="Only through this queue.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for an answer.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """Send one message that does nothing through each queue to a worker, and say which one took it.

    It goes ahead of what waits, changes nothing and leaves nothing behind. Exit code 75: no worker has answered.

    Example: evaluator ping --queue members --timeout 60
    """
    from evaluator.cli.workers import answered, pause_of, paused, silences
    from evaluator.queue.messages import QUEUES
    from evaluator.queue.ping import ping as ping_workers

    queues = [queue] if queue else list(QUEUES.values())
    with open_session() as session:
        answers = ping_workers(session.broker, queues, timeout)
        silent = silences(session.broker, answers)
        if as_json:
            print_json([{"queue": name, **(_document(pong) if pong else _NOBODY)} for name, pong in answers.items()])
        else:
            for name, pong in answers.items():
                if pong:
                    console.print(answered(name, pong), markup=False, highlight=False)
        for silence in silent:
            problem(f"{silence} (waited {timeout:g} s)")
        pause = pause_of(session)
        if pause:
            note(paused(pause))
    if silent:
        raise typer.Exit(UNAVAILABLE)


def _document(pong: Pong) -> dict[str, object]:
    return {"host": pong.host, "process": pong.process, "milliseconds": round(pong.seconds * 1000, 1)}
