"""Asking about many at once, and about ever smaller parts of them where the question is refused as invalid."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from evaluator.leetcode.refusal import Refusal, RefusalKind

HOPELESS = 7
"""After so many refusals and not one answer (the whole, its halves, its quarters) the question itself is wrong."""

MOST_REQUESTS = 32
"""Most requests for one question; enough to find three poisoned ones among twenty."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """What came of a question.

    `poisoned` are those who made LeetCode refuse it even when asked about alone, each with that refusal.
    `refusal` says why there is nothing about the rest, if there is a rest.
    """

    answers: Mapping[str, T]
    poisoned: Mapping[str, Refusal]
    refusal: Refusal | None


def ask_in_parts(keys: Sequence[str], ask: Callable[[Sequence[str]], Mapping[str, T] | Refusal]) -> Asked[T]:
    """Ask about all `keys` in one request; about halves of what is refused as BAD_QUERY; again about those left out.

    It stops at any other refusal, and where the question itself proves wrong.
    """
    answers: dict[str, T] = {}
    poisoned: dict[str, Refusal] = {}
    waiting = deque([tuple(keys)] if keys else [])
    requests = refusals = 0
    while waiting:
        if requests == MOST_REQUESTS:
            detail = f"LeetCode refused too many parts of one request as invalid; gave up after {requests}"
            return Asked(answers, poisoned, Refusal(RefusalKind.BAD_QUERY, detail))
        part = waiting.popleft()
        reply = ask(part)
        requests += 1
        if not isinstance(reply, Refusal):
            answers.update(reply)
            if left_out := tuple(key for key in part if key not in reply):
                waiting.append(left_out)
            continue
        if reply.kind is not RefusalKind.BAD_QUERY:
            return Asked(answers, poisoned if answers else {}, reply)
        refusals += 1
        if len(part) > 1:
            middle = len(part) // 2
            waiting.extend((part[:middle], part[middle:]))
        else:
            poisoned[part[0]] = reply
        if not answers and (refusals == HOPELESS or not waiting):
            return Asked({}, {}, reply)
    return Asked(answers, poisoned, None)
