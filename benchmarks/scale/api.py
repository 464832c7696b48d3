"""What a call of the HTTP API takes, from outside: of a server of its own, with the keeper that it brings."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import urllib3

from benchmarks.processes import running
from benchmarks.scale.measures import Figures, percentiles
from benchmarks.stage import free_port, inherited
from evaluator.api.rate_limit import CALLS_A_SECOND
from evaluator.local.redis import embedded_redis

_TOKEN = "scale"  # noqa: S105  # of a server that nobody else reaches
_CALLS = 500
_PATIENCE = 30.0


def called(database_url: str, folder: Path) -> Figures:
    """Milliseconds of `GET /api/admin/queue/stats`, over several rounds of the keeper."""
    port = free_port()
    command = [sys.executable, "-m", "evaluator.cli", "server", "--host", "127.0.0.1", "--port", port]
    log = folder / "server.log"
    with embedded_redis(folder) as redis_url, urllib3.PoolManager(retries=False, timeout=_PATIENCE) as http:
        addresses = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "ADMIN_TOKEN": _TOKEN}
        server = f"http://127.0.0.1:{port}"
        with running(command, {**inherited(), **addresses}, log) as process:
            _await(http, f"{server}/readyz", process, log)
            headers = {"Authorization": f"Bearer {_TOKEN}"}

            def call() -> None:
                answer = http.request("GET", f"{server}/api/admin/queue/stats", headers=headers)
                if answer.status != 200:
                    raise RuntimeError(f"HTTP {answer.status}: {answer.data.decode()}")

            return percentiles("stats over HTTP", call, _CALLS, pause=1 / CALLS_A_SECOND)


def _await(http: urllib3.PoolManager, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            if http.request("GET", url).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the server does not answer; its log:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.1)
