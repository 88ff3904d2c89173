"""The tables that Drizzle definitions in TypeScript make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from neondba.postgres.sql_types import AWARE, LONG, NAIVE
from neondba.postgres.statement import Name, References
from neondba.project.schema_table import Column, ForeignKey, Index, Table
from neondba.project.tree import Tree

TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|[(){}\[\],]", re.DOTALL
)
TABLE = re.compile(r"\bconst\s+(\w+)\s*=\s*(\w+)(?:\.(?:table|withRLS))?\(\s*[\"'`]([\w.$]+)[\"'`]\s*,")
COLUMN = re.compile(r"\s*[\"']?(\w+)[\"']?\s*:\s*(?:\w+\.)?(\w+)\s*\(")
LINK = re.compile(r"\.(\$?\w+)\s*\(")
STRING = re.compile(r"\s*[\"'`]([^\"'`]*)[\"'`]")
FIELD = re.compile(r"\b\w+\.(\w+)")
TYPES = {
    "varchar": "character varying", "char": "character", "doublePrecision": "double precision",
    "serial": "serial",
    "bigserial": "bigserial", "smallserial": "smallserial", "jsonb": "jsonb", "json": "json", "text": "text",
    "uuid": "uuid", "date": "date", "numeric": "numeric", "decimal": "numeric", "vector": "vector",
}  # fmt: skip
ENUM = re.compile(r"\bconst\s+(\w+)\s*=\s*(?:\w+\.)?(?:pgEnum|enum)\(")
LENGTH = re.compile(r"\blength\s*:\s*(\d+)")
BODY = re.compile(r"\s*(?:(?:\(\s*\{?\s*[\w,\s]*\}?\s*\)|\w+)\s*=>\s*\(\s*)?\{")
"""The columns, or a function of the column builders that gives them."""
OBJECT = re.compile(r"\bconst\s+(\w+)\s*=\s*\{")
SPREAD = re.compile(r"\s*\.\.\.(\w+)\s*(?:\(\s*\)\s*)?$")
Shared = dict[str, list[tuple[str, str, int]]]
"""Objects by name: file, text, and where their entries begin."""
OUT = re.compile(r"\bout\s*:\s*[\"'`](?:\./)?([\w./-]+?)/?[\"'`]")
SCHEMA = re.compile(r"\bschema\s*:\s*[\"'`](?:\./)?([^\"'`]+)[\"'`]")
ON_DELETE = re.compile(r"onDelete\s*:\s*[\"']([\w ]+)[\"']")


@dataclass(frozen=True)
class Part:
    """A stretch of source text."""

    text: str
    offset: int


def drizzle_tables(tree: Tree) -> list[Table]:
    """Give the tables of every TypeScript file that defines Drizzle tables for Postgres."""
    texts = {
        path: text
        for path in tree.having((".ts", ".mts", ".js"), ("drizzle-orm/pg-core",))
        if (text := tree.text(path))
    }
    enums = {m[1] for text in texts.values() for m in ENUM.finditer(text)}
    shared: Shared = {}
    for path, text in texts.items():
        for match in OBJECT.finditer(text):
            shared.setdefault(match[1], []).append((path, text, match.end()))
    found = [made for path, text in texts.items() for made in _tables(path, text, enums, shared)]
    names = {variable: table for variable, table, _ in found}
    pulled = _pulled_into(tree)
    for _, table, fields in found:
        table.generated = table.path.rpartition("/")[0] in pulled
        for column in table.columns.values():
            column.references = _settled(column.references, names)
        for key in table.foreign_keys:
            target = names.get(key.table.name)
            key.table = target.name if target else key.table
            key.columns = tuple(fields.get(c, c) for c in key.columns)
    return [table for _, table, _ in found]


def _pulled_into(tree: Tree) -> set[str]:
    """Give the folders where `drizzle-kit pull` writes what it reads, when the schema stands elsewhere."""
    folders: set[str] = set()
    for path in tree.named("drizzle.config.ts", "drizzle.config.js", "drizzle.config.mjs"):
        text = tree.text(path) or ""
        out, schema = OUT.search(text), SCHEMA.search(text)
        if out and schema and not schema[1].startswith(f"{out[1]}/"):
            folders.add("/".join([*path.split("/")[:-1], out[1]]))
    return folders


def _settled(reference: References | None, names: dict[str, Table]) -> References | None:
    target = names.get(reference.table.name) if reference else None
    if reference is None or target is None:
        return reference
    return References(target.name, reference.columns, reference.on_delete)


def _columns(
    path: str, text: str, start: int, enums: set[str], shared: Shared, depth: int = 0
) -> Iterator[tuple[str, Column]]:
    """Read the columns of an object, those of objects that are spread into it included."""
    for part in split(text, start):
        spread = SPREAD.match(part.text)
        if spread is None:
            if (found := _column(path, text, part, enums)) is not None:
                yield found
        elif depth < 4 and (places := shared.get(spread[1])):
            other = next((place for place in places if place[0] == path), places[0])
            yield from _columns(*other, enums, shared, depth + 1)


def _tables(
    path: str, text: str, enums: set[str], shared: Shared
) -> Iterator[tuple[str, Table, dict[str, str]]]:
    for match in TABLE.finditer(text):
        if not match[2].lower().endswith(("table", "schema", "create")) and ".table(" not in match[0]:
            continue
        arguments = split(text, match.end())
        body = arguments[0] if arguments else Part("", 0)
        begin = BODY.match(body.text)
        if begin is None:
            continue
        line = text.count("\n", 0, match.start()) + 1
        table = Table(Name(match[3].rpartition(".")[2]), path, line, "drizzle", match[1])
        fields: dict[str, str] = {}
        for field, column in _columns(path, text, body.offset + begin.end(), enums, shared):
            table.columns[column.name] = column
            fields[field] = column.name
        for extra in arguments[1:2]:
            _extras(path, text, extra, table, fields)
        if table.columns:
            yield match[1], table, fields


def split(text: str, start: int) -> list[Part]:
    """Cut at the commas of one bracket level, from a place inside it to its end."""
    parts, depth, begin, position = [], 0, start, start
    while match := TOKEN.search(text, position):
        position = match.end()
        mark = match[0]
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
            if depth < 0:
                parts.append(Part(text[begin : match.start()], begin))
                break
        elif mark == "," and depth == 0:
            parts.append(Part(text[begin : match.start()], begin))
            begin = position
    return [p for p in parts if p.text.strip()]


def _column(path: str, text: str, part: Part, enums: set[str]) -> tuple[str, Column] | None:
    code = re.sub(r"//[^\n]*|/\*.*?\*/", lambda m: " " * len(m[0]), part.text, flags=re.DOTALL)
    match = COLUMN.match(code)
    if match is None:
        return None
    field, kind = match[1], match[2]
    arguments = split(text, part.offset + match.end())
    named = STRING.match(arguments[0].text) if arguments else None
    first = len(code) - len(code.lstrip())
    line = text.count("\n", 0, part.offset + first) + 1
    inside = ",".join(a.text for a in arguments)
    column = Column(named[1] if named else field, _type(kind, inside, enums), path, line, field=field)
    column.pattern = kind == "text" and "enum" in inside
    for link in LINK.finditer(code, match.end()):
        _link(column, link[1], split(text, part.offset + link.end()))
    return field, column


def _link(column: Column, name: str, arguments: list[Part]) -> None:
    inside = ",".join(a.text for a in arguments)
    if name == "notNull":
        column.nullable = False
    elif name == "primaryKey":
        column.primary_key, column.nullable = True, False
    elif name == "unique":
        column.unique = True
    elif name in ("default", "defaultNow", "$defaultFn", "$default", "generatedAlwaysAsIdentity"):
        column.default = inside.strip() or name
        column.database_default = not name.startswith("$")
    elif name in ("$onUpdate", "$onUpdateFn"):
        column.on_update = True
    elif name == "array" and column.type:
        column.type += "[]"
    elif name == "references" and (target := re.search(r"=>\s*(\w+)\.(\w+)", inside)):
        action = ON_DELETE.search(inside)
        column.references = References(Name(target[1]), (target[2],), action[1] if action else "no action")


def _type(kind: str, inside: str, enums: set[str]) -> str | None:
    if kind in enums:
        return "enum"
    if kind == "timestamp":
        return AWARE if re.search(r"withTimezone\s*:\s*true", inside) else NAIVE
    type_ = TYPES.get(kind) or LONG.get(kind) or (kind if kind in LONG.values() else None)
    limit = LENGTH.search(inside)
    return f"{type_}({limit[1]})" if limit and type_ and type_.startswith("character") else type_


def _extras(path: str, text: str, part: Part, table: Table, fields: dict[str, str]) -> None:
    """Read the indexes and constraints of the third argument."""
    for made in re.finditer(r"\b(index|uniqueIndex|unique|primaryKey|foreignKey|check)\s*\(", part.text):
        place = part.offset + made.start()
        line = text.count("\n", 0, place) + 1
        inside = ",".join(p.text for p in split(text, part.offset + made.end()))
        if made[1] == "check":
            table.checks.append(inside)
        elif made[1] == "primaryKey":
            table.indexes.append(Index(_fields(inside, fields), path, line, "primary key", unique=True))
        elif made[1] == "foreignKey":
            _foreign_key(path, line, inside, text[place : place + 400], table)
        else:
            rest = text[place : part.offset + len(part.text)]
            keyed = re.match(r"[^)]*\)\s*\.(?:on|using)\s*\(", rest)
            if keyed:
                inner = ",".join(p.text for p in split(text, place + keyed.end()))
                unique = made[1] != "index"
                after = text[place + keyed.end() + len(inner) : place + keyed.end() + len(inner) + 40]
                name = STRING.match(inside)
                table.indexes.append(
                    Index(_fields(inner, fields), path, line, "unique" if made[1] == "unique" else "index",
                          name[1] if name else None, unique, ".where" in after, "sql`" not in inner)
                )  # fmt: skip


def _fields(inside: str, fields: dict[str, str]) -> tuple[str | None, ...]:
    if "sql`" in inside:
        return (None,)
    return tuple(fields.get(name, name) for name in FIELD.findall(inside) if name in fields)


def _foreign_key(path: str, line: int, inside: str, after: str, table: Table) -> None:
    own = re.search(r"\bcolumns\s*:\s*\[([^\]]*)\]", inside)
    other = re.search(r"\bforeignColumns\s*:\s*\[\s*(\w+)\.", inside)
    if own and other:
        action = re.search(r"\.onDelete\(\s*[\"']([\w ]+)[\"']", after)
        columns = tuple(FIELD.findall(own[1]))
        on_delete = action[1] if action else "no action"
        # The callback's own parameter, mostly called `table`, means the table itself.
        target = table.name if re.search(rf"\b{other[1]}\.", own[1]) else Name(other[1])
        table.foreign_keys.append(ForeignKey(columns, target, path, line, on_delete))
