"""A table lies open to the roles that users have.

They reach the database as themselves, through a data API or a role of the application that policies are
written for, and this table has no row-level security: each of them reaches every row.

## Instead

```sql fault object=public.drafts
create role authenticated;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
create table drafts (id bigint primary key, user_id text not null);
grant select, insert on notes, drafts to authenticated;
```

```sql repair
alter table drafts enable row level security;
create policy own on drafts using (user_id = (select current_setting('app.user')));
```

```sql fault case=application object=public.invoices severity=medium
create role shop_app login;
create table orders (id bigint primary key, tenant_id bigint not null);
alter table orders enable row level security;
create policy own on orders using (tenant_id = (select current_setting('app.tenant')::bigint));
create table invoices (id bigint primary key, tenant_id bigint not null);
grant select, insert, update on orders, invoices to shop_app;
```

```sql repair case=application
alter table invoices enable row level security;
create policy own on invoices using (tenant_id = (select current_setting('app.tenant')::bigint));
```

## When it does not matter

Where only the application reaches the tables and no table has policies; a table without an owner, for a role
of the application; and a privilege that no such role has:

```sql silent case=apart
create role authenticated;
create role shop_app login;
create table drafts (id bigint primary key, user_id text not null);
grant all on drafts to shop_app;
create table countries (code text primary key, name text not null);
alter table countries enable row level security;
create policy everyone on countries for select using (true);
grant select on countries to authenticated;
create table settings (key text primary key, value text);
```

Tables with policies that are not applied, and those with values of a private kind, are reported as that; a
table of nobody's rows is open to the application on purpose; and many tables with one fault are one finding:

```sql silent case=told-elsewhere
create role authenticated;
create table notes (id bigint primary key, user_id text not null);
create policy own on notes using (user_id = (select current_setting('app.user')));
create table cards (id bigint primary key, user_id text not null, credit_card text);
grant select on notes, cards to authenticated;
```

```sql silent case=lookup
create role shop_app login;
create table orders (id bigint primary key, tenant_id bigint not null);
alter table orders enable row level security;
create policy own on orders using (tenant_id = (select current_setting('app.tenant')::bigint));
create table currencies (code text primary key);
grant select on orders, currencies to shop_app;
```

```sql fault case=many object=public.a severity=low
create role anon;
create table a (id bigint primary key);
create table b (id bigint primary key);
create table c (id bigint primary key);
create table d (id bigint primary key);
grant select on a, b, c, d to anon;
```

```sql fault case=mixed object=public.a severity=high
create role anon;
create table a (id bigint primary key, user_id text);
grant select on a to anon;
```

```sql repair case=many
revoke select on a, b, c, d from anon;
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from neondba.project.catalog_objects import Access, Relation
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.project.owners import OWNER
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules._sensitive import sensitive

FEW = 3


@rule("NDB442", Category.ISOLATION, Severity.HIGH, shows="NDB415")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find tables without row-level security that roles of users may read or write."""
    alike: dict[tuple[object, ...], list[Relation]] = defaultdict(list)
    for table in database.tables:
        if table.secured or table.name in database.policies:
            continue
        open_to = _open_to(database, table)
        if open_to and not sensitive(table.columns, open_to):
            roles = tuple(sorted(access.role for access in open_to))
            alike[roles, any(a.can_write for a in open_to), _owner(table) is not None].append(table)
    for tables in alike.values():
        # A few tables were forgotten one by one; many are one decision.
        for group in [tables] if len(tables) > FEW else [[table] for table in tables]:
            yield _finding(database, places, group, _open_to(database, group[0]))


def _open_to(database: Database, table: Relation) -> list[Access]:
    """Give the accesses that policies would have to stand before."""
    owned = _owner(table) is not None
    every = database.access.get(table.name, ())
    return [a for a in every if a.role in database.users or (owned and a.role in database.bound)]


def _owner(table: Relation) -> str | None:
    return next((column for column in table.columns if column.lower() in OWNER), None)


def _finding(database: Database, places: Places, tables: list[Relation], open_to: list[Access]) -> Finding:
    table = tables[0]
    owner, writers = _owner(table), any(access.can_write for access in open_to)
    verbs = "read and change" if writers else "read"
    roles = sorted(access.role for access in open_to)
    names = [plain(each.name) for each in tables]
    # An application may choose the rows itself; nothing chooses them for a data API.
    serious = owner is not None and bool(database.users & set(roles))
    compared = f"Add a policy that compares {owner} with the user." if owner else "Add policies for them."
    return shown(
        places.table(table.name),
        f"Whoever has role {listed(roles)} may {verbs} all rows of {listed(names)}: row-level "
        "security is off.",
        (f"Switch row-level security on for {listed(names)}.", compared),
        "\n".join(f"alter table {each.name} enable row level security;" for each in tables),
        seen=f"relrowsecurity is false for {', '.join(t.name for t in tables)}; {', '.join(roles)} have "
        "privileges on it",
        database=database,
        severity=None if serious else Severity.MEDIUM if owner or writers else Severity.LOW,
    )
