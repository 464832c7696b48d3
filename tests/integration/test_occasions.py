"""Enqueue as Jobs of Kubernetes start it: by their name, or a day in the environment, and never by an option."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import orjson
import pytest

from evaluator.domain.rules import Rules
from tests.integration.stage import Stage

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 3)
MARCH: dict[str, Any] = {"starts": FIRST, "ends": LAST, "timezone": "Etc/UTC", "rules": Rules(penalty=500)}
JOB = "evaluator-enqueue"
LONG_OVER = f"{JOB}-29884440"
"""As the CronJob's controller would have named a Job of 2026-10-27T02:00:00Z."""


def queued(stage: Stage, *words: str, **environment: str) -> list[str]:
    document = stage.evaluator("enqueue", "--json", *words, **environment).json()
    return [f"{run['challenge']} {run['day']}" for run in document["queued"]]


def test_a_job_named_after_a_day_settles_that_day_of_every_challenge_and_no_other(stage: Stage) -> None:
    for challenge in ("grind", "spree"):
        stage.scene.challenge(challenge, ["idle-ann"], **MARCH)
    stage.scene.challenge("later", ["idle-ann"], **MARCH | {"starts": date(2026, 3, 2)})
    assert queued(stage, JOB_NAME=f"{JOB}-2026-03-01") == ["grind 2026-03-01", "spree 2026-03-01"]
    assert queued(stage, JOB_NAME=f"{JOB}-again-2026-03-01") == []
    assert queued(stage, "-c", "later", JOB_NAME=f"{JOB}-2026-03-02") == ["later 2026-03-02"]
    assert len(stage.messages("challenges")) == 3


def test_a_day_in_the_environment_wins_over_the_name_and_an_option_over_both(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    both = {"EVALUATION_DAY": "2026-03-02", "JOB_NAME": f"{JOB}-2026-03-01"}
    assert queued(stage, **both) == ["grind 2026-03-02"]
    assert queued(stage, "--day", "2026-03-03", **both) == ["grind 2026-03-03"]
    assert queued(stage, "--day", "2026-03-01", EVALUATION_DAY="nonsense") == ["grind 2026-03-01"]


@pytest.mark.parametrize("name", [LONG_OVER, JOB, f"{JOB}-x7k2p", f"{JOB}-999999999999", f"{JOB}-0"])
def test_a_job_with_any_other_name_settles_everything_that_is_due(stage: Stage, name: str) -> None:
    """A scheduled one too, however late it starts: what was due then is due now, and so is what was missed."""
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    assert queued(stage, JOB_NAME=name) == ["grind 2026-03-01", "grind 2026-03-02", "grind 2026-03-03"]


def test_a_scheduled_job_is_told_from_a_command_and_logs_how_late_it_is(stage: Stage) -> None:
    scheduled = int(time.time()) // 60 - 90
    ended = stage.evaluator("enqueue", JOB_NAME=f"{JOB}-{scheduled}", LOG_FORMAT="json")
    (line,) = map(orjson.loads, ended.err.splitlines())
    assert (ended.code, line["event"]) == (0, "Enqueue was scheduled")
    assert line["scheduled"] == time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(scheduled * 60))
    assert 90 * 60 <= line["late_seconds"] < 92 * 60
    assert stage.rows("SELECT by FROM enqueues") == [("cronjob",)]
    stage.evaluator("enqueue", JOB_NAME=f"{JOB}-by-hand")
    assert stage.rows("SELECT by FROM enqueues ORDER BY by") == [("command",), ("cronjob",)]


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"EVALUATION_DAY": "yesterday"}, "EVALUATION_DAY='yesterday' is not a date"),
        ({"JOB_NAME": f"{JOB}-2026-02-30"}, f"JOB_NAME='{JOB}-2026-02-30' ends in 2026-02-30, which is not a date"),
    ],
)
def test_a_day_that_there_is_not_is_a_wrong_setting(stage: Stage, environment: dict[str, str], told: str) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    ended = stage.evaluator("enqueue", **environment)
    assert ended == (78, "", f"{told}; write it as 2026-11-20\n")
    assert stage.states("grind") == []


def test_a_day_that_is_not_due_everywhere_is_refused_by_name_where_it_is_not(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    stage.scene.challenge("future", ["idle-ann"], **MARCH | {"ends": date(9998, 1, 2)})
    ended = stage.evaluator("enqueue", JOB_NAME=f"{JOB}-9998-01-01", LOG_LEVEL="ERROR")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "challenge future: 9998-01-01 is not due yet in Etc/UTC; try again later\n"


def test_why_a_day_is_not_queued_is_told(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    stage.at("2026-03-05T12:00Z")
    stage.settle("grind", FIRST)
    nothing = "Successfully queued 0 challenge evaluation jobs"
    settled = "grind 2026-03-01 is settled already; --reevaluate (`reevaluate` of the API) asks LeetCode again"
    assert stage.evaluator("enqueue", "-d", "2026-03-01").out.splitlines() == [nothing, settled]
    assert stage.evaluator("enqueue", JOB_NAME=f"{JOB}-2026-03-01").out.splitlines() == [nothing, settled]
    assert "settled already" not in stage.evaluator("enqueue", "-d", "2026-03-01", "--reevaluate").out
    stage.evaluator("enqueue", "-d", "2026-03-02")
    at_work = stage.evaluator("enqueue", "-d", "2026-03-02").out.splitlines()
    assert at_work == [nothing, "2026-03-02 of 1 challenge is queued or at work already"]
    nobodys = stage.evaluator("enqueue", "-d", "2026-02-28").out.splitlines()
    assert nobodys == [nothing, "2026-02-28 is no challenge's day, cancelled ones left out"]


def test_why_nothing_of_a_challenge_is_queued_is_told(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    stage.scene.challenge("future", ["idle-ann"], **MARCH | {"starts": date(9998, 1, 1), "ends": date(9998, 1, 2)})
    nothing = "Successfully queued 0 challenge evaluation jobs"
    early = stage.evaluator("enqueue", "-c", "future").out.splitlines()
    assert early == [nothing, "future has no day that is due and not settled"]
    stage.evaluator("enqueue", "-c", "grind")
    at_work = stage.evaluator("enqueue", "-c", "grind").out.splitlines()
    assert at_work == [nothing, "3 days of grind are queued or at work already"]
    stage.scene.challenge("spring", ["idle-ann"], **MARCH)
    beside = stage.evaluator("enqueue", "-d", "2026-03-01").out.splitlines()
    assert beside[1:] == [
        "Successfully queued 1 challenge evaluation jobs",
        "2026-03-01 of 1 challenge is queued or at work already",
    ]
    stage.scene.challenge("grind", ["idle-ann"], cancelled=True, **MARCH)
    told = [nothing, "grind is cancelled: nothing more of it is settled"]
    said = stage.evaluator("enqueue", "-c", "grind")
    assert (said.out.splitlines(), said.err) == (told, "")
    assert stage.evaluator("enqueue", "-c", "grind", "--json").json()["notes"] == told[1:]
    assert stage.evaluator("enqueue", "-c", "grind", "-d", "2026-03-01").out.splitlines() == told
