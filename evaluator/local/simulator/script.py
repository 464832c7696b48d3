"""Users whose submissions are written down, by a test or in a file."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from evaluator.local.simulator.account import ACCEPTED, DAY, Account, Submission, Visibility, submission_id
from evaluator.local.simulator.catalogue import Catalogue
from evaluator.local.simulator.habits import Instant


class ScriptedSubmission(BaseModel):
    """One submission. `row` replaces fields of the answer by anything, such as `{"timestamp": "yesterday"}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str
    at: Instant
    id: str | None = None
    title: str | None = None
    status: str = ACCEPTED
    lang: str = "python3"
    row: dict[str, Any] = Field(default_factory=dict)


class ScriptedUser(BaseModel):
    """A user. With `generated`, what is written here comes on top of what the population makes of the handle."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    handle: str
    submissions: tuple[ScriptedSubmission, ...] = ()
    visibility: Visibility | None = None
    generated: bool = False


@dataclass(frozen=True, slots=True)
class ScriptedAccount:
    """The account of a scripted user; `rows` are newest first, `beneath` is the generated one if it shows too."""

    username: str
    visibility: Visibility
    rows: tuple[Submission, ...]
    beneath: Account | None

    def submissions(self, now: int) -> Iterator[Submission]:
        mine = (row for row in self.rows if row.at <= now)
        if self.beneath is None:
            return mine
        return heapq.merge(mine, self.beneath.submissions(now), key=lambda row: row.at, reverse=True)

    def calendar(self, year: int, now: int) -> Mapping[str, int]:
        found = Counter(self.beneath.calendar(year, now) if self.beneath else {})
        found.update(
            str(row.at // DAY * DAY)
            for row in self.rows
            if row.at <= now and datetime.fromtimestamp(row.at, UTC).year == year
        )
        return found


def scripted_account(user: ScriptedUser, generated: Account, mark: int, catalogue: Catalogue) -> ScriptedAccount:
    """The account of `user`; `generated` is the population's, `mark` goes into the ids of submissions without one."""
    rows = [_row(submission, mark, catalogue) for submission in user.submissions]
    return ScriptedAccount(
        user.handle,
        user.visibility or (generated.visibility if user.generated else Visibility.VISIBLE),
        tuple(sorted(rows, key=lambda row: row.at, reverse=True)),
        generated if user.generated else None,
    )


def _row(submission: ScriptedSubmission, mark: int, catalogue: Catalogue) -> Submission:
    at, problem = submission.at, catalogue.by_slug.get(submission.slug)
    row = Submission(
        at,
        submission.id or submission_id(at, mark),
        submission.title or (problem.title if problem else submission.slug),
        submission.slug,
        str(at),
        submission.status,
        submission.lang,
    )
    return row._replace(**submission.row)
