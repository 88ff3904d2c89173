"""A token that opens a user's account is kept in clear text beside the user.

A refresh or reset token is as good as a password while it lives. In clear text it opens the account for
everybody who reads the table, a backup, a branch or a log of the statement.

## Instead

```python bad path=app/models.py
from sqlmodel import Field, SQLModel

class User(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    hashed_password: str
    reset_token: str | None = None  # <- finding
```

```python good path=app/models.py
from sqlmodel import Field, SQLModel

class User(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    hashed_password: str
    reset_token_hash: str | None = None
```

A table of its own for the tokens makes no difference:

```prisma bad path=prisma/schema.prisma
model PasswordResetToken {
  id      String   @id
  email   String
  token   String   @unique // <- finding
  expires DateTime
}
```

Nor does it when the token is the primary key:

```typescript bad path=src/schema.ts case=key
import { pgTable, timestamp, varchar } from "drizzle-orm/pg-core";

export const passwordResetTokens = pgTable("password_reset_tokens", {
  id: varchar("id").notNull().primaryKey(), // <- finding
  userId: varchar("user_id").notNull(),
  expiresAt: timestamp("expires_at").notNull(),
});
```
```typescript bad path=src/user.ts case=key
import { passwordResetTokens } from "./schema";

export async function start(userId: string) {
  const token = generateId(40);
  await db.insert(passwordResetTokens).values({ id: token, userId, expiresAt: soon() });
  return token;
}
```

## When it does not matter

The program hashes the token before it keeps it, and tables of the provider are the provider's affair:

```python good path=app/models.py case=hashed
from sqlmodel import Field, SQLModel

class User(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    hashed_password: str
    reset_token: str | None = None
```
```python good path=app/reset.py case=hashed
def keep(user, reset_token):
    user.reset_token = hash_token(reset_token)
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.routes import is_test
from neondba.project.schema import Schema
from neondba.project.schema_provider import plain
from neondba.project.schema_table import Column, Table
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

TOKEN = re.compile(r"^(refresh|reset|password_?reset|reset_?password)_?token$", re.IGNORECASE)
ANY_TOKEN = re.compile(TOKEN.pattern + r"|^token$", re.IGNORECASE)
OWNERS = frozenset({"user", "account", "member", "customer"})
TOKENS = frozenset(
    {"passwordresettoken", "passwordreset", "resettoken", "resetpasswordtoken", "refreshtoken", "usertoken"}
)
"""Tables that hold nothing else."""
IS_KEY = re.compile(r"\bid\s*[:=]\s*(?:reset|refresh)?_?[tT]oken\s*[,)}]")
HASHED = re.compile(
    r"(?:hash|digest|sha256|encrypt)\w*\(\s*[^()]{0,40}token"
    r"|token\w*\s*[:=]\s*(?:await\s+)?(?:\w+\.)*(?:hash|sha256|createHash|encrypt)",
    re.IGNORECASE,
)


@rule("NDB506", Category.AUTH, Severity.MEDIUM)
def check(tree: Tree, schema: Schema) -> Iterator[Finding]:
    """Look for tokens in the project's own tables of users."""
    told: set[str] = set()
    for table in schema.tables:
        name = plain(table.label or table.name.name)
        if table.provider is not None or name not in OWNERS | TOKENS:
            continue
        pattern = ANY_TOKEN if name in TOKENS else TOKEN
        column = next((c for c in table.columns.values() if pattern.match(_snake(c.name))), None)
        if column is None and name in TOKENS:
            column = _key(tree, table)
        if column is None or is_test(table.path) or plain(table.name.name) in told:
            continue
        if "provider_account_id" in table.columns or _hashes(tree):
            return
        told.add(plain(table.name.name))
        yield _finding(table, column)


def _key(tree: Tree, table: Table) -> Column | None:
    """Give the primary key of a table of tokens whose rows are made with the token for their id."""
    names = {table.name.name, table.label} - {""}
    key = table.columns.get("id")
    if key is None or any("token" in c.lower() or "hash" in c.lower() for c in table.columns):
        return None
    for path in tree.having((".py", ".ts", ".js", ".tsx"), tuple(names)):
        if path != table.path and not is_test(path) and IS_KEY.search(tree.text(path) or ""):
            return key
    return None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def _hashes(tree: Tree) -> bool:
    """Tell whether the program hashes tokens anywhere."""
    for path in tree.named(suffix=(".py", ".ts", ".js", ".tsx")):
        text = tree.text(path) or ""
        if "oken" in text and HASHED.search(text):
            return True
    return False


def _finding(table: Table, column: Column) -> Finding:
    name = table.label or table.name.name
    return Finding(
        column.path,
        column.line,
        f"{name}.{column.name} holds tokens in clear text: whoever reads a row of {name}, in a backup "
        "or on a "
        "branch, can sign in as that user.",
        steps=(
            f"Keep only a SHA-256 hash of the token in {name}, and compare hashes.",
            "Better still, let the provider keep sessions and resets.",
        ),
    )
