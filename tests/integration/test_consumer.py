"""How a worker's consumer waits: it is told of what comes, and leaves the order of what waits alone."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from dramatiq import MessageProxy

from evaluator.queue.broker import Broker, connect
from evaluator.queue.messages import MEMBER_EVALUATION, QUEUES, member_message
from evaluator.settings import Settings
from tests.integration.program import until

MEMBERS = QUEUES[MEMBER_EVALUATION]


@pytest.fixture
def broker(redis_url: str) -> Iterator[Broker]:
    broker = connect(Settings(redis_url=redis_url), maintenance_chance=0)
    yield broker
    broker.client.close()


def fetched(broker: Broker) -> MessageProxy:
    """The first message that a new consumer gets, however often it has to look."""
    return next(message for message in broker.consume(MEMBERS, prefetch=1) if message is not None)


def test_consumers_wait_in_redis_and_what_comes_is_fetched_once_and_in_order(broker: Broker) -> None:
    with ThreadPoolExecutor(2) as pool:
        idle = [pool.submit(fetched, broker) for _ in range(2)]
        # A consumer that looked now and then would not stand here.
        until(lambda: broker.client.info("clients")["blocked_clients"] == 2)
        broker.enqueue_many([member_message(1, batch) for batch in (1, 2, 3, 4)])
        batches = sorted(one.result(10).args[1] for one in idle)
    assert batches == [1, 2]
    waiting = broker.client.lrange(f"evaluator:{MEMBERS}", 0, -1)
    assert waiting == [b"batch:1:3", b"batch:1:4"]
