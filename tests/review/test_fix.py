"""`review --fix`: what it writes, what it leaves alone, and that nothing is half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from repositories import commit, context, git, write

from neondba.core.context import Context
from neondba.core.operation import find
from neondba.core.plan import Plan
from neondba.core.problem import Problem
from neondba.postgres.scratch import scratch_server
from neondba.review.repair import fixing
from neondba.review.repair.results import Fixed
from neondba.surfaces import cli

ENGINE = """from fastapi import FastAPI
from sqlalchemy import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_size=5)
"""
SAFE = ENGINE.replace("pool_size=5", "pool_size=5, pool_pre_ping=True, pool_recycle=300")
MODELS = """from sqlmodel import Field, SQLModel


class Owner(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)


class Item(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="owner.id")
"""
REVISION = """import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = {parent!r}


def upgrade():
    op.create_table("owner", sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id"))
    op.create_table(
        "item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade():
    op.drop_table("item")
    op.drop_table("owner")
"""
ENV = """import os

from alembic import context
from sqlalchemy import create_engine
from sqlmodel import SQLModel

import app.models

with create_engine(os.environ["URL"]).connect() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "shop"
    place.mkdir()
    commit(place, {"app/db.py": ENGINE, ".gitignore": ".env\n"})
    return place


def fixed(folder: Path, **arguments: object) -> Fixed:
    result = find("fix").call(context(folder, folder.parent / "state"), {"path": ".", **arguments})
    assert isinstance(result, Fixed)
    return result


def versioned(id_: str = "0001") -> dict[str, str]:
    return {
        "app/models.py": MODELS,
        "alembic/versions/0001_start.py": REVISION.format(id=id_, parent=None),
        "alembic/env.py": ENV,
        "alembic.ini": "[alembic]\nscript_location = alembic\n",
    }


def test_safe_edits_are_written_and_the_finding_is_gone(folder: Path) -> None:
    result = fixed(folder, rule=["NDB210"])
    assert (folder / "app/db.py").read_text() == SAFE
    assert [(f.path, f.made) for f in result.files] == [("app/db.py", False)]
    assert ([r.rule for r in result.repaired], result.remaining, result.left) == (["NDB210"], 0, [])
    assert fixed(folder, rule=["NDB210"], allow_dirty=True).files == []


def test_the_words_review_fix_mean_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    state = f"--state-dir={folder.parent / 'state'}"
    assert cli.run(["review", "--fix", "--dry-run", "--rule", "NDB210", state]) == 0
    assert (folder / "app/db.py").read_text() == ENGINE
    assert cli.run(["review", ".", "--fix", "--rule=NDB210", state]) == 0
    assert (folder / "app/db.py").read_text() == SAFE


def test_a_dry_run_shows_the_difference_and_consent_to_it_stays_valid(folder: Path) -> None:
    commit(folder, versioned())
    ctx = context(folder, folder.parent / "state")
    ctx.dry_run = True
    plans = [find("fix").call(ctx, {"path": "."}) for _ in range(2)]
    assert all(isinstance(plan, Plan) for plan in plans)
    assert plans[0].hash == plans[1].hash
    shown = "\n".join(plans[0].steps)
    assert "-engine = create_engine(settings.DATABASE_URL, pool_size=5)\n+engine" in shown
    assert "Create alembic/versions/0002_index_item_owner_id.py" in shown
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.parametrize("state", ["changed", "staged", "new"])
def test_a_file_that_git_could_not_give_back_is_left_alone(folder: Path, state: str) -> None:
    if state == "new":
        (folder / "app/db.py").rename(folder / "app/other.py")
    else:
        write(folder, {"app/db.py": "# mine\n" + ENGINE})
    if state == "staged":
        git(folder, "add", "-A")
    path = folder / "app" / ("other.py" if state == "new" else "db.py")
    before = path.read_text()
    result = fixed(folder, rule=["NDB210"])
    assert (result.files, result.remaining) == ([], 1)
    assert "not committed" in result.left[0].why
    assert path.read_text() == before
    assert fixed(folder, rule=["NDB210"], allow_dirty=True).remaining == 0


def test_without_a_repository_nothing_is_edited_unasked(tmp_path: Path) -> None:
    write(tmp_path / "shop", {"app/db.py": ENGINE})
    result = fixed(tmp_path / "shop", rule=["NDB210"])
    assert result.files == []
    assert "--allow-dirty" in result.left[0].why
    assert fixed(tmp_path / "shop", rule=["NDB210"], allow_dirty=True).remaining == 0


def test_files_of_secrets_ignored_files_and_links_are_not_written(folder: Path) -> None:
    from neondba.project.tree import FolderTree
    from neondba.review.repair.guard import Guard

    write(folder, {".env": "A=1\n", "built.py": "x\n", ".env.example": "A=\n", "key.pem": "x\n"})
    write(folder, {".gitignore": ".env\nbuilt.py\n"})
    (folder / "link.py").symlink_to("app/db.py")
    (folder / "out").symlink_to(folder.parent)
    guard = Guard(folder, FolderTree(folder), dirty=True)
    refused = {
        path: guard.refuses(path)
        for path in (
            ".env", ".env.local", "key.pem", "built.py", "link.py", "out/x.py", "../x.py", "/etc/passwd",
            "node_modules/a.js", ".git/config", ".env.example", "app/db.py", "new.py",
        )
    }  # fmt: skip
    assert [path for path, why in refused.items() if not why] == [".env.example", "app/db.py", "new.py"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_the_mark_at_the_beginning_and_the_mode_stay(folder: Path, mark: bytes) -> None:
    path = folder / "app/db.py"
    path.write_bytes(mark + ENGINE.replace("\n", "\r\n").encode())
    path.chmod(0o750)
    commit(folder, {})
    fixed(folder, rule=["NDB210"])
    assert path.read_bytes() == mark + SAFE.replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o750


def test_a_file_in_another_encoding_is_left_alone(folder: Path) -> None:
    path = folder / "app/db.py"
    path.write_bytes(("# -*- coding: latin-1 -*-\n# Größe\n" + ENGINE).encode("latin-1"))
    commit(folder, {})
    assert "UTF-8" in fixed(folder, rule=["NDB210"]).left[0].why


def test_a_file_that_changes_meanwhile_stops_everything(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(folder, versioned())
    steps = fixing._steps

    def late(*given: object) -> tuple[str, ...]:
        write(folder, {"app/db.py": "# meanwhile\n"})
        return steps(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(fixing, "_steps", late)
    with pytest.raises(Problem) as caught:
        fixed(folder)
    assert caught.value.code == "file-changed"
    assert git(folder, "status", "--porcelain") == "M app/db.py"


def test_a_write_that_fails_leaves_every_file_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(folder, versioned())
    put, written = fixing.put, []

    def full(place: Path, data: bytes) -> None:
        written.append(place)
        if len(written) == 3:
            place = folder / "app" / "db.py" / "no-folder"
        put(place, data)

    monkeypatch.setattr(fixing, "put", full)
    with pytest.raises(Problem) as caught:
        fixed(folder)
    assert caught.value.code == "file-not-written"
    assert len(written) > 3
    assert git(folder, "status", "--porcelain") == ""


def test_a_model_without_one_history_is_left_alone_as_a_whole(folder: Path) -> None:
    files = versioned()
    second = REVISION.format(id="0002", parent=None).replace("owner", "other").replace("item", "thing")
    commit(folder, {**files, "alembic/versions/0002_second.py": second})
    result = fixed(folder, rule=["NDB701"])
    assert result.files == []
    assert "2 heads: merge them first" in result.left[0].why
    assert (folder / "app/models.py").read_text() == MODELS


def test_a_template_that_is_a_program_is_not_run(folder: Path) -> None:
    mark = folder.parent / "ran"
    for number, evil in enumerate(
        ("<% open('{}', 'w') %>", "${{open('{}', 'w')}}", "% for x in open('{}', 'w'):")
    ):
        template = evil.format(mark) + '\n${upgrades if upgrades else "pass"}\n'
        commit(folder, {**versioned(), "alembic/script.py.mako": template}, f"{number}")
        fixed(folder, rule=["NDB701"])
        made = (folder / "alembic/versions/0002_index_item_owner_id.py").read_text()
        assert "Revises: 0001" in made
        assert not mark.exists()
        (folder / "alembic/versions/0002_index_item_owner_id.py").unlink()


def test_names_of_revisions_follow_the_project(folder: Path) -> None:
    files = versioned("3f2a1b0c9d8e")
    files["alembic.ini"] += "file_template = %%(year)d_%%(rev)s-%%(slug)s\n"
    commit(folder, files)
    [name] = [file.path for file in fixed(folder, rule=["NDB701"]).files if file.made]
    head, _, slug = name.removeprefix("alembic/versions/").partition("-")
    year, _, revision = head.partition("_")
    assert (year.isdigit(), len(revision), slug) == (True, 12, "index_item_owner_id.py")
    assert "Revises: 3f2a1b0c9d8e" in (folder / name).read_text()


def test_the_migration_and_the_model_agree_on_a_real_database(folder: Path) -> None:
    commit(folder, versioned())
    fixed(folder, rule=["NDB701"])
    with scratch_server() as url:
        environment = {
            **os.environ,
            "URL": url.reveal().replace("postgresql://", "postgresql+psycopg://"),
            "PYTHONPATH": ".",
        }
        for command in (["upgrade", "head"], ["check"], ["downgrade", "base"], ["upgrade", "head"]):
            done = subprocess.run(
                [sys.executable, "-m", "alembic", *command],
                cwd=folder,
                env=environment,
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


SQL = """create table users (id bigint primary key);
create table items (id bigint primary key, owner_id bigint references users (id));
"""


@pytest.mark.parametrize(
    ("path", "text", "made"),
    [
        ("db/V3__a.sql", SQL, "db/V4__index_items_owner_id.sql"),
        ("migrations/000002_a.up.sql", SQL, "migrations/000003_index_items_owner_id.up.sql"),
        (
            "db/migrations/20990101000000_a.sql",
            f"-- migrate:up\n{SQL}-- migrate:down\n",
            "20990101000001_index_items_owner_id.sql",
        ),
        (
            "migrations/00001_a.sql",
            f"-- +goose Up\n{SQL}-- +goose Down\n",
            "migrations/00002_index_items_owner_id.sql",
        ),
    ],
)
def test_plain_migrations_continue_in_their_own_manner(folder: Path, path: str, text: str, made: str) -> None:
    commit(folder, {path: text})
    result = fixed(folder, rule=["NDB701"])
    names = [file.path for file in result.files]
    assert any(name.endswith(made) for name in names)
    written = (folder / next(name for name in names if name.endswith(made))).read_text()
    assert "create index concurrently items_owner_id_idx on items (owner_id);" in written
    if "migrate:up" in text:
        assert written.startswith("-- migrate:up transaction:false\n")
    if "goose" in text:
        assert written.startswith("-- +goose NO TRANSACTION\n")
    if ".up." in path:
        assert (folder / made.replace(".up.", ".down.")).read_text().startswith("drop index concurrently")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (["migrations/0007_a.sql"], "nothing tells whether its tool allows that"),
        (["supabase/migrations/20250101000000_a.sql"], "nothing tells whether its tool allows that"),
        (["migrations/0007_a.sql", "migrations/atlas.sum"], "atlas migrate"),
        (["db/old/V1__a.sql"], "no longer used"),
        (["schema.sql"], "numbers no files"),
    ],
)
def test_where_a_tool_may_refuse_a_migration_none_is_written(
    folder: Path, files: list[str], why: str
) -> None:
    commit(folder, dict.fromkeys(files, SQL))
    result = fixed(folder, rule=["NDB701"])
    assert result.files == []
    assert why in result.left[0].why


DRIZZLE = """import { integer, pgTable } from "drizzle-orm/pg-core";

export const users = pgTable("users", { id: integer("id").primaryKey() });
export const items = pgTable("items", {
  id: integer("id").primaryKey(),
  ownerId: integer("owner_id").references(() => users.id),
  buyerId: integer("buyer_id").references(() => users.id),
});
"""


def test_drizzle_s_own_tool_is_named_for_what_only_it_can_write(folder: Path) -> None:
    commit(folder, {"web/src/schema.ts": DRIZZLE})
    left = fixed(folder, rule=["NDB701"])
    assert (left.files, left.next) == ([], ["neondba review ."])
    assert "no drizzle.config was found" in left.left[0].why
    commit(
        folder, {"web/drizzle.config.ts": "export default { schema: './src/schema.ts', out: './drizzle' };\n"}
    )
    result = fixed(folder, rule=["NDB701"])
    assert [file.path for file in result.files] == ["web/src/schema.ts"]
    assert "cd web && npx drizzle-kit generate" in result.next
    text = (folder / "web/src/schema.ts").read_text()
    assert text.count('_idx").on(table.') == 2
    assert "import { index, integer, pgTable }" in text


def test_accepted_findings_are_left_alone(folder: Path) -> None:
    find("baseline.write").call(context(folder, folder.parent / "state"), {"path": "."})
    assert fixed(folder).files == []


def test_a_repair_that_breaks_a_file_or_brings_a_finding_is_not_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neondba.review.rules.connections import no_pre_ping

    for new in (
        "engine = create_engine(\n",
        "engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True, echo=True)\n",
    ):

        def edits(path: str, text: str, *_: object, new: str = new, **__: object) -> tuple[object, ...]:
            from neondba.review.finding import Edit

            return (Edit(path, 5, text.split("\n")[4], new.rstrip("\n")),)

        monkeypatch.setattr(no_pre_ping, "with_keywords", edits)
        result = fixed(folder, rule=["NDB210"])
        assert result.files == []
        assert result.left[0].why.startswith("after the repair")
    assert (folder / "app/db.py").read_text() == ENGINE


def test_a_secret_in_the_difference_is_masked(folder: Path, tmp_path: Path) -> None:
    password = "Wq7rTz2K" + "pX9v"
    url = f"postgresql://shop:{password}@ep-old-lake-a4k7x2bq.eu-central-1.aws.neon.tech/shop"
    commit(folder, {"app/db.py": ENGINE.replace("settings.DATABASE_URL", f"'{url}'")})
    ctx: Context = context(folder, tmp_path / "state")
    result = fixed(folder, rule=["NDB210"])
    assert result.files
    assert password not in result.model_dump_json()
    assert password in (folder / "app/db.py").read_text()
    assert password not in str(list(ctx.journal.entries()))
