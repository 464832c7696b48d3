"""Who writes at the same time writes together, and answers for nobody else's trouble."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from threading import Event
from types import FrameType
from typing import Any

import pytest

from evaluator.service import group_commit
from evaluator.service.group_commit import AT_MOST, GroupCommit, _Group


class Writer:
    """Writes words in capitals. The first time it waits until it is let go, so that others come meanwhile."""

    def __init__(self) -> None:
        self.written: list[list[str]] = []
        self.begun, self.goes_on = Event(), Event()
        self.commit = GroupCommit(self._together)

    def _together(self, words: Sequence[str]) -> list[str] | None:
        if not words:
            raise SystemExit("it goes round and round, and finds nobody's work")
        self.written.append(list(words))
        if len(self.written) == 1:
            self.begun.set()
            assert self.goes_on.wait(10)
        if "locked" in words:
            return None
        if "odd" in words:
            raise ZeroDivisionError
        if "stopped" in words:
            raise SystemExit
        return [word.upper() for word in words]

    def present(self, kind: str) -> int:
        return self.commit._groups[kind].present


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(AT_MOST + 4) as threads:
        yield threads


def perform(writer: Writer, threads: ThreadPoolExecutor, words: Sequence[str]) -> list[Future[str | None]]:
    """The first word is being written when the others come, in their order."""
    futures = [threads.submit(writer.commit.perform, "run", words[0])]
    assert writer.begun.wait(10)
    for number, word in enumerate(words[1:], start=2):
        futures.append(threads.submit(writer.commit.perform, "run", word))
        while writer.present("run") < number or len(writer.commit._groups["run"].waiting) < number - 1:
            pass
    writer.goes_on.set()
    return futures


def test_who_comes_while_one_writes_is_written_together_and_gets_the_own_result(
    writer: Writer, threads: ThreadPoolExecutor
) -> None:
    futures = perform(writer, threads, ["a", "b", "c", "d"])
    assert [future.result() for future in futures] == ["A", "B", "C", "D"]
    assert writer.written == [["a"], ["b", "c", "d"]]
    assert writer.commit._groups == {}


def test_no_group_is_larger_than_a_transaction_should_be(writer: Writer, threads: ThreadPoolExecutor) -> None:
    words = ["first", *(f"word-{number}" for number in range(AT_MOST + 2))]
    futures = perform(writer, threads, words)
    assert [future.result() for future in futures] == [word.upper() for word in words]
    assert [len(together) for together in writer.written] == [1, AT_MOST, 2]


def test_another_kind_is_not_waited_for(writer: Writer, threads: ThreadPoolExecutor) -> None:
    first = threads.submit(writer.commit.perform, "run", "a")
    assert writer.begun.wait(10)
    assert writer.commit.perform("another run", "b") == "B"
    assert not first.done()
    writer.goes_on.set()
    assert first.result() == "A"


def test_where_a_lock_is_held_each_does_its_own(writer: Writer, threads: ThreadPoolExecutor) -> None:
    futures = perform(writer, threads, ["a", "b", "locked"])
    assert [future.result() for future in futures] == ["A", None, None]


def test_a_failure_of_one_is_no_others(writer: Writer, threads: ThreadPoolExecutor) -> None:
    futures = perform(writer, threads, ["a", "b", "odd"])
    assert [future.result() for future in futures] == ["A", None, None]


def test_a_failure_of_a_single_one_is_its_own(writer: Writer) -> None:
    writer.goes_on.set()
    with pytest.raises(ZeroDivisionError):
        writer.commit.perform("run", "odd")
    assert writer.commit.perform("run", "a") == "A"


def test_a_thread_that_is_stopped_leaves_the_others_their_work(writer: Writer, threads: ThreadPoolExecutor) -> None:
    futures = perform(writer, threads, ["a", "b", "stopped", "c"])
    assert futures[0].result() == "A"
    ends = [future.exception() for future in futures[1:]]
    (stopped,) = [end for end in ends if end is not None]  # of whoever came first to write for all of them
    assert isinstance(stopped, SystemExit)
    assert [future.result() for future, end in zip(futures[1:], ends, strict=True) if end is None] == [None, None]


class Struck(GroupCommit[str, str]):
    """Its second leader is stopped before a step of the interpreter, the `place`th, as a time limit may do it."""

    place = 0
    struck = False
    led = 0

    def _lead(self, group: _Group[str, str]) -> None:
        self.led += 1
        if self.led != 2:
            super()._lead(group)
            return
        before = sys.gettrace()
        steps = count(1)

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            if frame.f_code.co_filename != group_commit.__file__:
                return None
            frame.f_trace_opcodes = True
            if event == "opcode" and not self.struck and next(steps) == self.place:
                self.struck = True
                raise SystemExit
            return trace

        sys.settrace(trace)
        try:
            super()._lead(group)
        finally:
            sys.settrace(before)


def test_wherever_a_thread_is_stopped_no_other_waits_for_ever(threads: ThreadPoolExecutor) -> None:
    for place in count(1):
        writer = Writer()
        writer.commit = struck = Struck(writer._together)
        struck.place = place
        futures = perform(writer, threads, ["a", "b", "c", "d"])
        assert all(future.result(10) in {None, word} for future, word in zip(futures[2:], "CD", strict=True)), place
        assert struck._groups == {}
        if not struck.struck:
            break
        assert isinstance(futures[1].exception(), SystemExit)
    assert place > 50
