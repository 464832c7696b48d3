"""Processes of a trial, and what CPU they have used."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PARENT, _CPU, _RESIDENT = 1, slice(11, 15), 21  # places in /proc/PID/stat after the name: proc(5)


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs, in the folder of its log, while inside; then it is killed with all of its processes.

    Its temporary files lie there too: what is killed can't remove them.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # the contenders' commands
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env={**environment, "TMPDIR": str(log.parent)},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def cpu_seconds(pid: int) -> float:
    """What a process and its descendants, those that have ended included, have used so far."""
    return sum(int(ticks) for one in _tree(pid) for ticks in one[_CPU]) / _TICKS


def busy_seconds() -> float:
    """CPU that all processes of the machine have used since it was started."""
    user, nice, system, _, _, interrupts, soft = Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=8)[1:8]
    return sum(map(int, (user, nice, system, interrupts, soft))) / _TICKS


def resident_bytes(pid: int) -> list[int]:
    """The resident memory of a process and of each of its descendants."""
    return [int(one[_RESIDENT]) * _PAGE for one in _tree(pid)]


def parent_of(pid: int) -> int:
    return int(_stat(Path(f"/proc/{pid}"))[_PARENT])


def _tree(pid: int) -> Iterator[list[str]]:
    children = defaultdict(list)
    stats = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                stats[int(folder.name)] = stat = _stat(folder)
                children[int(stat[_PARENT])].append(int(folder.name))
    left = [pid]
    while left:
        one = left.pop()
        left += children[one]
        yield stats[one]


def _stat(folder: Path) -> list[str]:
    """The fields of /proc/PID/stat from the state on; the name before it may hold anything."""
    return (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
