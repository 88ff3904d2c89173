# ruff: noqa: E501
"""Random schemas as statements by slot, so that two of them can be mixed.

A statement that the server refuses is left out: the pools are wild on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import psycopg

from neondba.postgres.connect import Connection, trusted

Slots = dict[str, list[str]]

ODD = '"O\'dd ""name""; drop table x --é"'
TABLES = ("s1.t1", "s1.t2", f"s1.{ODD}", '"S 2".t1')
PARTED = "s1.p1"
PARTS = ("s1.p1a", "s1.p1b", "s1.p1c")
COLUMNS = ("a", "b", "c", "d", '"E e"', "f")
TYPES = (
    "integer",
    "bigint",
    "smallint",
    "text",
    "varchar(20)",
    "varchar(40)",
    "boolean",
    "numeric(10,2)",
    "timestamptz",
    "date",
    "jsonb",
    "uuid",
    "integer[]",
    "text[]",
    "s1.e1",
    "s1.e1[]",
    "s1.d1",
    "s1.d2",
    "s1.c1",
    "s1.r1",
    "public.citext",
    "double precision",
    "bytea",
    '"S 2".e2',
    "s1.x1",
)
ROLES = ("ddl_reader", '"ddl Wríter"', "PUBLIC")
LABELS = ("new", "it's", "done", 'q"x', "ü")


class Maker:
    """Draws statements from one source of chance."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.slots: Slots = {}

    def one(self, pool: tuple[str, ...] | list[str]) -> str:
        return self.chance.choice(pool)

    def some(self, pool: tuple[str, ...], least: int = 1) -> list[str]:
        return self.chance.sample(pool, self.chance.randint(least, len(pool)))

    def maybe(self, share: float = 0.5) -> bool:
        return self.chance.random() < share

    def opt(self, text: str, share: float = 0.4) -> str:
        return text if self.maybe(share) else ""

    def put(self, slot: str, *texts: str, share: float = 1.0) -> None:
        if self.maybe(share):
            self.slots[slot] = [text for text in texts if text]


def random_slots(chance: Random) -> Slots:
    """Draw a schema."""
    maker = Maker(chance)
    for draw in DRAWERS:
        draw(maker)
    return maker.slots


def mixed(one: Slots, other: Slots, chance: Random, share: float) -> Slots:
    """Take most slots of one schema and some of another, in the order in which they are drawn."""
    order = list(dict.fromkeys([*one, *other]))
    place = {slot: number for number, slot in enumerate(one)} | {
        slot: number for number, slot in enumerate(other) if slot not in one
    }
    mix = {}
    for slot in sorted(order, key=lambda each: (SLOT_ORDER.get(each.split(":")[0], 99), place[each])):
        source = other if chance.random() < share else one
        if slot in source:
            mix[slot] = source[slot]
    return mix


def pair(seed: int) -> tuple[Slots, Slots]:
    """Draw two schemas that have much or little in common."""
    chance = Random(seed)
    one, other = random_slots(chance), random_slots(chance)
    return one, mixed(one, other, chance, chance.choice((0.1, 0.3, 0.6, 1.0)))


def build(session: Connection, slots: Slots) -> None:
    """Run what the server takes."""
    session.execute("create schema if not exists s1")
    session.execute("set check_function_bodies = off")
    for texts in slots.values():
        for text in texts:
            try:
                session.execute(trusted(text))
            except psycopg.Error as error:
                if not isinstance(error, psycopg.errors.Error) or session.closed:
                    raise
    session.execute("reset all")


def _bases(m: Maker) -> None:
    m.put("schema:2", 'create schema "S 2"', m.opt("""comment on schema "S 2" is 'it''s'"""), share=0.7)
    m.put("extension", "create extension citext schema public", share=0.3)


