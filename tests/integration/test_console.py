"""The console's pages: what they show, how they link, and that whatever people wrote stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx
import pytest

from evaluator.domain.challenge import MemberSpec
from evaluator.domain.rules import Rules
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.database import Database
from evaluator.service import jobs
from tests.integration.scene import Scene
from tests.integration.served import served

NOW = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp())  # 17:30 in Kolkata
DAY = date(2026, 11, 20)
_VOID = {"meta", "link", "img", "br", "input"}
_INLINE = {"a", "span", "strong", "code", "time"}


class Page(HTMLParser):
    """What a browser would make of a page: its text, its links, and whether all that is opened is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.links: list[tuple[str, str]] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert len(values) == len(attrs), f"<{tag}> has an attribute twice"
        self.tags.append(tag)
        self.text += "" if tag in _INLINE else " "
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "a":
            self.links.append((values.get("href") or "", ""))
        self.loads += [values[name] or "" for name in ("src", "href") if name in values and tag != "a"]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "a" in self._open and self.links:
            self.links[-1] = (self.links[-1][0], self.links[-1][1] + data)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.fixture
def client(database: Database, redis_url: str) -> Iterator[httpx.Client]:
    with served(database, redis_url, NOW) as client:
        yield client


def read(client: httpx.Client, path: str, status: int = 200) -> Page:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = Page(answer.text)
    assert "script" not in page.tags
    assert all(load.startswith("/static/") for load in page.loads), page.loads
    assert page.tags.count("h1") == 1
    return page


def marks(client: httpx.Client, path: str) -> dict[str, list[str]]:
    """The outcomes in each row of the board, by handle."""
    rows: dict[str, list[str]] = {}
    for _, label in read(client, path).links:
        if found := re.match(r"(\S+), \w{3} \d+ \w{3} \d{4}: ([a-z ]+)", label):
            rows.setdefault(found[1], []).append(found[2].strip())
    return rows


def test_the_first_page_shows_challenges_in_order_of_urgency_and_the_four_counts(
    database: Database, client: httpx.Client, scene: Scene
) -> None:
    scene.challenge("off", ["alice"], cancelled=True)
    scene.challenge("later", ["alice"], starts=date(2026, 12, 1), ends=date(2026, 12, 5))
    scene.challenge("winter-grind", ["alice", "bob"], starts=date(2026, 11, 20), ends=date(2026, 11, 24))
    scene.verdict("winter-grind", "alice", DAY, Outcome.PASSED)
    open_run = scene.run("winter-grind", date(2026, 11, 21), state="open")
    scene.batch(open_run, 1, 1234, "waiting")
    page = read(client, "/")
    names = [label for path, label in page.links if path.startswith("/challenges/")]
    assert names == ["Winter grind", "Later", "Off"]
    assert "Waiting 1,234 Active 0 Completed in 24 h 0 Failed 0" in page.text
    assert "Asia/Kolkata 1 of 5 days settled 2 members" in page.text
    assert "paused" not in page.text
    with database.connection() as connection:
        jobs.pause(connection, "meera")
    assert "Work is paused" in read(client, "/").text


def test_without_a_challenge_the_first_page_says_how_to_make_one(client: httpx.Client) -> None:
    assert "evaluator apply -f FILE" in read(client, "/").text


