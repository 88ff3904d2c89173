"""Acting as user A against rows of user B shows what protects each table."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from neondba.access.isolation import Request, prove_at
from neondba.access.proofs import proof_of
from neondba.access.results import IsolationProof, Protection
from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem
from neondba.core.proof import Shown
from neondba.core.secret import Secret
from neondba.postgres.connect import connect, trusted
from neondba.postgres.seen import Action

Prove = Callable[..., IsolationProof]
_numbers = count()

TABLE = "create table note (id serial primary key, user_id text not null, body text);"
POLICY = (
    "alter table note enable row level security;"
    "create policy own_notes on note using (user_id = current_setting('app.user_id', true));"
)


@pytest.fixture
def app() -> str:
    """Name a role of this test's own: roles are shared by all databases of the server."""
    return f"app{next(_numbers)}"


def role(name: str, attributes: str = "") -> str:
    return f"create role {name} login {attributes}; grant all on all tables in schema public to {name};"


def owned_by(name: str) -> str:
    return (
        f"grant {name} to current_user; grant create on schema public to {name};"
        f"alter table note owner to {name};"
    )


def only(proof: IsolationProof) -> Protection:
    assert len(proof.tables) == 1
    return proof.tables[0].protection


def said(proof: IsolationProof) -> str:
    return " ".join(proof.tables[0].sentences)


def test_without_a_policy_the_application_is_the_only_protection(prove: Prove, app: str) -> None:
    proof = prove(TABLE + role(app), role=app)
    assert only(proof) is Protection.APPLICATION_ONLY
    assert {a.action for a in proof.tables[0].attempts if a.open} == set(Action)
    assert "the application's filter is the only protection, and it is not proven here" in said(proof)
    assert proof_of(proof).shown is Shown.FAILS


def test_a_policy_that_applies_protects(prove: Prove, app: str) -> None:
    proof = prove(TABLE + POLICY + role(app) + f"revoke truncate on note from {app}", role=app)
    assert only(proof) is Protection.POLICY
    assert said(proof) == "Protected by policy own_notes."
    assert not any(a.open for a in proof.tables[0].attempts)
    assert proof.fix is None
    assert proof_of(proof).shown is Shown.HOLDS


def test_a_role_with_bypassrls_is_named_and_the_way_out_is_proven(prove: Prove, app: str) -> None:
    proof = prove(TABLE + POLICY + role(app, "bypassrls"), role=app)
    assert only(proof) is Protection.BYPASSED
    assert proof.passes_by == "it carries BYPASSRLS"
    assert app in proof.bypassing_roles
    assert f"Policy own_notes exists but does not apply to {app}: it carries BYPASSRLS." in said(proof)
    assert proof.tables[0].with_own_role is Protection.POLICY
    assert "has no BYPASSRLS, the same tries reach no row: the policy itself is right." in said(proof)
    assert proof.summary.endswith("reaches another's rows in 1 of 1 tables: public.note.")
    assert proof_of(proof).lines[-1].text.startswith("No policy binds it: it carries BYPASSRLS.")
    assert "create role app login nobypassrls" in (proof.fix or "")


def test_the_branchs_owner_stands_for_the_application_when_nothing_else_is_known(prove: Prove) -> None:
    proof = prove(TABLE + POLICY)
    assert proof.role.endswith("_owner")
    assert "owner role" in proof.role_chosen
    assert only(proof) is Protection.BYPASSED


@pytest.mark.parametrize("owners_first", [True, False])
def test_the_role_of_database_url_stands_for_the_application(
    prove: Prove, tmp_path: Path, app: str, owners_first: bool
) -> None:
    lines = [
        f"DATABASE_URL_UNPOOLED=postgresql://{app}_migrates:<password>@<host>/shop",
        f"DATABASE_URL=postgresql+psycopg://{app}:<password>@<host>/shop",
    ]
    (tmp_path / ".env.example").write_text("\n".join(lines if owners_first else lines[::-1]))
    proof = prove(TABLE + POLICY + role(app) + f"create role {app}_migrates login bypassrls;")
    assert (proof.role, proof.role_chosen) == (app, "named in .env.example")
    assert only(proof) is Protection.POLICY


