"""Combining two sides of one schema, each case on real databases."""

from __future__ import annotations

from itertools import count

import pytest

from neondba.core.secret import Secret
from neondba.postgres.connect import connect, trusted
from neondba.postgres.ddl.conflict import Conflict, ConflictKind, Side
from neondba.postgres.ddl.reading import schema_of
from neondba.postgres.ddl.schema import Schema, changes
from neondba.postgres.ddl.script import script
from neondba.postgres.ddl.three_way import Merged, three_way

BASE = """
create type mood as enum ('calm', 'wild');
create table plans (id int primary key, name text not null, price int);
create table users (id int primary key, email text, plan_id int references plans, feeling mood);
create view cheap as select id, name from plans where price < 10;
create function double(i int) returns int language sql as 'select i * 2';
"""


class Databases:
    """Databases with the base and more in them."""

    def __init__(self, server: Secret) -> None:
        self._server = server
        self._numbers = count()
        self._known: dict[str, Schema] = {}

    def made(self, more: str) -> tuple[Secret, Schema]:
        """Make one; give its address and schema."""
        name = f"three_way_{next(self._numbers)}"
        with connect(self._server) as session:
            session.execute(trusted(f"create database {name}"))
        url = Secret(self._server.reveal().replace("/postgres?", f"/{name}?"))
        with connect(url) as session:
            session.execute(trusted(BASE + more))
            self._known[more] = schema_of(session)
        return url, self._known[more]

    def schema(self, more: str) -> Schema:
        """Give the schema of one."""
        return self._known.get(more) or self.made(more)[1]


@pytest.fixture(scope="module")
def build(server: Secret) -> Databases:
    return Databases(server)


def merged(build: Databases, ours: str, theirs: str, prefer: dict[str, Side] | None = None) -> Merged:
    """Merge two sides; where they combine, show on our database that the script leads to what was said."""
    found = three_way(build.schema(""), build.schema(ours), build.schema(theirs), prefer)
    if not found.conflicts:
        url, our = build.made(ours)
        with connect(url) as session:
            for statement in script(our, found.schema_).statements:
                session.execute(trusted(statement.text))
            assert changes(schema_of(session), found.schema_) == []
    return found


def told(found: Merged) -> set[tuple[str, ConflictKind, str | None]]:
    return {(c.object, c.kind, c.attribute) for c in found.conflicts}


@pytest.mark.parametrize(
    ("ours", "theirs", "there"),
    [
        ("alter table users add age int", "alter table users add city text",
         ["column public.users.age", "column public.users.city"]),
        ("alter table users alter email set not null", "alter table users alter email set default ''",
         ["column public.users.email"]),
        ("create index on users (email)", "drop view cheap; alter table plans drop price",
         ["index public.users_email_idx"]),
        ("alter type mood add value 'sad'", "alter type mood add value 'glad' before 'wild'",
         ["enum public.mood"]),
        ("alter table users add age int", "alter table users add age int", ["column public.users.age"]),
        ("drop function double", "drop function double", []),
        ("alter table users enable row level security",
         "create policy own on users using (email = current_user)", ["policy public.users.own"]),
        ("create table teams (id int primary key)",
         "create table orders (id int primary key, user_id int references users)",
         ["table public.teams", "table public.orders"]),
        ("grant select on users to public", "grant insert on users to public", ["table public.users"]),
        ("comment on table users is 'ours'", "alter table users set (fillfactor = 70)",
         ["table public.users"]),
    ],
)  # fmt: skip
def test_what_two_sides_did_apart_is_combined(
    build: Databases, ours: str, theirs: str, there: list[str]
) -> None:
    found = merged(build, ours, theirs)
    assert found.conflicts == ()
    assert set(there) <= found.schema_.objects.keys()


CLASHES = [
    ("alter table users alter email set default 'a'", "alter table users alter email set default 'b'",
     ("column public.users.email", ConflictKind.BOTH_CHANGED, "default")),
    ("alter table users add age int", "alter table users add age text",
     ("column public.users.age", ConflictKind.BOTH_ADDED, "type")),
    ("alter table users drop email", "alter table users alter email type varchar(90)",
     ("column public.users.email", ConflictKind.DROPPED_BY_US, None)),
    ("alter table users alter email set not null", "alter table users drop email",
     ("column public.users.email", ConflictKind.DROPPED_BY_THEM, None)),
    ("create index on users (email)", "alter table users drop email",
     ("index public.users_email_idx", ConflictKind.NEEDED_BY_US, None)),
    ("alter table users drop email", "create view mail as select email from users",
     ("view public.mail", ConflictKind.NEEDED_BY_THEM, None)),
    ("drop table users", "alter table users add age int",
     ("table public.users", ConflictKind.DROPPED_BY_US, None)),
    ("alter table users add age int; create index on users (age)", "drop table users",
     ("table public.users", ConflictKind.DROPPED_BY_THEM, None)),
    ("create or replace view cheap as select id, name from plans where price < 5",
     "create or replace view cheap as select id, name from plans where price < 7",
     ("view public.cheap", ConflictKind.BOTH_CHANGED, "definition")),
    ("create or replace function double(i int) returns int language sql as 'select i + i'",
     "create or replace function double(i int) returns int language sql as 'select 2 * i'",
     ("function public.double(integer)", ConflictKind.BOTH_CHANGED, "definition")),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "clash"), CLASHES)
def test_what_two_sides_want_differently_is_a_conflict(
    build: Databases, ours: str, theirs: str, clash: tuple[str, ConflictKind, str | None]
) -> None:
    assert told(merged(build, ours, theirs)) == {clash}


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("ours", "theirs", "clash"), CLASHES)
def test_a_conflict_is_settled_by_the_side_that_is_preferred(
    build: Databases, ours: str, theirs: str, clash: tuple[str, ConflictKind, str | None], side: Side
) -> None:
    found = merged(build, ours, theirs, {"*": side})
    assert found.conflicts == ()
    schema = build.schema(ours if side is Side.OURS else theirs)
    value, wanted = found.schema_.compared.get(clash[0]), schema.compared.get(clash[0])
    assert (value and value.seen) == (wanted and wanted.seen)


def test_each_conflict_is_said_with_the_names_of_the_branches() -> None:
    for kind in ConflictKind:
        conflict = Conflict(object="column public.users.email", kind=kind, ours="1", theirs="2", count=3)
        assert "production" in conflict.sentence("production", "feature-x")
