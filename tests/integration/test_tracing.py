"""Traces, as a collector receives them from the commands; and that there is nothing of it where nobody asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from evaluator.domain.rules import Rules
from evaluator.service.fan_out import SENT_AHEAD
from tests.integration.collector import Collector, collector
from tests.integration.program import until
from tests.integration.stage import Stage

MARCH: dict[str, Any] = {
    "starts": date(2026, 3, 1),
    "ends": date(2026, 3, 1),
    "timezone": "Etc/UTC",
    "rules": Rules(),
    "currency": None,
}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def receiver() -> Iterator[Collector]:
    with collector() as found:
        yield found


def lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


def test_one_trace_leads_from_enqueue_over_messages_to_the_request_and_the_transaction(
    stage: Stage, receiver: Collector
) -> None:
    """In so many batches that batches send the last ones; one is tried again."""
    batches = SENT_AHEAD + 8
    stage.scene.challenge("grind", [f"idle-{n}" for n in range(batches)], **MARCH)
    stage.leetcode.goes_wrong("server_error", skip=1, times=1)
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "LOG_FORMAT": "json", "LEETCODE_USERS_PER_REQUEST": "1"}
    enqueued = stage.evaluator("enqueue", **traced)
    (said,) = lines(enqueued.err)
    assert [one.name for one in receiver.spans] == ["enqueue"]
    with stage.evaluator.running("worker", OTEL_SERVICE_NAME="night-shift", **traced) as worker:
        until(lambda: stage.completed("grind"))
        assert worker.stop() == 0

    (trace,) = {one.trace for one in receiver.spans}
    assert said["correlation_id"] == said["trace_id"] == trace
    of_jobs = [line for line in lines(worker.said()) if "job" in line]
    assert {(line["correlation_id"], line["trace_id"]) for line in of_jobs} == {(trace, trace)}

    tries = receiver.named("member-evaluation")
    assert len({one.attributes["evaluator.job"] for one in tries}) == batches == len(tries) - 1
    assert {tuple(receiver.above(one)) for one in tries} == {("challenge-evaluation", "enqueue")}
    assert [one.failed.partition(" (")[0] for one in tries if one.failed] == ["LeetCode failed to answer"]
    assert {one.service for one in tries} == {"night-shift"}
    assert [one.service for one in receiver.named("enqueue")] == ["evaluator"]
    requests = receiver.named("LeetCode request")
    assert len(requests) == stage.leetcode.requests() == batches + 1
    way = ("member-evaluation", "challenge-evaluation", "enqueue")
    assert {tuple(receiver.above(one)) for one in requests} == {("recent solves", *way)}
    recorded = [one for one in receiver.named("transaction") if "member-evaluation" in receiver.above(one)]
    assert {tuple(receiver.above(one)) for one in recorded} == {way}


def test_a_message_that_the_keeper_sends_again_comes_into_the_same_trace(stage: Stage, receiver: Collector) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    (said,) = lines(stage.evaluator("enqueue", LOG_FORMAT="json").err)  # by somebody who does not trace
    stage.redis.flushdb()
    stage.evaluator("enqueue", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert len(stage.messages("challenges")) == 1
    with stage.evaluator.running("worker", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url) as worker:
        until(lambda: stage.completed("grind"))
        assert worker.stop() == 0
    jobs = receiver.named("challenge-evaluation") + receiver.named("member-evaluation")
    assert {one.trace for one in jobs} == {said["correlation_id"]}


def test_a_call_of_the_api_goes_on_with_the_trace_of_its_caller(stage: Stage, receiver: Collector) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "ADMIN_TOKEN": "t", "LOG_FORMAT": "json"}
    with stage.evaluator.running("server", "--host", "127.0.0.1", "--port", "0", **settings) as server:
        until(lambda: "Uvicorn running on" in server.said())
        (told,) = [line["event"] for line in lines(server.said()) if "Uvicorn running on" in line["event"]]
        headers = {"Authorization": "Bearer t", "traceparent": TRACEPARENT}
        with httpx.Client(base_url=told.split()[3], headers=headers) as client:
            assert client.get("/readyz").status_code == 200
            answer = client.post("/api/admin/runs", json={"challenge": "grind"})
        assert answer.headers["X-Request-ID"] == "0af7651916cd43dd8448eb211c80319c"
        assert server.stop() == 0
    (enqueue,) = [one for one in receiver.named("enqueue") if one.trace == answer.headers["X-Request-ID"]]
    by_id = {one.span: one for one in receiver.spans}
    call = by_id[enqueue.parent]
    assert (call.name, call.parent) == ("POST /api/admin/runs", "b7ad6b7169203331")
    assert not any("/readyz" in str(one.attributes.get("url.path")) for one in receiver.spans)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin is not known here: use otlp, or none"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTLP over grpc is not spoken here: use http/protobuf, which collectors expect on port 4318",
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "PYTHONPATH": "without"},
            "opentelemetry.exporter is not installed: install evaluator with its extra `tracing`",
        ),
    ],
)
def test_what_cannot_be_traced_is_warned_of_once_and_the_work_is_done(
    stage: Stage, asked: dict[str, str], why: str, tmp_path: Path
) -> None:
    without_packages(tmp_path / "without")
    asked = {**asked, "PYTHONPATH": str(tmp_path / asked.get("PYTHONPATH", ""))}
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    stage.evaluator("enqueue")
    with stage.evaluator.running("worker", LOG_FORMAT="json", **asked) as worker:
        until(lambda: stage.completed("grind"))
    warned = [line for line in lines(worker.said()) if line["level"] == "warning"]
    assert [(line["event"], line["why"]) for line in warned] == [("Tracing is off", why)]


def without_packages(folder: Path) -> None:
    """A folder for PYTHONPATH: whoever starts with it lacks the extra."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        "class Lacking:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in {'opentelemetry.sdk', 'opentelemetry.exporter'}:\n"
        "            raise ModuleNotFoundError(f'No module named {name}', name=name)\n"
        "sys.meta_path.insert(0, Lacking())\n"
    )


@pytest.mark.parametrize(
    "environment", [{}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}]
)
def test_where_nobody_asks_nothing_of_it_is_imported_and_messages_carry_nothing(
    stage: Stage, receiver: Collector, environment: dict[str, str]
) -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url} if environment else {}
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    stage.evaluator("enqueue", **environment, **endpoint)
    (message,) = stage.redis.hvals("evaluator:challenges.msgs")
    assert set(json.loads(message)["options"]) == {"redis_message_id", "correlation_id"}
    imports = {"PYTHONPROFILEIMPORTTIME": "1"}
    with stage.evaluator.running("worker", **environment, **endpoint, **imports) as worker:
        until(lambda: stage.completed("grind"))
    assert "evaluator.tracing" in worker.said()
    assert "evaluator.tracer" not in worker.said()
    assert "opentelemetry.exporter" not in worker.said()
    assert "opentelemetry.sdk.trace" not in worker.said()
    assert receiver.spans == []
