"""`evaluator top`, in terminals and in none: right figures while work goes on, services that are away, its end."""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from evaluator.local.postgres import embedded_postgres
from evaluator.local.redis import embedded_redis
from tests.integration.program import Program, until
from tests.integration.stage import Stage
from tests.integration.terminals import Terminal, terminal
from tests.integration.test_metrics import today

AWAY = {"DATABASE_URL": "postgresql://u:pw@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0"}


class Embedded(Protocol):
    """How a service of ours is started in a folder; it has the same address there each time."""

    def __call__(self, folder: Path, *, durable: bool) -> AbstractContextManager[str]: ...


@pytest.fixture
def busy(stage: Stage) -> Stage:
    """Two days that are due, of 65 members each, one of whom hides the profile."""
    stage.now = int(time.time())
    stage.leetcode.behaves(now=stage.now)
    members = ["hidden-ann", *(f"idle-{n}" for n in range(64))]
    stage.scene.challenge("grind", members, starts=today() - timedelta(days=2), timezone="UTC")
    return stage


def is_whole(frame: list[str], lines: int, columns: int) -> bool:
    return [len(line) for line in frame] == [columns] * lines


def test_it_shows_the_work_as_it_goes_and_when_it_is_done(busy: Stage) -> None:
    busy.leetcode.goes_wrong("user_error", handles=["idle-8"])
    with terminal(busy.evaluator, "top", "--interval", "0.5") as shown:
        frame = shown.shows("^left +nothing")
        assert is_whole(frame, 24, 80)
        assert any(re.match("days +2 due", line) for line in frame)

        assert busy.evaluator("enqueue").code == 0
        shown.shows("^left +130 evaluations, and no worker is alive")
        frame = shown.shows("^challenges +1 +0 +0 +0")
        assert is_whole(frame, 24, 80)
        assert any(re.match(r"at this rate +not before a worker", line) for line in frame)
        assert any(re.match(r"at the limit +done by \d\d:\d\d, .* before the next day, due", line) for line in frame)

        with busy.evaluator.running("worker"):
            shown.shows("^workers +1 alive")
            shown.shows("^left +nothing")
            shown.shows("^pending +4: profile_hidden 2, upstream_unavailable 2")
            frame = shown.shows("^open runs +none")  # a run is closed after its last evaluation
        assert is_whole(frame, 24, 80)
        assert any(re.match("evaluations +0 waiting, 0 active, 2 failed, 128 completed", line) for line in frame)
        days = {f"{today() - timedelta(days=ago)}" for ago in (1, 2)}
        failed = [re.match(r"(\S+ )?\d\d:\d\d +grind +idle-8 +(\S+) +\S", line) for line in frame]
        assert {one[2] for one in failed if one} == days


def test_an_open_run_is_shown_with_how_far_it_is(busy: Stage) -> None:
    busy.enqueue()
    for _ in range(3):  # a fan-out and two batches
        busy.hand.take()
    day = today() - timedelta(days=2)
    with terminal(busy.evaluator, "top", lines=30, columns=120) as shown:
        frame = shown.shows(rf"^grind +{day} +█+░+ +62% +40 of 65")
        assert is_whole(frame, 30, 120)
        assert any(re.match(r"at this rate +not before a worker", line) for line in frame)
        assert any(re.match("left +90 evaluations, and no worker is alive", line) for line in frame)
        assert busy.evaluator("queue", "pause").code == 0
        frame = shown.shows("^left +90 evaluations, paused by .* since")
        assert any(re.match("at this rate +not before `evaluator queue resume`", line) for line in frame)
        shown.resize(10, 40)
        until(lambda: is_whole(shown.frame(), 10, 40))


def ends(shown: Terminal) -> int:
    code = shown.process.wait(20)
    shown.listen()
    return code


@pytest.mark.parametrize(("keys", "sign", "code"), [("q", None, 0), ("\x03", None, 0), ("", signal.SIGTERM, 143)])
def test_it_ends_when_told_to_and_gives_the_terminal_back(
    evaluator: Program, keys: str, sign: signal.Signals | None, code: int
) -> None:
    with terminal(evaluator, "top", settings=AWAY) as shown:
        before = shown.modes()
        shown.shows("^evaluator")
        assert shown.modes() != before
        if sign:
            shown.process.send_signal(sign)
        else:
            shown.type(keys)
        assert ends(shown) == code
        assert shown.modes() == before
        assert shown.output.rindex("\x1b[?1049l") > shown.output.rindex("\x1b[?1049h")  # the other screen is left
        assert shown.output.rindex("\x1b[?25h") > shown.output.rindex("\x1b[?25l")  # and the cursor seen
        assert "Traceback" not in shown.output


