"""A reset deletes every project, and nothing that connection strings depend on."""

from __future__ import annotations

import pytest

from neondba.core.context import Context
from neondba.core.problem import ConfirmationNeeded, NotFoundProblem
from neondba.core.settings import load
from neondba.local import launch, platform
from neondba.local.operations import local_reset


def over(folder) -> Context:
    return Context(settings=load({"state_dir": folder}, environment={}))


def agreed(ctx: Context, **arguments):
    with pytest.raises(ConfirmationNeeded) as needed:
        local_reset(ctx, **arguments)
    ctx.confirmation = needed.value.facts["hash"]
    return needed.value.facts["plan"]["steps"], local_reset(ctx, **arguments)


def names(ctx: Context) -> list[str]:
    with platform.client(ctx) as client:
        return sorted(project.name for project in client.projects())


@pytest.mark.shows("machine.addresses")
def test_a_reset_deletes_all_projects_and_keeps_the_addresses(state):
    before = launch.ensure(state)
    with platform.client(over(state)) as client:
        client.create_project("shop")
        client.create_project("blog")
    authority = (state / "local" / "tls" / "ca.crt").read_bytes()
    steps, done = agreed(over(state))
    assert "blog, shop" in steps[1]
    assert (done.deleted, done.running) == (("blog", "shop"), True)
    after = launch.status(state)
    assert after is not None
    assert (after.api_port, after.postgres_port) == (before.api_port, before.postgres_port)
    assert (state / "local" / "tls" / "ca.crt").read_bytes() == authority
    assert names(over(state)) == []
    assert list((state / "local" / "branches").iterdir()) == []
    with platform.client(over(state)) as client:
        client.create_project("again")
    assert names(over(state)) == ["again"]


def test_one_project_alone_can_go(state):
    ctx = over(state)
    with platform.client(ctx) as client:
        client.create_project("shop")
        client.create_project("blog")
    steps, done = agreed(ctx, project="shop")
    assert "project shop" in steps[0]
    assert done.deleted == ("shop",)
    assert names(ctx) == ["blog"]
    with pytest.raises(NotFoundProblem, match="shop"):
        local_reset(over(state), project="shop")


def test_a_state_that_no_server_can_read_is_reset_too(state):
    (state / "local" / "layout").write_text("from another time\n")
    (state / "local" / "state.sqlite").write_bytes(b"no database")
    steps, done = agreed(over(state))
    assert "cannot be read" in steps[1]
    assert done.running is False
    assert names(over(state)) == []


def test_a_reset_of_nothing_is_no_trouble(tmp_path):
    steps, done = agreed(over(tmp_path / "never"))
    assert "there is none" in steps[1]
    assert done.deleted == ()
    assert not (tmp_path / "never" / "local").exists()
