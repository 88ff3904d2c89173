"""Each revision goes up, down and up on a real server, and what was seen is said."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from neondba.core.proof import Shown
from neondba.migrations.proofs import proof_of
from neondba.migrations.results import Direction, Outcome, Rehearsal, Reversibility
from neondba.postgres.connect import Connection

Rehearse = Callable[..., Rehearsal]
CREATE = ("create table item (id int primary key, name text)", "drop table item")


def last(rehearsal: Rehearsal) -> tuple[Reversibility, str]:
    step = rehearsal.steps[-1]
    return step.reversibility, " ".join(step.sentences)


def test_a_revision_that_comes_back_whole_is_reversible(rehearse: Rehearse) -> None:
    result = rehearse(CREATE, ("alter table item add column note text", "alter table item drop column note"))
    assert [s.reversibility for s in result.steps] == [Reversibility.REVERSIBLE] * 2
    assert "all 3 rows from before survived" in last(result)[1]
    assert [r.direction for r in result.steps[1].runs] == [Direction.UP, Direction.DOWN, Direction.UP_AGAIN]
    assert all(r.outcome is Outcome.DONE and r.seconds > 0 for s in result.steps for r in s.runs)
    assert proof_of(result).shown is Shown.HOLDS


def test_lost_values_are_named_with_table_column_and_number(rehearse: Rehearse) -> None:
    result = rehearse(CREATE, ("alter table item drop column name", "alter table item add column name text"))
    kind, said = last(result)
    assert kind is Reversibility.LOSES_DATA
    assert "2 of 2 values of public.item.name are gone" in said
    assert result.steps[-1].losses[0].lost == 2
    assert proof_of(result).shown is Shown.FAILS


def test_a_deleted_row_is_named(rehearse: Rehearse) -> None:
    kind, said = last(rehearse(CREATE, ("delete from item where name is null", "select 1")))
    assert kind is Reversibility.LOSES_DATA
    assert "1 of 3 rows of public.item are gone" in said


def test_a_renamed_column_loses_nothing(rehearse: Rehearse) -> None:
    result = rehearse(
        CREATE,
        ("alter table item rename name to title", "alter table item rename title to name"),
    )
    assert last(result)[0] is Reversibility.REVERSIBLE


def test_an_empty_downgrade_is_irreversible(rehearse: Rehearse) -> None:
    result = rehearse(CREATE, ("alter table item add column note text", "py:pass"), CREATE_OTHER)
    assert result.steps[1].reversibility is Reversibility.IRREVERSIBLE
    assert "has a downgrade that does nothing" in result.steps[1].sentences[0]
    assert result.steps[2].reversibility is Reversibility.REVERSIBLE


CREATE_OTHER = ("create table other (id int)", "drop table other")


def test_an_empty_downgrade_of_a_change_of_data_is_irreversible(rehearse: Rehearse) -> None:
    assert last(rehearse(CREATE, ("update item set name = 'x'", "py:pass")))[0] is Reversibility.IRREVERSIBLE


def test_a_downgrade_that_refuses_is_irreversible(rehearse: Rehearse) -> None:
    result = rehearse(CREATE, ("drop table item", "py:raise NotImplementedError"), CREATE_OTHER)
    assert result.steps[1].reversibility is Reversibility.IRREVERSIBLE
    assert "there is no way back" in result.steps[1].sentences[0]
    assert result.steps[2].reversibility is Reversibility.REVERSIBLE


def test_what_a_downgrade_leaves_behind_is_named_and_the_next_revision_still_runs(rehearse: Rehearse) -> None:
    result = rehearse(
        (
            "create type mood as enum ('good'); create table pet (id int primary key, mood mood)",
            "drop table pet",
        ),
        CREATE_OTHER,
    )
    first = result.steps[0]
    assert first.reversibility is Reversibility.IRREVERSIBLE
    assert "enum type public.mood is left over" in " ".join(first.sentences)
    assert "The second upgrade fails" in " ".join(first.sentences)
    assert first.differences[0].name == "public.mood"
    assert result.steps[1].reversibility is Reversibility.REVERSIBLE


def test_a_failing_downgrade_says_what_the_server_said(rehearse: Rehearse) -> None:
    result = rehearse(
        CREATE, ("alter table item add note text", "alter table item drop nothing"), CREATE_OTHER
    )
    assert result.steps[1].reversibility is Reversibility.IRREVERSIBLE
    assert 'column "nothing" of relation "item" does not exist' in result.steps[1].sentences[0]
    assert result.steps[2].reversibility is Reversibility.REVERSIBLE


def test_a_half_done_downgrade_is_recovered_from_scratch(rehearse: Rehearse) -> None:
    half = """py:
