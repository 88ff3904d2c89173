"""Record from real PostgreSQL what statements lock, rewrite and scan.

python scripts/executed_facts.py            writes src/neondba/postgres/executed_facts.json
python scripts/executed_facts.py --check    compares instead
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, Refused, connect, trusted
from neondba.postgres.scratch import scratch_server

FILE = Path(__file__).parents[1] / "src/neondba/postgres/executed_facts.json"

BASE = """
create table owner (id int primary key, name text);
create table item (
    id int not null, owner_id int not null, name varchar(20), label varchar(20), note text,
    price numeric(10, 2), at timestamp, constraint name_known check (name is not null)
);
create unique index item_id on item (id);
create index item_name on item (name);
create type state as enum ('open');
insert into owner select n, 'o' from generate_series(1, 100) n;
insert into item select n, n, 'n', 'l', 'x', 1, '2026-01-01' from generate_series(1, 100) n;
alter table item add constraint old_fk foreign key (owner_id) references owner not valid;
alter table item add constraint old_check check (id > 0) not valid;
create policy everyone on item using (true);
"""

STATEMENTS = {
    "create-index": "create index on item (note)",
    "create-unique-index": "create unique index on item (owner_id)",
    "drop-index": "drop index item_name",
    "reindex-index": "reindex index item_name",
    "add-column": "alter table item add column extra text",
    "add-column-constant-default": "alter table item add column extra int not null default 7",
    "add-column-stable-default": "alter table item add column new timestamptz not null default now()",
    "add-column-volatile-default": "alter table item add column new uuid not null default gen_random_uuid()",
    "add-column-identity": "alter table item add column extra int generated always as identity",
    "add-column-serial": "alter table item add column extra serial",
    "add-column-generated-stored": "alter table item add column new int generated always as (id * 2) stored",
    "add-column-generated-virtual": "alter table item add column new int generated always as (id) virtual",
    "add-column-with-foreign-key": "alter table item add column extra int references owner",
    "add-column-unique": "alter table item add column extra int unique",
    "drop-column": "alter table item drop column note",
    "rename-column": "alter table item rename column note to text",
    "rename-table": "alter table item rename to thing",
    "alter-type-int-to-bigint": "alter table item alter id type bigint",
    "alter-type-varchar-wider": "alter table item alter label type varchar(40)",
    "alter-type-varchar-narrower": "alter table item alter label type varchar(10)",
    "alter-type-varchar-to-text": "alter table item alter label type text",
    "alter-type-text-to-varchar": "alter table item alter note type varchar(100)",
    "alter-type-numeric-wider": "alter table item alter price type numeric(12, 2)",
    "alter-type-numeric-scale": "alter table item alter price type numeric(12, 3)",
    "alter-type-timestamp-to-timestamptz-utc": (
        "set local timezone = 'UTC'; alter table item alter at type timestamptz"
    ),
    "alter-type-timestamp-to-timestamptz-elsewhere": (
        "set local timezone = 'Europe/Berlin'; alter table item alter at type timestamptz"
    ),
    "set-not-null": "alter table item alter note set not null",
    "set-not-null-with-valid-check": "alter table item alter name set not null",
    "drop-not-null": "alter table item alter id drop not null",
    "set-default": "alter table item alter note set default 'y'",
    "add-check": "alter table item add constraint new_check check (id < 1000)",
    "add-check-not-valid": "alter table item add constraint new_check check (id < 1000) not valid",
    "validate-check": "alter table item validate constraint old_check",
    "add-foreign-key": "alter table item add constraint new_fk foreign key (id) references owner",
    "add-foreign-key-not-valid": "alter table item add foreign key (id) references owner not valid",
    "validate-foreign-key": "alter table item validate constraint old_fk",
    "add-unique": "alter table item add constraint new_unique unique (owner_id)",
    "add-unique-using-index": "alter table item add constraint new_unique unique using index item_id",
    "add-primary-key": "alter table item add primary key (id)",
    "add-primary-key-using-index": "alter table item add primary key using index item_id",
    "drop-constraint": "alter table item drop constraint name_known",
    "drop-foreign-key": "alter table item drop constraint old_fk",
    "create-table-with-foreign-key": "create table child (id int references owner)",
    "drop-table": "drop table item",
    "truncate": "truncate item",
    "enable-row-level-security": "alter table item enable row level security",
    "create-policy": "create policy mine on item using (true)",
    "create-trigger": (
        "create trigger same before update on item for each row "
        "execute function suppress_redundant_updates_trigger()"
    ),
    "comment-on-table": "comment on table item is 'thing'",
    "add-enum-value": "alter type state add value 'done'",
    "update-all": "update item set note = 'z'",
    "set-unlogged": "alter table item set unlogged",
    "cluster": "cluster item using item_id",
}
OUTSIDE = {
    "create-index-concurrently": "create index concurrently on item (note)",
    "drop-index-concurrently": "drop index concurrently item_name",
    "reindex-concurrently": "reindex index concurrently item_name",
}
STRENGTH = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
    "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip
LOCKS = "select relation as oid, mode from pg_locks where pid = %s and granted and relation = any(%s)"
TABLES = ("item", "owner")


def main() -> int:
    with scratch_server() as server:
        facts = recorded(server)
    text = json.dumps(facts, indent=1, sort_keys=True) + "\n"
    if "--check" in sys.argv:
        same = json.loads(FILE.read_text(encoding="utf-8")) == facts
        print("same" if same else "different: run scripts/executed_facts.py")
        return 0 if same else 1
    FILE.write_text(text, encoding="utf-8")
    return 0


def recorded(server: Secret) -> dict[str, Any]:
    """Execute everything and give what was seen."""
    with connect(server) as session, connect(server) as other, connect(server) as third:
        session.execute(trusted(BASE))
        statements = {name: inside(session, text) for name, text in STATEMENTS.items()}
        statements |= {name: outside(server, text, other, third) for name, text in OUTSIDE.items()}
        roles = about_roles(session, server)
        version = session.info.parameter_status("server_version")
    return {"server_version": version, "statements": statements, "roles": roles}


def inside(session: Connection, text: str) -> dict[str, Any]:
    """Run a statement in a transaction; look at its locks and files; roll back."""
    oids = _oids(session)
    with session.transaction(force_rollback=True):
        before = _files(session, oids)
        read = _rows_read(session, oids["item"])
        session.execute(trusted(text))
        after = _files(session, oids)
        scanned = _rows_read(session, oids["item"]) > read
        mine = trusted(LOCKS.replace("%s", "pg_backend_pid()", 1))
        held = session.execute(mine, [list(oids.values())]).fetchall()
    locks = {name: _strongest([row["mode"] for row in held if row["oid"] == oids[name]]) for name in TABLES}
    return {"sql": text, "locks": locks, "rewrites": _rewrites(text, before, after), "scans": scanned}


def outside(server: Secret, text: str, writer: Connection, looker: Connection) -> dict[str, Any]:
    """Run a statement outside a transaction, held up by a writer; look at its lock."""
    oids = _oids(looker)
    with connect(server) as session:
        # Made anew, so that a name that was dropped before is there.
        session.execute("create index if not exists item_name on item (name)")
        before = _files(looker, oids)
        pid = session.info.backend_pid
        writer.execute("begin")
        writer.execute("update item set note = note where id = 1")
        runs = threading.Thread(target=session.execute, args=(trusted(text),))
        runs.start()
        modes: list[str] = []
        while "ShareUpdateExclusiveLock" not in modes and runs.is_alive():
            modes += [row["mode"] for row in looker.execute(trusted(LOCKS), [pid, [oids["item"]]])]
        writer.execute("rollback")
        runs.join()
        after = _files(looker, oids)
    locks = {"item": _strongest(modes), "owner": None}
    return {"sql": text, "locks": locks, "rewrites": before["item"] != after["item"], "scans": None}


def about_roles(session: Connection, server: Secret) -> dict[str, bool]:
    """See what passes by row-level security."""
    for text in (
        "create role grp bypassrls nologin", "create role member login in role grp",
        "create role plain login",
        "create role holder login", "create role passer login bypassrls",
        "grant usage on schema public to public",
        "create table secret (id int, who text)", "insert into secret values (1, 'nobody')",
        "create view shown as select * from secret",
        "create view shown_as_caller with (security_invoker) as select * from secret",
        "grant all on secret, shown, shown_as_caller to public", "alter table secret owner to holder",
        "alter table secret enable row level security",
        "create policy mine on secret using (who = current_user)",
        "alter view shown owner to passer",
    ):  # fmt: skip
        session.execute(trusted(text))
    facts = {
        "superuser_passes_by": _sees(session, "select from secret"),
        "bypassrls_passes_by": _sees_as(server, "passer", "select from secret"),
        "bypassrls_is_inherited_through_membership": _sees_as(server, "member", "select from secret"),
        "bypassrls_comes_with_set_role": _sees_as(server, "member", "set role grp; select from secret"),
        "owner_passes_by_without_force": _sees_as(server, "holder", "select from secret"),
        "plain_role_passes_by": _sees_as(server, "plain", "select from secret"),
        "view_of_a_passing_owner_passes_by": _sees_as(server, "plain", "select from shown"),
        "view_with_security_invoker_passes_by": _sees_as(server, "plain", "select from shown_as_caller"),
    }
    session.execute("alter table secret force row level security")
    facts["owner_passes_by_with_force"] = _sees_as(server, "holder", "select from secret")
    facts["truncate_obeys_policies"] = not _allowed_as(server, "plain", "truncate secret")
    session.execute("create role loose login nobypassrls")
    facts["role_made_by_sql_carries_bypassrls"] = bool(
        session.execute("select from pg_roles where rolname = 'loose' and rolbypassrls").rowcount
    )
    return facts


def _oids(session: Connection) -> dict[str, int]:
    found = session.execute("select relname, oid from pg_class where relname = any(%s)", [list(TABLES)])
    return {row["relname"]: row["oid"] for row in found}


def _files(session: Connection, oids: dict[str, int]) -> dict[str, Any]:
    found = session.execute(
        "select oid, pg_relation_filenode(oid) as node from pg_class where oid = any(%s)",
        [list(oids.values())],
    )
    nodes = {row["oid"]: row["node"] for row in found}
    return {name: nodes.get(oid) for name, oid in oids.items()}


def _rewrites(text: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    return not text.startswith(("drop table", "truncate")) and before["item"] != after["item"]


def _rows_read(session: Connection, oid: int) -> int:
    row = session.execute(
        "select coalesce(pg_stat_get_xact_tuples_returned(%s), 0)::int as n", [oid]
    ).fetchone()
    return int(row["n"]) if row else 0


def _strongest(modes: list[str]) -> str | None:
    return max(modes, key=STRENGTH.index, default=None)


def _sees(session: Connection, text: str) -> bool:
    return session.execute(trusted(text)).rowcount == 1


def _sees_as(server: Secret, role: str, text: str) -> bool:
    with connect(Secret(server.reveal().replace("scratch@", f"{role}@"))) as session:
        *before, last = text.split("; ")
        for statement in before:
            session.execute(trusted(statement))
        return _sees(session, last)


def _allowed_as(server: Secret, role: str, text: str) -> bool:
    with connect(Secret(server.reveal().replace("scratch@", f"{role}@"))) as session:
        try:
            with session.transaction(force_rollback=True):
                session.execute(trusted(text))
        except Refused:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
