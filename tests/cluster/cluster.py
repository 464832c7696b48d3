"""A real Kubernetes cluster on this machine: two nodes, built here, without a registry and without the network."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cluster import control_plane, credentials, network, node, processes
from tests.cluster.place import CONF, FOLDER, KUBECONFIG, LOGS, NODES, PKI, RUN
from tests.cluster.programs import kit
from tests.cluster.shell import CommandError, install, run, say

_PACKAGES = (
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "curl",
    "iproute2",
    "nftables",
    "openssl",
    "runc",
)


def up() -> None:
    """Start it, and return when pods can be started. Raises CommandError."""
    if network.NAMESPACE.exists():
        raise CommandError("The cluster is up already, or was not stopped in good order: stop it first, with `down`.")
    install(*_PACKAGES)
    kit()
    for folder in (RUN, LOGS, CONF):
        folder.mkdir(parents=True, exist_ok=True)
    network.create()
    credentials.create()
    with ThreadPoolExecutor() as pool:
        runtimes = pool.map(node.start_runtime, NODES)
        control_plane.start()
        list(runtimes)
    for name in NODES:
        node.start(name)
    node.start_services()
    node.wait()


def down(*, purge: bool = False) -> None:
    """Stop whatever of it runs; with `purge` also forget the images that were loaded."""
    for name in NODES:
        node.stop(name)
    processes.stop(processes.started())
    _unmount()
    network.delete()
    KUBECONFIG.unlink(missing_ok=True)
    gone = [RUN, CONF, PKI, FOLDER / "etcd", *(FOLDER / name / "kubelet" for name in NODES)]
    for folder in [*gone, *((FOLDER / name for name in NODES) if purge else ())]:
        shutil.rmtree(folder, ignore_errors=True)
    say("the cluster is stopped")


def load(archive: Path, nodes: tuple[str, ...] = tuple(NODES)) -> None:
    """Make the images of an archive known to nodes."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: node.load(name, archive), nodes))


def _unmount() -> None:
    """Whatever is mounted below the folder, the innermost first."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    for path in sorted((path for path in mounted if path.startswith(f"{FOLDER}/")), reverse=True):
        run("umount", "--lazy", path)
