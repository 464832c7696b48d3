"""Metrics: at every step of a run the figures are what plain SQL counts, and what is scraped is what was declared."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from evaluator.domain.challenge import MemberSpec
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.database import Database
from evaluator.ledger.enqueues import EnqueuedBy, record_enqueue
from evaluator.ledger.figures import read_now
from evaluator.ledger.runs import RunState, fan_out_chunk, open_run
from evaluator.leetcode.pacer import Pacer
from evaluator.metrics import DECLARATIONS
from evaluator.service import jobs
from evaluator.service.figures import Figures, Pace, Watch
from evaluator.service.override import MemberDay, override
from evaluator.service.overview import Stage as Standing
from tests.integration.program import until
from tests.integration.scene import Scene
from tests.integration.served import served
from tests.integration.stage import SETTLE_DELAY, Stage

PACE = Pace(SETTLE_DELAY, members_per_second=400.0, completed_within=86_400.0)
ONE = timedelta(days=1)

# What the figures must be, however long it takes to count. A member's day is due once it has a run.
UNSETTLED = """
SELECT count(*), count(DISTINCT e.member_id) FILTER (
           WHERE e.reason IN ('no_handle', 'user_not_found', 'profile_hidden')),
       count(*) FILTER (WHERE e.reason <> 'not_evaluated'
                        AND (r.state = 'pending' OR r.state = 'open' AND e.evaluated_at >= r.opened_at)),
       extract(epoch FROM now())::float8 - 3600 - min(r.day_end) FILTER (WHERE e.reason <> 'not_evaluated')
FROM runs r
JOIN challenges c ON c.id = r.challenge_id
JOIN memberships s ON s.challenge_id = r.challenge_id
LEFT JOIN evaluations e ON e.member_id = s.member_id AND e.day = r.day
WHERE r.state <> 'settled' AND NOT c.cancelled AND coalesce(e.outcome, 'pending') = 'pending'
  AND (s.joined IS NULL OR s.joined <= r.day_start) AND (s."left" IS NULL OR s."left" >= r.day_end)
"""
PENDING = """
SELECT reason, count(*) FROM evaluations WHERE outcome = 'pending' AND reason <> 'not_evaluated' GROUP BY reason
"""
DUE = """
SELECT count(*)
FROM challenges c JOIN timezones t ON t.challenge_id = c.id
CROSS JOIN generate_series(c.starts, c.ends, interval '1 day') AS d
LEFT JOIN runs r ON r.challenge_id = c.id AND r.day = d::date
WHERE NOT c.cancelled AND c.completed_at IS NULL AND coalesce(r.state, 'none') <> 'settled'
  AND (d::date + 1)::timestamp AT TIME ZONE t.timezone + make_interval(secs => %s) <= now()
"""


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.fixture
def client(database: Database, redis_url: str) -> Iterator[httpx.Client]:
    with served(database, redis_url, int(time.time())) as client:
        yield client


def today(zone: str = "UTC") -> date:
    """By the clock of this machine, on which Postgres runs too; of the day that began an hour ago at least."""
    return (datetime.now(ZoneInfo(zone)) - timedelta(seconds=SETTLE_DELAY)).date()


def read(database: Database, watch: Watch | None = None) -> Figures:
    with database.snapshot(10.0) as connection:
        return (watch or Watch(PACE)).read(connection, read_now(connection))


def rows(database: Database, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with database.connection() as connection:
        return connection.execute(statement, values).fetchall()


def check(database: Database, watch: Watch | None = None) -> Figures:
    """The figures, each of which is what SQL counts."""
    figures = read(database, watch)
    unsettled, attention, resting, oldest = rows(database, UNSETTLED)[0]
    assert figures.unsettled == unsettled
    assert figures.left == unsettled - resting
    assert figures.members_needing_attention == attention
    assert figures.oldest_pending_seconds == pytest.approx(oldest or 0, abs=2.0)
    assert {str(reason): count for reason, count in figures.pending.items() if count} == dict(rows(database, PENDING))
    assert [(figures.runs_due,)] == rows(database, DUE, 3600)
    assert [(figures.runs_late,)] == rows(database, DUE, 3 * 3600)
    assert figures.drain.budget == figures.left / 400
    return figures


def scraped(client: httpx.Client) -> dict[str, float]:
    """Each sample by its name, with its labels as they stand there."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(number) for name, _, number in lines}


