"""What each line says that is logged while a message is worked on: the ids of the message."""

from __future__ import annotations

from typing import Any

from dramatiq import Broker, MessageProxy
from dramatiq.middleware import Middleware
from structlog.contextvars import bind_contextvars, clear_contextvars

from evaluator import correlation
from evaluator.queue.messages import is_job


class Bound(Middleware):
    """Binds a message's ids to its thread: the job's, the run's, the batch's, and the correlation id.

    It comes first among the middleware: all others then log with these ids. They stay when the work is over, since its
    message has yet to be acknowledged, and go when the thread takes the next one.
    """

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        clear_contextvars()
        ids: dict[str, Any] = dict(zip(("run", "batch"), message.args, strict=False)) if is_job(message) else {}
        carried = correlation.well_formed(message.options.get(correlation.KEY))
        if carried is not None:
            ids[correlation.KEY] = carried
        bind_contextvars(job=message.options["redis_message_id"], **ids)
