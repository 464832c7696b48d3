"""How a worker's consumer waits for messages, and when Redis is told of those that are done."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from dramatiq import MessageProxy
from dramatiq.common import dq_name
from dramatiq.errors import ConnectionClosed, Retry

from evaluator.queue.broker import Broker, connect
from evaluator.queue.consumer import LosslessConsumer
from evaluator.queue.messages import MEMBER_EVALUATION, QUEUES, member_message
from evaluator.settings import Settings
from tests.integration.program import until

MEMBERS = QUEUES[MEMBER_EVALUATION]


@pytest.fixture
def broker(redis_url: str) -> Iterator[Broker]:
    broker = connect(Settings(redis_url=redis_url), maintenance_chance=0)
    yield broker
    broker.client.close()


@pytest.fixture
def consumer(broker: Broker) -> Iterator[LosslessConsumer]:
    """Of a worker of two threads; four messages wait for it."""
    broker.enqueue_many([member_message(1, batch) for batch in (1, 2, 3, 4)])
    consumer = broker.consume(MEMBERS, prefetch=4, timeout=100)
    assert isinstance(consumer, LosslessConsumer)
    yield consumer
    consumer.close()


def taken(consumer: LosslessConsumer) -> MessageProxy:
    message = next(consumer)
    assert message is not None
    return message


def unacknowledged(broker: Broker) -> int:
    held = broker.client.scard(f"evaluator:__acks__.{broker.broker_id}.{MEMBERS}")
    assert broker.client.hlen(f"evaluator:{MEMBERS}.msgs") == held + broker.client.llen(f"evaluator:{MEMBERS}")
    return held


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


def test_what_is_done_is_acknowledged_when_the_next_is_fetched(broker: Broker, consumer: LosslessConsumer) -> None:
    messages = [taken(consumer) for _ in range(4)]
    broker.enqueue_many([member_message(1, batch) for batch in (5, 6)])
    for message in messages[:2]:
        consumer.ack(message)
    assert unacknowledged(broker) == 4
    assert taken(consumer).args == (1, 5)
    assert broker.held[MEMBERS].ids() == {"batch:1:3", "batch:1:4", "batch:1:5"}
    assert unacknowledged(broker) == 2 + 2  # at work; and fetched just now


def test_what_is_done_is_acknowledged_soon_while_there_is_no_room_for_more(
    broker: Broker, consumer: LosslessConsumer
) -> None:
    messages = [taken(consumer) for _ in range(4)]
    consumer.ack(messages[0])
    assert next(consumer) is None
    assert unacknowledged(broker) == 3


def test_a_consumer_that_waits_for_messages_acknowledges_at_once(broker: Broker, consumer: LosslessConsumer) -> None:
    messages = [taken(consumer) for _ in range(4)]
    for message in messages[:3]:
        consumer.ack(message)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, consumer)
        until(lambda: broker.client.info("clients")["blocked_clients"] == 1)
        assert unacknowledged(broker) == 1
        consumer.ack(messages[3])
        assert unacknowledged(broker) == 0
        assert waiting.result(10) is None
    broker.enqueue_many([member_message(1, batch) for batch in (5, 6)])
    consumer.ack(taken(consumer))
    assert unacknowledged(broker) == 2


def test_one_that_is_tried_again_is_acknowledged_before_it_may_come_back(
    broker: Broker, consumer: LosslessConsumer
) -> None:
    messages = [taken(consumer) for _ in range(4)]
    messages[0].stuff_exception(Retry("LeetCode is away"))
    consumer.ack(messages[0])
    assert unacknowledged(broker) == 3


def test_what_was_done_while_the_consumer_found_nothing_is_acknowledged_before_it_waits(
    broker: Broker, consumer: LosslessConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [taken(consumer) for _ in range(4)]

    def found_nothing() -> bool:
        consumer.ack(messages[0])
        return False

    for message in messages[1:]:
        consumer.ack(message)
    monkeypatch.setattr(consumer, "_fetch", found_nothing)
    monkeypatch.setattr(consumer, "_await_message", lambda: None)
    assert next(consumer) is None
    assert unacknowledged(broker) == 0


def test_a_delayed_message_is_acknowledged_as_soon_as_it_is_sent_on(broker: Broker) -> None:
    broker.enqueue(member_message(1, 5), delay=60_000)
    consumer = broker.consume(dq_name(MEMBERS), prefetch=4, timeout=100)
    message = next(consumer)
    assert message is not None
    consumer.ack(message)
    assert broker.client.hlen(f"evaluator:{MEMBERS}.DQ.msgs") == 0


def test_what_redis_could_not_be_told_is_told_by_the_next_consumer_and_not_done_again(
    broker: Broker, consumer: LosslessConsumer
) -> None:
    messages = [taken(consumer) for _ in range(4)]
    for message in messages[:3]:
        consumer.ack(message)
    held = f"evaluator:__acks__.{broker.broker_id}.{MEMBERS}"
    broker.client.rename(held, "aside")
    broker.client.set(held, "no set")  # which the script refuses
    with pytest.raises(ConnectionClosed):
        next(consumer)
    messages[3].stuff_exception(Retry("Redis was away"))
    consumer.ack(messages[3])
    broker.client.rename("aside", held)
    assert unacknowledged(broker) == 4
    broker.consume(MEMBERS, prefetch=4, timeout=100)
    assert unacknowledged(broker) == 0
    assert broker.client.llen(f"evaluator:{MEMBERS}") == 0


def test_what_waits_for_somebody_else_keeps_its_text(broker: Broker, consumer: LosslessConsumer) -> None:
    consumer.ack(taken(consumer))
    # Its worker was taken for dead.
    broker.client.srem(f"evaluator:__acks__.{broker.broker_id}.{MEMBERS}", "batch:1:1")
    broker.client.rpush(f"evaluator:{MEMBERS}", "batch:1:1")
    consumer.close()
    assert broker.client.hexists(f"evaluator:{MEMBERS}.msgs", "batch:1:1")


def test_a_worker_that_stops_acknowledges_what_is_done(broker: Broker, consumer: LosslessConsumer) -> None:
    for message in [taken(consumer) for _ in range(4)][:3]:
        consumer.ack(message)
    consumer.close()
    assert unacknowledged(broker) == 1
