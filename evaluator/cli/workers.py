"""Workers: whether any answers, and why nothing moves, in words."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import psycopg
import redis

from evaluator.cli.session import Session, unreachable
from evaluator.ledger.database import UNREACHABLE
from evaluator.ledger.jobs import Pause, read_pause
from evaluator.leetcode.pacer import Pacer
from evaluator.queue.broker import Broker
from evaluator.queue.messages import QUEUES
from evaluator.queue.ping import Pong, ping

_PATIENCE = 2.0  # seconds to wait for an answer, where nobody said how many


def answered(queue: str, pong: Pong) -> str:
    return f"{queue}: {pong.host} (process {pong.process}) answered in {pong.seconds * 1000:.0f} ms"


def silences(broker: Broker, answers: Mapping[str, Pong | None]) -> list[str]:
    """Why nobody has answered through some of the queues, in sentences."""
    silent = [queue for queue, pong in answers.items() if pong is None]
    busy = [queue for queue in silent if broker.is_held(queue)]
    unserved = [queue for queue in silent if queue not in busy]
    return [
        f"no worker answers through {' and '.join(queues)}: {why}"
        for queues, why in ((unserved, "none runs that serves it, start `evaluator worker`"), (busy, "all are busy"))
        if queues
    ]


def paused(pause: Pause) -> str:
    since = f"{pause.set_at:%Y-%m-%d %H:%M %Z}"
    return f"work is paused by {pause.set_by} since {since}; `evaluator queue resume` lets it go on"


def pause_of(session: Session) -> Pause | None:
    """The pause; None where there is none, or nobody knows, since the ledger is away."""
    try:
        with session.database.connection() as connection:
            return read_pause(connection)
    except (*UNREACHABLE, psycopg.Error):
        return None


def why_nothing_moves(session: Session) -> list[str]:
    """Sentences; none where work is not paused, LeetCode refuses nothing, and workers answer."""
    pause = pause_of(session)
    if pause:
        return [paused(pause)]
    try:
        silent = silences(session.broker, ping(session.broker, list(QUEUES.values()), _PATIENCE))
        state = Pacer(session.broker.client, session.settings.leetcode_requests_per_second).state()
    except redis.RedisError as error:
        return [unreachable(session.settings, error)]
    if state.paused_for:
        return [f"LeetCode refused requests, and none is sent for another {ceil(state.paused_for)} s", *silent]
    return silent
