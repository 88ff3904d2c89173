"""The client says which columns of an account are written.

The object that came with the request is spread into the update of a user. Types vanish when the program runs,
and a server action is an address that anybody can post to: `{"role": "ADMIN"}` or another e-mail address are
written like the name that the form has.

## Instead
```typescript bad path=src/actions/settings.ts case=spread
"use server";

export async function settings(values: Settings) {
  const session = await auth();
  await prisma.user.update({
    where: { id: session.user.id },
    data: { ...values }, // <- finding
  });
}
```
```prisma bad path=prisma/schema.prisma case=spread
model User {
  id    String @id
  name  String
  role  String @default("USER")
}
```
```typescript good path=src/actions/settings.ts case=spread
"use server";

export async function settings(values: Settings) {
  const session = await auth();
  const { name } = SettingsSchema.parse(values);
  await prisma.user.update({ where: { id: session.user.id }, data: { name } });
}
```
```prisma good path=prisma/schema.prisma case=spread
model User {
  id    String @id
  name  String
  role  String @default("USER")
}
```
## When it does not matter
What a schema has gone over holds only what it lets through, and a user's row may have nothing to guard:
```typescript good path=src/actions/settings.ts case=parsed
"use server";

export async function settings(input: unknown) {
  const session = await auth();
  const values = SettingsSchema.parse(input);
  await prisma.user.update({ where: { id: session.user.id }, data: { ...values } });
}
export async function rename(values: Names) {
  const session = await auth();
  await prisma.profile.update({ where: { id: session.user.id }, data: { ...values } });
}
```
```prisma good path=prisma/schema.prisma case=parsed
model User {
  id   String @id
  role String @default("USER")
}
model Profile {
  id   String @id
  name String
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls, Use, names_in
from neondba.project.schema import Table
from neondba.project.schema_provider import plain
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.nodes import Call, Declare, Function, Member, Name, Node, Object, walk
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import line_of_data, name_of, open_ones

USERS = frozenset({"user", "account", "member", "profile", "customer"})
GUARDED = re.compile(
    r"^(?:roles?|user_?role|is_?(?:admin|superuser|staff|verified)|permissions?|email_?verified|plan|credits?"
    r"|balance|password(?:_?hash)?|hashed_?password|stripe\w*|subscription\w*)$",
    re.IGNORECASE,
)


@rule("NDB512", Category.AUTH, Severity.HIGH)
def check(calls: OrmCalls, isolation: TypeScriptIsolation) -> Iterator[Finding]:
    """Find updates of users that take whatever object the client sent."""
    told: set[str] = set()
    for found in _written_where_they_stand(calls):
        told.add(found.path)
        yield found
    yield from (f for f in _handed_on(isolation, calls.files) if f.path not in told)


def _handed_on(isolation: TypeScriptIsolation, files: TypeScriptFiles) -> Iterator[Finding]:
    """Find what a service is given by the handler that got it from the client."""
    for verdict in open_ones(isolation, "spread"):
        table = verdict.statement.table
        column = _guarded(table.table) if table is not None else None
        if column is not None:
            line = line_of_data(files, verdict)
            yield _finding(verdict.judged.path, line, name_of(verdict), verdict.judged.table, column)


def _written_where_they_stand(calls: OrmCalls) -> Iterator[Finding]:
    for file in calls.running(".update("):
        for function, uses in calls.functions(file):
            for use in uses:
                column = _guarded(use.table) if use.kind == "update" else None
                source = _source(use) if column else None
                if (
                    column
                    and source
                    and source.name in _unchecked(file, function)
                    and not _is_admins(function)
                ):
                    name = f"{function.name or 'The handler'}()"
                    yield _finding(file.path, source.line, name, use.table.title, column)


def _finding(path: str, line: int, name: str, table: str, column: str) -> Finding:
    return Finding(
        path,
        line,
        f"{name} writes whatever fields the client sends into {table}, {column} among them.",
        steps=(
            "Name the fields that may be changed, one by one.",
            "Parse the input on the server; a type of TypeScript checks nothing at run time.",
        ),
        snippet="const { name } = SettingsSchema.parse(values);",
    )


def _is_admins(function: Function) -> bool:
    """Tell whether a function asks for an administrator, who may set anything."""
    return any("admin" in str(n.name).lower() for n in walk(function.body) if isinstance(n, Name | Member))


def _guarded(table: Table) -> str | None:
    """Give a column that no user may set, if the table is one of users."""
    if plain(table.label or table.name.name) not in USERS:
        return None
    return next((c.field or c.name for c in table.columns.values() if GUARDED.match(c.field or c.name)), None)


def _source(use: Use) -> Name | None:
    """Give the name that is spread into what is written, or is all of it."""
    if use.tool == "prisma":
        first = use.links[0][1].arguments
        given: Node | None = first[0].get("data") if first and isinstance(first[0], Object) else None
    else:
        given = use.argument("set")
    if isinstance(given, Object):
        given = next((p.value for p in given.properties if p.spread), None)
    return given if isinstance(given, Name) else None


def _unchecked(file: TypeScriptFile, function: Function) -> set[str]:
    """Give the names of what the client sent as it is: parameters of server actions, bodies of requests."""
    is_action = "use server" in (file.directive, function.directive)
    found = {p.target.name for p in function.parameters if isinstance(p.target, Name)} if is_action else set()
    for node in walk(function.body):
        if isinstance(node, Declare) and isinstance(node.target, Name) and node.value is not None:
            value = node.value
            body = isinstance(value, Member) and value.name == "body"
            read = isinstance(value, Call) and value.name in ("req.json", "request.json") and value.awaited
            if body or read:
                found.add(node.target.name)
    checked = {
        name
        for node in walk(function.body)
        if isinstance(node, Call)
        and node.name.rpartition(".")[2] in ("parse", "safeParse", "validate", "pick")
        for name in names_in(node)
    }
    return found - checked
