"""LeetCode's public operations: which fields there are, and whether a query asks for them rightly."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from evaluator.local.simulator.graphql import Declaration, Field, Operation, QueryError, Variable, Word, parse


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a field gives, and the arguments that it takes; both in GraphQL's notation."""

    type: str
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)


_STRING, _INT, _BOOLEAN = FieldType("String"), FieldType("Int"), FieldType("Boolean")

SCHEMA: Mapping[str, Mapping[str, FieldType]] = {
    "Query": {
        "recentAcSubmissionList": FieldType("[Submission]", {"username": "String!", "limit": "Int!"}),
        "recentSubmissionList": FieldType("[Submission]", {"username": "String!", "limit": "Int"}),
        "matchedUser": FieldType("User", {"username": "String!"}),
        "question": FieldType("Question", {"titleSlug": "String!"}),
        "questionList": FieldType(
            "QuestionList",
            {"categorySlug": "String", "limit": "Int", "skip": "Int", "filters": "QuestionListFilterInput"},
        ),
        "activeDailyCodingChallengeQuestion": FieldType("DailyQuestion"),
    },
    "Submission": dict.fromkeys(("id", "title", "titleSlug", "timestamp", "statusDisplay", "lang"), _STRING),
    "User": {"username": _STRING, "userCalendar": FieldType("UserCalendar", {"year": "Int"})},
    "UserCalendar": {
        "activeYears": FieldType("[Int]"),
        "streak": _INT,
        "totalActiveDays": _INT,
        "submissionCalendar": _STRING,
    },
    "Question": {
        "questionId": _STRING,
        "questionFrontendId": _STRING,
        "title": _STRING,
        "titleSlug": _STRING,
        "difficulty": _STRING,
        "isPaidOnly": _BOOLEAN,
        "acRate": FieldType("Float"),
        "topicTags": FieldType("[TopicTag]"),
    },
    "TopicTag": {"name": _STRING, "slug": _STRING},
    "QuestionList": {"totalNum": _INT, "data": FieldType("[Question]")},
    "DailyQuestion": {"date": _STRING, "link": _STRING, "question": FieldType("Question")},
}

_SCALARS: Mapping[str, type | tuple[type, ...]] = {"String": str, "Int": int, "Boolean": bool, "Float": (int, float)}


@lru_cache(maxsize=1024)
def read_query(text: str, operation_name: str | None) -> Operation:
    """The operation to be answered, valid by the schema. Raises QueryError."""
    operations = parse(text)
    if operation_name is not None:
        operations = [operation for operation in operations if operation.name == operation_name]
        if not operations:
            raise QueryError(f'Unknown operation named "{operation_name}".')
    if len(operations) > 1:
        raise QueryError("Must provide operation name if query contains multiple operations.")
    _check(operations[0])
    return operations[0]


def bind(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """The value of every variable that is declared and given. Raises QueryError."""
    bound = {}
    for declared in operation.declarations:
        if declared.name not in given:
            if declared.default is not None:
                bound[declared.name] = declared.default
            elif declared.type.endswith("!"):
                raise QueryError(f'Variable "${declared.name}" of required type "{declared.type}" was not provided.')
            continue
        value = given[declared.name]
        if not _is_a(value, declared.type):
            raise QueryError(f'Variable "${declared.name}" got invalid value {value!r}; expected type {declared.type}.')
        bound[declared.name] = value
    return bound


def resolve(value: Any, bound: Mapping[str, Any]) -> Any:
    """`value` of a query, with what its variables stand for; one without a value is null."""
    if isinstance(value, Variable):
        return bound.get(value.name)
    if isinstance(value, Word):
        return value.name
    if isinstance(value, list):
        return [resolve(item, bound) for item in value]
    if isinstance(value, dict):
        return {name: resolve(item, bound) for name, item in value.items()}
    return value


def _check(operation: Operation) -> None:
    declared = {one.name: one for one in operation.declarations}
    if len(declared) < len(operation.declarations):
        raise QueryError("There can be only one variable of each name.")
    used = set(_check_fields(operation.selections, "Query", declared))
    for name in declared:
        if name not in used:
            raise QueryError(f'Variable "${name}" is never used.')


def _check_fields(fields: Sequence[Field], parent: str, declared: Mapping[str, Declaration]) -> Iterator[str]:
    """Check a selection set; gives the names of the variables in it."""
    by_key: dict[str, Field] = {}
    for field in fields:
        if by_key.setdefault(field.key, field) != field:
            raise QueryError(f'Fields "{field.key}" conflict. Use different aliases on the fields to fetch both.')
        known = SCHEMA[parent].get(field.name)
        if known is None:
            raise QueryError(f'Cannot query field "{field.name}" on type "{parent}".')
        yield from _check_arguments(field, parent, known, declared)
        inner = known.type.strip("[]!")
        if inner in SCHEMA and not field.selections:
            raise QueryError(f'Field "{field.name}" of type "{known.type}" must have a selection of subfields.')
        if inner not in SCHEMA and field.selections:
            raise QueryError(f'Field "{field.name}" must not have a selection since type "{known.type}" has none.')
        if field.selections:
            yield from _check_fields(field.selections, inner, declared)


def _check_arguments(field: Field, parent: str, known: FieldType, declared: Mapping[str, Declaration]) -> Iterator[str]:
    for name, value in field.arguments.items():
        wanted = known.arguments.get(name)
        if wanted is None:
            raise QueryError(f'Unknown argument "{name}" on field "{parent}.{field.name}".')
        for variable in _variables_in(value):
            if variable not in declared:
                raise QueryError(f'Variable "${variable}" is not defined.')
            yield variable
        if isinstance(value, Variable):
            offered = declared[value.name]
            if not _fits(offered, wanted):
                raise QueryError(
                    f'Variable "${value.name}" of type "{offered.type}" used in position expecting type "{wanted}".'
                )
        elif not _is_a(value, wanted):
            raise QueryError(
                f'Argument "{name}" of "{field.name}" expects a value of type "{wanted}", found {value!r}.'
            )
    for name, wanted in known.arguments.items():
        if wanted.endswith("!") and name not in field.arguments:
            raise QueryError(
                f'Field "{field.name}" argument "{name}" of type "{wanted}" is required, but it was not provided.'
            )


def _variables_in(value: Any) -> Iterator[str]:
    if isinstance(value, Variable):
        yield value.name
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _variables_in(item)


def _fits(declared: Declaration, wanted: str) -> bool:
    """Whether a variable may stand where `wanted` is expected: of that type, and never null where that is refused."""
    if wanted.endswith("!") and declared.default is not None:
        wanted = wanted.removesuffix("!")
    return declared.type in {wanted, f"{wanted}!"}


def _is_a(value: Any, type_: str) -> bool:
    if value is None:
        return not type_.endswith("!")
    scalar = _SCALARS.get(type_.removesuffix("!"), dict)
    return isinstance(value, scalar) and (scalar in (bool, str, dict) or not isinstance(value, bool))
