"""The simulated population: whoever is asked for has solved problems, the same ones however often one asks.

An account is a pure function of the seed and the handle, and what it shows one of these and the time. Nothing is
stored. Each account has a character, a time zone and a favourite part of the day; that part never crosses midnight,
neither there nor in UTC, so a date of its own has all its solves on one date of LeetCode's calendar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property, lru_cache
from hashlib import blake2b, shake_128
from itertools import compress
from struct import unpack

from evaluator.local.simulator.account import ACCEPTED, DAY, Submission, Visibility, submission_id
from evaluator.local.simulator.catalogue import Catalogue, Problem
from evaluator.local.simulator.character import CHARACTERS, Character, character_of

FIRST_YEAR = 2023
"""In which every account was made."""

_HOUR = 3600
_OFFSETS = tuple(int(hours * _HOUR) for hours in (-8, -6, -5, -3, 0, 1, 2, 3, 5.5, 5.5, 5.5, 7, 8, 8, 9, 10))
_PARTS = ((18, 24), (18, 24), (19, 23), (6, 10), (11, 15), (13, 19))  # of the day, by the hour
_LANGUAGES = ("python3", "python3", "cpp", "java", "javascript", "golang", "rust", "csharp")
_DIFFICULTIES = ("Easy",) * 11 + ("Medium",) * 16 + ("Hard",) * 5
_AGAIN, _FAVOURITE = 8, 16  # one in so many is the problem just solved, or an old favourite
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Generated:
    """An account of the population."""

    username: str
    character: Character
    key: bytes
    catalogue: Catalogue

    @property
    def visibility(self) -> Visibility:
        return self.character.visibility

    def submissions(self, now: int) -> Iterator[Submission]:
        today = now // DAY
        for year in range(datetime.fromtimestamp(now, UTC).year, FIRST_YEAR - 1, -1):
            first, counts = _midnights(year)[0], self._counts(year)
            for index in range(min(today - first, len(counts) - 1), -1, -1):
                if counts[index]:
                    solves = self._solves_on(first + index, counts[index])
                    yield from solves if solves[0].at <= now else (solve for solve in solves if solve.at <= now)

    def calendar(self, year: int, now: int) -> Mapping[str, int]:
        if not FIRST_YEAR <= year <= datetime.fromtimestamp(now, UTC).year:
            return {}
        first, midnights = _midnights(year)
        counts = self._counts(year)
        today = now // DAY - first
        counted = counts[: max(today, 0)]
        found = dict(compress(zip(midnights, counted, strict=False), counted))
        if today < len(counts) and (solves := self._solves_on(first + today, counts[today])) and solves[-1].at <= now:
            found[midnights[today]] = sum(solve.at <= now for solve in solves)
        return found

    def _counts(self, year: int) -> bytes:
        """How many solves each day of a year has."""
        first, midnights = _midnights(year)
        chances = shake_128(self.key + year.to_bytes(2, "big")).digest(len(midnights))
        counts = bytearray(chances.translate(self.character.table))
        period = self.character.period
        for phase in range(self.character.active, period):
            _clear(counts, (phase + self.key[0] - first) % period, period)
        for weekday in self.character.rest_days:
            _clear(counts, (weekday - _EPOCH.weekday() - first) % 7, 7)
        return bytes(counts)

    def _solves_on(self, day: int, count: int) -> list[Submission]:
        """The solves of a day, counted from the epoch, newest first."""
        begins, length, mark, language = self._manner
        chances = unpack(f"<{2 * count}I", shake_128(self.key + day.to_bytes(4, "big")).digest(8 * count))
        solves: list[Submission] = []
        earliest = day * DAY
        for moment, chance in zip(sorted([one % length for one in chances[:count]]), chances[count:], strict=True):
            if not solves:
                problem = _choose(self.catalogue.free["Medium"], chance)
            elif chance % _AGAIN:
                problem = self._problem(chance)
            at = day * DAY + begins + moment
            at = max(at, earliest)
            earliest = at + 1
            row = (submission_id(at, mark), problem.title, problem.slug, str(at), ACCEPTED, language)
            solves.append(Submission(at, *row))
        return solves[::-1]

    def _problem(self, chance: int) -> Problem:
        """A problem; now and then one of four old favourites."""
        if chance % _FAVOURITE == 1:
            chance = int.from_bytes(self.key[2 + chance // _FAVOURITE % 4 :][:4], "big")
        return _choose(self.catalogue.free[_DIFFICULTIES[chance >> 27]], chance)

    @cached_property
    def _manner(self) -> tuple[int, int, int, str]:
        """The favourite part of the day by its begin in UTC and its length, in seconds; a mark; a language."""
        offset = _OFFSETS[self.key[10] % len(_OFFSETS)]
        first, last = (hour * _HOUR for hour in _PARTS[self.key[11] % len(_PARTS)])
        midnight = offset % DAY  # UTC's, on the account's own clock
        if first < midnight < last:
            first, last = max((first, midnight), (midnight, last), key=lambda part: part[1] - part[0])
        # A minute less, so that solves moved off the same second stay in that part too.
        language = _LANGUAGES[self.key[1] % len(_LANGUAGES)]
        return (first - offset) % DAY, last - first - 60, int.from_bytes(self.key[12:15], "big"), language


def _clear(counts: bytearray, start: int, step: int) -> None:
    counts[start::step] = bytes(len(range(start, len(counts), step)))


def _choose(problems: Sequence[Problem], chance: int) -> Problem:
    return problems[(chance >> 3) % len(problems)]


@cache
def _midnights(year: int) -> tuple[int, tuple[str, ...]]:
    """The first day of a year, counted from the epoch, and the second of each of its UTC midnights, in digits."""
    first = (date(year, 1, 1) - _EPOCH).days
    last = (date(year + 1, 1, 1) - _EPOCH).days
    return first, tuple(str(day * DAY) for day in range(first, last))


class Population:
    """All accounts that there could be."""

    def __init__(self, seed: int, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._salt = str(seed).encode()
        self.account = lru_cache(maxsize=4096)(self._account)

    def _account(self, handle: str) -> Generated:
        """The account of a handle; LeetCode ignores its case."""
        username = handle.lower()
        key = blake2b(username.encode("utf-8", "replace"), key=self._salt, digest_size=16).digest()
        return Generated(username, CHARACTERS[character_of(username, key[15])], key, self._catalogue)
