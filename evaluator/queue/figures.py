"""Figures: what Redis knows of the work and of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from evaluator.queue.broker import Broker
from evaluator.queue.depth import Depth, depths
from evaluator.queue.janitor import JANITOR


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that Redis uses and may use (0: no limit), and the keys that it has thrown away for want of them."""

    used: int
    limit: int
    evicted_keys: int


@dataclass(frozen=True, slots=True)
class RedisFigures:
    """`workers_alive` are processes that gave a sign of life lately; `memory` is None where we may not ask for it."""

    depths: Mapping[str, Depth]
    workers_alive: int
    memory: Memory | None


def read_redis_figures(broker: Broker) -> RedisFigures:
    """Raises redis.RedisError where Redis is away."""
    return RedisFigures(depths(broker), _workers_alive(broker), _memory(broker.client))


def _workers_alive(broker: Broker) -> int:
    """Who has fetched lately, or tried to; keepers do neither, but sign in the same place."""
    seconds, _ = broker.client.time()
    since = seconds * 1000 - broker.heartbeat_timeout
    signed: list[Any] = broker.client.zrangebyscore(f"{broker.namespace}:__heartbeats__", since, "+inf")
    names = [one.decode() if isinstance(one, bytes) else one for one in signed]
    return sum(not name.startswith(JANITOR) for name in names)


def _memory(client: redis.Redis) -> Memory | None:
    try:
        memory, stats = client.info("memory"), client.info("stats")
    except redis.exceptions.NoPermissionError:
        return None
    return Memory(memory["used_memory"], memory["maxmemory"], stats["evicted_keys"])
