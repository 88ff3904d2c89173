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
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.owners import Model, Owners
from neondba.project.python import PythonFiles
from neondba.project.routes import Route, Routes
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

HASH = re.compile(r"^(hashed_?password|password_?hash|password|passwd)$", re.IGNORECASE)


@rule("NDB505", Category.AUTH, Severity.HIGH)
def check(files: PythonFiles, routes: Routes, owners: Owners) -> Iterator[Finding]:
    """Look for routes whose response model, or returned row, has a password column."""
    if not any(_secret(m) for m in owners.models.values()):
        return
    for route in routes.routes:
        model = _answered(files, owners, route)
        secret = _secret(model) if model is not None else None
        if model is not None and secret is not None:
            yield Finding(
                route.file.path,
                route.line,
                f"{route.method} {route.path or route.function.name} answers with {model.name} as it is "
                f"stored, so {model.name}.{secret} is sent to the caller.",
                steps=(f"Declare a response model without {secret}.",),
                snippet=f"response_model={model.name}Public",
            )


def _secret(model: Model) -> str | None:
    return next((c for c in model.columns if HASH.match(c)), None)


def _answered(files: PythonFiles, owners: Owners, route: Route) -> Model | None:
    """Give the table model that a route answers with, by its declarations."""
    for decorator in route.function.decorators:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg == "response_model":
                return _model(files, owners, route, keyword.value)
    return _model(files, owners, route, route.function.node.returns)


def _model(files: PythonFiles, owners: Owners, route: Route, node: ast.expr | None) -> Model | None:
    """Give the model in `User`, `list[User]` or `User | None`."""
    if isinstance(node, ast.Subscript):
        name = (route.file.resolve(node.value) or "").rpartition(".")[2]
        return (
            _model(files, owners, route, node.slice)
            if name in ("list", "List", "Optional", "Sequence")
            else None
        )
    if isinstance(node, ast.BinOp):
        return _model(files, owners, route, node.left)
    return owners.model(files, route.file, node) if isinstance(node, ast.Name | ast.Attribute) else None
