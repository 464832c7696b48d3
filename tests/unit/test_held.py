"""What a process holds of a queue, and of which Redis is to be told."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier, Event, Lock

import pytest

from evaluator.queue.held import Held


def test_what_is_done_is_told_once_and_held_until_then() -> None:
    held = Held()
    told: list[str] = []
    for one in ("a", "b"):
        held.add(one)
    held.done("a")
    assert held.ids() == {"a", "b"}
    held.tell(told.extend)
    held.tell(told.extend)
    assert told == ["a"]
    assert held.ids() == {"b"}


@pytest.mark.parametrize("error", [ConnectionError, KeyboardInterrupt])
def test_what_could_not_be_told_is_told_the_next_time(error: type[BaseException]) -> None:
    """A time limit may strike a thread while it tells of what others did."""

    def interrupted(_: Sequence[str]) -> None:
        raise error

    held = Held()
    told: list[str] = []
    held.add("a")
    held.done("a")
    with pytest.raises(error):
        held.tell(interrupted)
    assert held.ids() == {"a"}
    held.tell(told.extend)
    assert told == ["a"]
    assert not held.ids()


class Turnstile:
    """A lock that lets nobody in before `wanted` have asked for it."""

    def __init__(self, wanted: int) -> None:
        self._lock = Lock()
        self._barrier = Barrier(wanted)

    def __enter__(self) -> None:
        self._barrier.wait(10)
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_who_waited_for_one_that_failed_does_not_try_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten threads would wait for a Redis that is silent, one after the other."""
    held, calls = Held(), count(1)
    monkeypatch.setattr(held, "_telling", Turnstile(5))

    def in_vain(_: Sequence[str]) -> None:
        next(calls)
        raise ConnectionError

    held.done("a")
    with ThreadPoolExecutor(5) as pool:
        tells = [pool.submit(held.tell, in_vain) for _ in range(5)]
        failed = [tell.exception(10) is not None for tell in tells]
    assert sorted(failed) == [False, False, False, False, True]
    assert next(calls) == 2


def test_who_has_something_to_tell_waits_for_one_who_is_telling_it() -> None:
    held, began, goes_on = Held(), Event(), Event()
    told: list[Sequence[str]] = []

    def slowly(done: Sequence[str]) -> None:
        began.set()
        goes_on.wait(10)
        told.append(done)

    held.done("a")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(held.tell, slowly)
        began.wait(10)
        second = pool.submit(held.tell, slowly)
        assert not second.done()
        goes_on.set()
        first.result(10)
        second.result(10)
    assert told == [["a"]]
