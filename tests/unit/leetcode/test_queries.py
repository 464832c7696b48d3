"""Queries: whatever a handle holds, it is a variable's value and never text of the query."""

from __future__ import annotations

import orjson
import pytest

from evaluator.leetcode import queries

ONE_USER = """query recentSolves($u0: String!) {
u0: recentAcSubmissionList(username: $u0, limit: 20) { id titleSlug timestamp }
m0: matchedUser(username: $u0) { username userCalendar(year: 2026) { submissionCalendar } }
}"""

HARMFUL = [
    '"',
    "\\",
    'x") { id } m9: matchedUser(username: "victim',
    "$u1",
    "}\n}",
    "# comment",
    "🧑‍💻",
    "x" * 500,
    "",
    "\x00",
]


def text_of(body: bytes) -> str:
    query = orjson.loads(body)["query"]
    assert isinstance(query, str)
    return query


def test_one_user_is_asked_for_by_two_aliases_and_one_variable() -> None:
    assert orjson.loads(queries.recent_solves(["alice"], [2026])) == {"query": ONE_USER, "variables": {"u0": "alice"}}


@pytest.mark.parametrize("handle", HARMFUL)
def test_a_handle_changes_nothing_but_its_variable(handle: str) -> None:
    body = queries.recent_solves(["alice", handle, "bob"], [2026])
    assert text_of(body) == text_of(queries.recent_solves(["a", "b", "c"], [2026]))
    assert orjson.loads(body)["variables"] == {"u0": "alice", "u1": handle, "u2": "bob"}


@pytest.mark.parametrize("slug", HARMFUL)
def test_a_slug_changes_nothing_but_its_variable(slug: str) -> None:
    body = queries.difficulties(["two-sum", slug])
    assert text_of(body) == (
        "query difficulties($q0: String!, $q1: String!) {\n"
        "q0: question(titleSlug: $q0) { difficulty }\n"
        "q1: question(titleSlug: $q1) { difficulty }\n"
        "}"
    )
    assert orjson.loads(body)["variables"] == {"q0": "two-sum", "q1": slug}


def test_every_user_of_twenty_has_aliases_and_a_variable_of_its_own() -> None:
    body = queries.recent_solves([f"user{n}" for n in range(20)], [2026])
    for n in range(20):
        assert text_of(body).count(f"u{n}: recentAcSubmissionList(username: $u{n},") == 1
        assert text_of(body).count(f"m{n}: matchedUser(username: $u{n})") == 1
        assert orjson.loads(body)["variables"][f"u{n}"] == f"user{n}"


def test_only_the_second_year_has_an_alias() -> None:
    text = text_of(queries.recent_solves(["alice"], [2025, 2026]))
    calendars = (
        "userCalendar(year: 2025) { submissionCalendar } "
        "userCalendar2026: userCalendar(year: 2026) { submissionCalendar }"
    )
    assert f"{{ username {calendars} }}" in text
    assert queries.calendar_fields([2025, 2026]) == ["userCalendar", "userCalendar2026"]


def test_a_page_of_the_catalogue_begins_where_it_is_told() -> None:
    body = orjson.loads(queries.problems(300))
    assert body["variables"] == {"categorySlug": "", "limit": 100, "skip": 300, "filters": {}}
    assert "problemsetQuestionList: questionList(categorySlug: $categorySlug," in body["query"]
