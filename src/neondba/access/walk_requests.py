"""Requests for one operation, with anybody's identifiers in each place that takes one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from neondba.access.prove_sign_in import LOGIN, NOT_LOGIN, known
from neondba.access.prove_world import Person
from neondba.access.walk_http import Answer, Request
from neondba.access.walk_identifiers import Identifier, Identifiers, typed
from neondba.access.walk_openapi import Document, Operation, Parameter, Schema
from neondba.access.walk_values import Maker, Pointer

Slot = tuple[str, Pointer]
"""Place and name: `("path", ("task_id",))`."""
Whose = Mapping[Slot, Person | None]
_MOST_TRIES: Final = 5
_MOST_TURNS: Final = 2


@dataclass
class Shaping:
    """What was learnt about a body that the application accepts."""

    turn: int = 0
    full: bool = True
    without: set[Pointer] = field(default_factory=set)
    fixed: dict[Pointer, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)


@dataclass
class Requests:
    """Makes the requests of one operation."""

    document: Document
    identifiers: Identifiers
    operation: Operation
    shaping: Shaping = field(default_factory=Shaping)
    slots: dict[Slot, Identifier] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    """Places for which the person had no row."""

    def make(
        self,
        person: Person,
        whose: Whose | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        asking: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Request:
        """Make a request with a person's own identifiers, but for the places named."""
        whose = whose or {}
        self.missing = set()
        path = self.operation.path
        query: list[tuple[str, str]] = []
        sent = dict(person.headers if headers is None else headers)
        for parameter in self.operation.parameters:
            value = self._parameter(parameter, person, whose, asking or {})
            if value is None:
                continue
            if parameter.place == "path":
                path = _filled(path, parameter.name, value)
            elif parameter.place == "query":
                query += [(parameter.name, _text(v)) for v in (value if isinstance(value, list) else [value])]
            elif parameter.place == "header" and parameter.name.lower() not in ("authorization", "cookie"):
                sent[parameter.name] = _text(value)
        body = self._body(person, whose)
        if more and isinstance(body, dict):
            body = {**more, **body}
        return Request(self.operation.method, path, tuple(query), sent, body, self.operation.content_type)

    def _parameter(
        self, parameter: Parameter, person: Person, whose: Whose, asking: Mapping[str, str]
    ) -> Any:
        if parameter.name in asking:
            return asking[parameter.name]
        in_path = parameter.place == "path"
        slot: Slot = (parameter.place, (parameter.name,))
        name = parameter.name.lower().removeprefix("x-") if parameter.place == "header" else parameter.name
        found = self.identifiers.of(name, self.operation.path, parameter.schema, in_path=in_path)
        if found is not None and parameter.place != "cookie":
            self.slots.setdefault(slot, found)
            if parameter.required or slot in whose or in_path:
                value = self.identifiers.value(found, whose.get(slot, person))
                if value is None:
                    self.missing.add(parameter.name)
                else:
                    inner = parameter.schema.get("items", parameter.schema)
                    return typed(value, self.document.plain(inner))
        if parameter.name in self.shaping.query:
            return self.shaping.query[parameter.name]
        if not parameter.required and not in_path:
            return None
        return Maker(self.document, person.marks, lambda _a, _s: None).make(
            parameter.schema, (parameter.name,)
        )

    def _body(self, person: Person, whose: Whose) -> Any:
        if self.operation.body is None:
            return None
        form = self.operation.content_type == "multipart/form-data"

        def identify(at: Pointer, schema: Schema) -> Any:
            if form and (schema.get("format") == "binary" or "contentMediaType" in schema):
                return person.marks.next().encode()
            return self._in_body(at, schema, person, whose)

        maker = Maker(
            self.document,
            person.marks,
            identify,
            turn=self.shaping.turn,
            full=self.shaping.full,
            without=set(self.shaping.without),
            fixed=dict(self.shaping.fixed),
        )
        return maker.make(self.operation.body)

    def _in_body(self, at: Pointer, schema: Schema, person: Person, whose: Whose) -> Any:
        words = [str(part) for part in at if isinstance(part, str)]
        if not words or schema.get("type") in ("object", "array"):
            return None
        if self._signs_in(words[-1].lower()):
            return known(at, schema, person, person.claims.get("login"))
        found = self.identifiers.of(words[-1], self.operation.path, schema)
        if found is None or self._is_new_key(words[-1], found):
            return None
        slot: Slot = ("body", tuple(part for part in at if isinstance(part, str)))
        self.slots.setdefault(slot, found)
        value = self.identifiers.value(found, whose.get(slot, person))
        if value is None:
            self.missing.add(words[-1])
        return typed(value, schema)

    def _signs_in(self, name: str) -> bool:
        """Tell whether a field wants what a person has registered with."""
        if "password" in name:
            path = self.operation.path
            asks = bool(LOGIN.search(path)) and not NOT_LOGIN.search(path)
            return asks or name.startswith(("current", "old"))
        body = self.document.plain(self.operation.body)
        fields = " ".join(body.get("properties", {})).lower()
        return (
            name in ("email", "username", "grant_type")
            and "password" in fields
            and self._signs_in("password")
        )

    def _is_new_key(self, name: str, found: Identifier) -> bool:
        """Tell whether a field names what is to be made, not what is there."""
        natural = name.lower() in ("username", "slug", "email")
        return natural and self.operation.method == "POST" and found is not None

    def learn(self, answer: Answer) -> bool:
        """Change what is sent after a refusal of its form; false when there is nothing to change."""
        said = answer.json
        details = said.get("detail") if isinstance(said, dict) else None
        if answer.status not in (400, 422) or not isinstance(details, list):
            return self._otherwise(answer)
        changed = False
        for one in details:
            changed = self._learn_one(one if isinstance(one, dict) else {}) or changed
        return changed

    def _otherwise(self, answer: Answer) -> bool:
        """Try another form where the application says no in words of its own."""
        if answer.status not in (400, 409, 422, 500) or not self.operation.body:
            return False
        if self.shaping.turn < _MOST_TURNS and '"enum"' in self._written:
            self.shaping.turn += 1
            return True
        again = self.shaping.full
        self.shaping.full, self.shaping.turn = False, 0
        return again

    @property
    def _written(self) -> str:
        body = self.document.plain(self.operation.body)
        return json.dumps([self.document.plain(one) for one in body.get("properties", {}).values()])

    def _learn_one(self, detail: Mapping[str, Any]) -> bool:
        place, *at = detail.get("loc") or [""]
        kind = str(detail.get("type", ""))
        if place == "query" and at:
            if kind == "missing":
                self.shaping.query[str(at[0])] = "1"
                return True
            return self.shaping.query.pop(str(at[0]), None) is not None
        here: Pointer = tuple(at)
        if place != "body" or not here or len(self.shaping.fixed) > _MOST_TRIES:
            return False
        if kind in ("missing", "extra_forbidden"):
            if kind == "extra_forbidden":
                self.shaping.without.add(here)
                return True
            return False
        context = detail.get("ctx") or {}
        for name in ("ge", "le", "gt", "lt", "multiple_of"):
            if name in context:
                self.shaping.fixed[here] = context[name] + {"gt": 1, "lt": -1}.get(name, 0)
                return True
        if here not in self.shaping.without:
            self.shaping.without.add(here)
            return True
        return False


def _filled(path: str, name: str, value: Any) -> str:
    text = quote(_text(value), safe="")
    return path.replace("{" + name + ":path}", text).replace("{" + name + "}", text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