def _types(m: Maker) -> None:
    for name in ("s1.e1", '"S 2".e2'):
        labels = m.some(LABELS)
        if m.maybe(0.7):
            labels.sort(key=LABELS.index)
        quoted = ", ".join("'" + label.replace("'", "''") + "'" for label in labels)
        m.put(f"type:{name}", f"create type {name} as enum ({quoted})", share=0.8)
    base = m.one(("integer", "text", "varchar(10)", "s1.e1", "bigint"))
    m.put(
        "domain:1",
        f"create domain s1.d1 as {base} {m.opt('not null')} {m.opt('default null')}"
        f" {m.opt('constraint one check (value is not null)')}",
        m.opt("alter domain s1.d1 add constraint two check (value::text <> 'x') not valid"),
        m.opt("alter domain s1.d1 set default '1'"),
        m.opt("comment on domain s1.d1 is 'a domain'", 0.2),
        share=0.7,
    )
    m.put("domain:2", f"create domain s1.d2 as {m.one(('s1.d1', 's1.e1', 'text', 's1.c1'))}", share=0.5)
    attributes = ", ".join(
        f"{name} {m.one(('integer', 'text', 's1.e1', 'bigint'))}" for name in m.some(COLUMNS[:4])
    )
    m.put("composite:1", f"create type s1.c1 as ({attributes})", share=0.6)
    m.put(
        "range:1", f"create type s1.r1 as range (subtype = {m.one(('integer', 'bigint', 'text'))})", share=0.4
    )
    other = m.one(
        (
            "create type s1.x1 as enum ('a')",
            "create domain s1.x1 as text",
            "create type s1.x1 as (a integer)",
            "create view s1.x1 as select 1 as a",
            "create table s1.x1 (a integer)",
            "create sequence s1.x1",
        )
    )
    m.put("name:x1", other, share=0.4)


def _sequences(m: Maker) -> None:
    for name in ("s1.q1", '"S 2"."q 2"'):
        words = [
            m.opt(f"as {m.one(('integer', 'smallint'))}"),
            m.opt(f"increment by {m.one(('2', '-1', '10'))}"),
            m.opt(f"minvalue {m.one(('-5', '0', '1'))}"),
            m.opt("maxvalue 1000"),
            m.opt("cache 7"),
            m.opt("cycle"),
        ]
        m.put(
            f"sequence:{name}",
            f"create {m.opt('unlogged', 0.1)} sequence {name} {' '.join(words)}",
            share=0.6,
        )


def _functions(m: Maker) -> None:
    result = m.one(("integer", "bigint", "text"))
    m.put(
        "function:f1",
        f"create function s1.f1({m.one(('a', 'b'))} integer{m.opt(' default 3')}) returns {result}"
        f" language sql {m.one(('immutable', 'stable strict', 'immutable parallel safe'))}"
        f" as $x$ select {m.one(('1', '2'))}::{result} $x$",
        m.opt("comment on function s1.f1(integer) is 'e''f\\g'"),
        m.opt("revoke all on function s1.f1(integer) from public"),
        share=0.7,
    )
    m.put(
        "function:trg",
        f"create function s1.trg() returns trigger language plpgsql {m.opt('security definer')}"
        f" {m.opt('set search_path to s1, pg_temp')} as 'begin return {m.one(('new', 'null'))}; end'",
        share=0.9,
    )
    m.put(
        "function:typed",
        f"create function s1.f2(x s1.e1, y {m.one(('s1.c1', 'text', 's1.d1'))})"
        " returns text language sql as 'select x::text'",
        share=0.4,
    )
    m.put(
        "function:proc",
        f"create procedure s1.pr({m.one(('inout', 'in'))} a integer) language sql"
        f" as 'select {m.one(('1', '2'))}'",
        share=0.3,
    )
    m.put(
        "function:agg",
        f"create aggregate s1.ag(integer) (sfunc = int4pl, stype = integer"
        f"{m.opt(', initcond = 0')}{m.opt(', parallel = safe')})",
        share=0.3,
    )
    m.put(
        "function:kind",
        m.one(
            (
                "create function s1.k() returns integer language sql as 'select 1'",
                "create procedure s1.k() language sql as 'select 1'",
            )
        ),
        share=0.3,
    )


