"""The HTTP API over real services: what others build upon, and how it fails."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
import redis

from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.database import Database
from tests.integration.scene import Scene
from tests.integration.served import TOKEN, served

DAY = date(2026, 11, 20)
NOW = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp())
BEARER = {"Authorization": f"Bearer {TOKEN}"}
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.fixture
def client(database: Database, redis_url: str) -> Iterator[httpx.Client]:
    with served(database, redis_url, NOW) as client:
        yield client


def a_failed_job(scene: Scene) -> None:
    scene.run("winter", DAY, state="pending")
    failed_at = datetime.now(UTC) - timedelta(minutes=5)
    scene.verdict("winter", "alice", DAY, Outcome.PENDING, error="HTTP 502", failed_at=failed_at)


# The token

ADMIN_CALLS = [
    ("GET", "/api/admin/queue/stats"),
    ("GET", "/api/admin/queue/failed"),
    ("DELETE", "/api/admin/queue/failed"),
    ("POST", "/api/admin/queue/failed/retry"),
    ("POST", "/api/admin/queue/pause"),
    ("POST", "/api/admin/queue/resume"),
    ("POST", "/api/admin/runs"),
    ("PUT", "/api/admin/challenges/{challenge}/members/{handle}/days/{day}/override"),
    ("DELETE", "/api/admin/challenges/{challenge}/members/{handle}/days/{day}/override"),
]


def test_every_admin_call_of_the_description_is_among_those_whose_token_is_tested(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()["paths"]
    calls = {
        (method.upper(), path)
        for path, methods in described.items()
        for method, call in methods.items()
        if path.startswith("/api/admin") or "security" in call
    }
    assert calls == set(ADMIN_CALLS)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        *(
            (header, "Send the header `Authorization: Bearer ADMIN_TOKEN`.")
            for header in (None, "", "Bearer", f"Basic {TOKEN}", TOKEN)
        ),
        *(
            (header, "The token that was sent is not this server's ADMIN_TOKEN.")
            for header in ("Bearer wrong", f"Bearer {TOKEN}x", "Bearer t\xf6ken")
        ),
    ],
)
def test_without_the_right_token_no_admin_call_is_answered(client: httpx.Client, header: str | None, told: str) -> None:
    headers = [(b"Authorization", header.encode("latin-1"))] if header is not None else []
    for method, path in ADMIN_CALLS:
        # A body that would be refused shows that nothing is read before the token.
        answer = client.request(method, path, headers=headers, content=b"{")
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), path
        assert answer.json() == {"detail": told}


def test_a_server_without_a_token_lets_nobody_make_admin_calls(database: Database, redis_url: str) -> None:
    with served(database, redis_url, NOW, token="") as client:
        for method, path in ADMIN_CALLS:
            for header in ({}, {"Authorization": "Bearer"}, BEARER):
                answer = client.request(method, path, headers=header)
                assert answer.status_code == 503, path
                assert "ADMIN_TOKEN" in answer.json()["detail"]


def test_admin_calls_are_logged_with_who_and_what_and_never_with_the_token(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    client.get("/api/admin/queue/failed?limit=7", headers=BEARER)
    client.post("/api/admin/queue/pause", headers={"Authorization": "Bearer guess"})
    written = capfd.readouterr()
    lines = [line for line in (written.out + written.err + caplog.text).splitlines() if "Admin call" in line]
    assert len(lines) == 2
    assert all(word in lines[0] for word in ("127.0.0.1", "GET", "/api/admin/queue/failed", "limit=7"))
    assert all(word in lines[1] for word in ("refused", "127.0.0.1", "POST", "/api/admin/queue/pause", "401"))
    assert TOKEN not in "".join(lines)
    assert "guess" not in "".join(lines)


# What operators do


def test_stats_hold_the_four_counts_and_what_is_beside_them(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", ["alice"])
    a_failed_job(scene)
    assert client.get("/api/admin/queue/stats", headers=BEARER).json() == {
        "waiting": 0,
        "active": 0,
        "completed": 0,
        "failed": 1,
        "paused": False,
        "paused_by": None,
        "paused_at": None,
        "oldest_waiting_seconds": None,
        "runs": {"queued": 0, "open": 0, "pending": 1},
        "pending": {"upstream_unavailable": 1},
        "messages": {"ready": 0, "delayed": 0, "in_flight": 0, "dead": 0},
    }


def test_failed_jobs_are_listed_retried_and_forgotten(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", ["alice"])
    a_failed_job(scene)
    [job] = client.get("/api/admin/queue/failed", headers=BEARER).json()
    assert set(job) == {"challenge", "handle", "day", "reason", "error", "failed_at", "attempts"}
    assert (job["challenge"], job["handle"], job["day"], job["error"]) == ("winter", "alice", "2026-11-20", "HTTP 502")
    retried = client.post("/api/admin/queue/failed/retry?challenge=winter", headers=BEARER)
    assert (retried.status_code, retried.json()) == (200, {"jobs": 1, "runs": 1})
    assert client.delete("/api/admin/queue/failed", headers=BEARER).json() == {"cleared": 1}
    assert client.get("/api/admin/queue/failed", headers=BEARER).json() == []
    for method, path in (("GET", "failed"), ("DELETE", "failed"), ("POST", "failed/retry")):
        unknown = client.request(method, f"/api/admin/queue/{path}?challenge=wintre", headers=BEARER)
        assert (unknown.status_code, "'wintre'" in unknown.json()["detail"]) == (404, True)


def test_pause_and_resume_switch_the_work_and_say_so(client: httpx.Client) -> None:
    assert client.post("/api/admin/queue/pause", headers=BEARER).json() == {"paused": True, "changed": True}
    assert client.post("/api/admin/queue/pause", headers=BEARER).json() == {"paused": True, "changed": False}
    stats = client.get("/api/admin/queue/stats", headers=BEARER).json()
    assert (stats["paused"], stats["paused_by"]) == (True, "API, 127.0.0.1")
    assert client.post("/api/admin/queue/resume", headers=BEARER).json() == {"paused": False, "changed": True}
    assert client.post("/api/admin/queue/resume", headers=BEARER).json() == {"paused": False, "changed": False}


def test_a_day_is_overridden_and_the_override_taken_back(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", ["alice"], starts=date(2026, 11, 20), ends=date(2026, 11, 23))
    path = "/api/admin/challenges/winter/members/ALICE/days/2026-11-20/override"
    body = {"outcome": "exempt", "reason": "site was down"}
    assert client.put(path, headers=BEARER, json=body).status_code == 204
    verdict = client.get("/api/challenges/winter/verdicts?day=2026-11-20").json()[0]
    assert (verdict["outcome"], verdict["reason"]) == ("exempt", "override")
    assert client.delete(path, headers=BEARER).status_code == 204
    assert client.get("/api/challenges/winter/verdicts?day=2026-11-20").json()[0]["outcome"] == "pending"
    again = client.delete(path, headers=BEARER)
    assert (again.status_code, "no override" in again.json()["detail"]) == (409, True)
    for there, unknown in (("winter", "wintre"), ("ALICE", "nobody")):
        for answer in (
            client.put(path.replace(there, unknown), headers=BEARER, json=body),
            client.delete(path.replace(there, unknown), headers=BEARER),
        ):
            assert (answer.status_code, f"'{unknown}'" in answer.json()["detail"]) == (404, True)
    for wrong in ({"outcome": "pending", "reason": "x"}, {"outcome": "passed", "reason": " "}, {"outcome": "passed"}):
        assert client.put(path, headers=BEARER, json=wrong).status_code == 422


def test_runs_are_queued_once_and_a_worker_is_woken(
    client: httpx.Client, scene: Scene, redis_client: redis.Redis
) -> None:
    scene.challenge("winter", ["alice"], starts=date(2026, 11, 20), ends=date(2026, 11, 23))
    queued = client.post("/api/admin/runs", headers=BEARER, json={"challenge": "winter", "day": "2026-11-20"})
    assert queued.status_code == 202
    assert [(run["challenge"], run["day"]) for run in queued.json()["queued"]] == [("winter", "2026-11-20")]
    assert queued.json()["refused"] == []
    assert redis_client.hlen("evaluator:challenges.msgs") == 1
    everything = client.post("/api/admin/runs", headers=BEARER)  # no body: whatever is due
    assert everything.status_code == 202
    assert [run["day"] for run in everything.json()["queued"]] == ["2026-11-21"]
    assert everything.json()["notes"] == ["1 day is queued or at work already"]
    for body, notes in (
        ({}, "2 days are queued or at work already"),
        ({"challenge": "winter", "day": "2026-11-20"}, "2026-11-20 of winter is queued or at work already"),
    ):
        answer = client.post("/api/admin/runs", headers=BEARER, json=body)
        assert answer.json() == {"queued": [], "refused": [], "notes": [notes]}


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"challenge": "wintre"}, 404, "'wintre'"),
        ({"challenge": "winter", "day": "2026-11-22"}, 409, "not due yet"),
        ({"challenge": "winter", "day": "2027-11-22"}, 409, "not one of its days"),
        ({"day": "2026-11-31"}, 422, "day"),
        ({"day": 1763596800}, 422, "day: this is not a date; write it as 2026-11-20"),
        ({"dya": "2026-11-20"}, 422, "dya"),
        ([], 422, "body"),
        ("winter", 422, "body"),
    ],
)
def test_runs_that_cannot_be_queued_are_refused_with_a_sentence(
    client: httpx.Client, scene: Scene, body: object, status: int, says: str
) -> None:
    scene.challenge("winter", ["alice"])
    answer = client.post("/api/admin/runs", headers=BEARER, json=body)
    assert answer.status_code == status
    assert set(answer.json()) == {"detail"}
    assert says in answer.json()["detail"]


def test_a_refusal_for_one_challenge_tells_of_the_others_too(client: httpx.Client, scene: Scene) -> None:
    day = date(2026, 11, 22)
    scene.challenge("winter", ["alice"], starts=day, ends=day)
    scene.challenge("summer", ["alice"], starts=day, ends=day, timezone="Pacific/Kiritimati")  # where it is over
    scene.run("summer", day)
    answer = client.post("/api/admin/runs", headers=BEARER, json={"day": "2026-11-22"})
    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        "challenge winter: 2026-11-22 is not due yet in Asia/Kolkata; try again later; "
        "summer 2026-11-22 is settled already; --reevaluate (`reevaluate` of the API) asks LeetCode again"
    )


def test_a_body_that_is_not_said_to_be_json_is_told_how_to_be_sent(client: httpx.Client) -> None:
    form = {**BEARER, "Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post("/api/admin/runs", headers=form, content=b"{}")
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith("x-www-form-urlencoded; send Content-Type: application/json")


def test_a_body_of_more_than_64_kib_is_refused_whether_or_not_it_says_so(client: httpx.Client) -> None:
    long = b'{"challenge": "' + b"x" * 70_000 + b'"}'
    json_headers = {**BEARER, "Content-Type": "application/json"}
    assert client.post("/api/admin/runs", headers=json_headers, content=long).status_code == 413
    chunked = client.post("/api/admin/runs", headers=json_headers, content=iter([long[:50_000], long[50_000:]]))
    assert chunked.status_code == 413
    assert set(chunked.json()) == {"detail"}


# What everybody reads


def test_challenges_are_listed_with_how_far_they_have_come(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", ["alice", "bob"], starts=date(2026, 11, 20), ends=date(2026, 11, 24))
    scene.verdict("winter", "alice", DAY, Outcome.PASSED)
    scene.run("winter", date(2026, 11, 21), state="pending")
    scene.verdict("winter", "alice", date(2026, 11, 21), Outcome.PENDING)
    scene.challenge("later", ["alice"], starts=date(2026, 12, 1), ends=date(2026, 12, 5), currency=None)
    scene.challenge("over", ["alice"], starts=date(2026, 11, 1), ends=date(2026, 11, 5))
    scene.challenge("off", ["alice"], cancelled=True)
    rows = {row["id"]: row for row in client.get("/api/challenges").json()}
    assert {name: row["stage"] for name, row in rows.items()} == {
        "later": "upcoming",
        "off": "cancelled",
        "over": "closing",
        "winter": "running",
    }
    assert rows["winter"] == {
        "id": "winter",
        "name": "Winter",
        "timezone": "Asia/Kolkata",
        "starts": "2026-11-20",
        "ends": "2026-11-24",
        "today": "2026-11-22",
        "stage": "running",
        "currency": "EUR",
        "members": 2,
        "days": 5,
        "days_settled": 1,
        "pending": 1,
    }


def test_verdicts_and_standings_have_exactly_the_fields_that_others_depend_on(
    client: httpx.Client, scene: Scene
) -> None:
    scene.challenge("winter", ["alice", "bob"])
    scene.verdict("winter", "bob", date(2026, 11, 19), Outcome.PASSED, solved=2)
    scene.verdict("winter", "alice", DAY, Outcome.FAILED, solved=1)
    scene.posting("winter", "alice", DAY, 500)
    scene.streak("winter", "bob", 1, 1)
    assert client.get("/api/challenges/winter/verdicts?day=2026-11-20").json() == [
        {
            "challenge": "winter",
            "handle": "alice",
            "day": "2026-11-20",
            "outcome": "failed",
            "reason": "not_enough",
            "solved": 1,
            "required": 2,
            "provisional": False,
        }
    ]
    assert len(client.get("/api/challenges/winter/verdicts").json()) == 2
    assert client.get("/api/challenges/winter/verdicts?day=2026-11-01").json() == []
    assert client.get("/api/challenges/winter/standings").json() == [
        {"rank": 1, "handle": "bob", "current_streak": 1, "longest_streak": 1, "penalty_minor": 0, "currency": "EUR"},
        {
            "rank": 2,
            "handle": "alice",
            "current_streak": 0,
            "longest_streak": 0,
            "penalty_minor": 500,
            "currency": "EUR",
        },
    ]


def test_an_explanation_is_told_in_the_challenges_local_time(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", ["alice"])
    scene.verdict("winter", "alice", DAY, Outcome.PENDING, Reason.PROFILE_HIDDEN)
    told = client.get("/api/challenges/winter/members/ALICE/days/2026-11-20").json()
    assert (told["handle"], told["outcome"], told["reason"]) == ("alice", "pending", "profile_hidden")
    assert told["window"]["start"] == "2026-11-20T00:00:00+05:30"
    assert told["window"]["start_utc"] == "2026-11-19T18:30:00Z"
    assert told["rules"]["rest_days"] == []
    future = client.get("/api/challenges/winter/members/alice/days/2026-11-25").json()
    assert (future["outcome"], future["reason"]) == (None, "not_over")


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/api/challenges/wintre/standings", 404, "'wintre'"),
        ("/api/challenges/wintre/verdicts", 404, "'wintre'"),
        ("/api/challenges/winter/verdicts?day=2027-01-01", 404, "2027-01-01"),
        ("/api/challenges/winter/verdicts?day=tomorrow", 422, "day"),
        ("/api/challenges/winter/verdicts?day=1763596800", 422, "day: this is not a date; write it as 2026-11-20"),
        ("/api/challenges/winter/members/nobody/days/2026-11-20", 404, "'nobody'"),
        ("/api/challenges/winter/members/alice/days/2026-11-31", 422, "day"),
        ("/api/challenges/winter/members/%27%3B%20DROP%20TABLE%20members/days/2026-11-20", 404, "DROP TABLE"),
        ("/api/nothing", 404, "/api/nothing"),
        ("/api/challenges/w%00/standings", 422, "characters"),
    ],
)
def test_what_is_not_there_or_not_understood_is_one_sentence(
    client: httpx.Client, scene: Scene, path: str, status: int, says: str
) -> None:
    scene.challenge("winter", ["alice"])
    answer = client.get(path)
    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)
    assert says in answer.json()["detail"]


def test_a_challenge_that_cannot_be_read_says_so_and_the_others_are_shown(client: httpx.Client, scene: Scene) -> None:
    for challenge in ("broken", "winter"):
        scene.challenge(challenge, ["alice"])
    scene.execute("UPDATE timezones SET timezone = 'Mars/Phobos' WHERE challenge_id = 'broken'")
    assert [row["id"] for row in client.get("/api/challenges").json()] == ["winter"]
    assert "winter" in client.get("/").text
    for path in ("/api/challenges/broken/standings", "/challenges/broken"):
        answer = client.get(path)
        assert (answer.status_code, "Mars/Phobos" in answer.text) == (500, True), path


# Long lists


def many_verdicts(scene: Scene, members: int) -> None:
    """So many that they come in several pieces."""
    scene.challenge("winter", ["alice"])
    run_id = scene.run("winter", DAY)
    scene.execute(
        "INSERT INTO members (challenge_id, handle, handle_key)"
        " SELECT 'winter', 'm' || lpad(n::text, 6, '0'), 'm' || lpad(n::text, 6, '0') FROM generate_series(1, %s) n",
        members - 1,
    )
    scene.execute(
        "INSERT INTO evaluations (member_id, day, run_id, batch) SELECT id, %s, %s, 1 FROM members", DAY, run_id
    )


@pytest.mark.parametrize("members", [999, 1000, 1001, 2000, 4500])
def test_a_list_is_whole_however_many_pieces_it_comes_in(client: httpx.Client, scene: Scene, members: int) -> None:
    many_verdicts(scene, members)
    rows = client.get("/api/challenges/winter/verdicts").json()
    assert [row["handle"] for row in rows] == ["alice", *(f"m{n:06}" for n in range(1, members))]
    assert len(client.get("/api/challenges/winter/standings").json()) == members


def test_a_reader_who_goes_away_gives_the_connection_back_and_two_slow_ones_shut_out_nobody(
    database: Database, client: httpx.Client, scene: Scene
) -> None:
    many_verdicts(scene, 60_000)
    path = "/api/challenges/winter/verdicts"
    host, port = client.base_url.host, client.base_url.port
    slow = [socket.socket() for _ in range(2)]
    for reader in slow:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect((host, port))
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert reader.recv(20).startswith(b"HTTP/1.1 200")  # under way; what follows fills the buffers and waits
    third = client.get(path)
    assert (third.status_code, third.headers["Retry-After"]) == (503, "10")
    assert client.get("/api/challenges").status_code == 200
    for reader in slow:
        reader.close()
    deadline = time.monotonic() + 60
    while (again := client.get(path)).status_code == 503:  # until the server has noticed
        assert time.monotonic() < deadline
    assert len(again.json()) == 60_000
    with database.connection() as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE state LIKE 'idle in transaction%%' AND datname = current_database()"
        ).fetchone() == (0,)


# Health, metrics, and services that are away


def test_a_healthy_server_is_alive_ready_and_measured(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", ["alice"])
    a_failed_job(scene)
    scene.batch(scene.run("winter", date(2026, 11, 21), state="open"), 1, 20, "waiting")
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "postgres": "ok", "redis": "ok"})
    lines = client.get("/metrics").text.splitlines()
    assert 'evaluator_evaluations{state="waiting"} 20.0' in lines
    assert 'evaluator_evaluations{state="failed"} 1.0' in lines
    assert 'evaluator_queue_messages{queue="members",state="in_flight"} 0.0' in lines
    names = {line.partition("{")[0] for line in lines if not line.startswith("#")}
    assert all(name.startswith("evaluator_") for name in names)


def test_without_redis_reading_goes_on_and_its_counts_are_absent(database: Database, scene: Scene) -> None:
    scene.challenge("winter", ["alice"], starts=date(2026, 11, 20))
    with served(database, NO_REDIS, NOW) as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["redis"]) == (200, "does not answer")
        metrics = client.get("/metrics").text
        assert 'evaluator_evaluations{state="waiting"} 0.0' in metrics
        assert "evaluator_queue_messages" not in metrics
        assert client.get("/api/admin/queue/stats", headers=BEARER).json()["messages"] is None
        queued = client.post("/api/admin/runs", headers=BEARER)
        assert (queued.status_code, "Redis" in queued.json()["detail"]) == (503, True)
    with database.connection() as connection:  # as the sentence says, it is written down
        assert connection.execute("SELECT count(*) FROM runs WHERE state = 'queued'").fetchone() == (2,)


def test_without_postgres_every_call_but_healthz_says_so(redis_url: str) -> None:
    away = Database("postgresql://127.0.0.1:1/nowhere")
    with served(away, redis_url, NOW) as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["postgres"]) == (503, "does not answer")
        metrics = client.get("/metrics")
        assert metrics.status_code == 200
        assert "evaluator_evaluations" not in metrics.text
        assert "evaluator_queue_messages" in metrics.text
        for path in ("/api/challenges", "/api/challenges/winter/verdicts", "/api/admin/queue/stats"):
            answer = client.get(path, headers=BEARER)
            assert answer.status_code == 503, path
            assert answer.json()["detail"].startswith("PostgreSQL does not answer"), path


def test_a_database_that_is_not_migrated_is_not_ready_and_says_what_to_do(
    empty_database_url: str, redis_url: str
) -> None:
    empty = Database(empty_database_url)
    with served(empty, redis_url, NOW) as client:
        ready = client.get("/readyz")
        assert (ready.status_code, "evaluator migrate" in ready.json()["postgres"]) == (503, True)
        answer = client.get("/api/challenges")
        assert (answer.status_code, "evaluator migrate" in answer.json()["detail"]) == (503, True)
    empty.close()


def test_the_reference_lists_every_call_and_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    for path in client.get("/openapi.json").json()["paths"]:
        assert f"<code>{path}</code>" in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "<script" not in page.text
