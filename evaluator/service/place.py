"""Place: one member's day in its time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from evaluator.domain.day import Window
from evaluator.domain.rules import Rules, rules_on
from evaluator.ledger.challenges import Challenge, Member


@dataclass(frozen=True, slots=True)
class Place:
    challenge: Challenge
    member: Member
    day: date

    @property
    def window(self) -> Window | None:
        return self.challenge.calendar.window(self.day)

    @property
    def zone(self) -> ZoneInfo:
        return self.challenge.calendar.zone_on(self.day)

    @property
    def rules(self) -> Rules:
        """The rules of the day; of one before the challenge, those that it begins with."""
        return rules_on(self.challenge.rules, max(self.day, self.challenge.starts))

    def at(self, instant: float) -> datetime:
        """The local time of seconds since the epoch."""
        return datetime.fromtimestamp(instant, self.zone)

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def told(self, instant: float) -> str:
        """The local time in words; the zone is said elsewhere."""
        moment = self.at(instant)
        return f"{moment.day} {moment:%b %Y, %H:%M}"
