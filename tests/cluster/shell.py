"""Commands of this machine: run to their end, asked again and again, their packages installed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# uv is where `make environment` puts it if the machine has none.
_MORE = ("/usr/local/go/bin", "/usr/sbin", "/sbin", str(Path(__file__).parents[2] / ".uv/bin"))
ENVIRONMENT = os.environ | {"PATH": ":".join((os.environ["PATH"], *_MORE))}


class CommandError(Exception):
    """A command failed. The message is the command and what it said."""


def run(
    *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str | None = None
) -> str:
    """What a command prints. Raises CommandError where it fails."""
    words = list(map(str, command))
    ended = subprocess.run(  # the commands are ours
        words, env=ENVIRONMENT | dict(env or {}), cwd=cwd, input=stdin, capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        raise CommandError(
            f"{' '.join(words)} failed ({ended.returncode}):\n{ended.stdout[-2000:]}{ended.stderr[-4000:]}"
        )
    return ended.stdout


def wait_for(what: str, seconds: float, command: Sequence[str | Path], good: Callable[[str], bool] = bool) -> None:
    """Run a command until it succeeds and what it prints is good. Raises CommandError where that takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if good(run(*command)):
                break
            last = "its answer was another"
        except CommandError as error:
            last = str(error)
        if time.monotonic() > deadline:
            raise CommandError(f"{what} did not come about within {seconds:g} s; {last}")
        time.sleep(0.1)
    say(what)


def install(*packages: str) -> None:
    """Install those Debian packages that are missing."""
    known = run("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n").splitlines()
    missing = [package for package in packages if f"{package} installed" not in known]
    if missing:
        say(f"installing {', '.join(missing)}")
        run("apt-get", "update", "-qq")
        run(
            "apt-get",
            "install",
            "-qq",
            "-y",
            "--no-install-recommends",
            *missing,
            env={"DEBIAN_FRONTEND": "noninteractive"},
        )


def say(what: str) -> None:
    """A line of progress, with the seconds since this program began."""
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {what}", file=sys.stderr, flush=True)  # noqa: T201  # meant for people


_BEGAN = time.monotonic()
