"""The tables that a Prisma schema defines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import normpath

from neondba.postgres.sql_types import AWARE, LONG, NAIVE
from neondba.postgres.statement import Name, References
from neondba.project.schema_table import Column, ForeignKey, Index, Table
from neondba.project.tree import Tree

SCALARS = {
    "String": "text", "Boolean": "boolean", "Int": "integer", "BigInt": "bigint", "Float": "double precision",
    "Decimal": "numeric", "DateTime": NAIVE, "Json": "jsonb", "Bytes": "bytea",
}  # fmt: skip
DB_TYPES = {"VarChar": "character varying", "Char": "character", "Timestamptz": AWARE, "Timestamp": NAIVE,
            "DoublePrecision": "double precision", "Integer": "integer", "Money": "money"}  # fmt: skip
BLOCK = re.compile(r"^\s*(model|enum|view|type|datasource|generator)\s+(\w+)\s*\{")
FIELD = re.compile(r"^\s*(\w+)\s+(\w+)(?:\(\"([^\"]*)\"\))?(\[\])?(\?)?\s*(.*)$")
ATTRIBUTE = re.compile(r"(@@?[\w.]+)(\()?")
OUTPUT = re.compile(r"^\s*output\s*=\s*\"([^\"\n]+)\"", re.MULTILINE)
PROVIDER = re.compile(r"datasource\s+\w+\s*\{[^}]*?provider\s*=\s*\"(\w+)\"")
ON_DELETE = {"Cascade": "cascade", "SetNull": "set null", "Restrict": "restrict", "SetDefault": "set default"}


@dataclass
class Attribute:
    """`@name(arguments)`."""

    name: str
    arguments: str = ""

    def fields(self, name: str = "fields") -> list[str]:
        """Give the names in `[a, b(sort: Desc)]`, named or first."""
        listed = rf"\b{name}\s*:\s*\[([^\]]*)\]"
        match = re.search(listed, self.arguments) or re.match(r"\s*\[([^\]]*)\]", self.arguments)
        match = match or re.match(r"\s*(\w+)\s*(?=,|$)", self.arguments)
        return [part.strip().partition("(")[0] for part in _commas(match[1])] if match else []

    def text(self, name: str) -> str | None:
        """Give a string argument by name, or the first one without a name."""
        match = re.search(rf'\b{name}\s*:\s*"([^"]*)"', self.arguments) or re.match(
            r'\s*"([^"]*)"', self.arguments
        )
        return match[1] if match else None


@dataclass
class PrismaField:
    """One line of a model."""

    name: str
    type: str
    line: int
    many: bool
    optional: bool
    attributes: dict[str, Attribute]


@dataclass
class Model:
    """A model block."""

    name: str
    path: str
    line: int
    fields: list[PrismaField] = field(default_factory=list)
    attributes: list[tuple[int, Attribute]] = field(default_factory=list)

    @property
    def table(self) -> Name:
        """The table it is kept in."""
        found = {a.name: a for _, a in self.attributes}
        mapped = found["@@map"].text("name") if "@@map" in found else None
        schema = found["@@schema"].text("name") if "@@schema" in found else None
        return Name(mapped or self.name, schema)

    def columns(self, names: list[str]) -> tuple[str, ...]:
        """Give the columns behind field names."""
        mapped = {f.name: column_name(f) for f in self.fields}
        return tuple(mapped.get(n, n) for n in names)


def prisma_tables(tree: Tree) -> list[Table]:
    """Give the tables of every Prisma schema for Postgres."""
    models, enums = [], set()
    texts = {path: tree.text(path) or "" for path in tree.named(suffix=".prisma")}
    made = _generated(texts)
    texts = {path: text for path, text in texts.items() if path not in made}
    providers = {
        path.rpartition("/")[0]: found[1] for path, text in texts.items() if (found := PROVIDER.search(text))
    }
    for path, text in texts.items():
        folder = path.rpartition("/")[0]
        provider = providers.get(folder) or providers.get(folder.rpartition("/")[0])
        if provider and provider not in ("postgresql", "postgres", "cockroachdb"):
            continue
        for block, name, line, lines in _blocks(text):
            if block == "enum":
                enums.add(name)
            elif block == "model":
                models.append(_model(name, path, line, lines))
    by_name = {m.name: m for m in models}
    return [_table(model, by_name, enums) for model in models]


def _generated(texts: dict[str, str]) -> frozenset[str]:
    """Give the schemas that the generator has copied beside the client it made."""
    found = set()
    for path, text in texts.items():
        folder = path.rpartition("/")[0]
        for output in OUTPUT.findall(text):
            place = normpath(f"{folder}/{output}" if folder else output) + "/"
            if not path.startswith(place):
                found |= {other for other in texts if other.startswith(place)}
    return frozenset(found)


def column_name(field_: PrismaField) -> str:
    """Give the column of a field."""
    mapped = field_.attributes.get("@map")
    return (mapped.text("name") if mapped else None) or field_.name


def _blocks(text: str) -> Iterator[tuple[str, str, int, list[tuple[int, str]]]]:
    current: tuple[str, str, int, list[tuple[int, str]]] | None = None
    for number, raw in enumerate(text.split("\n"), start=1):
        line = re.sub(r'("[^"]*")|//.*', lambda m: m[1] or "", raw)
        if current is None:
            if match := BLOCK.match(line):
                current = (match[1], match[2], number, [])
        elif line.strip() == "}":
            yield current
            current = None
        elif line.strip():
            current[3].append((number, line))


def _model(name: str, path: str, line: int, lines: list[tuple[int, str]]) -> Model:
    model = Model(name, path, line)
    for number, text in lines:
        if text.strip().startswith("@@"):
            model.attributes += [(number, a) for a in _attributes(text)]
        elif match := FIELD.match(text):
            name, type_, inner, many, optional, rest = match.groups()
            given = {a.name: a for a in _attributes(rest)}
            shown = f"{type_}:{inner}" if inner else type_
            model.fields.append(PrismaField(name, shown, number, bool(many), bool(optional), given))
    return model


def _attributes(text: str) -> Iterator[Attribute]:
    position = 0
    while match := ATTRIBUTE.search(text, position):
        position = match.end()
        if not match[2]:
            yield Attribute(match[1])
            continue
        depth, start = 1, position
        while position < len(text) and depth:
            depth += {"(": 1, ")": -1}.get(text[position], 0)
            position += 1
        yield Attribute(match[1], text[start : position - 1])


def _table(model: Model, models: dict[str, Model], enums: set[str]) -> Table:
    table = Table(model.table, model.path, model.line, "prisma", model.name)
    table.relations = frozenset(one.name for one in model.fields if one.type in models)
    for one in model.fields:
        if one.type not in models:
            table.columns[column_name(one)] = _column(model, one, enums)
    for one in model.fields:
        relation = one.attributes.get("@relation")
        if relation and one.type in models and (names := relation.fields()):
            table.foreign_keys.append(_foreign_key(model, one, relation, names, models[one.type]))
    for line, attribute in model.attributes:
        kind = {"@@index": "index", "@@unique": "unique", "@@id": "primary key"}.get(attribute.name)
        if kind:
            names = attribute.fields()
            method = re.search(r"\btype\s*:\s*(\w+)", attribute.arguments)
            plain = "ops:" not in attribute.arguments and "sort:" not in attribute.arguments
            table.indexes.append(
                Index(model.columns(names), model.path, line, kind, None, kind != "index", False, plain,
                      method[1].lower() if method else "btree")
            )  # fmt: skip
    return table


def _column(model: Model, one: PrismaField, enums: set[str]) -> Column:
    default = one.attributes.get("@default")
    return Column(
        column_name(one), _type(one, enums), model.path, one.line, one.optional,
        default.arguments if default else None,
        default is not None and not re.match(r"(cuid|uuid|nanoid|ulid)\(", default.arguments),
        "@id" in one.attributes, "@unique" in one.attributes, on_update="@updatedAt" in one.attributes,
        field=one.name,
    )  # fmt: skip


def _type(one: PrismaField, enums: set[str]) -> str | None:
    native = next((a for name, a in one.attributes.items() if name.startswith("@db.")), None)
    if one.type.startswith("Unsupported:"):
        type_: str | None = one.type.partition(":")[2]
    elif native is not None:
        plain = native.name.removeprefix("@db.")
        type_ = DB_TYPES.get(plain) or LONG.get(plain.lower()) or plain.lower()
        if native.arguments and type_.startswith("character"):
            type_ += f"({native.arguments.strip()})"
    else:
        type_ = "enum" if one.type in enums else SCALARS.get(one.type)
    return f"{type_}[]" if one.many and type_ else type_


def _foreign_key(
    model: Model, one: PrismaField, relation: Attribute, names: list[str], target: Model
) -> ForeignKey:
    action = re.search(r"\bonDelete\s*:\s*(\w+)", relation.arguments)
    others = target.columns(relation.fields("references"))
    optional = any(f.optional for f in model.fields if f.name in names)
    implied = "set null" if optional else "restrict"
    on_delete = ON_DELETE.get(action[1], "no action") if action else implied
    return ForeignKey(model.columns(names), target.table, model.path, one.line, on_delete, others)


def _commas(text: str) -> list[str]:
    return re.split(r",(?![^(]*\))", text)


__all__ = ["References", "prisma_tables"]
