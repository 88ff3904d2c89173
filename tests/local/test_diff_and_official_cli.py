"""`neondba branch diff` and Neon's own `neon diff` agree on whether and where branches differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from official_cli import OfficialCli

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.local import launch, platform
from neondba.neon.throwaway import reached

BASE = """
create type mood as enum ('good', 'bad');
create domain short as text check (length(value) < 9);
create sequence numbers;
create table users (id integer primary key, name text, age integer, m mood, s short);
create table days (at date, n integer) partition by range (at);
create table days_25 partition of days for values from ('2025-01-01') to ('2026-01-01');
create function one() returns integer language sql as 'select 1';
create view named as select id, name from users;
create materialized view counted as select count(*) as n from users;
create policy own on users using (name = current_user);
"""
CHANGES = (
    ("create table more (id integer)", "more"),
    ("alter table users alter name set not null", "name"),
    ("alter table users alter age type bigint", "age"),
    ("create index by_name on users (name)", "by_name"),
    ("alter table users add constraint grown check (age > 0)", "grown"),
    ("alter type mood add value 'so-so'", "so-so"),
    ("alter domain short set default 'a'", "short"),
    ("alter sequence numbers increment 5", "INCREMENT BY 5"),
    ("create or replace function one() returns integer language sql as 'select 2'", "select 2"),
    ("alter policy own on users using (true)", "own"),
    ("comment on table users is 'people'", "people"),
    ("grant select on users to public", "users"),
    ("alter table days detach partition days_25", "days_25"),
    ("drop view named", "named"),
    ("create extension hstore", "hstore"),
)


@pytest.fixture
def shop(state: Path) -> Context:
    """A project whose branch dev is a copy of main."""
    ctx = Context(settings=Settings(state_dir=state, project="shop"))
    operations = capabilities.load()
    operations["project.create"].call(ctx, {"name": "shop"})
    execute(ctx, "main", BASE)
    operations["branch.create"].call(ctx, {"name": "dev", "no_checkout": True})
    return ctx


def execute(ctx: Context, branch: str, sql: str) -> None:
    with platform.client(ctx) as client:
        project = client.find_project("shop")
        place = reached(client, project.id, client.find_branch(project, branch))
    with psycopg.connect(place.direct.reveal(), autocommit=True) as session:
        session.execute(sql)


@pytest.fixture
def theirs(state: Path, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Run the official command line; give its JSON."""
    official = OfficialCli(launch.ensure(state), tmp_path)
    yield official.answer
    official.close()


def test_both_tools_find_the_same_changes(shop: Context, theirs: Callable[..., Any]) -> None:
    with platform.client(shop) as client:
        project = client.find_project("shop").id

    def both() -> tuple[Any, str]:
        (found,) = theirs("diff", "--branch", "dev", "--project-id", project)
        ours = capabilities.load()["branch.diff"].call(shop, {"name": "dev"})
        assert bool(ours.differences) == found["has_changes"], (ours.objects, found["diff"])
        lines = [line for line in found["diff"].splitlines() if line[:1] in "+-"]
        return ours, "\n".join(lines)

    assert both()[0].statements == ()
    for change, _ in CHANGES:
        execute(shop, "dev", change)
    ours, said = both()
    assert [word for _, word in CHANGES if word not in said] == []
    assert [word for _, word in CHANGES if word not in ours.as_sql()] == []
    execute(shop, "main", ours.as_sql())
    assert both()[0].objects == ()
