"""Dramatiq as it comes: its broker, its retries and its consumer, with an actor that does as it is told.

The tests show with it that a failure does lose or strand a message, before they show that ours survives it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import dq_name
from dramatiq.middleware import Retries

QUEUE = "work"


def stock_broker(url: str) -> RedisBroker:
    broker = RedisBroker(url=f"{url}?socket_timeout=0.5", middleware=[Retries(min_backoff=100)])
    broker.declare_queue(QUEUE)
    return broker


def boot() -> None:
    """Compose a worker process."""
    broker = stock_broker(os.environ["REDIS_URL"])
    dramatiq.set_broker(broker)

    def job(name: str, seconds: float = 0.0, wait_for: str | None = None, ends: str = "well") -> None:
        with Path("begun").open("a", encoding="utf-8") as begun:
            begun.write(f"{name}\n")
        time.sleep(seconds)
        while wait_for and not Path(wait_for).exists():
            time.sleep(0.01)
        if ends == "badly":
            raise RuntimeError(name)
        if ends == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        with Path("done").open("a", encoding="utf-8") as done:
            done.write(f"{name}\n")

    dramatiq.actor(broker=broker, queue_name=QUEUE)(job)


def work(arguments: Sequence[str]) -> int:
    """Dramatiq's command line, with one thread unless told otherwise."""
    import dramatiq.worker
    from dramatiq import cli

    dramatiq.worker.POST_PROCESS_MESSAGE_RETRY_DELAY_SECS = 0.2  # type: ignore[assignment]  # it is 5: only to be quicker
    given = ["tests.faults.stock:boot", "--processes", "1", "--threads", "1", *arguments]
    return int(cli.main(cli.make_argument_parser().parse_args(given)))


class Stock:
    """Messages for it, from outside, and where they are."""

    def __init__(self, url: str) -> None:
        self._broker = stock_broker(url)
        self._client: redis.Redis = self._broker.client

    def close(self) -> None:
        self._client.close()

    def send(self, name: str, *, delay: int | None = None, actor: str = "job", **orders: Any) -> str:
        message: dramatiq.Message[Any] = dramatiq.Message(QUEUE, actor, (name,), orders, {})
        sent = self._broker.enqueue(message, delay=delay)
        return str(sent.options["redis_message_id"])

    def put(self, payload: bytes) -> None:
        """Bytes that no broker would send."""
        self._client.hset(f"dramatiq:{QUEUE}.msgs", "junk", payload)
        self._client.rpush(f"dramatiq:{QUEUE}", "junk")

    def waiting(self) -> int:
        return sum(self._client.llen(f"dramatiq:{queue}") for queue in (QUEUE, dq_name(QUEUE)))

    def present(self) -> int:
        """Messages that Redis still has, wherever."""
        return sum(self._client.hlen(f"dramatiq:{queue}.msgs") for queue in (QUEUE, dq_name(QUEUE)))

    def held(self) -> int:
        """Messages that are counted as being with a worker."""
        return sum(self._client.scard(key) for key in self._client.keys("dramatiq:__acks__.*"))

    def dead(self) -> int:
        return self._client.zcard(f"dramatiq:{QUEUE}.XQ")
