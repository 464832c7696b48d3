"""Apply on a real ledger. The challenge runs from 1 to 10 November 2026 in Kolkata, where a day begins at 18:30 UTC."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from evaluator.domain.challenge import Absence, ChallengeSpec, MemberSpec
from evaluator.domain.day import Window
from evaluator.domain.membership import Membership
from evaluator.domain.rules import Difficulty, Rules, Unique
from evaluator.ledger.challenges import Challenge, find_member, read_challenge
from evaluator.ledger.database import Database
from evaluator.ledger.evaluations import lock_members
from evaluator.ledger.runs import RunState, close_run, fan_out_chunk, insert_runs, open_run, requeue, runs_of
from evaluator.service.apply import Applied, Refused
from evaluator.service.apply import apply as apply_specs
from evaluator.service.close import finish_challenge
from evaluator.service.difference import ChallengeChange, FieldChange, Kind, MemberChange, MemberKind

KOLKATA = ZoneInfo("Asia/Kolkata")
ALICE, BOB = MemberSpec("alice"), MemberSpec("bob")
GRIND = ChallengeSpec(
    id="grind",
    name="Grind",
    timezone="Asia/Kolkata",
    starts=date(2026, 11, 1),
    ends=date(2026, 11, 10),
    rules=Rules(min_solves=2, penalty=500, cap=5000),
    currency="EUR",
    members=(ALICE, BOB),
)
BEFORE = int(datetime(2026, 10, 20, 12, tzinfo=KOLKATA).timestamp())


def november(day: int, hour: int = 0) -> int:
    """An hour of November in Kolkata, in seconds since the epoch."""
    return int(datetime(2026, 11, day, hour, tzinfo=KOLKATA).timestamp())


def on(day: int) -> date:
    return date(2026, 11, day)


def apply(database: Database, now: int, *specs: ChallengeSpec, dry_run: bool = False) -> Applied:
    applied = apply_specs(database, specs, now, dry_run=dry_run)
    assert isinstance(applied, Applied), applied
    return applied


def change(database: Database, now: int, spec: ChallengeSpec) -> ChallengeChange:
    (only,) = apply(database, now, spec).changes
    return only


def listing(*members: MemberSpec) -> ChallengeSpec:
    return replace(GRIND, members=members)


def stored(database: Database, challenge_id: str = "grind") -> Challenge:
    with database.connection() as connection:
        challenge = read_challenge(connection, challenge_id)
    assert challenge is not None
    return challenge


def stays(database: Database, handle: str) -> list[Membership]:
    with database.connection() as connection:
        member = find_member(connection, "grind", handle)
    assert member is not None
    return list(member.stays)


def everything(database: Database) -> list[Any]:
    """All that apply may write, with the versions of the rows: equal only where nothing at all was written."""
    tables = ("challenges", "timezones", "rules", "members", "memberships", "runs", "evaluations")
    with database.connection() as connection:
        return [connection.execute(f"SELECT xmin, t.* FROM {table} t ORDER BY t.ctid").fetchall() for table in tables]  # noqa: S608  # the names above


def settle(database: Database, day: date, outcome: str = "passed", pending: Iterable[str] = ()) -> None:
    """One pass over a day that decides everybody alike, save those who stay pending."""
    with database.transaction() as connection:
        challenge = read_challenge(connection, "grind")
        assert challenge is not None
        window = challenge.calendar.window(day)
        assert window is not None
        insert_runs(connection, "grind", {day: window}, challenge.calendar.start(challenge.starts))
        run_id = runs_of(connection, ["grind"])["grind"][day].id
        requeue(connection, [run_id], "pending")
        assert open_run(connection, run_id)
        fan_out_chunk(connection, run_id, members=1000, size=20)
        connection.execute("UPDATE batches SET state = 'done' WHERE run_id = %s", [run_id])
        connection.execute(
            """UPDATE evaluations e SET outcome = %s, reason = 'enough', evaluated_at = clock_timestamp() FROM members m
            WHERE m.id = e.member_id AND e.run_id = %s AND e.outcome = 'pending' AND m.handle <> ALL (%s)""",
            [outcome, run_id, list(pending)],
        )
        closed = close_run(connection, run_id)
        assert closed is not None
        finish_challenge(connection, closed)


def evaluations(database: Database, day: date) -> dict[str, str]:
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT m.handle, e.outcome FROM evaluations e JOIN members m ON m.id = e.member_id WHERE e.day = %s", [day]
        )
        return dict(rows.fetchall())


def run_states(database: Database) -> dict[date, RunState]:
    with database.connection() as connection:
        return {day: run.state for day, run in runs_of(connection, ["grind"])["grind"].items()}


# The difference, and repetition.


def test_a_new_challenge_is_stored_as_it_is_listed(database: Database) -> None:
    rules = Rules(3, frozenset({Difficulty.MEDIUM, Difficulty.HARD}), Unique.CHALLENGE, frozenset({5, 6}), 2, 700, 9000)
    created = change(database, BEFORE, replace(GRIND, rules=rules))
    assert created.kind is Kind.CREATED
    assert FieldChange("rules.rest_days", None, "saturday, sunday") in created.fields
    assert FieldChange("rules.penalty.cap", None, "90.00 EUR") in created.fields
    assert created.members == (
        MemberChange("alice", MemberKind.ADDED, ()),
        MemberChange("bob", MemberKind.ADDED, ()),
    )
    challenge = stored(database)
    assert (challenge.name, challenge.starts, challenge.ends) == ("Grind", on(1), on(10))
    assert [(version.holds_from, version.rules) for version in challenge.rules] == [(on(1), rules)]
    assert [(version.holds_from, version.zone.key) for version in challenge.zones] == [(on(1), "Asia/Kolkata")]
    assert stays(database, "alice") == [Membership(None, None)]


@pytest.mark.parametrize("now", [BEFORE, november(5, 12), november(30)])
def test_repeating_an_apply_writes_nothing(database: Database, now: int) -> None:
    member = MemberSpec("carol", november(2), november(8), (Absence(on(3), on(4)), Absence(on(6), on(6))))
    spec = listing(ALICE, BOB, member)
    apply(database, now, spec)
    before = everything(database)
    assert change(database, now + 86400, spec) == ChallengeChange("grind", Kind.UNCHANGED, (), ())
    assert everything(database) == before


def test_a_dry_run_tells_what_the_apply_then_does_and_writes_nothing(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    settle(database, on(1), pending=["bob"])
    edited = replace(listing(ALICE, MemberSpec("carol")), ends=on(12), rules=Rules(), name="Grind on")
    before = everything(database)
    told = apply(database, november(5), edited, dry_run=True)
    assert everything(database) == before
    assert apply(database, november(5), edited).changes == told.changes
    assert told.changes[0].kind is Kind.CHANGED


def test_challenges_that_a_file_leaves_out_stay_as_they_are(database: Database) -> None:
    other = replace(GRIND, id="other")
    apply(database, BEFORE, GRIND, other)
    before = stored(database, "other")
    apply(database, november(5), replace(GRIND, name="Renamed", members=()))
    assert stored(database, "other") == before


def test_two_applies_at_once_are_two_in_a_row(database: Database) -> None:
    specs = [
        replace(GRIND, id=f"grind-{n}", members=tuple(MemberSpec(f"user{m}") for m in range(200))) for n in range(3)
    ]
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda order: apply(database, BEFORE, *order), [specs, specs[::-1]]))
    assert sorted(one.changes[0].kind for one in both) == [Kind.CREATED, Kind.UNCHANGED]
    assert {one.kind for one in both[0].changes} != {one.kind for one in both[1].changes}


# Versions of rules and zones.


def test_before_the_start_everything_changes_at_once(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    moved = replace(GRIND, starts=on(2), timezone="Europe/Paris", rules=Rules(1), currency=None)
    changed = change(database, november(1) - 1, moved)
    assert {field.holds_from for field in changed.fields} == {None}
    challenge = stored(database)
    assert [(version.holds_from, version.rules) for version in challenge.rules] == [(on(2), Rules(1))]
    assert [(version.holds_from, version.zone.key) for version in challenge.zones] == [(on(2), "Europe/Paris")]
    assert challenge.currency is None


@pytest.mark.parametrize(("now", "holds_from"), [(november(1), 2), (november(5, 23), 6), (november(6), 7)])
def test_new_rules_of_a_running_challenge_hold_from_the_next_local_date(
    database: Database, now: int, holds_from: int
) -> None:
    apply(database, BEFORE, GRIND)
    changed = change(database, now, replace(GRIND, rules=replace(GRIND.rules, min_solves=3)))
    assert changed.fields == (FieldChange("rules.min_solves", "2", "3", on(holds_from)),)
    versions = [(version.holds_from, version.rules.min_solves) for version in stored(database).rules]
    assert versions == [(on(1), 2), (on(holds_from), 3)]


def test_of_two_applies_on_one_date_the_later_holds(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    for hour, min_solves in [(9, 3), (10, 4), (11, 5)]:
        apply(database, november(5, hour), replace(GRIND, rules=replace(GRIND.rules, min_solves=min_solves)))
    versions = [(version.holds_from, version.rules.min_solves) for version in stored(database).rules]
    assert versions == [(on(1), 2), (on(6), 5)]


def test_a_change_taken_back_on_the_same_date_leaves_no_version(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    apply(database, november(5), replace(GRIND, rules=Rules(7), timezone="UTC"))
    apply(database, november(5, 1), GRIND)
    challenge = stored(database)
    assert (len(challenge.rules), len(challenge.zones)) == (1, 1)


def test_a_new_zone_holds_from_the_next_date_of_the_old_one(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    # 20:00 UTC on the 4th is the 5th in Kolkata already, and still the 4th in New York.
    now = november(5, 1)
    changed = change(database, now, replace(GRIND, timezone="America/New_York"))
    assert changed.fields == (FieldChange("timezone", "Asia/Kolkata", "America/New_York", on(6)),)
    calendar = stored(database).calendar
    assert calendar.start(on(6)) == november(6)
    new_york = datetime(2026, 11, 7, tzinfo=ZoneInfo("America/New_York"))
    assert calendar.start(on(7)) == int(new_york.timestamp())


def test_the_stored_zone_says_whether_the_challenge_has_begun(database: Database) -> None:
    apply(database, BEFORE, replace(GRIND, timezone="America/New_York"))
    # The 1st has begun in Kolkata, not in New York: the change holds at once.
    changed = change(database, november(1, 1), replace(GRIND, starts=on(2)))
    assert changed.fields[0] == FieldChange("timezone", "America/New_York", "Asia/Kolkata")
    assert stored(database).starts == on(2)


# What is refused.


def test_what_may_not_change_in_a_running_challenge_is_refused_together(database: Database) -> None:
    other = replace(GRIND, id="other")
    apply(database, BEFORE, GRIND, other)
    before = everything(database)
    wrong = replace(GRIND, starts=on(2), currency="USD", name="Renamed")
    refused = apply_specs(database, [replace(other, name="Fine"), wrong], november(1))
    assert isinstance(refused, Refused)
    assert [(one.challenge, one.field) for one in refused.refusals] == [
        ("grind", "starts"),
        ("grind", "rules.penalty.currency"),
    ]
    assert everything(database) == before


def test_the_currency_outlives_the_penalty(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    without = replace(GRIND, rules=Rules(2), currency=None)
    apply(database, november(3), without)
    assert stored(database).currency == "EUR"
    assert change(database, november(4), without).kind is Kind.UNCHANGED
    refused = apply_specs(database, [replace(GRIND, currency="USD")], november(5))
    assert isinstance(refused, Refused)


def test_a_running_challenge_may_get_its_first_penalty(database: Database) -> None:
    apply(database, BEFORE, replace(GRIND, rules=Rules(2), currency=None))
    apply(database, november(3), GRIND)
    assert stored(database).currency == "EUR"


# Members.


def test_members_listed_when_the_challenge_is_created_are_in_it_from_the_start(database: Database) -> None:
    apply(database, november(30), GRIND)
    assert stays(database, "alice") == [Membership(None, None)]


def test_who_is_first_listed_after_the_start_joins_at_that_apply_and_stays_so(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    late = listing(ALICE, BOB, MemberSpec("carol"))
    added = change(database, november(3, 9), late)
    assert added.members == (
        MemberChange("carol", MemberKind.ADDED, (FieldChange("joined", None, "2026-11-03T03:30:00Z"),)),
    )
    apply(database, november(5), replace(late, name="Renamed"))
    assert stays(database, "carol") == [Membership(november(3, 9), None)]


def test_joined_of_the_file_holds_and_without_it_the_apply_that_listed_the_member(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    apply(database, november(3), listing(ALICE, BOB, MemberSpec("carol", joined=november(2))))
    assert stays(database, "carol") == [Membership(november(2), None)]
    apply(database, november(4), listing(ALICE, BOB, MemberSpec("carol")))
    assert stays(database, "carol") == [Membership(november(3), None)]


def test_who_is_listed_no_more_has_left_at_the_apply_unless_earlier(database: Database) -> None:
    apply(database, BEFORE, listing(ALICE, replace(BOB, left=november(3)), MemberSpec("carol", left=november(9))))
    removed = change(database, november(5), listing(ALICE))
    assert [(one.handle, one.kind) for one in removed.members] == [
        ("bob", MemberKind.REMOVED),
        ("carol", MemberKind.REMOVED),
    ]
    assert stays(database, "bob") == [Membership(None, november(3))]
    assert stays(database, "carol") == [Membership(None, november(5))]
    assert change(database, november(6), listing(ALICE)).kind is Kind.UNCHANGED


@pytest.mark.parametrize(
    ("joined", "expected"),
    [(None, november(7)), (november(1), november(7)), (november(9), november(9))],
    ids=["left out", "before the apply", "after the apply"],
)
def test_who_returns_begins_a_new_stay_at_the_later_of_joined_and_the_apply(
    database: Database, joined: int | None, expected: int
) -> None:
    apply(database, BEFORE, GRIND)
    apply(database, november(5), listing(ALICE))
    back = listing(ALICE, replace(BOB, joined=joined))
    (returned,) = change(database, november(7), back).members
    assert returned.kind is MemberKind.RETURNED
    assert stays(database, "bob") == [Membership(None, november(5)), Membership(expected, None)]
    assert change(database, november(8), back).kind is Kind.UNCHANGED


def test_who_had_left_and_is_listed_without_left_returns_and_the_gap_is_not_required(database: Database) -> None:
    apply(database, BEFORE, listing(ALICE, replace(BOB, left=november(3))))
    (returned,) = change(database, november(6), GRIND).members
    assert returned.kind is MemberKind.RETURNED
    assert stays(database, "bob") == [Membership(None, november(3)), Membership(november(6), None)]


def test_left_may_be_moved_while_it_lies_ahead(database: Database) -> None:
    apply(database, BEFORE, listing(ALICE, replace(BOB, left=november(7))))
    (moved,) = change(database, november(5), listing(ALICE, replace(BOB, left=november(9)))).members
    assert moved.kind is MemberKind.CHANGED
    assert stays(database, "bob") == [Membership(None, november(9))]


def test_another_case_of_a_handle_is_the_same_account(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    renamed = change(database, november(5), listing(MemberSpec("Alice"), BOB))
    assert renamed.members == (MemberChange("Alice", MemberKind.CHANGED, (FieldChange("handle", "alice", "Alice"),)),)
    with database.connection() as connection:
        handles = connection.execute("SELECT handle, handle_key FROM members ORDER BY id").fetchall()
    assert handles == [("Alice", "alice"), ("bob", "bob")]


# What reaches days that were settled, and days that were not.


def test_an_earlier_joined_brings_a_settled_day_back_for_that_member_alone(database: Database) -> None:
    apply(database, BEFORE, listing(ALICE, replace(BOB, joined=november(3))))
    for day in (1, 2, 3):
        settle(database, on(day))
    applied = apply(database, november(5), listing(ALICE, replace(BOB, joined=november(2))))
    assert run_states(database) == {
        on(1): RunState.SETTLED,
        on(2): RunState.QUEUED,
        on(3): RunState.SETTLED,
    }
    assert len(applied.turns) == 1
    settle(database, on(2), "failed")
    assert evaluations(database, on(2)) == {"alice": "passed", "bob": "failed"}


def test_a_later_joined_drops_what_is_pending_and_keeps_what_is_settled(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    settle(database, on(1), "failed")
    settle(database, on(2), pending=["alice", "bob"])
    apply(database, november(5), listing(ALICE, replace(BOB, joined=november(3))))
    assert evaluations(database, on(1)) == {"alice": "failed", "bob": "failed"}
    assert evaluations(database, on(2)) == {"alice": "pending"}


def test_an_earlier_left_drops_pending_days_and_a_day_left_empty_is_settled_by_the_next_pass(
    database: Database,
) -> None:
    apply(database, BEFORE, listing(BOB))
    settle(database, on(1), pending=["bob"])
    applied = apply(database, november(5), listing(replace(BOB, left=november(1, 12))))
    assert evaluations(database, on(1)) == {}
    (turn,) = applied.turns
    with database.transaction() as connection:
        assert open_run(connection, turn.run_id)
        assert fan_out_chunk(connection, turn.run_id, members=1000, size=20)
        assert close_run(connection, turn.run_id)
    assert run_states(database) == {on(1): RunState.SETTLED}


def test_an_edited_absence_has_its_unsettled_days_looked_at_again(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    for day in (1, 2, 3):
        settle(database, on(day), pending=["bob"])
    apply(database, november(5), listing(ALICE, replace(BOB, absences=(Absence(on(2), on(2)),))))
    assert run_states(database) == {
        on(1): RunState.PENDING,
        on(2): RunState.QUEUED,
        on(3): RunState.PENDING,
    }


def test_a_day_at_work_gets_a_further_pass(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    settle(database, on(1), pending=["bob"])
    with database.transaction() as connection:
        run = runs_of(connection, ["grind"])["grind"][on(1)]
        requeue(connection, [run.id], "pending")
        assert open_run(connection, run.id)
        assert fan_out_chunk(connection, run.id, members=1000, size=20)
    apply(database, november(5), listing(ALICE, replace(BOB, joined=november(3))))
    with database.transaction() as connection:
        connection.execute("UPDATE batches SET state = 'done'")
        closed = close_run(connection, run.id)
    assert closed is not None
    assert closed.state is RunState.QUEUED


def test_new_and_removed_members_leave_past_days_alone(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    settle(database, on(1))
    settle(database, on(2), pending=["bob"])
    applied = apply(database, november(5), listing(ALICE, MemberSpec("carol")))
    assert run_states(database) == {on(1): RunState.SETTLED, on(2): RunState.PENDING}
    assert evaluations(database, on(2)) == {"alice": "passed", "bob": "pending"}
    assert applied.turns == ()


@pytest.mark.parametrize(
    "edited", [listing(ALICE, replace(BOB, joined=november(3))), replace(GRIND, ends=on(1))], ids=["joined", "ends"]
)
def test_a_verdict_that_is_being_recorded_is_not_dropped_under_its_worker(
    database: Database, edited: ChallengeSpec
) -> None:
    apply(database, BEFORE, GRIND)
    settle(database, on(2), pending=["bob"])
    with database.connection() as connection:
        (member_id,) = connection.execute("SELECT id FROM members WHERE handle = 'bob'").fetchone() or (0,)
    with ThreadPoolExecutor(1) as thread:
        with database.transaction() as worker:
            lock_members(worker, [member_id])
            applying = thread.submit(apply, database, november(5), edited)
            _wait_for_a_lock(database, applying)
            worker.execute("UPDATE evaluations SET outcome = 'failed' WHERE member_id = %s", [member_id])
        applying.result()
    assert evaluations(database, on(2)) == {"alice": "passed", "bob": "failed"}


def _wait_for_a_lock(database: Database, waiting: Future[Any]) -> None:
    """Until the other thread waits for a lock of this one, or ended since there is none."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with database.connection() as connection:
        while connection.execute(query).fetchone() == (0,) and not waiting.done():
            time.sleep(0.01)