def test_the_role_that_env_logs_in_with_goes_before_the_branchs_owner(
    prove: Prove, tmp_path: Path, app: str
) -> None:
    secret = "drawn" + "4Env"
    (tmp_path / ".env.example").write_text('DATABASE_URL=""\n')
    (tmp_path / ".env").write_text(f"DATABASE_URL=postgresql+psycopg://{app}:{secret}@127.0.0.1/shop\n")
    proof = prove(TABLE + POLICY + role(app))
    assert (proof.role, proof.role_chosen) == (app, ".env logs in with it")
    assert only(proof) is Protection.POLICY
    assert secret not in proof.model_dump_json()


def test_a_role_of_the_application_is_preferred_to_the_branchs_owner(
    prove: Prove, url: Secret, tmp_path: Path, app: str
) -> None:
    owner = url.reveal().partition("//")[2].partition("@")[0]
    lines = [f"{key}=postgresql://{name}@<host>/shop" for key, name in (("DIRECT", owner), ("APP", app))]
    (tmp_path / ".env.example").write_text("\n".join(lines))
    assert prove(TABLE + POLICY + role(app)).role == app


def test_an_owner_passes_by_a_policy_that_is_not_forced(prove: Prove, app: str) -> None:
    statements = TABLE + POLICY + role(app) + owned_by(app)
    proof = prove(statements, role=app)
    assert only(proof) is Protection.BYPASSED
    assert "does not force row-level security" in said(proof)
    assert "alter table public.note force row level security;" in (proof.fix or "")


def test_a_forced_policy_binds_the_owner(prove: Prove, app: str) -> None:
    statements = TABLE + POLICY + role(app) + owned_by(app)
    proof = prove(statements + "alter table note force row level security;", role=app)
    assert only(proof) is Protection.POLICY
    assert "may TRUNCATE it, and no policy applies to that" in said(proof)


def test_a_policy_on_a_table_where_it_is_not_enabled_is_named(prove: Prove, app: str) -> None:
    proof = prove(TABLE + POLICY.replace("enable", "disable") + role(app), role=app)
    assert only(proof) is Protection.DISABLED


def test_a_policy_that_lets_everything_through_leaks(prove: Prove, app: str) -> None:
    proof = prove(
        TABLE + POLICY + "create policy all_read on note for select using (true);" + role(app), role=app
    )
    assert only(proof) is Protection.LEAKS
    assert "select" in said(proof)
    assert [a.action for a in proof.tables[0].attempts if a.open] == [Action.SELECT]


def test_rows_read_with_no_user_set_are_named(prove: Prove, app: str) -> None:
    policy = POLICY.replace("using (", "using (current_setting('app.user_id', true) is null or ")
    proof = prove(TABLE + policy + role(app), role=app)
    assert proof.tables[0].without_user
    assert "with no user set at all, rows are read" in said(proof)


def test_a_role_without_privileges_is_kept_out(prove: Prove, app: str) -> None:
    proof = prove(TABLE + f"create role {app} login;", role=app)
    assert only(proof) is Protection.NO_PRIVILEGE


def test_a_policy_that_hides_even_own_rows_shows_nothing(prove: Prove, app: str) -> None:
    proof = prove(TABLE + "alter table note enable row level security;" + role(app), role=app)
    assert only(proof) is Protection.UNCLEAR
    assert proof_of(proof).shown is Shown.NOT_CHECKED


def test_policies_made_for_another_role_are_told_and_the_fix_lets_the_role_have_them(
    prove: Prove, app: str
) -> None:
    policy = POLICY.replace(" using (", f" to {app}_other using (")
    force = "alter table note force row level security;"
    made = TABLE + f"create role {app}_other;" + policy + force + role(app)
    proof = prove(made, role=app)
    assert only(proof) is Protection.UNCLEAR
    assert f"made for {app}_other, which {app} neither is nor inherits" in said(proof)
    assert proof.fix is not None
    assert [line for line in proof.fix.splitlines() if not line.startswith("--")] == [
        f"grant {app}_other to {app} with inherit true;"
    ]
    assert only(prove(proof.fix, role=app)) is Protection.POLICY


