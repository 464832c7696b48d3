"""The simulator over HTTP: the shapes and habits of the real API, and everything that can go wrong with it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from evaluator.leetcode import queries
from evaluator.local.simulator.habits import Habits
from evaluator.local.simulator.server import Stage, serving

NOW = int(datetime(2026, 11, 24, 15, 30, tzinfo=UTC).timestamp())
MEMBERS = """query ($a: String!, $b: String!) {
  a: recentAcSubmissionList(username: $a, limit: 100) { id title titleSlug timestamp statusDisplay lang }
  ma: matchedUser(username: $a) { username }
  b: recentAcSubmissionList(username: $b, limit: 100) { id }
  mb: matchedUser(username: $b) { username }
}"""
PAIR = {"a": "diligent-ada", "b": "diligent-bob"}


class LeetCode:
    """A client of one simulator, of both its doors."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url = url
        self._session = session

    def post(self, query: str, variables: object = None, timeout: float = 10.0) -> requests.Response:
        body = {"query": query, "variables": variables}
        return self._session.post(self.url, json=body, timeout=timeout, allow_redirects=False)

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        response = self.post(query, variables)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def control(self, method: str, path: str, body: object = None, status: int | None = None) -> Any:
        response = self._session.request(
            method, self.url.replace("/graphql", f"/control/{path}"), json=body, timeout=10
        )
        assert response.status_code == (status or (201 if method == "POST" else 200)), response.text
        return response.json()

    def recent(self, handle: str) -> list[dict[str, Any]] | None:
        query = "query ($u: String!) { recentAcSubmissionList(username: $u, limit: 20) { id titleSlug timestamp } }"
        rows: list[dict[str, Any]] | None = self.ask(query, u=handle)["data"]["recentAcSubmissionList"]
        return rows

    def put(self, handle: str, *submissions: dict[str, object], **fields: object) -> None:
        self.control("PUT", f"users/{handle}", {"submissions": submissions, **fields})


@pytest.fixture(scope="module")
def shared_url() -> Iterator[str]:
    with serving(Stage(habits=Habits(now=NOW))) as url:
        yield url


@pytest.fixture
def leetcode(shared_url: str) -> Iterator[LeetCode]:
    """A simulator whose time stands at NOW, with no user, fault or habit left from another test."""
    with requests.Session() as session:
        client = LeetCode(shared_url, session)
        yield client
        client.control("DELETE", "faults")
        client.control("DELETE", "requests")
        client.control("PATCH", "habits", Habits(now=NOW).model_dump())


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


# The real API's shapes


def test_rows_have_strings_for_ids_and_times_and_come_newest_first(leetcode: LeetCode) -> None:
    answer = leetcode.ask(MEMBERS, **PAIR)
    assert list(answer) == ["data"]
    assert list(answer["data"]) == ["a", "ma", "b", "mb"]
    rows = answer["data"]["a"]
    assert list(rows[0]) == ["id", "title", "titleSlug", "timestamp", "statusDisplay", "lang"]
    assert all(isinstance(value, str) for row in rows for value in row.values())
    times = [int(row["timestamp"]) for row in rows]
    assert times == sorted(times, reverse=True)
    assert times[0] <= NOW
    assert answer["data"]["ma"] == {"username": "diligent-ada"}


def test_a_list_holds_twenty_rows_whatever_is_asked_for(leetcode: LeetCode) -> None:
    query = '{ %s: recentAcSubmissionList(username: "binge-ada", limit: %d) { id } }'
    assert [len(leetcode.ask(query % ("x", limit))["data"]["x"]) for limit in (100, 20, 3, 0)] == [20, 20, 3, 0]


def test_a_handle_is_found_in_any_case_and_written_as_the_account_has_it(leetcode: LeetCode) -> None:
    leetcode.put("CamelCase", {"slug": "two-sum", "at": NOW - 5})
    query = "query ($u: String!) { matchedUser(username: $u) { username } }"
    assert leetcode.ask(query, u="cAMELcASE")["data"]["matchedUser"] == {"username": "CamelCase"}
    assert leetcode.recent("camelcase") == leetcode.recent("CAMELCASE") != []


def test_an_unknown_user_is_null_with_an_error_that_names_the_alias(leetcode: LeetCode) -> None:
    answer = leetcode.ask(MEMBERS, a="unknown-ann", b="diligent-bob")
    error = {"message": "That user does not exist.", "path": ["ma"], "extensions": {"handled": True}}
    assert (answer["data"]["a"], answer["data"]["ma"], answer["errors"]) == ([], None, [error])
    assert answer["data"]["mb"] == {"username": "diligent-bob"}
    leetcode.control("PATCH", "habits", {"unknown_list": "null"})
    answer = leetcode.ask(MEMBERS, a="unknown-ann", b="diligent-bob")
    assert answer["data"]["a"] is None
    assert [error["path"] for error in answer["errors"]] == [["a"], ["ma"]]


