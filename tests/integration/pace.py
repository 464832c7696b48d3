"""How fast requests came, and whether they came as they were let go."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from evaluator.leetcode.pacer import MARGIN


def busiest_second(moments: Sequence[float]) -> int:
    """The most of these moments within one second, whichever one looks at."""
    ordered = sorted(moments)
    return max(bisect_left(ordered, start + 1) - index for index, start in enumerate(ordered))


def take_equally_long(let_go: Iterable[float], arrivals: Iterable[float]) -> bool:
    """Whether what is promised of arrivals is to be had here: no request takes longer than another by the margin.

    A machine that takes the memory of sleeping processes back, and has them fault it in again, breaks that.
    """
    took = [arrival - start for start, arrival in zip(let_go, arrivals, strict=True)]
    return max(took) - min(took) <= MARGIN
