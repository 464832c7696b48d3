"""Plain Dramatiq, by its guide: the Redis broker, its middleware, `send` for each member.

`dramatiq benchmarks.plain.with_dramatiq` works; `python -m benchmarks.plain.with_dramatiq CHALLENGE` enqueues.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any

import dramatiq
import psycopg
from dramatiq.brokers.redis import RedisBroker
from psycopg_pool import ConnectionPool

from benchmarks.plain.evaluation import Job, evaluate, jobs_of, open_pool

THREADS = 8  # of a process: Dramatiq's default

broker = RedisBroker(url=os.environ["REDIS_URL"])
dramatiq.set_broker(broker)


@lru_cache(maxsize=1)
def _pool() -> ConnectionPool[psycopg.Connection[Any]]:
    return open_pool(THREADS)


@dramatiq.actor(queue_name="evaluations", max_retries=2, min_backoff=5000)
def evaluate_member(*fields: Any) -> None:
    evaluate(_pool(), Job(*fields))


if __name__ == "__main__":
    for job in jobs_of(sys.argv[1]):
        evaluate_member.send(*job.fields())
