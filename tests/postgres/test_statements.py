"""SQL text becomes statements, whatever stands in the file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neondba.postgres.sql_text import code_only, pieces
from neondba.postgres.statement import AlterTable, CreateIndex, CreatePolicy, CreateTable, Name, RowChange
from neondba.postgres.statements import dialect_of, parse


def kinds(sql: str) -> list[str]:
    return [statement.kind for statement in parse(sql)]


def test_a_broken_statement_does_not_take_the_others_with_it() -> None:
    first, broken, last = parse(
        "create table a (id int);\n\ncreate tabel b (id int);\ncreate table c (id int);"
    )
    assert isinstance(first.action, CreateTable)
    assert (broken.line, broken.error_line) == (3, 3)
    assert "tabel" in (broken.error or "")
    assert isinstance(last.action, CreateTable)
    assert last.line == 4


def test_a_parenthesis_that_is_never_closed_ends_at_the_semicolon() -> None:
    broken, whole = parse("create table a (id int;\nselect 1;")
    assert broken.error
    assert (whole.kind, whole.line, whole.error) == ("SELECT", 2, None)


def test_each_change_and_column_has_its_own_line() -> None:
    created, altered = parse(
        "-- a comment\ncreate table a (\n  id int,\n  owner int\n);\n"
        "alter table a\n  add column b numeric(12, 2),\n  drop column c;\n"
    )
    assert isinstance(created.action, CreateTable)
    assert [(c.name, c.line) for c in created.action.columns] == [("id", 3), ("owner", 4)]
    assert isinstance(altered.action, AlterTable)
    assert [(c.kind, c.line) for c in altered.action.changes] == [("add column", 7), ("drop column", 8)]
    added = altered.action.changes[0].column
    assert added is not None
    assert added.type == "numeric(12,2)"


@pytest.mark.parametrize(
    "sql",
    [
        "\\connect app\nselect 1;",
        "copy a (b) from stdin;\n1; 'x\n\\.\nselect 1;",
        "do $body$ begin perform 1; end $body$;\nselect 1;",
        "create function f() returns int begin atomic select 1; select 2; end;\nselect 1;",
        "select 'a;b', \"c;d\", $$e;f$$ /* ; /* ; */ */ -- ;\n;select 1;",
    ],
)
def test_nothing_inside_a_statement_ends_it(sql: str) -> None:
    statements = parse(sql)
    assert statements[-1].kind == "SELECT"
    assert not any(statement.error for statement in statements)
    assert len(statements) == (1 if sql.startswith("\\") else 2)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from a where b = :name and c = :'other'",
        "select * from a where b = %s and c = %(name)s",
        "select * from a where b = ? limit ?",
        "create table {{ schema }}.a (id int)",
        "insert into ${table} values (1)",
    ],
)
def test_placeholders_are_no_errors(sql: str) -> None:
    assert [s.error for s in parse(sql)] == [None]


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("CREATE TABLE `a` (id INT AUTO_INCREMENT) ENGINE=InnoDB", "MySQL"),
        ("CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT)", "SQLite"),
        ("CREATE TABLE a (b NVARCHAR(20))\nGO\n", "Transact-SQL"),
        ("-- uses `backticks` and ENGINE = x in a comment\nselect 'PRAGMA'", None),
    ],
)
def test_other_languages_are_recognised_outside_comments_and_strings(sql: str, dialect: str | None) -> None:
    assert dialect_of(sql) == dialect


def test_an_index_says_what_it_covers() -> None:
    (statement,) = parse(
        "create unique index concurrently i on s.a (b, lower(c) desc) include (d) where e > 1"
    )
    assert isinstance(statement.action, CreateIndex)
    assert statement.action.columns == ("b", None)
    assert (statement.action.unique, statement.action.concurrently, statement.action.plain) == (
        True,
        True,
        False,
    )
    assert statement.action.table.key == "s.a"


def test_a_policy_tells_which_calls_run_for_each_row() -> None:
    (statement,) = parse("create policy p on a using (auth.uid() = x or (select auth.role()) = 'y')")
    assert isinstance(statement.action, CreatePolicy)
    assert [(c.function, c.wrapped) for c in statement.action.calls] == [
        ("auth.uid", False),
        ("auth.role", True),
    ]


def test_changes_of_rows_inside_with_are_seen() -> None:
    (statement,) = parse("with gone as (delete from a returning id) select * from gone")
    (inside,) = statement.nested
    assert inside.action == RowChange("delete", Name("a"), False)


@given(st.text(alphabet="ab;'\"$-/*\\\n(),é :%{}", max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_cut_without_loss_of_place(sql: str) -> None:
    lines = sql.split("\n")
    for piece in pieces(sql):
        assert sql.startswith(piece.text, piece.offset)
        assert lines[piece.line - 1][:1] is not None
        assert sql.count("\n", 0, piece.offset) == piece.line - 1
    assert len(code_only(sql)) == len(sql)
    parse(sql)


def test_the_statements_of_a_do_block_are_read() -> None:
    text = (
        "do $$ begin\n  if true then\n    alter table a add constraint c check (x > 0);\n"
        "    execute 'create index on a (x)';\n  end if;\nexception when duplicate_object then null;\nend $$;"
    )
    (block,) = parse(text)
    assert [(s.kind, s.line) for s in block.nested] == [("ALTER TABLE", 3), ("CREATE INDEX", 4)]


def test_a_column_without_a_type_is_read() -> None:
    (statement,) = parse("create table a partition of b (c primary key) for values in (1)")
    assert isinstance(statement.action, CreateTable)
    assert [(c.name, c.type) for c in statement.action.columns] == [("c", "")]
