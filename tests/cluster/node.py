"""What runs on a node: containerd and a kubelet; and on the first one the proxy and the DNS of them all.

The nodes are two, so that a drained node's pods have somewhere to go. They share the machine's kernel and the cluster's
network, and have containers, volumes and cgroups of their own.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from tests.cluster import processes
from tests.cluster.control_plane import part
from tests.cluster.credentials import kubeconfig
from tests.cluster.network import INSIDE
from tests.cluster.place import (
    API_SERVICE,
    CONF,
    CONTROL_PLANE,
    DOMAIN,
    FOLDER,
    KUBECONFIG,
    LOGS,
    NODES,
    PAUSE_IMAGE,
    PKI,
    POD_ADDRESSES,
    RUN,
    socket,
)
from tests.cluster.programs import kit, kubectl, pause_image
from tests.cluster.shell import CommandError, run, say, wait_for

_UNUSED = ("aufs", "btrfs", "devmapper", "zfs")  # ways to keep images that a machine may lack
_CGROUPS = Path("/sys/fs/cgroup")


def start_runtime(node: str) -> None:
    """Start a node's containerd, with the image that every pod needs."""
    folder = RUN / node
    folder.mkdir()
    config = CONF / f"containerd-{node}.toml"
    config.write_text(
        f"""version = 2
root = "{FOLDER / node / "containerd"}"
state = "{folder / "containerd"}"
disabled_plugins = {json.dumps([f"io.containerd.snapshotter.v1.{name}" for name in _UNUSED])}
[grpc]
  address = "{socket(node)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  netns_mounts_under_state_dir = true
  # Without CAP_SYS_RESOURCE runc may not lower the score, and fails with "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{CONF / "cni"}"
""",
        encoding="utf-8",
    )
    processes.start(f"containerd-{node}", *INSIDE, "containerd", "--config", config)
    wait_for(f"{node} runs containers", 30, [*_ctr(node), "version"])
    load(node, pause_image())


def load(node: str, archive: Path) -> None:
    """Make the images of an archive known to a node."""
    run(*_ctr(node), "--namespace", "k8s.io", "images", "import", archive)


def start(node: str) -> None:
    """Start a node's kubelet."""
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{socket(node)}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": _cgroup(node),
        "failCgroupV1": False,
        "failSwapOn": False,
        "address": NODES[node],
        "healthzPort": 0,
        "resolvConf": str(CONF / "resolv.conf"),
        "clusterDNS": [CONTROL_PLANE],
        "clusterDomain": DOMAIN,
        "tlsCertFile": f"{PKI}/{node}.crt",
        "tlsPrivateKeyFile": f"{PKI}/{node}.key",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{PKI}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "podLogsDir": str(LOGS / "pods" / node),
        "nodeStatusUpdateFrequency": "1s",
        # Images are loaded by hand and cannot be fetched again; the disk is also used by others.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
            "nodefs.inodesFree": "1%",
        },
    }
    path = CONF / f"kubelet-{node}.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    for controller in _controllers():
        (controller / _cgroup(node).lstrip("/")).mkdir(exist_ok=True)
    processes.start(
        f"kubelet-{node}",
        *(*INSIDE, kit(), "kubelet", f"--config={path}", f"--kubeconfig={kubeconfig(node)}"),
        *(f"--root-dir={FOLDER / node / 'kubelet'}", f"--cert-dir={RUN / node}"),
        *(f"--node-ip={NODES[node]}", f"--hostname-override={node}"),
    )


def start_services() -> None:
    """Start what translates the addresses of Services, and what knows their names."""
    node = next(iter(NODES))
    part(
        "kube-proxy",
        *(f"--kubeconfig={kubeconfig('proxy')}", "--proxy-mode=nftables", f"--cluster-cidr={POD_ADDRESSES}"),
        *(f"--hostname-override={node}", f"--bind-address={CONTROL_PLANE}"),
        # The limits of connections are the machine's.
        *("--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0s"),
        "--conntrack-tcp-timeout-close-wait=0s",
    )
    corefile = CONF / "Corefile"
    corefile.write_text(
        f""".:53 {{
    bind {CONTROL_PLANE}
    errors
    health {CONTROL_PLANE}:8080
    ready {CONTROL_PLANE}:8181
    cache 5
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig("admin")}
        pods verified
        ttl 5
    }}
    loadbalance
}}
""",
        encoding="utf-8",
    )
    part("coredns", "-conf", corefile)


def wait() -> None:
    """Return when pods can be started and reach what they need."""
    ask = [str(kubectl()), f"--kubeconfig={KUBECONFIG}"]
    condition = "jsonpath={range .items[*]}{.status.conditions[?(@.type=='Ready')].status}{' '}{end}"
    all_ready = ["True"] * len(NODES)
    wait_for("the nodes are ready", 90, [*ask, "get", "nodes", "-o", condition], lambda said: said.split() == all_ready)
    wait_for("there is a service account", 30, [*ask, "get", "serviceaccount", "default"])
    curl = (*INSIDE, "curl", "--silent", "--fail", "--insecure", "--max-time", "0.5")
    wait_for("names are known", 30, [*curl, f"http://{CONTROL_PLANE}:8181/ready"])
    # Nodes are ready up to three seconds before this.
    wait_for("Services answer", 30, [*curl, f"https://{API_SERVICE}/version"])


def stop(node: str) -> None:
    """Stop a node with all that runs on it."""
    processes.stop([f"kubelet-{node}"])
    if processes.is_alive(f"containerd-{node}"):
        try:
            run("timeout", "60", kit(), "remove-pods", f"unix://{socket(node)}")
        except CommandError as error:
            say(f"some pods of {node} were not removed: {error}")
    processes.stop([f"containerd-{node}"])
    for controller in _controllers():
        group = controller / _cgroup(node).lstrip("/")
        for folder in sorted(group.glob("**/"), reverse=True):
            with suppress(OSError):
                folder.rmdir()


def _ctr(node: str) -> tuple[str, ...]:
    return ("ctr", "--address", str(socket(node)))


def _cgroup(node: str) -> str:
    return f"/evaluator-{node}"


def _controllers() -> list[Path]:
    """The roots of all hierarchies of cgroups: one with version 2, one for each controller with version 1."""
    if (_CGROUPS / "cgroup.controllers").exists():
        return [_CGROUPS]
    return [folder for folder in _CGROUPS.iterdir() if folder.is_dir() and not folder.is_symlink()]