def test_the_board_shows_each_day_by_a_mark_that_is_also_said_in_words(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", ["alice", "bob"], starts=date(2026, 11, 18))
    for day, outcome in enumerate((Outcome.PASSED, Outcome.FAILED, Outcome.FROZEN, Outcome.PENDING), start=18):
        scene.verdict("winter", "alice", date(2026, 11, day), outcome)
    scene.streak("winter", "alice", 1, 4)
    scene.posting("winter", "alice", date(2026, 11, 19), 500)
    assert marks(client, "/challenges/winter") == {  # the newest day, today, first
        "alice": ["no verdict", "pending", "frozen", "failed", "passed"],
        "bob": ["no verdict"] * 5,
    }
    page = read(client, "/challenges/winter")
    assert "every day is counted in Asia/Kolkata" in page.text
    assert "✓ passed ✕ failed ? pending ○ exempt ❄\ufe0e frozen · no verdict" in page.text
    assert "1 alice 1 4 5.00 EUR" in page.text
    assert "2 bob 0 0 none" in page.text


def test_every_link_of_every_page_leads_to_a_page(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", ["alice", "b.o-b_"], starts=date(2026, 10, 1))
    scene.verdict("winter", "alice", DAY, Outcome.PASSED)
    todo, seen = ["/", "/docs"], set[str]()
    while todo:
        path = todo.pop()
        shape = re.sub(r"\d{4}-\d\d-\d\d", "DAY", path)
        if shape in seen:
            continue
        seen.add(shape)
        answer = client.get(path)
        assert answer.status_code == 200, path
        if answer.headers["content-type"].startswith("text/html"):
            links = [link for link, _ in Page(answer.text).links]
            todo += [link for link in links if link.startswith("/") and not urlsplit(link).fragment]
    assert "/challenges/winter/members/b.o-b_/days/DAY" in seen
    assert "/challenges/winter?until=DAY" in seen


def test_days_are_paged_by_months_and_members_by_fifties(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", [f"m{n:03}" for n in range(120)], starts=date(2026, 9, 1))
    first = marks(client, "/challenges/winter")
    assert list(first) == [f"m{n:03}" for n in range(50)]
    assert len(first["m000"]) == 31
    assert list(marks(client, "/challenges/winter?page=3")) == [f"m{n:03}" for n in range(100, 120)]
    assert list(marks(client, "/challenges/winter?page=99")) == [f"m{n:03}" for n in range(100, 120)]
    page = read(client, "/challenges/winter")
    assert "Sun 22 Nov 2026 back to Fri 23 Oct 2026" in page.text
    [earlier] = [path for path, label in page.links if label.startswith("Earlier days")]
    assert earlier == "/challenges/winter?until=2026-10-22"
    page = read(client, f"{earlier}&page=2")
    assert "Thu 22 Oct 2026 back to Tue 22 Sep 2026" in page.text
    assert "Page 2 of 3" in page.text
    [later] = [path for path, label in page.links if label.endswith("Later days")]
    assert later == "/challenges/winter?until=2026-11-22&page=2"
    oldest = read(client, "/challenges/winter?until=2026-09-21")
    assert "Mon 21 Sep 2026 back to Tue 1 Sep 2026" in oldest.text
    assert not [path for path, label in oldest.links if label.startswith("Earlier days")]


@pytest.mark.parametrize("until", ["2026-12-31", "2020-01-01"])
def test_a_day_outside_of_the_challenge_shows_a_board_all_the_same(
    client: httpx.Client, scene: Scene, until: str
) -> None:
    scene.challenge("winter", ["alice"])
    assert "alice" in read(client, f"/challenges/winter?until={until}").text


def test_a_challenge_that_has_not_begun_has_members_and_no_days(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", ["alice"], starts=date(2026, 12, 1), ends=date(2026, 12, 5))
    page = read(client, "/challenges/winter")
    assert "1 alice 0 0 none" in page.text
    assert marks(client, "/challenges/winter") == {}


def test_a_member_can_be_found_in_any_case_with_the_rank_kept(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", [f"m{n:03}" for n in range(120)])
    for number in range(120):
        scene.streak("winter", f"m{number:03}", 120 - number, 120)
    page = read(client, "/challenges/winter?member=M099")
    assert "100 m099 21 120" in page.text
    assert "m001" not in page.text
    assert "has never had a member 'nobody'" in read(client, "/challenges/winter?member=nobody", 404).text


def test_the_page_of_a_day_tells_why(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", ["alice"], rules=Rules(2, rest_days=frozenset({6}), freezes_per_month=1, penalty=500))
    at = int(datetime(2026, 11, 20, 9, tzinfo=UTC).timestamp())
    judged = [
        {"id": "1", "problem": "two-sum", "at": at, "difficulty": "Easy", "bearing": "counts"},
        {"id": "2", "problem": "two-sum", "at": at + 60, "difficulty": "Easy", "bearing": "repeated"},
    ]
    scene.verdict("winter", "alice", DAY, Outcome.FAILED, solved=1, judged=judged, error="HTTP 502")
    scene.posting("winter", "alice", DAY, 500)
    scene.posting("winter", "alice", DAY, -500, entry=2)
    for minute in (0, 1, 2):
        scene.observation("alice", datetime(2026, 11, 20, 20, minute, tzinfo=UTC), rows=2)
    page = read(client, "/challenges/winter/members/Alice/days/2026-11-20")
    for words in (
        "alice on Fri 20 Nov 2026",
        "✕ failed",
        "Not enough: 1 counted and 2 required.",
        "Last error: HTTP 502",
        "Asia/Kolkata 20 Nov 2026, 00:00:00 to 21 Nov 2026, 00:00:00",
        "UTC 19 Nov 2026, 18:30:00 to 20 Nov 2026, 18:30:00",
        "Counted 1 of 2 required",
        "Rest days Sunday",
        "20 Nov 2026, 14:30:00 two-sum Easy ✓ counts",
        "20 Nov 2026, 14:31:00 two-sum Easy does not count: this problem was solved before on that day",
        "21 Nov 2026, 01:30:00 2 submissions, fewer than 20: everything up to then "
        "(3 answers, the last 21 Nov 2026, 01:32:00)",
        "-5.00 EUR reversed",
        "0.00 EUR in all",
        "0 of 1",
    ):
        assert words in page.text, words
    assert ("https://leetcode.com/problems/two-sum/", "two-sum") in page.links
    assert ("/challenges/winter/members/alice/days/2026-11-21", "Sat 21 Nov 2026 →") in page.links
    assert "no verdict" in read(client, "/challenges/winter/members/alice/days/2026-11-29").text


def test_whatever_people_and_leetcode_wrote_is_shown_as_text(client: httpx.Client, scene: Scene) -> None:
    attack = "<script>alert(1)</script>\"'>`<b>`"
    scene.challenge("winter", ["alice"])
    scene.execute("UPDATE challenges SET name = %s", attack)
    judged = [{"id": attack, "problem": f"two/sum?{attack}", "at": NOW, "difficulty": None, "bearing": "counts"}]
    scene.verdict("winter", "alice", DAY, Outcome.PASSED, Reason.OVERRIDE, judged=judged, error=attack)
    scene.execute(
        "INSERT INTO overrides (member_id, day, outcome, reason, set_by, set_at)"
        " VALUES (%s, %s, 'passed', %s, %s, now())",
        scene.member("winter", "alice"),
        DAY,
        attack,
        attack,
    )
    now = datetime.fromtimestamp(NOW, UTC)
    scene.observation("alice", now - timedelta(days=2), "upstream_unavailable", rows=0, detail=attack)
    scene.execute("INSERT INTO switches VALUES ('paused', %s, now())", attack)
    for path in ("/", "/challenges/winter", "/challenges/winter/members/alice/days/2026-11-20"):
        page = read(client, path)  # which has no script in it
        assert "b" not in page.tags
        assert "<script>alert(1)</script>\"'>" in page.text
    for path in (
        "/challenges/%3Cscript%3E",
        "/challenges/winter?member=%22%3E%3Cscript%3E",
        "/challenges/winter/members/%3Cscript%3E/days/2026-11-20",
        "/%3Cscript%3E",
    ):
        assert "<script>" in read(client, path, 404).text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/challenges/wintre", 404),
        ("/challenges/winter?page=0", 422),
        ("/challenges/winter?until=then", 422),
        ("/challenges/winter/members/alice/days/2026-11-31", 422),
        ("/nowhere", 404),
        ("/challenges/%00", 422),
    ],
)
def test_a_page_that_is_not_there_says_so_in_a_page(client: httpx.Client, scene: Scene, path: str, status: int) -> None:
    scene.challenge("winter", ["alice"])
    read(client, path, status)


def test_without_postgres_every_page_says_so(redis_url: str) -> None:
    away = Database("postgresql://127.0.0.1:1/nowhere")
    with served(away, redis_url, NOW) as client:
        assert "PostgreSQL does not answer" in read(client, "/", 503).text


def test_the_console_reads_only_and_needs_no_token(client: httpx.Client, scene: Scene) -> None:
    scene.challenge("winter", [MemberSpec("alice")])
    for path in ("/", "/challenges/winter", "/challenges/winter/members/alice/days/2026-11-20"):
        assert client.post(path).status_code == 405


def test_the_style_sheet_is_served_with_both_colour_schemes(client: httpx.Client) -> None:
    sheet = client.get("/static/console.css")
    assert sheet.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in sheet.text
    assert client.get("/static/icon.svg").headers["content-type"] == "image/svg+xml"