def of(samples: dict[str, float], name: str) -> dict[str, float]:
    """The samples of a metric by the values of their labels."""
    found = (re.fullmatch(rf"{name}(?:{{(.*)}})?", sample) for sample in samples)
    return {",".join(re.findall('"([^"]*)"', one[1] or "")): samples[one[0]] for one in found if one}


def test_an_empty_ledger_has_nothing_to_do_and_no_moments(database: Database) -> None:
    figures = check(database)
    assert (figures.unsettled, figures.runs_due, figures.members, figures.paused) == (0, 0, 0, False)
    assert (figures.drain.measured, figures.drain.budget, figures.oldest_waiting_seconds) == (0.0, 0.0, 0.0)
    assert (figures.deadline, figures.last_success, figures.last_enqueue) == (None, None, {})
    assert set(figures.challenges.values()) == {0}


def test_at_every_step_of_a_run_with_faults_the_figures_are_what_sql_counts(stage: Stage) -> None:
    """Three days, of which one is not due; members of whom nothing can be known; LeetCode fails in between."""
    stage.now = int(time.time())
    stage.leetcode.behaves(now=stage.now)
    stage.hand.users_per_request = 4
    first = today("Asia/Tokyo") - 2 * ONE
    tokyo = [*(f"idle-{n}" for n in range(9)), "hidden-ann", "unknown-bob"]
    stage.scene.challenge("tokyo", tokyo, starts=first, ends=first + 2 * ONE, timezone="Asia/Tokyo")
    stage.scene.challenge("utc", ["idle-1", "idle-2", "hidden-ann"], starts=today() - ONE, timezone="UTC")
    stage.scene.challenge("off", ["idle-1"], starts=today() - ONE, timezone="UTC", cancelled=True)
    watch = Watch(PACE)
    before = check(stage.database, watch)
    assert (before.runs_due, before.unsettled, before.deadline) == (3, 0, None)
    stage.enqueue()
    queued = check(stage.database, watch)
    assert (queued.unsettled, queued.left, queued.runs[RunState.QUEUED]) == (2 * 11 + 3, 2 * 11 + 3, 3)
    assert queued.oldest_waiting_seconds > 0
    stage.leetcode.goes_wrong("server_error", skip=1, times=4)
    stage.leetcode.goes_wrong("user_error", handles=["idle-8"])
    seen = []
    while stage.hand.messages:
        stage.hand.take()
        seen.append(check(stage.database, watch))
    assert [one.left for one in seen] == sorted((one.left for one in seen), reverse=True)
    done = seen[-1]
    assert (done.left, done.unsettled, done.evaluations.completed, done.evaluations.failed) == (0, 7, 23, 2)
    assert {reason: count for reason, count in done.pending.items() if count} == {
        Reason.PROFILE_HIDDEN: 3,
        Reason.USER_NOT_FOUND: 2,
        Reason.UPSTREAM_UNAVAILABLE: 2,
    }
    assert done.members_needing_attention == 3  # a member of two challenges is two
    assert (done.runs[RunState.PENDING], done.deadline, done.drain.measured) == (3, None, 0.0)
    assert done.runs_stuck == 0

    stage.leetcode.recovers()
    stage.enqueue()  # another pass over what is pending
    assert (check(stage.database).left, check(stage.database).runs[RunState.QUEUED]) == (7, 3)
    stage.hand.take()
    assert check(stage.database).evaluations.waiting == 3
    stage.hand.work()
    assert check(stage.database).unsettled == 5


