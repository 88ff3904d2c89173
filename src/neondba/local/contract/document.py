"""The table as an OpenAPI document again, for programs that read one."""

from __future__ import annotations

from typing import Any

from neondba.local.contract.table import JSON, raw

PREFIX = "/api/v2"
ERROR = {JSON: {"$ref": "#/components/schemas/GeneralError"}}


def document() -> dict[str, Any]:
    """Give an OpenAPI 3.0 document of every operation, without prose."""
    paths: dict[str, Any] = {}
    for each in [*raw()["operations"], *map(_guessed, raw()["newer"])]:
        paths.setdefault(each["path"], {})[each["method"].lower()] = _operation(each)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Neon API", "version": "v2"},
        "servers": [{"url": PREFIX}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": raw()["schemas"],
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _guessed(newer: dict[str, str]) -> dict[str, Any]:
    """Fill in what is not known of a newer operation: its parameters are texts, its good answers any JSON."""
    names = [part[1:-1] for part in newer["path"].split("/") if part.startswith("{")]
    asked = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    return {**newer, "parameters": asked, "responses": {"2XX": {JSON: {}}, "default": ERROR}}


def _operation(told: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": told["id"],
        "parameters": told["parameters"],
        "responses": {status: _answer(kinds) for status, kinds in told["responses"].items()},
    }
    if "body" in told:
        body = told["body"]
        made["requestBody"] = {"required": body["required"], "content": _content(body["content"])}
    return made


def _answer(kinds: dict[str, Any]) -> dict[str, Any]:
    return {"description": "", **({"content": _content(kinds)} if kinds else {})}


def _content(kinds: dict[str, Any]) -> dict[str, Any]:
    return {kind: {"schema": schema} for kind, schema in kinds.items()}
