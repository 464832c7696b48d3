"""The date of a day as calls write it. The framework by itself takes seconds since the epoch for one, too."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from evaluator.domain.day import read_date


def _as_written(value: object) -> date:
    try:
        return read_date(value if isinstance(value, str) else "")
    except ValueError:
        raise PydanticCustomError("day", "this is not a date; write it as 2026-11-20") from None


Day = Annotated[date, BeforeValidator(_as_written)]
"""A date of a challenge's calendar, as 2026-11-20."""
