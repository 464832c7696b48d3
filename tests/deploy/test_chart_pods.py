"""What all pods of the chart have in common, and what probes, secrets and settings they get."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.chart import (
    EXAMPLES,
    NEEDED,
    Object,
    Rendered,
    containers,
    environment,
    render,
    with_needed,
)

examples = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name.removesuffix("-values.yaml"))


@examples
def test_every_pod_is_restricted(example: Path) -> None:
    """The Pod Security Standard "restricted"; on a real cluster the namespace enforces it (`make e2e`)."""
    for name, pod in render(example).pods():
        spec = pod["spec"]
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}, name
        assert all(volume.keys() & {"emptyDir", "projected", "configMap"} for volume in spec["volumes"]), name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }, name
            assert not any("hostPort" in port for port in container.get("ports", ())), name


@examples
def test_no_pod_gets_a_token_and_all_have_limits(example: Path) -> None:
    rendered = render(example)
    assert all(account["automountServiceAccountToken"] is False for account in rendered.of("ServiceAccount"))
    for name, pod in rendered.pods():
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert pod["spec"]["enableServiceLinks"] is False, name
        for container in containers(pod):
            if name != "judge-worker-slow":  # has resources of its own
                assert container["resources"]["requests"].keys() >= {"cpu", "memory", "ephemeral-storage"}, name
                assert container["resources"]["limits"].keys() >= {"memory", "ephemeral-storage"}, name
            assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"], name  # noqa: S108  # of the pod


def test_users_are_numbers_above_10000_and_openshift_may_choose_its_own() -> None:
    context = pod_spec(render(NEEDED), "Deployment", "evaluator-server")["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (10001, 10001, 10001)
    none = {"runAsUser": None, "runAsGroup": None, "fsGroup": None}
    chosen = pod_spec(render(with_needed({"podSecurityContext": none})), "Deployment", "evaluator-server")
    assert chosen["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_secrets_are_files_and_come_from_secrets_that_exist() -> None:
    values = {
        "postgres": {"existingSecret": "pg", "key": "uri"},
        "redis": {"host": "redis.example", "existingSecret": "cache", "passwordKey": "pass"},
        "adminToken": {"existingSecret": "admin", "key": "token"},
    }
    rendered = render(values)
    assert rendered.of("Secret") == []
    server = rendered.one("Deployment", "evaluator-server")["spec"]["template"]
    assert secret_files(server) == {
        "DATABASE_URL": ("pg", "uri"),
        "REDIS_PASSWORD": ("cache", "pass"),
        "ADMIN_TOKEN": ("admin", "token"),
    }
    for container in containers(server):
        assert environment(container) == {
            "DATABASE_URL_FILE": "/run/secrets/evaluator/DATABASE_URL",
            "REDIS_PASSWORD_FILE": "/run/secrets/evaluator/REDIS_PASSWORD",
            "ADMIN_TOKEN_FILE": "/run/secrets/evaluator/ADMIN_TOKEN",
        }
    for name, pod in rendered.pods():
        if name != "evaluator-server":
            assert "ADMIN_TOKEN" not in secret_files(pod), name
            assert all("ADMIN_TOKEN_FILE" not in environment(container) for container in containers(pod)), name


def test_a_url_of_redis_stands_for_host_port_and_database() -> None:
    rendered = render({**NEEDED, "redis": {"existingSecret": "cache", "urlKey": "url"}})
    assert not any(key.startswith("REDIS") for key in settings(rendered))
    worker = rendered.one("Deployment", "evaluator-worker-all")["spec"]["template"]
    assert secret_files(worker)["REDIS_URL"] == ("cache", "url")
    assert environment(containers(worker)[1])["REDIS_URL_FILE"] == "/run/secrets/evaluator/REDIS_URL"


def test_settings_are_the_environment_of_all_and_change_pods_with_them() -> None:
    changed = {"settings": {"RETENTION_FAILED": 10_000_000, "JOB_BACKOFF": "500ms"}}
    before, after = render(NEEDED), render(with_needed(changed))
    assert settings(after)["RETENTION_FAILED"] == "10000000"
    assert settings(before) | settings(after) == settings(after)
    for (name, one), (_, other) in zip(before.pods(), after.pods(), strict=True):
        assert all(
            source == {"configMapRef": {"name": "evaluator"}} for c in containers(one) for source in c["envFrom"]
        )
        if name != "evaluator-test":
            checksums = [pod["metadata"]["annotations"]["checksum/config"] for pod in (one, other)]
            assert checksums[0] != checksums[1], name


def test_kubectl_takes_the_process_for_what_a_pod_is() -> None:
    """Else `logs` and `exec` say each time that there is an init container as well, or take a mesh's container."""
    for deployment in render(NEEDED).of("Deployment"):
        template = deployment["spec"]["template"]
        (container,) = template["spec"]["containers"]
        assert template["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] == container["name"]


def test_probes_ask_the_process_itself() -> None:
    rendered = render(NEEDED)
    for name, port in (("server", "http"), ("worker-all", "metrics")):
        main = rendered.one("Deployment", f"evaluator-{name}")["spec"]["template"]["spec"]["containers"][0]
        for probe in ("startupProbe", "livenessProbe"):
            assert main[probe]["httpGet"] == {"path": "/healthz", "port": port}
        assert main["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port}
    assert settings(rendered)["METRICS_PORT"] == "9191"


def test_pools_have_their_own_queues_threads_and_resources() -> None:
    pools = {
        "all": None,
        "quick": {"queues": ["challenges"], "replicas": 0, "concurrency": 2, "processes": 3},
        "slow": {"queues": ["members"], "resources": {"limits": {"memory": "2Gi"}}},
    }
    rendered = render(with_needed({"worker": {"pools": pools, "replicas": 5}}))
    quick, slow = (rendered.one("Deployment", f"evaluator-worker-{name}")["spec"] for name in ("quick", "slow"))
    assert (quick["replicas"], slow["replicas"]) == (0, 5)
    (first,) = quick["template"]["spec"]["containers"]
    assert first["args"] == ["worker", "--queue", "challenges"]
    assert environment(first).items() >= {"WORKER_CONCURRENCY": "2", "WORKER_PROCESSES": "3"}.items()
    (second,) = slow["template"]["spec"]["containers"]
    assert second["args"] == ["worker", "--queue", "members"]
    assert not environment(second).keys() & {"WORKER_CONCURRENCY", "WORKER_PROCESSES"}
    assert second["resources"] == {"limits": {"memory": "2Gi"}}
    assert slow["selector"] != quick["selector"]


def test_what_a_pod_has_beside_is_added_to_what_all_have() -> None:
    everywhere = {
        "annotations": {"a": "1", "b": "1"},
        "labels": {"mesh": "off"},
        "nodeSelector": {"arch": "amd64"},
        "tolerations": [{"key": "x"}],
        "extraEnv": [{"name": "ONE", "value": "1"}],
        "extraVolumes": [{"name": "v", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}],
        "priorityClassName": "low",
    }
    own = {
        "annotations": {"b": "2"},
        "tolerations": [{"key": "y"}],
        "extraEnv": [{"name": "TWO", "value": "2"}],
        "priorityClassName": "high",
    }
    pools = {"all": {"queues": ["challenges", "members"], "pod": own}}
    rendered = render(with_needed({"pod": everywhere, "worker": {"pools": pools}}))
    for name, pod in rendered.pods():
        mine = name == "evaluator-worker-all"
        spec = pod["spec"]
        assert pod["metadata"]["annotations"].items() >= {"a": "1", "b": "2" if mine else "1"}.items()
        assert pod["metadata"]["labels"]["mesh"] == "off"
        assert spec["nodeSelector"] == {"arch": "amd64"}
        assert spec["tolerations"] == ([{"key": "x"}, {"key": "y"}] if mine else [{"key": "x"}])
        assert spec["priorityClassName"] == ("high" if mine else "low")
        for container in containers(pod):
            assert {"name": "v", "mountPath": "/v"} in container["volumeMounts"]
            assert environment(container)["ONE"] == "1"
            assert ("TWO" in environment(container)) == mine


def test_a_component_may_have_another_variable_volume_or_label_than_all() -> None:
    """Each is there once: a server-side apply, Helm 4's own, refuses two variables of one name."""
    everywhere = {
        "labels": {"team": "all", "mesh": "off"},
        "extraEnv": [{"name": "ONE", "value": "all"}, {"name": "TWO", "value": "all"}],
        "extraVolumes": [{"name": "v", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    own = {
        "labels": {"team": "workers"},
        "extraEnv": [{"name": "ONE", "value": "workers"}],
        "extraVolumes": [{"name": "v", "configMap": {"name": "v"}}],
        "extraVolumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": True}],
    }
    rendered = render(with_needed({"labels": {"team": "nobody"}, "pod": everywhere, "worker": {"pod": own}}))
    worker, server = (rendered.one("Deployment", f"evaluator-{one}") for one in ("worker-all", "server"))
    assert worker["metadata"]["labels"]["team"] == "nobody"
    for thing, which in ((worker, "workers"), (server, "all")):
        pod = thing["spec"]["template"]
        assert pod["metadata"]["labels"].items() >= {"team": which, "mesh": "off"}.items()
        (container,) = pod["spec"]["containers"]
        assert environment(container).items() >= {"ONE": which, "TWO": "all"}.items()
        assert len(container["env"]) == len(environment(container))
        (volume,) = (volume for volume in pod["spec"]["volumes"] if volume["name"] == "v")
        (mount,) = (mount for mount in container["volumeMounts"] if mount["name"] == "v")
        assert ("configMap" in volume) == mount.get("readOnly", False) == (which == "workers")


def test_components_are_spread_unless_somebody_says_how() -> None:
    constraints = pod_spec(render(NEEDED), "Deployment", "evaluator-worker-all")["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in constraints] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    assert {one["whenUnsatisfiable"] for one in constraints} == {"ScheduleAnyway"}
    own = {"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}
    whose = {"labelSelector": {"matchLabels": {"app": "other"}}}
    changed = render(with_needed({"server": {"pod": {"topologySpreadConstraints": [own, own | whose]}}}))
    component = changed.one("Deployment", "evaluator-server")["spec"]["selector"]
    spread = pod_spec(changed, "Deployment", "evaluator-server")["topologySpreadConstraints"]
    assert spread == [own | {"labelSelector": component}, own | whose]


def test_drains_are_never_blocked() -> None:
    for budget in render(NEEDED).of("PodDisruptionBudget"):
        assert budget["spec"]["maxUnavailable"] == 1
        assert "minAvailable" not in budget["spec"]
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_the_image_is_one_for_all_and_may_be_pinned() -> None:
    assert images(render(NEEDED)) == {"evaluator:0.1.0"}
    assert images(render(with_needed({"image": {"repository": "r.example/e", "tag": "2"}}))) == {"r.example/e:2"}
    digest = f"sha256:{'0' * 64}"
    assert images(render(with_needed({"image": {"tag": "2", "digest": digest}}))) == {f"evaluator@{digest}"}


def test_development_brings_redis_and_postgres_that_keep_and_evict_nothing() -> None:
    rendered = render({"development": {"redis": {"enabled": True}, "postgres": {"enabled": True}}})
    assert settings(rendered)["REDIS_HOST"] == "evaluator-redis"
    assert settings(rendered)["DATABASE_URL"].startswith("postgresql://evaluator@evaluator-postgres:5432/")
    for name in ("redis", "postgres"):
        stateful = rendered.one("StatefulSet", f"evaluator-{name}")
        assert stateful["metadata"]["labels"]["evaluator/development-only"] == "true"
        assert stateful["spec"]["volumeClaimTemplates"][0]["spec"]["accessModes"] == ["ReadWriteOnce"]
    command = rendered.one("StatefulSet", "evaluator-redis")["spec"]["template"]["spec"]["containers"][0]["command"]
    assert " ".join(command).count("--appendonly yes --maxmemory 192mb --maxmemory-policy noeviction") == 1
    assert render(NEEDED).of("StatefulSet") == []


def pod_spec(rendered: Rendered, kind: str, name: str) -> Object:
    spec: Object = rendered.one(kind, name)["spec"]["template"]["spec"]
    return spec


def settings(rendered: Rendered) -> dict[str, str]:
    data: dict[str, str] = rendered.one("ConfigMap", "evaluator")["data"]
    return data


def secret_files(pod: Object) -> dict[str, tuple[str, str]]:
    """The Secret and key of each file below /run/secrets/evaluator."""
    (volume,) = (volume for volume in pod["spec"]["volumes"] if volume["name"] == "secrets")
    assert volume["projected"]["defaultMode"] == 0o440
    sources = [source["secret"] for source in volume["projected"]["sources"]]
    return {item["path"]: (source["name"], item["key"]) for source in sources for item in source["items"]}


def images(rendered: Rendered) -> set[str]:
    return {container["image"] for _, pod in rendered.pods() for container in containers(pod)}
