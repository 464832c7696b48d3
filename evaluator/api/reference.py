"""The API's reference at `/docs`, made of its OpenAPI description.

FastAPI's own page loads its scripts from elsewhere, which a closed network does not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from evaluator.api.page import render

router = APIRouter(include_in_schema=False)

_Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is sent or answered."""

    name: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. `failures` are pairs of a status and what it means."""

    method: str
    path: str
    tag: str
    summary: str
    description: str
    needs_token: bool
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    result: tuple[Field, ...]
    is_list: bool
    failures: tuple[tuple[str, str], ...]


@router.get("/docs")
def reference(request: Request) -> HTMLResponse:
    """Every call, what it takes and what it answers."""
    description = request.app.openapi()
    groups = [(tag, list(calls)) for tag, calls in groupby(operations(description), lambda call: call.tag)]
    return render(request, "reference.html", groups=groups)


def operations(openapi: _Schema) -> Iterator[Operation]:
    """The calls of an OpenAPI description, in its order."""
    for path, methods in openapi["paths"].items():
        for method, call in methods.items():
            done = next(status for status in call["responses"] if status.startswith("2"))
            answer = _content(call["responses"][done])
            is_list = answer.get("type") == "array"
            yield Operation(
                method.upper(),
                path,
                call["tags"][0],
                call["summary"],
                call.get("description", ""),
                "security" in call,
                tuple(_parameter(openapi, one) for one in call.get("parameters", [])),
                tuple(_fields(openapi, _content(call.get("requestBody", {})))),
                tuple(_fields(openapi, answer["items"] if is_list else answer)),
                is_list,
                tuple(
                    (status, one["description"]) for status, one in sorted(call["responses"].items()) if status != done
                ),
            )


def _content(part: _Schema) -> _Schema:
    """The schema of a JSON body."""
    schema: _Schema = part.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _parameter(openapi: _Schema, parameter: _Schema) -> Field:
    return Field(
        parameter["name"],
        _kind(openapi, parameter["schema"]),
        parameter["required"],
        parameter.get("description", ""),
    )


def _fields(openapi: _Schema, schema: _Schema) -> Iterator[Field]:
    """The fields of an object; nothing for anything else."""
    found = _resolve(openapi, schema)
    for name, field in found.get("properties", {}).items():
        yield Field(name, _kind(openapi, field), name in found.get("required", ()), field.get("description", ""))


def _resolve(openapi: _Schema, schema: _Schema) -> _Schema:
    """What a schema refers to; of alternatives, the one that is not null."""
    for alternative in schema.get("anyOf", ()):
        if alternative.get("type") != "null":
            return _resolve(openapi, alternative)
    if "$ref" in schema:
        resolved: _Schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return resolved
    return schema


def _kind(openapi: _Schema, schema: _Schema) -> str:
    """A type in words: `date`, `string or null`, `list of integer`, `passed | failed | …`."""
    optional = any(one.get("type") == "null" for one in schema.get("anyOf", ()))
    found = _resolve(openapi, schema)
    if "enum" in found:
        kind = " | ".join(map(str, found["enum"]))
    elif found.get("type") == "array":
        kind = f"list of {_kind(openapi, found['items'])}" if "items" in found else "list"
    else:
        kind = found.get("format") or found.get("type") or "anything"
    return f"{kind} or null" if optional else kind
