"""The project keeps passwords itself, although signing in belongs to the provider.

A password column means own hashing, own resets, own throttling and own breach when the table leaks.
Better Auth keeps credentials in its `account` table and gives the application a signed token; the
application then only verifies it and stores the user's id.

## Instead

```python bad path=app/models.py case=own
from sqlmodel import Field, SQLModel

class User(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    password_hash: str  # <- finding
```
```python bad path=app/security.py case=own
import bcrypt

def hash_password(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())
```

```python good path=app/models.py
from sqlmodel import Field, SQLModel

class Profile(SQLModel, table=True):
    user_id: str = Field(primary_key=True)
    nickname: str
```

## When it does not matter

Schemas of requests are no tables, a shared link signs nobody in, and the provider's own `account` table is
where a password may be:

```python good path=app/schemas.py case=provider
from sqlmodel import SQLModel

class SignUp(SQLModel):
    email: str
    password: str
```
```python good path=app/crypt.py case=provider
import bcrypt
```
```python good path=app/links.py case=provider
from sqlmodel import Field, SQLModel

class Link(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    url: str
    password: str | None
```
```prisma good path=prisma/schema.prisma case=provider
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

model Account {
  id         String  @id
  accountId  String
  providerId String
  userId     String
  password   String?
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.routes import is_test
from neondba.project.schema import Schema
from neondba.project.schema_provider import AUTH_JS, plain
from neondba.project.schema_table import Column, Table
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

PASSWORD = re.compile(
    r"^(?:user_)?(hashed|encrypted)?_?(password|passwd|pwd)_?(hash|hashed|digest|encrypted)?$", re.IGNORECASE
)
HASHING = ("bcrypt", "passlib", "argon2", "pwdlib", "pbkdf2", "scrypt", "werkzeug.security", "CryptContext",
           "verify_password", "verifyPassword", "check_password", "hashlib.sha")  # fmt: skip
LISTS = ("package.json", "pyproject.toml", "requirements.txt")
CODE = (".py", ".ts", ".js", ".tsx", ".mjs")
PLACE = re.compile(r"(?:security|auth|hash|password)[^/]*$", re.IGNORECASE)
"""How files are named that hash; others may only import it."""


@rule("NDB501", Category.AUTH, Severity.HIGH)
def check(tree: Tree, schema: Schema) -> Iterator[Finding]:
    """Look for own password columns in projects that hash passwords."""
    kept = _columns(schema)
    place = _hashing(tree) if kept else None
    if place is not None:
        yield from (_finding(table, column, place) for table, column in kept.values())


def keeps_passwords(tree: Tree, schema: Schema) -> bool:
    """Tell whether the project signs users in itself; what else it does for that has the same cause."""
    return bool(_columns(schema)) and _hashing(tree) is not None


def _columns(schema: Schema) -> dict[str, tuple[Table, Column]]:
    """Give the password columns of accounts that are not the provider's, one a table."""
    found: dict[str, tuple[Table, Column]] = {}
    for table in schema.tables:
        column = next((c for c in table.columns.values() if PASSWORD.match(_snake(c.name))), None)
        if column is not None and _is_account(table) and not _is_provided(table) and not is_test(table.path):
            found.setdefault(plain(table.name.name), (table, column))
    return found


def _is_account(table: Table) -> bool:
    """Tell whether rows sign in; a shared link or a room may have a password, too."""
    name = plain(table.label or table.name.name)
    if any(
        word in name for word in ("user", "account", "admin", "member", "customer", "credential", "login")
    ):
        return True
    if any(_snake(c).lower() in ("email", "username", "user_name", "login") for c in table.columns):
        return True
    users = [c for c in table.columns.values() if _snake(c.name).lower() == "user_id"]
    return any(c.unique or c.primary_key for c in users)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def _is_provided(table: Table) -> bool:
    """Tell whether the provider put the column there; Auth.js has none."""
    if table.provider is not None and table.provider != AUTH_JS:
        return plain(table.name.name) != "user"
    return plain(table.name.name) == "account" and any("provider" in c.lower() for c in table.columns)


def _hashing(tree: Tree) -> str | None:
    """Give the file of the program that hashes passwords; a list of packages where no code says it."""
    for suffixes in (CODE, LISTS):
        found = [path for path in tree.having(suffixes, HASHING) if not is_test(path)]
        if found:
            return min(found, key=lambda path: not PLACE.search(path))
    return None


def _finding(table: Table, column: Column, place: str) -> Finding:
    name = table.label or table.name.name
    return Finding(
        column.path,
        column.line,
        f"{name}.{column.name} holds passwords that the project hashes itself (see {place}): whoever reads "
        "this table, a backup or a branch of it can try them out, and resets, throttling and second "
        "factors are "
        "yours to build.",
        steps=(
            "Let Better Auth sign users in, and verify its token against its JWKS address.",
            f"Refer to its user by id, and drop {name}.{column.name} in a later migration.",
            "Ask users to reset their passwords, or import the hashes into the provider.",
        ),
    )
