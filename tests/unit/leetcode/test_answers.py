"""What an answer says about each member, whatever it holds."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.domain.evidence import Reply, Row, Standing
from evaluator.leetcode import answers
from evaluator.leetcode.answers import replies_in
from evaluator.leetcode.refusal import Refusal, RefusalKind

NOON = 1_793_016_000  # 2026-10-26 12:00 UTC, by `date -u -d @1793016000`
MISSING = object()
UNKNOWN = "That user does not exist."


def row(n: int = 1) -> dict[str, Any]:
    return {"id": str(n), "titleSlug": "two-sum", "timestamp": str(NOON + n)}


def account(username: object = "alice", calendar: object = "{}") -> dict[str, Any]:
    return {"username": username, "userCalendar": {"submissionCalendar": calendar}}


def error(message: str, *path: object) -> dict[str, Any]:
    return {"message": message, "path": list(path)} if path else {"message": message}


def document(listed: object = MISSING, user: object = MISSING, errors: object = MISSING) -> dict[str, Any]:
    """An answer about alice, aliases u0 and m0, and bob."""
    data: dict[str, Any] = {"u1": [row()], "m1": account("bob")}
    data |= {alias: value for alias, value in {"u0": listed, "m0": user}.items() if value is not MISSING}
    return {"data": data} | ({} if errors is MISSING else {"errors": errors})


def reply_in(answer: dict[str, Any], years: tuple[int, ...] = (2026,)) -> Reply:
    """What is said of alice, having seen that bob's reply is as good as ever."""
    replies = replies_in(answer, ["alice", "bob"], years)
    assert not isinstance(replies, Refusal)
    assert replies["bob"] == Reply("bob", Standing.VISIBLE, (Row("1", "two-sum", NOON + 1),))
    return replies["alice"]


@pytest.mark.parametrize(
    ("listed", "user", "errors", "standing"),
    [
        ([row()], account(), MISSING, Standing.VISIBLE),
        ([row()], account("ALICE"), [], Standing.VISIBLE),
        ([row()], account(), None, Standing.VISIBLE),
        ([], account(), MISSING, Standing.VISIBLE),
        # An error that names no alias cannot have spoilt what is there.
        ([row()], account(), [error("deprecated")], Standing.VISIBLE),
        ([], None, MISSING, Standing.USER_NOT_FOUND),
        (None, None, MISSING, Standing.USER_NOT_FOUND),
        ([], None, [error(UNKNOWN, "m0")], Standing.USER_NOT_FOUND),
        (None, None, [error(UNKNOWN, "u0"), error(UNKNOWN, "m0")], Standing.USER_NOT_FOUND),
        (None, None, [error(UNKNOWN, "u0")], Standing.USER_NOT_FOUND),
        ([], None, [error(UNKNOWN)], Standing.USER_NOT_FOUND),
        # That the user does not exist explains whatever else goes wrong about the user.
        (None, None, [error("boom", "u0"), error(UNKNOWN, "m0")], Standing.USER_NOT_FOUND),
        (MISSING, MISSING, [error(UNKNOWN, "m0")], Standing.USER_NOT_FOUND),
        (None, account(), MISSING, Standing.PROFILE_HIDDEN),
        (None, account(), [error(UNKNOWN, "u0")], Standing.PROFILE_HIDDEN),
        (None, account(), [error("boom", "u0")], Standing.UNAVAILABLE),
        ([row()], None, [error("boom", "m0")], Standing.UNAVAILABLE),
        ([row()], account(), [error("boom", "m0", "userCalendar")], Standing.UNAVAILABLE),
        (None, None, [error("boom", "u0"), error("boom", "m0")], Standing.UNAVAILABLE),
        # An error that names no alias may be why there is a null.
        ([], None, [error("boom")], Standing.UNAVAILABLE),
        (None, account(), [error("boom")], Standing.UNAVAILABLE),
        (None, account(), [error("boom", "matchedUser")], Standing.UNAVAILABLE),
        (MISSING, account(), MISSING, Standing.UNAVAILABLE),
        ([row()], MISSING, MISSING, Standing.UNAVAILABLE),
        (MISSING, MISSING, MISSING, Standing.UNAVAILABLE),
        ([row()], account("mallory"), MISSING, Standing.UNAVAILABLE),
        # An account that does not say its name is there all the same.
        ([row()], account(None), MISSING, Standing.VISIBLE),
        ([row()], {}, MISSING, Standing.VISIBLE),
        ({"rows": []}, account(), MISSING, Standing.UNAVAILABLE),
        ([row()], "alice", MISSING, Standing.UNAVAILABLE),
        ([row()], [], MISSING, Standing.UNAVAILABLE),
    ],
)
def test_an_answer_says_how_an_account_stands(listed: object, user: object, errors: object, standing: Standing) -> None:
    reply = reply_in(document(listed, user, errors))
    assert reply.standing is standing
    assert (reply.detail == "") == (standing is Standing.VISIBLE)


