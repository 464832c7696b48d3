"""Mistakes in a values file: Helm refuses it, with a line for each."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from evaluator.settings import SECRETS, Settings
from tests.deploy.chart import CHART, HELMS, NEEDED, Object, mistakes, notes, render, with_needed

ADDRESSES = {"DATABASE_URL", "REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DB", "ADMIN_TOKEN"}


@pytest.mark.parametrize("helm", HELMS)
def test_what_the_schema_does_not_know_is_refused_line_by_line(helm: str) -> None:
    values = {
        **NEEDED,
        "server": {"replica": 3},
        "image": {"tag": 1.1},
        "settings": {"JOB_TIME_LIMIT": "soon"},
        "cronJob": {"schedule": "hourly", "timeZone": "", "concurrencyPolicy": "Allow"},
        "worker": {"pools": {"all": {"queues": ["batches"]}}},
        "autoscaling": {"mode": "both"},
    }
    lines = "\n".join(mistakes(values, helm))
    for mistake in (
        "at '/server': additional properties 'replica' not allowed",
        "at '/image/tag': got number, want string",
        "at '/settings/JOB_TIME_LIMIT': 'soon' does not match",
        "at '/cronJob/schedule': 'hourly' does not match",
        "at '/cronJob/timeZone': '' does not match",
        "at '/cronJob': additional properties 'concurrencyPolicy' not allowed",
        "at '/worker/pools/all/queues/0': value must be one of 'challenges', 'members'",
        "at '/autoscaling/mode': value must be one of 'none', 'hpa', 'keda'",
    ):
        assert mistake in lines


@pytest.mark.parametrize("helm", HELMS)
def test_what_does_not_fit_together_is_refused_all_at_once(helm: str) -> None:
    values = {
        "redis": {"urlKey": "REDIS_URL"},
        "worker": {"terminationGracePeriodSeconds": 130, "pools": {"all": {"queues": ["members"], "maxReplicas": 4}}},
        "autoscaling": {"mode": "hpa", "minReplicas": 0},
        "pod": {"extraEnv": [{"name": "LOG_LEVEL", "value": "DEBUG"}]},
    }
    assert [line.partition(": ")[0] for line in mistakes(values, helm)] == [
        "postgres.existingSecret",
        "redis.existingSecret",
        "worker.terminationGracePeriodSeconds",
        "autoscaling.minReplicas",
        "worker.pools",
        "autoscaling.maxReplicas",
        "pod.extraEnv",
    ]


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        ({"redis": {"host": ""}}, "redis.host: name the host of Redis, or the key of a Secret that holds its URL"),
        ({"redis": {"host": "redis.example:6380"}}, "redis.host: give the host alone; its port goes into redis.port"),
        ({"redis": {"host": "redis://redis.example"}}, "redis.host: give the host alone; its port goes into"),
        ({"development": {"redis": {"enabled": True}}}, "redis: a host or a Secret is set beside development.redis"),
        (
            {"development": {"postgres": {"enabled": True}}},
            "postgres.existingSecret: is set beside development.postgres",
        ),
        (
            {"redis": {"host": "", "existingSecret": "redis", "urlKey": "uri"}, "autoscaling": {"mode": "keda"}},
            "redis.host: KEDA asks Redis itself and reads no URL; set host and port too",
        ),
        (
            {"redis": {"existingSecret": "redis", "passwordKey": ""}},
            "redis.passwordKey: name the key of the password in the Secret redis, or urlKey",
        ),
        (
            {"autoscaling": {"mode": "keda", "minReplicas": 2, "maxReplicas": 1}},
            "autoscaling: minReplicas 2 is above maxReplicas 1 for pool all",
        ),
        ({"worker": {"pools": {"all": {"queues": ["members"]}}}}, "worker.pools: no pool serves the queue challenges"),
        ({"worker": {"pools": {"Slow.v2": {"queues": ["members"]}}}}, "worker.pools: Slow.v2 can't be a part of names"),
        (
            {"worker": {"pools": {"all": {"pod": {"extraEnv": [{"name": "REDIS_URL_FILE"}]}}}}},
            "worker.pools.all.pod.extraEnv: REDIS_URL_FILE is a setting",
        ),
    ],
)
def test_a_mistake_names_its_place_and_what_to_do(values: Object, mistake: str) -> None:
    (line,) = mistakes(with_needed(values))
    assert line.startswith(mistake)


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        ({"pod": {"extraEnv": [{"name": "A", "value": 1}]}}, "at '/pod/extraEnv/0/value': got number, want string"),
        ({"pod": {"labels": {"owner": "a b"}}}, "at '/pod/labels/owner': 'a b' does not match"),
        ({"networkPolicy": {"leetcode": [{"ipBlock": {"cidr": "10.0.0.1"}}]}}, "cidr': '10.0.0.1' does not match"),
        ({"settings": {"WORKER_CONCURRENCY": "ten"}}, "at '/settings/WORKER_CONCURRENCY': 'ten' does not match"),
        ({"settings": {"LEETCODE_REQUESTS_PER_SECOND": "0"}}, "LEETCODE_REQUESTS_PER_SECOND': '0' does not match"),
        ({"fullnameOverride": "my.evaluator"}, "at '/fullnameOverride': 'my.evaluator' does not match"),
    ],
)
def test_what_an_api_would_refuse_is_refused_before(values: Object, mistake: str) -> None:
    (line,) = (line for line in mistakes(with_needed(values)) if "validation failed" not in line)
    assert mistake in line


@pytest.mark.parametrize("helm", HELMS)
def test_what_the_chart_needs_cannot_be_taken_away(helm: str) -> None:
    """null takes a default away: where the chart can't do without, that is said, and nothing half-empty is made."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    whole: Object = {key: None for key, value in defaults.items() if isinstance(value, dict)}
    parts = {key: dict.fromkeys(value) for key, value in defaults.items() if isinstance(value, dict)}
    lines = "\n".join(mistakes(whole, helm))
    for key in ("settings", "postgres", "redis", "server", "worker", "autoscaling", "cronJob", "networkPolicy"):
        assert f"'{key}'" in lines
    lines = "\n".join(mistakes(parts, helm))
    for place, names in {
        "/settings": "'JOB_TIME_LIMIT'",
        "/worker": "'replicas', 'terminationGracePeriodSeconds'",
        "/autoscaling": "'mode', 'maxReplicas', 'answerSeconds', 'drainSeconds', 'hpa', 'keda'",
        "/cronJob": "'schedule', 'timeZone', 'suspend', 'startingDeadlineSeconds'",
        "/networkPolicy": "'enabled'",
    }.items():
        assert re.search(f"at '{place}': missing propert(y|ies) .*{names}", lines)


