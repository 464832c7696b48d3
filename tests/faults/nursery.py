"""Commands of the evaluator, each in processes of its own, forked from one that has imported everything already.

They are what `evaluator …` on the command line is, a second sooner. `python -m tests.faults.nursery` reads an order a
line, and for each becomes such a command, or has it end by `doom`.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.api import reading
from evaluator.cli.__main__ import _COMMANDS as COMMANDS
from evaluator.cli.__main__ import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Command:
    """A command that was started, in a session of its own, and what it has printed."""

    folder: Path

    @property
    def pid(self) -> int:
        return int(_content(self.folder / "pid"))

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        path = self.folder / "code"
        return int(path.read_text()) if path.exists() else None

    def said(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def out(self) -> str:
        return (self.folder / "out").read_text(encoding="utf-8", errors="replace")

    def address(self, within: float = 60.0) -> str:
        """Where a server listens, once it does."""
        deadline = time.monotonic() + within
        while not (found := re.findall(r"Uvicorn running on (http://[\w.:]+)", self.said())):
            assert self.code is None, self.said()
            assert time.monotonic() < deadline, f"it did not listen within {within:g} s:\n{self.said()[-4000:]}"
            time.sleep(0.01)
        return str(found[0])

    def children(self) -> list[int]:
        """The processes that it has forked: Dramatiq's, of a worker."""
        return [int(one) for one in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def send(self, sign: signal.Signals) -> None:
        """A signal to it alone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, sign)

    def kill(self) -> None:
        """SIGKILL for it and whatever it has forked, as when its machine goes."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def stop(self, within: float = 60.0) -> int:
        """Tell it to stop, and give its exit code."""
        self.send(signal.SIGTERM)
        return self.wait(within)

    def wait(self, within: float = 60.0) -> int:
        deadline = time.monotonic() + within
        while self.code is None:
            assert time.monotonic() < deadline, f"it did not end within {within:g} s:\n{self.said()[-4000:]}"
            time.sleep(0.01)
        assert self.code is not None
        return self.code


class Nursery:
    """Starts commands; those that still run end with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._commands: list[Command] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            cwd=ROOT,
        )

    def start(self, words: Sequence[str], environment: dict[str, str], doom: str | None = None) -> Command:
        """A command, or `stock`, a worker of `stock.py`.

        With `doom` it kills itself there, see `doom.py`. CLOCK_AHEAD in the environment are seconds, and so is
        FIGURES_KEPT: for how long a server's figures are kept.
        """
        folder = self._folder / f"{len(self._commands):04}-{words[0]}"
        folder.mkdir(parents=True)
        for name in ("out", "log"):
            (folder / name).touch()
        order = {"words": words, "environment": environment, "folder": str(folder), "doom": doom}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdout.readline()
        command = Command(folder)
        self._commands.append(command)
        return command

    def clear(self) -> None:
        """Kill whatever runs still."""
        for command in self._commands:
            if command.code is None:
                command.kill()

    def close(self) -> None:
        self.clear()
        self._process.communicate()


def _content(path: Path) -> str:
    while not path.exists() or not (content := path.read_text()):
        time.sleep(0.002)
    return content


def _tend(order: dict[str, Any]) -> None:
    """Fork the command, and write down its number and its end."""
    folder = Path(order["folder"])
    pid = os.fork()
    if not pid:
        _become(order)
    (folder / "pid").write_text(str(pid))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    (folder / "code.new").write_text(str(code))
    (folder / "code.new").rename(folder / "code")


def _become(order: dict[str, Any]) -> None:
    os.setsid()
    folder = Path(order["folder"])
    for number, path in enumerate((Path("/dev/null"), folder / "out", folder / "log")):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update({"TMPDIR": str(folder), **order["environment"]})  # a worker that is killed leaves its files
    _set_clock(float(os.environ.get("CLOCK_AHEAD", "0")))
    if kept := os.environ.get("FIGURES_KEPT"):
        reading.KEPT = float(kept)
    if order["doom"]:
        from tests.faults.doom import arm

        arm(order["doom"])
    if order["words"][0] == "stock":
        from tests.faults import stock

        sys.exit(stock.work(order["words"][1:]))
    sys.argv = ["evaluator", *order["words"]]
    main()
    sys.exit(0)


def _set_clock(ahead: float) -> None:
    """Have everybody in this process who asks for the time of day be told another; the monotonic clock stays right."""
    right = time.time
    for module in list(sys.modules.values()):
        if getattr(module, "time", None) is right:
            vars(module)["time"] = lambda: right() + ahead


def _serve() -> None:
    for place in [*COMMANDS.values(), "tests.faults.doom:arm", "uvicorn:run", "evaluator.api.app:create_app"]:
        importlib.import_module(place.partition(":")[0])
    for module in ("dramatiq.cli", "dramatiq.worker", "evaluator.queue.retries", "evaluator.leetcode.client"):
        importlib.import_module(module)
    for line in sys.stdin:
        if not os.fork():
            # A fork in between, since somebody has to wait for the command.
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _tend(json.loads(line))
            os._exit(0)
        print(flush=True)  # noqa: T201  # the answer


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _serve()