def test_a_policy_that_learns_the_user_from_a_token_is_understood(prove: Prove, app: str) -> None:
    proof = prove(
        "create schema auth;"
        "create function auth.user_id() returns text language sql stable as "
        "$$ select current_setting('request.jwt.claims', true)::json ->> 'sub' $$;"
        + TABLE
        + "alter table note enable row level security;"
        "create policy mine on note using (user_id = (select auth.user_id()));"
        + role(app)
        + f"grant usage on schema auth to {app};",
        role=app,
    )
    assert only(proof) is Protection.POLICY


def test_a_tenant_and_rows_below_it_hang_together(prove: Prove, app: str) -> None:
    proof = prove(
        "create table tenant (id uuid primary key default gen_random_uuid(), name text);"
        "create table project (id serial primary key, tenant_id uuid not null references tenant);"
        "create table task (id serial primary key, tenant_id uuid not null references tenant,"
        " project_id int not null references project);"
        "alter table project enable row level security; alter table task enable row level security;"
        "create policy p on project using (tenant_id = current_setting('app.tenant_id', true)::uuid);"
        "create policy t on task using (project_id in (select id from project));" + role(app),
        role=app,
    )
    assert {t.table: t.protection for t in proof.tables} == {
        "public.project": Protection.POLICY,
        "public.task": Protection.POLICY,
    }
    assert proof.without_owner == ("public.tenant",)


def test_an_owner_column_of_another_name_can_be_named(prove: Prove, app: str) -> None:
    statements = "create table letter (id serial primary key, writer text not null);" + role(app)
    proof = prove(statements, role=app, owners=("letter.writer",))
    assert proof.tables[0].owner_column == "writer"


def test_without_owner_columns_there_is_nothing_to_prove(prove: Prove) -> None:
    proof = prove("create table setting (name text primary key)")
    assert not proof.holds
    assert proof_of(proof).shown is Shown.NOT_CHECKED


def test_a_role_that_may_not_log_in_is_acted_as(prove: Prove, app: str) -> None:
    statements = TABLE + POLICY + role(app).replace("login", "nologin")
    assert only(prove(statements, role=app)) is Protection.POLICY


def test_a_missing_role_or_column_is_a_problem(prove: Prove) -> None:
    with pytest.raises(NotFoundProblem, match="no role nobody_here"):
        prove(TABLE, role="nobody_here")
    with pytest.raises(NotFoundProblem, match=r"no column note\.nothing"):
        prove("select 1", owners=("note.nothing",))


def test_an_empty_branch_without_migrations_is_not_checked(ctx: Context, url: Secret, tmp_path: Path) -> None:
    with pytest.raises(NotFoundProblem) as caught:
        prove_at(ctx, tmp_path, url, Request())
    assert caught.value.code == "schema-missing"


def test_every_try_is_undone(prove: Prove, url: Secret, app: str) -> None:
    prove(TABLE + role(app), role=app)
    with connect(url) as session:
        assert session.execute("select count(*) as n from note").fetchone() == {"n": 2}


def test_the_fix_closes_what_was_open(
    prove: Prove, ctx: Context, url: Secret, tmp_path: Path, app: str
) -> None:
    fix = prove(TABLE).fix
    assert fix is not None
    statements = fix.replace("create role app", f"create role {app}").replace(" to app;", f" to {app};")
    with connect(url) as session:
        session.execute(trusted(statements.replace(":'app_password'", "'x'")))
    assert only(prove_at(ctx, tmp_path, url, Request(role=app))) is Protection.POLICY


def test_a_table_between_two_owned_ones_gets_its_rows_in_turn(prove: Prove, app: str) -> None:
    proof = prove(
        "create table org (id serial primary key, owner_id text not null);"
        "create table folder (id serial primary key, org_ref int not null references org);"
        "create table page (id serial primary key, author_id text not null,"
        " folder_ref int not null references folder);" + role(app),
        role=app,
    )
    assert [t.table for t in proof.tables] == ["public.org", "public.page"]
    assert proof.not_seeded == ()
