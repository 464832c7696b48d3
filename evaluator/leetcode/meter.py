"""Who is told how requests to LeetCode went."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Meter(Protocol):
    """Is told of each request by the thread that sends it; costs microseconds and raises nothing."""

    def waited(self, seconds: float) -> None:
        """For so long somebody waited for a slot, whether there was one or not."""

    def request(self, members: int) -> AbstractContextManager[None]:
        """Is around each request that is sent, and what so many members solved is asked. An exception is no answer."""

    def answered(self, refusal: str | None) -> None:
        """The request of this thread was answered, if it was not refused as a whole, as what kind of refusal."""


class Unmeasured:
    """A meter for nobody."""

    def waited(self, seconds: float) -> None:
        pass

    def request(self, members: int) -> AbstractContextManager[None]:  # noqa: ARG002  # as in the protocol
        return nullcontext()

    def answered(self, refusal: str | None) -> None:
        pass
