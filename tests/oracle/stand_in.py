"""LeetCode as a world has it, as the evaluator's use cases ask for it: its documents go through our own parser."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from evaluator.domain.rules import Difficulty
from evaluator.leetcode.answers import replies_in
from evaluator.leetcode.client import Answers
from evaluator.leetcode.queries import calendar_fields, list_alias, user_alias
from evaluator.leetcode.refusal import Refusal, RefusalKind
from tests.oracle.model import Answer, Row
from tests.oracle.world import World


class StandIn:
    """Answers about a world at the instant `now`, and keeps what it said, each handle once an instant."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = 0
        self.given: dict[tuple[str, int], Answer] = {}

    def recent_solves(self, handles: Sequence[str], years: Sequence[int]) -> Answers:
        said = [self.world.answer(handle, self.now) for handle in handles]
        for answer in said:
            self.given.setdefault((answer.handle.lower(), self.now), answer)
        if any(answer.error == "outage" for answer in said):
            return Answers({}, Refusal(RefusalKind.RETRY_LATER, "LeetCode is down"), self.now)
        replies = replies_in(_document(said, years), handles, years)
        assert not isinstance(replies, Refusal)
        return Answers(replies, None, self.now)

    def difficulties(self, slugs: Sequence[str]) -> Mapping[str, Difficulty] | Refusal:
        known = self.world.catalogue(self.now)
        return {slug: Difficulty(known[slug]) for slug in slugs if slug in known}


def _document(answers: Sequence[Answer], years: Sequence[int]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    errors: list[dict[str, Any]] = []
    for index, answer in enumerate(answers):
        user, rows = user_alias(index), list_alias(index)
        data[user] = data[rows] = None
        if answer.error == "alias":
            errors.append({"message": "Something went wrong.", "path": [rows]})
        elif answer.user == "missing":
            errors.append({"message": "That user does not exist.", "path": [user]})
        else:
            data[user] = {"username": answer.handle} | _calendars(answer.active, years)
        if answer.rows is not None:
            data[rows] = [_row(row) for row in answer.rows]
    return {"data": data, "errors": errors} if errors else {"data": data}


def _calendars(active: frozenset[date] | None, years: Sequence[int]) -> dict[str, Any]:
    if active is None:
        return dict.fromkeys(calendar_fields(years))
    return {
        field: {"submissionCalendar": json.dumps({_midnight(day): 1 for day in active if day.year == year})}
        for field, year in zip(calendar_fields(years), years, strict=True)
    }


def _midnight(day: date) -> str:
    return str(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()))


def _row(row: Row) -> dict[str, object]:
    fields = {"id": row.id, "titleSlug": row.slug, "timestamp": row.timestamp}
    return {name: value for name, value in fields.items() if value is not None}
