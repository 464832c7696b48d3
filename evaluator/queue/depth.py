"""How many messages there are. `LLEN` of a queue would miss what workers have fetched ahead."""

from __future__ import annotations

from dataclasses import dataclass

from dramatiq.common import dq_name

from evaluator.queue.broker import Broker
from evaluator.queue.messages import QUEUES


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages of one queue: `ready` to be fetched, `in_flight` with a worker, `delayed`, and `dead`."""

    ready: int
    in_flight: int
    delayed: int
    dead: int

    @property
    def present(self) -> int:
        """All that a worker is needed for."""
        return self.ready + self.in_flight + self.delayed


def depths(broker: Broker) -> dict[str, Depth]:
    """The depth of each queue. Raises redis.RedisError where Redis is away."""
    found: dict[str, Depth] = {}
    # Within a transaction a full Redis refuses to read, too, and what is full would look as if it were away.
    with broker.client.pipeline(transaction=False) as pipe:
        for queue in QUEUES.values():
            name = f"{broker.namespace}:{queue}"
            pipe.llen(name)
            pipe.hlen(f"{name}.msgs")
            pipe.hlen(f"{broker.namespace}:{dq_name(queue)}.msgs")
            pipe.zcard(f"{name}.XQ")
        counts = iter(pipe.execute())
    for queue in QUEUES.values():
        ready, present, delayed, dead = next(counts), next(counts), next(counts), next(counts)
        found[queue] = Depth(ready, max(0, present - ready), delayed, dead)
    return found
