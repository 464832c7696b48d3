"""The whole way: a file applied, its days queued, worked on by a worker's processes, and read, all by commands."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from tests.integration.program import until
from tests.integration.stage import Stage

GRIND = """\
challenges:
  - id: grind
    timezone: Asia/Kolkata
    starts: 2026-03-02
    ends: 2026-03-06
    rules:
      min_solves: 2
      difficulties: [Medium, Hard]
      unique: challenge
      rest_days: [thursday]
      freezes_per_month: 1
      penalty: {amount: "5.00", currency: EUR, cap: "8.00"}
    members:
      - handle: ada
      - handle: ben
      - handle: cleo
      - handle: unknown-dan
      - {handle: eve, joined: 2026-03-03T12:00:00+05:30}
      - {handle: fay, absences: [{from: 2026-03-03, to: 2026-03-04}]}
"""

EASY, ANOTHER_EASY = "two-sum", "palindrome-number"
ADD, LONGEST, THREE, FOUR = "add-two-numbers", "longest-substring-without-repeating-characters", "3sum", "4sum"
WATER, ROMAN, DIVIDE, COUNT, HARD = (
    "container-with-most-water",
    "integer-to-roman",
    "divide-two-integers",
    "count-and-say",
    "sudoku-solver",
)


def script(stage: Stage) -> None:
    """What they solved. A day of March in Kolkata is from 18:30 UTC of the date before to 18:30 UTC."""
    user = stage.leetcode.user
    user(
        "ada",
        *((slug, f"2026-03-0{day}T10:00:00+05:30") for day, pair in PAIRS.items() for slug in pair),
    )
    user(
        "ben",
        (ADD, "2026-03-01T18:30:00Z"),  # the first second of the 2nd
        (HARD, "2026-03-02T18:29:59Z"),  # its last
        (EASY, "2026-03-03T10:00:00+05:30"),
        (LONGEST, "2026-03-03T10:00:00+05:30"),
        (ADD, "2026-03-04T10:00:00+05:30"),
        (THREE, "2026-03-04T10:00:00+05:30"),
    )
    user(
        "cleo",
        (ADD, "2026-03-02T18:29:59Z"),
        (THREE, "2026-03-02T18:30:00Z"),  # a second too late for the 2nd
        (LONGEST, "2026-03-03T09:00:00+05:30"),
        (FOUR, "2026-03-04T09:00:00+05:30"),
        (WATER, "2026-03-04T09:00:00+05:30"),
        (ROMAN, "2026-03-06T09:00:00+05:30"),
        (DIVIDE, "2026-03-06T23:59:59+05:30"),
    )
    user("eve", (ADD, "2026-03-04T09:00:00+05:30"), (THREE, "2026-03-04T09:00:00+05:30"))
    user("fay", *((slug, "2026-03-02T09:00:00+05:30") for slug in (ADD, THREE)), (FOUR, "2026-03-06T09:00:00+05:30"))


PAIRS = {2: (ADD, LONGEST), 3: (THREE, FOUR), 4: (WATER, ROMAN), 6: (DIVIDE, HARD)}

# By hand, from RULES. The 5th is a Thursday, exempt for everybody of whom it is required (12).
#   ada   two new ones each day.
#   ben   2nd: both seconds are in the day (1). 3rd: an Easy one counts not (6), so 1 of 2: the month's freeze (17).
#         4th: ADD was solved before (7), so 1 of 2: failed, 5.00. 6th: nothing: failed, what is left to the cap, 3.00.
#   cleo  2nd: 1 of 2: the freeze. From the 3rd on two new ones each day.
#   dan   has no account: pending (10), except on the rest day.
#   eve   joined on the 3rd: required from the 4th (2). 6th: nothing: the freeze.
#   fay   absent on the 3rd and 4th. 6th: 1 of 2: the freeze, for an absence uses none.
VERDICTS = {
    "ada": {2: "passed/enough", 3: "passed/enough", 4: "passed/enough", 6: "passed/enough"},
    "ben": {2: "passed/enough", 3: "frozen/freeze", 4: "failed/not_enough", 6: "failed/not_enough"},
    "cleo": {2: "frozen/freeze", 3: "passed/enough", 4: "passed/enough", 6: "passed/enough"},
    "unknown-dan": dict.fromkeys((2, 3, 4, 6), "pending/user_not_found"),
    "eve": {4: "passed/enough", 6: "frozen/freeze"},
    "fay": {2: "passed/enough", 3: "exempt/absence", 4: "exempt/absence", 6: "frozen/freeze"},
}
SOLVED = {("ben", 3): 1, ("ben", 4): 1, ("ben", 6): 0, ("cleo", 2): 1, ("fay", 6): 1, ("unknown-dan", 2): 0}
STANDINGS = [
    # rank, handle, current and longest streak, penalty; fay and eve are equal
    (1, "ada", 4, 4, 0),
    (2, "cleo", 3, 3, 0),
    (3, "eve", 1, 1, 0),
    (3, "fay", 1, 1, 0),
    (5, "ben", 0, 1, 800),
    (6, "unknown-dan", 0, 0, 0),
]


def test_a_file_becomes_verdicts_and_standings(stage: Stage) -> None:
    script(stage)
    (stage.folder / "grind.yaml").write_text(GRIND, encoding="utf-8")
    assert stage.evaluator("apply", "-f", "grind.yaml").code == 0
    with stage.evaluator.running("worker"):
        queued = stage.evaluator("enqueue", "--wait")
        assert queued.code == 0, queued
        assert "Successfully queued 5 challenge evaluation jobs" in queued.out

    verdicts = stage.evaluator("verdicts", "--challenge", "grind", "--json").json()
    found = {(one["handle"], int(one["day"][-2:])): f"{one['outcome']}/{one['reason']}" for one in verdicts}
    rests = {(handle, 5): "exempt/rest_day" for handle in VERDICTS}
    assert (
        found == {(handle, day): verdict for handle, days in VERDICTS.items() for day, verdict in days.items()} | rests
    )
    solved = {(one["handle"], int(one["day"][-2:])): one["solved"] for one in verdicts}
    assert {place: solved[place] for place in SOLVED} == SOLVED
    assert {one["required"] for one in verdicts} == {2}
    assert {one["challenge"] for one in verdicts} == {"grind"}
    # Of dan older days are open; nobody else's are.
    assert {(one["handle"], one["day"][-2:]) for one in verdicts if one["provisional"]} == {
        ("unknown-dan", day) for day in ("03", "04", "05", "06")
    }

    standings = stage.evaluator("standings", "--challenge", "grind", "--json").json()
    keys = ("rank", "handle", "current_streak", "longest_streak", "penalty_minor")
    assert [tuple(one[key] for key in keys) for one in standings] == STANDINGS
    assert {one["currency"] for one in standings} == {"EUR"}
    assert stage.postings("grind", "ben") == [(4, 1, 500), (6, 1, 300)]

    # Whoever solved something is asked about once, on the first day required: dan, who has no account, on each but
    # the rest day, eve first on the 4th. Beside these requests some look up difficulties and are about no user.
    assert stage.leetcode.asked() == 5 + 1 + 2 + 1
    assert stage.leetcode.traffic()["answers"].keys() == {"200"}
    assert stage.states("grind") == ["pending", "pending", "pending", "settled", "pending"]
    assert not stage.completed("grind")


def crowd(folder: Path, challenge: str, members: int, days: int) -> None:
    """A file with a challenge of people who never solve anything."""
    handles = "".join(f"\n      - handle: idle-{number}" for number in range(members))
    (folder / f"{challenge}.yaml").write_text(
        f"""\
