"""A changed password leaves the old sessions signed in.

People change a password because somebody else may know it. That somebody keeps the refresh token or the
session that the old password opened, and with it the account.

## Instead

```python bad path=app/users.py case=kept
from app.models import User

def change_password(session, user: User, payload) -> None:
    if not verify_password(payload.current, user.password_hash):
        raise WrongPassword()
    user.password_hash = hash_password(payload.new)  # <- finding
    session.add(user)
    session.commit()
```
```python bad path=app/models.py case=kept
from sqlmodel import Field, SQLModel

class RefreshToken(SQLModel, table=True):
    __tablename__ = "refresh_tokens"
    id: int | None = Field(default=None, primary_key=True)
    user_id: int
    token_hash: str
```

```python good path=app/users.py
from app.models import RefreshToken, User

def change_password(session, user: User, payload) -> None:
    if not verify_password(payload.current, user.password_hash):
        raise WrongPassword()
    user.password_hash = hash_password(payload.new)
    session.exec(delete(RefreshToken).where(RefreshToken.user_id == user.id))
    session.commit()
```
```python good path=app/models.py
from sqlmodel import Field, SQLModel

class RefreshToken(SQLModel, table=True):
    __tablename__ = "refresh_tokens"
    id: int | None = Field(default=None, primary_key=True)
    user_id: int
    token_hash: str
```

A user's id is no session's: this ends nothing.

```typescript bad path=src/reset.ts case=lucia
export async function reset(input) {
  const user = await changePassword(input.token, await hash(input.password));
  await lucia.invalidateSession(user.id); // <- finding
}
```
```typescript good path=src/reset.ts case=lucia
export async function reset(input) {
  const user = await changePassword(input.token, await hash(input.password));
  await lucia.invalidateUserSessions(user.id);
}

export async function signOut(session) {
  await lucia.invalidateSession(session.id);
}
```

## When it does not matter

The caller ends the sessions, or the program keeps none:

```python good path=app/users.py case=caller
from app.models import User

def reset_password(session, user: User, new: str) -> None:
    user.password_hash = hash_password(new)
    session.commit()

def reset(session, user: User, new: str) -> None:
    reset_password(session, user, new)
    revoke_all_tokens(session, user.id)
```
```python good path=app/models.py case=caller
from sqlmodel import Field, SQLModel

class RefreshToken(SQLModel, table=True):
    __tablename__ = "refresh_tokens"
    id: int | None = Field(default=None, primary_key=True)
    user_id: int
    token_hash: str
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from neondba.project.places import is_script, is_test
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.schema import Schema
from neondba.project.schema_provider import plain
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Member, Name
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.authentication.own_password_storage import PASSWORD

SESSIONS = frozenset(
    {"refreshtoken", "usersession", "session", "authsession", "loginsession", "userrefreshtoken"}
)
CHANGES = re.compile(r"(?:change|reset|update|set)_?\w*password|password_?(?:change|reset)", re.IGNORECASE)
ENDS = re.compile(
    r"revoke|invalidate|log_?out|sign_?out|refresh_?token|end_session|delete_session|UserSession|kill|purge"
    r"|token_version|session_version|valid_after|password_changed|blacklist|denylist",
    re.IGNORECASE,
)
EVERYWHERE = ("token_version", "session_version", "password_changed", "tokens_valid_after", "security_stamp")


@rule("NDB518", Category.AUTH, Severity.MEDIUM)
def check(files: PythonFiles, scripts: TypeScriptFiles, schema: Schema) -> Iterator[Finding]:
    """Look for changes of passwords after which no session is ended."""
    yield from _wrong_ids(scripts)
    kept = next(
        (t for t in schema.tables if t.provider is None and _keeps_sessions(t.name.name, t.columns)), None
    )
    if kept is None or any(files.containing(*EVERYWHERE)):
        return
    for file in files.containing("password", "passwd"):
        for function in [] if is_test(file.path) or is_script(file.path) else file.functions:
            line = _changes(function) if CHANGES.search(function.name) else None
            if line is not None and not _ended(files, file, function):
                yield _finding(file.path, line, function.name, kept.title)


def _finding(path: str, line: int, function: str, table: str) -> Finding:
    return Finding(
        path,
        line,
        f"{function}() changes the password and leaves the rows of {table} as they are: whoever signed in "
        "with the old password stays signed in.",
        steps=(
            f"Delete or revoke the user's rows of {table} in the same transaction.",
            "Keep the session that made the change, if you like.",
        ),
    )


def _keeps_sessions(name: str, columns: Iterable[str]) -> bool:
    """Tell whether a table says who is signed in."""
    fields = {plain(c) for c in columns}
    return (
        plain(name) in SESSIONS
        and bool(fields & {"userid", "accountid", "memberid", "ownerid"})
        and any("token" in f or "expire" in f for f in fields)
    )


def _changes(function: Function) -> int | None:
    """Give the line where a function puts a new hash into a row."""
    for node in function.assignments:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call | ast.Name):
            target = node.targets[0]
            if (
                isinstance(target, ast.Attribute)
                and PASSWORD.match(target.attr)
                and isinstance(target.value, ast.Name)
                and target.value.id not in ("self", "cls")
            ):
                return node.lineno
    return None


def _ended(files: PythonFiles, file: PythonFile, function: Function) -> bool:
    """Tell whether the function, or one that calls it, ends sessions."""
    if _ends(function):
        return True
    for other in files.containing(f"{function.name}("):
        for one in other.functions:
            calls = [ast.unparse(c.func).rpartition(".")[2] for c in one.calls]
            if one is not function and function.name in calls and _ends(one):
                return True
    return file.path.endswith("__init__.py")


def _ends(function: Function) -> bool:
    return any(
        ENDS.search(node.id if isinstance(node, ast.Name) else node.attr)
        for node in function.nodes
        if isinstance(node, ast.Name | ast.Attribute)
    )


def _wrong_ids(scripts: TypeScriptFiles) -> Iterator[Finding]:
    """Find Lucia's `invalidateSession` with the id of a user."""
    for file in scripts.containing("invalidateSession("):
        for call in file.calls:
            if not call.name.endswith(".invalidateSession") or len(call.arguments) != 1:
                continue
            given = call.arguments[0]
            owner = given.object if isinstance(given, Member) and given.name == "id" else None
            named = isinstance(given, Name | Member) and given.name == "userId"
            if named or (isinstance(owner, Name | Member) and owner.name.lower().endswith("user")):
                yield Finding(
                    file.path,
                    call.line,
                    "invalidateSession() gets the id of a user where it wants a session's: nothing is ended, "
                    "and whoever is signed in as that user stays so.",
                    steps=("Call invalidateUserSessions() with the user's id.",),
                )
