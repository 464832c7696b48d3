"""Enqueue on a real ledger and a real Redis: which days are due; twice, late and at once are harmless."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
import redis
from psycopg.conninfo import make_conninfo

from evaluator.domain.rules import Rules
from evaluator.ledger.database import Database
from evaluator.ledger.enqueues import EnqueuedBy, last_enqueues
from evaluator.queue.broker import Broker, connect, redis_client
from evaluator.queue.outbox import MessageOutbox
from evaluator.service.enqueue import Queued, Request, enqueue
from evaluator.service.evaluate import Done, Evaluator
from evaluator.service.fan_out import fan_out
from evaluator.service.outbox import Outbox
from evaluator.settings import Settings
from tests.integration.leetcode import second
from tests.integration.stage import SETTLE_DELAY, Stage

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 10)
UTC: dict[str, Any] = {"timezone": "Etc/UTC", "rules": Rules(), "currency": None}


@pytest.fixture
def broker(redis_url: str) -> Iterator[Broker]:
    broker = connect(Settings(redis_url=redis_url))
    yield broker
    broker.close()


def march(stage: Stage, challenge: str, *members: str, timezone: str = "Etc/UTC", **more: date) -> None:
    how = UTC | {"starts": FIRST, "ends": LAST, "timezone": timezone} | more
    stage.scene.challenge(challenge, members or ("idle-ann",), **how)


def days(queued: Queued) -> list[int]:
    return [run.day.day for run in queued.runs]


def test_a_day_is_due_a_settle_delay_after_its_end_and_not_a_second_before(stage: Stage) -> None:
    march(stage, "kolkata", timezone="Asia/Kolkata")
    march(stage, "utc")
    stage.now = second("2026-03-02T00:59:59+05:30")
    assert stage.enqueue().runs == ()
    stage.now += 1
    assert [(run.challenge, run.day) for run in stage.enqueue().runs] == [("kolkata", FIRST)]
    stage.now = second("2026-03-02T00:59:59Z")
    assert stage.enqueue().runs == ()
    stage.now += 1
    assert [(run.challenge, run.day) for run in stage.enqueue().runs] == [("utc", FIRST)]


def test_what_was_missed_is_caught_up_and_the_last_day_too(stage: Stage) -> None:
    march(stage, "grind")
    stage.now = second("2026-03-03T12:00Z")
    assert days(stage.enqueue()) == [1, 2]
    stage.now = second("2026-06-01T00:00Z")  # the cluster was off until long after the end
    assert days(stage.enqueue()) == [3, 4, 5, 6, 7, 8, 9, 10]
    stage.at("2026-06-01T00:00Z")
    stage.hand.work()
    assert stage.states("grind") == ["settled"] * 10
    assert stage.completed("grind")
    assert stage.enqueue().runs == ()


def test_repeating_it_queues_nothing_and_sends_the_same_message(stage: Stage, broker: Broker) -> None:
    march(stage, "grind")
    march(stage, "spree")
    now = second("2026-03-05T12:00Z")
    outbox = MessageOutbox(broker)
    first = enqueue(stage.database, outbox, Request(), now, SETTLE_DELAY, EnqueuedBy.COMMAND)
    assert len(first.runs) == 8
    sent = stage.messages("challenges")
    assert len(sent) == 2  # one a challenge: its later days follow when the first is over
    for _ in range(3):
        assert enqueue(stage.database, outbox, Request(), now, SETTLE_DELAY, EnqueuedBy.COMMAND).runs == ()
        assert stage.messages("challenges") == sent


def test_eight_at_once_queue_every_day_once(stage: Stage, database_url: str, broker: Broker) -> None:
    for challenge in ("grind", "spree", "sprint"):
        march(stage, challenge)
    database = Database(database_url, connections=8)
    together = threading.Barrier(8)

    def one_of_eight(_: int) -> Queued:
        with database.connection():  # connected before they start together
            together.wait()
        now = second("2026-03-11T02:00Z")
        return enqueue(database, MessageOutbox(broker), Request(), now, SETTLE_DELAY, EnqueuedBy.COMMAND)

    with ThreadPoolExecutor(8) as pool:
        queued = [run for one in pool.map(one_of_eight, range(8)) for run in one.runs]
    database.close()
    assert Counter(run.challenge for run in queued) == {"grind": 10, "spree": 10, "sprint": 10}
    assert len(set(queued)) == 30
    assert stage.value("SELECT count(*) FROM runs") == 30
    assert len(stage.messages("challenges")) == 3


def test_one_day_of_one_challenge(stage: Stage) -> None:
    march(stage, "grind")
    march(stage, "spree")
    stage.now = second("2026-03-05T12:00Z")
    queued = stage.enqueue("grind", date(2026, 3, 3))
    assert [(run.challenge, run.day.day) for run in queued.runs] == [("grind", 3)]
    assert queued.refused == ()
    assert stage.enqueue("grind", date(2026, 3, 3)).runs == ()


@pytest.mark.parametrize(
    ("challenge", "day", "told"),
    [
        ("grind", date(2026, 3, 5), "challenge grind: 2026-03-05 is not due yet in Etc/UTC; try again later"),
        ("grind", date(2026, 3, 11), "challenge grind: 2026-03-11 is not one of its days, 2026-03-01 to 2026-03-10"),
        ("grind", date(2026, 2, 28), "challenge grind: 2026-02-28 is not one of its days, 2026-03-01 to 2026-03-10"),
        ("nobody", None, "challenge nobody: there is none of that id; `evaluator apply` creates it"),
        ("apia", date(2011, 12, 30), "challenge apia: 2011-12-30 is not one of its days, 2011-12-28 to 2011-12-31"),
    ],
)
def test_what_cannot_be_settled_is_refused_by_name(stage: Stage, challenge: str, day: date | None, told: str) -> None:
    march(stage, "grind")
    march(stage, "apia", timezone="Pacific/Apia", starts=date(2011, 12, 28), ends=date(2011, 12, 31))
    stage.now = second("2026-03-05T12:00Z")
    queued = stage.enqueue(challenge, day)
    assert (queued.runs, queued.refused) == ((), (told,))
    assert stage.value("SELECT count(*) FROM runs") == 0


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("UPDATE timezones SET timezone = 'Mars/Phobos' {where}", "this machine knows no time zone 'Mars/Phobos'"),
        ("UPDATE timezones SET timezone = '../UTC' {where}", "this machine knows no time zone '../UTC'"),
        ("UPDATE rules SET difficulties = '{{Nonsense}}' {where}", "'Nonsense' is not a valid Difficulty"),
        ("DELETE FROM timezones {where}", "it has no time zone"),
        ("DELETE FROM rules {where}", "it has no rules"),
    ],
)
def test_a_challenge_that_cannot_be_read_is_named_and_keeps_no_other_from_being_queued(
    stage: Stage, spoil: str, why: str
) -> None:
    for challenge in ("broken", "forgotten", "grind"):
        march(stage, challenge)
        if challenge != "grind":
            stage.scene.execute(spoil.format(where=f"WHERE challenge_id = '{challenge}'"))
    stage.scene.execute("UPDATE challenges SET completed_at = now() WHERE id = 'forgotten'")
    stage.now = second("2026-03-03T12:00Z")
    told = (
        f"challenge broken: what is stored of it cannot be read ({why}); "
        "correct its rows in the tables timezones and rules"
    )
    queued = stage.enqueue()
    assert ([(run.challenge, run.day.day) for run in queued.runs], queued.refused) == (
        [("grind", 1), ("grind", 2)],
        (told,),
    )
    assert stage.enqueue("broken") == Queued(refused=(told,))
    assert stage.enqueue("grind", reevaluate=True).refused == ()


def test_what_fails_while_it_is_queued_is_undone_for_that_challenge_alone(stage: Stage) -> None:
    for challenge in ("broken", "grind"):
        march(stage, challenge)
    stage.scene.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF new.challenge_id = 'broken' AND new.day = '2026-03-02' THEN RAISE EXCEPTION 'not this one'; END IF;"
        " RETURN new; END $$"
    )
    stage.scene.execute("CREATE TRIGGER refuse BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION refuse()")
    stage.now = second("2026-03-03T12:00Z")
    queued = stage.enqueue()
    assert [(run.challenge, run.day.day) for run in queued.runs] == [("grind", 1), ("grind", 2)]
    (told,) = queued.refused
    assert told.startswith("challenge broken: it cannot be enqueued (RaiseException: not this one")
    assert stage.value("SELECT count(*) FROM runs") == 2


def test_a_day_that_is_not_due_everywhere_is_settled_where_it_is(stage: Stage) -> None:
    march(stage, "kolkata", timezone="Asia/Kolkata")
    march(stage, "honolulu", timezone="Pacific/Honolulu")
    stage.now = second("2026-03-02T12:00+05:30")
    queued = stage.enqueue(day=FIRST)
    assert [run.challenge for run in queued.runs] == ["kolkata"]
    assert queued.refused == ("challenge honolulu: 2026-03-01 is not due yet in Pacific/Honolulu; try again later",)


def test_a_date_that_the_zone_skips_has_no_run(stage: Stage) -> None:
    march(stage, "apia", timezone="Pacific/Apia", starts=date(2011, 12, 28), ends=date(2011, 12, 31))
    stage.at("2026-03-05T12:00Z")
    assert days(stage.settle()) == [28, 29, 31]
    assert stage.completed("apia")


def test_a_cancelled_challenge_settles_nothing_that_was_queued_before(stage: Stage) -> None:
    march(stage, "grind")
    stage.at("2026-03-03T12:00Z")
    stage.enqueue()
    stage.scene.challenge("grind", ["idle-ann"], starts=FIRST, ends=LAST, cancelled=True, **UTC, at=stage.now)
    stage.hand.work()
    assert stage.verdicts("grind") == {}
    assert stage.leetcode.requests() == 0
    assert stage.enqueue() == Queued()
    told = Queued(notes=("grind is cancelled: nothing more of it is settled",))
    assert stage.enqueue("grind") == stage.enqueue("grind", FIRST) == told


def test_settled_days_are_left_alone_until_they_are_to_be_evaluated_again(stage: Stage) -> None:
    march(stage, "grind")
    stage.at("2026-03-03T12:00Z")
    stage.settle()
    assert stage.leetcode.requests() == 1
    assert stage.enqueue().runs == ()
    assert stage.enqueue("grind", FIRST).runs == ()
    assert days(stage.settle("grind", FIRST, reevaluate=True)) == [1]
    assert stage.leetcode.requests() == 2
    # A completed challenge, too, is evaluated again where that is asked for.
    stage.at("2026-06-01T00:00Z")
    stage.settle()
    assert stage.completed("grind")
    assert days(stage.settle(day=LAST, reevaluate=True)) == [10]
    assert stage.completed("grind")


class Statements:
    """How often anything was asked of Postgres."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        execute = psycopg.Cursor.execute

        def counted(*arguments: Any, **more: Any) -> Any:
            self.count += 1
            return execute(*arguments, **more)

        monkeypatch.setattr(psycopg.Cursor, "execute", counted)


