"""Groups, children, people, shared, public and closed rows: each bound as it was decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from neondba.access.isolation import Request, prove_at
from neondba.access.plan import Asked, planned_at
from neondba.access.plan_results import IsolationPlanned
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, ConflictProblem, NotFoundProblem
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.postgres.connect import connect, trusted
from neondba.postgres.role_profiles import Profile, Wanted, carry_out, planned
from neondba.postgres.scratch import neon_like_database

SCHEMA = """
create table users (id serial primary key, email text not null unique, hashed_password text not null,
    is_superuser boolean not null default false);
create table organization (id serial primary key, name text not null);
create table organization_member (organization_id int not null references organization,
    user_id int not null references users, role text not null default 'member',
    primary key (organization_id, user_id));
create table project (id serial primary key, organization_id int not null references organization,
    created_by int not null references users, name text not null);
create table project_file (id serial primary key, project_id int not null references project, path text);
create table note (id serial primary key, user_id int not null references users, body text,
    is_public boolean not null default false);
create table country (code text primary key);
create table price (id serial primary key, amount int);
create table secret_audit (id serial primary key, what text);
insert into users (email, hashed_password, is_superuser) values
    ('ann@x', '', false), ('bob@x', '', false), ('root@x', '', true);
insert into organization (name) values ('of Ann'), ('of Bob');
insert into organization_member values (1, 1, 'owner'), (2, 2, 'owner');
insert into project (organization_id, created_by, name) values (1, 1, 'of Ann'), (2, 2, 'of Bob');
insert into project_file (project_id, path) values (1, 'a'), (2, 'b');
insert into note (user_id, body, is_public) values (1, 'a', false), (2, 'b', false), (2, 'public b', true);
insert into country values ('DE');
insert into price (amount) values (1);
insert into secret_audit (what) values ('x');
"""
BETTER_AUTH = """
create table "user" (id text primary key, name text not null, email text not null unique,
    "emailVerified" boolean not null, image text,
    "createdAt" timestamptz not null, "updatedAt" timestamptz not null);
create table session (id text primary key, "expiresAt" timestamptz not null, token text not null unique,
    "userId" text not null references "user");
create table account (id text primary key, "accountId" text not null, "providerId" text not null,
    "userId" text not null references "user", password text);
create table verification (id text primary key, identifier text not null, value text not null,
    "expiresAt" timestamptz not null);
create table todo (id serial primary key, "userId" text not null references "user", title text);
"""
CHOSEN = {"public": ("country",), "shared": ("price",), "closed": ("secret_audit",), "admin": "case_admin"}
Asking = Callable[..., object]


ANN, BOB, ROOT = 1, 2, 3


def plan(
    server: Secret, folder: Path, name: str, schema: str, **asked: object
) -> tuple[IsolationPlanned, Secret]:
    """Plan for a folder whose one SQL migration makes the schema."""
    (folder / "migrations").mkdir(parents=True)
    (folder / "migrations" / "001_tables.sql").write_text(schema)
    url = neon_like_database(server, name)
    ctx = Context(settings=Settings(state_dir=folder / "state", step_limit=30))
    return planned_at(ctx, Asked(folder, **asked), url), url  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cases") / "project"


@pytest.fixture(scope="module")
def made(server: Secret, folder: Path) -> tuple[IsolationPlanned, Secret]:
    return plan(server, folder, "cases", SCHEMA, role="case_app", **CHOSEN)


@pytest.fixture(scope="module")
def database(made: tuple[IsolationPlanned, Secret], folder: Path) -> Secret:
    """A database made by the files alone, with the rows of two users and an administrator."""
    with connect(made[1]) as session:
        session.execute("create database applied")
    url = Secret(made[1].reveal().replace("/cases?", "/applied?"))
    with connect(url) as session:
        for path in sorted((folder / "migrations").glob("*.sql")):
            session.execute(trusted(path.read_text()))
    return url


@pytest.fixture
def ask(database: Secret) -> Iterator[Asking]:
    """Run a statement as a user, in the application's role; nothing stays."""
    with psycopg.connect(database.reveal().replace("//cases_owner@", "//case_app@")) as session:

        def run(user: int | None, *statements: str, role: str = "") -> object:
            session.rollback()
            if user is not None:
                session.execute("select set_config('app.user_id', %s, true)", [str(user)])
            for statement in statements:
                cursor = session.execute(trusted(statement))
            if cursor.description is None:
                return cursor.rowcount
            return [row[0] for row in cursor.fetchall()]

        yield run
        session.rollback()


