"""The oracle itself: it is told every step and every answer in the order of time, and says what must be by now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from tests.oracle import membership
from tests.oracle.calendar import Day
from tests.oracle.challenge_state import ChallengeState, Row, refusals
from tests.oracle.evidence import Observation, observed
from tests.oracle.judge import Case, Judgement, judge, streaks
from tests.oracle.model import Answer, Apply, Enqueue, Override, Posting, Standing, Step, Verdict
from tests.oracle.money import minor


class Oracle:
    """Feed it `learn`, `observe` and `apply`; then read `verdicts`, `postings`, `total`, `streak`, `standings`."""

    def __init__(self, settle_delay: int = 3600) -> None:
        """`settle_delay` is in seconds after a day's end."""
        self.settle_delay = settle_delay
        self.challenges: dict[str, ChallengeState] = {}
        self.ledger: list[Posting] = []
        self._observations: dict[str, list[Observation]] = {}
        self._difficulties: dict[str, str] = {}

    def learn(self, difficulties: Mapping[str, str]) -> None:
        """These problems' difficulties are known from now on, by slug."""
        self._difficulties.update(difficulties)

    def observe(self, answer: Answer) -> None:
        """LeetCode answered; answers come in the order in which they were given."""
        before = self._observations.setdefault(answer.handle.lower(), [])
        before.append(observed(answer, before))

    def apply(self, step: Step) -> list[str]:
        """Do the step; what was refused, and then nothing has changed."""
        if isinstance(step, Apply):
            return self._apply_file(step)
        if isinstance(step, Enqueue):
            return self._enqueue(step)
        if isinstance(step, Override):
            return self._override(step)
        return []

    def settle(self, challenge: str, day: date, at: int, *, reevaluate: bool = False) -> None:
        """Judge one day of one challenge: what is not settled of it, or with `reevaluate` all of it."""
        state = self.challenges[challenge]
        for handle, this in list(self._work(state, at, day, reevaluate=reevaluate)):
            self._record(state, handle, this, at, None)

    def asks(self, step: Step) -> list[str]:
        """The handles about whom the step has to ask LeetCode: whose day the stored answers do not decide."""
        if not isinstance(step, Enqueue):
            return []
        found = set()
        for state in self._targets(step.challenge):
            for handle, day in self._work(state, step.at, step.day, reevaluate=step.reevaluate):
                judged = self._judge(state, handle, day, self._override_of(state, handle, day))
                undecided = judged.outcome == "pending" and judged.reason != "difficulty_unknown"
                if undecided or (step.reevaluate and judged.outcome != "exempt"):
                    found.add(handle)
        return sorted(found)

    # What must be by now.

    def verdicts(self, challenge: str) -> list[Verdict]:
        """Every evaluation, by day and handle. A row is provisional while an older one of its member is pending."""
        state = self.challenges[challenge]
        pending = [(handle, day) for (handle, day), row in state.rows.items() if row.outcome == "pending"]
        return [
            Verdict(
                challenge, self._name(state, handle), day, row.outcome, row.reason, row.solved, row.required,
                provisional=any(whose == handle and older < day for whose, older in pending),
            )
            for (handle, day), row in sorted(state.rows.items(), key=lambda item: (item[0][1], item[0][0]))
        ]  # fmt: skip

    def postings(self, challenge: str) -> list[Posting]:
        """The ledger of a challenge in the order in which it was written."""
        return [posting for posting in self.ledger if posting.challenge == challenge]

    def total(self, challenge: str, handle: str) -> int:
        """The sum of the member's postings in the challenge, in minor units."""
        return sum(posting.minor for posting in self.postings(challenge) if posting.handle == handle.lower())

    def streak(self, challenge: str, handle: str) -> tuple[int, int]:
        """The member's current and longest streak."""
        mine = {day: row for (whose, day), row in self.challenges[challenge].rows.items() if whose == handle.lower()}
        return streaks(mine[day].outcome for day in sorted(mine))

    def standings(self, challenge: str) -> list[Standing]:
        """Rule 23: everybody who was ever a member; equal ones share a rank, the next rank skips."""
        state = self.challenges[challenge]
        keys = {}
        for handle in state.stays:
            current, longest = self.streak(challenge, handle)
            keys[handle] = (-current, -longest, self.total(challenge, handle))
        return [
            Standing(
                1 + sum(other < key for other in keys.values()),
                self._name(state, handle), -key[0], -key[1], key[2], state.currency(),
            )
            for handle, key in sorted(keys.items(), key=lambda item: (item[1], item[0]))
        ]  # fmt: skip

    def status(self, challenge: str, at: int) -> str:
        """Rule 5: upcoming, active, completed or cancelled."""
        state = self.challenges[challenge]
        if state.spec.cancelled:
            return "cancelled"
        if at < state.begin():
            return "upcoming"
        days = state.days()
        all_due = not days or self._due(days[-1], at)
        return "completed" if all_due and not any(self._work(state, at, None, reevaluate=False)) else "active"

    # The steps.

    def _apply_file(self, step: Apply) -> list[str]:
        refused = [
            refusal for spec in step.challenges for refusal in refusals(spec, self.challenges.get(spec.id), step.at)
        ]
        if not refused:
            for spec in step.challenges:
                self.challenges.setdefault(spec.id, ChallengeState(spec)).accept(spec, step.at)
        return refused

    def _enqueue(self, step: Enqueue) -> list[str]:
        targets = self._targets(step.challenge)
        if step.day is not None:
            here = [(state.spec.id, day) for state in targets if (day := state.day(step.day)) is not None]
            refused = [f"{name}: {day.date} is not due yet" for name, day in here if not self._due(day, step.at)]
            if refused:
                return refused
        for state in targets:
            for day in state.days():
                if self._due(day, step.at) and step.day in (None, day.date):
                    self.settle(state.spec.id, day.date, step.at, reevaluate=step.reevaluate)
        return []

    def _override(self, step: Override) -> list[str]:
        state = self.challenges.get(step.challenge)
        handle = step.handle.lower()
        day = state.day(step.day) if state else None
        if state is None or handle not in state.stays or day is None:
            return [f"{step.challenge} {step.handle} {step.day}: there is no such day of a member"]
        row = state.rows.get((handle, step.day))
        if row is None and not state.required(handle, day):
            return [f"{step.challenge} {step.handle} {step.day}: the day is not required of the member"]
        if step.outcome is not None:
            self._record(state, handle, day, step.at, step.outcome)
        elif row is not None and row.override is not None:
            self._record(state, handle, day, step.at, None, cleared=True)
            if not self._due(day, step.at):
                undone = state.rows.pop((handle, step.day))
                self._post(state, handle, day, undone.outcome, "pending", step.at)
        return []

    # One member's day.

    def _targets(self, challenge: str | None) -> list[ChallengeState]:
        """The challenges that settle: a cancelled one settles nothing more."""
        named = sorted(self.challenges) if challenge is None else [challenge]
        return [self.challenges[name] for name in named if not self.challenges[name].spec.cancelled]

    def _due(self, day: Day, at: int) -> bool:
        return at >= day.end + self.settle_delay

    def _work(self, state: ChallengeState, at: int, day: date | None, *, reevaluate: bool) -> Iterator[tuple[str, Day]]:
        """The members' days to judge, by date and handle."""
        for this in state.days():
            if not self._due(this, at) or day not in (None, this.date):
                continue
            for handle in sorted(state.stays):
                row = state.rows.get((handle, this.date))
                if (row is not None or state.required(handle, this)) and (reevaluate or row is None or not row.settled):
                    yield handle, this

    def _override_of(self, state: ChallengeState, handle: str, day: Day) -> str | None:
        row = state.rows.get((handle, day.date))
        return row.override if row else None

    def _absent(self, state: ChallengeState, handle: str, day: Day) -> bool:
        row = state.rows.get((handle, day.date))
        kept = row is not None and row.settled and row.override is None
        return row.absent if row and kept else membership.absent(state.stays[handle], day)

    def _judge(self, state: ChallengeState, handle: str, day: Day, override: str | None) -> Judgement:
        row = state.rows.get((handle, day.date))
        frozen = [
            other
            for (whose, other), that in state.rows.items()
            if whose == handle and other != day.date and that.reason == "freeze"
            and (other.year, other.month) == (day.date.year, day.date.month)
        ]  # fmt: skip
        return judge(
            Case(
                rules=state.rules_of(day.date),
                day=day,
                challenge_begin=state.begin(),
                observations=self._observations.get(handle, []),
                difficulties=self._difficulties,
                override=override,
                passed_before=row is not None and row.reason == "enough",
                absent=self._absent(state, handle, day),
                frozen_before=row is not None and row.reason == "freeze",
                freezes_used=len(frozen),
            )
        )

    def _record(
        self, state: ChallengeState, handle: str, day: Day, at: int, override: str | None, *, cleared: bool = False
    ) -> None:
        """Judge the member's day and write outcome and postings. An override in force stays until it is cleared."""
        in_force = override if override or cleared else self._override_of(state, handle, day)
        judged = self._judge(state, handle, day, in_force)
        absent = self._absent(state, handle, day)
        before = state.rows.get((handle, day.date))
        state.rows[handle, day.date] = Row(
            judged.outcome, judged.reason, judged.solved, judged.required, in_force, absent
        )
        self._post(state, handle, day, before.outcome if before else "pending", judged.outcome, at)

    def _post(self, state: ChallengeState, handle: str, day: Day, before: str, after: str, at: int) -> None:
        """Rule 19: entering `failed` costs, up to the cap; leaving it gives exactly that back."""
        name, penalty = state.spec.id, state.rules_of(day.date).penalty
        change = 0
        if after == "failed" != before and penalty is not None and not state.spec.cancelled:
            change = minor(penalty.amount, penalty.currency)
            if penalty.cap is not None:
                room = minor(penalty.cap, penalty.currency) - self.total(name, handle)
                change = max(0, min(change, room))
        if before == "failed" != after:
            mine = [p for p in self.postings(name) if p.handle == handle and p.day == day.date]
            change = -sum(posting.minor for posting in mine)
        if change:
            self.ledger.append(Posting(name, handle, day.date, change, state.currency() or "", at))

    def _name(self, state: ChallengeState, handle: str) -> str:
        return state.stays[handle][-1].member.handle