def test_members_that_the_fan_out_has_not_come_to_yet_are_counted_and_those_who_are_not_required_are_not(
    stage: Stage,
) -> None:
    stage.now = int(time.time())
    first = today() - 3 * ONE
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    members: list[str | MemberSpec] = [
        *(f"idle-{n}" for n in range(7)),
        MemberSpec("idle-late", joined=start + 86_400),
        MemberSpec("idle-gone", left=start + 2 * 86_400),
        MemberSpec("idle-brief", joined=start + 1, left=start + 86_400),
    ]
    stage.scene.challenge("grind", members, starts=first, timezone="UTC")
    decided = MemberDay("grind", "idle-6", first)
    override(stage.database, stage.hand, decided, Outcome.PASSED, "Seen", "test", stage.now - SETTLE_DELAY)
    assert check(stage.database).unsettled == 7  # a run of one day, and one member of it is settled
    stage.enqueue()
    assert check(stage.database).left == 7 + 9 + 8
    run_id = stage.value("SELECT id FROM runs ORDER BY day LIMIT 1")
    with stage.database.connection() as connection:
        open_run(connection, run_id)
    for waiting in (3, 6, 7):
        with stage.database.transaction() as connection:
            fan_out_chunk(connection, run_id, members=3, size=2)
        figures = check(stage.database)
        assert (figures.evaluations.waiting, figures.left) == (waiting, 7 + 9 + 8)


def test_a_reevaluation_has_everybody_to_do_again(stage: Stage) -> None:
    stage.now = int(time.time())
    stage.leetcode.behaves(now=stage.now)
    stage.scene.challenge("grind", [f"idle-{n}" for n in range(7)], starts=today() - 2 * ONE, timezone="UTC")
    stage.settle()
    assert check(stage.database).unsettled == 0
    stage.enqueue(reevaluate=True)
    queued = read(stage.database)
    assert (queued.left, queued.unsettled, queued.runs_due) == (14, 14, 2)
    stage.hand.take()
    assert read(stage.database).left == 14
    stage.hand.work()
    assert check(stage.database).left == 0


def test_late_days_are_stuck_until_a_pass_over_them_has_ended(stage: Stage) -> None:
    stage.now = int(time.time())
    stage.leetcode.behaves(now=stage.now)
    stage.scene.challenge("grind", ["hidden-ann"], starts=today() - 3 * ONE, ends=today() - 2 * ONE, timezone="UTC")
    assert (read(stage.database).runs_late, read(stage.database).runs_stuck) == (2, 2)
    stage.enqueue()
    assert (read(stage.database).runs_late, read(stage.database).runs_stuck) == (2, 2)
    stage.hand.take()
    assert (read(stage.database).runs[RunState.OPEN], read(stage.database).runs_stuck) == (1, 2)
    stage.hand.work()
    assert (read(stage.database).runs_late, read(stage.database).runs_stuck) == (2, 0)
    stage.enqueue()
    assert (read(stage.database).runs[RunState.QUEUED], read(stage.database).runs_stuck) == (2, 0)


def test_days_without_a_run_are_found_wherever_they_lie(stage: Stage) -> None:
    """Who looks again and again remembers days that had a run, and looks within ten minutes whether they still have."""
    stage.now = int(time.time())
    stage.scene.challenge("grind", ["idle-1"], starts=today() - 6 * ONE, timezone="UTC")
    watch = Watch(PACE)
    for days_ago, due in ((4, 6), (1, 6), (6, 6)):
        stage.enqueue("grind", today() - days_ago * ONE)
        assert check(stage.database, watch).runs_due == due
    assert stage.value("SELECT count(*) FROM runs") == 3
    stage.enqueue()
    assert check(stage.database, watch).runs_due == 6
    stage.scene.execute("UPDATE runs SET state = 'settled'")
    assert check(stage.database, watch).runs_due == 0
    stage.scene.execute("DELETE FROM runs WHERE day = current_date - 4")
    with stage.database.snapshot(10.0) as connection:
        assert watch.read(connection, time.time() + 601).runs_due == 1


