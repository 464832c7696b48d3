"""Who is stuck is restarted; who only waits for Redis is not."""

from __future__ import annotations

import pytest

from tests.e2e.release import SERVERS, WORKERS, Release

pytestmark = [pytest.mark.e2e, pytest.mark.long]

_STOP_ALL = "import os, signal; os.kill(-1, signal.SIGSTOP)"
"""Every process of a container but the first one: it is there, and does nothing any more."""


def test_a_stuck_worker_is_restarted_and_one_without_redis_is_not(release: Release) -> None:
    services = release.namespace.other("services")
    workers, servers = release.restarts(WORKERS), release.restarts(SERVERS)
    stuck = next(iter(workers))
    services("scale", "deployment/redis", "--replicas=0")
    try:
        release.namespace("exec", stuck, "--container=worker", "--", "python", "-c", _STOP_ALL)
        release.namespace.until(
            "it is restarted", lambda: release.restarts(WORKERS)[stuck] > workers[stuck], within=240
        )
        assert release.restarts(WORKERS) | {stuck: workers[stuck]} == workers
        assert release.restarts(SERVERS) == servers
    finally:
        services("scale", "deployment/redis", "--replicas=1")
        services.rolled_out("deployment/redis")
    release.grind.challenge("after-redis", 24)
    release.enqueue("after-redis")
    release.grind.check()
