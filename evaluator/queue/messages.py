"""The kinds of messages, which carry only ids. A message that is lost, doubled or late changes no verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dramatiq import Message, MessageProxy

CHALLENGE_EVALUATION = "challenge-evaluation"
MEMBER_EVALUATION = "member-evaluation"

QUEUES = {CHALLENGE_EVALUATION: "challenges", MEMBER_EVALUATION: "members"}
"""The queue of each kind of job: a worker of its own pool may serve only one."""

PING = "ping"
"""What is no job: it goes through any queue, to see a worker take it."""


TRACEPARENT = "traceparent"
"""The option of a message with the span that it follows from, as W3C's Trace Context writes it."""

Origin = Mapping[str, str]
"""What a message follows from, for those who read logs and traces: options of it that decide nothing."""

_UNKNOWN: Origin = {}


def challenge_message(run_id: int, number: int, origin: Origin = _UNKNOWN) -> Message[Any]:
    """Wake a worker for a run; `number` tells the passes over the run apart."""
    return _message(CHALLENGE_EVALUATION, f"run:{run_id}:{number}", origin, run_id)


def member_message(run_id: int, batch: int, origin: Origin = _UNKNOWN) -> Message[Any]:
    """Wake a worker for one batch of a run."""
    return _message(MEMBER_EVALUATION, f"batch:{run_id}:{batch}", origin, run_id, batch)


def ping_message(queue: str, number: int) -> Message[Any]:
    """See a worker of that queue; its answer bears the number."""
    return Message(queue, PING, (number,), {}, {"redis_message_id": f"ping:{number}"})


def is_job(message: MessageProxy) -> bool:
    """Whether it is work, and no ping."""
    return message.actor_name in QUEUES


def _message(actor: str, redis_id: str, origin: Origin, *ids: int) -> Message[Any]:
    return Message(QUEUES[actor], actor, ids, {}, {"redis_message_id": redis_id, **origin})
