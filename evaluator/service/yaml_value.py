"""A value of a file at its place, and the mistakes that are found in it.

A reader gives None for what it refuses and notes the mistake; reading goes on, so that all are found at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import TypeVar

from evaluator.service import yaml_source
from evaluator.service.yaml_source import Alias, Mistake, Node, Scalar

_T = TypeVar("_T")
_SHOWN = 60  # characters of a value in a message


class Value:
    """A node with its path in the file."""

    __slots__ = ("_mistakes", "_node", "path")

    def __init__(self, node: Node, path: str, mistakes: list[Mistake]) -> None:
        self._node = node
        self.path = path
        self._mistakes = mistakes

    @property
    def line(self) -> int:
        return self._node.line

    @property
    def is_nothing(self) -> bool:
        """Whether no value stands here."""
        return isinstance(self._node, Scalar) and self._node.is_nothing

    @property
    def is_plain(self) -> bool:
        """Whether it is a single value without quotes."""
        return isinstance(self._node, Scalar) and self._node.plain

    def refuse(self, message: str) -> None:
        if not isinstance(self._node, Alias):  # an alias is refused as such
            self._mistakes.append(Mistake(self.line, self.path, message))

    def refuse_repeated(self, key: str, lines: dict[str, int]) -> None:
        """Refuse a `key` that is in `lines`, where each key first stands; note it where it is new."""
        if key in lines:
            self.refuse(f"{key} is listed twice, first on line {lines[key]}: keep one of them")
        lines.setdefault(key, self.line)

    def fields(self, required: Mapping[str, str], optional: Collection[str]) -> Fields | None:
        """The values by their keys. `required` gives an example of each key that must be there.

        A key without a value is as good as left out.
        """
        if not isinstance(self._node, yaml_source.Mapping):
            self.refuse(f"{self._shown()} stands where keys with values belong: {listed([*required, *optional])}")
            return None
        lines: dict[str, int] = {}
        fields = Fields()
        for key, node in self._node.entries:
            name = key.text if isinstance(key, Scalar) else ""
            if name not in required and name not in optional:
                self._child(key, name).refuse(f"unknown key{did_you_mean(name, [*required, *optional])}")
            elif name in lines:
                self._child(key, name).refuse(f"given twice, first on line {lines[name]}: keep one of them")
            else:
                lines[name] = key.line
                fields[name] = self._child(node, name)
        for name, example in required.items():
            if name not in fields or fields[name].is_nothing:
                missing = fields.get(name) or self._child(self._node, name)
                missing.refuse(f"is missing: write it, such as `{name}: {example}`")
        return Fields({name: value for name, value in fields.items() if not value.is_nothing})

    def items(self) -> list[Value] | None:
        """The values of a list."""
        if not isinstance(self._node, yaml_source.Sequence):
            self.refuse(f"{self._shown()} stands where a list belongs")
            return None
        return [Value(node, f"{self.path}[{index}]", self._mistakes) for index, node in enumerate(self._node.items)]

    def text(self) -> str | None:
        """A single value as it was written, whatever YAML would make of it."""
        if isinstance(self._node, Scalar) and not self._node.is_nothing:
            return self._node.text
        self.refuse(f"{self._shown()} stands where a single value belongs")
        return None

    def at(self, path: str) -> Value:
        """The value at a path below this one, such as `rules.penalty`; the nearest one above it that is there."""
        place = self
        for name in path.split("."):
            entries = place._node.entries if isinstance(place._node, yaml_source.Mapping) else []
            found = (node for key, node in entries if isinstance(key, Scalar) and key.text == name)
            if (node := next(found, None)) is None:
                break
            place = place._child(node, name)
        return place

    def _child(self, node: Node, name: str) -> Value:
        return Value(node, f"{self.path}.{name}" if self.path else name, self._mistakes)

    def _shown(self) -> str:
        if isinstance(self._node, Scalar):
            return "nothing" if self.is_nothing else shown(self._node.text)
        return "a list" if isinstance(self._node, yaml_source.Sequence) else "a set of keys"


class Fields(dict[str, Value]):
    """Values by key; those that the file leaves out are not there."""

    def read(self, key: str, reader: Callable[[Value], _T | None]) -> _T | None:
        """What `reader` makes of the value, None where it is left out."""
        value = self.get(key)
        return None if value is None else reader(value)


def shown(text: str) -> str:
    """A text of the file in a message: quoted, cut, and without characters that a terminal would obey."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def listed(names: Collection[str]) -> str:
    return ", ".join(names)


def did_you_mean(name: str, names: Collection[str]) -> str:
    """`; did you mean X?` where one of `names` is close."""
    folded = {known.casefold(): known for known in names}
    close = get_close_matches(name.casefold(), folded, n=1)
    return f"; did you mean {folded[close[0]]}?" if close else ""
