"""`evaluator apply`: make challenges what a file says, and show the difference."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import redis
import typer

from evaluator.cli.arguments import JsonOption
from evaluator.cli.output import console, print_json, problem
from evaluator.cli.session import FAILED, Session, open_session
from evaluator.service.apply import Applied, Refused
from evaluator.service.difference import ChallengeChange, FieldChange, Kind, MemberChange, MemberKind
from evaluator.service.yaml_source import Mistake

_LARGEST = 256 * 2**20  # bytes; a million members take some 50 MiB
_SHOWN = 20  # members of a challenge that are shown to people

_SIGNS = {
    MemberKind.ADDED: ("+", "green"),
    MemberKind.RETURNED: ("+", "green"),
    MemberKind.REMOVED: ("-", "red"),
    MemberKind.CHANGED: ("~", "yellow"),
}


@contextmanager
def _collector_off() -> Iterator[None]:
    """A large file becomes millions of objects that all stay; looking for garbage among them doubles the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_collector_off()
def apply(
    file: Annotated[str, typer.Option("--file", "-f", help="The challenge file; - reads standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference and change nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make challenges what a file says, and show the difference. Repeating it changes nothing.

    A file with a mistake is refused as a whole, and every mistake is named with its line. Challenges that the file
    leaves out stay as they are; members that it no longer lists have left.

    Example: evaluator apply -f challenges.yaml --dry-run
    """
    from evaluator.service.apply import apply as apply_challenges
    from evaluator.service.challenge_file import ChallengeFile, read_challenge_file

    found = read_challenge_file(_read(file))
    if not isinstance(found, ChallengeFile):
        _refuse(file, found, as_json=as_json)
    with open_session() as session:
        result = apply_challenges(session.database, found.challenges, session.clock(), dry_run=dry_run)
        if isinstance(result, Refused):
            mistakes = [found.mistake(one.challenge, one.field, one.message) for one in result.refusals]
            _refuse(file, mistakes, as_json=as_json)
        if as_json:
            print_json({"dry_run": dry_run, "challenges": [asdict(change) for change in result.changes]})
        else:
            _show(result.changes, dry_run=dry_run)
        _wake(session, result)


def _read(file: str) -> bytes:
    try:
        if file == "-":
            content = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with Path(file).open("rb") as source:
                content = source.read(_LARGEST + 1)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise typer.BadParameter(f"{file} is larger than {_LARGEST // 2**20} MiB: split it by challenges")
    return content


def _refuse(file: str, mistakes: Iterable[Mistake], *, as_json: bool) -> NoReturn:
    mistakes = sorted(mistakes, key=lambda mistake: mistake.line)
    for mistake in mistakes:
        path = f"{mistake.path}: " if mistake.path else ""
        problem(f"{file}:{mistake.line}: {path}{mistake.message}")
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    problem(f"{count} in {file}: nothing was changed")
    if as_json:
        print_json({"refused": [mistake._asdict() for mistake in mistakes]})
    raise typer.Exit(FAILED)


def _wake(session: Session, applied: Applied) -> None:
    try:
        if applied.turns:
            session.outbox.send_runs(applied.turns)
    except redis.RedisError as error:
        problem(f"Redis does not answer ({error}), so no worker was woken; `evaluator enqueue` does that later")


def _show(changes: Iterable[ChallengeChange], *, dry_run: bool) -> None:
    for change in changes:
        _say(f"{change.challenge}: {change.kind}", style="bold")
        for field in change.fields:
            _say(f"  {field.field}: {_values(field, created=change.kind is Kind.CREATED)}")
        for member in change.members[:_SHOWN]:
            sign, style = _SIGNS[member.kind]
            _say(f"  {sign} {member.handle} {_told(member)}", style=style)
        if len(change.members) > _SHOWN:
            _say(f"  … and {len(change.members) - _SHOWN:,} more members; --json lists all")
    if dry_run:
        _say("Dry run: nothing was changed")


def _told(member: MemberChange) -> str:
    fields = ", ".join(
        f"{field.field} {_values(field, created=member.kind is MemberKind.ADDED)}" for field in member.fields
    )
    return f"{member.kind}: {fields}" if fields else member.kind


def _values(field: FieldChange, *, created: bool) -> str:
    new = field.new or "-"
    told = new if created else f"{field.old or '-'} → {new}"
    return f"{told}, from {field.holds_from} on" if field.holds_from else told


def _say(line: str, style: str | None = None) -> None:
    console.print(line, style=style, markup=False, highlight=False)