def test_a_hidden_user_shows_a_calendar_and_an_empty_list_or_none(leetcode: LeetCode) -> None:
    query = """query ($u: String!) {
      recentAcSubmissionList(username: $u, limit: 20) { id }
      matchedUser(username: $u) { userCalendar(year: 2026) { totalActiveDays } }
    }"""
    solve = {"slug": "two-sum", "at": NOW - 5}
    leetcode.put("shy", solve, visibility="hidden_null")
    leetcode.put("meek", solve, visibility="hidden_empty")
    for handle, habit, shown in (
        ("hidden-ann", "empty", []),
        ("hidden-ann", "null", None),
        ("shy", "empty", None),
        ("meek", "null", []),
    ):
        leetcode.control("PATCH", "habits", {"hidden_list": habit})
        answer = leetcode.ask(query, u=handle)
        assert "errors" not in answer
        assert answer["data"]["recentAcSubmissionList"] == shown
        assert answer["data"]["matchedUser"]["userCalendar"]["totalActiveDays"] > 0


def test_a_calendar_is_a_string_of_json_by_utc_midnight_and_year(leetcode: LeetCode) -> None:
    leetcode.put(
        "cal",
        {"slug": "two-sum", "at": "2025-12-31T23:59:59Z"},
        {"slug": "3sum", "at": "2026-01-01T05:29:59+05:30"},  # also in 2025, by UTC
        {"slug": "4sum", "at": "2026-02-01T00:00:00Z"},
        {"slug": "4sum", "at": "2026-02-02T10:00:00Z"},
        {"slug": "4sum", "at": "2026-02-04T10:00:00Z"},
    )
    query = """{ matchedUser(username: "cal") {
      userCalendar(year: 2025) { submissionCalendar }
      now: userCalendar { activeYears streak totalActiveDays }
    } }"""
    user = leetcode.ask(query)["data"]["matchedUser"]
    assert json.loads(user["userCalendar"]["submissionCalendar"]) == {str(at("2025-12-31T00:00:00Z")): 2}
    assert user["now"] == {"activeYears": [2025, 2026], "streak": 2, "totalActiveDays": 3}


def test_of_neighbours_that_solve_one_problem_only_the_newest_is_shown_if_so_wanted(leetcode: LeetCode) -> None:
    slugs = ["two-sum", "two-sum", "3sum", "two-sum", "two-sum", "two-sum"]  # oldest first
    leetcode.put("again", *({"slug": slug, "at": NOW - 100 + second} for second, slug in enumerate(slugs)))
    leetcode.control("PATCH", "habits", {"collapse": True})
    shown = [(row["titleSlug"], int(row["timestamp"]) - NOW + 100) for row in leetcode.recent("again") or ()]
    assert shown == [("two-sum", 5), ("3sum", 2), ("two-sum", 1)]
    leetcode.control("PATCH", "habits", {"collapse": False})
    assert len(leetcode.recent("again") or ()) == 6


def test_what_was_not_accepted_is_in_the_other_list_alone(leetcode: LeetCode) -> None:
    leetcode.put(
        "try", {"slug": "two-sum", "at": NOW - 9, "status": "Wrong Answer"}, {"slug": "two-sum", "at": NOW - 5}
    )
    query = '{ recentSubmissionList(username: "try") { statusDisplay } }'
    assert leetcode.ask(query)["data"]["recentSubmissionList"] == [
        {"statusDisplay": "Accepted"},
        {"statusDisplay": "Wrong Answer"},
    ]
    assert len(leetcode.recent("try") or ()) == 1


def test_the_catalogue_is_served_page_by_page(leetcode: LeetCode) -> None:
    slugs: list[str] = []
    total = 1
    while len(slugs) < total:
        page = leetcode.post(**json.loads(queries.problems(len(slugs)))).json()["data"]["problemsetQuestionList"]
        assert 0 < len(page["questions"]) <= 100
        total = page["total"]
        slugs += [question["titleSlug"] for question in page["questions"]]
    assert total > 4000
    assert len(set(slugs)) == total
    hard = "{ questionList(filters: {difficulty: HARD}, limit: 2, skip: 1) { totalNum data { difficulty title } } }"
    answer = leetcode.ask(hard)["data"]["questionList"]
    assert 900 < answer["totalNum"] < 1500
    assert [question["difficulty"] for question in answer["data"]] == ["Hard", "Hard"]


