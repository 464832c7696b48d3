"""Random whole histories: what people do to their challenges, step by step, in a world that they do not control.

A history can be run against any implementation by moving time forward step by step: at each step LeetCode answers
`history.world.answer(handle, step.at)`. `generate(seed)` keeps to what the rules settle; with `doubtful` it also does
what they leave open, where a difference is a question to the rules rather than a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.oracle.accounts import random_world
from tests.oracle.calendar import Day, days, first_instant
from tests.oracle.edits import ZONES, Author
from tests.oracle.model import Apply, Challenge, Enqueue, Override, Step, Sync
from tests.oracle.oracle import Oracle
from tests.oracle.world import World

SEASONS = (
    ("Asia/Kolkata", date(2026, 11, 5)), ("Asia/Kathmandu", date(2025, 6, 28)), ("UTC", date(2024, 2, 29)),
    ("America/St_Johns", date(2010, 11, 7)), ("America/St_Johns", date(2011, 3, 13)),
    ("America/St_Johns", date(2025, 11, 2)), ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Fakaofo", date(2011, 12, 30)), ("Africa/Cairo", date(2023, 4, 28)), ("Africa/Cairo", date(2023, 10, 27)),
    ("America/Sao_Paulo", date(2018, 11, 4)), ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Asia/Beirut", date(2022, 3, 27)), ("Asia/Beirut", date(2022, 10, 30)), ("Pacific/Kiritimati", date(2025, 1, 31)),
    ("Pacific/Kiritimati", date(1995, 1, 1)), ("America/Havana", date(2023, 3, 12)),
    ("America/Havana", date(2023, 11, 5)), ("Asia/Tehran", date(2022, 3, 22)), ("Asia/Tehran", date(2022, 9, 22)),
    ("Australia/Lord_Howe", date(2025, 4, 6)), ("Pacific/Chatham", date(2025, 9, 28)),
    ("America/Asuncion", date(2024, 10, 6)), ("Atlantic/Azores", date(2025, 3, 30)),
    ("Atlantic/Azores", date(2025, 10, 26)), ("Europe/Berlin", date(2025, 10, 26)),
    ("Pacific/Pago_Pago", date(2026, 1, 31)), ("America/New_York", date(2026, 3, 8)),
)  # fmt: skip
"""A zone and a date on which its clocks are worth a test, or a month ends."""


@dataclass(frozen=True, slots=True)
class History:
    """Steps in the order of time, never two at one instant. `settle_delay` is in seconds."""

    seed: int
    settle_delay: int
    world: World
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """One challenge: its first file is applied at `opens`; it is worked on until `closes`."""

    first: Challenge
    days: list[Day]
    opens: int
    closes: int


def generate(seed: int, *, doubtful: bool = False) -> History:
    """The history of that seed, the same on every machine with the same time zone data."""
    rng = Random(seed)  # noqa: S311  # a history must be repeatable, not secret
    zone, worth = rng.choice(SEASONS)
    starts = _existing(zone, worth - timedelta(days=rng.randint(0, 6)))
    length = rng.choice((1, 2, *range(4, 19)))
    begun = days(starts, starts + timedelta(days=length - 1), {starts: zone})
    world = random_world(rng, begun)
    author = Author(rng, [account.handle for account in world.accounts.values()], doubtful)
    plans = [_plan(rng, author, "first", zone, begun)]
    for name in ("second", "third")[: rng.choice((0, 0, 1, 1, 2))]:
        other = rng.choice((zone, rng.choice(ZONES)))
        first = _existing(other, starts + timedelta(days=rng.randint(-2, 4)))
        ends = first + timedelta(days=rng.randint(0, 12))
        plans.append(_plan(rng, author, name, other, days(first, ends, {first: other})))
    settle_delay = rng.choice((3600, 3600, 3600, 0, 900, 7200))
    return _Chronicle(rng, author, world, plans, Oracle(settle_delay)).written(seed)


def play(history: History, oracle: Oracle | None = None) -> Iterator[tuple[Step, list[str], Oracle]]:
    """The history as a careful evaluator lives it: each step, what of it was refused, and the oracle after it."""
    oracle = oracle or Oracle(history.settle_delay)
    for step in history.steps:
        yield step, _done(step, history.world, oracle), oracle


def _done(step: Step, world: World, oracle: Oracle) -> list[str]:
    oracle.learn(world.catalogue(step.at))
    for handle in oracle.asks(step):
        oracle.observe(world.answer(handle, step.at))
    return oracle.apply(step)


def _existing(zone: str, day: date) -> date:
    while first_instant(zone, day) is None:
        day -= timedelta(days=1)
    return day


def _plan(rng: Random, author: Author, name: str, zone: str, its_days: list[Day]) -> _Plan:
    begin, end = its_days[0].begin, its_days[-1].end
    late = rng.random() < 0.2
    opens = begin + (rng.randint(1, max(2, (end - begin) // 2)) if late else -rng.randint(3600, 4 * 86400))
    first = author.first(name, zone, its_days[0].date, its_days[-1].date, late=late)
    return _Plan(first, its_days, opens, end + rng.randint(4, 7) * 86400)


@dataclass(slots=True)
class _Chronicle:
    """Writes the steps, living the history with an oracle as it goes, so that each step finds something to act on."""

    rng: Random
    author: Author
    world: World
    plans: list[_Plan]
    oracle: Oracle
    steps: list[Step] = field(default_factory=list)

    def written(self, seed: int) -> History:
        last = 0
        for planned, kind, plan in sorted(self._moments(), key=lambda moment: moment[:2]):
            at = max(planned, last + 1)
            step = self._step(at, kind, plan)
            if step is not None:
                _done(step, self.world, self.oracle)
                self.steps.append(step)
                last = at
        return History(seed, self.oracle.settle_delay, self.world, tuple(self.steps))

    def _moments(self) -> Iterator[tuple[int, str, _Plan]]:
        """When something happens, what kind of thing, and to which challenge."""
        rng, delay = self.rng, self.oracle.settle_delay
        for plan in self.plans:
            yield plan.opens, "apply", plan
            for day in plan.days:
                for likely, kind, at in self._chances(day, day.end + delay):
                    if rng.random() < likely:
                        yield at, kind, plan
            for _ in range(rng.randint(1, 3)):
                yield rng.randint(plan.days[-1].end + delay, plan.closes), "enqueue", plan
            yield plan.closes, "enqueue", plan

    def _chances(self, day: Day, due: int) -> Iterator[tuple[float, str, int]]:
        """How likely each kind of thing is on a day, and when it would be; `due` is when the day may be settled."""
        rng = self.rng
        within = rng.randrange(day.begin, day.end)
        yield 0.8, "enqueue", due + rng.choice((0, 0, 60, rng.randint(0, 7200), rng.randint(0, 72000)))
        yield 0.1, "enqueue", due - 1
        yield 0.15, "enqueue", rng.randrange(day.begin, day.end)
        yield 0.15, "one day", due + rng.randint(1, 86400)
        yield 0.15, "reevaluate", due + rng.randint(1, 3 * 86400)
        yield 0.3, "override", due + rng.randint(1, 2 * 86400)
        yield 0.2, "clear", due + rng.randint(1, 3 * 86400)
        yield 0.4, "edit", rng.choice((within, day.begin - 1, day.begin, day.begin + 1))
        yield 0.05, "sync", within

    def _step(self, at: int, kind: str, plan: _Plan) -> Step | None:
        name = plan.first.id
        if kind == "apply":
            return self._first_file(at, plan)
        if name not in self.oracle.challenges:
            return None
        if kind == "enqueue":
            return Enqueue(at, self.rng.choice((None, None, name)))
        if kind == "edit":
            return self._edit(at, plan)
        if kind == "sync":
            return Sync(at)
        if self.oracle.challenges[name].spec.cancelled and not self.author.doubtful:
            return None
        if kind == "override":
            return self._override(at, name)
        if kind == "clear":
            return self._clear(at, name)
        return self._one_day(at, name, reevaluate=kind == "reevaluate")

    def _first_file(self, at: int, plan: _Plan) -> Step | None:
        """The challenge alone, or beside those that an earlier file has already, as they are."""
        if plan.first.id in self.oracle.challenges:
            return None
        others = [state.spec for state in self.oracle.challenges.values() if self.rng.random() < 0.5]
        return Apply(at, (*others, plan.first))

    def _edit(self, at: int, plan: _Plan) -> Step | None:
        """Before the challenge ends, and not at an instant whose date in the zone is not that of the day it lies in."""
        state = self.oracle.challenges[plan.first.id]
        if not self.author.doubtful:
            if not state.days() or at >= state.days()[-1].end:
                return None
            today = state.next_date(at) - timedelta(days=1) if at >= state.begin() else None
            if today and datetime.fromtimestamp(at, ZoneInfo(state.zone_of(today))).date() != today:
                return None
        if self.rng.random() < 0.06:
            return Apply(at, (self.author.wrong(state, at),))
        return Apply(at, (self.author.edited(state, at),))

    def _override(self, at: int, name: str) -> Step | None:
        """Of a row that is there; in doubt is what it does without one, and whether `frozen` uses up a freeze."""
        rows = sorted(self.oracle.challenges[name].rows)
        outcomes = ["passed", "passed", "failed", "exempt"]
        if self.author.doubtful:
            state = self.oracle.challenges[name]
            rows = [(handle, day.date) for handle in sorted(state.stays) for day in state.days()]
            outcomes.append("frozen")
        if not rows:
            return None
        handle, day = self.rng.choice(rows)
        return Override(at, name, handle, day, self.rng.choice(outcomes))

    def _clear(self, at: int, name: str) -> Step | None:
        rows = [key for key, row in sorted(self.oracle.challenges[name].rows.items()) if row.override is not None]
        return Override(at, name, *self.rng.choice(rows), None) if rows else None

    def _one_day(self, at: int, name: str, *, reevaluate: bool) -> Step | None:
        """A day out of its turn, or one that is not due yet and must be refused."""
        its_days = self.oracle.challenges[name].days()
        due = [day.date for day in its_days if at >= day.end + self.oracle.settle_delay]
        if len(due) < len(its_days) and self.rng.random() < 0.1:
            return Enqueue(at, name, its_days[len(due)].date)
        return Enqueue(at, name, self.rng.choice(due), reevaluate) if due else None
