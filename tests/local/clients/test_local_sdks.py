"""Neon's own libraries for its API, unchanged."""

from __future__ import annotations

import psycopg
import pytest
from neon_api import NeonAPI
from neon_api.exceptions import NeonAPIError


def test_the_typescript_sdk_leads_a_project_through_its_life(node):
    assert node("sdk.mjs") == {
        "diff": True,
        "afterReset": 3,
        "restored": "string",
        "schedule": 1,
        "operations": True,
        "key": "string",
        "missing": "not_found",
        "branches": ["main", "main (old)", "work"],
        "broken": [],
    }


def test_the_api_client_calls_operations_by_name(node):
    assert node("api_client.mjs") == {
        "pooled": True,
        "branches": ["dev", "main"],
        "schema": "string",
        "me": "string",
        "wrong": [404, "project not found"],
        "metrics": ["compute_unit_seconds", "root_branch_bytes_month"],
    }


@pytest.fixture(scope="module")
def python(server):
    return NeonAPI("any-thing", base_url=f"http://127.0.0.1:{server.api_port}/api/v2/")


def settle(python, project_id):
    """Wait as its users do: by asking for the operations."""
    while any(
        each.status.value not in ("finished", "skipped") for each in python.operations(project_id).operations
    ):
        pass


@pytest.mark.shows("getConnectionURI", "getProjectBranchRolePasswordByPost")
def test_neon_api_for_python_leads_a_project_through_its_life(python):
    made = python.project_create(project={"name": "python"})
    project_id = made.project.id
    settle(python, project_id)
    assert python.project(project_id).project.name == "python"
    assert project_id in [each.id for each in python.projects(limit=100).projects]
    python.project_update(project_id, project={"name": "renamed"})
    dev = python.branch_create(project_id, branch={"name": "dev"}, endpoints=[{"type": "read_write"}])
    branch_id = dev.branch.id
    settle(python, project_id)
    (endpoint,) = [each for each in python.endpoints(project_id).endpoints if each.branch_id == branch_id]
    endpoint_id = endpoint.id
    python.branch_update(project_id, branch_id, branch={"name": "work"})
    assert {each.name for each in python.branches(project_id).branches} == {"main", "work"}
    python.role_create(project_id, branch_id, role_name="app")
    settle(python, project_id)
    python.database_create(project_id, branch_id, database={"name": "shop", "owner_name": "app"})
    settle(python, project_id)
    assert {each.name for each in python.databases(project_id, branch_id).databases} == {"neondb", "shop"}
    assert python.role_password_reveal(project_id, branch_id, "app").password
    python.role_password_reset(project_id, branch_id, "app")
    settle(python, project_id)
    python.endpoint_suspend(project_id, endpoint_id)
    settle(python, project_id)
    assert python.endpoint(project_id, endpoint_id).endpoint.current_state.value == "idle"
    python.endpoint_start(project_id, endpoint_id)
    settle(python, project_id)
    uri = python.connection_uri(project_id, "neondb", "neondb_owner").uri
    with psycopg.connect(uri) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    python.database_delete(project_id, branch_id, "shop")
    settle(python, project_id)
    python.role_delete(project_id, branch_id, "app")
    settle(python, project_id)
    python.branch_delete(project_id, branch_id)
    settle(python, project_id)
    assert python.project_delete(project_id).project.id == project_id


def test_neon_api_for_python_shows_the_account(python):
    assert python.me().login
    key = python.api_key_create(key_name="python")
    assert key.id in [each.id for each in python.api_keys()]
    assert python.api_key_revoke(str(key.id)).revoked is True


def test_neon_api_for_python_gets_neons_error(python):
    with pytest.raises(NeonAPIError, match="project not found"):
        python.project("none")
