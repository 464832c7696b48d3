"""Celery on Redis, by its guide to optimizing: prefork, prefetch for many short tasks, no results, one producer.

`celery -A benchmarks.plain.with_celery worker` works; `python -m benchmarks.plain.with_celery CHALLENGE` enqueues.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any

import psycopg
from celery import Celery
from psycopg_pool import ConnectionPool

from benchmarks.plain.evaluation import Job, evaluate, jobs_of, open_pool

app = Celery("evaluations", broker=os.environ["REDIS_URL"])
app.conf.task_ignore_result = True
app.conf.worker_prefetch_multiplier = 128
app.conf.broker_connection_retry_on_startup = True


@lru_cache(maxsize=1)
def _pool() -> ConnectionPool[psycopg.Connection[Any]]:
    return open_pool(1)  # a process of prefork does one task at a time


def _evaluate_member(*fields: Any) -> None:
    evaluate(_pool(), Job(*fields))


evaluate_member = app.task(_evaluate_member, name="evaluate_member")


def enqueue(challenge: str) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        for job in jobs_of(challenge):
            evaluate_member.apply_async(job.fields(), producer=producer)


if __name__ == "__main__":
    enqueue(sys.argv[1])
