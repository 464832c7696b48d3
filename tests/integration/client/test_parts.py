"""What is wrong with a part of a question, or of its answer, costs no other part."""

from __future__ import annotations

import pytest

from evaluator.domain.evidence import Standing
from evaluator.leetcode.client import Client
from evaluator.leetcode.parts import HOPELESS
from evaluator.leetcode.refusal import Refusal, RefusalKind
from tests.integration.client.peer import (
    NOW,
    TWENTY,
    UNKNOWN,
    Answer,
    LeetCode,
    NotedPacer,
    data_about,
    expected,
    refuses_those_with,
    rows_of,
    says,
    says_json,
    truly,
)


@pytest.mark.parametrize(
    "refuse",
    [
        says(400, b'{"errors": [{"message": "Variable $u3 is invalid"}]}'),
        says_json({"data": None, "errors": [{"message": "Variable $u3 is invalid"}]}),
        says_json({"errors": [{"message": "Variable $u3 is invalid"}]}),
    ],
)
def test_a_refused_batch_is_halved_until_the_poisoned_member_stands_alone(
    client: Client, leetcode: LeetCode, pacer: NotedPacer, refuse: Answer
) -> None:
    leetcode.always = refuses_those_with(["user7"], refuse)
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.refusal is None
    poisoned = answers.replies["user7"]
    assert poisoned.standing is Standing.UNAVAILABLE
    assert "Variable $u3 is invalid" in poisoned.detail
    assert dict(answers.replies) == {**expected(TWENTY), "user7": poisoned}
    # 20, then two parts of it, of the half, of the quarter, of the eighth: user5 to user9 are 5, 2 and 3, 1 and 2, 1.
    assert [len(handles) for handles in leetcode.handles()] == [20, 10, 10, 5, 5, 2, 3, 1, 2]
    assert pacer.slots == len(leetcode.asked)


def test_a_query_that_leetcode_no_longer_knows_is_given_up(
    client: Client, leetcode: LeetCode, pacer: NotedPacer
) -> None:
    leetcode.always = says(400, b'{"errors": [{"message": "Cannot query field"}]}')
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.replies == {}
    assert answers.refusal == Refusal(
        RefusalKind.BAD_QUERY, "LeetCode does not accept the query (HTTP 400: Cannot query field)"
    )
    assert len(leetcode.asked) == HOPELESS
    assert pacer.state().paused_for == 0


def test_an_outage_while_halving_keeps_the_replies_so_far(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [says(400), says(400), truly, says(502)]
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.replies == expected(TWENTY[10:])
    assert answers.refusal is not None
    assert answers.refusal.kind is RefusalKind.RETRY_LATER
    assert len(leetcode.asked) == 4


def test_the_time_of_a_request_in_parts_is_that_of_its_first(leetcode: LeetCode, pacer: NotedPacer) -> None:
    ticks = iter(range(NOW, NOW + 100))
    client = Client(leetcode.url, 5, pacer, lambda: next(ticks))
    leetcode.script = [says(400)]
    answers = client.recent_solves(TWENTY, [2026])
    client.close()
    assert len(leetcode.asked) == 3
    assert answers.asked_at == NOW


def test_the_time_of_a_request_is_when_it_was_sent_and_not_when_it_began_to_wait(
    leetcode: LeetCode, pacer: NotedPacer
) -> None:
    client = Client(leetcode.url, 5, pacer, lambda: NOW)
    pacer.refused(1.5)
    answers = client.recent_solves(["alice"], [2026])
    client.close()
    assert answers.asked_at >= NOW + 1


def test_aliases_that_fail_cost_only_their_own_members(client: Client, leetcode: LeetCode, pacer: NotedPacer) -> None:
    data = data_about(TWENTY)
    data["m1"], data["u1"] = None, []
    data["m2"] = data["u2"] = None
    data["u3"] = None
    data["u4"] = []
    data["u5"] = []
    data["m5"]["userCalendar"]["submissionCalendar"] = '{"1792972800": 2}'
    del data["m6"]
    data["u7"] = [None, *rows_of("user7")]
    errors = [
        {"message": UNKNOWN, "path": ["m1"], "extensions": {"handled": True}},
        {"message": "Internal error", "path": ["m2"]},
    ]
    leetcode.script = [says_json({"data": data, "errors": errors})]
    answers = client.recent_solves(TWENTY, [2026])
    assert answers.refusal is None
    assert pacer.told == ["accepted"]
    replies = dict(answers.replies)
    standings = {handle: reply.standing for handle, reply in replies.items() if reply.standing is not Standing.VISIBLE}
    assert standings == {
        "user1": Standing.USER_NOT_FOUND,
        "user2": Standing.UNAVAILABLE,
        "user3": Standing.PROFILE_HIDDEN,
        "user6": Standing.UNAVAILABLE,
    }
    assert replies["user4"].rows == replies["user5"].rows == ()
    assert (len(replies["user4"].active_dates), len(replies["user5"].active_dates)) == (0, 1)
    assert len(replies["user7"].rows) == 2
    assert {h: replies[h] for h in TWENTY[8:]} == expected(TWENTY[8:])


def test_those_whom_one_failing_alias_takes_with_it_are_asked_about_again(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [says_json({"data": None, "errors": [{"message": UNKNOWN, "path": ["m3", "username"]}]})]
    answers = client.recent_solves(TWENTY, [2026])
    others = [handle for handle in TWENTY if handle != "user3"]
    assert answers.replies["user3"].standing is Standing.USER_NOT_FOUND
    assert {handle: answers.replies[handle] for handle in others} == expected(others)
    assert leetcode.handles() == [TWENTY, others]


def test_an_answer_about_other_users_is_nobodys(client: Client, leetcode: LeetCode) -> None:
    leetcode.script = [says_json({"data": data_about(["bob", "alice", "carol"])})]
    answers = client.recent_solves(["alice", "bob", "carol"], [2026])
    for handle in ("alice", "bob"):
        assert answers.replies[handle].standing is Standing.UNAVAILABLE
        assert answers.replies[handle].rows == ()
    assert answers.replies["carol"] == expected(["carol"])["carol"]
