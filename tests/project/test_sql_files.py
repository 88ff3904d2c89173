"""SQL files are sorted by what they are for."""

from __future__ import annotations

import pytest

from neondba.project.facts import Facts
from neondba.project.sql import Role, SqlFiles
from neondba.project.tree import MemoryTree

CREATE = "create table a (id int primary key);\n"


def files(**named: str) -> SqlFiles:
    return Facts(MemoryTree({k.replace("__", "/").replace("_dot_", "."): v for k, v in named.items()})).get(
        SqlFiles
    )


@pytest.mark.parametrize(
    ("path", "text", "role"),
    [
        ("supabase/migrations/20240101_a.sql", CREATE, Role.MIGRATION),
        ("db/V1__a.sql", CREATE, Role.MIGRATION),
        ("schema.sql", CREATE, Role.SCHEMA),
        ("db/dump.sql", "--\n-- PostgreSQL database dump\n--\n" + CREATE, Role.DUMP),
        ("supabase/seed.sql", "insert into a values (1);", Role.SEED),
        ("tests/data/a.sql", CREATE, Role.TEST),
        ("queries/report.sql", "-- create table is not what this does\nselect 1;", Role.QUERY),
    ],
)
def test_the_place_and_the_text_tell_the_role(path: str, text: str, role: Role) -> None:
    assert Facts(MemoryTree({path: text})).get(SqlFiles)[path].role is role


@pytest.mark.parametrize(
    ("path", "text", "tool"),
    [
        ("supabase/migrations/1_a.sql", CREATE, "Supabase"),
        ("prisma/migrations/1_init/migration.sql", CREATE, "Prisma"),
        ("migrations/1_a.sql", "-- +goose Up\n" + CREATE, "goose or dbmate"),
        ("migrations/1_a.up.sql", CREATE, "up and down files"),
        ("migrations/1_a.sql", CREATE, None),
    ],
)
def test_the_tool_that_runs_a_migration_is_known(path: str, text: str, tool: str | None) -> None:
    assert Facts(MemoryTree({path: text})).get(SqlFiles)[path].tool == tool


def test_migrations_run_in_the_order_of_their_numbers() -> None:
    found = files(
        migrations__2_b_dot_sql=CREATE, migrations__10_c_dot_sql=CREATE, migrations__1_a_dot_sql=CREATE
    )
    (history,) = found.histories
    assert [f.path for f in history.files] == [
        "migrations/1_a.sql",
        "migrations/2_b.sql",
        "migrations/10_c.sql",
    ]


@pytest.mark.parametrize(
    ("others", "paths"),
    [
        (
            {"prisma/migrations/migration_lock.toml": 'provider = "postgresql"'},
            [
                "prisma/migrations/20230105152632_y/migration.sql",
                "prisma/migrations/20241231_x/migration.sql",
            ],
        ),
        ({}, ["supabase/migrations/20230105_y.sql", "supabase/migrations/202401_x.sql"]),
        ({}, ["migrations/2_b.up.sql", "migrations/10_c.up.sql"]),
        (
            {"drizzle/meta/_journal.json": '{"entries": [{"tag": "0001_last"}, {"tag": "0000_first"}]}'},
            ["drizzle/0001_last.sql", "drizzle/0000_first.sql", "drizzle/0002_not_listed.sql"],
        ),
        (
            {"supabase/migrations/meta/_journal.json": '{"entries": [{"tag": "0001_last"}]}'},
            ["supabase/migrations/0000_by_hand.sql", "supabase/migrations/0001_last.sql"],
        ),
    ],
    ids=["Prisma", "Supabase", "numbers", "Drizzle's journal", "Supabase, written by Drizzle"],
)
def test_migrations_run_in_the_order_of_their_tool(others: dict[str, str], paths: list[str]) -> None:
    tree = MemoryTree(others | dict.fromkeys(reversed(paths), CREATE))
    (history,) = Facts(tree).get(SqlFiles).histories
    assert [f.path for f in history.files] == paths


def test_the_way_back_is_kept_apart() -> None:
    found = files(
        migrations__1_a_dot_sql="-- migrate:up\n" + CREATE + "-- migrate:down\ndrop table a;\n",
        migrations__2_b_dot_down_dot_sql="drop table b;",
    )
    one, two = found.values()
    assert ([s.kind for s in one.statements], [s.kind for s in one.down]) == (
        ["CREATE TABLE"],
        ["DROP TABLE"],
    )
    assert ([s.kind for s in two.statements], [s.kind for s in two.down]) == ([], ["DROP TABLE"])


def test_broken_statements_and_files_in_other_dialects_are_reported() -> None:
    facts = Facts(
        MemoryTree(
            {
                "migrations/1_a.sql": CREATE + "create tabel b (id int);\n",
                "migrations/2_b.sql": "CREATE TABLE `b` (id INT AUTO_INCREMENT);\n",
            }
        )
    )
    facts.get(SqlFiles)
    broken, other = facts.unparsed()
    assert (broken.path, broken.line) == ("migrations/1_a.sql", 2)
    assert other.path == "migrations/2_b.sql"
    assert "not read as PostgreSQL" in other.reason
