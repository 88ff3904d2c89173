"""A policy asks who the user is again for every row.

`auth.uid()` and its kin are the same for the whole query, but PostgreSQL calls them for each row that a
policy looks at. Inside a sub-select it calls them once and compares with the result; on large tables that
is the difference between milliseconds and seconds.

## Instead

```sql bad path=supabase/migrations/001_tasks.sql
create policy own on tasks for select using (auth.uid() = user_id);  -- <- finding
```

```sql good path=supabase/migrations/001_tasks.sql
create policy own on tasks for select using ((select auth.uid()) = user_id);
```

## When it does not matter

A function of the row's own columns must run for each row, and the check of a single inserted row runs once:

```sql good path=supabase/migrations/001_tasks.sql
create policy own on tasks for select using (is_member(team_id));
create policy mine on tasks for insert with check (auth.uid() = user_id);
```

A policy that a later migration drops is gone; the one that took its place counts:

```sql good path=supabase/migrations/001_tasks.sql case=replaced
create policy own on public.tasks for select using (auth.uid() = user_id);
```

```sql good path=supabase/migrations/002_faster.sql case=replaced
drop policy if exists own on public.tasks;
create policy own on public.tasks for select using ((select auth.uid()) = user_id);
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.postgres.statement import CreatePolicy
from neondba.project.sql import Role, SqlFile, SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import listed, quoted

CONSTANT = frozenset(
    {"auth.uid", "auth.jwt", "auth.role", "auth.email", "auth.user_id", "auth.session", "current_setting"}
)


@rule("NDB713", Category.SCHEMA, Severity.LOW)
def check(sql: SqlFiles) -> Iterator[Finding]:
    """Find policies that call constant functions outside a sub-select, once a file."""
    files = list(sql.of(Role.MIGRATION, Role.SCHEMA, Role.DUMP))
    for file in files:
        if "policy" not in file.text.lower():
            continue
        found: list[tuple[int, CreatePolicy, str]] = []
        for statement in file.statements:
            policy = statement.action
            if not isinstance(policy, CreatePolicy) or policy.command == "insert":
                continue
            call = next(
                (c for c in policy.calls if c.function in CONSTANT and not c.wrapped and not c.on_columns),
                None,
            )
            if call is not None and not _is_replaced(policy, file, files):
                found.append((call.line, policy, call.function))
        if found:
            line, policy, function = found[0]
            yield Finding(
                file.path,
                line,
                f"Queries on {listed(str(p.table) for _, p, _ in found)} call `{function}()` once for every "
                "row they look at.",
                (f"Write (select {function}(…)) instead of {function}(…).",),
                _snippet(policy, function),
            )


def _is_replaced(policy: CreatePolicy, file: SqlFile, files: list[SqlFile]) -> bool:
    """Tell whether a later file of the same folder drops the policy, to leave it or to write it anew."""
    folder = file.path.rpartition("/")[0]
    drop = re.compile(
        rf'drop\s+policy\s+(?:if\s+exists\s+)?"?{re.escape(policy.name)}"?\s+on\s+(?:\w+\.)?"?'
        rf"{re.escape(policy.table.name)}\b",
        re.IGNORECASE,
    )
    later = (f for f in files if f.path > file.path and f.path.rpartition("/")[0] == folder)
    return any(drop.search(f.text) for f in later if f.role is Role.MIGRATION)


def _snippet(policy: CreatePolicy, function: str) -> str:
    parts = []
    for word, text in (("using", policy.using), ("with check", policy.check)):
        if text:
            parts.append(f"{word} ({text.replace(f'{function}()', f'(select {function}())')})")
    return f"alter policy {quoted(policy.name)} on {quoted(policy.table)}\n  " + "\n  ".join(parts) + ";"
