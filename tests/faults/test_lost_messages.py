"""Every way in which Dramatiq's defaults lose or strand a message: first that they do, then that ours does not.

Where a test of ours keeps no keeper, the worker alone makes good; else the server's keeper does, whose seconds are
short here. `test_recovery_in_real_time` lets them pass as they do.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dramatiq import Message

from tests.faults.arena import Arena, handles
from tests.faults.doom import DOOMED
from tests.faults.nursery import Command
from tests.faults.stock import Stock
from tests.integration.program import until

GAVE_UP = "(work)] [CRITICAL]"
"""What a consumer of Dramatiq's logs when Redis does not answer."""

A_WHILE = 1.0
"""Seconds after which nothing more comes by itself: consumers look several times a second."""


@pytest.fixture
def stock(arena: Arena) -> Iterator[Stock]:
    stock = Stock(arena.redis.url)
    yield stock
    stock.close()


def lines(command: Command, name: str) -> list[str]:
    """What the stock actor wrote down."""
    path = command.folder / name
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def stays(condition: Callable[[], bool], seconds: float = A_WHILE) -> None:
    """Something holds, and goes on to hold."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition()
        time.sleep(0.1)


# Redis is away while a retry is sent


def test_stock_loses_a_retry_that_redis_is_not_there_for(arena: Arena, stock: Stock) -> None:
    worker = arena.start("stock")
    stock.send("fails", wait_for="go", ends="badly")
    until(lambda: lines(worker, "begun") == ["fails"])
    arena.redis.stop()
    Path(worker.folder / "go").touch()
    until(lambda: "Failed to post_process_message" in worker.said())
    arena.redis.start()
    until(lambda: stock.present() == 0)  # acknowledged, and never tried again
    stays(lambda: lines(worker, "begun") == ["fails"] and stock.dead() == 0)


def test_a_retry_waits_for_redis(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 8), days=1)
    arena.leetcode.goes_wrong("slow", seconds=4, times=1)
    arena.leetcode.goes_wrong("server_error", times=1)
    arena.run("enqueue")
    worker = arena.worker()
    until(lambda: arena.leetcode.requests() == 1)
    arena.redis.stop()
    until(lambda: "Retry waits to be sent" in worker.said())
    arena.redis.start()
    arena.finish(keeping=False)
    arena.check()


def test_a_retry_waits_for_redis_longer_than_a_job_may_take(arena: Arena) -> None:
    """The only thread of the worker is there for the retry then."""
    arena.challenge("grind", handles("member", 8), days=1)
    arena.leetcode.goes_wrong("slow", seconds=2, times=1)
    arena.leetcode.goes_wrong("server_error", times=1)
    arena.run("enqueue")
    worker = arena.worker(JOB_TIME_LIMIT="3s", WORKER_CONCURRENCY="1")
    until(lambda: arena.leetcode.requests() == 1)
    arena.redis.stop()
    until(lambda: "Retry waits to be sent, Redis is away" in worker.said())
    stays(lambda: worker.code is None, seconds=5)
    arena.redis.start()
    arena.finish(keeping=False)
    arena.check()


def test_a_worker_that_is_told_to_stop_does_not_wait_for_redis(arena: Arena) -> None:
    """Its time to stop is JOB_TIME_LIMIT and ten seconds, far longer than a test waits."""
    arena.challenge("grind", handles("member", 8), days=1)
    arena.leetcode.goes_wrong("slow", seconds=1.5, times=1)
    arena.leetcode.goes_wrong("server_error", times=1)
    arena.run("enqueue")
    worker = arena.worker(JOB_TIME_LIMIT="300s")
    until(lambda: arena.leetcode.requests() == 1)
    arena.redis.stop()
    until(lambda: "Retry waits to be sent" in worker.said())
    assert worker.stop() == 0
    arena.redis.start()
    arena.lost_workers_are_missed()
    arena.worker()
    arena.finish()
    arena.check()


# A worker is killed


def test_stock_leaves_what_a_killed_worker_held_with_it(arena: Arena, stock: Stock) -> None:
    worker = arena.start("stock")
    stock.send("long", seconds=60)
    stock.send("prefetched")
    stock.send("delayed", delay=1000)
    until(lambda: stock.held() == 3)
    worker.kill()
    another = arena.start("stock")
    until(lambda: "ready for action" in another.said())
    stays(lambda: stock.held() == 3 and stock.waiting() == 0 and lines(another, "begun") == [])


def test_recovery_in_real_time(arena: Arena) -> None:
    """A worker is killed with a batch at work, one prefetched and one delayed; a server keeps, another worker works."""
    arena.challenge("grind", handles("member", 24), days=1)
    arena.leetcode.goes_wrong("server_error", handles=["member-000"], times=1)
    arena.leetcode.goes_wrong("slow", handles=["member-008"], seconds=60)
    arena.run("enqueue")
    arena.server()
    worker = arena.worker(WORKER_CONCURRENCY="1", JOB_BACKOFF="8s")
    until(lambda: (arena.in_flight("members"), arena.in_flight("members.DQ")) == (2, 1))
    worker.kill()
    killed_at = time.monotonic()
    arena.leetcode.recovers()
    arena.worker()
    arena.finish(keeping=False)
    assert time.monotonic() - killed_at < 30
    arena.check()


# Redis is restarted under a live worker


def test_stock_forgets_what_it_delayed_when_redis_is_restarted(arena: Arena, stock: Stock) -> None:
    worker = arena.start("stock")
    stock.send("delayed", delay=4000)
    until(lambda: stock.held() == 1)
    arena.redis.stop()
    # That of delayed messages, which would keep them if it did not notice.
    until(lambda: "(work.DQ)] [INFO] Restarting consumer" in worker.said())
    arena.redis.start()
    time.sleep(4)
    stays(lambda: stock.held() == 1 and stock.waiting() == 0 and lines(worker, "begun") == [])


@pytest.mark.parametrize("how", ["in good order", "by a kill"])
def test_a_worker_goes_on_after_redis_was_restarted(arena: Arena, how: str) -> None:
    """One batch is delayed, one at work, one prefetched."""
    arena.challenge("grind", handles("member", 24), days=1)
    arena.leetcode.goes_wrong("server_error", handles=["member-000"], times=1)
    arena.leetcode.goes_wrong("slow", handles=["member-008"], seconds=4, times=1)
    arena.run("enqueue")
    arena.worker(WORKER_CONCURRENCY="1", JOB_BACKOFF="4s")
    until(lambda: (arena.in_flight("members"), arena.in_flight("members.DQ")) == (2, 1))
    if how == "by a kill":
        arena.redis.kill()
        arena.redis.start()
    else:
        arena.redis.restart()
    # What Redis had not written to its disk yet, only the ledger knows.
    arena.finish(keeping=how == "by a kill")
    arena.check()


# Redis is emptied


def test_stock_loses_everything_when_redis_is_emptied(arena: Arena, stock: Stock) -> None:
    for number in range(100):
        stock.send(str(number), seconds=0.2)
    worker = arena.start("stock")
    until(lambda: len(lines(worker, "done")) >= 2)
    arena.client.flushall()
    time.sleep(A_WHILE)
    assert len(lines(worker, "done")) < 100
    assert stock.present() == 0


def test_everything_is_sent_again_when_redis_was_emptied(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 64))
    arena.leetcode.behaves(latency=0.3)
    arena.run("enqueue")
    arena.worker()
    until(lambda: arena.evaluated() > 0)
    arena.client.flushall()
    arena.finish()
    arena.check(attempts=3)


# Redis does not answer in time


def test_stock_strands_what_it_fetched_when_redis_did_not_answer_in_time(arena: Arena, stock: Stock) -> None:
    """Where the worker was stopped in the middle of a fetch, that one is given up, and the message arrives."""
    worker = arena.start("stock")
    until(lambda: "ready for action" in worker.said())

    def is_lost(name: str) -> bool:
        given_up = worker.said().count(GAVE_UP)
        _fetch_without_an_answer(
            arena,
            worker,
            lambda: stock.send(name),
            lambda: until(lambda: worker.said().count(GAVE_UP) > given_up),
        )
        until(lambda: name in lines(worker, "done") or (stock.held() == 1 and stock.waiting() == 0))
        time.sleep(A_WHILE)
        return stock.held() == 1 and name not in lines(worker, "begun")

    assert any(is_lost(f"message-{number}") for number in range(20))
    before = lines(worker, "begun")
    stays(lambda: stock.held() == 1 and stock.waiting() == 0 and lines(worker, "begun") == before)


def test_a_worker_takes_back_what_redis_said_too_late(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 8), days=1)
    worker = arena.worker()
    until(lambda: arena.client.zcard("evaluator:__heartbeats__"))
    _fetch_without_an_answer(arena, worker, lambda: arena.run("enqueue"), lambda: time.sleep(6.0))
    arena.finish(keeping=False)
    arena.check()


def _fetch_without_an_answer(
    arena: Arena, worker: Command, send: Callable[[], object], give_up: Callable[[], object]
) -> None:
    """Have the worker's next fetch reach Redis, and its answer not reach the worker: it gives up waiting before."""
    (child,) = worker.children()
    os.kill(child, signal.SIGSTOP)
    send()
    arena.redis.send(signal.SIGSTOP)
    os.kill(child, signal.SIGCONT)
    give_up()
    arena.redis.send(signal.SIGCONT)


