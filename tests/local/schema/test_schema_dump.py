"""A branch's schema, and how it differs from another's."""

from __future__ import annotations

import pytest

from neondba.core.problem import Problem
from neondba.local.api.call import Refusal


@pytest.fixture(scope="module")
def made(inside):
    return inside.project()


@pytest.fixture(scope="module")
def project_id(made):
    return made["project"]["id"]


@pytest.fixture(scope="module")
def shop(inside, made):
    with inside.sql(made["branch"]["id"]) as connection:
        connection.execute("create table owners (id int primary key, name text not null)")
        connection.execute(
            "create table cats (id int primary key, owner_id int references owners (id), nick text unique,"
            " loud text generated always as (upper(nick)) stored)"
        )
    return made["branch"]["id"]


@pytest.fixture(scope="module")
def dev(inside, project_id, shop):
    branch = inside.branch(project_id, "dev")["branch"]["id"]
    with inside.sql(branch) as connection:
        connection.execute("alter table cats add column born date")
    return branch


def schema(inside, project_id, branch_id, **query):
    query.setdefault("db_name", "neondb")
    return inside.call("getProjectBranchSchema", query=query, project_id=project_id, branch_id=branch_id)


def compare(inside, project_id, branch_id, **query):
    query.setdefault("db_name", "neondb")
    path = {"project_id": project_id, "branch_id": branch_id}
    return inside.call("getProjectBranchSchemaComparison", query=query, **path)["diff"]


def test_the_schema_is_what_pg_dump_writes_and_the_same_each_time(inside, project_id, shop):
    text = schema(inside, project_id, shop)["sql"]
    assert text.startswith("--\n-- PostgreSQL database dump\n--\n")
    assert "CREATE TABLE public.cats (" in text
    assert "ALTER TABLE public.cats OWNER TO neondb_owner;" in text
    assert "restrict" not in text
    assert schema(inside, project_id, shop)["sql"] == text


def test_the_schema_as_json_names_columns_and_keys(inside, project_id, shop):
    (cats, owners) = schema(inside, project_id, shop, format="json")["json"]["tables"]
    assert (cats["name"], owners["name"]) == ("cats", "owners")
    assert cats["columns"][3] == {"name": "loud", "type": "text", "nullable": True, "generated": True}
    foreign, primary, unique = cats["constraints"]
    assert foreign["referenced_table"] == {"schema": "public", "table": "owners", "columns": ["id"]}
    assert (primary["type"], primary["columns"]) == ("primary_key", ["id"])
    assert (unique["type"], unique["columns"]) == ("unique", ["nick"])


def test_a_branch_is_compared_with_its_parent(inside, project_id, shop, dev):
    diff = compare(inside, project_id, dev)
    assert diff.startswith("--- a/neondb\n+++ b/neondb\n@@ ")
    changed = [line for line in diff.splitlines()[2:] if line[0] in "+-"]
    assert changed == [
        "-    loud text GENERATED ALWAYS AS (upper(nick)) STORED",
        "+    loud text GENERATED ALWAYS AS (upper(nick)) STORED,",
        "+    born date",
    ]
    assert compare(inside, project_id, dev, base_branch_id=dev) == ""


def test_a_database_that_one_branch_has_differs_from_nothing(inside, project_id, shop, dev):
    body = {"database": {"name": "extra 'db=x", "owner_name": "neondb_owner"}}
    inside.call("createProjectBranchDatabase", body, project_id=project_id, branch_id=dev)
    inside.settled(project_id)
    diff = compare(inside, project_id, dev, db_name="extra 'db=x", base_branch_id=shop)
    assert all(line[0] in "+@-" for line in diff.splitlines())
    assert "+-- PostgreSQL database dump" in diff


WRONG = (
    ({"db_name": "none"}, 404),
    ({"db_name": ""}, 400),
    ({"format": "xml"}, 400),
    ({"lsn": "0/1", "timestamp": "2026-01-01T00:00:00Z"}, 400),
    ({"lsn": "one"}, 400),
    ({"timestamp": "yesterday"}, 400),
    ({"timestamp": "2026-01-01"}, 400),
)


@pytest.mark.parametrize(("query", "status"), WRONG)
def test_what_cannot_be_shown_is_refused(inside, project_id, shop, query, status):
    with pytest.raises(Refusal) as refused:
        schema(inside, project_id, shop, **query)
    assert refused.value.status == status


def test_a_root_branch_has_nothing_to_be_compared_with(inside, project_id, shop):
    with pytest.raises(Refusal, match="base_branch_id is required") as refused:
        compare(inside, project_id, shop)
    assert refused.value.status == 400


def test_the_past_has_the_schema_of_then(inside):
    made = inside.project()
    project_id, branch_id = made["project"]["id"], made["branch"]["id"]
    with inside.sql(branch_id) as connection:
        connection.execute("create table kept (id int)")
        connection.execute("insert into kept values (1)")
        query = "select pg_current_wal_lsn()::text, clock_timestamp()"
        lsn, moment = connection.execute(query).fetchone()
        connection.execute("alter table kept add column later text")
    for point in ({"lsn": lsn}, {"timestamp": moment.isoformat()}):
        text = schema(inside, project_id, branch_id, **point)["sql"]
        assert "CREATE TABLE public.kept" in text
        assert "later" not in text
    diff = compare(inside, project_id, branch_id, base_lsn=lsn)
    assert "+    later text" in diff
    body = {
        "branch": {"name": "bare", "init_source": "schema-only", "parent_lsn": lsn},
        "endpoints": [{"type": "read_write"}],
    }
    bare = inside.call("createProjectBranch", body, project_id=project_id)["branch"]["id"]
    inside.settled(project_id)
    with inside.sql(bare) as connection:
        assert connection.execute("select * from kept").fetchall() == []
        assert [column.name for column in connection.execute("table kept").description] == ["id"]
    assert [path.name for path in inside.plane.branches.folder.glob("schema-*")] == []


def test_a_point_outside_the_history_is_refused(inside, project_id, shop):
    with pytest.raises(Problem, match="outside the history window") as refused:
        schema(inside, project_id, shop, timestamp="2020-01-01T00:00:00Z")
    assert refused.value.http_status == 400


def test_what_a_killed_dump_left_is_swept_at_the_next_start(fresh):
    inside = fresh()
    inside.project()
    left = inside.plane.branches.folder / "schema-left"
    inside.plane.close()
    (left / "data").mkdir(parents=True)
    inside.open()
    assert not left.exists()
