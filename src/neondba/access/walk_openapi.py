"""The routes of an OpenAPI document, with every reference followed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

METHODS: Final = ("get", "head", "post", "put", "patch", "delete")
Schema = dict[str, Any]
_DEEPEST: Final = 12


@dataclass(frozen=True)
class Parameter:
    """What a request carries beside its body."""

    name: str
    place: str
    """`path`, `query`, `header` or `cookie`."""
    required: bool
    schema: Schema


@dataclass(frozen=True)
class Operation:
    """One method on one path."""

    method: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    content_type: str = "application/json"
    body_required: bool = False
    secured: bool = False
    words: str = ""
    """Operation id, tags and summary, in lower case."""
    answers: str = ""
    """The schema of a success as text: what it may hold."""

    @property
    def name(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        """True when its method may change something."""
        return self.method not in ("GET", "HEAD")


@dataclass
class Document:
    """An OpenAPI document."""

    raw: Mapping[str, Any]
    operations: list[Operation] = field(default_factory=list)
    properties: dict[str, list[tuple[str, Schema]]] = field(default_factory=dict)
    """Property to the components that have it, with its schema there."""

    @classmethod
    def read(cls, text: str) -> Document:
        """Read a document; raises ValueError when it is none."""
        raw = json.loads(text)
        if not isinstance(raw, dict) or not isinstance(raw.get("paths"), dict):
            raise ValueError("no OpenAPI document")
        made = cls(raw)
        made.operations = list(made._operations())
        for component, whole in raw.get("components", {}).get("schemas", {}).items():
            for name, schema in whole.get("properties", {}).items():
                made.properties.setdefault(name, []).append((component, made.plain(schema)))
        return made

    def property(self, name: str, noun: str) -> Schema:
        """Give the schema of a property, from the components that are about a noun where there are some."""
        every = self.properties.get(name, [])
        word = noun.replace("_", "").lower()
        about = [schema for component, schema in every if component.lower().startswith(word)]
        found = about or [schema for _, schema in every]
        return next((schema for schema in found if "enum" in schema), found[0] if found else {})

    def plain(self, schema: Any, depth: int = 0) -> Schema:
        """Follow references, merge `allOf`, and choose the first real alternative."""
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return {}
        if "$ref" in schema:
            target: Any = self.raw
            for part in str(schema["$ref"]).removeprefix("#/").split("/"):
                target = (
                    target.get(part.replace("~1", "/").replace("~0", "~"), {})
                    if isinstance(target, dict)
                    else {}
                )
            rest = {k: v for k, v in schema.items() if k != "$ref"}
            return {**self.plain(target, depth + 1), **rest}
        for word in ("anyOf", "oneOf"):
            if schema.get(word):
                found = [self.plain(one, depth + 1) for one in schema[word]]
                real = [one for one in found if one.get("type") != "null"]
                rest = {k: v for k, v in schema.items() if k not in (word, "default")}
                nullable = len(real) < len(found)
                return {**(real[0] if real else {}), **rest, **({"nullable": True} if nullable else {})}
        if schema.get("allOf"):
            merged: Schema = {}
            for one in schema["allOf"]:
                inner = self.plain(one, depth + 1)
                properties = {**merged.get("properties", {}), **inner.get("properties", {})}
                required = [*merged.get("required", []), *inner.get("required", [])]
                merged |= inner
                merged |= {"properties": properties, "required": required} if properties else {}
            return {**merged, **{k: v for k, v in schema.items() if k != "allOf"}}
        if isinstance(schema.get("type"), list):
            kinds = [kind for kind in schema["type"] if kind != "null"]
            return {**schema, "type": kinds[0] if kinds else "null"}
        return schema

    def _operations(self) -> Iterator[Operation]:
        everywhere = bool(self.raw.get("security"))
        for path, item in self.raw["paths"].items():
            shared = item.get("parameters", []) if isinstance(item, dict) else []
            for method in METHODS:
                found = item.get(method) if isinstance(item, dict) else None
                if isinstance(found, dict):
                    yield self._operation(method.upper(), str(path), found, shared, everywhere)

    def _operation(
        self, method: str, path: str, found: Mapping[str, Any], shared: list[Any], everywhere: bool
    ) -> Operation:
        listed = [self.plain(one) for one in [*shared, *found.get("parameters", [])]]
        parameters = tuple(
            Parameter(str(p["name"]), str(p["in"]), bool(p.get("required")), self.plain(p.get("schema", {})))
            for p in listed
            if "name" in p and "in" in p
        )
        body = self.plain(found.get("requestBody", {}))
        kinds = body.get("content", {})
        usual = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
        kind = next((k for k in usual if k in kinds), next(iter(kinds), "application/json"))
        words = [found.get("operationId", ""), found.get("summary", ""), *found.get("tags", [])]
        return Operation(
            method,
            path,
            parameters,
            self.plain(kinds[kind].get("schema", {})) if kind in kinds else None,
            kind,
            bool(body.get("required")),
            bool(found.get("security", everywhere)),
            " ".join(map(str, words)).lower(),
        )
