"""The documented ways to install the evaluator, and to take it away again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.cluster.images import ROOT
from tests.cluster.shell import CommandError, run
from tests.e2e.kubernetes import Namespace

CHART = ROOT / "deploy/helm"
NAME = "evaluator"


class Installer(Protocol):
    def install(self, values: Mapping[str, Any]) -> None:
        """Install it, or change what is installed, and return when everything runs. `values` are the chart's."""

    def ping(self) -> None:
        """Send a message through a worker, and see it done."""

    def uninstall(self) -> None: ...


@dataclass(frozen=True)
class Helm:
    program: Path
    namespace: Namespace

    def install(self, values: Mapping[str, Any], *, chart: Path = CHART) -> None:
        self._run(
            *("upgrade", "--install", NAME, str(chart), "--values=-", "--wait", "--timeout=3m"),
            stdin=json.dumps(values),
        )

    def ping(self) -> None:
        self._run("test", NAME, "--timeout=3m")

    def roll_back(self) -> None:
        """Go back to what was installed before the last change."""
        self._run("rollback", NAME, "--wait", "--timeout=3m")

    def uninstall(self) -> None:
        self._run("uninstall", NAME, "--wait", "--timeout=3m")

    def _run(self, *words: str, stdin: str | None = None) -> None:
        where = (f"--kubeconfig={self.namespace.kubeconfig}", f"--namespace={self.namespace.name}")
        try:
            run(self.program, *words, *where, stdin=stdin)
        except CommandError as error:
            raise AssertionError(f"{error}\n{self.namespace.where_it_stands()}") from None


@dataclass(frozen=True)
class Kustomize:
    """An overlay of one's own over `prod`, in a folder, as deploy/kustomize/README.md has it."""

    folder: Path
    namespace: Namespace

    def install(self, values: Mapping[str, Any]) -> None:
        deploy = os.path.relpath(ROOT / "deploy/kustomize", self.folder)
        image = values["image"]
        grace = {"op": "replace", "path": "/spec/template/spec/terminationGracePeriodSeconds"}
        grace |= {"value": values["worker"]["terminationGracePeriodSeconds"]}
        settings = [f"{key}={value}" for key, value in values["settings"].items()]
        overlay = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": self.namespace.name,
            "resources": [f"{deploy}/overlays/prod"],
            "images": [{"name": NAME, "newName": image["repository"], "newTag": image["tag"]}],
            "configMapGenerator": [{"name": NAME, "behavior": "merge", "literals": settings}],
            "patches": [{"target": {"kind": "Deployment", "name": f"{NAME}-worker-all"}, "patch": json.dumps([grace])}],
            "transformers": [f"{deploy}/replacements"],
        }
        (self.folder / "kustomization.yaml").write_text(json.dumps(overlay), encoding="utf-8")
        self.namespace("apply", f"--kustomize={self.folder}")
        for deployment in self.namespace.get("deployments"):
            self.namespace.rolled_out(f"deployment/{deployment['metadata']['name']}")

    def ping(self) -> None:
        self.namespace("exec", f"deployment/{NAME}-server", "--container=server", "--", "evaluator", "ping")

    def uninstall(self) -> None:
        self.namespace("delete", f"--kustomize={self.folder}", "--timeout=180s")


def another_version(folder: Path) -> Path:
    """A copy of the chart in a folder, as its next release has it."""
    chart = folder / NAME
    shutil.copytree(CHART, chart)
    about = chart / "Chart.yaml"
    lines = about.read_text(encoding="utf-8").splitlines()
    changed = [f"{line.partition(':')[0]}: 99.0.0" if "ersion: 0" in line else line for line in lines]
    about.write_text("\n".join(changed), encoding="utf-8")
    return chart
