"""A challenge file: from its text to challenges, or to every mistake in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import NamedTuple
from zoneinfo import available_timezones

from evaluator.domain.challenge import LONGEST, SLUG, WEEKDAYS, ChallengeSpec
from evaluator.domain.money import AMOUNT, MINOR_DIGITS, parse_amount
from evaluator.domain.rules import Difficulty, Rules, Unique
from evaluator.service.member_list import read_members
from evaluator.service.yaml_scalar import day, flag, integer, matching, one_of, some_of
from evaluator.service.yaml_source import Mistake, compose
from evaluator.service.yaml_value import Value

_KEYS = {
    "id": "winter-grind",
    "timezone": "Asia/Kolkata",
    "starts": "2026-11-01",
    "ends": "2026-11-30",
    "members": "[{handle: alice}]",
}
_SLUG_MEANS = "an id: write up to 64 lower-case letters, digits and single dashes between them"
_NAME = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f-\x9f]{1,200}")


@dataclass(frozen=True, slots=True)
class ChallengeFile:
    """A file without a mistake. `values` are its challenges as they stand in it, by id."""

    challenges: tuple[ChallengeSpec, ...]
    values: Mapping[str, Value]

    def mistake(self, challenge_id: str, field: str, message: str) -> Mistake:
        """What the ledger refuses of a field, such as `starts` or `rules.penalty.currency`, at its line."""
        place = self.values[challenge_id].at(field)
        return Mistake(place.line, place.path, message)


class _Penalty(NamedTuple):
    amount: int = 0
    currency: str | None = None
    cap: int | None = None


def read_challenge_file(content: bytes) -> ChallengeFile | list[Mistake]:
    """The challenges of a file, or all of its mistakes in the order of their lines."""
    node, mistakes = compose(content)
    if node is None:
        return mistakes or [Mistake(1, "", "the file is empty: it must hold `challenges:` and a list of them")]
    found: list[tuple[ChallengeSpec, Value]] = []
    fields = Value(node, "", mistakes).fields({"challenges": "[{id: winter-grind, …}]"}, ())
    if fields and "challenges" in fields:
        found = _challenges(fields["challenges"])
    if mistakes:
        return sorted(mistakes, key=lambda mistake: mistake.line)
    return ChallengeFile(tuple(spec for spec, _ in found), {spec.id: value for spec, value in found})


def _challenges(value: Value) -> list[tuple[ChallengeSpec, Value]]:
    items = value.items()
    ids: dict[str, int] = {}
    specs = [(_challenge(item, ids), item) for item in items or ()]
    if items == []:
        value.refuse("no challenge is listed")
    return [(spec, item) for spec, item in specs if spec is not None]


def _challenge(value: Value, ids: dict[str, int]) -> ChallengeSpec | None:
    fields = value.fields(_KEYS, ("name", "rules", "cancelled"))
    if fields is None:
        return None
    challenge_id = fields.read("id", lambda one: matching(one, SLUG, _SLUG_MEANS))
    if challenge_id is not None:
        fields["id"].refuse_repeated(challenge_id, ids)
    name = fields.read("name", lambda one: matching(one, _NAME, "a name: write one line of up to 200 characters"))
    timezone = fields.read("timezone", lambda one: one_of(one, _timezones(), "an IANA time zone such as Asia/Kolkata"))
    starts, ends = fields.read("starts", day), fields.read("ends", day)
    if starts and ends:
        _check_length(fields["ends"], starts, ends)
    rules, currency = fields.read("rules", _rules) or (Rules(), None)
    members = fields.read("members", read_members) or ()
    cancelled = fields.read("cancelled", flag) or False
    if challenge_id is None or timezone is None or starts is None or ends is None:
        return None
    return ChallengeSpec(
        challenge_id, name or challenge_id, timezone, starts, ends, rules, currency, members, cancelled
    )


@cache
def _timezones() -> frozenset[str]:
    """Every zone that means the same on every machine."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _check_length(value: Value, starts: date, ends: date) -> None:
    days = (ends - starts).days + 1
    if days < 1:
        value.refuse(f"{ends} is before the first day, {starts}: the last day may not be earlier")
    elif days > LONGEST:
        value.refuse(f"{ends} makes {days} days from {starts} on: {LONGEST} at most")


def _rules(value: Value) -> tuple[Rules, str | None] | None:
    fields = value.fields({}, ("min_solves", "difficulties", "unique", "rest_days", "freezes_per_month", "penalty"))
    if fields is None:
        return None
    difficulties = fields.read("difficulties", lambda one: some_of(one, list(Difficulty))) or []
    rest_days = fields.read("rest_days", lambda one: some_of(one, WEEKDAYS)) or []
    penalty = fields.read("penalty", _penalty) or _Penalty()
    rules = Rules(
        min_solves=fields.read("min_solves", lambda one: integer(one, 1, 10)) or 1,
        difficulties=frozenset(map(Difficulty, difficulties)),
        unique=Unique(fields.read("unique", lambda one: one_of(one, list(Unique))) or Unique.DAY),
        rest_days=frozenset(map(WEEKDAYS.index, rest_days)),
        freezes_per_month=fields.read("freezes_per_month", lambda one: integer(one, 0, 31)) or 0,
        penalty=penalty.amount,
        cap=penalty.cap,
    )
    return rules, penalty.currency


def _penalty(value: Value) -> _Penalty | None:
    fields = value.fields({"amount": '"5.00"', "currency": "EUR"}, ("cap",))
    if fields is None:
        return None
    meaning = "a currency code of ISO 4217 such as EUR"
    currency = fields.read("currency", lambda one: one_of(one, MINOR_DIGITS, meaning))
    amount = fields.read("amount", lambda one: _amount(one, currency))
    cap = fields.read("cap", lambda one: _amount(one, currency))
    return _Penalty(amount or 0, currency, cap)


def _amount(value: Value, currency: str | None) -> int | None:
    """An amount in minor units. Without a known currency only its form can be looked at."""
    text = matching(value, AMOUNT, 'an amount: write a plain number such as "5" or "5.00"')
    if text is None or currency is None:
        return None
    try:
        return parse_amount(text, currency)
    except ValueError as error:
        value.refuse(str(error))
        return None
