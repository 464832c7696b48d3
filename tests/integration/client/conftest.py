"""The client before such a server, with a pacer on a real Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import redis

from evaluator.leetcode.client import Client
from evaluator.leetcode.pacer import Pacer
from tests.integration.client.peer import NOW, LeetCode, NotedPacer


@pytest.fixture
def pacer(redis_client: redis.Redis) -> NotedPacer:
    """A pacer that knows what was sent in the last second: nothing."""
    with Pacer(redis_client, 10_000, longest_wait=0).acquire(raise_on_failure=False) as acquired:
        assert not acquired
    redis_client.hincrby("evaluator:pacer", "offset", 2_000_000)
    return NotedPacer(redis_client)


@pytest.fixture
def leetcode() -> Iterator[LeetCode]:
    server = LeetCode()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(leetcode: LeetCode, pacer: NotedPacer) -> Iterator[Client]:
    """Closed before the server, which waits for its connections to end."""
    client = Client(leetcode.url, 5, pacer, lambda: NOW)
    yield client
    client.close()


@pytest.fixture
def hurried(leetcode: LeetCode, pacer: NotedPacer) -> Iterator[Client]:
    """A client that has little patience."""
    client = Client(leetcode.url, 0.2, pacer, lambda: NOW)
    yield client
    client.close()
