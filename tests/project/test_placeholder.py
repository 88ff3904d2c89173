"""Values that open something are told from values that only show the form."""

from __future__ import annotations

import random
import string

import pytest

from neondba.project.placeholder import is_placeholder, is_random, is_sequence

LETTERS = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    "value",
    [
        "password",
        "user",
        "changeme123",
        "P@ssw0rd!",
        "your-secret-key",
        "YOUR_PASSWORD",
        "xxxxxxxx",
        "npg_xxxxxxxx",
        "AbC123dEf",
        "a1b2c3d4",
        "${POSTGRES_PASSWORD:-postgres}",
        "$(SECRET_REF)",
        "{password}",
        "[password]",
        "<password>",
        "%(password)s",
        "...",
        "npg_...",
        "***",
        "mysecretpassword",
        "supersecretkey",
        "postgres123",
        "changethis",
        "hackathon-dev-secret-example",
        "test-secret-key-for-testing-minimum-32-characters",
        "123456",
        "secret",
        "!Ch4ng3Th1sP4ssW0rd!",
    ],
)
def test_a_stand_in_is_a_placeholder(value: str) -> None:
    assert is_placeholder(value)
    assert not is_random(value, 8)


@pytest.mark.parametrize(("alphabet", "length"), [(LETTERS, 16), (LETTERS, 43), ("0123456789abcdef", 64)])
def test_what_a_generator_gives_is_no_placeholder(alphabet: str, length: int) -> None:
    chance = random.Random(7)
    drawn = ["".join(chance.choice(alphabet) for _ in range(length)) for _ in range(500)]
    assert sum(is_placeholder(value) for value in drawn) <= 2
    assert sum(is_random(value, 12) for value in drawn) >= 400


@pytest.mark.parametrize(
    "value", ["correct-horse-battery-staple", "order_lines_2024_created", "generate-with-openssl-rand-hex-32"]
)
def test_words_are_not_random(value: str) -> None:
    assert not is_random(value, 8)


def test_encoded_stand_ins_are_not_random() -> None:
    assert not is_random("Y2hhbmdlLW1lLXBsZWFzZS1ub3c=", 12)


@pytest.mark.parametrize(
    ("text", "counts"), [("abcdef", True), ("123456", True), ("x7q2m9", False), ("a4k7x2bq", False)]
)
def test_a_sequence_counts_up(text: str, counts: bool) -> None:
    assert is_sequence(text) is counts
