"""Every signed-in user may create accounts with any role.

The route asks who is calling, but not whether the caller may do this: a plain user creates an administrator,
signs in as that one, and has everything.

## Instead

```python bad path=app/users.py
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel

router = APIRouter()

def get_principal(request: Request):
    token = request.headers.get("authorization")
    if not token:
        raise HTTPException(401)
    return decode_token(token)

class CreateUser(BaseModel):
    email: str
    role: str

@router.post("/users")
def create_new_user(user_in: CreateUser, principal=Depends(get_principal)):  # <- finding
    return create_user(user_in, principal.tenant_id)

def create_user(user_in: CreateUser, tenant_id: str):
    return User(email=user_in.email, role=user_in.role, tenant_id=tenant_id)

ROLES = ("admin", "member")
```

```python good path=app/users.py
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel

router = APIRouter()

def get_principal(request: Request):
    token = request.headers.get("authorization")
    if not token:
        raise HTTPException(401)
    return decode_token(token)

class CreateUser(BaseModel):
    email: str
    role: str

@router.post("/users")
def create_new_user(user_in: CreateUser, principal=Depends(get_principal)):
    if principal.role != "admin":
        raise HTTPException(403)
    return create_user(user_in, principal.tenant_id)

def create_user(user_in: CreateUser, tenant_id: str):
    return User(email=user_in.email, role=user_in.role, tenant_id=tenant_id)
```

## When it does not matter

None of the roles has power over others:

```python good path=app/users.py
from typing import Literal
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel

router = APIRouter()

def get_principal(request: Request):
    token = request.headers.get("authorization")
    if not token:
        raise HTTPException(401)
    return decode_token(token)

class CreateUser(BaseModel):
    email: str
    role: Literal["student", "teacher"]

@router.post("/users")
def create_new_user(user_in: CreateUser, principal=Depends(get_principal)):
    return User(email=user_in.email, role=user_in.role)

ADMIN_MAIL = "admin@example.org"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.python import PythonFiles
from neondba.project.routes import Routes
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.authentication._roles import taken_roles


@rule("NDB515", Category.AUTH, Severity.HIGH)
def check(files: PythonFiles, routes: Routes) -> Iterator[Finding]:
    """Find routes behind a sign-in that make accounts with the role the body asks for."""
    if not any("role" in f.text.lower() for f in files.containing("admin", "ADMIN", "Admin")):
        return
    for taken in taken_roles(files, routes):
        route = taken.route
        if route.authentication is None:
            continue
        yield Finding(
            route.file.path,
            route.line,
            f"{route.method} {route.path or route.function.name} gives a new account whatever {taken.field} "
            "the body names and never asks for the caller's own: any signed-in user makes an administrator.",
            steps=(
                "Let only an administrator come here.",
                f"Compare the {taken.field} with the caller's own, so that nobody grants more.",
            ),
        )
