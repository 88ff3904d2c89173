"""Each step of a migration knows what holds where it runs."""

from __future__ import annotations

import pytest

from neondba.project.facts import Facts
from neondba.project.migration_facts import casts_by_itself, fact_of, is_volatile, narrows
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.project.tree import MemoryTree


def steps(files: dict[str, str]) -> list[Step]:
    return Facts(MemoryTree(files)).get(MigrationSteps).steps


def one(text: str, path: str = "migrations/001_x.sql") -> Step:
    return steps({path: text})[-1]


def test_a_lock_is_held_until_the_transaction_ends() -> None:
    text = "begin;\nalter table a add column b int;\nupdate a set b = 1;\ncommit;\nupdate a set b = 2;"
    _, under, after = steps({"migrations/001_x.sql": text})
    assert under.behind is not None
    assert under.behind.line == 2
    assert under.wrapped
    assert after.behind is None
    assert after.wrapped is False


@pytest.mark.parametrize(
    ("path", "text", "wrapped"),
    [
        ("prisma/migrations/1_x/migration.sql", "create index i on a (b);", False),
        ("prisma/migrations/1_x/migration.sql", "select 1;\ncreate index i on a (b);", True),
        ("supabase/migrations/1_x.sql", "select 1;\ncreate index i on a (b);", True),
        ("db/migrations/1_x.sql", "-- +goose Up\n-- +goose NO TRANSACTION\ncreate index i on a (b);", False),
        ("db/migrations/1_x.sql", "-- migrate:up transaction:false\ncreate index i on a (b);", False),
        ("db/migrations/1_x.sql", "-- migrate:up\ncreate index i on a (b);", True),
        ("migrations/001_x.sql", "create index i on a (b);", None),
    ],
)
def test_tools_wrap_files_in_a_transaction_or_not(path: str, text: str, wrapped: bool | None) -> None:
    assert one(text, path).wrapped is wrapped


def test_a_table_that_was_emptied_or_made_before_is_known() -> None:
    text = "create table a (id int);\ndelete from b;\ncreate index on a (id);\ncreate index on b (id);"
    *_, first, second = steps({"migrations/001_x.sql": text})
    assert (first.fresh, first.emptied) == (True, False)
    assert (second.fresh, second.emptied) == (False, True)


def test_a_partitioned_table_is_known_in_later_files() -> None:
    made = "create table a (id int, at date) partition by range (at);"
    found = steps({"migrations/001_x.sql": made, "migrations/002_x.sql": "create index on a (at);"})
    assert found[-1].partitioned


def test_both_ends_of_a_foreign_key_are_known() -> None:
    text = "create table a (id uuid primary key);\ncreate table b (a_id text references a (id));"
    found = one(text)
    assert (found.kind, found.type, found.ref_type, found.ref_known) == ("reference", "text", "uuid", True)
    assert one("create table b (a_id text references a (id));").ref_known is False


def test_what_is_made_twice_is_known() -> None:
    text = "create table a (id int);\nalter table a add column id int;"
    assert one(text).again == "migrations/001_x.sql:1"
    assert one("drop table if exists a;\ncreate table a (id int);").again == ""


def test_a_primary_key_from_an_index_knows_whether_its_column_may_be_null() -> None:
    made = "create table a (id int {0});\ncreate unique index i on a (id);\n"
    text = made + "alter table a add constraint p primary key using index i;"
    seen = fact_of(one(text.format("")))
    assert seen is not None
    assert seen.id == "add-primary-key-using-index-nullable"
    seen = fact_of(one(text.format("not null")))
    assert seen is not None
    assert seen.id == "add-primary-key-using-index"


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("varchar(10)", "varchar(20)", "alter-type-varchar-wider"),
        ("varchar(20)", "varchar(10)", "alter-type-varchar-narrower"),
        ("varchar(20)", "text", "alter-type-varchar-wider"),
        ("numeric(10, 2)", "numeric(12, 2)", "alter-type-numeric-wider"),
        ("numeric(10, 2)", "numeric(12, 3)", "alter-type-numeric-scale"),
        ("timestamp", "timestamptz", "alter-type-timestamp-to-timestamptz-utc"),
        ("int", "bigint", "alter-type-int-to-bigint"),
        ("cidr", "inet", "alter-type-varchar-unlimited"),
    ],
)
def test_a_change_of_type_has_the_fact_that_was_tried(old: str, new: str, name: str) -> None:
    seen = fact_of(one(f"create table a (b {old});\nalter table a alter b type {new};"))
    assert seen is not None
    assert seen.id == name


@pytest.mark.parametrize(
    ("old", "new", "casts"),
    [
        ("text", "integer", False),
        ("integer", "text", True),
        ("integer", "bigint", True),
        ("character varying(20)", "uuid", False),
        ("json", "jsonb", True),
        ("text", "jsonb", False),
        ("enum", "text", True),
        ("text", "enum", False),
        ("boolean", "integer", False),
        ("vector", "halfvec", True),
    ],
)
def test_only_known_casts_are_said_to_be_missing(old: str, new: str, casts: bool) -> None:
    assert casts_by_itself(old, new) is casts


def test_a_default_is_volatile_when_a_function_in_it_is() -> None:
    assert is_volatile("gen_random_uuid()")
    assert is_volatile("sa.text('uuid_generate_v4()')")
    assert not is_volatile("now()")
    assert not is_volatile("'random'::text")
    assert narrows("text", "character varying(5)")
    assert not narrows("integer", "bigint")
