"""Our entry in an editor's file of MCP servers: put in and taken out without touching the rest."""

from __future__ import annotations

import json
import tomllib
from enum import Enum, auto
from typing import Any, Final

from neondba.assistant.editors import Layout
from neondba.core.problem import ArgumentProblem
from neondba.project.json_members import NotAnObject, added, holds, removed, value_of

NAME: Final = "neondba"


class Whose(Enum):
    """Whose the entry of our name is."""

    NOBODYS = auto()
    """There is none."""
    OURS = auto()
    OTHERS = auto()
    """It was edited since, or somebody else wrote it."""


def entry(layout: Layout, command: list[str]) -> dict[str, Any]:
    """Give the entry that starts our server."""
    typed = {"type": "stdio"} if layout.typed else {}
    return {**typed, "command": command[0], "args": [*command[1:], "mcp"]}


def whose(layout: Layout, text: str | None) -> Whose:
    """Say whose the entry of our name is.

    Raises:
        ArgumentProblem: the file cannot be read as what it should be.
    """
    if not text or not text.strip():
        return Whose.NOBODYS
    there, found = _entry_in(layout, text)
    if not there:
        return Whose.NOBODYS
    ours = _is_ours(layout, found) and (not _is_toml(layout) or _table(layout, found) in text)
    return Whose.OURS if ours else Whose.OTHERS


def starts_as(layout: Layout, text: str, command: list[str]) -> bool:
    """Say whether our entry starts the server in this way."""
    return bool(_entry_in(layout, text)[1] == entry(layout, command))


def put_in(layout: Layout, text: str | None, command: list[str]) -> str:
    """Give the file with our entry, where there is none of that name.

    Raises:
        ArgumentProblem: the file cannot be read as what it should be.
    """
    made = entry(layout, command)
    if _is_toml(layout):
        return _toml_in(layout, text, made)
    if text is None:
        return _whole(layout, made)
    if not text.strip():
        return text + _on_one_line(layout, made)
    try:
        return added(text, layout.holder, NAME, made)
    except NotAnObject as error:
        raise _unreadable(layout, str(error)) from None


def taken_out(layout: Layout, text: str) -> str | None:
    """Give the file without our entry; `None` where the file was ours altogether."""
    found = _entry_in(layout, text)[1]
    if _is_toml(layout):
        block = _table(layout, found)
        return None if text == block else text.replace("\n" + block, "", 1)
    if text == _whole(layout, found):
        return None
    blank = text.removesuffix(_on_one_line(layout, found))
    return removed(text, layout.holder, NAME) if blank.strip() else blank


def _entry_in(layout: Layout, text: str) -> tuple[bool, Any]:
    if _is_toml(layout):
        tables = _tables(layout, text).get(layout.holder)
        return (NAME in tables, tables.get(NAME)) if isinstance(tables, dict) else (False, None)
    try:
        return holds(text, layout.holder, NAME), value_of(text, layout.holder, NAME)
    except NotAnObject as error:
        raise _unreadable(layout, str(error)) from None


def _is_ours(layout: Layout, found: Any) -> bool:
    args = found.get("args") if isinstance(found, dict) else None
    return (
        isinstance(args, list)
        and args[-1:] == ["mcp"]
        and isinstance(found.get("command"), str)
        and set(found) == set(entry(layout, [NAME]))
    )


def _whole(layout: Layout, made: dict[str, Any]) -> str:
    return f"{{\n  {json.dumps(layout.holder)}: {{{json.dumps(NAME)}: {json.dumps(made)}}}\n}}\n"


def _on_one_line(layout: Layout, made: dict[str, Any]) -> str:
    # How an empty file is filled: what is left of it then is told from a file that we made.
    return json.dumps({layout.holder: {NAME: made}})


def _is_toml(layout: Layout) -> bool:
    return layout.servers.endswith(".toml")


def _toml_in(layout: Layout, text: str | None, made: dict[str, Any]) -> str:
    whole = _table(layout, made) if text is None else f"{text}\n{_table(layout, made)}"
    try:
        _tables(layout, whole)
    except ArgumentProblem:
        raise _unreadable(layout, f"{layout.holder} is no table of its own") from None
    return whole


def _table(layout: Layout, made: dict[str, Any]) -> str:
    fields = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in made.items())
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
