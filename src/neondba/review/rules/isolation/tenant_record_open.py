"""A route gives out or changes the record of any tenant, not the caller's alone.

The users of the project belong to tenants. A check of the role alone lets every tenant's administrator
reach the records of all other tenants; a route without a check lets anybody on the internet.

## Instead

```python bad path=app/models.py case=role
from sqlmodel import Field, SQLModel

class Tenant(SQLModel, table=True):
    id: str = Field(primary_key=True)
    name: str

class User(SQLModel, table=True):
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id")
    role: str
```
```python bad path=app/main.py case=role
from fastapi import APIRouter, Depends, HTTPException
from app.db import get_session
from app.deps import get_current_user
from app.models import Tenant, User

router = APIRouter()

def require_admin(user: User = Depends(get_current_user)):
    if user.role != "admin":
        raise HTTPException(403)
    return user

@router.get("/tenants/{tenant_id}")
def read(tenant_id: str, session=Depends(get_session), user=Depends(require_admin)):
    return session.get(Tenant, tenant_id)  # <- finding
```

```python good path=app/models.py case=role
from sqlmodel import Field, SQLModel

class Tenant(SQLModel, table=True):
    id: str = Field(primary_key=True)
    name: str

class User(SQLModel, table=True):
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id")
    role: str
```
```python good path=app/main.py case=role
from fastapi import APIRouter, Depends, HTTPException
from app.db import get_session
from app.deps import get_current_user
from app.models import Tenant, User

router = APIRouter()

def require_admin(user: User = Depends(get_current_user)):
    if user.role != "admin":
        raise HTTPException(403)
    return user

@router.get("/tenants/{tenant_id}")
def read(tenant_id: str, session=Depends(get_session), user=Depends(require_admin)):
    if tenant_id != user.tenant_id:
        raise HTTPException(404)
    return session.get(Tenant, tenant_id)
```

## When it does not matter

Administrators of the whole platform, and routes that only ask whether a tenant exists:

```python good path=app/models.py case=platform
from sqlmodel import Field, SQLModel

class Tenant(SQLModel, table=True):
    id: str = Field(primary_key=True)
    name: str

class User(SQLModel, table=True):
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id")
    role: str
```
```python good path=app/main.py case=platform
from fastapi import APIRouter, Depends, HTTPException
from app.db import get_session
from app.deps import get_current_user
from app.models import Tenant, User

router = APIRouter()

def require_super_admin(user: User = Depends(get_current_user)):
    if user.role != "super_admin":
        raise HTTPException(403)
    return user

@router.get("/tenants/{tenant_id}")
def read(tenant_id: str, session=Depends(get_session), user=Depends(require_super_admin)):
    return session.get(Tenant, tenant_id)

@router.post("/login")
def login(tenant_id: str, session=Depends(get_session)):
    return {"known": session.get(Tenant, tenant_id) is not None}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.isolation.binding import spelled
from neondba.project.isolation.entrances import Door
from neondba.project.isolation.judging import chosen, is_key, is_open_to_all
from neondba.project.isolation.ownership import Ownership, is_people, joined
from neondba.project.isolation.python import PythonIsolation
from neondba.project.isolation.values import Query
from neondba.project.owners import Model
from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

PLATFORM = re.compile(
    r"super|platform|system|root|global|internal|staff|operator|service|api_?key", re.IGNORECASE
)
"""Words for people and programs that stand above all tenants."""
SEGMENT = re.compile(r"/([a-z_-]+)(?=/|$)")


@rule("NDB425", Category.ISOLATION, Severity.MEDIUM)
def check(isolation: PythonIsolation, files: PythonFiles) -> Iterator[Finding]:
    """Look for routes on tenants that nothing holds against the caller's tenant."""
    tenants = _tenants(isolation.ownership)
    told: dict[bool, list[tuple[Door, Query]]] = {True: [], False: []}
    for door in isolation.doors if tenants else ():
        if (isolation.by_policy and door.authenticated) or not _is_about(door, tenants):
            continue
        if _is_above(door, files) or is_open_to_all(door):
            continue
        query = next((q for q in door.summary.queries if _reaches(door, q, tenants)), None)
        if query is not None:
            told[door.authenticated].append((door, query))
    for known, several in told.items():
        # One check that forgets the tenant, or its lack, is one cause, however many routes use it.
        if several:
            yield _finding(several, known=known)


def _tenants(ownership: Ownership) -> dict[str, str]:
    """Give the tables that the users' own rows point at, with the column that does."""
    found = {}
    for model in ownership.tables.values():
        held = joined(model) if is_people(model) else None
        parent = ownership.parent(model, held.chain) if held is not None else None
        if held is not None and parent is not None and held.chain not in model.optional:
            found[parent.qualified] = held.chain
    return found


def _is_about(door: Door, tenants: dict[str, str]) -> bool:
    """Tell whether the address itself names tenants, so that their record is what is asked for."""
    if door.route is None:
        return False
    segments = {s.replace("-", "").replace("_", "") for s in SEGMENT.findall(door.route.path.lower())}
    stems = {column.rpartition("_")[0].replace("_", "") for column in tenants.values()}
    names = {name.rpartition(".")[2].lower() for name in tenants}
    return any(s in segments or s + "s" in segments or s[:-1] + "ies" in segments for s in stems | names)


def _is_above(door: Door, files: PythonFiles) -> bool:
    """Tell whether those who come in stand above all tenants, as far as names tell."""
    if door.route is None or re.search(r"admin|platform|system|internal", door.route.path):
        return True
    names = " ".join(d.name for given in door.route.dependencies for d in given.chain if d.authenticates)
    staff = door.bindings.staff
    file = next(
        (f for f in files.containing("role", "admin", "super") if staff and f.path == staff.path), None
    )
    lines = file.text.splitlines()[staff.line - 1 : staff.line + 2] if file is not None and staff else []
    return bool(PLATFORM.search(f"{names} {' '.join(lines)}"))


def _reaches(door: Door, query: Query, tenants: dict[str, str]) -> bool:
    """Tell whether a statement reaches the tenant that the client names, or all of them."""
    models: list[Model] = query.models
    if query.kind == "insert" or not models or models[0].qualified not in tenants or query.counts:
        return False
    if query in door.bindings.bound or (query.staff and not door.authenticated):
        return False
    conditions = spelled(query.conditions)
    return any(is_key(c.column) and chosen(c.value) for c in conditions)


def _finding(several: list[tuple[Door, Query]], *, known: bool) -> Finding:
    door, query = next(
        ((d, q) for d, q in several if q.changed or q.kind in ("update", "delete")), several[0]
    )
    model = query.models[0].name
    changed = any(q.changed or q.kind in ("update", "delete") for _, q in several)
    others = f" The same holds for {len(several) - 1} more routes." if len(several) > 1 else ""
    who = (
        "Any signed-in user who passes the check of the role" if door.bindings.staff else "Any signed-in user"
    )
    who = who if known else "Anybody on the internet"
    verb = "reads and changes" if changed else "reads"
    here = query.function is door.function and query.path == door.file.path
    return Finding(
        door.file.path,
        query.line if here else door.function.line,
        f"{who} {verb} any {model} through {door.entrance.name}: {door.function.name}() takes the id from "
        f"the client and never compares it with the caller's own.{others}",
        steps=(
            f"Compare the id with the {model} of the caller, and answer 404 when they differ.",
            "Or keep these routes for a role that stands above all of them, and check that one.",
        ),
        way=tuple(f"{d.entrance.path}:{d.entrance.line} {d.entrance.name}" for d, _ in several),
    )
