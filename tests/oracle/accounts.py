"""Random accounts: who solves what when, with all that LeetCode has been seen to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

from tests.oracle.calendar import Day
from tests.oracle.evidence import ALWAYS
from tests.oracle.model import Row
from tests.oracle.world import Account, Look, Submission, World

NAMES = ("alice", "Bob_77", "chandra", "Dee-Dee", "emre", "Fatou", "goro", "HANA", "ivo", "jun")
NEVER = 10**12

_Problems = dict[str, tuple[str, int]]


def random_world(rng: Random, days: Sequence[Day]) -> World:
    """Accounts that are active from three days before `days` to two after."""
    problems = _random_problems(rng, days)
    ids = _Ids(1_000_000_000)
    handles = rng.sample(NAMES, rng.randint(3, 7))
    accounts = [_random_account(rng, handle, days, list(problems), ids) for handle in handles]
    outages = []
    while rng.random() < 0.25:
        begin = rng.choice(days).end + rng.randint(0, 7200)
        outages.append((begin, begin + rng.choice((7200, 30 * 3600))))
    known = {slug: problem for slug, problem in problems.items() if problem[1] < NEVER}
    return World({account.handle.lower(): account for account in accounts}, known, tuple(outages))


def _random_problems(rng: Random, days: Sequence[Day]) -> _Problems:
    problems: _Problems = {}
    for number in range(rng.randint(8, 40)):
        since = ALWAYS
        if rng.random() < 0.25:
            since = rng.choice((NEVER, rng.randint(days[0].begin, days[-1].end + 2 * 86400)))
        problems[f"problem-{number}"] = (rng.choice(("Easy", "Medium", "Hard")), since)
    return problems


@dataclass(slots=True)
class _Ids:
    """Submission ids, which never repeat; within an account they ascend with time."""

    last: int

    def next(self) -> str:
        self.last += 7
        return str(self.last)


def _random_account(rng: Random, handle: str, days: Sequence[Day], slugs: Sequence[str], ids: _Ids) -> Account:
    diligence, repeats, busy = rng.random(), rng.random() * 0.6, rng.random() < 0.3
    solved: list[str] = []
    submissions = []
    for time in sorted({time for day in _around(days) for time in _times(rng, day, diligence, busy=busy)}):
        slug = rng.choice(solved if solved and rng.random() < repeats else slugs)
        solved.append(slug)
        submissions.append(Submission(time, Row(ids.next(), slug, str(time))))
    if rng.random() < 0.3:
        submissions = [_spoiled(rng, s) if rng.random() < 0.15 else s for s in submissions]
    if rng.random() < 0.2:
        submissions = [_vanishing(rng, s) if rng.random() < 0.15 else s for s in submissions]
    attempts = frozenset(datetime.fromtimestamp(day.begin, UTC).date() for day in days if rng.random() < 0.1)
    looks = _looks(rng, days)
    return Account(
        handle,
        tuple(submissions),
        looks,
        cap=rng.choice((20, 20, 20, 25)),
        collapses=rng.random() < 0.4,
        attempts=attempts,
        calendar=any(look == "empty" for _, look in looks) or rng.random() < 0.9,
    )


def _around(days: Sequence[Day]) -> list[Day]:
    first, last = days[0], days[-1]
    before = [Day(first.date, first.begin - n * 86400, first.begin - (n - 1) * 86400) for n in (3, 2, 1)]
    after = [Day(last.date, last.end + n * 86400, last.end + (n + 1) * 86400) for n in (0, 1)]
    return [*before, *days, *after]


def _times(rng: Random, day: Day, diligence: float, *, busy: bool) -> list[int]:
    """When the account submits on the day: often not at all; if `busy`, now and then more than a list holds."""
    if rng.random() > 0.3 + 0.7 * diligence:
        return []
    count = rng.choices((1, 2, 3, 5, 12, 19, 24), (40, 25, 15, 10, *((8, 8, 12) if busy else (0, 0, 0))))[0]
    times = [rng.randrange(day.begin, day.end) for _ in range(count)]
    if rng.random() < 0.35:
        times.append(rng.choice((day.begin - 1, day.begin, day.begin + 1, day.end - 1)))
    return times


def _spoiled(rng: Random, submission: Submission) -> Submission:
    """A row from the future, without a usable time or slug, or twice in each list."""
    row, at = submission.row, submission.at
    junk = (
        replace(row, timestamp=str(at + rng.randint(301, 2 * 86400))),
        replace(row, timestamp=str(at + rng.randint(1, 300))),
        replace(row, timestamp=rng.choice(("soon", "", None))),
        replace(row, slug=rng.choice(("", None))),
    )
    if rng.random() < 0.2:
        return replace(submission, copies=2)
    return replace(submission, row=rng.choice(junk))


def _vanishing(rng: Random, submission: Submission) -> Submission:
    """A row that LeetCode stops to show, for ever: an answer that should hold it then contradicts an earlier one."""
    return replace(submission, until=submission.at + rng.randint(3600, 4 * 86400))


def _looks(rng: Random, days: Sequence[Day]) -> tuple[tuple[int, Look], ...]:
    looks: list[tuple[int, Look]] = [(ALWAYS, "there")]
    if rng.random() < 0.35:
        at = rng.choice(days).begin + rng.randint(-86400, 86400)
        odd: Look = rng.choice(("missing", "hidden", "empty", "alias"))
        looks = [(ALWAYS, odd), (at, "there")] if rng.random() < 0.3 else [(ALWAYS, "there"), (at, odd)]
        if rng.random() < 0.6:
            other: Look = rng.choice(("there", "there", "missing", "hidden", "empty"))
            looks.append((at + rng.randint(20, 90) * 3600, other))
    return tuple(looks)
