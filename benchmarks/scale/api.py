"""What a call of the HTTP API takes, from outside: of a server of its own, with the keeper that it brings."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import urllib3

from benchmarks.processes import running
from benchmarks.scale.measures import Figures, percentiles
from evaluator.local.redis import embedded_redis

_TOKEN = "scale"  # noqa: S105  # of a server that nobody else reaches
_CALLS = 250  # so many an address may make at once
_PATIENCE = 30.0


def called(database_url: str, folder: Path) -> Figures:
    """Milliseconds of `GET /api/admin/queue/stats`."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "evaluator.cli", "server", "--host", "127.0.0.1", "--port", str(port)]
    with embedded_redis(folder) as redis_url, urllib3.PoolManager(retries=False) as http:
        addresses = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "ADMIN_TOKEN": _TOKEN}
        server = f"http://127.0.0.1:{port}"
        with running(command, {**os.environ, **addresses}, folder / "server.log"):
            _await(http, f"{server}/readyz")
            headers = {"Authorization": f"Bearer {_TOKEN}"}

            def call() -> None:
                answer = http.request("GET", f"{server}/api/admin/queue/stats", headers=headers)
                if answer.status != 200:
                    raise RuntimeError(f"HTTP {answer.status}: {answer.data.decode()}")

            return percentiles("stats over HTTP", call, _CALLS)


def _await(http: urllib3.PoolManager, url: str) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            if http.request("GET", url).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        if time.monotonic() > until:
            raise TimeoutError(f"{url} does not answer")
        time.sleep(0.1)
