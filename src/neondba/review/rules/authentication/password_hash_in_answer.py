"""A route answers with the user's row, password hash and all.

Without a response model FastAPI sends every column of the row it is given. The hash leaves the server,
lands in browsers, logs and caches, and can be tried out at leisure.

## Instead

```python bad path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel
from app.deps import get_session

app = FastAPI()

class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str
    hashed_password: str

@app.get("/users/{user_id}", response_model=User)
def read(user_id: int, session: Session = Depends(get_session)):  # <- finding
    return session.get(User, user_id)
```

A route that declares nothing sends whatever row it returns:

```python bad path=app/main.py case=undeclared
from typing import Annotated
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

app = FastAPI()

class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str
    password: str

@app.get("/me")
def me(user: Annotated[User, Depends(get_current_user)]):
    return user  # <- finding


@app.get("/users")
def users(session: Session = Depends(get_session)):
    found = session.exec(select(User)).all()
    return {"users": found}  # <- finding
```

```python good path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel
from app.deps import get_session

app = FastAPI()

class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str
    hashed_password: str

class UserPublic(SQLModel):
    id: int
    email: str

@app.get("/users/{user_id}", response_model=UserPublic)
def read(user_id: int, session: Session = Depends(get_session)):
    return session.get(User, user_id)
```

Prisma and Drizzle read every column, too, unless they are told which:

```typescript bad path=src/profile.ts case=script
export const updateProfile = async (req, res) => {
  const updated = await prisma.user.update({
    where: { id: req.user.id },
    data: { name: req.body.name },
  });
  return res.status(200).json({ message: "Saved", user: updated }); // <- finding
};
```
```prisma bad path=prisma/schema.prisma case=script
model User {
  id       Int    @id @default(autoincrement())
  email    String @unique
  name     String
  password String
}
```

## When it does not matter

The answer is put together by hand, or the annotation of the function names the public model:

```python good path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel
from app.deps import get_session

app = FastAPI()

class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str
    hashed_password: str

class UserPublic(SQLModel):
    id: int
    email: str

@app.get("/users/{user_id}")
def read(user_id: int, session: Session = Depends(get_session)) -> UserPublic:
    return session.get(User, user_id)

@app.get("/users/{user_id}/email")
def email(user_id: int, session: Session = Depends(get_session)):
    user = session.get(User, user_id)
    return {"email": user.email}
```

Nor does it where the columns are chosen, the hash is taken away, or the row is only looked at:

```typescript good path=src/profile.ts case=script
export const profile = async (req, res) => {
  const user = await prisma.user.findUnique({ where: { id: req.user.id }, select: { id: true, name: true } });
  return res.json({ user });
};

export const settings = async (req, res) => {
  const user = await prisma.user.findUnique({ where: { id: req.user.id } });
  const { password, ...rest } = user;
  return res.json(rest);
};

export const login = async (req, res) => {
  const user = await prisma.user.findUnique({ where: { email: req.body.email } });
  delete user.password;
  return res.json({ user, known: user.email });
};

export const all = async (req, res) => {
  const users = await prisma.user.findMany();
  return res.json(users.map((u) => ({ id: u.id })));
};
```
```prisma good path=prisma/schema.prisma case=script
model User {
  id       Int    @id @default(autoincrement())
  email    String @unique
  name     String
  password String
}
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls, Use
from neondba.project.owners import Model, Owners
from neondba.project.python import PythonFiles
from neondba.project.routes import Route, Routes
from neondba.project.schema import Table
from neondba.project.typescript import nodes as script
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.authentication._returned import named_model, returned_model

HASH = re.compile(r"^(hashed_?password|password_?hash|password|passwd)$", re.IGNORECASE)


ANSWERS = frozenset({"json", "send"})
CHOOSING = frozenset({"select", "omit", "columns"})


@rule("NDB505", Category.AUTH, Severity.HIGH)
def check(files: PythonFiles, routes: Routes, owners: Owners, calls: OrmCalls) -> Iterator[Finding]:
    """Look for routes whose response model, or returned row, has a password column."""
    yield from _in_python(files, routes, owners)
    secrets = {id(table): secret for table in calls.tables if (secret := _kept(table))}
    if not secrets or _omits_everywhere(calls):
        return
    for file in calls.running(".json(", ".send("):
        told: set[int] = set()
        for function, uses in calls.functions(file):
            for use in uses:
                secret = secrets.get(id(use.table))
                line = _sent(function, use) if secret and _reads_all(use) else None
                if line is not None and secret and line not in told:
                    told.add(line)
                    yield _whole_row(file.path, line, function, use, secret)


def _omits_everywhere(calls: OrmCalls) -> bool:
    """Tell whether the Prisma client itself leaves columns out."""
    texts = (calls.files.text(path) for path in calls.files.paths)
    return any("PrismaClient(" in text and "omit:" in text for text in texts)


def _kept(table: Table) -> str | None:
    """Give the field of a table that holds the hash."""
    if table.provider is not None:
        return None
    fields = [c.field or c.name for c in table.columns.values()]
    return next((f for f in fields if HASH.match(f)), None)


def _reads_all(use: Use) -> bool:
    """Tell whether a statement gives every column of its rows."""
    if use.tool == "drizzle" and use.kind in ("create", "update", "delete"):
        return any(name == "returning" and not call.arguments for name, call in use.links)
    if use.tool == "drizzle" and ".query." not in use.links[0][1].name:
        chosen = [n for n in script.walk(use.node) if isinstance(n, script.Call)]
        return all(
            not c.arguments for c in chosen if c.name.rpartition(".")[2].startswith("select")
        ) and not (any("oin" in name for name, _ in use.links))
    method = use.links[0][1].name.rpartition(".")[2]
    if method in ("count", "aggregate", "groupBy", "updateMany", "deleteMany", "createMany"):
        return False
    given = use.links[0][1].arguments[0] if use.links[0][1].arguments else None
    if given is None:
        return True
    return isinstance(given, script.Object) and not any(
        p.key in CHOOSING or p.spread for p in given.properties
    )


def _sent(function: script.Function, use: Use) -> int | None:
    """Give the line of the answer that carries the whole row."""
    row = None
    for node in script.walk(function.body):
        if isinstance(node, script.Declare) and node.value is use.node:
            row = node.target
    if isinstance(row, script.Array) and row.items:
        row = row.items[0]
    if not isinstance(row, script.Name) or _is_cleaned(function, row.name):
        return None
    for node in script.walk(function.body):
        if (
            isinstance(node, script.Call)
            and node.line >= use.line
            and node.name.rpartition(".")[2] in ANSWERS
        ):
            carried = node.arguments[0] if node.arguments else None
            line = _carried(carried, row.name) if carried is not None else None
            if line is not None:
                return line
    return None


def _carried(node: script.Node, row: str) -> int | None:
    """Give the line where a row stands as it is in an answer."""
    if isinstance(node, script.Name):
        return node.line if node.name == row else None
    if not isinstance(node, script.Object) or any(HASH.match(p.key) for p in node.properties):
        return None
    return next((line for p in node.properties if (line := _carried(p.value, row)) is not None), None)


def _is_cleaned(function: script.Function, row: str) -> bool:
    """Tell whether the hash is taken off the row, or the name stands for something else later."""
    for node in script.walk(function.body):
        target = node.target if isinstance(node, script.Assign) else None
        if isinstance(node, script.Unary) and node.operator == "delete":
            target = node.value
        if isinstance(target, script.Name) and target.name == row:
            return True
        if isinstance(target, script.Member) and HASH.match(target.name):
            return True
    return False


def _whole_row(path: str, line: int, function: script.Function, use: Use, secret: str) -> Finding:
    name = use.table.title
    return Finding(
        path,
        line,
        f"{function.name or 'The handler'}() answers with a whole row of {name}, so {name}.{secret} is sent "
        "to the caller.",
        steps=("Read only the columns that the answer needs.", f"Or take {secret} off the row before."),
        snippet="select: { id: true, name: true }",
    )


def _in_python(files: PythonFiles, routes: Routes, owners: Owners) -> Iterator[Finding]:
    secrets = {m.qualified: secret for m in owners.models.values() if (secret := _secret(m))}
    for route in routes.routes if secrets else ():
        declared, model = _declared(files, owners, route)
        line = route.line
        if not declared and "fastapi" in route.file.text.lower():
            found = returned_model(files, owners, route.file, route.function, secrets)
            line, model = found or (line, None)
        secret = secrets.get(model.qualified) if model is not None else None
        if model is not None and secret is not None:
            yield Finding(
                route.file.path,
                line,
                f"{route.method} {route.path or route.function.name} answers with {model.name} as it is "
                f"stored, so {model.name}.{secret} is sent to the caller.",
                steps=(f"Declare a response model without {secret}.",),
                snippet=f"response_model={model.name}Public",
            )


def _secret(model: Model) -> str | None:
    return next((c for c, v in model.columns.items() if HASH.match(c) and not _is_excluded(v)), None)


def _is_excluded(value: ast.expr | None) -> bool:
    """Tell whether the model itself keeps a field out of answers."""
    given = value.keywords if isinstance(value, ast.Call) else []
    return any(k.arg == "exclude" and isinstance(k.value, ast.Constant) and k.value.value for k in given)


def _declared(files: PythonFiles, owners: Owners, route: Route) -> tuple[bool, Model | None]:
    """Tell whether a route declares its answer, and give the table model that it names."""
    for decorator in route.function.decorators:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg == "response_model":
                none = isinstance(keyword.value, ast.Constant) and keyword.value.value is None
                return not none, named_model(files, owners, route.file, keyword.value)
            if keyword.arg in ("response_class", "response_model_exclude", "response_model_include"):
                return True, None
    returns = route.function.node.returns
    loose = returns is None or ast.unparse(returns) in ("dict", "Any", "object", "typing.Any")
    return not loose, named_model(files, owners, route.file, returns)
