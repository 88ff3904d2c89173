"""Write an index into a Drizzle table, where its definition is plain enough."""

from __future__ import annotations

import re

from neondba.project.drizzle import TABLE, Part, split
from neondba.project.schema import Column, Table
from neondba.project.tree import Tree
from neondba.review.editing import inserted, rows
from neondba.review.finding import Edit

IMPORT = re.compile(r"import\s*\{(?P<names>[^}]*)\}\s*from\s*[\"']drizzle-orm/pg-core[\"']")
EXTRAS = re.compile(r"\s*\(?\s*(?P<row>\w+)\s*\)?\s*=>\s*\[(?P<made>.*)\]\s*", re.DOTALL)
TAKEN = re.compile(r"\b(?:const|let|var|function|class)\s+index\b")


def with_index(tree: Tree, table: Table, column: Column, name: str) -> tuple[Edit, ...]:
    """Give the edits; none where the table is written in a way that a person should change."""
    text = tree.text(table.path) or ""
    imported = IMPORT.search(text)
    field = re.match(r"\s*[\"']?(\w+)[\"']?\s*:", rows(text)[column.line - 1])
    found = next(
        (m for m in TABLE.finditer(text) if m[1] == table.label and _line(text, m.start()) == table.line),
        None,
    )
    if imported is None or field is None or found is None or column.path != table.path or TAKEN.search(text):
        return ()
    arguments = split(text, found.end())
    if not arguments[0].text.lstrip().startswith("{") or not _holds(text, arguments[0], column.line):
        return ()
    made = _in_extras(text, arguments, name, field[1])
    if made is None:
        return ()
    named = {word.strip().partition(" as ")[0] for word in imported["names"].split(",")}
    place = imported.start("names")
    head = () if "index" in named else _at(table.path, text, place, " index,")
    return (*head, *_at(table.path, text, *made))


def _in_extras(text: str, arguments: list[Part], name: str, field: str) -> tuple[int, str] | None:
    """Give where the index goes, and what is written there."""
    if len(arguments) == 1:
        body = arguments[0]
        return body.offset + len(body.text.rstrip()), f', (table) => [index("{name}").on(table.{field})]'
    extras = EXTRAS.fullmatch(arguments[1].text) if len(arguments) == 2 else None
    if extras is None:
        return None
    kept = extras["made"].rstrip()
    place = arguments[1].offset + extras.start("made") + len(kept)
    made = f'index("{name}").on({extras["row"]}.{field})'
    if "\n" not in extras["made"]:
        comma = " " if kept.endswith(",") else ", " if kept else ""
        return place, comma + made
    last = text[text.rindex("\n", 0, place) + 1 : place]
    if "//" in last:
        return None
    indent = last[: len(last) - len(last.lstrip())]
    return place, ("" if kept.endswith(",") else ",") + f"\n{indent}{made},"


def _at(path: str, text: str, offset: int, new: str) -> tuple[Edit, ...]:
    start = text.rfind("\n", 0, offset) + 1
    return inserted(path, text, _line(text, offset), len(text[start:offset].encode()), new)


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _holds(text: str, part: Part, line: int) -> bool:
    return _line(text, part.offset) <= line <= _line(text, part.offset + len(part.text))