challenges:
  - id: {challenge}
    timezone: Etc/UTC
    starts: 2026-03-01
    ends: 2026-03-0{days}
    rules: {{freezes_per_month: 1, penalty: {{amount: "200", currency: JPY}}}}
    members:{handles}
""",
        encoding="utf-8",
    )


def test_twenty_members_are_one_request_and_days_follow_each_other(stage: Stage) -> None:
    crowd(stage.folder, "crowd", members=45, days=3)
    assert stage.evaluator("apply", "-f", "crowd.yaml").code == 0
    with stage.evaluator.running("worker", WORKER_CONCURRENCY="4", WORKER_PROCESSES="2"):
        assert stage.evaluator("enqueue", "--wait").code == 0
    # 45 members are 20, 20 and 5; the answers show the later days too.
    assert (stage.leetcode.requests(), stage.leetcode.asked()) == (3, 45)
    assert stage.states("crowd") == ["settled", "settled", "settled"]
    assert stage.completed("crowd")
    times = stage.rows("SELECT opened_at, closed_at FROM runs ORDER BY day")
    assert all(before[1] <= after[0] for before, after in pairwise(times))
    # In the order of the days, everybody's freeze goes to the first.
    found = set(stage.verdicts("crowd").items())
    assert {(day, verdict) for (_, day), verdict in found} == {
        (1, "frozen/freeze"),
        (2, "failed/not_enough"),
        (3, "failed/not_enough"),
    }
    assert stage.value("SELECT sum(amount) FROM postings") == 45 * 2 * 200


def test_one_user_a_request_is_one_request_a_member(stage: Stage) -> None:
    crowd(stage.folder, "crowd", members=12, days=1)
    assert stage.evaluator("apply", "-f", "crowd.yaml").code == 0
    with stage.evaluator.running("worker", LEETCODE_USERS_PER_REQUEST="1"):
        assert stage.evaluator("enqueue", "--wait").code == 0
    assert (stage.leetcode.requests(), stage.leetcode.asked()) == (12, 12)
    assert stage.value("SELECT count(*) FROM batches WHERE state = 'done' AND size = 1") == 12
    assert stage.completed("crowd")


def test_a_server_and_a_worker_settle_what_is_due_without_anyones_doing(stage: Stage) -> None:
    crowd(stage.folder, "crowd", members=3, days=2)
    assert stage.evaluator("apply", "-f", "crowd.yaml").code == 0
    with stage.evaluator.running("server", "--host", "127.0.0.1", "--port", "0"), stage.evaluator.running("worker"):
        until(lambda: stage.completed("crowd"))
    assert stage.states("crowd") == ["settled", "settled"]
