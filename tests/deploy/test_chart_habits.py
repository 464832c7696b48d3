"""Values as other people write them: what is rendered is the same by each Helm, and Kubernetes knows every field."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from random import Random

import pytest
import yaml

from tests.deploy.chart import HELMS, NEEDED, Object, over, render
from tests.deploy.linters import KUBERNETES, conform

HABITS: list[Object] = list(yaml.safe_load_all((Path(__file__).parent / "habits.yaml").read_text()))
AT_ONCE = 6
"""So many habits does a person have."""


@pytest.mark.parametrize("number", range(len(HABITS)), ids=lambda number: "-".join(HABITS[number]))
def test_a_habit_is_rendered_the_same_by_each_helm_for_old_and_new_clusters(number: int) -> None:
    renders(over(NEEDED, HABITS[number]), "evaluator")


@pytest.mark.parametrize("seed", range(10))
def test_several_habits_go_together(seed: int) -> None:
    chance = Random(seed)  # noqa: S311  # no secret
    release = chance.choice(
        ["evaluator", "judge", "true", "judge.eu", "a-release-with-a-name-of-fifty-three-characters-as-it"]
    )
    renders(reduce(over, chance.sample(HABITS, AT_ONCE), NEEDED), release)


def renders(values: Object, release: str) -> None:
    three, four = (render(values, release, helm) for helm in HELMS)
    assert sorted(three.objects, key=str) == sorted(four.objects, key=str)
    for kubernetes in (KUBERNETES[0], KUBERNETES[-1]):
        conform(four.text, kubernetes)
