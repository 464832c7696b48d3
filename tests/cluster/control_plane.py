"""What runs once in a cluster: etcd, the API, the controllers and the scheduler."""

from __future__ import annotations

from tests.cluster import processes
from tests.cluster.credentials import kubeconfig
from tests.cluster.network import INSIDE, NAMESPACE
from tests.cluster.place import API_PORT, CONTROL_PLANE, DOMAIN, FOLDER, KUBECONFIG, PKI, RUN, SERVICE_ADDRESSES
from tests.cluster.programs import kit, kubectl
from tests.cluster.shell import wait_for

_ISSUER = f"https://kubernetes.default.svc.{DOMAIN}"


def start() -> None:
    """Return when the API answers, while the rest is starting."""
    part("etcd", "--data-dir", FOLDER / "etcd", "--unsafe-no-fsync", "--log-level", "warn")
    part(
        "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        "--secure-port=6443",
        f"--advertise-address={CONTROL_PLANE}",
        f"--service-cluster-ip-range={SERVICE_ADDRESSES}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged",
        f"--cert-dir={RUN}",
        f"--tls-cert-file={PKI}/apiserver.crt",
        f"--tls-private-key-file={PKI}/apiserver.key",
        f"--client-ca-file={PKI}/ca.crt",
        # To the kubelets, for logs, exec and port-forward.
        f"--kubelet-certificate-authority={PKI}/ca.crt",
        f"--kubelet-client-certificate={PKI}/admin.crt",
        f"--kubelet-client-key={PKI}/admin.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-issuer={_ISSUER}",
        f"--service-account-key-file={PKI}/accounts.pub",
        f"--service-account-signing-key-file={PKI}/accounts.key",
        # To APIs that others serve, such as external.metrics.k8s.io.
        f"--requestheader-client-ca-file={PKI}/ca.crt",
        "--requestheader-allowed-names=aggregator",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={PKI}/aggregator.crt",
        f"--proxy-client-key-file={PKI}/aggregator.key",
    )
    expose(API_PORT, f"{CONTROL_PLANE}:6443")
    wait_for("the API is ready", 90, [kubectl(), f"--kubeconfig={KUBECONFIG}", "get", "--raw", "/readyz"])
    _controller(
        "kube-controller-manager",
        f"--root-ca-file={PKI}/ca.crt",
        f"--service-account-private-key-file={PKI}/accounts.key",
        f"--cluster-signing-cert-file={PKI}/ca.crt",
        f"--cluster-signing-key-file={PKI}/ca.key",
        "--use-service-account-credentials",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--horizontal-pod-autoscaler-sync-period=2s",  # rather than 15, so that tests are short
    )
    _controller("kube-scheduler")


def part(name: str, *arguments: object) -> None:
    """Start a program of the kit in the cluster's network."""
    processes.start(name, *INSIDE, kit(), name, *map(str, arguments))


def expose(port: int, address: str) -> None:
    """Serve an address of the cluster's network on the machine's 127.0.0.1."""
    processes.start(f"expose-{port}", kit(), "forward", f"127.0.0.1:{port}", NAMESPACE, address)


def _controller(name: str, *arguments: str) -> None:
    config = kubeconfig(name.removeprefix("kube-"))
    asking = [f"--{use}={config}" for use in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")]
    part(name, *asking, f"--cert-dir={RUN}", "--leader-elect=false", *arguments)
