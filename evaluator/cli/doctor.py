"""`evaluator doctor`: is everything there that the evaluator needs?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

import psycopg
import redis
import typer

from evaluator.cli.arguments import JsonOption
from evaluator.cli.output import console, counted, print_json
from evaluator.cli.session import FAILED, UNAVAILABLE, Session, open_session, unreachable
from evaluator.cli.workers import answered, silences
from evaluator.domain.evidence import Standing
from evaluator.ledger.challenges import Unreadable, read_challenges
from evaluator.ledger.database import UNREACHABLE
from evaluator.ledger.evidence import count_problems
from evaluator.ledger.jobs import is_paused
from evaluator.ledger.migrations import SchemaError, later_migrations
from evaluator.leetcode.pacer import Pacer
from evaluator.leetcode.refusal import Refusal
from evaluator.queue.broker import redis_client
from evaluator.queue.depth import depths
from evaluator.queue.messages import QUEUES
from evaluator.queue.ping import ping

_OLDEST_POSTGRES, _OLDEST_REDIS = 140_000, (6, 2)
_READ_ONLY = ("in_hot_standby", "default_transaction_read_only")  # which Postgres tells of itself
_PING = 3.0  # seconds that a worker has to answer
_FULL = 0.95  # of the memory that Redis may use
_SKEW = 5.0  # seconds that clocks may differ before it is worth a word


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is well, and what was seen or is to be done; `away` is an unreachable service."""

    check: str
    ok: bool
    detail: str
    away: bool = False


def doctor(
    leetcode: Annotated[bool, typer.Option(help="Also send one request to LeetCode.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Look at Postgres, its schema and clock, Redis, queue, workers, and LeetCode; say what is wrong and what to do.

    Example: evaluator doctor --no-leetcode
    """
    with open_session() as session:
        checks: dict[str, Callable[[Session], str]] = {
            "PostgreSQL": _postgres,
            "schema": _schema,
            "clocks": _clocks,
            "Redis": _redis,
            "queue": _queue,
            "workers": _workers,
            "challenges": _challenges,
            "problems": _problems,
        }
        if leetcode:
            checks["LeetCode"] = _leetcode
        findings: list[Finding] = []
        for name, check in checks.items():
            finding = _look(session, name, check)
            if any(one.detail == finding.detail for one in findings if one.away):
                finding = replace(finding, detail="not looked at, see above")
            findings.append(finding)
    if as_json:
        print_json([{"check": one.check, "ok": one.ok, "detail": one.detail} for one in findings])
    else:
        for one in findings:
            mark = "[green]ok  [/]" if one.ok else "[red]bad [/]"
            console.print(f"{mark} {one.check:<11}", one.detail, highlight=False)
    if not all(one.ok for one in findings):
        raise typer.Exit(UNAVAILABLE if any(one.away for one in findings) else FAILED)


class _Unwell(Exception):  # noqa: N818  # a finding, not an error of the program
    """What is wrong, and what to do about it."""


def _look(session: Session, name: str, check: Callable[[Session], str]) -> Finding:
    try:
        return Finding(name, ok=True, detail=check(session))
    except _Unwell as unwell:
        return Finding(name, ok=False, detail=str(unwell))
    except psycopg.errors.UndefinedTable:
        return Finding(name, ok=False, detail="cannot be looked at without the schema")
    except (*UNREACHABLE, redis.RedisError) as error:
        return Finding(name, ok=False, detail=unreachable(session.settings, error), away=True)
    except (psycopg.Error, SchemaError) as error:
        return Finding(name, ok=False, detail=(str(error).strip() or type(error).__name__).splitlines()[0])


def _postgres(session: Session) -> str:
    with session.database.connection() as connection:
        version = connection.info.server_version
        read_only = {connection.info.parameter_status(name) for name in _READ_ONLY}
    if version < _OLDEST_POSTGRES:
        raise _Unwell(f"version {version // 10_000} is too old; 14 is the oldest that works")
    if "on" in read_only:
        raise _Unwell(
            "it takes no writes: it is a standby, or default_transaction_read_only is on; "
            "give DATABASE_URL the primary, or let it write again"
        )
    return f"version {version // 10_000}"


def _schema(session: Session) -> str:
    session.require_schema()
    later = later_migrations(session.database)
    return f"up to date; also holds {', '.join(later)} of a later version, which only add" if later else "up to date"


def _clocks(session: Session) -> str:
    skew = session.clock() - time.time()
    if abs(skew) > _SKEW:
        return f"this machine is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} Postgres, whose clock decides"
    return "this machine and Postgres agree"


def _redis(session: Session) -> str:
    client = session.broker.client
    server, memory = client.info("server"), client.info("memory")
    version = str(server["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_REDIS:
        raise _Unwell(f"version {version} is too old; 6.2 is the oldest that works")
    used, limit = int(memory["used_memory"]), int(memory.get("maxmemory", 0))
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and limit:
        raise _Unwell(f"maxmemory-policy is {policy}: messages may be thrown away; set it to noeviction")
    if limit and used >= _FULL * limit:
        raise _Unwell(
            f"{memory['used_memory_human']} of {memory['maxmemory_human']} are in use: when it is full it takes no "
            "message, and work stands still; raise maxmemory, or remove what is not the evaluator's"
        )
    return f"version {version}, {memory['used_memory_human']} in use"


def _queue(session: Session) -> str:
    with session.database.connection() as connection:
        if is_paused(connection):
            raise _Unwell("paused; `evaluator queue resume` lets work go on")
    found = depths(session.broker).values()
    dead = sum(depth.dead for depth in found)
    if dead:
        raise _Unwell(
            f"{counted(dead, 'dead message')}: the workers' logs have the cause, and lost work is sent again; "
            "`evaluator queue clear` drops what is dead"
        )
    return f"{counted(sum(depth.ready + depth.in_flight for depth in found), 'message')} ready or in flight, none dead"


def _workers(session: Session) -> str:
    answers = ping(session.broker, list(QUEUES.values()), _PING)
    said = [answered(queue, pong) for queue, pong in answers.items() if pong]
    told = "; ".join(said + silences(session.broker, answers))
    # Where nothing waits, none is needed: a cluster may have none by day.
    found = depths(session.broker)
    if any(found[queue].present and not session.broker.is_held(queue) for queue, pong in answers.items() if not pong):
        raise _Unwell(told)
    return told


def _challenges(session: Session) -> str:
    with session.database.connection() as connection:
        found = read_challenges(connection)
    wrong = [str(one) for one in found if isinstance(one, Unreadable)]
    if wrong:
        raise _Unwell("; ".join(wrong))
    return f"{counted(len(found), 'challenge')}, all of them readable"


def _problems(session: Session) -> str:
    with session.database.connection() as connection:
        known = count_problems(connection)
    return f"{counted(known, 'problem')} known" if known else "none known yet; `evaluator problems sync` saves look-ups"


def _leetcode(session: Session) -> str:
    began = time.monotonic()
    answers = session.upstream.recent_solves(["leetcode"], [time.gmtime().tm_year])
    if isinstance(answers.refusal, Refusal):
        raise _Unwell(f"{session.settings.leetcode_url}: {answers.refusal.detail}")
    reply = answers.replies["leetcode"]
    if reply.standing is Standing.UNAVAILABLE:
        raise _Unwell(f"{session.settings.leetcode_url}: {reply.detail}")
    state = Pacer(redis_client(session.settings), session.settings.leetcode_requests_per_second).state()
    return f"answered in {time.monotonic() - began:.1f} s; pace {state.rate:g} requests a second"
