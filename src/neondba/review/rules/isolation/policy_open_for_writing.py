"""A policy lets every user change every row.

`USING (true)` for UPDATE, DELETE or ALL switches row-level security off for writing, while the table
looks protected.

## Instead

```sql bad path=migrations/005_notes.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY edit ON notes FOR UPDATE TO authenticated USING (true);  -- <- finding
```

```sql good path=migrations/005_notes.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY edit ON notes FOR UPDATE TO authenticated USING (user_id = (SELECT auth.user_id()));
```

## When it does not matter

Public reading, forms that strangers may send, policies of the program itself, and policies for UPDATE
or ALL that give only `USING`: Postgres uses it as the check as well.

```sql good path=migrations/005_notes.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON notes FOR SELECT USING (true);
CREATE POLICY program ON notes FOR ALL TO service_role USING (true);
CREATE POLICY own ON notes FOR ALL TO authenticated USING (user_id = (SELECT auth.user_id()));
CREATE TABLE contact (id bigint PRIMARY KEY, message text NOT NULL);
ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY send ON contact FOR INSERT TO anon WITH CHECK (true);
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.postgres.statement import CreatePolicy
from neondba.project.row_security import SERVICE, Placed, RowSecurity, Secured
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

ALWAYS = re.compile(r"^\(*\s*(true|1\s*=\s*1|'t'::boolean)\s*\)*$", re.IGNORECASE)


@rule("NDB413", Category.ISOLATION, Severity.HIGH)
def check(security: RowSecurity) -> Iterator[Finding]:
    """Look for policies for writing that are always true."""
    for state in security.states:
        for placed in state.policies.values():
            action = placed.action
            if isinstance(action, CreatePolicy) and _is_open(state, action):
                yield _finding(state, placed, action)


def _is_open(state: Secured, policy: CreatePolicy) -> bool:
    if not policy.permissive or policy.command == "select" or _is_for_program(policy):
        return False
    if policy.command == "insert":
        return bool(ALWAYS.match(policy.check or "")) and state.owner(policy.table) is not None
    which = policy.check if policy.command in ("update", "all") and policy.check else policy.using
    return bool(ALWAYS.match(which or ""))


def _is_for_program(policy: CreatePolicy) -> bool:
    """Tell whether only roles that no user has come here."""
    if policy.roles and all(r in SERVICE or "service" in r or "admin" in r for r in policy.roles):
        return True
    return any(word in policy.name.lower() for word in ("service", "admin", "system", "backend"))


def _finding(state: Secured, placed: Placed, policy: CreatePolicy) -> Finding:
    owner = state.owner(policy.table) or "user_id"
    who = ", ".join(policy.roles) or "every role"
    verb = {"all": "read, change and delete", "insert": "write rows in any user's name into"}.get(
        policy.command, policy.command
    )
    where = "WITH CHECK" if policy.command == "insert" else "USING"
    return Finding(
        placed.path,
        placed.line,
        f'By policy "{policy.name}", {who} may {verb} {policy.table} for every user: its condition is '
        "always true.",
        steps=(
            f"Compare {owner} with the user of the request.",
            "Prove it: neondba isolation prove shows what each role may do with foreign rows.",
        ),
        snippet=f'ALTER POLICY "{policy.name}" ON {policy.table}\n'
        f"    {where} ({owner} = (SELECT auth.user_id()));",
    )
