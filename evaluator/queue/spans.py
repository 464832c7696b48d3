"""Messages as spans of a trace, for a worker that traces."""

from __future__ import annotations

from threading import local
from typing import Any

from dramatiq import Broker, MessageProxy, Worker
from dramatiq.middleware import Middleware

from evaluator import correlation, tracing
from evaluator.queue.actors import PutOff
from evaluator.queue.messages import MEMBER_EVALUATION, TRACEPARENT


class Spans(Middleware):
    """A span for each message that is worked on, in the trace that the message came with.

    All batches of a run follow from its challenge message: those that a batch has sent are not below that batch, or a
    run of a million members would be a trace of three thousand floors.
    """

    def __init__(self) -> None:
        self._here = local()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        self._here.work = None
        tracer = tracing.tracer()
        if tracer is not None:
            given = message.options.get(TRACEPARENT)
            traceparent = given if isinstance(given, str) else None
            leaf = message.actor_name == MEMBER_EVALUATION
            self._here.work = tracer.begin(message.actor_name, traceparent, _attributes(message), leaf=leaf)

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        if self._here.work is not None:
            failed = exception is not None and not isinstance(exception, PutOff)
            self._here.work.end(str(exception) if failed else None)

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        tracing.stop_tracing()


def _attributes(message: MessageProxy) -> dict[str, Any]:
    ids: dict[str, Any] = {"evaluator.job": message.options["redis_message_id"]}
    ids |= zip(("evaluator.run", "evaluator.batch"), message.args, strict=False)
    carried = correlation.current_id()
    return ids if carried is None else {**ids, f"evaluator.{correlation.KEY}": carried}