def test_enqueue_looks_at_no_member_so_a_hundred_thousand_cost_what_one_costs(
    stage: Stage, database_url: str, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    march(stage, "mass")
    database = Database(make_conninfo(database_url, options="-c statement_timeout=5000"))
    with psycopg.connect(database_url) as other, database.connection():
        # Whoever as much as looked at these would wait for ever, which the timeout makes an error.
        other.execute("LOCK TABLE members, memberships, evaluations, batches IN ACCESS EXCLUSIVE MODE")
        statements = Statements(monkeypatch)
        now = second("2026-03-11T02:00Z")
        queued = enqueue(database, MessageOutbox(broker), Request(), now, SETTLE_DELAY, EnqueuedBy.COMMAND)
        assert days(queued) == list(range(1, 11))
        assert statements.count < 15
    database.close()
    assert stage.messages("challenges") == [f"run:{queued.runs[0].run_id}:0"]
    assert stage.messages("members") == []
    assert stage.value("SELECT count(*) FROM evaluations") == 0


def last_enqueued(stage: Stage) -> dict[EnqueuedBy, float]:
    with stage.database.connection() as connection:
        return last_enqueues(connection)


def test_each_enqueue_is_recorded_by_who_did_it_with_nothing_due_too_and_none_that_failed(stage: Stage) -> None:
    march(stage, "grind")
    now = second("2026-02-01T12:00Z")

    def enqueue_by(by: EnqueuedBy, outbox: Outbox) -> None:
        enqueue(stage.database, outbox, Request(), now, SETTLE_DELAY, by)

    before = stage.value("SELECT extract(epoch FROM clock_timestamp())::float8")
    enqueue_by(EnqueuedBy.COMMAND, stage.hand)
    enqueue_by(EnqueuedBy.KEEPER, stage.hand)
    recorded = last_enqueued(stage)
    after = stage.value("SELECT extract(epoch FROM clock_timestamp())::float8")
    assert before <= recorded[EnqueuedBy.COMMAND] < recorded[EnqueuedBy.KEEPER] <= after
    assert len(recorded) == 2

    now = second("2026-03-05T12:00Z")
    away = Broker(redis_client(Settings(redis_url="redis://127.0.0.1:1"), retries=0), ())
    with pytest.raises(redis.ConnectionError):
        enqueue_by(EnqueuedBy.COMMAND, MessageOutbox(away))
    assert last_enqueued(stage) == recorded
    enqueue_by(EnqueuedBy.COMMAND, stage.hand)
    assert last_enqueued(stage)[EnqueuedBy.COMMAND] > recorded[EnqueuedBy.KEEPER]


def test_a_small_challenge_is_not_starved_by_a_large_one(stage: Stage, broker: Broker) -> None:
    """One member a message: a thousand messages, of which no more than 256 may be before those of ten members."""
    outbox = MessageOutbox(broker)
    resting = replace(Rules(), rest_days=frozenset(range(7)))  # settled without a request
    one_day = UTC | {"starts": FIRST, "ends": FIRST, "rules": resting}
    stage.scene.challenge("large", [f"l{n}" for n in range(1000)], **one_day)

    def queue_and_fan_out() -> None:
        queued = enqueue(stage.database, outbox, Request(), second("2026-03-05T12:00Z"), SETTLE_DELAY, EnqueuedBy.API)
        fan_out(stage.database, outbox, queued.runs[0].run_id, users_per_request=1)

    queue_and_fan_out()
    assert len(stage.messages("members")) == 256
    stage.scene.challenge("small", [f"s{n}" for n in range(10)], **one_day)
    queue_and_fan_out()

    worker = Evaluator(stage.database, outbox, stage.upstream, attempts=3)
    consumer = broker.consume("members", prefetch=1)
    handled = 0
    while stage.states("small") != ["settled"] and handled < 400:
        message = next(consumer)
        assert message is not None
        assert isinstance(worker.evaluate(*message.args), Done)
        consumer.ack(message)
        handled += 1
    consumer.close()
    assert handled <= 256 + 10
    assert stage.states("large") == ["open"]
    assert len(stage.messages("members")) == 256  # others took the places of those that are done
