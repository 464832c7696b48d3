"""Dramatiq's Redis broker with three differences: a message keeps one id in Redis for life, many are sent in one call,
and a consumer that starts again takes back what the one before it lost.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files
from threading import Lock
from typing import Any

import redis
from dramatiq import Message, MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.common import current_millis, dq_name
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import Middleware
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from evaluator.queue.messages import QUEUES
from evaluator.settings import Settings

NAMESPACE = "evaluator"
_CHUNK = 500  # messages in one call of the script: some ten milliseconds of Redis' time
_HEARTBEAT_TIMEOUT = 15_000  # milliseconds without a sign of a worker until its messages go back to their queues
_DEAD_MESSAGE_TTL = 7 * 86_400_000

_log = logging.getLogger(__name__)


class Broker(RedisBroker):
    """Its keys are described at the head of Dramatiq's `dispatch.lua`; ids are those of `messages.py`."""

    def __init__(self, client: redis.Redis, middleware: Sequence[Middleware], maintenance_chance: int = 1_000) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # dramatiq carries no annotations
            client=client,
            middleware=list(middleware),
            namespace=NAMESPACE,
            heartbeat_timeout=_HEARTBEAT_TIMEOUT,
            dead_message_ttl=_DEAD_MESSAGE_TTL,
            maintenance_chance=maintenance_chance,
        )
        self._send = client.register_script((files(__package__) / "send.lua").read_text(encoding="utf-8"))
        self.held: defaultdict[str, set[str]] = defaultdict(set)
        self.held_lock = Lock()
        for queue in QUEUES.values():
            self.declare_queue(queue)

    @property
    def consumer_class(self) -> type[_RedisConsumer]:
        return _Consumer

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Send one message, `delay` milliseconds from now. A retry is the same message in Redis, under the same id."""
        queue = message.queue_name
        if delay is not None:
            queue = dq_name(queue)
            message = message.copy(queue_name=queue, options={"eta": current_millis() + delay})
        self.emit_before("enqueue", message, delay)
        self._put(queue, [message])
        self.emit_after("enqueue", message, delay)
        return message

    def enqueue_many(self, messages: Sequence[Message[Any]]) -> None:
        """Send messages of one queue; those that are there already stay as they are."""
        for start in range(0, len(messages), _CHUNK):
            chunk = messages[start : start + _CHUNK]
            self._put(chunk[0].queue_name, chunk)

    def missing(self, messages: Sequence[Message[Any]]) -> list[int]:
        """The places of those (all of one queue) that Redis holds neither as waiting, nor delayed, nor in flight."""
        if not messages:
            return []
        queue = messages[0].queue_name
        ids = [message.options["redis_message_id"] for message in messages]
        with self.client.pipeline(transaction=False) as pipe:
            for name in (queue, dq_name(queue)):
                pipe.hmget(f"{self.namespace}:{name}.msgs", ids)
            present, delayed = pipe.execute()
        return [place for place in range(len(messages)) if present[place] is None and delayed[place] is None]

    def _put(self, queue: str, messages: Sequence[Message[Any]]) -> None:
        arguments: list[Any] = []
        for message in messages:
            arguments += (message.options["redis_message_id"], message.encode())
        name = f"{self.namespace}:{queue}"
        self._send(keys=[name, f"{name}.msgs"], args=arguments)


class _Consumer(_RedisConsumer):
    """A consumer that knows which fetched messages this process still holds.

    Dramatiq makes a new one after every connection error. What the former one had fetched and not handed on, or had
    delayed in memory, would otherwise count as being worked on for as long as this process lives.
    """

    broker: Broker
    queue_name: str

    def __init__(self, broker: Broker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]  # as above
        try:
            self._take_back()
        except redis.RedisError as error:
            raise ConnectionClosed(error) from None

    def _take_back(self) -> None:
        acks = f"{self.broker.namespace}:__acks__.{self.broker.broker_id}.{self.queue_name}"
        fetched = {one.decode() if isinstance(one, bytes) else one for one in self.broker.client.smembers(acks)}
        with self.broker.held_lock:
            if self.queue_name.endswith(".DQ"):
                self.broker.held[self.queue_name].clear()  # dramatiq dropped them with the former consumer
            lost = [one for one in fetched if one not in self.broker.held[self.queue_name]]
        if lost:
            _log.info("Messages taken back after a lost connection: %d of queue %s", len(lost), self.queue_name)
            self.broker.do_requeue(self.queue_name, *lost)

    def __next__(self) -> MessageProxy | None:
        try:
            message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]  # as above
        except redis.TimeoutError as error:
            # Not a ConnectionError of redis-py's, so that dramatiq would take it for a bug.
            raise ConnectionClosed(error) from None
        if message is not None:
            with self.broker.held_lock:
                self.broker.held[self.queue_name].add(message.options["redis_message_id"])
        return message

    def ack(self, message: MessageProxy) -> None:
        self._let_go(message, super().ack)

    def nack(self, message: MessageProxy) -> None:
        self._let_go(message, super().nack)

    def _let_go(self, message: MessageProxy, how: Any) -> None:  # dramatiq's method, unannotated
        try:
            how(message)
        except redis.TimeoutError as error:
            raise ConnectionClosed(error) from None
        with self.broker.held_lock:
            self.broker.held[self.queue_name].discard(message.options["redis_message_id"])


def connect(settings: Settings, middleware: Sequence[Middleware] = (), maintenance_chance: int = 1_000) -> Broker:
    """The broker at the Redis of the settings; it connects when it is first used."""
    client = redis_client(settings)
    return Broker(client, middleware, maintenance_chance)


def redis_client(settings: Settings) -> redis.Redis:
    """A client with time limits, and few retries: who waits for Redis should know why."""
    return redis.Redis.from_url(
        settings.redis,
        socket_timeout=5.0,
        socket_connect_timeout=5.0,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        retry_on_error=[redis.ConnectionError, redis.TimeoutError],
    )
