"""Who is told what was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Meter(Protocol):
    """Is told of each transaction that decides members; costs microseconds and raises nothing."""

    def recording(self) -> AbstractContextManager[None]:
        """Is around a transaction that decides and records a batch."""

    def recorded(self, verdicts: Iterable[tuple[str, str]]) -> None:
        """These outcomes and reasons are committed, one of each member."""


class Unmeasured:
    """A meter for nobody."""

    def recording(self) -> AbstractContextManager[None]:
        return nullcontext()

    def recorded(self, verdicts: Iterable[tuple[str, str]]) -> None:
        pass
