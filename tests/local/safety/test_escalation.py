"""What a project's owner plants in a database must never run as the superuser behind the API."""

from __future__ import annotations

import pytest

from neondba.local.control import dumps

PLANT = """
create schema evil;
create function evil.take() returns text language plpgsql as $$
begin
    if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
        execute 'alter role neondb_owner superuser';
    end if;
    return 'x';
end $$;
create function evil.take_back() returns text language plpgsql as $$
begin
    begin execute 'reset role'; exception when others then null; end;
    begin execute 'set session authorization cloud_admin'; exception when others then null; end;
    return evil.take();
end $$;
"""
SCHEMA = (
    PLANT
    + """
create function evil.format_type(oid, int) returns text language plpgsql as
    $$ begin perform evil.take(); return pg_catalog.format_type($1, $2); end $$;
create function evil.json_build_array(name, name, name) returns json language plpgsql as
    $$ begin perform evil.take(); return pg_catalog.json_build_array($1, $2, $3); end $$;
create table public.person (id int primary key, name text);
"""
)
MASKED = (
    PLANT
    + """
create function evil.trigger() returns trigger language plpgsql as
    $$ begin perform evil.take_back(); return new; end $$;
create type evil.code as enum ('a', 'b');
create function evil.number(evil.code) returns int language plpgsql as
    $$ begin perform evil.take_back(); return 7; end $$;
create cast (evil.code as int) with function evil.number(evil.code) as implicit;
create table public.person (id int primary key, name text, code int unique);
create table public.pet (code evil.code references public.person (code), name text);
insert into public.person values (1, 'Ada', 7);
insert into public.pet values ('a', 'Rex');
create trigger early before update on public.person for each row execute function evil.trigger();
create constraint trigger late after update on public.person deferrable initially deferred
    for each row execute function evil.trigger();
alter table public.person enable always trigger early;
alter table public.person enable always trigger late;
"""
)
RULES = [
    {"database_name": "neondb", "schema_name": "public", "table_name": table, "column_name": column, **how}
    for table, column, how in (
        ("person", "name", {"masking_value": "z"}),
        ("person", "code", {"masking_function": "abs(code)"}),
    )
]


def owner_is_superuser(inside, branch_id):
    with inside.sql(branch_id) as session:
        return session.execute("select rolsuper from pg_roles where rolname = 'neondb_owner'").fetchone()[0]


@pytest.fixture
def made(inside):
    project = inside.project()
    return project["project"]["id"], project["branch"]["id"]


@pytest.mark.shows("roles.superuser")
def test_a_search_path_of_the_database_leads_the_api_to_no_function_of_its_owner(inside, made):
    project_id, branch_id = made
    with inside.sql(branch_id) as session:
        session.execute(SCHEMA)
        session.execute("alter database neondb set search_path = evil, pg_catalog, public")
    query = {"db_name": "neondb", "format": "json"}
    shown = inside.call("getProjectBranchSchema", query=query, project_id=project_id, branch_id=branch_id)
    assert [table["name"] for table in shown["json"]["tables"]] == ["person"]
    assert not owner_is_superuser(inside, branch_id)


def test_settings_of_the_database_do_not_stop_the_api(inside, made):
    project_id, branch_id = made
    with inside.sql(branch_id) as session:
        session.execute("create role reader")
        for setting in ("role = reader", "default_transaction_read_only = on"):
            session.execute(f"alter database neondb set {setting}")
    path = {"project_id": project_id, "branch_id": branch_id}
    inside.call("createProjectBranchRole", {"role": {"name": "writer"}}, **path)
    inside.settled(project_id)
    inside.call("deleteProjectBranchRole", **path, role_name="writer")
    inside.settled(project_id)
    shown = inside.call("getProjectBranchSchema", query={"db_name": "neondb"}, **path)
    assert "PostgreSQL database dump complete" in shown["sql"]
    with inside.sql(branch_id) as session:
        assert not session.execute("select from pg_roles where rolname = 'writer'").fetchall()


