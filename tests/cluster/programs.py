"""Programs in Go, built from the Go module proxy once for each content of their sources.

Kubernetes, etcd, CoreDNS and kubectl are one program, `clusterkit`, out of the folder `go`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.cluster.archive import scratch_image
from tests.cluster.place import BIN, PAUSE_IMAGE
from tests.cluster.shell import ENVIRONMENT, CommandError, run, say

KUBERNETES = "1.34.4"
"""What `go.mod` names; a program cannot read it there by itself."""

KEDA = "2.20.2"
PROMETHEUS_ADAPTER = "0.12.0"
HELM = {"helm3": "helm.sh/helm/v3/cmd/helm@v3.22.0", "helm4": "helm.sh/helm/v4/cmd/helm@v4.3.1"}

_SOURCES = Path(__file__).parent / "go"
_STATIC = {"CGO_ENABLED": "0"}


@cache
def kit() -> Path:
    """Every program of a cluster in one; `kubectl` beside it is a link."""
    version = {"gitVersion": f"v{KUBERNETES}", "gitMajor": "1", "gitMinor": KUBERNETES.split(".")[1]}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    flags = [f"-X {package}.{name}={value}" for package in packages for name, value in version.items()]

    def build(folder: Path) -> None:
        _build(_SOURCES, ".", folder / "clusterkit", flags)
        _build(_SOURCES, "./pause", folder / "pause")
        (folder / "kubectl").symlink_to("clusterkit")
        scratch_image(folder / "pause.tar", PAUSE_IMAGE, [folder / "pause"])

    return _made("kubernetes", _digest(_SOURCES, KUBERNETES), build) / "clusterkit"


def kubectl() -> Path:
    return kit().with_name("kubectl")


def pause_image() -> Path:
    """The archive of the image that every pod needs."""
    return kit().with_name("pause.tar")


@cache
def helm(name: str) -> Path:
    """`helm3` or `helm4`."""

    def build(folder: Path) -> None:
        run("go", "install", HELM[name], env={"GOBIN": str(folder), "GOFLAGS": ""})

    return _made(name, HELM[name].rpartition("@")[2], build) / "helm"


@cache
def keda() -> Path:
    """A folder with KEDA's two programs and the manifests of its own, `config`."""

    def build(folder: Path) -> None:
        # `go install` refuses a module that replaces others.
        module = _module(f"github.com/kedacore/keda/v2@v{KEDA}")
        flags = [f"-X github.com/kedacore/keda/v2/version.Version={KEDA}"]
        _build(module, "./cmd/operator", folder / "keda", flags)
        _build(module, "./cmd/adapter", folder / "keda-adapter", flags)
        shutil.copytree(module / "config", folder / "config", copy_function=shutil.copyfile)

    return _made("keda", KEDA, build)


@cache
def prometheus_adapter() -> Path:
    def build(folder: Path) -> None:
        module = _module(f"sigs.k8s.io/prometheus-adapter@v{PROMETHEUS_ADAPTER}")
        _build(module, "./cmd/adapter", folder / "prometheus-adapter")

    return _made("prometheus-adapter", PROMETHEUS_ADAPTER, build) / "prometheus-adapter"


def build_all() -> None:
    kit()
    for name in HELM:
        helm(name)
    keda()
    prometheus_adapter()


def _made(name: str, version: str, build: Callable[[Path], None]) -> Path:
    """The folder of a program in that version, built now if it is not there; older ones go."""
    folder = BIN / f"{name}-{version}"
    if not folder.exists():
        if shutil.which("go", path=ENVIRONMENT["PATH"]) is None:
            raise CommandError("The cluster's programs are built by Go, which is missing: install Go 1.25 or newer.")
        say(f"building {name}, which takes minutes the first time")
        BIN.mkdir(parents=True, exist_ok=True)
        unfinished = BIN / f"unfinished-{name}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        build(unfinished)
        for older in BIN.glob(f"{name}-*"):
            shutil.rmtree(older)
        unfinished.rename(folder)
        say(f"{name} is built")
    return folder


def _build(module: Path, package: str, program: Path, flags: list[str] | None = None) -> None:
    linking = " ".join(["-s -w", *(flags or [])])
    run("go", "build", "-trimpath", f"-ldflags={linking}", "-o", program, package, env=_STATIC, cwd=module)


def _module(name: str) -> Path:
    """Where Go keeps the sources of a module."""
    return Path(json.loads(run("go", "mod", "download", "-json", name))["Dir"])


def _digest(folder: Path, *more: str) -> str:
    """Of all that lies in a folder."""
    digest = hashlib.sha256("\0".join(more).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
