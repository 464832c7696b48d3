"""The queue as an operator sees it: counts of members' days, the failed ones, pause and resume."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.database import Database
from evaluator.ledger.evaluations import begin
from evaluator.ledger.runs import Batches
from evaluator.queue.broker import Broker, connect
from evaluator.queue.depth import depths
from evaluator.queue.outbox import MessageOutbox
from evaluator.service import jobs
from evaluator.service.fan_out import fan_out
from evaluator.service.jobs import Messages, Retried, Stats
from evaluator.service.unknown import Unknown
from evaluator.settings import Settings
from tests.integration.scene import Scene

DAY = date(2026, 11, 20)
NEXT = date(2026, 11, 21)
KEPT = 24 * 3600.0


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.fixture
def broker(redis_url: str) -> Iterator[Broker]:
    broker = connect(Settings(redis_url=redis_url))
    yield broker
    broker.client.close()


@pytest.fixture
def outbox(broker: Broker) -> MessageOutbox:
    return MessageOutbox(broker)


def counted(database: Database, broker: Broker | None = None) -> Stats:
    with database.connection() as connection:
        return jobs.stats(connection, KEPT, depths(broker) if broker else None)


def give_up(scene: Scene, challenge: str, handles: list[str], day: date = DAY, minutes_ago: int = 5) -> None:
    scene.run(challenge, day, state="pending")
    for handle in handles:
        scene.verdict(
            challenge,
            handle,
            day,
            Outcome.PENDING,
            error=f"{handle}: HTTP 502",
            failed_at=datetime.now(UTC) - timedelta(minutes=minutes_ago),
        )


def test_a_count_is_of_members_by_the_state_of_their_batch(database: Database, scene: Scene) -> None:
    scene.challenge("winter", ["alice", "bob"])
    scene.challenge("other", ["alice"])
    give_up(scene, "winter", ["alice", "bob"], NEXT)
    open_run = scene.run("winter", DAY, state="open")
    scene.batch(open_run, 1, 20, "done")
    scene.batch(open_run, 2, 20, "active")
    scene.batch(open_run, 3, 7, "active")
    scene.batch(open_run, 4, 20, "waiting")
    scene.batch(open_run, 5, 20, "waiting", sent=False)
    scene.batch(open_run, 6, 3, "done", age=KEPT + 60)  # finished before what is kept
    settled_run = scene.run("other", DAY)
    scene.batch(settled_run, 1, 11, "done", age=KEPT - 60)
    counts = counted(database)
    assert (counts.waiting, counts.active, counts.completed, counts.failed) == (40, 27, 20 + 11 - 2, 2)
    assert counts.runs == {"queued": 0, "open": 1, "pending": 1}
    assert counts.messages is None
    assert not counts.paused


def test_an_empty_ledger_counts_nothing(database: Database) -> None:
    counts = counted(database)
    assert (counts.waiting, counts.active, counts.completed, counts.failed) == (0, 0, 0, 0)
    assert counts.oldest_waiting_seconds is None
    assert counts.pending == {}


def test_pending_evaluations_are_counted_by_reason_except_those_nobody_can_or_need_settle(
    database: Database, scene: Scene
) -> None:
    scene.challenge("winter", ["alice", "bob", "cleo", "dora", "emil"])
    scene.challenge("off", ["alice"], cancelled=True)
    scene.run("winter", DAY, state="pending")
    scene.run("off", DAY, state="pending")
    for handle in ("alice", "bob"):
        scene.verdict("winter", handle, DAY, Outcome.PENDING, Reason.PROFILE_HIDDEN)
    scene.verdict("winter", "cleo", DAY, Outcome.PENDING, Reason.USER_NOT_FOUND)
    scene.verdict("winter", "dora", DAY, Outcome.PENDING, Reason.NOT_EVALUATED)  # waits for its first look
    scene.verdict("winter", "emil", DAY, Outcome.PASSED)
    scene.verdict("off", "alice", DAY, Outcome.PENDING, Reason.PROFILE_HIDDEN)
    assert counted(database).pending == {"profile_hidden": 2, "user_not_found": 1}


def test_the_oldest_waiting_work_is_as_old_as_the_run_that_has_it(database: Database, scene: Scene) -> None:
    scene.challenge("winter", ["alice"])
    scene.challenge("off", ["alice"], cancelled=True)
    scene.run("off", DAY, state="queued")
    scene.execute("UPDATE runs SET queued_at = now() - interval '3 days'")
    open_run = scene.run("winter", DAY, state="open")
    scene.execute(
        "UPDATE runs SET queued_at = now() - interval '2 h', opened_at = now() - interval '1 h' WHERE id = %s", open_run
    )
    assert counted(database).oldest_waiting_seconds is None
    scene.batch(open_run, 1, 1, "waiting")
    assert counted(database).oldest_waiting_seconds == pytest.approx(3600, abs=60)
    scene.run("winter", NEXT, state="queued")
    scene.execute(
        "UPDATE runs SET queued_at = now() - interval '90 min' WHERE state = 'queued' AND challenge_id = 'winter'"
    )
    assert counted(database).oldest_waiting_seconds == pytest.approx(5400, abs=60)


def test_messages_are_counted_over_all_queues(database: Database, broker: Broker, outbox: MessageOutbox) -> None:
    outbox.send_batches(Batches(1, [1, 2, 3]))
    outbox.send_batches(Batches(1, [4]), delay=60)
    assert counted(database, broker).messages == Messages(ready=3, delayed=1, in_flight=0, dead=0)


def test_failed_jobs_are_listed_newest_first_and_up_to_a_limit(database: Database, scene: Scene) -> None:
    scene.challenge("winter", ["alice", "bob"])
    scene.challenge("other", ["alice"])
    give_up(scene, "winter", ["bob"], minutes_ago=9)
    give_up(scene, "other", ["alice"], minutes_ago=2)
    give_up(scene, "winter", ["alice"], minutes_ago=5)
    scene.batch(scene.run("winter", DAY), 1, 2, "done")
    with database.connection() as connection:
        everything = jobs.failed(connection, None, 10)
        newest = jobs.failed(connection, None, 1)
        of_winter = jobs.failed(connection, "winter", 10)
        nowhere = jobs.failed(connection, "wintre", 10)
    assert not isinstance(everything, Unknown)
    assert [(job.challenge, job.handle, job.error, job.attempts) for job in everything] == [
        ("other", "alice", "alice: HTTP 502", None),  # its batch was pruned
        ("winter", "alice", "alice: HTTP 502", 3),
        ("winter", "bob", "bob: HTTP 502", 3),
    ]
    assert everything[0].reason is Reason.UPSTREAM_UNAVAILABLE
    assert newest == everything[:1]
    assert of_winter == everything[1:]
    assert isinstance(nowhere, Unknown)


def test_who_is_undecided_is_listed_with_why_the_oldest_days_first(database: Database, scene: Scene) -> None:
    for challenge in ("winter", "other", "off"):
        scene.challenge(challenge, ["alice", "bob"])
        give_up(scene, challenge, ["alice"], NEXT)
    give_up(scene, "winter", ["bob"])
    scene.verdict("winter", "alice", DAY, Outcome.PASSED)
    scene.run("winter", NEXT, state="pending")
    scene.execute("UPDATE challenges SET cancelled = true WHERE id = 'off'")
    scene.execute("UPDATE evaluations SET reason = 'profile_hidden', error = NULL WHERE day = %s", NEXT)
    scene.execute("UPDATE runs SET retry_at = queued_at + interval '2 min'")
    scene.execute("UPDATE runs SET state = 'open' WHERE challenge_id = 'other'")
    with database.connection() as connection:
        everybody = jobs.pending(connection, None, 10)
        oldest = jobs.pending(connection, None, 1)
        of_other = jobs.pending(connection, "other", 10)
        nowhere = jobs.pending(connection, "wintre", 10)
    assert not isinstance(everybody, Unknown)
    assert [(one.challenge, one.handle, one.day, one.reason, one.error) for one in everybody] == [
        ("winter", "bob", DAY, Reason.UPSTREAM_UNAVAILABLE, "bob: HTTP 502"),
        ("other", "alice", NEXT, Reason.PROFILE_HIDDEN, None),
        ("winter", "alice", NEXT, Reason.PROFILE_HIDDEN, None),
    ]
    assert [one.next_try is None for one in everybody] == [False, True, False]
    assert oldest == everybody[:1]
    assert of_other == everybody[1:2]
    assert isinstance(nowhere, Unknown)


def test_a_retry_queues_the_runs_of_failed_jobs_and_wakes_a_worker_for_each_challenge(
    database: Database, scene: Scene, broker: Broker, outbox: MessageOutbox
) -> None:
    for challenge in ("winter", "other", "fine"):
        scene.challenge(challenge, ["alice", "bob"])
    scene.run("fine", DAY, state="pending")
    give_up(scene, "winter", ["alice", "bob"])
    give_up(scene, "winter", ["alice"], NEXT)
    give_up(scene, "other", ["bob"])
    assert jobs.retry(database, outbox, "winter") == Retried(jobs=3, runs=2)
    with database.connection() as connection:
        states = connection.execute("SELECT challenge_id, state FROM runs ORDER BY challenge_id, day").fetchall()
    assert states == [("fine", "pending"), ("other", "pending"), ("winter", "queued"), ("winter", "queued")]
    assert depths(broker)["challenges"].ready == 1  # the days of one challenge are settled one after the other
    assert jobs.retry(database, outbox, None) == Retried(jobs=4, runs=3)
    assert depths(broker)["challenges"].ready == 2
    assert isinstance(jobs.retry(database, outbox, "wintre"), Unknown)


def test_the_pass_that_a_retry_asked_for_takes_up_the_failed_jobs(
    database: Database, scene: Scene, outbox: MessageOutbox
) -> None:
    scene.challenge("winter", ["alice", "bob"])
    scene.run("winter", DAY, state="pending")
    scene.verdict("winter", "bob", DAY, Outcome.PASSED)
    give_up(scene, "winter", ["alice"])
    jobs.retry(database, outbox, None)
    fan_out(database, outbox, scene.run("winter", DAY), 20)
    counts = counted(database)
    assert (counts.waiting, counts.failed) == (1, 0)


def test_clearing_forgets_the_failures_and_keeps_the_verdicts(database: Database, scene: Scene) -> None:
    scene.challenge("winter", ["alice", "bob"])
    scene.challenge("other", ["alice"])
    give_up(scene, "winter", ["alice", "bob"])
    give_up(scene, "other", ["alice"])
    with database.connection() as connection:
        assert jobs.clear(connection, "winter") == 2
        assert jobs.clear(connection, "winter") == 0
        left = jobs.failed(connection, None, 10)
        pending = connection.execute("SELECT count(*) FROM evaluations WHERE outcome = 'pending'").fetchone()
        assert isinstance(jobs.clear(connection, "wintre"), Unknown)
    assert not isinstance(left, Unknown)
    assert [job.challenge for job in left] == ["other"]
    assert pending == (3,)


def test_while_work_is_paused_no_batch_begins_and_nothing_is_sent(
    database: Database, scene: Scene, broker: Broker, outbox: MessageOutbox
) -> None:
    scene.challenge("winter", ["alice"])
    run_id = scene.run("winter", DAY, state="queued")
    with database.connection() as connection:
        assert jobs.pause(connection, "meera")
        assert not jobs.pause(connection, "raj")
    fan_out(database, outbox, run_id, 20)
    with database.connection() as connection:
        assert begin(connection, run_id, [1]) == {}
    counts = counted(database, broker)
    assert (counts.paused, counts.paused_by, counts.waiting) == (True, "meera", 1)
    assert counts.messages == Messages(0, 0, 0, 0)


def test_resuming_sends_again_what_waits_since_workers_dropped_its_messages(
    database: Database, scene: Scene, broker: Broker, outbox: MessageOutbox
) -> None:
    scene.challenge("winter", ["alice"])
    scene.challenge("other", ["alice"])
    open_run = scene.run("winter", DAY, state="open")
    scene.run("other", DAY, state="queued")
    scene.batch(open_run, 1, 20, "waiting")  # sent before the pause; its message was taken and dropped
    scene.batch(open_run, 2, 20, "waiting", sent=False)
    scene.batch(open_run, 3, 20, "active")
    scene.batch(open_run, 4, 20, "done")
    with database.connection() as connection:
        jobs.pause(connection, "meera")
    assert jobs.resume(database, outbox)
    assert not jobs.resume(database, outbox)
    assert depths(broker)["members"].ready == 2
    assert depths(broker)["challenges"].ready == 1
    assert broker.client.hexists("evaluator:members.msgs", f"batch:{open_run}:1")
    assert not broker.client.hexists("evaluator:members.msgs", f"batch:{open_run}:3")
    with database.connection() as connection:
        assert begin(connection, open_run, [1])


def test_counting_a_large_ledger_looks_at_batches_and_indexes_only(database: Database, scene: Scene) -> None:
    # 4,000 finished batches, 100,000 evaluations: the counts must not read the table of evaluations.
    scene.challenge("winter", [f"m{n}" for n in range(1000)])
    run_id = scene.run("winter", DAY)
    scene.execute(
        "INSERT INTO evaluations (member_id, day, run_id, batch, outcome, reason)"
        " SELECT m.id, date '2026-01-01' + d, %s, d, 'passed', 'enough' FROM members m, generate_series(1, 100) d",
        run_id,
    )
    scene.execute(
        "INSERT INTO batches (run_id, batch, size, state, finished_at)"
        " SELECT %s, n, 20, 'done', now() - interval '40 days' FROM generate_series(1, 4000) n",
        run_id,
    )
    scene.execute("ANALYZE")
    with database.transaction() as connection:
        before = connection.execute("SELECT pg_stat_get_xact_tuples_returned('evaluations'::regclass)").fetchone()
        batches_before = connection.execute("SELECT pg_stat_get_xact_tuples_returned('batches'::regclass)").fetchone()
        jobs.stats(connection, KEPT, None)
        after = connection.execute("SELECT pg_stat_get_xact_tuples_returned('evaluations'::regclass)").fetchone()
        batches_after = connection.execute("SELECT pg_stat_get_xact_tuples_returned('batches'::regclass)").fetchone()
    assert (before, batches_before) == (after, batches_after)  # rows read by a scan of the whole table


# Commands

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def evaluator(database_url: str, redis_url: str) -> Command:
    def run(*words: str, redis_url: str = redis_url) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url, "LOG_LEVEL": "ERROR"}
        return subprocess.run(
            [sys.executable, "-m", "evaluator.cli", "queue", *words],
            env={**environment, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run


def test_clearing_the_jobs_of_all_challenges_drops_the_dead_messages(
    scene: Scene, broker: Broker, evaluator: Command
) -> None:
    scene.challenge("winter", ["alice"])
    broker.client.hset("evaluator:members.msgs", "junk", "no message")
    broker.client.rpush("evaluator:members", "junk")
    assert next(broker.consume("members", prefetch=1)) is None
    assert evaluator("clear", "--challenge", "winter").stdout == "0 failed jobs are forgotten\n"
    assert depths(broker)["members"].dead == 1
    assert evaluator("clear").stdout == "0 failed jobs are forgotten, and 1 dead message dropped\n"
    assert depths(broker)["members"].dead == 0
    assert broker.client.keys("evaluator:*XQ*") == []
    assert json.loads(evaluator("clear", "--json").stdout) == {"cleared": 0, "dead_letters_dropped": 0}


def test_the_queue_commands_count_list_retry_and_clear(database: Database, scene: Scene, evaluator: Command) -> None:
    scene.challenge("winter", ["alice", "bob"])
    give_up(scene, "winter", ["alice"])
    stats = json.loads(evaluator("stats", "--json").stdout)
    assert {key: stats[key] for key in ("waiting", "active", "completed", "failed")} == {
        "waiting": 0,
        "active": 0,
        "completed": 0,
        "failed": 1,
    }
    assert stats["messages"] == {"ready": 0, "delayed": 0, "in_flight": 0, "dead": 0}
    assert stats["pending"] == {"upstream_unavailable": 1}
    [job] = json.loads(evaluator("failed", "--json").stdout)
    assert (job["handle"], job["day"], job["error"]) == ("alice", "2026-11-20", "alice: HTTP 502")
    assert json.loads(evaluator("retry", "--challenge", "winter", "--json").stdout) == {"jobs": 1, "runs": 1}
    assert evaluator("clear").stdout == "1 failed jobs are forgotten\n"
    assert counted(database).failed == 0
    unknown = evaluator("failed", "--challenge", "wintre")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "There is no challenge 'wintre'" in unknown.stderr


def test_pause_and_resume_say_whether_they_changed_anything(database: Database, evaluator: Command) -> None:
    assert evaluator("pause").stdout == "work is paused\n"
    assert "paused by" in evaluator("stats").stdout
    assert counted(database).paused
    assert json.loads(evaluator("resume", "--json").stdout) == {"paused": False, "changed": True}
    assert not counted(database).paused


def test_without_redis_the_jobs_are_counted_all_the_same(scene: Scene, evaluator: Command) -> None:
    scene.challenge("winter", ["alice"])
    give_up(scene, "winter", ["alice"])
    done = evaluator("stats", "--json", redis_url="redis://127.0.0.1:1/0")
    assert done.returncode == 0
    assert (json.loads(done.stdout)["failed"], json.loads(done.stdout)["messages"]) == (1, None)
    assert "Redis at 127.0.0.1:1 does not answer" in done.stderr
    assert "Traceback" not in done.stderr
