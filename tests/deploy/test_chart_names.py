"""What objects are called, whatever the release is; and numbers and words that YAML would take for something else."""

from __future__ import annotations

import pytest

from tests.deploy.chart import HELMS, NEEDED, Object, Rendered, containers, mistakes, render, with_needed

LONGEST = "a-release-with-a-name-of-fifty-three-characters-as-it"
POOLS: Object = {"all": None, "twelve-chars": {"queues": ["challenges", "members"]}}


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("evaluator", "evaluator"),
        ("judge", "judge-evaluator"),
        ("evaluator-staging", "evaluator-staging"),
        ("judge.eu", "judge-eu-evaluator"),
        ("true", "true-evaluator"),
    ],
)
def test_names_follow_from_the_release(release: str, name: str) -> None:
    rendered = render(NEEDED, release)
    rendered.one("CronJob", f"{name}-enqueue")
    assert texts(rendered) >= {release}


def test_long_names_are_cut_so_that_all_of_them_fit() -> None:
    """KEDA makes an HPA of its own for each ScaledObject."""
    rendered = render(with_needed({"worker": {"pools": POOLS}, "autoscaling": {"mode": "keda"}}), LONGEST)
    assert max(len(job["metadata"]["name"]) for job in rendered.of("CronJob")) <= 52
    assert max(len(f"keda-hpa-{scaled['metadata']['name']}") for scaled in rendered.of("ScaledObject")) <= 63
    assert max(len(name) for _, name in rendered.names()) <= 63


def test_two_releases_never_have_the_same_names() -> None:
    one, other = (set(render(NEEDED, release).names()) for release in (LONGEST, f"{LONGEST[:-1]}s"))
    assert not one & other


@pytest.mark.parametrize("values", [{"fullnameOverride": "on"}, {"nameOverride": "123"}, {"fullnameOverride": "e-1"}])
def test_names_of_ones_own_are_text(values: Object) -> None:
    rendered = render(with_needed(values))
    name = values.get("fullnameOverride", "evaluator-123")
    rendered.one("ConfigMap", name)
    for _, pod in rendered.pods():
        assert {container["envFrom"][0]["configMapRef"]["name"] for container in containers(pod)} == {name}
    assert texts(rendered) >= {"evaluator"}


def test_a_name_that_no_service_may_have_is_refused() -> None:
    (line,) = mistakes(with_needed({"fullnameOverride": "1st"}))
    assert line.startswith("fullnameOverride: names would begin with 1st; a Service's must begin with a letter")


@pytest.mark.parametrize("helm", HELMS)
def test_large_numbers_are_written_out(helm: str) -> None:
    """A month is 2592000 seconds, and not 2.592e+06, as it would be by itself."""
    month, user = 2_592_000, 1_000_650_000
    values: Object = {
        "cronJob": {"ttlSecondsAfterFinished": month, "startingDeadlineSeconds": month, "activeDeadlineSeconds": month},
        "worker": {"terminationGracePeriodSeconds": month},
        "autoscaling": {"mode": "keda", "keda": {"cooldownPeriod": month, "pollingInterval": month}},
        "migration": {"waitSeconds": month, "backoffLimit": month},
        "podSecurityContext": {"runAsUser": user},
        "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "user": user}],
    }
    text = render(with_needed(values), helm=helm).text
    assert "e+0" not in text
    assert text.count(str(month)) == 9


def texts(rendered: Rendered) -> set[str]:
    """The names of the application and of its instance in labels and selectors."""
    found = set()
    for thing in rendered.objects:
        places = [thing["metadata"]["labels"]]
        if thing["kind"] == "Deployment":
            places += [thing["spec"]["selector"]["matchLabels"], thing["spec"]["template"]["metadata"]["labels"]]
        for labels in places:
            found |= {labels["app.kubernetes.io/name"], labels["app.kubernetes.io/instance"]}
    assert all(isinstance(one, str) for one in found)
    return found