# A message that is none


JUNK = {
    "no JSON": b"\xff\x00 not a message",
    "no message": b'["members", 1]',
    "half a message": b'{"queue_name": "members", "actor_name": "member-evaluation"}',
    "too large": Message("members", "member-evaluation", (1, 1), {"blob": "x" * 2**20}, {}).encode(),
    "other things than ids": Message("members", "member-evaluation", ("1; DROP", 1), {}, {}).encode(),
}


def test_stock_strands_what_it_fetched_together_with_junk(arena: Arena, stock: Stock) -> None:
    stock.put(JUNK["no JSON"])
    stock.send("innocent")
    worker = arena.start("stock")
    until(lambda: stock.held() == 2)
    stays(lambda: stock.held() == 2 and lines(worker, "begun") == [])


def test_junk_becomes_a_dead_letter_and_the_rest_goes_on(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 24), days=1)
    for name, payload in JUNK.items():
        for queue in ("challenges", "members"):
            arena.client.hset(f"evaluator:{queue}.msgs", name, payload)
            arena.client.rpush(f"evaluator:{queue}", name)
    arena.run("enqueue")
    worker = arena.worker()
    arena.finish(keeping=False)
    arena.check(attempts=1, dead=2 * len(JUNK))
    assert "DROP" not in worker.said()


