"""Every event that is logged is in the table of `docs/logs.md`, with its levels and fields, and no other is."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import evaluator

PACKAGE = Path(evaluator.__file__).parent
DOCUMENT = PACKAGE.parent / "docs" / "logs.md"

EVERYWHERE = {"challenge", "day", "run", "batch", "job", "exc_info"}
"""Fields that the document tells of once."""

# A sentence with a number or an id in it, as the document writes it.
WORDS = {"N": "len(queued)", "ID": "job", "TYPE": "message.actor_name"}


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """Levels and fields, by event."""
    _, _, table = DOCUMENT.read_text(encoding="utf-8").partition("| event | level | fields | means |\n")
    rows = [line.split(" | ") for line in table.partition("\n\n")[0].splitlines()[1:]]
    return {row[0].strip("| `"): (set(row[1].split(", ")), set(re.findall("`([a-z_]+)`", row[2]))) for row in rows}


def logged() -> dict[str, tuple[set[str], set[str]]]:
    """The same, of the code."""
    levels: defaultdict[str, set[str]] = defaultdict(set)
    fields: defaultdict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for level, event, named in calls(ast.parse(path.read_text(encoding="utf-8"))):
            levels[event] |= level
            fields[event] |= named - EVERYWHERE
    return {event: (levels[event], fields[event]) for event in levels}


def calls(tree: ast.AST) -> Iterator[tuple[set[str], str, set[str]]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(ast.Name("_log" | "log"), level), [*_, event], keywords) if level != "bind":
                known = {"log": {"info", "debug"}, "exception": {"error"}}.get(level, {level})
                yield known, sentence(event), {one.arg for one in keywords if one.arg}


def sentence(event: ast.expr) -> str:
    if isinstance(event, ast.JoinedStr):
        words = {source: word for word, source in WORDS.items()}
        return "".join(
            words[ast.unparse(part.value)] if isinstance(part, ast.FormattedValue) else ast.literal_eval(part)
            for part in event.values
        )
    assert isinstance(event, ast.Constant), f"an event is constant: {ast.unparse(event)}"
    return str(event.value)


def test_the_table_of_events_is_that_of_the_code() -> None:
    told, said = documented(), logged()
    assert said.keys() - told.keys() == set(), "write a row in docs/logs.md for these"
    assert told.keys() - said.keys() == set(), "nobody logs these: take their rows out of docs/logs.md"
    assert {event: levels for event, (levels, _) in said.items()} == {event: told[event][0] for event in said}
    lacking = {event: fields - told[event][1] for event, (_, fields) in said.items()}
    assert {event: fields for event, fields in lacking.items() if fields} == {}, "name these fields in docs/logs.md"
