"""A migration rewrites a table or rebuilds its indexes while everyone waits.

`VACUUM FULL`, `CLUSTER`, `REINDEX`, `REFRESH MATERIALIZED VIEW` and `SET LOGGED` go through the whole table
under a lock that keeps others out until they end (fact:vacuum-full, fact:cluster, fact:reindex-table,
fact:refresh-materialized-view, fact:set-logged). They are work for a quiet hour, or have a form that lets
others go on.

## Instead

```sql bad path=migrations/020_tidy.sql
vacuum full events;  -- <- finding
```

```sql bad path=migrations/021_index.sql
reindex table events;  -- <- finding
```

```sql good path=migrations/021_index.sql
reindex table concurrently events;
```

```sql bad path=migrations/022_totals.sql
refresh materialized view totals;  -- <- finding
```

```sql good path=migrations/022_totals.sql
refresh materialized view concurrently totals;
```

## When it does not matter

The same migration creates the table or the view, so nobody uses it yet:

```sql good path=migrations/023_totals.sql
create materialized view sums as select 1 as one with no data;
refresh materialized view sums;
create unlogged table imported (id bigint primary key);
alter table imported set logged;
vacuum events;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_facts import fact_of
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.project.sql import SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted, settled, snippet

KINDS = ("vacuum full", "cluster", "reindex", "refresh", "set logged", "set unlogged")
ONLINE = {
    "reindex": "reindex {of} concurrently {table};",
    "refresh": "refresh materialized view concurrently {table};",
}


@rule("NDB618", Category.MIGRATION, Severity.MEDIUM)
@settled
def check(migrations: MigrationSteps, sql: SqlFiles) -> Iterator[Finding]:
    """Find statements that go through a whole table and keep others out."""
    for step in migrations.live(*KINDS):
        seen = fact_of(step)
        if seen is None or not seen.blocks or (step.kind == "refresh" and _new_view(sql, step)):
            continue
        if step.kind == "refresh" and step.concurrently:
            continue
        who = "read or write" if seen.reads_wait else "write to"
        what = f"all of {step.name}" if step.table.name == "…" else f"`{step.table}`"
        yield Finding(
            step.path,
            step.line,
            f"Nobody can {who} {what} until {step.kind.upper()} has gone through every row.",
            _steps(step),
            snippet(step, [_instead(step)]),
        )


def _new_view(sql: SqlFiles, step: Step) -> bool:
    text = sql[step.path].text.lower() if step.path in sql else ""
    return "create materialized view" in text


def _steps(step: Step) -> tuple[str, ...]:
    if step.kind == "refresh":
        return ("Refresh with CONCURRENTLY; the view needs a unique index for it.",)
    if step.kind == "reindex":
        return ("Rebuild with CONCURRENTLY, outside a transaction.",)
    return (
        "Take it out of the migration.",
        "Run it at an hour at which nobody needs the table. Plain VACUUM makes room for new rows, too.",
    )


def _instead(step: Step) -> str:
    of = step.name if step.name in ("table", "index", "database") else "table"
    form = ONLINE.get(step.kind, "vacuum (analyze) {table};")
    return form.format(of=of, table=quoted(step.table))
