"""What the masking functions promise: equal stays equal, different stays different, nothing stays itself."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect
from neondba.postgres.masking.kinds import TEXT_KINDS
from neondba.postgres.masking.shapes import iban, luhn
from neondba.postgres.masking.streaming import equip, new_key
from neondba.postgres.scratch import neon_like_database

KINDS = [kind for kind in TEXT_KINDS if kind != "scrub"]
VALUES = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40), max_size=20
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def masks(server: Secret) -> Iterator[Connection]:
    with connect(neon_like_database(server, "masks")) as session:
        equip(session, new_key(random.Random(1).choice))
        yield session


@pytest.fixture(scope="module")
def others(server: Secret) -> Iterator[Connection]:
    with connect(neon_like_database(server, "other_masks")) as session:
        equip(session, new_key(random.Random(2).choice))
        yield session


def masked(session: Connection, kind: str, values: list[str]) -> list[str]:
    each = "unnest(%s::text[]) with ordinality x(v, n)"
    rows = session.execute(
        f"select neondba_mask.masked(%s, v) as made from {each} order by n", [kind, values]
    ).fetchall()
    return [row["made"] for row in rows]


def scalar(session: Connection, call: str, *values: object) -> object:
    row = session.execute(sql.SQL("select neondba_mask.{} as made").format(sql.SQL(call)), values).fetchone()
    assert row is not None
    return row["made"]


@FEW
@given(kind=st.sampled_from(KINDS), values=VALUES)
def test_no_text_stays_what_it_was_and_equal_texts_stay_equal(
    masks: Connection, kind: str, values: list[str]
) -> None:
    made = masked(masks, kind, values)
    assert made == masked(masks, kind, values)
    for value, new in zip(values, made, strict=True):
        assert new != value or not value.strip(" ")


@FEW
@given(
    kind=st.sampled_from(["email", "handle", "token", "identity"]), values=VALUES.map(lambda v: list(set(v)))
)
def test_different_texts_stay_different(masks: Connection, kind: str, values: list[str]) -> None:
    long = [value for value in values if len(value) >= 12]
    assert len(set(masked(masks, kind, long))) == len(long)


@FEW
@given(values=st.lists(st.from_regex(r"\A[a-zA-Z0-9.]{1,12}@[a-z]{1,8}\.com\Z"), unique=True))
def test_addresses_are_valid_and_case_counts_as_before(masks: Connection, values: list[str]) -> None:
    made = masked(masks, "email", values)
    assert len(set(made)) == len(values)
    assert [each.lower() for each in made] == masked(masks, "email", [value.lower() for value in values])
    assert all(re.fullmatch(r"[A-Za-z0-9]+@[a-z0-9]+\.example\.com", each) for each in made)


@FEW
@given(
    kind=st.sampled_from(["phone", "code", "card", "iban"]),
    values=st.lists(st.from_regex(r"\A[0-9]{2,20}\Z"), unique=True, max_size=50),
)
def test_numbers_keep_their_digits_and_no_two_become_one(
    masks: Connection, kind: str, values: list[str]
) -> None:
    made = masked(masks, kind, values)
    assert len(set(made)) == len(values)
    assert [len(each) for each in made] == [len(value) for value in values]
    assert all(each.isascii() and each.isdigit() for each in made)
    assert not any(each == value for each, value in zip(made, values, strict=True))


def signs(text: str) -> str:
    """Write every digit and letter as the first of its kind."""
    return re.sub("[A-Z]", "A", re.sub("[a-z]", "a", re.sub("[0-9]", "0", text)))


@pytest.mark.parametrize("shape", ["??", "A??", "#?", "a#-?b"])
def test_every_code_of_a_shape_goes_to_another_of_it(masks: Connection, shape: str) -> None:
    codes = [shape]
    for sign, choices in (("?", "0123456789"), ("#", "abcdefghijklmnopqrstuvwxyz")):
        while sign in codes[0]:
            codes = [code.replace(sign, each, 1) for code in codes for each in choices]
    made = masked(masks, "code", codes)
    assert len(set(made)) == len(codes)
    assert not any(one == code for one, code in zip(made, codes, strict=True))
    assert {signs(one) for one in made} == {signs(code) for code in codes}


@pytest.mark.parametrize("size", [2, 3, 10, 97, 1000])
def test_numbers_go_round_in_one_cycle(masks: Connection, size: int) -> None:
    rows = masks.execute(
        "select i, neondba_mask.moved('x', i, %s) as made from generate_series(0, %s - 1) i", [size, size]
    ).fetchall()
    following = {row["i"]: row["made"] for row in rows}
    seen, at = set(), 0
    while at not in seen:
        seen.add(at)
        at = following[at]
    assert len(seen) == size


def test_another_key_gives_other_values(masks: Connection, others: Connection) -> None:
    values = [f"Somebody{number} Else{number}@x.com 0123456789" for number in range(50)]
    for kind in KINDS:
        if kind != "place":
            assert not set(masked(masks, kind, values)) & set(masked(others, kind, values)), kind


def test_a_first_name_is_the_same_inside_a_full_name(masks: Connection) -> None:
    first, full, shouted = masked(masks, "name", ["Ada", "Ada Lovelace", "ADA"])
    assert full.split()[0] == first
    assert shouted == first.upper()


def test_account_and_card_numbers_have_right_check_digits(masks: Connection) -> None:
    account, spaced = masked(masks, "iban", ["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19"])
    assert account.startswith("DE")
    assert spaced.startswith("GB")
    assert iban(account)
    assert iban(spaced)
    assert re.fullmatch(r"GB\d\d [A-Z]{4} \d{4} \d{4} \d{4} \d\d", spaced)
    (card,) = masked(masks, "card", ["4111-1111-1111-1111"])
    assert re.fullmatch(r"(\d{4}-){3}\d{4}", card)
    assert luhn(card.replace("-", ""))


def test_a_telephone_number_keeps_its_punctuation_and_its_spellings_stay_equal(masks: Connection) -> None:
    plain, spaced, inner = masked(masks, "phone", ["+493012345678", "+49 (30) 12345678", "493012345678"])
    assert re.fullmatch(r"\+\d\d \(\d\d\) \d{8}", spaced)
    assert re.sub(r"\D", "", plain) == re.sub(r"\D", "", spaced) == inner


def test_texts_lose_the_addresses_and_numbers_that_they_hold(masks: Connection) -> None:
    text = "Ask eva@x.org or +49 30 1234567, DE89370400440532013000, 4111 1111 1111 1111, from 10.1.2.3."
    (made,) = masked(masks, "scrub", [text])
    for original in ("eva@x.org", "1234567", "370400440532013000", "4111 1111", "10.1.2.3"):
        assert original not in made
    assert made.startswith("Ask ")
    assert masked(masks, "email", ["eva@x.org"])[0] in made


def test_documents_are_masked_by_their_keys_and_by_what_their_texts_hold(masks: Connection) -> None:
    document = (
        '{"user": {"email": "eva@x.org", "age": 7, "tags": ["a", null]}, "log": ["hi eva@x.org"], "ok": true}'
    )
    made = scalar(masks, "document(%s::jsonb, %s::jsonb)", document, '{"email": "email"}')
    (address,) = masked(masks, "email", ["eva@x.org"])
    assert made == {
        "user": {"email": address, "age": 7, "tags": ["a", None]},
        "log": [f"hi {address}"],
        "ok": True,
    }


def test_other_types_are_masked_within_their_type(masks: Connection) -> None:
    assert str(scalar(masks, "net('10.1.2.3/24')")).endswith("/24")
    assert str(scalar(masks, "net('2a00:1450::1')")).startswith("2001:db8:")
    day = scalar(masks, "day('2000-01-31')")
    assert str(day) < "2000-01-31"
    assert scalar(masks, "day('infinity')::text") == "infinity"
    numbers = [scalar(masks, "number(%s::bigint, 2147483647)", each) for each in (7, -7, 12345, 2147483647)]
    assert [len(str(abs(int(str(each))))) for each in numbers] == [1, 1, 5, 10]
    assert scalar(masks, "bytes('\\x0102030405'::bytea)") != b"\1\2\3\4\5"
    assert len(bytes(scalar(masks, "bytes('\\x0102030405'::bytea)"))) == 5  # type: ignore[call-overload]
    assert scalar(masks, "each('email', array['a@b.c', null, '']::text[])") == [
        *masked(masks, "email", ["a@b.c"]),
        None,
        "",
    ]


def test_no_function_makes_something_of_nothing(masks: Connection) -> None:
    for kind in KINDS:
        row = masks.execute("select neondba_mask.masked(%s, null) as made", [kind]).fetchone()
        assert row is not None
        assert row["made"] is None
        assert masked(masks, kind, [""]) == [""]