# An actor that this version does not have


def test_stock_buries_a_message_for_an_actor_that_it_does_not_have(arena: Arena, stock: Stock) -> None:
    stock.send("newer", actor="job-of-the-next-version")
    arena.start("stock")
    until(lambda: stock.dead() == 1)
    stays(lambda: stock.present() == 0)


def test_what_an_older_worker_buried_is_sent_again(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 8), days=1)
    arena.run("enqueue")
    ((redis_id, _),) = arena.client.hgetall("evaluator:challenges.msgs").items()
    newer: Message[Any] = Message("challenges", "job-of-the-next-version", (1,), {}, {"redis_message_id": redis_id})
    arena.client.hset("evaluator:challenges.msgs", redis_id, newer.encode())
    arena.worker()
    until(lambda: arena.dead() == 1)
    arena.finish()
    arena.check(attempts=1, dead=1)


# A worker is told to stop, and its job goes on for longer than it waits


def test_stock_kills_a_job_that_takes_longer_than_it_waits_and_says_that_all_is_well(
    arena: Arena, stock: Stock
) -> None:
    worker = arena.start("stock", "--worker-shutdown-timeout", "300")
    stock.send("long", seconds=60)
    until(lambda: lines(worker, "begun") == ["long"])
    assert worker.stop() == 0
    assert lines(worker, "done") == []
    assert (stock.held(), stock.waiting()) == (1, 0)


