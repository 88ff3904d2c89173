"""Steps are taken on a target as they were rehearsed on its copy, with the project's tool or as SQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from neondba.core.context import Clock, Context
from neondba.core.problem import Problem
from neondba.core.rehearsed import RehearsedStep
from neondba.core.secret import Secret
from neondba.migrations.change_results import ChangedStep
from neondba.migrations.changing import taken
from neondba.migrations.rehearsal import rehearse_at
from neondba.migrations.target import kept
from neondba.migrations.tools.detect import open_source, source_of
from neondba.postgres.applied import Patience
from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.scratch import neon_like_database

_numbers = count()
HASTY = Patience(lock_timeout=0.3, limit=0.0, first_pause=0.01)
SET_UP = "create table item (id int primary key, name text)"
ADD = ("alter table item add column note text", "alter table item drop column note")
INDEX = ("create index item_name on item (name)", "drop index item_name")


class Pair:
    """A target and its copy, and migrations written for one of the tools."""

    def __init__(self, server: Secret, folder: Path, tool: str, project, ctx: Context) -> None:
        self.folder, self.tool, self.ctx, self._project = folder, tool, ctx, project
        name = f"pair{next(_numbers)}"
        self.target = neon_like_database(server, name)
        with connect(self.target) as session:
            session.execute(SET_UP)
        with connect(server) as session:
            session.execute(trusted(f"create database {name}_copy template {name} owner {name}_owner"))
        self.copy = Secret(self.target.reveal().replace(f"@/{name}?", f"@/{name}_copy?"))

    def write(self, *migrations: tuple[str, str]) -> None:
        if self.tool == "Alembic":
            for up, down in migrations:
                self._project.add(up, down)
            return
        place = self.folder / "migrations"
        place.mkdir(parents=True)
        for number, (up, down) in enumerate(migrations, 1):
            (place / f"{number:03}_x.sql").write_text(f"{up};\n-- Down\n{down};\n")

    def rehearsed(self) -> list[RehearsedStep]:
        folder = self._project.folder if self.tool == "Alembic" else self.folder
        return list(kept(rehearse_at(self.ctx, folder, self.copy), self.ctx, "p", "b", "d").steps)

    def take(
        self,
        steps: list[RehearsedStep],
        direction: str = "up",
        patience: Patience = HASTY,
        ctx: Context | None = None,
    ) -> list[ChangedStep]:
        folder = self._project.folder if self.tool == "Alembic" else self.folder
        source = source_of(folder)
        with (
            connect(self.target) as session,
            open_source(source, folder, self.target, session) as migrator,
        ):
            return taken(ctx or self.ctx, self.target, migrator, steps, direction, patience)

    def refused(self, *args, **more) -> Problem:
        with pytest.raises(Problem) as caught:
            self.take(*args, **more)
        return caught.value

    def columns(self) -> list[str]:
        with connect(self.target) as session:
            rows = session.execute(
                "select attname from pg_attribute where attrelid = 'item'::regclass and attnum > 0"
                " and not attisdropped order by attnum"
            )
            return [str(row["attname"]) for row in rows]

    @contextmanager
    def locked(self) -> Iterator[Connection]:
        with connect(self.target) as other, other.transaction():
            other.execute("select * from item")
            yield other


@pytest.fixture(params=["Alembic", "SQL files"])
def pair(request: pytest.FixtureRequest, server: Secret, tmp_path: Path, project, ctx: Context) -> Pair:
    return Pair(server, tmp_path / "plain", request.param, project, ctx)


def test_steps_go_up_and_the_last_comes_back(pair: Pair) -> None:
    pair.write(ADD, INDEX)
    steps = pair.rehearsed()
    done = pair.take(steps)
    assert [s.revision for s in done] == [s.revision for s in steps]
    assert all(s.seconds > 0 and s.retries == 0 for s in done)
    assert pair.columns() == ["id", "name", "note"]
    assert pair.take(steps[1:], "down")[0].revision == steps[1].revision
    assert pair.take(steps[:1], "down")[0].revision == steps[0].revision
    assert pair.columns() == ["id", "name"]


def test_a_lock_that_comes_free_is_taken_at_the_next_try(pair: Pair) -> None:
    pair.write(ADD)
    steps = pair.rehearsed()
    held, freed = threading.Event(), threading.Event()

    def hold() -> None:
        with pair.locked():
            held.set()
            freed.wait(30)

    class Freeing(Clock):
        def sleep(self, seconds: float) -> None:
            freed.set()
            holder.join()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    ctx = Context(settings=pair.ctx.settings, clock=Freeing())
    patient = Patience(lock_timeout=0.3, limit=60, first_pause=0.01)
    assert pair.take(steps, patience=patient, ctx=ctx)[0].retries == 1


def test_a_lock_that_is_never_had_leaves_the_target(pair: Pair) -> None:
    pair.write(ADD, INDEX)
    steps = pair.rehearsed()
    with pair.locked():
        problem = pair.refused(steps)
    assert problem.code == "lock-not-had"
    assert "Nothing was changed. Not begun: " in problem.message
    assert pair.columns() == ["id", "name"]


def test_a_step_that_never_ends_can_be_stopped(pair: Pair) -> None:
    """On the target it waits for what the copy did not have."""
    pair.write(ADD, ("select pg_sleep(60) from item where name = 'wait'", "select 1"))
    steps = pair.rehearsed()
    with connect(pair.target) as session:
        session.execute("insert into item values (1, 'wait')")
    begun = threading.Event()
    ctx = Context(settings=pair.ctx.settings, cancelled=lambda: _sleeps(pair.target, begun))
    problem = pair.refused(steps, ctx=ctx)
    assert problem.code == "apply-stopped"
    assert problem.facts["applied"] == [steps[0].revision]
    assert problem.facts["not_applied"] == [steps[1].revision]
    assert begun.is_set()
    assert pair.columns() == ["id", "name", "note"]
    with connect(pair.target) as session:
        # A server process ends a moment after its client.
        while session.execute("select from pg_stat_activity where query ~ '^select pg_sleep'").rowcount:
            threading.Event().wait(0.05)


def _sleeps(url: Secret, begun: threading.Event) -> bool:
    with connect(url) as session:
        waits = "select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
        if session.execute(waits).rowcount:
            begun.set()
    return begun.is_set()


def test_rows_that_the_copy_did_not_have_stop_it_in_the_middle(pair: Pair) -> None:
    pair.write(
        ADD, ("alter table item add constraint few check (id < 100)", "alter table item drop constraint few")
    )
    steps = pair.rehearsed()
    with connect(pair.target) as session:
        session.execute("insert into item values (1000, 'x')")
    problem = pair.refused(steps)
    assert problem.code == "statement-refused"
    assert 'check constraint "few" of relation "item" is violated by some row' in problem.message
    assert f"Stands: {steps[0].revision}." in problem.message


def test_a_target_that_moves_between_plan_and_act_is_left_alone(pair: Pair) -> None:
    pair.write(ADD)
    steps = pair.rehearsed()
    with connect(pair.target) as session:
        session.execute("create table meanwhile (id int)")
    problem = pair.refused(steps)
    assert problem.code == "target-moved"
    assert pair.columns() == ["id", "name"]


def test_a_schema_that_comes_out_otherwise_is_told(pair: Pair) -> None:
    """The migration looks at the name of its database: it depends on its environment."""
    other = """do $$ begin
