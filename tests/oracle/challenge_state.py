"""Rules 3 to 5: a challenge as all files applied so far have made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from tests.oracle import membership
from tests.oracle.calendar import ONE_DAY, Day, days
from tests.oracle.membership import Period
from tests.oracle.model import Challenge, Rules
from tests.oracle.money import too_precise


@dataclass(slots=True)
class Row:
    """One member's evaluation.

    `absent` is kept from the time of settling: edits of absences reach unsettled days only.
    """

    outcome: str
    reason: str
    solved: int
    required: int
    override: str | None
    absent: bool

    @property
    def settled(self) -> bool:
        """Whether no later pass looks at it again by itself."""
        return self.outcome != "pending" or self.override is not None


@dataclass(slots=True)
class ChallengeState:
    """`rules` and `zones` by the date from which they hold; `stays` and `rows` by lower-case handle."""

    spec: Challenge
    rules: dict[date, Rules] = field(default_factory=dict)
    zones: dict[date, str] = field(default_factory=dict)
    stays: dict[str, tuple[Period, ...]] = field(default_factory=dict)
    rows: dict[tuple[str, date], Row] = field(default_factory=dict)

    def days(self) -> list[Day]:
        """The challenge's days, from `starts` to `ends`."""
        return days(self.spec.starts, self.spec.ends, self.zones)

    def day(self, wanted: date) -> Day | None:
        """The day of that date, if the challenge has it."""
        return next((day for day in self.days() if day.date == wanted), None)

    def begin(self) -> int:
        """When the first date begins."""
        return days(self.spec.starts, self.spec.starts + 3 * ONE_DAY, self.zones)[0].begin

    def next_date(self, at: int) -> date:
        """The date after the day in which `at` lies, after `ends` too."""
        far = datetime.fromtimestamp(at, UTC).date() + 4 * ONE_DAY
        today = next(d for d in days(self.spec.starts, far, self.zones) if d.begin <= at < d.end)
        return today.date + ONE_DAY

    def rules_of(self, day: date) -> Rules:
        """The newest version that holds from the day or earlier."""
        return self.rules[max(since for since in self.rules if since <= day)]

    def zone_of(self, day: date) -> str:
        """The zone that holds on the day."""
        return self.zones[max(since for since in self.zones if since <= day)]

    def currency(self) -> str | None:
        """The currency of the newest version that has a penalty."""
        for since in sorted(self.rules, reverse=True):
            penalty = self.rules[since].penalty
            if penalty is not None:
                return penalty.currency
        return None

    def required(self, handle: str, day: Day) -> bool:
        """Whether the day is required of the member."""
        return membership.required(self.stays[handle], day, self.begin())

    def accept(self, spec: Challenge, at: int) -> None:
        """Take over what a file says."""
        founding = not self.rules
        if founding or at < self.begin():
            self.spec = spec
            self.rules, self.zones = {spec.starts: spec.rules}, {spec.starts: spec.timezone}
        else:
            next_date = self.next_date(at)
            self.rules[next_date], self.zones[next_date] = spec.rules, spec.timezone
            self.spec = spec
        in_file = {member.handle.lower(): member for member in spec.members}
        for handle in self.stays.keys() - in_file.keys():
            self.stays[handle] = membership.unlisted(self.stays[handle], at)
        for handle, member in in_file.items():
            self.stays[handle] = membership.listed(self.stays.get(handle, ()), member, at, founding=founding)
        self._forget_what_is_not_required()

    def _forget_what_is_not_required(self) -> None:
        by_date = {day.date: day for day in self.days()}
        for (handle, day), row in list(self.rows.items()):
            if not row.settled and not (day in by_date and self.required(handle, by_date[day])):
                del self.rows[handle, day]


def refusals(spec: Challenge, state: ChallengeState | None, at: int) -> list[str]:
    """What a file must not say of this challenge, here as far as the rules name it (4, 19, 22)."""
    found = []
    penalty = spec.rules.penalty
    if penalty is not None:
        found += [
            f"{spec.id}: {amount} has too many digits for {penalty.currency}"
            for amount in (penalty.amount, penalty.cap or "0")
            if too_precise(amount, penalty.currency)
        ]
    if state is not None and at >= state.begin():
        if spec.starts != state.spec.starts:
            found.append(f"{spec.id}: starts of a running challenge cannot change")
        if penalty is not None and state.currency() not in (None, penalty.currency):
            found.append(f"{spec.id}: the currency of a running challenge cannot change")
    return found
