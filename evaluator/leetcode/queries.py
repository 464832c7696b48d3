"""Requests to LeetCode's GraphQL API, ready to be sent: several questions in one by aliases.

A handle or a slug is always a variable's value, never text of a query, so it may hold anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import orjson

from evaluator.domain.evidence import VISIBLE_ROWS

PAGE_ROWS = 100
"""Problems asked for in one page of the catalogue; LeetCode may give fewer."""

CATALOGUE = "problemsetQuestionList"

_PROBLEMS = f"""query problems($categorySlug: String, $limit: Int, $skip: Int, $filters: QuestionListFilterInput) {{
{CATALOGUE}: questionList(categorySlug: $categorySlug, limit: $limit, skip: $skip, filters: $filters) {{
total: totalNum
questions: data {{ titleSlug questionFrontendId title difficulty isPaidOnly }} }}
}}"""


def list_alias(index: int) -> str:
    """Where the answer holds the recent solves of the `index`th handle."""
    return f"u{index}"


def user_alias(index: int) -> str:
    """Where the answer holds the account of the `index`th handle."""
    return f"m{index}"


def question_alias(index: int) -> str:
    """Where the answer holds the problem of the `index`th slug."""
    return f"q{index}"


def calendar_fields(years: Sequence[int]) -> list[str]:
    """Where an account holds its calendars of `years`."""
    return ["userCalendar" if index == 0 else f"userCalendar{year}" for index, year in enumerate(years)]


def recent_solves(handles: Sequence[str], years: Sequence[int]) -> bytes:
    """Ask for the accounts of `handles`, what they solved last, and their calendars of `years`."""
    variables = {list_alias(index): handle for index, handle in enumerate(handles)}
    return _body(_recent_solves(len(handles), tuple(years)), variables)


def difficulties(slugs: Sequence[str]) -> bytes:
    """Ask how hard the problems `slugs` are."""
    return _body(_difficulties(len(slugs)), {question_alias(index): slug for index, slug in enumerate(slugs)})


def problems(skip: int) -> bytes:
    """Ask for the page of the catalogue that begins after the first `skip` problems."""
    return _body(_PROBLEMS, {"categorySlug": "", "limit": PAGE_ROWS, "skip": skip, "filters": {}})


@lru_cache(maxsize=256)
def _recent_solves(count: int, years: tuple[int, ...]) -> str:
    calendars = " ".join(
        f"{'' if field == 'userCalendar' else f'{field}: '}userCalendar(year: {year}) {{ submissionCalendar }}"
        for field, year in zip(calendar_fields(years), years, strict=True)
    )
    return _query(
        "recentSolves",
        [list_alias(index) for index in range(count)],
        [
            f"{list_alias(index)}: recentAcSubmissionList(username: ${list_alias(index)}, limit: {VISIBLE_ROWS})"
            " { id titleSlug timestamp }\n"
            f"{user_alias(index)}: matchedUser(username: ${list_alias(index)}) {{ username {calendars} }}"
            for index in range(count)
        ],
    )


@lru_cache(maxsize=256)
def _difficulties(count: int) -> str:
    aliases = [question_alias(index) for index in range(count)]
    return _query("difficulties", aliases, [f"{q}: question(titleSlug: ${q}) {{ difficulty }}" for q in aliases])


def _query(name: str, variables: Sequence[str], fields: Sequence[str]) -> str:
    declared = ", ".join(f"${variable}: String!" for variable in variables)
    return f"query {name}({declared}) {{\n" + "\n".join(fields) + "\n}"


def _body(query: str, variables: Mapping[str, object]) -> bytes:
    return orjson.dumps({"query": query, "variables": variables})
