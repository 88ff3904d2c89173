"""How a policy learns who asks, read from its own expressions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from neondba.postgres.catalog import Catalog

_SETTING: Final = re.compile(r"current_setting\(\s*'([^']+)'", re.IGNORECASE)
_CLAIM: Final = re.compile(r"->>?\s*'(\w+)'")
_JWT: Final = re.compile(r"\bauth\.(?:user_id|uid|jwt|session)\s*\(", re.IGNORECASE)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CALL: Final = re.compile(r"([\w.]+)\s*\(")


def sources(expressions: str, catalog: Catalog) -> str:
    """Give the expressions and the bodies of the project's functions they call."""
    text, seen = expressions, set[str]()
    functions = catalog.objects.get("function", {})
    while True:
        called = {name.rpartition(".")[2] for name in _CALL.findall(text)}
        bodies = {
            name: value["definition"] or ""
            for name, value in functions.items()
            if name not in seen and name.partition("(")[0].rpartition(".")[2] in called
        }
        if not bodies:
            return text
        seen |= set(bodies)
        text += "\n" + "\n".join(bodies.values())


def settings_for(text: str, row: Mapping[str, str | None], owner: str) -> dict[str, str]:
    """Give the settings that make a session act for the owner of a row.

    A setting named after a column of the row gets that column's value, any other the owner's.
    """
    person = row[owner] or ""
    # `app.user_id` is meant by a column userId as well.
    row = {**{_HUMP.sub("_", name).lower(): value for name, value in row.items()}, **row}
    found: dict[str, str] = {}
    claims = {"sub": person, "user_id": person, "role": "authenticated"}
    claims |= {name: row.get(name) or claims.get(name, person) for name in _CLAIM.findall(text)}
    names = set(_SETTING.findall(text))
    if _JWT.search(text):
        names |= {"request.jwt.claims", "request.jwt.claim.sub"}
    for name in sorted(names):
        last = name.rpartition(".")[2]
        if last in ("claims", "jwt"):
            found[name] = json.dumps(claims)
        else:
            found[name] = row.get(last) or person
    return found
