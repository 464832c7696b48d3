"""Which version of the rules holds on a day (rule 4)."""

from __future__ import annotations

from datetime import date

import pytest

from evaluator.domain.rules import Rules, RulesVersion, rules_on

ONE, TWO, THREE = Rules(min_solves=1), Rules(min_solves=2), Rules(min_solves=3)
VERSIONS = [
    RulesVersion(date(2026, 11, 1), ONE),
    RulesVersion(date(2026, 11, 10), TWO),
    RulesVersion(date(2026, 11, 11), THREE),
]


@pytest.mark.parametrize(
    ("day", "rules"),
    [
        (date(2026, 11, 1), ONE),
        (date(2026, 11, 9), ONE),  # rules changed on the 9th hold from the 10th: they do not judge the 9th
        (date(2026, 11, 10), TWO),
        (date(2026, 11, 11), THREE),
        (date(2026, 11, 30), THREE),
    ],
)
def test_the_newest_version_that_holds_from_the_day_or_earlier_is_the_days(day: date, rules: Rules) -> None:
    assert rules_on(VERSIONS, day) == rules
