"""What LeetCode says about its problems: how hard some are, and the catalogue page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.domain.problem import Problem
from evaluator.domain.rules import Difficulty
from evaluator.leetcode.document import identity, means_unknown, open_document, text
from evaluator.leetcode.queries import CATALOGUE, question_alias
from evaluator.leetcode.refusal import Document, Refusal, RefusalKind

_DIFFICULTIES = {str(difficulty): difficulty for difficulty in Difficulty}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the catalogue.

    It had `row_count` rows, of which `problems` could be read; the whole catalogue has `total`.
    """

    problems: tuple[Problem, ...]
    row_count: int
    total: int


def difficulties_in(document: Document, slugs: Sequence[str]) -> dict[str, Difficulty | None] | Refusal:
    """How hard the problems `slugs` are, None where LeetCode cannot tell.

    An answer with nothing but errors speaks for the slugs that they name; the others are left out. If none of them says
    that a problem does not exist, LeetCode is at fault.
    """
    opened = open_document(document, {question_alias(index) for index in range(len(slugs))})
    if isinstance(opened, Refusal):
        return opened
    data, errors = opened
    said = [message for messages in errors.about.values() for message in messages]
    if said and not any(data.values()) and not any(map(means_unknown, said)):
        return Refusal(RefusalKind.RETRY_LATER, f"LeetCode answered with errors about the problems: {said[0]}")
    return {
        slug: _difficulty(data.get(question_alias(index)))
        for index, slug in enumerate(slugs)
        if data or question_alias(index) in errors.about
    }


def page_in(document: Document) -> Page | Refusal:
    opened = open_document(document, {CATALOGUE})
    if isinstance(opened, Refusal):
        return opened
    data, errors = opened
    listed = data.get(CATALOGUE)
    rows, total = (listed.get("questions"), listed.get("total")) if isinstance(listed, dict) else (None, None)
    if not isinstance(rows, list) or not isinstance(total, int):
        said, *_ = errors.about.get(CATALOGUE) or [errors.loose or "no list of problems"]
        return Refusal(RefusalKind.RETRY_LATER, f"LeetCode answered without a page of its problems: {said}")
    return Page(tuple(problem for row in rows if (problem := _problem(row))), len(rows), total)


def _difficulty(question: object) -> Difficulty | None:
    difficulty = question.get("difficulty") if isinstance(question, dict) else None
    return _DIFFICULTIES.get(difficulty) if isinstance(difficulty, str) else None


def _problem(row: object) -> Problem | None:
    if not isinstance(row, dict):
        return None
    slug, difficulty = text(row.get("titleSlug")), _difficulty(row)
    if slug is None or difficulty is None:
        return None
    frontend_id, title = identity(row.get("questionFrontendId")), text(row.get("title"))
    return Problem(slug, frontend_id or "", title or slug, difficulty, row.get("isPaidOnly") is True)
