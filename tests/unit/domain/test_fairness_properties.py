"""No history of answers punishes a member who did enough: evidence and verdict against slower, plainer models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from evaluator.domain.day import Window
from evaluator.domain.evidence import (
    VISIBLE_ROWS,
    Evidence,
    Observation,
    Reply,
    Row,
    Solve,
    Standing,
    observe,
    solves_of,
)
from evaluator.domain.rules import Difficulty, Rules, Unique
from evaluator.domain.verdict import Bearing, Case, Outcome, Reason, Verdict, decide, tally

DAY = Window(20, 40)
COUNTS_FROM = 10
YEARS = {1970}

# Nothing is solved in the second of an answer (solves at even seconds, answers at odd ones): that this second counts as
# shown is an accepted imprecision.
seconds = st.integers(1, 29).map(lambda half: 2 * half)
polls = st.lists(st.integers(4, 33).map(lambda half: 2 * half + 1), min_size=1, max_size=6, unique=True)
slugs = st.sampled_from("abcdef")
difficulties = st.dictionaries(slugs, st.sampled_from(Difficulty), max_size=6)
rules = st.builds(
    Rules,
    min_solves=st.integers(1, 4),
    difficulties=st.frozensets(st.sampled_from(Difficulty), max_size=2),
    unique=st.sampled_from(Unique),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Solve, ...]:
    """Solves in order of time, often more than one list shows."""
    size = draw(st.integers(0, 45))
    found = draw(st.lists(st.tuples(slugs, seconds), min_size=size, max_size=size, unique=True))
    return tuple(
        Solve(f"{number:02}", slug, at) for number, (slug, at) in enumerate(sorted(found, key=lambda one: one[1]))
    )


solves = histories()


@st.composite
def stretches(draw: st.DrawFn) -> Observation:
    """Any answer, whoever gave it: short or full, contradictory or not, of a visible account or another."""
    fetched_at = draw(st.integers(DAY.start - 2, DAY.end + 4))
    after = draw(st.none() | st.integers(DAY.start - 4, fetched_at))
    standing = draw(st.sampled_from([Standing.VISIBLE] * 4 + [Standing.USER_NOT_FOUND]))
    contradictory = draw(st.sampled_from([False] * 4 + [True]))
    return Observation(fetched_at, standing, VISIBLE_ROWS if after is not None else 3, after, contradictory)


observations = st.lists(stretches(), max_size=6).map(lambda seen: tuple(sorted(seen, key=lambda one: one.fetched_at)))


@dataclass(frozen=True)
class Watched:
    """An account as it really was, and what honest answers told of it."""

    true: tuple[Solve, ...]
    evidence: Evidence


def honest(true: tuple[Solve, ...], fetched_at: int) -> Reply:
    """What LeetCode says of a visible account: its newest solves until then, no more than it shows."""
    newest = sorted((one for one in true if one.at <= fetched_at), key=lambda one: (-one.at, one.submission_id))
    rows = [Row(one.submission_id, one.slug, one.at) for one in newest[:VISIBLE_ROWS]]
    return Reply("alice", Standing.VISIBLE, tuple(rows))


def watch(true: tuple[Solve, ...], times: list[int], lost: frozenset[int]) -> Watched:
    """Poll at `times`; the answers at `lost` never came."""
    known: dict[str, Solve] = {}
    seen: list[Observation] = []
    for fetched_at in sorted(times):
        reply = Reply("alice", Standing.UNAVAILABLE) if fetched_at in lost else honest(true, fetched_at)
        seen.append(observe(reply, fetched_at, YEARS, known.values()))
        known |= {solve.submission_id: solve for solve in solves_of(reply.rows, fetched_at)}
    of_day = tuple(one for one in seen if one.fetched_at >= DAY.start)
    return Watched(true, Evidence(tuple(known.values()), of_day))


@st.composite
def watched(draw: st.DrawFn) -> Watched:
    times = draw(polls)
    lost = frozenset(second for second in times if draw(st.integers(0, 4)) == 0)
    return watch(draw(solves), times, lost)


def case(rules: Rules, evidence: Evidence, known: dict[str, Difficulty]) -> Case:
    return Case(
        rules=rules,
        window=DAY,
        counts_from=COUNTS_FROM,
        weekday=0,
        evidence=evidence,
        difficulties=known,
    )


def shows(seen: Observation) -> set[int]:
    """The seconds that an answer shows, of those that matter."""
    first = DAY.start - 10 if seen.after is None else seen.after + 1
    return set(range(first, seen.fetched_at + 1))


@given(observations)
def test_evidence_is_complete_where_a_model_second_by_second_says_so(seen: tuple[Observation, ...]) -> None:
    joined = [shows(one) for one in seen if one.standing is Standing.VISIBLE and not one.contradictory]
    while pair := next(((one, other) for one, other in combinations(joined, 2) if one & other), None):
        joined = [stretch for stretch in joined if stretch is not pair[0] and stretch is not pair[1]]
        joined.append(pair[0] | pair[1])
    expected = any(set(range(DAY.start, DAY.end)) <= stretch for stretch in joined)
    assert Evidence((), seen).is_complete(DAY) is expected


@given(observations, st.permutations(range(6)))
def test_completeness_does_not_depend_on_the_order_of_the_answers(
    seen: tuple[Observation, ...], order: list[int]
) -> None:
    shuffled = tuple(seen[place] for place in order if place < len(seen))
    assert Evidence((), shuffled).is_complete(DAY) is Evidence((), seen).is_complete(DAY)


@given(observations, stretches())
def test_one_more_answer_never_makes_complete_evidence_incomplete(
    seen: tuple[Observation, ...], more: Observation
) -> None:
    if Evidence((), seen).is_complete(DAY):
        assert Evidence((), (*seen, more)).is_complete(DAY)


@given(rules, solves, difficulties)
def test_what_counts_is_what_sets_of_problems_say(
    rules: Rules, found: tuple[Solve, ...], known: dict[str, Difficulty]
) -> None:
    def count(allowed: set[Difficulty | None]) -> int:
        of_day = [one.slug for one in found if DAY.start <= one.at < DAY.end and known.get(one.slug) in allowed]
        earlier = {one.slug for one in found if COUNTS_FROM <= one.at < DAY.start}
        if rules.unique is Unique.NONE:
            return len(of_day)
        return len(set(of_day) - earlier if rules.unique is Unique.CHALLENGE else set(of_day))

    wanted: set[Difficulty | None] = set(rules.difficulties) or {*Difficulty, None}
    tallied = tally(rules, DAY, COUNTS_FROM, found, known)
    assert tallied.solved == count(wanted)
    assert tallied.solved + tallied.maybe == count(wanted | {None})
    bearings = [judged.bearing for judged in tallied.judged]
    assert tallied.solved == bearings.count(Bearing.COUNTS)
    assert tallied.maybe == bearings.count(Bearing.DIFFICULTY_UNKNOWN)
    assert len(bearings) == sum(one.at in DAY for one in found)
    assert tally(rules, DAY, COUNTS_FROM, found[::-1], known) == tallied


@given(rules, watched(), difficulties, st.booleans())
def test_honest_answers_never_fail_a_member_who_did_enough_nor_pass_one_who_did_not(
    rules: Rules, account: Watched, known: dict[str, Difficulty], freeze_left: bool
) -> None:
    verdict = decide(replace(case(rules, account.evidence, known), freeze_left=freeze_left))
    truth = tally(rules, DAY, COUNTS_FROM, account.true, known)
    if verdict.outcome in {Outcome.FAILED, Outcome.FROZEN}:
        assert truth.solved + truth.maybe < rules.min_solves
        assert account.evidence.is_complete(DAY)
    if verdict.outcome is Outcome.PASSED and rules.unique is not Unique.CHALLENGE:
        assert truth.solved >= rules.min_solves
    assert not any(one.contradictory for one in account.evidence.observations)


@given(solves, polls)
def test_a_list_that_hides_repeats_contradicts_no_earlier_one(true: tuple[Solve, ...], times: list[int]) -> None:
    known: dict[str, Solve] = {}
    for fetched_at in sorted(times):
        newest = [one for one in reversed(true) if one.at <= fetched_at]
        # Of adjacent submissions of one problem only the newest is listed.
        listed = [
            one for newer, one in zip([None, *newest], newest, strict=False) if not newer or newer.slug != one.slug
        ]
        rows = [Row(one.submission_id, one.slug, one.at) for one in listed[:VISIBLE_ROWS]]
        reply = Reply("alice", Standing.VISIBLE, tuple(rows))
        assert not observe(reply, fetched_at, YEARS, known.values()).contradictory
        known |= {solve.submission_id: solve for solve in solves_of(rows, fetched_at)}


@given(rules, solves, difficulties, polls)
def test_passed_stays_passed_as_answers_come_in(
    rules: Rules, true: tuple[Solve, ...], known: dict[str, Difficulty], times: list[int]
) -> None:
    previous: Verdict | None = None
    for count in range(1, len(times) + 1):
        evidence = watch(true, sorted(times)[:count], frozenset()).evidence
        verdict = decide(replace(case(rules, evidence, known), previous=previous))
        if previous and previous.outcome is Outcome.PASSED:
            assert (verdict.outcome, verdict.reason) == (Outcome.PASSED, Reason.ENOUGH)
        previous = verdict if verdict.outcome is not Outcome.PENDING else None


@given(rules, solves, solves, observations, difficulties)
def test_more_solves_never_undo_a_pass(
    rules: Rules,
    found: tuple[Solve, ...],
    more: tuple[Solve, ...],
    seen: tuple[Observation, ...],
    known: dict[str, Difficulty],
) -> None:
    before = decide(case(rules, Evidence(found, seen), known))
    if before.outcome is not Outcome.PASSED:
        return
    grown = case(rules, Evidence((*found, *(one._replace(submission_id=f"+{one.at}") for one in more)), seen), known)
    assert decide(replace(grown, previous=before)).outcome is Outcome.PASSED
    # Where no earlier day can take a problem from this one, it holds without memory of the first verdict.
    if rules.unique is not Unique.CHALLENGE:
        assert decide(grown).outcome is Outcome.PASSED


@given(rules, solves, observations, stretches(), difficulties)
def test_one_more_answer_fails_nobody_unless_it_completes_the_evidence(
    rules: Rules,
    found: tuple[Solve, ...],
    seen: tuple[Observation, ...],
    more: Observation,
    known: dict[str, Difficulty],
) -> None:
    before = decide(case(rules, Evidence(found, seen), known))
    after = decide(case(rules, Evidence(found, (*seen, more)), known))
    if after.outcome is Outcome.FAILED:
        assert Evidence(found, (*seen, more)).is_complete(DAY)
        assert before.outcome is Outcome.FAILED or not Evidence(found, seen).is_complete(DAY)
    if before.outcome is Outcome.FAILED:
        assert after.outcome is Outcome.FAILED


@given(rules, solves, observations, difficulties)
def test_learning_a_difficulty_never_turns_a_settled_day_around(
    rules: Rules, found: tuple[Solve, ...], seen: tuple[Observation, ...], known: dict[str, Difficulty]
) -> None:
    evidence = Evidence(found, seen)
    before = decide(case(rules, evidence, {}))
    after = decide(case(rules, evidence, known))
    if before.outcome in {Outcome.PASSED, Outcome.FAILED}:
        assert after.outcome is before.outcome


@given(
    rules,
    solves,
    observations,
    difficulties,
    st.sampled_from([None, *Outcome]),
    st.sampled_from([None, Outcome.PASSED, Outcome.FAILED, Outcome.FROZEN]),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_every_verdict_reports_what_counts_and_what_was_required(
    rules: Rules,
    found: tuple[Solve, ...],
    seen: tuple[Observation, ...],
    known: dict[str, Difficulty],
    override: Outcome | None,
    previous: Outcome | None,
    flags: tuple[bool, bool, bool],
) -> None:
    absent, freeze_left, rests = flags
    verdict = decide(
        replace(
            case(replace(rules, rest_days=frozenset({0} if rests else ())), Evidence(found, seen), known),
            override=override,
            previous=Verdict(previous, Reason.ENOUGH, 0, rules.min_solves) if previous else None,
            absent=absent,
            freeze_left=freeze_left,
        )
    )
    count = tally(rules, DAY, COUNTS_FROM, found, known)
    assert (verdict.solved, verdict.required, verdict.judged) == (count.solved, rules.min_solves, count.judged)
    if verdict.outcome is Outcome.FAILED and override is None:
        assert Evidence(found, seen).is_complete(DAY)
