"""Workers as they run in production: how fast they ask, how they stop, try again, give up, and what they log."""

from __future__ import annotations

import json
import re
from datetime import date
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from evaluator.domain.rules import Rules
from tests.integration.pace import busiest_second, take_equally_long
from tests.integration.program import until
from tests.integration.stage import Stage

MARCH: dict[str, Any] = {
    "starts": date(2026, 3, 1),
    "ends": date(2026, 3, 1),
    "timezone": "Etc/UTC",
    "rules": Rules(),
    "currency": None,
}
FAILED = "failed/not_enough"


def queued(stage: Stage, members: int, **more: Any) -> None:
    """A challenge of people who never solve anything, of which a day is due and queued."""
    stage.scene.challenge("grind", [f"idle-{n}" for n in range(members)], **MARCH | more)
    assert stage.evaluator("enqueue").code == 0


def tally(stage: Stage) -> dict[str, int]:
    found = stage.rows("SELECT outcome || '/' || reason, count(*) FROM evaluations GROUP BY 1")
    return dict(found)


def events(log: str) -> list[dict[str, Any]]:
    """The lines of a log in JSON, each of which must be that."""
    return [json.loads(line) for line in log.splitlines()]


@pytest.mark.alone
def test_four_processes_together_never_exceed_twenty_requests_in_any_second(stage: Stage) -> None:
    """As the requests arrive, one a member."""
    queued(stage, members=80)
    settings = {"WORKER_PROCESSES": "4", "LEETCODE_REQUESTS_PER_SECOND": "20", "LEETCODE_USERS_PER_REQUEST": "1"}
    moments: dict[bytes, float] = {}

    def is_over() -> bool:
        noted: Any = stage.redis.zrange("evaluator:pacer:sent", 0, -1, withscores=True)
        moments.update(noted)
        return stage.completed("grind")

    with stage.evaluator.running("worker", **settings):
        until(is_over)
    is_over()
    arrivals, let_go = sorted(stage.leetcode.arrivals()), sorted(at / 1e6 for at in moments.values())
    assert len(arrivals) == len(let_go) == 80
    assert 15 <= busiest_second(let_go) <= 20
    assert busiest_second(arrivals) <= 20 or not take_equally_long(let_go, arrivals)
    assert arrivals[-1] - arrivals[0] >= 3  # with twenty in any second; what is late may be made up for in between
    assert tally(stage) == {FAILED: 80}


def test_a_worker_that_is_told_to_stop_finishes_its_batch_and_ends_well(stage: Stage) -> None:
    queued(stage, members=40, ends=date(2026, 3, 2))
    stage.leetcode.behaves(latency=1.5)
    with stage.evaluator.running("worker", WORKER_CONCURRENCY="1") as worker:
        until(lambda: stage.leetcode.requests() == 1)
        assert worker.stop() == 0
    # The batch that was with LeetCode is settled, the one after it is not lost.
    assert tally(stage) == {FAILED: 20, "pending/not_evaluated": 20}
    assert stage.rows("SELECT state FROM batches ORDER BY batch") == [("done",), ("waiting",)]
    assert stage.leetcode.requests() == 1
    assert len(stage.messages("members")) == 1
    stage.leetcode.behaves(latency=0)
    with stage.evaluator.running("worker"):
        until(lambda: stage.completed("grind"))
    assert stage.leetcode.asked() == 40


