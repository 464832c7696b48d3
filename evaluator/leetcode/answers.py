"""What LeetCode's answers say about members.

Whatever an answer holds, nothing here raises: what cannot be read costs a field, a row or one member, never the others.

A member's two aliases, the account and the list of recent solves, mean:

    account                list           the member is
    null, "does not exist" any            USER_NOT_FOUND
    of another user        any            UNAVAILABLE, and the rows are not the member's
    any                    any            UNAVAILABLE, if an error other than "does not exist" names either of them,
                                          or the answer leaves one of them out
    null                   any            USER_NOT_FOUND *
    there                  null           PROFILE_HIDDEN *
    there                  empty          VISIBLE, with the calendar; UNAVAILABLE if it is there and cannot be read
    there                  rows           VISIBLE

    * UNAVAILABLE, if there are errors that name no alias: the null may be their doing

Where one member is asked about, and "does not exist" is all that is said, it is of that member.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import orjson

from evaluator.domain.challenge import handle_key
from evaluator.domain.evidence import Reply, Row, Standing
from evaluator.leetcode.document import Errors, identity, is_of_nobody, means_unknown, open_document, second, text
from evaluator.leetcode.queries import calendar_fields, list_alias, user_alias
from evaluator.leetcode.refusal import Document, Refusal, plain

_UNKNOWN = "LeetCode knows no user of this name"
_UNUSABLE = Row(None, None, None)


def replies_in(document: Document, handles: Sequence[str], years: Sequence[int]) -> dict[str, Reply] | Refusal:
    """What an answer says about `handles`, in the order in which they were asked for.

    An answer with nothing but errors speaks for the handles that they name; the others are left out.
    """
    opened = open_document(
        document, {alias(index) for index in range(len(handles)) for alias in (list_alias, user_alias)}
    )
    if isinstance(opened, Refusal):
        if len(handles) == 1 and is_of_nobody(document):
            return {handles[0]: Reply(handles[0], Standing.USER_NOT_FOUND, detail=_UNKNOWN)}
        return opened
    data, errors = opened
    calendars = calendar_fields(years)
    replies = {}
    for index, handle in enumerate(handles):
        if data or errors.about.keys() & {list_alias(index), user_alias(index)}:
            try:
                replies[handle] = _reply(handle, index, data, errors, calendars)
            except Exception as error:  # noqa: BLE001  # whatever one member's data do, the others have their replies
                detail = f"LeetCode's answer about this member cannot be read ({type(error).__name__})"
                replies[handle] = Reply(handle, Standing.UNAVAILABLE, detail=detail)
    return replies


def _reply(handle: str, index: int, data: Mapping[str, Any], errors: Errors, calendars: Sequence[str]) -> Reply:
    user, listed = data.get(user_alias(index)), data.get(list_alias(index))
    if isinstance(user, dict) and not _is_of(user, handle):
        named = plain(str(user.get("username")), 40)
        return Reply(handle, Standing.UNAVAILABLE, detail=f"LeetCode answered about another user ({named})")
    rows = tuple([_row(row) for row in listed]) if isinstance(listed, list) else ()
    standing, detail = _standing(index, data, errors)
    if standing is Standing.VISIBLE and not rows:
        active = _active_dates(user, calendars)
        if active is None:
            standing, detail = Standing.UNAVAILABLE, "LeetCode shows no solves, and no calendar to check that against"
        return Reply(handle, standing, rows, active or frozenset(), detail)
    return Reply(handle, standing, rows, frozenset(), detail)


def _standing(index: int, data: Mapping[str, Any], errors: Errors) -> tuple[Standing, str]:
    """The first line of the table above that applies, but for other users and empty lists."""
    user, about_user = data.get(user_alias(index)), errors.about.get(user_alias(index), ())
    listed, about_list = data.get(list_alias(index)), errors.about.get(list_alias(index), ())
    if user is None and any(means_unknown(said) for said in about_user):
        return Standing.USER_NOT_FOUND, _UNKNOWN
    for said in (*about_user, *about_list):
        if not means_unknown(said):
            return Standing.UNAVAILABLE, f"LeetCode answered with an error about this member: {said}"
    if not {user_alias(index), list_alias(index)} <= data.keys():
        return Standing.UNAVAILABLE, "LeetCode's answer leaves this member out"
    if (user is None or listed is None) and errors.loose:
        return Standing.UNAVAILABLE, f"LeetCode answered with an error: {errors.loose}"
    if user is None:
        return Standing.USER_NOT_FOUND, _UNKNOWN
    if not isinstance(user, dict) or not isinstance(listed, list | None):
        return Standing.UNAVAILABLE, "LeetCode's answer about this member cannot be read"
    if listed is None:
        return Standing.PROFILE_HIDDEN, "LeetCode shows the user, but not what the user solved"
    return Standing.VISIBLE, ""


def _is_of(user: Mapping[str, Any], handle: str) -> bool:
    username = user.get("username")
    return username is None or (isinstance(username, str) and handle_key(username) == handle_key(handle))


def _row(row: object) -> Row:
    if not isinstance(row, dict):
        return _UNUSABLE
    return Row(identity(row.get("id")), text(row.get("titleSlug")), second(row.get("timestamp")))


def _active_dates(user: object, calendars: Sequence[str]) -> frozenset[date] | None:
    """The UTC dates on which the account's calendars show activity, none where there is no calendar.

    None where one of them cannot be read.
    """
    active: set[date] = set()
    for field in calendars:
        calendar = user.get(field) if isinstance(user, dict) else None
        days = calendar.get("submissionCalendar") if isinstance(calendar, dict) else None
        if calendar is None or (isinstance(calendar, dict) and days is None):
            continue
        try:
            days = orjson.loads(days) if isinstance(days, str) else days
        except orjson.JSONDecodeError:
            return None
        if not isinstance(days, dict):
            return None
        for midnight, count in days.items():
            at = second(midnight)
            if at is not None and count != 0:
                active.add(datetime.fromtimestamp(at, UTC).date())
    return frozenset(active)
