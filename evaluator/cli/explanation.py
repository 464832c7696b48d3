"""An explanation, told at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.text import Text

from evaluator.cli.output import console
from evaluator.domain.money import format_amount
from evaluator.domain.verdict import Outcome
from evaluator.service.explanation import Explanation, ReplySeen, RulesInForce, alike
from evaluator.service.reasons import NoVerdict

_STYLES = {
    Outcome.PASSED: "bold green",
    Outcome.FAILED: "bold red",
    Outcome.PENDING: "bold yellow",
    Outcome.EXEMPT: "bold",
    Outcome.FROZEN: "bold cyan",
}

_UNIQUE = {"none": "every time", "day": "once a day", "challenge": "once in the challenge"}


def show(told: Explanation) -> None:
    """Print it all: first what most people ask, then what it rests on. Of a day of no challenge there is no more."""
    title = Text.assemble(f"{told.handle} on {told.day:%A}, {told.day} in {told.challenge}: ")
    title.append(told.outcome or "no verdict", _STYLES[told.outcome] if told.outcome else "bold")
    console.print(title)
    console.print(told.sentence, markup=False, highlight=False)
    if told.reason is NoVerdict.NOT_A_DAY and not told.overrides and not told.postings:
        return
    for name, lines in _sections(told):
        for place, line in enumerate(lines):
            console.print(Text.assemble((f"{name if place == 0 else '':<12}", "dim"), line))


def _sections(told: Explanation) -> Iterator[tuple[str, list[str]]]:
    if told.window:
        window = told.window
        yield (
            "window",
            [
                f"{window.start:%Y-%m-%d %H:%M:%S} to {window.end:%Y-%m-%d %H:%M:%S} in {told.timezone}",
                f"{window.start_utc:%Y-%m-%d %H:%M:%S} to {window.end_utc:%Y-%m-%d %H:%M:%S} in UTC, the end excluded",
            ],
        )
    yield "times", [f"those below are of {told.timezone}"]
    yield "rules", list(_rules(told.rules, told.currency))
    yield "counted", [f"{told.solved} of {told.required} required"]
    yield "decided", [_time(told.evaluated_at) + (", provisional: an older day is pending" if told.provisional else "")]
    if told.next_try:
        yield "next try", [_time(told.next_try)]
    if told.error:
        yield "last error", [told.error]
    yield (
        "solves",
        [
            f"{one.at:%Y-%m-%d %H:%M:%S}  {' '.join(filter(None, (one.difficulty, one.problem)))}: {one.sentence}"
            for one in told.solves
        ]
        or ["none was seen on that day, nor within twelve hours of it"],
    )
    yield (
        "answers",
        list(_answers(told.observations)) or ["none was stored between the beginning of the day and its decision"],
    )
    for one in told.overrides:
        ended = f"taken back by {one.cleared_by} at {_time(one.cleared_at)}" if one.cleared_at else "in force"
        yield "override", [f'{one.outcome} by {one.set_by} at {_time(one.set_at)}: "{one.reason}"; {ended}']
    yield (
        "penalty",
        [
            *(f"{format_amount(one.amount, told.currency)} at {_time(one.posted_at)}" for one in told.postings),
            f"{format_amount(told.posted_minor, told.currency)} for this day, "
            f"{format_amount(told.total_minor, told.currency)} in the challenge",
        ],
    )
    used = f": {', '.join(map(str, told.freezes_used))}" if told.freezes_used else ""
    yield "freezes", [f"{len(told.freezes_used)} of {told.rules.freezes_per_month} used in {told.day:%B %Y}{used}"]
    yield "streak now", [f"{told.current_streak}, the longest {told.longest_streak}"]


def _answers(observations: Sequence[ReplySeen]) -> Iterator[str]:
    """A line for all that say the same, one after the other."""
    for same in alike(observations):
        first, last = (f"{one.at:%Y-%m-%d %H:%M:%S}" for one in (same[0], same[-1]))
        more = f" ({len(same)} answers, the last at {last})" if len(same) > 1 else ""
        yield f"{first}  {same[0].sentence}{more}"


def _rules(rules: RulesInForce, currency: str | None) -> Iterator[str]:
    difficulties = ", ".join(rules.difficulties) or "any"
    yield f"{rules.min_solves} a day, difficulty: {difficulties}; a problem counts {_UNIQUE[rules.unique]}"
    if rules.rest_days:
        yield f"rest days: {', '.join(rules.rest_days)}"
    if rules.penalty_minor:
        cap = "" if rules.cap_minor is None else f", at most {format_amount(rules.cap_minor, currency)} in all"
        yield f"a failed day costs {format_amount(rules.penalty_minor, currency)}{cap}"


def _time(moment: datetime | None) -> str:
    return "not yet" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
