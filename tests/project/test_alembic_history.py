"""Alembic revisions are ordered, and what is wrong with them is known."""

from __future__ import annotations

from neondba.project.alembic_history import AlembicHistory, History
from neondba.project.facts import Facts
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.project.tree import MemoryTree


def revision(id_: str, down: object, body: str = "pass", back: str = "pass") -> str:
    return (
        f"import sqlalchemy as sa\nfrom alembic import op\n"
        f"\nrevision = {id_!r}\ndown_revision = {down!r}\n\n\n"
        f"def upgrade():\n    {body}\n\n\ndef downgrade():\n    {back}\n"
    )


def history(*revisions: str) -> History:
    files = {f"alembic/versions/r{n}.py": text for n, text in enumerate(revisions)}
    (found,) = Facts(MemoryTree(files)).get(AlembicHistory).histories
    return found


def steps(*revisions: str) -> list[Step]:
    files = {f"alembic/versions/r{n}.py": text for n, text in enumerate(revisions)}
    return Facts(MemoryTree(files)).get(MigrationSteps).steps


def test_parents_come_first_whatever_the_files_are_called() -> None:
    found = history(revision("c", "b"), revision("a", None), revision("b", "a"))
    assert [r.id for r in found.ordered] == ["a", "b", "c"]
    assert [r.id for r in found.heads] == ["c"]
    assert [r.id for r in found.roots] == ["a"]


def test_two_heads_are_joined_by_a_merge() -> None:
    parts = [revision("a", None), revision("b1", "a"), revision("b2", "a")]
    assert len(history(*parts).heads) == 2
    assert [r.id for r in history(*parts, revision("c", ("b1", "b2"))).heads] == ["c"]


def test_lost_parents_circles_and_twins_are_named() -> None:
    assert [(r.id, p) for r, p in history(revision("b", "gone")).missing] == [("b", "gone")]
    assert {r.id for r in history(revision("a", "b"), revision("b", "a")).cycle} == {"a", "b"}
    assert [r.path for r, _ in history(revision("a", None), revision("a", None)).twins] == [
        "alembic/versions/r1.py"
    ]


def test_steps_know_whether_their_revision_made_the_table() -> None:
    body = (
        "op.create_table('a', sa.Column('id', sa.Integer()))\n    op.create_index('i', 'a', ['id'])\n"
        "    op.create_index('j', 'b', ['id'], postgresql_concurrently=True)"
    )
    first, second = (s for s in steps(revision("a", None, body)) if s.kind == "create index")
    assert (first.fresh, first.concurrently) == (True, False)
    assert (second.fresh, second.concurrently) == (False, True)


def test_one_alter_column_may_be_several_steps() -> None:
    body = (
        "op.alter_column('a', 'b', existing_type=sa.String(), type_=sa.String(20), nullable=False, "
        "new_column_name='c')"
    )
    found = [(s.kind, s.old_type, s.type, s.new) for s in steps(revision("a", None, body))]
    assert found == [
        ("alter type", "character varying", "character varying(20)", None),
        ("set not null", None, None, None),
        ("rename column", None, None, "c"),
    ]


def test_executed_sql_has_the_lines_of_the_file() -> None:
    body = 'op.execute("""\n        UPDATE a SET b = 1;\n        ALTER TABLE a\n        DROP COLUMN c""")'
    assert [(s.kind, s.line) for s in steps(revision("a", None, body))] == [
        ("update", 10),
        ("drop column", 12),
    ]


def test_helpers_and_ways_back_are_followed() -> None:
    text = (
        revision("a", None, "helper()", "op.drop_table('b')") + "\n\ndef helper():\n    op.drop_table('a')\n"
    )
    assert [(s.kind, str(s.table), s.forward) for s in steps(text)] == [
        ("drop table", "a", True),
        ("drop table", "b", False),
    ]


def test_batch_operations_name_their_table() -> None:
    body = "with op.batch_alter_table('a') as batch_op:\n        batch_op.drop_column('b')"
    (step,) = steps(revision("a", None, body))
    assert (step.kind, str(step.table), step.name, step.batch) == ("drop column", "a", "b", True)


def test_loops_over_known_lists_are_unrolled() -> None:
    body = (
        "for table in TABLES:\n        op.add_column(table, sa.Column('at', sa.Integer()))\n"
        "    for table, columns in {'c': ['x']}.items():\n"
        "        op.create_index(f'ix_{table}', table, columns)\n\n\nTABLES = ['a', 'b']"
    )
    assert [(s.kind, s.table.name, s.name) for s in steps(revision("a", None, body))] == [
        ("add column", "a", "at"),
        ("add column", "b", "at"),
        ("create index", "c", "ix_c"),
    ]


def test_helpers_are_followed_with_what_they_are_given() -> None:
    body = "more('a', 'x')\n\n\ndef more(table, name):\n    op.drop_column(table, name)"
    assert [(s.kind, s.table.name, s.name) for s in steps(revision("a", None, body))] == [
        ("drop column", "a", "x")
    ]


def test_statements_in_variables_and_f_strings_are_read() -> None:
    body = (
        "table = 'users'\n    bind = op.get_bind()\n"
        "    bind.execute(sa.text(f'update {table} set a = 1'))\n"
        "    op.execute('delete from %s' % table)"
    )
    assert [(s.kind, s.table.name, s.filtered) for s in steps(revision("a", None, body))] == [
        ("update", "users", False),
        ("delete", "users", False),
    ]


def test_expressions_of_sqlalchemy_are_read() -> None:
    body = (
        "users = sa.table('users', sa.column('a'))\n"
        "    op.execute(users.update().values(a=1))\n"
        "    op.execute(sa.delete(users).where(users.c.a == 1))"
    )
    assert [(s.kind, s.table.name, s.filtered) for s in steps(revision("a", None, body))] == [
        ("update", "users", False),
        ("delete", "users", True),
    ]


def test_what_only_another_database_runs_is_left_out() -> None:
    body = (
        "if op.get_bind().dialect.name == 'sqlite':\n        op.drop_table('a')\n"
        "    else:\n        op.drop_table('b')"
    )
    assert [s.table.name for s in steps(revision("a", None, body))] == ["b"]


def test_a_revision_that_doubles_texts_or_nests_loops_is_read_in_no_time() -> None:
    doubled = "\n    ".join(["text = 'x'", *["text = text + text"] * 60, "op.execute(text)"])
    lists = "\n    ".join(
        ["many = [1, 2]", *["many = many + many"] * 60, "for m in many: op.drop_table('a')"]
    )
    nested = "for a in range9:\n        for b in range9:\n            for c in range9:\n                pass"
    values = "\n\n\nrange9 = list((1, 2, 3, 4, 5, 6, 7, 8, 9) + (1, 2, 3, 4, 5, 6, 7, 8, 9))"
    padded = "op.execute('{:>999999999}'.format('x'))"
    calls = "upgrade()\n    upgrade()"
    for body in (doubled, lists, nested + values, padded, calls):
        assert len(steps(revision("a", None, body))) <= 2000
