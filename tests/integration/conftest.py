"""The stage for whole runs. Its simulator and its forker serve all tests of an xdist worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from evaluator.ledger.database import Database
from tests.integration.leetcode import LeetCode, simulator
from tests.integration.program import Forker, Program
from tests.integration.stage import Stage, upstream_at


@pytest.fixture(scope="session")
def simulated() -> Iterator[LeetCode]:
    with simulator() as leetcode:
        yield leetcode


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    forker = Forker()
    yield forker
    forker.close()


@pytest.fixture
def evaluator(forker: Forker, tmp_path: Path) -> Program:
    """The commands, with no service anywhere."""
    return Program(forker, tmp_path)


@pytest.fixture
def stage(
    database: Database,
    database_url: str,
    redis_client: redis.Redis,
    redis_url: str,
    simulated: LeetCode,
    forker: Forker,
    tmp_path: Path,
) -> Iterator[Stage]:
    """A ledger and a Redis without anything in them, and a LeetCode with nobody scripted."""
    upstream = upstream_at(simulated, redis_client, lambda: built.now)
    built = Stage(database, database_url, redis_client, redis_url, simulated, tmp_path, forker, upstream)
    yield built
    upstream.close()
    simulated.reset()
