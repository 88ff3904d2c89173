"""Code writes a column that the model does not have.

The column was dropped or renamed, and one place was left behind. Prisma refuses the whole call, SQLAlchemy
raises a TypeError or refuses the statement, and SQLModel drops the value without a word. Nobody sees it until
a user gets there.

## Instead

```prisma bad path=prisma/schema.prisma case=prisma
model Feedback {
  id   String  @id
  text String?
}
```

```typescript bad path=src/save.ts case=prisma
export async function save(id: string, rating: number) {
  await prisma.feedback.update({
    where: { id },
    data: { text: "fine", rating }, // <- finding
  });
}
```

```prisma good path=prisma/schema.prisma case=prisma
model Feedback {
  id     String  @id
  text   String?
  rating Int
}
```

```typescript good path=src/save.ts case=prisma
export async function save(id: string, rating: number) {
  await prisma.feedback.update({ where: { id }, data: { text: "fine", rating } });
}
```

```python bad path=app/messages.py
from sqlalchemy import update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Message(Base):
    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)

def mark(session, message_id, colour):
    session.execute(
        update(Message)
        .where(Message.id == message_id)
        .values(traffic_light=colour)  # <- finding
    )
```

## When it does not matter

Relations, properties and what a base class of another package may have:

```prisma good path=prisma/schema.prisma case=relation
model Team {
  id    String @id
  users User[]
}
model User {
  id     String @id
  teamId String
  team   Team   @relation(fields: [teamId], references: [id])
}
```

```typescript good path=src/teams.ts case=relation
export async function found(id: string, extra: object) {
  await prisma.team.create({ data: { id, users: { create: { id: "1" } }, ...extra } });
  await prisma.user.create({ data: { id, team: { connect: { id } } } });
}
```

```python good path=app/messages.py
from sqlalchemy import update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, synonym
from library import Colours

class Base(DeclarativeBase):
    pass

class Message(Base):
    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    light: Mapped[str] = mapped_column("traffic_light")
    colour = synonym("light")

class Lamp(Colours, Base):
    __tablename__ = "lamps"
    id: Mapped[int] = mapped_column(primary_key=True)

def mark(session, colour):
    session.execute(update(Message).values(light=colour))
    session.add(Message(colour=colour))
    session.add(Lamp(red=1))
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls
from neondba.project.places import is_migration, is_script, is_test
from neondba.project.python import Class, PythonFile, PythonFiles
from neondba.project.schema import Schema, Table
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import listed, own_tables

BACKWARD = re.compile(r"\bbackref\s*=\s*(?:\w+\.)?(?:backref\(\s*)?[\"'](\w+)[\"']")
"""Attributes that a relationship of another class gives a class."""
PLAIN = frozenset(
    {
        "SQLModel",
        "DeclarativeBase",
        "DeclarativeBaseNoMeta",
        "AsyncAttrs",
        "Generic",
        "ABC",
        "object",
        "Model",
    }
)
"""Bases that bring no columns."""


@rule("NDB724", Category.SCHEMA, Severity.HIGH)
def check(schema: Schema, calls: OrmCalls, python: PythonFiles) -> Iterator[Finding]:
    """Find written fields that no column, relation or property has."""
    for script in calls.running(".create(", ".update(", ".upsert("):
        told: set[int] = set()
        for _, uses in calls.functions(script):
            for use in uses:
                fields = use.data.properties if use.tool == "prisma" and use.data else []
                unknown = [p for p in fields if p.key and not p.spread and not _has(use.table, p.key)]
                if unknown and unknown[0].line not in told:
                    told.add(unknown[0].line)
                    yield _finding(script.path, unknown[0].line, use.table, [p.key for p in unknown])
    yield from _in_python(schema, python)


def _has(table: Table, field: str) -> bool:
    return table.named(field) is not None or field in table.relations


def _in_python(schema: Schema, python: PythonFiles) -> Iterator[Finding]:
    tables = {t.label: t for t in own_tables(schema) if t.source in ("sqlmodel", "sqlalchemy") and t.label}
    named = {n for file in python.containing("backref") for n in BACKWARD.findall(file.text)}
    for file in python.containing(*tables) if tables else ():
        if is_test(file.path) or is_migration(file.path):
            continue
        for call in file.calls:
            table, node = _written(file, call.node, tables)
            found = _model(python, file, table, node) if table is not None and node is not None else None
            if table is None or found is None:
                continue
            names = _attributes(python, *found)
            unknown = [] if names is None else [
                k for k in call.node.keywords
                if k.arg and k.arg not in names and k.arg not in named and table.named(k.arg) is None
            ]  # fmt: skip
            if unknown:
                fields = [str(k.arg) for k in unknown]
                yield _finding(file.path, unknown[0].value.lineno, table, fields)


def _model(
    python: PythonFiles, file: PythonFile, table: Table, node: ast.expr
) -> tuple[PythonFile, Class] | None:
    """Give the class of a table, if the name in the code means this class."""
    name = file.resolve(node) or ""
    found = python.definition(name)
    if found is None:
        # A program that runs inside of a package names the modules beside it without the package.
        home = python.get(table.path)
        beside = home is not None and f".{home.module}.{table.label}".endswith(f".{name}")
        found = python.definition(f"{home.module}.{table.label}") if home and beside else None
    if found is None or found[0].path != table.path or not isinstance(found[1], Class):
        return None
    return found[0], found[1]


def _written(
    file: PythonFile, call: ast.Call, tables: dict[str, Table]
) -> tuple[Table | None, ast.expr | None]:
    """Give the table that `Model(…)` or `update(Model).…values(…)` writes, and the model's name there."""
    if isinstance(call.func, ast.Name):
        return tables.get(call.func.id), call.func
    if isinstance(call.func, ast.Attribute) and call.func.attr == "values":
        for node in ast.walk(call.func.value):
            if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name):
                model = node.args[0]
                if (file.resolve(node.func) or "").endswith((".update", ".insert")) and isinstance(
                    model, ast.Name
                ):
                    return tables.get(model.id), model
    return None, None


def _attributes(python: PythonFiles, file: PythonFile, class_: Class, depth: int = 0) -> set[str] | None:
    """Give all names that a class defines or inherits; nothing where a base is not known."""
    if depth > 8 or any(f.name in ("__init__", "__new__") for f in class_.functions):
        return None
    names = {f.name for f in class_.functions}
    for node in class_.node.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Expr | ast.Pass | ast.ClassDef
        ):
            return None
    for base in class_.bases:
        plain = base.value if isinstance(base, ast.Subscript) else base
        found = python.definition(file.resolve(plain))
        if found and isinstance(found[1], Class):
            more = _attributes(python, found[0], found[1], depth + 1)
            if more is None:
                return None
            names |= more
        elif ast.unparse(plain).rpartition(".")[2] not in PLAIN and not _is_made_base(found):
            return None
    return names


def _is_made_base(found: object) -> bool:
    """Tell whether a base is `Base = declarative_base()`."""
    value = found[1] if isinstance(found, tuple) else None
    return isinstance(value, ast.Call) and "declarative_base" in ast.unparse(value.func)


def _finding(path: str, line: int, table: Table, names: list[str]) -> Finding:
    silent = table.source == "sqlmodel"
    what = "what is given is dropped without a word" if silent else "the write fails when it is reached"
    return Finding(
        path,
        line,
        f"`{table.title}` has no {listed(names)}: {what}.",
        (
            f"Add {listed(names)} to `{table.title}` with a migration, or write what took the place.",
            "Remove the value if nothing needs it any more.",
        ),
        severity=Severity.MEDIUM if is_script(path) else None,
    )
