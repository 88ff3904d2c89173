"""The program deletes rows that other rows still refer to.

The foreign key says nothing about deletion, so PostgreSQL refuses to delete a parent while it has a child.
It works in every test with an empty parent and fails for the first user who has used the thing.

## Instead

```typescript bad path=src/schema.ts case=drizzle
import { integer, pgTable } from "drizzle-orm/pg-core";

export const projects = pgTable("projects", { id: integer("id").primaryKey() });
export const tasks = pgTable("tasks", {
  id: integer("id").primaryKey(),
  projectId: integer("project_id").references(() => projects.id),
});
```

```typescript bad path=src/projects.ts case=drizzle
export async function remove(id: number) {
  await db.delete(projects).where(eq(projects.id, id)); // <- finding
}
```

```typescript good path=src/schema.ts case=drizzle
import { integer, pgTable } from "drizzle-orm/pg-core";

export const projects = pgTable("projects", { id: integer("id").primaryKey() });
export const tasks = pgTable("tasks", {
  id: integer("id").primaryKey(),
  projectId: integer("project_id").references(() => projects.id, { onDelete: "cascade" }),
});
```

```typescript good path=src/projects.ts case=drizzle
export async function remove(id: number) {
  await db.delete(projects).where(eq(projects.id, id));
}
```

```python bad path=app/models.py
from sqlmodel import Field, Session, SQLModel


class Project(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)


def remove(session: Session, project_id: int):
    project = session.get(Project, project_id)
    session.delete(project)  # <- finding
    session.commit()
```

## When it does not matter

The children are deleted first, the ORM deletes them with the parent, or nothing deletes parents:

```python good path=app/models.py
from sqlmodel import Field, Relationship, Session, SQLModel, delete


class Team(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)


class Member(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    team_id: int = Field(foreign_key="team.id", index=True)


class Project(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    tasks: list["Task"] = Relationship(back_populates="project", cascade_delete=True)


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)


def remove(session: Session, project_id: int, team_id: int):
    session.delete(session.get(Project, project_id))
    session.exec(delete(Member).where(Member.team_id == team_id))
    session.exec(delete(Team).where(Team.id == team_id))
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls
from neondba.project.places import is_migration, is_script, is_test
from neondba.project.python import Function, PythonFiles
from neondba.project.schema import ForeignKey, Schema, Table
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import listed, own_tables

Deleted = tuple[str, str, int, frozenset[str]]
"""Key of the table, path, line, and the tables that the same function knows of."""
CASCADE = re.compile(r"cascade\s*=|cascade_delete|passive_deletes")


@rule("NDB726", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema, calls: OrmCalls, python: PythonFiles) -> Iterator[Finding]:
    """Find foreign keys without ON DELETE to tables that the program deletes from, once a parent."""
    children: dict[str, list[tuple[Table, ForeignKey]]] = {}
    for table in own_tables(schema):
        for key in table.references if table.source in ("drizzle", "sqlmodel", "sqlalchemy") else ():
            linked = table.source == "sqlalchemy" and not table.label
            if key.on_delete == "no action" and key.table.key != table.name.key and not linked:
                children.setdefault(key.table.key, []).append((table, key))
    if not children:
        return
    told: set[str] = set()
    for parent, path, line, together in [*_in_scripts(calls), *_in_python(python, schema)]:
        left = [
            (t, k)
            for t, k in children.get(parent, [])
            if t.name.key not in together and not _is_emptied(python, schema, t, k)
        ]
        if left and parent not in told:
            told.add(parent)
            yield _finding(left, path, line)


def _in_scripts(calls: OrmCalls) -> Iterator[Deleted]:
    for file in calls.running(".delete("):
        for _, uses in calls.functions(file):
            gone = frozenset(u.table.name.key for u in uses if u.kind == "delete")
            for use in uses:
                if use.kind == "delete" and use.tool == "drizzle":
                    yield use.table.name.key, file.path, use.line, gone


def _in_python(python: PythonFiles, schema: Schema) -> Iterator[Deleted]:
    models = {t.label: t for t in schema.tables if t.label and t.source in ("sqlmodel", "sqlalchemy")}
    for file in python.containing("delete(") if models else ():
        if is_test(file.path) or is_script(file.path) or is_migration(file.path):
            continue
        for function in file.functions:
            found = [(name, line) for name, line in _deleted(function) if name in models]
            # Children that the function asks about are taken care of, in one way or another.
            named = {n.id for n in ast.walk(function.node) if isinstance(n, ast.Name)} if found else set()
            gone = frozenset(models[name].name.key for name in named if name in models)
            for name, line in found:
                if not _cascades(python, models[name]):
                    yield models[name].name.key, file.path, line, gone


def _deleted(function: Function) -> Iterator[tuple[str, int]]:
    """Give the models of `delete(Model)` and of `session.delete(row)` where the row was read here."""
    if not any("delete" in (getattr(c.func, "id", ""), getattr(c.func, "attr", "")) for c in function.calls):
        return
    rows: dict[str, str] = {}
    for node in function.assignments:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.value is not None:
            read = re.search(r"\b(?:get|select|query)\(\s*([A-Z]\w*)\b", ast.unparse(node.value))
            if read:
                rows[node.targets[0].id] = read[1]
    for call in function.calls:
        first = call.args[0] if call.args else None
        if not isinstance(first, ast.Name):
            continue
        if isinstance(call.func, ast.Name) and call.func.id == "delete":
            yield first.id, call.lineno
        elif isinstance(call.func, ast.Attribute) and call.func.attr == "delete" and first.id in rows:
            yield rows[first.id], call.lineno


def _cascades(python: PythonFiles, table: Table) -> bool:
    """Tell whether the ORM takes the children along when it deletes a parent."""
    return bool(CASCADE.search(_text(python, table)))


def _is_emptied(python: PythonFiles, schema: Schema, child: Table, key: ForeignKey) -> bool:
    """Tell whether SQLAlchemy sets the column to NULL first, through a relationship of the parent."""
    column = child.columns.get(key.columns[0])
    parent = schema.find(key.table)
    if column is None or not column.nullable or parent is None or child.source == "drizzle":
        return False
    return child.label in _text(python, parent) or "backref" in _text(python, child)


def _text(python: PythonFiles, table: Table) -> str:
    file = python.get(table.path)
    class_ = next((c for c in file.classes if c.name == table.label), None) if file else None
    return ast.unparse(class_.node) if class_ is not None else ""


def _finding(children: list[tuple[Table, ForeignKey]], path: str, line: int) -> Finding:
    table, key = children[0]
    return Finding(
        path,
        line,
        f"PostgreSQL refuses to delete a row of `{key.table}` as soon as a row of "
        f"{listed(t.name.name for t, _ in children)} refers to it: the foreign key says nothing of deletion.",
        (
            "Say what happens to the children: ON DELETE CASCADE, SET NULL or RESTRICT.",
            "With RESTRICT, delete or move the children first, and tell the user why it is refused.",
        ),
        '{ onDelete: "cascade" }' if table.source == "drizzle" else 'ondelete="CASCADE"',
        also=tuple((k.path, k.line) for _, k in children),
    )
