"""No role that can log in is bound by the policies.

Policies are not asked for a superuser, for a role with BYPASSRLS, nor for the table's owner unless the table
forces it. Roles that Neon's console and API make have BYPASSRLS. Where every login role is one of these, the
policies protect nothing.

## Instead

```sql fault object=public.notes
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
```

```sql repair
create role shop_app login;
grant select, insert, update, delete on notes to shop_app;
```

```sql fault case=owner object=public.notes superuser
create role shop_app login;
create table notes (id bigint primary key, user_id text not null);
alter table notes owner to shop_app;
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
```

```sql repair case=owner superuser
alter table notes force row level security;
```

## When it does not matter

Where a role without login stands for users, and a data API takes it on for each request:

```sql silent case=api
create role authenticated;
create role api login noinherit;
grant authenticated to api;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes to authenticated using (user_id = (select current_setting('app.user')));
grant select on notes to authenticated;
```

Roles that cannot log in, that have BYPASSRLS or that are superusers are bound by nothing; a role with the
rights of the owner is, where the table forces it:

```sql fault case=others object=public.notes says=`batch`&and&`shop_owner`&have&BYPASSRLS
create role team;
create role batch login bypassrls;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
grant select on notes to team, batch;
```

```sql fault case=member object=public.notes superuser
create role team;
create role member login in role team;
create table notes (id bigint primary key, user_id text not null);
alter table notes owner to team;
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
```

```sql repair case=member superuser
alter table notes force row level security;
```

```sql fault case=superuser object=public.notes superuser
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
alter table notes force row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
```

```sql silent case=nothing
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create table drafts (id bigint primary key, user_id text not null);
create policy own on drafts using (user_id = (select current_setting('app.user')));
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Relation, Role
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import counted, listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB447", Category.ISOLATION, Severity.HIGH)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find databases whose policies no login role meets; say it once."""
    roles = database.in_use().roles
    tables = [t for t in database.tables if t.secured and t.name in database.policies]
    if not tables or any(_meets(database, roles[name], t) for t in tables for name in roles):
        return
    reach = [r for r in roles.values() if r.can_login and not r.superuser]
    bypass = [r.name for r in reach if r.bypasses]
    why = f"{listed(bypass)} have BYPASSRLS" if bypass else "those that reach the tables own them"
    yield shown(
        places.table(tables[0].name),
        f"The policies of {counted(len(tables), 'table')}, `{plain(tables[0].name)}` among them, hold "
        f"nobody back: no role that can log in is bound by them, {why}.",
        (
            "Make a role with SQL, not with Neon's console: create role … login.",
            "Grant it what the application needs, and let the application log in with it.",
            "Prove it: neondba isolation prove shows what each role may do with foreign rows.",
        ),
        "create role app login;\ngrant select, insert, update, delete on all tables in schema public to app;",
        seen="; ".join(f"{r.name}: {_passes(r)}" for r in reach),
        database=database,
    )


def _meets(database: Database, role: Role, table: Relation) -> bool:
    """Tell whether policies of a table choose the rows of a role that sessions have."""
    if role.superuser or role.bypasses or not (role.can_login or role.name in database.users):
        return False
    if role.name == table.owner or table.owner in role.has_rights_of:
        return table.forced
    return any(access.role == role.name for access in database.access.get(table.name, ()))


def _passes(role: Role) -> str:
    return "BYPASSRLS" if role.bypasses else "owner, or without a privilege on these tables"
