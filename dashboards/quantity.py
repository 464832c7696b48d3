"""Quantities as a person reads them, by Grafana's names of units."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_STEPS = {
    "s": ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (0.001, "ms")),
    "bytes": ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B")),
}
_ROUND_SECONDS = (15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 864000, 1e9)
_THOUSANDS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def quantity(value: float, unit: str) -> str:
    """A value with its unit, three digits of it."""
    if unit == "dateTimeAsLocal":
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%H:%M:%S")
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit in _STEPS:
        size, name = next((step for step in _STEPS[unit] if abs(value) >= step[0]), (1, unit if unit == "s" else "B"))
        return f"{_digits(value / size)} {name}"
    size, name = next((step for step in _THOUSANDS if abs(value) >= step[0]), (1, ""))
    return f"{_digits(value / size)}{f' {name}' if name else ''}{'' if unit == 'short' else '/s'}"


def tick(least: float, unit: str) -> float:
    """The next round step of an axis that is no smaller than `least`."""
    if least <= 0:
        return 0.25 if unit == "percentunit" else 1.0
    if unit == "s" and least > 10:
        return next(step for step in _ROUND_SECONDS if step >= least)
    base = 2.0 if unit == "bytes" else 10.0
    size = base ** math.floor(math.log(least, base))
    return next(step * size for step in (1, 2, 2.5, 5, 10) if step * size >= least * 0.999)


def _digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
