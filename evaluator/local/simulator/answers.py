"""Answers to valid queries: what accounts show, and the document that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson

from evaluator.local.simulator import questions
from evaluator.local.simulator.account import ACCEPTED, DAY, Account, Submission, Visibility
from evaluator.local.simulator.faults import Fault, FaultKind
from evaluator.local.simulator.graphql import Field, Operation
from evaluator.local.simulator.population import FIRST_YEAR
from evaluator.local.simulator.scene import Scene, Selections
from evaluator.local.simulator.schema import SCHEMA, resolve

SHOWN_ROWS = 20
"""LeetCode shows no more submissions, whatever is asked for."""

_NO_USER = "That user does not exist."


class FieldError(Exception):
    """A field is null, and an error names it."""


def answer(operation: Operation, scene: Scene) -> dict[str, Any]:
    """The document that answers an operation."""
    data: dict[str, Any] = {}
    errors = []
    for field in operation.selections:
        arguments = scene.arguments(field)
        fault = scene.fault_of(arguments)
        if fault is not None and fault.kind is FaultKind.LEFT_OUT:
            continue
        try:
            data[field.key] = _value(field, arguments, fault, scene)
        except FieldError as error:
            data[field.key] = None
            errors.append({"message": str(error), "path": [field.key], "extensions": {"handled": True}})
    return {"data": data, "errors": errors} if errors else {"data": data}


def handles_in(operation: Operation, bound: Mapping[str, Any]) -> set[str]:
    """The users that an operation asks about."""
    named = (resolve(field.arguments.get("username"), bound) for field in operation.selections)
    return {handle for handle in named if handle is not None}


def _value(field: Field, arguments: dict[str, Any], fault: Fault | None, scene: Scene) -> object:
    for name, type_ in SCHEMA["Query"][field.name].arguments.items():
        if type_.endswith("!") and arguments.get(name) is None:
            raise FieldError(f'Argument "{name}" of non-null type "{type_}" must not be null.')
    if fault is not None and fault.kind is FaultKind.USER_ERROR:
        raise FieldError(fault.message)
    if fault is not None and fault.kind is FaultKind.STRANGER:
        arguments["username"] = f"diligent-not-{arguments['username']}"
    return _FIELDS[field.name](arguments, field.selections, scene)


def _recent_accepted(arguments: Mapping[str, Any], selections: Selections, scene: Scene) -> object:
    def accepted(account: Account) -> Iterator[Submission]:
        rows = (row for row in account.submissions(scene.now) if row.statusDisplay == ACCEPTED)
        return _collapsed(rows) if scene.habits.collapse else rows

    return _recent(arguments, selections, scene, accepted)


def _recent_all(arguments: Mapping[str, Any], selections: Selections, scene: Scene) -> object:
    return _recent(arguments, selections, scene, lambda account: account.submissions(scene.now))


def _recent(
    arguments: Mapping[str, Any],
    selections: Selections,
    scene: Scene,
    listed: Callable[[Account], Iterator[Submission]],
) -> list[dict[str, Any]] | None:
    account = scene.users.find(arguments["username"])
    match account.visibility:
        case Visibility.UNKNOWN if scene.habits.unknown_list == "null":
            raise FieldError(_NO_USER)
        case Visibility.HIDDEN if scene.habits.hidden_list == "null":
            return None
        case Visibility.HIDDEN_NULL:
            return None
        case Visibility.UNKNOWN | Visibility.HIDDEN | Visibility.HIDDEN_EMPTY:
            return []
    limit = arguments.get("limit")
    columns = [(field.key, Submission._fields.index(field.name)) for field in selections]
    rows = islice(listed(account), max(0, min(limit if limit is not None else SHOWN_ROWS, SHOWN_ROWS)))
    return [{key: row[column] for key, column in columns} for row in rows]


def _collapsed(rows: Iterable[Submission]) -> Iterator[Submission]:
    """Of neighbours that solve one problem, the first, which is the newest."""
    before = None
    for row in rows:
        if row.titleSlug != before:
            yield row
        before = row.titleSlug


def _matched_user(arguments: Mapping[str, Any], selections: Selections, scene: Scene) -> object:
    account = scene.users.find(arguments["username"])
    if account.visibility is Visibility.UNKNOWN:
        raise FieldError(_NO_USER)
    return {
        field.key: account.username if field.name == "username" else _calendar(account, field, scene)
        for field in selections
    }


def _calendar(account: Account, field: Field, scene: Scene) -> dict[str, Any]:
    this_year = datetime.fromtimestamp(scene.now, UTC).year
    year = scene.arguments(field).get("year")
    calendar = account.calendar(this_year if year is None else year, scene.now)
    values: Mapping[str, Callable[[], object]] = {
        "activeYears": lambda: [year for year in range(FIRST_YEAR, this_year + 1) if account.calendar(year, scene.now)],
        "streak": lambda: _longest_run(calendar),
        "totalActiveDays": lambda: len(calendar),
        "submissionCalendar": lambda: orjson.dumps(calendar).decode(),
    }
    return {inner.key: values[inner.name]() for inner in field.selections}


def _longest_run(calendar: Mapping[str, int]) -> int:
    longest = run = 0
    before = None
    for midnight in sorted(map(int, calendar)):
        run = run + 1 if before is not None and midnight - before == DAY else 1
        longest, before = max(longest, run), midnight
    return longest


_FIELDS: Mapping[str, Callable[[Mapping[str, Any], Selections, Scene], object]] = {
    "recentAcSubmissionList": _recent_accepted,
    "recentSubmissionList": _recent_all,
    "matchedUser": _matched_user,
    "question": questions.question,
    "questionList": questions.question_list,
    "activeDailyCodingChallengeQuestion": questions.daily_question,
}
