"""A namespace of a cluster, by `kubectl`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.cluster.shell import CommandError, run

Object = Mapping[str, Any]
"""A manifest, or what the cluster has made of it."""

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
"""Labels of a namespace whose API refuses pods that might do more than they need."""


@dataclass(frozen=True)
class Namespace:
    """`kubectl` in one namespace."""

    kubectl: Path
    kubeconfig: Path
    name: str

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        """What kubectl prints. Raises CommandError."""
        return run(self.kubectl, *self._options, *words, stdin=stdin)

    def other(self, name: str) -> Namespace:
        return replace(self, name=name)

    def create(self) -> None:
        """Make it, with nothing in it that an earlier run has left."""
        self("delete", "namespace", self.name, "--ignore-not-found", "--timeout=180s")
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name, "labels": RESTRICTED}})

    def delete(self) -> None:
        self("delete", "namespace", self.name, "--ignore-not-found", "--wait=false")

    def apply(self, *objects: Object) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": objects}
        self("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=json.dumps(items))

    def get(self, what: str, *, selector: str = "") -> Any:
        """An object, given as `kind/name`, or the list of those of a kind."""
        found = json.loads(self("get", what, *([f"--selector={selector}"] if selector else []), "--output=json"))
        return found["items"] if found["kind"].endswith("List") else found

    def rolled_out(self, deployment: str, within: float = 180) -> None:
        """Return when all pods of `deployment/NAME` are new and ready."""
        try:
            self("rollout", "status", deployment, f"--timeout={within:g}s")
        except CommandError as error:
            raise AssertionError(f"{error}\n{self.where_it_stands()}") from None

    def completed(self, job: str, within: float = 120) -> str:
        """What a Job's pod has logged, once the Job is complete. A Job that fails is a failure."""

        def over() -> bool:
            conditions = {one["type"] for one in self.get(f"job/{job}")["status"].get("conditions", ())}
            assert "Failed" not in conditions, self.where_it_stands()
            return "Complete" in conditions

        self.until(f"the Job {job} is complete", over, within)
        return self("logs", f"job/{job}")

    def until(self, what: str, condition: Callable[[], object], within: float = 120) -> None:
        """Return as soon as something holds; it is a failure if it does not in time."""
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come about in {within:g} s\n{self.where_it_stands()}"
            time.sleep(0.2)

    def where_it_stands(self) -> str:
        """What a person wants to see where something did not come about."""
        said = [self("get", "all", "--output=wide"), self("get", "events", "--sort-by=.lastTimestamp")[-4000:]]
        for pod in self.get("pods"):
            name = pod["metadata"]["name"]
            for more in ((), ("--previous",)):
                try:
                    said.append(f"{name}:\n{self('logs', name, '--all-containers', '--tail=15', *more)}")
                except CommandError:
                    continue  # it has not started yet, or was never restarted
        return "\n".join(said)

    @contextmanager
    def forwarded(self, service: str, port: int) -> Iterator[str]:
        """Where on this machine a Service's port is, as HOST:PORT, while inside."""
        command = [str(self.kubectl), *self._options, "port-forward", f"service/{service}", f":{port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
            try:
                assert process.stdout is not None
                found = re.search(r"127\.0\.0\.1:\d+", process.stdout.readline())
                assert found, self.where_it_stands()
                yield found[0]
            finally:
                process.send_signal(signal.SIGTERM)

    @property
    def _options(self) -> list[str]:
        return [f"--kubeconfig={self.kubeconfig}", f"--namespace={self.name}"]
