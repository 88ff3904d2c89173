"""Neon's official command line compares schemas and makes branches without rows, unchanged."""

from __future__ import annotations

import json

import psycopg
import pytest


@pytest.fixture(scope="module")
def neon(official):
    return official.answer


@pytest.fixture(scope="module")
def shop(neon):
    """A project whose branch dev has one column more than main."""
    made = neon("projects", "create", "--name", "shop")
    project = ("--project-id", made["project"]["id"])
    with psycopg.connect(made["connection_uris"][0]["connection_uri"], autocommit=True) as session:
        session.execute("create table items (id int primary key)")
        session.execute("insert into items values (1)")
    dev = neon(*project, "branches", "create", "--name", "dev")
    with psycopg.connect(dev["connection_uris"][0]["connection_uri"], autocommit=True) as session:
        session.execute("alter table items add column name text")
    return project


def test_two_branches_are_compared(neon, shop):
    said = neon(*shop, "branches", "schema-diff", "main", "dev", output="table")
    assert [line for line in said.splitlines() if line[:1] in "+-"][2:] == [
        "-    id integer NOT NULL",
        "+    id integer NOT NULL,",
        "+    name text",
    ]


def test_a_branch_is_compared_with_its_parent(neon, shop):
    (found,) = neon(*shop, "diff", "--branch", "dev")
    assert (found["database"], found["has_changes"]) == ("neondb", True)
    assert "+    name text" in found["diff"]
    said = neon(*shop, "branches", "schema-diff", "dev", "^parent", output="table")
    assert "+    name text" in said


def test_a_schema_only_branch_is_the_same_and_empty(neon, shop):
    made = neon(*shop, "branches", "create", "--name", "bare", "--schema-only", "--parent", "dev")
    assert made["branch"]["init_source"] == "schema-only"
    assert "parent_id" not in made["branch"]
    with psycopg.connect(made["connection_uris"][0]["connection_uri"]) as session:
        assert session.execute("select count(*), max(name) from items").fetchone() == (0, None)
    (found,) = neon(*shop, "diff", "dev", "--branch", "bare")
    assert found["has_changes"] is False


def test_an_anonymized_branch_is_masked_and_marked(neon, shop):
    rule = {"database_name": "neondb", "schema_name": "public", "table_name": "items", "column_name": "name"}
    parent = neon(*shop, "branches", "get", "dev")["id"]
    body = {
        "branch_create": {
            "branch": {"name": "masked", "parent_id": parent},
            "endpoints": [{"type": "read_write"}],
        },
        "masking_rules": [{**rule, "masking_function": "anon.fake_first_name()"}],
        "start_anonymization": True,
    }
    project = shop[1]
    made = neon("api", f"/projects/{project}/branch_anonymized", "-X", "POST", "-d", json.dumps(body))
    branch = made["branch"]["id"]
    with psycopg.connect(made["connection_uris"][0]["connection_uri"]) as session:
        assert session.execute("select count(*) from items").fetchone() == (1,)
    shown = neon("api", f"/projects/{project}/branches/{branch}/anonymized_status")
    assert shown["state"] == "anonymized"
    assert "masked" in neon(*shop, "branches", "list", output="table")
