"""The real application and a real Prometheus. The services may be broken; they are those of the tests of faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.night import Night
from tests.deploy.prometheus import free_port, prometheus
from tests.faults.arena import Arena
from tests.faults.conftest import (  # noqa: F401  # fixtures
    arena,
    breakable_postgres,
    breakable_redis,
    faults_folder,
    nursery,
    peopled,
)


@pytest.fixture
def night(arena: Arena, tmp_path: Path) -> Iterator[Night]:  # noqa: F811  # a fixture by its name
    """A Prometheus that looks for a server and a worker, neither of which runs yet."""
    server, worker = free_port(), free_port()
    with prometheus(tmp_path, {"evaluator-server": [server], "evaluator-worker": [worker]}) as watch:
        yield Night(arena, watch, server, worker)
        arena.redis.ensure()
        arena.client.config_set("maxmemory", 0)
        arena.client.config_set("maxmemory-policy", "noeviction")
