"""The members of a challenge file."""

from __future__ import annotations

from evaluator.domain.challenge import HANDLE, Absence, MemberSpec, handle_key, merged
from evaluator.service.yaml_scalar import day, instant, matching
from evaluator.service.yaml_value import Value

_HANDLE_MEANS = "a handle of LeetCode: it has 1 to 64 letters, digits, dots, dashes and underscores"


def read_members(value: Value) -> tuple[MemberSpec, ...]:
    """The members of one challenge; those with a mistake are left out."""
    lines: dict[str, int] = {}
    members = (_member(item, lines) for item in value.items() or ())
    return tuple(member for member in members if member is not None)


def _member(value: Value, lines: dict[str, int]) -> MemberSpec | None:
    fields = value.fields({"handle": "alice"}, ("joined", "left", "absences"))
    if fields is None:
        return None
    handle = fields.read("handle", lambda one: matching(one, HANDLE, _HANDLE_MEANS))
    if handle is not None:
        fields["handle"].refuse_repeated(handle_key(handle), lines)
    joined, left = fields.read("joined", instant), fields.read("left", instant)
    if joined is not None and left is not None and left < joined:
        fields["left"].refuse("this is before the member joined: `left` may not be earlier than `joined`")
    absences = fields.read("absences", _absences) or ()
    return MemberSpec(handle, joined, left, absences) if handle is not None else None


def _absences(value: Value) -> tuple[Absence, ...]:
    absences = (_absence(item) for item in value.items() or ())
    return merged(absence for absence in absences if absence is not None)


def _absence(value: Value) -> Absence | None:
    fields = value.fields({"from": "2026-11-10", "to": "2026-11-12"}, ())
    if fields is None:
        return None
    first, last = fields.read("from", day), fields.read("to", day)
    if first is None or last is None:
        return None
    if last < first:
        fields["to"].refuse(f"{last} is before the first day of the absence, {first}: it may not be earlier")
        return None
    return Absence(first, last)
