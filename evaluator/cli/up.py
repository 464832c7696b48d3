"""`evaluator up`: all of it on this machine, with a simulated LeetCode and sample challenges."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from evaluator.cli.enqueue import at_work, watch
from evaluator.cli.output import console, counted, problem
from evaluator.cli.reports import show_standings
from evaluator.cli.session import FAILED, Session, read_settings
from evaluator.correlation import correlated
from evaluator.ledger.challenges import overviews
from evaluator.ledger.database import Database
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.migrations import migrate
from evaluator.local.child import Child, ServiceError, claim
from evaluator.local.postgres import embedded_postgres
from evaluator.local.redis import embedded_redis
from evaluator.local.sample import sample_challenges
from evaluator.service.apply import apply
from evaluator.service.challenge_file import ChallengeFile, read_challenge_file
from evaluator.service.enqueue import Request, enqueue
from evaluator.service.reconcile import reconcile

_OVERRIDDEN = ("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DB")
_LOOK = 0.5  # seconds between two looks at whether everything still runs


def up(
    once: Annotated[bool, typer.Option("--once", help="Settle the sample, print the standings, and end.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the data are kept.")] = Path(".data"),
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of the console and the API on this machine.")
    ] = 8000,
) -> None:
    """Start everything here: Postgres, Redis, a simulated LeetCode, a worker, the server, and sample challenges.

    Needs no root, no Docker, and nothing that is installed already. Ctrl-C stops all of it; the data are there
    again the next time.

    Example: evaluator up --once
    """
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    try:
        with _everything(folder, port) as (session, processes), correlated():
            _settle_sample(session, processes)
            if not once:
                _say_where(session, port)
                _wait(processes)
    except ServiceError as error:
        problem(str(error))
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        _say("stopped")
        if once:
            raise typer.Exit(FAILED) from None


@dataclass(frozen=True, slots=True)
class _Running:
    """A process of ours that was started."""

    child: Child
    process: subprocess.Popen[bytes]


@contextmanager
def _everything(folder: Path, port: int) -> Iterator[tuple[Session, Sequence[_Running]]]:
    """Start all services, one after the other; stop them in the opposite order."""
    if not _is_free(port):
        other = "choose another --port (`make run PORT=...`)"
        raise ServiceError(f"Port {port} is taken on this machine: stop what listens there, or {other}.")
    with ExitStack() as stack:
        _say("starting PostgreSQL and Redis")
        database_url = stack.enter_context(embedded_postgres(folder))
        redis_url = stack.enter_context(embedded_redis(folder))
        _set_environment({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "ADMIN_TOKEN": _token(folder)})
        _say("starting a simulated LeetCode, a worker and the server")
        simulator = stack.enter_context(_running(folder, "simulator", "--port", "0"))
        # Several may be up, and the server has the metrics of all but what the worker counts.
        _set_environment({"LEETCODE_URL": _address(simulator), "METRICS_PORT": os.environ.get("METRICS_PORT", "0")})
        settings = read_settings()
        database = Database(settings.database_url)
        stack.callback(database.close)
        session = Session(settings, database)
        stack.callback(session.broker.close)
        migrate(database)
        worker = stack.enter_context(_running(folder, "worker"))
        server = stack.enter_context(_running(folder, "server", "--host", "127.0.0.1", "--port", str(port)))
        server.child.wait_until(lambda: not _is_free(port), server.process)
        yield session, (simulator, worker, server)


@contextmanager
def _running(folder: Path, *command: str) -> Iterator[_Running]:
    """A command of ours in a process of its own; its log lies in the folder."""
    with (
        claim(folder.resolve(), command[0], signal.SIGTERM) as child,
        child.running([sys.executable, "-m", "evaluator.cli", *command]) as process,
    ):
        yield _Running(child, process)


def _settle_sample(session: Session, processes: Sequence[_Running]) -> None:
    """Apply the sample challenges, settle what is due of them, and print who stands where."""
    settle_delay = session.settings.settle_delay
    now = session.clock()
    file = read_challenge_file(sample_challenges(now, settle_delay))
    assert isinstance(file, ChallengeFile)  # noqa: S101  # we wrote it
    with session.database.connection() as connection:
        present = {one.id for one in overviews(connection)}
    # Those of an earlier start go on as they were: their days lie where they lay.
    apply(session.database, [one for one in file.challenges if one.id not in present], now)
    reconcile(session.database, session.outbox)
    request = Request()
    queued = enqueue(session.database, session.outbox, request, now, settle_delay, EnqueuedBy.COMMAND)
    run_ids = at_work(session.database, request, queued)
    # At a later start challenges of the user's own may be among them.
    whose = "" if present else f" of {len(file.challenges)} sample challenges"
    _say(f"settling {counted(len(run_ids), 'day')}{whose}")
    began = time.monotonic()
    watch(session, run_ids, look=lambda: _require(processes))
    _say(f"settled in {time.monotonic() - began:.1f} s\n")
    for challenge in file.challenges:
        console.print(f"{challenge.name} ({challenge.id})", style="bold", highlight=False)
        show_standings(session.database, challenge.id)
        console.print()


def _say_where(session: Session, port: int) -> None:
    here = f"http://127.0.0.1:{port}"
    _say(f"pages       {here}")
    _say(f"API         {here}/docs with the token {session.settings.admin_token}")
    _say(f"metrics     {here}/metrics")
    _say(f"for other commands in another terminal, such as {_program()} queue stats:\n  {_exports()}")
    _say("Ctrl-C stops everything")


def _program() -> str:
    """How a terminal here starts our commands: by their name, unless that is not on PATH."""
    script = Path(sys.executable).with_name("evaluator")
    if shutil.which("evaluator") or not script.exists():
        return "evaluator"
    return str(script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script)


def _exports() -> str:
    names = ("DATABASE_URL", "REDIS_URL", "LEETCODE_URL", "ADMIN_TOKEN")
    return "export " + " ".join(f"{name}='{os.environ[name]}'" for name in names)


def _wait(processes: Sequence[_Running]) -> NoReturn:
    """Return never; raises ServiceError when one of the processes has ended."""
    while True:
        _require(processes)
        time.sleep(_LOOK)


def _require(processes: Sequence[_Running]) -> None:
    """Raises ServiceError where one of the processes has ended."""
    for one in processes:
        if one.process.poll() is not None:
            raise one.child.error(f"the {one.child.name} has ended (exit code {one.process.returncode})")


def _address(simulator: _Running) -> str:
    """Where the simulator listens, from the line that it prints."""
    found: list[str] = []

    def printed() -> bool:
        found.extend(re.findall(r"http://\S+", simulator.child.log.read_text(encoding="utf-8")))
        return bool(found)

    simulator.child.wait_until(printed, simulator.process)
    return found[0]


def _set_environment(values: dict[str, str]) -> None:
    """For the processes that are started, and for this one; what would contradict goes."""
    for name in (*_OVERRIDDEN, *(f"{name}_FILE" for name in values)):
        os.environ.pop(name, None)
    os.environ.update(values)


def _token(folder: Path) -> str:
    """The administrator's token of this folder, made once."""
    path = folder / "admin.token"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
