"""Commands as people and scripts meet them: help, mistakes, services that are away, exit codes, signals."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import date
from typing import Any

import orjson
import pytest

from evaluator.cli.__main__ import _COMMANDS as COMMANDS
from evaluator.domain.rules import Rules
from tests.integration.program import Program, until
from tests.integration.stage import Stage

MARCH: dict[str, Any] = {
    "starts": date(2026, 3, 1),
    "ends": date(2026, 3, 2),
    "timezone": "Etc/UTC",
    "rules": Rules(penalty=500),
}
NOW = "2026-03-05T12:00Z"
GROUPS = {"queue": ("stats", "failed", "pending", "retry", "clear", "pause", "resume"), "problems": ("sync",)}
REASON = "for the reason above. Is another --port free?"
NO_POSTGRES = {"DATABASE_URL": "postgresql://u:pw@127.0.0.1:1/x"}
NO_REDIS = {"REDIS_URL": "redis://127.0.0.1:1/0"}


def words_of(command: str) -> list[list[str]]:
    return [[command, sub] for sub in GROUPS[command]] if command in GROUPS else [[command]]


def test_the_program_alone_and_its_help_list_every_command(evaluator: Program) -> None:
    for words in ([], ["--help"]):
        shown = evaluator(*words)
        text = shown.out + shown.err
        assert [command for command in COMMANDS if command not in text] == []
        assert "Settles daily LeetCode challenges" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(evaluator: Program, command: str) -> None:
    for words in words_of(command):
        shown = evaluator(*words, "--help", COLUMNS="300")
        assert (shown.code, shown.err) == (0, "")
        assert "Example: " in shown.out
        assert f"evaluator {' '.join(words)}" in shown.out.partition("Example: ")[2]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["queue", "frobnicate"], "No such command 'frobnicate'"),
        (["enqueue", "--frobnicate"], "No such option: --frobnicate"),
        (["enqueue", "--day", "yesterday"], "'yesterday' is not a date; write it as 2026-11-20"),
        (["verdicts"], "Missing option '--challenge'"),
        (["verdicts", "-c", "grind", "-d", "2026-02-30"], "'2026-02-30' is not a date; write it as 2026-11-20"),
        (["explain", "grind", "ann"], "Missing argument 'DAY'"),
        (["override", "grind", "ann", "2026-03-01"], "give --outcome with --reason, or --clear alone"),
        (["override", "grind", "ann", "2026-03-01", "--outcome", "passed"], "give --outcome with --reason"),
        (["override", "grind", "ann", "2026-03-01", "--outcome", "passed", "--reason", " "], "give --outcome"),
        (["override", "grind", "ann", "2026-03-01", "--outcome", "passed", "--clear"], "give --outcome"),
        (
            ["override", "grind", "ann", "2026-03-01", "--outcome", "pending", "--reason", "x"],
            "'pending' is no outcome",
        ),
        (["worker", "--queue", "nothing"], "nothing: there are the queues challenges, members"),
        (["apply"], "Missing option '--file'"),
        (["apply", "-f", "none.yaml"], "none.yaml cannot be read: No such file or directory"),
        (["scheduler", "--every", "0"], "Invalid value for '--every': Input should be greater than or equal to 1"),
        (["server", "--port", "http"], "Invalid value for '--port': Input should be a valid integer"),
        (["queue", "failed", "--limit", "0"], "Invalid value for '--limit'"),
        (["ping", "--queue", "nothing"], "'nothing' is not one of 'challenges', 'members'"),
        (["migrate", "60"], "SECONDS are how long to wait: they go with --wait"),
    ],
)
def test_a_wrong_use_is_told_and_ends_with_2(evaluator: Program, words: list[str], told: str) -> None:
    ended = evaluator(*words, COLUMNS="300")
    assert ended.code == 2
    assert told in ended.err
    assert "Traceback" not in ended.err


ALL = [
    ["migrate"],
    ["enqueue"],
    ["worker"],
    ["server"],
    ["scheduler"],
    ["verdicts", "-c", "grind"],
    ["standings", "-c", "grind"],
    ["explain", "grind", "ann", "2026-03-01"],
    ["override", "grind", "ann", "2026-03-01", "--clear"],
    ["queue", "stats"],
    ["queue", "failed"],
    ["queue", "pending"],
    ["queue", "retry"],
    ["queue", "clear"],
    ["queue", "pause"],
    ["queue", "resume"],
    ["problems", "sync"],
    ["sync-run"],
]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_without_postgres_one_line_says_where_it_should_be(
    evaluator: Program, redis_url: str, words: list[str]
) -> None:
    ended = evaluator(*words, **NO_POSTGRES, REDIS_URL=redis_url)
    assert (ended.code, ended.out) == (75, "")
    *others, line = ended.err.splitlines()
    assert line.startswith("PostgreSQL at 127.0.0.1:1 (DATABASE_URL) does not answer: ")
    assert line.endswith("may be reached, and the user, password and database in DATABASE_URL, then try again")
    assert [one.partition(":")[0] for one in others] == (["sync-run is deprecated"] if words == ["sync-run"] else [])


def test_without_postgres_an_apply_says_where_it_should_be(evaluator: Program) -> None:
    file = "challenges: [{id: a, timezone: Etc/UTC, starts: 2026-03-01, ends: 2026-03-02, members: [{handle: ann}]}]"
    ended = evaluator("apply", "-f", "-", stdin=file, **NO_POSTGRES)
    assert (ended.code, ended.out) == (75, "")
    assert ended.err.startswith("PostgreSQL at 127.0.0.1:1 (DATABASE_URL) does not answer: ")
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("words", [["enqueue"], ["worker"], ["sync-run"], ["queue", "retry"]], ids=" ".join)
def test_without_redis_one_line_says_where_it_should_be(stage: Stage, words: list[str]) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    if words == ["queue", "retry"]:
        stage.at(NOW)
        stage.settle()
        stage.scene.execute("UPDATE evaluations SET failed_at = now()")
    ended = stage.evaluator(*words, **NO_REDIS, LOG_LEVEL="WARNING")
    assert (ended.code, ended.out) == (75, "")
    *others, line = ended.err.splitlines()
    assert line.startswith("Redis at 127.0.0.1:1 does not answer: ")
    assert line.endswith("; check that it runs, REDIS_* and its password, then try again")
    assert len(others) == (words == ["sync-run"])


def test_what_was_queued_without_redis_is_sent_by_the_next_enqueue(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    assert stage.evaluator("enqueue", **NO_REDIS).code == 75
    assert stage.states("grind") == ["queued", "queued"]
    again = stage.evaluator("enqueue", "--json").json()
    notes = ["2 days are queued or at work already"]
    assert again == {"queued": [], "refused": [], "notes": notes, "left": None}
    assert len(stage.messages("challenges")) == 1


@pytest.mark.parametrize(
    "words", [["enqueue"], ["worker"], ["server"], ["scheduler"], ["queue", "stats"]], ids=" ".join
)
def test_without_the_schema_the_command_that_makes_it_is_named(
    stage: Stage, empty_database_url: str, words: list[str]
) -> None:
    ended = stage.evaluator(*words, DATABASE_URL=empty_database_url)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[0].startswith("The database's schema does not fit this version: ")
    assert ended.err.endswith("run `evaluator migrate`\n")


def test_doctor_finds_everything_well_and_what_is_not(stage: Stage, empty_database_url: str) -> None:
    def findings(code: int, **settings: str) -> dict[str, str]:
        ended = stage.evaluator("doctor", "--json", **settings)
        assert ended.code == code
        assert ended.err == ""
        found = orjson.loads(ended.out)
        return {one["check"]: one["detail"] for one in found if not one["ok"]}

    assert findings(0) == {}
    assert findings(1, DATABASE_URL=empty_database_url).keys() == {"schema", "queue", "challenges", "problems"}
    stage.evaluator("queue", "pause")
    assert findings(1) == {"queue": "paused; `evaluator queue resume` lets work go on"}
    stage.evaluator("queue", "resume")
    stage.leetcode.goes_wrong("blocked", times=1)
    (told,) = findings(1).values()
    assert "403" in told
    away = findings(75, **NO_POSTGRES)
    assert away["PostgreSQL"].startswith("PostgreSQL at 127.0.0.1:1 (DATABASE_URL) does not answer: ")
    assert away["schema"] == "not looked at, see above"
    away = findings(75, **NO_REDIS)
    assert away["Redis"].startswith("Redis at 127.0.0.1:1 does not answer: ")
    assert away.keys() == {"Redis", "queue", "workers", "LeetCode"}
    assert "ok   PostgreSQL  version" in stage.evaluator("doctor", "--no-leetcode").out


def test_enqueue_tells_what_it_queued_and_why_not(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    stage.scene.challenge("future", ["idle-ann"], **MARCH | {"starts": date(9998, 1, 1), "ends": date(9998, 1, 2)})
    queued = stage.evaluator("enqueue")
    assert queued.code == 0
    runs = [run for (run,) in stage.rows("SELECT id FROM runs ORDER BY day")]
    assert queued.out.splitlines() == [
        f"queued grind 2026-03-01 (run {runs[0]})",
        f"queued grind 2026-03-02 (run {runs[1]})",
        "Successfully queued 2 challenge evaluation jobs",
    ]
    refused = stage.evaluator("enqueue", "--challenge", "future", "--day", "9998-01-01", "--json", LOG_LEVEL="ERROR")
    assert refused.code == 1
    assert refused.err == "challenge future: 9998-01-01 is not due yet in Etc/UTC; try again later\n"
    assert orjson.loads(refused.out) == {"queued": [], "refused": [refused.err.strip()], "notes": [], "left": None}
    unknown = stage.evaluator("enqueue", "--challenge", "grnd", LOG_LEVEL="ERROR")
    assert unknown.code == 1
    assert unknown.err == "challenge grnd: there is none of that id; `evaluator apply` creates it\n"


def test_a_challenge_that_cannot_be_read_is_named_by_everybody_who_meets_it(stage: Stage) -> None:
    for challenge in ("broken", "grind"):
        stage.scene.challenge(challenge, ["idle-ann"], **MARCH)
    stage.scene.execute("UPDATE timezones SET timezone = 'Mars/Phobos' WHERE challenge_id = 'broken'")
    told = (
        "challenge broken: what is stored of it cannot be read (this machine knows no time zone 'Mars/Phobos'); "
        "correct its rows in the tables timezones and rules"
    )
    queued = stage.evaluator("enqueue", LOG_FORMAT="json")
    assert (queued.code, queued.out.count("queued grind")) == (1, 2)
    logged, refused = [line for line in map(orjson.loads, queued.err.splitlines()) if line["level"] == "error"]
    assert (logged["event"], logged["challenge"]) == ("Challenge cannot be read", "broken")
    assert refused["problem"] == told
    for words in (["verdicts", "--challenge", "broken"], ["standings", "--challenge", "broken"]):
        ended = stage.evaluator(*words)
        assert (ended.code, ended.err) == (1, f"{told}\n")
    ended = stage.evaluator("doctor", "--json", "--no-leetcode")
    assert ended.code == 1
    assert {"check": "challenges", "ok": False, "detail": told} in orjson.loads(ended.out)
    members = "members: [{handle: ann}]"
    file = f"challenges: [{{id: broken, timezone: Etc/UTC, starts: 2026-03-01, ends: 2026-03-02, {members}}}]"
    ended = stage.evaluator("apply", "--file", "-", stdin=file)
    assert (ended.code, told in ended.err) == (1, True)


def test_enqueue_waits_for_what_somebody_else_has_queued_too(stage: Stage) -> None:
    stage.at(NOW)
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    stage.enqueue()  # as the server of a cluster does every minute
    with stage.evaluator.running("enqueue", "--wait") as waiting:
        until(lambda: "Successfully queued 0 challenge evaluation jobs" in waiting.said())
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.process.wait(1.0)
        stage.hand.work()
        assert waiting.process.wait(30) == 0
    assert stage.completed("grind")


def test_a_single_evaluation_that_stays_pending_is_told_as_one(stage: Stage) -> None:
    stage.scene.challenge("grind", ["unknown-ann"], **MARCH | {"ends": date(2026, 3, 1)})
    with stage.evaluator.running("worker"):
        assert stage.evaluator("ping").code == 0
        waited = stage.evaluator("enqueue", "--wait", LOG_LEVEL="WARNING")
    assert waited.code == 0
    told = "1 evaluation is pending; it is tried again without anyone's doing, `evaluator explain` says why\n"
    assert waited.err == told


def test_a_program_that_waits_gets_one_document_at_the_end(stage: Stage) -> None:
    stage.scene.challenge("grind", ["unknown-ann", "idle-ben"], **MARCH | {"ends": date(2026, 3, 1)})
    with stage.evaluator.running("worker"):
        assert stage.evaluator("ping").code == 0
        waited = stage.evaluator("enqueue", "--wait", "--json").json()
    assert waited["left"] == {"pending": 1, "cancelled": 0}
    assert [(one["challenge"], one["day"]) for one in waited["queued"]] == [("grind", "2026-03-01")]


def test_who_waits_for_a_challenge_that_is_cancelled_is_told_so(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    with stage.evaluator.running("enqueue", "--wait", "--json") as waiting:
        until(lambda: "Successfully queued 2" in waiting.said())
        stage.scene.execute("UPDATE challenges SET cancelled = true")
        assert waiting.process.wait(30) == 0
        said = waiting.said()
    assert '"left": {\n    "pending": 0,\n    "cancelled": 2\n  }' in said
    assert "2 days were not finished: the challenge is cancelled" in said


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_gives_up_waiting_still_gets_the_document(stage: Stage, sent: signal.Signals, code: int) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    with stage.evaluator.running("enqueue", "--wait", "--json") as waiting:
        until(lambda: "Nothing moves: " in waiting.said())
        waiting.process.send_signal(sent)
        assert waiting.process.wait(30) == code
        said = waiting.said()
    assert said.count('"challenge": "grind"') == 2
    assert '"left": null' in said


def test_ctrl_c_among_the_imports_is_no_traceback() -> None:
    interrupted = (
        "import signal; from evaluator.cli import __main__, program\n"
        "program.build = lambda wanted: signal.raise_signal(signal.SIGINT)\n"
        "__main__.main()"
    )
    ended = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_a_day_outside_of_the_challenge_is_explained_in_a_sentence(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    assert stage.evaluator("explain", "grind", "idle-ann", "2026-03-03").out.splitlines() == [
        "idle-ann on Tuesday, 2026-03-03 in grind: no verdict",
        "2026-03-03 is not a day of this challenge, which lasts from 2026-03-01 to 2026-03-02.",
    ]


def test_override_sets_and_clears(stage: Stage) -> None:
    stage.at(NOW)
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    stage.settle()
    of = ("override", "grind", "idle-ann", "2026-03-01")
    done = stage.evaluator(*of, "--outcome", "passed", "--reason", "site was down", "--by", "ops")
    assert (done.code, done.out) == (0, "grind: idle-ann on 2026-03-01 is passed from now on\n")
    assert stage.verdicts("grind")["idle-ann", 1] == "passed/override"
    cleared = stage.evaluator(*of, "--clear")
    assert (cleared.code, cleared.out) == (0, "grind: idle-ann on 2026-03-01 is decided by LeetCode's answers again\n")
    assert stage.verdicts("grind")["idle-ann", 1] == "failed/not_enough"
    refused = stage.evaluator(*of, "--clear")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "idle-ann has no override on 2026-03-01 in challenge grind\n"
    assert stage.rows("SELECT set_by, reason FROM overrides") == [("ops", "site was down")]


def test_two_schedulers_do_what_one_would_and_stop_when_told_to(stage: Stage) -> None:
    stage.scene.challenge("grind", ["idle-ann"], **MARCH)
    with stage.evaluator.running("scheduler") as one, stage.evaluator.running("scheduler") as other:
        until(lambda: "Scheduler started" in one.said() and "Scheduler started" in other.said())
        until(lambda: stage.states("grind") == ["queued", "queued"])
        until(lambda: stage.value("SELECT count(*) FROM problems") > 1000)
        assert one.stop() == 0
        assert other.stop(signal.SIGINT) == 0
    said = one.said() + other.said()
    assert said.count("Successfully queued 2 challenge evaluation jobs") == 1
    assert len(stage.messages("challenges")) == 1
    assert "Traceback" not in said


def test_a_server_stops_at_ctrl_c_too(stage: Stage) -> None:
    with stage.evaluator.running("server", "--host", "127.0.0.1", "--port", "0") as server:
        until(lambda: "Uvicorn running" in server.said())
        assert server.stop(signal.SIGINT) == 0
    assert "Traceback" not in server.said()


def test_a_port_that_is_taken_is_told_and_its_server_stops_when_told_to(stage: Stage) -> None:
    with stage.evaluator.running("server", "--host", "127.0.0.1", "--port", "0") as server:
        until(lambda: "Uvicorn running" in server.said())
        port = server.said().partition("http://127.0.0.1:")[2].split()[0]
        taken = stage.evaluator("server", "--host", "127.0.0.1", "--port", port)
        assert server.stop(signal.SIGTERM) == 0
    assert taken.code == 1
    assert "address already in use" in taken.err
    assert taken.err.endswith(f"The server cannot serve on 127.0.0.1:{port}, {REASON}\n")
    assert "Traceback" not in taken.err
