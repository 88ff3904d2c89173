"""Users may empty a table that row-level security is meant to protect.

Policies apply to SELECT, INSERT, UPDATE and DELETE. TRUNCATE never asks them: whoever holds that
privilege removes the rows of everybody at once.

## Instead

```sql bad path=migrations/004_notes.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = auth.user_id());
GRANT SELECT, INSERT, TRUNCATE ON notes TO authenticated;  -- <- finding
```

```sql good path=migrations/004_notes.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = auth.user_id());
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO authenticated;
```

```sql bad path=migrations/0004_notes.sql case=numbered
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = auth.user_id());
GRANT SELECT, INSERT, TRUNCATE ON notes TO authenticated;  -- <- finding
```

```sql fixed path=migrations/0005_revoke_truncate_on_notes_from_authenticated.sql case=numbered
revoke truncate on notes from authenticated;
```

## When it does not matter

Roles that no user has:

```sql good path=migrations/004_notes.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
GRANT TRUNCATE ON notes TO service_role;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.statement import Grant, Name
from neondba.project.migration_writing.change import Change
from neondba.project.row_security import SERVICE, RowSecurity, Secured
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted

USERS = frozenset({"anon", "anonymous", "authenticated", "public", "web_anon", "app_user"})


@rule("NDB412", Category.ISOLATION, Severity.MEDIUM)
def check(security: RowSecurity) -> Iterator[Finding]:
    """Look for TRUNCATE granted to roles of users on protected tables."""
    for state in security.states:
        for placed in state.grants:
            action = placed.action
            if not isinstance(action, Grant) or not action.grant or "truncate" not in action.privileges:
                continue
            tables = [n for n in action.objects if n.key in state.enabled]
            roles = [r for r in action.roles if r in USERS and r not in SERVICE]
            if tables and roles and not _is_revoked(state, action):
                yield Finding(
                    placed.path,
                    placed.line,
                    f"{', '.join(roles)} may TRUNCATE {tables[0]}: that removes every user's rows, "
                    "and no policy of "
                    f"{tables[0]} is asked.",
                    steps=("Revoke the privilege; REFERENCES and TRIGGER are not needed by users either.",),
                    snippet=f"REVOKE TRUNCATE, REFERENCES, TRIGGER ON {tables[0]} FROM {', '.join(roles)};",
                    change=Change(
                        f"revoke truncate on {tables[0].name} from {' '.join(roles)}",
                        (f"revoke truncate on {_written(tables)} from {', '.join(roles)}",),
                        (f"grant truncate on {_written(tables)} to {', '.join(roles)}",),
                    ),
                )


def _written(tables: list[Name]) -> str:
    return ", ".join(quoted(table) for table in tables)


def _is_revoked(state: Secured, granted: Grant) -> bool:
    for placed in state.grants:
        action = placed.action
        if isinstance(action, Grant) and not action.grant and set(action.roles) & set(granted.roles):
            covers = not action.privileges or "truncate" in action.privileges
            if covers and {n.key for n in action.objects} & {n.key for n in granted.objects}:
                return True
    return False