# The end of a challenge.


def _completed_at(database: Database) -> datetime | None:
    with database.connection() as connection:
        row = connection.execute("SELECT completed_at FROM challenges").fetchone()
    assert row is not None
    completed_at: datetime | None = row[0]
    return completed_at


def _settle_all(database: Database, last: int) -> None:
    for day in range(1, last + 1):
        settle(database, on(day))


def test_a_later_end_opens_a_completed_challenge_again(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    _settle_all(database, 10)
    completed_at = _completed_at(database)
    assert completed_at is not None
    apply(database, november(20), replace(GRIND, name="Renamed", members=(ALICE, BOB, MemberSpec("carol"))))
    assert _completed_at(database) == completed_at
    apply(database, november(20), replace(GRIND, ends=on(12)))
    assert not stored(database).completed


def test_an_earlier_end_drops_pending_days_keeps_settled_ones_and_completes_the_challenge(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    _settle_all(database, 5)
    settle(database, on(6), pending=["bob"])
    applied = apply(database, november(7, 12), replace(GRIND, ends=on(5)))
    assert evaluations(database, on(6)) == {"alice": "passed"}
    assert not stored(database).completed
    (turn,) = applied.turns
    with database.transaction() as connection:
        assert open_run(connection, turn.run_id)
        assert fan_out_chunk(connection, turn.run_id, members=1000, size=20)
        closed = close_run(connection, turn.run_id)
        assert closed is not None
        finish_challenge(connection, closed)
    assert stored(database).completed


def test_an_end_on_the_last_settled_day_completes_the_challenge_at_once(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    _settle_all(database, 5)
    apply(database, november(6, 12), replace(GRIND, ends=on(5)))
    assert stored(database).completed


def test_a_member_added_to_the_past_of_a_completed_challenge_opens_it_again(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    _settle_all(database, 10)
    apply(database, november(20), listing(ALICE, BOB, MemberSpec("carol", joined=november(9))))
    assert not stored(database).completed
    assert [day for day, state in run_states(database).items() if state is RunState.QUEUED] == [on(9), on(10)]


def test_cancelling_and_taking_that_back_are_changes_like_others(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    settle(database, on(1))
    cancelled = change(database, november(3), replace(GRIND, cancelled=True))
    assert cancelled.fields == (FieldChange("cancelled", None, "true"),)
    assert stored(database).cancelled
    applied = apply(database, november(4), GRIND)
    assert applied.changes[0].fields == (FieldChange("cancelled", "true", None),)
    assert not stored(database).cancelled
    # Days that were at work when it was cancelled may lack evaluations: all are looked at again.
    assert run_states(database) == {on(1): RunState.QUEUED}
    assert len(applied.turns) == 1


# The command.

TEN_MISTAKES = """\
challenges:
  - id: grind
    name: Grind
    timezone: Asia/Kolkatta
    starts: 2026-11-01
    ends: 2026-10-01
    rules:
      min_solves: none
      unique: week
      penalty: {amount: "5.00", currency: EUR, cap: "50.001"}
    members:
      - handle: 'alice") { x }'
      - {handle: bob, joined: 2026-11-01T00:00:00}
      - {handle: carol, absences: [{from: 2026-11-12, to: 2026-11-10}]}
      - {handle: Bob}
  - id: grind
    timezone: UTC
    starts: 2026-11-01
    ends: 2026-11-02
    members: []
"""

FILE = """\
challenges:
  - id: grind
    name: "[bold]Grind[/bold]"
    timezone: Asia/Kolkata
    starts: 2026-11-01
    ends: 2026-11-10
    rules: {penalty: {amount: 5, currency: EUR}}
    members:
      - {handle: alice}
"""


def evaluator(database: Database, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DATABASE_URL": database.url, "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1"}
    command = [sys.executable, "-m", "evaluator.cli", *arguments]
    return subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)


def test_a_file_with_ten_mistakes_names_all_ten_by_line_and_changes_nothing(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "challenges.yaml"
    file.write_text(TEN_MISTAKES)
    apply(database, BEFORE, GRIND)
    before = everything(database)
    done = evaluator(database, "apply", "-f", str(file))
    assert done.returncode == 1
    *told, last = done.stderr.splitlines()
    places = [line.removeprefix(f"{file}:").split(": ")[:2] for line in told]
    assert places == [
        ["4", "challenges[0].timezone"],
        ["6", "challenges[0].ends"],
        ["8", "challenges[0].rules.min_solves"],
        ["9", "challenges[0].rules.unique"],
        ["10", "challenges[0].rules.penalty.cap"],
        ["12", "challenges[0].members[0].handle"],
        ["13", "challenges[0].members[1].joined"],
        ["14", "challenges[0].members[2].absences[0].to"],
        ["15", "challenges[0].members[3].handle"],
        ["16", "challenges[1].id"],
    ]
    assert last == f"10 mistakes in {file}: nothing was changed"
    assert done.stdout == ""
    assert everything(database) == before


def test_the_command_reads_standard_input_and_shows_the_difference(database: Database) -> None:
    shown = evaluator(database, "apply", "--file", "-", "--dry-run", given=FILE)
    assert shown.returncode == 0
    assert shown.stdout.splitlines() == [
        "grind: created",
        "  name: [bold]Grind[/bold]",
        "  timezone: Asia/Kolkata",
        "  starts: 2026-11-01",
        "  ends: 2026-11-10",
        "  rules.min_solves: 1",
        "  rules.unique: day",
        "  rules.freezes_per_month: 0",
        "  rules.penalty.amount: 5.00 EUR",
        "  + alice added",
        "Dry run: nothing was changed",
    ]
    applied = evaluator(database, "apply", "-f", "-", "--json", given=FILE)
    document = orjson.loads(applied.stdout)
    assert (applied.returncode, document["dry_run"]) == (0, False)
    (challenge,) = document["challenges"]
    assert (challenge["challenge"], challenge["kind"]) == ("grind", "created")
    assert challenge["members"] == [{"handle": "alice", "kind": "added", "fields": []}]
    again = evaluator(database, "apply", "-f", "-", given=FILE)
    assert (again.returncode, again.stdout) == (0, "grind: unchanged\n")


def test_what_the_ledger_refuses_has_its_line_too(database: Database) -> None:
    apply(database, BEFORE, GRIND)
    with database.connection() as connection:  # so that it has begun, whatever the date of today is
        connection.execute("UPDATE challenges SET starts = '2020-01-01'")
    refused = evaluator(database, "apply", "-f", "-", "--json", given=FILE.replace("EUR", "USD"))
    assert refused.returncode == 1
    assert [(one["line"], one["path"]) for one in orjson.loads(refused.stdout)["refused"]] == [
        (5, "challenges[0].starts"),
        (7, "challenges[0].rules.penalty.currency"),
    ]
    assert "-:5: challenges[0].starts: the challenge began on 2020-01-01" in refused.stderr


def test_a_redis_that_is_away_does_not_undo_an_apply(database: Database) -> None:
    apply(database, BEFORE, replace(GRIND, cancelled=True))
    with database.transaction() as connection:
        insert_runs(connection, "grind", {on(1): Window(november(1), november(2))}, november(1))
    text = FILE.replace('"[bold]Grind[/bold]"', "Grind")
    done = evaluator(database, "apply", "-f", "-", given=text)
    assert done.returncode == 0, done.stderr
    assert not stored(database).cancelled
    assert "Redis does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_a_usage_error(database: Database) -> None:
    done = evaluator(database, "apply", "-f", "/no/such/file.yaml")
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