@pytest.mark.shows("roles.superuser")
def test_triggers_and_casts_that_masks_run_cannot_become_the_superuser(inside, made):
    project_id, branch_id = made
    with inside.sql(branch_id) as session:
        session.execute(MASKED)
    body = {"branch_create": {"branch": {"name": "masked"}}, "masking_rules": RULES}
    body["start_anonymization"] = True
    masked = inside.call("createProjectBranchAnonymized", body, project_id=project_id)["branch"]["id"]
    inside.settled(project_id)
    status = inside.call("getAnonymizedBranchStatus", project_id=project_id, branch_id=masked)
    assert status["state"] == "anonymized", status
    with inside.sql(masked) as session:
        assert session.execute("select name, code from public.person").fetchall() == [("z", 7)]
    assert not owner_is_superuser(inside, masked)


TYPES = """
create domain evil.word as text check (evil.take_back() = 'x');
create function evil.same(evil.word, int) returns evil.word language sql as 'select $1';
create aggregate evil.last(int) (sfunc = evil.same, stype = evil.word, initcond = 'x');
create function evil.number(int) returns int language plpgsql immutable as
    $$ begin perform evil.take_back(); return 1; end $$;
create table public.part (k evil.word) partition by list (k);
create table public.part_x partition of public.part for values in ('x');
create table public.computed (n int) partition by list ((n + evil.number(1)));
"""
AWKWARD = """
create extension postgres_fdw;
create role owner_without_grants;
grant owner_without_grants to current_user;
create schema shop;
create table shop.item (id int primary key, price int generated always as (id * 2) stored);
create function shop.twice(int) returns int language sql begin atomic select $1 * 2; end;
create server far foreign data wrapper postgres_fdw options (host '127.0.0.1');
create user mapping for public server far options (user 'guest', password 'x');
create foreign table shop.elsewhere (id int) server far;
grant usage on foreign server far to owner_without_grants;
grant create on schema shop to owner_without_grants;
alter table shop.item owner to owner_without_grants;
alter function shop.twice owner to owner_without_grants;
revoke create on schema shop from owner_without_grants;
grant select on shop.item to public;
comment on schema shop is 'what is sold';
comment on extension postgres_fdw is 'elsewhere';
create domain shop.cents as int check (value >= 0);
create view shop.cheap as select * from shop.item where price < 10;
revoke all on function shop.twice from public;
"""


def schema_only(inside, project_id, parent_id):
    body = {
        "branch": {"name": f"bare-{parent_id}", "init_source": "schema-only", "parent_id": parent_id},
        "endpoints": [{"type": "read_write"}],
    }
    branch = inside.call("createProjectBranch", body, project_id=project_id)["branch"]["id"]
    inside.settled(project_id)
    return branch


def test_a_schema_made_again_calls_nothing_as_the_superuser(inside, made):
    project_id, branch_id = made
    with inside.sql(branch_id) as session:
        session.execute(PLANT)
        session.execute(TYPES)
    bare = schema_only(inside, project_id, branch_id)
    with inside.sql(bare) as session:
        assert session.execute("select to_regclass('public.part_x') is not null").fetchone() == (True,)
    assert not owner_is_superuser(inside, bare)


def test_a_schema_made_again_is_the_same_and_leaves_no_role_behind(inside, made):
    project_id, branch_id = made
    for name in ("a=b", "it's \\ far", "postgresql://h/x"):
        body = {"database": {"name": name, "owner_name": "neondb_owner"}}
        inside.call("createProjectBranchDatabase", body, project_id=project_id, branch_id=branch_id)
    inside.settled(project_id)
    with inside.sql(branch_id) as session:
        session.execute(AWKWARD)
    bare = schema_only(inside, project_id, branch_id)
    computes = [inside.plane.computes.start(inside.timeline(each)) for each in (branch_id, bare)]
    for name in ("neondb", "a=b", "it's \\ far", "postgresql://h/x", "postgres"):
        first, second = (dumps.schema(compute, name) for compute in computes)
        assert first == second
    found = []
    for compute in computes:
        with compute.admin() as session:
            members = (
                "select r.rolname, m.rolname from pg_auth_members a"
                " join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member"
            )
            roles = session.execute("select rolname from pg_roles").fetchall()
            found.append((sorted(roles), sorted(session.execute(members).fetchall())))
    assert found[0] == found[1]
