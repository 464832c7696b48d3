"""An override decides a member's day at once: outcome, streak, penalty, run and challenge follow; so does its clearing.

The challenge runs from 1 to 3 March 2026 in UTC, one solve a day, 5.00 EUR for a miss.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from evaluator.domain.challenge import MemberSpec
from evaluator.domain.rules import Rules
from evaluator.domain.verdict import Outcome
from evaluator.service.override import MemberDay, Refused, lift_override, override
from evaluator.service.unknown import Unknown
from tests.integration.leetcode import second
from tests.integration.stage import SETTLE_DELAY, Stage

MARCH: dict[str, Any] = {
    "starts": date(2026, 3, 1),
    "ends": date(2026, 3, 3),
    "timezone": "Etc/UTC",
    "rules": Rules(penalty=500, cap=1200),
}
FAILED, PASSED, OVERRIDE = "failed/not_enough", "passed/enough", "override"


def decide(stage: Stage, handle: str, day: int, outcome: Outcome) -> Refused | Unknown | None:
    of = MemberDay("grind", handle, date(2026, 3, day))
    return override(stage.database, stage.hand, of, outcome, "site was down", "ops", stage.now - SETTLE_DELAY)


def lift(stage: Stage, handle: str, day: int) -> Refused | Unknown | None:
    return lift_override(stage.database, stage.hand, MemberDay("grind", handle, date(2026, 3, day)), "ops")


def settled(stage: Stage, *members: str | MemberSpec, at: str = "2026-03-05T12:00Z", **more: Any) -> None:
    """Everybody was asked about, all of them idle unless they are scripted."""
    stage.at(at)
    stage.scene.challenge("grind", members, **MARCH | more)
    stage.settle()


def test_a_failed_day_that_passes_is_a_longer_streak_and_a_reversal(stage: Stage) -> None:
    stage.leetcode.user("ann", ("two-sum", "2026-03-01T10:00Z"), ("two-sum", "2026-03-03T10:00Z"))
    settled(stage, "ann")
    assert stage.streak("grind", "ann") == (1, 1)
    assert stage.postings("grind", "ann") == [(2, 1, 500)]
    assert decide(stage, "ann", 2, Outcome.PASSED) is None
    assert stage.verdicts("grind") == {("ann", 1): PASSED, ("ann", 2): "passed/override", ("ann", 3): PASSED}
    assert stage.streak("grind", "ann") == (3, 3)
    assert stage.postings("grind", "ann") == [(2, 1, 500), (2, 2, -500)]
    assert stage.completed("grind")
    assert stage.leetcode.requests() == 1


def test_a_passed_day_that_fails_is_charged_up_to_the_cap(stage: Stage) -> None:
    stage.leetcode.user("ann", ("two-sum", "2026-03-01T10:00Z"))
    settled(stage, "ann")
    assert stage.postings("grind", "ann") == [(2, 1, 500), (3, 1, 500)]
    assert decide(stage, "ann", 1, Outcome.FAILED) is None
    assert stage.streak("grind", "ann") == (0, 0)
    assert stage.postings("grind", "ann") == [(1, 1, 200), (2, 1, 500), (3, 1, 500)]
    assert lift(stage, "ann", 1) is None
    assert stage.verdicts("grind")["ann", 1] == PASSED
    assert stage.streak("grind", "ann") == (0, 1)
    assert stage.postings("grind", "ann") == [(1, 1, 200), (1, 2, -200), (2, 1, 500), (3, 1, 500)]


def test_set_cleared_and_set_again_posts_and_reverses_each_time(stage: Stage) -> None:
    settled(stage, "idle-ann", ends=date(2026, 3, 1))
    for outcome in (Outcome.EXEMPT, Outcome.FROZEN):
        assert decide(stage, "idle-ann", 1, outcome) is None
        assert stage.verdicts("grind") == {("idle-ann", 1): f"{outcome}/override"}
        assert lift(stage, "idle-ann", 1) is None
        assert stage.verdicts("grind") == {("idle-ann", 1): FAILED}
    amounts = [amount for _, _, amount in stage.postings("grind", "idle-ann")]
    assert amounts == [500, -500, 500, -500, 500]
    assert stage.leetcode.requests() == 1


def test_an_override_takes_the_place_of_another_and_both_are_kept(stage: Stage) -> None:
    settled(stage, "idle-ann", ends=date(2026, 3, 1))
    assert decide(stage, "idle-ann", 1, Outcome.EXEMPT) is None
    assert decide(stage, "Idle-Ann", 1, Outcome.PASSED) is None
    assert stage.verdicts("grind") == {("idle-ann", 1): "passed/override"}
    kept = stage.rows("SELECT outcome, reason, set_by, cleared_by FROM overrides ORDER BY id")
    assert kept == [("exempt", "site was down", "ops", "ops"), ("passed", "site was down", "ops", None)]
    assert stage.postings("grind", "idle-ann") == [(1, 1, 500), (1, 2, -500)]


def test_it_survives_a_reevaluation_until_it_is_cleared(stage: Stage) -> None:
    settled(stage, "idle-ann", "idle-ben", ends=date(2026, 3, 1))
    decide(stage, "idle-ann", 1, Outcome.PASSED)
    stage.settle(reevaluate=True)
    assert stage.verdicts("grind") == {("idle-ann", 1): "passed/override", ("idle-ben", 1): FAILED}
    assert stage.streak("grind", "idle-ann") == (1, 1)
    lift(stage, "idle-ann", 1)
    stage.settle(reevaluate=True)
    assert stage.verdicts("grind") == {("idle-ann", 1): FAILED, ("idle-ben", 1): FAILED}
    assert [amount for _, _, amount in stage.postings("grind", "idle-ann")] == [500, -500, 500]


def test_the_last_pending_day_that_is_decided_completes_the_challenge_and_clearing_it_opens_it_again(
    stage: Stage,
) -> None:
    settled(stage, "unknown-ann", ends=date(2026, 3, 1))
    assert stage.states("grind") == ["pending"]
    assert not stage.completed("grind")
    decide(stage, "unknown-ann", 1, Outcome.EXEMPT)
    assert stage.states("grind") == ["settled"]
    assert stage.completed("grind")

    asked = stage.leetcode.asked()
    assert lift(stage, "unknown-ann", 1) is None
    assert stage.verdicts("grind") == {("unknown-ann", 1): "pending/user_not_found"}
    assert not stage.completed("grind")
    assert stage.states("grind") == ["queued"]
    stage.leetcode.user("unknown-ann", ("two-sum", "2026-03-01T10:00Z"))
    stage.hand.work()  # the message was sent at once
    assert stage.leetcode.asked() == asked + 1
    assert stage.verdicts("grind") == {("unknown-ann", 1): PASSED}
    assert stage.completed("grind")


def test_a_day_that_nobody_has_queued_yet_is_decided_all_the_same(stage: Stage) -> None:
    stage.at("2026-03-05T12:00Z")
    stage.scene.challenge("grind", ["idle-ann", "idle-ben"], **MARCH)
    assert decide(stage, "idle-ann", 2, Outcome.PASSED) is None
    assert stage.verdicts("grind") == {("idle-ann", 2): "passed/override"}
    assert stage.streak("grind", "idle-ann") == (1, 1)
    stage.settle()
    assert stage.verdicts("grind") == {
        ("idle-ann", 1): FAILED,
        ("idle-ann", 2): "passed/override",
        ("idle-ann", 3): FAILED,
        ("idle-ben", 1): FAILED,
        ("idle-ben", 2): FAILED,
        ("idle-ben", 3): FAILED,
    }
    assert stage.streak("grind", "idle-ann") == (0, 1)
    assert stage.completed("grind")


def test_a_day_that_is_at_work_keeps_the_decision(stage: Stage) -> None:
    stage.at("2026-03-05T12:00Z")
    stage.scene.challenge("grind", ["idle-ann", "idle-ben"], **MARCH | {"ends": date(2026, 3, 1)})
    stage.enqueue()
    stage.hand.take()
    decide(stage, "idle-ann", 1, Outcome.PASSED)
    assert stage.states("grind") == ["open"]
    stage.hand.work()
    assert stage.verdicts("grind") == {("idle-ann", 1): "passed/override", ("idle-ben", 1): FAILED}
    assert stage.leetcode.asked() == 1
    assert stage.completed("grind")


def test_a_freeze_that_an_override_makes_needless_is_free_for_later_days(stage: Stage) -> None:
    freezing = Rules(penalty=500, freezes_per_month=1)
    settled(stage, "idle-ann", at="2026-03-03T12:00Z", rules=freezing)
    assert stage.verdicts("grind") == {("idle-ann", 1): "frozen/freeze", ("idle-ann", 2): FAILED}
    decide(stage, "idle-ann", 1, Outcome.PASSED)
    stage.at("2026-03-05T12:00Z")
    stage.settle()
    assert stage.verdicts("grind") == {
        ("idle-ann", 1): "passed/override",
        ("idle-ann", 2): FAILED,  # settled before, and not looked at again
        ("idle-ann", 3): "frozen/freeze",
    }


LATE = MemberSpec("idle-cy", joined=second("2026-03-01T12:00Z"))


@pytest.mark.parametrize(
    ("handle", "day", "told"),
    [
        ("nobody", 1, "Challenge grind has never had a member 'nobody'; check the handle's spelling."),
        ("idle-ann", 4, "2026-03-04 is not a day of challenge grind, 2026-03-01 to 2026-03-03"),
        ("idle-ann", 3, "2026-03-03 is not due yet in Etc/UTC; override it once it is, or plan an absence"),
        ("idle-cy", 1, "2026-03-01 is not required of idle-cy, who joined later or left before it was over"),
    ],
)
def test_what_cannot_be_decided_is_refused(stage: Stage, handle: str, day: int, told: str) -> None:
    settled(stage, "idle-ann", LATE, at="2026-03-03T12:00Z")
    kind = Unknown if handle == "nobody" else Refused
    assert decide(stage, handle, day, Outcome.PASSED) == kind(told)
    assert stage.value("SELECT count(*) FROM overrides") == 0


def test_where_there_is_no_challenge_or_it_is_cancelled_nothing_is_decided(stage: Stage) -> None:
    told = "There is no challenge 'grind'; check its id, or create it with `evaluator apply`."
    assert decide(stage, "idle-ann", 1, Outcome.PASSED) == lift(stage, "idle-ann", 1) == Unknown(told)
    settled(stage, "idle-ann", cancelled=True)
    told = "challenge grind is cancelled: its days stay as they are, unless its file takes that back"
    assert decide(stage, "idle-ann", 1, Outcome.PASSED) == lift(stage, "idle-ann", 1) == Refused(told)


def test_without_an_override_there_is_none_to_clear(stage: Stage) -> None:
    settled(stage, "idle-ann")
    assert lift(stage, "idle-ann", 1) == Refused("idle-ann has no override on 2026-03-01 in challenge grind")
    decide(stage, "idle-ann", 1, Outcome.PASSED)
    assert lift(stage, "idle-ann", 1) is None
    assert lift(stage, "idle-ann", 1) == Refused("idle-ann has no override on 2026-03-01 in challenge grind")