def at_work(scene: Scene, queued: float, batches: Sequence[tuple[float, float]]) -> None:
    """A run that was queued so many seconds ago, 40 members waiting in it, and batches of 20 begun and ended then."""
    scene.challenge("grind", ["alice"], timezone="UTC")
    run_id = scene.run("grind", date(2026, 11, 20), state="open")
    scene.execute("UPDATE runs SET queued_at = now() - make_interval(secs => %s)", queued)
    for number in (1, 2):
        scene.batch(run_id, number, 20, "waiting")
    for number, (begun, ended) in enumerate(batches, start=3):
        scene.batch(run_id, number, 20, "done", age=ended)
        scene.execute(
            "UPDATE batches SET started_at = now() - make_interval(secs => %s) WHERE batch = %s", begun, number
        )


@pytest.mark.parametrize(
    ("queued", "batches", "rate"),
    [
        (7200, [(60, 50), (50, 40), (10, 1)], 60 / 60),  # since the first of the last minutes began
        (7200, [(500, 400), (310, 200), (100, 10)], 40 / 300),  # of five minutes only
        (40, [(90, 80), (60, 50), (38, 30), (20, 10)], 40 / 38),  # what ended before this work was queued is other work
        (40, [(60, 30)], 20 / 40),
    ],
)
def test_the_drain_is_measured_by_what_ended_in_the_last_minutes(
    database: Database, scene: Scene, queued: float, batches: Sequence[tuple[float, float]], rate: float
) -> None:
    at_work(scene, queued, batches)
    figures = read(database)
    assert figures.left == 40
    assert figures.members_per_second == pytest.approx(rate, rel=0.1)
    assert figures.drain.measured == pytest.approx(40 / rate, rel=0.1)
    assert figures.drain.budget == 40 / 400


def test_while_there_is_work_and_nothing_ended_no_drain_is_measured(
    database: Database, scene: Scene, client: httpx.Client
) -> None:
    at_work(scene, 7200, [(900, 800)])
    assert read(database).drain.measured is None
    assert of(scraped(client), "evaluator_drain_seconds") == {"budget": 0.1}


def test_the_deadline_is_the_next_hour_past_midnight_in_any_zone_that_has_work(
    database: Database, scene: Scene
) -> None:
    zones = ["Pacific/Kiritimati", "Asia/Kolkata", "UTC", "America/St_Johns", "Pacific/Pago_Pago"]

    def next_due(zone: str) -> float:
        day = today(zone) + ONE
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
        return midnight.timestamp() + SETTLE_DELAY

    for number, zone in enumerate(zones):
        scene.challenge(f"zone-{number}", ["alice"], starts=date(2026, 1, 1), ends=date(2099, 1, 1), timezone=zone)
        scene.run(f"zone-{number}", today(zone) - ONE, state="pending")
    assert read(database).deadline is None
    working: list[str] = []
    for number, zone in enumerate(zones):
        scene.execute("UPDATE runs SET state = 'queued' WHERE challenge_id = %s", f"zone-{number}")
        working.append(zone)
        assert read(database).deadline == min(map(next_due, working))
    scene.execute("UPDATE runs SET state = 'settled' WHERE challenge_id <> 'zone-3'")
    assert read(database).deadline == next_due(zones[3])
    # A challenge that is over has until its next day would be due.
    scene.execute("UPDATE challenges SET ends = current_date - 2, completed_at = now() WHERE id = 'zone-3'")
    assert read(database).deadline == next_due(zones[3])


