"""Accounts can be switched off, and signing in never looks.

The table of users says which account is off: `is_active`, `deleted_at`, `banned`. No statement and no
condition of the program reads it where a user is looked up: whoever was removed signs in as before, and
every token of theirs goes on working.

## Instead

```python bad path=app/models.py case=off
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    hashed_password: str
    is_active: bool = True
```

```python bad path=app/auth.py case=off
from fastapi import HTTPException
from passlib.context import CryptContext
from sqlmodel import Session, select
from app.models import User

passwords = CryptContext(schemes=["argon2"])


def login(session: Session, email: str, password: str) -> User:
    user = session.exec(select(User).where(User.email == email)).first()  # <- finding
    if user is None or not passwords.verify(password, user.hashed_password):
        raise HTTPException(401)
    return user
```

```python good path=app/models.py case=off
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    hashed_password: str
    is_active: bool = True
```

```python good path=app/auth.py case=off
from fastapi import HTTPException
from passlib.context import CryptContext
from sqlmodel import Session, select
from app.models import User

passwords = CryptContext(schemes=["argon2"])


def login(session: Session, email: str, password: str) -> User:
    user = session.exec(select(User).where(User.email == email)).first()
    if user is None or not user.is_active or not passwords.verify(password, user.hashed_password):
        raise HTTPException(401)
    return user
```

## When it does not matter

A provider signs users in and knows the state, or rows are filtered for all statements at once:

```python good path=app/models.py case=provider
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    id: str = Field(primary_key=True)
    email: str = Field(unique=True)
    deleted_at: str | None = None
```

```python good path=app/users.py case=provider
from sqlmodel import Session, select
from app.models import User


def by_email(session: Session, email: str):
    return session.exec(select(User).where(User.email == email)).first()
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_migration, is_script, is_test
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.schema import Column, Schema, Table
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_STATE = re.compile(
    r"^(?:is_)?(?:active|enabled|disabled|deactivated|banned|blocked|suspended|deleted)(?:_at)?$|^(?:deleted|disabled|suspended|banned)_at$"
)
_PASSWORD = re.compile(r"password|passwd|pwd")
_VERIFIES = re.compile(
    r"\.verify\(|verify_password|checkpw|check_password|compare_digest|verify_hash|authenticate"
)
_ELSEWHERE = (
    "fastapi_users",
    "AbstractUser",
    "AbstractBaseUser",
    "with_loader_criteria",
    "fastapi_login",
    "do_orm_execute",
)
_LOOKUP = r"(?:\b{model}\.(?:email|username|name)\s*==|\b{model}\b[^\n]*filter_by\(\s*(?:email|username)\s*=)"


@rule("NDB523", Category.AUTH, Severity.MEDIUM)
def check(schema: Schema, python: PythonFiles) -> Iterator[Finding]:
    """Report the first look-up of a user in a program that verifies passwords and no state."""
    if any(python.containing(*_ELSEWHERE)):
        return
    files = [f for f in python.containing("assword") if _is_program(f)]
    if not any(_VERIFIES.search(f.text) for f in files):
        return
    for table in schema.tables:
        state = _state(table)
        if state is None or table.provider:
            continue
        code = [f for f in python.containing(state.field or state.name) if _is_program(f)]
        if any(_reads(table, state, f.text) for f in code if f.path != table.path):
            continue
        found = _look_up(table, python)
        if found is not None:
            yield _finding(*found, table, state)
            return


def _state(table: Table) -> Column | None:
    """Give the column that says that an account is off, of a table with passwords."""
    if table.source not in ("sqlmodel", "sqlalchemy") or "user" not in f"{table.name} {table.label}".lower():
        return None
    if not any(_PASSWORD.search(name) for name in table.columns):
        return None
    return next((c for name, c in table.columns.items() if _STATE.match(name)), None)


def _is_program(file: PythonFile) -> bool:
    return not (is_test(file.path) or is_migration(file.path) or is_script(file.path))


def _reads(table: Table, state: Column, text: str) -> bool:
    """Tell whether code reads the state of a user, or of something that may be one."""
    name = re.escape(state.field or state.name)
    model = re.escape(table.label or str(table.name))
    some = r"\w*(?:user|account|member|current|owner|me|row|obj)\w*|u|model|cls|self"
    owner = rf"\b(?:{model}|{some})"
    read = re.compile(
        rf"{owner}\.{name}\b(?!\s*=[^=])|filter_by\([^)\n]*\b{name}\s*=|[\"']{name}[\"']|\b{name}\s*(?:=|is)\s*(?:true|null)",
        re.IGNORECASE,
    )
    return read.search(text) is not None


def _look_up(table: Table, python: PythonFiles) -> tuple[str, int] | None:
    """Give the place that looks a user up by what they type, signing in first of all."""
    model = table.label or str(table.name)
    found: list[tuple[int, str, int]] = []
    for file in python.containing(model):
        if not _is_program(file):
            continue
        for function in file.functions:
            name = function.name.lower()
            lines = file.text.splitlines()[function.line - 1 : function.node.end_lineno]
            hit = next(
                (
                    n
                    for n, line in enumerate(lines)
                    if re.search(_LOOKUP.format(model=re.escape(model)), line)
                ),
                None,
            )
            if hit is not None and not re.search(r"regist|sign_?up|create|invite|reset|forgot|exists", name):
                rank = 0 if re.search(r"log_?in|auth|sign_?in|token", name) else 1 if "email" in name else 2
                found.append((rank, file.path, function.line + hit))
    return min(found)[1:] if found else None


def _finding(path: str, line: int, table: Table, state: Column) -> Finding:
    name = state.field or state.name
    return Finding(
        path,
        line,
        f"{table.title}.{name} says which account is off, and nothing reads it: whoever is switched off "
        "signs in as before, and their tokens go on working.",
        (f"Refuse accounts by {name} where the password is verified.", "Look again where a token is read."),
        f"if user.{name} is not None:\n    raise HTTPException(401)"
        if name.endswith("_at")
        else f"if not user.{name}:\n    raise HTTPException(401)",
        also=((state.path, state.line),),
    )
