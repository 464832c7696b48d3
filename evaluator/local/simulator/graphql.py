"""The part of GraphQL's language that clients of LeetCode write: operations, variables, aliases, arguments.

Fragments and directives are not understood. Messages are worded as the reference implementation words them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<ignored>     [\s,\ufeff]+ | \#[^\n\r]* )
  | (?P<name>        [_A-Za-z]\w* )
  | (?P<number>      -?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]) )
  | (?P<string>      "(?:[^"\\\n\r]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*" )
  | (?P<punctuation> [!$()\[\]{}:=] )
    """,
    re.VERBOSE | re.ASCII,
)
_CONSTANTS = {"true": True, "false": False, "null": None}


class QueryError(Exception):
    """The query is not valid; the message says why, as the server would."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`, where a value could stand."""

    name: str


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word as a value: a member of an enumeration."""

    name: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """`$name: type = default`; `type` as it is written, without blanks. `default` None is none."""

    name: str
    type: str
    default: Any = None


@dataclass(frozen=True, slots=True)
class Field:
    """`key: name(arguments) { selections }`; the key is the name where there is no alias."""

    key: str
    name: str
    arguments: Mapping[str, Any]
    selections: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    name: str | None
    declarations: tuple[Declaration, ...]
    selections: tuple[Field, ...]


class _Token(NamedTuple):
    kind: str
    text: str


def parse(text: str) -> list[Operation]:
    """The operations of a document. Raises QueryError."""
    reader = _Reader(_tokens(text))
    operations = [reader.operation()]
    while reader.next.kind != "end":
        operations.append(reader.operation())
    return operations


def _tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise QueryError(f"Syntax Error: Unexpected character: {text[position]!r}.")
        if match.lastgroup != "ignored":
            tokens.append(_Token(str(match.lastgroup), match.group()))
        position = match.end()
    return [*tokens, _Token("end", "<EOF>")]


class _Reader:
    """Reads tokens from left to right; each method consumes what it is named after."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._position = 0

    @property
    def next(self) -> _Token:
        return self._tokens[self._position]

    def operation(self) -> Operation:
        if self.next.text == "{":
            return Operation(None, (), self.selections())
        self.expect("query")
        name = self.name() if self.next.kind == "name" else None
        declarations = []
        if self.skip("("):
            declarations.append(self.declaration())
            while not self.skip(")"):
                declarations.append(self.declaration())
        return Operation(name, tuple(declarations), self.selections())

    def declaration(self) -> Declaration:
        self.expect("$")
        name = self.name()
        self.expect(":")
        return Declaration(name, self.type(), self.value() if self.skip("=") else None)

    def type(self) -> str:
        if self.skip("["):
            written = f"[{self.type()}]"
            self.expect("]")
        else:
            written = self.name()
        return f"{written}!" if self.skip("!") else written

    def selections(self) -> tuple[Field, ...]:
        self.expect("{")
        fields = [self.field()]
        while not self.skip("}"):
            fields.append(self.field())
        return tuple(fields)

    def field(self) -> Field:
        key = name = self.name()
        if self.skip(":"):
            name = self.name()
        arguments = self.entries(")") if self.skip("(") else {}
        return Field(key, name, arguments, self.selections() if self.next.text == "{" else ())

    def entries(self, end: str) -> dict[str, Any]:
        """`name: value` up to `end`: arguments, or the fields of an object."""
        found: dict[str, Any] = {}
        while not self.skip(end):
            name = self.name()
            self.expect(":")
            if name in found:
                raise QueryError(f'There can be only one argument named "{name}".')
            found[name] = self.value()
        return found

    def value(self) -> Any:
        token = self.take()
        if token.kind == "string":
            return json.loads(token.text, strict=False)
        if token.kind == "number":
            return json.loads(token.text)
        if token.kind == "name":
            return _CONSTANTS[token.text] if token.text in _CONSTANTS else Word(token.text)
        if token.text == "$":
            return Variable(self.name())
        if token.text == "[":
            items = []
            while not self.skip("]"):
                items.append(self.value())
            return items
        if token.text == "{":
            return self.entries("}")
        raise _unexpected(token)

    def name(self) -> str:
        token = self.take()
        if token.kind != "name":
            raise _unexpected(token, "Name")
        return token.text

    def expect(self, text: str) -> None:
        token = self.take()
        if token.text != text:
            raise _unexpected(token, repr(text))

    def skip(self, text: str) -> bool:
        if self.next.text != text:
            return False
        self._position += 1
        return True

    def take(self) -> _Token:
        token = self.next
        if token.kind != "end":
            self._position += 1
        return token


def _unexpected(token: _Token, wanted: str = "") -> QueryError:
    if wanted:
        return QueryError(f"Syntax Error: Expected {wanted}, found {token.text}.")
    return QueryError(f"Syntax Error: Unexpected {token.text}.")
