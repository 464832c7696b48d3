"""Where a process kills itself: at a named point of our code, as a power cut would end it there.

A point is `MOMENT THING [N]`, the N-th time that it comes to pass (1):

    before|after FILE.STATEMENT     around a statement of `evaluator/ledger/sql`
    uncommitted FILE.STATEMENT      the transaction with that statement is complete, and not committed
    committed FILE.STATEMENT        the transaction with that statement is committed
    before|after send|ack|fetch     around a call of Redis by the broker, of one chunk of messages, or of one
    before|after request            around a request to LeetCode
    before decide-ID                the member of that id is to be decided
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import count
from threading import Lock
from typing import Any

import psycopg

from evaluator.ledger.statements import statements
from evaluator.leetcode.client import Client
from evaluator.queue.broker import Broker
from evaluator.queue.consumer import LosslessConsumer
from evaluator.service import judge, settle

DOOMED = "Doomed: this process ends here"


def arm(point: str) -> None:
    """Have this process, and those that it forks, die at the point."""
    moment, thing, *nth = point.split()
    strike = _Strike(int(nth[0]) if nth else 1)
    if thing.startswith("decide-"):
        _arm_decision(int(thing.partition("-")[2]), strike)
    elif "." in thing:
        file, _, name = thing.partition(".")
        _arm_statement(statements(file)[name], moment, strike)
    else:
        owner, attribute = {
            "send": (Broker, "_put"),
            "ack": (Broker, "acknowledge"),
            "fetch": (LosslessConsumer, "_fetch"),
            "request": (Client, "_exchange"),
        }[thing]
        _wrap(owner, attribute, moment, strike, lambda _: True)


class _Strike:
    """Kills at the n-th call."""

    def __init__(self, nth: int) -> None:
        self._nth = nth
        self._count = count(1)
        self._lock = Lock()

    def __call__(self) -> None:
        with self._lock:
            if next(self._count) == self._nth:
                os.write(2, f"{DOOMED}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()


def _wrap(
    owner: type, attribute: str, moment: str, strike: Callable[[], None], meant: Callable[[tuple[Any, ...]], bool]
) -> None:
    original = getattr(owner, attribute)

    def wrapped(self: Any, *args: Any, **options: Any) -> Any:
        if moment == "before" and meant(args):
            strike()
        result = original(self, *args, **options)
        # An empty fetch is none.
        if moment == "after" and meant(args) and result is not False:
            strike()
        return result

    setattr(owner, attribute, wrapped)


def _arm_decision(member_id: int, strike: Callable[[], None]) -> None:
    original = judge.verdict_on

    def wrapped(day: Any, account: Any, *rest: Any) -> Any:
        if account.member_id == member_id:
            strike()
        return original(day, account, *rest)

    settle.verdict_on = wrapped  # type: ignore[attr-defined,assignment]  # it has its own name for it


def _arm_statement(statement: str, moment: str, strike: Callable[[], None]) -> None:
    if moment in {"before", "after"}:
        _wrap(psycopg.Connection, "execute", moment, strike, lambda args: args[0] == statement)
        return
    touched: set[int] = set()
    execute, leave = psycopg.Connection.execute, psycopg.Transaction.__exit__

    def executed(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        if query == statement:
            touched.add(id(self))
        return execute(self, query, *args, **options)

    def left(self: Any, *error: Any) -> Any:
        meant = id(self.connection) in touched and error[0] is None
        touched.discard(id(self.connection))
        if meant and moment == "uncommitted":
            strike()
        result = leave(self, *error)
        if meant and moment == "committed":
            strike()
        return result

    psycopg.Connection.execute = executed  # type: ignore[method-assign]
    psycopg.Transaction.__exit__ = left  # type: ignore[method-assign]
