"""A challenge file's YAML text, as a person would write it, from what an apply step holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.oracle.model import Challenge, Member, Penalty, Rules


def challenge_file(challenges: Iterable[Challenge]) -> str:
    """The text for `apply -f`."""
    return "\n".join(["challenges:", *(line for challenge in challenges for line in _challenge(challenge)), ""])


def _challenge(challenge: Challenge) -> list[str]:
    return [
        f"  - id: {challenge.id}",
        f"    name: {_text(challenge.id.title())}",
        f"    timezone: {challenge.timezone}",
        f"    starts: {challenge.starts}",
        f"    ends: {challenge.ends}",
        *(["    cancelled: true"] if challenge.cancelled else []),
        "    rules:",
        *(f"      {line}" for line in _rules(challenge.rules)),
        "    members:" if challenge.members else "    members: []",
        *(f"      - {_member(member, challenge.timezone)}" for member in challenge.members),
    ]


def _rules(rules: Rules) -> list[str]:
    lines = [f"min_solves: {rules.min_solves}"]
    if rules.difficulties is not None:
        lines.append(f"difficulties: [{', '.join(rules.difficulties)}]")
    lines.append(f"unique: {rules.unique}")
    if rules.rest_days:
        lines.append(f"rest_days: [{', '.join(rules.rest_days)}]")
    lines.append(f"freezes_per_month: {rules.freezes_per_month}")
    if rules.penalty is not None:
        lines.append(f"penalty: {_penalty(rules.penalty)}")
    return lines


def _penalty(penalty: Penalty) -> str:
    cap = "" if penalty.cap is None else f", cap: {_text(penalty.cap)}"
    return f"{{amount: {_text(penalty.amount)}, currency: {penalty.currency}{cap}}}"


def _member(member: Member, timezone: str) -> str:
    """`joined` as Zulu time, `left` with the zone's offset, where that has whole minutes."""
    parts = [f"handle: {_text(member.handle)}"]
    if member.joined is not None:
        parts.append(f"joined: {datetime.fromtimestamp(member.joined, UTC):%Y-%m-%dT%H:%M:%SZ}")
    if member.left is not None:
        parts.append(f"left: {datetime.fromtimestamp(member.left, ZoneInfo(timezone)).isoformat()}")
    if member.absences:
        spans = ", ".join(f"{{from: {absence.first}, to: {absence.last}}}" for absence in member.absences)
        parts.append(f"absences: [{spans}]")
    return f"{{{', '.join(parts)}}}"


def _text(value: str) -> str:
    return json.dumps(value)