def test_each_kind_of_table_is_told_apart(made: tuple[IsolationPlanned, Secret]) -> None:
    planned = made[0]
    assert {t.table.removeprefix("public."): t.kind for t in planned.tables} == {
        "users": "people",
        "organization": "group",
        "organization_member": "membership",
        "project": "tenant",
        "project_file": "parent",
        "note": "owner",
        "country": "public",
        "price": "shared",
        "secret_audit": "closed",
    }
    assert planned.open_tables == ()
    assert planned.left_by_way_back == ()


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("select name from project order by 1", ["of Ann"]),
        ("select path from project_file order by 1", ["a"]),
        ("select name from organization order by 1", ["of Ann"]),
        ("select user_id from organization_member", [ANN]),
        ("select body from note order by 1", ["a", "public b"]),
        ("select email from users", ["ann@x"]),
        ("select code from country", ["DE"]),
        ("select amount from price", [1]),
    ],
)
def test_a_user_reads_what_is_theirs_their_groups_and_what_is_shown(
    ask: Asking, query: str, seen: list[object]
) -> None:
    assert ask(ANN, query) == seen


def test_without_a_user_only_public_rows_and_sign_in_are_open(ask: Asking) -> None:
    for query in ("project", "project_file", "organization", "organization_member", "price"):
        assert ask(None, f"select * from {query}") == [], query
    assert ask(None, "select code from country") == ["DE"]
    assert ask(None, "select body from note") == ["public b"]
    assert ask(None, "select id from users where email = 'bob@x'") == [BOB]


def test_an_emptied_setting_is_nobody(ask: Asking) -> None:
    setting = "select set_config('app.user_id', '', true)"
    assert ask(None, setting, "select name from project") == []


