"""Columns are found by their names, types and values, and the project file has the last word."""

from __future__ import annotations

import pytest

from neondba.core.problem import ArgumentProblem
from neondba.postgres.connect import Connection, trusted
from neondba.postgres.masking.columns import columns_of, links_of
from neondba.postgres.masking.deciding import Decider
from neondba.postgres.masking.decision import Decision, State
from neondba.postgres.masking.looking import looked_through, samples_of, settle
from neondba.postgres.masking.naming import kind_in, kind_of
from neondba.postgres.masking.rules import Rule, read
from neondba.postgres.masking.streaming import room_for_addresses

KEEP = {"keep": "it is the same for all"}


def decided(session: Connection, tables: str, rules: dict[str, Rule] | None = None) -> dict[str, Decision]:
    """Decide for a database with these tables, as the creation of a branch does."""
    session.execute(trusted(tables))
    settle(session)
    columns = columns_of(session)
    samples = samples_of(session, columns)
    found = Decider(columns, links_of(session), samples, rules or {}).decide()
    found, _ = looked_through(session, columns, found, samples)
    return {each.column.removeprefix("public."): each for each in found}


def rules(**given: object) -> dict[str, Rule]:
    return read("pyproject.toml", {"public." + name.replace("__", "."): rule for name, rule in given.items()})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("email", "email"),
        ("billingEmail", "email"),
        ("email_verified", None),
        ("email_template", None),
        ("phone_number", "phone"),
        ("firstName", "name"),
        ("file_name", None),
        ("table_name", None),
        ("passwordHash", "token"),
        ("password_changed_at", None),
        ("token_type", None),
        ("tokens_used", None),
        ("api_key", "token"),
        ("dob", "date"),
        ("born_on", "date"),
        ("ip_address", "ip"),
        ("description", None),
        ("ssn", "code"),
        ("zip_code", "code"),
        ("shipping_address", "address"),
        ("gender", "open"),
        ("created_at", None),
        ("account_id", None),
    ],
)
def test_names_tell_what_a_column_holds(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


def test_a_plain_name_is_a_persons_only_in_a_table_of_people() -> None:
    assert kind_in("customers", ["id", "name"], "name") == "name"
    assert kind_in("vendors", ["id", "name", "email"], "name") == "name"
    assert kind_in("products", ["id", "name"], "name") is None


def test_what_people_write_is_theirs_whatever_the_column_is_called() -> None:
    assert kind_in("ChatMessage", ["id", "content"], "content") == "text"
    assert kind_in("pages", ["id", "content"], "content") is None


def test_columns_are_masked_by_name_and_type(session: Connection) -> None:
    found = decided(
        session,
        """create type sex as enum ('f', 'm');
        create domain mail as text check (value like '%@%');
        create table customers (
            id int primary key, email mail not null unique, name text unique, phone bigint,
            dob date, home_address jsonb, last_ip inet, email_verified boolean,
            password_changed_at timestamptz, avatar bytea, emails text[],
            email_hash uuid, shown text generated always as (name) stored
        )""",
    )
    kinds = {name.removeprefix("customers."): each.kind for name, each in found.items()}
    assert kinds == {
        "id": None,
        "email": "email",
        "name": "handle",
        "phone": "number",
        "dob": "date",
        "home_address": "json",
        "last_ip": "ip",
        "email_verified": None,
        "password_changed_at": None,
        "avatar": "token",
        "emails": "email",
        "email_hash": "token",
        "shown": None,
    }
    assert {each.state for each in found.values()} == {State.MASKED, State.CLEAN}


def test_columns_are_masked_by_what_their_values_look_like(session: Connection) -> None:
    found = decided(
        session,
        """create table things (a text, b text, c text, d jsonb, e jsonb, f text[], g text, h text);
        insert into things select 'u' || i || '@x.org', 'Maria Keller', 'see u' || i || '@x.org, please',
            jsonb_build_object('contact', jsonb_build_object('email', 'x')), '{"size": 4}', array['tag'],
            'blue', 'DE89370400440532013000' from generate_series(1, 20) i""",
    )
    kinds = {name.removeprefix("things."): (each.state.value, each.kind) for name, each in found.items()}
    assert kinds == {
        "a": ("masked", "email"),
        "b": ("masked", "name"),
        "c": ("masked", "text"),
        "d": ("masked", "json"),
        "e": ("clean", None),
        "f": ("clean", None),
        "g": ("clean", None),
        "h": ("masked", "iban"),
    }


def test_short_columns_stay_unique_and_short_addresses_equal(session: Connection) -> None:
    found = decided(
        session,
        """create table a (nick varchar(8) unique, username varchar(8) unique, email varchar(24));
        create table b (email text)""",
    )
    assert found["a.username"].kind == "code"
    columns = columns_of(session)
    by_place = {f"public.{name}": each for name, each in found.items()}
    assert room_for_addresses(columns, by_place) == 24
    assert room_for_addresses(columns[3:], by_place) == 1000


def test_an_address_in_one_row_of_many_opens_its_column(session: Connection) -> None:
    found = decided(
        session,
        """create table things (id int, label text, data jsonb);
        insert into things select i, 'label ' || i, '{"a": 1}' from generate_series(1, 60000) i;
        insert into things values (0, 'ask eva@x.org', '{"email": "eva@x.org"}')""",
    )
    label, data = found["things.label"], found["things.data"]
    assert (label.state, label.why) == (State.OPEN, "e-mail addresses in 1 of its rows")
    assert label.lines == (
        '"public.things.label" = "text"',
        '"public.things.label" = { keep = "WHY IT MAY STAY" }',
    )
    assert (data.state, data.kind) == (State.MASKED, "json")


def test_what_no_mask_fits_for_everybody_is_open(session: Connection) -> None:
    found = decided(
        session,
        """create type contact as (label text, mail text);
        create table patients (
            id int primary key, gender text, height_cm int not null, scan bytea, seen contact
        );
        create table cities (id int, latitude float8);
        create table links (id int, name text, email_protected boolean);
        insert into patients values (1, 'f', 170, '\\x00ff', ('home', 'eva@x.org'))""",
    )
    open_ones = {name for name, each in found.items() if each.state is State.OPEN}
    assert open_ones == {"patients.gender", "patients.height_cm", "patients.scan", "patients.seen"}
    assert found["links.name"].state is State.CLEAN
    assert found["patients.scan"].lines[0] == '"public.patients.scan" = "token"'
    assert found["patients.seen"].lines[0] == '"public.patients.seen" = "null"'


def test_values_of_a_masked_column_are_found_where_nobody_expects_them(session: Connection) -> None:
    found = decided(
        session,
        """create table users (id int, full_name text);
        create table logs (id int, line text);
        insert into users select i, 'Zed Mor' || chr(97 + i % 20) || 'ski' from generate_series(1, 40) i;
        insert into logs select i, 'seen: Zed Mor' || chr(97 + i % 20) || 'ski, today'
            from generate_series(1, 40) i""",
    )
    assert found["logs.line"].state is State.OPEN
    assert found["logs.line"].why == "values of public.users.full_name turn up in it"


def test_a_masked_value_far_behind_the_sample_is_found(session: Connection) -> None:
    found = decided(
        session,
        """create table users (id int, full_name text);
        create table logs (id int, line text);
        insert into users select i, 'Zed_ Mor' || i from generate_series(1, 40) i;
        insert into logs select i, 'nothing of note ' || md5(i::text) from generate_series(1, 60000) i;
        insert into logs select 0, 'seen: ZED_ MOR' || i || ' today' from generate_series(1, 40) i""",
    )
    assert found["logs.line"].state is State.OPEN
    assert "values of masked columns in" in found["logs.line"].why


def test_a_document_that_names_somebody_under_any_key_is_masked_as_a_whole(session: Connection) -> None:
    found = decided(
        session,
        """create table users (id int, full_name text);
        create table events (id int, said jsonb, other jsonb);
        insert into users select i, 'Zed Mor' || i from generate_series(1, 40) i;
        insert into events select i, jsonb_build_object('by', 'Zed Mor' || i, 'email', 'z@x.de'),
            jsonb_build_object('kind', 'click', 'email', 'z@x.de') from generate_series(1, 40) i""",
    )
    assert (found["events.said"].kind, found["events.said"].inside) == ("json", "text")
    assert (found["events.other"].kind, found["events.other"].inside) == ("json", None)


def test_columns_that_a_foreign_key_ties_are_masked_alike(session: Connection) -> None:
    tables = """create table people (login text primary key, email text unique);
        create table posts (id int, author text references people, mail text references people (email));
        create table likes (by text references people)"""
    found = decided(session, tables)
    assert {name: each.kind for name, each in found.items() if each.kind} == {
        "people.login": "handle",
        "posts.author": "handle",
        "likes.by": "handle",
        "people.email": "email",
        "posts.mail": "email",
    }


def test_rules_for_tied_columns_must_agree(session: Connection) -> None:
    tables = """create table people (email text primary key);
        create table posts (mail text references people)"""
    with pytest.raises(ArgumentProblem, match="their rules differ") as caught:
        decided(session, tables, rules(posts__mail={"keep": "they are test users"}))
    assert 'posts.mail" = "email"' in (caught.value.hint or "")


def test_the_project_file_has_the_last_word(session: Connection) -> None:
    found = decided(
        session,
        "create table users (id int, email text, gender text, note text, age int, extra text)",
        rules(users__email=KEEP, users__gender={"value": "x"}, users__age="number", users__extra="token"),
    )
    assert (found["users.email"].state, found["users.email"].why) == (State.KEPT, KEEP["keep"])
    assert (found["users.gender"].kind, found["users.gender"].value) == ("value", "x")
    assert (found["users.age"].kind, found["users.extra"].kind) == ("number", "token")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"users.email": "email"}, "schema.table.column"),
        ({"public.users.email": "hide"}, "there is no mask hide"),
        ({"public.users.email": {"keep": ""}}, "keep needs the reason"),
        ({"public.users.email": {"keep": "ok then", "value": "x"}}, "KIND"),
        ({"public.users.email": 3}, "KIND"),
    ],
)
def test_a_line_that_says_nothing_known_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ArgumentProblem, match=said):
        read("pyproject.toml", given)