@pytest.mark.parametrize("helm", HELMS)
def test_what_the_chart_can_do_without_may_be_taken_away(helm: str) -> None:
    """Everything that is empty by default, and lists and maps that only add."""
    values: Object = {
        "pod": None,
        "labels": None,
        "imagePullSecrets": None,
        "podSecurityContext": None,
        "image": {"tag": None, "digest": None},
        "redis": {"urlKey": None, "passwordKey": None, "existingSecret": None},
        "server": {"resources": None, "pod": None},
        "worker": {"resources": None, "pod": None},
        "autoscaling": {"mode": "keda", "behavior": None, "keda": {"warm": None}},
        "networkPolicy": {"dns": None, "leetcode": None, "scrape": None, "callers": None},
    }
    rendered = render(with_needed(values), helm=helm)
    assert rendered.one("NetworkPolicy", "evaluator-server")["spec"]["ingress"] == []
    assert (
        "max("
        not in rendered.one("ScaledObject", "evaluator-worker-all")["spec"]["advanced"]["scalingModifiers"]["formula"]
    )


@pytest.mark.parametrize("helm", HELMS)
def test_numbers_of_settings_may_be_text_as_in_any_environment(helm: str) -> None:
    numbers = {"WORKER_CONCURRENCY": 5, "WORKER_PROCESSES": 2, "LEETCODE_REQUESTS_PER_SECOND": 7.5}
    texts = {name: str(value) for name, value in numbers.items()}
    autoscaling = {"mode": "hpa", "maxReplicas": 2}
    one, other = (
        render(with_needed({"settings": it, "autoscaling": autoscaling}), helm=helm) for it in (numbers, texts)
    )
    assert one == other