def test_a_job_beyond_its_time_limit_is_given_back_before_the_worker_ends(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 8), days=1)
    arena.leetcode.goes_wrong("slow", seconds=60, times=1)
    arena.run("enqueue")
    worker = arena.worker(JOB_TIME_LIMIT="1s", LEETCODE_TIMEOUT="3s")
    until(lambda: arena.leetcode.requests() == 1)
    assert worker.stop() == 0
    assert arena.in_flight("members") == arena.in_flight("members.DQ") == 0
    arena.worker()
    arena.finish(keeping=False)
    arena.check()


@pytest.mark.long
def test_a_job_that_nothing_can_interrupt_comes_back_after_the_worker_ended(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 8), days=1)
    arena.leetcode.goes_wrong("slow", seconds=60, times=1)
    arena.run("enqueue")
    worker = arena.worker(JOB_TIME_LIMIT="1s", LEETCODE_TIMEOUT="50s")
    until(lambda: arena.leetcode.requests() == 1)
    assert worker.stop() == 0
    assert arena.in_flight("members") == 1
    arena.lost_workers_are_missed()
    arena.worker()
    arena.finish()
    arena.check()


# A job kills its process every time


def test_stock_redelivers_for_ever_what_kills_its_process(arena: Arena, stock: Stock) -> None:
    """Its maintenance, which brings the message back, is done by hand: it would take a minute."""
    stock.send("poison", ends="killed")
    for _ in range(4):
        worker = arena.start("stock")
        until(lambda worker=worker: lines(worker, "begun") == ["poison"])  # type: ignore[misc]  # asked at once
        worker.kill()  # what is left of it: Dramatiq's main process may wait for a child that died young
        assert lines(worker, "done") == []
        (payload,) = arena.client.hvals("dramatiq:work.msgs")
        assert "retries" not in json.loads(payload)["options"]  # nobody counts
        arena.client.delete(*arena.client.keys("dramatiq:__acks__.*"))
        arena.client.rpush("dramatiq:work", *arena.client.hkeys("dramatiq:work.msgs"))


def test_a_worker_whose_first_job_kills_its_process_ends_at_once(arena: Arena) -> None:
    """Dramatiq's main process would miss it after half a minute, or never, if it died while it told that it started."""
    worker = arena.worker(doom="before fetch")
    assert worker.wait(20) == 1
    assert DOOMED in worker.said()


def _dies_before_it_is_done(arena: Arena, worker: Command) -> bool:
    until(lambda: DOOMED in worker.said() or arena.rows("SELECT FROM runs WHERE state = 'pending'"))
    return DOOMED in worker.said()


def test_a_member_who_kills_each_worker_is_given_up_and_the_others_of_the_batch_are_settled(arena: Arena) -> None:
    arena.challenge("grind", handles("member", 16), days=1)
    poison = arena.scene.member("grind", "member-003")
    arena.run("enqueue")
    deaths = 0
    while not arena.rows("SELECT FROM runs WHERE state = 'pending'"):
        worker = arena.worker(doom=f"before decide-{poison}", JOB_ATTEMPTS="2", WORKER_CONCURRENCY="1")
        deaths += _dies_before_it_is_done(arena, worker)
        worker.kill()
        arena.lost_workers_are_missed()
        arena.keep()
    assert deaths == 2 + 2  # with its batch, and by itself
    assert arena.rows(
        "SELECT m.handle, reason FROM evaluations e JOIN members m ON m.id = member_id WHERE outcome = 'pending'"
    ) == [("member-003", "internal_error")]
    (job,) = arena.run("queue", "failed", "--json")
    assert job["handle"] == "member-003"
    assert arena.value("SELECT count(*) FROM postings WHERE member_id = %s", poison) == 0
    # With a version that does not die of it, that member is settled too.
    arena.worker()
    arena.scene.execute("UPDATE runs SET retry_at = now()")
    arena.finish()
    arena.check(attempts=3)