def _column(m: Maker, name: str, *, plain: bool = False) -> str:
    kind = m.one(TYPES if m.maybe(0.5) else TYPES[:4])
    words = [name, kind]
    if kind.startswith(("text", "varchar")) and m.maybe(0.2):
        words.append("collate " + m.one(('pg_catalog."C"', 'pg_catalog."POSIX"')))
    extra = m.chance.random()
    if kind in ("integer", "bigint", "smallint") and extra < 0.15 and not plain:
        words.append(
            f"generated {m.one(('always', 'by default'))} as identity {m.opt('(start with 5 increment by 2)')}"
        )
    elif kind == "integer" and extra < 0.3:
        words.append(f"generated always as ({m.one(('1 + 1', 'a * 2', 'b + 1', 's1.f1(2)'))}) stored")
    elif extra < 0.55:
        words.append("default " + _default(m, kind))
    named = m.opt("constraint nn_" + name.strip('"').replace(" ", "_"), 0.3)
    words.append(m.opt(f"{named} not null", 0.25))
    words.append(m.opt("storage external", 0.1) if kind == "text" else "")
    return " ".join(words)


def _default(m: Maker, kind: str) -> str:
    if kind in ("integer", "bigint", "smallint", "numeric(10,2)"):
        return m.one(("1", "2", "nextval('s1.q1')", "s1.f1(1)"))
    known = {"timestamptz": "now()", "date": "current_date", "boolean": "true", "uuid": "gen_random_uuid()"}
    return known.get(kind) or m.one(("null", "'new'", "'{}'"))


def _tables(m: Maker) -> None:
    for name in TABLES:
        columns = ", ".join(_column(m, each) for each in m.some(COLUMNS, 4))
        m.put(
            f"table:{name}",
            f"create {m.opt('unlogged', 0.1)} table {name} ({columns}) {m.opt('with (fillfactor = 70)', 0.1)}",
            f"create table if not exists {name} (a integer, b text, c {m.one(TYPES[:8])})",
            share=0.8,
        )
    m.put(
        "serial",
        f"create table s1.ser (id {m.one(('serial', 'bigserial', 'integer'))}, n integer)",
        share=0.5,
    )
    child = ", ".join(_column(m, each, plain=True) for each in m.some(("y", "z")))
    m.put(
        "inherits",
        f"create table s1.heir ({child}) {m.opt(f'inherits ({m.one(TABLES[:2])})', 0.7)}",
        share=0.35,
    )
    m.put(
        "heir set",
        m.one(
            (
                "alter table s1.heir alter a set default null",
                "alter table s1.heir alter b set not null",
                "alter table s1.heir alter b set default null",
            )
        ),
        share=0.2,
    )
    m.put("of row", f"create function s1.of_row(t s1.t1) returns text {_atomic(m)}", share=0.3)


def _atomic(m: Maker) -> str:
    return m.one(
        (
            "language sql begin atomic select (t.a)::text; end",
            "language sql as 'select 1::text'",
            "language sql begin atomic select (t.b)::text; end",
        )
    )


def _partitions(m: Maker) -> None:
    by = m.one(("list (a)", "list (a)", "range (a)", "hash (a)"))
    columns = f"a {m.one(('integer', 'integer', 'bigint'))} {m.opt('not null')}, " + ", ".join(
        _column(m, each, plain=True) for each in m.some(COLUMNS[1:])
    )
    m.put(
        "parted",
        f"create table {PARTED} ({columns}) {m.opt(f'partition by {by}', 0.9)}",
        f"create table if not exists {PARTED} (a integer, b text, c text) partition by {by}",
        share=0.7,
    )
    bounds = {
        "li": ["for values in (1)", "for values in (2, 3)", "default", "for values in (7)"],
        "ra": [
            "for values from (1) to (5)",
            "for values from (5) to (9)",
            "default",
            "for values from (20) to (30)",
        ],
        "ha": [f"for values with (modulus 3, remainder {each})" for each in range(3)],
    }[by[:2]]
    m.chance.shuffle(bounds)
    for name, bound in zip(PARTS, bounds, strict=False):
        sub = m.opt("partition by list (b)", 0.15)
        m.put(
            f"part:{name}",
            m.one(
                [
                    f"create table {name} partition of {PARTED} {bound} {sub}",
                    f"create table {name} partition of {PARTED} {bound} {sub}",
                    f"create table {name} (like {PARTED} including defaults)",
                    f"create table {name} (a integer, b text)",
                ]
            ),
            m.opt(f"alter table {PARTED} attach partition {name} {bound}", 0.3),
            m.opt(f"alter table {name} alter b set default null", 0.2),
            m.opt(f"alter table {name} alter b set not null", 0.2),
            m.opt(f"alter table {name} add check (a <> 100)", 0.2),
            share=0.6,
        )
    m.put("sub", "create table s1.p1sub partition of s1.p1a default", share=0.5)


