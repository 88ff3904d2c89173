"""A credential is stored as anyone can read it.

Whoever reads one backup, one branch or one log line of this table can act for its users elsewhere: a
refresh token or an API key works from anywhere. A secret that is only compared needs no more than its hash;
one that must be used needs encryption with a key that is not in the database.

## Instead

```python bad path=app/models.py
from sqlmodel import Field, SQLModel


class Connection(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    refresh_token: str  # <- finding
```

```python good path=app/models.py
from sqlmodel import Field, SQLModel


class Connection(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    refresh_token_encrypted: bytes
    api_key_hash: str = Field(index=True)
```

## When it does not matter

The tables of an authentication provider are its own, and a name, a prefix or an expiry is no secret:

```sql good path=schema.sql
create table "account" (
  id text primary key, "accountId" text, "providerId" text, "userId" text, "refreshToken" text
);
create table keys (
  id bigint primary key, api_key_hash bytea, api_key_prefix text, secret_name text, token_type text,
  access_token_expires_at timestamptz
);
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.postgres.sql_types import TEXTS, base_type
from neondba.project.schema import Column, Schema
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import own_tables, spellings

CREDENTIAL = re.compile(
    r"^(?:\w+_)?(?:api_?key|secret_?key|private_?key|client_?secret|webhook_?secret|(?:totp|otp|mfa)_?secret"
    r"|access_?token|refresh_?token|bot_?token|auth_?token|secret_?access_?key)$",
    re.IGNORECASE,
)
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
PROTECTED = ("encrypt", "fernet", "cipher", "pgp_sym", "sha256", "hash", "kms")
CODE = (".py", ".ts", ".tsx", ".js", ".go", ".rb")


@rule("NDB710", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema, tree: Tree) -> Iterator[Finding]:
    """Find text columns that hold usable credentials."""
    for table in own_tables(schema):
        for column in table.columns.values():
            if _is_credential(column) and not _is_protected(tree, column):
                yield Finding(
                    column.path,
                    column.line,
                    f"Whoever reads `{table.title}`, in a backup or on a branch, can use `{column.name}`.",
                    ("If it is only compared, store its SHA-256 hash.",
                     "If it must be used, encrypt it with a key that is not in the database.",
                     "Then issue new ones: the old values are in backups and branches."),
                    f"{CAMEL.sub('_', column.name).lower()}_hash",
                )  # fmt: skip


def _is_credential(column: Column) -> bool:
    return bool(CREDENTIAL.match(CAMEL.sub("_", column.name))) and base_type(column.type or "") in TEXTS


def _is_protected(tree: Tree, column: Column) -> bool:
    """Tell whether code that names the column also encrypts or hashes something near it."""
    names = spellings(column.name)
    pattern = re.compile("|".join(map(re.escape, sorted(names))))
    for path in tree.named(suffix=CODE):
        text = tree.text(path)
        if text is None or not any(name in text for name in names):
            continue
        for match in pattern.finditer(text):
            near = text[max(0, match.start() - 200) : match.end() + 200].lower()
            if any(word in near for word in PROTECTED):
                return True
    return False