def test_a_problem_is_described_and_one_that_is_unknown_is_null(leetcode: LeetCode) -> None:
    query = """{
      q0: question(titleSlug: "two-sum")
        { questionId questionFrontendId title titleSlug difficulty isPaidOnly acRate topicTags { name slug } }
      q1: question(titleSlug: "no-such-problem") { difficulty }
      activeDailyCodingChallengeQuestion { date link question { titleSlug difficulty } }
    }"""
    data = leetcode.ask(query)["data"]
    acceptance = data["q0"].pop("acRate")
    assert 0 < acceptance < 100
    assert data["q0"] == {
        "questionId": "1",
        "questionFrontendId": "1",
        "title": "Two Sum",
        "titleSlug": "two-sum",
        "difficulty": "Easy",
        "isPaidOnly": False,
        "topicTags": [],
    }
    assert data["q1"] is None
    daily = data["activeDailyCodingChallengeQuestion"]
    assert daily["date"] == "2026-11-24"
    assert daily["link"] == f"/problems/{daily['question']['titleSlug']}/"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"query": "{ nothing }"}', 'Cannot query field "nothing"'),
        (b'{"query": "{"}', "Syntax Error"),
        (b'{"variables": {}}', "Must provide query string."),
        (b"[]", ""),
        (b"{", ""),
        (b'{"query": "{ f(a: ' + b"[" * 100_000 + b'"}', ""),
    ],
)
def test_an_invalid_query_is_answered_with_400_and_a_message(leetcode: LeetCode, body: bytes, message: str) -> None:
    response = requests.post(leetcode.url, data=body, timeout=10)
    assert response.status_code == 400
    assert message in response.json()["errors"][0]["message"]


def test_the_page_for_browsers_sets_a_token(leetcode: LeetCode) -> None:
    assert requests.get(f"{leetcode.url}/", timeout=10).cookies["csrftoken"]


# Time, and users as they are written


def test_time_stands_where_it_is_put_and_nothing_later_is_shown(leetcode: LeetCode) -> None:
    leetcode.put("clock", {"slug": "two-sum", "at": NOW + 60})
    assert leetcode.recent("clock") == []
    leetcode.control("PATCH", "habits", {"now": datetime.fromtimestamp(NOW + 60, UTC).isoformat()})
    assert [row["timestamp"] for row in leetcode.recent("clock") or ()] == [str(NOW + 60)]
    leetcode.control("PATCH", "habits", {"now": None})
    query = "{ activeDailyCodingChallengeQuestion { date } }"
    before, shown, after = datetime.now(UTC), leetcode.ask(query), datetime.now(UTC)
    assert shown["data"]["activeDailyCodingChallengeQuestion"]["date"] in {str(before.date()), str(after.date())}


def test_a_row_may_hold_anything(leetcode: LeetCode) -> None:
    leetcode.put(
        "odd",
        {"slug": "two-sum", "at": NOW - 1, "row": {"timestamp": "yesterday", "id": 7}},
        {"slug": "two-sum", "at": NOW - 2, "id": "7", "row": {"titleSlug": None}},
    )
    assert leetcode.recent("odd") == [
        {"id": 7, "titleSlug": "two-sum", "timestamp": "yesterday"},
        {"id": "7", "titleSlug": None, "timestamp": str(NOW - 2)},
    ]


def test_submissions_can_be_added_to_what_the_population_made(leetcode: LeetCode) -> None:
    before = leetcode.recent("diligent-eve") or []
    solve = {"slug": "two-sum", "at": NOW - 1}
    leetcode.control("POST", "submissions", {"handle": "diligent-eve", "submissions": [solve]})
    after = leetcode.recent("diligent-eve") or []
    assert after[0]["titleSlug"] == "two-sum"
    assert after[1:] == before[: len(after) - 1]
    assert leetcode.control("DELETE", "users/diligent-eve")["submissions"] == []
    assert leetcode.recent("diligent-eve") == before


def test_a_handle_that_no_account_can_have_can_still_be_staged_and_asked_for(leetcode: LeetCode) -> None:
    handle = 'a/b" } {é?'
    leetcode.control("PUT", "users/x", {"handle": handle, "submissions": [{"slug": "two-sum", "at": NOW}]})
    assert len(leetcode.recent(handle) or ()) == 1


# What goes wrong


