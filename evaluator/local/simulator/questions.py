"""Answers about problems."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from evaluator.local.simulator.catalogue import Problem
from evaluator.local.simulator.scene import Scene, Selections

SHOWN_PROBLEMS = 100
"""Problems in one page of the catalogue at most."""


def question(arguments: Mapping[str, Any], selections: Selections, scene: Scene) -> object:
    problem = scene.catalogue.by_slug.get(arguments["titleSlug"])
    return _problem(problem, selections) if problem else None


def question_list(arguments: Mapping[str, Any], selections: Selections, scene: Scene) -> object:
    wanted = (arguments.get("filters") or {}).get("difficulty")
    problems = [one for one in scene.catalogue.problems if wanted is None or one.difficulty.upper() == wanted]
    skip, limit = arguments.get("skip") or 0, arguments.get("limit")
    page = problems[skip : skip + min(limit if limit is not None else SHOWN_PROBLEMS, SHOWN_PROBLEMS)]
    return {
        field.key: len(problems)
        if field.name == "totalNum"
        else [_problem(problem, field.selections) for problem in page]
        for field in selections
    }


def daily_question(arguments: Mapping[str, Any], selections: Selections, scene: Scene) -> object:  # noqa: ARG001  # takes none
    today = datetime.fromtimestamp(scene.now, UTC).date()
    problem = scene.catalogue.daily(today)
    values = {"date": today.isoformat(), "link": f"/problems/{problem.slug}/"}
    return {
        field.key: _problem(problem, field.selections) if field.name == "question" else values[field.name]
        for field in selections
    }


def _problem(problem: Problem, selections: Selections) -> dict[str, Any]:
    values = {
        "questionId": problem.frontend_id,
        "questionFrontendId": problem.frontend_id,
        "title": problem.title,
        "titleSlug": problem.slug,
        "difficulty": problem.difficulty,
        "isPaidOnly": problem.paid_only,
        "acRate": 20 + zlib.crc32(problem.slug.encode()) % 6000 / 100,
        "topicTags": [],  # the packaged list has none
    }
    return {field.key: values[field.name] for field in selections}
