"""A terminal that is ours for a while: each key arrives at once and unseen, and signals arrive as keys do."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_HEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGTSTP, signal.SIGWINCH)


class Events:
    """What wakes who waits: keys, signals, and calls of `wake` from any thread."""

    def __init__(self, keyboard: int | None) -> None:
        self._keyboard = keyboard
        self._heard, self._wake = os.pipe()
        os.set_blocking(self._heard, False)
        os.set_blocking(self._wake, False)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Signals do nothing else inside than to be told by `wait`."""
        before = {sign: signal.signal(sign, lambda *_: None) for sign in _HEEDED}
        old = signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(old)
            for sign, handler in before.items():
                signal.signal(sign, handler)

    def wake(self) -> None:
        with suppress(BlockingIOError):  # so much is unheard that one more says nothing
            os.write(self._wake, b"\0")

    def wait(self, seconds: float) -> tuple[str, set[int]]:
        """The keys, and the signals, that came; at most after `seconds`. A keyboard that is gone types `q`."""
        sources = [self._heard] if self._keyboard is None else [self._heard, self._keyboard]
        ready, _, _ = select.select(sources, [], [], seconds)
        heard = os.read(self._heard, 4096) if self._heard in ready else b""
        return self._keys() if self._keyboard in ready else "", set(heard) - {0}

    def _keys(self) -> str:
        assert self._keyboard is not None  # noqa: S101  # it is ready
        try:
            return os.read(self._keyboard, 1024).decode(errors="replace") or "q"
        except OSError:
            return "q"


def keyboard() -> int | None:
    """Where keys come from, if they do."""
    return sys.stdin.fileno() if sys.stdin.isatty() else None


@contextmanager
def keys_at_once(keyboard: int | None) -> Iterator[None]:
    """Inside, keys come one by one and are not shown; afterwards the terminal is as it was."""
    if keyboard is None:
        yield
        return
    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard)
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