def test_more_requests_than_the_limit_in_a_second_are_refused_and_counted(leetcode: LeetCode) -> None:
    leetcode.control("PATCH", "habits", {"limit": 3})
    leetcode.control("DELETE", "requests")
    refused = [leetcode.post(MEMBERS, PAIR) for _ in range(5)]
    assert [response.status_code for response in refused] == [200, 200, 200, 429, 429]
    assert "Retry-After" not in refused[-1].headers
    leetcode.control("PATCH", "habits", {"retry_after": 7})
    assert leetcode.post(MEMBERS, PAIR).headers["Retry-After"] == "7"
    report = leetcode.control("GET", "requests?arrivals=1")
    arrivals = report.pop("arrivals")
    assert report == {"requests": 6, "users": 6, "answers": {"200": 3, "429": 3}, "busiest_second": 6}
    assert len(arrivals) == 6
    assert arrivals == sorted(arrivals)
    assert abs(arrivals[-1] - time.time()) < 60


def test_a_limit_is_over_after_a_second(leetcode: LeetCode) -> None:
    leetcode.control("PATCH", "habits", {"limit": 1})
    assert leetcode.post(MEMBERS, PAIR).status_code == 200
    first = time.monotonic()
    assert leetcode.post(MEMBERS, PAIR).status_code == 429
    while leetcode.post(MEMBERS, PAIR).status_code == 429:
        assert time.monotonic() < first + 10
        time.sleep(1.01)


@pytest.mark.parametrize(
    ("fault", "status", "says", "headers"),
    [
        ({"kind": "blocked"}, 403, "Just a moment...", {"Content-Type": "text/html; charset=UTF-8"}),
        ({"kind": "redirected"}, 302, "", {"Location": "/accounts/login/?next=/graphql"}),
        ({"kind": "rate_limited"}, 429, "rate limited", {}),
        ({"kind": "rate_limited", "retry_after": 2.5}, 429, "rate limited", {"Retry-After": "2.5"}),
        ({"kind": "server_error"}, 502, "502 Server Error", {}),
        ({"kind": "server_error", "status": 520, "retry_after": "9"}, 520, "520", {"Retry-After": "9"}),
        ({"kind": "bad_request", "message": "no"}, 400, '{"errors":[{"message":"no"}]}', {}),
        ({"kind": "errors", "message": "no"}, 200, '{"errors":[{"message":"no"}],"data":null}', {}),
    ],
)
def test_a_request_can_be_refused_in_every_way(
    leetcode: LeetCode, fault: dict[str, object], status: int, says: str, headers: dict[str, str]
) -> None:
    (planned,) = leetcode.control("POST", "faults", {"times": 1, **fault})
    assert planned["hits"] == 0
    response = leetcode.post(MEMBERS, PAIR)
    assert response.status_code == status
    assert says in response.text
    assert headers.items() <= response.headers.items()
    assert ("Retry-After" in response.headers) == ("retry_after" in fault)
    assert leetcode.control("GET", "faults")[0]["hits"] == 1
    assert "data" in leetcode.ask(MEMBERS, **PAIR)


