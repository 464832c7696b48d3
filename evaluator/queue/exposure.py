"""Metrics and health of a worker over HTTP, from its first process, which lives as long as any other does.

/metrics   what all processes counted, also those that have died
/healthz   503, and why, where a restart would help
/readyz    503, and why, until all processes have booted, and from when they are told to stop
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from socketserver import ThreadingTCPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

import structlog
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import MetricsHandler
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from evaluator.interfaces import has_ipv6
from evaluator.metrics import BUILD_INFO
from evaluator.queue.health import Health, examine
from evaluator.queue.heartbeat import Phase, read_beats

_log = structlog.get_logger(__name__)


class ExposureError(Exception):
    """Nothing can be served. The message says why, and what to do."""


@contextmanager
def exposed(port: int, processes: int) -> Iterator[Path]:
    """Answer at `port` as soon as so many processes are forked, and until these have ended.

    Yields a fresh folder, in which they keep their values and signs of life. Raises ExposureError where the port is
    taken, or no folder can be made.
    """
    try:
        server = _Server(port, processes)
    except OSError as error:
        raise ExposureError(
            f"Port {port} for metrics and health of this worker cannot be listened on: {error.strerror}. Stop what "
            "listens there, maybe another worker, or set METRICS_PORT to another port, or to 0 for none."
        ) from error
    with server, _fresh_folder(port) as folder:
        server.start_when_forked(_Processes(folder, processes))
        _log.info("Metrics and health are served", port=port)
        try:
            yield folder
        finally:
            server.stop()


@contextmanager
def _fresh_folder(port: int) -> Iterator[Path]:
    """For the owner of the port: what bears its number already was left by a worker that was killed."""
    name = f"evaluator-worker-{port}-"
    try:
        for left in Path(tempfile.gettempdir()).glob(f"{name}*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = tempfile.TemporaryDirectory(prefix=name)
    except OSError as error:
        raise ExposureError(
            f"There is no temporary folder for what this worker counts: {error.strerror}. Make /tmp writable, name "
            "another one in TMPDIR, or set METRICS_PORT=0, which leaves out metrics and health."
        ) from error
    with folder:
        yield Path(folder.name)


class _Server(ThreadingTCPServer):
    """Answers in threads. The first begins after the last fork, since a fork beside threads may copy a lock that is
    held; and while Dramatiq blocks signals, so that they go to its own thread.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, forks: int) -> None:
        if has_ipv6():
            self.address_family = socket.AF_INET6
        super().__init__(("", port), _Handler)
        self._forks_left = forks
        self._thread: Thread | None = None

    def server_bind(self) -> None:
        """On all addresses: a pod has one of IPv4, of IPv6, or of both."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def start_when_forked(self, processes: _Processes) -> None:
        self.processes = processes
        multiprocessing.set_start_method("fork", force=True)  # newer Pythons would choose another
        os.register_at_fork(after_in_parent=self._forked, after_in_child=self._left_behind)

    def _forked(self) -> None:
        self._forks_left -= 1
        if self._forks_left == 0:
            self._thread = Thread(target=self.serve_forever, name="metrics and health", daemon=True)
            self._thread.start()

    def _left_behind(self) -> None:
        """In a child: it neither serves nor keeps the port, should it outlive the first process."""
        self._forks_left = 0
        self.socket.close()

    def stop(self) -> None:
        if self._thread is not None:
            self.shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.warning("A request about metrics or health could not be answered", exc_info=True)


class _Handler(MetricsHandler):
    timeout = 5.0  # seconds that a client may take to ask, and to take in the answer
    server: _Server

    def do_GET(self) -> None:  # noqa: N802  # the name is the base class's
        processes = self.server.processes
        match urlsplit(self.path).path:
            case "/metrics":
                self.registry = processes.registry
                super().do_GET()
            case "/healthz":
                self._say(processes.health().ailment)
            case "/readyz":
                self._say(processes.health().unready)
            case _:
                self.send_error(404, explain="There are /metrics, /healthz and /readyz.")

    def _say(self, trouble: str) -> None:
        self.send_response(503 if trouble else 200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(f"{trouble or 'ok'}\n".encode())


class _Processes(Collector):
    """The processes of a worker, by what they have left in the folder."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._count = count
        self._began = time.monotonic()
        self._burying = Lock()  # two scrapes at once would each take away the same files, and the later one fail
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def health(self) -> Health:
        beats = read_beats(self._folder)
        now = time.monotonic()
        return examine(beats, set(filter(_is_dead, beats)), self._count, now - self._began, now)

    def collect(self) -> Iterator[Metric]:
        """The counts of all; the gauges of those that live."""
        build = GaugeMetricFamily(BUILD_INFO.name, BUILD_INFO.help, labels=list(BUILD_INFO.labels))
        build.add_metric([version("evaluator")], 1)
        yield build
        with self._burying:
            for pid, beat in read_beats(self._folder).items():
                if beat.phase is Phase.ENDED or _is_dead(pid):
                    mark_process_dead(pid, self._folder)
        yield from MultiProcessCollector(None, self._folder).collect()


def _is_dead(pid: int) -> bool:
    """Whether a child has ended; if so, it is left for Dramatiq to take note of."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
