"""What goes wrong on purpose.

A fault hits whole requests (they may be told by the users they ask about), or single users within answers.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from evaluator.local.simulator.habits import Header, Seconds
from evaluator.local.simulator.http import Reply, html_reply, json_reply


class FaultKind(StrEnum):
    """The first ten hit a request as a whole, the last three a user in an answer."""

    BLOCKED = "blocked"
    """403 and a page for people, as from a proxy in front: "Just a moment…"."""
    REDIRECTED = "redirected"
    """302 to the login page."""
    RATE_LIMITED = "rate_limited"
    """429, with `retry_after` if it is set."""
    SERVER_ERROR = "server_error"
    """502, or another `status`, and a page for people; with `retry_after` if it is set."""
    BAD_REQUEST = "bad_request"
    """400 and an error, as for an invalid query."""
    ERRORS = "errors"
    """200 with errors and no data."""
    TRUNCATED = "truncated"
    """200 with half of the JSON, as if it were all."""
    CUT_OFF = "cut_off"
    """The connection breaks half-way through the answer."""
    DROPPED = "dropped"
    """The connection is closed without an answer."""
    SLOW = "slow"
    """The answer comes `seconds` late; more than a client waits makes a time-out."""
    USER_ERROR = "user_error"
    """The user's fields are null, and errors name their aliases."""
    LEFT_OUT = "left_out"
    """The answer lacks the user's fields."""
    STRANGER = "stranger"
    """The answer is about another user."""


_OF_USERS = {FaultKind.USER_ERROR, FaultKind.LEFT_OUT, FaultKind.STRANGER}


class Fault(BaseModel):
    """One thing that goes wrong, until it is taken back or has hit `times` requests.

    It hits a request that asks about one of `handles` (left out: any), after `skip` such requests, and with the
    chance `share`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    handles: tuple[str, ...] = ()
    times: Annotated[int | None, Field(ge=1)] = None
    skip: Annotated[int, Field(ge=0)] = 0
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    status: Annotated[int, Field(ge=500, le=599)] = 502
    retry_after: Header | None = None
    seconds: Seconds = 60.0
    message: str = "Something went wrong. Please try again later."


@dataclass(slots=True)
class _Planned:
    """A fault and how far it has come: requests that it could have hit, and those that it did."""

    fault: Fault
    seen: int = 0
    hits: int = 0


@dataclass(frozen=True, slots=True)
class Struck:
    """The faults that hit one request: as a whole, in order, and by user in lower case."""

    whole: Sequence[Fault]
    users: Mapping[str, Fault]


class Faults:
    """The plan."""

    def __init__(self, faults: Iterable[Fault], seed: int) -> None:
        self._planned = [_Planned(fault) for fault in faults]
        self._chance = random.Random(seed)  # noqa: S311  # it must repeat, not be secret

    def plan(self, faults: Iterable[Fault]) -> None:
        self._planned += map(_Planned, faults)

    def clear(self) -> None:
        self._planned.clear()

    def report(self) -> list[dict[str, Any]]:
        """What is planned, and how many requests each fault hit."""
        return [plan.fault.model_dump() | {"hits": plan.hits} for plan in self._planned]

    def strike(self, handles: Iterable[str]) -> Struck:
        """What hits a request about `handles`; it counts as a hit."""
        if not self._planned:
            return Struck((), {})
        asked = {handle.lower() for handle in handles}
        whole: list[Fault] = []
        users: dict[str, Fault] = {}
        for plan in self._planned:
            fault = plan.fault
            named = asked & {handle.lower() for handle in fault.handles} if fault.handles else asked
            if (fault.handles and not named) or not self._hits(plan):
                continue
            if fault.kind in _OF_USERS:
                users.update(dict.fromkeys(named, fault))
            else:
                whole.append(fault)
        return Struck(whole, users)

    def _hits(self, plan: _Planned) -> bool:
        fault = plan.fault
        plan.seen += 1
        if plan.seen <= fault.skip or (fault.times is not None and plan.hits >= fault.times):
            return False
        if fault.share < 1 and self._chance.random() >= fault.share:
            return False
        plan.hits += 1
        return True


def spoil(fault: Fault, reply: Reply) -> Reply:
    """What becomes of `reply` by a fault that hits it as a whole."""
    retry_after = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
    match fault.kind:
        case FaultKind.BLOCKED:
            return html_reply(403, "Just a moment...", "Enable JavaScript and cookies to continue", retry_after)
        case FaultKind.REDIRECTED:
            return Reply(302, headers={"Location": "/accounts/login/?next=/graphql"})
        case FaultKind.RATE_LIMITED:
            return too_many_requests(fault.retry_after)
        case FaultKind.SERVER_ERROR:
            return html_reply(fault.status, f"{fault.status} Server Error", fault.message, retry_after)
        case FaultKind.BAD_REQUEST:
            return json_reply({"errors": [{"message": fault.message}]}, 400)
        case FaultKind.ERRORS:
            return json_reply({"errors": [{"message": fault.message}], "data": None})
        case FaultKind.TRUNCATED:
            return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers)
        case FaultKind.CUT_OFF:
            return Reply(reply.status, reply.body, reply.headers, cut_at=max(1, len(reply.body) // 2))
        case FaultKind.DROPPED:
            return Reply(reply.status, cut_at=0)
        case _:
            return reply


def too_many_requests(retry_after: str | None) -> Reply:
    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    return html_reply(429, "Too Many Requests", "You are being rate limited.", headers)
