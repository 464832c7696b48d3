"""Programs in the background that outlive the one that started them: each has a file that says which process it is."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.place import LOGS, RUN
from tests.cluster.shell import ENVIRONMENT

_STOP_WITHIN = 2.0  # seconds before a process is killed
_children: list[subprocess.Popen[bytes]] = []  # Python warns of a process that it forgets while it runs


def start(name: str, *command: str | Path) -> None:
    """Start a program; what it prints goes to a log of its name."""
    with (LOGS / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # the commands are ours
            list(map(str, command)),
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _file(name).write_text(f"{process.pid} {_began(process.pid)}", encoding="utf-8")
    _children.append(process)


def started() -> list[str]:
    """The names of all that were started and not stopped."""
    return sorted(path.stem for path in RUN.glob("*.pid"))


def is_alive(name: str) -> bool:
    return _pid(name) is not None


def stop(names: Iterable[str]) -> None:
    """Tell programs to end, and kill those that do not."""
    names = list(names)
    deadline = time.monotonic() + _STOP_WITHIN
    for name in names:
        _send(name, signal.SIGTERM)
    for name in names:
        while is_alive(name):
            if time.monotonic() > deadline:
                _send(name, signal.SIGKILL)
            time.sleep(0.05)
        _file(name).unlink(missing_ok=True)


def _file(name: str) -> Path:
    return RUN / f"{name}.pid"


def _pid(name: str) -> int | None:
    """The process, if it still is the one that was started: numbers are given out again."""
    try:
        pid, began = _file(name).read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return None
    return int(pid) if _began(int(pid)) == began else None


def _began(pid: int) -> str | None:
    """When a process began, in ticks since the machine did; None where it has ended."""
    try:
        # The name in parentheses, which comes second, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, began = fields[0], fields[19]
    return None if state == "Z" else began


def _send(name: str, sign: signal.Signals) -> None:
    pid = _pid(name)
    if pid is not None:
        os.kill(pid, sign)
