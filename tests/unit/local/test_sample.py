"""The sample shows every kind of outcome, whenever it is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import orjson
import pytest

from evaluator.domain.challenge import ChallengeSpec, MemberSpec
from evaluator.domain.day import Calendar, Window, ZoneVersion, days_between
from evaluator.domain.evidence import Evidence, observe, solves_of
from evaluator.domain.membership import Membership
from evaluator.domain.rules import Difficulty
from evaluator.domain.verdict import Case, Outcome, Reason, Verdict, decide
from evaluator.leetcode import queries
from evaluator.leetcode.answers import replies_in
from evaluator.leetcode.refusal import Refusal
from evaluator.local.sample import sample_challenges
from evaluator.local.simulator.answers import answer
from evaluator.local.simulator.catalogue import read_catalogue
from evaluator.local.simulator.habits import Habits
from evaluator.local.simulator.scene import Scene
from evaluator.local.simulator.schema import bind, read_query
from evaluator.local.simulator.users import Users
from evaluator.service.challenge_file import ChallengeFile, read_challenge_file

DELAY = 3600
CATALOGUE = read_catalogue()
USERS = Users(1, CATALOGUE)
DIFFICULTIES: Mapping[str, Difficulty] = {
    problem.slug: Difficulty(problem.difficulty) for problem in CATALOGUE.problems
}


def seen_at(now: int, challenge: ChallengeSpec, years: list[int]) -> Iterator[tuple[MemberSpec, Evidence]]:
    """What one request about the members of a challenge shows."""
    handles = [member.handle for member in challenge.members]
    body = orjson.loads(queries.recent_solves(handles, years))
    operation = read_query(body["query"], None)
    scene = Scene(USERS, CATALOGUE, Habits(), now, bind(operation, body["variables"]), {})
    replies = replies_in(answer(operation, scene), handles, years)
    assert not isinstance(replies, Refusal)
    for member in challenge.members:
        reply = replies[member.handle]
        yield member, Evidence(tuple(solves_of(reply.rows, now)), (observe(reply, now, years, []),))


def required(
    member: MemberSpec, calendar: Calendar, challenge: ChallengeSpec, now: int
) -> Iterator[tuple[date, Window]]:
    for day in days_between(challenge.starts, challenge.ends):
        window = calendar.window(day)
        if window and window.end + DELAY <= now and Membership(member.joined, member.left).requires(window):
            yield day, window


def verdicts_at(now: int) -> Iterator[tuple[str, str, Verdict]]:
    """The verdicts on all days of the sample that can be settled: challenge, handle, verdict."""
    file = read_challenge_file(sample_challenges(now, DELAY))
    assert isinstance(file, ChallengeFile), file
    for challenge in file.challenges:
        calendar = Calendar([ZoneVersion(challenge.starts, ZoneInfo(challenge.timezone))])
        years = sorted({challenge.starts.year, datetime.fromtimestamp(now, UTC).year})
        for member, evidence in seen_at(now, challenge, years):
            frozen: dict[tuple[int, int], int] = defaultdict(int)
            for day, window in required(member, calendar, challenge, now):
                month = (day.year, day.month)
                case = Case(
                    rules=challenge.rules,
                    window=window,
                    counts_from=calendar.start(challenge.starts),
                    weekday=day.weekday(),
                    evidence=evidence,
                    difficulties=DIFFICULTIES,
                    absent=any(absence.first <= day <= absence.last for absence in member.absences),
                    freeze_left=frozen[month] < challenge.rules.freezes_per_month,
                )
                verdict = decide(case)
                frozen[month] += verdict.outcome is Outcome.FROZEN
                yield challenge.id, member.handle, verdict


# At all hours and on all weekdays of more than a year.
@pytest.mark.parametrize("now", range(1_767_225_600, 1_767_225_600 + 400 * 86_400, 19 * 86_400 + 5 * 3600 + 17))
def test_every_outcome_and_the_reasons_one_meets_first_are_shown(now: int) -> None:
    verdicts = list(verdicts_at(now))
    shown = {(verdict.outcome, verdict.reason) for _, _, verdict in verdicts}
    assert shown >= {
        (Outcome.PASSED, Reason.ENOUGH),
        (Outcome.FAILED, Reason.NOT_ENOUGH),
        (Outcome.FROZEN, Reason.FREEZE),
        (Outcome.EXEMPT, Reason.REST_DAY),
        (Outcome.EXEMPT, Reason.ABSENCE),
        (Outcome.PENDING, Reason.USER_NOT_FOUND),
        (Outcome.PENDING, Reason.PROFILE_HIDDEN),
        (Outcome.PENDING, Reason.EVIDENCE_INCOMPLETE),
    }
    passed = sum(verdict.outcome is Outcome.PASSED for _, _, verdict in verdicts)
    assert 0.35 < passed / len(verdicts) < 0.8


def test_the_last_day_of_an_ended_challenge_can_be_settled_at_once() -> None:
    # 2026-11-24T08:30Z: in Los Angeles, the westernmost zone, it is 00:30 on the 24th, and with an hour's delay the
    # 22nd is the last day that can be settled.
    now = int(datetime(2026, 11, 24, 8, 30, tzinfo=UTC).timestamp())
    file = read_challenge_file(sample_challenges(now, DELAY))
    assert isinstance(file, ChallengeFile)
    monsoon = next(challenge for challenge in file.challenges if challenge.id == "monsoon-grind")
    assert (monsoon.starts, monsoon.ends) == (date(2026, 11, 18), date(2026, 11, 22))
