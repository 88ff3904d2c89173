"""A table of the sign-in provider is changed past the provider.

Better Auth and Neon Auth own their tables. A changed column breaks the provider's next update, and a row
written by hand skips its checks: sessions without a login, users without verification.

## Instead

```sql bad path=migrations/007_ban.sql
UPDATE neon_auth.users_sync SET deleted_at = now() WHERE email = 'eve@example.org';  -- <- finding
```

```sql good path=migrations/007_ban.sql
CREATE TABLE banned (user_id text PRIMARY KEY, since timestamptz NOT NULL DEFAULT now());
```

## When it does not matter

Reading, references to a user's id, and the SQL that the provider's own tool writes:

```sql good path=migrations/001_own.sql
CREATE TABLE notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL REFERENCES neon_auth.users_sync (id)
);
SELECT id, email FROM neon_auth.users_sync;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.postgres.sql_text import code_only
from neondba.project.sql import Role, SqlFiles
from neondba.project.sql_text import SqlTexts
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

WRITING = re.compile(
    r"\b(?P<verb>insert\s+into|update|delete\s+from|(?:alter|drop)\s+table(?:\s+if\s+exists)?"
    r"|truncate(?:\s+table)?)"
    r'\s+(?:only\s+)?"?neon_auth"?\s*\.\s*"?(?P<table>\w+)',
    re.IGNORECASE,
)


@rule("NDB504", Category.AUTH, Severity.HIGH)
def check(sql: SqlFiles, texts: SqlTexts) -> Iterator[Finding]:
    """Look for statements that write to the schema of the provider."""
    for file in sql.values():
        if file.role in (Role.TEST, Role.DUMP) or "neon_auth" not in file.text:
            continue
        for match in WRITING.finditer(code_only(file.text)):
            line = file.text.count("\n", 0, match.start()) + 1
            yield _finding(file.path, line, match)
    for text in texts.texts:
        found = WRITING.search(text.text)
        if found is not None:
            yield _finding(text.file.path, text.line, found)


def _finding(path: str, line: int, match: re.Match[str]) -> Finding:
    verb = " ".join(match["verb"].upper().split())
    return Finding(
        path,
        line,
        f"{verb} on neon_auth.{match['table']} changes what the sign-in provider owns: its next "
        "synchronisation overwrites the change or stumbles over it.",
        steps=(
            "Change users through the provider's own API.",
            "Keep what is yours in a table of your own that refers to the user's id.",
        ),
    )
