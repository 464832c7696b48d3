"""What the processes log: in one format whoever speaks, not too much, with one id from a wish to its transactions."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from evaluator.correlation import correlated, current_id
from evaluator.domain.rules import Rules
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.runs import close_run, next_turns, open_run
from evaluator.queue.broker import Broker, connect
from evaluator.queue.joblog import BEGINNINGS_TOLD
from evaluator.queue.outbox import MessageOutbox
from evaluator.service import reconcile as keeping
from evaluator.service.enqueue import Request, enqueue
from evaluator.service.fan_out import fan_out
from evaluator.settings import Settings
from tests.integration.program import until
from tests.integration.served import served
from tests.integration.stage import SETTLE_DELAY, Stage

MARCH: dict[str, Any] = {
    "starts": date(2026, 3, 1),
    "ends": date(2026, 3, 1),
    "timezone": "Etc/UTC",
    "rules": Rules(),
    "currency": None,
}
JSON = {"LOG_FORMAT": "json"}


@pytest.fixture
def broker(stage: Stage) -> Iterator[Broker]:
    broker = connect(Settings(redis_url=stage.redis_url), maintenance_chance=0)
    yield broker
    broker.client.close()


def lines(log: str) -> list[dict[str, Any]]:
    """The lines of a log, each of which must be JSON and say when, how grave, what, and from where."""
    found: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines()]
    assert all({"timestamp", "level", "event", "logger"} <= line.keys() for line in found)
    return found


def challenge(stage: Stage, members: int, **more: Any) -> None:
    stage.scene.challenge("grind", [f"idle-{n}" for n in range(members)], **MARCH | more)


def options(stage: Stage, queue: str) -> dict[str, dict[str, Any]]:
    """The options of each message in Redis, by its id."""
    stored = stage.redis.hgetall(f"evaluator:{queue}.msgs")
    messages = [json.loads(message) for message in stored.values()]
    assert all(set(message["kwargs"]) == set() for message in messages)
    return {message["options"]["redis_message_id"]: message["options"] for message in messages}


def test_a_run_of_ten_thousand_members_logs_hundreds_of_lines(stage: Stage) -> None:
    """As many batches as these make, of one member each: what is logged goes by batches."""
    challenge(stage, members=500)
    settings = {**JSON, "LEETCODE_USERS_PER_REQUEST": "1", "LEETCODE_REQUESTS_PER_SECOND": "10000"}
    with stage.evaluator.running("worker", WORKER_PROCESSES="2", **settings) as worker:
        enqueued = stage.evaluator("enqueue", **settings)
        until(lambda: worker.said().count("Job completed successfully") == 501)
    said = lines(enqueued.err) + lines(worker.said())
    kinds = Counter(line["event"].partition(" batch:")[0].partition(" run:")[0] for line in said)
    assert kinds == {
        "Successfully queued 1 challenge evaluation jobs": 1,
        "Processing job": 1 + BEGINNINGS_TOLD,
        "Job completed successfully": 1 + 500,
        "Run closed": 1,
        "Challenge completed": 1,
    }
    (closed,) = [line for line in said if line["event"] == "Run closed"]
    outcomes = {"passed": 0, "failed": 500, "pending": 0, "exempt": 0, "frozen": 0}
    about = {"challenge": "grind", "day": "2026-03-01", "state": "settled", "evaluations": 500}
    assert closed.items() >= (outcomes | about).items()
    assert closed["seconds"] > 0


def test_one_id_is_in_every_line_from_enqueue_to_the_end_with_the_ids_of_what_it_is_about(stage: Stage) -> None:
    challenge(stage, members=4)
    (enqueued,) = lines(stage.evaluator("enqueue", **JSON).err)
    with stage.evaluator.running("worker", LEETCODE_USERS_PER_REQUEST="2", LOG_LEVEL="DEBUG", **JSON) as worker:
        until(lambda: worker.said().count("Job completed successfully") == 3)
    of_jobs = [line for line in lines(worker.said()) if "job" in line]
    assert {line["correlation_id"] for line in of_jobs} == {enqueued["correlation_id"]}
    run = stage.value("SELECT id FROM runs")
    done = [line for line in of_jobs if line["event"] == "Job completed successfully"]
    where = {"run": run, "challenge": "grind", "day": "2026-03-01"}
    assert all(line.items() >= where.items() for line in done)
    assert {(line["job"], line["type"], line.get("batch")) for line in done} == {
        (f"run:{run}:0", "challenge-evaluation", None),
        (f"batch:{run}:1", "member-evaluation", 1),
        (f"batch:{run}:2", "member-evaluation", 2),
    }


def test_the_ledger_keeps_the_id_so_that_what_is_sent_again_has_it_too(
    stage: Stage, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "GRACE", -1)  # nothing is on its way
    challenge(stage, members=4)
    stage.at("2026-03-02T06:00Z")
    outbox = MessageOutbox(broker)
    with correlated():
        wished = current_id()
        (queued,) = enqueue(stage.database, outbox, Request(), stage.now, SETTLE_DELAY, EnqueuedBy.COMMAND).runs
    assert {one["correlation_id"] for one in options(stage, "challenges").values()} == {wished}
    stage.redis.flushdb()
    with correlated():  # a round of the keeper, which is another doing
        keeping.reconcile(stage.database, outbox)
    assert {one["correlation_id"] for one in options(stage, "challenges").values()} == {wished}
    fan_out(stage.database, outbox, queued.run_id, users_per_request=2)
    sent = options(stage, "members")
    assert {one["correlation_id"] for one in sent.values()} == {wished}
    stage.redis.flushdb()
    with correlated():
        keeping.reconcile(stage.database, outbox)
    assert options(stage, "members") == sent


def test_a_further_pass_has_the_id_of_who_asked_for_it_once_the_present_one_is_over(stage: Stage) -> None:
    challenge(stage, members=0)
    stage.at("2026-03-02T06:00Z")
    ids: list[str | None] = []

    def asks(**request: Any) -> None:
        with correlated():
            ids.append(current_id())
            stage.enqueue(**request)

    asks()
    run_id = stage.value("SELECT id FROM runs")
    asks()  # it is queued already, by the first
    with stage.database.connection() as connection:
        assert [turn.correlation_id for turn in next_turns(connection)] == ids[:1]
        assert open_run(connection, run_id)
    asks(reevaluate=True)
    assert stage.value("SELECT correlation_id FROM runs") == ids[0]  # the batches that are sent now are of its pass
    with stage.database.connection() as connection:
        connection.execute("UPDATE runs SET fan_out_done = true")
        assert close_run(connection, run_id)
        assert [turn.correlation_id for turn in next_turns(connection)] == ids[2:]
    # A pass that comes by itself goes on with what was asked for before.
    stage.rows("UPDATE runs SET state = 'pending', retry_at = now() RETURNING 1")
    keeping.reconcile(stage.database, _Deaf())
    assert stage.rows("SELECT state, correlation_id FROM runs") == [("queued", ids[2])]


class _Deaf:
    """An outbox that sends nothing."""

    def send_runs(self, turns: object) -> None: ...
    def send_batches(self, batches: object, *, delay: float = 0.0) -> None: ...
    def missing_runs(self, _turns: object) -> list[Any]:
        return []

    def missing_batches(self, _batches: object) -> list[int]:
        return []


def test_postgres_shows_whose_doing_a_recording_transaction_is(stage: Stage) -> None:
    """While it lasts: the challenge is held, for which it waits."""
    challenge(stage, members=1)
    (enqueued,) = lines(stage.evaluator("enqueue", **JSON).err)
    named = "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND query LIKE %s"
    with psycopg.connect(stage.database_url) as hold:
        hold.execute("SELECT FROM challenges FOR UPDATE")
        with stage.evaluator.running("worker"):
            waits = "SELECT cancelled FROM challenges%"
            until(lambda: stage.rows(named, waits))
            assert stage.rows(named, waits) == [(f"evaluator {enqueued['correlation_id']}",)]
            hold.rollback()
            until(lambda: stage.completed("grind"))
            assert set(stage.rows(named, "COMMIT")) <= {("evaluator",)}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"X-Request-ID": "night-shift.7"}, "night-shift.7"),
        (
            {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
            "0af7651916cd43dd8448eb211c80319c",
        ),
        ({"X-Request-ID": "two words"}, None),
        ({"X-Request-ID": "x" * 51, "traceparent": "junk"}, None),
        ({}, None),
    ],
)
def test_the_api_takes_and_tells_an_id_and_what_it_queues_keeps_it(
    stage: Stage, sent: dict[str, str], told: str | None
) -> None:
    challenge(stage, members=1)
    stage.at("2026-03-02T06:00Z")
    with served(stage.database, stage.redis_url, stage.now) as client:
        headers = {"Authorization": "Bearer a-token-of-the-tests", **sent}
        answer = client.post("/api/admin/runs", headers=headers)
        others = [client.get(path, headers=sent) for path in ("/healthz", "/api/challenges/none/standings", "/none")]
    assert answer.status_code == 202
    given = answer.headers["X-Request-ID"]
    assert given == told if told else len(given) == 32
    assert stage.value("SELECT correlation_id FROM runs") == given
    assert [one["correlation_id"] for one in options(stage, "challenges").values()] == [given]
    ids = {one.headers["X-Request-ID"] for one in others}
    assert ids == {told} if told else len(ids | {given}) == 4


def test_a_call_that_fails_tells_its_id_and_the_servers_traceback_has_it(stage: Stage) -> None:
    settings = {**JSON, "ADMIN_TOKEN": "t"}
    with stage.evaluator.running("server", "--host", "127.0.0.1", "--port", "0", **settings) as server:
        until(lambda: "Uvicorn running on" in server.said())
        (running,) = [line for line in lines(server.said()) if "Uvicorn running on" in line["event"]]
        with httpx.Client(base_url=running["event"].split()[3]) as client, stage.database.connection() as connection:
            # An outcome that nobody knows: rows that a person wrote.
            connection.execute("ALTER TABLE evaluations DROP CONSTRAINT evaluations_outcome_check")
            challenge(stage, members=1)
            connection.execute(
                "INSERT INTO runs (challenge_id, day, day_start, day_end, counts_from, state, queued_at)"
                " VALUES ('grind', '2026-03-01', 1, 2, 1, 'settled', now())"
            )
            connection.execute(
                "INSERT INTO evaluations (member_id, day, run_id, batch, outcome)"
                " SELECT m.id, r.day, r.id, 1, 'lucky' FROM members m, runs r"
            )
            answer = client.get("/api/challenges/grind/verdicts", headers={"X-Request-ID": "who-asked"})
            until(lambda: "exception" in server.said())
    assert answer.status_code == 500, answer.text
    assert answer.headers["X-Request-ID"] == "who-asked"
    (failure,) = [line for line in lines(server.said()) if "exception" in line]
    assert failure["correlation_id"] == "who-asked"
    assert failure["exception"].startswith(("Traceback", "  + Exception Group")), failure["exception"]


def test_dramatiqs_main_process_and_what_kills_a_worker_process_are_lines_as_all_others(
    stage: Stage, tmp_path: Path
) -> None:
    with stage.evaluator.running("worker", WORKER_PROCESSES="2", **JSON) as worker:
        until(lambda: stage.redis.zcard("evaluator:__heartbeats__") == 2)
        children = Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children").read_text().split()
        subprocess.run(["kill", f"-{signal.SIGKILL.value}", children[0]], check=True)
        assert worker.process.wait(60) != 0
    told = [line for line in lines(worker.said()) if line["logger"] == "dramatiq.MainProcess"]
    assert [line["event"].split(" (")[0] for line in told if line["level"] == "critical"] == [
        f"Worker with PID {children[0]} exited unexpectedly"
    ]

    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'evaluator.queue.retries':\n"
        "            raise RuntimeError('a planted bug')\n"
        "sys.meta_path.insert(0, Broken())\n"
    )
    with stage.evaluator.running("worker", PYTHONPATH=str(tmp_path), **JSON) as worker:
        assert worker.process.wait(60) == 1
    (failure,) = [line for line in lines(worker.said()) if "exception" in line]
    assert failure["event"] == "Worker process could not start"
    assert failure["exception"].endswith("RuntimeError: a planted bug")


SPEAKING = """
import gc, sys, threading, warnings, logging
from evaluator.logs import configure_logs
configure_logs(sys.argv[1], "INFO")
class Fragile:
    def __del__(self):
        raise ValueError("in a destructor")
