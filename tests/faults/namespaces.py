"""Commands in a namespace of their own: with a network or a disk that may be spoiled, or as process 1."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Literal

import pytest


def python_in_its_own(namespace: Literal["net", "mount", "pid"]) -> list[str]:
    """What starts a Python there; the test is skipped where this machine forbids it.

    Of processes, it is a child, and the first in its namespace.
    """
    as_a_user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    as_a_child = ["--fork", "--kill-child"] if namespace == "pid" else []
    command = ["unshare", *as_a_user, f"--{namespace}", *as_a_child]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{' '.join(command)} is missing or forbidden here")
    return [*command, sys.executable]
