"""Lengths of time as text."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from neondba.core.duration import Duration, spell

adapter: TypeAdapter[timedelta] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90m", timedelta(minutes=90)),
        ("3h", timedelta(hours=3)),
        ("1d12h", timedelta(days=1.5)),
        ("2 w", timedelta(weeks=2)),
        ("PT5M", timedelta(minutes=5)),
    ],
)
def test_people_write_it_so(text: str, length: timedelta) -> None:
    assert adapter.validate_python(text) == length


@pytest.mark.parametrize("text", ["", "3", "3x", "-3h", "0s", "h3", "3h later"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="length of time"):
        adapter.validate_python(text)


@given(st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=9999)))
def test_what_is_spelled_is_read_again(length: timedelta) -> None:
    whole = timedelta(seconds=int(length.total_seconds()))
    assert adapter.validate_python(spell(whole)) == whole
