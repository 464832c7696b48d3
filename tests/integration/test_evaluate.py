"""One batch, one request, one transaction: what doubles, fails, lies or breaks costs nobody a verdict.

The challenges run in March 2026 in UTC. Who is called idle-… never solves anything, unless it is scripted.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from evaluator.domain.rules import Difficulty, Rules
from evaluator.ledger.database import Database
from evaluator.ledger.evaluations import attempt_of, begin
from evaluator.leetcode.client import Client
from evaluator.leetcode.pacer import Pacer
from evaluator.service.evaluate import Done, Evaluator, NotNow, Result, TryAgain, retry_delay
from evaluator.service.jobs import failed, stats
from evaluator.service.judge import verdict_on
from evaluator.service.unknown import Unknown
from tests.integration.program import until
from tests.integration.stage import Stage

RULES = Rules(penalty=500)
MARCH: dict[str, Any] = {"starts": date(2026, 3, 1), "ends": date(2026, 3, 1), "timezone": "Etc/UTC", "rules": RULES}
AFTER = "2026-03-05T12:00Z"
TWENTY = [f"idle-{n}" for n in range(20)]
PASSED, FAILED = "passed/enough", "failed/not_enough"


def opened(stage: Stage, members: Iterable[str] = TWENTY, **more: Any) -> int:
    """A challenge whose first day is fanned out and waits for a worker; gives its run."""
    stage.at(AFTER)
    stage.scene.challenge("grind", list(members), **MARCH | more)
    run_id = stage.enqueue().runs[0].run_id
    stage.hand.take()
    stage.leetcode.count_anew()
    return run_id


def tally(stage: Stage) -> dict[str, int]:
    """How many members have which verdict."""
    found: dict[str, int] = {}
    for verdict in stage.verdicts("grind").values():
        found[verdict] = found.get(verdict, 0) + 1
    return found


def takes(stage: Stage, times: int) -> list[Result | None]:
    return [stage.hand.take() for _ in range(times)]


def failed_jobs(stage: Stage) -> list[tuple[str, str | None, int | None]]:
    """Handle, last error, attempts."""
    with stage.database.connection() as connection:
        found = failed(connection, None, 100)
        assert not isinstance(found, Unknown)
        assert stats(connection, 3600, None).failed == len(found)
    return sorted((job.handle, job.error, job.attempts) for job in found)


def test_a_message_that_comes_twice_is_answered_once(stage: Stage) -> None:
    run_id = opened(stage)
    evaluate = stage.hand.evaluator.evaluate
    assert evaluate(run_id, 1) == Done(settled=20)
    assert evaluate(run_id, 1) == Done()
    assert (stage.leetcode.requests(), stage.leetcode.asked()) == (1, 20)
    assert tally(stage) == {FAILED: 20}
    assert stage.rows("SELECT count(*), sum(amount), max(entry) FROM postings") == [(20, 20 * 500, 1)]
    assert stage.completed("grind")


def test_messages_about_what_does_not_exist_do_nothing(stage: Stage) -> None:
    run_id = opened(stage)
    assert stage.hand.evaluator.evaluate(run_id, 2) == Done()
    assert stage.hand.evaluator.evaluate(run_id + 1, 1) == Done()
    assert stage.leetcode.requests() == 0


def test_several_batches_are_begun_at_once_each_with_its_own_members(stage: Stage) -> None:
    stage.hand.users_per_request = 8
    run_id = opened(stage)
    stage.hand.evaluator.evaluate(run_id, 2)
    with stage.database.connection() as connection:
        rows = begin(connection, run_id, [3, 1, 1, 2, 99])
    attempts = {batch: attempt_of(row) for batch, row in rows.items()}
    assert {batch: [member.handle for member in attempt.members] for batch, attempt in attempts.items()} == {
        1: [f"idle-{n}" for n in range(8)],
        3: [f"idle-{n}" for n in range(16, 20)],
    }
    assert [attempt.number for attempt in attempts.values()] == [1, 1]


def test_rules_that_make_no_sense_cost_batches_that_begin_together_one_attempt_each(
    stage: Stage, database_url: str
) -> None:
    stage.hand.users_per_request = 8
    run_id = opened(stage)
    stage.scene.execute("UPDATE rules SET difficulties = '{Nonsense}'")
    database = Database(database_url, connections=3)
    evaluator = Evaluator(database, stage.hand, stage.upstream, attempts=3)
    with ThreadPoolExecutor(3) as pool:
        with stage.database.transaction() as connection:
            # The first to begin waits for this batch, and meanwhile the two others come together.
            connection.execute("SELECT FROM batches WHERE run_id = %s AND batch = 1 FOR UPDATE", [run_id])
            first = pool.submit(evaluator.evaluate, run_id, 1)
            waits = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            until(lambda: stage.rows(waits) == [(1,)])
            others = [pool.submit(evaluator.evaluate, run_id, batch) for batch in (2, 3)]
            until(lambda: len(evaluator._beginning._groups[run_id, 0].waiting) == 2)
        for begun in (first, *others):
            assert isinstance(begun.exception(), ValueError)
    database.close()
    assert stage.rows("SELECT attempts FROM batches") == [(1,)] * 3


def test_deliveries_at_once_write_one_outcome_and_one_posting(stage: Stage, database_url: str) -> None:
    run_id = opened(stage)
    stage.leetcode.behaves(latency=0.3)  # so that all have asked before the first is answered
    database = Database(database_url, connections=3)
    evaluator = Evaluator(database, stage.hand, stage.upstream, attempts=100)
    together = threading.Barrier(3)

    def one_of_three(_: int) -> Result:
        with database.connection():
            together.wait()
        return evaluator.evaluate(run_id, 1)

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(one_of_three, range(3)))
    database.close()
    assert stage.leetcode.requests() > 1
    assert sorted(result.settled for result in results if isinstance(result, Done)) == [0, 0, 20]
    assert stage.rows("SELECT count(*), sum(amount), max(entry) FROM postings") == [(20, 20 * 500, 1)]
    assert tally(stage) == {FAILED: 20}
    assert stage.completed("grind")


def test_a_member_that_somebody_has_locked_holds_up_no_other_batch(stage: Stage, database_url: str) -> None:
    stage.hand.users_per_request = 10
    run_id = opened(stage)
    database = Database(database_url, connections=3)
    evaluator = Evaluator(database, stage.hand, stage.upstream, attempts=3)
    with ThreadPoolExecutor(1) as thread:
        with stage.database.transaction() as connection:
            connection.execute("SELECT FROM members WHERE handle = 'idle-0' FOR UPDATE")
            waiting = thread.submit(evaluator.evaluate, run_id, 1)
            assert evaluator.evaluate(run_id, 2) == Done(settled=10)
            assert not waiting.done()
        assert waiting.result() == Done(settled=10)
    database.close()
    assert tally(stage) == {FAILED: 20}


def test_one_member_with_an_error_leaves_nineteen_settled_and_is_asked_about_alone(stage: Stage) -> None:
    opened(stage)
    stage.leetcode.goes_wrong("user_error", handles=["idle-7"], message="Try later")
    first = stage.hand.take()
    assert isinstance(first, TryAgain)
    assert first.attempt == 1
    assert tally(stage) == {FAILED: 19, "pending/not_evaluated": 1}
    assert stage.leetcode.asked() == 20
    takes(stage, 2)
    assert (stage.leetcode.requests(), stage.leetcode.asked()) == (3, 22)
    assert tally(stage) == {FAILED: 19, "pending/upstream_unavailable": 1}
    told = "LeetCode answered with an error about this member: Try later"
    assert failed_jobs(stage) == [("idle-7", told, 3)]
    assert stage.states("grind") == ["pending"]


def test_one_member_with_an_error_that_passes_is_settled_by_the_retry(stage: Stage) -> None:
    opened(stage)
    stage.leetcode.goes_wrong("user_error", handles=["idle-7"], times=1)
    stage.hand.work()
    assert stage.leetcode.asked() == 21
    assert tally(stage) == {FAILED: 20}
    assert failed_jobs(stage) == []
    assert stage.completed("grind")


@pytest.mark.parametrize("kind", ["left_out", "stranger"])
def test_an_answer_that_lacks_or_mistakes_a_member_is_none_about_that_member(stage: Stage, kind: str) -> None:
    opened(stage)
    stage.leetcode.goes_wrong(kind, handles=["idle-7"])
    stage.hand.work()
    assert tally(stage) == {FAILED: 19, "pending/upstream_unavailable": 1}
    assert [handle for handle, _, _ in failed_jobs(stage)] == ["idle-7"]


def test_accounts_that_are_unknown_or_hidden_are_pending_and_no_failed_jobs(stage: Stage) -> None:
    stage.leetcode.user("hidden-ben", ("two-sum", "2026-03-01T12:00Z"), visibility="hidden")
    opened(stage, ["idle-ann", "hidden-ben", "unknown-cy"])
    assert stage.hand.take() == Done(settled=3)
    assert stage.verdicts("grind") == {
        ("idle-ann", 1): FAILED,
        ("hidden-ben", 1): "pending/profile_hidden",
        ("unknown-cy", 1): "pending/user_not_found",
    }
    assert failed_jobs(stage) == []


def test_a_decision_that_crashes_leaves_the_other_nineteen_settled(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(stage)
    unlucky = stage.scene.member("grind", "idle-7")

    def crashes(day: Any, account: Any, *rest: Any) -> Any:
        if account.member_id == unlucky:
            raise ZeroDivisionError("a\x00bug\ud800")  # which neither JSON nor Postgres can hold
        return verdict_on(day, account, *rest)

    monkeypatch.setattr("evaluator.service.settle.verdict_on", crashes)
    assert stage.hand.take() == Done(settled=20, errors=("ZeroDivisionError: a bug",))
    assert tally(stage) == {FAILED: 19, "pending/internal_error": 1}
    assert failed_jobs(stage) == [("idle-7", "ZeroDivisionError: a bug", 1)]
    monkeypatch.undo()
    stage.settle()
    assert tally(stage) == {FAILED: 20}
    assert failed_jobs(stage) == []


def test_evidence_that_cannot_be_read_costs_its_member_alone(stage: Stage) -> None:
    opened(stage)
    stage.scene.execute(
        "INSERT INTO observations (handle_key, fetched_at, standing, row_count, contradictory, active_dates,"
        " calendar_years, detail, solves)"
        " VALUES ('idle-7', 1772366400, 'nonsense', 0, false, '{}', '{}', '', '[]')"
    )
    crashes = 0
    while stage.hand.messages:
        message = stage.hand.messages[0]
        try:
            stage.hand.take()
        except ValueError as error:
            assert "nonsense" in str(error)  # noqa: PT017  # which message it is depends on the members' order
            stage.hand.messages.append(message)  # as Dramatiq would deliver it again
            crashes += 1
    # All of them three times; then each of them alone, the one at fault three times.
    assert crashes == 3 + 3
    assert tally(stage) == {FAILED: 19, "pending/internal_error": 1}
    assert [(handle, attempts) for handle, _, attempts in failed_jobs(stage)] == [("idle-7", 4)]


def test_a_refused_batch_is_asked_in_parts(stage: Stage) -> None:
    opened(stage)
    stage.leetcode.goes_wrong("bad_request", handles=["idle-7"], message="Syntax Error")
    assert isinstance(stage.hand.take(), TryAgain)
    answers = stage.leetcode.traffic()["answers"]
    # 20, 10, 5, 3 or 2, 2 or 1, 1 with the member; what is split off is asked about once.
    assert 4 <= answers["400"] <= 6
    assert 3 <= answers["200"] <= 5
    assert tally(stage) == {FAILED: 19, "pending/not_evaluated": 1}
    stage.hand.work()
    assert tally(stage) == {FAILED: 19, "pending/upstream_unavailable": 1}
    assert failed_jobs(stage) == [
        ("idle-7", "LeetCode does not accept the query (HTTP 400: Syntax Error)", 3),
    ]


def test_after_all_attempts_everybody_is_pending_with_the_last_error(stage: Stage) -> None:
    run_id = opened(stage, TWENTY[:2])
    stage.leetcode.goes_wrong("server_error", times=1, message="First")
    stage.leetcode.goes_wrong("server_error", skip=1, status=503, message="Last")
    for attempt in (1, 2):
        result = stage.hand.take()
        assert isinstance(result, TryAgain)
        assert result.attempt == attempt
        assert stage.rows("SELECT state, attempts FROM batches") == [("waiting", attempt)]
        assert failed_jobs(stage) == []
    told = "LeetCode failed to answer (HTTP 503: 503 Server Error Last)"
    assert stage.hand.take() == Done(settled=2, errors=(told, told))
    assert tally(stage) == {"pending/upstream_unavailable": 2}
    assert failed_jobs(stage) == [("idle-0", told, 3), ("idle-1", told, 3)]
    assert stage.rows("SELECT count(*) FROM postings") == [(0,)]
    assert stage.states("grind") == ["pending"]
    assert stage.hand.evaluator.evaluate(run_id, 1) == Done()

    stage.leetcode.recovers()
    stage.settle()  # the next enqueue, and just so the reconciler when its time has come
    assert tally(stage) == {FAILED: 2}
    assert failed_jobs(stage) == []
    assert stage.completed("grind")


def test_without_a_slot_the_attempt_does_not_count(stage: Stage) -> None:
    opened(stage)
    pacer = Pacer(stage.redis, 10_000, longest_wait=0.0, key="evaluator:closed")
    pacer.refused(retry_after=3000)
    upstream = Client(stage.leetcode.url, 5, pacer, lambda: stage.now)
    evaluator = Evaluator(stage.database, stage.hand, upstream, attempts=3)
    for _ in range(5):
        result = evaluator.evaluate(stage.value("SELECT id FROM runs"), 1)
        assert isinstance(result, NotNow)
        assert 2990 < result.after <= 3000
        assert stage.rows("SELECT state, attempts FROM batches") == [("waiting", 0)]
    upstream.close()
    assert stage.leetcode.requests() == 0
    assert tally(stage) == {"pending/not_evaluated": 20}
    stage.hand.work()
    assert tally(stage) == {FAILED: 20}


def test_a_later_attempt_asks_in_parts_so_that_a_member_on_whom_leetcode_fails_stands_apart(stage: Stage) -> None:
    opened(stage)
    stage.leetcode.goes_wrong("server_error", handles=["idle-7"])
    stage.hand.work()
    # In one request; in two of ten members, one of which is answered; in four of three or two, three of them answered.
    assert (stage.leetcode.requests(), stage.leetcode.traffic()["answers"]) == (1 + 2 + 4, {"200": 4, "502": 3})
    assert tally(stage) == {FAILED: 17, "pending/upstream_unavailable": 3}


def test_a_retry_waits_for_the_backoff_doubled_and_for_what_leetcode_asks() -> None:
    assert [retry_delay(TryAgain("", attempt), 5.0) for attempt in (1, 2, 3, 4)] == [5, 10, 20, 40]
    assert retry_delay(TryAgain("", 1, after=17.0), 5.0) == 17
    assert retry_delay(TryAgain("", 1, after=3600.0), 5.0) == 20
    assert retry_delay(NotNow("", 0.3), 5.0) == 0.3
    assert retry_delay(NotNow("", 3000.0), 5.0) == 20


def test_a_member_of_two_challenges_is_asked_about_once(stage: Stage) -> None:
    stage.at(AFTER)
    stage.scene.challenge("grind", ["Idle-Ann", "idle-ben"], **MARCH)
    stage.scene.challenge("spree", ["idle-ann"], **MARCH)
    stage.settle()
    assert stage.leetcode.asked() == 2
    assert set(stage.verdicts("grind").values()) == set(stage.verdicts("spree").values()) == {FAILED}
    assert stage.postings("grind", "idle-ann") == stage.postings("spree", "idle-ann") == [(1, 1, 500)]


def test_what_is_known_already_needs_no_request(stage: Stage) -> None:
    """The 1st is asked about, the 2nd and 3rd lie in the same answer; the 4th was not over when that was given."""
    stage.at("2026-03-04T12:00Z")
    stage.leetcode.user("idle-ann", ("two-sum", "2026-03-02T10:00Z"), ("two-sum", "2026-03-04T11:00Z"))
    stage.scene.challenge("grind", ["idle-ann"], **MARCH | {"ends": date(2026, 3, 5)})
    stage.settle()
    assert stage.leetcode.requests() == 1
    stage.at("2026-03-05T12:00Z")
    stage.settle()
    assert stage.leetcode.requests() == 2
    stage.at("2026-03-06T12:00Z")
    stage.settle()
    assert stage.leetcode.requests() == 3
    found = [verdict for _, verdict in sorted(stage.verdicts("grind").items())]
    assert found == [FAILED, PASSED, FAILED, PASSED, FAILED]


def test_rest_days_absences_and_overrides_need_no_request(stage: Stage) -> None:
    stage.at(AFTER)
    resting = replace(RULES, rest_days=frozenset({6}))  # 1 March 2026 is a Sunday
    stage.scene.challenge("grind", TWENTY, **MARCH | {"rules": resting})
    stage.settle()
    assert tally(stage) == {"exempt/rest_day": 20}
    assert stage.leetcode.requests() == 0


def test_a_contradictory_answer_settles_nobody_but_those_who_have_enough(stage: Stage) -> None:
    """A solve of the 1st that was seen is gone from the list on the next day, which proves nothing then."""
    first, second_day = ("two-sum", "2026-03-01T10:00Z"), ("3sum", "2026-03-02T10:00Z")
    stage.leetcode.user("ann", first)
    stage.leetcode.user("ben", first)
    stage.scene.challenge("grind", ["ann", "ben"], **MARCH | {"ends": date(2026, 3, 2)})
    stage.at("2026-03-02T02:00Z")
    stage.settle()
    stage.leetcode.user("ann")
    stage.leetcode.user("ben", second_day)
    stage.at("2026-03-03T02:00Z")
    stage.settle()
    assert stage.verdicts("grind") == {
        ("ann", 1): PASSED,
        ("ann", 2): "pending/evidence_contradictory",
        ("ben", 1): PASSED,
        ("ben", 2): PASSED,
    }
    assert failed_jobs(stage) == []
    stage.leetcode.user("ann", first)  # the list is whole again
    stage.at("2026-03-03T03:00Z")
    stage.settle()
    assert stage.verdicts("grind")["ann", 2] == FAILED


def test_a_list_that_does_not_reach_back_proves_nothing(stage: Stage) -> None:
    """Twenty solves on the 2nd hide the 1st."""
    solves = [("two-sum", f"2026-03-02T10:{minute:02}Z") for minute in range(20)]
    stage.leetcode.user("ann", *solves)
    opened(stage, ["ann"])
    stage.hand.work()
    assert stage.verdicts("grind") == {("ann", 1): "pending/evidence_incomplete"}


HARD = {"rules": replace(RULES, difficulties=frozenset({Difficulty.HARD})), "ends": date(2026, 3, 2)}


def test_a_difficulty_is_looked_up_once_and_kept(stage: Stage) -> None:
    stage.leetcode.user("ann", ("sudoku-solver", "2026-03-01T10:00Z"), ("two-sum", "2026-03-02T10:00Z"))
    stage.leetcode.user("ben", ("sudoku-solver", "2026-03-02T10:00Z"))
    stage.at(AFTER)
    stage.scene.challenge("grind", ["ann", "ben"], **MARCH | HARD)
    stage.settle()
    found = [verdict for _, verdict in sorted(stage.verdicts("grind").items())]
    assert found == [PASSED, FAILED, FAILED, PASSED]
    # One request about both of them; one about sudoku-solver on the 1st, one about two-sum on the 2nd.
    assert (stage.leetcode.requests(), stage.leetcode.asked()) == (3, 2)
    assert stage.rows("SELECT slug, difficulty FROM problems ORDER BY slug") == [
        ("sudoku-solver", "Hard"),
        ("two-sum", "Easy"),
    ]
    stage.scene.challenge("spree", ["ann", "ben"], **MARCH | HARD)
    stage.settle()
    assert stage.leetcode.requests() == 3


def test_a_difficulty_that_leetcode_refuses_to_tell_keeps_only_those_waiting_whom_it_matters_to(stage: Stage) -> None:
    stage.leetcode.user("ann", ("sudoku-solver", "2026-03-01T10:00Z"))
    opened(stage, ["ann", "idle-ben"], **HARD | {"ends": date(2026, 3, 1)})
    stage.leetcode.goes_wrong("server_error", skip=1, times=1)
    assert isinstance(stage.hand.take(), TryAgain)
    assert stage.verdicts("grind") == {("ann", 1): "pending/not_evaluated", ("idle-ben", 1): FAILED}
    assert stage.hand.take() == Done(settled=1)
    assert stage.verdicts("grind")["ann", 1] == PASSED
    # The answer about ann was kept, so that the retry asked about the problem alone.
    assert (stage.leetcode.requests(), stage.leetcode.asked()) == (3, 2)


def test_a_problem_that_leetcode_does_not_know_leaves_the_day_pending(stage: Stage) -> None:
    stage.leetcode.user("ann", ("no-such-problem", "2026-03-01T10:00Z"))
    opened(stage, ["ann"], **HARD | {"ends": date(2026, 3, 1)})
    assert stage.hand.take() == Done(settled=1)
    assert stage.verdicts("grind") == {("ann", 1): "pending/difficulty_unknown"}
    assert failed_jobs(stage) == []


def test_a_batch_that_takes_its_worker_down_each_time_is_split_until_the_member_at_fault_stands_alone(
    stage: Stage,
) -> None:
    run_id = opened(stage, TWENTY[:3])
    lost = "UPDATE batches SET state = 'active', attempts = 3 WHERE batch = %s"  # as three SIGKILLs leave it
    stage.scene.execute(lost, 1)
    assert stage.hand.take() == Done()
    assert list(stage.hand.messages) == [(run_id, 2), (run_id, 3), (run_id, 4)]
    unlucky = stage.value("SELECT handle FROM evaluations e JOIN members m ON m.id = member_id WHERE batch = 3")
    stage.scene.execute(lost, 3)
    stage.hand.work()
    assert tally(stage) == {FAILED: 2, "pending/internal_error": 1}
    ((handle, told, attempts),) = failed_jobs(stage)
    assert (handle, attempts) == (unlucky, 4)
    assert told is not None
    assert "the worker was lost each time" in told
    assert stage.states("grind") == ["pending"]


def test_leetcodes_refusal_is_kept_for_all_and_the_wait_is_told(stage: Stage) -> None:
    opened(stage)
    stage.leetcode.goes_wrong("rate_limited", times=1, retry_after="2")
    result = stage.hand.take()
    assert isinstance(result, TryAgain)
    assert result.after == 2.0
    assert "429" in result.why
    assert stage.leetcode.requests() == 1
    until(lambda: Pacer(stage.redis, 10_000).state().paused_for == 0)
    stage.hand.work()
    assert tally(stage) == {FAILED: 20}
