"""Our entry in an editor's file of MCP servers: put in and taken out without touching the rest."""

from __future__ import annotations

import json
import tomllib
from typing import Any, Final

from neondba.assistant.editors import Layout
from neondba.core.problem import ArgumentProblem
from neondba.project.json_members import NotAnObject, added, holds, removed, value_of

NAME: Final = "neondba"


def entry(layout: Layout, command: list[str]) -> dict[str, Any]:
    """Give the entry that starts our server."""
    typed = {"type": "stdio"} if layout.typed else {}
    return {**typed, "command": command[0], "args": [*command[1:], "mcp"]}


def put_in(layout: Layout, text: str | None, command: list[str]) -> str | None:
    """Give the file with our entry; `None` where it has one of that name already.

    Raises:
        ArgumentProblem: the file cannot be read as what it should be.
    """
    made = entry(layout, command)
    if layout.servers.endswith(".toml"):
        return _toml_in(layout, text or "", made)
    if text is None:
        return f"{{\n  {json.dumps(layout.holder)}: {{{json.dumps(NAME)}: {json.dumps(made)}}}\n}}\n"
    try:
        return None if holds(text, layout.holder, NAME) else added(text, layout.holder, NAME, made)
    except NotAnObject as error:
        raise _unreadable(layout, str(error)) from None


def taken_out(layout: Layout, text: str) -> str | None:
    """Give the file without our entry: empty where nothing else is in it, `None` where none of it is ours.

    Raises:
        ArgumentProblem: the file cannot be read as what it should be.
    """
    if layout.servers.endswith(".toml"):
        return _toml_out(layout, text)
    try:
        found = value_of(text, layout.holder, NAME)
        if not _is_ours(found):
            return None
        whole = f"{{\n  {json.dumps(layout.holder)}: {{{json.dumps(NAME)}: {json.dumps(found)}}}\n}}\n"
        return "" if text == whole else removed(text, layout.holder, NAME)
    except NotAnObject as error:
        raise _unreadable(layout, str(error)) from None


def _is_ours(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("args"), list) and found["args"][-1:] == ["mcp"]


def _toml_in(layout: Layout, text: str, made: dict[str, Any]) -> str | None:
    there = _tables(layout, text).get(layout.holder, {})
    if isinstance(there, dict) and NAME in there:
        return None
    whole = text + ("\n" if text else "") + _table(layout, made)
    try:
        _tables(layout, whole)
    except ArgumentProblem:
        raise _unreadable(layout, f"{layout.holder} is no table of its own") from None
    return whole


def _toml_out(layout: Layout, text: str) -> str | None:
    there = _tables(layout, text).get(layout.holder, {})
    found = there.get(NAME) if isinstance(there, dict) else None
    if found is None or not _is_ours(found):
        return None
    block = _table(layout, found)
    return "" if text == block else text.replace("\n" + block, "", 1)


def _table(layout: Layout, made: dict[str, Any]) -> str:
    fields = "".join(f"{name} = {json.dumps(value)}\n" for name, value in made.items())
    return f"[{layout.holder}.{NAME}]\n{fields}"


def _tables(layout: Layout, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(layout, str(error)) from None


def _unreadable(layout: Layout, why: str) -> ArgumentProblem:
    return ArgumentProblem(
        "servers-file-unreadable",
        f"{layout.servers} cannot be read: {why}.",
        hint=f"Correct it, or move it away; {layout.title} reads it too. Nothing was changed.",
    )
