"""The characters of the simulated population: how much they solve, and on which days."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from evaluator.local.simulator.account import Visibility


@dataclass(frozen=True)
class Character:
    """How an account behaves.

    `amounts` are equally likely numbers of solves on an active day. Of every `period` days in a row `active` are
    active ones; `rest_days`, with Monday as 0, never are.
    """

    amounts: Sequence[int]
    period: int = 1
    active: int = 1
    rest_days: Sequence[int] = ()
    visibility: Visibility = Visibility.VISIBLE

    @cached_property
    def table(self) -> bytes:
        """What a byte of chance becomes: a number of solves."""
        return bytes(self.amounts[byte * len(self.amounts) // 256] for byte in range(256))


CHARACTERS: Mapping[str, Character] = {
    "diligent": Character((2, 2, 3)),
    "sloppy": Character((1, 1, 2), period=3, active=2),
    "weekend": Character((3, 4, 5), rest_days=range(5)),
    "vanishing": Character((2, 3), period=28, active=18),
    "binge": Character((22, 24, 27, 30), period=3, active=1),
    "idle": Character((0,)),
    "hidden": Character((2, 2, 3), visibility=Visibility.HIDDEN),
    "unknown": Character((0,), visibility=Visibility.UNKNOWN),
}

_SHARES = {
    "diligent": 60,
    "sloppy": 20,
    "weekend": 10,
    "vanishing": 4,
    "binge": 3,
    "idle": 1,
    "hidden": 1,
    "unknown": 1,
}
_BY_CHANCE = tuple(name for name, share in _SHARES.items() for _ in range(share))

_HANDLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def character_of(handle: str, chance: int) -> str:
    """The name of a handle's character: that which the handle begins with (`sloppy-ben`), else one by chance.

    What cannot be a handle of LeetCode is unknown.
    """
    if not _HANDLE.fullmatch(handle):
        return "unknown"
    first = re.split(r"[._-]", handle.lower(), maxsplit=1)[0]
    return first if first in CHARACTERS else _BY_CHANCE[chance % len(_BY_CHANCE)]
