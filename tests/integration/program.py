"""The evaluator's commands, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from evaluator.settings import Settings

# Forks a process for each command that it reads: the second that importing everything takes is spent once.
_FORKER = """
import importlib, json, os, signal, sys
from evaluator.cli.__main__ import _COMMANDS, main
for place in _COMMANDS.values():
    importlib.import_module(place.partition(":")[0])
for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        signal.alarm(60)
        for number, path in enumerate(order["files"]):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.argv = order["command"]
        main()
        sys.exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def until(condition: Callable[[], object], within: float = 40.0) -> None:
    """Return as soon as something holds; it is a failure if it does not in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"it did not come about within {within:g} s"
        time.sleep(0.02)


class Ended(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self
        return orjson.loads(self.out)


@dataclass(frozen=True)
class Running:
    """A command that runs, and what it has logged."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop, and give its exit code."""
        self.process.send_signal(sign)
        return self.process.wait(60)


class Forker:
    """Runs commands of the evaluator, each in a process of its own, one after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _FORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def run(self, words: Sequence[str], folder: Path, environment: dict[str, str], stdin: str = "") -> Ended:
        names = ("stdin", "stdout", "stderr")
        files = [folder / name for name in names]
        for file, content in zip(files, (stdin, "", ""), strict=True):
            file.write_text(content, encoding="utf-8")
        order = {
            "command": ["evaluator", *words],
            "files": list(map(str, files)),
            "folder": str(folder),
            "environment": environment,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(order) + b"\n")
        code = int(self._process.stdout.readline())
        return Ended(code, *(file.read_text(encoding="utf-8") for file in files[1:]))

    def close(self) -> None:
        self._process.communicate()


@dataclass(frozen=True)
class Program:
    """`evaluator` in a folder of its own, with these settings in place of any others."""

    forker: Forker
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, stdin: str = "", **settings: str) -> Ended:
        """Run a command to its end."""
        return self.forker.run(words, self.folder, self.environment(settings), stdin)

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        ours = {name.upper() for name in Settings.model_fields}
        inherited = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}
        return {**inherited, **self.settings, **settings}

    @contextmanager
    def running(self, *words: str, python: Sequence[str] = (sys.executable,), **settings: str) -> Iterator[Running]:
        """A command that runs while inside, started as a user starts it, or by another `python`."""
        log = self.folder / f"{words[0]}-{len(list(self.folder.iterdir()))}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*python, "-m", "evaluator.cli", *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self.environment(settings),
                start_new_session=True,
            )
        try:
            yield Running(process, log)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # stopping in good order takes seconds, and is tested elsewhere
            process.wait()
