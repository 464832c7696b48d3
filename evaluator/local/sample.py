"""The sample: challenges whose days have just gone by, whenever that is.

In `sample.yaml`, `<-2>` stands for the date two days before the last one that can be settled in every time zone of
the file, `<weekday-2>` for the weekday of that date.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

from evaluator.domain.challenge import WEEKDAYS

_PLACE = re.compile(r"<(weekday)?([+-]\d+)>")


def sample_challenges(now: int, settle_delay: float) -> bytes:
    """The challenge file of the sample, as it is at `now`, in seconds since the epoch.

    `settle_delay` is how many seconds after its end a day can be settled.
    """
    template = (files(__package__) / "sample.yaml").read_text(encoding="utf-8")
    zones = map(ZoneInfo, re.findall(r"timezone: (\S+)", template))
    last = min(datetime.fromtimestamp(now - settle_delay, zone).date() for zone in zones) - timedelta(days=1)

    def fill(place: re.Match[str]) -> str:
        day = last + timedelta(days=int(place[2]))
        return WEEKDAYS[day.weekday()] if place[1] else day.isoformat()

    return _PLACE.sub(fill, template).encode()
