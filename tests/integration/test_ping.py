"""Whether a worker answers: `ping`, and what `doctor` and a waiting `enqueue` make of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import orjson
import pytest

from evaluator.domain.rules import Rules
from evaluator.ledger.runs import Batches
from evaluator.leetcode.pacer import Pacer
from evaluator.queue.broker import Broker, connect
from evaluator.queue.messages import QUEUES, ping_message
from evaluator.queue.outbox import MessageOutbox
from evaluator.queue.ping import answer
from evaluator.settings import Settings
from tests.integration.program import Running, until
from tests.integration.stage import Stage

MARCH: dict[str, Any] = {
    "starts": date(2026, 3, 1),
    "ends": date(2026, 3, 1),
    "timezone": "Etc/UTC",
    "rules": Rules(),
}
UNSERVED = "none runs that serves it, start `evaluator worker`"


@pytest.fixture
def broker(redis_url: str) -> Iterator[Broker]:
    broker = connect(Settings(redis_url=redis_url))
    yield broker
    broker.close()


@contextmanager
def worker(stage: Stage, *words: str, **settings: str) -> Iterator[Running]:
    """A worker that has begun to fetch."""
    with stage.evaluator.running("worker", *words, **settings) as running:
        until(lambda: stage.redis.exists("evaluator:__heartbeats__"))
        yield running


def left_of_pings(stage: Stage) -> list[str]:
    """What Redis holds of pings: messages, answers, dead letters."""
    found = [str(key) for key in stage.redis.keys("*ping*")]
    for queue in QUEUES.values():
        found += stage.messages(queue)
        for table in ("", ".DQ", ".XQ"):
            found += [str(key) for key in stage.redis.hkeys(f"evaluator:{queue}{table}.msgs")]
    return found


def test_a_worker_answers_through_each_queue_and_nothing_is_left_of_it(stage: Stage) -> None:
    with worker(stage):
        told = stage.evaluator("ping")
        assert (told.code, told.err) == (0, "")
        host = re.escape(os.uname().nodename)
        for queue, line in zip(("challenges", "members"), told.out.splitlines(), strict=True):
            assert re.fullmatch(rf"{queue}: {host} \(process \d+\) answered in \d+ ms", line)
        (one,) = stage.evaluator("ping", "--queue", "members", "--json").json()
        assert one.keys() == {"queue", "host", "process", "milliseconds"}
        assert one["queue"] == "members"
        until(lambda: left_of_pings(stage) == [])
    assert stage.value("SELECT count(*) FROM runs") == 0


def test_where_no_worker_serves_a_queue_that_is_told_and_the_message_is_withdrawn(stage: Stage) -> None:
    with worker(stage, "--queue", "members"):
        ended = stage.evaluator("ping", "--timeout", "2", "--json")
        assert ended.code == 75
        assert [one["host"] is None for one in orjson.loads(ended.out)] == [True, False]
        assert ended.err == f"no worker answers through challenges: {UNSERVED} (waited 2 s)\n"
    ended = stage.evaluator("ping", "--timeout", "0.1")
    assert (ended.code, ended.out) == (75, "")
    assert ended.err == f"no worker answers through challenges and members: {UNSERVED} (waited 0.1 s)\n"
    assert left_of_pings(stage) == []


def test_a_ping_overtakes_what_waits(broker: Broker) -> None:
    MessageOutbox(broker).send_batches(Batches(1, [1, 2, 3]))
    broker.enqueue_first(ping_message("members", 7))
    fetched = next(broker.consume("members", prefetch=8, timeout=100))
    assert fetched is not None
    assert fetched.actor_name == "ping"


def test_a_worker_that_is_busy_for_long_is_told_from_none(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    stage.evaluator("enqueue")
    stage.leetcode.behaves(latency=10)
    with worker(stage, WORKER_CONCURRENCY="1"):
        until(lambda: stage.leetcode.requests() == 1)
        ended = stage.evaluator("ping", "--queue", "members", "--timeout", "0.5")
        assert ended.err == "no worker answers through members: all are busy (waited 0.5 s)\n"
        assert stage.evaluator("doctor", "--no-leetcode").code == 0


def test_paused_workers_answer_and_the_pause_is_told(stage: Stage) -> None:
    stage.evaluator("queue", "pause")
    with worker(stage):
        told = stage.evaluator("ping", LOG_FORMAT="json")
        assert (told.code, len(told.out.splitlines())) == (0, 2)
        (line,) = map(orjson.loads, told.err.splitlines())
        assert re.fullmatch(r"work is paused by \w+ since .* UTC; `evaluator queue resume` .*", line["note"])


def test_a_ping_needs_no_ledger(stage: Stage) -> None:
    with worker(stage):
        assert stage.evaluator("ping", DATABASE_URL="postgresql://u:pw@127.0.0.1:1/x").code == 0


def test_an_answer_that_nobody_waits_for_expires_and_a_withdrawn_message_is_gone(stage: Stage, broker: Broker) -> None:
    answer(broker, 7)
    assert 0 < stage.redis.ttl("evaluator:ping:7") <= 10
    message = ping_message("members", 8)
    consumer = broker.consume("members", prefetch=1)
    broker.enqueue_first(message)
    fetched = next(consumer)
    assert fetched is not None
    broker.withdraw(message)
    consumer.ack(fetched)
    consumer.close()
    stage.redis.delete("evaluator:ping:7")
    assert left_of_pings(stage) == []


def test_doctor_tells_that_no_worker_answers_which_is_bad_where_work_waits(stage: Stage) -> None:
    def workers() -> tuple[bool, str]:
        found = orjson.loads(stage.evaluator("doctor", "--no-leetcode", "--json").out)
        (one,) = [one for one in found if one["check"] == "workers"]
        return one["ok"], one["detail"]

    nobody = f"no worker answers through challenges and members: {UNSERVED}"
    assert workers() == (True, nobody)
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    stage.evaluator("enqueue")
    assert workers() == (False, nobody)
    with worker(stage):
        is_well, detail = workers()
        assert is_well
        assert detail.count("answered in") == 2


def test_who_waits_for_days_to_be_settled_is_told_why_nothing_moves(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    with stage.evaluator.running("enqueue", "--wait") as waiting:
        until(lambda: f"Nothing moves: no worker answers through challenges and members: {UNSERVED}" in waiting.said())
    Pacer(stage.redis, 20.0).refused(300)
    refused = "Nothing moves: LeetCode refused requests, and none is sent for another "
    with stage.evaluator.running("enqueue", "--wait") as waiting:
        until(lambda: refused in waiting.said() and "Nothing moves: no worker answers" in waiting.said())
    with stage.evaluator.running("enqueue", "--wait") as waiting, worker(stage):
        until(lambda: refused in waiting.said())
    stage.redis.delete("evaluator:pacer")
    stage.evaluator("queue", "pause")
    with stage.evaluator.running("enqueue", "--wait", LOG_FORMAT="json") as waiting, worker(stage):
        until(lambda: "Nothing moves: work is paused by " in waiting.said())
        stage.evaluator("queue", "resume")
        assert waiting.process.wait(30) == 0
