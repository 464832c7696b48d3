"""Random challenge files, and random edits of them while the challenge runs.

With `doubtful` also such edits as the rules do not settle, so that two careful readers could differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from tests.oracle.calendar import ONE_DAY, days, first_instant
from tests.oracle.challenge_state import ChallengeState
from tests.oracle.model import Absence, Challenge, Member, Penalty, Rules

ZONES = (
    "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Europe/Berlin", "America/New_York", "UTC", "Asia/Tokyo",
    "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Asia/Tehran", "America/Sao_Paulo", "Asia/Beirut",
)  # fmt: skip
WEEKDAYS = ("monday", "wednesday", "saturday", "sunday")
MONEY = (
    ("EUR", ("5.00", "0", "0.01", "2.5"), (None, "12.00", "5.00", "7.25", "0")),
    ("JPY", ("500", "1"), (None, "1200", "500")),
    ("KWD", ("0.250", "1.005"), (None, "1.100")),
    ("USD", ("3",), (None, "10")),
)


@dataclass(slots=True)
class Author:
    """Writes the files of one history."""

    rng: Random
    handles: Sequence[str]
    doubtful: bool

    def first(self, name: str, zone: str, starts: date, ends: date, *, late: bool) -> Challenge:
        """The first file of a challenge; with `late` it is applied when the challenge runs already."""
        rng = self.rng
        # `difficulties` may change only where `unique` is never `challenge`: what a problem's first date is if the
        # problem was not allowed on it is in doubt.
        unique = rng.choice(("none", "day", "day", "challenge"))
        rules = Rules(
            min_solves=rng.choice((1, 1, 1, 2, 2, 3)),
            difficulties=rng.choice((None, ("Medium", "Hard"), ("Hard",), ("Easy", "Medium"))),
            unique=unique,
            rest_days=tuple(rng.sample(WEEKDAYS, rng.choice((0, 0, 1, 2)))),
            freezes_per_month=rng.choice((0, 0, 1, 1, 2, 3)),
            penalty=self._penalty(rng.choice(MONEY)) if rng.random() < 0.85 else None,
        )
        begin = first_instant(zone, starts) or 0
        chosen = rng.sample(list(self.handles), rng.randint(1, len(self.handles)))
        members = [self._member(handle, begin) for handle in chosen]
        if late:
            members = [m if m.joined or rng.random() < 0.3 else replace(m, joined=begin - 3600) for m in members]
        if rng.random() < 0.1:
            members.append(Member("nobody-there"))
        return Challenge(name, zone, starts, ends, rules, tuple(members))

    def edited(self, state: ChallengeState, at: int) -> Challenge:
        """The challenge after one to three edits of what its newest file says."""
        spec = state.spec
        edits: list[Callable[[Challenge, ChallengeState, int], Challenge]] = [
            self._rules, self._rules, self._ends, self._zone, self._add, self._remove, self._come_back,
            self._joined, self._left, self._absence, self._absence, self._respell, self._starts,
        ]  # fmt: skip
        for edit in self.rng.sample(edits, self.rng.randint(0, 3)):
            spec = edit(spec, state, at)
        if self.rng.random() < 0.04:
            spec = replace(spec, cancelled=True)
        elif self.doubtful and self.rng.random() < 0.3:
            spec = replace(spec, cancelled=False)
        return spec

    def wrong(self, state: ChallengeState, at: int) -> Challenge:
        """A file that must be refused."""
        spec, rules = state.spec, state.spec.rules
        currency = state.currency()
        wrongs = [
            replace(spec, rules=replace(rules, penalty=Penalty("5.001", "EUR"))),
            replace(spec, rules=replace(rules, penalty=Penalty("500.5", "JPY"))),
        ]
        if at >= state.begin():
            wrongs.append(replace(spec, starts=spec.starts - ONE_DAY))
            if currency is not None:
                wrongs.append(replace(spec, rules=replace(rules, penalty=Penalty("5", "CHF"))))
        return self.rng.choice(wrongs)

    def _member(self, handle: str, begin: int) -> Member:
        rng = self.rng
        joined = left = None
        if rng.random() < 0.3:
            joined = begin + rng.choice((-86400, -1, 0, 1, 86400, rng.randint(-86400, 5 * 86400)))
        if rng.random() < 0.15:
            left = max(joined or begin, begin + rng.choice((4 * 86400, rng.randint(86400, 12 * 86400))))
        return Member(self._spelled(handle), joined, left)

    def _spelled(self, handle: str) -> str:
        return self.rng.choice((handle, handle, handle, handle.lower(), handle.upper()))

    def _penalty(self, money: tuple[str, tuple[str, ...], tuple[str | None, ...]]) -> Penalty:
        currency, amounts, caps = money
        return Penalty(self.rng.choice(amounts), currency, self.rng.choice(caps))

    def _rules(self, spec: Challenge, state: ChallengeState, _at: int) -> Challenge:
        rng, rules = self.rng, spec.rules
        ever_unique = any(version.unique == "challenge" for version in state.rules.values())
        choices = [
            replace(rules, min_solves=rng.randint(1, 3)),
            replace(rules, rest_days=tuple(rng.sample(WEEKDAYS, rng.randint(0, 2)))),
            replace(rules, freezes_per_month=rng.randint(0, 3)),
        ]
        currency = state.currency()
        choices += [
            replace(rules, penalty=self._penalty(money) if rng.random() < 0.85 else None)
            for money in MONEY
            if money[0] == currency
        ]
        if not ever_unique or self.doubtful:
            choices.append(replace(rules, difficulties=rng.choice((None, ("Medium", "Hard"), ("Easy",)))))
            choices.append(replace(rules, unique=rng.choice(("none", "day"))))
        if self.doubtful:
            choices.append(replace(rules, unique="challenge"))
        return replace(spec, rules=rng.choice(choices))

    def _ends(self, spec: Challenge, state: ChallengeState, at: int) -> Challenge:
        ends = spec.ends + self.rng.randint(-3, 3) * ONE_DAY
        soonest = spec.starts if at < state.begin() else state.next_date(at)
        if self.doubtful:
            soonest = spec.starts
        return replace(spec, ends=max(ends, soonest))

    def _starts(self, spec: Challenge, state: ChallengeState, at: int) -> Challenge:
        """Only well before the challenge begins, and to a date that exists and is still to come."""
        starts = spec.starts + self.rng.randint(-1, 2) * ONE_DAY
        begin = first_instant(spec.timezone, starts)
        if min(begin or 0, state.begin()) < at + 2 * 86400:
            return spec
        return replace(spec, starts=starts, ends=max(spec.ends, starts))

    def _zone(self, spec: Challenge, state: ChallengeState, at: int) -> Challenge:
        """Well before it begins, or once while it runs; not around dates that a zone skips or that would vanish."""
        if at < state.begin():
            zone = self.rng.choice(ZONES)
            begin = first_instant(zone, spec.starts)
            soon = min(begin or 0, state.begin()) < at + 2 * 86400
            return spec if soon else replace(spec, timezone=zone)
        if len(set(state.zones.values())) > 1 and not self.doubtful:
            return spec
        zone = self.rng.choice((*ZONES, "Pacific/Kiritimati", "Pacific/Pago_Pago") if self.doubtful else ZONES)
        next_date = state.next_date(at)
        around = [next_date - ONE_DAY, next_date, next_date + ONE_DAY]
        exist = all(first_instant(z, d) is not None for z in (zone, spec.timezone) for d in around)
        kept = {day.date for day in days(spec.starts, around[-1], {**state.zones, next_date: zone})}
        return replace(spec, timezone=zone) if self.doubtful or (exist and next_date in kept) else spec

    def _add(self, spec: Challenge, state: ChallengeState, at: int) -> Challenge:
        new = [handle for handle in self.handles if handle.lower() not in state.stays]
        if not new:
            return spec
        member = self._member(self.rng.choice(new), max(at, state.begin()))
        return replace(spec, members=(*spec.members, member))

    def _remove(self, spec: Challenge, _state: ChallengeState, at: int) -> Challenge:
        """Not of those who had left already: whether that changes when they left is in doubt."""
        there = [m for m in spec.members if self.doubtful or m.left is None or m.left > at]
        if not there:
            return spec
        gone = self.rng.choice(there)
        return replace(spec, members=tuple(m for m in spec.members if m is not gone))

    def _come_back(self, spec: Challenge, state: ChallengeState, at: int) -> Challenge:
        former = [stays[-1].member for _, stays in sorted(state.stays.items()) if stays[-1].removed_at is not None]
        if not former:
            return spec
        joined = self.rng.choice((None, at - 3 * 86400, at + 40000))
        back = replace(self.rng.choice(former), joined=joined, left=None)
        return replace(spec, members=(*spec.members, back))

    def _member_edit(self, spec: Challenge, who: Sequence[Member], edit: Callable[[Member], Member]) -> Challenge:
        if not who:
            return spec
        chosen = self.rng.choice(who)
        return replace(spec, members=tuple(edit(m) if m is chosen else m for m in spec.members))

    def _joined(self, spec: Challenge, state: ChallengeState, at: int) -> Challenge:
        """Not of those who came back; and it is never taken out again."""
        who = [m for m in spec.members if self.doubtful or len(state.stays.get(m.handle.lower(), ())) < 2]
        near = self.rng.choice((at, state.begin()))
        joined = near + self.rng.choice((0, self.rng.randint(-5 * 86400, 3 * 86400)))
        return self._member_edit(spec, who, lambda m: replace(m, joined=min(joined, m.left or joined)))

    def _left(self, spec: Challenge, _state: ChallengeState, at: int) -> Challenge:
        """Not of those who have left: taking it back may mean a return or a correction."""
        who = [m for m in spec.members if self.doubtful or m.left is None or m.left > at]
        left = self.rng.choice((None, at, at + self.rng.randint(-4 * 86400, 5 * 86400)))
        return self._member_edit(spec, who, lambda m: replace(m, left=left and max(left, m.joined or left)))

    def _absence(self, spec: Challenge, state: ChallengeState, at: int) -> Challenge:
        today = spec.starts if at < state.begin() else state.next_date(at)
        first = today + self.rng.randint(-6, 3) * ONE_DAY
        absence = Absence(first, first + self.rng.randint(0, 3) * ONE_DAY)

        def edit(member: Member) -> Member:
            kept = member.absences[:-1] if self.rng.random() < 0.3 else (*member.absences, absence)
            return replace(member, absences=kept)

        return self._member_edit(spec, spec.members, edit)

    def _respell(self, spec: Challenge, _state: ChallengeState, _at: int) -> Challenge:
        return self._member_edit(spec, spec.members, lambda m: replace(m, handle=self._spelled(m.handle.lower())))
