"""Other PostgreSQL releases, where this machine has them."""

from __future__ import annotations

import os

import pytest

from neondba.core.problem import RemoteProblem
from neondba.local.api.call import Refusal
from neondba.local.computes import settings
from neondba.postgres import binaries

OTHERS = [major for major in binaries.majors() if major != binaries.MAJOR]


def test_the_release_that_neondba_brings_is_always_there():
    assert binaries.majors()[-1] == binaries.find().major == binaries.MAJOR


@pytest.mark.parametrize("version", [14, 19])
@pytest.mark.shows("compute.releases")
def test_a_release_that_the_local_neon_does_not_know_is_refused_with_those_it_has(inside, version):
    body = {"project": {"name": "old", "pg_version": version}}
    with pytest.raises(Refusal, match=f"can run PostgreSQL.*{binaries.MAJOR}") as refused:
        inside.call("createProject", body)
    assert refused.value.status == 400


def test_a_release_that_could_be_installed_is_refused_with_how(inside, monkeypatch):
    monkeypatch.setattr(binaries, "INSTALLED", ("/nowhere/{major}",))
    with pytest.raises(RemoteProblem, match="PostgreSQL 16 is not installed"):
        binaries.find(16)
    with pytest.raises(Refusal, match="apt-get install postgresql-16"):
        inside.call("createProject", {"project": {"name": "old", "pg_version": 16}})


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user may run PostgreSQL 15")
def test_a_release_that_root_cannot_start_is_refused_with_why(inside):
    with pytest.raises(Refusal, match="ordinary user"):
        inside.call("createProject", {"project": {"name": "old", "pg_version": 15}})


@pytest.mark.skipif(not OTHERS, reason="no other PostgreSQL release that this user may run")
@pytest.mark.parametrize("version", OTHERS)
@pytest.mark.shows("compute.releases")
def test_a_project_of_another_release_branches_and_is_read_from(inside, version):
    made = inside.call("createProject", {"project": {"name": "old", "pg_version": version}})
    project_id, branch_id = made["project"]["id"], made["branch"]["id"]
    inside.settled(project_id)
    with inside.sql(branch_id) as connection:
        assert connection.info.server_version // 10_000 == version
        connection.execute("create table kept as select 1 as one")
    child = inside.branch(project_id, "child")["branch"]["id"]
    with inside.sql(child) as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)
    body = {"endpoint": {"branch_id": branch_id, "type": "read_only"}}
    inside.call("createProjectEndpoint", body, project_id=project_id)
    inside.settled(project_id)
    found = inside.call("listProjectOperations", project_id=project_id)["operations"]
    assert {each["status"] for each in found} == {"finished"}


def test_libraries_are_the_endpoints_then_the_projects_then_the_usual():
    own, common = (
        {"preload_libraries": {"enabled_libraries": [name]}} for name in ("auto_explain", "pg_prewarm")
    )
    assert settings.preloaded(common, own) == ["auto_explain"]
    assert settings.preloaded(common, {}) == ["pg_prewarm"]
    assert settings.preloaded({}, {}) == ["pg_stat_statements"]
    both = {"preload_libraries": {"use_defaults": True, "enabled_libraries": ["pg_prewarm"]}}
    assert settings.preloaded(both, {}) == ["pg_stat_statements", "pg_prewarm"]
