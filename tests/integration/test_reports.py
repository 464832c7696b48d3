"""What is told of a challenge: verdicts, standings, and why a day is what it is; by the services and the commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from evaluator.domain.challenge import Absence, MemberSpec
from evaluator.domain.day import Calendar, ZoneVersion
from evaluator.domain.rules import Difficulty, Rules, Unique
from evaluator.domain.standings import Score, standings
from evaluator.domain.streak import Streak
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.database import Database
from evaluator.service.explain import explain
from evaluator.service.explanation import Explanation
from evaluator.service.ranking import StandingRow, ranking
from evaluator.service.reasons import NO_VERDICTS, REASONS, Note, NoVerdict, Particulars, sentence
from evaluator.service.unknown import Unknown
from evaluator.service.verdicts import verdicts
from tests.integration.scene import LONG_AGO, Scene

KOLKATA = ZoneInfo("Asia/Kolkata")
DAY = date(2026, 11, 20)
HOUR = 3600


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def listed(database: Database, challenge: str, day: date | None = None) -> list[tuple[object, ...]]:
    """Verdicts as (day of the month, handle, outcome, provisional)."""
    with database.connection() as connection:
        found = verdicts(connection, challenge, day)
        assert not isinstance(found, Unknown)
        return [(row.day.day, row.handle, row.outcome, row.provisional) for row in found]


def told(database: Database, handle: str, day: date = DAY, now: datetime | None = None) -> Explanation:
    moment = now or datetime(2026, 12, 1, tzinfo=UTC)
    with database.connection() as connection:
        found = explain(connection, "winter", handle, day, int(moment.timestamp()), HOUR)
    assert not isinstance(found, Unknown), found
    return found


# Verdicts


def test_verdicts_come_by_day_and_then_by_handle_in_byte_order(database: Database, scene: Scene) -> None:
    scene.challenge("winter", ["bob", "_x", "Zoe", "alice"])
    for day in (date(2026, 11, 2), date(2026, 11, 1)):
        for handle in ("bob", "_x", "Zoe", "alice"):
            scene.verdict("winter", handle, day, Outcome.PASSED)
    assert [(day, handle) for day, handle, *_ in listed(database, "winter")] == [
        *((1, handle) for handle in ("Zoe", "_x", "alice", "bob")),
        *((2, handle) for handle in ("Zoe", "_x", "alice", "bob")),
    ]


def test_only_the_verdicts_after_a_pending_one_of_the_same_member_are_provisional(
    database: Database, scene: Scene
) -> None:
    scene.challenge("winter", ["alice", "bob"])
    scene.challenge("other", ["bob"])
    scene.verdict("other", "bob", date(2026, 11, 1), Outcome.PENDING)
    for day, alice in ((1, Outcome.PASSED), (2, Outcome.PENDING), (3, Outcome.FAILED), (4, Outcome.PENDING)):
        scene.verdict("winter", "alice", date(2026, 11, day), alice)
        scene.verdict("winter", "bob", date(2026, 11, day), Outcome.PASSED)
    assert listed(database, "winter") == [
        (1, "alice", "passed", False),
        (1, "bob", "passed", False),
        (2, "alice", "pending", False),
        (2, "bob", "passed", False),
        (3, "alice", "failed", True),
        (3, "bob", "passed", False),
        (4, "alice", "pending", True),
        (4, "bob", "passed", False),
    ]
    assert listed(database, "winter", date(2026, 11, 3)) == [(3, "alice", "failed", True), (3, "bob", "passed", False)]


def test_a_day_without_verdicts_is_an_empty_list_and_a_day_outside_of_the_challenge_is_unknown(
    database: Database, scene: Scene
) -> None:
    scene.challenge("winter", ["alice"])
    assert listed(database, "winter", date(2026, 11, 30)) == []
    with database.connection() as connection:
        outside = verdicts(connection, "winter", date(2026, 12, 1))
        nowhere = verdicts(connection, "wintre")
    assert isinstance(outside, Unknown)
    assert outside.message == "2026-12-01 is not a day of challenge winter, 2026-11-01 to 2026-11-30."
    assert isinstance(nowhere, Unknown)
    assert "'wintre'" in nowhere.message


def test_verdicts_are_read_from_a_cursor_and_not_into_a_list(database: Database, scene: Scene) -> None:
    scene.challenge("winter", [f"m{n:04}" for n in range(2500)])
    run_id = scene.run("winter", DAY)
    scene.execute(
        "INSERT INTO evaluations (member_id, day, run_id, batch) SELECT id, %s, %s, 1 FROM members", DAY, run_id
    )
    with database.connection() as connection:
        found = verdicts(connection, "winter")
        assert not isinstance(found, Unknown)
        assert next(found).handle == "m0000"
        assert connection.execute("SELECT count(*) FROM pg_cursors").fetchone() == (1,)
        assert sum(1 for _ in found) == 2499
        assert connection.execute("SELECT count(*) FROM pg_cursors").fetchone() == (0,)


def test_a_reader_that_stops_half_way_leaves_the_connection_as_it_was(database: Database, scene: Scene) -> None:
    scene.challenge("winter", ["alice", "bob"])
    with database.transaction() as connection:
        for found in (ranking(connection, "winter"), verdicts(connection, "winter")):
            assert not isinstance(found, Unknown)
            next(found, None)
            found.close()
        assert connection.execute("SELECT count(*) FROM pg_cursors").fetchone() == (0,)


# Standings


def test_the_standings_rank_by_streak_then_best_then_penalty_and_equal_members_share_a_rank(
    database: Database, scene: Scene
) -> None:
    scene.challenge("winter", ["zed", "bob", "alice", "dora", "Carl", MemberSpec("gone", left=LONG_AGO + 1)])
    scene.streak("winter", "dora", 3, 3)
    scene.streak("winter", "zed", 2, 5)
    scene.streak("winter", "bob", 2, 4)
    scene.streak("winter", "alice", 2, 4)
    scene.streak("winter", "Carl", 2, 4)
    scene.posting("winter", "alice", DAY, 500)
    scene.posting("winter", "alice", DAY, -500, entry=2)
    scene.posting("winter", "Carl", DAY, 500)
    with database.connection() as connection:
        found = ranking(connection, "winter")
        assert not isinstance(found, Unknown)
        rows = list(found)
    assert rows == [
        StandingRow(1, "dora", 3, 3, 0, "EUR"),
        StandingRow(2, "zed", 2, 5, 0, "EUR"),
        StandingRow(3, "alice", 2, 4, 0, "EUR"),  # her penalty was reversed
        StandingRow(3, "bob", 2, 4, 0, "EUR"),
        StandingRow(5, "Carl", 2, 4, 500, "EUR"),
        StandingRow(6, "gone", 0, 0, 0, "EUR"),  # a former member, without a settled day
    ]


def test_postgres_orders_the_standings_as_the_domain_does(database: Database, scene: Scene) -> None:
    # Every combination of two streaks, two bests and two penalties, under handles whose order a locale would change.
    handles = [name + suffix for name in ("a", "B", "_", "-", ".", "0", "c", "D") for suffix in ("x", "Xy")]
    scene.challenge("winter", handles)
    scores: list[Score] = []
    for number, handle in enumerate(handles):
        streak, penalty = Streak(number % 2, 2 + number // 2 % 2), 500 * (number // 4 % 2)
        scene.streak("winter", handle, streak.current, streak.longest)
        if penalty:
            scene.posting("winter", handle, DAY, penalty)
        scores.append(Score(handle, streak, penalty))
    with database.connection() as connection:
        found = ranking(connection, "winter")
        assert not isinstance(found, Unknown)
        by_postgres = [(row.rank, row.handle) for row in found]
    assert by_postgres == [(one.rank, one.score.handle) for one in standings(scores)]


# Explanations


def test_every_reason_has_a_sentence_that_can_be_said() -> None:
    particulars = Particulars("winter", "alice", "2026-11-20", "Asia/Kolkata", 1, 2, "passed", "site down", " soon")
    assert set(REASONS) == set(Reason)
    assert set(NO_VERDICTS) == set(NoVerdict)
    for reason in (*Reason, *NoVerdict):
        said = sentence(reason, particulars)
        assert not said[0].islower(), said
        assert said.endswith("."), said
        assert not set("{}\n") & set(said), said


def test_a_failed_day_is_explained_by_its_solves_answers_rules_and_money(database: Database, scene: Scene) -> None:
    rules = Rules(
        2, frozenset({Difficulty.MEDIUM, Difficulty.HARD}), Unique.CHALLENGE, frozenset({6}), 1, penalty=500, cap=5000
    )
    scene.challenge("winter", ["Alice"], rules=rules)
    # The day in Kolkata, +05:30, begins on 2026-11-19 at 18:30 UTC.
    start = datetime(2026, 11, 20, tzinfo=KOLKATA)
    at = int(start.timestamp())
    judged = [
        {"id": "1", "problem": "two-sum", "at": at, "difficulty": "Easy", "bearing": "wrong_difficulty"},
        {"id": "2", "problem": "word-break", "at": at + 60, "difficulty": "Medium", "bearing": "counts"},
        {"id": "3", "problem": "n-queens", "at": at + 120, "difficulty": "Hard", "bearing": "repeated"},
    ]
    evaluated = start + timedelta(days=1, hours=1)
    scene.verdict("winter", "alice", DAY, Outcome.FAILED, solved=1, judged=judged, evaluated_at=evaluated)
    scene.verdict("winter", "alice", date(2026, 11, 19), Outcome.PENDING)
    scene.verdict("winter", "alice", date(2026, 11, 3), Outcome.FROZEN)
    scene.posting("winter", "alice", DAY, 500)
    scene.posting("winter", "alice", date(2026, 11, 18), 500)
    scene.streak("winter", "alice", 0, 7)
    scene.observation("alice", start - timedelta(hours=1), rows=4)  # before the day: no part of its evidence
    scene.observation("alice", start + timedelta(hours=2), rows=20, after=start - timedelta(days=2))
    last = [
        ("4", "edit-distance", start + timedelta(days=1, minutes=10)),
        ("0", "jump-game", start - timedelta(hours=13)),
    ]
    scene.observation("alice", start + timedelta(days=1, minutes=59), rows=6, solves=last)
    scene.observation("alice", start + timedelta(days=2), "user_not_found")  # after the decision
    scene.execute("INSERT INTO problems VALUES ('word-break', 'Medium', '139', 'Word Break', false, now())")

    why = told(database, "ALICE")

    assert (why.handle, why.outcome, why.reason, why.solved, why.required) == ("Alice", "failed", "not_enough", 1, 2)
    assert why.provisional
    assert "1 counted and 2 required" in why.sentence
    assert "`evaluator override winter Alice 2026-11-20 --outcome … --reason …`" in why.sentence
    assert why.window is not None
    assert why.window.start.isoformat() == "2026-11-20T00:00:00+05:30"
    assert why.window.end_utc.isoformat() == "2026-11-20T18:30:00+00:00"
    assert why.rules.rest_days == ("sunday",)
    assert why.rules.difficulties == ("Medium", "Hard")
    assert [(one.problem, one.counts, one.sentence) for one in why.solves] == [
        ("two-sum", False, "does not count: it is Easy, and the rules ask for Medium or Hard"),
        ("word-break", True, "counts"),
        ("n-queens", False, "does not count: this problem was solved before in the challenge"),
        ("edit-distance", False, "does not count: it was after this day had ended"),
    ]
    assert [one.title for one in why.solves[:2]] == ["two-sum", "Word Break"]
    assert why.solves[3].at.isoformat() == "2026-11-21T00:10:00+05:30"
    assert [(one.rows, one.sentence) for one in why.observations] == [
        (20, "the newest 20 submissions: everything since 18 Nov 2026, 00:00, from before the day began"),
        (6, "6 submissions, fewer than 20: everything up to then"),
    ]
    assert (why.posted_minor, why.total_minor, why.currency) == (500, 1000, "EUR")
    assert why.freezes_used == (date(2026, 11, 3),)
    assert (why.current_streak, why.longest_streak) == (0, 7)
    assert why.overrides == ()


def test_a_pending_day_tells_what_the_answers_lacked_and_when_it_is_tried_again(
    database: Database, scene: Scene
) -> None:
    scene.challenge("winter", ["alice"])
    scene.run("winter", DAY, state="pending")
    scene.execute("UPDATE runs SET retry_at = '2026-11-21T03:00Z'")
    end = datetime(2026, 11, 21, tzinfo=KOLKATA)
    scene.verdict(
        "winter", "alice", DAY, Outcome.PENDING, Reason.EVIDENCE_INCOMPLETE, evaluated_at=end + timedelta(hours=3)
    )
    scene.observation("alice", end + timedelta(hours=1), "upstream_unavailable", rows=0, detail="HTTP 502")
    scene.observation("alice", end + timedelta(hours=2), rows=20, after=end - timedelta(hours=5), contradictory=True)
    why = told(database, "alice")
    assert [one.sentence for one in why.observations] == [
        "no usable answer: HTTP 502",
        "the newest 20 submissions: everything since 20 Nov 2026, 19:00, not as far back as the day's beginning; "
        "it lacks one that was seen before, so it proves nothing",
    ]
    assert why.next_try is not None
    assert why.next_try.isoformat() == "2026-11-21T08:30:00+05:30"
    scene.execute("UPDATE challenges SET cancelled = true")
    why = told(database, "alice")
    assert (why.reason, why.next_try) == (Reason.EVIDENCE_INCOMPLETE, None)
    assert why.sentence == (
        "The challenge is cancelled, so this day stays undecided (evidence incomplete), unless its file takes that "
        "back."
    )
    scene.execute("UPDATE evaluations SET outcome = 'failed', reason = 'not_enough'")
    assert told(database, "alice").sentence.endswith(
        "if one of them was judged wrongly, the organiser can decide the day if the challenge's file takes back that "
        "it is cancelled."
    )


def test_an_override_is_told_with_who_when_and_why_and_so_is_one_that_was_taken_back(
    database: Database, scene: Scene
) -> None:
    scene.challenge("winter", ["alice"])
    scene.verdict("winter", "alice", DAY, Outcome.PASSED, Reason.OVERRIDE)
    insert = "INSERT INTO overrides (member_id, day, outcome, reason, set_by, set_at, cleared_by, cleared_at)"
    member = scene.member("winter", "alice")
    scene.execute(
        f"{insert} VALUES (%s, %s, 'failed', 'a {{mistake}}', 'raj', '2026-11-21T01:00Z', 'raj', now())", member, DAY
    )
    scene.execute(
        f"{insert} VALUES (%s, %s, 'passed', 'site {{down}}', 'meera', '2026-11-21T02:00Z', NULL, NULL)", member, DAY
    )
    why = told(database, "alice")
    assert why.override is not None
    assert (why.override.set_by, why.override.reason) == ("meera", "site {down}")
    assert why.override.set_at.isoformat() == "2026-11-21T07:30:00+05:30"
    assert [(one.set_by, one.cleared_by) for one in why.overrides] == [("meera", None), ("raj", "raj")]
    assert why.sentence.startswith('The organiser decided that this day is passed: "site {down}".')


def at_local(day: int, hour: int) -> int:
    return int(datetime(2026, 11, day, hour, tzinfo=KOLKATA).timestamp())


@pytest.mark.parametrize(
    ("handle", "day", "now", "reason", "says"),
    [
        ("alice", date(2026, 12, 1), None, NoVerdict.NOT_A_DAY, "from 2026-11-01 to 2026-11-30"),
        ("late", DAY, None, NoVerdict.BEFORE_JOINED, "20 Nov 2026, 08:00"),
        ("early", DAY, None, NoVerdict.AFTER_LEFT, "20 Nov 2026, 08:00"),
        ("alice", DAY, at_local(20, 23), NoVerdict.NOT_OVER, "21 Nov 2026, 00:00"),
        ("alice", DAY, at_local(21, 0), NoVerdict.NOT_DUE, "21 Nov 2026, 01:00"),
        ("alice", DAY, at_local(21, 1), NoVerdict.NOT_QUEUED, "`evaluator enqueue --challenge winter`"),
    ],
)
def test_a_day_without_an_evaluation_says_why_there_is_none(
    database: Database, scene: Scene, handle: str, day: date, now: int | None, reason: NoVerdict, says: str
) -> None:
    scene.challenge(
        "winter", ["alice", MemberSpec("late", joined=at_local(20, 8)), MemberSpec("early", left=at_local(20, 8))]
    )
    why = told(database, handle, day, datetime.fromtimestamp(now, UTC) if now else None)
    assert (why.outcome, why.reason) == (None, reason)
    assert says in why.sentence
    assert why.required == 2


def test_a_queued_day_a_cancelled_challenge_and_a_gap_between_two_stays_say_so(
    database: Database, scene: Scene
) -> None:
    scene.challenge("winter", ["alice", "bob"])
    scene.run("winter", DAY, state="queued")
    assert told(database, "alice").reason is NoVerdict.QUEUED
    scene.challenge("winter", ["alice"], at=at_local(19, 12))
    scene.challenge("winter", ["alice", "bob"], at=at_local(21, 12))
    assert told(database, "bob").reason is NoVerdict.BETWEEN_STAYS
    scene.challenge("winter", ["alice", "bob"], at=at_local(21, 13), cancelled=True)
    assert told(database, "alice").reason is NoVerdict.CANCELLED


def test_a_date_that_the_zone_skips_is_explained_by_the_calendar(database: Database, scene: Scene) -> None:
    # Samoa went from 29 December 2011 to the 31st.
    skipped = date(2011, 12, 30)
    assert Calendar([ZoneVersion(date(2011, 12, 1), ZoneInfo("Pacific/Apia"))]).window(skipped) is None
    scene.challenge("winter", ["alice"], starts=date(2011, 12, 1), ends=date(2012, 1, 5), timezone="Pacific/Apia", at=0)
    why = told(database, "alice", skipped)
    assert (why.reason, why.window, why.observations) == (NoVerdict.SKIPPED_DATE, None, ())
    assert "does not exist in Pacific/Apia" in why.sentence


def test_the_notes_on_solves_are_the_bearings_and_the_two_sides_of_the_day() -> None:
    from evaluator.domain.verdict import Bearing

    assert {note.value for note in Note} == {bearing.value for bearing in Bearing} | {"before_the_day", "after_the_day"}


# Commands

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def evaluator(database_url: str) -> Command:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "DATABASE_URL": database_url, "LOG_LEVEL": "ERROR", "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, "-m", "evaluator.cli", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run


def test_the_commands_print_exactly_the_rows_that_others_read(scene: Scene, evaluator: Command) -> None:
    absent = MemberSpec("bob", absences=(Absence(DAY, DAY),))
    scene.challenge("winter", ["alice", absent], currency=None, rules=Rules())
    scene.verdict("winter", "alice", DAY, Outcome.PASSED, solved=3, required=2)
    scene.verdict("winter", "bob", DAY, Outcome.EXEMPT, Reason.ABSENCE)
    scene.streak("winter", "alice", 1, 1)
    verdict_list = evaluator("verdicts", "--challenge", "winter", "--day", "2026-11-20", "--json")
    assert (verdict_list.returncode, verdict_list.stderr) == (0, "")
    assert json.loads(verdict_list.stdout) == [
        {
            "challenge": "winter",
            "handle": "alice",
            "day": "2026-11-20",
            "outcome": "passed",
            "reason": "enough",
            "solved": 3,
            "required": 2,
            "provisional": False,
        },
        {
            "challenge": "winter",
            "handle": "bob",
            "day": "2026-11-20",
            "outcome": "exempt",
            "reason": "absence",
            "solved": 0,
            "required": 2,
            "provisional": False,
        },
    ]
    standing_list = evaluator("standings", "--challenge", "winter", "--json")
    assert json.loads(standing_list.stdout) == [
        {"rank": 1, "handle": "alice", "current_streak": 1, "longest_streak": 1, "penalty_minor": 0, "currency": None},
        {"rank": 2, "handle": "bob", "current_streak": 0, "longest_streak": 0, "penalty_minor": 0, "currency": None},
    ]
    assert json.loads(evaluator("verdicts", "-c", "winter", "-d", "2026-11-01", "--json").stdout) == []
    explained = json.loads(evaluator("explain", "winter", "bob", "2026-11-20", "--json").stdout)
    assert (explained["outcome"], explained["reason"], explained["timezone"]) == ("exempt", "absence", "Asia/Kolkata")


def test_the_commands_speak_to_people_too(scene: Scene, evaluator: Command) -> None:
    scene.challenge("winter", ["alice"])
    scene.verdict("winter", "alice", DAY, Outcome.FAILED)
    scene.posting("winter", "alice", DAY, 500)
    for minute in (1, 2, 3):
        scene.observation("alice", datetime(2026, 11, 21, 0, minute, tzinfo=KOLKATA))
    assert "2026-11-20  alice   failed" in evaluator("verdicts", "-c", "winter").stdout
    assert "5.00 EUR" in evaluator("standings", "-c", "winter").stdout
    explained = evaluator("explain", "winter", "alice", "2026-11-20").stdout
    assert explained.startswith("alice on Friday, 2026-11-20 in winter: failed\n")
    assert "2026-11-19 18:30:00 to 2026-11-20 18:30:00 in UTC" in explained
    assert "times       those below are of Asia/Kolkata\n" in explained
    assert "5.00 EUR for this day, 5.00 EUR in the challenge" in explained
    alike = "3 submissions, fewer than 20: everything up to then (3 answers, the last at 2026-11-21 00:03:00)"
    assert f"answers     2026-11-21 00:01:00  {alike}\n" in explained


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("verdicts", "-c", "wintre"), 1, "There is no challenge 'wintre'"),
        (("verdicts", "-c", "winter", "-d", "2027-01-01"), 1, "2027-01-01 is not a day of challenge winter"),
        (("verdicts", "-c", "winter", "-d", "yesterday"), 2, "'yesterday' is not a date"),
        (("explain", "winter", "nobody", "2026-11-20"), 1, "has never had a member 'nobody'"),
    ],
)
def test_what_does_not_exist_is_one_sentence_and_exit_1_and_what_is_no_date_is_exit_2(
    scene: Scene, evaluator: Command, words: tuple[str, ...], code: int, says: str
) -> None:
    scene.challenge("winter", ["alice"])
    done = evaluator(*words)
    assert done.returncode == code
    assert says in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
