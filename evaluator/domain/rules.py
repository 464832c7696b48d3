"""The rules of a challenge, and which version of them holds on a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Difficulty(StrEnum):
    EASY = "Easy"
    MEDIUM = "Medium"
    HARD = "Hard"


class Unique(StrEnum):
    """How often one problem counts."""

    NONE = "none"
    DAY = "day"
    CHALLENGE = "challenge"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a member must do on a day, and what missing it costs.

    `difficulties` empty means any. `rest_days` are `date.weekday()` numbers, Monday 0. `penalty` and `cap`
    are minor units of the challenge's currency; a cap of None is no cap.
    """

    min_solves: int = 1
    difficulties: frozenset[Difficulty] = frozenset()
    unique: Unique = Unique.DAY
    rest_days: frozenset[int] = frozenset()
    freezes_per_month: int = 0
    penalty: int = 0
    cap: int | None = None


@dataclass(frozen=True, slots=True)
class RulesVersion:
    holds_from: date
    rules: Rules


def rules_on(versions: Sequence[RulesVersion], day: date) -> Rules:
    """The newest version that holds from `day` or earlier; `versions` ascend by `holds_from`."""
    return next(version.rules for version in reversed(versions) if version.holds_from <= day)
