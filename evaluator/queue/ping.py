"""Ping: a message through a queue that does nothing but say which worker took it.

It goes ahead of all others, and leaves nothing behind: the worker's answer is a key that is taken or soon expires,
and a message that nobody took is withdrawn.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson
import redis

from evaluator.queue.broker import NAMESPACE, Broker
from evaluator.queue.messages import ping_message

_ANSWER_KEPT = 10  # seconds; who pinged waits for it, or has gone
_WAIT = 1  # seconds of one call that waits, below the client's own limit


@dataclass(frozen=True, slots=True)
class Pong:
    """A worker's answer: its machine or pod, its process there, and how long it took."""

    host: str
    process: int
    seconds: float


def ping(broker: Broker, queues: Sequence[str], patience: float) -> dict[str, Pong | None]:
    """Ping a worker through each queue; None where none has answered within `patience` seconds.

    Raises redis.RedisError where Redis is away.
    """
    messages = {queue: ping_message(queue, secrets.randbits(62)) for queue in queues}
    waiting = {_answer_key(message.args[0]): queue for queue, message in messages.items()}
    answers: dict[str, Pong | None] = dict.fromkeys(queues)
    began = time.monotonic()
    try:
        for message in messages.values():
            broker.enqueue_first(message)
        while waiting and time.monotonic() - began < patience:
            answer = broker.client.blpop(list(waiting), timeout=_WAIT)
            if answer:
                key, said = answer
                told = orjson.loads(said)
                queue = waiting.pop(key.decode() if isinstance(key, bytes) else key)
                answers[queue] = Pong(told["host"], told["process"], time.monotonic() - began)
    finally:
        with suppress(redis.RedisError):
            for queue in waiting.values():
                broker.withdraw(messages[queue])
    return answers


def answer(broker: Broker, number: int) -> None:
    """Say that this process has the ping of that number. Whoever waits for it, if Redis is away, does so in vain."""
    key = _answer_key(number)
    with suppress(redis.RedisError), broker.client.pipeline(transaction=True) as pipe:
        pipe.rpush(key, orjson.dumps({"host": socket.gethostname(), "process": os.getpid()}))
        pipe.expire(key, _ANSWER_KEPT)
        pipe.execute()


def _answer_key(number: int) -> str:
    return f"{NAMESPACE}:ping:{number}"
