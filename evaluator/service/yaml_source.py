"""YAML as it stands in a file: every value with its line, and as it was written (`5.00` stays `5.00`).

Only what a challenge file needs: anchors, aliases, tags and second documents are mistakes, so that a few lines can
never stand for billions of values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

_DEEPEST = 20  # levels; a challenge file has five
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


class Mistake(NamedTuple):
    """Something wrong in a file. `path` says where, as in `challenges[0].starts`; it is empty for the file itself."""

    line: int
    path: str
    message: str


class Scalar(NamedTuple):
    """A single value; `plain` where it stands without quotes."""

    line: int
    text: str
    plain: bool

    @property
    def is_nothing(self) -> bool:
        """Whether YAML reads it as no value at all."""
        return self.plain and self.text in _NOTHING


class Sequence(NamedTuple):
    line: int
    items: list[Node]


class Mapping(NamedTuple):
    """Keys with their values in order, repeated ones included."""

    line: int
    entries: list[tuple[Node, Node]]


class Alias(NamedTuple):
    """Stands for a value that was not read; the mistake is noted already."""

    line: int


Node = Scalar | Sequence | Mapping | Alias


def compose(content: bytes) -> tuple[Node | None, list[Mistake]]:
    """The file's one value, None where there is none to read, and what is wrong with it as YAML."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [Mistake(line, "", f"byte 0x{content[error.start]:02x} is not UTF-8: save the file as UTF-8")]
    composer = _Composer(text)
    try:
        return composer.document(), composer.mistakes
    except yaml.reader.ReaderError as error:
        line = text.encode().count(b"\n", 0, error.position) + 1
        return None, [Mistake(line, "", f"character U+{error.character:04X} may not stand in YAML: remove it")]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        begun = f" ({error.context} from line {error.context_mark.line + 1} on)" if error.context_mark else ""
        return None, [Mistake(line, "", f"this is not YAML: {error.problem}{begun}")]


class _Composer:
    def __init__(self, text: str) -> None:
        self.mistakes: list[Mistake] = []
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)

    def document(self) -> Node | None:
        node: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent) and node is not None:
                self._refuse(event, "a second document begins here: keep one document in a file")
                break
            if isinstance(event, yaml.NodeEvent):
                node = self._node(event, 1)
        return node

    def _node(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"*{event.anchor} is an alias, which is not supported: write the value out")
            return Alias(_line(event))
        if event.anchor is not None:
            self._refuse(event, f"&{event.anchor} is an anchor, which is not supported: remove it")
        if event.tag is not None:
            self._refuse(event, f"the tag {event.tag!r} is not supported: remove it")
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(_line(event), event.value, not event.style)
        if depth > _DEEPEST:
            raise yaml.MarkedYAMLError(problem="values are nested too deeply", problem_mark=event.start_mark)
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(_line(event), list(self._until(yaml.SequenceEndEvent, depth)))
        keys_and_values = self._until(yaml.MappingEndEvent, depth)
        return Mapping(_line(event), list(zip(keys_and_values, keys_and_values, strict=True)))

    def _until(self, end: type[Any], depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield self._node(event, depth + 1)

    def _refuse(self, event: Any, message: str) -> None:
        self.mistakes.append(Mistake(_line(event), "", message))


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1
