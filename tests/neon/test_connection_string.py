"""Connection strings: round trips, variants, masks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, Platform, mask_text, parse

text = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
hosts = st.from_regex(r"\Aep-[a-z]{1,6}-[a-z]{1,6}-[a-z0-9]{8}(-pooler)?\.c-2\.us-east-2\.aws\.neon\.tech\Z")
strings = st.builds(
    ConnectionString,
    scheme=st.sampled_from(["postgresql", "postgres"]),
    role=text,
    password=st.none() | text.map(Secret),
    host=hosts,
    port=st.none() | st.integers(1, 65535),
    database=text,
    parameters=st.lists(
        st.tuples(st.sampled_from(["sslmode", "options", "application_name"]), text), max_size=3
    ).map(tuple),
)


@given(strings)
def test_what_is_rendered_is_parsed_again(one: ConnectionString) -> None:
    assert parse(one.render()) == one


@given(strings)
def test_the_mask_hides_the_password_and_nothing_else(one: ConnectionString) -> None:
    long = parse(one.with_role("app", Secret("s3cret/@:" + "x" * 9)).render())
    assert "s3cret" not in long.masked()
    assert long.masked().startswith(f"{one.scheme}://app:***@{one.host}")


@given(strings.filter(lambda one: "options" not in dict(one.parameters)))
def test_pooled_and_direct_are_each_others_way_back(one: ConnectionString) -> None:
    assert one.pooled().is_pooled
    assert not one.direct().is_pooled
    assert one.pooled().direct() == one.direct()
    assert one.direct().pooled() == one.pooled()
    assert one.pooled().endpoint_id == one.endpoint_id


@given(strings)
def test_a_psycopg_string_comes_back_unchanged(one: ConnectionString) -> None:
    assert one.with_driver("psycopg").with_driver(None) == replace(one, scheme="postgresql")


def test_an_endpoint_before_the_password_is_one_in_the_options() -> None:
    host = "127.0.0.1:5432/neondb?sslmode=require"
    one = parse("postgresql://app:endpoint=ep-x-y-1-pooler;" + "secret@" + host)
    assert (one.endpoint_id, one.is_pooled) == ("ep-x-y-1", True)
    assert one.masked() == f"postgresql://app:endpoint=ep-x-y-1-pooler;***@{host}"
    assert parse(one.render()) == one
    assert one.with_driver(None).parameters == (
        ("options", "endpoint=ep-x-y-1-pooler"),
        ("sslmode", "require"),
    )
    there = one.direct().with_driver("asyncpg")
    assert (
        there.masked() == "postgresql+asyncpg://app:endpoint=ep-x-y-1;***@127.0.0.1:5432/neondb?ssl=require"
    )


def test_asyncpg_gets_no_parameter_it_refuses() -> None:
    one = parse("postgresql://a:b@ep-x-y-1.us-east-2.aws.neon.tech/d?sslmode=require&channel_binding=require")
    there = one.with_driver("asyncpg")
    assert there.masked() == "postgresql+asyncpg://a:***@ep-x-y-1.us-east-2.aws.neon.tech/d?ssl=require"
    back = there.with_driver("psycopg")
    assert (back.scheme, back.parameters) == ("postgresql+psycopg", (("sslmode", "require"),))


@pytest.mark.parametrize(
    ("host", "platform", "endpoint", "region", "pooled"),
    [
        ("ep-a-b-1.us-east-2.aws.neon.tech", Platform.NEON, "ep-a-b-1", "aws-us-east-2", False),
        (
            "ep-a-b-1-pooler.c-2.eu-central-1.aws.neon.tech",
            Platform.NEON,
            "ep-a-b-1",
            "aws-eu-central-1",
            True,
        ),
        ("ep-a-b-1.eastus2.azure.neon.tech", Platform.NEON, "ep-a-b-1", "azure-eastus2", False),
        ("ep-a-b-1.localhost:54330", Platform.LOCAL, "ep-a-b-1", None, False),
        ("db.example.com", Platform.OTHER, None, None, False),
    ],
)
def test_a_host_is_classified(
    host: str, platform: Platform, endpoint: str | None, region: str | None, pooled: bool
) -> None:
    one = parse(f"postgresql://a@{host}/d")
    assert (one.platform, one.endpoint_id, one.region, one.is_pooled) == (platform, endpoint, region, pooled)


def test_the_endpoint_option_is_read_and_switched() -> None:
    one = parse("postgresql://a@127.0.0.1:5433/d?options=endpoint%3Dep-a-b-1%20-c%20work_mem%3D4MB")
    assert one.endpoint_id == "ep-a-b-1"
    assert one.pooled().parameter("options") == "endpoint=ep-a-b-1-pooler -c work_mem=4MB"
    assert one.pooled().direct() == one


@pytest.mark.parametrize(
    "bad", ["", "mysql://a:b@h/d", "postgresql://a:p@ss@h/d", "postgresql://h:99999/d", "host=h"]
)
def test_what_is_no_connection_string_is_refused_without_repeating_it(bad: str) -> None:
    with pytest.raises(ArgumentProblem) as caught:
        parse(bad)
    assert not bad or bad not in caught.value.report().model_dump_json()


def test_another_host_has_no_pooler() -> None:
    with pytest.raises(ArgumentProblem, match=r"db\.example\.com is not a Neon endpoint"):
        parse("postgresql://a@db.example.com/d").pooled()


@given(text, text)
def test_passwords_inside_a_text_are_masked(before: str, after: str) -> None:
    secret = "Zq9" + "8" * 8
    masked = mask_text(f"{before} postgresql://a:{secret}@h/d PGPASSWORD={secret} {after}")
    assert secret not in masked.replace(before, "").replace(after, "")


def test_a_password_with_a_bare_at_sign_is_masked_whole() -> None:
    assert mask_text("at postgresql://a:p@ss/w@h/d now") == "at postgresql://a:***@h/d now"
