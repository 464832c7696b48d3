"""When a worker process begins to work, and that it is to end."""

from __future__ import annotations

import time
from typing import cast

import dramatiq
from dramatiq import Worker
from dramatiq.middleware import Middleware

from evaluator.queue.broker import Broker

HEAD_START = 0.2
"""Seconds from the start of a worker's threads to its first message.

In these the process tells Dramatiq's main process that it has started. One whose first job killed it before that was
missed after half a minute only; and never, nor could the main process be stopped, if it died in the middle of telling.
"""


class Lifetime(Middleware):
    """Tells a broker when its worker may fetch, and when it is stopping."""

    def before_worker_boot(self, broker: dramatiq.Broker, worker: Worker) -> None:
        cast("Broker", broker).begins_at = float("inf")

    def after_worker_boot(self, broker: dramatiq.Broker, worker: Worker) -> None:
        cast("Broker", broker).begins_at = time.monotonic() + HEAD_START

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: Worker) -> None:
        cast("Broker", broker).stopping.set()