@pytest.mark.parametrize(
    "statement",
    [
        "insert into note (user_id, body) values (2, 'x')",
        "insert into project (organization_id, created_by, name) values (2, 1, 'x')",
        "insert into project (organization_id, created_by, name) values (1, 2, 'x')",
        "update note set user_id = 2 where user_id = 1",
        "update project set organization_id = 2 where id = 1",
        "insert into project_file (project_id, path) values (2, 'x')",
        "insert into organization_member values (2, 1, 'owner')",
        "update users set is_superuser = true where id = 1",
        "insert into users (email, hashed_password, is_superuser) values ('x@x', '', true)",
        "insert into country values ('FR')",
        "select * from secret_audit",
    ],
)
def test_a_user_cannot_reach_over_or_raise_themselves(ask: Asking, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(ANN, statement)


@pytest.mark.parametrize("table", ["note where user_id = 2", "project where id = 2", "users where id = 2"])
def test_others_rows_are_neither_changed_nor_deleted(ask: Asking, table: str) -> None:
    name, _, where = table.partition(" ")
    assert ask(ANN, f"delete from {name} {where}") == 0
    assert ask(ANN, f"update {name} set id = id {where}") == 0


def test_whoever_founds_a_group_reads_it_back_and_leads_it(ask: Asking) -> None:
    founded = (
        "insert into organization (name) values ('new') returning id",
        "insert into organization_member select max(id), 1, 'owner' from organization",
        "insert into organization_member select max(id), 2, 'member' from organization",
        "select count(*)::int from organization_member",
    )
    assert ask(ANN, *founded) == [3]


def test_an_administrator_reaches_all_and_names_others(ask: Asking) -> None:
    assert ask(ROOT, "select name from project order by 1") == ["of Ann", "of Bob"]
    assert ask(ROOT, "update users set is_superuser = true where id = 1") == 1
    assert ask(None, "update users set hashed_password = 'new' where id = 3") == 1


def test_what_was_chosen_is_remembered(made: tuple[IsolationPlanned, Secret], folder: Path) -> None:
    ctx = Context(settings=Settings(state_dir=folder / "state", step_limit=30))
    with connect(made[1]) as session:
        session.execute("create database again")
    url = Secret(made[1].reveal().replace("/cases?", "/again?"))
    again = planned_at(ctx, Asked(folder), url)
    assert (again.added, again.files, again.role, again.admin) == ((), (), "case_app", "case_admin")


def test_what_cannot_be_told_is_asked_for_at_once(server: Secret, tmp_path: Path) -> None:
    schema = (
        "create table word (id int primary key);"
        "create table mail (id int primary key, sender_id text not null, member_id text not null);"
        "create table part (id int primary key, mail_id int not null references mail);"
    )
    with pytest.raises(ArgumentProblem) as asked:
        plan(server, tmp_path / "project", "unclear", schema)
    assert asked.value.facts["tables"] == ["public.mail", "public.word"]
    assert "--owner mail=sender_id" in (asked.value.hint or "")
    assert sorted(p.name for p in (tmp_path / "project").rglob("*.*")) == ["001_tables.sql"]


def test_better_auths_own_tables_stay_out_of_reach_and_sign_in_works(server: Secret, tmp_path: Path) -> None:
    planned, url = plan(server, tmp_path / "project", "signs_in", BETTER_AUTH, role="todo_app")
    assert {t.kind for t in planned.tables} == {"people", "sign-in", "owner"}
    assert planned.sign_in == "todo_app_sign_in"
    address = url.reveal().replace("//signs_in_owner@", "//{}@")
    with psycopg.connect(address.format("todo_app_sign_in")) as session:
        session.execute(
            "insert into \"user\" values ('ann', 'Ann', 'ann@y', true, null, now(), now()),"
            " ('bob', 'Bob', 'bob@y', true, null, now(), now())"
        )
        session.execute("insert into session values ('s', now(), 'token of ann', 'ann')")
        found = session.execute("select \"userId\" from session where token = 'token of ann'").fetchall()
        assert found == [("ann",)]
        session.commit()
    with psycopg.connect(address.format("todo_app")) as session:
        session.execute("select set_config('app.user_id', 'ann', true)")
        assert session.execute('select id from "user"').fetchall() == [("ann",)]
        session.execute("insert into todo (\"userId\", title) values ('ann', 'x')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select token from session")


def test_policies_of_the_projects_own_stay_and_weaker_ones_give_way(server: Secret, tmp_path: Path) -> None:
    mine = "user_id = (select current_setting('my.user_id', true))"
    schema = (
        "create table note (id int primary key, user_id text not null);"
        "create table page (id int primary key, user_id text not null);"
        "create table item (id int primary key, user_id text not null, open boolean);"
        "alter table note enable row level security; alter table note force row level security;"
        "alter table page enable row level security; alter table item enable row level security;"
        f"create policy own_notes on note using ({mine}) with check ({mine});"
        "create policy own_pages on page using (user_id = current_setting('my.user_id', true));"
        "create policy open_items on item using (open or user_id = current_setting('my.user_id', true));"
    )
    planned, url = plan(server, tmp_path / "project", "own", schema, role="own_app")
    assert planned.setting == "my.user_id"
    kinds = {t.table: t.kind for t in planned.tables}
    assert kinds["public.note"] == kinds["public.item"] == "own policies"
    assert kinds["public.page"] == "owner"
    with connect(url) as session:
        rows = session.execute("select tablename, policyname from pg_policies order by 1, 2").fetchall()
        forced = session.execute("select relforcerowsecurity as f from pg_class where relname = 'item'")
        assert [f["f"] for f in forced] == [True]
    found = [(r["tablename"], r["policyname"]) for r in rows]
    assert ("note", "own_notes") in found
    assert ("item", "open_items") in found
    assert ("page", "own_pages") not in found
    assert planned.left_by_way_back == ()


def test_where_the_projects_own_policies_bind_everything_nothing_is_added(
    server: Secret, tmp_path: Path
) -> None:
    mine = "user_id = (select current_setting('app.user_id', true))"
    schema = (
        "create table note (id int primary key, user_id text not null);"
        "alter table note enable row level security; alter table note force row level security;"
        f"create policy own_notes on note using ({mine}) with check ({mine});"
    )
    planned, _ = plan(server, tmp_path / "project", "settled", schema, role="settled_app")
    assert (planned.added, planned.files) == ((), ())


def test_rights_that_a_role_has_already_are_not_taken_back(server: Secret, tmp_path: Path) -> None:
    schema = (
        "create role granted_app login;"
        "create table note (id int primary key, user_id text not null);"
        "grant select, insert, update, delete on note to granted_app;"
    )
    planned, _ = plan(server, tmp_path / "project", "granted", schema, role="granted_app")
    assert planned.left_by_way_back == ()
    text = (tmp_path / "project" / "migrations" / "002_row_level_security.sql").read_text()
    assert "grant select, insert, update, delete on public.note to granted_app" in text


def test_a_role_that_passes_by_is_refused(server: Secret, tmp_path: Path) -> None:
    schema = "create table note (id int primary key, user_id text not null)"
    with pytest.raises(ConflictProblem) as refused:
        plan(server, tmp_path / "project", "strong", schema, role="strong_owner")
    assert refused.value.code == "role-too-powerful"


def test_a_column_that_is_not_there_is_refused(server: Secret, tmp_path: Path) -> None:
    schema = "create table note (id int primary key, user_id text not null)"
    with pytest.raises(NotFoundProblem) as refused:
        plan(server, tmp_path / "project", "columns", schema, owner=("note=nobody",))
    assert refused.value.code == "owner-column-not-found"


OWNED = """create table users (id serial primary key, email text not null unique,
    hashed_password text not null);
create table note (id serial primary key, user_id int not null references users, body text);
create index on note (user_id);
"""


def logging_in_as(server: Secret, folder: Path, role: str, profile: Profile, name: str) -> Secret:
    """Make a role as `setup` does, before the tables, and let the folder log in with it."""
    url = neon_like_database(server, name)
    with connect(url) as session:
        carry_out(session, planned(session, Wanted(role, profile)))
        session.execute("create table alembic_version (version_num text primary key)")
    folder.mkdir()
    (folder / ".env").write_text(f"DATABASE_URL=postgresql://{role}@127.0.0.1/{name}\n")
    (folder / "migrations").mkdir()
    (folder / "migrations" / "001_tables.sql").write_text(OWNED)
    return url


def test_the_role_that_the_environment_logs_in_with_is_bound_and_kept_off_the_record(
    server: Secret, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    url = logging_in_as(server, folder, "env_app", Profile.APPLICATION, "env_known")
    ctx = Context(settings=Settings(state_dir=tmp_path / "state", step_limit=30))
    made = planned_at(ctx, Asked(folder), url)
    assert (made.role, made.warning, made.holds, made.left_by_way_back) == ("env_app", "", True, ())
    applying = next(n for n, step in enumerate(made.steps) if step.startswith("Apply it"))
    wiring = next(n for n, step in enumerate(made.steps) if "app.user_id" in step)
    assert wiring < applying
    assert "binds at once, for .env logs in as env_app" in made.steps[applying]
    assert not any("role create" in step for step in made.steps)
    with connect(url) as session:
        # What a plan of the role adds now reaches the record no more than the policies let it.
        assert planned(session, Wanted("env_app", Profile.APPLICATION)).statements == ()
        reached = "select has_table_privilege('env_app', 'alembic_version', 'select') as may"
        assert session.execute(trusted(reached)).fetchone() == {"may": False}


def test_another_branchs_role_is_bound_too_once_it_has_what_the_named_one_has(
    server: Secret, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    url = logging_in_as(server, folder, "env_here", Profile.APPLICATION, "env_other")
    ctx = Context(settings=Settings(state_dir=tmp_path / "state", step_limit=30))
    production = (folder / ".env").read_text().replace("env_here", "env_there")
    (folder / ".env.production").write_text(production)
    made = planned_at(ctx, Asked(folder), url)
    said = next(step for step in made.steps if "as env_there of .env.production" in step)
    grant = said[said.index("grant env_here") :].partition(". ")[0]
    with connect(url) as session:
        carry_out(session, planned(session, Wanted("env_there", Profile.APPLICATION)))
        session.execute(trusted(grant))
    (tmp_path / "none").mkdir()
    proof = prove_at(ctx, tmp_path / "none", url, Request(role="env_there"))
    assert proof.holds


@pytest.mark.parametrize(
    ("profile", "role", "says"),
    [
        (Profile.APPLICATION, "env_chosen", "or plan for it: --role env_app_2"),
        (Profile.MIGRATOR, None, "once they are applied, env_migrator reaches no row. Log in as app."),
    ],
)
def test_a_plan_warns_of_a_login_that_its_policies_shut_out(
    server: Secret, tmp_path: Path, profile: Profile, role: str | None, says: str
) -> None:
    folder, name = tmp_path / "project", "env_app_2" if role else "env_migrator"
    url = logging_in_as(server, folder, name, profile, f"{name}_db")
    ctx = Context(settings=Settings(state_dir=tmp_path / "state", step_limit=30))
    made = planned_at(ctx, Asked(folder, role=role), url)
    assert made.role == (role or "app")
    assert says in made.warning
    assert says in made.as_text(100)
    opening = next(step for step in made.steps if "role create" in step)
    assert f"{name} reaches no row from then on" in opening
    wiring = next(n for n, step in enumerate(made.steps) if "app.user_id" in step)
    assert wiring < next(n for n, step in enumerate(made.steps) if step.startswith("Apply it"))