def test_an_answer_can_be_cut_short(leetcode: LeetCode) -> None:
    whole = leetcode.post(MEMBERS, PAIR).text
    leetcode.control("POST", "faults", {"kind": "truncated", "times": 1})
    assert leetcode.post(MEMBERS, PAIR).text == whole[: len(whole) // 2]
    for kind in ("cut_off", "dropped"):
        leetcode.control("POST", "faults", {"kind": kind, "times": 1})
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            leetcode.post(MEMBERS, PAIR)
    assert leetcode.post(MEMBERS, PAIR).text == whole
    assert leetcode.control("GET", "requests")["answers"]["broken"] == 2


def test_an_answer_can_come_too_late(leetcode: LeetCode) -> None:
    leetcode.control("POST", "faults", {"kind": "slow", "seconds": 30, "handles": ["diligent-bob"]})
    with pytest.raises(requests.ReadTimeout):
        leetcode.post(MEMBERS, PAIR, timeout=0.2)
    assert leetcode.recent("diligent-ada")


@pytest.mark.parametrize(
    ("kind", "data", "errors"),
    [
        ("user_error", {"a": None, "ma": None}, [["a"], ["ma"]]),
        ("left_out", {}, None),
        ("stranger", {"ma": {"username": "diligent-not-diligent-ada"}}, None),
    ],
)
def test_one_user_of_an_answer_can_be_spoiled_and_the_others_are_not(
    leetcode: LeetCode, kind: str, data: dict[str, object], errors: list[list[str]] | None
) -> None:
    sound = leetcode.ask(MEMBERS, **PAIR)["data"]
    leetcode.control("POST", "faults", [{"kind": kind, "handles": ["Diligent-Ada"], "message": "boom"}])
    answer = leetcode.ask(MEMBERS, **PAIR)
    assert {key: answer["data"][key] for key in ("b", "mb")} == {key: sound[key] for key in ("b", "mb")}
    mine = {key: value for key, value in answer["data"].items() if key in {"a", "ma"}}
    if kind == "stranger":
        assert mine.pop("a") != sound["a"]
    assert mine == data
    assert [error["path"] for error in answer.get("errors", ())] == (errors or [])
    assert all(error["message"] == "boom" for error in answer.get("errors", ()))


# The server


def test_fifty_connections_are_answered_side_by_side(leetcode: LeetCode) -> None:
    leetcode.control("PATCH", "habits", {"latency": 0.2, "latency_per_user": 0.05, "jitter": 0.01})

    def work(_: int) -> list[float]:
        with requests.Session() as session:
            client = LeetCode(leetcode.url, session)
            return [client.post(MEMBERS, PAIR).elapsed.total_seconds() for _ in range(2)]

    began = time.monotonic()
    with ThreadPoolExecutor(50) as pool:
        took = [seconds for both in pool.map(work, range(50)) for seconds in both]
    assert min(took) >= 0.3  # 0.2 and twice 0.05
    assert time.monotonic() - began < 100 * 0.3 / 3


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("PATCH", "habits", {"latency": -1, "spede": 3}, "latency: Input should be greater"),
        ("PATCH", "habits", {"now": "2026-11-24T10:00:00"}, "now: needs an offset from UTC"),
        ("PATCH", "habits", [], "The body cannot be read"),
        ("PUT", "users/a", {"submissions": [{"slug": "x"}]}, "submissions.0.at: Field required"),
        ("POST", "faults", {"kind": "nonsense"}, "0.kind: Input should be 'blocked'"),
        ("POST", "submissions", {"handle": "a"}, "submissions: Field required"),
    ],
)
def test_a_mistake_at_the_control_door_is_named_and_changes_nothing(
    leetcode: LeetCode, method: str, path: str, body: object, says: str
) -> None:
    before = leetcode.control("GET", "habits")
    assert says in leetcode.control(method, path, body, status=400)["error"]
    assert leetcode.control("GET", "habits") == before
    assert leetcode.control("GET", "faults") == []


def test_the_control_door_explains_itself(leetcode: LeetCode) -> None:
    url = leetcode.url.replace("/graphql", "/control/")
    assert "/control/faults" in requests.get(url, timeout=10).text
    assert "There is no GET /control/nothing" in leetcode.control("GET", "nothing", status=404)["error"]


COMMAND = [sys.executable, "-c", "import typer; from evaluator.cli.simulator import simulator; typer.run(simulator)"]


def run(arguments: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"COLUMNS": "300"}
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_its_address_serves_and_stops_quietly(tmp_path: Path, number: signal.Signals) -> None:
    users, faults = tmp_path / "users.json", tmp_path / "faults.json"
    users.write_text(json.dumps([{"handle": "ada", "submissions": [{"slug": "two-sum", "at": NOW - 5}]}]))
    faults.write_text(json.dumps([{"kind": "blocked", "times": 1}]))
    options = ["--port", "0", "--now", "2026-11-24T15:30:00Z", "--users", str(users), "--faults", str(faults)]
    with run(options) as process, requests.Session() as session:
        assert process.stdout is not None
        assert process.stderr is not None
        name, _, url = process.stdout.readline().strip().partition(": ")
        assert name == "LeetCode simulator"
        leetcode = LeetCode(url, session)
        assert leetcode.post(MEMBERS, PAIR).status_code == 403
        assert [row["timestamp"] for row in leetcode.recent("ada") or ()] == [str(NOW - 5)]
        process.send_signal(number)
        assert process.wait(10) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_the_command_names_what_is_wrong_with_its_options(leetcode: LeetCode, tmp_path: Path) -> None:
    wrong = tmp_path / "users.json"
    wrong.write_text('[{"handle": "ada", "submissions": [{"slug": "two-sum", "at": "noon"}]}]')
    taken = leetcode.url.split(":")[2].removesuffix("/graphql")
    for options, status, says in (
        (["--port", taken], 1, f"cannot listen on 127.0.0.1:{taken}"),
        (["--latency", "-1"], 2, "latency: Input should be greater than or equal to 0"),
        (["--users", str(wrong)], 2, "0.submissions.0.at: must be seconds since the epoch or a time as"),
    ):
        with run(options) as process:
            _, errors = process.communicate(timeout=20)
            assert process.returncode == status, errors
            assert says in errors
            assert "Traceback" not in errors
