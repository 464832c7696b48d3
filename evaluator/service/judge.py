"""Judge: from what is known of a member to what is written, without reading or writing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from evaluator.domain.day import Window
from evaluator.domain.evidence import Evidence
from evaluator.domain.postings import posting
from evaluator.domain.rules import Difficulty, Rules
from evaluator.domain.streak import Streak, replay
from evaluator.domain.verdict import Case, Outcome, Reason, Verdict, decide
from evaluator.ledger.evaluations import Account, Decision


@dataclass(frozen=True, slots=True)
class Day:
    """The day that is settled, under the rules that hold on it; `counts_from` is the challenge's first second."""

    date: date
    window: Window
    rules: Rules
    counts_from: int

    @property
    def rests(self) -> bool:
        return self.date.weekday() in self.rules.rest_days


def verdict_on(day: Day, account: Account, evidence: Evidence, difficulties: Mapping[str, Difficulty]) -> Verdict:
    """The verdict on an account, given what is stored about it and known of its solves."""
    settled = account.outcome is not Outcome.PENDING and account.reason is not Reason.OVERRIDE
    previous = Verdict(account.outcome, account.reason, account.solved, account.required) if settled else None
    return decide(
        Case(
            rules=day.rules,
            window=day.window,
            counts_from=day.counts_from,
            weekday=day.date.weekday(),
            evidence=evidence,
            difficulties=difficulties,
            absent=account.absent,
            override=account.override,
            previous=previous,
            freeze_left=account.freezes_used < day.rules.freezes_per_month,
        )
    )


def decision_on(
    day: Day, account: Account, verdict: Verdict, history: Mapping[date, Outcome] | None, error: str | None = None
) -> Decision:
    """What a verdict writes: itself, the streak and the posting.

    `history` holds every outcome of the member by day, or is None where the day extends the streak as it stands
    (`extends_streak`).
    """
    streak, through = _streak_after(day.date, account, verdict.outcome, history)
    return Decision(
        account.member_id,
        verdict.outcome,
        verdict.reason,
        verdict.solved,
        verdict.required,
        _exhibits(verdict),
        streak,
        through,
        posting(day.rules, account.outcome, verdict.outcome, account.total, account.standing),
        account.entries + 1,
        error,
    )


def extends_streak(day: date, account: Account) -> bool:
    """Whether a streak can go on from where it stands: the day is newer than all that is settled.

    A pending day changes no streak, so an older one may be open still; it will bring a replay when it settles.
    """
    return account.settled_through is None or day > account.settled_through


def _streak_after(
    day: date, account: Account, outcome: Outcome, history: Mapping[date, Outcome] | None
) -> tuple[Streak, date | None]:
    if history is None:
        if outcome is Outcome.PENDING:
            return account.streak, account.settled_through
        return account.streak.then(outcome), day
    outcomes = {**history, day: outcome}
    settled = [one for one in sorted(outcomes) if outcomes[one] is not Outcome.PENDING]
    return replay(outcomes[one] for one in settled), settled[-1] if settled else None


def _exhibits(verdict: Verdict) -> list[dict[str, object]]:
    """The judged solves of a day as they are kept: `[{id, problem, at, difficulty, bearing}]`."""
    return [
        {
            "id": judged.solve.submission_id,
            "problem": judged.solve.slug,
            "at": judged.solve.at,
            "difficulty": judged.difficulty,
            "bearing": judged.bearing,
        }
        for judged in verdict.judged
    ]
