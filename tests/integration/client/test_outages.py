"""Answers for nobody, as after a change of the schema, or a ban that looks like one."""

from __future__ import annotations

import pytest

from evaluator.domain.evidence import Standing
from evaluator.leetcode.breaker import OUTAGE
from evaluator.leetcode.client import Client
from evaluator.leetcode.parts import HOPELESS
from tests.integration.client.peer import (
    TWENTY,
    UNKNOWN,
    Answer,
    LeetCode,
    NotedPacer,
    expected,
    refuses_those_with,
    says,
    says_json,
    truly,
)


def batch(number: int) -> list[str]:
    return [f"user{number}-{n}" for n in range(20)]


ERROR = {"message": "Cannot query field"}
FOR_NOBODY = {
    "400": (says(400, b'{"errors": [{"message": "Cannot query field"}]}'), HOPELESS),
    "200 with an error": (says_json({"data": None, "errors": [ERROR]}), HOPELESS),
    "200 with an error for each": (
        says_json(
            {
                "data": {f"{alias}{n}": None for alias in "mu" for n in range(20)},
                "errors": [ERROR | {"path": [f"m{n}"]} for n in range(20)],
            }
        ),
        1,
    ),
}


@pytest.mark.parametrize(("answer", "requests"), FOR_NOBODY.values(), ids=FOR_NOBODY)
def test_five_batches_of_whom_nobody_is_answered_are_an_outage_and_then_one_request_is_a_try(
    client: Client, leetcode: LeetCode, pacer: NotedPacer, answer: Answer, requests: int
) -> None:
    leetcode.always = answer
    for number in range(OUTAGE):
        assert pacer.told == []
        client.recent_solves(batch(number), [2026])
    assert (len(leetcode.asked), pacer.told) == (OUTAGE * requests, [None])
    client.recent_solves(batch(0), [2026])
    assert (len(leetcode.asked), pacer.told) == (OUTAGE * requests + 1, [None, None])
    assert pacer.state().refusals == 2
    leetcode.always = truly
    assert client.recent_solves(batch(1), [2026]).replies == expected(batch(1))
    assert pacer.told == [None, None, "accepted"]
    leetcode.always = answer
    client.recent_solves(batch(2), [2026])
    assert pacer.told == [None, None, "accepted"]


def test_an_empty_answer_for_everybody_is_an_outage(client: Client, leetcode: LeetCode, pacer: NotedPacer) -> None:
    leetcode.always = says_json({"data": None})
    for number in range(OUTAGE):
        client.recent_solves(batch(number), [2026])
    assert (len(leetcode.asked), pacer.told) == (OUTAGE, [None])


@pytest.mark.parametrize("refuse", [says(400), says_json({"data": None, "errors": [ERROR]})])
def test_a_handle_that_leetcode_cannot_bear_is_no_outage_however_often_it_is_asked_about(
    client: Client, leetcode: LeetCode, pacer: NotedPacer, refuse: Answer
) -> None:
    leetcode.always = refuses_those_with(["user7"], refuse)
    for _ in range(2 * OUTAGE):
        client.recent_solves(["user7"], [2026])
    assert set(pacer.told) == set()
    for _ in range(2 * OUTAGE):
        assert client.recent_solves(TWENTY, [2026]).refusal is None
    assert set(pacer.told) == {"accepted"}


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"m0": None, "u0": None}, "errors": [{"message": UNKNOWN, "path": ["m0"]}]},
        {"data": None, "errors": [{"message": UNKNOWN, "path": ["m0"]}]},
        {"data": None, "errors": [{"message": UNKNOWN}]},
        {"errors": [{"message": UNKNOWN, "path": ["matchedUser"]}]},
    ],
)
def test_users_that_do_not_exist_asked_about_one_by_one_are_answers(
    client: Client, leetcode: LeetCode, pacer: NotedPacer, document: object
) -> None:
    leetcode.always = says_json(document)
    for handle in TWENTY:
        assert client.recent_solves([handle], [2026]).replies[handle].standing is Standing.USER_NOT_FOUND
    assert pacer.told == ["accepted"] * len(TWENTY)