def test_after_outages_everybody_is_settled_and_each_line_in_json_tells_of_it(stage: Stage) -> None:
    """One request is answered with a 500, one is blocked, one is not answered in time; then LeetCode is well."""
    stage.leetcode.user("ann", ("two-sum", "2026-03-01T10:00Z"))
    stage.leetcode.goes_wrong("server_error", status=500, times=1)
    stage.leetcode.goes_wrong("blocked", skip=1, times=1)
    stage.leetcode.goes_wrong("slow", skip=2, times=1, seconds=3)
    stage.scene.challenge("grind", ["ann"], **MARCH)
    enqueued = stage.evaluator("enqueue", LOG_FORMAT="json")
    assert [event["event"] for event in events(enqueued.err)] == ["Successfully queued 1 challenge evaluation jobs"]
    settings = {"JOB_ATTEMPTS": "4", "LEETCODE_TIMEOUT": "500ms", "LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}
    with stage.evaluator.running("worker", **settings) as worker:
        until(lambda: worker.said().count("Job completed successfully") == 2)
    assert stage.completed("grind")
    assert stage.verdicts("grind") == {("ann", 1): "passed/enough"}
    assert stage.rows("SELECT attempts, state FROM batches") == [(4, "done")]
    assert stage.evaluator("queue", "stats", "--json").json()["failed"] == 0

    said = events(worker.said())
    assert all({"timestamp", "level", "event", "logger"} <= event.keys() for event in said)
    run_id = stage.value("SELECT id FROM runs")
    job = f"batch:{run_id}:1"
    about_batch = [event["event"] for event in said if event.get("job") == job and event["level"] != "debug"]
    attempt, failed = f"Processing job {job} of type: member-evaluation", "Job failed"
    ended = ["Challenge completed", "Run closed", "Job completed successfully"]
    assert about_batch == [attempt, failed] * 3 + [attempt, *ended]
    failures = [event for event in said if event["event"] == "Job failed"]
    assert [re.split(r" ?\(", event["error"])[0] for event in failures] == [
        "LeetCode failed to answer",
        "LeetCode refuses requests",
        "LeetCode gave no answer: HTTPConnectionPool",
    ]
    assert all(event["retry_in"] > 0 for event in failures)


def test_the_backoff_lies_between_the_attempts_doubled_and_then_the_batch_is_given_up(stage: Stage) -> None:
    stage.leetcode.goes_wrong("server_error", message="Out to lunch")
    queued(stage, members=1)
    with stage.evaluator.running("worker", JOB_BACKOFF="0.4", LOG_FORMAT="json") as worker:
        until(lambda: worker.said().count("Job failed") == 3)
    assert stage.states("grind") == ["pending"]
    pauses = [after - before for before, after in pairwise(stage.leetcode.arrivals())]
    assert len(pauses) == 2
    assert pauses[0] >= 0.4
    assert pauses[1] >= 0.8
    assert stage.verdicts("grind") == {("idle-0", 1): "pending/upstream_unavailable"}

    told = "LeetCode failed to answer (HTTP 502: 502 Server Error Out to lunch)"
    (job,) = stage.evaluator("queue", "failed", "--json").json()
    assert (job["handle"], job["attempts"], job["error"]) == ("idle-0", 3, told)
    # Whoever looks for "Job failed" finds each attempt, and the last as one after which none follows.
    said = [event for event in events(worker.said()) if event.get("type") == "member-evaluation"]
    assert [(event["event"], event["level"], event.get("retry_in"), event.get("given_up")) for event in said] == [
        ("Job failed", "warning", 0.4, None),
        ("Job failed", "warning", 0.8, None),
        ("Job failed", "error", None, 1),
    ]
    assert {event["error"] for event in said} == {told}
    assert stage.redis.zcard("evaluator:members.XQ") == 0  # the ledger knows of it, so it is no dead letter


def test_the_lines_that_the_guide_names_are_logged(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    enqueued = stage.evaluator("enqueue")
    assert "Successfully queued 1 challenge evaluation jobs" in enqueued.err
    with stage.evaluator.running("worker") as worker:
        until(lambda: worker.said().count("Job completed successfully") == 2)
    log = worker.said()
    run = stage.value("SELECT id FROM runs")
    assert re.search(rf"Processing job run:{run}:0 of type: challenge-evaluation\b", log)
    assert re.search(rf"Processing job batch:{run}:1 of type: member-evaluation\b", log)
    assert "Job failed" not in log
    assert "Traceback" not in log
    assert "\x1b[" not in log  # nobody at a terminal, no colours


def test_no_secret_is_logged_whatever_goes_wrong(stage: Stage, database_url: str, redis_url: str) -> None:
    """With all that may be logged logged, and services away; Postgres trusts its user whatever the password is."""
    password = urlsplit(database_url).password or "s3cr3t-of-postgres"
    with_password = database_url.replace(f":{password}@", "@").replace("@", f":{password}@", 1)
    secrets = {"database": password, "token": "s3cr3t-of-admins", "redis": "s3cr3t-of-redis"}
    loud = {"LOG_LEVEL": "DEBUG", "ADMIN_TOKEN": secrets["token"], "DATABASE_URL": with_password}
    stage.leetcode.goes_wrong("user_error")
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    said = [*stage.evaluator("enqueue", **loud)[1:]]
    with (
        stage.evaluator.running("server", "--host", "127.0.0.1", "--port", "0", **loud) as server,
        stage.evaluator.running("worker", **loud) as worker,
    ):
        until(lambda: stage.states("grind") == ["pending"])
        until(lambda: "Uvicorn running" in server.said())
        said += [server.said(), worker.said()]
    no_redis = loud | {"REDIS_URL": f"redis://:{secrets['redis']}@127.0.0.1:1/0"}
    no_postgres = loud | {"DATABASE_URL": f"postgresql://u:{secrets['database']}@127.0.0.1:1/x"}
    for settings in (no_redis, no_postgres):
        for command in (["enqueue"], ["doctor"], ["worker"]):
            said += stage.evaluator(*command, **settings)[1:]
    assert [secret for secret in secrets.values() if any(secret in text for text in said)] == []
    assert urlsplit(redis_url).password is None or not any(str(urlsplit(redis_url).password) in text for text in said)


def test_a_worker_may_serve_one_queue_only(stage: Stage) -> None:
    queued(stage, members=1)
    with stage.evaluator.running("worker", "--queue", "challenges"):
        until(lambda: stage.messages("members"))
        assert stage.messages("challenges") == []
        assert tally(stage) == {"pending/not_evaluated": 1}
