"""What a worker of several processes counts, against the ledger and against LeetCode's own count."""

from __future__ import annotations

from datetime import date

from evaluator.domain.rules import Difficulty, Rules
from evaluator.metrics import DECLARATIONS
from tests.integration.exposed import Exposed, Samples, counted
from tests.integration.program import until
from tests.integration.stage import Stage

MEMBER, CHALLENGE = "member-evaluation", "challenge-evaluation"


def prepare(stage: Stage) -> None:
    """320 members and two days, with freezes, doubts, and solves of problems whose difficulty has to be asked for."""
    for n in range(30):
        solves = ("lru-cache", "2026-03-01T10:00Z"), ("two-sum", "2026-03-02T10:00Z")
        stage.leetcode.user(f"solver-{n}", *solves)
    count = {"idle": 250, "solver": 30, "hidden": 20, "unknown": 20}
    members = [f"{kind}-{n}" for n in range(250) for kind in count if n < count[kind]]
    stage.scene.challenge(
        "grind",
        members,
        starts=date(2026, 3, 1),
        ends=date(2026, 3, 2),
        timezone="Etc/UTC",
        rules=Rules(difficulties=frozenset({Difficulty.MEDIUM}), freezes_per_month=1),
        currency=None,
    )


def go_wrong(stage: Stage) -> None:
    """In every way in which a request as a whole can, while the work goes on; and one member has never an answer."""
    wrong = stage.leetcode.goes_wrong
    wrong("rate_limited", skip=3, times=2)
    wrong("blocked", skip=12, times=1)
    wrong("slow", skip=20, times=3, seconds=5)
    wrong("truncated", skip=30, times=2)
    wrong("dropped", skip=36, times=3)
    wrong("cut_off", skip=42, times=1)
    wrong("errors", skip=48, times=2)
    wrong("bad_request", skip=55, times=1)
    wrong("server_error", skip=60, times=3)
    wrong("user_error", handles=["idle-7"])


def assert_nothing_was_taken_back(before: Samples, after: Samples) -> None:
    for name, series in before.items():
        if name.endswith(("_total", "_count", "_bucket", "_sum")):
            assert all(after[name][labels] >= value for labels, value in series.items()), name


def test_what_two_processes_count_is_what_the_ledger_and_leetcode_say(stage: Stage) -> None:
    exposed = Exposed()
    settings = {
        "METRICS_PORT": exposed.port,
        "WORKER_PROCESSES": "2",
        "WORKER_CONCURRENCY": "4",
        "LEETCODE_USERS_PER_REQUEST": "5",
        "LEETCODE_TIMEOUT": "700ms",
        "TMPDIR": str(stage.folder),
    }
    prepare(stage)
    go_wrong(stage)
    with stage.evaluator.running("worker", **settings) as worker:
        until(lambda: exposed.status("/readyz") == 200)
        samples = exposed.samples()
        assert all(value == 0 for name, series in samples.items() if "total" in name for value in series.values())
        of_workers = {one.name for one in DECLARATIONS if one.exposed_by != "server"}
        assert {name.removesuffix("_count") for name in samples} >= of_workers
        assert exposed.complaints() == ""
        assert stage.evaluator("enqueue").code == 0
        # Without a keeper each run has one pass, and both have something pending then.
        while stage.states("grind") != ["pending", "pending"] or any(samples["evaluator_jobs_in_progress"].values()):
            before, samples = samples, exposed.samples()
            assert_nothing_was_taken_back(before, samples)
        samples = exposed.samples()

        ledger = stage.rows("SELECT outcome, reason, count(*) FROM evaluations GROUP BY 1, 2")
        recorded = counted(samples, "evaluator_evaluations_recorded_total")
        assert recorded == {(outcome, reason): count for outcome, reason, count in ledger}
        assert len(recorded) == 6

        traffic = stage.leetcode.traffic()
        classes = counted(samples, "evaluator_leetcode_requests_total")
        assert sum(classes.values()) == traffic["requests"]
        assert {**classes, ("answered",): 0} == {
            ("answered",): 0,
            ("slow_down",): 2 + 1,
            ("retry_later",): 3 + 2 + 3 + 1 + 3,
            ("bad_query",): 2 + 1,
        }
        assert samples["evaluator_leetcode_request_duration_seconds_count"][()] == traffic["requests"]
        assert samples["evaluator_leetcode_request_duration_seconds_sum"][()] > 3 * 0.7
        assert samples["evaluator_batch_members_sum"][()] == traffic["users"]
        assert samples["evaluator_pacer_wait_seconds_count"][()] >= traffic["requests"]

        batches, attempts = stage.rows("SELECT count(*), sum(attempts) FROM batches")[0]
        jobs = counted(samples, "evaluator_jobs_total")
        assert jobs.pop(("done", CHALLENGE)) == 2
        put_off = jobs.pop(("put_off", MEMBER), 0)
        assert jobs == {
            ("done", MEMBER): batches - 2,
            ("given_up", MEMBER): 2,
            ("retried", MEMBER): attempts - batches,
        }
        assert samples["evaluator_job_duration_seconds_count"] == {(CHALLENGE,): 2, (MEMBER,): attempts + put_off}
        # Batches that are ready at the same time share a transaction.
        assert 0 < samples["evaluator_recording_duration_seconds_count"][()] <= attempts + put_off
        assert exposed.complaints() == ""
    assert worker.process.returncode == -9
    with stage.evaluator.running("worker", **settings) as worker:
        until(lambda: exposed.status("/readyz") == 200)
        assert not any(exposed.samples()["evaluator_evaluations_recorded_total"].values())
        assert len(list(stage.folder.glob("evaluator-worker-*"))) == 1  # what the killed one left is gone
        assert worker.stop() == 0
    assert list(stage.folder.glob("evaluator-worker-*")) == []


def test_a_port_that_is_taken_is_named_with_its_setting(stage: Stage) -> None:
    exposed = Exposed()
    with stage.evaluator.running("worker", METRICS_PORT=exposed.port, TMPDIR=str(stage.folder)):
        until(lambda: exposed.status("/readyz") == 200)
        second = stage.evaluator("worker", METRICS_PORT=exposed.port)
        assert exposed.status("/healthz") == 200
    assert second.code == 1
    assert f"Port {exposed.port} for metrics and health of this worker cannot be listened on: Address" in second.err
    assert "METRICS_PORT" in second.err
    assert "Traceback" not in second.err


def test_whoever_asks_for_something_else_is_told_what_there_is(stage: Stage) -> None:
    exposed = Exposed()
    with stage.evaluator.running("worker", METRICS_PORT=exposed.port, TMPDIR=str(stage.folder)):
        until(lambda: exposed.status("/healthz") == 200)
        assert exposed.says("/healthz") == (200, "ok\n")
        status, text = exposed.says("/")
    assert status == 404
    assert "/metrics, /healthz and /readyz" in text
