"""The interfaces of this machine, as far as whoever listens on all of them has to know."""

from __future__ import annotations

import socket


def has_ipv6() -> bool:
    """Whether addresses of IPv6 can be listened on: the kernel may lack it, or be told to do without."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True