def test_challenges_and_members_are_counted_by_where_they_stand(database: Database, scene: Scene) -> None:
    start = int(time.time())
    members: list[str | MemberSpec] = [
        "alice",
        MemberSpec("bob", joined=start + 3600),
        MemberSpec("carol", left=start - 3600),
        MemberSpec("dan", joined=start - 3600, left=start + 3600),
    ]
    scene.challenge("running", members, starts=today() - ONE, ends=today() + 2 * ONE, timezone="UTC")
    scene.challenge("upcoming", ["alice", "bob"], starts=today() + 2 * ONE, ends=today() + 3 * ONE, timezone="UTC")
    scene.challenge("closing", ["alice", "bob"], starts=today() - 3 * ONE, ends=today() - 2 * ONE, timezone="UTC")
    scene.challenge("off", ["alice"], starts=today() - ONE, cancelled=True)
    for over in ("over", "over-too"):
        scene.challenge(over, ["alice"], starts=today() - 3 * ONE, ends=today() - 2 * ONE)
        scene.execute("UPDATE challenges SET completed_at = now() WHERE id = %s", over)
    figures = read(database)
    assert figures.challenges == {
        Standing.UPCOMING: 1,
        Standing.RUNNING: 1,
        Standing.CLOSING: 1,
        Standing.COMPLETED: 2,
        Standing.CANCELLED: 1,
    }
    assert figures.members == 2
    assert figures.challenges_unreadable == 0
    # Its rows make no sense: the others are counted all the same.
    scene.execute("UPDATE timezones SET timezone = 'Atlantis/Capital' WHERE challenge_id = 'closing'")
    scene.execute("DELETE FROM timezones WHERE challenge_id = 'upcoming'")
    scene.execute("DELETE FROM rules WHERE challenge_id IN ('running', 'over', 'off')")
    figures = read(database)
    assert sum(figures.challenges.values()) == 4
    assert figures.challenges_unreadable == 3


def test_members_are_counted_once_a_minute(database: Database, scene: Scene) -> None:
    now = time.time()
    scene.challenge("grind", ["alice"], starts=today() - 5 * ONE, ends=today() + 5 * ONE, timezone="UTC")
    watch = Watch(PACE)
    with database.connection() as connection:
        assert watch.read(connection, now).members == 1
        scene.challenge("grind", ["alice", "bob"], starts=today() - 5 * ONE, ends=today() + 5 * ONE, timezone="UTC")
        assert watch.read(connection, now + 59).members == 1
        assert watch.read(connection, now + 60).members == 2


def test_the_last_success_is_when_a_run_was_last_settled_by_a_worker_or_by_hand(stage: Stage) -> None:
    stage.now = int(time.time())
    stage.leetcode.behaves(now=stage.now)
    stage.scene.challenge("grind", ["idle-1", "hidden-ann"], starts=today() - 2 * ONE, timezone="UTC")
    stage.settle()
    assert read(stage.database).last_success is None
    stage.scene.execute("UPDATE runs SET closed_at = now() - interval '2 days'")
    before = time.time()
    decided = MemberDay("grind", "hidden-ann", today() - 2 * ONE)
    override(stage.database, stage.hand, decided, Outcome.PASSED, "Seen", "test", stage.now - SETTLE_DELAY)
    settled = read(stage.database).last_success
    assert settled is not None
    assert before - 1 < settled < time.time() + 1
    stage.scene.execute("UPDATE runs SET closed_at = now() - interval '2 days' WHERE state = 'settled'")
    stage.scene.challenge("other", ["idle-1"], starts=today() - ONE, timezone="UTC")
    stage.settle("other")
    settled = read(stage.database).last_success
    assert settled is not None
    assert before - 1 < settled < time.time() + 1


# What is scraped


def test_a_server_exposes_every_metric_that_is_declared_of_it_with_every_label(
    database: Database, scene: Scene, client: httpx.Client
) -> None:
    at_work(scene, 60, [(50, 40)])
    scene.run("grind", date(2026, 11, 19), state="settled")
    scene.execute("UPDATE runs SET closed_at = now() WHERE state = 'settled'")
    with database.connection() as connection:
        for by in EnqueuedBy:
            record_enqueue(connection, by)
    samples = scraped(client)
    exposed = [one for one in DECLARATIONS if one.exposed_by != "worker"]
    for one in exposed:
        if one.name == "evaluator_keeper_actions_total":
            continue  # the keeper counts, which is no part of this server
        found = of(samples, one.name)
        expected = {""}
        for values in one.labels.values():
            expected = {f"{prefix},{name}".lstrip(",") for prefix in expected for name in values or ("0.1.0",)}
        assert set(found) == expected, one.name
    assert {sample.partition("{")[0] for sample in samples} <= {one.name for one in exposed}


