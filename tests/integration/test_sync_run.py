"""The deprecated synchronous mode gives what the queue gives, row for row, at one request a member."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest

from evaluator.domain.rules import Rules
from evaluator.ledger.runs import fan_out_chunk, open_run
from evaluator.service.enqueue import Request
from evaluator.service.sync_run import Synchronous
from tests.conftest import created_database
from tests.integration.stage import SETTLE_DELAY, Stage

MARCH: dict[str, Any] = {
    "starts": date(2026, 3, 1),
    "ends": date(2026, 3, 2),
    "timezone": "Etc/UTC",
    "rules": Rules(),
    "currency": None,
}

FILE = """\
challenges:
  - id: grind
    timezone: Asia/Kolkata
    starts: 2026-03-02
    ends: 2026-03-05
    rules:
      min_solves: 2
      difficulties: [Medium, Hard]
      unique: challenge
      freezes_per_month: 1
      penalty: {amount: "5.00", currency: EUR, cap: "8.00"}
    members:
      - handle: ann
      - handle: ben
      - {handle: cy, absences: [{from: 2026-03-03, to: 2026-03-03}]}
      - handle: unknown-dee
      - {handle: idle-eve, left: 2026-03-04T12:00:00Z}
      - handle: hidden-flo
      - handle: full
  - id: spree
    timezone: America/Los_Angeles
    starts: 2026-03-01
    ends: 2026-03-04
    rules: {unique: none, rest_days: [tuesday], penalty: {amount: "300", currency: JPY}}
    members: [{handle: ben}, {handle: cy}, {handle: idle-gil}]