def test_labels_that_select_are_the_charts_own() -> None:
    values = {
        "labels": {"app.kubernetes.io/name": "x", "app.kubernetes.io/part-of": "y"},
        "worker": {"pools": {"all": {"pod": {"labels": {"app.kubernetes.io/component": "z"}}}}},
        "monitoring": {"podMonitor": {"labels": {"app.kubernetes.io/instance": "z", "release": "prometheus"}}},
    }
    assert mistakes(with_needed(values)) == [
        "labels: app.kubernetes.io/name is the chart's own label; leave it out",
        "monitoring.podMonitor.labels: app.kubernetes.io/instance is the chart's own label; leave it out",
        "worker.pools.all.pod.labels: app.kubernetes.io/component is the chart's own label; leave it out",
    ]


@pytest.mark.parametrize(
    ("limit", "grace", "fits"),
    [("120s", 131, True), (120, 130, False), ("2m", 130, False), ("2m", 131, True), ("0.5h", 1810, False)],
)
def test_a_job_fits_into_the_shutdown_and_that_into_the_grace_period(limit: object, grace: int, fits: bool) -> None:
    values = with_needed({"settings": {"JOB_TIME_LIMIT": limit}, "worker": {"terminationGracePeriodSeconds": grace}})
    if fits:
        worker = render(values).one("Deployment", "evaluator-worker-all")["spec"]["template"]["spec"]
        assert worker["terminationGracePeriodSeconds"] == grace
    else:
        (line,) = mistakes(values)
        assert re.match(r"worker.terminationGracePeriodSeconds: \d+ would kill jobs at work", line)


def test_the_shutdown_timeout_is_the_one_of_the_worker() -> None:
    from evaluator.cli.worker import SHUTDOWN_MARGIN

    assert f"addf $limit {SHUTDOWN_MARGIN:.0f}" in (CHART / "templates/_checks.tpl").read_text()


def test_the_schema_knows_every_setting_but_secrets_and_addresses() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    settings = {name.upper() for name in Settings.model_fields}
    assert settings >= SECRETS | ADDRESSES
    assert set(schema["properties"]["settings"]["properties"]) == settings - ADDRESSES - {"METRICS_PORT"}
    assert set(re.findall(r'"([A-Z_]{6,})"', (CHART / "templates/_checks.tpl").read_text())) >= settings


def test_the_notes_say_the_next_three_commands() -> None:
    said = notes(NEEDED)
    for command in (
        "helm test evaluator -n judge",
        "kubectl exec -i -n judge deploy/evaluator-server -- evaluator apply -f - < challenges.yaml",
        "kubectl create job -n judge --from=cronjob/evaluator-enqueue evaluator-enqueue-now",
    ):
        assert command in said
    assert "The Secret evaluator was not found" in said
    assert "/api/admin answers 503" in said
    assert "threads" not in said
    assert "DEVELOPMENT" not in said


def test_the_notes_warn_of_workers_that_would_only_wait() -> None:
    same = {"redis": {"existingSecret": "evaluator"}, "adminToken": {"existingSecret": "evaluator"}}
    assert notes(with_needed(same)).count("The Secret evaluator was not found") == 1
    said = notes(with_needed({"worker": {"replicas": 4}, "migration": {"mode": "none"}}))
    assert "worker.replicas: 4 x 10 threads are more than LeetCode's pace keeps busy: 20 requests/s x 1.35 s" in said
    assert "/ 10 threads a pod = 3 pods" in said
    assert "pods wait until somebody runs `evaluator migrate`" in said