def test_what_only_redis_knows_is_scraped_from_there(stage: Stage, client: httpx.Client) -> None:
    with Pacer(stage.redis, 20).acquire():
        Pacer(stage.redis, 20).refused(retry_after=300.0)
    stage.redis.hset("evaluator:members.msgs", mapping={"a": "1", "b": "2"})
    stage.redis.rpush("evaluator:members", "a")
    stage.redis.zadd("evaluator:members.XQ", {"c": 1})
    stage.redis.hset("evaluator:challenges.DQ.msgs", "d", "1")
    moment = int(stage.redis.time()[0]) * 1000
    stage.redis.zadd(
        "evaluator:__heartbeats__",
        {"one": moment, "two": moment - 14_000, "lost": moment - 16_000, "janitor-x": moment},
    )
    samples = scraped(client)
    messages = {labels: count for labels, count in of(samples, "evaluator_queue_messages").items() if count}
    assert messages == {"members,ready": 1, "members,in_flight": 1, "members,dead": 1, "challenges,delayed": 1}
    assert samples["evaluator_workers_alive"] == 2
    assert 290 < samples["evaluator_leetcode_paused_seconds"] <= 300
    assert samples["evaluator_redis_memory_bytes"] == pytest.approx(stage.redis.info("memory")["used_memory"], rel=0.2)
    assert samples["evaluator_redis_memory_limit_bytes"] == stage.redis.info("memory")["maxmemory"]
    assert samples["evaluator_redis_evicted_keys_total"] == stage.redis.info("stats")["evicted_keys"]


def test_a_pause_is_shown(database: Database, client: httpx.Client) -> None:
    with database.connection() as connection:
        jobs.pause(connection, "test")
    assert scraped(client)["evaluator_paused"] == 1


def test_queue_stats_tells_the_same_to_people_and_programs(stage: Stage) -> None:
    stage.now = int(time.time())
    stage.scene.challenge("grind", ["idle-1", "hidden-ann"], starts=today() - 2 * ONE, timezone="UTC")
    assert stage.evaluator("enqueue").code == 0
    figures = read(stage.database)
    work = stage.evaluator("queue", "stats", "--json").json()["work"]
    assert (work["unsettled"], work["left"], work["days_due"], work["days_late"]) == (4, 4, 2, figures.runs_late)
    assert (work["drain_seconds_measured"], work["drain_seconds_budget"]) == (None, 4 / 20_000)
    assert figures.deadline is not None
    assert datetime.fromisoformat(work["deadline"]).timestamp() == figures.deadline
    assert datetime.fromisoformat(work["last_enqueue"]).timestamp() == int(figures.last_enqueue[EnqueuedBy.COMMAND])
    assert work["workers_alive"] == 0
    told = stage.evaluator("queue", "stats").out
    assert re.search(r"^unsettled +4$", told, re.MULTILINE)
    assert re.search(r"^drain seconds budget +0 s$", told, re.MULTILINE)
    alone = stage.evaluator("queue", "stats", "--json", REDIS_URL="redis://127.0.0.1:1")
    assert "Messages are not counted" in alone.err
    assert (alone.json()["work"]["unsettled"], alone.json()["work"]["workers_alive"]) == (4, None)


def test_promtool_finds_nothing_wrong_with_what_a_server_with_work_says(stage: Stage) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian's package prometheus)")
    stage.scene.challenge("grind", ["idle-1", "hidden-ann"], starts=today() - 2 * ONE, timezone="UTC")
    with stage.evaluator.running("server", "--host", "127.0.0.1", "--port", "0") as server:
        until(lambda: "Uvicorn running on" in server.said())
        address = re.findall(r"Uvicorn running on (http://[\w.:]+)", server.said())[0]
        until(lambda: stage.value("SELECT count(*) FROM runs") > 1)  # by its keeper
        text = httpx.get(f"{address}/metrics").text
    assert 'evaluator_keeper_actions_total{action="runs_queued"} 2.0' in text
    assert "evaluator_unsettled_evaluations 4.0" in text
    assert 'evaluator_last_enqueue_timestamp_seconds{by="keeper"}' in text
    assert "_created" not in text
    checked = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