def test_a_rule_that_its_column_cannot_take_names_those_that_fit(session: Connection) -> None:
    with pytest.raises(ArgumentProblem, match="email does not fit date; what fits: date, null"):
        decided(session, "create table users (born date)", rules(users__born="email"))


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ("public", ("user", "session", "account", "verification")),
        ("auth", ("users", "sessions", "accounts", "verifications")),
        ("neon_auth", ("ba_user", "ba_session", "ba_account", "ba_verification")),
    ],
)
def test_better_auth_tables_are_masked_by_default(
    session: Connection, schema: str, names: tuple[str, ...]
) -> None:
    user, sessions, account, verification = (f'{schema}."{name}"' for name in names)
    found = decided(
        session,
        f"""create schema if not exists {schema};
        create table {user} (
            id text primary key, name text, email text unique, "emailVerified" boolean, image text
        );
        create table {sessions} (
            id text primary key, token text unique, "expiresAt" timestamptz, "ipAddress" text,
            "userAgent" text, "userId" text references {user}
        );
        create table {account} (id text primary key, "accountId" text, "providerId" text, "userId" text,
            "accessToken" text, "refreshToken" text, "idToken" text, scope text, password text);
        create table {verification} (
            id text primary key, identifier text, value text, "expiresAt" timestamptz
        )""",
    )
    masked = {
        name.rpartition(".")[2]: each.kind for name, each in found.items() if each.state is State.MASKED
    }
    assert masked == {
        "name": "name",
        "email": "email",
        "image": "url",
        "token": "token",
        "ipAddress": "ip",
        "userAgent": "text",
        "accountId": "token",
        "accessToken": "token",
        "refreshToken": "token",
        "idToken": "token",
        "password": "token",
        "identifier": "identity",
        "value": "token",
    }
