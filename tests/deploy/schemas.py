"""Strict JSON schemas for kubeconform, from what Kubernetes and the makers of custom resources publish.

    python -m tests.deploy.schemas FOLDER FILE...

A file is the OpenAPI description of Kubernetes' API (`swagger.json`), or a CustomResourceDefinition.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]


def main(folder: str, *paths: str) -> None:
    unfinished = Path(f"{folder}.unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    for path in paths:
        document = yaml.load(Path(path).read_bytes(), Loader=yaml.CSafeLoader)  # JSON is YAML, too
        for kind, group, version, schema in _native(document) if "definitions" in document else _custom(document):
            name = "-".join(part for part in (kind.lower(), group.split(".")[0], version) if part)
            (unfinished / f"{name}.json").write_text(json.dumps(schema))
    unfinished.rename(folder)


def _native(document: Schema) -> Iterator[tuple[str, str, str, Schema]]:
    definitions = {name: _strict(schema) for name, schema in document["definitions"].items()}
    for name, schema in document["definitions"].items():
        for known in schema.get("x-kubernetes-group-version-kind", ()):
            parts = {part: definitions[part] for part in _reached(name, definitions, set())}
            whole = {"$ref": f"#/definitions/{name}", "definitions": parts}
            yield known["kind"], known["group"], known["version"], whole


def _custom(document: Schema) -> Iterator[tuple[str, str, str, Schema]]:
    spec = document["spec"]
    for version in spec["versions"]:
        schema = _strict(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        yield spec["names"]["kind"], spec["group"], version["name"], schema


def _strict(schema: Schema) -> Schema:
    """The same schema, which refuses what it doesn't name. Numbers may stand for text where Kubernetes takes both."""
    strict: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            strict[key] = {name: _strict(part) for name, part in value.items()}
        elif key in {"items", "additionalProperties"} and isinstance(value, dict):
            strict[key] = _strict(value)
        elif key in {"$ref", "type", "required", "enum", "pattern", "minimum", "maximum", "additionalProperties"}:
            strict[key] = value
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return {"type": ["string", "integer"]}
    if "Quantity is a fixed-point" in schema.get("description", ""):
        return {"type": ["string", "number"]}
    if "properties" in strict and not schema.get("x-kubernetes-preserve-unknown-fields"):
        strict.setdefault("additionalProperties", False)
    return strict


def _reached(name: str, definitions: dict[str, Schema], seen: set[str]) -> set[str]:
    if name not in seen:
        seen.add(name)
        for reference in _references(definitions[name]):
            _reached(reference, definitions, seen)
    return seen


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference.removeprefix("#/definitions/")
        for value in part.values():
            yield from _references(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
