"""Difficulties, and the catalogue."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from evaluator.domain.problem import Problem
from evaluator.domain.rules import Difficulty
from evaluator.leetcode.client import Client
from evaluator.leetcode.refusal import Refusal, RefusalKind
from tests.integration.client.peer import Answer, Connection, LeetCode, NotedPacer, says, says_json


def knows(difficulties: dict[str, str]) -> Answer:
    def answer(connection: Connection, body: dict[str, Any]) -> None:
        data = {
            alias: {"difficulty": difficulties[slug]} if slug in difficulties else None
            for alias, slug in body["variables"].items()
        }
        connection.say(200, orjson.dumps({"data": data}), {})

    return answer


def test_difficulties_come_fifty_a_request_without_those_unknown(client: Client, leetcode: LeetCode) -> None:
    slugs = [f"problem{n}" for n in range(120)]
    leetcode.always = knows({slug: "Medium" for slug in slugs if slug != "problem7"})
    found = client.difficulties([*slugs, "problem0"])
    assert found == {slug: Difficulty.MEDIUM for slug in slugs if slug != "problem7"}
    assert [len(asked) for asked in leetcode.handles()] == [50, 50, 20]


def test_a_poisoned_slug_costs_no_other_its_difficulty(client: Client, leetcode: LeetCode) -> None:
    answer = knows({"two-sum": "Easy", "lru-cache": "Medium"})

    def refuse_poison(connection: Connection, body: dict[str, Any]) -> None:
        (says(400) if "poison" in body["variables"].values() else answer)(connection, body)

    leetcode.always = refuse_poison
    found = client.difficulties(["two-sum", "poison", "lru-cache"])
    assert found == {"two-sum": Difficulty.EASY, "lru-cache": Difficulty.MEDIUM}


def test_difficulties_that_are_refused_are_a_refusal(client: Client, leetcode: LeetCode, pacer: NotedPacer) -> None:
    leetcode.always = says(429, Retry_After="100")
    found = client.difficulties(["two-sum"])
    assert isinstance(found, Refusal)
    assert (found.kind, found.retry_after) == (RefusalKind.SLOW_DOWN, 100)
    assert pacer.told == [100]


def catalogue(total: int, at_most: int) -> Answer:
    """A catalogue that gives `at_most` rows a page, whatever is asked for."""

    def answer(connection: Connection, body: dict[str, Any]) -> None:
        skip, limit = body["variables"]["skip"], body["variables"]["limit"]
        questions = [
            {
                "titleSlug": f"problem{n}",
                "questionFrontendId": str(n),
                "title": f"Problem {n}",
                "difficulty": "Hard",
                "isPaidOnly": n == 0,
            }
            for n in range(skip, min(total, skip + limit, skip + at_most))
        ]
        document = {"data": {"problemsetQuestionList": {"total": total, "questions": questions}}}
        connection.say(200, orjson.dumps(document), {})

    return answer


@pytest.mark.parametrize(("total", "at_most", "requests"), [(250, 100, 3), (200, 100, 2), (250, 60, 5), (0, 100, 1)])
def test_the_catalogue_comes_page_by_page_with_its_total(
    client: Client, leetcode: LeetCode, total: int, at_most: int, requests: int
) -> None:
    leetcode.always = catalogue(total, at_most)
    problems: list[Problem] = []
    for page in client.problems():
        assert not isinstance(page, Refusal)
        assert page.total == total
        problems += page.problems
    assert problems == [
        Problem(f"problem{n}", str(n), f"Problem {n}", Difficulty.HARD, paid_only=n == 0) for n in range(total)
    ]
    assert len(leetcode.asked) == requests


def test_a_catalogue_that_ends_before_its_total_ends(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [says_json({"data": {"problemsetQuestionList": {"total": 9000, "questions": []}}})]
    assert len(list(client.problems())) == 1


def test_a_refusal_ends_the_catalogue(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [catalogue(250, 100), says(502)]
    first, second = client.problems()
    assert not isinstance(first, Refusal)
    assert isinstance(second, Refusal)
    assert second.kind is RefusalKind.RETRY_LATER
