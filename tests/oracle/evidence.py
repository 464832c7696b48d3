"""Rules 9 and 10: what the answers about one handle prove about a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.oracle.calendar import Day, dates
from tests.oracle.model import Answer
from tests.oracle.solves import Solve, solves_in

CAP = 20
"""An answer with as many rows may have left out older ones. Junk and repeated rows count towards it."""

ALWAYS = -(10**18)


@dataclass(frozen=True, slots=True)
class Observation:
    """An answer, the solves in it, and whether it lacks a row that an earlier answer held and it ought to hold."""

    answer: Answer
    solves: tuple[Solve, ...]
    contradictory: bool


def observed(answer: Answer, before: Sequence[Observation]) -> Observation:
    """The answer, read in the light of the earlier ones."""
    solves = solves_in(answer)
    gave_rows = answer.error is None and answer.rows is not None
    contradictory = gave_rows and any(lacks(answer, solves, solve) for solve in seen(before))
    return Observation(answer, solves, contradictory)


def seen(observations: Iterable[Observation]) -> tuple[Solve, ...]:
    """Every solve in any answer: they count for ever, each submission as it was seen first."""
    found: dict[str, Solve] = {}
    for observation in observations:
        for solve in observation.solves:
            found.setdefault(solve.id, solve)
    return tuple(found.values())


def lacks(answer: Answer, solves: Sequence[Solve], solve: Solve) -> bool:
    """Whether the answer ought to hold `solve`, does not, and no newer row of the same problem explains it."""
    rows = answer.rows or ()
    ought = len(rows) < CAP or (len(solves) > 0 and solve.time > min(s.time for s in solves))
    holds = solve.id in {s.id for s in solves} or solve.id in {str(row.id) for row in rows}
    replaced = any(s.slug == solve.slug and s.time > solve.time for s in solves)
    return ought and not holds and not replaced


def silence(answer: Answer, day: Day) -> str | None:
    """Rule 10: why the answer says nothing about the day, as a reason; None if it does say something."""
    if answer.error is not None:
        return "internal_error" if answer.error == "internal" else "upstream_unavailable"
    if answer.user == "missing":
        return "user_not_found"
    if answer.user == "unknown" and not answer.rows:
        return "upstream_unavailable"
    if answer.rows is None:
        return "profile_hidden"
    touched = dates(datetime.fromtimestamp(day.begin, UTC).date(), datetime.fromtimestamp(day.end - 1, UTC).date())
    if not answer.rows and any(d in (answer.active or ()) for d in touched):
        return "profile_hidden"
    return None


def shown(observation: Observation) -> tuple[int, int]:
    """The first and last second that the answer shows; the first is after the last if it shows none."""
    answer = observation.answer
    if len(answer.rows or ()) < CAP:
        return ALWAYS, answer.fetched_at
    if not observation.solves:
        return answer.fetched_at + 1, answer.fetched_at
    return min(s.time for s in observation.solves) + 1, answer.fetched_at


def holds_whole(day: Day, observations: Iterable[Observation]) -> bool:
    """Whether one stretch, of answers that share at least a second with the next, holds every second of the day."""
    parts = sorted(part for part in map(shown, observations) if part[0] <= part[1])
    stretches: list[tuple[int, int]] = []
    for first, last in parts:
        if stretches and first <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(last, stretches[-1][1]))
        else:
            stretches.append((first, last))
    return any(first <= day.begin and day.end - 1 <= last for first, last in stretches)


def gap(observations: Sequence[Observation], day: Day) -> str | None:
    """Rules 14 and 15: why the evidence about the day is not complete, as a reason; None if it is complete."""
    speaking = [o for o in observations if silence(o.answer, day) is None]
    if holds_whole(day, [o for o in speaking if not o.contradictory]):
        return None
    if not observations:
        return "upstream_unavailable"
    newest = silence(observations[-1].answer, day)
    if newest is not None:
        return newest
    return "evidence_contradictory" if holds_whole(day, speaking) else "evidence_incomplete"
