"""What a batch costs, counted rather than timed: round trips to PostgreSQL and to Redis, requests to LeetCode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any

import psycopg
import pytest
from redis.connection import AbstractConnection

from evaluator.domain.rules import Rules
from evaluator.ledger.runs import Turn
from evaluator.leetcode import pacer
from evaluator.queue import consumer
from evaluator.queue.broker import connect
from evaluator.queue.messages import MEMBER_EVALUATION, QUEUES
from evaluator.queue.outbox import MessageOutbox
from evaluator.service.evaluate import Done, Evaluator
from evaluator.service.fan_out import SENT_AHEAD, SENT_TOGETHER, fan_out
from evaluator.settings import Settings
from tests.integration.stage import Stage

DAY = date(2026, 3, 1)
FETCHED = 8
"""Batches that are fetched at a time, since all are done by then."""

WARM_UP = 2 * FETCHED
"""Batches after which each statement is prepared, and each script loaded."""


@dataclass(slots=True)
class Trips:
    """The round trips of this process: psycopg waits once in each, redis-py sends once."""

    postgres: int = 0
    redis: int = 0


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Trips:
    counted = Trips()
    wait = psycopg.Connection.wait
    send: Any = AbstractConnection.send_packed_command

    def waited(self: Any, *arguments: Any, **options: Any) -> Any:
        counted.postgres += 1
        return wait(self, *arguments, **options)

    def sent(self: Any, *arguments: Any, **options: Any) -> Any:
        counted.redis += 1
        return send(self, *arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", waited)
    monkeypatch.setattr(AbstractConnection, "send_packed_command", sent)
    # A slow machine would ask again for a slot for which it came too late, and look for lost messages.
    monkeypatch.setattr(pacer, "_LATE", 60.0)
    monkeypatch.setattr(consumer, "_LOOK_EVERY", 600.0)
    return counted


class ByHand:
    """A worker of one thread that takes its messages from Redis, and can be stopped after any of them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.broker = connect(Settings(redis_url=stage.redis_url), maintenance_chance=0)
        self.outbox = MessageOutbox(self.broker)
        self.evaluator = Evaluator(stage.database, self.outbox, stage.upstream, 3)
        self.consumer = self.broker.consume(QUEUES[MEMBER_EVALUATION], prefetch=FETCHED, timeout=100)

    def work(self) -> Iterator[None]:
        """Settle a batch at each step."""
        for message in self.consumer:
            if message is not None:
                assert isinstance(self.evaluator.evaluate(*message.args), Done)
                self.consumer.ack(message)
                yield


@pytest.fixture
def worker(stage: Stage) -> Iterator[ByHand]:
    worker = ByHand(stage)
    yield worker
    worker.broker.client.close()


def opened(stage: Stage, worker: ByHand, batches: int, rules: Rules, *, users: int = 2) -> None:
    """A day of a challenge is fanned out into so many batches, of so many users each."""
    stage.scene.challenge(
        "grind", [f"idle-{n}" for n in range(users * batches)], starts=DAY, ends=DAY, timezone="Etc/UTC", rules=rules
    )
    stage.at("2026-03-02T06:00Z")
    stage.enqueue()
    turn = stage.hand.messages.popleft()
    assert isinstance(turn, Turn)
    fan_out(stage.database, worker.outbox, turn.run_id, users_per_request=users)


@pytest.mark.parametrize("users", [2, 20])
def test_a_batch_takes_seven_round_trips_and_one_request_however_many_members_it_has(
    stage: Stage, worker: ByHand, trips: Trips, users: int
) -> None:
    opened(stage, worker, SENT_AHEAD + 64, Rules(freezes_per_month=1, penalty=500), users=users)
    work = worker.work()
    assert len(list(islice(work, WARM_UP))) == WARM_UP
    asked = stage.leetcode.requests()
    before = replace(trips)
    batches = 2 * SENT_TOGETHER
    assert len(list(islice(work, batches))) == batches
    # A slot for each. They are acknowledged and fetched eight at a time, and sent by sixteen.
    assert trips.redis - before.redis == batches + 2 * batches // FETCHED + batches // SENT_TOGETHER
    # begin; BEGIN, lock_at_once, evidence.read, accounts, record, COMMIT. One in sixteen sends others.
    assert trips.postgres - before.postgres == 7 * batches + batches // SENT_TOGETHER
    assert stage.leetcode.requests() - asked == batches


def test_the_last_batches_look_whether_the_run_is_over_in_one_more(stage: Stage, worker: ByHand, trips: Trips) -> None:
    opened(stage, worker, WARM_UP + 5, Rules())
    work = worker.work()
    assert len(list(islice(work, WARM_UP))) == WARM_UP
    before = trips.postgres
    assert len(list(islice(work, 4))) == 4
    assert trips.postgres - before == 4 * (7 + 1)