ANY = (*TABLES, PARTED, *PARTS, "s1.ser", "s1.heir")


def _constraints(m: Maker) -> None:
    for number, table in enumerate(ANY):
        m.put(
            f"key:{table}",
            f"alter table {table} add {m.opt(f'constraint key_{number}')} primary key"
            f" ({m.one(('a', 'b', 'a, b', 'id'))})",
            share=0.5,
        )
        m.put(
            f"unique:{table}",
            f"alter table {table} add constraint u_{number} unique"
            f" {m.opt('nulls not distinct')} ({m.one(('a', 'b', 'c, a'))}) {m.opt('deferrable')}",
            share=0.35,
        )
        m.put(
            f"check:{table}",
            f"alter table {table} add constraint c_{number} check"
            f" ({m.one(('a is not null', 'b is not null or a is null', 'a::text <> b::text', 'a > s1.f1(1)'))})"
            f" {m.opt('no inherit', 0.2)} {m.opt('not valid', 0.2)}",
            m.opt(f"comment on constraint c_{number} on {table} is 'checked'", 0.2),
            share=0.4,
        )
    for number, table in enumerate(ANY):
        m.put(
            f"foreign:{table}",
            f"alter table {table} add constraint fk_{number} foreign key ({m.one(('a', 'b'))})"
            f" references {m.one(ANY)} ({m.one(('a', 'a', 'b', 'id'))})"
            f" {m.opt('on delete cascade')} {m.opt('on update set null')} {m.opt('deferrable initially deferred')}"
            f" {m.opt('not valid', 0.15)}",
            share=0.45,
        )
    m.put("exclude", "alter table s1.t1 add constraint ex exclude using btree (a with =)", share=0.2)


def _indexes(m: Maker) -> None:
    for number in range(10):
        table = m.one(ANY)
        on = m.one(
            (
                "a",
                "b desc nulls last",
                "(a::text)",
                "a, b",
                "lower(b::text)",
                "c",
                "s1.f1(a)",
                "b text_pattern_ops",
            )
        )
        m.put(
            f"index:{number}",
            f"create {m.opt('unique', 0.2)} index i{number} on {table} {m.opt('using hash', 0.1)} ({on})"
            f" {m.opt('include (c)', 0.15)} {m.opt('where a is not null', 0.2)}",
            m.opt(f"comment on index s1.i{number} is 'an index'", 0.2),
            m.opt(f"alter table {table} cluster on i{number}", 0.15),
            m.opt(f"alter table {table} replica identity using index i{number}", 0.2),
            share=0.6,
        )


def _views(m: Maker) -> None:
    first = m.one(ANY)
    picked = ", ".join(m.some(("a", "b", "c")))
    m.put(
        "view:1",
        f"create view s1.v1 {m.opt('with (security_barrier = true)', 0.2)} as select"
        f" {m.one((picked, '*', 'a', 'count(*) as a', 's1.f1(1) as a, 1 as b', 'q.a, q.b'))} from {first} q",
        m.opt("comment on view s1.v1 is 'seen'", 0.2),
        m.opt("comment on column s1.v1.a is 'seen too'", 0.2),
        share=0.7,
    )
    m.put(
        "view:2",
        f"create view s1.v2 as select {m.one(('*', 'a', 'a::text as b'))} from"
        f" {m.one(('s1.v1', first))} {m.opt('where a is not null')}",
        share=0.5,
    )
    m.put(
        "view:kind",
        f"create {m.opt('materialized')} view s1.v3 as select {m.one(('a', 'b'))} from {m.one(TABLES)}",
        share=0.4,
    )
    m.put(
        "matview",
        f"create materialized view s1.m1 as select a, 1 as b from {m.one(('s1.v1', 's1.v2', first))}"
        f" {m.opt('with no data', 0.2)}",
        m.opt("create unique index mi on s1.m1 (a)"),
        share=0.4,
    )
    m.put("grouped", "create view s1.v4 as select a, b from s1.t1 group by a", share=0.3)


