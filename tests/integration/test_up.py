"""`evaluator up` on a bare machine: it settles the sample, keeps its data, and leaves no process behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.integration.exposed import free_port
from tests.integration.program import until


@contextmanager
def up(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`evaluator up` with its data in a folder, and the file of what it says."""
    command = [sys.executable, "-m", "evaluator.cli", "up", "--folder", str(folder), "--port", free_port(), *options]
    output = folder.parent / f"said-{len(list(folder.parent.iterdir()))}"
    with output.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, cwd=folder.parent)
    try:
        yield process, output
    finally:
        process.kill()
        process.wait()


def processes_of(folder: Path) -> list[str]:
    """What runs in this folder, or names it on its command line or in its environment."""
    mine = str(folder).encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            where = os.fsencode((process / "cwd").readlink())
            if mine in command + (process / "environ").read_bytes() or where.startswith(mine):
                found.append(command.replace(b"\0", b" ").decode())
        except OSError:  # it ended meanwhile
            continue
    return found


def standings_in(said: str) -> str:
    """The tables that were printed."""
    return "\n".join(line.rstrip() for line in re.findall(r"(?m)^ ?[0-9]+ +[a-z]+-[a-z]+ .*$", said))


def test_once_settles_the_sample_and_what_it_left_is_there_when_it_comes_up_again_until_ctrl_c(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with up(folder, "--once") as (once, output):
        assert once.wait(100) == 0
    first = output.read_text(encoding="utf-8")
    assert "settling 13 days of 3 sample challenges" in first
    assert "Monsoon grind (monsoon-grind)" in first
    assert len(standings_in(first).splitlines()) == 24
    assert processes_of(folder) == []

    with up(folder) as (running, output):
        until(lambda: "Ctrl-C stops everything" in output.read_text(encoding="utf-8"), within=100)
        second = output.read_text(encoding="utf-8")
        assert standings_in(second) == standings_in(first)
        page = re.findall(r"http://\S+", second)[0]
        assert httpx.get(f"{page}/readyz").status_code == 200
        assert len(processes_of(folder)) > 5
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
    assert output.read_text(encoding="utf-8").endswith("stopped\n")
    assert processes_of(folder) == []


def test_once_is_not_done_when_it_is_interrupted(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with up(folder, "--once") as (once, output):
        until(lambda: "starting PostgreSQL" in output.read_text(encoding="utf-8"))
        once.send_signal(signal.SIGINT)
        assert once.wait(60) == 1
    assert output.read_text(encoding="utf-8").endswith("stopped\n")
    assert processes_of(folder) == []


def test_killed_in_the_middle_it_takes_everything_along(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with up(folder) as (running, output):
        until(lambda: "settling" in output.read_text(encoding="utf-8"), within=100)
        assert len(processes_of(folder)) > 5
        running.kill()
        running.wait()
        until(lambda: not processes_of(folder))