fragile = Fragile()
del fragile
warnings.warn("old ways", DeprecationWarning)
logging.getLogger("some.library").warning("of %s", "a library")
thread = threading.Thread(target=lambda: 1 / 0, name="busy")
thread.start()
thread.join()
secret = "hunter2"
raise KeyError("nobody caught this")
"""


def speaking(log_format: str) -> str:
    command = [sys.executable, "-W", "always", "-c", SPEAKING, log_format]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    return ended.stderr


def test_warnings_libraries_and_exceptions_that_nobody_caught_are_lines_in_json() -> None:
    said = lines(speaking("json"))
    assert [(line["level"], line["event"], line["logger"]) for line in said] == [
        ("error", "Exception ignored", "evaluator.logs"),
        ("warning", said[1]["event"], "py.warnings"),
        ("warning", "of a library", "some.library"),
        ("critical", "Uncaught exception", "evaluator.logs"),
        ("critical", "Uncaught exception", "evaluator.logs"),
    ]
    assert "DeprecationWarning: old ways" in said[1]["event"]
    ends = [line["exception"].splitlines()[-1] for line in said if "exception" in line]
    assert ends == [
        "ValueError: in a destructor",
        "ZeroDivisionError: division by zero",
        "KeyError: 'nobody caught this'",
    ]
    assert said[3]["thread"] == "busy"


def test_on_a_terminal_the_same_is_readable_and_shows_no_values_of_variables() -> None:
    said = speaking("console")
    assert "[critical ] Uncaught exception" in said
    assert "\nKeyError: 'nobody caught this'" in said
    assert "hunter2" not in said.replace('secret = "hunter2"', "")


@pytest.mark.parametrize(
    ("settings", "code", "told"),
    [
        ({"WORKER_CONCURRENCY": "many"}, 78, "WORKER_CONCURRENCY='many'"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, 75, "Redis at 127.0.0.1:1"),
    ],
)
def test_what_ends_a_command_is_a_line_in_json_too(
    stage: Stage, settings: dict[str, str], code: int, told: str
) -> None:
    challenge(stage, members=1)
    ended = stage.evaluator("enqueue", **JSON, **settings)
    assert ended.code == code
    (problem,) = [line for line in lines(ended.err) if line["level"] == "error"]
    assert problem["event"] == "Command has a problem"
    assert any(told in line for line in (problem["problem"], *problem["details"]))
