"""What LeetCode says about problems."""

from __future__ import annotations

from typing import Any

import pytest

from evaluator.domain.problem import Problem
from evaluator.domain.rules import Difficulty
from evaluator.leetcode.catalogue import Page, difficulties_in, page_in
from evaluator.leetcode.refusal import Refusal, RefusalKind

TWO_SUM = {
    "titleSlug": "two-sum",
    "questionFrontendId": "1",
    "title": "Two Sum",
    "difficulty": "Easy",
    "isPaidOnly": False,
}


def test_a_problem_without_a_readable_difficulty_has_none() -> None:
    slugs = ["easy", "renamed", "odd", "broken", "missing", "hard"]
    data: dict[str, Any] = {
        "q0": {"difficulty": "Easy"},
        "q1": None,
        "q2": {"difficulty": "Extreme"},
        "q3": {"difficulty": []},
        "q5": {"difficulty": "Hard"},
    }
    assert difficulties_in({"data": data, "errors": [{"message": "boom", "path": ["q1"]}]}, slugs) == {
        "easy": Difficulty.EASY,
        "renamed": None,
        "odd": None,
        "broken": None,
        "missing": None,
        "hard": Difficulty.HARD,
    }


def test_errors_without_data_speak_for_the_problems_that_they_name() -> None:
    errors = [{"message": "That question does not exist", "path": ["q1"]}]
    assert difficulties_in({"data": None, "errors": errors}, ["a", "b", "c"]) == {"b": None}


def test_errors_that_say_nothing_about_a_problem_are_a_failure() -> None:
    errors = [{"message": "boom", "path": ["q1"]}]
    found = difficulties_in({"data": {"q0": None, "q1": None}, "errors": errors}, ["a", "b"])
    assert isinstance(found, Refusal)
    assert (found.kind, "boom" in found.detail) == (RefusalKind.RETRY_LATER, True)


def test_a_refused_look_up_is_a_refusal() -> None:
    found = difficulties_in({"errors": [{"message": "Syntax error"}]}, ["a"])
    assert found == Refusal(RefusalKind.BAD_QUERY, "LeetCode does not accept the query (Syntax error)")


def page(rows: object, total: object = 3000) -> dict[str, Any]:
    return {"data": {"problemsetQuestionList": {"total": total, "questions": rows}}}


def test_a_page_skips_rows_that_cannot_be_read_but_counts_them() -> None:
    rows = [
        TWO_SUM,
        {"titleSlug": "lru-cache", "difficulty": "Medium", "questionFrontendId": 146, "isPaidOnly": True, "title": ""},
        {**TWO_SUM, "titleSlug": ""},
        {**TWO_SUM, "difficulty": None},
        None,
        "two-sum",
    ]
    assert page_in(page(rows)) == Page(
        (
            Problem("two-sum", "1", "Two Sum", Difficulty.EASY, paid_only=False),
            Problem("lru-cache", "146", "lru-cache", Difficulty.MEDIUM, paid_only=True),
        ),
        6,
        3000,
    )


@pytest.mark.parametrize(
    ("document", "kind", "said"),
    [
        (page(None), RefusalKind.RETRY_LATER, "no list of problems"),
        (page([], "many"), RefusalKind.RETRY_LATER, "no list of problems"),
        ({"data": {"problemsetQuestionList": None}, "errors": [{"message": "boom"}]}, RefusalKind.RETRY_LATER, "boom"),
        (
            {"data": None, "errors": [{"message": "boom", "path": ["problemsetQuestionList"]}]},
            RefusalKind.RETRY_LATER,
            "boom",
        ),
        ({"errors": [{"message": "Syntax error"}]}, RefusalKind.BAD_QUERY, "Syntax error"),
    ],
)
def test_a_page_that_is_none_is_a_refusal(document: dict[str, Any], kind: RefusalKind, said: str) -> None:
    found = page_in(document)
    assert isinstance(found, Refusal)
    assert found.kind is kind
    assert said in found.detail
