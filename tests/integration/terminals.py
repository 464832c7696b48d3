"""A terminal of a test's own: what a command shows in it, and what is typed there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.integration.program import Program, until

_HOME = "\x1b[H"


@dataclass
class Terminal:
    """A terminal and the command that has it. `output` is all that came, control codes as well."""

    process: subprocess.Popen[bytes]
    _master: int
    _slave: int
    output: str = field(default="")

    def modes(self) -> list[Any]:
        return termios.tcgetattr(self._slave)

    def resize(self, lines: int, columns: int) -> None:
        """As dragging a window's corner does: the command is told by a signal."""
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def listen(self) -> str:
        """All that came by now."""
        os.set_blocking(self._master, False)
        while True:
            try:
                self.output += os.read(self._master, 65536).decode(errors="replace")
            except BlockingIOError:
                return self.output

    def frame(self) -> list[str]:
        """The lines of the last picture that has come whole."""
        pictures = self.listen().split(_HOME)
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", pictures[-2] if len(pictures) > 2 else "")
        return text.replace("\r", "").split("\n")

    def shows(self, pattern: str, within: float = 40.0) -> list[str]:
        """Wait for a picture with a line that matches, and give it."""
        found: list[str] = []

        def is_there() -> bool:
            found[:] = self.frame()
            return any(re.search(pattern, line) for line in found)

        try:
            until(is_there, within)
        except AssertionError:
            raise AssertionError(
                "\n".join([f"no line is like {pattern!r}:", *found, repr(self.output[-500:])])
            ) from None
        return found


@contextmanager
def terminal(
    evaluator: Program, *words: str, lines: int = 24, columns: int = 80, settings: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """A command in a terminal of this size, which is the one that controls it: Ctrl-C is a signal there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    inherited = evaluator.environment({"TERM": "xterm-256color", "TZ": "UTC"})
    kept = {name: value for name, value in inherited.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    process = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-m", "evaluator.cli", *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=evaluator.folder,
        env={**kept, **(settings or {})},
    )
    try:
        yield Terminal(process, master, slave)
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