def test_rows_are_kept_however_the_account_stands() -> None:
    for user, errors in [(None, MISSING), (MISSING, MISSING), (account(), [error("boom", "m0")])]:
        assert reply_in(document([row()], user, errors)).rows == (Row("1", "two-sum", NOON + 1),)


def test_rows_of_another_user_are_not_the_members() -> None:
    reply = reply_in(document([row()], account("mallory\n\x00")))
    assert reply == Reply("alice", Standing.UNAVAILABLE, detail="LeetCode answered about another user (mallory)")


def test_an_error_is_told_in_its_own_words() -> None:
    reply = reply_in(document(None, None, [error("resolver\nfailed", "u0")]))
    assert reply.detail == "LeetCode answered with an error about this member: resolver failed"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"id": "7", "titleSlug": "two-sum", "timestamp": str(NOON)}, Row("7", "two-sum", NOON)),
        ({"id": 7, "titleSlug": "two-sum", "timestamp": NOON}, Row("7", "two-sum", NOON)),
        ({"id": "7", "titleSlug": "two-sum", "timestamp": NOON + 0.9}, Row("7", "two-sum", NOON)),
        ({"id": True, "titleSlug": 5, "timestamp": True}, Row(None, None, None)),
        ({"id": "", "titleSlug": "", "timestamp": ""}, Row(None, None, None)),
        ({"id": None, "titleSlug": None, "timestamp": None}, Row(None, None, None)),
        ({"id": {}, "titleSlug": [], "timestamp": {}}, Row(None, None, None)),
        # What a database cannot hold.
        ({"id": "7\x00", "titleSlug": "two\ud83dsum", "timestamp": "0"}, Row(None, None, None)),
        ({"id": "7" * 501, "titleSlug": "x" * 501, "timestamp": "9" * 5000}, Row(None, None, None)),
        ({}, Row(None, None, None)),
        ("two-sum", Row(None, None, None)),
        (None, Row(None, None, None)),
        ([], Row(None, None, None)),
    ],
)
def test_a_row_keeps_what_is_usable_of_it(found: object, expected: Row) -> None:
    assert reply_in(document([found, row()], account())).rows == (expected, Row("1", "two-sum", NOON + 1))


@pytest.mark.parametrize(
    "timestamp",
    [
        *("yesterday", "-5", "+5", "1_793_016_000", " 1793016000", "1793016000.0", "१७९३", "²", str(NOON * 1000)),
        *(-5, 0, 0.5, 1e300, float("inf"), float("nan"), 2**63, NOON * 1000),
    ],
)
def test_a_time_that_is_no_second_since_1970_is_none(timestamp: object) -> None:
    reply = reply_in(document([{"id": "7", "titleSlug": "two-sum", "timestamp": timestamp}], account()))
    assert reply.rows == (Row("7", "two-sum", None),)


def test_an_empty_list_comes_with_the_dates_on_which_the_calendar_shows_activity() -> None:
    # 1792972800 is 2026-10-26 00:00 UTC, 1792886400 a day before.
    calendar = orjson.dumps({"1792972800": 3, "1792886400": 0, "junk": 1, "-1": 1, "9" * 30: 1}).decode()
    reply = reply_in(document([], account(calendar=calendar)))
    assert reply == Reply("alice", Standing.VISIBLE, (), frozenset({date(2026, 10, 26)}))


