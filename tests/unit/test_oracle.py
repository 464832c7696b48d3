"""The oracle against tables derived by hand, each numbered rule at least once.

Unless a test says otherwise the challenge runs in UTC from Monday 2026-11-02, asks one solve a day, and days are due
an hour after they end. `utc("03 12:00")` is that time on the third of November 2026.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import yaml

from tests.oracle.calendar import Day, days
from tests.oracle.challenge_file import challenge_file
from tests.oracle.evidence import Observation, gap, observed
from tests.oracle.histories import generate, play
from tests.oracle.model import Absence, Answer, Apply, Challenge, Enqueue, Member, Override, Penalty, Row, Rules
from tests.oracle.money import minor, too_precise
from tests.oracle.oracle import Oracle
from tests.oracle.world import Account, Submission, world_of

HOUR, DAY = 3600, 86400
EURO = Penalty("5.00", "EUR", "12.00")
ONCE = Rules()


def utc(text: str) -> int:
    """'03 12:00' in November 2026, or a whole '2011-12-30T10:00'."""
    full = text if "T" in text else f"2026-11-{text.replace(' ', 'T')}"
    return int(datetime.fromisoformat(full).replace(tzinfo=UTC).timestamp())


def nov(day: int) -> date:
    return date(2026, 11, day)


def row(time: int | str, slug: str = "p", name: str | None = None) -> Row:
    at = utc(time) if isinstance(time, str) else time
    return Row(name or f"{slug}-{at}", slug, str(at))


def answer(at: str, *rows: Row, handle: str = "ann") -> Answer:
    return Answer(handle, utc(at), "there", rows, frozenset())


def twenty(oldest: str, step: int = 60) -> tuple[Row, ...]:
    """A full list, of different problems, whose oldest row is at `oldest`."""
    return tuple(row(utc(oldest) + step * n, f"filler-{n}") for n in range(20))


def running(rules: Rules = ONCE, *members: Member, ends: int = 8, zone: str = "UTC", at: str = "01 12:00") -> Oracle:
    oracle = Oracle(HOUR)
    challenge = Challenge("c", zone, nov(2), nov(ends), rules, members or (Member("ann"),))
    assert oracle.apply(Apply(utc(at), (challenge,))) == []
    return oracle


def edit(oracle: Oracle, at: str, **changes: object) -> list[str]:
    spec = oracle.challenges["c"].spec
    return oracle.apply(Apply(utc(at), (replace(spec, **changes),)))  # type: ignore[arg-type]  # any field of the file


def settled(oracle: Oracle, at: str, *rows: Row) -> Oracle:
    """The oracle after LeetCode gave `rows` for ann at `at`, and a pass."""
    oracle.observe(answer(at, *rows))
    assert oracle.apply(Enqueue(utc(at))) == []
    return oracle


def outcomes(oracle: Oracle, handle: str = "ann") -> dict[int, str]:
    return {v.day.day: f"{v.outcome}/{v.reason}" for v in oracle.verdicts("c") if v.handle == handle}


def money(oracle: Oracle) -> list[tuple[int, int]]:
    return [(posting.day.day, posting.minor) for posting in oracle.postings("c")]


def override(oracle: Oracle, at: str, day: int, outcome: str | None) -> None:
    assert oracle.apply(Override(utc(at), "c", "ann", nov(day), outcome)) == []


class TestDays:
    """Rules 1 to 5."""

    @pytest.mark.parametrize(
        ("zone", "day", "begin", "end"),
        [
            ("Asia/Kolkata", date(2026, 11, 5), "2026-11-04T18:30", "2026-11-05T18:30"),  # +05:30
            ("Asia/Kathmandu", date(2026, 11, 5), "2026-11-04T18:15", "2026-11-05T18:15"),  # +05:45
            ("Africa/Monrovia", date(1971, 1, 5), "1971-01-05T00:44:30", "1971-01-06T00:44:30"),  # -00:44:30 until 1972
            ("Pacific/Kiritimati", date(2026, 11, 5), "2026-11-04T10:00", "2026-11-05T10:00"),  # +14
            # -03 to -02 at midnight: 00:00 does not exist, the day begins at 01:00 -02 = 03:00 UTC and has 23 hours.
            ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00", "2018-11-05T02:00"),
            # -02 to -03 at midnight of the 18th: 23:00 to 24:00 of the 17th happens twice, it has 25 hours.
            ("America/Sao_Paulo", date(2018, 2, 17), "2018-02-17T02:00", "2018-02-18T03:00"),
            # 01:00 -04 becomes 00:00 -05: midnight happens twice, the first is 04:00 UTC.
            ("America/Havana", date(2023, 11, 5), "2023-11-05T04:00", "2023-11-06T05:00"),
            # 00:01 -02:30 became 23:01 -03:30 of the day before: the first midnight counts.
            ("America/St_Johns", date(2010, 11, 7), "2010-11-07T02:30", "2010-11-08T03:30"),
            # 00:00 +02 becomes 01:00 +03 on the last Sunday of March.
            ("Asia/Beirut", date(2022, 3, 27), "2022-03-26T22:00", "2022-03-27T21:00"),
            # Apia had no 30 December 2011: the 29th (-10) ends where the 31st (+14) begins.
            ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00", "2011-12-30T10:00"),
        ],
    )
    def test_a_day_runs_from_its_first_instant_to_the_next_date_s(
        self, zone: str, day: date, begin: str, end: str
    ) -> None:
        assert days(day, day, {day: zone}) == [Day(day, utc(begin), utc(end))]

    def test_a_date_that_the_zone_skips_is_no_day(self) -> None:
        first, last = date(2011, 12, 28), date(2012, 1, 1)
        found = [day.date.isoformat() for day in days(first, last, {first: "Pacific/Apia"})]
        assert found == ["2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01"]

    def test_the_first_day_under_a_new_zone_begins_where_the_last_one_under_the_old_one_ended(self) -> None:
        # The 3rd in UTC ends on the 4th 00:00 UTC; the 4th in New York (-05) ends on the 5th 05:00 UTC: 29 hours.
        # In Kolkata (+05:30) it would end on the 4th 18:30 UTC: 18.5 hours.
        west = days(nov(3), nov(4), {nov(3): "UTC", nov(4): "America/New_York"})
        east = days(nov(3), nov(4), {nov(3): "UTC", nov(4): "Asia/Kolkata"})
        assert west[1] == Day(nov(4), utc("04 00:00"), utc("05 05:00"))
        assert east[1] == Day(nov(4), utc("04 00:00"), utc("04 18:30"))

    def test_a_date_of_which_a_move_far_east_leaves_nothing_is_no_day(self) -> None:
        # The 3rd at -11 ends on the 4th 11:00 UTC; the 4th at +14 ended on the 4th 10:00 UTC.
        found = days(nov(3), nov(5), {nov(3): "Pacific/Pago_Pago", nov(4): "Pacific/Kiritimati"})
        assert found[1:] == [Day(nov(5), utc("04 11:00"), utc("05 10:00"))]

    def test_required_are_whole_days_between_joined_and_left(self) -> None:
        members = (
            Member("from-midnight", joined=utc("03 00:00")),
            Member("a-second-late", joined=utc("03 00:00") + 1),
            Member("until-midnight", left=utc("04 00:00")),
            Member("a-second-early", left=utc("04 00:00") - 1),
        )
        oracle = running(Rules(), *members, ends=4)
        oracle.apply(Enqueue(utc("06 00:00")))
        assert list(outcomes(oracle, "from-midnight")) == [3, 4]
        assert list(outcomes(oracle, "a-second-late")) == [4]
        assert list(outcomes(oracle, "until-midnight")) == [2, 3]
        assert list(outcomes(oracle, "a-second-early")) == [2]

    def test_a_day_is_due_the_delay_after_its_end_and_refused_before(self) -> None:
        oracle = running()
        assert oracle.apply(Enqueue(utc("03 01:00") - 1, "c", nov(2))) == ["c: 2026-11-02 is not due yet"]
        oracle.apply(Enqueue(utc("03 01:00") - 1))
        assert outcomes(oracle) == {}
        assert oracle.apply(Enqueue(utc("03 01:00"), "c", nov(2))) == []
        assert list(outcomes(oracle)) == [2]

    def test_a_pass_settles_every_due_day_however_old_and_one_day_only_that(self) -> None:
        oracle = running()
        oracle.apply(Enqueue(utc("07 02:00"), "c", nov(4)))
        assert list(outcomes(oracle)) == [4]
        oracle.apply(Enqueue(utc("07 02:00") + 1))
        assert list(outcomes(oracle)) == [2, 3, 4, 5, 6]

    def test_changed_rules_hold_from_the_next_date_and_before_the_start_at_once(self) -> None:
        oracle = running(Rules(min_solves=1))
        edit(oracle, "01 23:59", rules=Rules(min_solves=2))
        edit(oracle, "02 00:00", rules=Rules(min_solves=3))  # the 2nd has begun
        edit(oracle, "03 00:00", rules=Rules(min_solves=5))  # and the 3rd
        edit(oracle, "03 09:00", rules=Rules(min_solves=4))  # the later of two on one date
        oracle.apply(Enqueue(utc("06 02:00")))
        assert [(v.day.day, v.required) for v in oracle.verdicts("c")] == [(2, 2), (3, 3), (4, 4), (5, 4)]

    def test_starts_of_a_running_challenge_may_not_change_and_refuses_the_whole_file(self) -> None:
        oracle = running()
        spec = oracle.challenges["c"].spec
        other = replace(spec, id="d")
        refused = oracle.apply(Apply(utc("02 00:00"), (other, replace(spec, starts=nov(1)))))
        assert refused == ["c: starts of a running challenge cannot change"]
        assert list(oracle.challenges) == ["c"]

    def test_a_new_zone_holds_from_the_next_date(self) -> None:
        oracle = running()
        edit(oracle, "03 10:00", timezone="Asia/Kolkata")
        assert oracle.challenges["c"].days()[1:3] == [
            Day(nov(3), utc("03 00:00"), utc("04 00:00")),
            Day(nov(4), utc("04 00:00"), utc("04 18:30")),
        ]

    def test_ends_of_a_running_challenge_may_change(self) -> None:
        oracle = running(ends=3)
        edit(oracle, "03 10:00", ends=nov(4))
        oracle.apply(Enqueue(utc("09 00:00")))
        assert list(outcomes(oracle)) == [2, 3, 4]

    def test_a_cancelled_challenge_settles_nothing_more_and_keeps_what_is_settled(self) -> None:
        oracle = settled(running(Rules(penalty=EURO)), "03 02:00")
        edit(oracle, "03 03:00", cancelled=True)
        settled(oracle, "05 02:00")
        assert outcomes(oracle) == {2: "failed/not_enough"}
        assert oracle.status("c", utc("30 00:00")) == "cancelled"

    def test_a_cancelled_challenge_charges_nothing_more_and_still_gives_back(self) -> None:
        oracle = settled(running(Rules(penalty=EURO)), "04 02:00", row("03 10:00"))
        edit(oracle, "04 03:00", cancelled=True)
        override(oracle, "04 04:00", 2, "passed")
        override(oracle, "04 05:00", 3, "failed")
        assert money(oracle) == [(2, 500), (2, -500)]

    def test_a_challenge_completes_when_all_days_are_settled_with_none_pending(self) -> None:
        oracle = running(ends=3)
        assert oracle.status("c", utc("01 12:00")) == "upcoming"
        oracle.apply(Enqueue(utc("04 02:00")))  # no answer: pending
        assert oracle.status("c", utc("04 02:00")) == "active"
        settled(oracle, "04 03:00")
        assert oracle.status("c", utc("04 03:00")) == "completed"

    def test_who_is_out_of_the_file_has_left_and_the_gap_is_not_required(self) -> None:
        oracle = running()
        edit(oracle, "04 06:00", members=())  # the 4th is not whole
        edit(oracle, "06 00:00", members=(Member("ann"),))  # the 6th is
        oracle.apply(Enqueue(utc("09 02:00")))
        assert list(outcomes(oracle)) == [2, 3, 6, 7, 8]

    def test_who_returns_joins_at_the_later_of_joined_and_the_apply(self) -> None:
        for joined, first in ((utc("02 00:00"), 6), (utc("07 00:00"), 7)):
            oracle = running()
            edit(oracle, "04 06:00", members=())
            edit(oracle, "05 12:00", members=(Member("ann", joined=joined),))
            oracle.apply(Enqueue(utc("09 02:00")))
            assert list(outcomes(oracle)) == [2, 3, *range(first, 9)]

    def test_who_is_first_listed_after_the_start_joins_then_unless_the_file_says_when(self) -> None:
        oracle = running()
        late = (Member("ann"), Member("ben"), Member("cat", joined=utc("03 00:00")))
        edit(oracle, "04 06:00", members=late)
        edit(oracle, "06 06:00", members=late)  # once more changes nothing
        oracle.apply(Enqueue(utc("06 12:00")))
        assert list(outcomes(oracle, "ben")) == [5]
        assert list(outcomes(oracle, "cat")) == [3, 4, 5]

    def test_the_member_is_the_same_in_another_case(self) -> None:
        oracle = settled(running(), "03 02:00", row("02 10:00"))
        edit(oracle, "03 03:00", members=(Member("ANN"),))
        settled(oracle, "04 02:00", row("02 10:00"), row("03 10:00", "q"))
        assert outcomes(oracle, "ANN") == {2: "passed/enough", 3: "passed/enough"}

    def test_edits_of_absences_and_left_reach_unsettled_days_only(self) -> None:
        oracle = settled(running(), "03 02:00")  # the 2nd failed
        oracle.apply(Enqueue(utc("04 02:00")))  # the 3rd is pending
        edit(oracle, "04 03:00", members=(Member("ann", absences=(Absence(nov(2), nov(3)),)),))
        oracle.apply(Enqueue(utc("04 04:00"), "c", nov(2), reevaluate=True))
        oracle.apply(Enqueue(utc("04 05:00")))
        assert outcomes(oracle) == {2: "failed/not_enough", 3: "exempt/absence"}
        oracle.apply(Enqueue(utc("05 02:00")))  # the 4th is pending, then no longer required
        edit(oracle, "05 03:00", members=(Member("ann", left=utc("02 12:00")),))
        assert outcomes(oracle) == {2: "failed/not_enough", 3: "exempt/absence"}


class TestWhatCounts:
    """Rules 6 to 8, by `solved` of the 2nd of November."""

    def solved(self, rules: Rules, *rows: Row, known: dict[str, str] | None = None) -> tuple[int, str]:
        oracle = running(rules)
        oracle.learn(known or {})
        verdict = settled(oracle, "03 02:00", *rows).verdicts("c")[0]
        return verdict.solved, f"{verdict.outcome}/{verdict.reason}"

    def test_a_solve_lies_in_the_day(self) -> None:
        midnight = utc("02 00:00")
        rows = [row(midnight + at, f"p{at}") for at in (-1, 0, DAY - 1, DAY)]
        assert self.solved(Rules(min_solves=2), *rows) == (2, "passed/enough")

    def test_junk_counts_nothing(self) -> None:
        good = utc("02 10:00")
        junk = [Row("1", "a", "soon"), Row("2", "b", None), Row("3", None, str(good)), Row("4", "", str(good))]
        same = [Row("5", "c", str(good)), Row("5", "d", str(good))]
        assert self.solved(Rules(min_solves=2), *junk, *same) == (1, "failed/not_enough")

    def test_a_row_over_five_minutes_ahead_of_its_answer_counts_nothing_until_a_later_answer(self) -> None:
        for ahead, reason in ((300, "passed"), (301, "pending")):
            oracle = running()
            noon, ahead_row = utc("02 12:00"), row(utc("02 12:00") + ahead)
            oracle.observe(Answer("ann", noon, rows=(ahead_row,)))
            oracle.observe(Answer("ann", utc("03 02:00"), error="outage"))
            oracle.apply(Enqueue(utc("03 02:00")))
            assert oracle.verdicts("c")[0].outcome == reason
            assert settled(oracle, "03 03:00", ahead_row).verdicts("c")[0].outcome == "passed"

    def test_difficulties_decide_and_unknown_ones_may_count(self) -> None:
        rows = [row("02 10:00", "easy"), row("02 11:00", "hard"), row("02 12:00", "new"), row("02 13:00", "new")]
        known = {"easy": "Easy", "hard": "Hard"}
        # solved 1 (hard), maybe 1 (new, once a day): 2 may be reached, 3 may not.
        assert self.solved(Rules(1, ("Hard",)), *rows, known=known) == (1, "passed/enough")
        assert self.solved(Rules(2, ("Hard",)), *rows, known=known) == (1, "pending/difficulty_unknown")
        assert self.solved(Rules(3, ("Hard",)), *rows, known=known) == (1, "failed/not_enough")
        assert self.solved(Rules(3, ("Hard",), "none"), *rows, known=known) == (1, "pending/difficulty_unknown")
        assert self.solved(Rules(3), *rows) == (3, "passed/enough")  # any difficulty: none need be known

    def test_a_problem_counts_always_once_a_day_or_once_a_challenge(self) -> None:
        before = row("01 23:59", "new")  # before the challenge
        rows = [before, row("02 10:00", "p"), row("02 11:00", "p"), row("02 12:00", "new")]
        assert self.solved(Rules(9, unique="none"), *rows)[0] == 3
        assert self.solved(Rules(9, unique="day"), *rows)[0] == 2
        assert self.solved(Rules(9, unique="challenge"), *rows)[0] == 2

    def test_once_a_challenge_is_on_the_first_date_whatever_became_of_it(self) -> None:
        # The 2nd is a rest day, and ben has not joined then; both used up the problem.
        members = (Member("ann"), Member("ben", joined=utc("03 00:00")))
        oracle = running(Rules(unique="challenge", rest_days=("monday",)), *members)
        rows = (row("02 10:00"), row("03 10:00"))
        oracle.observe(answer("04 02:00", *rows, handle="ben"))
        settled(oracle, "04 02:00", *rows)
        assert outcomes(oracle) == {2: "exempt/rest_day", 3: "failed/not_enough"}
        assert outcomes(oracle, "ben") == {3: "failed/not_enough"}


class TestEvidence:
    """Rules 9, 10, 14 and 15, about the 2nd of November."""

    today = Day(nov(2), utc("02 00:00"), utc("03 00:00"))

    def gap(self, *answers: Answer) -> str | None:
        seen: list[Observation] = []
        for one in answers:
            seen.append(observed(one, seen))
        return gap(seen, self.today)

    def test_fewer_than_twenty_rows_show_everything_up_to_the_answer_s_second(self) -> None:
        nineteen = twenty("02 12:00")[:19]
        assert self.gap(answer("03 02:00", *nineteen)) is None
        assert self.gap(answer("02 23:59:59", *nineteen)) is None  # the last second of the day
        assert self.gap(answer("02 23:59:58", *nineteen)) == "evidence_incomplete"

    def test_twenty_rows_show_everything_after_the_oldest_one_s_second(self) -> None:
        assert self.gap(answer("03 02:00", *twenty("01 23:59:59"))) is None
        assert self.gap(answer("03 02:00", *twenty("02 00:00"))) == "evidence_incomplete"

    def test_junk_counts_towards_the_twenty_and_shows_nothing(self) -> None:
        nineteen = twenty("02 12:00")[:19]
        assert self.gap(answer("03 02:00", *nineteen, Row("junk", None, str(utc("01 09:00"))))) == "evidence_incomplete"

    def test_answers_that_overlap_join_and_those_that_touch_do_not(self) -> None:
        # The second answer shows what is after its oldest row's second: from 11:59:59 on, or from 12:00:01 on.
        early = answer("02 12:00", row("02 09:00"))
        assert self.gap(early, answer("03 02:00", *twenty("02 11:59:59"))) is None
        assert self.gap(early, answer("03 02:00", *twenty("02 12:00"))) == "evidence_incomplete"

    def test_an_answer_that_lacks_an_earlier_row_is_contradictory(self) -> None:
        held = answer("02 12:00", row("02 09:00"))
        assert self.gap(held, answer("03 02:00")) == "evidence_contradictory"
        assert self.gap(held, answer("03 02:00", row("02 10:00", "other"))) == "evidence_contradictory"
        assert self.gap(held, answer("03 02:00", row("02 10:00", "p"))) is None  # a newer one of the same problem
        # A full list need not hold what is not newer than its oldest.
        full = answer("03 02:00", *twenty("02 09:00"))
        assert self.gap(held, full) is None
        # It must if it is newer. Then the two together would hold the day, but for the contradiction.
        assert self.gap(held, answer("03 02:00", *twenty("02 08:59:59"))) == "evidence_contradictory"
        # Two lists that reach back to 10:00 and 10:05 would not, contradictory or not.
        late = answer("02 12:00", *twenty("02 10:00"))
        other = [row(utc("02 10:05") + 60 * n, f"other-{n}") for n in range(20)]
        assert self.gap(late, answer("03 02:00", *other)) == "evidence_incomplete"

    def test_a_row_that_counted_nothing_cannot_be_lacked(self) -> None:
        assert self.gap(answer("02 12:00", row("02 12:05:01")), answer("03 02:00")) is None

    def test_contradictory_answers_take_nothing_from_complete_evidence(self) -> None:
        assert self.gap(answer("03 02:00", row("02 09:00")), answer("03 03:00")) is None

    @pytest.mark.parametrize(
        ("user", "rows", "active", "error", "reason"),
        [
            ("missing", (), None, None, "user_not_found"),
            ("missing", None, None, None, "user_not_found"),
            ("there", None, None, None, "profile_hidden"),
            ("there", (), {nov(2)}, None, "profile_hidden"),
            ("there", (), {nov(1), nov(3)}, None, None),  # the 2nd in UTC touches no other date
            ("there", (), None, None, None),
            ("unknown", (), None, None, "upstream_unavailable"),
            ("unknown", None, None, "alias", "upstream_unavailable"),
            ("unknown", None, None, "outage", "upstream_unavailable"),
            ("unknown", None, None, "internal", "internal_error"),
        ],
    )
    def test_accounts_that_say_nothing(
        self, user: str, rows: tuple[Row, ...] | None, active: set[date] | None, error: str | None, reason: str | None
    ) -> None:
        calendar = None if active is None else frozenset(active)
        assert self.gap(Answer("ann", utc("03 02:00"), user, rows, calendar, error)) == reason

    def test_activity_on_either_utc_date_that_a_day_touches_hides(self) -> None:
        kolkata = Day(nov(2), utc("01 18:30"), utc("02 18:30"))
        for day, reason in ((1, "profile_hidden"), (2, "profile_hidden"), (3, None)):
            empty = Answer("ann", utc("03 02:00"), "there", (), frozenset({nov(day)}))
            assert gap([observed(empty, [])], kolkata) == reason

    def test_stored_evidence_holds_when_the_account_vanishes_and_else_the_newest_answer_names_the_reason(self) -> None:
        gone = Answer("ann", utc("03 02:00"), "missing", (), None)
        assert self.gap(answer("02 23:59:59", row("02 09:00")), gone) is None
        assert self.gap(answer("02 23:59:58", row("02 09:00")), gone) == "user_not_found"
        assert self.gap(gone, answer("03 02:00", *twenty("02 12:00"))) == "evidence_incomplete"


class TestOutcome:
    """Rules 11 to 17."""

    def test_override_comes_first_and_acts_at_once_as_does_its_clearing(self) -> None:
        oracle = settled(running(Rules(rest_days=("monday",))), "03 02:00")
        override(oracle, "03 03:00", 2, "failed")
        assert outcomes(oracle) == {2: "failed/override"}
        oracle.apply(Enqueue(utc("03 04:00"), "c", nov(2), reevaluate=True))
        assert outcomes(oracle) == {2: "failed/override"}
        override(oracle, "03 05:00", 2, None)
        assert outcomes(oracle) == {2: "exempt/rest_day"}

    def test_an_override_before_the_day_is_due_is_cleared_without_a_trace(self) -> None:
        oracle = running(Rules(penalty=EURO))
        oracle.observe(answer("03 00:10"))  # complete, but the 2nd is not due before 01:00
        override(oracle, "03 00:20", 2, "passed")
        override(oracle, "03 00:30", 2, None)
        assert outcomes(oracle) == {}
        assert oracle.total("c", "ann") == 0

    def test_rest_days_before_absences_before_solves(self) -> None:
        absent = Member("ann", absences=(Absence(nov(2), nov(3)),))
        oracle = settled(running(Rules(rest_days=("monday",)), absent), "05 02:00", row("02 10:00"))
        assert outcomes(oracle) == {2: "exempt/rest_day", 3: "exempt/absence", 4: "failed/not_enough"}

    def test_enough_passes_from_incomplete_evidence(self) -> None:
        oracle = settled(running(), "03 02:00", *twenty("02 12:00"))
        assert outcomes(oracle) == {2: "passed/enough"}

    def test_passed_stays_whatever_is_seen_later(self) -> None:
        # On the 3rd ann solved p, and a full list hid that she had solved it on the 2nd too.
        oracle = running(Rules(unique="challenge"), ends=3)
        settled(oracle, "04 02:00", *twenty("03 12:00"))
        slug = "filler-0"
        hidden = (row("02 10:00", slug), *(row(f"02 11:{n:02}", f"filler-{n}") for n in range(1, 20)))
        oracle.observe(answer("04 03:00", *hidden, *twenty("03 12:00")))
        oracle.apply(Enqueue(utc("04 03:00"), "c", nov(3), reevaluate=True))
        assert outcomes(oracle)[3] == "passed/enough"
        edit(oracle, "04 04:00", members=(Member("ann", absences=(Absence(nov(3), nov(3)),)),))
        oracle.apply(Enqueue(utc("04 05:00"), "c", nov(3), reevaluate=True))
        assert outcomes(oracle)[3] == "passed/enough"
        override(oracle, "04 06:00", 3, "failed")
        override(oracle, "04 07:00", 3, None)  # the day is judged anew, by today's file
        assert outcomes(oracle)[3] == "exempt/absence"

    def test_without_an_answer_the_day_is_pending_and_settles_by_itself_later(self) -> None:
        oracle = running()
        oracle.apply(Enqueue(utc("03 02:00")))
        assert outcomes(oracle) == {2: "pending/upstream_unavailable"}
        assert outcomes(settled(oracle, "03 03:00")) == {2: "failed/not_enough"}

    def test_incomplete_evidence_comes_before_unknown_difficulty(self) -> None:
        oracle = settled(running(Rules(1, ("Hard",))), "03 02:00", *twenty("02 12:00"))
        assert outcomes(oracle) == {2: "pending/evidence_incomplete"}

    def test_a_problem_that_becomes_known_settles_the_day(self) -> None:
        oracle = settled(running(Rules(1, ("Hard",))), "03 02:00", row("02 10:00"))
        assert outcomes(oracle) == {2: "pending/difficulty_unknown"}
        oracle.learn({"p": "Easy"})
        oracle.apply(Enqueue(utc("03 03:00")))
        assert outcomes(oracle) == {2: "failed/not_enough"}

    def test_freezes_of_the_calendar_month_come_before_failing(self) -> None:
        oracle = running(Rules(freezes_per_month=1), ends=30)
        edit(oracle, "03 00:00", ends=date(2026, 12, 2))
        settled(oracle, "2026-12-03T02:00", *(row(f"{n:02} 10:00", f"p{n}") for n in range(4, 23)))
        # The 2nd takes November's freeze, 1 December takes December's.
        frozen = [v.day for v in oracle.verdicts("c") if v.outcome == "frozen"]
        assert frozen == [nov(2), date(2026, 12, 1)]


class TestStreaks:
    """Rule 18."""

    def test_passed_adds_failed_resets_and_the_rest_changes_nothing(self) -> None:
        # 2 passed, 3 passed, 4 failed, 5 passed, 6 rest day (Friday), 7 passed, 8 frozen? No freeze: failed.
        oracle = running(Rules(rest_days=("friday",)))
        rows = [row(f"0{n} 10:00", f"p{n}") for n in (2, 3, 5, 7)]
        settled(oracle, "08 02:00", *rows)
        assert oracle.streak("c", "ann") == (2, 2)
        settled(oracle, "09 02:00", *rows)
        assert oracle.streak("c", "ann") == (0, 2)

    def test_days_may_settle_in_any_order(self) -> None:
        oracle = running()
        oracle.observe(answer("05 02:00", row("02 10:00"), row("04 10:00")))
        oracle.apply(Enqueue(utc("05 02:00"), "c", nov(4)))
        oracle.apply(Enqueue(utc("05 02:01"), "c", nov(2)))
        assert oracle.streak("c", "ann") == (2, 2)
        oracle.apply(Enqueue(utc("05 02:02")))  # the 3rd failed, in between
        assert oracle.streak("c", "ann") == (1, 1)

    def test_a_row_is_provisional_while_an_older_one_is_pending(self) -> None:
        oracle = running()
        oracle.apply(Enqueue(utc("03 02:00")))
        settled(oracle, "04 02:00", *twenty("03 12:00"))  # does not reach the 2nd
        assert [(v.outcome, v.provisional) for v in oracle.verdicts("c")] == [("pending", False), ("passed", True)]


class TestMoney:
    """Rules 19 to 22."""

    def test_the_last_penalty_is_cut_to_the_cap_and_nothing_is_posted_for_zero(self) -> None:
        oracle = settled(running(Rules(penalty=EURO)), "07 02:00")  # 2 to 6 fail: 5.00, 5.00, 2.00, 0, 0
        assert money(oracle) == [(2, 500), (3, 500), (4, 200)]
        assert oracle.total("c", "ann") == 1200

    def test_leaving_failed_reverses_exactly_and_entering_it_again_posts_again(self) -> None:
        oracle = settled(running(Rules(penalty=EURO)), "07 02:00")
        override(oracle, "07 03:00", 4, "passed")
        assert money(oracle)[3:] == [(4, -200)]
        override(oracle, "07 04:00", 4, "passed")  # nothing left to reverse
        override(oracle, "07 05:00", 4, None)
        assert money(oracle)[3:] == [(4, -200), (4, 200)]
        override(oracle, "07 06:00", 4, "failed")  # it has failed already
        assert oracle.total("c", "ann") == 1200

    def test_a_reversal_makes_room_for_later_days_only(self) -> None:
        oracle = settled(running(Rules(penalty=EURO)), "07 02:00")
        override(oracle, "07 03:00", 2, "exempt")  # 7.00 left, 5.00 to the cap; the 5th and 6th stay uncharged
        oracle.apply(Enqueue(utc("07 04:00"), "c", nov(5), reevaluate=True))
        assert money(oracle)[3:] == [(2, -500)]
        settled(oracle, "08 02:00")
        assert money(oracle)[4:] == [(7, 500)]

    def test_a_new_row_that_might_count_takes_failed_back_to_pending(self) -> None:
        oracle = settled(running(Rules(1, ("Hard",), penalty=EURO)), "03 02:00")
        oracle.observe(answer("03 03:00", row("02 10:00")))
        oracle.apply(Enqueue(utc("03 03:00"), "c", nov(2), reevaluate=True))
        assert outcomes(oracle) == {2: "pending/difficulty_unknown"}
        assert money(oracle) == [(2, 500), (2, -500)]

    def test_a_cap_below_the_total_posts_nothing_more(self) -> None:
        oracle = settled(running(Rules(penalty=EURO)), "04 02:00")  # 10.00
        edit(oracle, "04 03:00", rules=Rules(penalty=Penalty("5.00", "EUR", "6.00")))
        settled(oracle, "06 02:00")  # the 4th under the old cap, 2.00; the 5th under the new one
        assert money(oracle)[2:] == [(4, 200)]

    def test_freezes_go_to_days_as_they_settle_and_come_back(self) -> None:
        oracle = running(Rules(freezes_per_month=1, penalty=EURO))
        oracle.observe(answer("07 02:00"))
        oracle.apply(Enqueue(utc("07 02:00"), "c", nov(4)))
        oracle.apply(Enqueue(utc("07 02:01"), "c", nov(2)))
        assert outcomes(oracle) == {2: "failed/not_enough", 4: "frozen/freeze"}
        override(oracle, "07 03:00", 4, "passed")
        oracle.apply(Enqueue(utc("07 04:00")))  # 3 in date order before 5 and 6
        assert outcomes(oracle) == {
            2: "failed/not_enough", 3: "frozen/freeze", 4: "passed/override", 5: "failed/not_enough",
            6: "failed/not_enough",
        }  # fmt: skip
        override(oracle, "07 05:00", 4, None)  # the freeze is the 3rd's now
        assert outcomes(oracle)[4] == "failed/not_enough"

    def test_the_currency_of_a_running_challenge_may_not_change(self) -> None:
        oracle = running(Rules(penalty=EURO))
        assert edit(oracle, "01 13:00", rules=Rules(penalty=Penalty("5", "JPY"))) == []
        refused = edit(oracle, "02 00:00", rules=Rules(penalty=EURO))
        assert refused == ["c: the currency of a running challenge cannot change"]

    def test_amounts_are_whole_minor_units(self) -> None:
        assert [minor("5.05", "EUR"), minor("500", "JPY"), minor("1.005", "KWD"), minor("2.5", "EUR")] == [
            505, 500, 1005, 250,
        ]  # fmt: skip
        assert [too_precise("5.005", "EUR"), too_precise("5.5", "JPY"), too_precise("1.0055", "KWD")] == [True] * 3
        assert edit(running(), "01 13:00", rules=Rules(penalty=Penalty("5.005", "EUR"))) != []


class TestStandings:
    """Rule 23."""

    def test_streak_then_longest_then_total_and_equal_ones_share_a_rank(self) -> None:
        # dan passed twice; ben and cat passed the 3rd only; ann and eve nothing; eve left; fay has no settled day.
        handles = ("eve", "dan", "cat", "ben", "ann")
        fay = Member("fay", joined=utc("08 00:00"))
        oracle = running(Rules(penalty=EURO), *(Member(handle) for handle in handles), fay)
        for handle, solved in (("dan", (2, 3)), ("cat", (3,)), ("ben", (3,)), ("ann", ()), ("eve", ())):
            rows = [row(f"0{n} 10:00", f"p{n}") for n in solved]
            oracle.observe(answer("04 02:00", *rows, handle=handle))
        oracle.apply(Enqueue(utc("04 02:00")))
        spec = oracle.challenges["c"].spec
        edit(oracle, "04 03:00", members=tuple(m for m in spec.members if m.handle != "eve"))
        table = [(s.rank, s.handle, s.current_streak, s.longest_streak, s.penalty_minor) for s in oracle.standings("c")]
        assert table == [
            (1, "dan", 2, 2, 0),
            (2, "ben", 1, 1, 500),
            (2, "cat", 1, 1, 500),
            (4, "fay", 0, 0, 0),
            (5, "ann", 0, 0, 1000),
            (5, "eve", 0, 0, 1000),
        ]


class TestWorld:
    """What LeetCode would say."""

    def test_the_list_is_cut_collapsed_and_newest_first(self) -> None:
        slugs = ["a", "b", "b", "a", *(f"s{n}" for n in range(30))]
        rows = [Submission(100 + n, Row(str(n), slug, str(100 + n))) for n, slug in enumerate(slugs)]
        account = Account("ann", tuple(rows), collapses=True)
        # By 103 the two neighbouring b show as the newer one; of the a's both show, b lies between.
        assert [r.id for r in account.answer(103).rows or ()] == ["3", "2", "0"]
        assert len(account.answer(1000).rows or ()) == 20

    def test_an_account_without_a_name_there_does_not_exist_and_looks_change(self) -> None:
        account = Account("Ann", (Submission(5, Row("1", "a", "5")),), ((0, "there"), (10, "hidden"), (20, "empty")))
        world = world_of([account])
        assert world.answer("bob", 5).user == "missing"
        assert [world.answer("aNN", at).rows for at in (4, 5, 10, 20)] == [(), (Row("1", "a", "5"),), None, ()]
        assert world.answer("ann", 20).active == frozenset({date(1970, 1, 1)})


class TestHistories:
    """The generator, and what must hold in every history."""

    @pytest.mark.parametrize("doubtful", [False, True])
    def test_a_seed_gives_one_history_in_the_order_of_time(self, *, doubtful: bool) -> None:
        history = generate(7, doubtful=doubtful)
        assert history == generate(7, doubtful=doubtful)
        times = [step.at for step in history.steps]
        assert times == sorted(set(times))

    def test_every_challenge_file_says_what_its_step_says(self) -> None:
        for seed in range(10):
            for step in generate(seed).steps:
                if isinstance(step, Apply):
                    read = yaml.safe_load(challenge_file(step.challenges))["challenges"]
                    assert [_from_file(entry) for entry in read] == list(step.challenges)

    def test_what_passed_stays_and_each_day_s_postings_are_one_penalty_or_none(self) -> None:
        for seed in range(20):
            passed: dict[str, set[tuple[str, date]]] = {}
            for _, _, oracle in play(generate(seed)):
                for name in oracle.challenges:
                    verdicts = {(v.handle.lower(), v.day): v for v in oracle.verdicts(name)}
                    for key in passed.get(name, ()):
                        assert verdicts[key].outcome == "passed" or verdicts[key].reason == "override"
                    passed[name] = {key for key, verdict in verdicts.items() if verdict.reason == "enough"}
                    charged: Counter[tuple[str, date]] = Counter()
                    for posting in oracle.postings(name):
                        charged[posting.handle, posting.day] += posting.minor
                    for key, minor_units in charged.items():
                        assert minor_units == 0 or (verdicts[key].outcome == "failed" and minor_units > 0)

    def test_the_histories_meet_every_reason(self) -> None:
        reasons = set()
        for seed in range(60):
            *_, (_, _, oracle) = play(generate(seed))
            reasons |= {v.reason for name in oracle.challenges for v in oracle.verdicts(name)}
        assert reasons == {
            "override", "rest_day", "absence", "enough", "user_not_found", "profile_hidden", "upstream_unavailable",
            "evidence_incomplete", "evidence_contradictory", "difficulty_unknown", "freeze", "not_enough",
        }  # fmt: skip


def _from_file(entry: dict[str, object]) -> Challenge:
    """A parsed entry of a challenge file as the model has it."""

    def seconds(value: object) -> int | None:
        return int(value.timestamp()) if isinstance(value, datetime) else None

    rules = dict(entry["rules"])  # type: ignore[call-overload]  # as the file's shape has it, here and below
    penalty = Penalty(**rules.pop("penalty")) if "penalty" in rules else None
    difficulties = tuple(rules.pop("difficulties")) if "difficulties" in rules else None
    members = [
        Member(
            member["handle"],
            seconds(member.get("joined")),
            seconds(member.get("left")),
            tuple(Absence(absence["from"], absence["to"]) for absence in member.get("absences", ())),
        )
        for member in entry["members"]  # type: ignore[attr-defined]
    ]
    return Challenge(
        id=str(entry["id"]),
        timezone=str(entry["timezone"]),
        starts=entry["starts"],  # type: ignore[arg-type]
        ends=entry["ends"],  # type: ignore[arg-type]
        rules=Rules(
            rules["min_solves"],
            difficulties,
            rules["unique"],
            tuple(rules.get("rest_days", ())),
            rules["freezes_per_month"],
            penalty,
        ),
        members=tuple(members),
        cancelled=bool(entry.get("cancelled", False)),
    )
