"""Commands in a namespace of their own, with a network or a disk that nobody else sees and that may be spoiled."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Literal

import pytest


def python_in_its_own(namespace: Literal["net", "mount"]) -> list[str]:
    """What starts a Python there; the test is skipped where this machine forbids it."""
    as_a_user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    command = ["unshare", *as_a_user, f"--{namespace}"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{' '.join(command)} is missing or forbidden here")
    return [*command, sys.executable]
