"""Roles with a profile, on a PostgreSQL whose statement log is on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from neondba.core.problem import ArgumentProblem, ConflictProblem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.role_password import generated, set_unseen
from neondba.postgres.role_profiles import Profile, Wanted, carry_out, planned
from neondba.postgres.role_tries import tried
from neondba.postgres.scratch import neon_like_database, scratch_server

NAMES = {profile: f"a_{profile.replace('-', '_')}" for profile in Profile}


@pytest.fixture(scope="module")
def logging() -> Iterator[Secret]:
    with scratch_server(log_statement="all", shared_preload_libraries="pg_stat_statements") as url:
        with connect(url) as session:
            session.execute("create role neon_superuser nologin createdb createrole bypassrls")
            session.execute("grant pg_monitor to neon_superuser with admin option")
            session.execute("create extension pg_stat_statements")
        yield url


@pytest.fixture(scope="module")
def owner(logging: Secret) -> Iterator[Connection]:
    """The owner's session in a database with a table of each kind, and all five roles."""
    url = neon_like_database(logging, "shop")
    with connect(logging) as session:
        session.execute("grant neon_superuser to shop_owner")
    with connect(url) as session:
        session.execute("create table note (id bigserial primary key, body text)")
        session.execute("create function one() returns int language sql return 1")
        for profile, name in NAMES.items():
            carry_out(session, planned(session, Wanted(name, profile)))
        yield session


def as_role(logging: Secret, name: str) -> Secret:
    return Secret(logging.reveal().replace("scratch@/postgres", f"{name}@/shop"))


@pytest.mark.parametrize("profile", list(Profile))
def test_a_role_can_do_what_its_profile_says_and_nothing_else(logging, owner, profile):
    with connect(as_role(logging, NAMES[profile])) as session:
        found = tried(session, Wanted(NAMES[profile], profile))

    assert len(found) >= 7
    assert [each for each in found if each.allowed != each.expected] == []


@pytest.mark.parametrize("profile", list(Profile))
def test_a_second_plan_is_empty(owner, profile):
    again = planned(owner, Wanted(NAMES[profile], profile))

    assert (again.exists, again.statements, again.differs) == (True, (), ())


@pytest.mark.parametrize("profile", list(Profile))
def test_no_profile_carries_a_right_over_the_cluster(owner, profile):
    row = owner.execute(
        "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as any"
        " from pg_roles where rolname = %s",
        [NAMES[profile]],
    ).fetchone()

    assert row == {"any": False}


@pytest.mark.parametrize("maker", ["shop_owner", NAMES[Profile.MIGRATOR]])
def test_tables_made_later_are_open_to_the_application(logging, owner, maker):
    owner.execute(trusted(f"set role {maker}"))
    owner.execute(trusted(f"create table later_{maker} (id bigserial primary key)"))
    owner.execute("reset role")

    with connect(as_role(logging, NAMES[Profile.APPLICATION])) as session:
        session.execute(trusted(f"insert into later_{maker} default values"))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(trusted(f"truncate later_{maker}"))
    owner.execute(trusted(f"drop table later_{maker}"))


@pytest.mark.parametrize("profile", [Profile.APPLICATION, Profile.READ_WRITE])
def test_the_record_of_migrations_is_out_of_reach_before_and_after(logging, profile):
    url = neon_like_database(logging, f"record_{NAMES[profile]}")
    wanted = Wanted(f"keeps_off_{NAMES[profile]}", profile)
    with connect(url) as session:
        session.execute("create table alembic_version (version_num text primary key)")
        session.execute("create table remark (id bigserial primary key)")
        carry_out(session, planned(session, wanted))
        # A tool makes its record on its first run: the default privileges are there already.
        session.execute("create table _prisma_migrations (id text primary key)")
        again = planned(session, wanted)
        carry_out(session, again)
        rows = session.execute(
            "select relname::text as name from pg_class where relkind = 'r'"
            " and relnamespace = 'public'::regnamespace and has_table_privilege(%s, oid, 'select')",
            [wanted.name],
        ).fetchall()
        last = planned(session, wanted)

    assert again.statements == (f"revoke all on table public._prisma_migrations from {wanted.name}",)
    assert [row["name"] for row in rows] == ["remark"]
    assert (last.statements, last.differs) == ((), ())


def test_the_application_has_time_limits(logging, owner):
    with connect(as_role(logging, NAMES[Profile.APPLICATION])) as session:
        assert session.execute("show statement_timeout").fetchone() == {"statement_timeout": "30s"}


def test_a_right_beyond_the_profile_is_told_and_stays(owner):
    name = NAMES[Profile.READ_ONLY]
    owner.execute(trusted(f"grant insert on note to {name}"))

    plan = planned(owner, Wanted(name, Profile.READ_ONLY))
    owner.execute(trusted(f"revoke insert on note from {name}"))

    assert plan.statements == ()
    assert plan.differs == ("It may insert on public.note; the profile may not.",)


def test_a_migrator_can_be_handed_the_tables_that_are_there(logging, owner):
    url = neon_like_database(logging, "other")
    with connect(url) as session:
        session.execute("create table note (id bigserial primary key)")
        session.execute("create view few as select * from note")
        plan = planned(session, Wanted("other_migrator", Profile.MIGRATOR, take_ownership=True))
        carry_out(session, plan)
        session.execute("insert into note default values")
    with connect(Secret(url.reveal().replace("other_owner@", "other_migrator@"))) as session:
        session.execute("alter table note add column body text")
        session.execute("drop view few")


def test_no_password_reaches_the_log_or_the_statistics(logging, owner):
    password = generated(random.SystemRandom())
    with connect(logging) as session:
        set_unseen(session, NAMES[Profile.READ_ONLY], password)
        seen = session.execute("select string_agg(query, ' ') as text from pg_stat_statements").fetchone()
        (stored,) = (
            session.execute(
                "select rolpassword from pg_authid where rolname = %s", [NAMES[Profile.READ_ONLY]]
            )
            .fetchone()
            .values()
        )
    log = Path(logging.reveal().partition("host=")[2], "log").read_text()

    assert stored.startswith("SCRAM-SHA-256$")
    assert "neondba_password" in log
    assert password.reveal() not in log + seen["text"]


def test_a_refused_password_is_quoted_nowhere(logging, owner):
    password = generated(random.SystemRandom())
    with pytest.raises(psycopg.Error) as error:
        set_unseen(owner, "nobody_at_all", password)
    log = Path(logging.reveal().partition("host=")[2], "log").read_text()

    assert 'role "nobody_at_all" does not exist' in str(error.value)
    assert password.reveal() not in log + str(error.value)


@pytest.mark.parametrize("name", ["", "pg_reader", "neon_superuser", "public", "x" * 64])
def test_reserved_names_are_refused(name):
    with pytest.raises(ArgumentProblem):
        Wanted(name, Profile.READ_ONLY)


def test_a_role_that_is_too_powerful_is_left_alone(owner):
    with pytest.raises(ConflictProblem, match="BYPASSRLS"):
        planned(owner, Wanted("shop_owner", Profile.APPLICATION))
