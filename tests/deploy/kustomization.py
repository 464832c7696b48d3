"""The kustomizations of deploy/kustomize, built by a real kustomize; `make deploy-tools` makes it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.deploy.chart import ROOT, Rendered, tool

KUSTOMIZE = ROOT / "deploy/kustomize"
OVERLAYS = sorted(path.parent for path in (KUSTOMIZE / "overlays").glob("*/kustomization.yaml"))
VERSIONS = ("kustomize-oldest", "kustomize")
"""The one inside kubectl 1.30, and the newest."""


def build(folder: Path, version: str = "kustomize") -> Rendered:
    done = subprocess.run(
        [str(tool(version)), "build", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    documents = yaml.load_all(done.stdout, Loader=yaml.CSafeLoader)
    return Rendered(done.stdout, [document for document in documents if document])


def overlay(folder: Path, components: Sequence[str], **fields: object) -> Path:
    """A new overlay of the base with these components, and whatever else a kustomization has."""
    here = os.path.relpath(KUSTOMIZE, folder)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{here}/base"],
        "components": [f"{here}/components/{name}" for name in components],
        "transformers": [f"{here}/replacements"],
        **fields,
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return folder