def test_the_calendars_of_two_years_are_joined() -> None:
    # 1767139200 is 2025-12-31 00:00 UTC.
    user = account(calendar='{"1767139200": 1}') | {"userCalendar2026": {"submissionCalendar": '{"1792972800": 1}'}}
    reply = reply_in(document([], user), years=(2025, 2026))
    assert reply.active_dates == {date(2025, 12, 31), date(2026, 10, 26)}


@pytest.mark.parametrize("calendar", ["", "[]", "{", "5", 5, '{"a": '])
def test_an_empty_list_beside_a_calendar_that_cannot_be_read_proves_nothing(calendar: object) -> None:
    assert reply_in(document([], account(calendar=calendar))).standing is Standing.UNAVAILABLE
    assert reply_in(document([row()], account(calendar=calendar))).standing is Standing.VISIBLE


@pytest.mark.parametrize(
    ("user", "years"),
    [
        ({"username": "alice"}, (2026,)),
        ({"username": "alice", "userCalendar": None}, (2026,)),
        (account(calendar=None), (2026,)),
        (account(), (2025, 2026)),
    ],
)
def test_a_calendar_that_is_not_there_shows_no_activity(user: object, years: tuple[int, ...]) -> None:
    assert reply_in(document([], user), years) == Reply("alice", Standing.VISIBLE, (), frozenset())


def test_without_a_year_no_calendar_is_wanted() -> None:
    assert reply_in(document([], {"username": "alice"}), years=()).standing is Standing.VISIBLE


def test_only_those_whom_errors_without_data_name_are_spoken_for() -> None:
    errors = [error(UNKNOWN, "m0"), error("boom", "u2")]
    nothing: tuple[object, ...] = (None, {}, "junk")
    for data in nothing:
        replies = replies_in({"data": data, "errors": errors}, ["alice", "bob", "carol"], [2026])
        assert not isinstance(replies, Refusal)
        assert {handle: reply.standing for handle, reply in replies.items()} == {
            "alice": Standing.USER_NOT_FOUND,
            "carol": Standing.UNAVAILABLE,
        }


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([error("Cannot query field")], RefusalKind.BAD_QUERY),
        ([error("boom", "m7")], RefusalKind.BAD_QUERY),
        ([error("boom", 0)], RefusalKind.BAD_QUERY),
        ("boom", RefusalKind.BAD_QUERY),
        ([None], RefusalKind.BAD_QUERY),
        ([], RefusalKind.RETRY_LATER),
        (None, RefusalKind.RETRY_LATER),
    ],
)
def test_an_answer_about_nobody_refuses_the_whole_request(errors: object, kind: RefusalKind) -> None:
    for answer in ({"data": None, "errors": errors}, {"errors": errors}, {"data": {}, "errors": errors}):
        replies = replies_in(answer, ["alice", "bob"], [2026])
        assert isinstance(replies, Refusal)
        assert replies.kind is kind


def test_one_member_whose_data_break_the_parser_spoils_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    readable = answers._row

    def break_on_dynamite(found: object) -> Row:
        if found == "dynamite":
            raise ZeroDivisionError
        return readable(found)

    monkeypatch.setattr(answers, "_row", break_on_dynamite)
    reply = reply_in(document(["dynamite"], account()))
    assert reply.standing is Standing.UNAVAILABLE
    assert "ZeroDivisionError" in reply.detail


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(UNKNOWN),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["u0", "m0", "id", "titleSlug", "timestamp", "username", "userCalendar", "submissionCalendar"]
            )
            | st.sampled_from(["message", "path", "data", "errors"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(junk, junk, junk)
def test_nothing_that_json_can_say_about_one_member_raises_or_touches_another(
    listed: object, user: object, errors: object
) -> None:
    errors = errors if isinstance(errors, list) else [errors]
    replies = replies_in(document(listed, user, errors), ["alice", "bob"], [2026])
    assert not isinstance(replies, Refusal)
    assert replies.keys() == {"alice", "bob"}
    assert replies["bob"].standing is Standing.VISIBLE


@given(st.dictionaries(st.sampled_from(["data", "errors"]), junk))
def test_no_document_raises(answer: dict[str, Any]) -> None:
    replies_in(answer, ["alice"], [2026])
