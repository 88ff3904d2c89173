"""A secret is used but never shown."""

from __future__ import annotations

import copy
import json
import logging
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from neondba.core.secret import MASK, Secret


class Holder(BaseModel):
    key: Secret


@given(st.text(min_size=4).filter(lambda text: text not in MASK))
def test_no_text_form_shows_it(value: str) -> None:
    secret = Secret(value)
    holder = Holder(key=secret)
    forms = [str(secret), repr(secret), f"{secret}", f"{secret:>8}", f"{secret!r}", f"{holder.model_dump()}"]
    forms += [str(holder), repr(holder), holder.model_dump_json(), "%s" % secret]  # noqa: UP031
    assert [form for form in forms if value in form.replace("key", "").replace("Holder", "")] == []
    assert secret.reveal() == value


def test_it_is_read_from_text_and_from_itself() -> None:
    assert Holder(key="abc").key.reveal() == "abc"
    assert Holder(key=Secret("abc")).key == Secret("abc")
    assert Holder.model_validate_json(json.dumps({"key": "abc"})).key.reveal() == "abc"
    with pytest.raises(ValidationError):
        Holder(key=3)


def test_it_has_a_schema() -> None:
    assert TypeAdapter(Secret).json_schema() == {"type": "string"}


def test_it_is_neither_pickled_nor_copied() -> None:
    with pytest.raises(TypeError, match="not written to disk"):
        pickle.dumps(Secret("abc"))
    with pytest.raises(TypeError):
        copy.copy(Secret("abc"))


def test_an_empty_one_is_false() -> None:
    assert not Secret("")
    assert Secret("x")


def test_equality_is_that_of_the_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_a_log_shows_the_mask(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("x").warning("key %s", Secret("abcdef"))
    assert caplog.messages == ["key ***"]