def _behaviour(m: Maker) -> None:
    for number in range(3):
        table = m.one((*ANY, "s1.v1"))
        when = m.one(
            (
                "before insert or update",
                "after update of a",
                "after delete",
                "instead of insert",
                "before update of b",
            )
        )
        m.put(
            f"trigger:{number}",
            f"create {m.opt('or replace')} trigger tr{number} {when} on {table} for each row"
            f" {m.opt('when (old.b is distinct from new.b)', 0.2)} execute function s1.trg()",
            m.opt(f"alter table {table} {m.one(('disable', 'enable always'))} trigger tr{number}", 0.2),
            share=0.5,
        )
        m.put(
            f"policy:{number}",
            m.opt(f"alter table {table} enable row level security", 0.7),
            m.opt(f"alter table {table} force row level security", 0.3),
            f"create policy {m.one(('po', ODD))} on {table} {m.opt('as restrictive')}"
            f" {m.one(('', 'for select', 'for update', 'for all'))} {m.opt(f'to {m.one(ROLES)}')}"
            f" using ({m.one(('a is not null', 'b::text = current_user', 'true'))})",
            share=0.4,
        )
    m.put(
        "rule",
        f"create rule ru as on {m.one(('delete', 'update'))} to {m.one(ANY)} do also"
        f" {m.one(('nothing', 'select 1'))}",
        share=0.3,
    )
    m.put(
        "statistics",
        f"create statistics s1.st {m.opt('(ndistinct)')} on a, b from {m.one(ANY)}",
        m.opt("alter statistics s1.st set statistics 200"),
        share=0.4,
    )
    m.put("owned", f"alter sequence s1.q1 owned by {m.one(ANY)}.{m.one(('a', 'b'))}", share=0.4)


def _rights(m: Maker) -> None:
    for number in range(4):
        on = m.one((*ANY, "s1.v1", "sequence s1.q1", "schema s1", "function s1.f1(integer)", "type s1.e1"))
        right = m.one(("all", "select", "update", "usage", "execute", "select (a)", "update (b)"))
        m.put(
            f"grant:{number}",
            f"grant {right} on {on} to {m.one(ROLES)} {m.opt('with grant option', 0.2)}",
            share=0.6,
        )
    m.put("revoked", f"revoke insert on {m.one(ANY)} from current_user", share=0.1)
    m.put(
        "defaults",
        f"alter default privileges {m.opt('in schema s1')} grant {m.one(('select', 'all'))} on tables to"
        f" {m.one(ROLES)}",
        share=0.2,
    )
    m.put("defaults f", "alter default privileges revoke execute on functions from public", share=0.15)
    for table in ANY:
        m.put(
            f"said:{table}",
            m.one(
                (
                    f"comment on table {table} is 'x'",
                    f"comment on column {table}.a is 'y'",
                    f"alter table {table} alter a set statistics 50",
                    f"alter table {table} replica identity full",
                    f"alter table {table} alter b set (n_distinct = 5)",
                    f"alter table {table} set (autovacuum_enabled = false)",
                )
            ),
            share=0.3,
        )


DRAWERS: tuple[Callable[[Maker], None], ...] = (
    _bases,
    _types,
    _sequences,
    _functions,
    _tables,
    _partitions,
    _constraints,
    _indexes,
    _views,
    _behaviour,
    _rights,
)
SLOT_ORDER: dict[str, int] = {}


def _learn_order() -> None:
    for seed in range(60):
        for number, draw in enumerate(DRAWERS):
            maker = Maker(Random(seed))
            draw(maker)
            for slot in maker.slots:
                SLOT_ORDER.setdefault(slot.split(":")[0], number)


_learn_order()
