"""Reconcile: whatever was lost between the ledger and Redis, the work goes on, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from evaluator.domain.rules import Rules
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.evaluations import begin
from evaluator.queue.broker import Broker, connect
from evaluator.queue.outbox import MessageOutbox
from evaluator.service.enqueue import Request, enqueue
from evaluator.service.fan_out import fan_out
from evaluator.service.jobs import pause, resume
from evaluator.service.reconcile import Reconciled, reconcile
from evaluator.settings import Settings
from tests.integration.leetcode import second
from tests.integration.stage import SETTLE_DELAY, Hand, Stage

MARCH: dict[str, Any] = {
    "starts": date(2026, 3, 1),
    "ends": date(2026, 3, 2),
    "timezone": "Etc/UTC",
    "rules": Rules(),
    "currency": None,
}
NOW = "2026-03-05T12:00Z"


class Queue:
    """A real queue in Redis, and a worker that is sent what is in it."""

    def __init__(self, stage: Stage, broker: Broker) -> None:
        self.stage = stage
        self.broker = broker
        self.outbox = MessageOutbox(broker)

    def enqueue(self) -> list[int]:
        queued = enqueue(self.stage.database, self.outbox, Request(), second(NOW), SETTLE_DELAY, EnqueuedBy.KEEPER)
        return [run.run_id for run in queued.runs]

    def is_emptied(self) -> None:
        self.broker.client.flushdb()

    def some_seconds_pass(self) -> None:
        """More than a message may be on its way."""
        self.stage.scene.execute("UPDATE batches SET sent_at = sent_at - interval '6 s'")
        self.stage.scene.execute("UPDATE runs SET opened_at = opened_at - interval '6 s'")

    def reconcile(self) -> Reconciled:
        return reconcile(self.stage.database, self.outbox)


@pytest.fixture
def queue(stage: Stage, redis_url: str) -> Iterator[Queue]:
    broker = connect(Settings(redis_url=redis_url))
    yield Queue(stage, broker)
    broker.close()


def challenge(stage: Stage, members: int = 3) -> None:
    stage.at(NOW)
    stage.scene.challenge("grind", [f"idle-{n}" for n in range(members)], **MARCH)


def test_nothing_is_done_where_nothing_is_missing(stage: Stage, queue: Queue) -> None:
    challenge(stage)
    assert queue.reconcile() == Reconciled()
    first, _ = queue.enqueue()
    assert queue.reconcile() == Reconciled()
    fan_out(stage.database, queue.outbox, first, 20)
    queue.some_seconds_pass()
    assert queue.reconcile() == Reconciled()
    assert stage.messages("members") == [f"batch:{first}:1"]


def test_an_emptied_redis_gets_back_the_message_of_a_queued_run(stage: Stage, queue: Queue) -> None:
    challenge(stage)
    queue.enqueue()
    before = stage.messages("challenges")
    queue.is_emptied()
    assert queue.reconcile() == Reconciled(runs_resent=1)
    assert stage.messages("challenges") == before
    queue.is_emptied()
    assert queue.enqueue() == []  # enqueue, too, sees to what is there
    assert stage.messages("challenges") == before


def test_an_emptied_redis_gets_back_the_batches_at_work_and_no_others(stage: Stage, queue: Queue) -> None:
    challenge(stage, members=5)
    first, _ = queue.enqueue()
    fan_out(stage.database, queue.outbox, first, users_per_request=2)
    assert stage.messages("members") == [f"batch:{first}:{number}" for number in (1, 2, 3)]
    Hand(stage.database, stage.upstream).evaluator.evaluate(first, 2)
    queue.is_emptied()
    assert queue.reconcile() == Reconciled()  # messages may be on their way
    queue.some_seconds_pass()
    assert queue.reconcile() == Reconciled(batches_resent=2)
    assert stage.messages("members") == [f"batch:{first}:1", f"batch:{first}:3"]
    assert queue.reconcile() == Reconciled()


def test_a_fan_out_that_was_cut_off_goes_on(stage: Stage, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluator.service.fan_out.CHUNK", 20)
    challenge(stage, members=25)
    run_id, _ = queue.enqueue()
    chunks = iter([None, OSError])
    monkeypatch.setattr(queue.outbox, "send_batches", lambda *_: raise_if(next(chunks)))
    with pytest.raises(OSError, match="cut off"):
        fan_out(stage.database, queue.outbox, run_id, users_per_request=2)
    monkeypatch.undo()
    assert stage.value("SELECT count(*) FROM evaluations") == 22
    queue.is_emptied()
    queue.some_seconds_pass()
    assert queue.reconcile() == Reconciled(runs_resent=1, batches_resent=11)
    fan_out(stage.database, queue.outbox, run_id, users_per_request=2)
    assert stage.value("SELECT count(*) FROM evaluations") == 25
    assert stage.messages("members") == [f"batch:{run_id}:{number}" for number in range(1, 14)]


def raise_if(error: type[OSError] | None) -> None:
    if error is not None:
        raise error("cut off")


def test_batches_that_were_never_sent_are_sent(stage: Stage, queue: Queue) -> None:
    """Their worker was lost after it had taken them from the ledger, or had finished one and sent none after it."""
    challenge(stage, members=6)
    run_id, _ = queue.enqueue()
    fan_out(stage.database, queue.outbox, run_id, users_per_request=2)
    stage.scene.execute("UPDATE batches SET sent_at = NULL")
    queue.is_emptied()
    queue.some_seconds_pass()
    assert queue.reconcile() == Reconciled(batches_resent=3)
    assert len(stage.messages("members")) == 3


def test_a_batch_at_work_that_passes_for_unsent_is_sent_again_when_it_is_lost(stage: Stage, queue: Queue) -> None:
    stage.scene.challenge("grind", ["alice"], **MARCH)
    run_id, _ = queue.enqueue()
    fan_out(stage.database, queue.outbox, run_id, 20)
    stage.scene.execute("UPDATE batches SET sent_at = NULL")  # as a resume leaves those beyond the window
    with stage.database.connection() as connection:
        assert begin(connection, run_id, [1])
    queue.is_emptied()
    queue.some_seconds_pass()
    assert queue.reconcile().batches_resent == 1
    assert stage.messages("members") == [f"batch:{run_id}:1"]


def test_a_run_whose_last_batch_was_finished_by_a_worker_that_was_lost_is_closed(stage: Stage, queue: Queue) -> None:
    challenge(stage)
    first, second_day = queue.enqueue()
    fan_out(stage.database, queue.outbox, first, 20)
    Hand(stage.database, stage.upstream).evaluator.evaluate(first, 1)
    assert stage.states("grind") == ["settled", "queued"]
    stage.scene.execute("UPDATE runs SET state = 'open' WHERE id = %s", first)  # as if it had not come to that
    queue.is_emptied()
    queue.some_seconds_pass()
    assert queue.reconcile() == Reconciled(runs_closed=1)
    assert stage.states("grind") == ["settled", "queued"]
    assert stage.messages("challenges") == [f"run:{second_day}:0"]


def test_a_run_whose_challenge_cannot_be_read_keeps_no_other_from_being_closed(stage: Stage, queue: Queue) -> None:
    challenge(stage)
    stage.scene.challenge("broken", ["idle-0"], **MARCH)
    queue.enqueue()
    first = [run_id for (run_id,) in stage.rows("SELECT id FROM runs WHERE day = '2026-03-01' ORDER BY challenge_id")]
    for run_id in first:
        fan_out(stage.database, queue.outbox, run_id, 20)
        Hand(stage.database, stage.upstream).evaluator.evaluate(run_id, 1)
    stage.scene.execute("UPDATE runs SET state = 'open' WHERE id = ANY (%s)", first)  # as if it had not come to that
    stage.scene.execute("UPDATE timezones SET timezone = 'Mars/Phobos' WHERE challenge_id = 'broken'")
    queue.is_emptied()
    queue.some_seconds_pass()
    assert queue.reconcile() == Reconciled(runs_closed=1)
    assert (stage.states("broken"), stage.states("grind")) == (["open", "queued"], ["settled", "queued"])
    stage.scene.execute("UPDATE timezones SET timezone = 'Etc/UTC' WHERE challenge_id = 'broken'")
    assert queue.reconcile() == Reconciled(runs_closed=1)
    assert stage.states("broken") == ["settled", "queued"]


def test_what_is_pending_is_tried_again_when_its_time_has_come(stage: Stage, queue: Queue) -> None:
    stage.at(NOW)
    stage.scene.challenge("grind", ["unknown-ann"], **MARCH | {"ends": date(2026, 3, 1)})
    stage.settle()
    assert stage.verdicts("grind") == {("unknown-ann", 1): "pending/user_not_found"}
    assert queue.reconcile() == Reconciled()
    wait = stage.value("SELECT extract(epoch FROM retry_at - closed_at)::int FROM runs")
    assert wait == 60
    stage.scene.execute("UPDATE runs SET retry_at = now()")
    assert queue.reconcile() == Reconciled(runs_retried=1, runs_resent=1)
    stage.leetcode.user("unknown-ann", ("two-sum", "2026-03-01T12:00Z"))
    hand = Hand(stage.database, stage.upstream)
    fan_out(stage.database, hand, stage.value("SELECT id FROM runs"), 20)
    hand.work()
    assert stage.verdicts("grind") == {("unknown-ann", 1): "passed/enough"}
    assert stage.completed("grind")


def test_a_pause_holds_everything_and_a_resume_brings_it_back(stage: Stage, queue: Queue) -> None:
    challenge(stage, members=3)
    run_id, _ = queue.enqueue()
    fan_out(stage.database, queue.outbox, run_id, 20)
    with stage.database.connection() as connection:
        assert pause(connection, "ops")
    hand = Hand(stage.database, stage.upstream)
    hand.evaluator.evaluate(run_id, 1)
    assert stage.leetcode.requests() == 0
    queue.is_emptied()  # as if a worker had fetched and dropped the message
    queue.some_seconds_pass()
    assert queue.reconcile() == Reconciled()
    assert stage.messages("members") == []
    assert resume(stage.database, queue.outbox)
    assert stage.messages("members") == [f"batch:{run_id}:1"]
    hand.evaluator.evaluate(run_id, 1)
    assert stage.states("grind") == ["settled", "queued"]