def test_stopped_by_ctrl_z_it_gives_the_terminal_back_until_it_goes_on(evaluator: Program) -> None:
    with terminal(evaluator, "top", settings=AWAY) as shown:
        before = shown.modes()
        shown.shows("^evaluator")
        shown.type("\x1a")
        assert os.WIFSTOPPED(os.waitpid(shown.process.pid, os.WUNTRACED)[1])
        assert shown.modes() == before
        assert shown.listen().rindex("\x1b[?1049l") > shown.output.rindex("\x1b[?1049h")
        shown.process.send_signal(signal.SIGCONT)
        until(lambda: shown.listen().rindex("\x1b[?1049h") > shown.output.rindex("\x1b[?1049l"))
        shown.type("q")
        assert ends(shown) == 0
        assert shown.modes() == before


@pytest.mark.parametrize(
    ("service", "setting", "embedded", "there", "other"),
    [
        ("Redis", "REDIS_URL", embedded_redis, "workers +0 alive", "days +2 due"),
        ("PostgreSQL", "DATABASE_URL", embedded_postgres, "days +0 due", "workers +0 alive"),
    ],
)
def test_a_service_that_goes_away_is_told_and_comes_back_by_itself(
    busy: Stage, tmp_path: Path, service: str, setting: str, embedded: Embedded, there: str, other: str
) -> None:
    folder = tmp_path / "own"
    with embedded(folder, durable=False) as url:
        assert busy.evaluator("migrate", **{"DATABASE_URL": busy.database_url, setting: url}).code == 0
    with terminal(busy.evaluator, "top", "--interval", "0.5", settings={setting: url}) as shown:
        frame = shown.shows(rf"^away +for \d+ s: {service} at ")
        assert is_whole(frame, 24, 80)
        assert not any(re.match(there, line) for line in frame)
        shown.shows(f"^{other}")
        with embedded(folder, durable=False):
            frame = shown.shows(f"^{there}")
            assert not any(line.startswith("away") for line in frame)
        shown.shows(r"^away +for [1-9] s")


def test_without_a_terminal_it_is_one_plain_look(busy: Stage) -> None:
    assert busy.evaluator("enqueue").code == 0
    shown = busy.evaluator("top")
    assert (shown.code, shown.err) == (0, "")
    assert "\x1b" not in shown.out
    assert re.search("^left +130 evaluations, and no worker is alive$", shown.out, re.MULTILINE)
    assert "\x1b[?1049h" not in busy.evaluator("top", FORCE_COLOR="1").out
    with terminal(busy.evaluator, "top", "--once") as once:
        assert once.process.wait(20) == 0
        assert "130 evaluations" in once.listen()
        assert "\x1b[?1049h" not in once.output
        assert "\x1b[1;31m" in once.output  # colours, as it is a terminal


def test_for_programs_it_is_one_document(busy: Stage) -> None:
    busy.enqueue()
    for _ in range(3):
        busy.hand.take()
    told = busy.evaluator("top", "--json").json()
    assert told["away"] == {}
    assert told["ledger"]["work"] == {
        name: value
        for name, value in busy.evaluator("queue", "stats", "--json").json()["work"].items()
        if name != "workers_alive"
    } | {"drain_seconds_measured": told["ledger"]["work"]["drain_seconds_measured"]}
    assert told["ledger"]["work"]["left"] == 90
    day = f"{today() - timedelta(days=2)}"
    assert told["ledger"]["open_runs"] == [
        {"challenge": "grind", "day": day, "fanned_out": True, "left": 25, "total": 65}
    ]
    assert told["queue"]["messages"]["members"] == {"ready": 0, "in_flight": 0, "delayed": 0, "dead": 0}
    assert told["leetcode"]["limit"] == 1000
    assert told["ledger"]["members_per_second"] > 0


def test_what_is_away_is_null_and_ends_with_75(busy: Stage) -> None:
    shown = busy.evaluator("top", "--json", REDIS_URL=AWAY["REDIS_URL"])
    assert shown.code == 75
    assert re.search('"redis": "Redis at 127.0.0.1:1 does not answer', shown.out)
    assert '"queue": null' in shown.out
    assert '"days_due": 2' in shown.out
    shown = busy.evaluator("top", DATABASE_URL=AWAY["DATABASE_URL"])
    assert shown.code == 75
    assert re.search(r"^left +-$", shown.out, re.MULTILINE)
    assert re.search(r"^away +for \d s: PostgreSQL at 127.0.0.1:1 ", shown.out, re.MULTILINE)


def test_a_schema_that_does_not_fit_is_told(empty_database_url: str, evaluator: Program, redis_url: str) -> None:
    shown = evaluator("top", DATABASE_URL=empty_database_url, REDIS_URL=redis_url)
    assert "The database's schema does not fit this version" in shown.out
    assert "evaluator migrate" in shown.out


def test_no_colour_where_none_is_wanted(evaluator: Program) -> None:
    with terminal(evaluator, "top", settings={"NO_COLOR": "1", **AWAY}) as shown:
        shown.shows("^away")
        assert not re.search(r"\x1b\[[0-9;]*3[0-7]", shown.output)
