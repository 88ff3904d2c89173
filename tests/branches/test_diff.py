"""What `neondba branch diff` says, on the local Neon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from neon_world import World

from neondba import capabilities
from neondba.branches.difference import BranchDiff, DiffStatement
from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.neon.throwaway import reached
from neondba.postgres.connect import connect, trusted
from neondba.surfaces.options import FORMATS
from neondba.surfaces.render import formats

ODD = "tab\"le é'; drop table x --"
QUOTED = '"tab""le é\'; drop table x --"'


Run = Callable[..., list[Any]]
Diff = Callable[..., BranchDiff]
_numbers = count()


@pytest.fixture(scope="module")
def atlas(world: World) -> Iterator[str]:
    """A project whose default branch has rows; tests change branches of it only."""
    made = world.call("project.create", name="atlas")
    execute(
        world,
        "main",
        "create table users (id integer primary key, name text)",
        "insert into users values (1, 'Ann'), (2, 'Bob')",
        f"create table {QUOTED} (id integer primary key)",
        "create table loose (n integer)",
    )
    yield "atlas"
    with world.client() as client:
        client.delete_project(made.id, hard=True)


def execute(world: World, branch: str, *statements: str) -> list[Any]:
    """Run SQL on a branch."""
    found: list[Any] = []
    with world.client() as client:
        project = client.find_project("atlas")
        place = reached(client, project.id, client.find_branch(project, branch))
    with connect(place.direct) as session:
        for statement in statements:
            cursor = session.execute(trusted(statement))
            found = cursor.fetchall() if cursor.description else []
    return found


@pytest.fixture
def run(world: World, atlas: str) -> Run:
    def do(branch: str, *statements: str) -> list[Any]:
        return execute(world, branch, *statements)

    return do


@pytest.fixture
def diff(world: World, atlas: str) -> Diff:
    def do(name: str, **arguments: Any) -> BranchDiff:
        found = world.call("branch.diff", atlas, name=name, **arguments)
        assert isinstance(found, BranchDiff)
        return found

    return do


@pytest.fixture
def dev(world: World, atlas: str) -> str:
    """A branch of this test alone."""
    name = f"dev-{next(_numbers)}"
    world.call("branch.create", atlas, name=name)
    return name


@pytest.fixture
def other(world: World, atlas: str) -> str:
    """Another one beside it."""
    name = f"other-{next(_numbers)}"
    world.call("branch.create", atlas, name=name)
    return name


def test_a_fresh_branch_is_like_its_parent(dev: str, diff: Diff) -> None:
    found = diff(dev, data="users")
    assert found.differences == 0
    assert found.statements == ()
    assert found.as_text(80).startswith(f"{dev} and main are alike")


def test_the_statements_lead_from_the_base_to_the_branch(dev: str, other: str, run: Run, diff: Diff) -> None:
    run(
        dev,
        "alter table users add email text not null default ''",
        "create index by_name on users (name)",
        "create view named as select id, name from users",
        f"drop table {QUOTED}",
    )
    found = diff(dev)
    assert {(each.kind, each.name, each.change.value) for each in found.objects} >= {
        ("column", "public.users.email", "added"),
        ("index", "public.by_name", "added"),
        ("view", "public.named", "added"),
        ("table", f"public.{QUOTED}", "removed"),
    }
    assert [each.text for each in found.statements if each.destroys] == [f"DROP TABLE public.{QUOTED}"]
    assert "+++ b/view public.named" in found.diff
    run(other, *[each.text for each in found.statements])
    assert diff(dev, base=other).differences == 0


def test_another_base_turns_the_difference_round(dev: str, run: Run, diff: Diff) -> None:
    run(dev, "create table extra (id integer)")
    assert "CREATE TABLE public.extra" in diff(dev, base="main").as_sql()
    assert "DROP TABLE public.extra" in diff("main", base=dev).as_sql()


def test_rows_differ_by_key(dev: str, other: str, run: Run, diff: Diff) -> None:
    run(dev, "update users set name = 'Bobby' where id = 2", "insert into users values (3, 'Cy')")
    run(other, "insert into users values (10, 'Only there')")
    (table,) = diff(dev, base=other, data="users").data
    assert (table.added, table.removed, table.changed) == (1, 1, 1)
    assert {(json.dumps(each.key), each.change.value) for each in table.rows} == {
        ('{"id": 2}', "changed"),
        ('{"id": 3}', "added"),
        ('{"id": 10}', "removed"),
    }


def test_rows_beyond_the_limit_are_counted(dev: str, run: Run, diff: Diff) -> None:
    run(dev, "insert into users select n, 'many' from generate_series(100, 5099) n")
    found = diff(dev, data="users", rows=3)
    assert found.data[0].added == 5000
    assert len(found.data[0].rows) == 3
    assert "and 4997 more" in found.as_text(80)


def test_names_with_quotes_and_sql_in_them_are_compared(dev: str, run: Run, diff: Diff) -> None:
    run(dev, f"alter table {QUOTED} add {QUOTED} text", f"insert into {QUOTED} values (1, 'x')")
    found = diff(dev, data=ODD)
    assert [each.text for each in found.statements] == [
        f"ALTER TABLE public.{QUOTED} ADD COLUMN {QUOTED} text"
    ]
    assert found.data[0].added == 1
    assert found.data[0].not_compared == (ODD,)


def test_a_table_without_a_key_is_refused(diff: Diff) -> None:
    with pytest.raises(ArgumentProblem) as caught:
        diff("main", base="main", data="loose")
    assert caught.value.code == "key-missing"


def test_a_table_that_nobody_has_is_not_found(diff: Diff) -> None:
    with pytest.raises(NotFoundProblem) as caught:
        diff("main", base="main", data="user")
    assert caught.value.hint == "Did you mean users?"


def test_the_past_is_compared_by_lsn_and_by_time(dev: str, run: Run, diff: Diff) -> None:
    (row,) = run(dev, "select pg_current_wal_lsn()::text as lsn")
    moment = datetime.now(UTC).isoformat()
    run(dev, "create table later (id integer primary key)", "insert into users values (9, 'Late')")
    by_lsn = diff(dev, base=dev, base_at=row["lsn"], data="users")
    assert [each.name for each in by_lsn.objects if each.kind == "table"] == ["public.later"]
    assert by_lsn.data[0].added == 1
    by_time = diff(dev, base=dev, base_at=moment)
    assert [each.name for each in by_time.objects if each.kind == "table"] == ["public.later"]


def test_a_branch_without_compute_is_compared_all_the_same(
    world: World, atlas: str, dev: str, run: Run, diff: Diff
) -> None:
    world.call("branch.create", atlas, name="bare", parent=dev, no_compute=True)
    run(dev, "create table after_bare (id integer)")
    assert [each.change.value for each in diff("bare").objects if each.kind == "table"] == ["removed"]
    with world.client() as client:
        names = {each.name for each in client.branches(client.find_project(atlas).id)}
    assert [name for name in names if name.startswith("neondba-")] == []


@pytest.mark.parametrize("point", ["2020-01-01T00:00:00Z", "0/1"])
def test_a_point_before_the_history_is_refused(diff: Diff, point: str) -> None:
    with pytest.raises(ArgumentProblem) as caught:
        diff("main", base="main", at=point)
    assert caught.value.code == "point-outside-history"


def test_sql_says_what_its_statements_do() -> None:
    found = BranchDiff(
        project="atlas",
        database="neondb",
        base="main",
        branch="dev",
        objects=(),
        statements=(
            DiffStatement(
                text="ALTER TYPE public.mood ADD VALUE 'so'",
                object="enum public.mood",
                destroys=False,
                rewrites=False,
                in_transaction=False,
            ),
            DiffStatement(
                text="DROP TABLE public.t",
                object="table public.t",
                destroys=True,
                rewrites=False,
                in_transaction=True,
            ),
        ),
        diff="",
        notes=("Not compared: 1 cast\nDROP TABLE hidden.",),
    )
    assert found.as_sql().splitlines() == [
        "-- Not compared: 1 cast DROP TABLE hidden.",
        "-- commit before what follows",
        "ALTER TYPE public.mood ADD VALUE 'so';",
        "-- destroys data",
        "DROP TABLE public.t;",
    ]


def test_sql_is_a_format_that_every_surface_knows() -> None:
    offered = formats(capabilities.load()["branch.diff"])
    assert "sql" in offered
    assert set(offered) <= set(FORMATS)
