"""The penalty ledger: what a change of outcome posts (RULES 19 and 20)."""

from __future__ import annotations

from evaluator.domain.rules import Rules
from evaluator.domain.verdict import Outcome


def posting(rules: Rules, before: Outcome, after: Outcome, total: int, standing: int) -> int:
    """The amount to post, in minor units, when a day's outcome changes; 0 posts nothing.

    `total` is the sum of the member's postings in the challenge, `standing` that of this day: what a failed day
    holds, and so what leaving `failed` reverses.
    """
    if after is Outcome.FAILED and before is not Outcome.FAILED:
        return rules.penalty if rules.cap is None else max(0, min(rules.penalty, rules.cap - total))
    if before is Outcome.FAILED and after is not Outcome.FAILED:
        return -standing
    return 0
