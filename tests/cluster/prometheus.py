"""Prometheus and its adapter beside the cluster: metrics of pods as the API `external.metrics.k8s.io`.

Both run on the machine, in the cluster's network. Debian's Prometheus cannot ask the API server for pods, so it is told
the address of a Service.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster import processes
from tests.cluster.credentials import kubeconfig
from tests.cluster.network import INSIDE
from tests.cluster.place import CONF, CONTROL_PLANE, KUBECONFIG, RUN
from tests.cluster.programs import kubectl, prometheus_adapter
from tests.cluster.shell import install, run, wait_for

_PORT, _ADAPTER_PORT = 9090, 6444
_API = "v1beta1.external.metrics.k8s.io"
_NAME = {"name": "prometheus-adapter", "namespace": "kube-system"}


def start(metric: str, namespace: str, address: str, rules: str) -> None:
    """Scrape a Service of a namespace, and return when `metric` is served as an external one of it.

    `rules` is the adapter's configuration.
    """
    install("prometheus")
    folder = RUN / "prometheus"
    folder.mkdir(exist_ok=True)
    config = CONF / "prometheus.json"
    config.write_text(json.dumps(_scraping(namespace, address)), encoding="utf-8")
    processes.start(
        "prometheus",
        *(*INSIDE, "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}"),
        f"--web.listen-address={CONTROL_PLANE}:{_PORT}",
    )
    (CONF / "prometheus-adapter.yaml").write_text(rules, encoding="utf-8")
    uses = ("lister-kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    processes.start(
        "prometheus-adapter",
        *INSIDE,
        prometheus_adapter(),
        *(f"--{use}={kubeconfig('admin')}" for use in uses),
        *(f"--bind-address={CONTROL_PLANE}", f"--secure-port={_ADAPTER_PORT}", f"--cert-dir={folder}"),
        *(
            f"--prometheus-url=http://{CONTROL_PLANE}:{_PORT}",
            f"--config={CONF}/prometheus-adapter.yaml",
            "--metrics-relist-interval=2s",
        ),
    )
    _kubectl(
        "apply",
        "--server-side",
        "--filename=-",
        stdin=json.dumps({"kind": "List", "apiVersion": "v1", "items": _objects()}),
    )
    path = "/apis/external.metrics.k8s.io/v1beta1"
    wait_for(f"{metric} is served", 90, [*_ask(), "get", "--raw", path], lambda said: f'"{metric}"' in said)


def stop() -> None:
    """End both, so that another may serve that API."""
    _kubectl("delete", f"apiservice/{_API}", "--ignore-not-found")
    processes.stop(["prometheus-adapter", "prometheus"])


def _scraping(namespace: str, address: str) -> object:
    job = {"job_name": "evaluator", "static_configs": [{"targets": [address], "labels": {"namespace": namespace}}]}
    return {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}


def _objects() -> list[object]:
    """How the API server finds the adapter, and that HPAs may ask it."""
    group = "external.metrics.k8s.io"
    role = {"name": "external-metrics"}
    hpa = {"kind": "ServiceAccount", "name": "horizontal-pod-autoscaler", "namespace": "kube-system"}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": _NAME, "spec": {"ports": [{"port": 443}]}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**_NAME, "labels": {"kubernetes.io/service-name": _NAME["name"]}},
            "addressType": "IPv4",
            "ports": [{"port": _ADAPTER_PORT}],
            "endpoints": [{"addresses": [CONTROL_PLANE]}],
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": _API},
            "spec": {
                "group": group,
                "version": "v1beta1",
                "service": _NAME,
                "insecureSkipTLSVerify": True,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
            },
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": role,
            "rules": [{"apiGroups": [group], "resources": ["*"], "verbs": ["get", "list"]}],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": role,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", **role},
            "subjects": [hpa],
        },
    ]


def _kubectl(*words: str, stdin: str | None = None) -> str:
    return run(*_ask(), *words, stdin=stdin)


def _ask() -> list[str | Path]:
    return [kubectl(), f"--kubeconfig={KUBECONFIG}"]
