"""What looks at objects before a cluster does; `make deploy-tools` makes it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.deploy.chart import ROOT, tool

KUBERNETES = ("v1.30.14", "v1.34.4", "v1.37.2")

KUBE_SCORE_IGNORED = {
    "container-image-pull-policy": "tags name versions, and don't change; Always would need the registry at each start",
    "container-security-context-user-group-id": "999 is the user of the images of Redis and Postgres, for development",
    "deployment-has-host-podantiaffinity": "topologySpreadConstraints do that, and don't keep pods from starting",
    "statefulset-has-host-podantiaffinity": "one pod, for development",
    "statefulset-has-servicename": "its Service is no headless one: there is one pod, for development",
}


def conform(text: str, kubernetes: str) -> None:
    """This version of Kubernetes, KEDA and Prometheus' operator know every field."""
    name = "{{.ResourceKind}}{{.KindSuffix}}.json"
    places = [f"-schema-location={ROOT / '.tools/schemas' / folder / name}" for folder in (kubernetes, "custom")]
    run(tool("kubeconform"), "-strict", *places, given=text)


def score(text: str) -> None:
    """kube-score finds nothing."""
    # no limit of CPU: it would only make threads wait
    options = ["--kubernetes-version=v1.34", "--ignore-container-cpu-limit"]
    options += [f"--ignore-test={test}" for test in KUBE_SCORE_IGNORED]
    run(tool("kube-score"), "score", *options, "-", given=text)


def run(program: Path, *arguments: str | Path, given: str | None = None) -> None:
    command = [str(program), *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