with op.get_context().autocommit_block():
    op.execute("alter table item drop column note")
    op.execute("alter table item drop column nothing")
"""
    result = rehearse(CREATE, ("alter table item add note text", half), CREATE_OTHER)
    assert result.steps[1].reversibility is Reversibility.IRREVERSIBLE
    assert result.steps[2].reversibility is Reversibility.REVERSIBLE
    assert result.skipped == ()


def test_an_upgrade_that_fails_stops_the_rehearsal_and_names_the_rest(rehearse: Rehearse) -> None:
    result = rehearse(CREATE, ("create table item (id int)", "select 1"), CREATE_OTHER)
    kind, said = last(result)
    assert kind is Reversibility.FAILS
    assert 'relation "item" already exists' in said
    assert result.skipped == ("r3",)
    assert "r3  NOT REACHED" in result.as_text(100)


def test_an_upgrade_that_stops_on_rows_is_tried_on_empty_tables(rehearse: Rehearse) -> None:
    result = rehearse(
        CREATE,
        ("alter table item add column size int not null", "alter table item drop column size"),
        CREATE_OTHER,
    )
    step = result.steps[1]
    assert step.reversibility is Reversibility.FAILS
    assert "stops on tables with rows" in step.sentences[0]
    assert "On empty tables it passes." in step.sentences
    assert result.steps[2].reversibility is Reversibility.REVERSIBLE


def test_an_upgrade_that_stops_on_nulls_says_so(rehearse: Rehearse) -> None:
    result = rehearse(
        CREATE,
        ("alter table item alter name set not null", "alter table item alter name drop not null"),
    )
    step = result.steps[1]
    assert step.reversibility is Reversibility.DEPENDS
    assert step.needs_rows is not None
    assert "stops when a column that may be null is null" in " ".join(step.sentences)
    assert not step.sound


def test_locks_are_named_with_what_waits(rehearse: Rehearse) -> None:
    result = rehearse(CREATE, ("create index item_name on item (name)", "drop index item_name"))
    lock = result.steps[1].runs[0].locks[0]
    assert (lock.relation, lock.mode, lock.blocks) == ("public.item", "ShareLock", "writes wait")
    assert lock.statement == "create index item_name on item (name)"
    assert lock.held is not None


@pytest.mark.parametrize(
    ("up", "down", "reason"),
    [
        ("create index i on item (name)", "drop index i", "until the index is built"),
        (
            "alter table item alter name set not null",
            "alter table item alter name drop not null",
            "is checked",
        ),
        ("alter table item alter id set not null", "select 1", None),
        ("alter table item alter id type bigint", "alter table item alter id type int", "written anew"),
        ("alter table item add check (id > 0)", "alter table item drop constraint item_id_check", "checked"),
        (
            "py:op.execute('alter table item add n int')\nop.execute('update item set n = id')",
            "alter table item drop n",
            "until rows are updated",
        ),
        ("alter table item add n int", "alter table item drop n", None),
        ("create table other (id int references item)", "drop table other", None),
    ],
)
def test_a_wait_is_told_when_it_grows_with_the_table(
    rehearse: Rehearse, up: str, down: str, reason: str | None
) -> None:
    result = rehearse(CREATE, (up, down))
    grows = [lock.grows for lock in result.steps[1].locks if lock.relation == "public.item"]
    assert len(grows) == 1
    assert (reason or "-") in (grows[0] or "-")
    told = proof_of(result).lines[1].text
    assert ("the larger the table, the longer" in told) is (reason is not None)


def test_a_not_null_that_a_valid_check_guarantees_is_no_wait(rehearse: Rehearse) -> None:
    result = rehearse(
        ("create table item (id int primary key, name text not null)", "drop table item"),
        ("alter table item alter name drop not null", "alter table item alter name set not null"),
        (
            "alter table item add constraint named check (name is not null) not valid",
            "alter table item drop constraint named",
        ),
        ("alter table item validate constraint named", "select 1"),
        ("alter table item alter name set not null", "alter table item alter name drop not null"),
    )
    assert [lock.grows for lock in result.steps[4].locks] == [None]


def test_a_rewritten_table_is_named(rehearse: Rehearse) -> None:
    result = rehearse(
        CREATE,
        ("alter table item alter id type bigint", "alter table item alter id type int"),
        ("alter table item alter name type varchar", "alter table item alter name type text"),
    )
    assert "public.item" in result.steps[1].runs[0].rewritten
    assert result.steps[2].runs[0].rewritten == ()


def test_a_step_outside_a_transaction_runs(rehearse: Rehearse) -> None:
    apart = "py:\nwith op.get_context().autocommit_block():\n    "
    up = apart + 'op.execute("create index concurrently i on item (name)")'
    down = apart + 'op.execute("drop index concurrently i")'
    assert last(rehearse(CREATE, (up, down)))[0] is Reversibility.REVERSIBLE


def test_only_pending_revisions_are_rehearsed_and_real_rows_stay(
    rehearse: Rehearse, session: Connection
) -> None:
    session.execute("create table item (id int primary key, name text)")
    session.execute("insert into item select n, 'real ' || n from generate_series(1, 5) n")
    session.execute("create table alembic_version (version_num text primary key)")
    session.execute("insert into alembic_version values ('r1')")
    result = rehearse(CREATE, ("alter table item add note text", "alter table item drop note"))
    assert [s.revision for s in result.steps] == ["r2"]
    assert result.already_applied == 1
    assert "all 5 rows from before survived" in last(result)[1]


def test_tables_without_rows_are_named(rehearse: Rehearse) -> None:
    never = "create table never (n int not null check (n > 1 and n < 1))"
    result = rehearse((never, "drop table never"), CREATE_OTHER)
    assert [n.table for n in result.not_seeded] == ["public.never"]
    assert "No rows in public.never" in result.as_text(100)
    assert Shown.NOT_CHECKED in {line.shown for line in proof_of(result).lines}


def test_a_history_with_a_merge_is_played_one_revision_at_a_time(project, rehearse: Rehearse) -> None:
    project.add(*CREATE)
    project.add("create table left_one (id int)", "drop table left_one", after="r1", name="left")
    project.add("create table right_one (id int)", "drop table right_one", after="r1", name="right")
    project.add("select 1", "select 1", after=("left", "right"), name="join")
    result = rehearse()
    assert [s.revision for s in result.steps] == ["r1", "left", "right", "join"]
    assert {s.reversibility for s in result.steps} == {Reversibility.REVERSIBLE}


def test_nothing_pending_is_no_fault(rehearse: Rehearse) -> None:
    result = rehearse()
    assert result.sound
    assert "nothing to rehearse" in result.summary


def test_a_role_that_is_taken_for_granted_is_made(rehearse: Rehearse) -> None:
    name = f"granted_{os.getpid()}"
    revision = (f"grant select on item to {name}", f"revoke select on item from {name}")
    kind, said = last(rehearse(CREATE, revision))
    assert kind is Reversibility.DEPENDS
    assert f"It takes role {name} for granted" in said
