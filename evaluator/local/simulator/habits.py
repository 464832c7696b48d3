"""How the simulated LeetCode behaves towards everybody; all of it can be changed while it runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def read_instant(value: object) -> object:
    """Seconds since the epoch from an ISO 8601 time with its offset from UTC; other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be seconds since the epoch or a time as 2026-11-20T18:00:00+05:30") from None
    if moment.tzinfo is None:
        raise ValueError("needs an offset from UTC, as in 2026-11-20T18:00:00Z")
    return int(moment.astimezone(UTC).timestamp())


Instant = Annotated[int, BeforeValidator(read_instant)]
Header = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, (int, float)) else value)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Habits(BaseModel):
    """The switches. An answer takes `latency` + `latency_per_user` for each user asked about + up to `jitter`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency: Seconds = 0.0
    latency_per_user: Seconds = 0.0
    jitter: Seconds = 0.0
    limit: Annotated[int | None, Field(ge=1)] = None
    """Requests allowed in any second; what is more is answered with 429."""
    retry_after: Header | None = None
    """The `Retry-After` of such an answer, if it has one: seconds, or an HTTP date."""
    collapse: bool = False
    """Whether of accepted submissions of one problem next to each other only the newest is shown."""
    unknown_list: Literal["empty", "null"] = "empty"
    """What the list of an account that does not exist is; null comes with an error."""
    hidden_list: Literal["empty", "null"] = "empty"
    """What the list of a hidden account is."""
    now: Instant | None = None
    """The time that it is; None is the real one."""
