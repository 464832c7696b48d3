"""The verdict on one member's day (RULES 6 to 8 and 11 to 17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from evaluator.domain.day import Window
from evaluator.domain.evidence import Evidence, Solve, Standing
from evaluator.domain.rules import Difficulty, Rules, Unique


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"
    EXEMPT = "exempt"
    FROZEN = "frozen"


class Reason(StrEnum):
    """Why an outcome is what it is."""

    OVERRIDE = "override"
    REST_DAY = "rest_day"
    ABSENCE = "absence"
    ENOUGH = "enough"
    NOT_ENOUGH = "not_enough"
    FREEZE = "freeze"
    NO_HANDLE = "no_handle"
    USER_NOT_FOUND = "user_not_found"
    PROFILE_HIDDEN = "profile_hidden"
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"
    INTERNAL_ERROR = "internal_error"
    EVIDENCE_INCOMPLETE = "evidence_incomplete"
    EVIDENCE_CONTRADICTORY = "evidence_contradictory"
    DIFFICULTY_UNKNOWN = "difficulty_unknown"
    NOT_EVALUATED = "not_evaluated"
    """Pending because no worker has come to it yet: the one reason that no decision gives."""


class Bearing(StrEnum):
    """What a solve of the day does for the verdict."""

    COUNTS = "counts"
    REPEATED = "repeated"
    WRONG_DIFFICULTY = "wrong_difficulty"
    DIFFICULTY_UNKNOWN = "difficulty_unknown"


class JudgedSolve(NamedTuple):
    """A solve of the day, the difficulty that it was judged by (None where unknown), and what came of it."""

    solve: Solve
    difficulty: Difficulty | None
    bearing: Bearing


@dataclass(frozen=True, slots=True)
class Tally:
    """`solved` counts for certain; `maybe` more would count if every unknown difficulty were allowed (RULES 8)."""

    solved: int
    maybe: int
    judged: tuple[JudgedSolve, ...]


class Verdict(NamedTuple):
    outcome: Outcome
    reason: Reason
    solved: int
    required: int
    judged: tuple[JudgedSolve, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the verdict on one member's day rests on.

    `counts_from` is the first second of the challenge. `previous` is the settled verdict in force; None while the
    day is pending, and after an override, whose clearing lets the day be decided anew. `freeze_left` says whether
    the member's other days leave a freeze of the day's month unused.
    """

    rules: Rules
    window: Window
    counts_from: int
    weekday: int
    evidence: Evidence
    difficulties: Mapping[str, Difficulty]
    absent: bool = False
    override: Outcome | None = None
    previous: Verdict | None = None
    freeze_left: bool = False


def decide(case: Case) -> Verdict:
    """The verdict, by the first rule that applies."""
    rules, window = case.rules, case.window
    count = tally(rules, window, case.counts_from, case.evidence.solves, case.difficulties)

    def verdict(outcome: Outcome, reason: Reason) -> Verdict:
        return Verdict(outcome, reason, count.solved, rules.min_solves, count.judged)

    if case.override is not None:
        return verdict(case.override, Reason.OVERRIDE)
    if case.previous and case.previous.outcome is Outcome.PASSED:
        # What was proven once stands, even where less counts by what is known now.
        return verdict(Outcome.PASSED, Reason.ENOUGH)
    if case.weekday in rules.rest_days:
        return verdict(Outcome.EXEMPT, Reason.REST_DAY)
    if _is_absent(case):
        return verdict(Outcome.EXEMPT, Reason.ABSENCE)
    if count.solved >= rules.min_solves:
        return verdict(Outcome.PASSED, Reason.ENOUGH)
    if not case.evidence.is_complete(window):
        return verdict(Outcome.PENDING, _why_unproven(case.evidence, window))
    if count.solved + count.maybe >= rules.min_solves:
        return verdict(Outcome.PENDING, Reason.DIFFICULTY_UNKNOWN)
    if _is_frozen(case):
        return verdict(Outcome.FROZEN, Reason.FREEZE)
    return verdict(Outcome.FAILED, Reason.NOT_ENOUGH)


def tally(
    rules: Rules,
    window: Window,
    counts_from: int,
    solves: Sequence[Solve],
    difficulties: Mapping[str, Difficulty],
) -> Tally:
    """Count the solves of a day. Others among `solves` matter only where a problem counts once a challenge.

    The challenge began at `counts_from`: what was solved before it takes nothing from the day (RULES 7).
    """
    start, end = window.start, window.end
    seen: set[str] = set()
    if rules.unique is Unique.CHALLENGE:
        seen.update(solve.slug for solve in solves if counts_from <= solve.at < start)
    solved = maybe = 0
    judged: list[JudgedSolve] = []
    for solve in sorted([one for one in solves if start <= one.at < end], key=_by_time):
        difficulty = difficulties.get(solve.slug)
        if rules.unique is not Unique.NONE and solve.slug in seen:
            bearing = Bearing.REPEATED
        elif not rules.difficulties or difficulty in rules.difficulties:
            bearing = Bearing.COUNTS
            solved += 1
        elif difficulty is None:
            bearing = Bearing.DIFFICULTY_UNKNOWN
            maybe += 1
        else:
            bearing = Bearing.WRONG_DIFFICULTY
        seen.add(solve.slug)
        judged.append(JudgedSolve(solve, difficulty, bearing))
    return Tally(solved, maybe, tuple(judged))


def _by_time(solve: Solve) -> tuple[int, str]:
    return solve.at, solve.submission_id


def _is_absent(case: Case) -> bool:
    """Whether an absence holds: edits of absences reach unsettled days only, so a settled day keeps its own."""
    return case.previous.reason is Reason.ABSENCE if case.previous else case.absent


def _is_frozen(case: Case) -> bool:
    """Whether a day that would fail is frozen instead.

    A frozen day keeps its freeze. One that has failed takes one that came free since when it is settled anew: whether
    that is "settled later" (RULES 20) is open, so the member has it.
    """
    return case.freeze_left or (case.previous is not None and case.previous.outcome is Outcome.FROZEN)


def _why_unproven(evidence: Evidence, window: Window) -> Reason:
    standing = evidence.newest_standing(window)
    if standing is None:
        return Reason.UPSTREAM_UNAVAILABLE
    if standing is not Standing.VISIBLE:
        return Reason(standing)
    if evidence.is_complete(window, trusting_contradictory=True):
        return Reason.EVIDENCE_CONTRADICTORY
    return Reason.EVIDENCE_INCOMPLETE
