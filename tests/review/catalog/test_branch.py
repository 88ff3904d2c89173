"""A review that looks at a branch, live or made from the migrations, through the local Neon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.core.settings import Settings
from neondba.local import launch, platform
from neondba.neon.throwaway import reached
from neondba.postgres.connect import connect, trusted
from neondba.project.database import NO_DATABASE, Database
from neondba.project.facts import Unavailable
from neondba.review.looking import looked_at
from neondba.review.model import Review
from neondba.review.operations import review

SCHEMA = "create table users (id bigint primary key);\ncreate table items (\n  id bigint primary key,\n"
SCHEMA += "  owner_id bigint references users (id)\n);\n"
ENV = """
import os
from alembic import context
from sqlalchemy import create_engine, pool

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """from alembic import op
revision = "0001"
down_revision = None


def upgrade():
    op.execute("create table loose (a int)")


def downgrade():
    op.execute("drop table loose")
"""


@pytest.fixture(scope="module")
def state(prepared: Callable[[], Path]) -> Iterator[Path]:
    made = prepared()
    yield made
    launch.stop(made)


@pytest.fixture
def ctx(state: Path, tmp_path: Path) -> Context:
    (tmp_path / "schema.sql").write_text(SCHEMA)
    return Context(settings=Settings(state_dir=state), folder=tmp_path)


@pytest.fixture(scope="module")
def branch(state: Path) -> str:
    """A live branch with the tables of the schema file, and one more that no file knows."""
    with platform.client(Context(settings=Settings(state_dir=state))) as client:
        made = client.create_project("shop", branch="production")
        with connect(reached(client, made.project.id, made.branch).direct) as session:
            session.execute(trusted(SCHEMA))
            session.execute("create table loose (a int)")
    return "production"


def by_rule(found: Review) -> dict[str, list[tuple[str, int, str]]]:
    said: dict[str, list[tuple[str, int, str]]] = {}
    for finding in found.findings:
        said.setdefault(finding.rule, []).append((finding.path, finding.line, str(finding.evidence.kind)))
    return said


def test_a_live_branch_is_looked_at_and_agrees_with_the_files(ctx: Context, branch: str) -> None:
    found = review(ctx, branch=branch)
    said = by_rule(found)
    assert said["NDB701"] == [("schema.sql", 4, "shown")]
    assert said["NDB740"] == [("database:public.loose", 1, "shown")]
    assert "NDB801" not in said
    assert "branch production of shop" in next(f.evidence.text for f in found.findings if f.rule == "NDB740")
    assert NO_DATABASE not in [gap.missing for gap in found.not_checked]


def test_a_branch_that_is_not_there_is_refused(ctx: Context, branch: str) -> None:
    with pytest.raises(Problem) as caught:
        review(ctx, branch="no-such-branch")
    assert caught.value.code == "branch-not-found"


def test_without_a_branch_the_report_says_in_one_line_what_is_missing(ctx: Context) -> None:
    assert [gap.missing for gap in review(ctx).not_checked].count(NO_DATABASE) == 1


def test_nothing_is_looked_at_where_revisions_are_compared(ctx: Context) -> None:
    looked = looked_at(ctx, ctx.folder, None, compared=True)
    assert isinstance(looked, Unavailable)


def test_the_projects_own_migrations_make_the_schema(ctx: Context) -> None:
    (ctx.folder / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n")
    versions = ctx.folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    (ctx.folder / "alembic" / "env.py").write_text(ENV)
    (versions / "0001_loose.py").write_text(REVISION)
    looked = looked_at(ctx, ctx.folder, None, compared=False)
    assert isinstance(looked, Database)
    assert not looked.used
    assert [t.name for t in looked.tables if not t.has_key] == ["public.loose"]
    with platform.client(ctx) as client:
        assert [p.name for p in client.projects() if p.name.startswith("neondba-look")] == []


def test_a_project_without_migrations_is_reviewed_all_the_same(ctx: Context) -> None:
    looked = looked_at(ctx, ctx.folder, None, compared=False)
    assert isinstance(looked, Unavailable)
    assert "no migrations, in Alembic or in SQL" in str(looked)


def test_sql_migrations_run_in_the_order_of_their_tool(ctx: Context) -> None:
    folder = ctx.folder / "prisma" / "migrations"
    for name, sql in {
        "20231105152632_shops": "create table shops (id bigint primary key);",
        "20241231_orders": "create table orders (id bigint references shops); grant select on orders to app;",
    }.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "migration.sql").write_text(sql)
    looked = looked_at(ctx, ctx.folder, None, compared=False)
    assert isinstance(looked, Database)
    assert [t.name for t in looked.tables] == ["public.orders", "public.shops"]
    assert "app" in looked.roles


def test_a_refused_statement_of_a_migration_is_named(ctx: Context) -> None:
    folder = ctx.folder / "migrations"
    folder.mkdir()
    (folder / "001_shops.sql").write_text("create table shops (id bigint primary key);\n\nselect missing();")
    looked = looked_at(ctx, ctx.folder, None, compared=False)
    assert isinstance(looked, Unavailable)
    assert "migrations/001_shops.sql:3 does not run" in str(looked)


def test_several_histories_are_not_mixed(ctx: Context) -> None:
    for part in ("a", "b"):
        folder = ctx.folder / part / "migrations"
        folder.mkdir(parents=True)
        (folder / "001_shops.sql").write_text("create table shops (id bigint primary key);")
    looked = looked_at(ctx, ctx.folder, None, compared=False)
    assert isinstance(looked, Unavailable)
    assert "2 histories" in str(looked)
