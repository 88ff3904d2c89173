"""The agents' tools as data: small schemas, derived from the operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neondba.core.operation import Operation
from neondba.core.plan import Effect

CONSENT: Mapping[str, Any] = {
    "dry_run": {"type": "boolean", "description": "Only give the plan."},
    "confirm": {"type": "string", "description": "Hash of the plan the user agreed to."},
}

FIND = {
    "name": "find_operation",
    "description": "Search all operations by words; gives names, effects and argument schemas for "
    "run_operation.",
    "inputSchema": {
        "type": "object",
        "properties": {"words": {"type": "string", "description": "What you want to do."}},
        "required": ["words"],
        "additionalProperties": False,
    },
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
}

RUN = {
    "name": "run_operation",
    "description": "Run any operation by name. One that changes something takes dry_run and confirm.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "Name from find_operation."},
            "arguments": {"type": "object", "description": "Arguments by name."},
            **CONSENT,
        },
        "required": ["name"],
        "additionalProperties": False,
    },
    "annotations": {"readOnlyHint": False, "destructiveHint": True},
}

READ = {
    "name": "read_result",
    "description": "Read more of an earlier result that was shortened.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "Id of the result."},
            "path": {"type": "string", "description": "Part of it, such as /items/12."},
            "start": {"type": "integer", "description": "First list item to show."},
        },
        "required": ["id"],
        "additionalProperties": False,
    },
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
}

OWN = (FIND, RUN, READ)
MOST = 20
"""No more tools than this are listed: agents choose badly from long lists."""


def listed(operations: Mapping[str, Operation]) -> list[dict[str, Any]]:
    """Give the tools an agent sees: the featured operations and the three that reach the rest."""
    featured = [described(found) for found in operations.values() if found.featured]
    return [*featured[: MOST - len(OWN)], *OWN]


def described(found: Operation) -> dict[str, Any]:
    """Give one operation as a tool."""
    return {
        "name": found.tool,
        "description": found.summary,
        "inputSchema": schema(found),
        "annotations": hints(found.effect),
    }


def schema(found: Operation, *, consent: bool = True) -> dict[str, Any]:
    """Give the argument schema without what only costs tokens."""
    whole = found.arguments.model_json_schema()
    made: dict[str, Any] = _slim(whole, whole.pop("$defs", {}))
    if consent and found.effect is not Effect.READ:
        made["properties"] = {**made.get("properties", {}), **CONSENT}
    return made


def hints(effect: Effect) -> dict[str, bool]:
    """Give the hints that follow from an effect."""
    if effect is Effect.READ:
        return {"readOnlyHint": True}
    return {"readOnlyHint": False, "destructiveHint": effect is Effect.DESTROY}


def _slim(schema: Any, defs: Mapping[str, Any]) -> Any:
    """Drop what repeats or says nothing, and put definitions where they are used."""
    if isinstance(schema, list):
        return [_slim(one, defs) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        meant = {
            key: value for key, value in defs.get(name, {"type": "object"}).items() if key != "description"
        }
        here = {key: value for key, value in schema.items() if key != "$ref"}
        # A definition that contains itself ends as a plain object.
        return _slim({**meant, **here}, {key: value for key, value in defs.items() if key != name})
    made = {key: _slim(value, defs) for key, value in schema.items() if not _noise(key, value)}
    if "properties" in schema:
        made["properties"] = {name: _slim(one, defs) for name, one in schema["properties"].items()}
    alternatives = [one for one in made.get("anyOf", []) if one != {"type": "null"}]
    if "anyOf" in made and len(alternatives) < len(made["anyOf"]):
        del made["anyOf"]
        made.update(alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives})
    return made


def _noise(key: str, value: Any) -> bool:
    """Say whether a key only costs tokens: calls are checked against the model, not against this."""
    return (
        (key == "title" and isinstance(value, str))
        or (key == "default" and value in (None, False))
        or (key == "additionalProperties" and value is False)
        or (key == "format" and value == "path")
    )
