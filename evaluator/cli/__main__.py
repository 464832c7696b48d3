"""The command line. Each command is a module of its own, imported when it is used: `enqueue` starts often."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Mapping, Sequence

_COMMANDS = {
    "up": "evaluator.cli.up:up",
    "migrate": "evaluator.cli.migrate:migrate",
    "apply": "evaluator.cli.apply:apply",
    "enqueue": "evaluator.cli.enqueue:enqueue",
    "worker": "evaluator.cli.worker:worker",
    "server": "evaluator.cli.server:server",
    "scheduler": "evaluator.cli.scheduler:scheduler",
    "verdicts": "evaluator.cli.reports:verdicts",
    "standings": "evaluator.cli.reports:standings",
    "explain": "evaluator.cli.reports:explain",
    "override": "evaluator.cli.override:override",
    "queue": "evaluator.cli.queue:app",
    "top": "evaluator.cli.top:top",
    "problems": "evaluator.cli.problems:app",
    "doctor": "evaluator.cli.doctor:doctor",
    "ping": "evaluator.cli.ping:ping",
    "sync-run": "evaluator.cli.sync_run:sync_run",
    "simulator": "evaluator.cli.simulator:simulator",
}


_TERMINATED = 128 + signal.SIGTERM
"""The exit code of a command that SIGTERM ended."""

_INTERRUPTED = 128 + signal.SIGINT
"""The same of Ctrl-C."""


def main() -> None:
    """Run the command that was asked for; without one, show all of them."""
    # Linux keeps a signal from process 1, which a command is in a container, unless it asked for it. Those that have
    # something to finish ask anew; for the others it is what it is elsewhere: the end, at once.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(_TERMINATED))
    # What is imported is there to stay. Looking through it for garbage, again and again and once more at the exit, is
    # a quarter of what a short command costs.
    gc.disable()
    try:
        from evaluator.cli.program import build

        program = build(_wanted(sys.argv[1:]))
    except KeyboardInterrupt:
        # Nothing was begun, and where it was among the imports tells nobody anything.
        sys.exit(_INTERRUPTED)
    gc.freeze()
    gc.enable()
    program()


def _wanted(words: Sequence[str]) -> Mapping[str, str]:
    """The command that is asked for, no other; all of them where it takes all to answer."""
    if words[:1] == ["--version"]:
        return {}
    name = next((word for word in words if not word.startswith("-")), None)
    return {name: _COMMANDS[name]} if name in _COMMANDS else _COMMANDS


if __name__ == "__main__":
    main()
