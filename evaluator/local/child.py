"""A service that lives in a folder and dies with the process that started it.

Two locks say who is there, whatever died and however it died. `NAME.lock` is held by the process that uses the
service: where it is taken, another evaluator runs in this folder. `NAME.pid` is also held by every process of the
service, which inherits it: where only this one is taken, a killed run left its service behind, and it is stopped. The
number written in it is trusted only while the lock is taken, so it never names a stranger.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

_STOP_WITHIN = 15.0  # seconds that a service has to stop in good order before it is killed
_READY_WITHIN = 60.0
_LOOK_EVERY = 0.01


class ServiceError(Exception):
    """A service cannot run here. The message says which and why, and what to do."""


@dataclass(frozen=True, slots=True)
class Child:
    """The right to run one service in a folder, from `claim`."""

    name: str
    folder: Path
    stop_signal: signal.Signals
    privileges: Sequence[str]
    pid_file: TextIOWrapper

    @property
    def log(self) -> Path:
        """What the service printed since it was last started."""
        return self.folder / f"{self.name}.log"

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Run a command to its end. Raises ServiceError where it fails."""
        with self.running(command, environment=environment) as process:
            if process.wait() != 0:
                raise self.error(f"{command[0]} failed")

    @contextmanager
    def running(
        self, command: Sequence[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command while inside, and stop it on leaving.

        It is kept out of reach of the terminal's Ctrl-C, so that those who use it can finish first. On Linux it also
        stops when the thread that came in here dies, were it by SIGKILL.
        """
        with self.log.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # the programs are ours, the folder is a path, no shell reads it
                [*_tied(self.stop_signal, self.privileges), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[self.pid_file.fileno()],
                start_new_session=True,
                cwd=cwd,
                env=environment,
            )
        try:
            self.pid_file.truncate(0)
            self.pid_file.write(f"{process.pid}\n")
            self.pid_file.flush()
            yield process
        finally:
            process.send_signal(self.stop_signal)
            try:
                process.wait(_STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait_until(self, ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        """Return once `ready` says so. Raises ServiceError where the process ends before, or takes a minute."""
        deadline = time.monotonic() + _READY_WITHIN
        while not ready():
            if process.poll() is not None:
                raise self.error(f"{self.name} stopped as soon as it was started")
            if time.monotonic() > deadline:
                raise self.error(f"{self.name} did not answer within {_READY_WITHIN:g} s")
            time.sleep(_LOOK_EVERY)

    def error(self, what: str) -> ServiceError:
        """`what`, with the last lines that the service printed."""
        tail = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
        return ServiceError("\n".join([f"{what}. The end of {self.log}:", *(f"  {line}" for line in tail)]))


@contextmanager
def claim(folder: Path, name: str, stop_signal: signal.Signals, privileges: Sequence[str] = ()) -> Iterator[Child]:
    """Claim the right to run the service `name` in `folder`, which is created, and stop what a killed run left there.

    `privileges` are options of setpriv(1) that the service starts with. Raises ServiceError where another process
    holds the claim, and where the folder cannot be used.
    """
    with ExitStack() as stack:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = stack.enter_context((folder / f"{name}.lock").open("a"))
            pid_file = stack.enter_context((folder / f"{name}.pid").open("a+"))
        except OSError as error:
            raise ServiceError(
                f"{name} cannot keep its data in {folder}: {error.strerror} ({error.filename}). "
                "Choose a folder that you may write to."
            ) from error
        if not _lock(lock):
            raise ServiceError(
                f"{name} in {folder} is in use by another evaluator. Stop that one first, or choose another folder."
            )
        if not _lock(pid_file):
            _stop_left_over(name, folder, pid_file, stop_signal)
        yield Child(name, folder, stop_signal, privileges, pid_file)


def _lock(file: TextIOWrapper) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stop_left_over(name: str, folder: Path, pid_file: TextIOWrapper, stop_signal: signal.Signals) -> None:
    """Ask the service of a killed run to stop, then kill it; return when the last of its processes is gone."""
    pid_file.seek(0)
    pid = pid_file.read().strip()
    for sign in (stop_signal, signal.SIGKILL):
        if pid:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(pid), sign)
        deadline = time.monotonic() + _STOP_WITHIN
        while time.monotonic() < deadline:
            if _lock(pid_file):
                return
            time.sleep(_LOOK_EVERY)
    raise ServiceError(
        f"{name} still runs in {folder} since an earlier start (process {pid or 'unknown'}) and cannot be stopped. "
        "Stop it by hand, or choose another folder."
    )


def _tied(stop_signal: signal.Signals, privileges: Sequence[str]) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv:
        return [setpriv, "--pdeathsig", stop_signal.name.removeprefix("SIG"), *privileges, "--"]
    if privileges:
        raise ServiceError(
            "The command setpriv is missing, which a service needs to give up root's rights. Install util-linux, or "
            "start the evaluator as an ordinary user."
        )
    return []
