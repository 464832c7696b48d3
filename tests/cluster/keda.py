"""KEDA in the cluster, as its own manifests install it, without its admission webhooks."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cluster.archive import scratch_image
from tests.cluster.cluster import load
from tests.cluster.place import KUBECONFIG, NODES
from tests.cluster.programs import KEDA, keda, kubectl
from tests.cluster.shell import run, say

_IMAGE = f"localhost/keda:{KEDA}-zones"
_ZONES = "zoneinfo.zip"
"""Go's own. The official image has them as well, and a trigger of the type `cron` needs them, even for Etc/UTC."""

_NODE = next(iter(NODES))


def start() -> None:
    """Install it, and return when it serves `external.metrics.k8s.io`."""
    folder = keda()
    archive = folder / "image-with-zones.tar"
    if not archive.exists():
        zones = Path(run("go", "env", "GOROOT").strip()) / "lib/time" / _ZONES
        scratch_image(archive, _IMAGE, [folder / "keda", folder / "keda-adapter", zones])
    load(archive, (_NODE,))
    manifests = [*yaml.safe_load_all(_kubectl("kustomize", str(folder / "config/minimal")))]
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            _adapt(manifest["spec"]["template"]["spec"])
    _kubectl("apply", "--server-side", "--filename=-", stdin=yaml.safe_dump_all(manifests))
    _kubectl("--namespace=keda", "wait", "--for=condition=Available", "deployment", "--all", "--timeout=120s")
    service = "apiservice/v1beta1.external.metrics.k8s.io"
    _kubectl("wait", "--for=condition=Available", service, "--timeout=60s")
    say("KEDA serves external.metrics.k8s.io")


def stop() -> None:
    """Take it away, so that another may serve that API."""
    _kubectl("delete", "apiservice/v1beta1.external.metrics.k8s.io", "namespace/keda", "--ignore-not-found")


def _adapt(pod: dict[str, object]) -> None:
    """Its pods use the image that was built here, on the node that has it, and are asked at once how they are."""
    pod["nodeSelector"] = {"kubernetes.io/hostname": _NODE}
    for container in pod["containers"]:  # type: ignore[attr-defined]  # a list of maps
        container |= {"image": _IMAGE, "imagePullPolicy": "IfNotPresent"}
        container["env"].append({"name": "ZONEINFO", "value": f"/{_ZONES}"})
        for probe in ("livenessProbe", "readinessProbe"):
            container[probe]["initialDelaySeconds"] = 1


def _kubectl(*words: str, stdin: str | None = None) -> str:
    return run(kubectl(), f"--kubeconfig={KUBECONFIG}", *words, stdin=stdin)
