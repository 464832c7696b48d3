"""What a batch costs, counted rather than timed: round trips to PostgreSQL, commands of Redis, requests to LeetCode."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any

import psycopg
import pytest

from evaluator.domain.rules import Rules
from evaluator.ledger.runs import Turn
from evaluator.queue.broker import connect
from evaluator.queue.messages import MEMBER_EVALUATION, QUEUES
from evaluator.queue.outbox import MessageOutbox
from evaluator.service.evaluate import Done, Evaluator
from evaluator.service.fan_out import SENT_AHEAD, SENT_TOGETHER, fan_out
from evaluator.settings import Settings
from tests.integration.stage import Stage

DAY = date(2026, 3, 1)
WARM_UP = 8
"""Batches after which each statement is prepared."""


class Trips:
    """The round trips to PostgreSQL of this process: psycopg waits once in each."""

    def __init__(self) -> None:
        self.made = 0


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Trips:
    counted = Trips()
    wait = psycopg.Connection.wait

    def waited(self: Any, *arguments: Any, **options: Any) -> Any:
        counted.made += 1
        return wait(self, *arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", waited)
    return counted


class ByHand:
    """A worker of one thread that takes its messages from Redis, and can be stopped after any of them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.broker = connect(Settings(redis_url=stage.redis_url), maintenance_chance=0)
        self.outbox = MessageOutbox(self.broker)
        self.evaluator = Evaluator(stage.database, self.outbox, stage.upstream, 3)
        self.consumer = self.broker.consume(QUEUES[MEMBER_EVALUATION], prefetch=8, timeout=100)
        self.commands = 0
        self._execute = self.broker.client.execute_command
        self.broker.client.execute_command = self._counted  # type: ignore[method-assign]

    def _counted(self, name: str, *arguments: Any, **options: Any) -> Any:
        """A command of the broker; all that a batch costs are scripts."""
        self.commands += name == "EVALSHA"
        return self._execute(name, *arguments, **options)

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


def opened(stage: Stage, worker: ByHand, batches: int, rules: Rules) -> None:
    """A day of a challenge is fanned out into so many batches of two."""
    stage.scene.challenge(
        "grind", [f"idle-{n}" for n in range(2 * batches)], starts=DAY, ends=DAY, timezone="Etc/UTC", rules=rules
    )
    stage.at("2026-03-02T06:00Z")
    stage.enqueue()
    turn = stage.hand.messages.popleft()
    assert isinstance(turn, Turn)
    fan_out(stage.database, worker.outbox, turn.run_id, users_per_request=2)


def test_a_batch_takes_seven_round_trips_and_one_request(stage: Stage, worker: ByHand, trips: Trips) -> None:
    opened(stage, worker, SENT_AHEAD + 64, Rules(freezes_per_month=1, penalty=500))
    work = worker.work()
    assert len(list(islice(work, WARM_UP))) == WARM_UP
    before, asked = trips.made, stage.leetcode.requests()
    batches = 2 * SENT_TOGETHER
    commands = worker.commands
    assert len(list(islice(work, batches))) == batches
    # They are fetched and acknowledged by four, and sent by sixteen. Slots are asked for by another client.
    assert worker.commands - commands <= 2 * (batches // 4) + batches // SENT_TOGETHER
    assert stage.leetcode.requests() - asked == batches
    # begin; BEGIN, lock_at_once, evidence.read, accounts, record, COMMIT. One in sixteen sends others.
    assert trips.made - before == 7 * batches + batches // SENT_TOGETHER


def test_the_last_batches_look_whether_the_run_is_over_in_one_more(stage: Stage, worker: ByHand, trips: Trips) -> None:
    opened(stage, worker, WARM_UP + 5, Rules())
    work = worker.work()
    assert len(list(islice(work, WARM_UP))) == WARM_UP
    before = trips.made
    assert len(list(islice(work, 4))) == 4
    assert trips.made - before == 4 * (7 + 1)
