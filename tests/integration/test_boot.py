"""How commands start and end in a container: signals to process 1, and one line for what keeps them from starting."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from evaluator.domain.rules import Rules
from tests.faults.namespaces import python_in_its_own
from tests.integration.program import Program, Running, until
from tests.integration.stage import Stage

MARCH: dict[str, Any] = {
    "starts": date(2026, 3, 1),
    "ends": date(2026, 3, 2),
    "timezone": "Etc/UTC",
    "rules": Rules(penalty=500),
}
NO_POSTGRES = {"DATABASE_URL": "postgresql://u:pw@127.0.0.1:1/x"}
NO_REDIS = {"REDIS_URL": "redis://127.0.0.1:1/0"}


def only_child(process: int) -> int | None:
    """The process that another one has started, if it has."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return int(children[0]) if children else None


Ready = Callable[[Stage, Running], object]

AS_PROCESS_1: dict[str, tuple[list[str], Ready, int]] = {
    "enqueue": (["enqueue", "--wait"], lambda _, running: "Successfully queued" in running.said(), 143),
    "migrate": (["migrate", "--wait"], lambda _, running: "Waiting for the schema" in running.said(), 143),
    "ping": (["ping"], lambda stage, _: stage.messages("members"), 143),
    "worker": (["worker"], lambda stage, _: stage.redis.exists("evaluator:__heartbeats__"), 0),
    "server": (["server", "--port", "0"], lambda _, running: "Uvicorn running" in running.said(), 0),
    "scheduler": (["scheduler"], lambda _, running: "Scheduler started" in running.said(), 0),
}


@pytest.mark.parametrize("name", AS_PROCESS_1)
def test_process_1_of_a_container_ends_when_it_is_told_to(stage: Stage, empty_database_url: str, name: str) -> None:
    """The kernel keeps from process 1 what it has not asked for, so that it would be killed after a grace period."""
    words, is_ready, code = AS_PROCESS_1[name]
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    elsewhere = {"DATABASE_URL": empty_database_url} if name == "migrate" else {}
    with stage.evaluator.running(*words, python=python_in_its_own("pid"), **elsewhere) as running:
        until(lambda: is_ready(stage, running))
        first = only_child(running.process.pid)
        assert first is not None
        os.kill(first, signal.SIGTERM)
        assert running.process.wait(10) == code
    assert "Traceback" not in running.said()


@pytest.mark.parametrize("words", [["enqueue"], ["worker"], ["server"], ["migrate"], ["scheduler"]], ids=" ".join)
def test_without_postgres_the_log_says_so_in_its_own_format(
    evaluator: Program, redis_url: str, words: list[str]
) -> None:
    for postgres in (NO_POSTGRES["DATABASE_URL"], "postgresql://u:pw@nowhere.invalid/x"):
        ended = evaluator(*words, DATABASE_URL=postgres, REDIS_URL=redis_url, LOG_FORMAT="json")
        assert (ended.code, ended.out) == (75, "")
        (line,) = map(orjson.loads, ended.err.splitlines())
        assert {"timestamp", "level", "event", "logger"} <= line.keys()
        assert line["level"] == "error"
        assert " (DATABASE_URL) does not answer: " in line["problem"]


@pytest.mark.parametrize("words", [["enqueue"], ["worker"], ["ping"]], ids=" ".join)
def test_without_redis_the_log_says_so_in_its_own_format(stage: Stage, words: list[str]) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    for redis_url in (NO_REDIS["REDIS_URL"], "redis://nowhere.invalid"):
        ended = stage.evaluator(*words, REDIS_URL=redis_url, LOG_FORMAT="json", LOG_LEVEL="WARNING")
        assert (ended.code, ended.out) == (75, "")
        (line,) = map(orjson.loads, ended.err.splitlines())
        assert line["level"] == "error"
        assert line["problem"].startswith("Redis at ")
        assert " does not answer: " in line["problem"]


def test_a_server_without_redis_serves_and_waits_for_it(stage: Stage) -> None:
    """An outage of Redis restarts no pod, so that one that starts meanwhile does not fail either."""
    with stage.evaluator.running("server", "--host", "127.0.0.1", "--port", "0", **NO_REDIS) as server:
        until(lambda: "Uvicorn running" in server.said() and "Keeper waits for a service" in server.said())
        assert server.stop() == 0
    assert "Traceback" not in server.said()


def test_a_missing_secret_and_every_other_wrong_setting_are_one_line_in_json(evaluator: Program) -> None:
    wrong = {"DATABASE_URL_FILE": "/run/secrets/none", "JOB_ATTEMPTS": "0", "REDIS_PORT": "tcp://10.96.0.7:6379"}
    for command in ("enqueue", "worker", "server", "migrate", "ping"):
        ended = evaluator(command, **wrong, LOG_FORMAT="json")
        assert (ended.code, ended.out) == (78, "")
        (line,) = map(orjson.loads, ended.err.splitlines())
        assert line["problem"] == "The configuration is wrong; correct these and start again"
        assert line["details"] == [
            "DATABASE_URL_FILE=/run/secrets/none cannot be read: No such file or directory",
            "JOB_ATTEMPTS='0': Input should be greater than or equal to 1",
            "REDIS_PORT='tcp://10.96.0.7:6379': Input should be a valid integer, unable to parse string as an integer; "
            "a Service of Kubernetes sets this, unless the pod has enableServiceLinks: false",
        ]


@pytest.mark.parametrize("wait", [[], ["--wait", "0"]])
def test_a_role_that_may_not_migrate_is_told_what_it_lacks(
    evaluator: Program, empty_database_url: str, wait: list[str]
) -> None:
    role = f"modest_{uuid4().hex}"
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM public")
        try:
            if wait:
                connection.execute("CREATE TABLE schema_migrations (name text, digest text)")
            parts = conninfo_to_dict(empty_database_url)
            where = f"host={parts['host']}&port={parts.get('port', 5432)}"
            ended = evaluator("migrate", *wait, DATABASE_URL=f"postgresql://{role}:pw@/{parts['dbname']}?{where}")
        finally:
            connection.execute(f"DROP OWNED BY {role}")
            connection.execute(f"DROP ROLE {role}")
    assert ended.code == 1
    assert "(DATABASE_URL) forbids it: permission denied for " in ended.err
    assert ended.err.count("\n") == 1


def test_the_version_is_told(evaluator: Program) -> None:
    told = evaluator("--version")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("evaluator 0.")