if current_database() like '%copy' then alter table item add column note text;
else alter table item add column other text; end if; end $$"""
    pair.write(
        (other, "alter table item drop column if exists note; alter table item drop column if exists other")
    )
    problem = pair.refused(pair.rehearsed())
    assert problem.code == "not-as-rehearsed"
    # SQL is compared before its commit, Alembic commits itself.
    assert pair.columns() == (["id", "name", "other"] if pair.tool == "Alembic" else ["id", "name"])


def test_two_heads_are_named_before_anything_is_applied(project, server: Secret, ctx: Context) -> None:
    target = neon_like_database(server, f"heads{next(_numbers)}")
    project.add("create table one (id int)", "drop table one", after=None, name="one")
    project.add("create table two (id int)", "drop table two", after=None, name="two")
    source = source_of(project.folder)
    with connect(target) as session, pytest.raises(Problem) as caught:
        open_source(source, project.folder, target, session).__enter__()
    assert caught.value.code == "migration-heads"
    assert {"one", "two"} == set(caught.value.facts["heads"])


def test_a_branch_that_goes_away_meanwhile_ends_the_rehearsal(
    server: Secret, ctx: Context, tmp_path: Path
) -> None:
    name = f"gone{next(_numbers)}"
    url = neon_like_database(server, name)
    place = tmp_path / "plain" / "migrations"
    place.mkdir(parents=True)
    (place / "001_x.sql").write_text("create table item (id int); select pg_sleep(60);")

    def drop() -> bool:
        with connect(server) as session:
            busy = "select from pg_stat_activity where wait_event = 'PgSleep' and datname = %s"
            if session.execute(busy, [name]).rowcount:
                session.execute(trusted(f"drop database {name} with (force)"))
        return False

    gone = Context(settings=ctx.settings, cancelled=drop)
    with pytest.raises(Problem) as caught:
        rehearse_at(gone, tmp_path / "plain", url)
    assert caught.value.code == "session-ended"
    assert "deleted the branch" in (caught.value.hint or "")


def test_a_file_that_never_ends_is_stopped_and_the_rest_not_reached(
    server: Secret, ctx: Context, tmp_path: Path
) -> None:
    url = neon_like_database(server, f"hangs{next(_numbers)}")
    place = tmp_path / "plain" / "migrations"
    place.mkdir(parents=True)
    (place / "001_x.sql").write_text("create table item (id int);")
    (place / "002_x.sql").write_text("lock table item; select pg_sleep(60);")
    (place / "003_x.sql").write_text("drop table item;")
    hasty = Context(settings=ctx.settings.model_copy(update={"step_limit": 4.0}))
    result = rehearse_at(hasty, tmp_path / "plain", url)
    assert result.steps[1].reversibility == "fails"
    assert "in the statement: select pg_sleep(60)" in result.steps[1].sentences[0]
    assert result.skipped == ("003",)
    with connect(url) as session:
        own = "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        while session.execute(own).rowcount:
            threading.Event().wait(0.05)
