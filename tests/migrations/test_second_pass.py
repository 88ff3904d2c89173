"""The safer way and the load are rehearsed on copies of their own, and shown beside the first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.migrations.prediction import predicted
from neondba.migrations.rehearsal import rehearse_at
from neondba.migrations.results import LoadSeen, Rehearsal, SaferWay
from neondba.migrations.safer_pass import safer_ways, worth_it
from neondba.migrations.second_pass import under_load
from neondba.migrations.target import Asked
from neondba.postgres.app_statements import deeds_of
from neondba.postgres.connect import connect, trusted
from neondba.postgres.scratch import neon_like_database
from neondba.postgres.shapes import shapes

CREATE = "create table item (id int primary key, name text not null, owner int);"
FILL = "insert into item select n, 'n' || n, n from generate_series(1, 25000) n;"


class Copies:
    """Databases alike, each filled the same, and one migration to rehearse on them."""

    def __init__(self, server: Secret, folder: Path, numbers: Iterator[int]) -> None:
        self._server, self._numbers = server, numbers
        self.asked = Asked(folder)
        self.ctx = Context(settings=Settings(state_dir=folder / "state", step_limit=20))
        self.set_up = CREATE + FILL
        self._base: str | None = None

    def copy(self) -> Secret:
        if self._base is None:
            self._base = f"base{next(self._numbers)}"
            with connect(neon_like_database(self._server, self._base)) as session:
                session.execute(trusted(self.set_up))
        name, owner = f"copy{next(self._numbers)}", f"{self._base}_owner"
        with connect(self._server) as session:
            session.execute(trusted(f"create database {name} template {self._base} owner {owner}"))
        return Secret(self._server.reveal().replace("scratch@/postgres", f"{owner}@/{name}"))

    def rehearsed(self, *texts: str) -> Rehearsal:
        place = self.asked.folder / "migrations"
        place.mkdir(parents=True)
        for number, text in enumerate(texts, 1):
            (place / f"{number:03}_x.sql").write_text(text)
        return rehearse_at(self.ctx, self.asked.folder, self.copy())

    def safer(self, *texts: str) -> SaferWay:
        done = self.rehearsed(*texts)
        assert worth_it(done)
        return safer_ways(self.ctx, self.asked, self.copy(), done)[done.steps[-1].revision]

    def loaded(self, text: str, statements: list[tuple[str, int]] | None = None) -> LoadSeen:
        done = self.rehearsed(text)
        return under_load(self.ctx, self.asked, self.copy(), done, statements or [])["001"]


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return iter(range(1000))


@pytest.fixture
def copies(server: Secret, tmp_path: Path, numbers: Iterator[int]) -> Copies:
    return Copies(server, tmp_path / "project", numbers)


SAFER = {
    "create index i on item (name)": "create index concurrently i on item (name)",
    "alter table item alter owner set not null": "validate constraint owner_is_there",
    "alter table item add constraint c check (id > 0)": "check (id > 0) not valid",
    "alter table item add foreign key (owner) references item": "constraint item_owner_fkey foreign key",
    "alter table item add unique (name)": "create unique index concurrently item_name_key",
    "alter table item alter name type varchar(20)": "create trigger name_in_step",
    "alter table item add token uuid not null default gen_random_uuid()": "set default gen_random_uuid()",
    "update item set owner = 7": "update item set owner = 7 where id > … and id <= …",
}


@pytest.mark.parametrize("text", SAFER)
def test_the_safer_way_leads_to_the_same_schema_and_keeps_nobody_waiting(text: str, copies: Copies) -> None:
    way = copies.safer(text)
    assert way.trouble is None
    assert SAFER[text] in " ".join(way.statements)
    assert way.instead_of == (text,)
    assert way.seconds > 0
    assert "the same schema" in way.sentence
    assert way.grows is None


def test_batches_change_every_row(copies: Copies) -> None:
    done = copies.rehearsed("update item set owner = 7")
    url = copies.copy()
    assert safer_ways(copies.ctx, copies.asked, url, done)["001"].trouble is None
    with connect(url) as session:
        assert session.execute("select from item where owner = 7").rowcount == 25000


def test_a_way_that_leads_elsewhere_is_none(copies: Copies) -> None:
    """Changing places drops the index on the old column."""
    copies.set_up += "create index kept on item (name);"
    way = copies.safer("alter table item alter name type varchar(20)")
    assert way.trouble is not None
    assert "index public.kept is missing" in way.trouble
    assert "is none here" in way.sentence


def test_what_keeps_nobody_waiting_is_not_tried_again(copies: Copies) -> None:
    assert not worth_it(copies.rehearsed("alter table item add note text", "create table other (id int)"))


def test_later_revisions_follow_a_safer_one(copies: Copies) -> None:
    way = copies.safer("create index i on item (name)", "create index j on item (owner)")
    assert way.trouble is None


def test_the_load_tells_its_longest_wait(copies: Copies) -> None:
    seen = copies.loaded("alter table item add note text; select pg_sleep(3);")
    assert seen.source == "generated"
    assert seen.longest > 2 > seen.longest_before
    assert seen.failed is None
    assert seen.waiting is not None
    assert "item" in seen.waiting
    assert "longest wait" in seen.sentence


def test_statements_that_no_longer_fit_are_counted(copies: Copies) -> None:
    own = [("select id, owner from item where id = $1", 10), ("update item set owner = $1 where id = $2", 5)]
    seen = copies.loaded("alter table item drop column owner; select pg_sleep(0.3);", own)
    assert seen.source == "pg_stat_statements"
    assert any('column "owner"' in said for said in seen.errors)


def test_a_deadlock_with_the_load_is_told(copies: Copies) -> None:
    """Each takes what the other wants, in the other order; the server ends one of them."""
    copies.set_up += """create table other (id int primary key); insert into other values (1);
    create function in_turn() returns int language plpgsql as $$begin
    update other set id = id; perform pg_sleep(0.3); update item set owner = 1 where id = 1;
    return 1; end$$;"""
    migration = (
        "lock table item in share row exclusive mode; select pg_sleep(1); alter table other add x int;"
    )
    seen = copies.loaded(migration, [("select in_turn() from item where id = $1", 1)])
    assert "deadlock detected" in (seen.failed or "") + " ".join(seen.errors)


def test_values_come_from_rows_that_are_there(copies: Copies) -> None:
    with connect(copies.copy()) as session:
        tables = shapes(session)
        texts = [
            "select * from item where name = $1 limit $2",
            "select * from item where lower(name) = $1 and unknown = $2",
            "select * from missing where id = $1",
        ]
        deeds = list(deeds_of(session, [(text, 1) for text in texts], tables))
        assert [deed.text for deed in deeds] == texts[:1]
        deeds[0].send(session, copies.ctx.chance)


def test_a_prediction_follows_the_size_of_the_table(copies: Copies) -> None:
    step = copies.rehearsed("create index i on item (name)").steps[0]
    same = predicted(step, "main", {"public.item": 1 << 20}, None)
    larger = predicted(step, "main", {"public.item": 1 << 20}, {"public.item": 10 << 20})
    assert same is not None
    assert larger is not None
    assert larger.seconds == pytest.approx(same.seconds * 10)
    assert larger.blocked > same.blocked
    assert "its own data" in same.basis
    assert "public.item 1.0 MB to 10.5 MB" in larger.basis


def test_rows_of_a_large_table_are_compared_by_the_first_of_their_keys(copies: Copies) -> None:
    """Rows that are added among them are no loss; values that are changed are."""
    copies.set_up = "create table item (id numeric primary key, name text);" + FILL.replace(", n ", " ")
    done = copies.rehearsed(
        "insert into item values (0, 'new'), (1.5, 'new');\n-- Down\ndelete from item where name = 'new';",
        "update item set name = upper(name) where id <= 10;\n-- Down\nselect 1;",
    )
    assert done.compared_in_part == ("public.item",)
    assert done.steps[0].losses == ()
    assert "all 20000 rows from before survived" in done.steps[0].sentences[0]
    assert [loss.lost for loss in done.steps[1].losses] == [12]