"""

TABLES = {
    "verdicts": "SELECT challenge_id, handle, day, outcome, reason, solved, required, e.evidence, e.error IS NULL,"
    " failed_at IS NULL FROM evaluations e JOIN members m ON m.id = e.member_id ORDER BY 1, 2, 3",
    "streaks": "SELECT challenge_id, handle, current_streak, longest_streak, settled_through FROM members"
    " ORDER BY 1, 2",
    "postings": "SELECT challenge_id, handle, day, entry, amount FROM postings p JOIN members m ON m.id = p.member_id"
    " ORDER BY 1, 2, 3, 4",
    "runs": "SELECT challenge_id, day, day_start, day_end, counts_from, state, passes FROM runs ORDER BY 1, 2",
    "challenges": "SELECT id, completed_at IS NULL FROM challenges ORDER BY 1",
    "solves": "SELECT DISTINCT handle_key, submission_id, slug, time FROM solves ORDER BY 1, 2",
    "problems": "SELECT slug, difficulty FROM problems ORDER BY 1",
}


def script(stage: Stage) -> None:
    user = stage.leetcode.user
    medium = ("add-two-numbers", "3sum", "4sum", "integer-to-roman", "count-and-say", "multiply-strings")
    user("ann", *((slug, f"2026-03-0{2 + n // 2}T1{n % 2}:00+05:30") for n, slug in enumerate(medium)))
    user("ben", *((slug, f"2026-03-0{2 + n}T10:00+05:30") for n, slug in enumerate(medium[:4])))
    user("cy", (medium[0], "2026-03-02T10:00+05:30"), ("two-sum", "2026-03-02T11:00+05:30"))
    user("full", *((slug, f"2026-03-03T{n + 4:02}:00Z") for n, slug in enumerate(medium * 4) if n < 20))


@pytest.fixture
def other_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    with created_database(postgres_url, migrated_template) as url:
        yield url


def tables(url: str) -> dict[str, list[Any]]:
    with psycopg.connect(url) as connection:
        return {name: connection.execute(query).fetchall() for name, query in TABLES.items()}


def test_its_verdicts_streaks_and_postings_are_those_of_the_queue(
    stage: Stage, database_url: str, other_url: str, tmp_path: Path
) -> None:
    script(stage)
    (tmp_path / "file.yaml").write_text(FILE, encoding="utf-8")
    for url in (database_url, other_url):
        assert stage.evaluator("apply", "-f", "file.yaml", DATABASE_URL=url).code == 0
    with stage.evaluator.running("worker", LEETCODE_USERS_PER_REQUEST="3"):
        assert stage.evaluator("enqueue", "--wait").code == 0
    synchronous = stage.evaluator("sync-run", DATABASE_URL=other_url)
    assert synchronous.code == 0
    assert "sync-run is deprecated" in synchronous.err
    assert "38 evaluations of 8 days done" in synchronous.out

    queued, alone = tables(database_url), tables(other_url)
    for name, rows in queued.items():
        assert rows == alone[name], name
    outcomes = {row[3:5] for row in queued["verdicts"]}
    assert len(outcomes) == 8  # enough of everything to compare
    assert len(queued["postings"]) > 5


def test_each_member_is_a_request_of_its_own_in_the_order_of_the_members(stage: Stage) -> None:
    stage.at("2026-03-05T12:00Z")
    handles = [f"idle-{letter}" for letter in "dacb"]
    stage.scene.challenge("grind", handles, **MARCH)
    done: list[int] = []
    queued = synchronous(stage).run(Request(), stage.now, SETTLE_DELAY, done.append)
    assert [run.day for run in queued.runs] == [date(2026, 3, 1), date(2026, 3, 2)]
    assert (stage.leetcode.requests(), stage.leetcode.asked()) == (4, 4)
    assert [handle for (handle,) in stage.rows("SELECT handle_key FROM observations ORDER BY id")] == handles
    assert sum(done) == 8
    times = stage.rows("SELECT opened_at, closed_at FROM runs ORDER BY day")
    assert all(before[1] <= after[0] for before, after in pairwise(times))
    assert stage.completed("grind")


def synchronous(stage: Stage, slept: list[float] | None = None) -> Synchronous:
    sleeps = [] if slept is None else slept
    return Synchronous(stage.database, stage.upstream, attempts=3, backoff=5.0, sleep=sleeps.append)


def test_it_tries_again_and_gives_up_as_the_queue_does(stage: Stage) -> None:
    stage.at("2026-03-05T12:00Z")
    stage.scene.challenge("grind", ["idle-ann", "idle-ben"], **MARCH | {"ends": date(2026, 3, 1)})
    stage.leetcode.goes_wrong("server_error", times=1)
    stage.leetcode.goes_wrong("user_error", handles=["idle-ben"])
    slept: list[float] = []
    synchronous(stage, slept).run(Request(), stage.now, SETTLE_DELAY, lambda _: None)
    assert slept == [5.0, 5.0, 10.0]
    assert stage.verdicts("grind") == {
        ("idle-ann", 1): "failed/not_enough",
        ("idle-ben", 1): "pending/upstream_unavailable",
    }
    assert stage.value("SELECT count(*) FROM evaluations WHERE failed_at IS NOT NULL") == 1


def test_it_finishes_what_workers_have_left_half_done(stage: Stage) -> None:
    stage.at("2026-03-05T12:00Z")
    stage.scene.challenge("grind", [f"idle-{n}" for n in range(5)], **MARCH)
    stage.enqueue()
    run_id = stage.value("SELECT id FROM runs ORDER BY day LIMIT 1")
    with stage.database.transaction() as connection:
        assert open_run(connection, run_id)
        fan_out_chunk(connection, run_id, members=2, size=2)
    synchronous(stage).run(Request(), stage.now, SETTLE_DELAY, lambda _: None)
    assert set(stage.verdicts("grind").values()) == {"failed/not_enough"}
    assert stage.states("grind") == ["settled", "settled"]
    assert stage.completed("grind")


def test_a_day_that_is_not_due_is_refused(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH | {"starts": date(9998, 1, 1), "ends": date(9998, 1, 2)})
    refused = stage.evaluator("sync-run", "--challenge", "grind", "--day", "9998-01-01")
    assert refused.code == 1
    assert "challenge grind: 9998-01-01 is not due yet in Etc/UTC" in refused.err
    assert stage.states("grind") == []
