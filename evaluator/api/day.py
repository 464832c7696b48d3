"""The date of a day as calls write it. The framework by itself takes seconds since the epoch for one, too."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _as_written(value: object) -> object:
    if not (isinstance(value, str) and _WRITTEN.fullmatch(value)):
        raise PydanticCustomError("day", "this is not a date; write it as 2026-11-20")
    return value


Day = Annotated[date, BeforeValidator(_as_written)]
"""A date of a challenge's calendar, as 2026-11-20."""
