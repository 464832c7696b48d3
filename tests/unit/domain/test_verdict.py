"""The verdict on a day (rules 6 to 8 and 11 to 17). The day is [1000, 2000) of a challenge that began at 500."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from evaluator.domain.day import Window
from evaluator.domain.evidence import Evidence, Observation, Solve, Standing
from evaluator.domain.rules import Difficulty, Rules, Unique
from evaluator.domain.verdict import Bearing, Case, Outcome, Reason, Verdict, decide, tally

DAY = Window(1000, 2000)
CHALLENGE_BEGAN = 500
TODAY = date(1970, 1, 1)
MONDAY, TUESDAY = 0, 1
EASY, MEDIUM, HARD = Difficulty.EASY, Difficulty.MEDIUM, Difficulty.HARD

PROOF = (Observation(2500, Standing.VISIBLE, 5, None),)
"""A short list fetched after the day: it shows everything."""


def solves(*found: tuple[str, int]) -> tuple[Solve, ...]:
    """Solves by problem and second, with ids in the order given."""
    return tuple(Solve(str(number), slug, at) for number, (slug, at) in enumerate(found))


def case(
    rules: Rules,
    *found: tuple[str, int],
    seen: tuple[Observation, ...] = PROOF,
    known: dict[str, Difficulty] | None = None,
) -> Case:
    return Case(
        rules=rules,
        window=DAY,
        counts_from=CHALLENGE_BEGAN,
        weekday=MONDAY,
        evidence=Evidence(solves(*found), seen),
        difficulties=known or {},
    )


def settled(case: Case) -> tuple[Outcome, Reason, int, int]:
    verdict = decide(case)
    return verdict.outcome, verdict.reason, verdict.solved, verdict.required


def counted(
    rules: Rules, *found: tuple[str, int], known: dict[str, Difficulty] | None = None
) -> tuple[int, int, list[Bearing]]:
    count = tally(rules, DAY, CHALLENGE_BEGAN, solves(*found), known or {})
    return count.solved, count.maybe, [judged.bearing for judged in count.judged]


class TestTally:
    """What counts (rules 6 to 8)."""

    def test_only_what_was_solved_in_the_day_counts(self) -> None:
        # The last second before the day, its first and last, and the first after it.
        found = [("a", 999), ("b", 1000), ("c", 1999), ("d", 2000)]
        assert counted(Rules(), *found)[0] == 2

    @pytest.mark.parametrize(
        ("unique", "solved"),
        [
            (Unique.NONE, 4),  # every one
            (Unique.DAY, 2),  # two-sum once, add-two once
            (Unique.CHALLENGE, 1),  # add-two was solved on an earlier day of the challenge
        ],
    )
    def test_one_problem_counts_as_often_as_the_rules_say(self, unique: Unique, solved: int) -> None:
        found = [("add-two", 700), ("two-sum", 1100), ("two-sum", 1101), ("add-two", 1200), ("two-sum", 1900)]
        assert counted(Rules(unique=unique), *found)[0] == solved

    @pytest.mark.parametrize(
        ("at", "solved"),
        [
            (499, 1),  # before the challenge: rule 7 counts from its first second, so the problem is new
            (500, 0),
            (999, 0),
        ],
    )
    def test_what_was_solved_before_the_challenge_began_takes_nothing_from_a_day(self, at: int, solved: int) -> None:
        assert counted(Rules(unique=Unique.CHALLENGE), ("two-sum", at), ("two-sum", 1500))[0] == solved

    def test_once_a_challenge_a_problem_still_counts_when_it_is_solved_again_later(self) -> None:
        assert counted(Rules(unique=Unique.CHALLENGE), ("two-sum", 1500), ("two-sum", 2500))[0] == 1

    def test_across_midnight_a_problem_counts_on_both_days_unless_it_is_unique_in_the_challenge(self) -> None:
        found = [("two-sum", 999), ("two-sum", 1000)]
        assert [counted(Rules(unique=unique), *found)[0] for unique in Unique] == [1, 1, 0]

    def test_an_earlier_date_takes_a_problem_even_if_its_difficulty_did_not_count_then(self) -> None:
        # Rule 7: the first date on which the member solved it, whatever that date's outcome was.
        rules = Rules(unique=Unique.CHALLENGE, difficulties=frozenset({EASY}))
        assert counted(rules, ("two-sum", 700), ("two-sum", 1500), known={"two-sum": EASY})[0] == 0

    def test_only_the_difficulties_of_the_rules_count(self) -> None:
        rules = Rules(difficulties=frozenset({MEDIUM, HARD}))
        known = {"easy": EASY, "medium": MEDIUM, "hard": HARD}
        assert counted(rules, ("easy", 1100), ("medium", 1200), ("hard", 1300), ("new", 1400), known=known) == (
            2,
            1,
            [Bearing.WRONG_DIFFICULTY, Bearing.COUNTS, Bearing.COUNTS, Bearing.DIFFICULTY_UNKNOWN],
        )

    def test_without_difficulties_every_problem_counts_even_an_unknown_one(self) -> None:
        assert counted(Rules(), ("easy", 1100), ("new", 1200), known={"easy": EASY})[:2] == (2, 0)

    @pytest.mark.parametrize(("unique", "maybe"), [(Unique.NONE, 2), (Unique.DAY, 1), (Unique.CHALLENGE, 1)])
    def test_what_an_unknown_difficulty_might_add_is_counted_as_the_rules_count_problems(
        self, unique: Unique, maybe: int
    ) -> None:
        rules = Rules(unique=unique, difficulties=frozenset({HARD}))
        assert counted(rules, ("new", 1100), ("new", 1200))[:2] == (0, maybe)

    def test_an_unknown_problem_of_an_earlier_day_adds_nothing_where_it_is_unique_in_the_challenge(self) -> None:
        rules = Rules(unique=Unique.CHALLENGE, difficulties=frozenset({HARD}))
        assert counted(rules, ("new", 700), ("new", 1100)) == (0, 0, [Bearing.REPEATED])

    def test_the_judged_solves_are_those_of_the_day_in_order_of_time_then_id(self) -> None:
        found = [("c", 1500), ("b", 1200), ("d", 1500), ("a", 900), ("e", 2100)]
        judged = tally(Rules(), DAY, CHALLENGE_BEGAN, solves(*found), {"b": HARD}).judged
        assert [(one.solve.slug, one.solve.submission_id, one.difficulty) for one in judged] == [
            ("b", "1", HARD),
            ("c", "0", None),
            ("d", "2", None),
        ]

    def test_of_repeats_the_first_counts(self) -> None:
        _, _, bearings = counted(Rules(), ("a", 1300), ("a", 1200), ("b", 1250))
        assert bearings == [Bearing.COUNTS, Bearing.COUNTS, Bearing.REPEATED]


class TestPassed:
    """Rule 13."""

    @pytest.mark.parametrize(("required", "outcome"), [(1, Outcome.PASSED), (2, Outcome.PASSED), (3, Outcome.FAILED)])
    def test_a_day_passes_with_as_many_solves_as_required_or_more(self, required: int, outcome: Outcome) -> None:
        assert decide(case(Rules(min_solves=required), ("a", 1100), ("b", 1200))).outcome is outcome

    @pytest.mark.parametrize(
        "seen",
        [
            (),
            (Observation(1500, Standing.VISIBLE, 5, None),),
            (Observation(2500, Standing.VISIBLE, 5, None, contradictory=True),),
            (Observation(2500, Standing.USER_NOT_FOUND, 0, None),),
        ],
    )
    def test_enough_solves_pass_whatever_the_evidence_lacks(self, seen: tuple[Observation, ...]) -> None:
        assert settled(case(Rules(), ("a", 1100), seen=seen)) == (Outcome.PASSED, Reason.ENOUGH, 1, 1)

    def test_enough_of_known_difficulty_pass_beside_an_unknown_one(self) -> None:
        rules = Rules(difficulties=frozenset({HARD}))
        found = case(rules, ("new", 1100), ("hard", 1200), known={"hard": HARD})
        assert settled(found) == (Outcome.PASSED, Reason.ENOUGH, 1, 1)

    def test_an_earlier_passed_stays_whatever_is_seen_later(self) -> None:
        # Two counted then; now an older row of "b" shows that it was solved on an earlier day: one counts.
        before = Verdict(Outcome.PASSED, Reason.ENOUGH, 2, 2)
        rules = Rules(min_solves=2, unique=Unique.CHALLENGE)
        found = case(rules, ("b", 700), ("a", 1100), ("b", 1200))
        assert settled(found) == (Outcome.FAILED, Reason.NOT_ENOUGH, 1, 2)
        assert settled(replace(found, previous=before)) == (Outcome.PASSED, Reason.ENOUGH, 1, 2)

    def test_an_earlier_passed_stays_on_what_has_become_an_absence(self) -> None:
        before = Verdict(Outcome.PASSED, Reason.ENOUGH, 1, 1)
        found = replace(case(Rules(), ("a", 1100)), previous=before, absent=True)
        assert settled(found) == (Outcome.PASSED, Reason.ENOUGH, 1, 1)

    def test_an_earlier_passed_shows_what_more_has_been_seen_since(self) -> None:
        before = Verdict(Outcome.PASSED, Reason.ENOUGH, 1, 1)
        found = replace(case(Rules(), ("a", 1100), ("b", 1200)), previous=before)
        assert settled(found) == (Outcome.PASSED, Reason.ENOUGH, 2, 1)
        assert [judged.solve.slug for judged in decide(found).judged] == ["a", "b"]

    def test_rest_days_are_no_part_of_a_passed_days_second_look(self) -> None:
        before = Verdict(Outcome.PASSED, Reason.ENOUGH, 1, 1)
        found = replace(case(Rules(rest_days=frozenset({MONDAY})), ("a", 1100)), previous=before)
        assert settled(found) == (Outcome.PASSED, Reason.ENOUGH, 1, 1)


class TestExempt:
    """Rule 12, which goes before what was solved."""

    def test_a_rest_day_is_exempt(self) -> None:
        resting = case(Rules(rest_days=frozenset({MONDAY})))
        assert settled(resting) == (Outcome.EXEMPT, Reason.REST_DAY, 0, 1)
        assert decide(replace(resting, weekday=TUESDAY)).outcome is Outcome.FAILED

    def test_an_absence_is_exempt(self) -> None:
        assert settled(replace(case(Rules()), absent=True)) == (Outcome.EXEMPT, Reason.ABSENCE, 0, 1)

    def test_a_rest_day_in_an_absence_is_a_rest_day(self) -> None:
        resting = replace(case(Rules(rest_days=frozenset({MONDAY}))), absent=True)
        assert decide(resting).reason is Reason.REST_DAY

    @pytest.mark.parametrize("absent", [False, True])
    def test_an_exempt_day_stays_exempt_though_enough_was_solved_and_says_what_was(self, absent: bool) -> None:
        rules = Rules() if absent else Rules(rest_days=frozenset({MONDAY}))
        found = replace(case(rules, ("a", 1100), ("b", 1200)), absent=absent)
        assert (decide(found).outcome, decide(found).solved) == (Outcome.EXEMPT, 2)

    def test_an_exempt_day_needs_no_evidence(self) -> None:
        assert decide(replace(case(Rules(), seen=()), absent=True)).outcome is Outcome.EXEMPT

    @pytest.mark.parametrize(
        ("outcome", "reason"), [(Outcome.FAILED, Reason.NOT_ENOUGH), (Outcome.FROZEN, Reason.FREEZE)]
    )
    def test_an_absence_added_after_a_day_was_settled_does_not_reach_it(self, outcome: Outcome, reason: Reason) -> None:
        found = replace(case(Rules()), absent=True, previous=Verdict(outcome, reason, 0, 1))
        assert settled(found) == (outcome, reason, 0, 1)

    def test_an_absence_removed_after_a_day_was_settled_still_holds_on_it(self) -> None:
        found = replace(case(Rules()), absent=False, previous=Verdict(Outcome.EXEMPT, Reason.ABSENCE, 0, 1))
        assert settled(found) == (Outcome.EXEMPT, Reason.ABSENCE, 0, 1)


class TestPending:
    """Rules 14 to 16: nobody is punished for what is not known."""

    @pytest.mark.parametrize(
        ("seen", "reason"),
        [
            # Rule 14: no evidence at all. The newest answer names the reason.
            ([], Reason.UPSTREAM_UNAVAILABLE),
            ([Observation(2500, Standing.UNAVAILABLE, 0, None)], Reason.UPSTREAM_UNAVAILABLE),
            ([Observation(2500, Standing.USER_NOT_FOUND, 0, None)], Reason.USER_NOT_FOUND),
            ([Observation(2500, Standing.PROFILE_HIDDEN, 0, None)], Reason.PROFILE_HIDDEN),
            (
                [Observation(2500, Standing.VISIBLE, 0, None, False, frozenset({TODAY}), frozenset({1970}))],
                Reason.PROFILE_HIDDEN,
            ),
            (
                [Observation(2500, Standing.UNAVAILABLE, 0, None), Observation(2600, Standing.USER_NOT_FOUND, 0, None)],
                Reason.USER_NOT_FOUND,
            ),
            (
                [Observation(1500, Standing.VISIBLE, 5, None), Observation(2500, Standing.UNAVAILABLE, 0, None)],
                Reason.UPSTREAM_UNAVAILABLE,
            ),
            (
                [
                    Observation(2500, Standing.VISIBLE, 5, None, contradictory=True),
                    Observation(2600, Standing.UNAVAILABLE, 0, None),
                ],
                Reason.UPSTREAM_UNAVAILABLE,
            ),
            # Rule 15: there is evidence, but it does not hold the whole day.
            ([Observation(1500, Standing.VISIBLE, 5, None)], Reason.EVIDENCE_INCOMPLETE),
            ([Observation(2500, Standing.VISIBLE, 20, 1500)], Reason.EVIDENCE_INCOMPLETE),
            (
                [Observation(2500, Standing.USER_NOT_FOUND, 0, None), Observation(2600, Standing.VISIBLE, 20, 1500)],
                Reason.EVIDENCE_INCOMPLETE,
            ),
            # An empty list without a calendar of the day's year is no proof.
            ([Observation(2500, Standing.VISIBLE, 0, None)], Reason.EVIDENCE_INCOMPLETE),
            # Only a contradictory answer reaches that far,
            ([Observation(2500, Standing.VISIBLE, 5, None, contradictory=True)], Reason.EVIDENCE_CONTRADICTORY),
            (
                [
                    Observation(1500, Standing.VISIBLE, 5, None),
                    Observation(2500, Standing.VISIBLE, 20, 1400, contradictory=True),
                ],
                Reason.EVIDENCE_CONTRADICTORY,
            ),
            # or not even that one does.
            ([Observation(2500, Standing.VISIBLE, 20, 1400, contradictory=True)], Reason.EVIDENCE_INCOMPLETE),
        ],
    )
    def test_a_day_without_proof_is_pending_for_the_reason_that_the_newest_answer_gives(
        self, seen: list[Observation], reason: Reason
    ) -> None:
        found = replace(case(Rules(min_solves=2), ("a", 1100), seen=tuple(seen)), freeze_left=True)
        assert settled(found) == (Outcome.PENDING, reason, 1, 2)

    @pytest.mark.parametrize("later", [Standing.USER_NOT_FOUND, Standing.PROFILE_HIDDEN, Standing.UNAVAILABLE])
    def test_a_day_proven_once_is_judged_though_the_account_vanishes_later(self, later: Standing) -> None:
        found = case(Rules(), seen=(*PROOF, Observation(2600, later, 0, None)))
        assert settled(found) == (Outcome.FAILED, Reason.NOT_ENOUGH, 0, 1)

    def test_a_day_proven_once_is_judged_though_a_newer_answer_contradicts(self) -> None:
        found = case(Rules(), seen=(*PROOF, Observation(2600, Standing.VISIBLE, 5, None, contradictory=True)))
        assert decide(found).outcome is Outcome.FAILED

    @pytest.mark.parametrize(
        ("required", "outcome", "reason"),
        [
            # One counts for certain, two more might.
            (1, Outcome.PASSED, Reason.ENOUGH),
            (2, Outcome.PENDING, Reason.DIFFICULTY_UNKNOWN),
            (3, Outcome.PENDING, Reason.DIFFICULTY_UNKNOWN),
            (4, Outcome.FAILED, Reason.NOT_ENOUGH),
        ],
    )
    def test_an_unknown_difficulty_holds_a_verdict_only_where_it_could_change_it(
        self, required: int, outcome: Outcome, reason: Reason
    ) -> None:
        rules = Rules(min_solves=required, difficulties=frozenset({HARD}))
        found = case(rules, ("hard", 1100), ("new", 1200), ("newer", 1300), known={"hard": HARD})
        assert settled(found) == (outcome, reason, 1, required)

    def test_an_unknown_difficulty_is_asked_about_before_a_freeze_is_used(self) -> None:
        found = replace(case(Rules(difficulties=frozenset({HARD})), ("new", 1200)), freeze_left=True)
        assert decide(found).reason is Reason.DIFFICULTY_UNKNOWN


class TestFailedAndFrozen:
    """Rules 17, 20 and 21."""

    def test_a_proven_day_with_too_little_fails(self) -> None:
        assert settled(case(Rules(min_solves=2), ("a", 1100))) == (Outcome.FAILED, Reason.NOT_ENOUGH, 1, 2)

    def test_an_account_that_never_solved_anything_fails_beside_a_silent_calendar(self) -> None:
        seen = Observation(2500, Standing.VISIBLE, 0, None, False, frozenset(), frozenset({1970}))
        assert settled(case(Rules(), seen=(seen,))) == (Outcome.FAILED, Reason.NOT_ENOUGH, 0, 1)

    def test_a_freeze_is_used_by_itself_on_a_day_that_would_fail(self) -> None:
        found = replace(case(Rules(min_solves=2), ("a", 1100)), freeze_left=True)
        assert settled(found) == (Outcome.FROZEN, Reason.FREEZE, 1, 2)

    def test_a_day_that_failed_before_takes_a_freeze_that_came_free_since_when_it_is_settled_anew(self) -> None:
        found = replace(case(Rules()), freeze_left=True, previous=Verdict(Outcome.FAILED, Reason.NOT_ENOUGH, 0, 1))
        assert decide(found).outcome is Outcome.FROZEN

    @pytest.mark.parametrize("freeze_left", [True, False])
    def test_a_frozen_day_keeps_its_freeze_even_if_others_have_used_all_that_its_rules_give(
        self, freeze_left: bool
    ) -> None:
        # Rules changed within the month can give later days more freezes than this day's rules know of.
        before = Verdict(Outcome.FROZEN, Reason.FREEZE, 0, 1)
        assert settled(replace(case(Rules()), freeze_left=freeze_left, previous=before)) == (
            Outcome.FROZEN,
            Reason.FREEZE,
            0,
            1,
        )

    @pytest.mark.parametrize(
        ("outcome", "reason"), [(Outcome.FAILED, Reason.NOT_ENOUGH), (Outcome.FROZEN, Reason.FREEZE)]
    )
    def test_a_failed_or_frozen_day_passes_when_a_missed_solve_turns_up(self, outcome: Outcome, reason: Reason) -> None:
        found = replace(case(Rules(), ("a", 1100)), previous=Verdict(outcome, reason, 0, 1))
        assert settled(found) == (Outcome.PASSED, Reason.ENOUGH, 1, 1)


class TestOverride:
    """Rule 11."""

    @pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.FAILED, Outcome.EXEMPT, Outcome.FROZEN])
    @pytest.mark.parametrize(
        "previous",
        [
            None,
            Verdict(Outcome.PASSED, Reason.ENOUGH, 1, 1),
            Verdict(Outcome.FAILED, Reason.NOT_ENOUGH, 0, 1),
            Verdict(Outcome.EXEMPT, Reason.ABSENCE, 0, 1),
        ],
    )
    def test_an_override_stands_against_everything_and_says_what_was_solved(
        self, outcome: Outcome, previous: Verdict | None
    ) -> None:
        found = case(Rules(rest_days=frozenset({MONDAY})), ("a", 1100))
        found = replace(found, override=outcome, previous=previous, absent=True, freeze_left=True)
        assert settled(found) == (outcome, Reason.OVERRIDE, 1, 1)

    def test_an_override_needs_no_evidence(self) -> None:
        found = replace(case(Rules(min_solves=2), seen=()), override=Outcome.PASSED)
        assert settled(found) == (Outcome.PASSED, Reason.OVERRIDE, 0, 2)

    def test_when_it_is_cleared_the_day_is_decided_anew(self) -> None:
        # No verdict is in force then: a freeze that is left is taken, and an absence listed by now holds.
        cleared = replace(case(Rules()), freeze_left=True)
        assert decide(cleared).outcome is Outcome.FROZEN
        assert decide(replace(cleared, absent=True)).outcome is Outcome.EXEMPT
        assert decide(case(Rules())).outcome is Outcome.FAILED


def test_the_first_rule_that_applies_decides() -> None:
    """One case to which all rules apply; each is taken away in turn, and the next one speaks."""
    rules = Rules(min_solves=1, difficulties=frozenset({HARD}), rest_days=frozenset({MONDAY}))
    short = (Observation(1500, Standing.VISIBLE, 5, None),)
    found = case(rules, ("hard", 1100), ("new", 1200), seen=short, known={"hard": HARD})
    found = replace(found, override=Outcome.FAILED, absent=True, freeze_left=True)
    said = [decide(found).reason]
    found = replace(found, override=None)
    said.append(decide(found).reason)
    found = replace(found, weekday=TUESDAY)
    said.append(decide(found).reason)
    found = replace(found, absent=False)
    said.append(decide(found).reason)
    found = replace(found, evidence=replace(found.evidence, solves=solves(("new", 1200))))
    said.append(decide(found).reason)
    found = replace(found, evidence=replace(found.evidence, observations=PROOF))
    said.append(decide(found).reason)
    found = replace(found, difficulties={"new": EASY})
    said.append(decide(found).reason)
    found = replace(found, freeze_left=False)
    said.append(decide(found).reason)
    assert said == [
        Reason.OVERRIDE,
        Reason.REST_DAY,
        Reason.ABSENCE,
        Reason.ENOUGH,
        Reason.EVIDENCE_INCOMPLETE,
        Reason.DIFFICULTY_UNKNOWN,
        Reason.FREEZE,
        Reason.NOT_ENOUGH,
    ]
