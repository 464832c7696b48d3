"""What a figure depends on: the machine, and the versions."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import orjson

from benchmarks.contenders import BULLMQ
from benchmarks.services import Services

_PACKAGES = ("dramatiq", "celery", "psycopg", "redis", "requests")


def facts(services: Services) -> Mapping[str, str]:
    """The machine and the versions, by name."""
    found = {
        "CPU": f"{os.cpu_count()} x {_processor()}",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{services.postgres_version}, embedded, durable",
        "Redis": f"{services.redis_version}, embedded, appendonly",
    }
    for package in _PACKAGES:
        found[package] = version(package)
    if node := shutil.which("node"):
        found["Node.js"] = _said([node, "--version"])
        found |= orjson.loads((BULLMQ / "package.json").read_bytes())["dependencies"]
    return found


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603  # ours


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
