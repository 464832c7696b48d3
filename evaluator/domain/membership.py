"""Which days are required of a member."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evaluator.domain.day import Window


@dataclass(frozen=True, slots=True)
class Membership:
    """One stay of a member in a challenge, in seconds since the epoch; None is open on that side."""

    joined: int | None = None
    left: int | None = None

    def requires(self, window: Window) -> bool:
        """Whether the whole day lies in the stay (RULES 2)."""
        return (self.joined is None or window.start >= self.joined) and (self.left is None or window.end <= self.left)


def is_required(memberships: Iterable[Membership], window: Window) -> bool:
    return any(membership.requires(window) for membership in memberships)
