"""What a project's owner plants in a database must never run as the superuser behind the API."""

from __future__ import annotations

import pytest

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
